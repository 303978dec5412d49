//! Who acts, and what the oracle knows of the call that each is at.

use generator::Generator;
use zvpos_core::payment::Entry;

use crate::assumption::Deeds;

/// The coroutine behind an actor.
pub type Routine = Generator<'static, (), ()>;

/// Who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A thread of the host in that process.
    Till(usize),
    /// A thread that the library has started in that process.
    Library(usize),
}

impl Role {
    /// The process that it lives in.
    pub fn process(self) -> usize {
        match self {
            Role::Till(process) | Role::Library(process) => process,
        }
    }
}

/// A function of the C ABI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Function {
    /// None: the library works by itself.
    #[default]
    None,
    /// `zv_consume_json`
    Consume,
    /// `zv_reverse_json`
    Reverse,
    /// `zv_lookup_json`
    LookUp,
    /// `zv_confirm_json`
    Confirm,
    /// `zv_recover_json`
    Recover,
    /// `zv_settle_json`
    Settle,
}

impl Function {
    /// Whether nothing was called.
    pub fn is_none(self) -> bool {
        self == Function::None
    }
}

/// One call of a host's thread, as the oracle sees it.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
pub struct Call {
    /// What was called.
    pub function: Function,
    /// For which bizId.
    pub biz_id: String,
    /// Consumes that left.
    pub sent: u32,
    /// Consumes that the gateway refused for their signature: these have no effect.
    pub unsigned: u32,
    /// Reversals that left.
    pub reversals: u32,
    /// When it began.
    pub started: u64,
    /// Its process was stopped between its last look at the clock and the first byte.
    pub stopped: bool,
    /// The call has recorded an intent.
    pub holds: bool,
    /// What the gateway had done when the journal was last asked.
    pub then: Deeds,
    /// What the journal last said stands under the bizId.
    pub seen: Option<Entry>,
    /// The sale had been sent to another tender when the journal was last asked.
    pub was_sent_away: bool,
    /// Its money was being given back, or had been, when the journal was last asked.
    pub was_refund: bool,
    /// What the journal last said of other bizIds.
    pub knew_other_biz_ids: bool,
}

/// One thread.
pub struct Actor {
    /// Who it is.
    pub role: Role,
    /// In which life of its process.
    pub life: u64,
    /// When its next effect may happen.
    pub wakes_at: u64,
    /// What wakes it earlier.
    pub waits_for: Option<u64>,
    /// Its process is stopped.
    pub suspended: bool,
    /// It has ended, and its seat is free.
    pub ended: bool,
    /// What it is at.
    pub call: Call,
    /// Its stack and the place in its code, except while it acts.
    pub routine: Option<Routine>,
}

impl Actor {
    /// One who begins at that time.
    pub fn new(role: Role, life: u64, wakes_at: u64, routine: Routine) -> Actor {
        Actor {
            role,
            life,
            wakes_at,
            waits_for: None,
            suspended: false,
            ended: false,
            call: Call::default(),
            routine: Some(routine),
        }
    }
}
