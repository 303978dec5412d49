//! `make bench-postgres`: what the two records of a sale take on PostgreSQL, beside pgbench with the texts of the same two
//! statements, in one run over one server. Only ratios within a run are meaningful: machines differ, and are busy.
//!
//! `nodes [--rows N] [--quick]` prints every ratio with its goal; a missed goal fails nothing. `N` settled sales are in the
//! large journal; a quick run takes a fifth of the turns. The server is in memory, where a commit waits for no disk and every microsecond of the library's own counts, and
//! once more on the disk.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a benchmark may panic")]
#![allow(clippy::cast_precision_loss, reason = "counts of sales are small")]

#[path = "../../tests/cluster/mod.rs"]
mod cluster;
mod filled;
mod peer;
mod sale;
#[allow(dead_code, unused_imports, reason = "two statements of all are compared")]
#[path = "../../src/statements.rs"]
mod statements;
mod table;

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cluster::{Cluster, own_folder, own_folder_in};
use peer::Peer;
use table::Goal;
use zvpos_core::journal::nodes::Nodes;
use zvpos_core::payment::Stage;
use zvpos_journal_postgres::{Postgres, Settings};

/// Alternating turns of each contestant, in an ordinary run and in a quick one, and the sales of one turn.
const ROUNDS: [usize; 2] = [30, 6];
const SALES: usize = 100;
/// At the start of each turn, uncounted: a new connection of pgbench finds the server's caches empty.
const WARM_UP: usize = 30;
const THREADS: usize = 16;
const SECONDS: u64 = 4;
const UNSETTLED: u64 = 10_000;

fn main() {
    let rows = rows().unwrap_or(100_000);
    let rounds = ROUNDS[usize::from(std::env::args().any(|argument| argument == "--quick"))];
    let load = || fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores, load before: {}", load().trim());
    table::head();
    let settings = ["shared_buffers = 512MB", "max_wal_size = 4GB"];
    beside_pgbench(&Cluster::at(own_folder("postgres"), &settings), "in memory", rounds);
    let disk = own_folder_in(Path::new("/var/tmp"), "postgres");
    let cluster = Cluster::at(disk, &settings);
    beside_pgbench(&cluster, "on disk", rounds);
    // The large journal may be larger than the memory.
    beside_empty(&cluster, rows, rounds);
    println!("\nload after: {}", load().trim());
}

/// The number behind `--rows`.
fn rows() -> Option<u64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--rows");
    arguments.nth(1)?.parse().ok()
}

/// The figure that this share of all lies below.
fn quantile(mut figures: Vec<f64>, percent: usize) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() * percent / 100]
}

/// The durations in microseconds, without the first ones.
fn micros(took: &[Duration]) -> Vec<f64> {
    took[WARM_UP..].iter().map(|took| took.as_secs_f64() * 1e6).collect()
}

/// The sales of one turn of a node.
fn turn(node: &Nodes<Postgres>) -> Vec<f64> {
    let sales = (0..WARM_UP + SALES).map(|_| sale::sell(node, &sale::number(), Stage::Succeeded));
    micros(&sales.collect::<Vec<_>>())
}

/// One contestant's turns.
struct Turns(Vec<Vec<f64>>);

impl Turns {
    /// The median of the turns' quantiles.
    fn at(&self, percent: usize) -> f64 {
        quantile(self.0.iter().map(|turn| quantile(turn.clone(), percent)).collect(), 50)
    }

    /// The median of their ratios to those of another.
    fn ratio(&self, to: &Turns, percent: usize) -> f64 {
        let ratios = self
            .0
            .iter()
            .zip(&to.0)
            .map(|(one, other)| quantile(one.clone(), percent) / quantile(other.clone(), percent));
        quantile(ratios.collect(), 50)
    }

