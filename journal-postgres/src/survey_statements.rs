//! The questions of somebody who looks at a journal from outside. They change nothing and take no lock that a node waits
//! for.

use crate::statements::{columns, for_schema};

/// What the server is set to, and what its replicas do.
pub(crate) const SERVER: &str = "SELECT current_setting('server_version'), current_setting('fsync', true), \
    current_setting('synchronous_commit', true), \
    (SELECT count(*) FROM pg_catalog.pg_stat_replication WHERE state IS DISTINCT FROM 'backup'), \
    (SELECT count(*) FROM pg_catalog.pg_stat_replication WHERE sync_state IN ('sync', 'quorum')), \
    current_setting('data_checksums', true)";

/// The database's clock in Unix milliseconds.
pub(crate) const CLOCK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// The questions for one schema.
pub(crate) struct SurveyStatements {
    /// The nodes, and since when in Unix milliseconds.
    pub(crate) nodes: String,
    /// Who settles.
    pub(crate) role: String,
    /// How many unsettled entries each stage has, and when the oldest was made.
    pub(crate) unsettled: String,
    /// The entries behind a key, which is $1 to $3; $4 of them.
    pub(crate) page: String,
    /// The bizIds that several accounts have: how many, and some of them.
    pub(crate) twice: String,
    /// How many entries there are.
    pub(crate) entries: String,
    /// How many bytes the tables take with their indexes.
    pub(crate) size: String,
}

const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM SCHEMA.zv_entry WHERE (biz_id, open_id, environment) > ($3, $1, $2) ORDER BY biz_id, open_id, environment LIMIT $4"
);

impl SurveyStatements {
    /// Those for that schema.
    pub(crate) fn of(schema: &str) -> SurveyStatements {
        let text = |text| for_schema(text, schema);
        SurveyStatements {
            nodes: text(
                "SELECT owner, host, version, beat, dead, (extract(epoch FROM joined) * 1000)::bigint \
                 FROM SCHEMA.zv_node ORDER BY owner",
            ),
            role: text("SELECT owner, term FROM SCHEMA.zv_role WHERE name = 'settle'"),
            unsettled: text(
                "SELECT stage, count(*), min(created_unix_ms) FROM SCHEMA.zv_entry WHERE unsettled GROUP BY stage ORDER BY stage",
            ),
            page: text(PAGE),
            twice: text(
                "SELECT count(*) OVER (), biz_id FROM SCHEMA.zv_entry GROUP BY biz_id HAVING count(*) > 1 ORDER BY biz_id LIMIT 20",
            ),
            entries: text("SELECT count(*) FROM SCHEMA.zv_entry"),
            size: text(
                "SELECT pg_catalog.pg_total_relation_size('SCHEMA.zv_entry') \
                 + pg_catalog.pg_total_relation_size('SCHEMA.zv_coupon') \
                 + pg_catalog.pg_total_relation_size('SCHEMA.zv_filed')",
            ),
        }
    }
}
