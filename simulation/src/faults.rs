//! What befalls the machines and the network as a whole, and the person who settles what nobody else can.

use zvpos_core::gateway::{Operation, Params};
use zvpos_core::json::Value;

use crate::mutant::Mutant;
use crate::network::{Purpose, Request, path_of};
use crate::plan::Journals;
use crate::process::EPOCH_MS;
use crate::workload::Sale;
use crate::world::World;

const DAY_MS: i64 = 86_400_000;

impl World {
    /// One stroke of fault; gives when the next one comes.
    pub fn machine_fault(&mut self) -> u64 {
        if self.quiet {
            return u64::MAX;
        }
        for process in 0..self.processes.len() {
            let starts =
                self.processes.get(process).is_some_and(|dead| !dead.alive && dead.starts_at <= self.now);
            if starts {
                self.start(process);
            }
        }
        let process = self.random.index(self.processes.len());
        match self.random.below(1000) {
            0..30 if self.plan.deaths > 0 && self.is_alive(process) => {
                self.kill(process, "death at a random moment");
            }
            30..40 if self.plan.deaths > 0 => {
                for process in 0..self.processes.len() {
                    if self.is_alive(process) {
                        self.kill(process, "power loss");
                    }
                }
            }
            40..130 if self.plan.clocks => self.set_clock(process),
            0..100 if self.mutant == Some(Mutant::LostCommit) => self.fail_over(),
            320..350 if self.plan.cuts && self.random.per_mille(500) => self.cut_database(process),
            380..400 if self.plan.stalls => self.stall(),
            350..380 if self.plan.cuts => self.overload(process),
            130..150 if self.plan.outages => self.cut_line(),
            150..190 => self.foreign_sale(),
            290..310 if self.plan.loses_journal => self.lose_journal(),
            // Money calls stop, and sooner or later the till is started again.
            190..290 if self.processes.get(process).is_some_and(|process| process.failed) => {
                self.kill(process, "restart by its owner");
            }
            290..320 if self.plan.journals == Journals::File => self.lose_owner_file(process),
            320..350 if self.plan.lost_locks && self.has_begun(process) => {
                self.suspend(process);
            }
            _ => {}
        }
        self.now + self.random.range(200, if self.plan.long { 600_000 } else { 2_000 })
    }

    /// Somebody tidies up beside the journal.
    fn lose_owner_file(&mut self, process: usize) {
        let Some(owner) = self.processes.get(process).map(|process| process.owner.0.clone()) else { return };
        self.counters.fault("owner file deleted");
        self.say("fault", || format!("the file of {owner} is deleted"));
        self.ever_lost.insert(owner.clone());
        self.lost_owners.insert(owner);
    }

    /// A process is stopped, and somebody deletes its file beside the journal: the others take it for dead once no call of
    /// it could still be running. Gives when it goes on.
    pub fn suspend(&mut self, process: usize) -> u64 {
        if self.plan.journals == Journals::Database {
            return self.suspend_node(process);
        }
        let Some(owner) = self.processes.get(process).map(|process| process.owner.0.clone()) else {
            return self.now;
        };
        let over = self.now + self.plan.total_ms + 1_000;
        let until = over + self.random.range(0, self.plan.late_ms + self.plan.late_ms / 4);
        self.counters.fault("a living process is stopped for longer than a call");
        self.say("fault", || format!("P{process} is stopped, and its file is deleted"));
        self.ever_lost.insert(owner.clone());
        self.lost_owners.insert(owner);
        self.stop_until(process, until);
        until
    }

    /// Whether a process lives and its first thread has acted.
    fn has_begun(&self, process: usize) -> bool {
        self.processes.get(process).is_some_and(|process| process.alive && process.started < self.now)
    }

