//! What leaves a process meets its fault, and what arrives is handled by the real rules.

use zvpos_core::gateway::{CodeRules, Envelope, Operation};
use zvpos_core::json::{Object, Value};
use zvpos_core::payment::{Entry, Stage};
use zvpos_sandbox::rules::{JsonValue, codes};

use crate::assumption::Off;
use crate::mutant::Mutant;
use crate::network::{Fault, Purpose, Received, Request, path_of};
use crate::plan::Journals;
use crate::process::EPOCH_MS;
use crate::scheduler::Life;
use crate::world::World;

impl World {
    /// What a signed body asks for, and of which sale.
    pub fn request(&self, path: &str, body: &str) -> Request {
        let value = Value::parse(body).ok();
        let object = value.as_ref().and_then(Value::as_object);
        let field = |names: [&str; 2]| {
            let object: &Object<'_> = object?;
            names.into_iter().find_map(|name| object.given(name))
        };
        let action = field(["Action", "action"]).and_then(Value::scalar).unwrap_or_default();
        let is = |operation| {
            let route = self.plan.account.route(operation);
            route.is_some_and(|route| path_of(route) == path && (action.is_empty() || route.action == action))
        };
        let purpose = match () {
            () if is(Operation::Consume) => Purpose::Consume,
            () if is(Operation::Reverse) => Purpose::Reverse,
            () => Purpose::Records,
        };
        let params = field(["Params", "params"]).and_then(Value::as_object);
        let named = params.and_then(|params| params.given("bizId")?.scalar()).unwrap_or_default();
        let own = match purpose {
            Purpose::Consume => named,
            Purpose::Reverse | Purpose::Records => self.journal.own_biz_id(named).unwrap_or(named),
        };
        Request { purpose, biz_id: own.to_owned(), path: path.to_owned(), body: body.to_owned() }
    }

    /// Whether a node is stopped before it asks whether a request may still leave, and until when this thread of it waits:
    /// others of its threads may go on before.
    pub fn is_stopped_before_asking(&mut self, process: usize) -> Option<u64> {
        let stops = self.plan.journals == Journals::Database && self.plan.lost_locks && !self.quiet;
        if !stops || !self.random.per_mille(30) {
            return None;
        }
        if let Some(actor) = self.actors.get_mut(self.running) {
            actor.suspended = true;
        }
        let until = self.suspend(process);
        Some(until + self.random.range(0, 1_000))
    }

    /// Whether a process is stopped between its last look at the clock and a consume's first byte, and until when.
    pub fn is_stopped_before_sending(&mut self, process: usize, request: &Request) -> Option<u64> {
        let stops = request.purpose == Purpose::Consume && self.plan.lost_locks && !self.quiet;
        let stops = stops && self.random.per_mille(150);
        if let Some(actor) = self.actors.get_mut(self.running).filter(|_| stops) {
            actor.suspended = true;
            actor.call.stopped = true;
        }
        stops.then(|| self.suspend(process))
    }

    /// A request leaves: what must hold then, and its way into the network. Gives the exchange's number and when it ends for
    /// the sender.
    pub fn departs(&mut self, life: &Life, request: Request, deadline: u64) -> (u64, u64) {
        let biz_id = request.biz_id.clone();
        let standing = self.journal.find(&biz_id).cloned();
        match request.purpose {
            Purpose::Consume => self.consume_departs(life.process, &biz_id, standing.as_ref()),
            Purpose::Reverse => self.reversal_departs(life.process, &biz_id, standing.as_ref()),
            Purpose::Records => {}
        }
        self.dispatch(life.process, request, deadline)
    }

    fn consume_departs(&mut self, process: usize, biz_id: &str, standing: Option<&Entry>) {
        let Some(sender) = self.processes.get(process) else { return };
        let failed = sender.failed;
        let recorded =
            standing.is_some_and(|entry| entry.stage() == Stage::Sending && sender.has_name(entry.owner()));
        let was_stopped = self.call().is_some_and(|call| call.stopped);
        let is_given_up = standing.is_some_and(|entry| self.is_declared_dead(entry.owner()));
        if self.plan.journals == Journals::Database && (is_given_up || !recorded) {
            if was_stopped {
                self.buried.insert(biz_id.to_owned());
            } else {
                let message = format!("{biz_id} leaves and others have given up on its node");
                self.oracle.broken("L", message);
            }
        }
        let recorded = recorded && !is_given_up;
        if !recorded && self.buried.contains(biz_id) {
            self.counters.count("consumes sent after their process was taken for dead");
            self.oracle.deeds(biz_id).zombie = true;
        } else if !recorded {
            let message = format!("{biz_id} leaves and its intent is not durable");
            self.oracle.broken(if failed { "I5" } else { "I4" }, message);
        }
        if self.voids.contains(biz_id) {
            self.oracle.broken("R", format!("{biz_id} is sent after its void"));
        }
        if let Some(call) = self.call_mut() {
            call.sent += 1;
        }
        if let Some(entry) = standing {
            self.oracle.leaves(biz_id, entry.identity());
        }
    }

