//! What an answer is and what it proves. A success or a refusal is only what a complete HTTP 200 with the
//! gateway's whole envelope says; everything else is a doubt.

use serde::{Deserialize, Serialize};

use crate::json::{Kind as Json, Object, Value};
use crate::money::{Amount, BizId};
use crate::outcome::{Warning, codes, codes::Code};
use crate::secret::hide;
use crate::shape::{Shape, normalise_object};

use super::consume::{self, Identity};

/// Codes whose meaning for a consume is configuration (`codes`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRules {
    /// System errors that are known to come before any effect.
    pub before_effect: Vec<String>,
    /// Codes after which nobody knows.
    pub in_doubt: Vec<String>,
}

impl CodeRules {
    /// The signature was refused (SEEN).
    pub const SIGNATURE: &'static str = "110004";
    /// The nonce was used before: retry with a new one (SEEN).
    pub const NONCE: &'static str = "110007";
}

impl Default for CodeRules {
    fn default() -> Self {
        CodeRules {
            // SEEN: signature refused; bad parameters.
            before_effect: vec![Self::SIGNATURE.into(), "100002".into()],
            in_doubt: vec![Self::NONCE.into()],
        }
    }
}

/// A success that the gateway's whole answer proves. Only this module can make one, so that no other part can
/// say `succeeded`.
#[derive(Clone, Debug)]
pub struct Accepted {
    message: String,
    data: String,
    returned_biz_id: Option<String>,
    warnings: Vec<Warning>,
}

impl Accepted {
    /// The gateway's words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The data as JSON, documented fields normalised.
    pub fn data(&self) -> &str {
        &self.data
    }

    /// The bizId that the answer carries: what a reversal goes by.
    pub fn returned_biz_id(&self) -> Option<&str> {
        self.returned_biz_id.as_deref()
    }

    /// What does not fit, although it was done.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// A code and its words, the gateway's or the library's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// The code.
    pub code: String,
    /// In words.
    pub message: String,
}

/// Why nothing was sent.
#[derive(Clone, Debug)]
pub struct NotSent {
    /// The library's code.
    pub code: &'static Code,
    /// In words.
    pub message: String,
}

/// The gateway's no, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The gateway's code.
    pub code: String,
    /// The gateway's words.
    pub message: String,
}

/// Why nothing is proven.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// The gateway's code where there is one, else the library's.
    pub code: String,
    /// The library's code for the table.
    pub kind: &'static Code,
    /// In words.
    pub message: String,
    /// What does not fit.
    pub warnings: Vec<Warning>,
    /// The gateway's whole answer came, so the request is no longer on its way.
    pub answered: bool,
    /// The bizId that the answer carried.
    pub returned_biz_id: Option<String>,
}

impl Doubt {
    /// A doubt of the library's own.
    pub fn new(kind: &'static Code, message: impl Into<String>) -> Doubt {
        Doubt {
            code: kind.text.to_owned(),
            kind,
            message: message.into(),
            warnings: Vec::new(),
            answered: false,
            returned_biz_id: None,
        }
    }
}

/// What one answer proves.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Every status true, every code 0, and documented data.
    Accepted(Accepted),
    /// A no that is known to have taken nothing.
    Refused(Refusal),
    /// Nothing is proven.
    Doubt(Doubt),
}

/// The gateway's envelope, whole and readable, of whichever operation.
#[derive(Debug)]
pub struct Envelope<'a> {
    yes: bool,
    code: String,
    message: String,
    data: Option<Value<'a>>,
    /// What was sent and must not come back in words that are stored and logged.
    hidden: Vec<&'a str>,
}

impl<'a> Envelope<'a> {
    /// Reads an answer; the error says why it is not the gateway's.
    pub fn read(http_status: u16, body: &'a [u8]) -> Result<Envelope<'a>, Doubt> {
        let no = |why: String| Err(Doubt::new(&codes::NOT_GATEWAY, why));
        if http_status != 200 {
            return no(format!("HTTP status {http_status} instead of 200"));
        }
        let text = match std::str::from_utf8(body) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
            Err(error) => return no(format!("the answer is not UTF-8: {error}")),
        };
        let value = match Value::parse(text) {
            Ok(value) => value,
            Err(error) if text.trim_start().starts_with('<') => {
                return no(format!("an HTML page instead of the gateway's JSON ({error})"));
            }
            Err(error) => return no(format!("the answer is no whole JSON: {error}")),
        };
        let what = value.describe();
        let Some(object) = value.into_object() else {
            return no(format!("the answer is {what}, not an object"));
        };
        let (Some(status), Some(code), Some(message)) =
            (object.get("status"), object.get("code"), object.get("message"))
        else {
            return no("the answer has no status, code and message".to_owned());
        };
        let (Some(yes), Some(code)) = (read_status(status), read_code(code)) else {
            return no(format!("status {} and code {} cannot be read", short(status), short(code)));
        };
        Ok(Envelope {
            yes,
            code,
            message: message.scalar().unwrap_or_default().to_owned(),
            data: object.into_member("data"),
            hidden: Vec::new(),
        })
    }

