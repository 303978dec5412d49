//! The JSON of an answer. It keeps the order of the fields and the exact text of a number.

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonValue {
    /// A JSON string.
    Text(String),
    /// A number, `true`, `false` or `null`, as this text.
    Bare(String),
    /// An array.
    List(Vec<JsonValue>),
    /// An object, in this order.
    Object(Vec<(&'static str, JsonValue)>),
}

impl JsonValue {
    /// A JSON string.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "an amount, a number and a text are all given as they are"
    )]
    pub fn text(text: impl ToString) -> Self {
        Self::Text(text.to_string())
    }

    /// The field of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a scalar.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Bare(text) => Some(text),
            _ => None,
        }
    }

    /// The JSON text.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(512);
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => quote(text, out),
            Self::Bare(letters) => out.push_str(letters),
            Self::List(elements) => {
                out.push('[');
                for (at, element) in elements.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (at, (name, value)) in fields.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    quote(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::JsonValue;

    #[test]
    fn keeps_order_and_letters() {
        let value = JsonValue::Object(vec![
            ("z", JsonValue::text("a\"b\n说明")),
            (
                "a",
                JsonValue::List(vec![
                    JsonValue::Bare("390962138708451328".into()),
                    JsonValue::Bare("1.50".into()),
                ]),
            ),
            ("e", JsonValue::Object(Vec::new())),
        ]);
        assert_eq!(value.to_json(), "{\"z\":\"a\\\"b\\n说明\",\"a\":[390962138708451328,1.50],\"e\":{}}");
    }
}
