//! The registry of live answers. A host owns a pointer until it frees it; the bytes stay owned here, so that freeing
//! a foreign pointer, or the same pointer twice, is harmless and can be logged. Recently freed answers are kept for a
//! while, so that a second free cannot hit a new answer at the same address.

use std::collections::{HashMap, TryReserveError, VecDeque};
use std::ffi::c_char;
use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zvpos_core::outcome::Outcome;

/// Returned when there is no memory for the real answer. Never freed.
static NO_MEMORY: &[u8] = b"{\"outcome\":\"internal\",\"next\":\"stop\",\"code\":\"ZV-MEMORY\",\
\"message\":\"out of memory\",\"cashier\":\"\",\"replayed\":false,\"warnings\":[],\"errors\":[],\"data\":null,\
\"timing_ms\":{\"journal\":0,\"connect\":0,\"wait\":0,\"total\":0}}\0";

/// As [`NO_MEMORY`], for a consume whose request may have been sent.
static NO_MEMORY_UNKNOWN: &[u8] = b"{\"outcome\":\"unknown\",\"next\":\"wait\",\"code\":\"ZV-MEMORY\",\
\"message\":\"out of memory; look the bizId up\",\"cashier\":\"\",\"replayed\":false,\"warnings\":[],\
\"errors\":[],\"data\":null,\"timing_ms\":{\"journal\":0,\"connect\":0,\"wait\":0,\"total\":0}}\0";

/// The live answers and the most recently freed ones.
#[derive(Default)]
pub(crate) struct Answers {
    registry: Mutex<Registry>,
}

#[derive(Default)]
struct Registry {
    /// Keyed by the pointer that the host was given.
    live: HashMap<usize, Live>,
    dead: Dead,
}

/// The most recently freed answers, wiped. While their memory is kept, the allocator cannot reuse their addresses.
#[derive(Default)]
struct Dead {
    /// Oldest first.
    answers: VecDeque<Box<[u8]>>,
    /// Total size of `answers`.
    bytes: usize,
}

impl Dead {
    /// At most this many answers and bytes are kept; a larger answer is returned to the allocator at once.
    const MOST: usize = 256;
    const MOST_BYTES: usize = 1024 * 1024;

    /// Reserves room for every answer that can be kept, so that freeing an answer never allocates.
    fn reserve(&mut self) -> Result<(), TryReserveError> {
        let missing = Dead::MOST.saturating_sub(self.answers.len());
        self.answers.try_reserve_exact(missing)
    }

    /// Wipes a freed answer and keeps it, dropping the oldest ones to make room.
    fn mark_abandoned(&mut self, mut bytes: Box<[u8]>) {
        bytes.fill(0);
        // Keeps the compiler from removing the wipe as a dead store.
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

/// An answer that the host owns.
struct Live {
    bytes: Box<[u8]>,
    outcome: Outcome,
    delivery: Option<u64>,
}

/// An answer that the host has freed.
pub(crate) struct Freed {
    /// The number under which the library waits for its delivery.
    pub(crate) delivery: Option<u64>,
}

/// The result of `zv_take`.
pub(crate) enum Taken {
    /// Copied: the length without NUL; the answer is freed.
    Copied(usize, Freed),
    /// The buffer is too small: the size needed with NUL; the host still owns the answer.
    TooSmall(usize),
    /// The pointer is not a live answer.
    Unknown,
}

impl Answers {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a text and returns its pointer, or the static answer if there is no memory.
    pub(crate) fn hand_out(&self, text: &[u8], outcome: Outcome, delivery: Option<u64>) -> *mut c_char {
        let mut bytes = Vec::new();
        let mut registry = self.registry();
        if bytes.try_reserve_exact(text.len() + 1).is_err()
            || registry.live.try_reserve(1).is_err()
            || registry.dead.reserve().is_err()
        {
            return Answers::no_memory(outcome);
        }
        bytes.extend_from_slice(text);
        bytes.push(0);
        let bytes = bytes.into_boxed_slice();
        let pointer = bytes.as_ptr();
        registry.live.insert(pointer.addr(), Live { bytes, outcome, delivery });
        pointer.cast_mut().cast()
    }

    /// The static answer for a call with this outcome: `unknown` where the request may have acted.
    pub(crate) fn no_memory(outcome: Outcome) -> *mut c_char {
        let may_have_acted = matches!(outcome, Outcome::Succeeded | Outcome::Unknown | Outcome::Reversed);
        let text = if may_have_acted { NO_MEMORY_UNKNOWN } else { NO_MEMORY };
        text.as_ptr().cast_mut().cast()
    }

    /// The outcome of a live answer; `None` if the pointer is not a live answer, such as the host's own copy.
    pub(crate) fn outcome(&self, pointer: *const c_char) -> Option<Outcome> {
        self.registry().live.get(&pointer.addr()).map(|live| live.outcome)
    }

    /// Whether the pointer is a recently freed answer.
    pub(crate) fn is_dead(&self, pointer: *const c_char) -> bool {
        self.registry().dead.holds(pointer)
    }

    /// Frees an answer; `None` if the pointer is not a live answer.
    pub(crate) fn free(&self, pointer: *mut c_char) -> Option<Freed> {
        if is_static(pointer) {
            return Some(Freed { delivery: None });
        }
        self.registry().end(pointer)
    }

    /// Copies an answer into the host's buffer and frees it if it fits.
    pub(crate) fn take(&self, pointer: *mut c_char, buffer: &mut [u8]) -> Taken {
        let mut registry = self.registry();
        let bytes = match registry.live.get(&pointer.addr()) {
            Some(live) => &*live.bytes,
            None => match [NO_MEMORY, NO_MEMORY_UNKNOWN].into_iter().find(|text| is(pointer, text)) {
                Some(text) => text,
                None => return Taken::Unknown,
            },
        };
        let Some(room) = buffer.get_mut(..bytes.len()) else { return Taken::TooSmall(bytes.len()) };
        room.copy_from_slice(bytes);
        let length = bytes.len() - 1;
        Taken::Copied(length, registry.end(pointer).unwrap_or(Freed { delivery: None }))
    }
}

impl Registry {
    /// Removes a live answer; `None` if the pointer is not a live answer.
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

    mod without_memory;

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
    fn the_most_recently_freed_answers_are_kept_and_wiped() {
        let answers = Answers::default();
        let freed = |size: usize| {
            let pointer = answers.hand_out(&vec![b'x'; size - 1], Outcome::Declined, None);
            assert!(answers.free(pointer).is_some());
            pointer
        };
        let kept = || {
            let registry = answers.registry();
            let dead = &registry.dead.answers;
            assert_eq!(registry.dead.bytes, dead.iter().map(|answer| answer.len()).sum::<usize>());
            assert!(dead.iter().all(|answer| answer.iter().all(|byte| *byte == 0)));
            (dead.len(), registry.dead.bytes)
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
        // An answer larger than the limit is not kept.
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
