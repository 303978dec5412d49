//! A machine whose clock moves only while somebody waits, and a journal in its memory: what happens depends on no
//! thread and takes no time.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{MutexGuard, PoisonError};

use super::*;
use crate::journal::{Backend, InFlight, Liveness, Location, Page, Recorded, Store, may_be_running};
use crate::log::Sink;
use crate::payment::Owner;

/// How often the clock is read at most while nobody waits: a loop that never waits fails its test.
const LOOKS: u32 = 10_000;

/// How soon a connection that is kept open is looked at again.
pub(in crate::runtime) const RENEWED: Duration = Duration::from_secs(3);

type Work = Box<dyn FnOnce() + Send>;

/// The machine; copies are the same one.
#[derive(Clone)]
pub(in crate::runtime) struct Machine(Arc<Parts>);

struct Parts {
    started: Instant,
    past: Mutex<Duration>,
    looks: AtomicU32,
    planned: Mutex<VecDeque<(Duration, Work)>>,
    spawned: Mutex<Option<Work>>,
    answers: Mutex<VecDeque<HttpAnswer>>,
    events: Mutex<Vec<String>>,
    broken: Mutex<Option<Uri>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Machine {
    fn new() -> Machine {
        Machine(Arc::new(Parts {
            started: Instant::now(),
            past: Mutex::default(),
            looks: AtomicU32::new(0),
            planned: Mutex::default(),
            spawned: Mutex::default(),
            answers: Mutex::default(),
            events: Mutex::default(),
            broken: Mutex::default(),
        }))
    }

    /// Lets time pass.
    pub(in crate::runtime) fn pass(&self, duration: Duration) {
        *lock(&self.0.past) += duration;
        self.0.looks.store(0, Ordering::Relaxed);
    }

    fn pass_until(&self, at: Instant) {
        let now = self.0.started + *lock(&self.0.past);
        if at > now {
            self.pass(at - now);
        }
    }

    /// Does that so many seconds after the start, while the thread waits; called in the order of time.
    pub(in crate::runtime) fn plan(&self, second: u64, work: impl FnOnce() + Send + 'static) {
        lock(&self.0.planned).push_back((Duration::from_secs(second), Box::new(work)));
    }

    /// Runs the thread that was begun, until it ends. False if none was.
    pub(in crate::runtime) fn run(&self) -> bool {
        let spawned = lock(&self.0.spawned).take();
        spawned.map(|work| work()).is_some()
    }

    /// The gateway gives this answer to the next request that has none.
    pub(in crate::runtime) fn answer(&self, body: &str) {
        let answer = HttpAnswer { status: 200, body: body.as_bytes().to_vec(), date: None };
        lock(&self.0.answers).push_back(answer);
    }

    /// Looking at a connection to that gateway panics.
    pub(in crate::runtime) fn break_at(&self, url: &Uri) {
        *lock(&self.0.broken) = Some(url.clone());
    }

    fn note(&self, event: String) {
        lock(&self.0.events).push(event);
    }

    /// What was recorded, sent and kept open so far.
    pub(in crate::runtime) fn events(&self) -> Vec<String> {
        lock(&self.0.events).clone()
    }
}

impl World for Machine {
    fn now(&self) -> Instant {
        assert!(self.0.looks.fetch_add(1, Ordering::Relaxed) < LOOKS, "it goes round without waiting");
        self.0.started + *lock(&self.0.past)
    }

    fn unix_ms(&self) -> i64 {
        i64::try_from(NOW_S * 1000).unwrap()
    }

    fn sleep(&self, duration: Duration) {
        self.pass(duration);
    }

    fn random(&self) -> Result<u32, String> {
        Ok(20)
    }

    fn spawn(&self, _: &str, work: Work) -> Result<Box<dyn Worker>, String> {
        *lock(&self.0.spawned) = Some(work);
        Ok(Box::new(Spawned))
    }

    fn signal(&self) -> Box<dyn Signal> {
        Box::new(Count { machine: self.clone(), count: AtomicU64::new(0) })
    }

    fn is_connected(&self, _: &Uri) -> bool {
        true
    }

    fn connect_ahead(&self, _: &Uri) -> Option<Ahead> {
        None
    }

    fn keep_warm(&self, url: &Uri) -> Duration {
        self.note(format!("{} s: {}", lock(&self.0.past).as_secs(), url.host().unwrap()));
        assert_ne!(lock(&self.0.broken).as_ref(), Some(url), "as planned");
        RENEWED
    }

    fn post(&self, _: &Uri, _: &str, _: Instant, _: Option<Ahead>, _: MaySend<'_>) -> Exchanged {
        self.note("post".to_owned());
        let answer = lock(&self.0.answers).pop_front().expect("a panic, as planned");
        Exchanged { result: Ok(answer), connect: Duration::ZERO, wait: Duration::ZERO }
    }