    fn reversal_departs(&mut self, process: usize, biz_id: &str, standing: Option<&Entry>) {
        let (failed, promised_until) = self
            .processes
            .get(process)
            .map_or((false, None), |process| (process.failed, process.promised_until.get(biz_id).copied()));
        if standing.is_none_or(|entry| entry.detail().reversal.tries == 0) {
            let message = format!("a reversal of {biz_id} leaves and no try of it is durable");
            self.oracle.broken(if failed { "I5" } else { "I4" }, message);
        }
        let Some(entry) = standing else { return };
        // What was confirmed is asked again when the window is over, and not before.
        let by_itself = self.call().is_some_and(|call| call.biz_id.is_empty() && call.function.is_none());
        let early = promised_until.is_some_and(|until| self.now < until);
        if early && by_itself && entry.stage() == Stage::Reversing {
            let message = format!("{biz_id}: its reversal was confirmed and is sent again at once");
            self.oracle.broken("R", message);
        }
        // Another till's sale is known by nothing but what its till says.
        let known = self.call().is_some_and(|call| call.knew_other_biz_ids);
        let guess = entry.detail().returned_biz_id.is_none();
        self.oracle.deeds(biz_id).blind = guess && (!known || entry.detail().foreign);
        if let Some(call) = self.call_mut() {
            call.reversals += 1;
        }
    }

    /// What the sender gets at the end of its exchange.
    pub fn returns(&mut self, life: &Life, id: u64) -> Received {
        let (purpose, biz_id) = self.wire.purpose(id);
        let received = self.wire.collect(id);
        let process = life.process;
        match &received {
            Received::NotSent(code) => {
                self.say(&format!("P{process}"), || format!("{biz_id} not sent: {}", code.text));
                if purpose == Purpose::Consume {
                    // Nothing left.
                    self.oracle.has_not_left(&biz_id);
                    if let Some(call) = self.call_mut() {
                        call.sent -= 1;
                    }
                }
            }
            Received::Lost(code) => {
                self.say(&format!("P{process}"), || format!("{biz_id} no answer: {}", code.text));
            }
            Received::Answer { status, body } => {
                self.say(&format!("P{process}"), || {
                    format!("{biz_id} answer {status} {}", String::from_utf8_lossy(body))
                });
                let unsigned = Envelope::read(*status, body)
                    .is_ok_and(|envelope| envelope.code() == CodeRules::SIGNATURE);
                if let Some(call) = self.call_mut().filter(|_| purpose == Purpose::Consume) {
                    call.unsigned += u32::from(unsigned);
                }
            }
        }
        received
    }
}

impl World {
    fn dispatch(&mut self, process: usize, request: Request, deadline: u64) -> (u64, u64) {
        let fault = self.draw_fault(&request);
        let (purpose, biz_id) = (request.purpose, request.biz_id.clone());
        if let Some(fault) = fault {
            self.counters.fault(fault.name());
        }
        self.say(&format!("P{process}"), || {
            format!("{biz_id} sends {purpose:?}: {}", fault.map_or("no fault", Fault::name))
        });
        self.counters.count(match purpose {
            Purpose::Consume => "consumes sent",
            Purpose::Reverse => "reversals sent",
            Purpose::Records => "records asked",
        });
        self.wire.send(&mut self.random, fault, request, self.now, deadline, self.plan.late_ms)
    }

    fn draw_fault(&mut self, request: &Request) -> Option<Fault> {
        // What leaves after its process was taken for dead may be the slower for it.
        let zombie = request.purpose == Purpose::Consume && self.oracle.deeds(&request.biz_id).zombie;
        if zombie && self.random.per_mille(500) {
            return Some(Fault::Overtaken);
        }
        if self.quiet {
            return None;
        }
        let away = self.now < self.outage_until
            || (request.purpose == Purpose::Reverse && self.now < self.no_reversal_until);
        if away {
            return Some(self.random.pick(Fault::Refused, &[Fault::Lost, Fault::ConnectHangs]));
        }
        if !self.random.per_mille(self.plan.faulty) {
            return None;
        }
        let at = self.random.index(self.plan.faults.len());
        self.plan.faults.get(at).copied()
    }

