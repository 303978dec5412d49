//! The schemas as JSON Schema (2020-12), shipped with the header.

use serde_json::{Map, Value, json};
use zvpos_core::schema::{Kind, Schema};

/// The direction of the document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To the library: numbers and strings are both accepted, unknown fields are not.
    Request,
    /// From the library: one type per field; undocumented fields of the gateway may appear.
    Answer,
}

/// A complete schema document.
pub(crate) fn document(id: &str, described: &'static Schema, direction: Direction) -> Value {
    let mut schema = object(described, direction);
    if let Value::Object(members) = &mut schema {
        members.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        members.insert("$id".into(), json!(format!("{id}.schema.json")));
        members.insert("title".into(), json!(described.name));
        members.insert("description".into(), json!(described.doc));
    }
    schema
}

fn object(described: &'static Schema, direction: Direction) -> Value {
    let mut properties = Map::new();
    for field in described.fields {
        let mut schema = kind(&field.kind, direction);
        if let Value::Object(members) = &mut schema {
            // An optional field may be null in an answer.
            let is_object = members.get("type") == Some(&json!("object"));
            if direction == Direction::Answer && !field.required && is_object {
                members.insert("type".into(), json!(["object", "null"]));
            }
            if direction == Direction::Answer
                && !field.required
                && let Some(Value::Array(words)) = members.get_mut("enum")
            {
                words.push(Value::Null);
            }
            members.insert("description".into(), json!(field.doc));
        }
        properties.insert(field.name.into(), schema);
    }
    let required: Vec<&str> = described.fields.iter().filter(|f| f.required).map(|f| f.name).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": direction == Direction::Answer,
    })
}

fn kind(kind_of: &'static Kind, direction: Direction) -> Value {
    let text_or_number = |pattern: &str| match direction {
        Direction::Request => json!({"type": ["string", "number", "null"], "pattern": pattern}),
        Direction::Answer => json!({"type": ["string", "null"]}),
    };
    match kind_of {
        Kind::Text(max) | Kind::Secret(max) if direction == Direction::Request => {
            json!({"type": ["string", "number", "null"], "maxLength": max})
        }
        Kind::Exact(max) if direction == Direction::Request => {
            json!({"type": ["string", "integer", "null"], "maxLength": max})
        }
        Kind::Coupon if direction == Direction::Request => {
            json!({"type": ["string", "integer", "null"], "maxLength": 64})
        }
        // Too long a note is cut, not refused.
        Kind::Note(_) if direction == Direction::Request => json!({"type": ["string", "number", "null"]}),
        Kind::Text(_) | Kind::Secret(_) | Kind::Exact(_) | Kind::Coupon | Kind::Note(_) => {
            json!({"type": ["string", "null"]})
        }
        Kind::Path => json!({"type": ["string", "null"], "minLength": 1, "maxLength": 4096}),
        Kind::BizId => text_or_number("^[!-~]{0,64}$"),
        Kind::Digits | Kind::Id => text_or_number("^[0-9]{0,40}$"),
        Kind::Decimal => text_or_number("^(-?[0-9]+(\\.[0-9]+)?)?$"),
        Kind::Money => text_or_number("^([0-9]{1,8}(\\.[0-9]{1,2})?)?$"),
        Kind::Integer(min, max) => match direction {
            Direction::Request => {
                json!({"type": ["integer", "string", "null"], "minimum": min, "maximum": max, "pattern": "^(-?[0-9]+)?$"})
            }
            Direction::Answer => json!({"type": ["integer", "null"]}),
        },
        Kind::OneOf(numbers) => match direction {
            Direction::Request => {
                let texts: Vec<Value> = numbers
                    .iter()
                    .flat_map(|n| [json!(n), json!(n.to_string())])
                    .chain([json!(""), json!(null)])
                    .collect();
                json!({"enum": texts})
            }
            Direction::Answer => json!({"type": ["integer", "null"]}),
        },
        Kind::Word(words) => json!({"enum": words}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::List(of, max) => match direction {
            Direction::Request => {
                json!({"type": ["array", "string", "null"], "maxLength": 0, "maxItems": max, "items": kind(of, direction)})
            }
            Direction::Answer => json!({"type": "array", "items": kind(of, direction)}),
        },
        Kind::Object(described) => object(described, direction),
        Kind::Map(described) => {
            json!({"type": "object", "additionalProperties": object(described, direction)})
        }
        Kind::Any => json!({}),
    }
}
