//! Sees to it that a payment is sent only while the quotes hold on which its price relies.

use std::sync::PoisonError;
use std::time::Instant;

use super::{Client, query::Judge};
use crate::gateway::{ConsumeRequest, GatewayStatus, NotSent, Operation, Params, Question, discount};
use crate::journal::JournalError;
use crate::json::Value;
use crate::outcome::{Answer, Outcome, codes};
use crate::payment::consume::{Reply, would_send};
use crate::payment::quotes::{Changed, Difference, Payment, Quote};

impl Client {
    /// Keeps a quote that was answered; `None` if the system gives no random number for its id.
    pub(super) fn keep_quote(&self, question: &Question, params: &Params, answer: &Answer) -> Option<Quote> {
        let random = || self.shared.world.random().ok();
        let data = answer.data().and_then(|data| Value::parse(data).ok());
        let quote = Quote {
            id: format!("Q{:08X}{:08X}", random()?, random()?),
            question: question.clone(),
            params: params.clone(),
            discount: data.as_ref().and_then(Value::as_object).and_then(discount),
            at: self.shared.world.now(),
        };
        self.quotes.lock().unwrap_or_else(PoisonError::into_inner).keep(quote.clone());
        Some(quote)
    }

    /// The reply to a payment that relies on quotes which do not hold. What the journal has under the bizId is answered
    /// first: `None` then, and where every quote holds.
    pub(super) fn unless_quotes_hold(
        &self,
        request: &ConsumeRequest,
        deadline: Instant,
    ) -> Result<Option<Reply>, JournalError> {
        if request.quote_ids.is_empty() {
            return Ok(None);
        }
        let standing = self.shared.standing(&self.key(&request.biz_id))?;
        if !would_send(&request.identity, standing.as_ref()) {
            return Ok(None);
        }
        let payment = Payment {
            identity: &request.identity,
            store: request.origin.multi_mark.as_deref(),
            basket: request.basket.as_ref(),
        };
        let mut changed = Vec::new();
        for id in &request.quote_ids {
            match self.checked(id, payment, deadline) {
                Ok(difference) => changed.extend(difference),
                Err(why) => return Ok(Some(Reply::NotAsked(why))),
            }
        }
        if changed.is_empty() {
            return Ok(None);
        }
        // Asking may have taken a while.
        let standing = self.shared.standing(&self.key(&request.biz_id))?;
        Ok(would_send(&request.identity, standing.as_ref()).then_some(Reply::QuoteChanged(changed)))
    }

    /// Why a quote does not hold. An old one is asked again; the error says why that could not be done.
    fn checked(&self, id: &str, payment: Payment<'_>, deadline: Instant) -> Result<Option<Changed>, NotSent> {
        let quote = self.quotes.lock().unwrap_or_else(PoisonError::into_inner).find(id).cloned();
        let changed = |difference: Difference, now: Option<Quote>, words: Option<GatewayStatus>| Changed {
            id: id.to_owned(),
            difference,
            discount: quote.as_ref().and_then(|quote| quote.discount),
            now,
            words,
        };
        let Some(known) = &quote else { return Ok(Some(changed(Difference::Forgotten, None, None))) };
        if let Some(difference) = known.difference(payment) {
            return Ok(Some(changed(difference, None, None)));
        }
        if !known.is_old(self.shared.world.now(), self.shared.quote_max_age) {
            return Ok(None);
        }
        let Some(route) = self.account.route(Operation::Quote) else { return Ok(None) };
        let answer =
            self.read(Operation::Quote.key(), route, &known.params, Judge::Quote(&known.question), deadline);
        let words = || GatewayStatus { code: answer.code().to_owned(), message: answer.message().to_owned() };
        match answer.outcome() {
            Outcome::Succeeded => {
                let now = self.keep_quote(&known.question, &known.params, &answer);
                let is_same = now.as_ref().is_some_and(|now| now.discount == known.discount);
                Ok((!is_same).then(|| changed(Difference::Discount, now, None)))
            }
            Outcome::Declined => Ok(Some(changed(Difference::Declined, None, Some(words())))),
            _ => {
                let message =
                    format!("the quote {id} is old and could not be asked again: {}", answer.message());
                Err(NotSent { code: codes::of_text(answer.code()).unwrap_or(&codes::NO_ANSWER), message })
            }
        }
    }
}
