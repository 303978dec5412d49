//! A journal in a database, as the programs see it that share it: the library for servers, each copy in a process of its
//! own, and a PostgreSQL of the test's own. Each test checks the gateway's ledger.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "../journal-postgres/tests/cluster/server/mod.rs"]
mod cluster;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use cluster::{Cluster, PASSWORD};
use serde_json::{Value, json};
use support::{Answer, Driver, MEMBER, POOR_MEMBER, Simulator, config, reversing, until};

/// The shortest lease that the calls below allow: 1.5 s, three beats of a second, and the margin of 2 s.
const LEASE: Duration = Duration::from_secs(7);

/// A configuration whose journal is in that schema of the database.
fn node(simulator: &Simulator, cluster: &Cluster, schema: &str, more: Value) -> Value {
    let mut config = reversing(
        &simulator.v2(),
        json!({
            "journal": cluster.url(), "timeouts_ms": {"connect": 300, "total": 1500},
            "journal_db": {"password": PASSWORD, "schema": schema, "pool": 4, "beat_s": 1, "lease_s": LEASE.as_secs()},
        }),
    );
    let Value::Object(more) = more else { panic!("an object") };
    config.as_object_mut().unwrap().extend(more);
    config
}

fn started(config: &Value) -> Driver {
    let mut driver = Driver::of_a_server();
    driver.init(config).succeeded();
    driver
}

fn sale_of(member: &str, biz_id: &str) -> Value {
    json!({"bizId": biz_id, "customerId": member, "amount": "1.00"})
}

fn sale(biz_id: &str) -> Value {
    sale_of(MEMBER, biz_id)
}

/// The effects of a bizId at the gateway, in their order.
fn effects(simulator: &Simulator, biz_id: &str) -> Vec<i64> {
    let found = simulator.admin("GET", &format!("/ledger?bizId={biz_id}"), &Value::Null);
    found["entries"].as_array().unwrap().iter().map(|entry| entry["net"].as_i64().unwrap()).collect()
}

#[test]
fn what_one_process_sells_another_looks_up_and_refunds() {
    let (simulator, cluster) = (Simulator::start(), Cluster::start());
    let config = node(&simulator, &cluster, "shared", json!({"guard": "member"}));
    let (mut one, mut other) = (started(&config), started(&config));
    one.consume(&sale("S-1")).succeeded();
    let seen = other.look_up("S-1").succeeded();
    assert_eq!(seen.json["bizId"], "S-1", "{}", seen.text);
    // The same bizId is the same sale in every process, and another request under it is none.
    other.consume(&sale("S-1")).succeeded();
    other
        .consume(&json!({"bizId": "S-1", "customerId": MEMBER, "amount": "2.00"}))
        .expect("conflict", "ZV-CONFLICT");
    assert_eq!(effects(&simulator, "S-1"), [1]);
    assert_eq!(other.reverse(&json!({"bizId": "S-1"})).outcome(), "reversed");
    assert_eq!(one.look_up("S-1").outcome(), "reversed");
    assert_eq!(simulator.net("S-1"), 0);

    // What is in doubt for one process keeps the member's next sale from being sent by the other.
    simulator.arm("http_500", "reverse", 1_000_000, &json!({}));
    assert_eq!(one.consume(&sale("S-2~reset_after")).outcome(), "unknown");
    let requests = simulator.requests();
    other.consume(&sale("S-3")).expect("not_sent", "ZV-IN-DOUBT");
    assert!(simulator.net("S-3") == 0 && simulator.requests() >= requests);
    other.consume(&sale_of(POOR_MEMBER, "S-4")).succeeded();
    simulator.admin("DELETE", "/faults", &Value::Null);
    until("the sale in doubt is undone", || other.look_up("S-2~reset_after").outcome() == "reversed");
    other.consume(&sale("S-3")).succeeded();
    assert_eq!(["S-2~reset_after", "S-3", "S-4"].map(|biz_id| simulator.net(biz_id)), [0, 1, 1]);
    one.shutdown().succeeded();
    other.shutdown().succeeded();
}

#[test]
fn what_a_killed_process_has_sent_another_undoes_after_the_lease_and_never_sends_again() {
    let (simulator, cluster) = (Simulator::start(), Cluster::start());
    let config = node(&simulator, &cluster, "killed", json!({}));
    let (mut one, mut other) = (started(&config), started(&config));
    let biz_id = "K-1~late_answer:1200";
    one.begin(&format!("consume {}", sale(biz_id)));
    until("the gateway has deducted", || simulator.net(biz_id) == 1);
    one.kill();
    let killed = Instant::now();
    // The other one cannot know yet that nobody carries it out any more: it waits, and does not send it.
    other.consume(&sale(biz_id)).expect("unknown", "ZV-BUSY");
    until("the other process has undone it", || other.look_up(biz_id).outcome() == "reversed");
    let took = killed.elapsed();
    println!("undone {took:.1?} after the kill");
    assert_eq!(effects(&simulator, biz_id), [1, -1]);
    // The last beat of the killed process was at most one beat old.
    assert!(took + Duration::from_secs(1) > LEASE, "undone after {took:?}, within the lease");
    other.consume(&sale(biz_id)).expect("conflict", "ZV-CONFLICT");
    assert_eq!(effects(&simulator, biz_id), [1, -1]);
    other.shutdown().succeeded();
}

