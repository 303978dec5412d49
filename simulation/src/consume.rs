//! One `zv_consume_json`: the library's own step function, its effects simulated, as `client::consume` carries them out.

use zvpos_core::client::{tell_consume, tell_stands};
use zvpos_core::gateway::{
    CodeRules, ConsumeRequest, Doubt, Envelope, NotSent, Operation, Params, Refusal, RequestRules, Route,
    Verdict,
};
use zvpos_core::journal::{Guard, Receipt, Recorded};
use zvpos_core::json::{Object, Value};
use zvpos_core::money::BizId;
use zvpos_core::outcome::{Lang, Outcome, codes};
use zvpos_core::shape::Unknown;
use zvpos_core::transaction::consume::{Effect, End, Event, State, Told, step, unless_elsewhere};
use zvpos_core::transaction::restart::{Attempt, known};
use zvpos_core::transaction::{Entry, Key, Stage};

use crate::actor::Progress;
use crate::assumption::Deeds;
use crate::mutant::Mutant;
use crate::network::{Purpose, Received, Request, path_of};
use crate::sale::Sale;
use crate::world::World;

/// See the module's words.
#[derive(Debug)]
pub struct ConsumeCall {
    request: ConsumeRequest,
    deadline: u64,
    state: Option<State>,
    next: Next,
    receipt: Option<Receipt>,
    /// An intent of this call stands as Sending.
    holds: bool,
    sent: u32,
    /// A mutant has sent it again.
    again: bool,
    /// Sends that the gateway refused for their signature: these have no effect.
    unsigned: u32,
    /// What the gateway had done when the journal was last asked.
    then: Deeds,
}

#[derive(Debug)]
enum Next {
    Do(Effect),
    Await(u64),
    Poll(Entry),
}

impl World {
    /// What a bizId is known by.
    pub fn key(&self, biz_id: &BizId) -> Key {
        Key {
            open_id: self.plan.account.credentials.open_id().to_owned(),
            endpoint: self.plan.account.endpoint(),
            biz_id: biz_id.clone(),
        }
    }
}

impl ConsumeCall {
    /// A call for that sale, or for another request under its bizId; `None` if the library refuses it.
    pub fn new(
        world: &World,
        process: usize,
        sale: &Sale,
        other: bool,
        deadline: u64,
    ) -> Option<ConsumeCall> {
        let text = if other { &sale.other } else { &sale.request };
        let value = Value::parse(text).ok()?;
        let rules = RequestRules {
            unknown: Unknown::Refuse,
            password_over_http: false,
            plain_http: true,
            numbers: false,
        };
        let request = ConsumeRequest::read(value.as_object()?, &Object::default(), rules).ok()?;
        let process = world.processes.get(process)?;
        let mut intent = Entry::intent(
            world.key(&request.biz_id),
            request.identity.clone(),
            process.owner.clone(),
            world.plan.account.on_unknown,
            process.wall_ms(world.now),
        );
        if world.plan.account.confirm {
            intent = intent.awaiting_confirmation();
        }
        let (state, effect) = match world.attempt(sale) {
            // As `Run::elsewhere`: such a call sends nothing.
            Attempt::Elsewhere => {
                let standing = world.journal.find(request.biz_id.as_str()).cloned();
                match unless_elsewhere(&request.identity, known(standing, Attempt::Elsewhere, false)) {
                    Some(told) => (State::Done, Effect::Tell(told)),
                    None => step(State::New(intent), Event::Asked),
                }
            }
            Attempt::Here | Attempt::NotSaid => step(State::New(intent), Event::Asked),
        };
        Some(ConsumeCall {
            request,
            deadline,
            state: Some(state),
            next: Next::Do(effect),
            receipt: None,
            holds: false,
            sent: 0,
            again: false,
            unsigned: 0,
            then: Deeds::default(),
        })
    }

    fn biz_id(&self) -> &str {
        self.request.biz_id.as_str()
    }
}