    /// The next thing on its way arrives.
    pub fn arrive(&mut self) {
        let Some((id, copy, request, first_acted)) = self.wire.arrive() else { return };
        let biz_id = request.biz_id.as_str();
        // G3: a copy comes to what the first one came to.
        let void = copy > 0
            && !self.copies_act()
            && first_acted != Some(true)
            && self.mutant != Some(Mutant::CopyAfterRefusal);
        if void {
            self.say("network", || format!("{biz_id}: a copy comes to nothing"));
            self.wire.answered(id, copy, None);
            return;
        }
        let consume = request.purpose == Purpose::Consume;
        if copy > 0 && self.copies_act() && consume {
            self.make_forget();
        }
        let reversed_before = self.oracle.deeds(biz_id).reversals > 0;
        let now_unix_ms = i64::try_from(EPOCH_MS + self.now).unwrap_or(i64::MAX);
        let mut answer = self.gateway.handle(now_unix_ms, "POST", &request.path, request.body.as_bytes());
        if request.purpose == Purpose::Records {
            if self.plan.off == Off::Reversible && answer.note.code == codes::SUCCESS {
                // G1 off: by the sent bizId it is not found here either.
                answer.body = not_found();
            }
            let (biz_id, code) = (request.biz_id.clone(), answer.note.code.clone());
            self.say("gateway", || format!("{biz_id} records: {code}"));
            self.wire.answered(id, copy, Some(answer));
            return;
        }
        if self.plan.deaf && !consume && self.oracle.deeds(biz_id).came_late && answer.note.effect != 0 {
            // Its rules have carried it out; what it stands for is a gateway that has not.
            *self.deaf_debts.entry(request.biz_id.clone()).or_default() += 1;
            answer.note.effect = 0;
        }
        let net = self.gateway.ledger(Some(biz_id)).first().map_or(0, |view| view.net)
            + self.deaf_debts.get(biz_id).copied().unwrap_or(0);
        let acted = answer.note.effect;
        let refused = answer.note.code != codes::SUCCESS;
        let deeds = self.oracle.deeds(biz_id);
        deeds.net = net;
        if consume {
            deeds.came_late |= acted > 0 && reversed_before;
            deeds.copied |= copy > 0;
            if copy > 0 && acted > 0 {
                deeds.copies_since_reversal += acted;
            }
            deeds.dirty_refusal |= refused && acted > 0;
        } else {
            // One that was refused for its signature has not been looked at.
            let looked_at = answer.note.rule == "ok" || answer.note.rule.starts_with("reverse.");
            deeds.reversals += u32::from(looked_at);
            deeds.reversal_copied |= looked_at && copy > 0;
            if acted < 0 {
                deeds.copies_since_reversal = 0;
                deeds.dirty_refusal = false;
            }
        }
        let note = &answer.note;
        if consume && acted > 0 && reversed_before {
            self.counters.count("consumes carried out after their reversal");
        }
        if copy > 0 && consume {
            self.counters.count("copies of a consume handled by the rules");
        }
        let line = format!(
            "{biz_id} {:?} copy {copy}: {} {} ({}), S = {net}",
            request.purpose, note.rule, note.code, note.explanation
        );
        self.say("gateway", || line.clone());
        self.wire.answered(id, copy, Some(answer));
        self.oracle.judge(&request.biz_id, &self.journal);
    }

    /// Another till's request makes a gateway with room for one nonce forget the last one, so that a copy is not
    /// refused for its nonce before the rule for a known bizId is asked.
    fn make_forget(&mut self) {
        // It names no sale, so it is refused once its nonce is noted.
        if let Some(request) = self.foreign_request("{\"bizId\": \"\"}", "", 5) {
            let now_unix_ms = i64::try_from(EPOCH_MS + self.now).unwrap_or(i64::MAX);
            self.gateway.handle(now_unix_ms, "POST", &request.path, request.body.as_bytes());
        }
    }
}

/// What a search that finds nothing answers.
fn not_found() -> JsonValue {
    JsonValue::Object(vec![
        ("status", JsonValue::Bare("true".to_owned())),
        ("code", JsonValue::text(codes::NOT_FOUND)),
        ("message", JsonValue::text("")),
    ])
}
