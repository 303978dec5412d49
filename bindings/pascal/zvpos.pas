{ zvpos for Delphi 7 and later and for Free Pascal: stored value and coupons of the zvcms platform.

  A sale is complete if and only if Answer.Outcome = zvSucceeded (ZvComplete). Every other answer has one thing to do
  in Answer.Next. Nothing here raises an exception for what the gateway or the library says.

  Texts are UTF-8. From Delphi 2009 on and in Free Pascal a string is turned into UTF8String by the compiler; in
  Delphi 7 use UTF8Encode, or configure "charset": "gbk" and pass the texts of a Chinese Windows as they are. }
unit zvpos;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}

interface

const
  { The interface that this unit was written for. }
  ZvAbiVersion = 3;

{$IFDEF MSWINDOWS}
  ZvLibrary = 'zvpos.dll';
{$ELSE}
  ZvLibrary = 'zvpos';
{$ENDIF}

type
{$IFDEF FPC}
  TZvSize = SizeUInt;
{$ELSE}
  {$IFDEF WIN64}
  TZvSize = UInt64;
  {$ELSE}
  TZvSize = Cardinal;
  {$ENDIF}
{$ENDIF}

  { The numbers are those of zvpos.h. zvNoAnswer: what was read is no answer. }
  TZvOutcome = (zvSucceeded, zvDeclined, zvInvalid, zvNotSent, zvUnknown, zvInternal, zvReversed, zvConflict,
    zvRunning, zvNoAnswer);

  { A copy of the answer to a call. Nothing has to be freed. }
  TZvAnswer = record
    Outcome: TZvOutcome;
    Next: UTF8String;     { the one thing to do: complete_sale, other_tender, retry, wait, ... }
    Code: UTF8String;
    Message: UTF8String;  { for the programmer }
    Cashier: UTF8String;  { for the person at the till }
    Text: UTF8String;     { the whole answer, fit for a log }
  end;

{ Each takes a JSON object; docs/requests.md has the fields. }
function ZvInit(const Config: UTF8String): TZvAnswer;
function ZvCouponQuote(const Request: UTF8String): TZvAnswer;
function ZvConsume(const Request: UTF8String): TZvAnswer;
function ZvReverse(const Request: UTF8String): TZvAnswer;
function ZvLookup(const Request: UTF8String): TZvAnswer;
function ZvConfirm(const Request: UTF8String): TZvAnswer;
function ZvSettle(const Request: UTF8String): TZvAnswer;
function ZvCall(const Action, Params: UTF8String): TZvAnswer;
function ZvShutdown: TZvAnswer;

{ Makes a bizId: ZvField(Answer, 'bizId'). No two agree, and a look-up needs no journal_id with it. }
function ZvMakeBizId: TZvAnswer;

{ NULL for all that is not settled, or a filter. }
function ZvPending: TZvAnswer; overload;
function ZvPending(const Request: UTF8String): TZvAnswer; overload;
function ZvRecover: TZvAnswer; overload;
function ZvRecover(const Request: UTF8String): TZvAnswer; overload;

{ Calls that do not freeze a form: start one, keep ZvField(Answer, 'data.ticket'), and poll it from a TTimer until the
  outcome is no longer zvRunning. Each answer is given once. }
function ZvStart(const Operation, Request: UTF8String): TZvAnswer;
function ZvPoll(const Ticket: UTF8String): TZvAnswer;

{ True only with zvSucceeded. }
function ZvComplete(const Answer: TZvAnswer): Boolean;

{ One value as text, such as 'data.coupon_discount'; '' if there is none. The second reads any JSON object. }
function ZvField(const Answer: TZvAnswer; const Path: UTF8String): UTF8String; overload;
function ZvField(const Text, Path: UTF8String): UTF8String; overload;

{ A UTF-8 text as a JSON string, with its quotes. }
function ZvQuoted(const Text: UTF8String): UTF8String;

