//! The per-process state of the library: its phase, its answers, its callback. A forked child inherits memory but
//! neither threads nor usable locks, so it gets its own state and touches nothing of its parent's.

use std::borrow::Cow;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use zvpos_core::api::{Library, OpenDatabase};
use zvpos_core::config::Charset;
use zvpos_core::journal;
use zvpos_core::log::{Level, Sink};
use zvpos_core::outcome::{Answer, Lang, Outcome, codes};
use zvpos_core::text::{Expected, decode_config, encode};

use crate::answers::Answers;
use crate::callback::Callback;
use crate::{fork, pin};

/// What opens a journal that is a database: only the library for servers has it.
#[cfg(feature = "postgres")]
const OPEN_DATABASE: Option<OpenDatabase> = Some(zvpos_journal_postgres::open);
#[cfg(not(feature = "postgres"))]
const OPEN_DATABASE: Option<OpenDatabase> = None;

/// The log as the host receives it: in its charset, through its callback.
struct HostLog;

impl Sink for HostLog {
    fn max_level(&self) -> Level {
        Process::current().callback.max_level()
    }

    fn write(&self, level: Level, line: &str) {
        let process = Process::current();
        process.callback.write(level, process.in_charset(line.into()).into_owned());
    }
}

static CURRENT: AtomicPtr<Process> = AtomicPtr::new(ptr::null_mut());

/// The state of one process.
pub(crate) struct Process {
    pid: u32,
    /// Whether the parent had called `zv_init` before the fork.
    forked: bool,
    started_once: AtomicBool,
    phase: RwLock<Phase>,
    /// The charset of the configuration in force, or else of the last one tried.
    charset: AtomicU8,
    /// Serialises start and stop.
    turn: Mutex<()>,
    pub(crate) answers: Answers,
    pub(crate) callback: Callback,
}

enum Phase {
    Fresh,
    Running(Arc<Library>),
    ShutDown,
}

impl Process {
    /// This process's state, created on first use and kept until the process ends.
    pub(crate) fn current() -> &'static Process {
        // The mark first: it is set after the state, so that a child never takes its parent's.
        if fork::is_marked() {
            // SAFETY: the stored pointer was leaked and is never freed.
            if let Some(process) = unsafe { CURRENT.load(Ordering::Acquire).as_ref() } {
                return process;
            }
        }
        Process::of_this_pid()
    }

    /// The state by the process's id, which takes a system call.
    fn of_this_pid() -> &'static Process {
        let pid = std::process::id();
        loop {
            let known = CURRENT.load(Ordering::Acquire);
            // SAFETY: the stored pointer was leaked and is never freed.
            let process = unsafe { known.as_ref() };
            match process {
                Some(process) if process.pid == pid => {
                    fork::mark();
                    return process;
                }
                _ => {}
            }
            let forked = process.is_some_and(|p| p.forked || p.started_once.load(Ordering::Acquire));
            let fresh = Box::into_raw(Box::new(Process::new(pid, forked)));
            let stored = CURRENT.compare_exchange(known, fresh, Ordering::AcqRel, Ordering::Acquire);
            if stored.is_ok() {
                pin::pin();
            } else {
                // SAFETY: no other thread has seen it.
                drop(unsafe { Box::from_raw(fresh) });
            }
        }
    }

    fn new(pid: u32, forked: bool) -> Process {
        Process {
            pid,
            forked,
            started_once: AtomicBool::new(false),
            phase: RwLock::new(Phase::Fresh),
            charset: AtomicU8::new(Charset::default().number()),
            turn: Mutex::new(()),
            answers: Answers::default(),
            callback: Callback::default(),
        }
    }

    /// The running library, or the answer for a call before start or after stop.
    pub(crate) fn library(&self) -> Result<Arc<Library>, Answer> {
        self.running().map_err(|(outcome, code, message)| refuse(outcome, code, message))
    }

    /// As [`Process::library`], for a call that asks about an earlier one: that the library is not running says
    /// nothing about the earlier call, which may have taken something.
    pub(crate) fn library_of_ticket(&self) -> Result<Arc<Library>, Answer> {
        self.running().map_err(|(_, code, message)| refuse(Outcome::Unknown, code, message))
    }

    fn running(&self) -> Result<Arc<Library>, (Outcome, &'static codes::Code, &'static str)> {
        match &*self.phase.read().unwrap_or_else(PoisonError::into_inner) {
            Phase::Running(library) => Ok(Arc::clone(library)),
            Phase::ShutDown => Err((Outcome::Invalid, &codes::SHUT_DOWN, "zv_shutdown was called")),
            Phase::Fresh if self.forked => Err((
                Outcome::Internal,
                &codes::FORKED,
                "this process was forked after zv_init; call zv_init in it",
            )),
            Phase::Fresh => Err((Outcome::Invalid, &codes::NOT_INIT, "zv_init has not succeeded yet")),
        }
    }

    /// The language of `cashier`, as far as it is known.
    pub(crate) fn lang(&self) -> Lang {
        self.library().map_or(Lang::default(), |library| library.lang())
    }

    /// The charset of the host's texts.
    pub(crate) fn charset(&self) -> Charset {
        Charset::from_number(self.charset.load(Ordering::Relaxed))
    }

    /// How to read an argument of that name.
    pub(crate) fn expected<'w>(&self, what: &'w str) -> Expected<'w> {
        Expected { what, charset: self.charset(), lang: self.lang() }
    }

    /// A text encoded for the host.
    pub(crate) fn in_charset<'t>(&self, text: Cow<'t, str>) -> Cow<'t, [u8]> {
        encode(text, self.charset())
    }

    /// `zv_init`
    pub(crate) fn start(&self, config: &[u8]) -> Answer {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let running = self.library();
        let (config, charset) = match decode_config(config, self.lang()) {
            Ok(read) => read,
            Err(answer) => return answer,
        };
        let config = &*config;
        if let Ok(running) = running {
            return match running.has_config(config) {
                Ok(true) => running.started(true),
                Ok(false) => {
                    let message = "the library runs with another configuration, which stays in force";
                    Answer::of(Outcome::Invalid, &codes::OTHER_CONFIG, running.lang(), message)
                }
                Err(answer) => answer,
            };
        }
        self.charset.store(charset.number(), Ordering::Relaxed);
        journal::guard_lock_by(|file| fork::guard(Some(file)));
        match Library::start(config, vec![Arc::new(HostLog)], self.forked, OPEN_DATABASE) {
            Ok(library) => {
                let answer = library.started(false);
                self.started_once.store(true, Ordering::Release);
                self.set(Phase::Running(Arc::new(library)));
                answer
            }
            Err(answer) => answer,
        }
    }

    /// `zv_shutdown`
    pub(crate) fn stop(&self) -> Answer {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        match self.library() {
            Ok(library) => {
                let answer = library.shut_down();
                // Before its file is closed and the descriptor number can be reused.
                fork::guard(None);
                self.set(Phase::ShutDown);
                answer
            }
            Err(answer) => answer,
        }
    }

    /// Logs a line that does not come from a call of the library.
    pub(crate) fn say(&self, level: Level, line: &str) {
        match self.library() {
            Ok(library) => library.log().line(level, || line.to_owned()),
            Err(_) if level <= self.callback.max_level() => HostLog.write(level, line),
            Err(_) => {}
        }
    }

    fn set(&self, phase: Phase) {
        *self.phase.write().unwrap_or_else(PoisonError::into_inner) = phase;
    }
}

fn refuse(outcome: Outcome, code: &'static codes::Code, message: &str) -> Answer {
    Answer::of(outcome, code, Lang::default(), message)
}
