//! The registry of live answers. A host owns a pointer until it frees it; the bytes stay owned here, so that
//! freeing what is not ours, or twice, is harmless and can be said out loud. What was freed last is kept for a while,
//! so that a second free of it cannot hit another answer that has come to stand at the same address.

use std::collections::{HashMap, TryReserveError, VecDeque};
use std::ffi::c_char;
use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zvpos_core::outcome::Outcome;

/// Given when there is no memory for the real answer. Never freed.
static NO_MEMORY: &[u8] = b"{\"outcome\":\"internal\",\"next\":\"stop\",\"code\":\"ZV-MEMORY\",\
\"message\":\"out of memory\",\"cashier\":\"\",\"replayed\":false,\"warnings\":[],\"errors\":[],\"data\":null,\
\"timing_ms\":{\"journal\":0,\"connect\":0,\"wait\":0,\"total\":0}}\0";

/// The same for a consume, whose request may have left.
static NO_MEMORY_UNKNOWN: &[u8] = b"{\"outcome\":\"unknown\",\"next\":\"wait\",\"code\":\"ZV-MEMORY\",\
\"message\":\"out of memory; look the bizId up\",\"cashier\":\"\",\"replayed\":false,\"warnings\":[],\
\"errors\":[],\"data\":null,\"timing_ms\":{\"journal\":0,\"connect\":0,\"wait\":0,\"total\":0}}\0";

/// What a host holds, and what it held a moment ago.
#[derive(Default)]
pub(crate) struct Answers {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// By the pointers that the host was given.
    live: HashMap<usize, Live>,
    dead: Dead,
}

/// The answers that were freed last, wiped. As long as their memory is kept, the allocator gives out none of their
/// addresses again.
#[derive(Default)]
struct Dead {
    /// The oldest first.
    answers: VecDeque<Box<[u8]>>,
    /// How many they have together.
    bytes: usize,
}

impl Dead {
    /// So many are kept at most, and so many bytes in all; a larger answer is given back to the allocator at once.
    const MOST: usize = 256;
    const MOST_BYTES: usize = 1024 * 1024;

    /// Room for all that are ever kept, so that freeing an answer needs no memory.
    fn reserve(&mut self) -> Result<(), TryReserveError> {
        let missing = Dead::MOST.saturating_sub(self.answers.len());
        self.answers.try_reserve_exact(missing)
    }

    /// Wipes an answer and keeps it in the place of the oldest ones.
    fn mark_abandoned(&mut self, mut bytes: Box<[u8]>) {
        bytes.fill(0);
        // What is dropped next would otherwise not have to be wiped.
        black_box(&mut bytes);
        if bytes.len() > Dead::MOST_BYTES {
            return;
        }
        while self.answers.len() >= Dead::MOST || self.bytes + bytes.len() > Dead::MOST_BYTES {
            let Some(oldest) = self.answers.pop_front() else { break };
            self.bytes -= oldest.len();
        }
        self.bytes += bytes.len();
        self.answers.push_back(bytes);
    }

    fn holds(&self, pointer: *const c_char) -> bool {
        self.answers.iter().any(|answer| answer.as_ptr().addr() == pointer.addr())
    }
}

/// One answer in a host's hands.
struct Live {
    bytes: Box<[u8]>,
    outcome: Outcome,
    delivery: Option<u64>,
}

/// An answer that the host has given back.
pub(crate) struct Freed {
    /// Under which number the library waits to learn it.
    pub(crate) delivery: Option<u64>,
}

/// What `zv_take` found.
pub(crate) enum Taken {
    /// It fitted: so many bytes without NUL, now freed.
    Copied(usize, Freed),
    /// It needs so many bytes with NUL, and is still the host's.
    TooSmall(usize),
    /// No live answer.
    Unknown,
}

impl Answers {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a text to the host, or what is given when there is no memory.
    pub(crate) fn hand_out(&self, text: &[u8], outcome: Outcome, delivery: Option<u64>) -> *mut c_char {
        let mut bytes = Vec::new();
        let mut held = self.held();
        if bytes.try_reserve_exact(text.len() + 1).is_err()
            || held.live.try_reserve(1).is_err()
            || held.dead.reserve().is_err()
        {
            return Answers::no_memory(outcome);
        }
        bytes.extend_from_slice(text);
        bytes.push(0);
        let bytes = bytes.into_boxed_slice();
        let pointer = bytes.as_ptr();
        held.live.insert(pointer.addr(), Live { bytes, outcome, delivery });
        pointer.cast_mut().cast()
    }

    /// The answer that needs no memory, in the place of one with this outcome: what may have acted is unknown.
    pub(crate) fn no_memory(outcome: Outcome) -> *mut c_char {
        let may_have_acted = matches!(outcome, Outcome::Succeeded | Outcome::Unknown | Outcome::Reversed);
        let text = if may_have_acted { NO_MEMORY_UNKNOWN } else { NO_MEMORY };
        text.as_ptr().cast_mut().cast()
    }

    /// The outcome of a live answer; `None` for a copy, and for what is none.
    pub(crate) fn outcome(&self, pointer: *const c_char) -> Option<Outcome> {
        self.held().live.get(&pointer.addr()).map(|live| live.outcome)
    }

