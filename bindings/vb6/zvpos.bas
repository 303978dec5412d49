Attribute VB_Name = "Zvpos"
Option Explicit

' zvpos for Visual Basic 6: stored value and coupons of the zvcms platform.
'
' A sale is complete if and only if Answer.Outcome = ZV_SUCCEEDED. Every other answer has one thing to do in
' Answer.NextStep. No call raises an error for what the gateway or the library says.
'
' VB passes a String in the ANSI code page of Windows. The configuration must hold "charset": "gbk", and Windows must
' run under code page 936; ZvInit checks the latter.

' The outcomes of zvpos.h.
Public Const ZV_SUCCEEDED As Long = 0
Public Const ZV_DECLINED As Long = 1
Public Const ZV_INVALID As Long = 2
Public Const ZV_NOT_SENT As Long = 3
Public Const ZV_UNKNOWN As Long = 4
Public Const ZV_INTERNAL As Long = 5
Public Const ZV_REVERSED As Long = 6
Public Const ZV_CONFLICT As Long = 7
Public Const ZV_RUNNING As Long = 8

' The interface that this module was written for.
Private Const ABI_VERSION As Long = 3

' The stdcall functions of the 32-bit zvpos.dll. A returned Long is an answer that is given back once, by zvs_take or
' zvs_free: never declare it As String. vbNullString passes NULL.
' Left out: zvs_set_log_callback, whose callback would run on a foreign thread; use "log" of the configuration.
Public Declare Function zvs_init Lib "zvpos.dll" (ByVal config As String) As Long
Public Declare Function zvs_coupon_quote_json Lib "zvpos.dll" (ByVal request As String) As Long
Public Declare Function zvs_consume_json Lib "zvpos.dll" (ByVal request As String) As Long
Public Declare Function zvs_reverse_json Lib "zvpos.dll" (ByVal request As String) As Long
Public Declare Function zvs_lookup_json Lib "zvpos.dll" (ByVal request As String) As Long
Public Declare Function zvs_pending_json Lib "zvpos.dll" (ByVal request As String) As Long
Public Declare Function zvs_recover_json Lib "zvpos.dll" (ByVal request As String) As Long
Public Declare Function zvs_confirm_json Lib "zvpos.dll" (ByVal request As String) As Long
Public Declare Function zvs_settle_json Lib "zvpos.dll" (ByVal request As String) As Long
Public Declare Function zvs_call_json Lib "zvpos.dll" (ByVal action As String, ByVal params As String) As Long
Public Declare Function zvs_start_json Lib "zvpos.dll" (ByVal operation As String, ByVal request As String) As Long
Public Declare Function zvs_poll_json Lib "zvpos.dll" (ByVal ticket As String) As Long
Public Declare Function zvs_biz_id Lib "zvpos.dll" () As Long
Public Declare Function zvs_shutdown Lib "zvpos.dll" () As Long
Public Declare Function zvs_outcome Lib "zvpos.dll" (ByVal response As String) As Long
Public Declare Function zvs_field Lib "zvpos.dll" (ByVal response As String, ByVal path As String, ByRef buffer As Any, ByVal capacity As Long) As Long
Public Declare Function zvs_take Lib "zvpos.dll" (ByVal response As Long, ByRef buffer As Any, ByVal capacity As Long) As Long
Public Declare Sub zvs_free Lib "zvpos.dll" (ByVal response As Long)
Public Declare Function zvs_version Lib "zvpos.dll" () As Long
Public Declare Function zvs_abi_version Lib "zvpos.dll" () As Long

Private Declare Function GetACP Lib "kernel32" () As Long

' A copy of the answer to a call.
Public Type ZvAnswer
    Outcome As Long
    NextStep As String  ' complete_sale, other_tender, retry, wait, ...
    Code As String
    Message As String   ' for the programmer
    Cashier As String   ' for the person at the till
    Text As String      ' the whole answer, for the log
End Type

' Once, when the program starts. In the IDE, ChDir to the folder of zvpos.dll first.
Public Function ZvInit(ByVal config As String) As ZvAnswer
    If GetACP() <> 936 Then
        Err.Raise vbObjectError + 1, "zvpos", "Windows must run under code page 936 (Chinese, simplified)"
    End If
    If zvs_abi_version() < ABI_VERSION Then
        Err.Raise vbObjectError + 2, "zvpos", "zvpos.dll is older than this module"
    End If
    ZvInit = Take(zvs_init(config))
End Function

Public Function ZvCouponQuote(ByVal request As String) As ZvAnswer
    ZvCouponQuote = Take(zvs_coupon_quote_json(request))
End Function

' Store the bizId on disk before the call.
Public Function ZvConsume(ByVal request As String) As ZvAnswer
    ZvConsume = Take(zvs_consume_json(request))