    fn is_absolute(&self) -> bool {
        false
    }
}

struct Spawned;

impl Worker for Spawned {
    fn join(self: Box<Self>) {}
}

struct Count {
    machine: Machine,
    count: AtomicU64,
}

impl Signal for Count {
    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn notify(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    fn wait(&self, seen: u64, until: Instant) {
        let parts = &self.machine.0;
        while self.count() == seen {
            let mut planned = lock(&parts.planned);
            let (at, _) = planned.front().expect("something is planned that ends the wait");
            if parts.started + *at > until {
                drop(planned);
                self.machine.pass_until(until);
                return;
            }
            let (at, work) = planned.pop_front().unwrap();
            drop(planned);
            self.machine.pass_until(parts.started + at);
            work();
        }
    }
}

/// Another process that lives.
pub(in crate::runtime) const OTHER: &str = "2-other";

/// The journal.
pub(in crate::runtime) struct Memory {
    machine: Machine,
    owner: Owner,
    in_flight: InFlight,
    entries: Mutex<Vec<Entry>>,
    /// Until then others hold it.
    held_until: Mutex<Option<Instant>>,
    /// Whether the other process lives.
    other_lives: AtomicBool,
    /// How often it was taken care of.
    cared: AtomicU32,
}

impl Memory {
    /// Others hold it from now on for so long.
    pub(in crate::runtime) fn hold(&self, duration: Duration) {
        *lock(&self.held_until) = Some(self.machine.now() + duration);
    }

    /// The other process dies.
    pub(in crate::runtime) fn kill_other(&self) {
        self.other_lives.store(false, Ordering::Relaxed);
    }

    /// How often it was taken care of.
    pub(in crate::runtime) fn cared(&self) -> u32 {
        self.cared.load(Ordering::Relaxed)
    }

    /// Puts a record there, as it was found at the start.
    pub(in crate::runtime) fn put(&self, entry: &Entry) {
        lock(&self.entries).push(entry.clone());
    }

    /// The stages of all records, in the order in which their bizIds came.
    pub(in crate::runtime) fn stages(&self) -> Vec<Stage> {
        lock(&self.entries).iter().map(Entry::stage).collect()
    }

    /// Waits for the others.
    fn begin(&self, until: Instant) -> Result<(), JournalError> {
        let Some(end) = *lock(&self.held_until) else { return Ok(()) };
        if until < end {
            return Err(JournalError::new(&codes::JOURNAL_LOCKED, "others hold it"));
        }
        self.machine.pass_until(end);
        Ok(())
    }

    fn all(&self, is_wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        lock(&self.entries).iter().filter(|entry| is_wanted(entry)).cloned().collect()
    }
}

impl Store for Arc<Memory> {
    fn id(&self) -> Result<String, JournalError> {
        Ok("the-id".to_owned())
    }

    fn record(&self, entry: &Entry, _: Guard, until: Instant) -> Result<Recorded, JournalError> {
        self.begin(until)?;
        let mut entries = lock(&self.entries);
        match entries.iter_mut().find(|known| known.key() == entry.key()) {
            Some(known) if known.revision() + 1 != entry.revision() => {
                return Ok(Recorded::Existing(known.clone()));
            }
            Some(known) => *known = entry.clone(),
            None => entries.push(entry.clone()),
        }
        self.machine.note(format!("{} {}", entry.key().biz_id, entry.stage().as_str()));
        Ok(Recorded::Done(()))
    }

    fn record_all(&self, entries: &[Entry], until: Instant) -> Vec<Result<Recorded, JournalError>> {
        entries.iter().map(|entry| self.record(entry, Guard::Off, until)).collect()
    }

    fn find(&self, key: &Key) -> Result<Option<Entry>, JournalError> {
        Ok(self.all(|entry| entry.key() == key).pop())
    }

    fn seems_free(&self, record: &Entry, _: Guard) -> bool {
        self.find(record.key()).is_ok_and(|found| found.is_none())
    }

