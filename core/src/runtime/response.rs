//! The till's answer: the record in the journal as an envelope, with the message for the cashier.

use std::time::Duration;

use super::refund;
use crate::calendar::{date, timestamp};
use crate::gateway::{Accepted, Doubt, GatewayStatus, Identity, JOURNAL_ID, NotSent, Verdict};
use crate::money::Amount;
use crate::outcome::codes::{self, Code};
use crate::outcome::{Answer, Lang, Next, Outcome, Problem, Warning};
use crate::payment::consume::{Reply, left_behind};
use crate::payment::quotes::Changed;
use crate::payment::restart::Known;
use crate::payment::{Confirmation, Entry, Stage};
use crate::schema::exact_for_hosts;

/// A network that has just failed is not tried again at once.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The answer to an invalid request.
pub(super) fn invalid(lang: Lang, problems: Vec<Problem>) -> Answer {
    let message = Problem::summary(&problems);
    Answer::of(Outcome::Invalid, &codes::REQUEST, lang, message).with_errors(problems)
}

/// The answer to a read, or the reason why there is none.
pub(super) enum ReadEnd {
    Verdict(Verdict),
    /// The member look-up found no member.
    NoMember(Verdict),
    NotSent(NotSent),
    Lost(Doubt),
}

/// The answer to a quote or a call.
pub(super) fn read(end: ReadEnd, lang: Lang) -> Answer {
    match end {
        ReadEnd::NoMember(Verdict::Accepted(accepted)) => {
            let message = "the gateway answers customerId 0: there is no such member";
            Answer::of(Outcome::Declined, &codes::NO_MEMBER, lang, message)
                .with_next(Next::GoOn)
                .with_warnings(accepted.warnings().iter().cloned())
                .with_data(accepted.data())
        }
        ReadEnd::NoMember(verdict) => read(ReadEnd::Verdict(verdict), lang),
        ReadEnd::Verdict(Verdict::Accepted(accepted)) => accepted_read(&accepted),
        ReadEnd::Verdict(Verdict::Refused(refusal)) => {
            let cashier = lang
                .pick(format!("无法使用：{}", refusal.message), format!("Not possible: {}", refusal.message));
            Answer::of_gateway(Outcome::Declined, &refusal.code, &refusal.message, cashier)
                .with_next(Next::GoOn)
        }
        // A repeated request would get the same answer.
        ReadEnd::Lost(doubt) if doubt.kind.text == codes::BROKEN_TEXT.text => {
            Answer::of(Outcome::NotSent, &codes::BROKEN_TEXT, lang, doubt.message).with_next(Next::Stop)
        }
        ReadEnd::Verdict(Verdict::Doubt(doubt)) | ReadEnd::Lost(doubt) => {
            let message = format!("{}: {}", doubt.kind.text, doubt.message);
            Answer::of(Outcome::NotSent, &codes::NO_ANSWER, lang, message).with_retry_after(RETRY_AFTER)
        }
        ReadEnd::NotSent(why) => {
            Answer::of(Outcome::NotSent, why.code, lang, why.message).with_retry_after(RETRY_AFTER)
        }
    }
}

/// The answer to an action of which it is not known whether it takes something.
pub(super) fn listed(end: ReadEnd, lang: Lang) -> Answer {
    match end {
        ReadEnd::Verdict(Verdict::Doubt(doubt)) | ReadEnd::Lost(doubt) => {
            let code = if doubt.code == doubt.kind.text { "" } else { doubt.code.as_str() };
            let space = if code.is_empty() { "" } else { " " };
            let message = format!("{}: {code}{space}{}", doubt.kind.text, doubt.message);
            Answer::of(Outcome::Unknown, &codes::CALL_LOST, lang, message).with_next(Next::Stop)
        }
        other => read(other, lang),
    }
}

fn accepted_read(accepted: &Accepted) -> Answer {
    Answer::of_gateway(Outcome::Succeeded, "0", accepted.message(), "")
        .with_next(Next::GoOn)
        .with_warnings(accepted.warnings().iter().cloned())
        .with_data(accepted.data())
}

