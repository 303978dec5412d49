//! The state of the model: one journal, one gateway, two processes, and the requests between them. Records and calls are
//! shared between states, and a state has the same fingerprint as its mirror images, in which the two processes, the two
//! sales or both change places.
#![allow(
    clippy::indexing_slicing,
    reason = "sales and processes are numbered within the bounds of their arrays"
)]

use std::collections::HashMap;
use std::fmt::{self, Debug, Write};
use std::sync::Arc;

use zvpos_core::payment::{Entry, Owner, consume, reversal};

/// How many sales there are; both of one member.
pub(super) const SALES: usize = 2;
/// How many processes there are.
pub(super) const PROCESSES: usize = 2;
/// The bizIds of the sales.
pub(super) const BIZ_IDS: [&str; SALES] = ["sale-A", "sale-B"];
/// The mirror images of a state: bit 0 says that the processes change places, bit 1 that the sales do.
const IMAGES: usize = 4;

/// How often each thing that may go wrong still may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Processes that die.
    pub crashes: u8,
    /// Processes that are stopped so long that the others presume them dead.
    pub pauses: u8,
    /// Requests or answers that are lost.
    pub losses: u8,
    /// Consumes that arrive after their caller has given them up.
    pub late: u8,
    /// Records that meet a full disk.
    pub full_disks: u8,
    /// Consumes that a till asks for.
    pub consumes: u8,
    /// Reversals that a till asks for.
    pub reversals: u8,
    /// Tries of reversals: each is recorded under a number of its own, so without a bound there is no last state.
    pub tries: u8,
}

impl Bounds {
    const LEAST: Bounds = Bounds {
        crashes: 1,
        pauses: 0,
        losses: 0,
        late: 1,
        full_disks: 0,
        consumes: 2,
        reversals: 0,
        tries: 2,
    };
    const SMALL: [Bounds; 3] = [
        Bounds { losses: 1, full_disks: 1, ..Bounds::LEAST },
        Bounds { reversals: 1, ..Bounds::LEAST },
        Bounds { crashes: 0, pauses: 1, losses: 1, ..Bounds::LEAST },
    ];
    const LARGE: [Bounds; 5] = [
        Bounds { losses: 1, reversals: 1, ..Bounds::LEAST },
        Bounds { crashes: 0, pauses: 1, reversals: 1, ..Bounds::LEAST },
        Bounds { crashes: 0, pauses: 1, losses: 1, full_disks: 1, ..Bounds::LEAST },
        Bounds { crashes: 2, losses: 2, full_disks: 1, ..Bounds::LEAST },
        Bounds { crashes: 2, pauses: 1, losses: 2, ..Bounds::LEAST },
    ];

    /// The bounds of that name, searched one after the other: `small` for every run, `large` for the long one. Everything
    /// in one search would take far more than the minutes of `large`.
    pub fn named(name: &str) -> Option<&'static [Bounds]> {
        match name {
            "small" => Some(&Bounds::SMALL),
            "large" => Some(&Bounds::LARGE),
            _ => None,
        }
    }

    fn packed(self) -> u64 {
        let fields = [
            self.crashes,
            self.pauses,
            self.losses,
            self.late,
            self.full_disks,
            self.consumes,
            self.reversals,
            self.tries,
        ];
        u64::from_le_bytes(fields)
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bounds { crashes, pauses, losses, late, full_disks, consumes, reversals, tries } = self;
        write!(out, "consumes {consumes}, reversals asked {reversals}, tries of a reversal {tries}; ")?;
        write!(
            out,
            "crashes {crashes}, stops {pauses}, losses {losses}, late arrivals {late}, full disks {full_disks}"
        )
    }
}

/// A call that is in progress: its machine, and the effect that is carried out next; `None` while its request is on its
/// way.
#[derive(Clone, Debug)]
pub enum Call {
    /// A till's consume.
    Consume(consume::State, Option<consume::Effect>),
    /// One try to undo a sale, and whether the sale's late-arrival window was over when the try began.
    Reversal(reversal::State, Option<reversal::Effect>, bool),
}

/// A call of a sale.
#[derive(Clone, Debug)]
pub struct Job {
    /// The sale.
    pub sale: usize,
    /// The call.
    pub call: Arc<Shared<Call>>,
}

/// A record or a call, with the hashes of its mirror images.
#[derive(Debug)]
pub struct Shared<T> {
    /// The record or the call.
    pub value: T,
    images: [u128; IMAGES],
}

/// The records and calls of the states that one thread has made, each once.
#[derive(Debug, Default)]
pub(super) struct Table {
    text: String,
    entries: HashMap<u128, Arc<Shared<Entry>>>,
    calls: HashMap<u128, Arc<Shared<Call>>>,
}

