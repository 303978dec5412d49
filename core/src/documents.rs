//! The files that are generated from the tables: JSON Schemas, the table of codes, the table of the
//! configuration. A test holds each file against what stands here; `make docs` writes them.

use std::collections::HashSet;
use std::fmt::Write;

use crate::api::{
    CONFIRM_REQUEST, CSV_COLUMNS, FILTER_REQUEST, LOOKUP_REQUEST, PENDING_REQUEST, REVERSE_REQUEST,
    SETTLE_REQUEST,
};
use crate::config::{CONFIG, ROUTE};
use crate::gateway::{CONSUME_ANSWER, CONSUME_REQUEST, QUOTE_ANSWER, QUOTE_REQUEST};
use crate::outcome::codes;
use crate::schema::json_schema::{Direction, document};
use crate::schema::{Field, Kind, Schema, optional, required};

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
pub static RECORDED: Schema = Schema {
    name: "an entry of the journal",
    doc: "What the journal has under a bizId: `recorded` of an answer, `entry` of a list, one line of the NDJSON.",
    fields: &[
        required("bizId", Kind::Text(64), "the till's own id"),
        optional(
            "returnedBizId",
            Kind::Text(64),
            "the bizId that the answer carried: the vendor reverses by it",
        ),
        required("endpoint", Kind::Text(4096), "where it was sent"),
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
        required("acknowledged", Kind::Flag, "the till has read the answer"),
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
pub static LIST: Schema = Schema {
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
pub static ENVELOPE: Schema = Schema {
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
            ]),
            "the one thing to do; one that a host does not know means: stop, and look the bizId up",
        ),
        required("code", Kind::Text(64), "the gateway's code, or one of docs/error-codes.md"),
        required("message", Kind::Text(65536), "for the programmer"),
        required("cashier", Kind::Text(4096), "for the person at the till"),
        optional("bizId", Kind::Text(64), "which transaction"),
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

/// Every generated file: its path from the root of the repository, and its content.
pub fn all() -> Vec<(String, String)> {
    let schemas: [(&str, &'static Schema, Direction); 14] = [
        ("config", &CONFIG, Direction::Request),
        ("consume.request", &CONSUME_REQUEST, Direction::Request),
        ("consume.data", &CONSUME_ANSWER, Direction::Answer),
        ("quote.request", &QUOTE_REQUEST, Direction::Request),
        ("quote.data", &QUOTE_ANSWER, Direction::Answer),
        ("reverse.request", &REVERSE_REQUEST, Direction::Request),
        ("lookup.request", &LOOKUP_REQUEST, Direction::Request),
        ("confirm.request", &CONFIRM_REQUEST, Direction::Request),
        ("settle.request", &SETTLE_REQUEST, Direction::Request),
        ("pending.request", &PENDING_REQUEST, Direction::Request),
        ("filter.request", &FILTER_REQUEST, Direction::Request),
        ("answer", &ENVELOPE, Direction::Answer),
        ("recorded", &RECORDED, Direction::Answer),
        ("list.data", &LIST, Direction::Answer),
    ];
    let mut files: Vec<(String, String)> = schemas
        .into_iter()
        .map(|(name, described, direction)| {
            let schema = document(name, described, direction);
            (format!("include/schemas/{name}.schema.json"), format!("{schema:#}\n"))
        })
        .collect();
    files.push(("docs/error-codes.md".to_owned(), codes::markdown()));
    files.push(("docs/configuration.md".to_owned(), configuration()));
    files.push(("docs/requests.md".to_owned(), requests()));
    files
}

fn configuration() -> String {
    let mut out = String::from(
        "# Configuration\n\n\
         `zv_init` takes one JSON object. Every problem with it is reported at once, in `errors[]`, each with its \
         path; a key that is not in these tables is refused. No environment variable is read. This page is \
         generated from the tables in the sources.\n\n",
    );
    let mut seen = HashSet::new();
    push_table(&mut out, &mut seen, "##", "The configuration", &CONFIG);
    push_table(&mut out, &mut seen, "###", "A route under `routes`, where it is an object", &ROUTE);
    out
}

fn requests() -> String {
    let mut out = String::from(
        "# Requests and their data\n\n\
         The field names are the vendor's. Numbers and strings are both taken (`\"points\": 5`, `\"points\": \"5\"`), \
         ids of any length exactly; but send ids as text: a number beyond 2^53 is taken with `ZV-W-NUMBER`, since many \
         languages round it. `\"\"`, `null`, `[]` and `{}` mean: not given. Money is a plain decimal with at most two \
         digits after the point and is never rounded.\n\n\
         Of an id (`customerId`, `groupId`, `operatorId`, `couponsCardList`, `user_coupon_id`, `user_id`, `coupon_id`) \
         the blanks, CR, LF, TAB and byte order marks at its ends are cut; whatever else is no digit is refused by \
         name, and so are a boolean, a fraction and an exponent. Leading zeros belong to an id and are never cut; a \
         member's id has none, and 0 is no member. A bizId and a code (with `type` 1 a scanned one, `coupon_code`) is \
         never changed: it is printable ASCII without blanks, or refused. `amount`, `points`, `num`, `price`, `type` and \
         `opType` are sent in their canonical form (`0005.5` as `5.50`, `\"01\"` as 1). `remark`, `productName`, `reason` \
         and `operatorName` that are too long or have line breaks do not stop a payment: they are sent as one line, \
         cut, with `ZV-W-CUT`.\n\nA field that is not in a table is refused, naming \
         the nearest known one, unless `pass_unknown_fields` is set. In an answer's data, fields that are not in \
         the table pass through exactly as they came, but for integers beyond 2^53, which are texts, so that no host \
         rounds them; of the documented reads of `zv_call_json`, ids are texts at any size. The same tables stand as JSON Schemas in `include/schemas/`. \
         This page is generated from the tables in the sources.\n\n",
    );
    for (title, described) in [
        ("`zv_consume_json`: the request", &CONSUME_REQUEST),
        ("`zv_consume_json`: `data` when it succeeded", &CONSUME_ANSWER),
        ("`zv_coupon_quote_json`: the request", &QUOTE_REQUEST),
        ("`zv_coupon_quote_json`: `data` when it succeeded", &QUOTE_ANSWER),
        ("`zv_reverse_json`: the request", &REVERSE_REQUEST),
        ("`zv_lookup_json`: the request", &LOOKUP_REQUEST),
        ("`zv_confirm_json`: the request", &CONFIRM_REQUEST),
        ("`zv_settle_json`: the request", &SETTLE_REQUEST),
        ("`zv_pending_json`: the request, or NULL", &PENDING_REQUEST),
        ("`zv_recover_json`: the request, or NULL", &FILTER_REQUEST),
        ("Every answer", &ENVELOPE),
        ("`zv_pending_json`, `zv_recover_json`: `data`", &LIST),
    ] {
        push_table(&mut out, &mut HashSet::new(), "##", title, described);
    }
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "## The CSV of a business day\n\n`zv_pending_json` with `day` and `\"format\": \"csv\"`: RFC 4180 in UTF-8 with a \
         byte order mark and a heading, for Excel and people; columns are only ever added at the end. A line is a sale, \
         a refund (negative, on the day on which the gateway confirmed it), `refunded_elsewhere` (without a sum: it had \
         been given back before, and whoever did it books it), `open` or `nothing` (`kind`); the last lines \
         are the totals, with how many they are (`count`) and of how many the split is not known (`withoutSplit`). A sale \
         whose refund is not settled has a line of each, on the day of the sale. `utc` and `local` are when that was, by the gateway's clock where it is known; `created` is the \
         machine's. A text that a spreadsheet would take for a formula has a `'` in front, and ids and codes that begin \
         with a digit a tab, so that Excel keeps every digit: a program trims both, or reads `ndjson`.\n\n`{}`",
        CSV_COLUMNS.join(",")
    );
    out
}

/// The table of a described, and of every described inside it that was not `seen` before.
fn push_table(
    out: &mut String,
    seen: &mut HashSet<&'static str>,
    level: &str,
    title: &str,
    described: &'static Schema,
) {
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{level} {title}\n\n{}\n\n| field | type | required | meaning |\n|---|---|---|---|",
        described.doc
    );
    for Field { name, kind, required, doc } in described.fields {
        let required = if *required { "yes" } else { "" };
        let doc = doc.replace('|', "\\|");
        let _ = writeln!(out, "| `{name}` | {} | {required} | {doc} |", type_name(kind).replace('|', "\\|"));
    }
    out.push('\n');
    for field in described.fields {
        if let Some(inner) = inner_shape(&field.kind).filter(|inner| seen.insert(inner.name)) {
            push_table(out, seen, "###", &format!("`{}`: {}", field.name, inner.name), inner);
        }
    }
}

