//! Queries to the gateway that take nothing. A lost answer is `not_sent`, and a query may always be repeated.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

use super::Client;
use super::response::{self, ReadEnd};
use crate::config::ActionKind;
use crate::gateway::{
    CodeRules, Doubt, Envelope, Operation, Params, QUOTE_ANSWER, Question, QuoteRequest, Route, repaired_read,
};
use crate::json::Object;
use crate::money::{Amount, BizId};
use crate::outcome::{Answer, Outcome, Timing, Warning, codes};
use crate::payment::Resign;
use crate::schema::{Ids, Schema};
use crate::transport::{HttpAnswer, TransportError};

/// How an answer is judged.
#[derive(Clone, Copy)]
pub(super) enum Judge<'q> {
    /// The action took nothing; `None` if this library knows no more about it.
    Read(Option<Operation>),
    /// It is a quote, which asked this. The discount is noted that a payment may rely on, if the answer names one and matches
    /// the question.
    Quote(&'q Question, &'q Cell<Option<Amount>>),
    /// It is not known whether the action took something.
    Listed,
}

impl Judge<'_> {
    fn is_listed(self) -> bool {
        matches!(self, Judge::Listed)
    }

    fn looks_a_member_up(self) -> bool {
        matches!(self, Judge::Read(Some(Operation::MemberLookup)))
    }

    /// The schema of the data, if it is known.
    fn schema(self) -> Option<&'static Schema> {
        matches!(self, Judge::Quote(..)).then_some(&QUOTE_ANSWER)
    }
}

impl Client {
    /// Asks what a coupon is worth on a basket.
    pub fn quote(&self, given: &Object<'_>) -> Answer {
        let Some(route) = self.account.route(Operation::Quote) else {
            return self.no_route(Operation::Quote);
        };
        let request = self.with_defaults(|defaults| QuoteRequest::read(given, defaults, self.rules(route)));
        let QuoteRequest { question, params, warnings } = match request {
            Ok(request) => request,
            Err(problems) => return self.invalid(problems),
        };
        let discount = Cell::new(None);
        let judge = Judge::Quote(&question, &discount);
        let answer = self.read(Operation::Quote.key(), route, &params, judge, self.deadline());
        let answer = answer.with_warnings(warnings);
        let relied_on = discount.get().filter(|_| answer.outcome() == Outcome::Succeeded);
        match relied_on.and_then(|discount| self.keep_quote(question, params, discount)) {
            Some(id) => answer.with_quote_id(id),
            None => answer,
        }
    }

    fn deadline(&self) -> Instant {
        self.shared.world.now() + self.shared.total
    }

