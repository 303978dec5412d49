//! Nodes and their role over a real server, and what a dead node may not do.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod cluster;

use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use cluster::drafts::{Draft, NOON, biz_ids, guarded, open, owner, write};
use cluster::{Cluster, soon};
use zvpos_core::journal::Guard;
use zvpos_core::journal::nodes::{Database, Node, Role, Write};
use zvpos_core::payment::Stage;
use zvpos_journal_postgres::Postgres;

/// One server for all tests here; it ends with the process.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

fn opened(schema: &str) -> Postgres {
    open(&cluster().settings(schema))
}

#[test]
fn an_intent_keeps_nothing_out_while_its_node_lives() {
    let database = opened("liveness");
    for name in ["n1", "n2"] {
        database.join(&owner(name), soon()).unwrap();
    }
    write(&database, Draft::new("B1", Stage::Sending).of("1", &["7"]).by("n2"), 1);
    let other = |biz_id: &str| Draft::new(biz_id, Stage::Sending).of("1", &["7"]);
    assert!(guarded(&database, other("B2"), Guard::Member));
    database.bury(&owner("n2"), None, soon()).unwrap();
    for guard in [Guard::Member, Guard::Coupon] {
        assert!(!guarded(&database, other("B3"), guard), "{guard:?}");
    }
    // A node without a row is dead, too.
    write(&database, Draft::new("B4", Stage::Sending).of("4", &[]).by("n3"), 1);
    assert!(!guarded(&database, Draft::new("B5", Stage::Sending).of("4", &[]), Guard::Member));
}

#[test]
fn a_dead_node_writes_nothing() {
    let database = opened("writers");
    database.join(&owner("n1"), soon()).unwrap();
    let by = |draft: Draft, name: &str| {
        let (entry, owner) = (draft.entry(), owner(name));
        database
            .write(&Write { entry: &entry, token: 1, guard: Guard::Member, by: Some(&owner) }, soon())
            .unwrap()
    };
    assert!(by(Draft::new("B1", Stage::Sending), "n1"));
    assert!(!by(Draft::new("B2", Stage::Sending), "nobody"));
    assert!(by(Draft::new("B1", Stage::Unknown).revision(2), "n1"));
    database.bury(&owner("n1"), None, soon()).unwrap();
    assert!(!by(Draft::new("B3", Stage::Sending), "n1"));
    assert!(!by(Draft::new("B1", Stage::Succeeded).revision(3), "n1"));
    write(&database, Draft::new("B1", Stage::Succeeded).revision(3), 1);
}

#[test]
fn the_intents_of_nodes_are_found() {
    let database = opened("sending");
    write(&database, Draft::new("B1", Stage::Sending).by("n1"), 1);
    write(&database, Draft::new("B2", Stage::Unknown).by("n1"), 1);
    write(&database, Draft::new("B3", Stage::Sending).by("n2").at(NOON - 1), 1);
    write(&database, Draft::new("B4", Stage::Sending).by("n3"), 1);
    let of = |names: &[&str]| {
        let owners: Vec<_> = names.iter().map(|name| owner(name)).collect();
        database.sending_of(&owners, soon()).unwrap()
    };
    assert_eq!(biz_ids(&of(&["n1", "n2"])), ["B3", "B1"]);
    assert_eq!(biz_ids(&of(&["n9"])), [""; 0]);
    assert_eq!(biz_ids(&of(&[])), [""; 0]);
}

#[test]
fn nodes_beat_until_they_are_dead() {
    let database = opened("nodes");
    let [one, two] = ["n1", "n2"].map(owner);
    assert_eq!(database.nodes(soon()).unwrap(), zvpos_core::journal::nodes::Membership::default());
    assert_eq!(database.beat(&one, 1, soon()).unwrap(), None);
    for node in [&one, &two, &one] {
        database.join(node, soon()).unwrap();
    }
    for beat in 1..4 {
        assert_eq!(database.beat(&one, beat, soon()).unwrap(), Some(beat - 1));
    }
    let node = |owner: &zvpos_core::payment::Owner, beat, dead| Node { owner: owner.clone(), beat, dead };
    assert_eq!(database.node(&one, soon()).unwrap(), Some(node(&one, 3, false)));
    assert_eq!(database.node(&owner("n3"), soon()).unwrap(), None);
    // Its beat is not as it was seen.
    database.bury(&one, Some(2), soon()).unwrap();
    assert_eq!(database.beat(&one, 4, soon()).unwrap(), Some(3));
    // A try that comes late raises nothing.
    assert_eq!(database.beat(&one, 2, soon()).unwrap(), Some(4));
    database.bury(&one, Some(4), soon()).unwrap();
    assert_eq!(database.beat(&one, 5, soon()).unwrap(), None);
    database.join(&one, soon()).unwrap();
    assert_eq!(database.node(&one, soon()).unwrap(), Some(node(&one, 4, true)));
    let mut all = database.nodes(soon()).unwrap().nodes;
    all.sort_by(|one, other| one.owner.0.cmp(&other.owner.0));
    assert_eq!(all, [node(&one, 4, true), node(&two, 0, false)]);
    let person = cluster().admin_of("zv");
    assert_eq!(person.texts("SELECT host || '/' || version FROM nodes.zv_node LIMIT 1"), ["/0.1.0"]);
}

