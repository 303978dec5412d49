//! A journal in a database, on real servers: what a node would refuse, who lives, what is in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "../../journal-postgres/tests/cluster/mod.rs"]
mod cluster;
mod support;

use std::sync::OnceLock;
use std::time::Duration;

use cluster::drafts::{Draft, open, owner, write};
use cluster::{Cluster, PASSWORD, until};
use serde_json::{Value, json};
use support::{config, line, options, own_folder, remedy, report, run};
use zvpos_core::journal::nodes::Database;
use zvpos_core::payment::Stage;
use zvpos_doctor::{Options, Report, Status};

const NOWHERE: &str = "http://127.0.0.1:1/api/v2";

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

/// The configuration of a node with this schema; two seconds decide whether a node is silent.
fn node(cluster: &Cluster, schema: &str) -> Value {
    let more = json!({
        "journal": cluster.url(),
        "journal_db": {"password": PASSWORD, "schema": schema, "beat_s": 1},
    });
    config(NOWHERE, &own_folder(), more)
}

fn examined(config: &Value) -> Report {
    report(config, &own_folder())
}

#[test]
fn a_database_that_is_well_shows_who_lives_and_what_is_open() {
    let database = open(&cluster().settings("well"));
    for name in ["alive", "silent", "gone"] {
        database.join(&owner(name), cluster::soon()).unwrap();
    }
    database.bury(&owner("gone"), None, cluster::soon()).unwrap();
    assert!(database.claim(&owner("alive"), None, cluster::soon()).unwrap());
    write(&database, Draft::new("B1", Stage::Succeeded), 1);
    write(&database, Draft::new("B2", Stage::Unknown).by("alive"), 1);
    write(&database, Draft::new("B3", Stage::Unknown), 1);
    write(&database, Draft::new("B4", Stage::Refused), 1);
    let config = node(cluster(), "well");
    let report = std::thread::scope(|scope| {
        let examined = scope.spawn(|| examined(&config));
        let mut beat = 0;
        until("the doctor is done", || {
            beat += 1;
            database.beat(&owner("alive"), beat, cluster::soon()).unwrap();
            std::thread::sleep(Duration::from_millis(50));
            examined.is_finished()
        });
        examined.join().unwrap()
    });
    let reached = line(&report, "journal.database");
    assert_eq!((reached.status, &reached.facts["tls"]), (Status::Ok, &json!(false)));
    assert!(reached.found.en.contains("without leaving this machine"), "{reached:?}");
    let settings = line(&report, "journal.settings");
    assert!(settings.found.en.contains("fsync = on, synchronous_commit = on"), "{settings:?}");
    assert_eq!(settings.facts["replicas"], json!(0));
    let contents = line(&report, "journal.contents");
    assert_eq!((contents.status, &contents.facts["format"]), (Status::Ok, &json!(1)));
    assert!(contents.found.en.contains("--journal"), "{contents:?}");
    let ahead = line(&report, "journal.clock").facts["ahead_ms"].as_i64().unwrap();
    assert!(ahead.abs() < 5_000, "{ahead}");
    let open = line(&report, "journal.unsettled");
    assert_eq!(open.facts["stages"], json!({"refused": 1, "unknown": 2}));
    // Day 20,000 is long ago.
    assert_eq!((open.status, &open.facts["unsettled"]), (Status::Warning, &json!(3)));
    assert!(
        open.found.en.contains("unknown 2, the oldest ") && remedy(open).contains("zv settle"),
        "{open:?}"
    );
    assert_eq!(line(&report, "journal.twice").status, Status::Ok);
    assert_eq!(line(&report, "journal.size").facts["entries"], json!(4));
    let nodes: Vec<_> = report.lines.iter().filter(|line| line.check == "journal.nodes").collect();
    let seen: Vec<_> = nodes.iter().map(|line| (line.about.as_str(), line.status)).collect();
    assert_eq!(seen, [("alive", Status::Ok), ("silent", Status::Warning), ("well", Status::Ok)]);
    assert!(nodes[0].found.en.ends_with("it settles") && nodes[2].facts["dead"] == json!(1), "{nodes:?}");
    // What is about a file does not hold for a database.
    let of_a_file = |line: &&zvpos_doctor::Line| ["journal.folder", "journal.witness"].contains(&line.check);
    assert_eq!(report.lines.iter().filter(of_a_file).count(), 0);
    let shown = report.to_json(zvpos_core::outcome::Lang::En).to_string();
    assert!(!shown.contains(PASSWORD), "{shown}");
    // Looking has changed nothing.
    assert_eq!(database.nodes(cluster::soon()).unwrap().nodes.len(), 3);
}

