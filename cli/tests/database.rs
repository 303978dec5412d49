//! `zv` with a journal in a database: it moves there and back, a sale is made and shown, and the doctor looks at it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "../../journal-postgres/tests/cluster/server/mod.rs"]
mod cluster;
mod support;

use cluster::{Cluster, PASSWORD};
use serde_json::json;
use support::{Location, MEMBER, Simulator};

#[test]
fn a_tills_journal_moves_to_the_database_of_a_chain_and_back() {
    let (simulator, place, cluster) = (Simulator::start(), Location::new(), Cluster::start());
    place.configure(&simulator, &json!({"on_unknown": "hold"}));
    let pay = |biz_id: &str, code: i32| {
        place.zv(&["consume", "--bizId", biz_id, "--customerId", MEMBER, "--amount", "1.00"]).ended(code);
    };
    pay("M1", 0);
    pay("M2~reset_after", 4);
    let file = place.folder.join("journal.db").display().to_string();
    let url = cluster.url();
    let database = json!({"on_unknown": "hold", "journal": url, "journal_db": {"password": PASSWORD}});
    place.configure(&simulator, &database);

    let moved = place.zv(&["journal", "move", "--from", &file, "--to", &url]).ended(0);
    moved.shows(&[
        "succeeded  1 = 1",
        "unknown    1 = 1",
        "entries    2 = 2",
        "set `journal` to the new place",
    ]);
    place.zv(&["journal", "show", "--biz-id", "M1"]).ended(0).shows(&["recorded.request.amount", "1.00"]);
    place.zv(&["journal", "show", "--unsettled"]).ended(0).shows(&["M2~reset_after"]);
    // A bizId of the file is not sent again.
    pay("M1", 0);
    assert_eq!(simulator.net("M1"), 1);
    place
        .zv(&["doctor", "--lang", "en", "--journal"])
        .shows(&["journal.contents", "2 entries, every one whole"]);

    // The file is refused, and nothing moves from it twice.
    place.configure(&simulator, &json!({"on_unknown": "hold"}));
    place.zv(&["journal", "show"]).ended(5).shows(&["ZV-JOURNAL-MOVED"]);
    place.zv(&["doctor", "--lang", "en"]).ended(5).shows(&["(schema zvpos); nothing is written to it"]);

    place.configure(&simulator, &database);
    let back = format!("{file}.back");
    let again = place.zv(&["journal", "move", "--from", &url, "--to", &back, "--json"]).ended(0).json();
    assert_eq!((&again["entries"], &again["stages"]), (&json!(2), &json!({"succeeded": 1, "unknown": 1})));
    place.zv(&["journal", "move", "--from", &url, "--to", &file]).ended(5).complains(&["ZV-JOURNAL-MOVED"]);
    place.zv(&["journal", "move", "--from", &file, "--to", &back]).ended(2).complains(&["postgres://"]);
}
