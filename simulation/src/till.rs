//! A host's threads: each starts the library or calls it as a till does, from JSON text to answer, and what it is told is
//! compared with what the gateway did.

use std::sync::Arc;
use std::time::Duration;

use zvpos_core::api::Library;
use zvpos_core::config::Config;
use zvpos_core::journal::{Backend, Journal, JournalError, Location};
use zvpos_core::json::Value;
use zvpos_core::log::{Level, Log, Sink};
use zvpos_core::outcome::{Answer, Next, Outcome, codes};
use zvpos_core::payment::Stage;

use crate::actor::{Call, Function, Role};
use crate::database;
use crate::machine::Machine;
use crate::mutant::Mutant;
use crate::plan::Journals;
use crate::scheduler::Life;
use crate::store::Store;
use crate::workload::Sale;
use crate::world::World;

/// What a till does next.
struct Job {
    function: Function,
    biz_id: String,
    request: String,
}

/// How long a start waits for the journal.
const OPENING: Duration = Duration::from_secs(3);

/// The first thread of a host: it starts the library, then the others, and then is one of them.
pub fn start(life: &Life) {
    let (config, owner, total_ms, traced, late_at, journals) = {
        let mut world = life.world();
        let config = world.plan.config(world.codes_are_told()).to_owned();
        let owner = world.processes.get(life.process).map(|process| process.owner.clone());
        // Now and then another program holds the journal at the start.
        let held = !world.quiet && world.plan.bad_writes > 0 && world.random.per_mille(100);
        let late_at = if held { world.now + world.random.range(0, 20_000) } else { 0 };
        (config, owner, world.plan.total_ms, world.is_traced(), late_at, world.plan.journals)
    };
    let (Ok(value), Some(owner)) = (Value::parse(&config), owner) else { return };
    let Ok(config) = Config::read(&value) else {
        return life.world().oracle.broken("config", format!("is refused: {config}"));
    };
    let own = life.clone();
    let open = move |until| {
        let now = own.world().now;
        if now < late_at {
            return Err(JournalError::new(&codes::JOURNAL_LOCKED, "simulated: held at the start"));
        }
        let place = Location::at("simulated".into());
        let backend: Arc<dyn Backend> = match journals {
            Journals::File => Arc::new(Store::new(own.clone(), owner.clone(), total_ms)),
            Journals::Database => database::join(&own, until)?,
        };
        Ok((backend, place))
    };
    let sinks: Vec<Arc<dyn Sink>> = if traced { vec![Arc::new(Trace(life.clone()))] } else { Vec::new() };
    let until = life.world().instant(life.process) + OPENING;
    let journal = Journal::open(open, until);
    let machine = Arc::new(Machine(life.clone()));
    let library = Arc::new(Library::over(machine, journal, Log::new(sinks, Vec::new()), config));
    let mut world = life.world();
    if let Some(process) = world.processes.get_mut(life.process) {
        process.library = Some(Arc::clone(&library));
    }
    for _ in 1..world.plan.tills {
        let library = Arc::clone(&library);
        life.spawn(&mut world, Role::Till(life.process), move |life| work(life, &library));
    }
    drop(world);
    work(life, &library);
}

fn work(life: &Life, library: &Library) {
    loop {
        let Some(job) = life.world().draw_job() else {
            let until = life.world().idle_until();
            life.pause_until(until);
            continue;
        };
        let (function, biz_id) = (job.function, job.biz_id.clone());
        let then = life.world().oracle.deeds(&biz_id).clone();
        let started = life.world().now;
        life.call(|call| *call = Call { function, biz_id, started, then, ..Call::default() });
        let request = job.request.as_str();
        let answer = match function {
            Function::None => return,
            Function::Consume => library.consume(request),
            Function::Reverse => library.reverse(request),
            Function::LookUp => library.look_up(request),
            Function::Confirm => library.confirm(request),
            Function::Recover => library.recover(None),
            Function::Settle => library.settle(request),
        };
        life.world().answered(life.process, &answer);
        // The host reads it and frees it.
        if let Some(number) = answer.delivery() {
            library.delivered(number);
        }
        life.call(|call| *call = Call::default());
        let until = life.world().idle_until();
        life.pause_until(until);
    }
}

/// The library's log, as part of the trace.
struct Trace(Life);

impl Sink for Trace {
    fn max_level(&self) -> Level {
        Level::Debug
    }