/// The answer to a consume.
pub fn consume(told: Reply, lang: Lang) -> Answer {
    match told {
        Reply::Ended(entry) => stands(&entry, lang),
        Reply::Existing(entry) => stands(&entry, lang).replayed(),
        Reply::Conflict(entry) => {
            let message = match entry.stage() {
                Stage::Reversed if entry.detail().reversal.voided.is_some() => {
                    "this bizId was voided; nothing was sent"
                }
                Stage::Reversed | Stage::Undone => "this bizId was reversed; nothing was sent",
                _ => "this bizId already belongs to another request; nothing was sent",
            };
            Answer::of(Outcome::Conflict, &codes::CONFLICT, lang, message)
                .with_biz_id(entry.key().biz_id.as_str())
                .with_recorded(entry_json(&entry))
        }
        Reply::NewBizId(entry) => {
            let message = "something was sent under this bizId and nothing was taken; another request goes under a new bizId";
            Answer::of(Outcome::Conflict, &codes::NEW_BIZID, lang, message)
                .with_next(Next::NewBizId)
                .with_biz_id(entry.key().biz_id.as_str())
                .with_recorded(entry_json(&entry))
        }
        Reply::Busy => {
            let message = "the same bizId is still running in another call; this call sent nothing";
            Answer::of(Outcome::Unknown, &codes::BUSY, lang, message)
        }
        Reply::InDoubt(entry) => {
            let message = format!("bizId {} of the same member or coupon is not settled", entry.key().biz_id);
            Answer::of(Outcome::NotSent, &codes::IN_DOUBT, lang, message)
                .with_next(Next::OtherTender)
                .with_recorded(entry_json(&entry))
        }
        Reply::OtherJournal(entry) => other_journal(entry.as_ref(), lang),
        Reply::Unrecorded(doubt) => unknown(&doubt, lang),
        Reply::Internal { code, message } => Answer::of(Outcome::Internal, code, lang, message),
    }
}

/// The quotes that do not hold for a payment, as the data of its answer.
pub(super) fn quotes_json(changed: &[Changed]) -> String {
    let quotes: Vec<_> = changed
        .iter()
        .map(|each| {
            serde_json::json!({
                "quoteId": each.id,
                "why": each.difference.as_str(),
                "coupon_discount": each.discount,
                "now": each.now.as_ref().map(|(id, discount)| {
                    serde_json::json!({ "quoteId": id, "coupon_discount": discount })
                }),
                "gateway": each.words,
            })
        })
        .collect();
    serde_json::json!({ "quotes": quotes }).to_string()
}

/// The same in words.
pub(super) fn quotes_message(changed: &[Changed]) -> String {
    let words: Vec<String> =
        changed.iter().map(|each| format!("{} ({})", each.id, each.difference.as_str())).collect();
    format!("these quotes do not hold: {}", words.join(", "))
}

fn unknown(doubt: &Doubt, lang: Lang) -> Answer {
    let cashier = doubt.kind.cashier(Outcome::Unknown, lang);
    Answer::of_gateway(Outcome::Unknown, &doubt.code, &doubt.message, cashier)
        .with_warnings(doubt.warnings.iter().cloned())
}

/// The answer to a look-up.
pub fn known(known: &Known, lang: Lang) -> Answer {
    match known {
        Known::Existing(entry) => stands(entry, lang).replayed().with_recorded(entry_json(entry)),
        Known::LeftBehind(entry) => unknown(&left_behind(), lang).replayed().with_recorded(entry_json(entry)),
        // Nothing prevents the attempt.
        Known::NeverSent => Answer::of(Outcome::NotSent, &codes::NEVER_SENT, lang, codes::NEVER_SENT.meaning)
            .with_retry_after(Duration::ZERO),
        Known::OtherJournal(entry) => other_journal(entry.as_ref(), lang),
        Known::NotRecorded => {
            let message = "is missing: the journal has no such bizId, and only with the identity of the journal (data.journal_id of \
                           zv_init, stored before the attempt) can it say whether something was sent";
            let problem = Problem { path: JOURNAL_ID.name.to_owned(), message: message.to_owned() };
            Answer::of(Outcome::Invalid, &codes::NOT_FOUND, lang, "the journal knows no such bizId")
                .with_errors(vec![problem])
        }
    }
}

/// The answer if this journal proves nothing about the attempt.
pub fn other_journal(entry: Option<&Entry>, lang: Lang) -> Answer {
    let message = "the attempt was made with another journal, or the bizId has a record under another account of this one: \
                   whether it was taken is not known here; nothing was sent";
    let answer = Answer::of(Outcome::Unknown, &codes::OTHER_JOURNAL, lang, message);
    match entry {
        Some(entry) => answer.with_recorded(entry_json(entry)),
        None => answer,
    }
}

const SETTLED_UNDONE_ZH: &str = "经人工核实，该笔未扣款或已退回";
const SETTLED_UNDONE_EN: &str = "Checked by a person: nothing is taken, or it was given back.";