    fn due(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError> {
        Ok(page.of(self.all(crate::journal::events::is_due).iter()))
    }

    fn unsettled(&self, page: Page<'_>) -> Result<Vec<Entry>, JournalError> {
        Ok(page.of(self.all(|entry| entry.stage().is_unsettled()).iter()))
    }

    fn refused_refunds(&self) -> Result<Vec<Entry>, JournalError> {
        Ok(self.all(Entry::is_refused_refund))
    }

    fn unfinished(&self) -> Result<Vec<Entry>, JournalError> {
        Ok(self.all(Entry::is_unfinished))
    }

    fn near_day(&self, _: i64) -> Result<Vec<Entry>, JournalError> {
        Ok(self.all(|_| true))
    }

    fn acknowledge(&self, _: Key) {}

    fn flush_acknowledged(&self) {}

    fn close(&self) {}

    fn needs_care(&self) -> bool {
        true
    }

    fn care(&self, until: Instant) -> Result<(), JournalError> {
        self.begin(until)?;
        self.cared.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn has_other_biz_ids(&self, key: &Key) -> Result<bool, JournalError> {
        let is_one = |entry: &Entry| entry.has_other_biz_id() && entry.key().is_of_same_account(key);
        Ok(!self.all(is_one).is_empty())
    }

    fn stands_elsewhere(&self, key: &Key) -> Result<bool, JournalError> {
        let is_one = |entry: &Entry| entry.key().biz_id == key.biz_id && entry.key() != key;
        Ok(!self.all(is_one).is_empty())
    }

    fn other_sale_of(&self, key: &Key, returned: &str) -> Result<Option<Entry>, JournalError> {
        let is_one = |entry: &Entry| entry.key() != key && entry.key().biz_id.as_str() == returned;
        Ok(self.all(is_one).pop())
    }

    fn names_coupon_elsewhere(&self, _: &Key, _: &str) -> Result<bool, JournalError> {
        Ok(false)
    }
}

impl Liveness for Arc<Memory> {
    fn owner(&self) -> &Owner {
        &self.owner
    }

    fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    fn is_alive(&self, owner: &Owner) -> bool {
        *owner == self.owner || (owner.0 == OTHER && self.other_lives.load(Ordering::Relaxed))
    }

    fn may_be_running(&self, entry: &Entry) -> bool {
        may_be_running(entry, &self.owner, &self.in_flight, || self.is_alive(entry.owner()))
    }
}

/// The lines of the log.
#[derive(Default)]
pub(in crate::runtime) struct Lines(Mutex<Vec<String>>);

impl Lines {
    /// Whether one of them has this in it.
    pub(in crate::runtime) fn have(&self, words: &str) -> bool {
        lock(&self.0).iter().any(|line| line.contains(words))
    }
}

impl Sink for Lines {
    fn max_level(&self) -> Level {
        Level::Info
    }

    fn write(&self, _: Level, line: &str) {
        lock(&self.0).push(line.to_owned());
    }
}

/// One account on such a machine with such a journal.
pub(in crate::runtime) struct Shop {
    pub(in crate::runtime) machine: Machine,
    pub(in crate::runtime) memory: Arc<Memory>,
    pub(in crate::runtime) lines: Arc<Lines>,
    pub(in crate::runtime) shared: Arc<Shared>,
    pub(in crate::runtime) clients: Arc<[Client]>,
}

impl Shop {
    /// A shop whose configuration has more in it.
    pub(in crate::runtime) fn new(more: &str) -> Shop {
        Shop::opening(more, false)
    }

    /// A shop whose journal others hold at the start.
    pub(in crate::runtime) fn opening_late() -> Shop {
        Shop::opening("", true)
    }

    fn opening(more: &str, late: bool) -> Shop {
        let machine = Machine::new();
        let memory = Arc::new(Memory {
            machine: machine.clone(),
            owner: Owner("1-me".to_owned()),
            in_flight: InFlight::default(),
            entries: Mutex::default(),
            held_until: Mutex::default(),
            other_lives: AtomicBool::new(true),
            cared: AtomicU32::new(0),
        });
        let (opened, is_held) = (Arc::clone(&memory), AtomicBool::new(late));
        let open = move |_| {
            if is_held.swap(false, Ordering::Relaxed) {
                return Err(JournalError::new(&codes::JOURNAL_LOCKED, "others hold it"));
            }
            let location = Location::at("j.db".into());
            Ok((Arc::new(Arc::clone(&opened)) as Arc<dyn Backend>, location))
        };
        let (lines, config) = (Arc::new(Lines::default()), configured(more));
        let shared = Arc::new(Shared {
            world: Arc::new(machine.clone()),
            journal: Journal::open(open, machine.now()),
            log: Log::new(vec![Arc::clone(&lines) as _], Vec::new()),
            total: Duration::from_secs(10),
            lang: Lang::En,
            unknown: config.unknown,
            guard: Guard::Off,
            business_days: config.business_days,
            quote_max_age: Duration::from_mins(10),
        });
        let clients =
            config.accounts.into_iter().map(|account| Client::new(account, Arc::clone(&shared))).collect();
        Shop { machine, memory, lines, shared, clients }
    }

    /// Its account.
    pub(in crate::runtime) fn client(&self) -> &Client {
        &self.clients[0]
    }

    /// A request that this owner was about to send at that time; an unknown outcome waits for a person.
    pub(in crate::runtime) fn intent(&self, biz_id: &str, owner: &str, created: i64) -> Entry {
        let key = self.client().key(&BizId::new(biz_id).unwrap());
        Entry::intent(key, Identity::default(), Owner(owner.to_owned()), OnUnknown::Hold, created)
    }
}
