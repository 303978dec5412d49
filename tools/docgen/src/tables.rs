//! The tables of what the library writes and never reads: the envelope of an answer, and the journal's entries.

use zvpos_core::schema::{Kind, Schema, optional, required};

static WARNING: Schema = Schema {
    name: "a warning",
    doc: "What the till should know although the outcome stands.",
    fields: &[
        required("code", Kind::Text(64), "from docs/error-codes.md"),
        required("message", Kind::Text(4096), "in words"),
    ],
};

static PROBLEM: Schema = Schema {
    name: "a problem",
    doc: "One thing that is wrong with a request or a configuration.",
    fields: &[
        required("path", Kind::Text(256), "the field, such as items[0].price"),
        required("message", Kind::Text(4096), "what is wrong with it"),
    ],
};

static TIMING: Schema = Schema {
    name: "timing_ms",
    doc: "Milliseconds with one decimal.",
    fields: &[
        required("journal", Kind::Any, "recording what is durable"),
        required("connect", Kind::Any, "name look-up, TCP, proxy, TLS; 0 on a kept connection"),
        required("wait", Kind::Any, "for the gateway"),
        required("total", Kind::Any, "the whole call"),
    ],
};

static WORDS: Schema = Schema {
    name: "words",
    doc: "A code and its words, the gateway's or the library's.",
    fields: &[
        required("code", Kind::Text(64), "the code"),
        required("message", Kind::Text(65536), "in words"),
    ],
};

static RECORDED_REQUEST: Schema = Schema {
    name: "a recorded request",
    doc: "What a sale is known by.",
    fields: &[
        optional("customerId", Kind::Text(64), "the member"),
        optional("type", Kind::Integer(i64::MIN, i64::MAX), "type, where it was given"),
        optional("amount", Kind::Money, "taken from the balance"),
        required("couponsCardList", Kind::List(&Kind::Text(64), 1000), "the coupons, sorted"),
        optional("points", Kind::Integer(i64::MIN, i64::MAX), "points to take"),
    ],
};

static MOMENT: Schema = Schema {
    name: "a moment",
    doc: "One time by both clocks, in milliseconds since 1970.",
    fields: &[
        required("machine_unix_ms", Kind::Integer(i64::MIN, i64::MAX), "the machine's, which may be wrong"),
        optional(
            "gateway_unix_ms",
            Kind::Integer(i64::MIN, i64::MAX),
            "the gateway's, as far as it was known",
        ),
    ],
};

static TIMES: Schema = Schema {
    name: "times",
    doc: "When what happened.",
    fields: &[
        optional("sent", Kind::Object(&MOMENT), "the request was recorded, right before it left"),
        optional("ended", Kind::Object(&MOMENT), "its outcome was recorded"),
        optional("returned", Kind::Object(&MOMENT), "the gateway confirmed that it is undone"),
    ],
};

static RECORDED_REVERSAL: Schema = Schema {
    name: "a recorded reversal",
    doc: "What was done to undo a sale.",
    fields: &[
        required("asked", Kind::Flag, "somebody asked for it"),
        required("tries", Kind::Integer(0, i64::MAX), "how often it was sent"),
        required("refund", Kind::Flag, "the sale stood as succeeded when it was asked for"),
        optional(
            "voided",
            Kind::Word(&STAGES),
            "nothing had been taken when it was asked for: how the sale stood then",
        ),
        optional(
            "said",
            Kind::Word(&["done", "already", "not_found", "refused", "nothing"]),
            "what the gateway's last answer about it said",
        ),
        required(
            "elsewhere",
            Kind::Flag,
            "it had been given back before, by another till or in the back office",
        ),
        optional("gateway", Kind::Object(&WORDS), "the gateway's last words about it, or why there are none"),
    ],
};

static SETTLEMENT: Schema = Schema {
    name: "a settlement",
    doc: "What a person decided.",
    fields: &[
        required("by", Kind::Text(4096), "who"),
        required("reason", Kind::Text(4096), "why"),
        required("from", Kind::Word(&STAGES), "the stage before"),
    ],
};