fn inner_shape(kind: &'static Kind) -> Option<&'static Schema> {
    match kind {
        Kind::Object(described) | Kind::Map(described) => Some(described),
        Kind::List(of, _) => inner_shape(of),
        _ => None,
    }
}

fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Path => "text, a path".to_owned(),
        Kind::Text(max) | Kind::Secret(max) => format!("text, at most {max}"),
        Kind::BizId => "text, 1 to 64 printable ASCII".to_owned(),
        Kind::Digits | Kind::Id => "id: digits".to_owned(),
        Kind::Coupon => "id: digits, or a code of at most 64".to_owned(),
        Kind::Exact(max) => format!("text, at most {max}, never changed"),
        Kind::Note(max) => format!("text, cut after {max}"),
        Kind::Integer(i64::MIN, i64::MAX) => "whole number".to_owned(),
        Kind::Integer(min, i64::MAX) => format!("whole number from {min}"),
        Kind::Integer(min, max) => format!("whole number {min} to {max}"),
        Kind::OneOf(numbers) => numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" | "),
        Kind::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" | "),
        Kind::Flag => "true | false".to_owned(),
        Kind::Money => "元, two decimals".to_owned(),
        Kind::Decimal => "decimal".to_owned(),
        Kind::List(of, _) => format!("list of {}", type_name(of)),
        Kind::Object(described) => described.name.to_owned(),
        Kind::Map(described) => format!("name → {}", described.name),
        Kind::Any => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Object, Value};
    use crate::outcome::{Answer, Lang, Next, Outcome, Problem, Warning};
    use crate::payment::Stage;
    use crate::schema::{Unknown, check};
    use std::path::Path;

    #[test]
    fn every_generated_file_is_in_step() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (path, content) in all() {
            let file = root.join(&path);
            if std::env::var_os("ZVPOS_WRITE_DOCS").is_some() {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(&file, &content).unwrap();
            }
            let written = std::fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
            assert!(written == content, "{path} is not in step with the sources: run `make docs`");
        }
    }

    #[test]
    fn an_answer_fits_its_own_schema() {
        let answer = Answer::of(Outcome::NotSent, &codes::CONNECT, Lang::En, "m")
            .with_biz_id("B")
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