/// On one machine the kernel says at once that a process has ended; without the folder the others wait for its lease.
#[test]
fn a_killed_process_of_this_machine_is_not_waited_for() {
    let (simulator, cluster) = (Simulator::start(), Cluster::start());
    let folder = support::own_folder().join("locks");
    let mut config = node(&simulator, &cluster, "locks", json!({}));
    config["journal_db"]["locks"] = json!(folder);
    let mut other = started(&config);
    let mut one = started(&config);
    let biz_id = "K-2~late_answer:1200";
    one.begin(&format!("consume {}", sale(biz_id)));
    until("the gateway has taken it", || simulator.net(biz_id) == 1);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    one.kill();
    let killed = Instant::now();
    until("the other process has undone it", || other.look_up(biz_id).outcome() == "reversed");
    let took = killed.elapsed();
    println!("undone {took:.1?} after the kill");
    assert!(took < LEASE / 2, "undone after {took:?}: it waited for the lease");
    assert_eq!(effects(&simulator, biz_id), [1, -1]);
    until("its file is gone", || fs::read_dir(&folder).unwrap().count() == 1);
    other.shutdown().succeeded();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);

    config["journal_db"]["locks"] = json!("/dev/null/locks");
    let mut till = Driver::of_a_server();
    till.init(&config).succeeded();
    let answer = till.consume(&sale("K-3")).expect("internal", "ZV-JOURNAL-PLACE");
    assert!(answer.json["message"].as_str().unwrap().contains("journal_db.locks"), "{}", answer.text);
}

/// A process that has shut down has no calls, so nobody waits for its lease.
#[test]
fn a_process_that_has_shut_down_is_not_waited_for() {
    let (simulator, cluster) = (Simulator::start(), Cluster::start());
    let config = node(&simulator, &cluster, "left", json!({}));
    simulator.arm("http_500", "reverse", 1_000_000, &json!({}));
    let mut one = started(&config);
    assert_eq!(one.consume(&sale("L-1~reset_after")).outcome(), "unknown");
    one.shutdown().succeeded();
    let left = Instant::now();
    simulator.admin("DELETE", "/faults", &Value::Null);
    let mut other = started(&config);
    until("the other process has undone it", || other.look_up("L-1~reset_after").outcome() == "reversed");
    assert!(left.elapsed() < LEASE, "{:?}", left.elapsed());
    assert_eq!(effects(&simulator, "L-1~reset_after"), [1, -1]);
}

#[test]
fn the_database_is_named_without_its_secrets() {
    let (simulator, cluster) = (Simulator::start(), Cluster::start());
    let config = node(&simulator, &cluster, "named", json!({}));
    let mut till = Driver::of_a_server();
    till.log(5);
    let answer = till.init(&config).succeeded();
    let place = answer.data()["journal"].as_str().unwrap();
    assert!(place.contains(&format!("127.0.0.1:{}/zv", cluster.port)), "{}", answer.text);
    till.consume(&sale("N-1")).succeeded();
    let logged = till.logged();
    assert!(logged.contains("consume"), "{logged}");

    let mut refused = Driver::of_a_server();
    refused.log(5);
    let mut wrong = config.clone();
    wrong["journal_db"]["password"] = json!("wrong-sEcret");
    let told = refused.init(&wrong).succeeded();
    assert!(told.warns("ZV-W-JOURNAL") && told.text.contains("authentication failed"), "{}", told.text);
    let money = refused.consume(&sale("N-2"));
    assert_eq!(money.outcome(), "internal", "{}", money.text);
    for text in [&answer.text, &logged, &told.text, &money.text, &refused.logged()] {
        assert!(!text.contains("sEcret"), "{text}");
    }
}

/// Asks with this bizId until the database answers again.
fn sells_again(till: &mut Driver, biz_id: &str) -> Answer {
    until("payments go on", || {
        let answer = till.consume(&sale(biz_id));
        assert!(answer.outcome() == "succeeded" || answer.code() == "ZV-JOURNAL-AWAY", "{}", answer.text);
        answer.outcome() == "succeeded"
    });
    till.look_up(biz_id).succeeded()
}