/// Where the life of a bizId can be.
static STAGES: [&str; 11] = [
    "sending",
    "succeeded",
    "declined",
    "not_sent",
    "unknown",
    "reversing",
    "reversed",
    "refused",
    "unproven",
    "kept",
    "undone",
];

/// What the journal has under a bizId.
pub(crate) static RECORDED: Schema = Schema {
    name: "an entry of the journal",
    doc: "What the journal has under a bizId: `recorded` of an answer, `entry` of a list, one line of the NDJSON.",
    fields: &[
        required("bizId", Kind::Text(64), "the till's own id"),
        optional(
            "returnedBizId",
            Kind::Text(64),
            "the bizId that the answer carried: the vendor reverses by it",
        ),
        required(
            "environment",
            Kind::Text(4096),
            "which gateway the account belongs to: see the configuration",
        ),
        required("stage", Kind::Word(&STAGES), "where its life is"),
        required("unsettled", Kind::Flag, "somebody still has to find out, undo or decide"),
        required("request", Kind::Object(&RECORDED_REQUEST), "what it was recorded as"),
        required(
            "attempts",
            Kind::Integer(0, i64::MAX),
            "how often it was begun; 0: another till's, or voided before it was ever sent",
        ),
        required(
            "created_unix_ms",
            Kind::Integer(i64::MIN, i64::MAX),
            "when it was first recorded, by the machine's clock",
        ),
        required("created", Kind::Text(64), "the same by the better clock, UTC"),
        optional("day", Kind::Text(10), "its business day, which never moves"),
        optional("returned_day", Kind::Text(10), "the business day of its refund"),
        required("times", Kind::Object(&TIMES), "by both clocks"),
        optional("deviceSn", Kind::Text(4096), "the till, as the request said"),
        optional("operatorId", Kind::Text(4096), "the operator, as the request said"),
        optional("operatorName", Kind::Text(4096), "the operator, as the request said"),
        optional("multiMark", Kind::Text(4096), "the store, as the request said"),
        required("on_unknown", Kind::Word(&["reverse", "hold"]), "what happens to an unknown outcome"),
        required("acknowledged", Kind::Flag, "the till has read that the sale succeeded"),
        required(
            "confirmation",
            Kind::Word(&["not_asked", "awaited", "given"]),
            "whether the till has stored its sale",
        ),
        optional(
            "gateway",
            Kind::Object(&WORDS),
            "the last words about the sale: the gateway's, or why there are none",
        ),
        required("reversal", Kind::Object(&RECORDED_REVERSAL), "what was done to undo it"),
        optional("settlement", Kind::Object(&SETTLEMENT), "what a person decided"),
    ],
};

static LISTED: Schema = Schema {
    name: "a listed entry",
    doc: "One sale of a list, and what happens to it next.",
    fields: &[
        required(
            "next",
            Kind::Word(&[
                "running",
                "confirm",
                "unacknowledged",
                "settled",
                "no_credentials",
                "recovering",
                "reversing",
                "person",
            ]),
            "what happens next",
        ),
        optional(
            "settings",
            Kind::List(&Kind::Text(64), 16),
            "keys of the configuration that would settle it at the next start, if the vendor says that they are so of the \
             code in entry.reversal.gateway; nothing is sent for it",
        ),
        required(
            "kinds",
            Kind::List(&Kind::Text(64), 16),
            "what it is on the day that was asked for: sale, refund, refunded_elsewhere, open, nothing",
        ),
        required("entry", Kind::Object(&RECORDED), "what the journal has"),
    ],
};

/// The data of a list.
pub(crate) static LIST: Schema = Schema {
    name: "a list of entries",
    doc: "`data` of zv_pending_json and zv_recover_json. As CSV or NDJSON `text` stands in the place of `entries`.",
    fields: &[
        optional("day", Kind::Text(10), "the business day, where one was asked for"),
        optional(
            "totals",
            Kind::Any,
            "its sums: sales, refunds (negative) and net; refunded_elsewhere and open are counts, an unsettled refund on the \
             day of its sale",
        ),
        required("count", Kind::Integer(0, i64::MAX), "how many"),
        optional("journal_id", Kind::Text(64), "which journal"),
        optional("entries", Kind::List(&Kind::Object(&LISTED), 1_000_000), "each sale"),
        optional("text", Kind::Text(100_000_000), "the list as CSV or NDJSON"),
    ],
};

