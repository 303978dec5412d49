//! The statements of a move. Unlike the journal's own ones, those of the source belong to one transaction, which holds its
//! locks until it ends: a program that dies gives them back.

use crate::statements::{columns, for_schema};

/// The columns that an overwritten row takes over.
macro_rules! overwritten {
    () => {
        "revision = excluded.revision, token = excluded.token, earlier = '{}', stage = excluded.stage, \
         attempt = excluded.attempt, owner = excluded.owner, on_unknown = excluded.on_unknown, \
         created_unix_ms = excluded.created_unix_ms, customer_id = excluded.customer_id, kind = excluded.kind, \
         amount = excluded.amount, coupons = excluded.coupons, points = excluded.points, till = excluded.till, \
         operator_id = excluded.operator_id, operator_name = excluded.operator_name, store = excluded.store, \
         data = excluded.data, detail = excluded.detail, member = excluded.member, \
         returned_biz_id = excluded.returned_biz_id, unsettled = excluded.unsettled, holds_back = excluded.holds_back, \
         due = excluded.due, unfinished = excluded.unfinished, retired = excluded.retired, \
         other_biz_id = excluded.other_biz_id, refused_refund = excluded.refused_refund, checksum = excluded.checksum"
    };
}

/// Ends a transaction.
pub(crate) const COMMIT: &str = "COMMIT";

/// The statements for one schema.
pub(crate) struct MovingStatements {
    /// Begins the transaction of a source.
    pub(crate) begin: &'static str,
    /// The format, the identity and what is kept about a move; waits for an earlier try of a move.
    pub(crate) about: String,
    /// Nobody else writes an entry or joins from now on; reading goes on.
    pub(crate) close: String,
    /// The nodes that are not dead.
    pub(crate) alive: String,
    /// The entries behind a key, which is $1 to $3; $4 of them.
    pub(crate) page: String,
    /// Marks the source with $1 and $2, and takes the names of the tables away from a node that still runs.
    pub(crate) seal: String,
    /// Takes the names away.
    pub(crate) rename: String,
    /// The target's row: $1 its format, $2 its identity, $3 the source.
    pub(crate) found: String,
    /// Writes entries: $1 to $31 their columns, $32 to $35 coupons with keys, $36 to $39 days with keys, and $40 and $41 the
    /// format and the identity that the target must have. A later record stands: a statement that an earlier run had sent may
    /// be carried out behind what this run has written. One of the same revision is the same record.
    pub(crate) put: String,
    /// What the planner knows of the tables.
    pub(crate) analyze: String,
    /// The target works: $1 the format, $2 the one before, $3 the identity.
    pub(crate) finish: String,
}

const PUT: &str = concat!(
    "WITH e AS (INSERT INTO SCHEMA.zv_entry AS there (",
    columns!(),
    ") SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], \
     $8::text[], $9::text[], $10::bigint[], $11::text[], $12::bigint[], $13::text[], $14::text[], $15::bigint[], \
     $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], \
     $24::boolean[], $25::boolean[], $26::boolean[], $27::boolean[], $28::boolean[], $29::boolean[], $30::boolean[], \
     $31::bytea[]) AS r WHERE EXISTS (SELECT 1 FROM SCHEMA.zv_journal WHERE format = $40 AND id = $41) \
     ON CONFLICT (biz_id, open_id, environment) DO UPDATE SET ",
    overwritten!(),
    " WHERE there.revision <= excluded.revision RETURNING biz_id, open_id, environment), \
     c AS (INSERT INTO SCHEMA.zv_coupon (open_id, environment, biz_id, coupon) \
     SELECT r.* FROM unnest($32::text[], $33::text[], $34::text[], $35::text[]) AS r (open_id, environment, biz_id, coupon) \
     JOIN e USING (biz_id, open_id, environment) \
     ON CONFLICT DO NOTHING), \
     f AS (INSERT INTO SCHEMA.zv_filed (open_id, environment, biz_id, day) \
     SELECT r.* FROM unnest($36::text[], $37::text[], $38::text[], $39::bigint[]) AS r (open_id, environment, biz_id, day) \
     JOIN e USING (biz_id, open_id, environment) \
     ON CONFLICT DO NOTHING) \
     SELECT (SELECT count(*) FROM e), EXISTS (SELECT 1 FROM SCHEMA.zv_journal WHERE format = $40 AND id = $41)"
);

const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM SCHEMA.zv_entry WHERE (biz_id, open_id, environment) > ($3, $1, $2) ORDER BY biz_id, open_id, environment LIMIT $4"
);

impl MovingStatements {
    /// Those for that schema.
    pub(crate) fn of(schema: &str) -> MovingStatements {
        let text = |text| for_schema(text, schema);
        MovingStatements {
            begin: "BEGIN ISOLATION LEVEL READ COMMITTED",
            about: text("SELECT format, id, place FROM SCHEMA.zv_journal WHERE one = 1 FOR UPDATE"),
            close: text(
                "LOCK TABLE SCHEMA.zv_entry, SCHEMA.zv_coupon, SCHEMA.zv_filed, SCHEMA.zv_node IN EXCLUSIVE MODE",
            ),
            alive: text("SELECT owner, host FROM SCHEMA.zv_node WHERE NOT dead ORDER BY owner"),
            page: text(PAGE),
            seal: text("UPDATE SCHEMA.zv_journal SET format = $1, place = $2 WHERE one = 1 RETURNING 1"),
            rename: text(
                "ALTER TABLE SCHEMA.zv_entry RENAME TO zv_entry_moved; ALTER TABLE SCHEMA.zv_node RENAME TO zv_node_moved",
            ),
            found: text(
                "INSERT INTO SCHEMA.zv_journal (one, format, id, place) VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING",
            ),
            put: text(PUT),
            analyze: text("ANALYZE SCHEMA.zv_entry, SCHEMA.zv_coupon, SCHEMA.zv_filed"),
            finish: text(
                "UPDATE SCHEMA.zv_journal SET format = $1, place = NULL WHERE one = 1 AND format = $2 AND id = $3 RETURNING 1",
            ),
        }
    }
}