/// The answer that states an existing record.
pub fn stands(entry: &Entry, lang: Lang) -> Answer {
    if let Some(answer) = refund::refund(entry, lang).filter(|_| entry.gives_back()) {
        return answer;
    }
    let detail = entry.detail();
    let nothing = GatewayStatus::default();
    let words = detail.words.as_ref().unwrap_or(&nothing);
    let last = detail.reversal.last.as_ref().unwrap_or(&nothing);
    let own = |outcome, code: &'static Code, words: &GatewayStatus| {
        let said = if words.code.is_empty() {
            code.meaning.to_owned()
        } else {
            format!("{} {}", words.code, words.message)
        };
        Answer::of(outcome, code, lang, said)
    };
    let answer = match entry.stage() {
        Stage::Succeeded => {
            let cashier = done_sentence(entry.identity(), lang);
            let answer = Answer::of_gateway(Outcome::Succeeded, &words.code, &words.message, cashier);
            match detail.confirmation {
                Confirmation::Awaited => answer.with_next(Next::StoreThenConfirm),
                Confirmation::NotAsked | Confirmation::Given => answer,
            }
        }
        Stage::Declined => {
            let cashier = lang
                .pick(format!("未扣款：{}", words.message), format!("Nothing was taken: {}", words.message));
            Answer::of_gateway(Outcome::Declined, &words.code, &words.message, cashier)
        }
        Stage::NotSent => {
            let cashier = codes::of_text(&words.code).map_or("", |code| code.cashier(Outcome::NotSent, lang));
            let answer = Answer::of_gateway(Outcome::NotSent, &words.code, &words.message, cashier);
            if words.code == codes::QUOTE_CHANGED.text {
                answer.with_next(Next::QuoteAgain)
            } else {
                answer.with_retry_after(RETRY_AFTER)
            }
        }
        Stage::Sending => own(Outcome::Unknown, &codes::BUSY, words),
        Stage::Unknown => {
            let doubt = detail.doubt.as_deref().and_then(codes::of_text).unwrap_or(&codes::LOST);
            let cashier = doubt.cashier(Outcome::Unknown, lang);
            Answer::of_gateway(Outcome::Unknown, &words.code, &words.message, cashier)
        }
        // The reversal is on disk, so the money comes back and the customer may pay in another way.
        Stage::Reversing => {
            let own = &codes::REVERSING;
            let cashier = own.cashier(Outcome::Unknown, lang);
            let known = [words, last].into_iter().find(|words| !words.code.is_empty() && words.code != "0");
            let code = known.map_or(own.text, |words| words.code.as_str());
            let message = known.map_or("it is being reversed", |words| words.message.as_str());
            Answer::of_gateway(Outcome::Unknown, code, message, cashier)
        }
        Stage::Reversed => match detail.reversal.voided {
            Some(was) => {
                let message =
                    format!("nothing was taken (it stood as {}), and the bizId is closed", was.as_str());
                Answer::of(Outcome::Reversed, &codes::VOIDED, lang, message)
            }
            None => own(Outcome::Reversed, &codes::REVERSED, last),
        },
        Stage::Refused | Stage::Unproven => own(Outcome::Unknown, refund::open_code(entry), last),
        Stage::Kept if entry.sent_away() => own(Outcome::Unknown, &codes::SETTLED, words),
        Stage::Kept if entry.is_refund() => {
            let cashier = refund::refused_sentence(entry, lang);
            // The gateway's answer proved nothing, and a person has settled the entry.
            let code = if words.code == "0" { "0" } else { codes::SETTLED.text };
            Answer::of_gateway(Outcome::Succeeded, code, &words.message, cashier)
        }
        Stage::Kept => own(Outcome::Succeeded, &codes::SETTLED, words),
        Stage::Undone => own(Outcome::Reversed, &codes::SETTLED, words)
            .with_cashier(lang.pick(SETTLED_UNDONE_ZH, SETTLED_UNDONE_EN)),
    };
    let warnings = detail.warnings.iter().filter_map(|warning| {
        codes::of_text(&warning.code).map(|code| Warning::new(code, warning.message.as_str()))
    });
    let answer = match refund::open_sentence(entry, lang) {
        Some(cashier) => answer.with_cashier(cashier),
        None => answer,
    };
    let answer = if entry.sent_away() { answer.with_next(Next::OtherTender) } else { answer };
    let answer = answer.with_biz_id(entry.key().biz_id.as_str()).with_warnings(warnings);
    match (&detail.data, answer.outcome()) {
        // Data as an earlier version recorded it, too. With any other outcome the data would look like a success.
        (Some(data), Outcome::Succeeded) => answer.with_data(exact_for_hosts(data)),
        _ => answer,
    }
}