End Function

Public Function ZvReverse(ByVal request As String) As ZvAnswer
    ZvReverse = Take(zvs_reverse_json(request))
End Function

' journalId: data.journal_id of ZvInit, stored with the attempt before it was made.
Public Function ZvLookup(ByVal bizId As String, Optional ByVal journalId As String = "") As ZvAnswer
    ZvLookup = Take(zvs_lookup_json("{""bizId"":" & ZvQuoted(bizId) & ",""journal_id"":" & ZvQuoted(journalId) & "}"))
End Function

Public Function ZvConfirm(ByVal bizId As String) As ZvAnswer
    ZvConfirm = Take(zvs_confirm_json("{""bizId"":" & ZvQuoted(bizId) & "}"))
End Function

Public Function ZvSettle(ByVal request As String) As ZvAnswer
    ZvSettle = Take(zvs_settle_json(request))
End Function

' Without a request: all that is not settled.
Public Function ZvPending(Optional ByVal request As String = vbNullString) As ZvAnswer
    ZvPending = Take(zvs_pending_json(request))
End Function

Public Function ZvRecover(Optional ByVal request As String = vbNullString) As ZvAnswer
    ZvRecover = Take(zvs_recover_json(request))
End Function

' ZvCall "member_lookup", "{...}"
Public Function ZvCall(ByVal action As String, ByVal params As String) As ZvAnswer
    ZvCall = Take(zvs_call_json(action, params))
End Function

' Begins a call without freezing the form: keep ZvField(answer, "data.ticket"), and ZvPoll it from a Timer until the
' outcome is no longer ZV_RUNNING.
Public Function ZvStart(ByVal operation As String, ByVal request As String) As ZvAnswer
    ZvStart = Take(zvs_start_json(operation, request))
End Function

Public Function ZvPoll(ByVal ticket As String) As ZvAnswer
    ZvPoll = Take(zvs_poll_json(ticket))
End Function

' Makes a bizId: ZvField(answer, "bizId"). No two agree, and a look-up needs no journal_id with it.
Public Function ZvMakeBizId() As ZvAnswer
    ZvMakeBizId = Take(zvs_biz_id())
End Function

Public Function ZvShutdown() As ZvAnswer
    ZvShutdown = Take(zvs_shutdown())
End Function

' One value as text, such as "data.coupon_discount"; "" if there is none. What GBK cannot say, such as an emoji in a
' nickname, comes as \uXXXX.
Public Function ZvField(answer As ZvAnswer, ByVal path As String) As String
    ZvField = FieldOf(answer.Text, path)
End Function

' A text as a JSON string, with its quotes.
Public Function ZvQuoted(ByVal text As String) As String
    Dim i As Long, letter As String
    For i = 1 To Len(text)
        letter = Mid$(text, i, 1)
        Select Case AscW(letter)
            Case 34, 92
                ZvQuoted = ZvQuoted & "\" & letter
            Case 0 To 31
                ZvQuoted = ZvQuoted & "\u00" & Right$("0" & Hex$(AscW(letter)), 2)
            Case Else
                ZvQuoted = ZvQuoted & letter
        End Select
    Next
    ZvQuoted = """" & ZvQuoted & """"
End Function

' Copies an answer and gives it back. A buffer that is too small costs a second zvs_take, never a second call.
Private Function Take(ByVal response As Long) As ZvAnswer
    Dim answer As ZvAnswer, buffer() As Byte, capacity As Long, length As Long
    capacity = 65536
    Do
        ReDim buffer(0 To capacity - 1)
        length = zvs_take(response, buffer(0), capacity)
        If length < capacity Then Exit Do
        capacity = length
    Loop
    answer.Text = TextOf(buffer, length)
    answer.Outcome = zvs_outcome(answer.Text)
    answer.NextStep = FieldOf(answer.Text, "next")
    answer.Code = FieldOf(answer.Text, "code")
    answer.Message = FieldOf(answer.Text, "message")
    answer.Cashier = FieldOf(answer.Text, "cashier")
    Take = answer
End Function

Private Function FieldOf(ByVal text As String, ByVal path As String) As String
    Dim buffer() As Byte, capacity As Long, length As Long
    capacity = 4096
    Do
        ReDim buffer(0 To capacity - 1)
        length = zvs_field(text, path, buffer(0), capacity)
        If length < capacity Then Exit Do
        capacity = length
    Loop
    FieldOf = TextOf(buffer, length)
End Function

' The first bytes of a buffer, from code page 936.
Private Function TextOf(buffer() As Byte, ByVal length As Long) As String
    If length = 0 Then Exit Function
    ReDim Preserve buffer(0 To length - 1)
    TextOf = StrConv(buffer, vbUnicode)
End Function
