//! The lease of this node, and what it observes of the others. Every node judges by its own clock: the database's time and
//! the other nodes' clocks decide nothing. Pure: every time is an argument.

use std::collections::HashMap;
use std::time::Duration;

use super::database::Node;
use crate::payment::Owner;

/// How the nodes judge each other; the same on every node of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseSettings {
    /// For so long a node that was heard is not declared dead.
    pub lease: Duration,
    /// How often a node says that it lives.
    pub beat: Duration,
    /// What two clocks may differ by over a lease, and what lies between a look at the clock and the act.
    pub margin: Duration,
}

impl LeaseSettings {
    /// The shortest lease for calls that last so long, in whole seconds: it covers a call, beats that were lost, and the
    /// margin.
    pub fn least(&self, total: Duration) -> Duration {
        let least = total + 3 * self.beat + self.margin;
        Duration::from_secs(least.as_secs() + u64::from(least.subsec_nanos() > 0))
    }

    /// Whether the lease is long enough for calls that last so long.
    pub fn covers(&self, total: Duration) -> bool {
        self.lease >= total + 3 * self.beat + self.margin
    }
}

/// The lease of this node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lease {
    /// The end, if a beat of the present name was ever answered.
    ends: Option<Duration>,
}

impl Lease {
    /// A beat was answered. The lease counts from the moment before it was sent. Answers that overtake each other never
    /// shorten it.
    pub(super) fn renewed(&mut self, sent: Duration, settings: &LeaseSettings) {
        let ends = sent + settings.lease;
        self.ends = Some(self.ends.map_or(ends, |known| known.max(ends)));
    }

    /// Whether a call that begins now and lasts that long ends within the lease, a margin before its end.
    pub(super) fn covers(&self, now: Duration, call: Duration, settings: &LeaseSettings) -> bool {
        self.ends.is_some_and(|ends| now + call + settings.margin <= ends)
    }
}

/// What this node has read of the beats of the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Observer {
    nodes: HashMap<Owner, Observed>,
    /// When the last reading that succeeded was begun.
    last: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Observed {
    beat: u64,
    dead: bool,
    /// Since when, in an unbroken row of readings, the beat is the same.
    since: Duration,
}

/// A node that an observer may declare dead, if its beat is still this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Silent {
    /// The node.
    pub(super) owner: Owner,
    /// The beat that was seen.
    pub(super) beat: u64,
}

impl Observer {
    /// Takes over a reading that was begun at `began` and had ended at `now`, and returns the nodes that have been silent
    /// for longer than a lease. After a gap in the readings every silence counts from now on: the silence may have been
    /// this node's own.
    pub(super) fn read(
        &mut self,
        nodes: &[Node],
        began: Duration,
        now: Duration,
        settings: &LeaseSettings,
    ) -> Vec<Silent> {
        let is_gap = self.last.is_none_or(|last| now.saturating_sub(last) > 3 * settings.beat);
        self.last = Some(began);
        let mut seen = HashMap::with_capacity(nodes.len());
        let mut silent = Vec::new();
        for node in nodes {
            let known = self.nodes.get(&node.owner).filter(|known| !is_gap && known.beat == node.beat);
            // A beat that is seen for the first time may have been sent up to now.
            let since = known.map_or(now, |known| known.since);
            if !node.dead && began.saturating_sub(since) > settings.lease + settings.margin {
                silent.push(Silent { owner: node.owner.clone(), beat: node.beat });
            }
            seen.insert(node.owner.clone(), Observed { beat: node.beat, dead: node.dead, since });
        }
        self.nodes = seen;
        silent
    }

    /// Whether the node is dead, as far as the last reading says; `None` if that reading did not know it.
    pub(super) fn is_dead(&self, owner: &Owner) -> Option<bool> {
        self.nodes.get(owner).map(|known| known.dead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: LeaseSettings = LeaseSettings {
        lease: Duration::from_secs(20),
        beat: Duration::from_secs(2),
        margin: Duration::from_secs(2),
    };

    fn second(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn node(beat: u64) -> Vec<Node> {
        vec![Node { owner: Owner("other".into()), beat, dead: false }]
    }

    #[test]
    fn a_lease_covers_a_call_and_a_few_lost_beats() {
        assert!(SETTINGS.covers(second(12)) && !SETTINGS.covers(second(13)));
        let mut lease = Lease::default();
        assert!(!lease.covers(second(0), second(0), &SETTINGS), "no beat was answered");
        lease.renewed(second(5), &SETTINGS);
        assert!(lease.covers(second(13), second(10), &SETTINGS));
        assert!(!lease.covers(second(14), second(10), &SETTINGS));
        // The answer to an earlier beat comes later.
        lease.renewed(second(3), &SETTINGS);
        assert!(lease.covers(second(13), second(10), &SETTINGS));
    }

    #[test]
    fn a_silence_counts_from_the_end_of_the_reading_that_first_saw_the_beat() {
        let mut observer = Observer::default();
        // This reading took a second: the beat may have been sent at its end.
        assert_eq!(observer.read(&node(7), second(0), second(1), &SETTINGS), []);
        for at in (2..=22).step_by(2) {
            assert_eq!(observer.read(&node(7), second(at), second(at), &SETTINGS), [], "{at}");
        }
        assert_eq!(
            observer.read(&node(7), second(24), second(24), &SETTINGS),
            [Silent { owner: Owner("other".into()), beat: 7 }]
        );
        assert_eq!(observer.read(&node(8), second(26), second(26), &SETTINGS), [], "it lives");
    }

    #[test]
    fn a_gap_in_the_own_readings_counts_for_nothing() {
        let mut observer = Observer::default();
        observer.read(&node(7), second(0), second(0), &SETTINGS);
        assert_eq!(observer.read(&node(7), second(100), second(100), &SETTINGS), []);
        // A reading that took as long is a gap, too.
        assert_eq!(observer.read(&node(7), second(101), second(140), &SETTINGS), []);
        for at in (142..=164).step_by(2) {
            assert_eq!(observer.read(&node(7), second(at), second(at), &SETTINGS), [], "{at}");
        }
        assert_eq!(observer.read(&node(7), second(166), second(166), &SETTINGS).len(), 1);
    }

    #[test]
    fn a_dead_node_is_not_silent_and_a_missing_one_is_not_known() {
        let mut observer = Observer::default();
        let dead = [Node { owner: Owner("other".into()), beat: 7, dead: true }];
        for at in (0..=40).step_by(2) {
            assert_eq!(observer.read(&dead, second(at), second(at), &SETTINGS), []);
        }
        assert_eq!(observer.is_dead(&Owner("other".into())), Some(true));
        assert_eq!(observer.is_dead(&Owner("nobody".into())), None);
    }
}
