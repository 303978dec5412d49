//! The journal of a node over a real server does what every journal does.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod cluster;

use std::time::Duration;

use cluster::drafts::open;
use cluster::{Cluster, soon};
use zvpos_core::journal::conformance::CASES;
use zvpos_core::journal::nodes::{LeaseSettings, NodeSettings, Nodes};
use zvpos_core::journal::owner_name;
use zvpos_journal_postgres::Postgres;

fn node(database: Postgres) -> Nodes<Postgres> {
    let total = Duration::from_secs(10);
    let lease = LeaseSettings {
        lease: Duration::from_secs(20),
        beat: Duration::from_secs(2),
        margin: Duration::from_secs(2),
    };
    let name = Box::new(move |random| owner_name(std::process::id(), random, total));
    let settings = NodeSettings { lease, total, retention_days: 90, unix_ms: || 0, name };
    Nodes::start(database, settings, soon()).unwrap()
}

#[test]
fn a_node_does_what_every_store_does() {
    let cluster = Cluster::start();
    for (number, (name, case)) in CASES.into_iter().enumerate() {
        println!("{name}");
        for pause in [false, true] {
            let database = open(&cluster.settings(&format!("case_{number}_{pause}")));
            let node = node(database);
            case(&node, &|| {
                if pause {
                    node.beat().unwrap();
                }
            });
            node.beat().unwrap();
        }
    }
}

#[test]
fn on_the_second_version_too() {
    cluster::on_the_second_version_too();
}
