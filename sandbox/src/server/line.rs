//! A line of the request log.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{faults::Chosen, rules};

/// The maximum length of a text in the log.
const LOG_TEXT_MAX: usize = 4096;

/// A line of the request log.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) at_unix_ms: i64,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) operation: Option<rules::Operation>,
    pub(super) biz_id: Option<String>,
    pub(super) fault: Option<Chosen>,
    pub(super) signed_text: Option<String>,
    pub(super) params: Option<Box<RawValue>>,
    pub(super) rule: &'static str,
    pub(super) explanation: String,
    pub(super) explanation_zh: String,
    pub(super) code: String,
    pub(super) effect: i64,
    pub(super) answer: Option<Box<RawValue>>,
}

/// The machine's clock, in milliseconds since 1970.
pub(super) fn now_unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// JSON text unchanged, or the beginning of a long one as a JSON string.
pub(super) fn bounded(text: &str) -> Box<RawValue> {
    let whole = (text.len() <= LOG_TEXT_MAX).then(|| RawValue::from_string(text.to_owned()).ok()).flatten();
    whole.unwrap_or_else(|| {
        let beginning: String = text.chars().take(LOG_TEXT_MAX).chain("…".chars()).collect();
        let quoted = serde_json::Value::from(beginning).to_string();
        RawValue::from_string(quoted).unwrap_or_default()
    })
}
