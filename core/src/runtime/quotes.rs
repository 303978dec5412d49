//! Sees to it that a payment leaves only while the quotes hold on which its price relies.

use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use super::{Client, query::Judge};
use crate::gateway::{ConsumeRequest, GatewayStatus, NotSent, Operation, Params, Question, discount};
use crate::json::Value;
use crate::outcome::{Answer, Outcome, codes};
use crate::payment::quotes::{Asked, Changed, Difference, Payment, Quote, Quotes};

/// Warnings of an answer on which a payment must not rely: it is about something else, or is no discount.
static UNRELIABLE: [&codes::Code; 3] = [&codes::WARN_DISCOUNT, &codes::WARN_STORE, &codes::WARN_COUPONS];

impl Client {
    /// Keeps a quote that was answered. `None` if a payment cannot rely on it: its answer names no discount or does not
    /// match the question, or the system gives no random number for its id.
    pub(super) fn keep_quote(&self, question: &Question, params: &Params, answer: &Answer) -> Option<Quote> {
        let is_unreliable = |code: &str| UNRELIABLE.iter().any(|unreliable| unreliable.text == code);
        if answer.warnings().iter().any(|warning| is_unreliable(warning.code)) {
            return None;
        }
        let data = answer.data().and_then(|data| Value::parse(data).ok())?;
        let random = || self.shared.world.random().ok();
        let quote = Quote {
            id: format!("Q{:08X}{:08X}", random()?, random()?),
            question: question.clone(),
            params: params.clone(),
            discount: data.as_object().and_then(discount)?,
            at: self.asked_now(),
        };
        self.quotes().keep(quote.clone());
        Some(quote)
    }

    /// The quotes of a payment that do not hold for it. An old one is asked again; the error says why that could not be done.
    pub(super) fn changed_quotes(
        &self,
        request: &ConsumeRequest,
        deadline: Instant,
    ) -> Result<Vec<Changed>, NotSent> {
        let payment = Payment {
            identity: &request.identity,
            store: request.origin.multi_mark.as_deref(),
            basket: request.basket.as_ref(),
        };
        let mut changed = Vec::new();
        for id in &request.quote_ids {
            changed.extend(self.changed(id, payment, deadline)?);
        }
        Ok(changed)
    }

    fn changed(&self, id: &str, payment: Payment<'_>, deadline: Instant) -> Result<Option<Changed>, NotSent> {
        let quote = self.quotes().find(id).cloned();
        let changed = |difference: Difference, now: Option<Quote>, words: Option<GatewayStatus>| {
            let discount = quote.as_ref().map(|quote| quote.discount);
            Some(Changed { id: id.to_owned(), difference, discount, now, words })
        };
        let Some(known) = &quote else { return Ok(changed(Difference::Forgotten, None, None)) };
        if let Some(difference) = known.difference(payment) {
            return Ok(changed(difference, None, None));
        }
        if !known.is_old(self.asked_now(), self.shared.quote_max_age) {
            return Ok(None);
        }
        let Some(route) = self.account.route(Operation::Quote) else {
            return Ok(changed(Difference::Discount, None, None));
        };
        let (question, params) = (&known.question, &known.params);
        let answer = self.read(Operation::Quote.key(), route, params, Judge::Quote(question), deadline);
        match answer.outcome() {
            Outcome::Succeeded => {
                let now = self.keep_quote(question, params, &answer);
                let is_same = now.as_ref().is_some_and(|now| now.discount == known.discount);
                Ok(if is_same { None } else { changed(Difference::Discount, now, None) })
            }
            Outcome::Declined => {
                let (code, message) = (answer.code().to_owned(), answer.message().to_owned());
                Ok(changed(Difference::Declined, None, Some(GatewayStatus { code, message })))
            }
            _ => {
                let message =
                    format!("the quote {id} is old and could not be asked again: {}", answer.message());
                Err(NotSent { code: codes::of_text(answer.code()).unwrap_or(&codes::NO_ANSWER), message })
            }
        }
    }

    fn quotes(&self) -> MutexGuard<'_, Quotes> {
        self.quotes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked_now(&self) -> Asked {
        Asked { at: self.shared.world.now(), unix_ms: self.shared.world.unix_ms() }
    }
}
