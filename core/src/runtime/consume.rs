//! Carries out a consume: the real effects of its step function.

use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use super::{Client, Shared, response};
use crate::calendar::date;
use crate::gateway::{ConsumeRequest, Doubt, Envelope, NotSent, Operation, Route};
use crate::journal::{Guard, InFlightCall, JournalError, Receipt, Recorded};
use crate::json::{Object, Value};
use crate::money::BizId;
use crate::outcome::{Answer, Problem, Timing, Warning, codes};
use crate::payment::consume::{
    Effect, End, Event, Reply, State, another_request, awaited, step, unless_elsewhere,
};
use crate::payment::quotes::Changed;
use crate::payment::restart::Attempt;
use crate::payment::{Entry, Stage};
use crate::transport::{Ahead, TransportError};

/// How often a caller checks whether the same bizId has ended in another process.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

impl Client {
    /// Takes coupons, balance or both: from the request to the till's answer.
    pub fn consume(&self, given: &Object<'_>) -> Answer {
        let Some(route) = self.account.route(Operation::Consume) else {
            return self.no_route(Operation::Consume);
        };
        let request = self.with_defaults(|defaults| ConsumeRequest::read(given, defaults, self.rules(route)));
        let request = match request {
            Ok(request) => request,
            Err(problems) => return self.unreadable(given, problems),
        };
        let started = self.shared.world.now();
        let mut run = Run {
            client: self,
            route,
            request: &request,
            deadline: started + self.shared.total,
            in_flight_call: None,
            receipt: None,
            ahead: None,
            sent: false,
            changed: Vec::new(),
            timing: Timing::default(),
        };
        // A panic after the send must not become an answer that says that nothing was sent.
        let told = panic::catch_unwind(AssertUnwindSafe(|| match run.elsewhere(given) {
            Ok(Some(told)) => told,
            Ok(None) => run.drive(),
            Err(error) => Reply::Internal { code: error.code, message: error.message },
        }))
        .unwrap_or_else(|_| run.panicked());
        let (mut timing, changed) = (run.timing, std::mem::take(&mut run.changed));
        drop(run);
        timing.total = self.shared.world.now().saturating_duration_since(started);
        let of_another_day = self.of_another_day(&told);
        let answer = response::consume(told, self.shared.lang);
        let answer = if answer.code() == codes::QUOTE_CHANGED.text && !changed.is_empty() {
            answer.with_data(response::quotes_json(&changed))
        } else {
            answer
        };
        let answer = answer
            .with_biz_id(request.biz_id.as_str())
            .with_warnings(request.warnings.iter().cloned())
            .with_warnings(self.clock_warning())
            .with_warnings(of_another_day)
            .with_timing(timing);
        self.log_answer(format_args!("consume {}", request.biz_id), &answer);
        answer
    }
}

impl Client {
    /// Warns if the existing record is of a business day other than today: a till whose numbers restart each day would
    /// take the record for the current sale.
    fn of_another_day(&self, told: &Reply) -> Option<Warning> {
        let Reply::Existing(entry) = told else { return None };
        let days = self.shared.business_days;
        let (recorded, today) = (entry.day(days), days.day_of(self.now().best_unix_ms()));
        (recorded != today).then(|| {
            let message = format!(
                "bizId {} is of the business day {}, and today is {}: nothing was taken now; a new sale needs a new bizId",
                entry.key().biz_id,
                date(recorded),
                date(today)
            );
            Warning::new(&codes::WARN_OTHER_DAY, message)
        })
    }

    /// The answer to an invalid request. If its bizId has a record, it is another request: a corrected request sent
    /// under that bizId would be another sale.
    fn unreadable(&self, given: &Object<'_>, problems: Vec<Problem>) -> Answer {
        let biz_id = given.given("bizId").and_then(Value::scalar).and_then(|text| BizId::new(text).ok());
        let standing = biz_id.and_then(|biz_id| self.shared.journal.find(&self.key(&biz_id)).ok().flatten());
        match standing.as_ref().and_then(another_request) {
            Some(told) => response::consume(told, self.shared.lang).with_errors(problems),
            None => self.invalid(problems),
        }
    }
}