    /// Calls an action of the gateway with its params exactly as received (without `account`).
    pub fn call(&self, action: &str, params: &Object<'_>) -> Answer {
        let Some((asked, route)) = self.account.read_route(action) else {
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
        let params = Params::of(params);
        match asked {
            ActionKind::Operation(operation) => {
                self.read(action, &route, &params, Judge::Read(Some(operation)), self.deadline())
            }
            ActionKind::Read => self.read(action, &route, &params, Judge::Read(None), self.deadline()),
            // A panic after the send must not become an answer that says that nothing was sent.
            ActionKind::Listed => {
                let read = || self.read(action, &route, &params, Judge::Listed, self.deadline());
                panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
                    let doubt = Doubt::new(&codes::PANIC, "a defect of the library was caught; see the log");
                    response::listed(ReadEnd::Lost(doubt), self.shared.lang)
                })
            }
        }
    }

    /// Whether an action comes before a payment: it looks a member or usable coupons up, or asks what a coupon is worth.
    pub fn precedes_a_payment(&self, action: &str) -> bool {
        let Some((ActionKind::Operation(operation), _)) = self.account.read_route(action) else {
            return false;
        };
        matches!(operation, Operation::MemberLookup | Operation::UsableCoupons | Operation::Quote)
    }

    /// Whether a bizId belongs to a sale in the journal that these params do not ask about.
    fn is_of_a_sale(&self, params: &Params, named: &str) -> bool {
        let asked_about = params.as_json().contains(named);
        let found = || BizId::new(named).ok().map(|biz_id| self.shared.journal.find(&self.key(&biz_id)));
        !asked_about && matches!(found(), Some(Ok(Some(_))))
    }

    /// One question to the gateway, until its answer or the deadline.
    pub(super) fn read(
        &self,
        what: &str,
        route: &Route,
        params: &Params,
        judge: Judge<'_>,
        deadline: Instant,
    ) -> Answer {
        let mut repaired = None;
        let mut mismatches = Vec::new();
        let started = self.shared.world.now();
        let mut timing = Timing::default();
        let mut resign = Resign::default();
        let end = loop {
            let exchanged = self.post_read(route, params, deadline);
            timing.connect += exchanged.connect;
            timing.wait += exchanged.wait;
            match exchanged.result {
                Err(TransportError::NotSent(why)) => break ReadEnd::NotSent(why),
                Err(TransportError::Lost(doubt)) => break ReadEnd::Lost(doubt),
                Ok(answer) => match self::envelope(&answer, judge.schema(), &mut repaired) {
                    Err(doubt) => break ReadEnd::Lost(doubt.hiding([self.account.credentials.secret()])),
                    Ok(envelope) => {
                        let envelope = envelope.hiding([self.account.credentials.secret()]);
                        let clock_is_off = self.learn(&answer);
                        // A read may always be repeated: it takes nothing. An action that may take something was
                        // refused for its signature before any effect, but for its nonce perhaps after one.
                        let again = (envelope.code() == CodeRules::NONCE && !judge.is_listed())
                            || (envelope.code() == CodeRules::SIGNATURE && clock_is_off);
                        if let Some(used) = resign.again().filter(|_| again) {
                            resign = used;
                            continue;
                        }
                        // The late answer to a sale, on a connection that had no unread bytes when it was checked.
                        if let Some(other) =
                            envelope.names_another_sale(&[], &|id| self.is_of_a_sale(params, id))
                        {
                            let why = format!("the answer carries the bizId of a sale, {other}");
                            break ReadEnd::Lost(Doubt::new(&codes::MISMATCH, why));
                        }
                        let nobody = judge.looks_a_member_up() && envelope.shows_no_member();
                        if let Judge::Quote(asked, discount) = judge {
                            let (found, named) = envelope.compare_quote(asked);
                            discount.set(named.filter(|_| found.is_empty()));
                            mismatches = found;
                        }
                        let verdict = match judge {
                            Judge::Read(_) | Judge::Quote(..) => {
                                envelope.judge_read(judge.schema(), Ids::AsText)
                            }
                            Judge::Listed => envelope.judge_call(&self.account.codes),
                        };
                        break if nobody { ReadEnd::NoMember(verdict) } else { ReadEnd::Verdict(verdict) };
                    }
                },
            }
        };
        timing.total = self.shared.world.now().saturating_duration_since(started);
        let lang = self.shared.lang;
        let told = if judge.is_listed() { response::listed(end, lang) } else { response::read(end, lang) };
        let told = told.with_warnings(repaired.map(|(_, warning)| warning)).with_warnings(mismatches);
        let answer = told.with_warnings(self.clock_warning()).with_timing(timing);
        self.log_answer(what, &answer);
        answer
    }
}

/// The envelope of a read's answer; its invalid texts may be repaired in fields on which nothing depends.
fn envelope<'a>(
    answer: &'a HttpAnswer,
    schema: Option<&'static Schema>,
    repaired: &'a mut Option<(String, Warning)>,
) -> Result<Envelope<'a>, Doubt> {
    *repaired = None;
    match Envelope::read(answer.status, &answer.body) {
        Err(doubt) if doubt.kind.text == codes::BROKEN_TEXT.text => {
            *repaired = repaired_read(&answer.body, schema);
            let Some((text, _)) = repaired else { return Err(doubt) };
            Envelope::read(answer.status, text.as_bytes())
        }
        read => read,
    }
}
