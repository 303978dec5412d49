//! The state of the model: one journal, one gateway, two processes, and what is on its way between them.

use std::fmt::{self, Write};

use zvpos_core::payment::{Entry, Owner, consume, reversal};

/// How many sales there are; both of one member.
pub(super) const SALES: usize = 2;
/// How many processes there are.
pub(super) const PROCESSES: usize = 2;

/// How often what may go wrong still may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Processes that die.
    pub crashes: u8,
    /// Processes that are stopped so long that the others take them for dead.
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
    /// The bounds of that name: `small` for every run, `large` for the long one.
    pub fn named(name: &str) -> Option<Bounds> {
        let small = Bounds {
            crashes: 1,
            pauses: 0,
            losses: 0,
            late: 1,
            full_disks: 0,
            consumes: 2,
            reversals: 0,
            tries: 2,
        };
        match name {
            "small" => Some(small),
            "large" => Some(Bounds {
                crashes: 2,
                pauses: 1,
                losses: 2,
                late: 1,
                full_disks: 1,
                consumes: 3,
                reversals: 1,
                tries: 4,
            }),
            _ => None,
        }
    }
}

/// What a process is at.
#[derive(Clone, Debug)]
pub enum Job {
    /// A till's consume, and the effect that is carried out next; `None` while its request is on its way.
    Consume(usize, consume::State, Option<consume::Effect>),
    /// One try to undo a sale, likewise, and whether its late-arrival window was over when it began.
    Reversal(usize, reversal::State, Option<reversal::Effect>, bool),
}

/// One process.
#[derive(Clone, Debug)]
pub struct Process {
    /// The name of this life.
    pub life: u8,
    /// Whether it runs.
    pub alive: bool,
    /// It is stopped, and the others take it for dead.
    pub stopped: bool,
    /// What its till's thread is at.
    pub till: Option<Job>,
    /// What the library's thread is at.
    pub worker: Option<Job>,
}

impl Process {
    /// The name of a process in that life.
    pub fn owner(number: usize, life: u8) -> Owner {
        Owner(format!("P{number}.{life}"))
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

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The process.
    pub process: usize,
    /// In which of its lives.
    pub life: u8,
    /// The library's thread, not the till's.
    pub worker: bool,
}

/// What the gateway did with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
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

/// One request, or its answer on the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it asks for.
    pub purpose: Purpose,
    /// For which sale.
    pub sale: usize,
    /// Who waits for its answer; `None` where nobody does any more.
    pub waiting: Option<Waiting>,
    /// What the gateway said; `None` until it arrives.
    pub said: Option<Said>,
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
    /// A consume left after its process had been taken for dead, and nobody knows yet how it ended.
    pub zombie: bool,
}

/// The state of the model.
#[derive(Clone, Debug)]
pub struct State {
    /// What is durable.
    pub journal: [Option<Entry>; SALES],
    /// What the gateway knows.
    pub ledger: [Ledger; SALES],
    /// The processes.
    pub processes: [Process; PROCESSES],
    /// What is on its way.
    pub messages: Vec<Message>,
    /// What may still go wrong.
    pub left: Bounds,
}

impl State {
    /// The state before anything happens.
    pub fn new(left: Bounds) -> State {
        let process = Process { life: 0, alive: true, stopped: false, till: None, worker: None };
        State {
            journal: [None, None],
            ledger: [Ledger::default(); SALES],
            processes: [process.clone(), process],
            messages: Vec::new(),
            left,
        }
    }

    /// A hash of everything in it, wide enough that two states do not share one by chance.
    pub fn fingerprint(&self) -> u128 {
        let mut hash = Fingerprint { low: 0x9E37_79B9_7F4A_7C15, high: 0xC2B2_AE3D_27D4_EB4F };
        // Writing into a hash cannot fail.
        let _ = write!(hash, "{self:?}");
        (u128::from(hash.high) << 64) | u128::from(hash.low)
    }
}

/// Two 64-bit halves, each mixed by a multiplication whose upper half is folded in.
struct Fingerprint {
    low: u64,
    high: u64,
}

fn mixed(state: u64, word: u64, by: u64) -> u64 {
    let wide = u128::from(state ^ word) * u128::from(by);
    let (upper, lower) = (wide >> 64, wide & u128::from(u64::MAX));
    u64::try_from(upper ^ lower).unwrap_or_default()
}

impl Write for Fingerprint {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for chunk in text.as_bytes().chunks(8) {
            let word = chunk.iter().fold(0_u64, |word, byte| (word << 8) | u64::from(*byte));
            // An empty upper byte would make a text and the same behind a NUL alike.
            let word = word ^ (u64::try_from(chunk.len()).unwrap_or_default() << 60);
            self.low = mixed(self.low, word, 0xD6E8_FEB8_6659_FD93).rotate_left(23) ^ word;
            self.high = mixed(self.high, word.rotate_left(32), 0xA076_1D64_78BD_642F).rotate_left(29) ^ word;
        }
        Ok(())
    }
}
