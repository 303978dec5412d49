//! Every code of the library's own, in one place: its meaning, the remedy, the sentence for the cashier.
//! `docs/error-codes.md` is generated from this table. A code is never reused for another meaning.

use super::{Lang, Outcome};

/// One of the library's own codes.
#[derive(Debug)]
pub struct Code {
    /// The text in the envelope.
    pub text: &'static str,
    /// The outcomes that it can accompany; empty for a code that appears only in `warnings` or in the log.
    pub outcomes: &'static [Outcome],
    /// The meaning.
    pub meaning: &'static str,
    /// The remedy.
    pub remedy: &'static str,
    /// One sentence for the cashier, in Chinese.
    pub cashier_zh: &'static str,
    /// The same in English.
    pub cashier_en: &'static str,
}

impl Code {
    /// The cashier's sentence for that outcome.
    pub(crate) fn cashier(&self, outcome: Outcome, lang: Lang) -> &'static str {
        // The sentence of a code with several outcomes describes the others; the result of an unknown one is not
        // known.
        if outcome == Outcome::Unknown && self.outcomes.len() > 1 {
            lang.pick(DOUBT_ZH, DOUBT_EN)
        } else {
            lang.pick(self.cashier_zh, self.cashier_en)
        }
    }
}

macro_rules! codes {
    ($($name:ident $text:literal [$($outcome:ident),*] $meaning:literal, $remedy:literal, $zh:expr, $en:expr;)+) => {
        $(
            #[doc = $meaning]
            pub static $name: Code = Code {
                text: $text,
                outcomes: &[$(Outcome::$outcome),*],
                meaning: $meaning,
                remedy: $remedy,
                cashier_zh: $zh,
                cashier_en: $en,
            };
        )+
        /// Every code, in the order of the documentation.
        pub static TABLE: &[&Code] = &[$(&$name),+];
    };
}

const CALL_ZH: &str = "收银程序调用有误，本次未处理，请联系技术人员";
const CALL_EN: &str = "The till's program made a mistake; nothing was done. Call support.";
const NETWORK_ZH: &str = "网络不通，未扣款，请稍后重试";
const NETWORK_EN: &str = "No connection; nothing was taken. Try again in a moment.";
const DOUBT_ZH: &str = "结果未知，请勿重复扣款，等待核实";
const DOUBT_EN: &str = "Not known whether it was taken. Do not charge again; wait for the check.";
const BACK_ZH: &str = "结果未知，如已扣款将自动退回，请改用其他方式支付";
const BACK_EN: &str =
    "Not known whether it was taken; if it was, the money comes back by itself. Use another tender.";
const PERSON_ZH: &str = "结果未知且无法自动退回，请联系店长核实";
const PERSON_EN: &str =
    "Not known whether it was taken, and it cannot be undone by itself. Ask the manager to check.";
const OTHER_JOURNAL_ZH: &str = "无法确认是否已扣款，请勿再次收款，请联系店长核实";
const OTHER_JOURNAL_EN: &str =
    "It cannot be told whether it was taken. Do not charge again; ask the manager to check.";
const NEW_BIZID_ZH: &str = "未扣款，请用新单号重新收款";
const NEW_BIZID_EN: &str = "Nothing was taken. Charge again under a new number.";
const STOP_ZH: &str = "会员支付暂不可用，本次未处理，请联系技术人员";
const STOP_EN: &str = "Member payment is out of order; nothing was done. Call support.";

