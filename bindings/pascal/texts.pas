{ What becomes of texts on their way: prints "ok", or what is wrong. }
program texts;

{$MODE DELPHI}
{$CODEPAGE UTF8}

uses
  SysUtils, zvpos;

procedure Same(const What, Found, Expected: UTF8String);
begin
  if Found <> Expected then
  begin
    WriteLn(What, ': expected ', Expected, ', found ', Found);
    Halt(1);
  end;
end;

var
  Text: UTF8String;
  Wide: UnicodeString;
  Answer: TZvAnswer;

begin
  SetMultiByteConversionCodePage(CP_UTF8);
  Text := '张"\/' + #9#10#1;
  Same('a quoted text', ZvField('{"a":' + ZvQuoted(Text) + '}', 'a'), Text);
  Same('its escapes', ZvQuoted('"\' + #31), '"\"\\\u001f"');
  { A wide string, as Delphi has them, reaches the library as UTF-8. }
  Wide := WideChar($5F20);
  Same('a wide text', ZvField(UTF8Encode('{"a":"' + Wide + '"}'), 'a'), '张');
  Answer := ZvConsume('{"bizId":"P-1"}');
  if (Answer.Outcome <> zvInvalid) or ZvComplete(Answer) or (Answer.Text = '') then
    Same('before the start', Answer.Text, 'invalid');
  Same('no such value', ZvField(Answer, 'data.nothing'), '');
  WriteLn('ok');
end.
