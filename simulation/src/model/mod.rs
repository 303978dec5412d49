//! The exhaustive check beside the random one: every order of a few calls, crashes and losses, over the same machines of
//! the library. A breadth-first search, so that a counterexample is as short as it can be.
//!
//! Two steps are one only where no other thread can observe or influence what lies between them. An answer comes back (or
//! is lost) with the arrival of its request: it changes nothing but what its own thread records next, and that record is
//! a step of its own. A reversal leaves with the record of its try: until it arrives, nothing depends on it. A consume
//! leaves in a step of its own, because the late-arrival window depends on whether one is on its way.

mod actions;
mod effects;
mod rules;
mod state;

pub use actions::{Action, Given};
pub use rules::Broken;
pub use state::{Bounds, State};

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use zvpos_core::payment::OnUnknown;

/// States that a thread takes at once.
const PORTION: usize = 256;
/// Parts of the set of seen states, each behind a lock of its own.
const PARTS: usize = 256;

/// The result of a search.
#[derive(Debug)]
pub struct Searched {
    /// States that were seen; mirror images count once.
    pub states: usize,
    /// Steps that were taken.
    pub steps: usize,
    /// The length of the longest shortest way to a state.
    pub depth: usize,
    /// The broken invariant, with what led to it.
    pub broken: Option<(Broken, Vec<Action>)>,
    /// Whether the search stopped at the most states that were allowed.
    pub is_cut: bool,
}

/// Searches every state that can be reached within those bounds, at most so many.
///
/// # Errors
/// The model itself is at fault.
pub fn search(policy: OnUnknown, bounds: Bounds, most: usize) -> Result<Searched, String> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut workers = (0..threads).map(|_| Given::new(policy)).collect::<Result<Vec<_>, _>>()?;
    let first = State::new(bounds);
    let seen = Membership::new();
    seen.insert(first.fingerprint());
    let mut level = vec![first];
    let mut searched = Searched { states: 1, steps: 0, depth: 0, broken: None, is_cut: false };
    while !level.is_empty() {
        let portions = Portions { level: &level, taken: AtomicUsize::new(0), broken: AtomicBool::new(false) };
        let parts: Vec<_> = thread::scope(|scope| {
            let (portions, seen) = (&portions, &seen);
            let running: Vec<_> = workers
                .iter_mut()
                .map(|given| scope.spawn(move || given.next_level(portions, seen)))
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned()))
                .collect()
        });
        if portions.broken.into_inner() {
            let given = Given::new(policy)?;
            searched.broken = Some(way(&given, bounds).ok_or("the way to a broken state is not found")?);
            return Ok(searched);
        }
        level.clear();
        for part in parts {
            let (next, steps) = part?;
            searched.steps += steps;
            level.extend(next);
        }
        searched.states += level.len();
        searched.depth += usize::from(!level.is_empty());
        if searched.states >= most {
            searched.is_cut = true;
            return Ok(searched);
        }
    }
    Ok(searched)
}

/// The states of one distance from the first, which the threads share.
struct Portions<'s> {
    level: &'s [State],
    taken: AtomicUsize,
    broken: AtomicBool,
}

impl Given {
    /// Takes portions of a level until none is left; gives the new states behind them and the steps that were taken.
    fn next_level(&mut self, portions: &Portions<'_>, seen: &Membership) -> (Vec<State>, usize) {
        let (mut next, mut steps) = (Vec::new(), 0);
        loop {
            let start = portions.taken.fetch_add(PORTION, Ordering::Relaxed);
            let Some(rest) = portions.level.get(start..).filter(|rest| !rest.is_empty()) else { break };
            if portions.broken.load(Ordering::Relaxed) {
                break;
            }
            for state in rest.iter().take(PORTION) {
                let actions = self.actions(state);
                if self.is_stuck(state, &actions).is_some() {
                    portions.broken.store(true, Ordering::Relaxed);
                }
                for action in actions {
                    steps += 1;
                    match self.apply(state, action) {
                        Ok(state) if seen.insert(state.fingerprint()) => next.push(state),
                        Ok(_) => {}
                        Err(_) => portions.broken.store(true, Ordering::Relaxed),
                    }
                }
            }
        }
        (next, steps)
    }
}

