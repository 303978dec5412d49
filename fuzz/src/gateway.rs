//! A world whose gateway answers with what the input says, and whose time passes only when somebody waits.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zvpos_core::gateway::{Doubt, NotSent};
use zvpos_core::outcome::codes;
use zvpos_core::transport::{Ahead, Exchanged, HttpAnswer, MaySend, TransportError, Uri};
use zvpos_core::world::{Signal, Worker, World};

/// 2026-11-22 12:00:00 UTC
const BEGIN_UNIX_MS: i64 = 1_795_348_800_000;

/// How long a request takes.
const ON_ITS_WAY: Duration = Duration::from_millis(20);

/// What comes of one request.
#[derive(Clone, Debug)]
pub enum Given {
    /// A whole answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// No byte left.
    NotSent,
    /// Anything may have happened.
    Lost,
}

/// A request and what came of it.
#[derive(Clone, Debug)]
pub struct Post {
    /// Its body.
    pub body: String,
    /// What came of it.
    pub given: Given,
}

/// Is asked before a request leaves.
pub type Watch = Box<dyn Fn(&[Post], &str) + Send + Sync>;

/// The world of one input.
pub struct Scripted {
    begin: Instant,
    passed_us: Arc<AtomicU64>,
    state: Mutex<State>,
    watch: Watch,
}

#[derive(Default)]
struct State {
    next: VecDeque<Given>,
    posts: Vec<Post>,
    random: u32,
}

impl Scripted {
    /// A world that shows every request to `watch` before it leaves.
    pub fn new(watch: Watch) -> Scripted {
        Scripted { begin: Instant::now(), passed_us: Arc::default(), state: Mutex::default(), watch }
    }

    /// What a later request is answered with; without it the answer is lost.
    pub fn push(&self, given: Given) {
        self.state().next.push_back(given);
    }

    /// Every request so far.
    pub fn posts(&self) -> Vec<Post> {
        self.state().posts.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self, duration: Duration) {
        pass(&self.passed_us, duration);
    }

    fn passed(&self) -> Duration {
        Duration::from_micros(self.passed_us.load(Ordering::Relaxed))
    }
}

fn pass(passed_us: &AtomicU64, duration: Duration) {
    passed_us.fetch_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

impl World for Scripted {
    fn now(&self) -> Instant {
        self.begin + self.passed()
    }

    fn unix_ms(&self) -> i64 {
        BEGIN_UNIX_MS + i64::try_from(self.passed().as_millis()).unwrap_or(i64::MAX)
    }

    fn sleep(&self, duration: Duration) {
        self.pass(duration);
    }

    fn random(&self) -> Result<u32, String> {
        let mut state = self.state();
        state.random = state.random.wrapping_add(1_000_003);
        Ok(state.random)
    }

    fn spawn(&self, _: &str, _: Box<dyn FnOnce() + Send>) -> Result<Box<dyn Worker>, String> {
        Err("this world has one thread".to_owned())
    }

    fn signal(&self) -> Box<dyn Signal> {
        Box::new(Alone {
            begin: self.begin,
            passed_us: Arc::clone(&self.passed_us),
            count: AtomicU64::new(0),
        })
    }

    fn is_connected(&self, _: &Uri) -> bool {
        false
    }

    fn connect_ahead(&self, _: &Uri) -> Option<Ahead> {
        None
    }

    fn keep_warm(&self, _: &Uri) -> Duration {
        Duration::from_secs(3)
    }

    fn post(&self, _: &Uri, body: &str, _: Instant, _: Option<Ahead>, _: MaySend<'_>) -> Exchanged {
        (self.watch)(&self.state().posts, body);
        self.pass(ON_ITS_WAY);
        let mut state = self.state();
        let given = state.next.pop_front().unwrap_or(Given::Lost);
        state.posts.push(Post { body: body.to_owned(), given: given.clone() });
        let result = match given {
            Given::Answer { status, body } => Ok(HttpAnswer { status, body, date: None }),
            Given::NotSent => Err(TransportError::NotSent(NotSent {
                code: &codes::CONNECT,
                message: "as scripted".to_owned(),
            })),
            Given::Lost => Err(TransportError::Lost(Doubt::new(&codes::LOST, "as scripted"))),
        };
        Exchanged { result, connect: Duration::ZERO, wait: ON_ITS_WAY }
    }

    fn is_absolute(&self) -> bool {
        false
    }
}

/// An event count in a world of one thread: nobody else can notify, so that a wait lasts to its end.
struct Alone {
    begin: Instant,
    passed_us: Arc<AtomicU64>,
    count: AtomicU64,
}

impl Signal for Alone {
    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn notify(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    fn wait(&self, seen: u64, until: Instant) {
        let now = self.begin + Duration::from_micros(self.passed_us.load(Ordering::Relaxed));
        if self.count() == seen {
            pass(&self.passed_us, until.saturating_duration_since(now));
        }
    }
}