#[test]
fn every_row_is_read_where_that_is_asked_for() {
    let database = open(&cluster().settings("rows"));
    write(&database, Draft::new("B1", Stage::Succeeded), 1);
    write(&database, Draft::new("B2", Stage::Declined), 1);
    write(&database, Draft::new("B2", Stage::Declined).account("second"), 1);
    let whole = |config: &Value| run(&Options { journal: true, ..options(config, &own_folder()) });
    let config = node(cluster(), "rows");
    let found = whole(&config);
    let contents = line(&found, "journal.contents");
    assert_eq!((contents.status, &contents.facts["whole"]), (Status::Ok, &json!(3)));
    let twice = line(&found, "journal.twice");
    assert_eq!((twice.status, &twice.facts["count"]), (Status::Warning, &json!(1)));
    assert!(twice.found.en.contains("1 (B2)"), "{twice:?}");

    cluster().admin_of("zv").batch("UPDATE rows.zv_entry SET amount = '0.01' WHERE biz_id = 'B1'");
    let found = whole(&config);
    let contents = line(&found, "journal.contents");
    assert_eq!((contents.status, &contents.facts["damaged"]), (Status::Failed, &json!(1)));
    assert!(contents.found.en.contains("bizId B1"), "{contents:?}");
}

#[test]
fn what_a_node_would_refuse_is_a_failure() {
    let away = |more: Value| {
        let mut config = node(cluster(), "none");
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        examined(&config)
    };
    let nobody = away(json!({"journal": format!("postgres://zv@127.0.0.1:{}/zv", cluster::free_port())}));
    let reached = line(&nobody, "journal.database");
    assert_eq!((reached.status, &reached.facts["code"]), (Status::Failed, &json!("ZV-JOURNAL-AWAY")));
    let stranger = away(json!({"journal_db": {"password": "wrong"}}));
    let why = &line(&stranger, "journal.database").found.en;
    assert!(why.contains("refuses the user"), "{why}");
    let fresh = away(json!({}));
    assert!(line(&fresh, "journal.contents").found.en.contains("the first node makes it"));
    assert!(fresh.lines.iter().all(|line| line.check != "journal.nodes"));

    drop(open(&cluster().settings("moved")));
    cluster().admin_of("zv").batch("UPDATE moved.zv_journal SET format = 1002, place = '{\"to\": \"/there.db\", \"total\": {\"stages\": {}, \"checksum\": \"0\"}}'");
    let moved = examined(&node(cluster(), "moved"));
    let contents = line(&moved, "journal.contents");
    assert_eq!((contents.status, &contents.facts["code"]), (Status::Failed, &json!("ZV-JOURNAL-MOVED")));
    assert!(contents.found.en.contains("/there.db") && remedy(contents).contains("every till and node"));

    let lossy = Cluster::with(&["fsync = off"]);
    let unfit = examined(&node(&lossy, "none"));
    let settings = line(&unfit, "journal.settings");
    assert_eq!(settings.status, Status::Failed);
    assert!(settings.found.en.contains("fsync = off"), "{settings:?}");
}

#[test]
fn a_replica_that_no_commit_waits_for_is_a_warning() {
    let primary = Cluster::start();
    drop(open(&primary.settings("replica")));
    let _standby = primary.standby("s1");
    let person = primary.admin();
    until("the standby is attached", || {
        person.texts("SELECT state FROM pg_stat_replication") == ["streaming"]
    });
    let settings = |more: Value| {
        let mut config = node(&primary, "replica");
        config["journal_db"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line(&examined(&config), "journal.settings").clone()
    };
    let found = settings(json!({}));
    assert_eq!((found.status, &found.facts["replicas"]), (Status::Warning, &json!(1)));
    assert!(remedy(&found).contains("synchronous replica"), "{found:?}");
    assert!(
        !settings(json!({"allow_async": "true"})).remedy.is_some_and(|words| words.en.contains("replica"))
    );
}
