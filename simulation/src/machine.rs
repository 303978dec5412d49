//! The machine of one process as the library's runtime sees it: simulated time, threads and network.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use zvpos_core::gateway::{Doubt, NotSent};
use zvpos_core::outcome::codes;
use zvpos_core::transport::{Ahead, Exchanged, HttpAnswer, MaySend, TransportError, Uri};
use zvpos_core::world::{Signal, Worker, World};

use crate::actor::Role;
use crate::clock::instant;
use crate::mutant::Mutant;
use crate::network::Received;
use crate::plan::Journals;
use crate::process::EPOCH_MS;
use crate::scheduler::Life;

/// The machine of one process.
pub struct Machine(pub Life);

impl World for Machine {
    fn now(&self) -> Instant {
        self.0.world().instant(self.0.process)
    }

    fn unix_ms(&self) -> i64 {
        let world = self.0.world();
        world.processes.get(self.0.process).map_or(0, |process| process.wall_ms(world.now))
    }

    fn sleep(&self, duration: Duration) {
        let until = {
            let world = self.0.world();
            world.at(self.0.process, world.instant(self.0.process) + duration)
        };
        self.0.pause_until(until);
    }

    fn random(&self) -> Result<u32, String> {
        Ok(u32::try_from(self.0.world().random.below(u64::from(u32::MAX))).unwrap_or_default())
    }

    fn spawn(&self, _: &str, work: Box<dyn FnOnce() + Send>) -> Result<Box<dyn Worker>, String> {
        let life = &self.0;
        let mut world = life.world();
        let ended = world.new_signal();
        let signal = Event { life: life.clone(), id: ended, count: AtomicU64::new(0) };
        let signal = std::sync::Arc::new(signal);
        let done = std::sync::Arc::clone(&signal);
        life.spawn(&mut world, Role::Library(life.process), move |_| {
            work();
            done.notify();
        });
        Ok(Box::new(Joined(signal)))
    }

    fn signal(&self) -> Box<dyn Signal> {
        let id = self.0.world().new_signal();
        Box::new(Event { life: self.0.clone(), id, count: AtomicU64::new(0) })
    }

    /// Whether a connection is open decides only the order in which the library looks and records.
    fn is_connected(&self, _: &Uri) -> bool {
        self.0.world().random.per_mille(500)
    }

    fn connect_ahead(&self, _: &Uri) -> Option<Ahead> {
        None
    }

    fn keep_warm(&self, _: &Uri) -> Duration {
        Duration::from_secs(3)
    }

    fn post(
        &self,
        url: &Uri,
        body: &str,
        until: Instant,
        _: Option<Ahead>,
        may_send: MaySend<'_>,
    ) -> Exchanged {
        self.0.pause();
        let stopped = self.0.world().is_stopped_before_asking(self.0.process);
        if let Some(until) = stopped {
            self.0.pause_until(until);
        }
        if let Err(why) = may_send() {
            return exchanged(Err(TransportError::NotSent(why)));
        }
        let deadline = self.0.world().at(self.0.process, until);
        let mut is_late = false;
        let request = {
            let mut world = self.0.world();
            let path = url.path_and_query().map_or("/", |path| path.as_str());
            let request = world.request(path, body);
            if world.now >= deadline {
                let why = NotSent { code: &codes::CONNECT, message: "the call's time was over".to_owned() };
                return exchanged(Err(TransportError::NotSent(why)));
            }
            // Stopped between its last look at the clock and the first byte.
            let stopped = world.is_stopped_before_sending(self.0.process, &request);
            let closes_at = world.now + world.plan.lease_ms() + world.plan.late_ms;
            is_late |=
                world.plan.journals == Journals::Database && stopped.is_some_and(|until| until > closes_at);
            let closes = is_late && world.mutant != Some(Mutant::LateSender);
            drop(world);
            if let Some(until) = stopped {
                self.0.pause_until(until);
            }
            if closes {
                // G6: the gateway has closed the connection, and the first byte finds that out.
                return exchanged(Err(TransportError::Lost(Doubt::new(&codes::LOST, "simulated"))));
            }
            request
        };
        let deadline = deadline.max(self.0.world().at(self.0.process, until));
        let (id, ends_at) = self.0.world().departs(&self.0, request, deadline);
        if is_late && !self.0.world().quiet {
            // G6 off: it sends after all, and does not live to record that.
            self.0.world().kill(self.0.process, "death after a late send");
        }
        self.0.pause_until(ends_at);
        let mut world = self.0.world();
        exchanged(match world.returns(&self.0, id) {
            Received::NotSent(code) => {
                Err(TransportError::NotSent(NotSent { code, message: "simulated".to_owned() }))
            }
            Received::Lost(code) => Err(TransportError::Lost(Doubt::new(code, "simulated"))),
            Received::Answer { status, body } => {
                let date = UNIX_EPOCH + Duration::from_millis(EPOCH_MS + world.now);
                Ok(HttpAnswer { status, body, date: Some(date) })
            }
        })
    }

    fn is_absolute(&self) -> bool {
        false
    }
}

fn exchanged(result: Result<HttpAnswer, TransportError>) -> Exchanged {
    Exchanged { result, connect: Duration::ZERO, wait: Duration::ZERO }
}

struct Event {
    life: Life,
    id: u64,
    count: AtomicU64,
}

impl Signal for Event {
    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn notify(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.life.scheduler.lock().give_signal(self.id);
    }

    fn wait(&self, seen: u64, until: Instant) {
        loop {
            let world = self.life.world();
            let at = world.at(self.life.process, until);
            if self.count() != seen || world.now >= at {
                return;
            }
            drop(world);
            self.life.wait(at, Some(self.id));
        }
    }
}

struct Joined(std::sync::Arc<Event>);

impl Worker for Joined {
    fn join(self: Box<Self>) {
        self.0.wait(0, instant(u64::MAX >> 24));
    }
}
