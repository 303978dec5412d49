//! The envelope of every answer, and what its `outcome` guarantees about the member's money.

mod answer;
pub mod codes;

pub(crate) use answer::Timing;
pub use answer::{Answer, Lang, Problem, Warning};

/// What happened to the member's money. The numbers are the ABI's (`ZV_SUCCEEDED`…) and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The gateway did it and the journal has recorded it.
    Succeeded,
    /// The gateway refused; nothing was taken.
    Declined,
    /// The library refused before sending; this call took nothing.
    Invalid,
    /// No byte of the request reached the gateway; nothing was taken.
    NotSent,
    /// It may have happened.
    Unknown,
    /// A defect of the library or the machine; this call sent nothing.
    Internal,
    /// It was done and then reversed, or it can no longer happen.
    Reversed,
    /// This bizId is already used for another request.
    Conflict,
    /// A started call has not ended; its result is not known yet.
    Running,
}

impl Outcome {
    /// Every outcome, in the order of its number.
    pub const ALL: [Outcome; 9] = [
        Outcome::Succeeded,
        Outcome::Declined,
        Outcome::Invalid,
        Outcome::NotSent,
        Outcome::Unknown,
        Outcome::Internal,
        Outcome::Reversed,
        Outcome::Conflict,
        Outcome::Running,
    ];

    /// The value of `outcome` in the envelope.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Succeeded => "succeeded",
            Outcome::Declined => "declined",
            Outcome::Invalid => "invalid",
            Outcome::NotSent => "not_sent",
            Outcome::Unknown => "unknown",
            Outcome::Internal => "internal",
            Outcome::Reversed => "reversed",
            Outcome::Conflict => "conflict",
            Outcome::Running => "running",
        }
    }

    /// The number of `zv_outcome`.
    pub fn number(self) -> i32 {
        match self {
            Outcome::Succeeded => 0,
            Outcome::Declined => 1,
            Outcome::Invalid => 2,
            Outcome::NotSent => 3,
            Outcome::Unknown => 4,
            Outcome::Internal => 5,
            Outcome::Reversed => 6,
            Outcome::Conflict => 7,
            Outcome::Running => 8,
        }
    }

    /// The outcome of that value.
    pub fn from_word(word: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }

    /// The one next action for the till.
    pub fn next(self) -> Next {
        match self {
            Outcome::Succeeded => Next::CompleteSale,
            Outcome::Declined | Outcome::Reversed => Next::OtherTender,
            Outcome::Invalid => Next::FixRequest,
            Outcome::NotSent => Next::Retry,
            Outcome::Unknown => Next::Wait,
            Outcome::Internal => Next::Stop,
            Outcome::Conflict => Next::Lookup,
            Outcome::Running => Next::Poll,
        }
    }
}

/// The next action for a till.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The sale may be completed.
    CompleteSale,
    /// The customer uses another tender.
    OtherTender,
    /// The calling program must be fixed.
    FixRequest,
    /// The same request, with the same bizId, may be sent again.
    Retry,
    /// The result is not known yet; never use a new bizId for the same sale.
    Wait,
    /// The till must stop taking member payments.
    Stop,
    /// Look the bizId up.
    Lookup,
    /// The till stores its sale and then calls `zv_confirm_json`.
    StoreThenConfirm,
    /// This call took nothing and settles nothing: go on with the sale.
    GoOn,
    /// Ask for the answer again, with the same ticket.
    Poll,
    /// Nothing was taken: the request may be sent under a new bizId, never under this one.
    NewBizId,
    /// The money of the sale is back: book the refund.
    Refunded,
    /// The refund is on disk and continues in the background: book nothing yet, look it up later.
    RefundPending,
    /// The refund was refused: the sale stays valid, nothing was given back.
    RefundRefused,
    /// Nothing was taken: the coupon's worth has to be asked again and the new price shown to the customer.
    QuoteAgain,
}

impl Next {
    /// Every next action.
    pub const ALL: [Next; 15] = [
        Next::CompleteSale,
        Next::OtherTender,
        Next::FixRequest,
        Next::Retry,
        Next::Wait,
        Next::Stop,
        Next::Lookup,
        Next::StoreThenConfirm,
        Next::GoOn,
        Next::Poll,
        Next::NewBizId,
        Next::Refunded,
        Next::RefundPending,
        Next::RefundRefused,
        Next::QuoteAgain,
    ];

    /// The value of `next` in the envelope.
    pub fn as_str(self) -> &'static str {
        match self {
            Next::CompleteSale => "complete_sale",
            Next::OtherTender => "other_tender",
            Next::FixRequest => "fix_request",
            Next::Retry => "retry",
            Next::Wait => "wait",
            Next::Stop => "stop",
            Next::Lookup => "lookup",
            Next::StoreThenConfirm => "store_then_confirm",
            Next::GoOn => "go_on",
            Next::Poll => "poll",
            Next::NewBizId => "new_bizid",
            Next::Refunded => "refunded",
            Next::RefundPending => "refund_pending",
            Next::RefundRefused => "refund_refused",
            Next::QuoteAgain => "quote_again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_unique_and_in_order() {
        for (position, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(usize::try_from(outcome.number()).unwrap(), position);
            assert_eq!(Outcome::from_word(outcome.as_str()), Some(outcome));
        }
        assert_eq!(Outcome::from_word("ok"), None);
    }
}
