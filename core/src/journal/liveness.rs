//! Whether the attempt of an intent may still be running: the question, and the rules without the files and locks that
//! they ask about.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{InFlight, JournalError};
use crate::outcome::codes;
use crate::payment::{Entry, Key, Owner};

/// Who may still be carrying out an attempt. Every method may be called from any thread.
pub trait Liveness: Send + Sync {
    /// This process.
    fn owner(&self) -> &Owner;

    /// The consumes that this process is carrying out.
    fn in_flight(&self) -> &InFlight;

    /// Whether an attempt may be begun with this intent. Only an intent in the name of this process may: other processes
    /// would take the attempt for abandoned while it runs.
    fn may_begin(&self, intent: &Entry) -> Result<(), JournalError> {
        if intent.owner() == self.owner() {
            return Ok(());
        }
        Err(JournalError::new(&codes::JOURNAL_LOCKED, "the journal was opened during this call; ask again"))
    }

    /// Whether a request may leave in the name of that process: not if others may have given up on the process meanwhile.
    /// Asked immediately before the first byte.
    fn may_send(&self, owner: &Owner) -> Result<(), JournalError> {
        let _ = owner;
        Ok(())
    }

    /// Whether this process settles in the background what others have left. What a till asks for, every process does.
    fn settles_for_others(&self) -> bool {
        true
    }

    /// This process carries out nothing any more: others need not wait to be sure of that.
    fn leave(&self) {}

    /// Whether the process of that name still lives, as far as its lock says. Without its lock's file it does not; whether
    /// it may still be carrying out an attempt says [`Liveness::may_be_running`].
    fn is_alive(&self, owner: &Owner) -> bool;

    /// Whether the attempt of an intent may still be running: here, or in another process that lives or may live.
    fn may_be_running(&self, entry: &Entry) -> bool;
}

/// How long after its deadline a call of a process may still run if the process's lock file is gone.
const BEYOND: Duration = Duration::from_secs(1);

/// How many intents without their owner's file are timed at once; beyond that, all times start again.
const MOST_TIMED: usize = 4096;

/// What the lock of a process says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The process holds its lock, or it cannot be determined.
    Lives,
    /// Its file is gone: the process ended normally, or somebody deleted the file of a living process.
    Missing,
    /// Its lock can be taken, so the process has ended.
    Dead,
}

/// When this process first saw each intent whose owner's file is missing, by key and revision.
#[derive(Debug, Default)]
pub struct MissingOwners(HashMap<(Key, u64), Instant>);

impl MissingOwners {
    /// Whether another process may still be carrying out the intent that it recorded. If its file is gone, it may for as
    /// long as one of its calls may last, counted from when this process first saw the intent without the file. `total` is
    /// how long a call of this process may last.
    pub fn may_carry_out(
        &mut self,
        entry: &Entry,
        presence: Presence,
        total: Duration,
        now: Instant,
    ) -> bool {
        match presence {
            Presence::Lives => true,
            Presence::Dead => false,
            Presence::Missing => {
                if self.0.len() >= MOST_TIMED {
                    self.0.clear();
                }
                let since = *self.0.entry((entry.key().clone(), entry.revision())).or_insert(now);
                now.saturating_duration_since(since) < total.max(total_of(entry.owner())) + BEYOND
            }
        }
    }
}

/// Whether the attempt of an intent may still be running. What this process recorded runs as long as one of its calls
/// carries it out, whatever its lock says; `elsewhere` answers for another process.
pub fn may_be_running(
    entry: &Entry,
    this: &Owner,
    in_flight: &InFlight,
    elsewhere: impl FnOnce() -> bool,
) -> bool {
    if entry.owner() == this { in_flight.contain(entry.key()) } else { elsewhere() }
}

/// The name of a process: its process id, a random number, and how long its calls may last.
pub fn owner_name(process: u32, random: u64, total: Duration) -> Owner {
    Owner(format!("{process}-{random:016x}-{}", total.as_millis()))
}

/// How long the calls of the process of that name may last; zero if an older version made the name.
fn total_of(owner: &Owner) -> Duration {
    let total = owner.0.splitn(3, '-').nth(2).and_then(|total| total.parse().ok());
    Duration::from_millis(total.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Identity;
    use crate::money::BizId;
    use crate::payment::OnUnknown;

    fn intent(owner: Owner) -> Entry {
        let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
        Entry::intent(key, Identity::default(), owner, OnUnknown::Reverse, 0)
    }

    #[test]
    fn a_missing_file_proves_a_death_only_after_the_longer_call_of_both() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        for (own, other, over) in [(10, 3, 11), (3, 10, 11), (2, 2, 3)] {
            let entry = intent(owner_name(1, 7, second * other));
            let mut missing = MissingOwners::default();
            let mut at = |seconds| {
                missing.may_carry_out(&entry, Presence::Missing, second * own, now + second * seconds)
            };
            assert!(at(0) && at(over - 1) && !at(over));
        }
        // An older version named no time.
        let entry = intent(Owner("1-dead".into()));
        let mut missing = MissingOwners::default();
        assert!(missing.may_carry_out(&entry, Presence::Missing, second, now));
        assert!(!missing.may_carry_out(&entry, Presence::Missing, second, now + second * 2));
    }

    #[test]
    fn an_attempt_is_begun_in_the_own_name_only() {
        struct Alone(Owner, InFlight);
        impl Liveness for Alone {
            fn owner(&self) -> &Owner {
                &self.0
            }

            fn in_flight(&self) -> &InFlight {
                &self.1
            }

            fn is_alive(&self, _: &Owner) -> bool {
                true
            }

            fn may_be_running(&self, _: &Entry) -> bool {
                true
            }
        }
        let alone = Alone(Owner("me".into()), InFlight::default());
        assert!(alone.may_begin(&intent(Owner("me".into()))).is_ok());
        assert!(alone.may_begin(&intent(Owner("other".into()))).is_err());
    }

    #[test]
    fn a_lock_decides_at_once_and_an_own_intent_by_its_calls() {
        let (now, me) = (Instant::now(), Owner("me".into()));
        let mut missing = MissingOwners::default();
        let entry = intent(Owner("other".into()));
        assert!(missing.may_carry_out(&entry, Presence::Lives, Duration::ZERO, now));
        assert!(!missing.may_carry_out(&entry, Presence::Dead, Duration::MAX, now));
        let in_flight = InFlight::default();
        assert!(may_be_running(&entry, &me, &in_flight, || true));
        let own = intent(me.clone());
        assert!(!may_be_running(&own, &me, &in_flight, || true));
        let _flight = in_flight.begin(own.key());
        assert!(may_be_running(&own, &me, &in_flight, || false));
    }
}