    /// A node is stopped, shorter or longer than its lease: alone, or with its machine, whose clock for deadlines stops,
    /// too.
    fn suspend_node(&mut self, process: usize) -> u64 {
        let lease_ms = self.plan.lease_ms();
        let late_ms = self.plan.late_ms;
        // Most are longer than the others wait. After some all has been settled, and what then leaves still arrives.
        let (shortest, longest) = self.random.pick(
            (lease_ms + late_ms / 2, lease_ms + late_ms),
            &[
                (100, lease_ms),
                (lease_ms, lease_ms * 2),
                (lease_ms, lease_ms + 2 * late_ms),
                (lease_ms + late_ms / 2, lease_ms + late_ms),
            ],
        );
        let until = self.now + self.random.range(shortest, longest);
        // Its connections may be gone afterwards.
        let cut_until = until + self.random.pick(0, &[0, self.plan.total_ms, lease_ms]);
        let sleeps = self.random.per_mille(500);
        self.counters.fault(if sleeps { "a machine is suspended" } else { "a node is stopped" });
        self.say("fault", || format!("P{process} is stopped until {until}, its machine too: {sleeps}"));
        let now = self.now;
        if let Some(process) = self.processes.get_mut(process) {
            process.stopped_until = process.stopped_until.max(until);
            process.cut.until = process.cut.until.max(cut_until);
            let since = process.sleeps_until.max(now);
            if sleeps && until > since {
                process.slept_ms += until - since;
                process.sleeps_until = until;
            }
        }
        self.stop_until(process, until);
        until
    }

    fn stop_until(&mut self, process: usize, until: u64) {
        for actor in self.actors.iter_mut().filter(|actor| actor.role.process() == process && !actor.ended) {
            if actor.wakes_at != u64::MAX {
                actor.wakes_at = actor.wakes_at.max(until);
                actor.suspended = true;
            }
        }
    }

    fn set_clock(&mut self, process: usize) {
        let by = self
            .random
            .pick(1_000, &[-1_000, 60_000, -60_000, 700_000, -700_000, DAY_MS, -DAY_MS, 3_600_000]);
        self.counters.fault("clock set");
        self.say("fault", || format!("the clock of P{process} is set by {by} ms"));
        if let Some(process) = self.processes.get_mut(process) {
            process.wall_offset_ms = process.wall_offset_ms.saturating_add(by);
        }
    }

    fn cut_line(&mut self) {
        let away = if self.plan.long {
            self.random.range(1_800_000, 21_600_000)
        } else {
            self.random.range(1_000, 90_000)
        };
        let until = self.now + away;
        if self.random.per_mille(500) {
            self.counters.fault("no reversal gets through for a time");
            self.no_reversal_until = until;
        } else {
            self.counters.fault("gateway away for a time");
            self.outage_until = until;
        }
        self.say("fault", || format!("the gateway is away for {away} ms"));
        if self.plan.long {
            self.counters.fault("away for hours");
        }
    }

    /// A till with another journal sells, without any fault; one of ours may be asked to undo it.
    fn foreign_sale(&mut self) {
        if self.sales.len() >= self.plan.sales + 2 {
            return;
        }
        let sale = Sale::draw(&mut self.random, self.sales.len(), true);
        if let Some(request) = self.foreign_request(&sale.request, &sale.biz_id, 0) {
            let deadline = self.now + 1_000;
            self.wire.send(&mut self.random, None, request, self.now, deadline, self.plan.late_ms);
            self.sales.push(sale);
        }
    }

    /// A consume of another till, whose clock is so many seconds ahead.
    pub fn foreign_request(&mut self, text: &str, biz_id: &str, ahead_s: u64) -> Option<Request> {
        let value = Value::parse(text).ok()?;
        let params = Params::of(value.as_object()?);
        let nonce = u32::try_from(self.random.range(1, 999_999_999)).ok()?;
        let account = &self.plan.account;
        let route = account.route(Operation::Consume)?;
        let seconds = (EPOCH_MS + self.now) / 1000 + ahead_s;
        let body = params.sign(route, &account.credentials, account.sign_names, seconds, nonce).to_string();
        Some(Request { purpose: Purpose::Consume, biz_id: biz_id.to_owned(), path: path_of(route), body })
    }
}