/// A consume that is being carried out.
struct Run<'c> {
    client: &'c Client,
    route: &'c Route,
    request: &'c ConsumeRequest,
    deadline: Instant,
    /// Marks the attempt as running; set before the attempt is recorded.
    in_flight_call: Option<InFlightCall>,
    /// The receipt of the record that allows the next send.
    receipt: Option<Receipt>,
    /// The connection that was begun while the intent was being recorded.
    ahead: Option<Ahead>,
    /// Whether a send has begun.
    sent: bool,
    /// The quotes that do not hold, so that nothing was sent.
    changed: Vec<Changed>,
    timing: Timing,
}

impl Run<'_> {
    /// The reply if the till made the attempt with another journal, or under another account of this journal: such a
    /// call sends nothing.
    fn elsewhere(&self, given: &Object<'_>) -> Result<Option<Reply>, JournalError> {
        let stands_elsewhere = || {
            let (journal, key) = (&self.client.shared.journal, self.client.key(&self.request.biz_id));
            Ok::<_, JournalError>(journal.stands_elsewhere(&key)? && journal.find(&key)?.is_none())
        };
        match self.client.attempt(&self.request.biz_id, given)? {
            Attempt::Elsewhere => {}
            Attempt::Here if stands_elsewhere()? => {}
            Attempt::Here | Attempt::NotSaid => return Ok(None),
        }
        let known = self.client.known(&self.request.biz_id, given)?;
        Ok(unless_elsewhere(&self.request.identity, known))
    }

    fn drive(&mut self) -> Reply {
        let client = self.client;
        let mut intent = Entry::intent(
            client.key(&self.request.biz_id),
            self.request.identity.clone(),
            client.shared.journal.owner().clone(),
            client.on_unknown(),
            client.now().machine_unix_ms,
        )
        .from(self.request.origin.clone());
        if client.account.confirm {
            intent = intent.awaiting_confirmation();
        }
        let mut state = State::New(intent);
        let mut event = Event::Asked { connected: client.is_connected(self.route) };
        loop {
            let (next, effect) = step(state, event);
            state = next;
            event = match effect {
                Effect::Tell(told) => return told,
                Effect::Look(intent) => self.look(&intent),
                Effect::RecordIntent { intent, connect } => {
                    if connect {
                        self.ahead = client.connect_ahead(self.route);
                    }
                    self.record(intent, client.shared.guard)
                }
                Effect::RecordAgain(entry) => self.record(entry, client.shared.guard),
                Effect::Record(entry) => self.record(entry, Guard::Off),
                Effect::AwaitOther(entry) => self.wait_for(entry),
                Effect::Send(record) => self.send(&record),
            };
        }
    }

    fn panicked(&self) -> Reply {
        let message = "a defect of the library was caught; see the log".to_owned();
        if self.sent {
            Reply::Unrecorded(Doubt::new(&codes::PANIC, message))
        } else {
            Reply::Internal { code: &codes::PANIC, message }
        }
    }

    /// The attempt of another sale may end while the records are read: it then looks as if nobody carried it out. So
    /// nothing is told because of a look.
    fn look(&mut self, intent: &Entry) -> Event {
        self.journalled(|run| {
            let Shared { journal, guard, .. } = &*run.client.shared;
            Ok(Event::Looked { free: journal.seems_free(intent, *guard) })
        })
    }

    fn record(&mut self, entry: Entry, guard: Guard) -> Event {
        let entry = self.client.dated(entry);
        self.journalled(|run| {
            // Before the record, so that no recovery treats the attempt as left behind.
            let journal = &run.client.shared.journal;
            let in_flight_call =
                (entry.stage() == Stage::Sending).then(|| journal.in_flight().begin(entry.key()));
            Ok(match journal.record(&entry, guard, run.deadline)? {
                Recorded::Done(receipt) => {
                    run.in_flight_call = in_flight_call.or_else(|| run.in_flight_call.take());
                    run.receipt = Some(receipt);
                    Event::Recorded(entry)
                }
                Recorded::Superseded(standing) => {
                    // This call records the end of its attempt, if no other does.
                    run.in_flight_call = in_flight_call.or_else(|| run.in_flight_call.take());
                    Event::Superseded { written: Box::new(entry), standing }
                }
                Recorded::Existing(entry) => Event::Existing(entry),
                Recorded::InDoubt(entry) => Event::InDoubt(entry),
            })
        })
    }

    /// Waits until the running attempt has ended, its owner has died, or this call's deadline is reached.
    fn wait_for(&mut self, mut entry: Entry) -> Event {
        self.journalled(|run| {
            let (journal, world) = (&run.client.shared.journal, &run.client.shared.world);
            loop {
                let runs = entry.stage() == Stage::Sending && journal.may_be_running(&entry);
                if let Some(event) = awaited(&entry, runs, world.now() >= run.deadline) {
                    return Ok(event);
                }
                world.sleep(LOOK_AGAIN);
                if let Some(found) = journal.find(entry.key())? {
                    entry = found;
                }
            }
        })
    }

    fn journalled(&mut self, effect: impl FnOnce(&mut Self) -> Result<Event, JournalError>) -> Event {
        let world = &self.client.shared.world;
        let started = world.now();
        let event = effect(self)
            .unwrap_or_else(|error| Event::JournalFailed { code: error.code, message: error.message });
        self.timing.journal += world.now().saturating_duration_since(started);
        event
    }

    /// Sends once. Without a receipt of the record nothing is sent.
    fn send(&mut self, record: &Entry) -> Event {
        let ended = |end| Event::Ended { end, clock_is_off: false };
        let Some(receipt) = self.receipt.take() else {
            let message = "there is no recorded intent".to_owned();
            return ended(End::NotSent(NotSent { code: &codes::CONNECT, message }));
        };
        let client = self.client;
        // With the intent on disk: another call with this bizId waits for what this one tells. What was sent once was priced.
        if !self.sent {
            match client.changed_quotes(self.request, self.deadline) {
                Err(why) => return ended(End::NotSent(why)),
                Ok(changed) if changed.is_empty() => {}
                Ok(changed) => {
                    let message = response::quotes_message(&changed);
                    self.changed = changed;
                    return ended(End::NotSent(NotSent { code: &codes::QUOTE_CHANGED, message }));
                }
            }
        }
        self.sent = true;
        let request = (self.route, &self.request.params);
        let exchanged = client.post_money(receipt, record, request, self.deadline, self.ahead.take());
        self.timing.connect += exchanged.connect;
        self.timing.wait += exchanged.wait;
        let answer = match exchanged.result {
            Err(TransportError::NotSent(why)) => return ended(End::NotSent(why)),
            Err(TransportError::Lost(doubt)) => return ended(End::Lost(doubt)),
            Ok(answer) => answer,
        };
        let password = self.request.pay_password.as_deref().map(String::as_str);
        let secrets = [client.account.credentials.secret()].into_iter().chain(password);
        match Envelope::read(answer.status, &answer.body).map(|envelope| envelope.hiding(secrets.clone())) {
            Err(doubt) => ended(End::Lost(doubt.hiding(secrets))),
            Ok(envelope) => {
                let verdict = envelope.judge_consume(
                    &self.request.biz_id,
                    &self.request.identity,
                    &client.account.codes,
                    client.account.strict_answer,
                    &client.of_another_sale(record.key()),
                );
                Event::Ended { clock_is_off: client.learn(&answer), end: End::Answered(verdict) }
            }
        }
    }
}
