//! The parts of the envelope, and how it is written as JSON.

use std::borrow::Cow;
use std::time::Duration;

use super::codes::Code;
use super::{Next, Outcome};
use crate::json::push_string;

/// The language of the `cashier` sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// 简体中文
    #[default]
    ZhCn,
    /// English
    En,
}

impl Lang {
    /// The sentence in this language.
    pub fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Lang::ZhCn => zh,
            Lang::En => en,
        }
    }
}

/// One problem in a request or a configuration, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field, such as `items[0].price`; empty for the whole object.
    pub path: String,
    /// What is wrong and what is expected. Never contains a secret's value.
    pub message: String,
}

impl Problem {
    /// The problems in one text, for a message: a host that shows nothing else shows the reasons. Limited to the
    /// first ones.
    pub(crate) fn summary(problems: &[Problem]) -> String {
        const SHOWN: usize = 10;
        let reason = |problem: &Problem| format!("{} {}", problem.path, problem.message).trim().to_owned();
        let reasons: Vec<String> = problems.iter().take(SHOWN).map(reason).collect();
        let more = problems.len().saturating_sub(SHOWN);
        let more = if more == 0 { String::new() } else { format!(" (and {more} more in errors[])") };
        reasons.join("; ") + &more
    }
}

/// A warning for the till that does not change the outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Its code, from the table of codes.
    pub code: &'static str,
    /// The message.
    pub message: String,
}

impl Warning {
    /// A warning with that code.
    pub fn new(code: &Code, message: impl Into<String>) -> Warning {
        Warning { code: code.text, message: message.into() }
    }
}

/// The duration of each part of a call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    /// Writing durable records.
    pub journal: Duration,
    /// Name look-up, TCP, proxy and TLS; zero on a kept connection.
    pub connect: Duration,
    /// From the request's first byte to the answer's last.
    pub wait: Duration,
    /// The whole call.
    pub total: Duration,
}

/// The answer to one call, before it is serialised.
#[derive(Clone, Debug)]
pub struct Answer {
    outcome: Outcome,
    next: Next,
    code: Cow<'static, str>,
    message: String,
    cashier: String,
    biz_id: Option<String>,
    quote_id: Option<String>,
    replayed: bool,
    already: Option<bool>,
    retry_after_ms: Option<u64>,
    errors: Vec<Problem>,
    warnings: Vec<Warning>,
    recorded: Option<String>,
    data: Option<String>,
    timing: Timing,
    delivery: Option<u64>,
}

impl Answer {
    /// An answer with one of the library's own codes.
    pub fn of(outcome: Outcome, code: &'static Code, lang: Lang, message: impl Into<String>) -> Answer {
        debug_assert!(code.outcomes.contains(&outcome), "{} is not for {outcome:?}", code.text);
        Answer::new(outcome, code.text, message.into(), code.cashier(outcome, lang))
    }

    /// An answer whose code and message are the gateway's.
    pub(crate) fn of_gateway(
        outcome: Outcome,
        code: &str,
        message: &str,
        cashier: impl Into<String>,
    ) -> Answer {
        Answer::new(outcome, code.to_owned(), message.to_owned(), cashier)
    }

    /// The success of a call that sends nothing (init, shutdown).
    pub(crate) fn done_locally(message: &str) -> Answer {
        Answer::new(Outcome::Succeeded, "0", message.to_owned(), "").with_next(Next::GoOn)
    }

    fn new(
        outcome: Outcome,
        code: impl Into<Cow<'static, str>>,
        message: String,
        cashier: impl Into<String>,
    ) -> Answer {
        Answer {
            outcome,
            next: outcome.next(),
            code: code.into(),
            message,
            cashier: cashier.into(),
            biz_id: None,
            quote_id: None,
            replayed: false,
            already: None,
            retry_after_ms: None,
            errors: Vec::new(),
            warnings: Vec::new(),
            recorded: None,
            data: None,
            timing: Timing::default(),
            delivery: None,
        }
    }

