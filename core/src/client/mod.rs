//! One configured account at work: quote, consume, call. It drives the transaction's step function with the
//! journal and the wire, and writes what the till is told.

mod tell;

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http::Uri;

use crate::clock::GatewayClock;
use crate::config::Account;
use crate::gateway::{
    CodeRules, ConsumeRequest, Doubt, Envelope, Operation, Params, QUOTE_ANSWER, QuoteRequest, RequestRules,
    Route, Verdict,
};
use crate::journal::{Journal, JournalError, Key, Opened, RecordedIntent};
use crate::json::{Object, Value};
use crate::log::{Level, Log};
use crate::outcome::{Answer, Lang, Outcome, Problem, Timing, Warning, codes};
use crate::shape::{Shape, Unknown};
use crate::transaction::{Conclusion, Effect, Event, NotSent, Standing, State, Told, step};
use crate::transport::{Exchanged, Failure, Http};

/// What all accounts of one library share.
pub struct Shared {
    /// The way to the gateway.
    pub http: Http,
    /// What is recorded.
    pub journal: Box<dyn Journal>,
    /// Where lines go.
    pub log: Log,
    /// The whole of one call.
    pub total: Duration,
    /// The language of the cashier's sentence.
    pub lang: Lang,
    /// What to do with fields that nobody has documented.
    pub unknown: Unknown,
}

/// One account.
pub struct Client {
    account: Account,
    clock: GatewayClock,
    shared: Arc<Shared>,
}

/// A read's answer or the reason why there is none.
enum ReadEnd {
    Verdict(Verdict),
    NotSent(NotSent),
    Lost(Doubt),
}

impl Client {
    /// The client of one account.
    pub fn new(account: Account, shared: Arc<Shared>) -> Client {
        Client { account, clock: GatewayClock::default(), shared }
    }

    /// The account's name under `accounts`.
    pub fn name(&self) -> Option<&str> {
        self.account.name.as_deref()
    }

    /// Whether what the account sends can be read on its way.
    pub fn is_plain_http(&self) -> bool {
        Operation::ALL.into_iter().any(|o| self.account.route(o).is_some_and(Route::is_plain_http))
    }

    /// What a coupon is worth on a basket. Nothing is taken, so a lost answer is `not_sent`.
    pub fn quote(&self, given: &Object<'_>) -> Answer {
        let Some(route) = self.account.route(Operation::Quote) else {
            return self.no_route(Operation::Quote);
        };
        let request = with_defaults(&self.account.defaults, |defaults| {
            QuoteRequest::read(given, defaults, self.rules(route))
        });
        match request {
            Ok(request) => self.read(Operation::Quote.key(), route, &request.params, Some(&QUOTE_ANSWER)),
            Err(problems) => self.invalid(problems),
        }
    }