impl Table {
    /// The shared record that is equal to this one.
    pub(super) fn entry(&mut self, entry: Entry) -> Arc<Shared<Entry>> {
        shared(&mut self.text, &mut self.entries, entry)
    }

    /// The shared call that is equal to this one.
    pub(super) fn call(&mut self, call: Call) -> Arc<Shared<Call>> {
        shared(&mut self.text, &mut self.calls, call)
    }
}

fn shared<T: Debug>(
    text: &mut String,
    known: &mut HashMap<u128, Arc<Shared<T>>>,
    value: T,
) -> Arc<Shared<T>> {
    text.clear();
    // A string takes whatever is written.
    let _ = write!(text, "{value:?}");
    let hash = hash_of(text);
    let place = known.entry(hash).or_insert_with(|| {
        let others = swapped(text, ["P0.", "P1."]);
        let images =
            [hash, hash_of(&others), hash_of(&swapped(text, BIZ_IDS)), hash_of(&swapped(&others, BIZ_IDS))];
        Arc::new(Shared { value, images })
    });
    Arc::clone(place)
}

/// The text in which two names have changed places.
fn swapped(text: &str, [one, other]: [&str; 2]) -> String {
    text.replace(one, "\0").replace(other, one).replace('\0', other)
}

/// What other processes may say of the attempt that a till's call carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Nothing but that it runs, or there is none.
    InTime,
    /// That it is dead: its process was stopped since the intent was recorded, and the call has outlived its time.
    Late,
    /// It was late, and it was recorded as left behind.
    PresumedDead,
}

/// One process.
#[derive(Clone, Debug)]
pub struct Process {
    /// The number of this life.
    pub life: u8,
    /// Whether it runs.
    pub alive: bool,
    /// It is stopped, and the others presume it dead.
    pub stopped: bool,
    /// The attempt of its till's call.
    pub attempt: Attempt,
    /// The call of its till's thread.
    pub till: Option<Job>,
    /// The call of the library's thread.
    pub worker: Option<Job>,
}

impl Process {
    /// A process that has just started for the first time.
    pub(super) fn new() -> Process {
        Process { life: 0, alive: true, stopped: false, attempt: Attempt::InTime, till: None, worker: None }
    }

    /// Whether its till's call has recorded the intent of a sale and not answered the till yet.
    pub(super) fn carries_out(&self, sale: usize) -> bool {
        self.till.as_ref().is_some_and(|job| {
            let is_consume = matches!(&job.call.value, Call::Consume(machine, _) if !matches!(machine, consume::State::New(_)));
            job.sale == sale && is_consume
        })
    }

    /// The name of a process in that life.
    pub fn owner(number: usize, life: u8) -> Owner {
        Owner(format!("P{number}.{life}"))
    }

    /// The call of a thread; `worker` means the library's.
    pub fn job(&mut self, worker: bool) -> &mut Option<Job> {
        if worker { &mut self.worker } else { &mut self.till }
    }

    fn packed(&self) -> u64 {
        let attempt: u64 = match self.attempt {
            Attempt::InTime => 0,
            Attempt::Late => 1,
            Attempt::PresumedDead => 2,
        };
        u64::from(self.life) | u64::from(self.alive) << 8 | u64::from(self.stopped) << 9 | attempt << 10
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Taking.
    Consume,
    /// Undoing.
    Reversal,
}

/// Who waits for an answer: a thread of a process that has not died since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The process.
    pub process: usize,
    /// The library's thread, not the till's.
    pub worker: bool,
}

/// What the gateway did with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It took the money.
    Taken,
    /// It refused, and took nothing.
    Refused,
    /// It gave the money back.
    GivenBack,
    /// It had given the money back before.
    Already,
    /// It does not know the sale.
    NotFound,
}

/// One request that has not arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it asks for.
    pub purpose: Purpose,
    /// For which sale.
    pub sale: usize,
    /// Who waits for its answer; `None` if no thread does any more.
    pub waiting: Option<Waiting>,
}

impl Message {
    fn packed(&self, processes: usize, sales: usize) -> u64 {
        let waiting = self.waiting.map_or(0, |waiting| {
            1 | u64::from(waiting.worker) << 1 | u64::from(waiting.process ^ processes == 1) << 2
        });
        u64::from(self.purpose == Purpose::Reversal) | u64::from(self.sale ^ sales == 1) << 1 | waiting << 2
    }
}

/// What the gateway knows of one sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// What is taken less what is given back.
    pub net: i8,
    /// The gateway has answered a consume under this bizId, with yes or no: it never acts again.
    pub answered: Option<bool>,
    /// It was given back.
    pub given_back: bool,
    /// A consume left after its process had been presumed dead, and its end is not known yet.
    pub zombie: bool,
}

