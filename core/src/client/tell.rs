//! What the till is told: conclusions as envelopes, with the cashier's sentence.

use std::time::Duration;

use super::ReadEnd;
use crate::gateway::{Accepted, Identity, Verdict};
use crate::money::Amount;
use crate::outcome::{Answer, Lang, Outcome, codes};
use crate::transaction::{Conclusion, Told};

/// A network that was just down is not asked again at once.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The answer to a quote or a call.
pub(super) fn read(end: ReadEnd, lang: Lang) -> Answer {
    match end {
        ReadEnd::Verdict(Verdict::Accepted(accepted)) => succeeded(&accepted, ""),
        ReadEnd::Verdict(Verdict::Refused(refusal)) => {
            let cashier = lang
                .pick(format!("无法使用:{}", refusal.message), format!("Not possible: {}", refusal.message));
            Answer::of_gateway(Outcome::Declined, &refusal.code, &refusal.message, cashier)
        }
        ReadEnd::Verdict(Verdict::Doubt(doubt)) | ReadEnd::Lost(doubt) => Answer::of(
            Outcome::NotSent,
            &codes::NO_ANSWER,
            lang,
            format!("{}: {}", doubt.kind.text, doubt.message),
        )
        .with_retry_after(RETRY_AFTER),
        ReadEnd::NotSent(why) => {
            Answer::of(Outcome::NotSent, why.code, lang, why.message).with_retry_after(RETRY_AFTER)
        }
    }
}

/// The answer to a consume.
pub(super) fn consume(told: Told, asked: &Identity, lang: Lang) -> Answer {
    match told {
        Told::Ended(conclusion) => concluded(conclusion, asked, lang, false),
        Told::Replayed(conclusion) => concluded(conclusion, asked, lang, true).replayed(),
        Told::Conflict => {
            let message = "this bizId already stands for another request; nothing was sent";
            Answer::of(Outcome::Conflict, &codes::CONFLICT, lang, message)
        }
        Told::Busy => {
            let message = "the same bizId is still running in another call; this call sent nothing";
            Answer::of(Outcome::Unknown, &codes::BUSY, lang, message)
        }
        Told::Internal { code, message } => Answer::of(Outcome::Internal, code, lang, message),
    }
}

fn concluded(conclusion: Conclusion, asked: &Identity, lang: Lang, replayed: bool) -> Answer {
    match conclusion {
        Conclusion::Succeeded(accepted) => succeeded(&accepted, done_sentence(asked, lang)),
        Conclusion::Declined(refusal) => {
            let cashier = lang.pick(
                format!("未扣款:{}", refusal.message),
                format!("Nothing was taken: {}", refusal.message),
            );
            Answer::of_gateway(Outcome::Declined, &refusal.code, &refusal.message, cashier)
        }
        Conclusion::NotSent(why) => {
            Answer::of(Outcome::NotSent, why.code, lang, why.message).with_retry_after(RETRY_AFTER)
        }
        Conclusion::Unknown(doubt) if replayed => {
            let message = format!("asked for before and still unknown ({}: {})", doubt.code, doubt.message);
            Answer::of(Outcome::Unknown, &codes::STILL_UNKNOWN, lang, message).with_warnings(doubt.warnings)
        }
        Conclusion::Unknown(doubt) => {
            let cashier = lang.pick(doubt.kind.cashier_zh, doubt.kind.cashier_en);
            Answer::of_gateway(Outcome::Unknown, &doubt.code, &doubt.message, cashier)
                .with_warnings(doubt.warnings)
        }
    }
}

fn succeeded(accepted: &Accepted, cashier: &str) -> Answer {
    Answer::of_gateway(Outcome::Succeeded, "0", accepted.message(), cashier)
        .with_warnings(accepted.warnings().iter().cloned())
        .with_data(accepted.data())
}

fn done_sentence(asked: &Identity, lang: Lang) -> &'static str {
    let money = asked.amount.is_some_and(|amount| !Amount::is_zero(amount));
    match (asked.coupons.is_empty(), money) {
        (false, true) => lang.pick("优惠券已核销,扣款成功", "Coupons redeemed and payment taken."),
        (false, false) => lang.pick("优惠券已核销", "Coupons redeemed."),
        (true, _) => lang.pick("扣款成功", "Payment taken."),
    }
}
