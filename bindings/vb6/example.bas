Attribute VB_Name = "Example"
Option Explicit

' data.journal_id of ZvInit: stored with each attempt, for the look-up after a restart.
Private journalId As String

' One sale against the simulator (zv sandbox). SaveAttempt and SaveEnd are the till's own and have written to the disk
' when they return.

Public Sub Main()
    Dim answer As ZvAnswer

    answer = ZvInit("{""openId"":""fake-open-id-for-test-only-0001"",""grantCode"":""fake-grant-code-0001""," & _
        """openKey"":""fake-open-key-for-test-only-0001"",""endpoint"":""http://127.0.0.1:8080/api/v2""," & _
        """charset"":""gbk"",""journal"":" & ZvQuoted(App.Path & "\till.db") & "," & _
        """routes"":{""reverse"":{""action"":""sandbox.consume-reverse""," & _
        """codes"":{""already"":[""920002""],""not_found"":[""920001""]}}}}")
    If answer.Outcome <> ZV_SUCCEEDED Then
        MsgBox answer.Message, vbCritical
        Exit Sub
    End If
    journalId = ZvField(answer, "data.journal_id")

    answer = ZvCouponQuote("{""user_coupon_id"":""390962138708451328"",""user_id"":""383933091455959041""," & _
        """items"":[{""num"":1,""trade_mark"":""201909280011111"",""price"":""28.00""}]}")
    Debug.Print "off: " & ZvField(answer, "data.coupon_discount")

    If Pay("T1-20261122-000017", "383933091455959041", "23.00") Then Debug.Print "sale complete"
    answer = ZvShutdown()
End Sub

' True: complete the sale. The cashier's sentence says what else there is to do.
Public Function Pay(ByVal bizId As String, ByVal customerId As String, ByVal amount As String) As Boolean
    Dim answer As ZvAnswer, request As String

    request = "{""bizId"":" & ZvQuoted(bizId) & ",""customerId"":" & ZvQuoted(customerId) & _
        ",""amount"":" & ZvQuoted(amount) & "}"
    SaveAttempt bizId
    answer = ZvConsume(request)
    SaveEnd bizId, ZvField(answer, "data.bizId"), answer.Outcome, answer.Text
    MsgBox answer.Cashier
    Pay = (answer.Outcome = ZV_SUCCEEDED)
End Function

Private Sub SaveAttempt(ByVal bizId As String)
    AppendLine bizId & vbTab & journalId & vbTab & "attempt"
End Sub

Private Sub SaveEnd(ByVal bizId As String, ByVal returnedBizId As String, ByVal outcome As Long, ByVal text As String)
    AppendLine bizId & vbTab & returnedBizId & vbTab & outcome & vbTab & text
End Sub

' A till keeps this in its database.
Private Sub AppendLine(ByVal entry As String)
    Dim number As Integer
    number = FreeFile
    Open App.Path & "\sales.log" For Append As #number
    Print #number, entry
    Close #number
End Sub