codes! {
    NULL "ZV-NULL" [Invalid]
        "A pointer that must not be NULL was NULL.",
        "Pass a NUL-ended JSON text.", CALL_ZH, CALL_EN;
    EMPTY "ZV-EMPTY" [Invalid]
        "The text is empty.",
        "Pass a JSON object. An empty text is also what UTF-16 (big endian) looks like to a C function.", CALL_ZH, CALL_EN;
    UTF8 "ZV-UTF8" [Invalid]
        "The text is not valid UTF-8; the message names the first bad byte.",
        "Convert the text to UTF-8 before the call.", CALL_ZH, CALL_EN;
    LOOKS_GBK "ZV-LOOKS-GBK" [Invalid]
        "The text is not valid UTF-8 and looks like GBK.",
        "Set `charset` to `gbk` in the configuration, or convert the text to UTF-8.", CALL_ZH, CALL_EN;
    GBK "ZV-GBK" [Invalid]
        "The configuration says `charset: gbk` and the text is not valid GBK; the message names the first bad byte.",
        "Convert the text to GBK (code page 936), or set the charset that it is written in.", CALL_ZH, CALL_EN;
    UTF16 "ZV-UTF16" [Invalid]
        "The text looks like UTF-16: a wide string was passed.",
        "Delphi: AnsiString/UTF8String and PAnsiChar, not PChar. C#: a UTF-8 byte array, not a string. VB6: a byte array.", CALL_ZH, CALL_EN;
    TOO_LARGE "ZV-TOO-LARGE" [Invalid]
        "The text is larger than 1 MiB.",
        "A request or configuration is a few kilobytes; look for a missing NUL at its end.", CALL_ZH, CALL_EN;
    JSON "ZV-JSON" [Invalid]
        "The text is not valid JSON; the message names line and column.",
        "Check quotes, commas and escapes at that place.", CALL_ZH, CALL_EN;
    JSON_TRAILING "ZV-JSON-TRAILING" [Invalid]
        "The text continues behind the end of the JSON value.",
        "Look for a missing NUL at the end, or for two objects in one text.", CALL_ZH, CALL_EN;
    JSON_DUPLICATE "ZV-JSON-DUPLICATE" [Invalid]
        "One object names the same key twice; the message names it.",
        "Remove one of the two: which one counts would be a guess.", CALL_ZH, CALL_EN;
    JSON_DEEP "ZV-JSON-DEEP" [Invalid]
        "The JSON is nested deeper than 32 levels.",
        "No request needs more than four levels.", CALL_ZH, CALL_EN;
    REQUEST "ZV-REQUEST" [Invalid]
        "Fields of the request are missing or wrong; errors[] names every one.",
        "Correct each field that errors[] names.", CALL_ZH, CALL_EN;
    ACTION "ZV-ACTION" [Invalid]
        "zv_call_json was asked for an action that it does not take.",
        "It takes the read actions of the documentation and those listed under call_actions; value moves only by its own function.", CALL_ZH, CALL_EN;
    CONFIG "ZV-CONFIG" [Invalid]
        "The configuration is wrong; errors[] names every mistake by its path.",
        "Correct each key that errors[] names.", STOP_ZH, STOP_EN;
    OTHER_CONFIG "ZV-OTHER-CONFIG" [Invalid]
        "zv_init was called again with another configuration; the first one stays in force.",
        "Call zv_shutdown first, or put several accounts into one configuration.", "", "";
    NOT_INIT "ZV-NOT-INIT" [Invalid, Unknown]
        "A call came before zv_init, or zv_init had failed.",
        "Call zv_init once when the program starts and look at its outcome. unknown: from zv_poll_json, look the bizId up.", STOP_ZH, STOP_EN;
    SHUT_DOWN "ZV-SHUT-DOWN" [Invalid, Unknown]
        "A call came after zv_shutdown.",
        "Call zv_init again before going on. unknown: from zv_poll_json, look the bizId up.", STOP_ZH, STOP_EN;
    REENTRANT "ZV-REENTRANT" [Invalid]
        "A zv_ function was called from inside the log callback.",
        "The callback may only note the text; make calls outside it.", "", "";
    RUNNING "ZV-RUNNING" [Running]
        "The call was started and has not ended yet.",
        "Ask zv_poll_json for the same ticket again in a moment.", "处理中，请稍候", "In progress; one moment.";
    TICKETS "ZV-TICKETS" [NotSent]
        "Too many calls are running or wait to be fetched, or the system gives no thread; nothing was sent.",
        "Fetch what has ended with zv_poll_json; every ticket is fetched once.", STOP_ZH, STOP_EN;
    NO_TICKET "ZV-NO-TICKET" [Unknown]
        "There is no such ticket: its answer was fetched already, or zv_shutdown came between.",
        "Keep each answer when it is fetched; the outcome of a payment is in the journal (zv_lookup_json).", DOUBT_ZH, DOUBT_EN;
    FORKED "ZV-FORKED" [Internal, Unknown]
        "The process was forked after zv_init; the child has no connections and no journal of its own.",
        "zv_init in the child allows quotes, and with a journal in a database payments; otherwise fork before zv_init, or exec.", STOP_ZH, STOP_EN;
    DNS "ZV-DNS" [NotSent]
        "The gateway's name could not be looked up.",
        "Check the network, the DNS server and `endpoint`.", NETWORK_ZH, NETWORK_EN;
    CONNECT "ZV-CONNECT" [NotSent]
        "No connection to the gateway (refused, unreachable or timed out).",
        "Check the network, the firewall and `endpoint`. The same bizId may be tried again.", NETWORK_ZH, NETWORK_EN;
    TLS "ZV-TLS" [NotSent]
        "The TLS handshake failed.",
        "Check the till's clock, `tls.roots` and whether something in between breaks TLS open.", NETWORK_ZH, NETWORK_EN;
    TLS_CLOCK "ZV-TLS-CLOCK" [NotSent]
        "No certificate is valid at the time that this machine's clock says, so there was no TLS handshake.",
        "Set the machine's clock; its battery may be empty.",
        "收银机时间不正确，无法连接，未扣款，请校准系统时间后重试", "The till's clock is wrong; nothing was taken. Set it and try again.";
    PROXY "ZV-PROXY" [NotSent]
        "The proxy refused the connection.",
        "Check `proxy`. One that forwards plain http but refuses CONNECT to it (Squid's default) needs `proxy.mode`: `absolute`; read docs/money-safety.md first.", NETWORK_ZH, NETWORK_EN;
    NO_ANSWER "ZV-NO-ANSWER" [NotSent]
        "A read (quote, call) got no usable answer; nothing is ever taken by a read.",
        "Try again.", "网络异常，请稍后重试", "Network trouble. Try again in a moment.";
    CALL_LOST "ZV-CALL-LOST" [Unknown]
        "The answer to an action that call_actions lists was lost or proves nothing; nobody knows whether the action takes something.",
        "Do not send it again before a person has looked at the gateway's own records.",
        "结果未知，请勿重试，请联系技术人员核实", "Not known whether it was done. Do not try again; call support.";
    BROKEN_TEXT "ZV-BROKEN-TEXT" [NotSent, Unknown]
        "The gateway's whole answer came, but a text in it is none: a raw control character, half a surrogate pair or broken UTF-8. Of a read (not_sent) this is so only where an id, a code, a number or a name is hit; a payment is unknown.",
        "Report the field that the message names to the vendor. The same read will answer the same; a payment is looked up.", "平台应答有乱码，无法使用，请联系技术人员",
        "The gateway's answer is garbled and cannot be used. Call support.";
    NO_MEMBER "ZV-NO-MEMBER" [Declined]
        "A member look-up was answered with customerId 0: there is no such member.",
        "Ask for the code or the phone again; never pay with customerId 0.", "没有找到该会员，请核对会员码或手机号",
        "There is no such member. Check the code or the phone.";
    BUSY "ZV-BUSY" [Unknown]
        "The same bizId is still running in another call, beyond this call's deadline.",
        "Wait for the other call; never use a new bizId for the same sale.", DOUBT_ZH, DOUBT_EN;
    LOST "ZV-LOST" [Unknown]
        "The connection broke after the request had begun to leave; the gateway may have acted.",
        "Never charge again under a new bizId. Wait, and look the bizId up.", DOUBT_ZH, DOUBT_EN;
    TIMEOUT "ZV-TIMEOUT" [Unknown]
        "No whole answer before the deadline; the gateway may have acted.",
        "Never charge again under a new bizId. Wait, and look the bizId up.", DOUBT_ZH, DOUBT_EN;
    NOT_GATEWAY "ZV-NOT-GATEWAY" [Unknown]
        "What came back is not the gateway's whole answer (a portal's page, an HTTP error, cut or broken JSON).",
        "Look for a captive portal or proxy. The gateway may have acted all the same.", DOUBT_ZH, DOUBT_EN;
    UNPROVEN "ZV-UNPROVEN" [Unknown]
        "The gateway's answer contradicts itself or proves nothing (success without data, outer no with inner yes, a code that is no number).",
        "Wait, and look the bizId up. Where the vendor calls that code a refusal, list it under codes.declined.", DOUBT_ZH, DOUBT_EN;
    MISMATCH "ZV-MISMATCH" [Unknown]
        "The answer names another sale of the journal, so that it is that one's; with strict_answer also: it does not match the question.",
        "See message and warnings[] for what differs. Wait, and look the bizId up.", DOUBT_ZH, DOUBT_EN;
    QUOTE_CHANGED "ZV-QUOTE-CHANGED" [NotSent]
        "A quote that the payment relies on does not hold for it, or no longer: nothing was sent.",
        "data.quotes says of each what differs, and what the coupon is worth now where it was asked again. Quote again, show the new price, and pay with the new quoteId; the same bizId is free.",
        "未扣款，请重新试算优惠", "Nothing was taken. Ask again what the coupon takes off.";
    CONFLICT "ZV-CONFLICT" [Conflict]
        "This bizId already belongs to another request; `recorded` shows it. Nothing was sent.",
        "Use a new bizId for a new sale; advise <deviceSn>-<date>-<n>.", "单号重复，本次未扣款，请联系技术人员",
        "This transaction number was used before; this time nothing was taken. Call support.";
    IN_DOUBT "ZV-IN-DOUBT" [NotSent]
        "Another sale of the same member or coupon is not settled yet; nothing was sent, so that nothing is taken twice.",
        "Wait until zv_pending_json no longer lists it, or settle it. See `guard` in the configuration.", "该会员有一笔交易待核实，未扣款，请改用其他方式支付",
        "An earlier payment of this member is still being checked; nothing was taken. Use another tender.";
    ABANDONED "ZV-ABANDONED" [Unknown]
        "The process that sent the request ended before its outcome was recorded.",
        "Nothing: it is settled as an unknown outcome.", DOUBT_ZH, DOUBT_EN;
    REVERSING "ZV-REVERSING" [Unknown]
        "The reversal is on disk and is sent until the gateway has answered it.",
        "Take another tender; the money comes back by itself. zv_lookup_json says when.", BACK_ZH, BACK_EN;
    REVERSAL_QUEUED "ZV-REVERSAL-QUEUED" [Unknown]
        "The reversal that was asked for is on disk and is sent until the gateway has answered it.",
        "Nothing; zv_lookup_json says when it is done.", "撤销已登记，将自动完成，请稍后核实",
        "The reversal is on its way and completes by itself; check again in a moment.";
    REVERSED "ZV-REVERSED" [Reversed, Conflict]
        "The sale was undone, or can no longer happen.",
        "For a new sale use a new bizId.", "交易已撤销，请改用其他方式支付", "The payment was undone. Use another tender.";
    REFUSED "ZV-REFUSED" [Conflict, Unknown]
        "The gateway refuses to undo it, in words that the configuration does not explain; whether it is still taken, a person finds out.",
        "A person asks the vendor and then says by zv_settle_json what is so.", PERSON_ZH, PERSON_EN;
    REVERSE_NOT_FOUND "ZV-REVERSE-NOT-FOUND" [Conflict, Unknown]
        "Another till's sale was to be undone, and the gateway knows no consume under that returnedBizId (or not of this account): nothing was given back.",
        "Compare returnedBizId with the other till's receipt and ask again with the right one; or a person says by zv_settle_json what is so.",
        "平台查无此交易，请核对单号", "The gateway knows no such payment. Check the number.";
    REFUND_REFUSED "ZV-REFUND-REFUSED" [Conflict]
        "The gateway refuses the refund, each time in words of its own: nothing was given back by it. Where routes.reverse.codes.already is configured the sale is valid as before; without it the refusal may also say that the sale was given back before, by another till or in the back office, and the cashier sentence says so.",
        "See recorded.reversal.gateway for its words. The sale stays `succeeded`. Without codes.already a person first looks whether it was given back elsewhere: then zv_settle_json with `undone`, or the code under routes.reverse.codes.already and ask again. Where it stands, give the money back in another way, or ask again later.", "退款未成功，原交易仍有效",
        "The refund was refused; the payment is valid.";
    VOIDED "ZV-VOIDED" [Reversed]
        "Nothing had been taken under this bizId when its reversal was asked for; `recorded.reversal.voided` says how it stood. The bizId is closed: nothing is sent under it any more.",
        "Nothing is to be given back. For a new sale use a new bizId.", "该单未扣款，已作废", "Nothing was taken; this transaction number is closed.";
    UNPROVEN_REVERSAL "ZV-UNPROVEN-REVERSAL" [Conflict, Unknown]
        "What the gateway says of the reversal does not fit together: it confirmed it and later refused it with a code that the configuration does not explain, or it does not know what it had taken.",
        "Ask the vendor what the code in recorded.reversal.gateway means. If it says \"already reversed\", list it under routes.reverse.codes.already; if the gateway confirms only what it has undone, set routes.reverse.refuses_unknown: at the next start it is settled and nothing is sent. Or a person says by zv_settle_json what is so.",
        PERSON_ZH, PERSON_EN;
    OTHER_BIZ_ID "ZV-UNPROVEN-BIZID" [Conflict, Unknown]
        "The answer was lost, and this account answers with other bizIds than it is sent: a reversal by the sent one might undo another sale.",
        "A person asks the vendor and then says by zv_settle_json what is so.", PERSON_ZH, PERSON_EN;
    LATE_PROOF "ZV-LATE-PROOF" [Conflict, Unknown]
        "It had been settled by a person, or by the gateway's records; then its attempt, which was taken for dead, ended with the proof of the contrary: recorded.gateway is that proof.",
        "A person compares recorded.gateway with what was done, corrects the difference and states the actual result by zv_settle_json.",
        "平台的应答与已有的核实结果不符，请联系店长核实", "The gateway's answer contradicts what was settled before. Ask the manager to check.";
    SETTLED "ZV-SETTLED" [Succeeded, Reversed, Unknown]
        "A person has decided what became of it. Beside `unknown`: the person says that the deduction is valid, after the till had been told to take another tender; no sale is completed by it.",
        "See recorded.settlement. unknown: where the customer has paid in another way, give one of the two back (zv_reverse_json is the refund).",
        "经人工核实，该笔扣款有效", "Checked by a person: the payment is valid.";
    NOT_FOUND "ZV-NOT-FOUND" [Invalid]
        "The journal has no entry under this bizId, and the request does not say with which journal the attempt was made.",
        "Check the bizId and the account. A look-up gives journal_id, as zv_init showed it before the attempt: then it can say that nothing was sent.", CALL_ZH, CALL_EN;
    NEVER_SENT "ZV-NEVER-SENT" [NotSent]
        "The attempt was made with this journal, which has no entry under the bizId: no byte of it ever left.",
        "Send the consume again with the same bizId; or void it by zv_reverse_json, before the customer pays in another way. With several nodes ask only when the first call can no longer be running (docs/several-nodes.md).", "未扣款，请重新收款", "Nothing was taken. Charge again.";
    OTHER_JOURNAL "ZV-OTHER-JOURNAL" [Unknown]
        "The attempt was made with another journal (a new installation, a lost or restored file, another machine), or the bizId has a record under another account: what this journal says does not prove that nothing was taken. Nothing was sent.",
        "A person compares with the gateway's records; zv_reverse_json answers it, too, and sends nothing. Never send it again before, neither with this bizId nor with a new one.", OTHER_JOURNAL_ZH, OTHER_JOURNAL_EN;
    NEW_BIZID "ZV-NEW-BIZID" [Conflict]
        "Something was sent under this bizId and nothing was taken; this is another request (another sum, member or coupon). Nothing was sent.",
        "Send the request again under a new bizId. Only a bizId under which no byte ever left is free for another request.", NEW_BIZID_ZH, NEW_BIZID_EN;
    NO_REVERSE_ROUTE "ZV-NO-REVERSE" [Invalid]
        "No reverse route is configured for this account: there is no way to undo a consume.",
        "Ask the vendor for the reversal's action (V2) or set routes.reverse to \"v3\". Until then the manager gives the money back in the vendor's back office.", "本店未开通退款，请联系店长", "Refunds are not set up in this shop. Ask the manager.";
    NOT_CONFIRMED "ZV-NOT-CONFIRMED" [Invalid]
        "There is nothing to confirm: the consume has not succeeded; `recorded` shows it.",
        "Confirm only what answered `succeeded`.", CALL_ZH, CALL_EN;
    NOT_SETTLED "ZV-NOT-SETTLED" [Invalid]
        "What the person decided cannot be so; the message says why. Nothing was changed.",
        "Look the bizId up and decide again.", CALL_ZH, CALL_EN;
    JOURNAL_PLACE "ZV-JOURNAL-PLACE" [Internal]
        "The journal cannot be where it is: a network drive, a folder that cannot be written, another program's file.",
        "Set `journal` to a file on a local disk that every user of the till can write. For a database the message names the setting of the server, the right or the folder of locks: docs/several-nodes.md.", STOP_ZH, STOP_EN;
    JOURNAL_LOCKED "ZV-JOURNAL-LOCKED" [Internal]
        "Another program holds the journal for longer than three seconds.",
        "Close the program that has opened the file (a backup, a database browser). Money calls go on as soon as it lets go, also when it held the file at the start.", STOP_ZH, STOP_EN;
    JOURNAL_FULL "ZV-JOURNAL-FULL" [Internal]
        "The disk is full: there is no room for the record, or for the ballast beside the journal that is held for outcomes. Nothing was sent.",
        "Free space. Quotes go on; money calls go on as soon as there is room, also when there was none at the start.", STOP_ZH, STOP_EN;
    JOURNAL_READ_ONLY "ZV-JOURNAL-READ-ONLY" [Internal]
        "The journal cannot be written by this user or on this mount.",
        "Give the till's user the right to write the file and its folder. A journal that was read-only at the start is opened by itself when that is fixed; one that became so later needs a new start.", STOP_ZH, STOP_EN;
    JOURNAL_DAMAGED "ZV-JOURNAL-DAMAGED" [Internal]
        "The journal's file is damaged; it is not believed and not changed.",
        "Keep a copy of the file with its -wal, ask support, then start with a new one and settle by hand what the old one shows. In a database it is the row that the message names: leave the others, and ask support.", STOP_ZH, STOP_EN;
    JOURNAL_NEWER "ZV-JOURNAL-NEWER" [Internal]
        "The journal was written by a newer version; it was left as it is.",
        "Install that version again.", STOP_ZH, STOP_EN;
    JOURNAL_BEHIND "ZV-JOURNAL-BEHIND" [Internal]
        "The journal ends before its mark, or before what this process has seen: records that had been committed are lost (a damaged end, an old copy).",
        "Stop every till. Compare with the gateway's records; then, to accept it, remove the .mark file beside the journal. For a database stop every node and give the journal a new identity, too: docs/several-nodes.md, Backups.", STOP_ZH, STOP_EN;
    JOURNAL_AWAY "ZV-JOURNAL-AWAY" [Internal, NotSent]
        "The journal's database does not answer, or has not answered this node for so long that other nodes may take it for dead.",
        "Nothing was sent. Check the database and the network to it; payments go on by themselves as soon as it answers.", STOP_ZH, STOP_EN;
    JOURNAL_MOVED "ZV-JOURNAL-MOVED" [Internal]
        "The journal was moved to another place, which the message names. Nothing is written to it any more.",
        "Set `journal` to that place, in every program that used the old one; a database needs the library for servers.", STOP_ZH, STOP_EN;
    JOURNAL_UNFINISHED "ZV-JOURNAL-UNFINISHED" [Internal]
        "The journal is the target of a move that is not finished.",
        "Run the same `zv journal move` again: it goes on. Or remove the target and go on with the source, if that is not marked as moved.", STOP_ZH, STOP_EN;
    JOURNAL "ZV-JOURNAL" [Internal, Unknown]
        "The journal could not be written.",
        "With `internal` nothing was sent; with `unknown` the gateway may have acted and the outcome could not be recorded.", STOP_ZH, STOP_EN;
    PANIC "ZV-PANIC" [Internal, Unknown]
        "A defect of the library was caught; the process goes on.",
        "Report it with the log. With `unknown` the request may have left before.", STOP_ZH, STOP_EN;
    MEMORY "ZV-MEMORY" [Internal, Unknown]
        "There was no memory for the answer.",
        "Free memory and look the bizId up before anything else.", STOP_ZH, STOP_EN;
    WARN_NO_REVERSE "ZV-W-NO-REVERSE" []
        "No reverse route is configured: an unknown outcome is held until a person settles it.",
        "Ask the vendor: which action reverses a consume (冲正), with which params, and which codes say \"already reversed\" and \"not found\"? Then set routes.reverse.", "", "";
    WARN_REVERSE_CODES "ZV-W-REVERSE-CODES" []
        "A reverse route is configured without codes.already: a reversal that was carried out and is answered by \"already reversed\" cannot be told from one that is refused.",
        "Ask the vendor which codes of a reversal say \"already reversed\" and \"not found\", and set routes.reverse.codes.", "", "";
    WARN_JOURNAL "ZV-W-JOURNAL" []
        "The journal cannot be used: quotes go on, money calls answer `internal`.",
        "Correct what the message says. What was locked, full or read-only is then opened by itself (`background: false`: by the next money call or zv_recover_json); after anything else start the library again.", "", "";
    WARN_JOURNAL_LATE "ZV-W-JOURNAL-LATE" []
        "The journal was opened after the start, so that zv_init could not list what succeeded before a crash and what is not settled.",
        "Ask zv_pending_json (without a day, for all accounts): it lists both, and then the warning ends. Store or reverse each sale that is unacknowledged.", "", "";
    WARN_ASYNC "ZV-W-ASYNC" []
        "The journal's database has replicas and none of them is synchronous: a failover may lose records that were acknowledged.",
        "Configure a synchronous replica (Patroni: synchronous_mode_strict), or set journal_db.allow_async where no failover is automatic.", "", "";
    WARN_PER_USER "ZV-W-JOURNAL-PER-USER" []
        "The journal is this user's own: another user of the till does not see its unsettled sales.",
        "Set `journal` to a file that every user of the till can write.", "", "";
    WARN_UNUSED_JOURNAL "ZV-W-JOURNAL-UNUSED" []
        "The machine's journal is in use, and this user has another one from before there was the machine's.",
        "Settle what the other one shows (start once with `journal` set to it), then move it away.", "", "";
    WARN_UNACKNOWLEDGED "ZV-W-UNACKNOWLEDGED" []
        "Sales succeeded before a crash and the till may not have read that: data.unacknowledged names them.",
        "Look each up (zv_lookup_json) and either store the sale or reverse it.", "", "";
    WARN_UNSETTLED "ZV-W-UNSETTLED" []
        "The journal holds sales that are not settled.",
        "See zv_pending_json.", "", "";
    WARN_MAY_ARRIVE "ZV-W-MAY-ARRIVE" []
        "It was settled as undone while its request may still arrive at the gateway.",
        "Hold the member's records against it once late_arrival_ms have passed.", "", "";
    WARN_CALL_ACTION "ZV-W-CALL-ACTION" []
        "call_actions lists actions that are no documented reads: nobody knows whether they take something, and no journal guards them.",
        "Ask the vendor what they do. A lost answer of one is unknown (ZV-CALL-LOST) and must not be asked for again.", "", "";
    WARN_PLAIN_HTTP "ZV-W-PLAIN-HTTP" []
        "The endpoint is plain http: neither the request nor the answer is protected on its way.",
        "Use an https endpoint where the vendor offers one.", "", "";
    WARN_PROXY_ABSOLUTE "ZV-W-PROXY-ABSOLUTE" []
        "Plain http goes through a proxy with the whole URL (proxy.mode: absolute): the proxy reads everything and may send a request late or twice.",
        "Use https, or have CONNECT let through. docs/money-safety.md says what no longer holds.", "", "";
    CLOCK "ZV-W-CLOCK" []
        "The till's clock is off; requests are signed with the gateway's time.",
        "Set the till's clock.", "", "";
    WARN_FIELD "ZV-W-FIELD" []
        "A field of the answer could not be read as what it is documented to be; it is passed on as it came.",
        "Read that field with care; report it to the vendor.", "", "";
    WARN_TEXT "ZV-W-TEXT" []
        "A text in the answer to a read is none (a raw control character, half a surrogate pair, broken UTF-8); U+FFFD replaces what could not be read.",
        "Show it as it is; never use it to find anybody.", "", "";
    WARN_NUMBER "ZV-W-NUMBER" []
        "The request names somebody or something by a number beyond 2^53; many languages round such numbers, and another id may have been sent than was meant.",
        "Send ids as text: \"customerId\": \"383933091455959041\".", "", "";
    WARN_CUT "ZV-W-CUT" []
        "remark, productName, reason or operatorName was too long or had line breaks, and was sent as one line cut at its limit.",
        "Nothing; the payment went on.", "", "";
    WARN_BIZ_ID "ZV-W-BIZID" []
        "The answer carries another bizId than the one that was sent.",
        "Store both: the vendor reverses by the one in the answer.", "", "";
    WARN_COUPONS "ZV-W-COUPONS" []
        "The answer names coupons that were not asked for, or does not name one that was.",
        "Compare data.couponsCardList, or data.user_coupon_id of a quote, with the request before completing the sale.", "", "";
    WARN_EMPTY "ZV-W-EMPTY" []
        "The answer says yes outside and inside, and every documented field of its data is empty, as in the vendor's own sample.",
        "Look the member's balance up before trusting it; strict_answer makes it unknown.", "", "";
    WARN_AMOUNT "ZV-W-AMOUNT" []
        "The amounts of the answer do not add up to what was asked for.",
        "Compare change_gift_amount and change_recharge_amount with the request.", "", "";
    WARN_DISCOUNT "ZV-W-DISCOUNT" []
        "The answer to a quote takes off more than the whole basket, or less than nothing.",
        "Do not show it as the price; ask the vendor, and check whether `price` means one piece or the line.", "", "";
    WARN_STORE "ZV-W-STORE" []
        "The answer to a quote is for another store than was asked for.",
        "Check multi_mark; do not rely on the discount in this store.", "", "";
    WARN_OTHER_DAY "ZV-W-OTHER-DAY" []
        "The record of this bizId is of another business day; nothing was taken now.",
        "If this is a new sale, give it a bizId that no sale of any day has.", "", "";
    FREE "ZV-FREE" []
        "In the log only: zv_free or zv_take got a pointer that is not a live answer; it was ignored.",
        "Free each answer once, and nothing else.", "", "";
}

/// The code with that text.
pub(crate) fn of_text(text: &str) -> Option<&'static Code> {
    TABLE.iter().find(|code| code.text == text).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_sentence_for_unknown_says_that_nothing_happened() {
        for code in TABLE.iter().filter(|code| code.outcomes.contains(&Outcome::Unknown)) {
            for lang in [Lang::ZhCn, Lang::En] {
                let sentence = code.cashier(Outcome::Unknown, lang);
                for lie in ["未扣款", "未处理", "nothing was"] {
                    assert!(!sentence.contains(lie), "{}: {sentence}", code.text);
                }
            }
        }
    }

    #[test]
    fn each_code_is_unique_and_has_a_remedy() {
        let mut seen = HashSet::new();
        for code in TABLE {
            assert!(seen.insert(code.text), "{} stands twice", code.text);
            assert!(code.text.starts_with("ZV-"));
            assert!(!code.meaning.is_empty() && !code.remedy.is_empty());
        }
    }
}
