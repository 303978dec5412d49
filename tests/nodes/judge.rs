//! The calm after the storm: everything is settled, and then each sale is compared, in what its tills were told, what the
//! journal holds, and what the gateway has taken.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::balancer::{Balancer, NODES};
use super::cluster::Admin;
use super::support::{Answer, Driver, Simulator};
use super::till::{Book, Sale};

/// A minute, as for the tills with a journal of their own, and what passes before the dead are buried.
const CALM: Duration = Duration::from_secs(75);

/// Waits until the nodes have settled everything; how many entries were unsettled at first, and how long it took.
pub(crate) fn settled(balancer: &Balancer, book: &mut Book) -> (usize, Duration) {
    let began = Instant::now();
    let mut most = 0;
    loop {
        let pending = balancer.ask("pending").filter(|answer| answer.outcome() == "succeeded");
        let left = pending.as_ref().map(|answer| {
            let entries = answer.data()["entries"].as_array().unwrap().iter();
            entries.filter(|listed| listed["entry"]["unsettled"] == true).count()
        });
        most = most.max(left.unwrap_or_default());
        if left == Some(0) {
            return (most, began.elapsed());
        }
        if began.elapsed() > CALM {
            book.wrong(format!(
                "I2: {left:?} not settled after {CALM:?}: {:?}",
                pending.map(|answer| answer.text)
            ));
            return (most, began.elapsed());
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Ends the nodes as programs end.
pub(crate) fn leave(balancer: &Balancer) {
    for place in 0..NODES {
        let node = balancer.remove(place).expect("a node");
        let answer = node.ask("shutdown", Duration::from_secs(30)).expect("it lives").succeeded();
        assert_eq!(answer.data()["still_running"], json!([]), "{}", answer.text);
        node.close();
        balancer.ended(&node);
    }
}

/// The stage of each bizId, as the table has it.
fn stages(person: &Admin, schema: &str) -> BTreeMap<String, String> {
    let rows = person.texts(&format!("SELECT biz_id || ' ' || stage FROM {schema}.zv_entry"));
    rows.iter()
        .map(|row| row.split_once(' ').unwrap())
        .map(|(id, stage)| (id.to_owned(), stage.to_owned()))
        .collect()
}

/// The effects of each bizId at the gateway, in their order.
fn ledger(simulator: &Simulator) -> BTreeMap<String, Vec<i64>> {
    let ledger = simulator.admin("GET", "/ledger", &Value::Null);
    let views = ledger.as_array().unwrap().iter().map(|view| {
        let entries = view["entries"].as_array().unwrap();
        let effects = entries.iter().map(|entry| entry["net"].as_i64().unwrap()).collect();
        (view["bizId"].as_str().unwrap().to_owned(), effects)
    });
    views.collect()
}

/// Compares every sale, once everything is settled and all nodes have left.
pub(crate) fn judge(
    config: &Value,
    balancer: &Balancer,
    simulator: &Simulator,
    person: &Admin,
    book: &mut Book,
) -> BTreeMap<String, u32> {
    let schema = config["journal_db"]["schema"].as_str().unwrap();
    let mut till = Driver::of_a_server();
    let first = till.init(config).succeeded();
    if first.data()["unsettled"] != 0 {
        book.wrong(format!("I2: {}", first.text));
    }
    let unheard: Vec<String> = serde_json::from_value(first.data()["unacknowledged"].clone()).unwrap();
    for biz_id in &unheard {
        let answer = till.look_up(biz_id);
        book.told(biz_id, &answer);
    }
    // What a node has told the balancer counts as heard for the library, although no till has heard it.
    let missed: BTreeSet<String> = balancer
        .missed
        .lock()
        .unwrap()
        .iter()
        .filter(|answer| answer.outcome() == "succeeded")
        .filter_map(|answer| answer.json["bizId"].as_str().map(str::to_owned))
        .collect();
    let (stages, ledger) = (stages(person, schema), ledger(simulator));
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    let mut violations = Vec::new();
    for (biz_id, sale) in &book.sales {
        let last = till.look_up(biz_id);
        let effects = ledger.get(biz_id).map_or(&[][..], Vec::as_slice);
        let stage = stages.get(biz_id).map(String::as_str);
        *ends.entry(last.outcome().to_owned()).or_default() += 1;
        violations.extend(wrong(sale, &last, stage, effects, missed.contains(biz_id)).map(|rule| {
            format!("{rule}: {biz_id} has {effects:?} and {stage:?}, {sale:?}, at last {}", last.text)
        }));
    }
    for biz_id in ledger.keys().filter(|biz_id| !book.sales.contains_key(*biz_id)) {
        violations.push(format!("the gateway has a sale that nobody asked for: {biz_id}"));
    }
    book.violations.extend(violations);
    till.shutdown().succeeded();
    ends
}

/// The rule that one sale breaks.
fn wrong(
    sale: &Sale,
    last: &Answer,
    stage: Option<&str>,
    effects: &[i64],
    is_missed: bool,
) -> Option<&'static str> {
    let mut net = 0;
    for effect in effects {
        net += effect;
        if !(0..=1).contains(&net) {
            return Some("it was taken or given back twice");
        }
    }
    let told = |word: &str| sale.told.contains(word);
    let stands = match stage {
        None | Some("declined" | "not_sent" | "reversed" | "undone") => 0,
        Some("succeeded" | "refused" | "kept") => 1,
        Some(_) => return Some("the journal has not settled it"),
    };
    if stands != net {
        return Some("the journal and the gateway differ");
    }
    if !sale.may_be_sent && !effects.is_empty() {
        return Some("it was sent although every answer said that it was not");
    }
    let is_broken = match last.outcome() {
        // An unknown outcome may have been recorded all the same, by a commit whose answer was lost.
        "succeeded" => net != 1 || told("reversed"),
        "reversed" => net != 0 || told("succeeded") && !sale.reversal_asked,
        "declined" | "not_sent" => net != 0 || told("succeeded") || told("reversed"),
        // No intent of it was ever durable.
        "invalid" => {
            last.code() != "ZV-NOT-FOUND" || net != 0 || sale.told.iter().any(|word| word != "nothing")
        }
        _ => true,
    };
    if is_broken {
        return Some("what was told is not what is");
    }
    // The deduction exists if and only if a till was told so, or was given the answer.
    (last.outcome() == "succeeded" && !told("succeeded") && !is_missed).then_some("nobody was told of it")
}