    fn write(&self, _: Level, line: &str) {
        self.0.scheduler.lock().say(&format!("P{} log", self.0.process), || line.to_owned());
    }
}

impl World {
    fn idle_until(&mut self) -> u64 {
        if self.quiet {
            return u64::MAX;
        }
        let longest = if self.plan.long { 1_200_000 } else { 4_000 };
        self.now + self.random.range(1, longest)
    }

    /// How many sales may have been begun by now. Those of nodes come over the whole time: leases end, and windows, while
    /// there are still new ones.
    fn sales_by_now(&self) -> usize {
        let all = self.plan.sales;
        match self.plan.journals {
            Journals::File => all,
            Journals::Database => {
                let part =
                    u64::try_from(all).unwrap_or(u64::MAX).saturating_mul(self.now) / self.plan.busy_ms;
                all.min(2 + usize::try_from(part).unwrap_or(all))
            }
        }
    }

    fn draw_job(&mut self) -> Option<Job> {
        if self.quiet {
            return None;
        }
        let job = self.random.below(1000);
        if (970..1000).contains(&job) {
            return self.settle_job();
        }
        let sale = match job {
            0..450 if self.sales.len() < self.sales_by_now() => {
                let sale = Sale::draw(&mut self.random, self.sales.len(), false);
                self.sales.push(sale.clone());
                Some(sale)
            }
            // Mostly the last ones, so that calls for one sale meet.
            _ => {
                let back = self.random.pick(1, &[1, 1, 2, 3, 100]);
                let back = 1 + self.random.index(back.min(self.sales.len().max(1)));
                self.sales.len().checked_sub(back).and_then(|at| self.sales.get(at).cloned())
            }
        }?;
        Some(match job {
            // A bizId is unique over all tills: another till's is never consumed here.
            0..700 if !sale.foreign => {
                // On the till's disk before the call.
                let journal = self.stored_journal(&sale.biz_id);
                let text = if job >= 650 { &sale.other } else { &sale.request };
                let fields = text.trim_start_matches('{');
                let request = format!("{{\"journal_id\": \"{journal}\", {fields}");
                Job { function: Function::Consume, biz_id: sale.biz_id, request }
            }
            0..870 if !(self.plan.account.confirm && job >= 800) => self.reverse_job(&sale),
            0..900 if self.plan.account.confirm && job >= 800 => {
                let request = format!("{{\"bizId\": \"{}\"}}", sale.biz_id);
                Job { function: Function::Confirm, biz_id: sale.biz_id, request }
            }
            870..900 => Job { function: Function::Recover, biz_id: String::new(), request: String::new() },
            _ => {
                let stored = sale.journal.map(|id| format!(", \"journal_id\": \"{id}\""));
                let request = format!("{{\"bizId\": \"{}\"{}}}", sale.biz_id, stored.unwrap_or_default());
                Job { function: Function::LookUp, biz_id: sale.biz_id, request }
            }
        })
    }

    fn reverse_job(&mut self, sale: &Sale) -> Job {
        let biz_id = sale.biz_id.clone();
        self.asked.insert(biz_id.clone());
        // What another till's answer carried is only known where that till says so.
        let ledger = self.gateway.ledger(Some(&biz_id));
        let returned = ledger.first().filter(|_| sale.foreign).map(|view| {
            let (returned, customer, amount) = (&view.returned_biz_id, sale.customer, &sale.amount);
            format!(", \"returnedBizId\": \"{returned}\", \"customerId\": \"{customer}\", \"amount\": \"{amount}\"")
        });
        let request = format!("{{\"bizId\": \"{biz_id}\"{}}}", returned.unwrap_or_default());
        Job { function: Function::Reverse, biz_id, request }
    }

