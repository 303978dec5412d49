{ Runs the table of cases (tests/cases) through zvpos.pas against a running simulator:

    cases GATEWAY ADMIN FOLDER FILE...

  FOLDER: a new one, for the journals. Prints "ok NAME" or "FAILED NAME: why" for each case; ends with 1 if any failed.
  The files are read by ZvField, the admin port is asked through curl. }
program cases;

{$MODE DELPHI}

uses
  SysUtils, zvpos;

const
  { How long something that settles by itself may take, and the time between two looks. }
  PatienceMs = 40000;
  PauseMs = 20;
  Words: array[TZvOutcome] of UTF8String = ('succeeded', 'declined', 'invalid', 'not_sent', 'unknown', 'internal',
    'reversed', 'conflict', 'running', 'no answer');

type
  EFailed = class(Exception);

var
  Gateway, Admin, Folder: UTF8String;
  { The text of the file, and of the case that runs the configuration and the identity of its journal. }
  Table, Config, Identity: UTF8String;
  Failed: Boolean;

function ReadFile(const Path: UTF8String): UTF8String;
var
  Handle: File;
begin
  Assign(Handle, Path);
  FileMode := 0;
  Reset(Handle, 1);
  SetLength(Result, FileSize(Handle));
  if Result <> '' then
    BlockRead(Handle, Result[1], Length(Result));
  Close(Handle);
end;

{ One value of the table; '' if there is none. }
function At(const Path: UTF8String): UTF8String;
begin
  Result := ZvField(Table, Path);
end;

{ A request to the admin port. }
function Ask(const Method, Path, Body: UTF8String): UTF8String;
var
  Answer: UTF8String;
begin
  Answer := Folder + '/admin.json';
  if ExecuteProcess('/usr/bin/env', ['curl', '-sS', '--fail-with-body', '-X', Method, '-o', Answer, '--data-binary', Body,
    Admin + Path]) <> 0 then
    raise EFailed.Create(Method + ' ' + Path + ' failed');
  Result := ReadFile(Answer);
end;

function Started(const Operation, Request: UTF8String): TZvAnswer;
var
  Ticket: UTF8String;
begin
  Result := ZvStart(Operation, Request);
  Ticket := ZvField(Result, 'data.ticket');
  while Result.Outcome = zvRunning do
  begin
    Sleep(1);
    Result := ZvPoll(Ticket);
  end;
end;

{ Makes a call by the function that a program would use. }
function Make(const Call, Request: UTF8String): TZvAnswer;
begin
  if Pos('start:', Call) = 1 then
  begin
    if Request = '' then
      Result := Started(Copy(Call, 7, MaxInt), '{}')
    else
      Result := Started(Copy(Call, 7, MaxInt), Request);
  end
  else if Pos('call:', Call) = 1 then Result := ZvCall(Copy(Call, 6, MaxInt), Request)
  else if Call = 'coupon_quote' then Result := ZvCouponQuote(Request)
  else if Call = 'consume' then Result := ZvConsume(Request)
  else if Call = 'reverse' then Result := ZvReverse(Request)
  else if Call = 'lookup' then Result := ZvLookup(Request)
  else if Call = 'confirm' then Result := ZvConfirm(Request)
  else if Call = 'settle' then Result := ZvSettle(Request)
  else if Call = 'biz_id' then Result := ZvMakeBizId
  else if Call = 'shutdown' then Result := ZvShutdown
  else if (Call = 'init') and (Request = '') then Result := ZvInit(Config)
  else if Call = 'init' then Result := ZvInit(Request)
  else if (Call = 'pending') and (Request = '') then Result := ZvPending
  else if Call = 'pending' then Result := ZvPending(Request)
  else if (Call = 'recover') and (Request = '') then Result := ZvRecover
  else if Call = 'recover' then Result := ZvRecover(Request)
  else raise EFailed.Create('the runner knows no call ' + Call);
end;

{ '' if the answer is as expected, else what is wrong. }
function Complaint(const Answer: TZvAnswer; const Call: UTF8String): UTF8String;
var
  Number: Integer;
  Field, Path, Expected, Found: UTF8String;