#[test]
fn the_role_goes_to_one_of_those_that_saw_it() {
    let database = opened("roles");
    let [one, two, three] = ["n1", "n2", "n3"].map(owner);
    let role = || database.nodes(soon()).unwrap().role;
    assert_eq!(role(), None);
    for node in [&one, &two, &three] {
        database.join(node, soon()).unwrap();
    }
    assert!(!database.claim(&owner("nobody"), None, soon()).unwrap());
    let unseen = Role { owner: one.clone(), term: 1 };
    assert!(!database.claim(&two, Some(&unseen), soon()).unwrap());
    assert!(database.claim(&one, None, soon()).unwrap());
    assert!(!database.claim(&two, None, soon()).unwrap());
    let seen = role().unwrap();
    assert_eq!(seen, Role { owner: one.clone(), term: 1 });
    assert!(database.claim(&two, Some(&seen), soon()).unwrap());
    assert!(!database.claim(&three, Some(&seen), soon()).unwrap());
    assert_eq!(role(), Some(Role { owner: two, term: 2 }));
    database.bury(&three, None, soon()).unwrap();
    assert!(!database.claim(&three, role().as_ref(), soon()).unwrap());
    assert_eq!(role().unwrap().term, 2);
}

#[test]
fn dead_nodes_are_forgotten_once_nothing_names_them() {
    let database = opened("forget");
    for name in ["live", "idle", "settler", "in-doubt", "settled"] {
        database.join(&owner(name), soon()).unwrap();
    }
    assert!(database.claim(&owner("settler"), None, soon()).unwrap());
    for name in ["idle", "settler", "in-doubt", "settled"] {
        database.bury(&owner(name), None, soon()).unwrap();
    }
    write(&database, Draft::new("B1", Stage::Sending).by("in-doubt"), 1);
    write(&database, Draft::new("B2", Stage::Succeeded).by("settled"), 1);
    let names = || {
        let mut names: Vec<String> =
            database.nodes(soon()).unwrap().nodes.into_iter().map(|node| node.owner.0).collect();
        names.sort_unstable();
        names
    };
    database.forget(soon()).unwrap();
    assert_eq!(names(), ["in-doubt", "live", "settler"]);
    write(&database, Draft::new("B1", Stage::Reversed).by("in-doubt").revision(2), 1);
    let seen = database.nodes(soon()).unwrap().role;
    assert!(database.claim(&owner("live"), seen.as_ref(), soon()).unwrap());
    database.forget(soon()).unwrap();
    assert_eq!(names(), ["live"]);
}

#[test]
fn two_starts_at_once_make_one_journal() {
    let settings = cluster().settings("twins");
    let barrier = Barrier::new(6);
    let ids: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    open(&settings).id()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| id == &ids[0] && id.len() == 32), "{ids:?}");
    assert_ne!(open(&cluster().settings("another")).id(), ids[0]);
}

#[test]
fn clocks_tokens_and_the_place_are_told() {
    let database = opened("clocks");
    let (now, up) = (database.now(), database.uptime());
    database.sleep(Duration::from_millis(30));
    let (slept, by_uptime) = (database.now() - now, database.uptime().checked_sub(up).unwrap());
    assert!(
        slept >= Duration::from_millis(30) && by_uptime >= Duration::from_millis(29),
        "{slept:?} {by_uptime:?}"
    );
    assert!(now <= Instant::now());
    assert_ne!(database.token(), database.token());
    let place = database.place();
    assert_eq!(place, format!("{} (schema clocks)", cluster().url()));
    let text = |copy: Postgres| copy.id();
    assert_eq!(text(database.clone()), database.id());
}

#[test]
fn on_the_second_version_too() {
    cluster::on_the_second_version_too();
}