    /// The outcome.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The one next action for the till.
    pub fn next(&self) -> Next {
        self.next
    }

    /// The gateway's code, or the library's.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The message for the programmer.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Warnings that do not change the outcome.
    pub(crate) fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The gateway's data as JSON text.
    pub fn data(&self) -> Option<&str> {
        self.data.as_deref()
    }

    /// Sets the next action where it is not the outcome's usual one.
    pub(crate) fn with_next(mut self, next: Next) -> Answer {
        self.next = next;
        self
    }

    /// Sets a sentence for the cashier other than the code's own.
    pub(crate) fn with_cashier(mut self, cashier: impl Into<String>) -> Answer {
        self.cashier = cashier.into();
        self
    }

    /// Sets the transaction's bizId.
    pub fn with_biz_id(mut self, biz_id: impl Into<String>) -> Answer {
        self.biz_id = Some(biz_id.into());
        self
    }

    /// Sets the quote's id, by which a payment relies on it.
    pub fn with_quote_id(mut self, quote_id: String) -> Answer {
        self.quote_id = Some(quote_id);
        self
    }

    /// Adds the problems in the request.
    pub fn with_errors(mut self, errors: Vec<Problem>) -> Answer {
        self.errors = errors;
        self
    }

    /// Adds warnings.
    pub fn with_warnings(mut self, warnings: impl IntoIterator<Item = Warning>) -> Answer {
        self.warnings.extend(warnings);
        self
    }

    /// Adds data: one valid JSON value.
    pub fn with_data(mut self, data: impl Into<String>) -> Answer {
        self.data = Some(data.into());
        self
    }

    /// Adds the request that the bizId is already used for: one valid JSON value.
    pub fn with_recorded(mut self, recorded: impl Into<String>) -> Answer {
        self.recorded = Some(recorded.into());
        self
    }

    /// Sets the delay after which a retry makes sense.
    pub fn with_retry_after(mut self, after: Duration) -> Answer {
        self.retry_after_ms = u64::try_from(after.as_millis()).ok();
        self
    }

    /// Sets whether the library was already started.
    pub fn with_already(mut self, already: bool) -> Answer {
        self.already = Some(already);
        self
    }

    /// Marks an answer that is repeated from the journal.
    pub(crate) fn replayed(mut self) -> Answer {
        self.replayed = true;
        self
    }

    /// Numbers the answer, so that the library learns when the host has taken or freed it.
    pub(crate) fn with_delivery(mut self, number: u64) -> Answer {
        self.delivery = Some(number);
        self
    }

    /// The delivery number, under which the host's take or free is reported.
    pub fn delivery(&self) -> Option<u64> {
        self.delivery
    }

    /// The transaction's bizId.
    pub fn biz_id(&self) -> Option<&str> {
        self.biz_id.as_deref()
    }

    /// Sets the durations of the call.
    pub(crate) fn with_timing(mut self, timing: Timing) -> Answer {
        self.timing = timing;
        self
    }

    /// The envelope as JSON text, with the fields always in the same order.
    pub fn to_json(&self) -> String {
        let data = self.data.as_deref();
        let mut out = Writer { text: String::with_capacity(512 + data.map_or(0, str::len)) };
        out.string("outcome", self.outcome.as_str());
        out.string("next", self.next.as_str());
        out.string("code", &self.code);
        out.string("message", &self.message);
        out.string("cashier", &self.cashier);
        if let Some(biz_id) = &self.biz_id {
            out.string("bizId", biz_id);
        }
        if let Some(quote_id) = &self.quote_id {
            out.string("quoteId", quote_id);
        }
        out.raw("replayed", if self.replayed { "true" } else { "false" });
        if let Some(already) = self.already {
            out.raw("already", if already { "true" } else { "false" });
        }
        if let Some(after) = self.retry_after_ms {
            out.raw("retry_after_ms", &after.to_string());
        }
        out.list("warnings", &self.warnings, |item, warning| {
            item.string("code", warning.code);
            item.string("message", &warning.message);
        });
        out.list("errors", &self.errors, |item, problem| {
            item.string("path", &problem.path);
            item.string("message", &problem.message);
        });
        if let Some(recorded) = &self.recorded {
            out.raw("recorded", recorded);
        }
        out.raw("data", data.unwrap_or("null"));
        out.raw("timing_ms", "{");
        for (key, duration) in [
            ("\"journal\":", self.timing.journal),
            (",\"connect\":", self.timing.connect),
            (",\"wait\":", self.timing.wait),
            (",\"total\":", self.timing.total),
        ] {
            out.text.push_str(key);
            push_milliseconds(&mut out.text, duration);
        }
        out.text.push('}');
        out.finish()
    }
}

