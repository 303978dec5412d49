//! The JSON Schemas, and the pages of requests and settings.

use std::collections::HashSet;
use std::fmt::Write;

use zvpos_core::api::{
    CONFIRM_REQUEST, CSV_COLUMNS, FILTER_REQUEST, LOOKUP_REQUEST, PENDING_REQUEST, REVERSE_REQUEST,
    SETTLE_REQUEST,
};
use zvpos_core::config::{CONFIG, ROUTE};
use zvpos_core::gateway::{CONSUME_ANSWER, CONSUME_REQUEST, QUOTE_ANSWER, QUOTE_REQUEST};
use zvpos_core::schema::{Field, Kind, Schema};

use crate::json_schema::{Direction, document};
use crate::tables::{ENVELOPE, LIST, RECORDED};

/// The schemas and the pages of requests and settings: each path from the root of the repository, and its content.
pub(crate) fn files() -> Vec<(String, String)> {
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
         been given back before, and the till that did it books it), `open` or `nothing` (`kind`); the last lines \
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
    for Field { name, kind, required, doc, .. } in described.fields {
        let required = if *required { "yes" } else { "" };
        let doc = doc.replace('|', "\\|");
        let _ = writeln!(out, "| `{name}` | {} | {required} | {doc} |", type_name(kind).replace('|', "\\|"));
    }
    out.push('\n');
    for field in described.fields {
        if let Some(inner) = inner_schema(&field.kind).filter(|inner| seen.insert(inner.name)) {
            push_table(out, seen, "###", &format!("`{}`: {}", field.name, inner.name), inner);
        }
    }
}

fn inner_schema(kind: &'static Kind) -> Option<&'static Schema> {
    match kind {
        Kind::Object(described) | Kind::Map(described) => Some(described),
        Kind::List(of, _) => inner_schema(of),
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
