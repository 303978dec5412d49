//! Sees to it that a payment leaves only while the quotes hold on which its price relies.

use std::cell::Cell;
use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use super::{Client, query::Judge};
use crate::gateway::{ConsumeRequest, GatewayStatus, NotSent, Operation, Params, Question};
use crate::money::Amount;
use crate::outcome::{Outcome, codes};
use crate::payment::quotes::{Asked, Changed, Difference, Payment, Quote, Quotes};

impl Client {
    /// Keeps a quote that was answered, and gives its id. `None` if the system gives no random number for the first one.
    pub(super) fn keep_quote(&self, question: Question, params: Params, discount: Amount) -> Option<String> {
        let at = self.asked_now();
        let mut quotes = self.quotes();
        if quotes.is_none() {
            let random = || self.shared.world.random().ok();
            *quotes = Some(Quotes::from(u64::from(random()?) << 32 | u64::from(random()?)));
        }
        Some(quotes.as_mut()?.keep(Quote { question, params, discount, at }))
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
        let quote = self.quotes().as_ref().and_then(|quotes| quotes.find(id).cloned());
        let changed =
            |difference: Difference, now: Option<(String, Amount)>, words: Option<GatewayStatus>| {
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
        let (question, params, discount) = (&known.question, &known.params, Cell::new(None));
        let judge = Judge::Quote(question, &discount);
        let answer = self.read(Operation::Quote.key(), route, params, judge, deadline);
        match answer.outcome() {
            Outcome::Succeeded if discount.get() == Some(known.discount) => Ok(None),
            Outcome::Succeeded => {
                let keep = |now: Amount| Some((self.keep_quote(question.clone(), params.clone(), now)?, now));
                Ok(changed(Difference::Discount, discount.get().and_then(keep), None))
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

    fn quotes(&self) -> MutexGuard<'_, Option<Quotes>> {
        self.quotes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked_now(&self) -> Asked {
        Asked { at: self.shared.world.now(), unix_ms: self.shared.world.unix_ms() }
    }
}