impl World {
    /// One effect of a consume.
    pub fn consume_effect(&mut self, process: usize, call: &mut ConsumeCall) -> Progress {
        // What stands in for it is never looked at.
        let idle = Next::Await(u64::MAX);
        match std::mem::replace(&mut call.next, idle) {
            Next::Do(Effect::RecordIntent(entry) | Effect::RecordAgain(entry)) => {
                self.record_for(process, call, entry, self.plan.guard)
            }
            Next::Do(Effect::Record(entry)) => self.record_for(process, call, entry, Guard::Off),
            Next::Do(Effect::AwaitOther(entry)) | Next::Poll(entry) => self.poll(process, call, entry),
            Next::Do(Effect::Send) => self.send_consume(process, call),
            Next::Do(Effect::Tell(told)) => self.tell_consume(process, call, told),
            Next::Await(id) => {
                let event = self.receive_consume(process, call, id);
                self.feed(call, event)
            }
        }
    }

    fn feed(&mut self, call: &mut ConsumeCall, event: Event) -> Progress {
        let event = match (self.mutant, event) {
            (Some(Mutant::UnknownSentAgain), Event::Ended { end: End::Lost(_), .. }) if !call.again => {
                call.again = true;
                call.receipt = call.receipt.take().or_else(|| self.durable_receipt(call));
                call.next = Next::Do(Effect::Send);
                return Progress::At(self.soon());
            }
            // What the second attempt does not take for proof stays in doubt, as a naive retry would have it.
            (Some(Mutant::UnknownSentAgain), Event::Ended { end, clock_is_off })
                if call.again && !matches!(end, End::Answered(Verdict::Accepted(_))) =>
            {
                let doubt = Doubt::new(&codes::LOST, "sent twice");
                Event::Ended { end: End::Lost(doubt), clock_is_off }
            }
            (Some(Mutant::LostAsDeclined), Event::Ended { end: End::Lost(doubt), clock_is_off }) => {
                let refusal = Refusal { code: doubt.code, message: doubt.message, warnings: Vec::new() };
                Event::Ended { end: End::Answered(Verdict::Refused(refusal)), clock_is_off }
            }
            (Some(Mutant::LostAsNotSent), Event::Ended { end: End::Lost(doubt), clock_is_off }) => {
                let end = End::NotSent(NotSent { code: doubt.kind, message: doubt.message });
                Event::Ended { end, clock_is_off }
            }
            (Some(Mutant::DeclinedIsFree), Event::Stands(entry))
                if entry.stage() == Stage::Declined && *entry.identity() != call.request.identity =>
            {
                Event::Stands(as_free(&entry))
            }
            (_, event) => event,
        };
        if let Some(state) = call.state.take() {
            let forgets = self.mutant == Some(Mutant::ReopenForgotten)
                && matches!(
                    &state,
                    State::Concluding { end: End::Lost(_) | End::Answered(Verdict::Doubt(_)) }
                );
            let (state, effect) = match event {
                Event::Stands(entry) if forgets && entry.stage() != Stage::Sending => {
                    (State::Done, Effect::Tell(Told::Stands(entry)))
                }
                event => step(state, event),
            };
            if let Effect::Record(entry) = &effect
                && entry.detail().reopened > 0
                && entry.stage() != Stage::Succeeded
            {
                self.figures.count("re-opened");
                self.reversing_since.insert(entry.key().biz_id.to_string(), self.now);
            }
            call.state = Some(state);
            call.next = Next::Do(effect);
        }
        Progress::At(self.soon())
    }

    fn durable_receipt(&self, call: &ConsumeCall) -> Option<Receipt> {
        self.journal.find(call.biz_id()).map(Receipt::of)
    }

