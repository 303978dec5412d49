//! The gateway's answer, and its explanation for the log.

use super::{codes, json_value::JsonValue, operation::Operation};
use crate::words::Words;

/// An answer, with the sandbox's note on it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub http_status: u16,
    /// The JSON body.
    pub body: JsonValue,
    /// For the log and its reader.
    pub note: Note,
}

/// How the gateway arrived at an answer.
#[derive(Clone, Debug, Default)]
pub struct Note {
    /// The operation, if it could be read.
    pub operation: Option<Operation>,
    /// The request's bizId, if it has one.
    pub biz_id: Option<String>,
    /// The request's params as received, with the payment password masked.
    pub params: Option<String>,
    /// The text that the gateway signed; present as soon as the envelope could be read.
    pub signed_text: Option<String>,
    /// The code of the answer.
    pub code: String,
    /// The rule that decided: `ok`, `signature`, `timestamp`, `nonce`, `params`, `consume.balance` …
    pub rule: &'static str,
    /// The reason, in words for the programmer of the till.
    pub explanation: Words,
    /// Whether it is the answer to a consume whose bizId was known.
    pub repeated: bool,
    /// The change of the bizId's net effect: 1 taken, -1 given back, 0 neither.
    pub effect: i64,
}

/// A refusal before it becomes an answer.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: bool,
    code: &'static str,
    message: String,
    rule: &'static str,
    explanation: Words,
    /// Non-zero only if the policy gives a refusal an effect.
    pub(super) effect: i64,
}

impl Refusal {
    /// A system error: `status` false (DOC).
    pub(super) fn system(
        rule: &'static str,
        code: &'static str,
        message: impl Into<String>,
        explanation: Words,
    ) -> Self {
        Self { status: false, code, message: message.into(), rule, explanation, effect: 0 }
    }

    /// A business refusal: `status` true and a code that is not 0 (DOC).
    pub(super) fn business(
        rule: &'static str,
        code: &'static str,
        message: &str,
        explanation: Words,
    ) -> Self {
        Self { status: true, ..Self::system(rule, code, message, explanation) }
    }

    /// Unreadable parameters. The message names the field, which a real gateway may not do.
    pub(super) fn params(bad: Words) -> Self {
        Self::system("params", codes::BAD_PARAMS, format!("参数错误：{bad}"), bad)
    }

    pub(super) fn with_effect(self, effect: i64) -> Self {
        Self { effect, ..self }
    }

    pub(super) fn into_answer(self, note: Note) -> Answer {
        let body = envelope(JsonValue::Bare(self.status.to_string()), self.code, &self.message, None);
        let (code, rule) = (self.code.to_owned(), self.rule);
        let note = Note { code, rule, explanation: self.explanation, effect: self.effect, ..note };
        Answer { http_status: 200, body, note }
    }
}

/// An unreadable parameter is refused with the code for it.
impl From<Words> for Refusal {
    fn from(bad: Words) -> Self {
        Self::params(bad)
    }
}

/// The result of an executed operation.
pub(super) struct Done {
    pub(super) data: JsonValue,
    pub(super) explanation: Words,
    pub(super) effect: i64,
}

impl Done {
    /// A read.
    pub(super) fn read(data: JsonValue, explanation: Words) -> Self {
        Self { data, explanation, effect: 0 }
    }

    pub(super) fn into_answer(self, note: Note) -> Answer {
        // Scalars as strings, and this message, follow the vendor's sample (DOC).
        let body = envelope(JsonValue::text("true"), codes::SUCCESS, "操作成功", Some(self.data));
        let (code, explanation) = (codes::SUCCESS.to_owned(), self.explanation);
        let note = Note { code, rule: "ok", explanation, effect: self.effect, ..note };
        Answer { http_status: 200, body, note }
    }
}

fn envelope(status: JsonValue, code: &str, message: &str, data: Option<JsonValue>) -> JsonValue {
    let mut fields =
        vec![("status", status), ("code", JsonValue::text(code)), ("message", JsonValue::text(message))];
    fields.extend(data.map(|data| ("data", data)));
    JsonValue::Object(fields)
}

/// `data` that repeats status, code and message, as a consume's does (DOC). The reversals follow it (SANDBOX).
pub(super) fn inner(fields: Vec<(&'static str, JsonValue)>) -> JsonValue {
    let head = [
        ("status", JsonValue::text("true")),
        ("code", JsonValue::text(codes::SUCCESS)),
        ("message", JsonValue::text("操作成功")),
    ];
    JsonValue::Object(head.into_iter().chain(fields).collect())
}

/// The system error of the faults `system_error` and `system_error_after`.
pub fn system_error() -> JsonValue {
    refusal(false, codes::SYSTEM_BUSY, "系统繁忙，请稍后再试")
}

/// A refusal that comes from a fault instead of a rule: a business refusal if `status` is true, otherwise a system
/// error.
pub fn refusal(status: bool, code: &str, message: &str) -> JsonValue {
    envelope(JsonValue::Bare(status.to_string()), code, message, None)
}

/// A business refusal with data.
pub fn refusal_with(code: &str, message: &str, data: JsonValue) -> JsonValue {
    envelope(JsonValue::Bare("true".to_owned()), code, message, Some(data))
}

/// An outer success with an inner refusal, since a consume repeats the envelope in its data (DOC).
pub fn inner_refusal(code: &str, message: &str) -> JsonValue {
    let data = vec![
        ("status", JsonValue::Bare("false".to_owned())),
        ("code", JsonValue::text(code)),
        ("message", JsonValue::text(message)),
    ];
    envelope(JsonValue::text("true"), codes::SUCCESS, "操作成功", Some(JsonValue::Object(data)))
}
