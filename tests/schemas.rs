//! Compares the JSON Schemas next to the header with real answers: every recorded and listed field is documented.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::{Answer, Driver, MEMBER, POOR_MEMBER, Simulator, reversing, root};

fn schema(name: &str) -> Value {
    let path = root().join(format!("include/schemas/{name}.schema.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Checks a value by the keywords of JSON Schema that these files use. A field that is not in `properties` is an
/// error, too, although the schema allows later ones.
fn hold(schema: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let listed =
        |names: &Value| names == kind || names.as_array().is_some_and(|all| all.contains(&json!(kind)));
    if schema.get("type").is_some_and(|names| !listed(names)) {
        wrong.push(format!("{path} is {kind}: {value}"));
    }
    if schema.get("enum").is_some_and(|words| !words.as_array().unwrap().contains(value)) {
        wrong.push(format!("{path} is {value}"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        hold(schema.get("items").unwrap_or(&Value::Null), item, &format!("{path}[{index}]"), wrong);
    }
    let (Some(members), Some(fields)) = (value.as_object(), schema.get("properties")) else { return };
    for (name, member) in members {
        match fields.get(name) {
            Some(field) => hold(field, member, &format!("{path}.{name}"), wrong),
            None => wrong.push(format!("{path}.{name} is not documented")),
        }
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            wrong.push(format!("{path}.{} is missing", name.as_str().unwrap()));
        }
    }
}

fn fits(name: &str, value: &Value) {
    let mut wrong = Vec::new();
    hold(&schema(name), value, name, &mut wrong);
    assert!(wrong.is_empty(), "{}\n{value:#}", wrong.join("\n"));
}

#[test]
fn recorded_and_listed_fields_are_documented() {
    let simulator = Simulator::start();
    let mut till = Driver::started(&reversing(&simulator.v2(), json!({"lang": "en"})));
    let sale = |biz_id: &str, member: &str, amount: &str| {
        json!({"bizId": biz_id, "customerId": member, "amount": amount, "points": 1, "operatorId": "7",
            "operatorName": "someone", "deviceSn": "T1"})
    };
    till.consume(&sale("T1", MEMBER, "1.00")).succeeded();
    till.consume(&sale("T2", POOR_MEMBER, "900.00")).expect("declined", "910001");
    till.consume(&sale("T3~reset_after", MEMBER, "1.00"));
    till.consume(&sale("T4", MEMBER, "1.00")).succeeded();
    // A refund, and a void of a sale that was never taken.
    till.reverse(&json!({"bizId": "T4"}));
    till.reverse(&json!({"bizId": "T2"}));
    till.consume(&sale("T5~reset_before", MEMBER, "1.00"));
    let settled = json!({"bizId": "T5~reset_before", "as": "undone", "by": "the manager", "reason": "asked"});
    let settled = till.settle(&settled);
    if settled.outcome() == "succeeded" {
        fits("recorded", settled.data());
    }
    let recorded = |answer: &Answer| {
        fits("answer", &answer.json);
        fits("recorded", &answer.json["recorded"]);
    };
    for biz_id in ["T1", "T2", "T3~reset_after", "T4", "T5~reset_before"] {
        recorded(&till.look_up(biz_id));
    }
    recorded(&till.consume(&sale("T1", MEMBER, "2.00")).expect("conflict", "ZV-CONFLICT"));
    for request in [None, Some(json!({"day": "today"})), Some(json!({"day": "today", "format": "csv"}))] {
        let listed = till.pending(request.as_ref());
        fits("answer", &listed.json);
        fits("list.data", listed.data());
    }
    assert_eq!(till.pending(Some(&json!({"day": "today"}))).data()["count"], 5);
    fits("list.data", till.recover().data());
    let lines = till.pending(Some(&json!({"day": "today", "format": "ndjson"})));
    for line in lines.data()["text"].as_str().unwrap().lines() {
        fits("recorded", &serde_json::from_str(line).unwrap());
    }
}

/// The check itself finds problems.
#[test]
fn mismatches_are_found() {
    let mut wrong = Vec::new();
    hold(&schema("recorded"), &json!({"bizId": 1, "stage": "gone", "new": 1}), "r", &mut wrong);
    for part in
        ["r.bizId is integer", "r.stage is \"gone\"", "r.new is not documented", "r.reversal is missing"]
    {
        assert!(wrong.iter().any(|it| it.starts_with(part)), "{part}: {wrong:?}");
    }
}