    /// A read of the gateway by its action, its params handed on exactly as they came (but for `account`).
    pub fn call(&self, action: &str, params: &Object<'_>) -> Answer {
        let Some((operation, route)) = self.account.read_route(action) else {
            return Answer::of(
                Outcome::Invalid,
                &codes::ACTION,
                self.shared.lang,
                format!(
                    "{action:?} is no read action; known are those of the documentation and of call_actions"
                ),
            );
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
                Err(Failure::NotSent(why)) => break ReadEnd::NotSent(why),
                Err(Failure::Lost(doubt)) => break ReadEnd::Lost(doubt),
                Ok(answer) => match Envelope::read(answer.status, &answer.body) {
                    Err(doubt) => break ReadEnd::Lost(doubt),
                    Ok(envelope) => {
                        let clock_is_off = answer.date.is_some_and(|date| self.clock.learn(date));
                        // A read may always be repeated: nothing is taken by it.
                        let again = envelope.code() == CodeRules::NONCE
                            || (envelope.code() == CodeRules::SIGNATURE && clock_is_off);
                        if again && !signed_anew {
                            signed_anew = true;
                            continue;
                        }
                        break ReadEnd::Verdict(envelope.judge_read(shape));
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

    /// Takes coupons, balance or both: the whole life of a consume up to what the till is told.
    pub fn consume(&self, given: &Object<'_>) -> Answer {
        let Some(route) = self.account.route(Operation::Consume) else {
            return self.no_route(Operation::Consume);
        };
        let request = with_defaults(&self.account.defaults, |defaults| {
            ConsumeRequest::read(given, defaults, self.rules(route))
        });
        let request = match request {
            Ok(request) => request,
            Err(problems) => return self.invalid(problems),
        };
        let mut run = Run {
            client: self,
            route,
            key: Key {
                open_id: self.account.credentials.open_id().to_owned(),
                endpoint: self.account.endpoint().to_owned(),
                biz_id: request.biz_id.clone(),
            },
            request: &request,
            deadline: Instant::now() + self.shared.total,
            intent: None,
            sent: false,
            timing: Timing::default(),
        };
        let started = Instant::now();
        // A defect after the send must not become an answer that says that nothing was sent.
        let told = panic::catch_unwind(AssertUnwindSafe(|| run.drive())).unwrap_or_else(|_| run.panicked());
        let mut timing = run.timing;
        timing.total = started.elapsed();
        let recorded =
            matches!(told, Told::Conflict).then(|| self.shared.journal.identity(&run.key)).flatten();
        let mut answer = tell::consume(told, &request.identity, self.shared.lang)
            .with_biz_id(request.biz_id.as_str())
            .with_warnings(self.clock_warning())
            .with_timing(timing);
        if let Some(recorded) = recorded {
            answer = answer.with_recorded(recorded);
        }
        self.log_answer(&format!("consume {}", request.biz_id), &answer);
        answer
    }

    /// Signs for now and posts.
    fn exchange(&self, route: &Route, params: &Params, deadline: Instant) -> Exchanged {
        let failed = |message: String| Exchanged {
            result: Err(Failure::NotSent(NotSent { code: &codes::CONNECT, message })),
            connect: Duration::ZERO,
            wait: Duration::ZERO,
        };
        let url = match route.url.parse::<Uri>() {
            Ok(url) => url,
            Err(error) => return failed(format!("{}: {error}", route.url)),
        };
        let nonce = match getrandom::u32() {
            Ok(random) => random % 999_999_999 + 1,
            Err(error) => return failed(format!("the system gives no random numbers: {error}")),
        };
        let seconds = self.clock.unix_seconds();
        let body = params.sign(route, &self.account.credentials, self.account.sign_names, seconds, nonce);
        self.shared.http.post(&url, &body, deadline)
    }

    fn rules(&self, route: &Route) -> RequestRules {
        RequestRules {
            unknown: self.shared.unknown,
            password_over_http: self.account.password_over_http,
            plain_http: route.is_plain_http(),
            numbers: route.numbers,
        }
    }

    fn invalid(&self, problems: Vec<Problem>) -> Answer {
        let first = problems.first().map_or(String::new(), |p| format!("{} {}", p.path, p.message));
        let more = problems.len().saturating_sub(1);
        let message = if more == 0 { first } else { format!("{first} (and {more} more in errors[])") };
        Answer::of(Outcome::Invalid, &codes::REQUEST, self.shared.lang, message).with_errors(problems)
    }

    fn no_route(&self, operation: Operation) -> Answer {
        self.invalid(vec![Problem {
            path: format!("routes.{}", operation.key()),
            message: "is not configured and has no default".to_owned(),
        }])
    }

    fn clock_warning(&self) -> Option<Warning> {
        let offset = self.clock.offset_s();
        (offset.abs() > GatewayClock::WARN_S).then(|| {
            let way = if offset > 0 { "behind" } else { "ahead of" };
            let message = format!("the till's clock is {} s {way} the gateway's; set it", offset.abs());
            Warning::new(&codes::CLOCK, message)
        })
    }

    fn log_answer(&self, what: &str, answer: &Answer) {
        let level = match answer.outcome() {
            Outcome::Succeeded | Outcome::Declined | Outcome::Reversed => Level::Info,
            Outcome::Internal => Level::Error,
            _ => Level::Warn,
        };
        self.shared.log.line(level, || {
            format!("{what}: {} {} {}", answer.outcome().as_str(), answer.code(), answer.message())
        });
        for warning in answer.warnings() {
            self.shared.log.line(Level::Warn, || format!("{what}: {} {}", warning.code, warning.message));
        }
    }
}

/// Reads the account's default fields, which were checked with the configuration.
fn with_defaults<T>(json: &str, f: impl FnOnce(&Object<'_>) -> T) -> T {
    let empty = Object::default();
    match Value::parse(json) {
        Ok(value) => f(value.as_object().unwrap_or(&empty)),
        Err(_) => f(&empty),
    }
}

/// One consume being carried out: the real effects of the step function.
struct Run<'c> {
    client: &'c Client,
    route: &'c Route,
    request: &'c ConsumeRequest,
    key: Key,
    deadline: Instant,
    intent: Option<RecordedIntent>,
    /// Whether a send has begun.
    sent: bool,
    timing: Timing,
}

impl Run<'_> {
    fn drive(&mut self) -> Told {
        let mut state = State::New;
        let mut event = Event::Asked;
        loop {
            let (next, effect) = step(state, event);
            state = next;
            event = match effect {
                Effect::Tell(told) => return told,
                Effect::RecordIntent => self.journalled(|run| {
                    run.client.shared.journal.open(&run.key, run.request).map(|opened| match opened {
                        Opened::Recorded(intent) => {
                            run.intent = Some(intent);
                            Event::IntentRecorded
                        }
                        Opened::Stands(standing) => Event::Stands(standing),
                    })
                }),
                Effect::AwaitOther => self.journalled(|run| {
                    let journal = &run.client.shared.journal;
                    journal.wait(&run.key, run.request, run.deadline).map(|standing| match standing {
                        Standing::Running => Event::WaitedInVain,
                        standing => Event::Stands(standing),
                    })
                }),
                Effect::RecordAttempt => self.journalled(|run| {
                    let intent = run.take_intent()?;
                    run.intent = Some(run.client.shared.journal.again(intent)?);
                    Ok(Event::IntentRecorded)
                }),
                Effect::RecordConclusion(conclusion) => self.journalled(|run| {
                    let intent = run.take_intent()?;
                    run.client.shared.journal.conclude(intent, &conclusion)?;
                    Ok(Event::ConclusionRecorded)
                }),
                Effect::Send => self.send(),
            };
        }
    }

    fn panicked(&self) -> Told {
        let message = "a defect of the library was caught; see the log".to_owned();
        if self.sent {
            Told::Ended(Conclusion::Unknown(Doubt::new(&codes::PANIC, message)))
        } else {
            Told::Internal { code: &codes::PANIC, message }
        }
    }

    fn take_intent(&mut self) -> Result<RecordedIntent, JournalError> {
        self.intent.take().ok_or_else(|| JournalError("there is no recorded intent".to_owned()))
    }

    fn journalled(&mut self, effect: impl FnOnce(&mut Self) -> Result<Event, JournalError>) -> Event {
        let started = Instant::now();
        let event = effect(self).unwrap_or_else(|error| Event::JournalFailed(error.to_string()));
        self.timing.journal += started.elapsed();
        event
    }

    /// Sends once. Without a recorded intent nothing leaves.
    fn send(&mut self) -> Event {
        if self.intent.is_none() {
            return Event::NotSent(NotSent {
                code: &codes::CONNECT,
                message: "there is no recorded intent".to_owned(),
            });
        }
        self.sent = true;
        let exchanged = self.client.exchange(self.route, &self.request.params, self.deadline);
        self.timing.connect += exchanged.connect;
        self.timing.wait += exchanged.wait;
        let answer = match exchanged.result {
            Err(Failure::NotSent(why)) => return Event::NotSent(why),
            Err(Failure::Lost(doubt)) => return Event::Lost(doubt),
            Ok(answer) => answer,
        };
        match Envelope::read(answer.status, &answer.body) {
            Err(doubt) => Event::Lost(doubt),
            Ok(envelope) => {
                let account = &self.client.account;
                Event::Answered {
                    clock_is_off: answer.date.is_some_and(|date| self.client.clock.learn(date)),
                    verdict: envelope.judge_consume(
                        &self.request.biz_id,
                        &self.request.identity,
                        &account.codes,
                        account.strict_answer,
                    ),
                }
            }
        }
    }
}
