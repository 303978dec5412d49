//! Three nodes with one journal in a database, behind a balancer, while they are killed and stand still, the database ends
//! at once, and connections to it are cut after a statement was forwarded. At the end everything that the tills were told
//! is compared with the journal and with the gateway's ledger.
//!
//! `ZVPOS_KILLS=200 cargo test -p zvpos --test nodes -- --nocapture` sets the number of kills; the rest comes with them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "nodes/balancer.rs"]
mod balancer;
#[path = "../journal-postgres/tests/cluster/server/mod.rs"]
mod cluster;
#[path = "nodes/judge.rs"]
mod judge;
#[path = "nodes/node.rs"]
mod node;
#[path = "../journal-postgres/tests/cluster/proxy.rs"]
mod proxy;
#[path = "nodes/storm.rs"]
mod storm;
mod support;
#[path = "nodes/till.rs"]
mod till;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use balancer::Balancer;
use cluster::{Cluster, PASSWORD};
use proxy::Proxy;
use serde_json::{Value, json};
use storm::{Counts, Storm};
use support::{Random, Simulator, reversing, seed};
use till::{Book, Till};
use zvpos_sandbox::rules::{Policy, Seed};

/// The kills of the ordinary run.
const KILLS: u32 = 40;

/// After so many the storm rests, and everything must be settled in time.
const KILLS_A_ROUND: u32 = 100;

const TILLS: usize = 6;

/// Many enough that an unsettled sale of one keeps few others out; of a few [`till::REGULARS`] it does.
const MEMBERS: usize = 3000;

/// The shortest lease for calls of a second: three beats of a second, and the margin.
const LEASE_S: u64 = 6;
const MARGIN_S: u64 = 2;

/// The simulator's data with more members, and their ids.
fn members() -> (String, Vec<String>) {
    let mut data: Value = serde_json::from_str(Seed::DEFAULT_JSON).unwrap();
    let list = data["members"].as_array_mut().unwrap();
    let ids: Vec<String> =
        (0..MEMBERS).map(|number| format!("{}", 500_000_000_000_000_000_u64 + number as u64)).collect();
    for (number, id) in ids.iter().enumerate() {
        list.push(json!({
            "customerId": id, "memberCode": format!("N{number:04}"), "phone": format!("139{number:08}"),
            "cardNo": format!("77{number:08}"), "nickname": "", "recharge": "100000.00", "gift": "100000.00", "points": 0,
        }));
    }
    (data.to_string(), ids)
}

/// The sum of all rounds.
#[derive(Default)]
struct Figures {
    counts: Counts,
    sales: usize,
    asked: u32,
    unheard: u32,
    away: u32,
    guarded: u32,
    told: BTreeMap<String, u32>,
    ends: BTreeMap<String, u32>,
    unsettled: usize,
    slowest: Duration,
    violations: Vec<String>,
}

impl Figures {
    fn add(&mut self, counts: &Counts, book: Book, ends: BTreeMap<String, u32>) {
        for (what, count) in counts {
            *self.counts.entry(what).or_default() += count;
        }
        self.sales += book.sales.len();
        for sale in book.sales.values() {
            self.asked += sale.asked;
            for word in &sale.told {
                *self.told.entry(word.clone()).or_default() += 1;
            }
        }
        for (word, count) in ends {
            *self.ends.entry(word).or_default() += count;
        }
        self.unheard += book.unheard;
        self.away += book.away;
        self.guarded += book.guarded;
        self.violations.extend(book.violations);
    }
}

#[test]
fn tills_were_told_the_truth_by_nodes_that_fail() {
    let kills: u32 = std::env::var("ZVPOS_KILLS").map_or(KILLS, |kills| kills.parse().expect("ZVPOS_KILLS"));
    let mut random = Random(seed());
    support::program_for_servers("node");
    let cluster = Cluster::start();
    let proxy = Proxy::before(cluster.port);
    let started = Instant::now();
    let mut figures = Figures::default();
    let mut round = 0;
    while figures.counts.get("kill -9").copied().unwrap_or_default() < kills {
        let left = kills - figures.counts.get("kill -9").copied().unwrap_or_default();
        round += 1;
        run(&cluster, &proxy, round, left.min(KILLS_A_ROUND), &mut random, &mut figures);
    }
    let Figures { counts, sales, asked, unheard, away, guarded, told, ends, unsettled, slowest, violations } =
        &figures;
    println!("{counts:?} in {round} round(s) and {:.0?}; violations {}", started.elapsed(), violations.len());
    println!(
        "sales {sales} asked for {asked} times; calls without an answer {unheard}, while the database was away {away}, \
         kept out by the guard {guarded}"
    );
    println!(
        "told {told:?}; at last {ends:?}; at most {unsettled} unsettled after a storm, settled in {slowest:.1?}"
    );
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    assert!(ends["succeeded"] > 0 && ends["reversed"] > 0 && *unheard > 0 && *away > 0 && *guarded > 0);
    for what in ["connections cut", "stopped beyond the lease", "database away beyond the lease"] {
        assert!(counts.contains_key(what), "{what}: {counts:?}");
    }
}

/// A storm over new nodes with a journal of their own, and the calm after it.
fn run(cluster: &Cluster, proxy: &Proxy, round: u32, kills: u32, random: &mut Random, figures: &mut Figures) {
    let (data, members) = members();
    let simulator = Simulator::with(Policy::default(), &data);
    let config = reversing(
        &simulator.v2(),
        json!({
            "journal": format!("postgres://zv@127.0.0.1:{}/zv", proxy.port), "guard": "member",
            "timeouts_ms": {"connect": 300, "total": 1000},
            "journal_db": {"password": PASSWORD, "schema": format!("round{round}"), "pool": 8, "beat_s": 1,
                "lease_s": LEASE_S},
        }),
    );
    let balancer = Balancer::before(config.clone());
    let storm = Storm::over(&balancer, cluster, proxy, Duration::from_secs(LEASE_S + MARGIN_S));
    let (book, is_over) = (Mutex::new(Book::default()), AtomicBool::new(false));
    thread::scope(|scope| {
        for number in 1..=TILLS {
            let till = Till {
                name: format!("T{number}"),
                members: &members,
                balancer: &balancer,
                simulator: &simulator,
                book: &book,
                random: Random(u64::try_from(random.below(usize::MAX)).unwrap() | 1),
                next: 0,
            };
            scope.spawn(|| till.work(&is_over));
        }
        thread::scope(|scope| storm.rage(scope, random, kills));
        is_over.store(true, Ordering::Relaxed);
    });
    let mut book = book.into_inner().unwrap();
    simulator.admin("DELETE", "/faults", &Value::Null);
    let (unsettled, took) = judge::settled(&balancer, &mut book);
    judge::leave(&balancer);
    let ends = judge::judge(&config, &balancer, &simulator, &cluster.admin_of("zv"), &mut book);
    figures.unsettled = figures.unsettled.max(unsettled);
    figures.slowest = figures.slowest.max(took);
    let counts = storm.counts.lock().unwrap().clone();
    figures.add(&counts, book, ends);
}