    /// The same without these secrets in its words: a gateway may repeat in a message what it was sent.
    pub fn hiding(mut self, secrets: impl IntoIterator<Item = &'a str>) -> Envelope<'a> {
        self.hidden.extend(secrets);
        self.message = self.hide(&self.message);
        self
    }

    fn hide(&self, text: &str) -> String {
        hide(text, self.hidden.iter().copied()).into_owned()
    }

    /// The gateway's code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The gateway's words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the answer to a consume proves.
    pub fn judge_consume(
        &self,
        biz_id: &BizId,
        asked: &Identity,
        rules: &CodeRules,
        strict: bool,
    ) -> Verdict {
        let data = self.data.as_ref().and_then(Value::as_object);
        let inner = match data.map(Repeated::read) {
            None => Repeated::default(),
            Some(Ok(inner)) => inner,
            Some(Err(why)) => return self.doubt(&codes::UNPROVEN, why),
        };
        // Most telling first: the inner code says why a consume was refused.
        let refused_code = [self.code.as_str(), inner.code.as_deref().unwrap_or("0")]
            .into_iter()
            .rev()
            .find(|code| *code != "0");
        let Some(code) = refused_code else {
            if !self.yes || inner.yes == Some(false) {
                return self.doubt(&codes::UNPROVEN, "code 0 with a status of false");
            }
            return self.accept_consume(biz_id, asked, data, strict);
        };
        let message = inner.message.as_ref().filter(|_| self.code == "0").unwrap_or(&self.message);
        let refusal = Refusal { code: code.to_owned(), message: self.hide(message) };
        if (!self.yes || self.code != "0") && inner.says_yes() {
            return self.doubt(&codes::UNPROVEN, "the envelope says no and its data says yes");
        }
        let codes_said = [Some(self.code.as_str()), inner.code.as_deref()];
        let in_doubt = |code| rules.in_doubt.iter().any(|known| known == code);
        if codes_said.into_iter().flatten().any(in_doubt) {
            return self.doubt(&codes::UNPROVEN, refusal.message);
        }
        if data.is_some_and(shows_a_deduction) {
            return self.doubt(&codes::UNPROVEN, "a refusal whose data shows a deduction");
        }
        let system_error = !self.yes || inner.yes == Some(false);
        let mut refusals = codes_said.into_iter().flatten().filter(|code| *code != "0");
        if system_error && !refusals.all(|code| rules.before_effect.iter().any(|known| known == code)) {
            return self.doubt(&codes::UNPROVEN, format!("system error: {}", refusal.message));
        }
        Verdict::Refused(refusal)
    }

    fn accept_consume(
        &self,
        biz_id: &BizId,
        asked: &Identity,
        data: Option<&Object<'_>>,
        strict: bool,
    ) -> Verdict {
        let Some(data) = data.filter(|data| has_documented(&consume::ANSWER, data)) else {
            return self.doubt(&codes::UNPROVEN, "success without any documented data");
        };
        let mut warnings = consume::compare(biz_id, asked, data);
        if strict && !warnings.is_empty() {
            return Verdict::Doubt(Doubt {
                warnings,
                ..self.unproven(&codes::MISMATCH, "the answer does not match the question")
            });
        }
        let json = normalise_object(&consume::ANSWER, data, "data", &mut warnings);
        Verdict::Accepted(Accepted {
            message: self.message.clone(),
            data: json,
            returned_biz_id: data.given("bizId").and_then(Value::scalar).map(str::to_owned),
            warnings,
        })
    }

    /// What the answer to a read says; nothing is ever taken by one, so a refusal needs no proof.
    pub fn judge_read(&self, shape: Option<&'static Shape>) -> Verdict {
        if !self.yes || self.code != "0" {
            return Verdict::Refused(Refusal { code: self.code.clone(), message: self.message.clone() });
        }
        let mut warnings = Vec::new();
        let data = match shape {
            None => self.data.as_ref().map_or("null", Value::raw).to_owned(),
            Some(shape) => match self.data.as_ref().and_then(Value::as_object) {
                Some(data) if has_documented(shape, data) => {
                    normalise_object(shape, data, "data", &mut warnings)
                }
                _ => return self.doubt(&codes::NO_ANSWER, "success without any documented data"),
            },
        };
        Verdict::Accepted(Accepted { message: self.message.clone(), data, returned_biz_id: None, warnings })
    }

    fn doubt(&self, kind: &'static Code, message: impl Into<String>) -> Verdict {
        Verdict::Doubt(self.unproven(kind, message))
    }

    /// A doubt that keeps what the gateway said: its code, unless that is 0, and its bizId.
    fn unproven(&self, kind: &'static Code, message: impl Into<String>) -> Doubt {
        let mut doubt = Doubt::new(kind, message);
        if self.code != "0" {
            doubt.code.clone_from(&self.code);
        }
        doubt.answered = true;
        let data = self.data.as_ref().and_then(Value::as_object);
        doubt.returned_biz_id =
            data.and_then(|data| data.given("bizId")).and_then(Value::scalar).map(str::to_owned);
        doubt
    }

    /// The bizId and amount of a deduction that a successful look-up in the balance records shows (SEEN).
    pub fn balance_record(&self) -> Option<(&str, Amount)> {
        let data = self.data.as_ref().filter(|_| self.yes && self.code == "0")?.as_object()?;
        // With a sign it might be money that came back: nobody has said what a sign means.
        let amount = Amount::parse(data.given("amount")?.scalar()?).ok()?;
        Some((data.given("bizId")?.scalar()?, amount))
    }

    /// Whether a successful look-up shows this coupon, and only as unused or reversed (DOC: status 0).
    pub fn shows_unused(&self, coupon: &str) -> bool {
        let rows = self.data.as_ref().filter(|_| self.yes && self.code == "0").and_then(Value::as_array);
        let mut statuses = rows.into_iter().flatten().filter_map(|row| {
            let row = row.as_object()?;
            (row.given("cardId")?.scalar()? == coupon).then(|| row.given("useStatus").and_then(Value::scalar))
        });
        statuses.next() == Some(Some("0")) && statuses.all(|status| status == Some("0"))
    }

    /// Whether every status is true and every code 0.
    pub(super) fn says_yes_throughout(&self) -> bool {
        let data = self.data.as_ref().and_then(Value::as_object);
        self.yes
            && self.code == "0"
            && match data.map(Repeated::read) {
                None => true,
                Some(Ok(inner)) => inner.yes != Some(false) && inner.code.is_none_or(|code| code == "0"),
                Some(Err(_)) => false,
            }
    }

    /// Whether the gateway says that it is not well.
    pub fn is_system_error(&self) -> bool {
        !self.yes
    }
}

/// What a consume repeats of the envelope inside its data (DOC).
#[derive(Default)]
struct Repeated {
    yes: Option<bool>,
    code: Option<String>,
    message: Option<String>,
}

impl Repeated {
    fn read(data: &Object<'_>) -> Result<Repeated, &'static str> {
        let yes = match data.get("status") {
            None => None,
            Some(value) => Some(read_status(value).ok_or("data.status cannot be read")?),
        };
        let code = match data.get("code") {
            None => None,
            Some(value) => Some(read_code(value).ok_or("data.code cannot be read")?),
        };
        let message = data.given("message").and_then(Value::scalar).map(str::to_owned);
        Ok(Repeated { yes, code, message })
    }

    fn says_yes(&self) -> bool {
        (self.yes == Some(true) || self.code.as_deref() == Some("0"))
            && self.yes != Some(false)
            && self.code.as_deref().is_none_or(|code| code == "0")
    }
}

/// A bool, "true"/"false" or 0/1 (DOC and SEEN); `None` for anything else.
fn read_status(value: &Value<'_>) -> Option<bool> {
    match value.scalar()? {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// A value as it came, unless it is so long that it may be something else, such as all that was sent.
fn short<'a>(value: &Value<'a>) -> &'a str {
    const LONGEST: usize = 20;
    if value.raw().len() <= LONGEST { value.raw() } else { value.describe() }
}

/// A number or a text that can be told from 0. What only might mean 0 (`""`, `0.0`, `00`) cannot be read.
fn read_code(value: &Value<'_>) -> Option<String> {
    let text = match value.kind() {
        Json::Number if value.raw().bytes().all(|b| b.is_ascii_digit() || b == b'-') => value.raw(),
        Json::String(text) => text,
        _ => return None,
    };
    // SEEN: every code is a number. What is none may be a success in words ("ok", "SUCCESS").
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let might_be_zero = text != "0" && digits.bytes().all(|b| b == b'0');
    (is_number && !might_be_zero).then(|| text.to_owned())
}

/// Whether the data says that something was taken.
fn shows_a_deduction(data: &Object<'_>) -> bool {
    ["change_gift_amount", "change_recharge_amount", "storeBalance", "shopBalance"]
        .into_iter()
        .any(|name| data.given(name).is_some())
}

/// Whether the data says something in a documented field beyond those that repeat the envelope; a form whose fields
/// are all empty says nothing.
fn has_documented(shape: &'static Shape, data: &Object<'_>) -> bool {
    shape
        .fields
        .iter()
        .any(|field| !consume::REPEATED.contains(&field.name) && data.given(field.name).is_some())
}

#[cfg(test)]
mod tests;
