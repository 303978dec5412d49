//! One thread at a time. A thread of a seed is a coroutine on the thread that runs the seed: it runs until its next effect
//! and then yields. The seed alone decides which one continues, so the threads of the library interleave at every effect
//! and a seed replays exactly. A switch between two system threads would cost more than most effects.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use generator::Gn;

use crate::actor::{Actor, Call, Role};
use crate::world::{Turn, World};

/// The stack of a coroutine in words: 2 MB, as a thread has. Only pages that are used take memory.
const STACK_WORDS: usize = 0x20_0000 / size_of::<usize>();

/// What a thread of a dead process unwinds with.
pub struct Died;

/// A thread of one life of a process.
#[derive(Clone)]
pub struct Life {
    /// Which seed it belongs to.
    pub scheduler: Arc<Scheduler>,
    /// The process's number.
    pub process: usize,
    /// Which of its lives.
    pub number: u64,
}

/// The world of a seed, and who may act in it.
pub struct Scheduler {
    world: Mutex<World>,
    /// The first thread of a host that starts.
    host: fn(&Life),
}

impl Scheduler {
    /// A scheduler over that world. `host` is the first thread of each host.
    pub fn new(world: World, host: fn(&Life)) -> Arc<Scheduler> {
        Arc::new(Scheduler { world: Mutex::new(world), host })
    }

    /// The world, for the actor whose turn it is.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets every actor act until that time. Only the thread that runs the seed may call this.
    pub fn run_until(self: &Arc<Scheduler>, horizon: u64) {
        self.lock().horizon = horizon;
        loop {
            let mut world = self.lock();
            let at = match world.turn() {
                Turn::Inline => continue,
                Turn::Main => return,
                Turn::Host(process) => {
                    let number = world.processes.get(process).map_or(0, |process| process.lives);
                    let life = Life { scheduler: Arc::clone(self), process, number };
                    life.spawn(&mut world, Role::Till(process), self.host);
                    continue;
                }
                Turn::Actor(at) => at,
            };
            let Some(mut routine) = world.actors.get_mut(at).and_then(|actor| actor.routine.take()) else {
                continue;
            };
            drop(world);
            routine.resume();
            let mut world = self.lock();
            if routine.is_done() {
                world.leave(at);
                world.idle_routines.push(routine);
            } else if let Some(actor) = world.actors.get_mut(at) {
                actor.routine = Some(routine);
            }
        }
    }

    fn spawn(
        self: &Arc<Scheduler>,
        world: &mut World,
        role: Role,
        life: u64,
        body: impl FnOnce() + Send + 'static,
    ) {
        let scheduler = Arc::clone(self);
        let body = move || {
            let ended = panic::catch_unwind(AssertUnwindSafe(body));
            if let Err(panic) = ended
                && !panic.is::<Died>()
            {
                scheduler.lock().oracle.broken("panic", said(panic.as_ref()));
            }
        };
        let routine = match world.idle_routines.pop() {
            Some(mut idle) => {
                idle.init_code(body);
                idle
            }
            None => Gn::new_opt(STACK_WORDS, body),
        };
        world.seat(Actor::new(role, life, world.now, routine));
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a thread panicked").to_owned()
}

impl Life {
    /// Runs `body` as a new thread of this life, from its first turn on.
    pub fn spawn(&self, world: &mut World, role: Role, body: impl FnOnce(&Life) + Send + 'static) {
        let life = self.clone();
        self.scheduler.spawn(world, role, self.number, move || body(&life));
    }

    /// The world as a thread of a living process sees it; one of a dead process ends here.
    pub fn world(&self) -> MutexGuard<'_, World> {
        let world = self.scheduler.lock();
        if world.lives(self.process, self.number) {
            return world;
        }
        drop(world);
        panic::resume_unwind(Box::new(Died))
    }

    /// Lets the others act until that time, in milliseconds.
    pub fn pause_until(&self, time: u64) {
        self.wait(time, None);
    }

    /// Lets the others act for as long as an effect takes.
    pub fn pause(&self) {
        let time = self.world().soon();
        self.pause_until(time);
    }

    /// Lets the others act until that time, or until that signal is given.
    pub fn wait(&self, time: u64, signal: Option<u64>) {
        let mut world = self.world();
        let at = world.running;
        let Some(actor) = world.actors.get_mut(at) else { return };
        actor.wakes_at = time;
        actor.waits_for = signal;
        drop(world);
        #[expect(
            deprecated,
            reason = "its successor takes a handle, which the library's own code cannot pass down"
        )]
        generator::yield_with(());
        drop(self.world());
    }

    /// What this thread is at.
    pub fn call<T>(&self, f: impl FnOnce(&mut Call) -> T) -> Option<T> {
        self.scheduler.lock().call_mut().map(f)
    }
}