    /// A person looks into the gateway's records and says how it is. One who waits until nothing is on its way: a word
    /// about what is still moving would be nobody's knowledge.
    fn settle_job(&mut self) -> Option<Job> {
        let hasty = self.mutant == Some(Mutant::HastyPerson);
        let open: Vec<String> = self
            .journal
            .all()
            .filter(|entry| {
                let biz_id = entry.key().biz_id.as_str();
                // A person may also find that the sale stands while it is still being undone.
                let stands = entry.stage() == Stage::Reversing && self.oracle.net(biz_id) == 1;
                (stands || matches!(entry.stage(), Stage::Refused | Stage::Unproven | Stage::Unknown))
                    && !(0..self.processes.len()).any(|process| self.carries_out(process, biz_id))
                    && (hasty || !self.wire.is_under_way(biz_id))
            })
            .map(|entry| entry.key().biz_id.to_string())
            .collect();
        let biz_id = open.get(self.random.index(open.len()))?.clone();
        // What was taken twice, or given back twice, is for the vendor to correct.
        let kept = match self.oracle.net(&biz_id) {
            0 => "undone",
            1 => "kept",
            _ => return None,
        };
        let request = format!(
            "{{\"bizId\": \"{biz_id}\", \"as\": \"{kept}\", \"by\": \"person\", \"reason\": \"looked\"}}"
        );
        Some(Job { function: Function::Settle, biz_id, request })
    }

    /// The identity of the journal, as the till has stored it before the first attempt.
    fn stored_journal(&mut self, biz_id: &str) -> String {
        let now = self.journal_id.to_string();
        let stored = self.sales.iter_mut().find(|stored| stored.biz_id == biz_id);
        stored.map_or_else(|| now.clone(), |stored| stored.journal.get_or_insert(now.clone()).clone())
    }

    /// The till has its answer: every word of it is judged.
    fn answered(&mut self, process: usize, answer: &Answer) {
        let Some(call) = self.call_mut().map(std::mem::take) else { return };
        if answer.code() == codes::PANIC.text {
            self.oracle.broken("panic", format!("{}: {}", call.biz_id, answer.message()));
        }
        match call.function {
            Function::Recover => self.counters.count("zv_recover_json"),
            Function::Settle if answer.outcome() == Outcome::Succeeded => {
                self.counters.count("settled by a person");
            }
            Function::Settle | Function::None => {}
            Function::Consume | Function::Reverse | Function::LookUp | Function::Confirm => {
                self.judge_answer(process, &call, answer);
                if call.sent > 0 && answer.code() == codes::JOURNAL.text {
                    self.note_left(process, &call.biz_id);
                }
                self.told(process, &call.biz_id, answer.outcome(), &call.then);
            }
        }
    }

    fn judge_answer(&mut self, process: usize, call: &Call, answer: &Answer) {
        let biz_id = call.biz_id.as_str();
        let failed = self.processes.get(process).is_some_and(|process| process.failed);
        let said = format!("{biz_id} is told {} {}", answer.outcome().as_str(), answer.code());
        let durable: &[Stage] = match answer.outcome() {
            Outcome::Succeeded => &[Stage::Succeeded, Stage::Kept],
            Outcome::Declined => &[Stage::Declined],
            Outcome::Reversed => &[Stage::Reversed, Stage::Undone],
            _ => &[],
        };
        if !durable.is_empty() && !self.journal.ever_stood(biz_id, durable) {
            self.oracle.broken(if failed { "I5" } else { "I4" }, format!("{said}, which was never durable"));
        }
        let others = [&codes::BUSY, &codes::IN_DOUBT, &codes::NEW_BIZID, &codes::OTHER_JOURNAL];
        let claims_nothing_sent = others.iter().any(|code| code.text == answer.code())
            || matches!(answer.outcome(), Outcome::Conflict | Outcome::Invalid | Outcome::Internal);
        if call.function == Function::Consume && claims_nothing_sent && call.sent > call.unsigned {
            self.oracle.broken("I3", format!("{said}, and the request had left"));
        }
        if call.function == Function::Reverse && answer.outcome() == Outcome::Internal && call.reversals > 0 {
            self.oracle.broken("I3", format!("{said}, and a reversal had left"));
        }
        if answer.outcome() == Outcome::Invalid && call.function == Function::Consume {
            self.oracle.broken("I3", format!("{said}: {}", answer.message()));
        }
        if answer.code() == codes::IN_DOUBT.text {
            self.judge_guard(biz_id, answer);
        }
        self.judge_tender(call, answer);
        self.judge_words(process, call, answer);
    }