#[test]
fn while_the_database_is_away_nothing_is_sent_and_afterwards_payments_go_on_by_themselves() {
    let (simulator, cluster) = (Simulator::start(), Cluster::start());
    let config = node(&simulator, &cluster, "away", json!({}));
    let mut running = started(&config);
    running.consume(&sale("A-1")).succeeded();
    cluster.server_stop_at_once();
    let requests = simulator.requests();
    let told = running.consume(&sale("A-2")).expect("internal", "ZV-JOURNAL-AWAY");
    assert!(told.took < Duration::from_secs(3), "{:?}", told.took);
    // One that starts meanwhile goes on later, too.
    let mut late = Driver::of_a_server();
    let start = late.init(&config).succeeded();
    assert!(start.warns("ZV-W-JOURNAL") && start.text.contains("ZV-JOURNAL-AWAY"), "{}", start.text);
    late.consume(&sale("A-3")).expect("internal", "ZV-JOURNAL-AWAY");
    assert_eq!(simulator.requests(), requests, "something was sent");

    cluster.server_start();
    sells_again(&mut running, "A-2");
    sells_again(&mut late, "A-3");
    late.look_up("A-1").succeeded();
    for biz_id in ["A-1", "A-2", "A-3"] {
        assert_eq!(effects(&simulator, biz_id), [1], "{biz_id}");
    }
    late.shutdown().succeeded();
    running.shutdown().succeeded();
}

#[test]
fn the_library_for_tills_refuses_a_database_and_the_one_for_servers_still_keeps_a_file() {
    let simulator = Simulator::start();
    let mut till = Driver::new();
    let refused = till.init(&config(&simulator.v2(), json!({"journal": "postgres://zv@127.0.0.1/zv"})));
    let refused = refused.expect("invalid", "ZV-CONFIG");
    assert_eq!(refused.errors(), ["journal"], "{}", refused.text);
    assert!(refused.text.contains("zvpos-server"), "{}", refused.text);
    let mut server = started(&config(&simulator.v2(), json!({})));
    server.consume(&sale("F-1")).succeeded();
    assert_eq!(simulator.net("F-1"), 1);
}

/// The processes of the server that serve nodes.
fn connections(person: &cluster::Admin) -> BTreeSet<String> {
    let found =
        person.texts("SELECT pid FROM pg_stat_activity WHERE application_name = 'zvpos' AND usename = 'zv'");
    found.into_iter().collect()
}

#[test]
fn a_forked_child_joins_by_itself_and_leaves_its_parents_connections_alone() {
    const CHILDREN: usize = 4;
    let (simulator, cluster) = (Simulator::start(), Cluster::start());
    let config = node(&simulator, &cluster, "forked", json!({}));
    let mut parent = started(&config);
    parent.consume(&sale("P-0")).succeeded();
    let person = cluster.admin();
    for number in 1..=CHILDREN {
        // A call of the parent runs while it forks.
        let running = sale(&format!("P-{number}~late_answer:400"));
        let begun = parent.ask(&format!("start consume {running}"));
        let ticket = begun.data()["ticket"].as_str().unwrap().to_owned();
        let before = connections(&person);
        assert!(!before.is_empty());
        let child = sale(&format!("C-{number}"));
        let mut lines =
            vec![format!("consume {child}"), format!("init {config}"), format!("consume {child}")];
        // One that just ends closes the connections of both, if anything does.
        let leaves = number % 2 == 0;
        lines.extend(leaves.then(|| "shutdown".to_owned()));
        let answers = parent.in_a_child(&lines);
        let told: Vec<_> = answers.iter().map(|answer| (answer.outcome(), answer.code())).collect();
        let expected =
            [("internal", "ZV-FORKED"), ("succeeded", "0"), ("succeeded", "0"), ("succeeded", "0")];
        assert_eq!(told, expected[..lines.len()], "{answers:?}");
        let after = connections(&person);
        assert!(
            before.is_subset(&after),
            "the child has closed connections of its parent: {before:?} {after:?}"
        );
        let mut polled = parent.ask(&format!("poll {ticket}"));
        while polled.outcome() == "running" {
            polled = parent.ask(&format!("poll {ticket}"));
        }
        polled.succeeded();
        parent.look_up(&format!("C-{number}")).succeeded();
    }
    parent.consume(&sale("P-9")).succeeded();
    let owners = person_of(&cluster).texts("SELECT split_part(owner, '-', 1) FROM forked.zv_node");
    let processes: BTreeSet<&String> = owners.iter().collect();
    assert_eq!((owners.len(), processes.len()), (CHILDREN + 1, CHILDREN + 1), "{owners:?}");
    for number in 1..=CHILDREN {
        assert_eq!(effects(&simulator, &format!("C-{number}")), [1]);
        assert_eq!(effects(&simulator, &format!("P-{number}~late_answer:400")), [1]);
    }
    parent.shutdown().succeeded();
}

/// A connection to the database with the journal.
fn person_of(cluster: &Cluster) -> cluster::Admin {
    cluster.admin_of("zv")
}
