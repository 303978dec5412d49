//! The exhaustive check beside the random one: every order of a few calls, crashes and losses, over the same machines of
//! the library. A breadth-first search, so that a counterexample is as short as it can be.

mod actions;
mod effects;
mod rules;
mod state;

pub use actions::{Action, Given};
pub use rules::Broken;
pub use state::{Bounds, State};

use std::collections::{HashMap, VecDeque};

/// What a search came to.
#[derive(Debug)]
pub struct Searched {
    /// States that were seen.
    pub states: usize,
    /// Steps that were taken.
    pub steps: usize,
    /// The broken invariant, with what led to it.
    pub broken: Option<(Broken, Vec<Action>)>,
    /// Whether the search stopped at the most states that were allowed.
    pub is_cut: bool,
}

/// Searches every state that can be reached within those bounds, at most so many.
pub fn search(given: &Given, bounds: Bounds, most: usize) -> Searched {
    let first = State::new(bounds);
    // How each state was first reached.
    let mut seen: HashMap<u128, Option<(u128, Action)>> = HashMap::from([(first.fingerprint(), None)]);
    let mut frontier = VecDeque::from([first]);
    let mut steps = 0;
    let ended =
        |seen: &HashMap<_, _>, steps, broken, is_cut| Searched { states: seen.len(), steps, broken, is_cut };
    while let Some(state) = frontier.pop_front() {
        let at = state.fingerprint();
        let actions = given.actions(&state);
        if let Some(broken) = given.is_stuck(&state, &actions) {
            let way = way_to(&seen, at);
            return ended(&seen, steps, Some((broken, way)), false);
        }
        for action in actions {
            steps += 1;
            match given.apply(&state, action) {
                Ok(next) => {
                    let fingerprint = next.fingerprint();
                    if let std::collections::hash_map::Entry::Vacant(place) = seen.entry(fingerprint) {
                        place.insert(Some((at, action)));
                        frontier.push_back(next);
                    }
                }
                Err(broken) => {
                    let mut way = way_to(&seen, at);
                    way.push(action);
                    return ended(&seen, steps, Some((broken, way)), false);
                }
            }
        }
        if seen.len() >= most {
            return ended(&seen, steps, None, true);
        }
    }
    ended(&seen, steps, None, false)
}

fn way_to(seen: &HashMap<u128, Option<(u128, Action)>>, mut at: u128) -> Vec<Action> {
    let mut way = Vec::new();
    while let Some(Some((before, action))) = seen.get(&at) {
        way.push(*action);
        at = *before;
    }
    way.reverse();
    way
}