    fn record_for(&mut self, process: usize, call: &mut ConsumeCall, entry: Entry, guard: Guard) -> Progress {
        let Some(recorded) = self.record(process, &entry, guard) else { return Progress::Died };
        call.then = self.oracle.deeds(call.request.biz_id.as_str()).clone();
        let event = match recorded {
            Ok(Recorded::Done(receipt)) => {
                call.receipt = Some(receipt);
                if entry.stage() == Stage::Sending && !call.holds {
                    call.holds = true;
                    if let Some(process) = self.processes.get_mut(process) {
                        process.begins(call.biz_id());
                    }
                }
                // Just before it would have been sent.
                if entry.stage() == Stage::Sending && self.plan.lost_locks && self.random.per_mille(150) {
                    let until = self.suspend(process);
                    self.feed(call, Event::Recorded(entry));
                    return Progress::At(until);
                }
                Event::Recorded(entry)
            }
            Ok(Recorded::Stands(entry)) => Event::Stands(entry),
            Ok(Recorded::InDoubt(entry)) => Event::InDoubt(entry),
            Err(error) => Event::JournalFailed { code: error.code, message: error.message },
        };
        self.feed(call, event)
    }

    fn poll(&mut self, process: usize, call: &mut ConsumeCall, entry: Entry) -> Progress {
        call.then = self.oracle.deeds(call.request.biz_id.as_str()).clone();
        let entry = self.journal.find(call.biz_id()).cloned().unwrap_or(entry);
        if entry.stage() != Stage::Sending {
            return self.feed(call, Event::Stands(entry));
        }
        if !self.may_be_running(process, &entry) {
            self.judge_burial(&entry);
            return self.feed(call, Event::OwnerDied(entry));
        }
        if self.now >= call.deadline {
            return self.feed(call, Event::WaitedInVain);
        }
        call.next = Next::Poll(entry);
        Progress::At(self.now + self.random.range(10, 200))
    }

    fn send_consume(&mut self, process: usize, call: &mut ConsumeCall) -> Progress {
        let durable = self.journal.find(call.biz_id());
        let owner = self.processes.get(process).map(|process| process.owner.clone());
        let recorded = durable
            .is_some_and(|entry| entry.stage() == Stage::Sending && Some(entry.owner()) == owner.as_ref());
        if call.receipt.take().is_none() {
            self.oracle.broken("I4", format!("{} is sent without a receipt", call.biz_id()));
        }
        let now = self.now;
        let buried = self.processes.get(process).is_some_and(|process| !process.seems_alive(now));
        if !recorded && buried {
            self.figures.count("consumes sent after their process was taken for dead");
            self.oracle.deeds(call.request.biz_id.as_str()).zombie = true;
        }
        if self.voids.contains(call.biz_id()) {
            self.oracle.broken("R", format!("{} is sent after its void", call.biz_id()));
        }
        if !recorded && !buried {
            let failed = self.processes.get(process).is_some_and(|process| process.failed);
            let message = format!("{} leaves and its intent is not durable", call.biz_id());
            self.oracle.broken(if failed { "I5" } else { "I4" }, message);
        }
        call.sent += 1;
        self.oracle.leaves(call.request.biz_id.as_str(), &call.request.identity);
        let Some(route) = self.plan.account.route(Operation::Consume).cloned() else {
            return Progress::Ended;
        };
        let request = self.signed(process, &route, &call.request.params, Purpose::Consume, call.biz_id());
        let (id, ends_at) = self.dispatch(process, request, call.deadline);
        call.next = Next::Await(id);
        Progress::At(ends_at)
    }

    /// Signs now, as `Client::exchange` does.
    pub fn signed(
        &mut self,
        process: usize,
        route: &Route,
        params: &Params,
        purpose: Purpose,
        biz_id: &str,
    ) -> Request {
        let nonce = u32::try_from(self.random.range(1, 999_999_999)).unwrap_or(1);
        let seconds = self.processes.get(process).map_or(0, |process| process.signing_seconds(self.now));
        let account = &self.plan.account;
        let body = params.sign(route, &account.credentials, account.sign_names, seconds, nonce);
        Request { purpose, biz_id: biz_id.to_owned(), path: path_of(route), body: body.to_string() }
    }