    /// Prints the medians beside those of another, and the fastest tenth, which other load on the machine disturbs least.
    fn beside(&self, other: &Turns, what: &str, goal: Goal) {
        for (percent, goal) in [(50, goal), (10, Goal::None)] {
            let figures = [self, other].map(|turns| format!("{:.0} µs", turns.at(percent)));
            table::row(&format!("{what}, p{percent}"), figures, self.ratio(other, percent), goal);
        }
    }
}

/// Lets all take turns, each as often before as behind each other one.
fn take_turns<const N: usize>(rounds: usize, contestants: [&dyn Fn() -> Vec<f64>; N]) -> [Turns; N] {
    let mut turns = contestants.map(|_| Turns(Vec::with_capacity(rounds)));
    for round in 0..rounds {
        for place in 0..N {
            let place = if round % 2 == 0 { place } else { N - 1 - place };
            turns[place].0.push(contestants[place]());
        }
    }
    turns
}

fn beside_pgbench(cluster: &Cluster, place: &str, rounds: usize) {
    let schema = "beside";
    let settings = Settings { pool: THREADS, ..cluster.settings(schema) };
    let node = sale::node(&settings);
    let peer = Peer::new(cluster, schema, &node);
    let sold = || {
        let text =
            format!("SELECT count(*) FROM {schema}.zv_entry WHERE stage = 'succeeded' AND revision = 2");
        cluster.admin_of("zv").texts(&text)[0].parse::<usize>().unwrap()
    };
    let before = sold();
    let count = WARM_UP + SALES;
    let pgbench = |mode: &str| micros(&peer.sales(mode, count));
    let [ours, extended, prepared] =
        take_turns(rounds, [&|| turn(&node), &|| pgbench("extended"), &|| pgbench("prepared")]);
    // Else pgbench would be timed while it writes nothing.
    assert_eq!(sold() - before, 3 * rounds * count);
    let what = format!("intent + outcome, {place}: node against pgbench");
    ours.beside(&extended, &format!("{what} -M extended"), Goal::AtMost(1.25));
    ours.beside(&prepared, &format!("{what} -M prepared"), Goal::None);

    let mut rates = [[0.0; 2]; 2];
    // One of each before another one of each: the machine's load changes.
    for _ in 0..2 {
        for (place, threads) in [1, THREADS].into_iter().enumerate() {
            rates[0][place] += rate(&node, threads) / 2.0;
            rates[1][place] += peer.rate("extended", threads, SECONDS) / 2.0;
        }
    }
    for (who, [one, many], goal) in
        [("node", rates[0], Goal::AtLeast(3.0)), ("pgbench -M extended", rates[1], Goal::None)]
    {
        let what = format!("sales a second, {place}, {who}: {THREADS} threads against 1");
        table::row(&what, [many, one].map(|rate| format!("{rate:.0}")), many / one, goal);
    }
}

/// How many sales a second so many threads of a node make.
fn rate(node: &Nodes<Postgres>, threads: usize) -> f64 {
    let (count, is_over, start) = (AtomicU64::new(0), AtomicBool::new(false), Barrier::new(threads + 1));
    let began = thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                sale::sell(node, &sale::number(), Stage::Succeeded);
                start.wait();
                while !is_over.load(Ordering::Relaxed) {
                    sale::sell(node, &sale::number(), Stage::Succeeded);
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        start.wait();
        let began = Instant::now();
        thread::sleep(Duration::from_secs(SECONDS));
        is_over.store(true, Ordering::Relaxed);
        began
    });
    count.into_inner() as f64 / began.elapsed().as_secs_f64()
}

fn beside_empty(cluster: &Cluster, rows: u64, rounds: usize) {
    let [empty, large] = ["empty", "large"].map(|schema| sale::node(&cluster.settings(schema)));
    filled::fill(cluster, "large", &large, rows, UNSETTLED);
    let [empty, large] = take_turns(rounds, [&|| turn(&empty), &|| turn(&large)]);
    let what = format!("the same with {rows} settled and {UNSETTLED} unsettled sales against none, on disk");
    large.beside(&empty, &what, Goal::AtMost(1.1));
}
