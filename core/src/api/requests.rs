//! The requests that only the library handles: those about the records in its journal and about their settlement.

use crate::gateway::{ACCOUNT, JOURNAL_ID};
use crate::schema::{Field, Kind, Schema, optional, required};

const BIZ_ID: Field = required("bizId", Kind::BizId, "the till's own id of the transaction");

/// The request of `zv_lookup_json`.
pub static LOOKUP_REQUEST: Schema = Schema {
    name: "a look-up",
    doc: "What became of a bizId, from the journal.",
    fields: &[BIZ_ID, JOURNAL_ID, ACCOUNT],
};

/// The request of `zv_confirm_json`.
pub static CONFIRM_REQUEST: Schema = Schema {
    name: "a confirmation",
    doc: "The till has stored its sale (option `confirm`).",
    fields: &[BIZ_ID, ACCOUNT],
};

/// The request of `zv_reverse_json`.
pub static REVERSE_REQUEST: Schema = Schema {
    name: "a reversal",
    doc: "Undoes a whole consume (冲正); there is no partial one.",
    fields: &[
        BIZ_ID,
        optional(
            "returnedBizId",
            Kind::Exact(128),
            "the bizId that the answer carried; needed for another till's sale",
        ),
        optional(
            "customerId",
            Kind::Id,
            "the member; where the journal does not have the sale, or no longer",
        ),
        optional("amount", Kind::Money, "元 of the consume; likewise"),
        optional(
            "type",
            Kind::Integer(0, 99),
            "likewise; 1: it was made with scanned codes, without customerId",
        ),
        JOURNAL_ID,
        ACCOUNT,
    ],
};

/// The request of `zv_settle_json`.
pub static SETTLE_REQUEST: Schema = Schema {
    name: "a settlement",
    doc: "A person says what became of a consume that nobody could find out.",
    fields: &[
        BIZ_ID,
        required("as", Kind::Word(&["kept", "undone"]), "kept: the deduction is valid; undone: it is not"),
        required("by", Kind::Text(128), "who decided"),
        required("reason", Kind::Text(1024), "why"),
        ACCOUNT,
    ],
};

/// The request of `zv_pending_json` and `zv_recover_json`.
pub static FILTER_REQUEST: Schema =
    Schema { name: "a filter", doc: "Which entries; NULL for all.", fields: &[ACCOUNT] };

/// The request of `zv_pending_json`.
pub static PENDING_REQUEST: Schema = Schema {
    name: "a list",
    doc: "What is not settled, or with day the whole of one business day; NULL for all that is not settled.",
    fields: &[
        ACCOUNT,
        optional(
            "day",
            Kind::Text(10),
            "a business day, 2026-11-22, today or yesterday: every sale and refund of it, settled or not, with data.totals",
        ),
        optional(
            "format",
            Kind::Word(&["json", "ndjson", "csv"]),
            "json: data.entries (default); else data.text",
        ),
    ],
};