    fn receive_consume(&mut self, process: usize, call: &mut ConsumeCall, id: u64) -> Event {
        let ended = |end| Event::Ended { end, clock_is_off: false };
        let (status, body) = match self.wire.collect(id) {
            Received::NotSent(code) => {
                self.say(&format!("P{process}"), || format!("{} not sent: {}", call.biz_id(), code.text));
                // Nothing left.
                call.sent -= 1;
                self.oracle.has_not_left(call.request.biz_id.as_str());
                return ended(End::NotSent(NotSent { code, message: "simulated".to_owned() }));
            }
            Received::Lost(code) => {
                self.say(&format!("P{process}"), || format!("{} no answer: {}", call.biz_id(), code.text));
                return ended(End::Lost(Doubt::new(code, "simulated")));
            }
            Received::Answer { status, body } => (status, body),
        };
        self.say(&format!("P{process}"), || {
            format!("{} answer {status} {}", call.biz_id(), String::from_utf8_lossy(&body))
        });
        let envelope = match Envelope::read(status, &body) {
            Ok(envelope) => envelope,
            Err(doubt) => return ended(End::Lost(doubt)),
        };
        call.unsigned += u32::from(envelope.code() == CodeRules::SIGNATURE);
        let now = self.now;
        let clock_is_off = self.processes.get_mut(process).is_some_and(|process| process.learn(now));
        let account = &self.plan.account;
        let verdict = envelope.judge_consume(
            &call.request.biz_id,
            &call.request.identity,
            &account.codes,
            account.strict_answer,
            &|named| {
                self.mutant != Some(Mutant::NamedAnswerBelieved)
                    && self.journal.is_another_sales(call.request.biz_id.as_str(), named)
            },
        );
        Event::Ended { clock_is_off, end: End::Answered(verdict) }
    }

    fn tell_consume(&mut self, process: usize, call: &mut ConsumeCall, told: Told) -> Progress {
        let biz_id = call.biz_id().to_owned();
        let failed = self.processes.get(process).is_some_and(|process| process.failed);
        if let Told::Ended(entry) | Told::Stands(entry) | Told::Conflict(entry) = &told
            && !self.journal.was_durable(&biz_id, entry.revision(), entry.stage())
        {
            let message = format!("{biz_id} is told {}, which is not durable", entry.stage().as_str());
            self.oracle.broken(if failed { "I5" } else { "I4" }, message);
        }
        let unproven = matches!(&told, Told::Ended(entry)
            if entry.detail().doubt.as_deref() == Some(codes::UNPROVEN.text) && entry.stage().is_unsettled());
        let nothing_sent = matches!(
            told,
            Told::Conflict(_)
                | Told::NewBizId(_)
                | Told::OtherJournal(_)
                | Told::Busy
                | Told::InDoubt(_)
                | Told::Internal { .. }
        );
        if nothing_sent && call.sent > call.unsigned {
            self.oracle.broken("I3", format!("{biz_id} is told that nothing was sent: {told:?}"));
        }
        if let Told::InDoubt(other) = &told
            && (self.refunds.contains(other.key().biz_id.as_str()) || other.promise_refused())
        {
            let message = format!("{biz_id} is held back by {}, which takes nothing", other.key().biz_id);
            self.oracle.broken("R", message);
        }
        if matches!(told, Told::Unrecorded(_)) {
            self.oracle.deeds(&biz_id).zombie_lost = true;
        }
        if let Told::Ended(entry) | Told::Stands(entry) = &told {
            let entry = entry.clone();
            let answer = tell_stands(&self.as_told(&entry), Lang::En);
            self.judge_words(process, &answer, &entry);
        }
        let mut outcome = tell_consume(told, Lang::En).outcome();
        if unproven && self.mutant == Some(Mutant::UnprovenAsSucceeded) {
            outcome = Outcome::Succeeded;
        }
        self.told(process, &biz_id, outcome, &call.then);
        if call.holds
            && let Some(process) = self.processes.get_mut(process)
        {
            process.ends(&biz_id);
        }
        if outcome == Outcome::Unknown {
            self.nudge(process);
        }
        Progress::Ended
    }
}

/// A refusal as if no byte had left.
fn as_free(entry: &Entry) -> Entry {
    Entry::restore(
        entry.key().clone(),
        entry.identity().clone(),
        Stage::NotSent,
        entry.revision(),
        1,
        entry.owner().clone(),
        entry.on_unknown(),
        entry.created_unix_ms(),
        entry.detail().clone(),
    )
}
