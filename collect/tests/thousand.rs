//! Many tills with many sales, a network that loses requests and answers, a collector that is killed and started again: at
//! the end both sides have the same. A few of each here; `make collect TILLS=1000 ENTRIES=1000` for many.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use support::network::Network;
use support::tills::{DAYS, Sale, Till, soon};
use support::{Folder, NOON, now_ms, settings};
use zvpos_collect::report::day_report;
use zvpos_collect::serve::Server;
use zvpos_collect::ship::{Settings, Shipper};
use zvpos_collect::store::{Location, Store};
use zvpos_core::journal::{Recorded, Store as Journal};
use zvpos_core::payment::Stage;

/// The folder of the store and the port of the collector that this process is to be.
const BE_COLLECTOR: &str = "ZVPOS_BE_COLLECTOR";

/// Of a thousand connections so many lose their answer, and as many are cut in their request.
const PER_MILLE: u64 = 50;

/// So many sales are shipped first; the rest is sold while the network breaks.
const EARLY: usize = 2;

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

/// A collector in a process of its own, so that it can be killed.
struct Collector {
    child: Child,
    address: SocketAddr,
}

impl Collector {
    fn start(store: &Path, certificates: &Path) -> Collector {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["a_process_that_is_a_collector", "--exact", "--ignored", "--nocapture"])
            .env(BE_COLLECTOR, store)
            .env("ZVPOS_CERTIFICATES", certificates)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| line.ok()?.split("listens on ").nth(1)?.parse().ok());
        // What it prints later must not stop it.
        thread::spawn(move || lines.for_each(drop));
        Collector { child, address: address.expect("the collector did not start") }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Is no test: [`Collector`] starts it.
#[test]
#[ignore = "started by another test"]
fn a_process_that_is_a_collector() {
    let Some(store) = std::env::var_os(BE_COLLECTOR) else { return };
    let certificates = PathBuf::from(std::env::var_os("ZVPOS_CERTIFICATES").unwrap());
    let tls = Some((certificates.join("host.pem"), certificates.join("host.key")));
    let location = Location::Sqlite(PathBuf::from(store));
    let server = Server::start(&zvpos_collect::serve::Options {
        tls,
        store: location,
        connections: 256,
        listen: "127.0.0.1:0".parse().unwrap(),
        silent_after: Duration::from_mins(10),
    });
    println!("listens on {}", server.as_ref().map(|server| server.address.to_string()).unwrap());
    // Until it is killed, or its parent is gone.
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
}

/// What a till has sold by itself, as its own journal says.
#[derive(Default)]
struct Books {
    entries: AtomicU64,
    revisions: AtomicU64,
    sales: AtomicU64,
    fen: AtomicU64,
    open: AtomicU64,
}

fn stage(number: usize) -> Stage {
    match number % 50 {
        0 => Stage::Declined,
        1 => Stage::Unknown,
        2 => Stage::Reversed,
        _ => Stage::Succeeded,
    }
}

/// Sells in one transaction each for the intents and the outcomes, so that a million are made in minutes.
fn sell(till: &Till, name: &str, numbers: std::ops::Range<usize>, books: &Books) {
    let sales: Vec<Sale> = numbers
        .map(|number| {
            let at = NOON - 6 * 3_600_000 + i64::try_from(number % 720).unwrap() * 60_000;
            Sale::new(&format!("{name}-{number}"), stage(number), 2, 100 + number as u64, at)
        })
        .collect();
    let intents =
        sales.iter().map(|sale| Sale { stage: Stage::Sending, revision: 1, ..sale.clone() }.entry());
    for entries in [intents.collect::<Vec<_>>(), sales.iter().map(Sale::entry).collect()] {
        for recorded in till.journal.record_all(&entries, soon() + Duration::from_mins(5)) {
            assert!(matches!(recorded.unwrap(), Recorded::Done(())));
        }
    }
    for sale in &sales {
        books.entries.fetch_add(1, Ordering::Relaxed);
        books.revisions.fetch_add(2, Ordering::Relaxed);
        books.open.fetch_add(u64::from(sale.stage.is_unsettled()), Ordering::Relaxed);
        if sale.stage == Stage::Succeeded {
            books.sales.fetch_add(1, Ordering::Relaxed);
            books.fen.fetch_add(sale.fen, Ordering::Relaxed);
        }
    }
}