/// The envelope of every answer.
pub(crate) static ENVELOPE: Schema = Schema {
    name: "an answer",
    doc: "The one envelope that every call is answered with. Look at outcome, do what next says.",
    fields: &[
        required(
            "outcome",
            Kind::Word(&[
                "succeeded",
                "declined",
                "invalid",
                "not_sent",
                "unknown",
                "internal",
                "reversed",
                "conflict",
                "running",
            ]),
            "what happened to the member's money",
        ),
        required(
            "next",
            Kind::Word(&[
                "complete_sale",
                "other_tender",
                "fix_request",
                "retry",
                "wait",
                "stop",
                "lookup",
                "store_then_confirm",
                "go_on",
                "poll",
                "new_bizid",
                "refunded",
                "refund_pending",
                "refund_refused",
                "quote_again",
            ]),
            "the one thing to do; one that a host does not know means: stop, and look the bizId up",
        ),
        required("code", Kind::Text(64), "the gateway's code, or one of docs/error-codes.md"),
        required("message", Kind::Text(65536), "for the programmer"),
        required("cashier", Kind::Text(4096), "for the person at the till"),
        optional("bizId", Kind::Text(64), "which transaction"),
        optional("quoteId", Kind::Text(64), "of a quote: a payment that relies on it names it in quoteIds"),
        required("replayed", Kind::Flag, "the answer was given before and nothing was sent now"),
        optional("already", Kind::Flag, "zv_init only: the library was running with this configuration"),
        optional("retry_after_ms", Kind::Integer(0, i64::MAX), "not_sent only: when a retry makes sense"),
        required(
            "warnings",
            Kind::List(&Kind::Object(&WARNING), 1000),
            "what the till should know although the outcome stands",
        ),
        required(
            "errors",
            Kind::List(&Kind::Object(&PROBLEM), 1000),
            "invalid only: every field that is wrong",
        ),
        optional(
            "recorded",
            Kind::Object(&RECORDED),
            "what the journal has under the bizId: for conflict, look-up, reversal, and a sale held back by another",
        ),
        required("data", Kind::Any, "the gateway's data, or null"),
        required("timing_ms", Kind::Object(&TIMING), "how long the parts took"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use zvpos_core::json::{Object, Value};
    use zvpos_core::outcome::{Answer, Lang, Next, Outcome, Problem, Warning, codes};
    use zvpos_core::payment::Stage;
    use zvpos_core::schema::{Unknown, check};

    #[test]
    fn an_answer_fits_its_own_schema() {
        let answer = Answer::of(Outcome::NotSent, &codes::CONNECT, Lang::En, "m")
            .with_biz_id("B")
            .with_quote_id("Q".to_owned())
            .with_already(true)
            .with_retry_after(std::time::Duration::from_secs(1))
            .with_warnings([Warning::new(&codes::CLOCK, "m")])
            .with_errors(vec![Problem { path: "p".into(), message: "m".into() }])
            .with_recorded("{}")
            .with_data("{\"a\":1}");
        let json = answer.to_json();
        let value = Value::parse(&json).unwrap();
        let mut problems = Vec::new();
        check(&ENVELOPE, value.as_object().unwrap(), &Object::default(), "", Unknown::Refuse, &mut problems);
        problems.retain(|problem| problem.path != "recorded");
        assert_eq!(problems, []);
        for field in ENVELOPE.fields {
            assert!(value.as_object().unwrap().get(field.name).is_some(), "{} is never written", field.name);
        }
    }

    #[test]
    fn the_words_are_the_outcomes_own() {
        let words = |name: &str| match ENVELOPE.field(name).unwrap().kind {
            Kind::Word(words) => words,
            _ => panic!(),
        };
        assert_eq!(words("outcome"), Outcome::ALL.map(Outcome::as_str));
        for outcome in Outcome::ALL {
            assert!(words("next").contains(&outcome.next().as_str()));
        }
        assert_eq!(words("next").len(), Next::ALL.len());
        assert_eq!(STAGES, Stage::ALL.map(Stage::as_str));
    }
}
