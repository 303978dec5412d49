//! One thread at a time: every thread of a seed runs only while it has the baton, and gives it away at each of its
//! effects. Who has it next is decided by the seed alone, so the threads of the library interleave at every effect and
//! a seed replays exactly.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::actor::{Actor, Call, Role};
use crate::world::{Turn, World};

thread_local! {
    /// Which actor this thread is.
    static SELF: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// What a thread of a dead process unwinds with.
pub struct Died;

/// A thread of one life of a process.
#[derive(Clone)]
pub struct Life {
    /// Who has the baton.
    pub scheduler: Arc<Scheduler>,
    /// The process's number.
    pub process: usize,
    /// Which of its lives.
    pub number: u64,
}

/// The world of a seed, and who may act in it.
pub struct Scheduler {
    world: Mutex<World>,
    main: Baton,
}

/// What lets one thread go on.
#[derive(Default)]
pub struct Baton {
    given: Mutex<bool>,
    changed: Condvar,
}

impl Baton {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self) {
        *self.lock() = true;
        self.changed.notify_one();
    }

    fn wait(&self) {
        let mut given = self.lock();
        while !std::mem::replace(&mut *given, false) {
            given = self.changed.wait(given).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Scheduler {
    /// A scheduler over that world.
    pub fn new(world: World) -> Arc<Scheduler> {
        let scheduler = Arc::new(Scheduler { world: Mutex::new(world), main: Baton::default() });
        scheduler.lock().scheduler = Arc::downgrade(&scheduler);
        scheduler
    }

    /// The world, for whoever has the baton.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets everybody act until that time. Only the thread that runs the seed may call this.
    pub fn run_until(&self, horizon: u64) {
        let mut world = self.lock();
        world.horizon = horizon;
        if !self.pass_on(world, Turn::Main) {
            self.main.wait();
        }
    }

    /// Gives the baton to whose turn it is. True if that is `me`.
    fn pass_on(&self, mut world: MutexGuard<'_, World>, me: Turn) -> bool {
        loop {
            match world.turn() {
                Turn::Inline => {}
                next if next == me => return true,
                Turn::Main => {
                    drop(world);
                    self.main.give();
                    return false;
                }
                Turn::Actor(at) => {
                    let baton = world.actors.get(at).map(|actor| Arc::clone(&actor.baton));
                    drop(world);
                    if let Some(baton) = baton {
                        baton.give();
                    }
                    return false;
                }
            }
        }
    }

    /// Runs `body` as a new actor, from its first turn on.
    pub fn spawn(
        self: &Arc<Scheduler>,
        world: &mut World,
        role: Role,
        life: u64,
        body: Box<dyn FnOnce() + Send>,
    ) -> JoinHandle<()> {
        let baton = Arc::new(Baton::default());
        let at = world.seat(Actor::new(role, life, world.now, Arc::clone(&baton)));
        let scheduler = Arc::clone(self);
        thread::spawn(move || {
            SELF.set(at);
            baton.wait();
            let ended = panic::catch_unwind(AssertUnwindSafe(body));
            let mut world = scheduler.lock();
            if let Err(panic) = ended
                && !panic.is::<Died>()
            {
                world.oracle.broken("panic", said(panic.as_ref()));
            }
            world.leave(at);
            scheduler.pass_on(world, Turn::Inline);
        })
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a thread panicked").to_owned()
}

impl Life {
    /// The world as a thread of a living process sees it; one of a dead process ends here.
    pub fn world(&self) -> MutexGuard<'_, World> {
        let world = self.scheduler.lock();
        if world.lives(self.process, self.number) {
            return world;
        }
        drop(world);
        panic::resume_unwind(Box::new(Died))
    }

    /// Gives the baton away until that time, in milliseconds.
    pub fn pause_until(&self, time: u64) {
        self.wait(time, None);
    }

    /// Gives the baton away for as long as an effect takes.
    pub fn pause(&self) {
        let time = self.world().soon();
        self.pause_until(time);
    }

    /// Gives the baton away until that time, or until that signal is given.
    pub fn wait(&self, time: u64, signal: Option<u64>) {
        let at = SELF.get();
        let mut world = self.world();
        let Some(actor) = world.actors.get_mut(at) else { return };
        actor.wakes_at = time;
        actor.waits_for = signal;
        let baton = Arc::clone(&actor.baton);
        if !self.scheduler.pass_on(world, Turn::Actor(at)) {
            baton.wait();
        }
        drop(self.world());
    }

    /// What this thread is at.
    pub fn call<T>(&self, f: impl FnOnce(&mut Call) -> T) -> Option<T> {
        self.scheduler.lock().actors.get_mut(SELF.get()).map(|actor| f(&mut actor.call))
    }

    /// Which actor this thread is.
    pub fn seat() -> usize {
        SELF.get()
    }
}