    /// Whether it was freed a moment ago.
    pub(crate) fn is_dead(&self, pointer: *const c_char) -> bool {
        self.held().dead.holds(pointer)
    }

    /// Frees an answer; `None` if it is none.
    pub(crate) fn free(&self, pointer: *mut c_char) -> Option<Freed> {
        if is_static(pointer) {
            return Some(Freed { delivery: None });
        }
        self.held().end(pointer)
    }

    /// Copies an answer into the host's buffer and frees it, if it fits.
    pub(crate) fn take(&self, pointer: *mut c_char, buffer: &mut [u8]) -> Taken {
        let mut held = self.held();
        let bytes = match held.live.get(&pointer.addr()) {
            Some(live) => &*live.bytes,
            None => match [NO_MEMORY, NO_MEMORY_UNKNOWN].into_iter().find(|text| is(pointer, text)) {
                Some(text) => text,
                None => return Taken::Unknown,
            },
        };
        let Some(room) = buffer.get_mut(..bytes.len()) else { return Taken::TooSmall(bytes.len()) };
        room.copy_from_slice(bytes);
        let length = bytes.len() - 1;
        Taken::Copied(length, held.end(pointer).unwrap_or(Freed { delivery: None }))
    }
}

impl Held {
    /// The end of a live answer; `None` if it is none.
    fn end(&mut self, pointer: *mut c_char) -> Option<Freed> {
        let Live { bytes, delivery, .. } = self.live.remove(&pointer.addr())?;
        self.dead.mark_abandoned(bytes);
        Some(Freed { delivery })
    }
}

fn is(pointer: *mut c_char, text: &'static [u8]) -> bool {
    pointer.addr() == text.as_ptr().addr()
}

fn is_static(pointer: *mut c_char) -> bool {
    is(pointer, NO_MEMORY) || is(pointer, NO_MEMORY_UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_without_memory_are_json() {
        for (text, outcome) in [(NO_MEMORY, "internal"), (NO_MEMORY_UNKNOWN, "unknown")] {
            let (nul, json) = text.split_last().unwrap();
            assert_eq!(*nul, 0);
            let value = zvpos_core::json::Value::parse(std::str::from_utf8(json).unwrap()).unwrap();
            assert_eq!(value.as_object().unwrap().get("outcome").unwrap().scalar(), Some(outcome));
        }
        let answers = Answers::default();
        let pointer: *mut c_char = NO_MEMORY.as_ptr().cast_mut().cast();
        assert!(answers.free(pointer).is_some() && answers.free(pointer).is_some());
        let mut buffer = [0; 1024];
        assert!(
            matches!(answers.take(pointer, &mut buffer), Taken::Copied(n, _) if n == NO_MEMORY.len() - 1)
        );
    }

    #[test]
    fn an_answer_is_freed_once() {
        let answers = Answers::default();
        let pointer = answers.hand_out(b"{}", Outcome::Declined, Some(7));
        assert_eq!(answers.outcome(pointer), Some(Outcome::Declined));
        assert!(matches!(answers.take(pointer, &mut [0; 2]), Taken::TooSmall(3)));
        assert!(matches!(answers.take(pointer, &mut [0; 3]), Taken::Copied(2, Freed { delivery: Some(7) })));
        assert!(answers.free(pointer).is_none() && answers.outcome(pointer).is_none());
        assert!(matches!(answers.take(pointer, &mut [0; 3]), Taken::Unknown));
    }

    #[test]
    fn the_last_ones_are_kept_and_wiped() {
        let answers = Answers::default();
        let freed = |size: usize| {
            let pointer = answers.hand_out(&vec![b'x'; size - 1], Outcome::Declined, None);
            assert!(answers.free(pointer).is_some());
            pointer
        };
        let kept = || {
            let held = answers.held();
            let dead = &held.dead.answers;
            assert_eq!(held.dead.bytes, dead.iter().map(|answer| answer.len()).sum::<usize>());
            assert!(dead.iter().all(|answer| answer.iter().all(|byte| *byte == 0)));
            (dead.len(), held.dead.bytes)
        };
        let first = freed(10);
        assert!(answers.is_dead(first) && answers.free(first).is_none());
        for _ in 1..Dead::MOST {
            freed(10);
        }
        assert!(answers.is_dead(first));
        let last = freed(10);
        assert!(!answers.is_dead(first) && answers.is_dead(last));
        assert_eq!(kept(), (Dead::MOST, Dead::MOST * 10));
        // One that is larger than all that is kept takes no place.
        freed(Dead::MOST_BYTES + 1);
        assert_eq!(kept(), (Dead::MOST, Dead::MOST * 10));
        freed(Dead::MOST_BYTES - 25);
        assert_eq!(kept(), (3, Dead::MOST_BYTES - 5));
        freed(Dead::MOST_BYTES);
        assert_eq!(kept(), (1, Dead::MOST_BYTES));
        freed(Dead::MOST_BYTES / 2);
        freed(Dead::MOST_BYTES / 2);
        assert_eq!(kept(), (2, Dead::MOST_BYTES));
    }
}
