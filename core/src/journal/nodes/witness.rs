//! What was acknowledged to this node, to be compared with the database at every beat: a database that has lost it has
//! broken the assumption that money rests on.

use std::collections::HashMap;

use super::database::{Standing, Token};
use crate::payment::Key;

/// The acknowledged records that are not compared yet, and those of the running calls: the newest one of each key.
#[derive(Debug, Default)]
pub(super) struct Witness(HashMap<Key, Acknowledged>);

/// A record that was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Acknowledged {
    /// Its revision.
    pub(super) revision: u64,
    /// Its number.
    pub(super) token: Token,
}

impl Witness {
    /// A record was acknowledged.
    pub(super) fn acknowledged(&mut self, key: &Key, record: Acknowledged) {
        let known = self.0.entry(key.clone()).or_insert(record);
        if known.revision <= record.revision {
            *known = record;
        }
    }

    /// What is to be compared now.
    pub(super) fn all(&self) -> Vec<(Key, Acknowledged)> {
        self.0.iter().map(|(key, record)| (key.clone(), *record)).collect()
    }

    /// These were compared and are there; those for which `is_running` says so are compared again.
    pub(super) fn compared(&mut self, compared: &[(Key, Acknowledged)], is_running: impl Fn(&Key) -> bool) {
        for (key, record) in compared {
            if self.0.get(key) == Some(record) && !is_running(key) {
                self.0.remove(key);
            }
        }
    }
}

/// Whether the database still has what it had acknowledged: the record, or a later one of the same key. A later record
/// names the ones before it, as far as they are kept.
pub(super) fn is_kept(acknowledged: Acknowledged, standing: Option<&Standing>) -> bool {
    let Some(standing) = standing else { return false };
    let behind = standing.entry.revision().checked_sub(acknowledged.revision);
    match behind.and_then(|behind| usize::try_from(behind).ok()) {
        None => false,
        Some(0) => standing.token == acknowledged.token,
        Some(behind) => standing.earlier.get(behind - 1).is_none_or(|token| *token == acknowledged.token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Identity;
    use crate::money::BizId;
    use crate::payment::{Detail, Entry, OnUnknown, Owner, Stage};

    fn key() -> Key {
        Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() }
    }

    fn standing(revision: u64, token: Token, earlier: &[Token]) -> Standing {
        let (owner, detail) = (Owner("me".into()), Detail::default());
        let (identity, stage) = (Identity::default(), Stage::Unknown);
        let entry = Entry::restore(key(), identity, stage, revision, 1, owner, OnUnknown::Hold, 0, detail);
        Standing { entry, token, earlier: earlier.to_vec() }
    }

    #[test]
    fn a_record_is_kept_if_it_or_what_was_made_from_it_is_there() {
        let acknowledged = Acknowledged { revision: 2, token: 7 };
        for (found, kept) in [
            (None, false),
            (Some(standing(1, 7, &[])), false),
            (Some(standing(2, 7, &[1])), true),
            (Some(standing(2, 8, &[1])), false),
            (Some(standing(3, 9, &[7, 1])), true),
            // Another history of the same length.
            (Some(standing(3, 9, &[8, 1])), false),
            // Its number is no longer kept.
            (Some(standing(4, 9, &[3])), true),
        ] {
            assert_eq!(is_kept(acknowledged, found.as_ref()), kept, "{found:?}");
        }
    }

    #[test]
    fn what_was_compared_is_forgotten_unless_its_call_runs_or_it_has_changed() {
        let mut witness = Witness::default();
        let first = Acknowledged { revision: 1, token: 5 };
        witness.acknowledged(&key(), first);
        let compared = witness.all();
        witness.compared(&compared, |_| true);
        assert_eq!(witness.all(), [(key(), first)]);
        let second = Acknowledged { revision: 2, token: 6 };
        witness.acknowledged(&key(), second);
        witness.acknowledged(&key(), first);
        witness.compared(&compared, |_| false);
        assert_eq!(witness.all(), [(key(), second)]);
        witness.compared(&[(key(), second)], |_| false);
        assert_eq!(witness.all(), []);
    }
}