    /// A customer who was sent to another tender has paid in another way: nothing may complete that sale any more.
    fn judge_tender(&mut self, call: &Call, answer: &Answer) {
        let biz_id = call.biz_id.as_str();
        let is_known = matches!(answer.outcome(), Outcome::Unknown | Outcome::Succeeded)
            && ![&codes::BUSY, &codes::OTHER_JOURNAL, &codes::JOURNAL]
                .iter()
                .any(|code| code.text == answer.code());
        // An intent whose end was read and could not be confirmed in time: no more may be told of it than that it began.
        let is_intent_only = self.plan.journals == Journals::Database
            && recorded(answer, "stage").as_deref() == Some(Stage::Sending.as_str());
        if !is_known || is_intent_only || call.function == Function::Reverse || self.refunds.contains(biz_id)
        {
            return;
        }
        let stays = answer.outcome() == Outcome::Unknown && answer.next() == Next::OtherTender;
        if stays {
            self.sent_away.insert(biz_id.to_owned());
        } else if match self.plan.journals {
            Journals::File => self.sent_away.contains(biz_id),
            // The answer of a database takes a while, and says how it was.
            Journals::Database => call.was_sent_away,
        } {
            let (outcome, next) = (answer.outcome().as_str(), answer.next().as_str());
            let message = format!("{biz_id} was sent to another tender and is told {outcome}, next {next}");
            self.oracle.broken("R", message);
        }
    }

    /// Only what may take money holds another sale back.
    fn judge_guard(&mut self, biz_id: &str, answer: &Answer) {
        let Some(other) = recorded(answer, "bizId") else { return };
        let other = other.as_str();
        // The answer of a database takes a while, and says how it was.
        let stands = self.journal.find(other).map(|entry| entry.stage().as_str());
        if self.plan.journals == Journals::Database && stands != recorded(answer, "stage").as_deref() {
            return;
        }
        let promised = self.journal.find(other).is_some_and(zvpos_core::payment::Entry::promise_refused);
        if self.refunds.contains(other) || promised {
            self.oracle.broken("R", format!("{biz_id} is held back by {other}, which takes nothing"));
        }
    }

    /// The words of a refund are a refund's, and those of a confirmed undoing never change their mind.
    fn judge_words(&mut self, process: usize, call: &Call, answer: &Answer) {
        let Some(entry) = &call.seen else { return };
        let biz_id = call.biz_id.as_str();
        let refund = match self.plan.journals {
            Journals::File => self.refunds.contains(biz_id),
            Journals::Database => call.was_refund,
        };
        let about_it = match call.function {
            Function::Reverse => true,
            Function::Consume | Function::LookUp => {
                matches!(answer.outcome(), Outcome::Unknown | Outcome::Reversed | Outcome::Succeeded)
                    && ![&codes::BUSY, &codes::OTHER_JOURNAL].iter().any(|code| code.text == answer.code())
            }
            _ => false,
        };
        let wanted = match (refund, entry.stage()) {
            _ if !about_it => return,
            (true, Stage::Reversed) => Next::Refunded,
            (true, Stage::Reversing) => Next::RefundPending,
            (true, Stage::Kept) if answer.outcome() == Outcome::Conflict => Next::RefundRefused,
            (false, _) if entry.promise_refused() && answer.outcome() == Outcome::Unknown => {
                Next::OtherTender
            }
            _ => return,
        };
        if answer.next() != wanted {
            let (next, wanted) = (answer.next().as_str(), wanted.as_str());
            self.say(&format!("P{process}"), || format!("{biz_id} next {next}"));
            self.oracle.broken("R", format!("{biz_id} is told next {next}, not {wanted}"));
        }
    }

    fn told(&mut self, process: usize, biz_id: &str, outcome: Outcome, then: &crate::assumption::Deeds) {
        self.counters.count(match outcome {
            Outcome::Succeeded => "told succeeded",
            Outcome::Declined => "told declined",
            Outcome::Invalid => "told invalid",
            Outcome::NotSent => "told not_sent",
            Outcome::Unknown => "told unknown",
            Outcome::Internal => "told internal",
            Outcome::Reversed => "told reversed",
            Outcome::Conflict => "told conflict",
            Outcome::Running => "told running",
        });
        let failed = self.processes.get(process).is_some_and(|process| process.failed);
        let net = self.oracle.net(biz_id);
        self.say(&format!("P{process}"), || format!("{biz_id} TOLD {} (S = {net})", outcome.as_str()));
        self.oracle.told(biz_id, outcome, then, failed);
    }
}

/// A field of the entry that an answer shows.
fn recorded(answer: &Answer, name: &str) -> Option<String> {
    let json = answer.to_json();
    let value = Value::parse(&json).ok()?;
    let entry = value.as_object()?.given("recorded")?.as_object()?;
    entry.given(name)?.scalar().map(str::to_owned)
}
