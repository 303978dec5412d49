//! A server that crashes, comes back, and is set up otherwise. One test: each step changes the whole server.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod cluster;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cluster::drafts::{Draft, open, standing, try_write, write};
use cluster::{Cluster, soon, until};
use zvpos_core::journal::nodes::{Database, Failure};
use zvpos_core::payment::{Entry, Stage};
use zvpos_journal_postgres::Postgres;

#[test]
fn a_server_that_crashes_keeps_what_it_acknowledged() {
    let cluster = Cluster::start();
    let database = open(&cluster.settings("crash"));
    let id = database.id();
    what_was_acknowledged_survives(&cluster, &database);
    idle_connections_that_have_ended_are_not_used(&cluster, &database);
    a_server_without_writes_is_away(&cluster, &database);
    a_server_that_may_lose_records_is_refused(&cluster, &database);
    assert_eq!(open(&cluster.settings("crash")).id(), id);
}

fn sale(thread: usize, number: usize) -> Entry {
    Draft::new(&format!("T{thread}-{number}"), Stage::Sending).entry()
}

fn what_was_acknowledged_survives(cluster: &Cluster, database: &Postgres) {
    let is_over = AtomicBool::new(false);
    let acknowledged: Vec<Entry> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let is_over = &is_over;
                scope.spawn(move || {
                    let mut acknowledged = Vec::new();
                    for number in 0.. {
                        let entry = sale(thread, number);
                        match try_write(database, &entry, 1) {
                            Ok(true) => acknowledged.push(entry),
                            Ok(false) => panic!("{entry:?} was there"),
                            Err(Failure::Refused(error)) => panic!("{error}"),
                            Err(Failure::Ambiguous(_) | Failure::Away(_)) => {
                                if is_over.load(Ordering::SeqCst) {
                                    return acknowledged;
                                }
                            }
                        }
                    }
                    acknowledged
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(300));
        cluster.server_stop_at_once();
        is_over.store(true, Ordering::SeqCst);
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(acknowledged.len() > 20, "{}", acknowledged.len());
    let began = Instant::now();
    let away = try_write(database, &sale(9, 9), 1);
    assert!(matches!(&away, Err(Failure::Away(words)) if words.contains("cannot be reached")), "{away:?}");
    assert!(began.elapsed() < Duration::from_secs(2));
    cluster.server_start();
    let keys: Vec<_> = acknowledged.iter().map(|entry| entry.key().clone()).collect();
    let mut found: Vec<Entry> =
        database.standing(&keys, soon()).unwrap().into_iter().map(|standing| standing.entry).collect();
    let mut expected = acknowledged;
    for entries in [&mut found, &mut expected] {
        entries.sort_by_key(|entry| entry.key().biz_id.as_str().to_owned());
    }
    assert_eq!(found, expected);
}

/// Four connections are idle when the server ends them: no statement is sent on one.
fn idle_connections_that_have_ended_are_not_used(cluster: &Cluster, database: &Postgres) {
    thread::scope(|scope| {
        for thread in 20..24 {
            scope.spawn(move || {
                for number in 0..20 {
                    assert!(try_write(database, &sale(thread, number), 1).unwrap());
                }
            });
        }
    });
    for round in 0..3 {
        cluster.server_stop_at_once();
        cluster.server_start();
        for number in 0..6 {
            let written = try_write(database, &sale(30 + round, number), 1);
            assert!(matches!(written, Ok(true)), "{round} {number}: {written:?}");
        }
    }
}

fn a_server_without_writes_is_away(cluster: &Cluster, database: &Postgres) {
    write(database, Draft::new("W1", Stage::Sending), 1);
    let person = cluster.admin();
    person.batch("ALTER SYSTEM SET default_transaction_read_only = on");
    cluster.reload();
    let next = Draft::new("W1", Stage::Unknown).revision(2).entry();
    let mut number = 0;
    until("an open connection knows of it", || {
        number += 1;
        match try_write(database, &sale(50, number), 1) {
            Ok(true) => false,
            Err(Failure::Away(words)) => {
                assert!(words.contains("25006") || words.contains("takes no writes"), "{words}");
                true
            }
            answer => panic!("{answer:?}"),
        }
    });
    let away = try_write(database, &next, 2);
    assert!(matches!(&away, Err(Failure::Away(words)) if words.contains("name the primary")), "{away:?}");
    // It may be the primary again, so the library tries again later.
    let error = Postgres::open(&cluster.settings("crash"), soon()).err().unwrap();
    assert_eq!(error.code.text, "ZV-JOURNAL-AWAY");
    person.batch("SET default_transaction_read_only = off");
    person.batch("ALTER SYSTEM RESET default_transaction_read_only");
    cluster.reload();
    until("it takes writes again", || try_write(database, &next, 2).is_ok_and(|written| written));
    assert_eq!(standing(database, "W1").unwrap().token, 2);
}

fn a_server_that_may_lose_records_is_refused(cluster: &Cluster, database: &Postgres) {
    let person = cluster.admin();
    let tries = || Postgres::open(&cluster.settings("crash"), soon());
    for setting in ["fsync = off", "synchronous_commit = off", "synchronous_commit = local"] {
        person.batch(&format!("ALTER SYSTEM SET {setting}"));
        cluster.reload();
        until(setting, || tries().is_err());
        let error = tries().err().unwrap();
        assert_eq!(error.code.text, "ZV-JOURNAL-PLACE", "{error}");
        assert!(error.message.contains(setting), "{error}");
        person.batch(&format!("ALTER SYSTEM RESET {}", setting.split(' ').next().unwrap()));
        cluster.reload();
        until("it is as before", || tries().is_ok());
    }
    // A journal that is open hears of it with its next connection.
    person.batch("ALTER SYSTEM SET fsync = off");
    cluster.reload();
    cluster.server_stop_at_once();
    cluster.server_start();
    let refused = try_write(database, &sale(40, 1), 1);
    assert!(
        matches!(&refused, Err(Failure::Refused(error)) if error.code.text == "ZV-JOURNAL-PLACE"),
        "{refused:?}"
    );
    let person = cluster.admin();
    person.batch("ALTER SYSTEM RESET fsync");
    cluster.reload();
    until("it is as before", || tries().is_ok());
    assert!(try_write(database, &sale(40, 1), 1).unwrap());
}

#[test]
fn on_the_second_version_too() {
    cluster::on_the_second_version_too();
}