impl Ledger {
    fn packed(self) -> u64 {
        let answered = self.answered.map_or(0, |yes| 1 + u64::from(yes));
        u64::from(self.net.cast_unsigned())
            | answered << 8
            | u64::from(self.given_back) << 10
            | u64::from(self.zombie) << 11
    }
}

/// The state of the model.
#[derive(Clone, Debug)]
pub struct State {
    /// What is durable.
    pub journal: [Option<Arc<Shared<Entry>>>; SALES],
    /// What the gateway knows.
    pub ledger: [Ledger; SALES],
    /// The processes.
    pub processes: [Process; PROCESSES],
    /// The requests on their way, in no order.
    pub messages: Vec<Message>,
    /// What may still go wrong.
    pub left: Bounds,
}

impl State {
    /// The state before anything happens.
    pub fn new(left: Bounds) -> State {
        State {
            journal: [None, None],
            ledger: [Ledger::default(); SALES],
            processes: [Process::new(), Process::new()],
            messages: Vec::new(),
            left,
        }
    }

    /// The record of a sale.
    pub fn entry(&self, sale: usize) -> Option<&Entry> {
        self.journal.get(sale)?.as_ref().map(|entry| &entry.value)
    }

    /// The living process that recorded an entry.
    pub(super) fn owner(&self, entry: &Entry) -> Option<usize> {
        (0..PROCESSES).find(|number| {
            let process = &self.processes[*number];
            process.alive && *entry.owner() == Process::owner(*number, process.life)
        })
    }

    /// A hash of everything in it, wide enough that two states do not share one by chance; the same for its mirror
    /// images.
    pub fn fingerprint(&self) -> u128 {
        (0..IMAGES).map(|image| self.hash(image)).min().unwrap_or_default()
    }

    fn hash(&self, image: usize) -> u128 {
        let (processes, sales) = (image & 1, image >> 1);
        let mut hash = Fingerprint::default();
        let job = |hash: &mut Fingerprint, job: &Option<Job>| match job {
            Some(job) => {
                hash.word(1 + u64::from(job.sale ^ sales == 1));
                hash.wide(job.call.images[image]);
            }
            None => hash.word(0),
        };
        for number in 0..PROCESSES {
            let process = &self.processes[number ^ processes];
            hash.word(process.packed());
            job(&mut hash, &process.till);
            job(&mut hash, &process.worker);
        }
        for number in 0..SALES {
            let sale = number ^ sales;
            hash.word(self.ledger[sale].packed());
            hash.wide(self.journal[sale].as_ref().map_or(0, |entry| entry.images[image]));
        }
        let mut messages: Vec<u64> =
            self.messages.iter().map(|message| message.packed(processes, sales)).collect();
        messages.sort_unstable();
        for message in messages {
            hash.word(message);
        }
        hash.word(self.left.packed());
        hash.whole()
    }
}

/// Two 64-bit halves, each mixed by a multiplication whose upper half is folded in.
struct Fingerprint {
    low: u64,
    high: u64,
}

impl Default for Fingerprint {
    fn default() -> Fingerprint {
        Fingerprint { low: 0x9E37_79B9_7F4A_7C15, high: 0xC2B2_AE3D_27D4_EB4F }
    }
}

impl Fingerprint {
    fn word(&mut self, word: u64) {
        self.low = mixed(self.low, word, 0xD6E8_FEB8_6659_FD93).rotate_left(23) ^ word;
        self.high = mixed(self.high, word.rotate_left(32), 0xA076_1D64_78BD_642F).rotate_left(29) ^ word;
    }

    fn wide(&mut self, wide: u128) {
        self.word(u64::try_from(wide & u128::from(u64::MAX)).unwrap_or_default());
        self.word(u64::try_from(wide >> 64).unwrap_or_default());
    }

    fn whole(mut self) -> u128 {
        self.word(0x5851_F42D_4C95_7F2D);
        (u128::from(self.high) << 64) | u128::from(self.low)
    }
}

fn mixed(state: u64, word: u64, by: u64) -> u64 {
    let wide = u128::from(state ^ word) * u128::from(by);
    let (upper, lower) = (wide >> 64, wide & u128::from(u64::MAX));
    u64::try_from(upper ^ lower).unwrap_or_default()
}

fn hash_of(text: &str) -> u128 {
    let mut hash = Fingerprint::default();
    let (words, rest) = text.as_bytes().as_chunks();
    for word in words {
        hash.word(u64::from_be_bytes(*word));
    }
    hash.word(rest.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte)));
    hash.word(u64::try_from(text.len()).unwrap_or_default());
    hash.whole()
}