/// Ships until everything is there; returns how many records it took and how many rounds failed.
fn ship_all(settings: &Settings, till: &Till, patience: Duration) -> (u64, u64) {
    let (started, mut failed) = (Instant::now(), 0);
    let mut shipper = Shipper::new(settings, &till.path, DAYS).unwrap();
    loop {
        match shipper.round() {
            Ok(round) => return (round.records as u64, failed),
            Err(error) => {
                failed += 1;
                assert!(started.elapsed() < patience, "{}: {error}", till.path.display());
                thread::sleep(Duration::from_millis(50 + 20 * failed.min(20)));
                // A till that is started again has no connection.
                shipper = Shipper::new(settings, &till.path, DAYS).unwrap();
            }
        }
    }
}

/// What a run is made of.
struct Run {
    folder: Folder,
    store: PathBuf,
    entries: usize,
    books: Books,
    network: Network,
    collector: Mutex<Collector>,
    settings: Vec<Settings>,
    /// Records of the rounds that have succeeded, and the rounds that have not.
    records: AtomicU64,
    failed: AtomicU64,
}

impl Run {
    fn new(tills: usize, entries: usize) -> Run {
        let folder = Folder::new("thousand");
        let store = folder.0.join("collect.db");
        let mut open = Store::make(&Location::Sqlite(store.clone())).unwrap();
        let mut enroll = |till: usize| {
            open.enroll("chain", &format!("T{till}"), &format!("S{:02}", till % 40), now_ms()).unwrap()
        };
        let tokens: Vec<String> = (0..tills).map(&mut enroll).collect();
        let collector = Collector::start(&store, support::certificates());
        let network = Network::to(collector.address);
        let settings = tokens.iter().map(|token| settings(network.address, token)).collect();
        let (books, records, failed) = Default::default();
        Run {
            folder,
            store,
            entries,
            books,
            network,
            collector: Mutex::new(collector),
            settings,
            records,
            failed,
        }
    }