/// An entry as JSON, for people and for reconciliation.
pub fn entry_json(entry: &Entry) -> String {
    let detail = entry.detail();
    let times = &detail.times;
    let words = |words: &Option<GatewayStatus>| {
        words.as_ref().map(|words| serde_json::json!({ "code": words.code, "message": words.message }))
    };
    serde_json::json!({
        "bizId": entry.key().biz_id.as_str(),
        "returnedBizId": detail.returned_biz_id,
        "environment": entry.key().environment,
        "stage": entry.stage().as_str(),
        "unsettled": entry.stage().is_unsettled(),
        "request": {
            "customerId": entry.identity().customer_id,
            "type": entry.identity().kind,
            "amount": entry.identity().amount,
            "couponsCardList": entry.identity().coupons,
            "points": entry.identity().points,
        },
        "attempts": entry.attempt(),
        "created_unix_ms": entry.created_unix_ms(),
        "created": timestamp(times.sent.map_or(entry.created_unix_ms(), |sent| sent.at.best_unix_ms())),
        "day": times.ended.or(times.sent).map(|filed| date(filed.day)),
        "returned_day": times.returned.map(|filed| date(filed.day)),
        "times": {
            "sent": times.sent.map(|filed| filed.at),
            "ended": times.ended.map(|filed| filed.at),
            "returned": times.returned.map(|filed| filed.at),
        },
        "deviceSn": detail.origin.device_sn,
        "operatorId": detail.origin.operator_id,
        "operatorName": detail.origin.operator_name,
        "multiMark": detail.origin.multi_mark,
        "on_unknown": entry.on_unknown(),
        "acknowledged": detail.acknowledged,
        "confirmation": detail.confirmation,
        "gateway": words(&detail.words),
        "reversal": {
            "asked": detail.reversal.asked,
            "tries": detail.reversal.tries,
            "refund": detail.reversal.refund,
            "voided": detail.reversal.voided,
            "said": detail.reversal.said,
            "elsewhere": detail.reversal.elsewhere,
            "gateway": words(&detail.reversal.last),
        },
        "settlement": detail.settlement,
    })
    .to_string()
}

fn done_sentence(asked: &Identity, lang: Lang) -> &'static str {
    let money = asked.amount.is_some_and(|amount| !Amount::is_zero(amount));
    match (asked.coupons.is_empty(), money) {
        (false, true) => lang.pick("优惠券已核销，扣款成功", "Coupons redeemed and payment taken."),
        (false, false) => lang.pick("优惠券已核销", "Coupons redeemed."),
        (true, _) => lang.pick("扣款成功", "Payment taken."),
    }
}

/// The answer to a reversal: the current record, where a sale that is still valid is a conflict.
pub fn reversal(entry: &Entry, lang: Lang) -> Answer {
    let said = entry.detail().reversal.last.clone().unwrap_or_default();
    let said = format!("{} {}", said.code, said.message);
    let said = said.trim();
    let own = |outcome, code: &'static Code, message: &str| {
        let message = if message.is_empty() { code.meaning } else { message };
        Answer::of(outcome, code, lang, message)
    };
    let answer = match entry.stage() {
        Stage::Kept if entry.is_refund() => {
            own(Outcome::Conflict, &codes::REFUND_REFUSED, &refund::refused_message(entry))
                .with_cashier(refund::refused_sentence(entry, lang))
                .with_next(Next::RefundRefused)
        }
        Stage::Refused | Stage::Unproven => own(Outcome::Conflict, refund::open_code(entry), said),
        Stage::Sending => {
            own(Outcome::Unknown, &codes::REVERSAL_QUEUED, "it is sent when the consume has ended")
        }
        // As in the answer to a look-up.
        Stage::Reversing if !entry.gives_back() => own(Outcome::Unknown, &codes::REVERSAL_QUEUED, said)
            .with_cashier(codes::REVERSING.cashier(Outcome::Unknown, lang))
            .with_next(Next::OtherTender),
        _ => return stands(entry, lang).with_recorded(entry_json(entry)),
    };
    let answer = match refund::open_sentence(entry, lang) {
        Some(cashier) => answer.with_cashier(cashier),
        None => answer,
    };
    answer.with_biz_id(entry.key().biz_id.as_str()).with_recorded(entry_json(entry))
}

#[cfg(test)]
mod tests;
