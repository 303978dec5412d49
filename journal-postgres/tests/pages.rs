//! The SQL of docs/several-nodes.md and of examples/nodes: it makes a database that a node takes, and shows and does what
//! the page says.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod cluster;

use std::fs;
use std::path::Path;

use cluster::drafts::{open, owner};
use cluster::{Cluster, PASSWORD, settings_at, soon};
use zvpos_core::journal::nodes::Database;

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

/// The blocks of SQL of a page.
fn blocks(page: &str) -> Vec<String> {
    let text = file(page);
    let after = text.split("```sql\n").skip(1);
    after.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// The statements of a text without comments.
fn statements(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().filter(|line| !line.starts_with("--")).collect();
    let code = code.join("\n");
    code.split(';').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
}

#[test]
fn the_sql_of_the_page_and_of_the_example_serves_nodes() {
    let page = blocks("docs/several-nodes.md");
    let [make, show, identity] = page.as_slice() else { panic!("{page:?}") };
    let making = statements(&file("examples/nodes/database.sql"));
    assert_eq!(making, statements(make));

    let cluster = Cluster::start();
    let person = cluster.admin();
    for statement in &making {
        person.batch(statement);
    }
    person.batch(&format!("ALTER ROLE zvpos PASSWORD '{PASSWORD}'"));
    let example: serde_json::Value = serde_json::from_str(&file("examples/nodes/journal.json")).unwrap();
    let url = example["journal"].as_str().unwrap().replace(":6432", &format!(":{}", cluster.port));
    let settings = settings_at(&url, example["journal_db"]["schema"].as_str().unwrap());
    let database = open(&settings);
    let (one, other) = (owner("one"), owner("other"));
    for node in [&one, &other] {
        database.join(node, soon()).unwrap();
    }
    assert!(database.claim(&other, None, soon()).unwrap());

    let person = cluster.admin_of("zvpos");
    let shown = statements(show).remove(0);
    let settlers = format!("SELECT owner || ' ' || settles FROM ({shown}) s WHERE settles IS NOT NULL");
    assert_eq!(person.texts(&settlers), ["other 1"]);
    assert_eq!(person.texts(&format!("SELECT owner FROM ({shown}) s")), ["one", "other"]);
    person.batch(identity);
    let again = open(&settings);
    assert_ne!(again.id(), database.id());
    assert_eq!(again.id().len(), 32);
}