    /// The journals of all tills, made by two threads.
    fn write_journals(&self) -> Vec<(usize, Till)> {
        let (next, made) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let write = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= self.settings.len() {
                    return;
                }
                let name = format!("T{at}");
                let till = Till::new(&self.folder.0, &name);
                sell(&till, &name, 0..self.entries - EARLY, &self.books);
                // Some are shipped from the log, most from the states.
                if at % 3 > 0 {
                    till.feed();
                }
                made.lock().unwrap().push((at, till));
            }
        };
        thread::scope(|scope| {
            scope.spawn(write);
            scope.spawn(write);
        });
        made.into_inner().unwrap()
    }

    /// A till ships, sells some more, and ships again.
    fn ship(&self, at: usize, till: &Till) {
        for more in [None, Some(self.entries - EARLY..self.entries)] {
            if let Some(numbers) = more {
                sell(till, &format!("T{at}"), numbers, &self.books);
            }
            let (shipped, lost) = ship_all(&self.settings[at], till, Duration::from_mins(30));
            self.records.fetch_add(shipped, Ordering::Relaxed);
            self.failed.fetch_add(lost, Ordering::Relaxed);
        }
    }

    /// Kills the collector in the middle of whatever it is doing, and starts it again; returns how often.
    fn disturb(&self, kills: usize, done: &AtomicBool) -> usize {
        let mut count = 0;
        while count < kills && !done.load(Ordering::SeqCst) {
            // The first time as soon as some have begun, so that a short run has one, too.
            while self.network.shared.connections.load(Ordering::SeqCst) < 3 {
                thread::sleep(Duration::from_millis(1));
            }
            let pause = Instant::now() + Duration::from_secs(if count == 0 { 0 } else { 5 });
            while Instant::now() < pause && !done.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(10));
            }
            let mut collector = self.collector.lock().unwrap();
            collector.kill();
            *collector = Collector::start(&self.store, support::certificates());
            self.network.leads_to(collector.address);
            count += 1;
        }
        count
    }

    /// Compares what the tills have with what the collector has.
    fn compare(&self) {
        let read = |value: &AtomicU64| i64::try_from(value.load(Ordering::SeqCst)).unwrap();
        let mut store = Store::open(&Location::Sqlite(self.store.clone())).unwrap();
        let (held, revisions) = store.tally("chain").unwrap();
        let started = Instant::now();
        let report = day_report(&mut store, "chain", DAYS.day_of(NOON), (now_ms(), 3_600_000)).unwrap();
        let sum = zvpos_core::money::yuan(read(&self.books.fen));
        println!(
            "collect: report in {:.2} s\n\
             collect: {} entries at the tills, {held} at the collector; revisions {} and {revisions}; sales {} and {}; \
             sums {sum} and {}; unsettled {} and {}",
            started.elapsed().as_secs_f64(),
            read(&self.books.entries),
            read(&self.books.revisions),
            read(&self.books.sales),
            report.total.sales.count,
            report.total.sales.sum,
            read(&self.books.open),
            report.unsettled_count(),
        );
        assert_eq!((held, revisions), (read(&self.books.entries), read(&self.books.revisions)));
        assert_eq!(held, i64::try_from(self.settings.len() * self.entries).unwrap());
        assert_eq!((report.total.sales.count, &report.total.sales.sum), (read(&self.books.sales), &sum));
        assert_eq!(report.unsettled_count(), read(&self.books.open));
        let found = (&report.gaps, &report.differences, &report.silent);
        assert_eq!(
            found,
            (&vec![], &vec![], &vec![]),
            "each till has as many entries as the collector has of it"
        );
    }
}

#[test]
fn many_tills_a_bad_network_and_a_collector_that_is_killed() {
    let run = Run::new(number("ZVPOS_COLLECT_TILLS", 12), number("ZVPOS_COLLECT_ENTRIES", 40));
    let started = Instant::now();
    let tills = run.write_journals();
    let written = started.elapsed();
    run.network.shared.per_mille.store(PER_MILLE, Ordering::SeqCst);
    let (started, done) = (Instant::now(), AtomicBool::new(false));
    let kills = thread::scope(|scope| {
        let disturbing = scope.spawn(|| run.disturb(number("ZVPOS_COLLECT_KILLS", 3), &done));
        let run = &run;
        let mut shipping = Vec::new();
        for (at, till) in &tills {
            let small = thread::Builder::new().stack_size(1024 * 1024);
            shipping.push(small.spawn_scoped(scope, || run.ship(*at, till)).unwrap());
        }
        for till in shipping {
            till.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
        disturbing.join().unwrap()
    });
    println!(
        "collect: {} tills, {} entries each; written in {:.1} s, shipped in {:.1} s; {} records in rounds that succeeded, {} \
         rounds failed and were repeated, {} connections, {} cut, collector killed {kills} times",
        tills.len(),
        run.entries,
        written.as_secs_f64(),
        started.elapsed().as_secs_f64(),
        run.records.load(Ordering::SeqCst),
        run.failed.load(Ordering::SeqCst),
        run.network.shared.connections.load(Ordering::SeqCst),
        run.network.shared.cut.load(Ordering::SeqCst),
    );
    run.compare();
    assert!(kills > 0 && run.network.shared.cut.load(Ordering::SeqCst) > 0, "nothing was disturbed");
    run.collector.lock().unwrap().kill();
}
