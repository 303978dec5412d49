//! A journal with many sales that other tills have made.

use zvpos_core::journal::Liveness;
use zvpos_core::journal::nodes::Nodes;
use zvpos_core::payment::Stage;
use zvpos_journal_postgres::Postgres;

use crate::cluster::{Admin, Cluster};
use crate::peer::columns;
use crate::sale::{number, sell};
use crate::statements::Statements;

/// How many sales are written by one statement.
const AT_ONCE: u64 = 500_000;

/// Writes so many settled and unsettled sales into a schema, and leaves the server as its own care would in time.
pub(crate) fn fill(cluster: &Cluster, schema: &str, node: &Nodes<Postgres>, settled: u64, unsettled: u64) {
    let person = cluster.admin_of("zv");
    for (stage, count) in [(Stage::Succeeded, settled), (Stage::Unknown, unsettled)] {
        let example = number();
        sell(node, &example, stage);
        copy(&person, schema, &example, count);
    }
    person.batch(&format!("VACUUM (ANALYZE) \"{schema}\".zv_entry"));
    person.batch("CHECKPOINT");
    let has = person.texts(&format!(
        "SELECT count(*) FROM \"{schema}\".zv_entry WHERE owner = '{}' GROUP BY unsettled ORDER BY unsettled",
        node.owner().0
    ));
    assert_eq!(has, [settled, unsettled].map(|count| (count + 1).to_string()));
}

/// Copies a sale: each copy has a bizId and a member of its own, in no order, and is a second later than the one before.
/// The checksum is the first one's: nobody reads a copy.
fn copy(person: &Admin, schema: &str, example: &str, count: u64) {
    let statements = Statements::of(schema);
    let columns = columns(&statements);
    let values: Vec<String> = columns
        .iter()
        .map(|name| match *name {
            "biz_id" | "customer_id" | "member" | "returned_biz_id" => "n.number".to_owned(),
            "created_unix_ms" => "e.created_unix_ms - 1000 * n.place".to_owned(),
            name => format!("e.{name}"),
        })
        .collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    let mut from = 0;
    while from < count {
        let to = count.min(from + AT_ONCE);
        person.batch(&format!(
            "INSERT INTO \"{schema}\".zv_entry ({columns}) SELECT {values} FROM \"{schema}\".zv_entry e, \
             (SELECT place, (random() * 9e8)::bigint::text || lpad(place::text, 9, '0') AS number \
             FROM generate_series({from} + 1, {to}) place) n WHERE e.biz_id = '{example}'"
        ));
        from = to;
    }
}
