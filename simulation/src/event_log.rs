//! The library's own event log (`zvpos_core::journal::events`) over tables in memory, under two processes with two threads
//! each: every transaction is interrupted where another thread may come in, processes die, the machine loses its power,
//! commits fail. After each step what a process finds is what was committed.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use generator::{Generator, Gn};
use zvpos_core::gateway::Identity;
use zvpos_core::journal::events::{
    Broken, Change, Ends, Event, Feeding, Put, SharedIndex, View, Writing, feed,
};
use zvpos_core::journal::{Guard, Page};
use zvpos_core::money::BizId;
use zvpos_core::payment::{Detail, Entry, Key, OnUnknown, Owner, Stage};

use crate::oracle::Violation;
use crate::random::Random;
use crate::scheduler::Died;

const PROCESSES: usize = 2;
const THREADS: usize = 2;
const STEPS: u32 = 400;
const SALES: usize = 6;
const MEMBERS: usize = 3;

/// A stack in words; only pages that are used take memory.
const STACK_WORDS: usize = 0x2_0000 / size_of::<usize>();

/// What an SQLite file holds.
#[derive(Clone, Debug, Default)]
struct Tables {
    events: BTreeMap<u64, Event>,
    fed: u64,
    states: BTreeMap<String, Entry>,
}

/// The file, and what is true of it.
struct World {
    random: Random,
    /// What every process sees.
    tables: Arc<Tables>,
    /// Each sale as it was last committed.
    truth: BTreeMap<String, Entry>,
    /// Both when the file was last flushed.
    flushed: (Arc<Tables>, BTreeMap<String, Entry>),
    /// The process whose transaction has the write lock, and the transaction's number.
    writer: Option<(usize, u64)>,
    /// How many transactions have had the write lock.
    transactions: u64,
    /// Which life each process is in.
    lives: [u64; PROCESSES],
    /// The highest number that an event ever had.
    highest: u64,
    violation: Option<String>,
}

/// One thread of one life of a process.
#[derive(Clone)]
struct Thread {
    world: Arc<Mutex<World>>,
    process: usize,
    life: u64,
    index: Arc<SharedIndex>,
}

/// Why a transaction ends.
#[derive(Debug)]
enum Failure {
    Broken(Broken),
    /// There is no room.
    Full,
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Failure {
        Failure::Broken(broken)
    }
}

/// A transaction, which sees the tables as they were at its first question, and its own changes.
struct Transaction<'t> {
    thread: &'t Thread,
    tables: Mutex<Option<Tables>>,
    /// Its number, if it has had the write lock.
    number: Option<u64>,
}

