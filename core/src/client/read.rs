//! Asking the gateway for what takes nothing. A lost answer is `not_sent`, and asking again is always allowed.

use std::time::Instant;

use super::{Client, tell};
use crate::gateway::{
    CodeRules, Doubt, Envelope, NotSent, Operation, Params, QUOTE_ANSWER, QuoteRequest, Route, Verdict,
};
use crate::json::Object;
use crate::outcome::{Answer, Outcome, Timing, codes};
use crate::shape::Shape;
use crate::transport::Failure;

/// A read's answer or the reason why there is none.
pub(super) enum End {
    Verdict(Verdict),
    NotSent(NotSent),
    Lost(Doubt),
}

impl Client {
    /// What a coupon is worth on a basket.
    pub fn quote(&self, given: &Object<'_>) -> Answer {
        let Some(route) = self.account.route(Operation::Quote) else {
            return self.no_route(Operation::Quote);
        };
        match self.with_defaults(|defaults| QuoteRequest::read(given, defaults, self.rules(route))) {
            Ok(request) => self.read(Operation::Quote.key(), route, &request.params, Some(&QUOTE_ANSWER)),
            Err(problems) => self.invalid(problems),
        }
    }

    /// A read of the gateway by its action, its params handed on exactly as they came (but for `account`).
    pub fn call(&self, action: &str, params: &Object<'_>) -> Answer {
        let Some((operation, route)) = self.account.read_route(action) else {
            let open = Operation::ALL.into_iter().find(|known| known.is_read() && known.key() == action);
            let message = match open {
                Some(operation) => format!(
                    "{action} has no route for this account: none is published; ask the vendor and set routes.{}",
                    operation.key()
                ),
                None => format!("{action:?} is no read action; see the documentation and call_actions"),
            };
            return Answer::of(Outcome::Invalid, &codes::ACTION, self.shared.lang, message);
        };
        let shape = (operation == Some(Operation::Quote)).then_some(&QUOTE_ANSWER);
        self.read(action, &route, &Params::of(params), shape)
    }

    fn read(&self, what: &str, route: &Route, params: &Params, shape: Option<&'static Shape>) -> Answer {
        let started = Instant::now();
        let deadline = started + self.shared.total;
        let mut timing = Timing::default();
        let mut signed_anew = false;
        let end = loop {
            let exchanged = self.exchange(route, params, deadline);
            timing.connect += exchanged.connect;
            timing.wait += exchanged.wait;
            match exchanged.result {
                Err(Failure::NotSent(why)) => break End::NotSent(why),
                Err(Failure::Lost(doubt)) => break End::Lost(doubt),
                Ok(answer) => match Envelope::read(answer.status, &answer.body) {
                    Err(doubt) => break End::Lost(doubt),
                    Ok(envelope) => {
                        let envelope = envelope.hiding([self.account.credentials.secret()]);
                        let clock_is_off = answer.date.is_some_and(|date| self.clock.learn(date));
                        // A read may always be repeated: nothing is taken by it.
                        let again = envelope.code() == CodeRules::NONCE
                            || (envelope.code() == CodeRules::SIGNATURE && clock_is_off);
                        if again && !signed_anew {
                            signed_anew = true;
                            continue;
                        }
                        break End::Verdict(envelope.judge_read(shape));
                    }
                },
            }
        };
        timing.total = started.elapsed();
        let answer =
            tell::read(end, self.shared.lang).with_warnings(self.clock_warning()).with_timing(timing);
        self.log_answer(what, &answer);
        answer
    }
}