/// The shortest way to a broken state: the same search again on one thread, which notes how it reached each state.
fn way(given: &Given, bounds: Bounds) -> Option<(Broken, Vec<Action>)> {
    let first = State::new(bounds);
    let mut reached: HashMap<u128, Option<(u128, Action)>> = HashMap::from([(first.fingerprint(), None)]);
    let mut frontier = VecDeque::from([first]);
    let way_to = |reached: &HashMap<u128, Option<(u128, Action)>>, mut at: u128| {
        let mut way = Vec::new();
        while let Some(Some((before, action))) = reached.get(&at) {
            way.push(*action);
            at = *before;
        }
        way.reverse();
        way
    };
    while let Some(state) = frontier.pop_front() {
        let at = state.fingerprint();
        let actions = given.actions(&state);
        if let Some(broken) = given.is_stuck(&state, &actions) {
            return Some((broken, way_to(&reached, at)));
        }
        for action in actions {
            match given.apply(&state, action) {
                Ok(next) => {
                    if let Entry::Vacant(place) = reached.entry(next.fingerprint()) {
                        place.insert(Some((at, action)));
                        frontier.push_back(next);
                    }
                }
                Err(broken) => {
                    let mut way = way_to(&reached, at);
                    way.push(action);
                    return Some((broken, way));
                }
            }
        }
    }
    None
}

/// The fingerprints of the states that were seen.
struct Membership(Vec<Mutex<HashSet<u128, BuildHasherDefault<Mixed>>>>);

impl Membership {
    fn new() -> Membership {
        Membership((0..PARTS).map(|_| Mutex::default()).collect())
    }

    /// True if it was not seen before.
    fn insert(&self, fingerprint: u128) -> bool {
        let part = usize::from(fingerprint.to_be_bytes()[0]);
        let part = self.0.get(part % PARTS);
        part.is_some_and(|part| part.lock().unwrap_or_else(PoisonError::into_inner).insert(fingerprint))
    }
}

/// The hash of a fingerprint, which is one already.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = u64::try_from(fingerprint & u128::from(u64::MAX)).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// The action in which the processes and the sales have changed places.
    fn mirrored(action: Action) -> Action {
        match action {
            Action::Consume(process, sale) => Action::Consume(1 - process, 1 - sale),
            Action::AskReversal(process, sale, over) => Action::AskReversal(1 - process, 1 - sale, over),
            Action::Look(process, sale, over) => Action::Look(1 - process, 1 - sale, over),
            Action::Effect(process, worker) => Action::Effect(1 - process, worker),
            Action::FullDisk(process, worker) => Action::FullDisk(1 - process, worker),
            Action::GiveUpWaiting(process) => Action::GiveUpWaiting(1 - process),
            Action::Crash(process) => Action::Crash(1 - process),
            Action::Start(process) => Action::Start(1 - process),
            Action::Stop(process) => Action::Stop(1 - process),
            Action::GoOn(process) => Action::GoOn(1 - process),
            of_a_request => of_a_request,
        }
    }

    #[test]
    fn mirror_images_have_one_fingerprint_and_other_states_have_others() -> Result<(), String> {
        let bounds = Bounds {
            crashes: 2,
            pauses: 1,
            losses: 2,
            late: 1,
            full_disks: 1,
            consumes: 2,
            reversals: 1,
            tries: 2,
        };
        for seed in 0..100 {
            let given = Given::new(OnUnknown::Reverse)?;
            let mut random = Random::new(seed);
            let (mut state, mut image) = (State::new(bounds), State::new(bounds));
            let mut seen = HashSet::from([state.fingerprint()]);
            for _ in 0..40 {
                let actions = given.actions(&state);
                let Some(action) = actions.get(random.index(actions.len())).copied() else { break };
                let broken = |(label, message): Broken| format!("{label} {message}");
                let next = given.apply(&state, action).map_err(broken)?;
                let next_image = given.apply(&image, mirrored(action)).map_err(broken)?;
                assert_eq!(next.fingerprint(), next_image.fingerprint(), "seed {seed}: {action}");
                // A call that still waits changes nothing.
                let waits = format!("{next:?}") == format!("{state:?}");
                assert!(seen.insert(next.fingerprint()) != waits, "seed {seed}: {action} is not seen");
                (state, image) = (next, next_image);
            }
        }
        Ok(())
    }
}