/// Writes milliseconds with one decimal, computed in integers and without `format!`: this is called four times per answer.
fn push_milliseconds(out: &mut String, duration: Duration) {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let tenths = micros.saturating_add(50) / 100;
    let digit = |number: u64| u32::try_from(number).ok().and_then(|number| char::from_digit(number, 10));
    match digit(tenths / 10) {
        Some(whole) => out.push(whole),
        None => out.push_str(&(tenths / 10).to_string()),
    }
    out.push('.');
    out.extend(digit(tenths % 10));
}

/// Writes one JSON object, member by member.
struct Writer {
    text: String,
}

impl Writer {
    fn key(&mut self, key: &str) {
        self.text.push_str(if self.text.is_empty() { "{\"" } else { ",\"" });
        // The library's own keys need no escapes.
        self.text.push_str(key);
        self.text.push_str("\":");
    }

    fn string(&mut self, key: &str, value: &str) {
        self.key(key);
        push_string(&mut self.text, value);
    }

    fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        self.text.push_str(json);
    }

    fn list<T>(&mut self, key: &str, items: &[T], write: impl Fn(&mut Writer, &T)) {
        self.key(key);
        self.text.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            let mut object = Writer { text: String::new() };
            write(&mut object, item);
            self.text.push_str(&object.finish());
        }
        self.text.push(']');
    }

    fn finish(mut self) -> String {
        if self.text.is_empty() {
            self.text.push('{');
        }
        self.text.push('}');
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::codes;

    #[test]
    fn a_message_names_the_reasons() {
        let problem = |number: usize| Problem { path: format!("f{number}"), message: "is wrong".into() };
        let problems: Vec<Problem> = (0..12).map(problem).collect();
        assert_eq!(Problem::summary(&problems[..2]), "f0 is wrong; f1 is wrong");
        let said = Problem::summary(&problems);
        assert!(said.ends_with("; f9 is wrong (and 2 more in errors[])"), "{said}");
        let whole = Problem { path: String::new(), message: "must be an object".into() };
        assert_eq!(Problem::summary(&[whole]), "must be an object");
    }

    #[test]
    fn writes_the_whole_envelope_as_json() {
        let text = Answer::of(Outcome::Unknown, &codes::LOST, Lang::En, "the \"connection\" broke")
            .with_biz_id("T1-1")
            .with_warnings([Warning::new(&codes::CLOCK, "off by 90 s")])
            .with_errors(vec![Problem { path: "a[0]".into(), message: "is\nwrong".into() }])
            .with_data("{\"a\":1.50}")
            .with_timing(Timing { total: Duration::from_micros(32_040), ..Timing::default() })
            .to_json();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["outcome"], "unknown");
        assert_eq!(value["next"], "wait");
        assert_eq!(value["errors"][0]["message"], "is\nwrong");
        assert_eq!(value["warnings"][0]["code"], "ZV-W-CLOCK");
        assert_eq!(value["timing_ms"]["total"], 32.0);
        assert!(text.contains("\"data\":{\"a\":1.50}"), "{text}");
        assert!(!value["cashier"].as_str().unwrap().is_empty());
    }
}
