//! The copy, over SQLite and PostgreSQL alike: one table of cases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(unreachable_pub, reason = "shared by the files of this test")]

#[cfg(all(feature = "postgres", unix))]
#[path = "../../../journal-postgres/tests/cluster/server/mod.rs"]
mod cluster;
mod copy;
mod days;
mod decisions;
mod records;
#[path = "../support/mod.rs"]
mod support;

use records::Open;
#[cfg(all(feature = "postgres", unix))]
use records::{WHEN, batch, record, till};
use support::Folder;
use zvpos_collect::store::{Location, Store};

/// What a case does, and the case.
type Case = (&'static str, fn(Open<'_>));

const CASES: [Case; 16] = [
    ("a later revision wins, whenever it comes", copy::a_later_revision_wins),
    ("batches come twice, late and behind a gap", copy::batches_come_in_any_order),
    ("what is dropped takes no details away", copy::dropped_details),
    ("one of several journals counts", copy::one_journal_counts),
    ("sums and hours", days::sums_and_hours),
    ("what is open, by age", days::open_by_age),
    ("chains are apart", days::chains_are_apart),
    ("a day is closed and what comes later differs", days::a_day_is_closed),
    ("texts of every kind", copy::texts),
    ("a round that brings less than the copy has", copy::what_a_round_does_not_bring_is_lost),
    ("sales of a simulator are in no sum", days::other_environments_are_apart),
    ("a report is of one moment", days::a_report_is_of_one_moment),
    ("a day is complete when the till says so", days::a_day_is_complete_when_the_till_says_so),
    ("a till is retired and comes back", decisions::a_till_is_retired_and_comes_back),
    (
        "a gap is accepted, and a later one is another",
        decisions::a_gap_is_accepted_and_a_later_one_is_another,
    ),
    ("an acceptance names what was seen", decisions::an_acceptance_names_what_was_seen),
];

#[test]
fn sqlite_does_what_every_store_does() {
    for (name, case) in CASES {
        let folder = Folder::new("store");
        println!("{name}");
        case(&|| Store::make(&folder.store()).unwrap());
    }
}

#[cfg(all(feature = "postgres", unix))]
#[test]
fn postgres_does_what_every_store_does() {
    use cluster::{Cluster, PASSWORD};
    use zvpos_core::transport::Roots;
    let certificates = support::certificates();
    let cluster = Cluster::with_tls(&certificates.join("host.pem"), &certificates.join("host.key"));
    let admin = cluster.admin();
    let database = |name: &str, over_tls: bool| {
        admin.batch(&format!("CREATE DATABASE {name} OWNER zv"));
        let (port, folder) = (cluster.port, cluster.folder().display());
        if over_tls {
            format!("postgres://zv@localhost:{port}/{name}?sslmode=require&hostaddr=127.0.0.1")
        } else {
            format!("postgres://zv@/{name}?host={folder}&port={port}")
        }
    };
    let roots = Roots::PemFile(certificates.join("ca.pem").display().to_string());
    let at = |url: &str, password: &str, roots: &Roots| {
        Location::of(url, Some(password.to_owned()), roots.clone())
    };
    for (number, (name, case)) in CASES.into_iter().enumerate() {
        println!("{name}");
        let url = database(&format!("case{number}"), number % 2 == 0);
        case(&|| Store::make(&at(&url, PASSWORD, &roots)).unwrap());
    }
    let url = database("other", true);
    let empty = Store::open(&at(&url, PASSWORD, &roots)).err().unwrap().to_string();
    assert!(empty.contains("zv collect init"), "{empty}");
    let error = |location: &Location| Store::make(location).err().unwrap().to_string();
    assert!(error(&at(&url, "wrong", &roots)).contains("password authentication failed"));
    let untrusted = error(&at(&url, PASSWORD, &Roots::Bundled));
    assert!(untrusted.contains("certificate"), "{untrusted}");
    assert!(!untrusted.contains(PASSWORD));
    // A server that is restarted costs the batch under way, and the next one finds it again.
    let mut store = Store::make(&at(&url, PASSWORD, &roots)).unwrap();
    let one = till(&mut store, "c", "T1");
    cluster.server_stop_at_once();
    cluster.server_start();
    let ship = |store: &mut Store| {
        store.accept(&one, &batch("j1", (0, 1), vec![record("B1", 1, "succeeded", 1)]), WHEN.0)
    };
    let mut tries = 0;
    while let Err(error) = ship(&mut store) {
        tries += 1;
        assert!(tries < 5, "{error}");
    }
    assert_eq!(store.tally("c").unwrap().0, 1);
}

#[test]
fn only_init_makes_a_store() {
    let folder = Folder::new("typed");
    let refused = Store::open(&folder.store()).err().unwrap().to_string();
    assert!(refused.contains("there is no store here; `zv collect init` makes one"), "{refused}");
    assert!(!folder.0.join("collect.db").exists());
    // An empty file is none either.
    std::fs::write(folder.0.join("collect.db"), "").unwrap();
    assert!(Store::open(&folder.store()).err().unwrap().to_string().contains("zv collect init"));
    drop(Store::make(&folder.store()).unwrap());
    assert!(Store::open(&folder.store()).is_ok());
}

#[test]
fn a_store_of_a_later_version_and_a_file_of_another_program_are_refused() {
    let folder = Folder::new("formats");
    let path = folder.0.join("collect.db");
    drop(Store::make(&folder.store()).unwrap());
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute("UPDATE setting SET value = '3' WHERE name = 'format'", [])
        .unwrap();
    assert!(Store::open(&folder.store()).err().unwrap().to_string().contains("another format"));
    std::fs::write(folder.0.join("text"), "no database, but long enough to be one ".repeat(100)).unwrap();
    assert!(Store::open(&Location::Sqlite(folder.0.join("text"))).is_err());
}