function ZvVersion: UTF8String;
{ False: the library is older than this unit. }
function ZvFits: Boolean;

{ The functions of zvpos.h. A returned PAnsiChar is given back once, by zv_free or zv_take.
  Left out: zv_set_log_callback, whose callback would run on a foreign thread; use the configuration's "log". }
function zv_init(config: PAnsiChar): PAnsiChar; cdecl; external ZvLibrary;
function zv_coupon_quote_json(request: PAnsiChar): PAnsiChar; cdecl; external ZvLibrary;
function zv_consume_json(request: PAnsiChar): PAnsiChar; cdecl; external ZvLibrary;
function zv_reverse_json(request: PAnsiChar): PAnsiChar; cdecl; external ZvLibrary;
function zv_lookup_json(request: PAnsiChar): PAnsiChar; cdecl; external ZvLibrary;
function zv_pending_json(request: PAnsiChar): PAnsiChar; cdecl; external ZvLibrary;
function zv_recover_json(request: PAnsiChar): PAnsiChar; cdecl; external ZvLibrary;
function zv_confirm_json(request: PAnsiChar): PAnsiChar; cdecl; external ZvLibrary;
function zv_settle_json(request: PAnsiChar): PAnsiChar; cdecl; external ZvLibrary;
function zv_call_json(action, params: PAnsiChar): PAnsiChar; cdecl; external ZvLibrary;
function zv_start_json(operation, request: PAnsiChar): PAnsiChar; cdecl; external ZvLibrary;
function zv_poll_json(ticket: PAnsiChar): PAnsiChar; cdecl; external ZvLibrary;
function zv_biz_id: PAnsiChar; cdecl; external ZvLibrary;
function zv_shutdown: PAnsiChar; cdecl; external ZvLibrary;
function zv_outcome(response: PAnsiChar): Integer; cdecl; external ZvLibrary;
function zv_field(response, path, buffer: PAnsiChar; capacity: TZvSize): TZvSize; cdecl; external ZvLibrary;
function zv_take(response, buffer: PAnsiChar; capacity: TZvSize): TZvSize; cdecl; external ZvLibrary;
procedure zv_free(response: PAnsiChar); cdecl; external ZvLibrary;
function zv_version: PAnsiChar; cdecl; external ZvLibrary;
function zv_abi_version: Cardinal; cdecl; external ZvLibrary;

implementation

function FieldOf(Text, Path: PAnsiChar): UTF8String;
var
  Size: TZvSize;
begin
  Result := '';
  Size := zv_field(Text, Path, nil, 0);
  if Size = 0 then
    Exit;
  { A Pascal string has room for the NUL behind its last letter. }
  SetLength(Result, Size - 1);
  zv_field(Text, Path, PAnsiChar(Result), Size);
end;

{ Copies an answer into a string of our own; from then on it is given back and counts as read. }
function Take(Response: PAnsiChar): TZvAnswer;
var
  Size: TZvSize;
  Number: Integer;
begin
  Size := zv_take(Response, nil, 0);
  Result.Text := '';
  if Size > 0 then
  begin
    SetLength(Result.Text, Size - 1);
    zv_take(Response, PAnsiChar(Result.Text), Size);
  end;
  Number := zv_outcome(PAnsiChar(Result.Text));
  if (Number >= Ord(zvSucceeded)) and (Number <= Ord(zvRunning)) then
    Result.Outcome := TZvOutcome(Number)
  else
    Result.Outcome := zvNoAnswer;
  Result.Next := ZvField(Result.Text, 'next');
  Result.Code := ZvField(Result.Text, 'code');
  Result.Message := ZvField(Result.Text, 'message');
  Result.Cashier := ZvField(Result.Text, 'cashier');
end;

function ZvInit(const Config: UTF8String): TZvAnswer;
begin
  Result := Take(zv_init(PAnsiChar(Config)));
end;

function ZvCouponQuote(const Request: UTF8String): TZvAnswer;
begin
  Result := Take(zv_coupon_quote_json(PAnsiChar(Request)));
end;

function ZvConsume(const Request: UTF8String): TZvAnswer;
begin
  Result := Take(zv_consume_json(PAnsiChar(Request)));
end;

function ZvReverse(const Request: UTF8String): TZvAnswer;
begin
  Result := Take(zv_reverse_json(PAnsiChar(Request)));
end;

function ZvLookup(const Request: UTF8String): TZvAnswer;
begin
  Result := Take(zv_lookup_json(PAnsiChar(Request)));
end;

function ZvConfirm(const Request: UTF8String): TZvAnswer;
begin
  Result := Take(zv_confirm_json(PAnsiChar(Request)));
end;

function ZvSettle(const Request: UTF8String): TZvAnswer;
begin
  Result := Take(zv_settle_json(PAnsiChar(Request)));
end;

function ZvCall(const Action, Params: UTF8String): TZvAnswer;
begin
  Result := Take(zv_call_json(PAnsiChar(Action), PAnsiChar(Params)));
end;

function ZvShutdown: TZvAnswer;
begin
  Result := Take(zv_shutdown);
end;

function ZvMakeBizId: TZvAnswer;
begin
  Result := Take(zv_biz_id);
end;

function ZvPending: TZvAnswer;
begin
  Result := Take(zv_pending_json(nil));
end;

function ZvPending(const Request: UTF8String): TZvAnswer;
begin
  Result := Take(zv_pending_json(PAnsiChar(Request)));
end;

function ZvRecover: TZvAnswer;
begin
  Result := Take(zv_recover_json(nil));
end;

function ZvRecover(const Request: UTF8String): TZvAnswer;
begin
  Result := Take(zv_recover_json(PAnsiChar(Request)));
end;

function ZvStart(const Operation, Request: UTF8String): TZvAnswer;
begin
  Result := Take(zv_start_json(PAnsiChar(Operation), PAnsiChar(Request)));
end;

function ZvPoll(const Ticket: UTF8String): TZvAnswer;
begin
  Result := Take(zv_poll_json(PAnsiChar(Ticket)));
end;

function ZvComplete(const Answer: TZvAnswer): Boolean;
begin
  Result := Answer.Outcome = zvSucceeded;
end;

function ZvField(const Answer: TZvAnswer; const Path: UTF8String): UTF8String;
begin
  Result := FieldOf(PAnsiChar(Answer.Text), PAnsiChar(Path));
end;

function ZvField(const Text, Path: UTF8String): UTF8String;
begin
  Result := FieldOf(PAnsiChar(Text), PAnsiChar(Path));
end;

{ Byte by byte into one piece: a letter of UTF-8 that Delphi appends by itself would go through the code page. }
function ZvQuoted(const Text: UTF8String): UTF8String;
const
  Digits: array[0..15] of AnsiChar = '0123456789abcdef';
var
  Quoted: UTF8String;
  I, Count: Integer;

  procedure Put(Letter: AnsiChar);
  begin
    Inc(Count);
    Quoted[Count] := Letter;
  end;

begin
  { Six for each letter, such as \u001f, and the quotes. }
  SetLength(Quoted, 6 * Length(Text) + 2);
  Count := 0;
  Put('"');
  for I := 1 to Length(Text) do
    if Text[I] < ' ' then
    begin
      Put('\');
      Put('u');
      Put('0');
      Put('0');
      Put(Digits[Ord(Text[I]) shr 4]);
      Put(Digits[Ord(Text[I]) and 15]);
    end
    else
    begin
      if (Text[I] = '"') or (Text[I] = '\') then
        Put('\');
      Put(Text[I]);
    end;
  Put('"');
  SetLength(Quoted, Count);
  Result := Quoted;
end;

function ZvVersion: UTF8String;
begin
  Result := zv_version;
end;

function ZvFits: Boolean;
begin
  Result := zv_abi_version >= ZvAbiVersion;
end;

end.