begin
  Result := '';
  Expected := At(Call + '.outcome');
  if (Words[Answer.Outcome] <> Expected) or (ZvComplete(Answer) <> (Expected = 'succeeded')) then
  begin
    Result := 'expected ' + Expected + ', found ' + Answer.Text;
    Exit;
  end;
  Number := 0;
  repeat
    Field := Call + '.fields.' + UTF8String(IntToStr(Number));
    Path := At(Field + '.0');
    if Path = '' then
      Exit;
    Expected := At(Field + '.1');
    Found := ZvField(Answer, Path);
    if Found <> Expected then
      Result := Path + ': expected ' + Expected + ', found ' + Found;
    Inc(Number);
  until Result <> '';
end;

procedure Expect(const Call: UTF8String);
var
  Name, Request, Why: UTF8String;
  Started: QWord;
begin
  Name := At(Call + '.call');
  Request := StringReplace(At(Call + '.request'), '$JOURNAL_ID', Identity, [rfReplaceAll]);
  Started := GetTickCount64;
  repeat
    Why := Complaint(Make(Name, Request), Call);
    if Why = '' then
      Exit;
    Sleep(PauseMs);
  until (At(Call + '.wait') <> 'true') or (GetTickCount64 - Started > PatienceMs);
  raise EFailed.Create(Call + ', ' + Name + ': ' + Why);
end;

procedure ExpectNet(const Entry: UTF8String);
var
  Found: UTF8String;
  Started: QWord;
begin
  Started := GetTickCount64;
  repeat
    Found := ZvField(Ask('GET', '/ledger?bizId=' + At(Entry + '.0'), ''), 'net');
    if Found = At(Entry + '.1') then
      Exit;
    Sleep(PauseMs);
  until GetTickCount64 - Started > PatienceMs;
  raise EFailed.Create('net of ' + At(Entry + '.0') + ': expected ' + At(Entry + '.1') + ', found ' + Found);
end;

procedure Order(const Entry: UTF8String);
begin
  Ask(At(Entry + '.0'), At(Entry + '.1'), At(Entry + '.2'));
end;

type
  TVisit = procedure(const Path: UTF8String);

{ Visits each item of a list. }
procedure Each(const List: UTF8String; Visit: TVisit);
var
  Number: Integer;
  Path: UTF8String;
begin
  Number := 0;
  Path := List + '.0';
  while At(Path) <> '' do
  begin
    Visit(Path);
    Inc(Number);
    Path := List + '.' + UTF8String(IntToStr(Number));
  end;
end;

procedure Run(const Path: UTF8String);
var
  Answer: TZvAnswer;
begin
  Ask('POST', '/reset', '');
  Answer := ZvInit(Config);
  if not ZvComplete(Answer) then
    raise EFailed.Create('init: ' + Answer.Text);
  Identity := ZvField(Answer, 'data.journal_id');
  Each(Path + '.admin', Order);
  Each(Path + '.calls', Expect);
  Each(Path + '.net', ExpectNet);
end;

procedure OneCase(const Path: UTF8String);
var
  Name: UTF8String;
begin
  Name := At(Path + '.name');
  Config := StringReplace(At('config'), '$GATEWAY', Gateway, [rfReplaceAll]);
  Config := StringReplace(Config, '$JOURNAL', Folder + '/' + Name + '.db', [rfReplaceAll]);
  try
    Run(Path);
    WriteLn('ok ', Name);
  except
    on Error: Exception do
    begin
      WriteLn('FAILED ', Name, ': ', Error.Message);
      Failed := True;
    end;
  end;
  ZvShutdown;
end;

var
  Number: Integer;

begin
  SetMultiByteConversionCodePage(CP_UTF8);
  if not ZvFits then
  begin
    WriteLn('FAILED: the library ', ZvVersion, ' is older than the unit');
    Halt(1);
  end;
  Gateway := UTF8String(ParamStr(1));
  Admin := UTF8String(ParamStr(2));
  Folder := UTF8String(ParamStr(3));
  for Number := 4 to ParamCount do
  begin
    Table := ReadFile(UTF8String(ParamStr(Number)));
    Each('cases', OneCase);
  end;
  if Failed then
    Halt(1);
end.