/// Runs the log of one seed.
pub(crate) fn run(seed: u64) -> Option<Violation> {
    let world = World {
        random: Random::new(seed ^ 0x6c6f_675f),
        tables: Arc::default(),
        truth: BTreeMap::new(),
        flushed: <(Arc<Tables>, BTreeMap<String, Entry>)>::default(),
        writer: None,
        transactions: 0,
        lives: [0; PROCESSES],
        highest: 0,
        violation: None,
    };
    let world = Arc::new(Mutex::new(world));
    let mut threads: Vec<(usize, Generator<'static, (), ()>)> = Vec::new();
    for process in 0..PROCESSES {
        start(&world, process, &mut threads);
    }
    for _ in 0..STEPS {
        let mut now = lock(&world);
        if now.violation.is_some() {
            break;
        }
        let dies = now.random.per_mille(8).then(|| now.random.index(PROCESSES));
        let loses_power = dies.is_some() && now.random.per_mille(300);
        if loses_power {
            now.lose_power();
        }
        drop(now);
        for process in (0..PROCESSES).filter(|process| loses_power || dies == Some(*process)) {
            lock(&world).end(process);
            finish(&mut threads, process);
            start(&world, process, &mut threads);
        }
        let at = lock(&world).random.index(threads.len());
        if let Some((_, thread)) = threads.get_mut(at) {
            thread.resume();
        }
    }
    for process in 0..PROCESSES {
        lock(&world).end(process);
        finish(&mut threads, process);
    }
    let violation = lock(&world).violation.take();
    violation.map(|message| Violation { invariant: "J", message })
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start(world: &Arc<Mutex<World>>, process: usize, threads: &mut Vec<(usize, Generator<'static, (), ()>)>) {
    let life = lock(world).lives.get(process).copied().unwrap_or_default();
    let index = Arc::new(SharedIndex::default());
    for _ in 0..THREADS {
        let thread = Thread { world: Arc::clone(world), process, life, index: Arc::clone(&index) };
        let body = move || {
            let ended = panic::catch_unwind(AssertUnwindSafe(|| {
                loop {
                    thread.pause();
                    thread.act();
                }
            }));
            if ended.is_err_and(|panic| !panic.is::<Died>()) {
                lock(&thread.world).broken("a thread panicked".to_owned());
            }
        };
        threads.push((process, Gn::new_opt(STACK_WORDS, body)));
    }
}

/// Lets the threads of a life that has ended unwind.
fn finish(threads: &mut Vec<(usize, Generator<'static, (), ()>)>, process: usize) {
    for (_, thread) in threads.iter_mut().filter(|(owner, _)| *owner == process) {
        while !thread.is_done() {
            thread.resume();
        }
    }
    threads.retain(|(owner, _)| *owner != process);
}

impl World {
    fn broken(&mut self, message: String) {
        self.violation.get_or_insert(message);
    }

    fn end(&mut self, process: usize) {
        if let Some(life) = self.lives.get_mut(process) {
            *life += 1;
        }
        self.writer = self.writer.filter(|(writer, _)| *writer != process);
    }

    /// What was not flushed may be gone.
    fn lose_power(&mut self) {
        if self.random.per_mille(500) {
            (self.tables, self.truth) = self.flushed.clone();
        }
    }

    /// Takes over what a transaction has committed, event by event.
    fn commit(&mut self, tables: Tables, flushes: bool) {
        let behind = self.tables.events.last_key_value().map_or(self.tables.fed, |(number, _)| *number);
        let new: Vec<Event> = tables.events.range(behind + 1..).map(|(_, event)| event.clone()).collect();
        let events = tables.events.len();
        for event in &new {
            self.judge(event);
        }
        if flushes && events != self.tables.events.len() + new.len() {
            self.broken("an event was written under a number that was given before".to_owned());
        }
        self.tables = Arc::new(tables);
        if flushes {
            self.flushed = (Arc::clone(&self.tables), self.truth.clone());
        }
    }

    fn judge(&mut self, event: &Event) {
        if event.number <= self.highest && flushed_before(&self.flushed.0, event.number) {
            self.broken(format!("number {} is given twice", event.number));
        }
        self.highest = self.highest.max(event.number);
        let entry = match &event.change {
            Change::Recorded(entry) => Some((**entry).clone()),
            Change::Acknowledged { key, .. } => {
                self.truth.get(key.biz_id.as_str()).and_then(Entry::acknowledged)
            }
        };
        let Some(entry) = entry else {
            return self.broken(format!("event {} acknowledges nothing", event.number));
        };
        let biz_id = entry.key().biz_id.to_string();
        let before = self.truth.get(&biz_id).map_or(0, Entry::revision);
        if entry.revision() != before + 1 {
            self.broken(format!("{biz_id}: revision {} is written over {before}", entry.revision()));
        }
        let holds_back = |other: &&Entry| Guard::Member.keeps_out(&entry, other, |_| false);
        if entry.revision() == 1
            && let Some(other) =
                self.truth.values().find(holds_back).map(|other| other.key().biz_id.to_string())
        {
            self.broken(format!("{biz_id} is written though {other} is in doubt"));
        }
        self.truth.insert(biz_id, entry);
    }
}

/// Whether an event of that number is on stable storage.
fn flushed_before(tables: &Tables, number: u64) -> bool {
    tables.fed >= number || tables.events.contains_key(&number)
}

impl Thread {
    fn world(&self) -> MutexGuard<'_, World> {
        let world = lock(&self.world);
        if world.lives.get(self.process) == Some(&self.life) {
            return world;
        }
        drop(world);
        panic::resume_unwind(Box::new(Died))
    }

    /// Lets the others act.
    fn pause(&self) {
        #[expect(
            deprecated,
            reason = "its successor takes a handle, which the library's own code cannot pass down"
        )]
        generator::yield_with(());
        drop(self.world());
    }

    fn act(&self) {
        let chosen = self.world().random.below(10);
        let acted = match chosen {
            0..6 => self.write(),
            6 | 7 => self.look_up(),
            _ => self.feed(),
        };
        match acted {
            Ok(()) | Err(Failure::Full) => {}
            Err(Failure::Broken(broken)) => self.world().broken(format!("the log is refused: {broken}")),
        }
    }

    /// What is found is what was committed.
    fn look_up(&self) -> Result<(), Failure> {
        let sale = self.world().random.index(SALES);
        let key = key(sale);
        let begin = || Ok(Transaction::to_read(self));
        let found = self.index.find(begin, &key)?;
        let everything = Page { after: None, limit: usize::MAX };
        let unsettled = self.index.unsettled(begin, everything, |_| true)?;
        let all = self.index.merged(
            begin,
            |_| true,
            |view| Ok(view.with(|tables| tables.states.values().cloned().collect())),
        )?;
        let intent = self.next(sale, None);
        let is_free = self.index.is_free(begin, &intent, Guard::Member, |_| false)?;
        let mut world = self.world();
        let truth = world.truth.get(key.biz_id.as_str());
        if found.as_ref() != truth {
            let [found, truth] = [found.as_ref(), truth].map(|entry| entry.map(Entry::revision));
            world.broken(format!("{}: revision {found:?} is found, and it is {truth:?}", key.biz_id));
        }
        let holds_back = |other: &Entry| Guard::Member.keeps_out(&intent, other, |_| false);
        if is_free
            != (!world.truth.contains_key(key.biz_id.as_str()) && !world.truth.values().any(holds_back))
        {
            world.broken(format!("{} is said to be free: {is_free}", key.biz_id));
        }
        let unsettled_truth = world.truth.values().filter(|entry| entry.stage().is_unsettled()).count();
        if unsettled.len() != unsettled_truth || all.len() != world.truth.len() {
            let message = format!(
                "{} unsettled of {} sales are listed, and {unsettled_truth} of {} are",
                unsettled.len(),
                all.len(),
                world.truth.len()
            );
            world.broken(message);
        }
        Ok(())
    }

    /// One transaction with some records, each made from what was found before it began.
    fn write(&self) -> Result<(), Failure> {
        let count = 1 + self.world().random.index(3);
        let mut records = Vec::new();
        for _ in 0..count {
            let sale = self.world().random.index(SALES);
            let found = self.index.find(|| Ok(Transaction::to_read(self)), &key(sale))?;
            records.push(self.next(sale, found.as_ref()));
            if self.world().random.per_mille(300) {
                self.pause();
            }
        }
        let acknowledged = key(self.world().random.index(SALES));
        self.index.write(
            || Ok(Transaction::to_write(self)),
            |draft| {
                for record in &records {
                    let guard = if record.revision() == 1 { Guard::Member } else { Guard::Off };
                    if let Put::Vanished = draft.put(record, guard, |_| false, || Ok(()))? {
                        self.world().broken(format!("{} has vanished", record.key().biz_id));
                    }
                }
                if !draft.is_empty() {
                    draft.acknowledge(&acknowledged)?;
                }
                Ok(())
            },
        )
    }

    fn next(&self, sale: usize, found: Option<&Entry>) -> Entry {
        let stage = self.world().random.pick(
            Stage::Sending,
            &[Stage::Succeeded, Stage::Unknown, Stage::Reversing, Stage::Reversed, Stage::Succeeded],
        );
        let member = Some(format!("{}", sale % MEMBERS));
        Entry::restore(
            key(sale),
            Identity { customer_id: member, ..Identity::default() },
            if found.is_some() { stage } else { Stage::Sending },
            found.map_or(0, Entry::revision) + 1,
            1,
            Owner(format!("P{}", self.process)),
            OnUnknown::Reverse,
            0,
            Detail::default(),
        )
    }

    fn feed(&self) -> Result<(), Failure> {
        feed(Transaction::to_write(self)).map(drop)
    }
}

#[expect(clippy::expect_used, reason = "the text is a bizId")]
fn key(sale: usize) -> Key {
    let biz_id = BizId::new(&format!("S{sale}")).expect("a bizId");
    Key { open_id: "o".to_owned(), environment: "e".to_owned(), biz_id }
}

impl<'t> Transaction<'t> {
    fn to_read(thread: &'t Thread) -> Transaction<'t> {
        Transaction { thread, tables: Mutex::default(), number: None }
    }

    /// Waits for the write lock.
    fn to_write(thread: &'t Thread) -> Transaction<'t> {
        loop {
            thread.pause();
            let mut world = thread.world();
            if world.writer.is_none() {
                world.transactions += 1;
                let number = world.transactions;
                world.writer = Some((thread.process, number));
                return Transaction {
                    thread,
                    tables: Mutex::new(Some((*world.tables).clone())),
                    number: Some(number),
                };
            }
        }
    }

    fn with<T>(&self, what: impl FnOnce(&mut Tables) -> T) -> T {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        what(tables.get_or_insert_with(|| (*self.thread.world().tables).clone()))
    }

    fn end(&self, flushes: bool) -> Result<(), Failure> {
        self.thread.pause();
        let tables = self.with(std::mem::take);
        let mut world = self.thread.world();
        if world.random.per_mille(100) {
            return Err(Failure::Full);
        }
        world.commit(tables, flushes);
        world.writer = None;
        drop(world);
        // Others come in before the process knows that it has committed.
        self.thread.pause();
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        let mut world = lock(&self.thread.world);
        if world.writer.is_some_and(|(_, number)| Some(number) == self.number) {
            world.writer = None;
        }
    }
}

impl View for Transaction<'_> {
    type Error = Failure;

    fn ends(&self) -> Result<Ends, Failure> {
        Ok(self.with(|tables| {
            let last = tables.events.last_key_value().map_or(tables.fed, |(number, _)| *number);
            let first = tables.events.first_key_value().map(|(number, _)| *number);
            Ends { fed: tables.fed, first, last: last.max(tables.fed) }
        }))
    }

    fn events_behind(&self, number: u64, limit: usize) -> Result<Vec<Event>, Failure> {
        Ok(self.with(|tables| {
            let behind = tables.events.range(number + 1..);
            behind.take(limit).map(|(_, event)| event.clone()).collect()
        }))
    }

    fn state(&self, key: &Key) -> Result<Option<Entry>, Failure> {
        Ok(self.with(|tables| tables.states.get(key.biz_id.as_str()).cloned()))
    }

    fn unsettled_states(&self) -> Result<Vec<Entry>, Failure> {
        Ok(self.with(|tables| {
            tables.states.values().filter(|entry| entry.stage().is_unsettled()).cloned().collect()
        }))
    }
}

impl Writing for Transaction<'_> {
    fn append(&self, event: &Event) -> Result<(), Failure> {
        let taken = self.with(|tables| {
            let is_fed = event.number <= tables.fed;
            tables.events.insert(event.number, event.clone()).is_some() || is_fed
        });
        if taken {
            self.thread.world().broken(format!("number {} is given twice", event.number));
        }
        Ok(())
    }

    fn commit(self, _: u64) -> Result<(), Failure> {
        self.end(true)
    }
}

impl Feeding for Transaction<'_> {
    fn put_state(&self, _: u64, _: Option<&Entry>, entry: &Entry) -> Result<(), Failure> {
        self.with(|tables| tables.states.insert(entry.key().biz_id.to_string(), entry.clone()));
        Ok(())
    }

    fn set_fed(&self, number: u64) -> Result<(), Failure> {
        self.with(|tables| {
            tables.fed = number;
            tables.events.retain(|event, _| *event > number);
        });
        Ok(())
    }

    fn commit(self) -> Result<(), Failure> {
        self.end(false)
    }
}
