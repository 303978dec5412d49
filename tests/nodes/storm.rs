//! What befalls the nodes and their database.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::balancer::{Balancer, NODES};
use super::cluster::Cluster;
use super::proxy::{Fault, Proxy};
use super::support::Random;

/// How often each thing has befallen them.
pub(crate) type Counts = BTreeMap<&'static str, u32>;

/// How many nodes stand still at most, so that others live to see it.
const STILL: usize = 1;

pub(crate) struct Storm<'w> {
    pub(crate) balancer: &'w Balancer,
    pub(crate) cluster: &'w Cluster,
    pub(crate) proxy: &'w Proxy,
    /// Longer than this, and other nodes take a silent one for dead.
    pub(crate) buried_after: Duration,
    pub(crate) counts: Mutex<Counts>,
    still: AtomicUsize,
}

impl<'w> Storm<'w> {
    pub(crate) fn over(
        balancer: &'w Balancer,
        cluster: &'w Cluster,
        proxy: &'w Proxy,
        buried_after: Duration,
    ) -> Storm<'w> {
        Storm { balancer, cluster, proxy, buried_after, counts: Mutex::default(), still: AtomicUsize::new(0) }
    }

    fn count(&self, what: &'static str) {
        *self.counts.lock().unwrap().entry(what).or_default() += 1;
    }

    /// Rages until so many nodes were killed. For some time one node is spared: one that settles what the others leave
    /// must live longer than a lease.
    pub(crate) fn rage<'s>(&'s self, scope: &'s Scope<'s, '_>, random: &mut Random, kills: u32) {
        let (mut spared, mut until) = (0, Instant::now());
        // Rare by chance, and in no run missing.
        let (mut still_at, mut outage_at) = (Some(kills / 5), Some(kills / 2));
        let mut killed = 0;
        while killed < kills {
            if Instant::now() > until {
                let seconds = 5 + random.below(2 * usize::try_from(self.buried_after.as_secs()).unwrap());
                (spared, until) =
                    (random.below(NODES), Instant::now() + Duration::from_secs(seconds.try_into().unwrap()));
            }
            let place = (spared + 1 + random.below(NODES - 1)) % NODES;
            match random.below(100) {
                0..=62 => killed += self.kill(scope, place),
                63..=71 => {
                    let beyond = random.below(2) == 0;
                    self.stand_still(scope, random, beyond);
                }
                72..=74 => self.stop_database(millis(random, 1500)),
                _ => {
                    self.count("connections cut");
                    self.proxy.set(Fault::Cut);
                }
            }
            if still_at.is_some_and(|at| killed >= at) && self.stand_still(scope, random, true) {
                still_at = None;
            }
            if outage_at.is_some_and(|at| killed >= at) {
                outage_at = None;
                self.stop_database(self.buried_after + Duration::from_secs(2));
            }
            thread::sleep(millis(random, 500));
        }
    }

    /// Kills the node in that place, and starts another one there.
    fn kill<'s>(&'s self, scope: &'s Scope<'s, '_>, place: usize) -> u32 {
        // None: the one before is being started.
        let Some(node) = self.balancer.remove(place) else { return 0 };
        self.count("kill -9");
        scope.spawn(move || {
            node.kill();
            self.balancer.ended(&node);
            drop(self.balancer.start(place));
        });
        1
    }

    /// Stops a node for a while, maybe for longer than others wait for it. `false`: another one stands still.
    fn stand_still<'s>(&'s self, scope: &'s Scope<'s, '_>, random: &mut Random, beyond: bool) -> bool {
        let Some(node) = self.balancer.node(random.below(NODES)) else { return false };
        if self.still.fetch_add(1, Ordering::SeqCst) >= STILL {
            self.still.fetch_sub(1, Ordering::SeqCst);
            return false;
        }
        self.count(if beyond { "stopped beyond the lease" } else { "stopped for less" });
        let least = if beyond { self.buried_after } else { Duration::ZERO };
        let still = least + millis(random, 4000);
        scope.spawn(move || {
            node.signal("-STOP");
            thread::sleep(still);
            node.signal("-CONT");
            self.still.fetch_sub(1, Ordering::SeqCst);
        });
        true
    }

    /// The database's processes end at once, as with its machine, and it is back after a while.
    fn stop_database(&self, away: Duration) {
        self.count(if away > self.buried_after {
            "database away beyond the lease"
        } else {
            "database stopped"
        });
        self.cluster.server_stop_at_once();
        thread::sleep(away);
        self.cluster.server_start();
    }
}

fn millis(random: &mut Random, most: usize) -> Duration {
    Duration::from_millis(u64::try_from(random.below(most)).unwrap())
}
