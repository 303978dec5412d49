//! Replicas: what a commit that waits for one means, and which server of several is used. One test: each step changes
//! both servers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod cluster;

use std::thread;
use std::time::Duration;

use cluster::drafts::{Draft, open, standing, try_write, write};
use cluster::{Admin, Cluster, settings_at, soon, until};
use zvpos_core::journal::Guard;
use zvpos_core::journal::nodes::{Database, Failure, Write};
use zvpos_core::payment::{Entry, Stage};
use zvpos_journal_postgres::{Opened, Postgres, Settings};

#[test]
fn a_commit_counts_once_its_replica_has_it() {
    let primary = Cluster::start();
    let is_async = |settings: &Settings| {
        let Opened { is_async, .. } = Postgres::open(settings, soon()).unwrap();
        is_async
    };
    assert!(!is_async(&primary.settings("replica")), "no replica");
    let standby = primary.standby("s1");
    let person = primary.admin();
    until("the standby is attached", || {
        person.texts("SELECT state FROM pg_stat_replication") == ["streaming"]
    });
    assert!(is_async(&primary.settings("replica")));
    person.batch("ALTER SYSTEM SET synchronous_standby_names = 's1'");
    primary.reload();
    until("the standby is synchronous", || {
        person.texts("SELECT sync_state FROM pg_stat_replication") == ["sync"]
    });
    assert!(!is_async(&primary.settings("replica")));

    let error = Postgres::open(&standby.settings("replica"), soon()).err().unwrap();
    assert_eq!(error.code.text, "ZV-JOURNAL-AWAY");
    assert!(error.message.contains("is a standby") && error.message.contains("name the primary"), "{error}");

    let url = format!("postgres://zv@127.0.0.1:{},127.0.0.1:{}/zv", standby.port, primary.port);
    let settings = Settings { pool: 16, ..settings_at(&url, "replica") };
    let database = open(&settings);
    write(&database, Draft::new("B1", Stage::Sending), 1);

    standby.server_stop_at_once();
    a_wait_that_is_given_up_is_ambiguous(&database, &person);
    a_repeat_waits_like_the_first_try(&database, &standby);
    the_server_that_takes_writes_is_used(&database, &primary, &standby);
}

/// The processes that wait for the replica.
fn waiting(person: &Admin) -> Vec<String> {
    person.texts("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' ORDER BY query_start")
}

fn a_wait_that_is_given_up_is_ambiguous(database: &Postgres, person: &Admin) {
    for (biz_id, act) in [("B2", "pg_cancel_backend"), ("B3", "pg_terminate_backend")] {
        let entry = Draft::new(biz_id, Stage::Sending).entry();
        let answer = thread::scope(|scope| {
            let written = scope.spawn(|| try_write(database, &entry, 2));
            until("the commit waits", || waiting(person).len() == 1);
            person.texts(&format!("SELECT {act}({})", waiting(person)[0]));
            written.join().unwrap()
        });
        match &answer {
            Err(Failure::Ambiguous(words)) if act == "pg_cancel_backend" => {
                assert!(words.contains("synchronous replication") && words.contains("01000"), "{words}");
            }
            Err(Failure::Ambiguous(_)) => {}
            answer => panic!("{act}: {answer:?}"),
        }
        // A read sees it, which proves nothing: it is on this server alone.
        until("a read sees it", || standing(database, biz_id).is_some());
    }
}

fn write_until(database: &Postgres, entry: &Entry, token: u64, ms: u64) -> Result<bool, Failure> {
    let until = database.now() + Duration::from_millis(ms);
    database.write(&Write { entry, token, guard: Guard::Off, by: None }, until)
}

fn a_repeat_waits_like_the_first_try(database: &Postgres, standby: &Cluster) {
    let entry = Draft::new("B4", Stage::Sending).entry();
    for _ in 0..3 {
        // The first waits for the replica; the others wait for the first.
        let answer = write_until(database, &entry, 4, 200);
        assert!(matches!(answer, Err(Failure::Ambiguous(_))), "{answer:?}");
        assert_eq!(standing(database, "B4"), None);
    }
    let given_up = standing(database, "B2").unwrap();
    let until = database.now() + Duration::from_millis(200);
    let answer = database.confirm(&given_up, until);
    assert!(matches!(answer, Err(Failure::Ambiguous(_))), "{answer:?}");
    thread::scope(|scope| {
        let repeated = scope.spawn(|| write_until(database, &entry, 4, 20_000));
        thread::sleep(Duration::from_millis(100));
        standby.server_start();
        assert!(!repeated.join().unwrap().unwrap());
    });
    let found = standing(database, "B4").unwrap();
    assert!(found.token == 4 && database.confirm(&found, soon()).unwrap());
    assert!(database.confirm(&given_up, soon()).unwrap());
}

fn the_server_that_takes_writes_is_used(database: &Postgres, primary: &Cluster, standby: &Cluster) {
    let acknowledged = write(database, Draft::new("B5", Stage::Sending), 5);
    primary.server_stop_at_once();
    let away = try_write(database, &Draft::new("B6", Stage::Sending).entry(), 6);
    assert!(matches!(away, Err(Failure::Away(_))), "{away:?}");
    standby.promote();
    // Only the standby that was promoted is left, and commits there would wait for one, too.
    let person = standby.admin();
    person.batch("ALTER SYSTEM SET synchronous_standby_names = ''");
    standby.reload();
    write(database, Draft::new("B6", Stage::Sending), 6);
    assert_eq!(standing(database, "B5").unwrap().entry, acknowledged);
}

#[test]
fn on_the_second_version_too() {
    cluster::on_the_second_version_too();
}
