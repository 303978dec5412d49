//! What is told when a statement has no answer.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod cluster;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use cluster::drafts::{Draft, open, owner, standing, try_write, write};
use cluster::proxy::{Fault, Proxy};
use cluster::{Admin, Cluster, PASSWORD, settings_at, soon, until};
use zvpos_core::journal::Guard;
use zvpos_core::journal::nodes::{Database, Failure, Standing, Write};
use zvpos_core::payment::Stage;
use zvpos_journal_postgres::Postgres;

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

fn in_ms(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

/// A database behind a proxy.
fn behind_proxy(schema: &str) -> (Proxy, Postgres) {
    let proxy = Proxy::before(cluster().port);
    let url = format!("postgres://zv@127.0.0.1:{}/zv", proxy.port);
    let database = open(&settings_at(&url, schema));
    (proxy, database)
}

fn sale(biz_id: &str) -> Draft {
    Draft::new(biz_id, Stage::Sending)
}

#[test]
fn a_lost_answer_is_ambiguous_and_the_repeat_sees_its_own_number() {
    let (proxy, database) = behind_proxy("lost");
    let entry = sale("B1").entry();
    proxy.set(Fault::Cut);
    let began = Instant::now();
    let lost = try_write(&database, &entry, 77);
    assert!(matches!(lost, Err(Failure::Ambiguous(_))), "{lost:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "the end of a connection is not waited for");
    assert!(!try_write(&database, &entry, 77).unwrap());
    let found = standing(&database, "B1").unwrap();
    assert!(found.has_written(77) && database.confirm(&found, soon()).unwrap(), "{found:?}");
    // The same over an earlier revision, and by then another record is there.
    let next = sale("B1").revision(2).entry();
    proxy.set(Fault::Cut);
    let lost = try_write(&database, &next, 78);
    assert!(matches!(lost, Err(Failure::Ambiguous(_))), "{lost:?}");
    write(&database, sale("B1").revision(3), 79);
    assert!(!try_write(&database, &next, 78).unwrap());
    assert!(standing(&database, "B1").unwrap().has_written(78));
}

#[test]
fn a_read_whose_answer_is_lost_is_asked_again() {
    let (proxy, database) = behind_proxy("reads");
    write(&database, sale("B1"), 1);
    let connections = proxy.connections();
    proxy.set(Fault::Cut);
    assert!(standing(&database, "B1").is_some());
    assert_eq!(proxy.connections(), connections + 1);
}

#[test]
fn silence_is_ambiguous_at_the_deadline() {
    let (proxy, database) = behind_proxy("silence");
    let began = Instant::now();
    proxy.set(Fault::Swallow);
    let entry = sale("B1").entry();
    let write = Write { entry: &entry, token: 1, guard: Guard::Off, by: None };
    let silent = database.write(&write, in_ms(300));
    assert!(matches!(silent, Err(Failure::Ambiguous(_))), "{silent:?}");
    let took = began.elapsed();
    assert!((Duration::from_millis(290)..Duration::from_secs(3)).contains(&took), "{took:?}");
    // No connection can be opened, so nothing is sent.
    let away = database.write(&write, in_ms(300));
    assert!(matches!(away, Err(Failure::Away(_))), "{away:?}");
    let read = database.standing(&[entry.key().clone()], in_ms(300));
    assert!(matches!(read, Err(Failure::Away(_))), "{read:?}");
    proxy.set(Fault::Nothing);
    assert!(standing(&database, "B1").is_some());
}

#[test]
fn one_statement_is_given_up_before_its_deadline() {
    let proxy = Proxy::before(cluster().port);
    let url = format!("postgres://zv@127.0.0.1:{}/zv", proxy.port);
    let mut settings = settings_at(&url, "patience");
    settings.statement_patience = Duration::from_millis(200);
    let database = open(&settings);
    proxy.set(Fault::Swallow);
    let began = Instant::now();
    let silent = try_write(&database, &sale("B1").entry(), 1);
    assert!(matches!(silent, Err(Failure::Ambiguous(_))), "{silent:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// Where one connection has become dead without a word, the others may be, too.
#[test]
fn after_silence_idle_connections_are_not_used() {
    let (proxy, database) = behind_proxy("idle");
    let barrier = Barrier::new(3);
    thread::scope(|scope| {
        for number in 0..3 {
            let (database, barrier) = (&database, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for round in 0..20 {
                    write(database, sale(&format!("T{number}-{round}")), 1);
                }
            });
        }
    });
    let before = proxy.connections();
    assert!(before > 1, "{before}");
    proxy.set(Fault::Swallow);
    let entry = sale("B1").entry();
    let silent = database.confirm(&Standing { entry, token: 1, earlier: Vec::new() }, in_ms(200));
    assert!(matches!(silent, Err(Failure::Ambiguous(_))), "{silent:?}");
    proxy.set(Fault::Nothing);
    write(&database, sale("B2"), 1);
    write(&database, sale("B3"), 1);
    assert_eq!(proxy.connections(), before + 1);
}

/// Locks the tables of a schema until it is dropped.
fn locked(schema: &str) -> Admin {
    let person = cluster().admin_of("zv");
    person.batch(&format!("BEGIN; LOCK TABLE {schema}.zv_node IN ACCESS EXCLUSIVE MODE"));
    person
}

/// The processes that wait for a lock with a statement over the nodes of a schema.
fn waiting(schema: &str) -> Vec<String> {
    cluster().admin_of("zv").texts(&format!(
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'zvpos' \
         AND query LIKE '%{schema}%'"
    ))
}

#[test]
fn a_session_that_is_ended_is_ambiguous_and_a_cancelled_statement_was_not_carried_out() {
    let database = open(&cluster().settings("sessions"));
    database.join(&owner("n1"), soon()).unwrap();
    for (act, is_ambiguous) in [("pg_terminate_backend", true), ("pg_cancel_backend", false)] {
        let lock = locked("sessions");
        let answer = thread::scope(|scope| {
            let beat = scope.spawn(|| database.beat(&owner("n1"), 1, soon()));
            until("the statement waits", || !waiting("sessions").is_empty());
            let process = waiting("sessions").remove(0);
            cluster().admin().texts(&format!("SELECT {act}({process})"));
            beat.join().unwrap()
        });
        drop(lock);
        match answer {
            Err(Failure::Ambiguous(_)) if is_ambiguous => {}
            Err(Failure::Away(_)) if !is_ambiguous => {}
            answer => panic!("{act}: {answer:?}"),
        }
    }
    assert_eq!(database.beat(&owner("n1"), 2, soon()).unwrap(), Some(0));
}

#[test]
fn a_full_pool_is_away_and_serves_again() {
    let mut settings = cluster().settings("crowd");
    settings.pool = 1;
    let database = open(&settings);
    database.join(&owner("n1"), soon()).unwrap();
    let lock = locked("crowd");
    thread::scope(|scope| {
        let beat = scope.spawn(|| database.beat(&owner("n1"), 1, soon()));
        until("the statement waits", || !waiting("crowd").is_empty());
        let away = database.beat(&owner("n1"), 9, in_ms(100));
        assert!(matches!(&away, Err(Failure::Away(words)) if words.contains("all 1 are in use")), "{away:?}");
        let patient = scope.spawn(|| database.beat(&owner("n1"), 2, soon()));
        drop(lock);
        let mut beats = [beat.join().unwrap().unwrap(), patient.join().unwrap().unwrap()];
        beats.sort_unstable();
        assert_eq!(beats, [Some(0), Some(1)]);
    });
    let over = database.beat(&owner("n1"), 9, Instant::now());
    assert!(matches!(&over, Err(Failure::Away(words)) if words.contains("time was over")), "{over:?}");
}

/// The connection is the same one, and its alarm may still be set for what was asked before.
#[test]
fn an_earlier_statements_deadline_ends_no_later_one() {
    let mut settings = cluster().settings("deadlines");
    settings.pool = 1;
    let database = open(&settings);
    database.join(&owner("n1"), soon()).unwrap();
    // One that has gone off is set again only for what comes next.
    for beat in [1, 3] {
        let earlier = in_ms(1_000);
        assert_eq!(database.beat(&owner("n1"), beat, earlier).unwrap(), Some(beat - 1));
        let lock = locked("deadlines");
        thread::scope(|scope| {
            let later = scope.spawn(|| database.beat(&owner("n1"), beat + 1, soon()));
            until("the statement waits", || !waiting("deadlines").is_empty());
            thread::sleep(earlier.saturating_duration_since(Instant::now()) + Duration::from_millis(100));
            drop(lock);
            assert_eq!(later.join().unwrap().unwrap(), Some(beat));
        });
    }
}

/// Makes each write of an entry fail, or warn.
fn raising(schema: &str, what: &str) {
    cluster().admin_of("zv").batch(&format!(
        "CREATE OR REPLACE FUNCTION {schema}.raise() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN RAISE {what}; RETURN NEW; END'; \
         CREATE OR REPLACE TRIGGER raise BEFORE INSERT ON {schema}.zv_entry FOR EACH ROW EXECUTE FUNCTION {schema}.raise()"
    ));
}

#[test]
fn the_servers_errors_say_whether_it_was_carried_out() {
    let database = open(&cluster().settings("errors"));
    let entry = sale("B1").entry();
    for (code, expected) in [
        ("40003", "ambiguous"),
        ("57P01", "ambiguous"),
        ("57P02", "ambiguous"),
        ("57P03", "ambiguous"),
        ("08006", "ambiguous"),
        ("08P01", "ambiguous"),
        ("25006", "away"),
        ("57014", "away"),
        ("55P03", "away"),
        ("53100", "ZV-JOURNAL-FULL"),
        ("23514", "ZV-JOURNAL"),
        ("22021", "ZV-JOURNAL"),
    ] {
        raising("errors", &format!("EXCEPTION ''planted'' USING ERRCODE = ''{code}''"));
        let told = match try_write(&database, &entry, 1) {
            Err(Failure::Ambiguous(words)) if words.contains(code) => "ambiguous",
            Err(Failure::Away(words)) if words.contains(code) => "away",
            Err(Failure::Refused(error)) if error.message.contains(code) => error.code.text,
            answer => panic!("{code}: {answer:?}"),
        };
        assert_eq!(told, expected, "{code}");
    }
    // What may succeed if it is repeated is repeated until the deadline.
    for code in ["40001", "40P01"] {
        raising("errors", &format!("EXCEPTION ''planted'' USING ERRCODE = ''{code}''"));
        let write = Write { entry: &entry, token: 1, guard: Guard::Off, by: None };
        until("the deadline comes between two tries", || {
            let began = Instant::now();
            match database.write(&write, in_ms(400)) {
                Err(Failure::Away(words)) => {
                    assert!(words.contains(code), "{words}");
                    assert!(began.elapsed() > Duration::from_millis(300), "{code}: {:?}", began.elapsed());
                    true
                }
                // A slow machine: it has cut off a try.
                Err(Failure::Ambiguous(words)) if words.contains("in time") => false,
                answer => panic!("{answer:?}"),
            }
        });
    }
    assert_eq!(standing(&database, "B1"), None);
}

#[test]
fn a_warning_with_a_success_is_no_proof_of_durability() {
    let database = open(&cluster().settings("warnings"));
    raising("warnings", "WARNING ''canceling wait for synchronous replication''");
    let warned = try_write(&database, &sale("B1").entry(), 1);
    assert!(matches!(&warned, Err(Failure::Ambiguous(words)) if words.contains("01000")), "{warned:?}");
    assert!(standing(&database, "B1").is_some());
    raising("warnings", "NOTICE ''nothing''");
    assert!(try_write(&database, &sale("B2").entry(), 1).unwrap());
}

/// A user whose transactions are stricter gets errors that ask for a repetition.
#[test]
fn what_the_server_could_not_serialize_is_repeated() {
    let person = cluster().admin();
    person.batch(&format!("CREATE ROLE strict LOGIN PASSWORD '{PASSWORD}'"));
    person.batch("CREATE DATABASE strict OWNER strict");
    person.batch("ALTER ROLE strict SET default_transaction_isolation = 'serializable'");
    let url = format!("postgres://strict@127.0.0.1:{}/strict", cluster().port);
    let mut settings = settings_at(&url, "strict");
    settings.pool = 8;
    let database = open(&settings);
    database.join(&owner("n1"), soon()).unwrap();
    let (barrier, tried) = (Barrier::new(8), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                for _ in 0..10 {
                    let number = tried.fetch_add(1, Ordering::Relaxed) + 1;
                    database.beat(&owner("n1"), number, soon()).unwrap().unwrap();
                }
            });
        }
    });
    assert_eq!(database.node(&owner("n1"), soon()).unwrap().unwrap().beat, 80);
}

#[test]
fn on_the_second_version_too() {
    cluster::on_the_second_version_too();
}
