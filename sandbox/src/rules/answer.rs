//! What the gateway answers, and what it tells its own log about it.

use super::{codes, operation::Operation, tree::Tree};
use crate::words::Words;

/// An answer, with what the sandbox knows about how it came about.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub http_status: u16,
    /// The JSON body; `to_json` writes it.
    pub body: Tree,
    /// For the log and the person who reads it.
    pub note: Note,
}

/// How an answer came about.
#[derive(Clone, Debug, Default)]
pub struct Note {
    /// Which operation it was, when that could be read.
    pub operation: Option<Operation>,
    /// The request's bizId, when it has one.
    pub biz_id: Option<String>,
    /// The request's params as they were read, the payment password hidden.
    pub params: Option<String>,
    /// The text that the gateway signed; there as soon as the envelope could be read.
    pub signed_text: Option<String>,
    /// The code of the answer.
    pub code: String,
    /// The rule that decided: `ok`, `signature`, `timestamp`, `nonce`, `params`, `consume.balance` …
    pub rule: &'static str,
    /// Why, in words for the programmer of the till.
    pub explanation: Words,
    /// Whether it is the answer to a consume whose bizId was known.
    pub repeated: bool,
    /// By how much the request changed the net effect of its bizId: 1 taken, -1 given back, 0 neither.
    pub effect: i64,
}

/// A refusal on its way to becoming an answer.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: bool,
    code: &'static str,
    message: String,
    rule: &'static str,
    explanation: Words,
    /// Not 0 only where the policy makes a refusal have an effect.
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

    /// Parameters that cannot be read. The message names the field, as the best of gateways would.
    pub(super) fn params(bad: Words) -> Self {
        Self::system("params", codes::BAD_PARAMS, format!("参数错误：{bad}"), bad)
    }

    pub(super) fn with_effect(self, effect: i64) -> Self {
        Self { effect, ..self }
    }

    pub(super) fn into_answer(self, note: Note) -> Answer {
        let body = envelope(Tree::Bare(self.status.to_string()), self.code, &self.message, None);
        let (code, rule) = (self.code.to_owned(), self.rule);
        let note = Note { code, rule, explanation: self.explanation, effect: self.effect, ..note };
        Answer { http_status: 200, body, note }
    }
}

/// A parameter that cannot be read is refused as such.
impl From<Words> for Refusal {
    fn from(bad: Words) -> Self {
        Self::params(bad)
    }
}

/// What an operation has done.
pub(super) struct Done {
    pub(super) data: Tree,
    pub(super) explanation: Words,
    pub(super) effect: i64,
}

impl Done {
    /// A read.
    pub(super) fn read(data: Tree, explanation: Words) -> Self {
        Self { data, explanation, effect: 0 }
    }

    pub(super) fn into_answer(self, note: Note) -> Answer {
        // Strings for scalars, and this message, are the vendor's sample (DOC).
        let body = envelope(Tree::text("true"), codes::SUCCESS, "操作成功", Some(self.data));
        let (code, explanation) = (codes::SUCCESS.to_owned(), self.explanation);
        let note = Note { code, rule: "ok", explanation, effect: self.effect, ..note };
        Answer { http_status: 200, body, note }
    }
}

fn envelope(status: Tree, code: &str, message: &str, data: Option<Tree>) -> Tree {
    let mut fields = vec![("status", status), ("code", Tree::text(code)), ("message", Tree::text(message))];
    fields.extend(data.map(|data| ("data", data)));
    Tree::Object(fields)
}

/// `data` that repeats status, code and message inside, as consume does (DOC). The reversals follow it (SANDBOX).
pub(super) fn inner(fields: Vec<(&'static str, Tree)>) -> Tree {
    let head = [
        ("status", Tree::text("true")),
        ("code", Tree::text(codes::SUCCESS)),
        ("message", Tree::text("操作成功")),
    ];
    Tree::Object(head.into_iter().chain(fields).collect())
}

/// The system error of the faults `system_error` and `system_error_after`.
pub fn system_error() -> Tree {
    refusal(false, codes::SYSTEM_BUSY, "系统繁忙，请稍后再试")
}

/// A refusal that no rule decided: what a fault answers. A business one with status true, a system error with false.
pub fn refusal(status: bool, code: &str, message: &str) -> Tree {
    envelope(Tree::Bare(status.to_string()), code, message, None)
}

/// The same with data.
pub fn refusal_with(code: &str, message: &str, data: Tree) -> Tree {
    envelope(Tree::Bare("true".to_owned()), code, message, Some(data))
}

/// A yes outside around a no inside, as consume repeats the envelope in its data (DOC).
pub fn inner_refusal(code: &str, message: &str) -> Tree {
    let data = vec![
        ("status", Tree::Bare("false".to_owned())),
        ("code", Tree::text(code)),
        ("message", Tree::text(message)),
    ];
    envelope(Tree::text("true"), codes::SUCCESS, "操作成功", Some(Tree::Object(data)))
}
