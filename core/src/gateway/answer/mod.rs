//! Reads an answer and judges what it proves. Only a complete HTTP 200 with the gateway's whole envelope proves a
//! success or a refusal; everything else is a doubt.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::json::{Object, Value, ValueKind};
use crate::money::{Amount, BizId};
use crate::outcome::{Warning, codes, codes::Code};
use crate::schema::{Ids, Schema, normalise_object, normalise_value};
use crate::secret::{hide, mask_phones};

use super::consume::{self, Identity};
use super::quote::{self, Question};

mod records;
mod refusal;
mod shown;
mod text;

pub use records::{Balance, BalanceRules};
pub(super) use refusal::Of;
pub use text::repaired_read;

/// The configured meaning of codes in a consume's answer (`codes`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRules {
    /// System errors that are known to precede any effect.
    pub before_effect: Vec<String>,
    /// Codes after which the result is unknown.
    pub in_doubt: Vec<String>,
    /// Codes, numbers or words, that the vendor calls refusals.
    pub declined: Vec<String>,
    /// Whether a code that is in neither `declined` nor `before_effect` leaves the result unknown.
    pub only_listed: bool,
}

impl CodeRules {
    /// The signature was refused (SEEN).
    pub const SIGNATURE: &'static str = "110004";
    /// The nonce was used before: retry with another one (SEEN).
    pub const NONCE: &'static str = "110007";
}

impl Default for CodeRules {
    fn default() -> Self {
        CodeRules {
            // SEEN: signature refused; bad parameters.
            before_effect: vec![Self::SIGNATURE.into(), "100002".into()],
            in_doubt: vec![Self::NONCE.into()],
            declined: Vec::new(),
            only_listed: false,
        }
    }
}

/// A success proven by the gateway's whole answer. Only this module can construct one, so that no other part can
/// report `succeeded`.
#[derive(Clone, Debug)]
pub struct Accepted {
    message: String,
    data: String,
    returned_biz_id: Option<String>,
    warnings: Vec<Warning>,
}

impl Accepted {
    /// The gateway's message.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The data as JSON, with documented fields normalised.
    pub fn data(&self) -> &str {
        &self.data
    }

    /// The bizId in the answer, by which a reversal names the sale.
    pub fn returned_biz_id(&self) -> Option<&str> {
        self.returned_biz_id.as_deref()
    }

    /// Mismatches that do not change the success.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// A code and its message, from the gateway or the library.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayStatus {
    /// The code.
    pub code: String,
    /// The message.
    pub message: String,
}

impl GatewayStatus {
    /// Takes the middle digits out of phone numbers in the message, as it is stored.
    pub(crate) fn mask_phones(&mut self) {
        self.message = mask_phones(&self.message);
    }
}

/// Why nothing was sent.
#[derive(Clone, Debug)]
pub struct NotSent {
    /// The library's code.
    pub code: &'static Code,
    /// The message.
    pub message: String,
}

/// Whether a bizId is known to be that of another sale than the one in question.
pub(crate) type OfAnotherSale<'f> = &'f dyn Fn(&str) -> bool;

/// The gateway's refusal, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The gateway's code.
    pub code: String,
    /// The gateway's message.
    pub message: String,
    /// Mismatches that do not change the refusal.
    pub warnings: Vec<Warning>,
}

/// Why an answer proves nothing.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// The gateway's code if there is one, else the library's.
    pub code: String,
    /// The library's code.
    pub(crate) kind: &'static Code,
    /// The message.
    pub message: String,
    /// The mismatches.
    pub warnings: Vec<Warning>,
    /// Whether the answer shows this very deduction, so that the request is no longer on its way. Any other answer
    /// without proof may be about a request that is still being processed.
    pub answered: bool,
    /// The bizId in the answer.
    pub returned_biz_id: Option<String>,
}

impl Doubt {
    /// A doubt with the library's own code.
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

    /// The same without these secrets in its words: they may quote a member's name of an answer that cannot be read.
    pub(crate) fn hiding<'s>(mut self, secrets: impl IntoIterator<Item = &'s str>) -> Doubt {
        self.message = hide(&self.message, secrets).into_owned();
        self
    }
}

/// The meaning of an amount's sign in the balance records. It is not documented, so a signed amount proves nothing
/// until the route configures which sign means that money was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sign {
    /// An unsigned amount was taken; the meaning of a signed one is not known.
    #[default]
    Unknown,
    /// `-3.00` was taken; an amount without a minus was given back.
    MinusIsTaken,
    /// `3.00` and `+3.00` were taken; `-3.00` was given back.
    PlusIsTaken,
}

impl Sign {
    /// The values of `sign` in the configuration.
    pub(crate) const WORDS: [&'static str; 2] = ["minus_is_taken", "plus_is_taken"];

    /// The meaning of a route's `sign`.
    pub(crate) fn from_word(word: Option<&str>) -> Sign {
        match word {
            Some("minus_is_taken") => Sign::MinusIsTaken,
            Some("plus_is_taken") => Sign::PlusIsTaken,
            _ => Sign::Unknown,
        }
    }

    /// The amount without its sign, if the sign means that it was taken.
    fn taken(self, text: &str) -> Option<&str> {
        match self {
            Sign::Unknown => Some(text),
            Sign::MinusIsTaken => text.strip_prefix('-'),
            Sign::PlusIsTaken => Some(text.strip_prefix('+').unwrap_or(text)),
        }
    }
}

/// What one answer proves.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// A success: every status true, every code 0, and documented data.
    Accepted(Accepted),
    /// A refusal that is known to have taken nothing.
    Refused(Refusal),
    /// Nothing is proven.
    Doubt(Doubt),
}

/// The gateway's envelope of any operation, complete and readable.
#[derive(Debug)]
pub struct Envelope<'a> {
    yes: bool,
    code: String,
    message: String,
    /// The whole JSON object.
    object: Object<'a>,
    /// Secrets that were sent and must not appear in messages that are stored and logged.
    hidden: Vec<&'a str>,
}

impl<'a> Envelope<'a> {
    /// Reads an answer; the error says why it is not one of the gateway's.
    pub fn read(http_status: u16, body: &'a [u8]) -> Result<Envelope<'a>, Doubt> {
        let no = |why: String| Err(Doubt::new(&codes::NOT_GATEWAY, why));
        if http_status != 200 {
            return no(format!("HTTP status {http_status} instead of 200"));
        }
        let text = match std::str::from_utf8(body) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
            Err(error) => {
                return text::doubt(body)
                    .map_or_else(|| no(format!("the answer is not UTF-8: {error}")), Err);
            }
        };
        let value = match Value::parse(text) {
            Ok(value) => value,
            Err(error) if text.trim_start().starts_with('<') => {
                return no(format!("an HTML page instead of the gateway's JSON ({error})"));
            }
            Err(error) => {
                return text::doubt(body)
                    .map_or_else(|| no(format!("the answer is no whole JSON: {error}")), Err);
            }
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
            object,
            hidden: Vec::new(),
        })
    }

    /// The envelope with these secrets removed from its messages: a gateway may repeat what it was sent.
    pub fn hiding(mut self, secrets: impl IntoIterator<Item = &'a str>) -> Envelope<'a> {
        self.hidden.extend(secrets);
        if let Cow::Owned(clean) = self.hide(&self.message) {
            self.message = clean;
        }
        if let Cow::Owned(clean) = self.hide_in_words(&self.code) {
            self.code = clean;
        }
        self
    }

    fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        hide(text, self.hidden.iter().copied())
    }

    /// Removes the secrets from a code, unless it is a number: that is a code of the gateway's, and a password's digits
    /// in it are a coincidence.
    fn hide_in_words<'t>(&self, code: &'t str) -> Cow<'t, str> {
        if is_number(code) { Cow::Borrowed(code) } else { self.hide(code) }
    }

    fn data(&self) -> Option<&Value<'a>> {
        self.object.get("data")
    }

    fn data_object(&self) -> Option<&Object<'a>> {
        self.data().and_then(Value::as_object)
    }

    /// The envelope's fields that the data repeats.
    fn repeated(&self) -> Result<Repeated, &'static str> {
        self.data_object().map_or_else(|| Ok(Repeated::default()), Repeated::read)
    }

    /// The data, and the envelope around it: the vendor's table shows no levels and can be read either way (DOC).
    fn documented_places(&self) -> impl Iterator<Item = &Object<'a>> {
        [self.data_object(), Some(&self.object)].into_iter().flatten()
    }

    /// The bizIds in the answer.
    fn named(&self) -> impl Iterator<Item = &str> {
        self.documented_places().filter_map(|place| place.given("bizId")?.scalar()).map(str::trim)
    }

    /// The bizId of another sale in the answer, in which case the whole answer is about that sale.
    pub(crate) fn names_another_sale(
        &self,
        own: &[&str],
        of_another_sale: OfAnotherSale<'_>,
    ) -> Option<&str> {
        self.named().find(|named| !own.contains(named) && of_another_sale(named))
    }

    /// Whether the answer names no bizId other than these.
    pub(crate) fn names_only(&self, own: &[&str]) -> bool {
        self.named().all(|named| own.contains(&named))
    }

    /// The gateway's code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What the answer to a consume proves, compared with the request. An answer that names another sale, success or
    /// refusal, is about that sale, and the request that was sent is still on its way.
    pub fn judge_consume(
        &self,
        biz_id: &BizId,
        asked: &Identity,
        rules: &CodeRules,
        strict: bool,
        of_another_sale: OfAnotherSale<'_>,
    ) -> Verdict {
        if let Some(other) = self.names_another_sale(&[biz_id.as_str()], of_another_sale) {
            let message = format!("the answer carries the bizId of another sale, {other}");
            let mut doubt = Doubt::new(&codes::MISMATCH, message);
            doubt.returned_biz_id = Some(other.to_owned());
            return Verdict::Doubt(doubt);
        }
        match self.judge_named_consume(biz_id, asked, rules, strict) {
            // Even if it proves nothing else: a request whose deduction is shown has arrived.
            Verdict::Doubt(doubt) => {
                Verdict::Doubt(Doubt { answered: self.shows_this_deduction(biz_id, asked), ..doubt })
            }
            proof => proof,
        }
    }

    fn judge_named_consume(
        &self,
        biz_id: &BizId,
        asked: &Identity,
        rules: &CodeRules,
        strict: bool,
    ) -> Verdict {
        let inner = match self.repeated() {
            Ok(inner) => inner,
            Err(why) => return self.doubt(&codes::UNPROVEN, why),
        };
        if self.refusing_code(&inner).is_some() {
            return self.refuse_consume(biz_id, rules, strict);
        }
        if !self.yes || inner.yes == Some(false) {
            return self.doubt(&codes::UNPROVEN, "code 0 with a status of false");
        }
        self.accept_consume(biz_id, asked, strict)
    }

    /// The success of an answer whose every status is true and every code 0.
    fn accept_consume(&self, biz_id: &BizId, asked: &Identity, strict: bool) -> Verdict {
        let Some(data) = self.data_object() else {
            return self.doubt(&codes::UNPROVEN, "success without any documented data");
        };
        let mut warnings = Vec::new();
        if !has_documented(&consume::ANSWER, data) {
            if !is_empty_form(data) {
                return self.doubt(&codes::UNPROVEN, "success without any documented data");
            }
            warnings.push(Warning::new(
                &codes::WARN_EMPTY,
                "the answer says yes outside and inside, and every documented field of its data is empty",
            ));
        }
        warnings.extend(consume::compare(biz_id, asked, data));
        warnings.extend(consume::compare_biz_id(biz_id, &self.object));
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

    /// What the answer proves for an action that may take something: a refusal needs the same proof as a consume's.
    pub fn judge_call(&self, rules: &CodeRules) -> Verdict {
        let inner = match self.repeated() {
            Ok(inner) => inner,
            Err(why) => return self.doubt(&codes::UNPROVEN, why),
        };
        if self.refusing_code(&inner).is_some() {
            return self.refuse(rules);
        }
        if !self.says_yes_throughout() {
            return self.doubt(&codes::UNPROVEN, "code 0 with a status of false");
        }
        self.judge_read(None, Ids::AsTheyCame)
    }

    /// The mismatches between a quote's answer and its question, and the discount that it names.
    pub(crate) fn compare_quote(&self, asked: &Question) -> (Vec<Warning>, Option<Amount>) {
        self.data_object().map(|data| quote::compare(asked, data)).unwrap_or_default()
    }

    /// What the answer to a read says; a read takes nothing, so its refusal needs no proof.
    pub fn judge_read(&self, schema: Option<&'static Schema>, ids: Ids) -> Verdict {
        if !self.yes || self.code != "0" {
            let (code, message) = (self.code.clone(), self.message.clone());
            return Verdict::Refused(Refusal { code, message, warnings: Vec::new() });
        }
        let mut warnings = Vec::new();
        let data = match schema {
            None => self.data().map_or_else(|| "null".to_owned(), |data| normalise_value(data, ids)),
            Some(schema) => match self.data_object() {
                Some(data) if has_documented(schema, data) => {
                    normalise_object(schema, data, "data", &mut warnings)
                }
                // No read has data fields of its own called status or code, so here these repeat the envelope.
                Some(data) if let Some(refusal) = self.refusal_inside(data) => {
                    return Verdict::Refused(refusal);
                }
                _ => return self.doubt(&codes::NO_ANSWER, "success without any documented data"),
            },
        };
        Verdict::Accepted(Accepted { message: self.message.clone(), data, returned_biz_id: None, warnings })
    }

    /// The refusal in data that only repeats the envelope.
    fn refusal_inside(&self, data: &Object<'_>) -> Option<Refusal> {
        Repeated::read(data).ok().and_then(|inner| self.refusal(&inner))
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
        let data = self.data_object();
        doubt.returned_biz_id =
            data.and_then(|data| data.given("bizId")).and_then(Value::scalar).map(str::to_owned);
        doubt
    }

    /// Whether a successful member look-up says that the member does not exist: customerId 0 (SEEN).
    pub fn shows_no_member(&self) -> bool {
        let data = self.data_object().filter(|_| self.yes && self.code == "0");
        data.and_then(|data| data.given("customerId")).and_then(Value::scalar) == Some("0")
    }

    /// Whether every status is true and every code 0.
    pub(super) fn says_yes_throughout(&self) -> bool {
        self.yes
            && self.code == "0"
            && self
                .repeated()
                .is_ok_and(|inner| inner.yes != Some(false) && inner.code.is_none_or(|code| code == "0"))
    }

    /// Whether the gateway reports a system error.
    pub fn is_system_error(&self) -> bool {
        !self.yes
    }
}

/// The envelope's fields that a consume's data repeats (DOC).
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

/// A value unchanged, unless it is so long that it may be something else, such as the whole request.
fn short<'a>(value: &Value<'a>) -> &'a str {
    const LONGEST: usize = 20;
    if value.raw().len() <= LONGEST { value.raw() } else { value.describe() }
}

/// A code: a number or a text that is clearly not 0; the vendor's page shows a code in words. A text that may mean 0
/// (`""`, `0.0`, `00`, ` 0`), or is too long for a code, cannot be read.
fn read_code(value: &Value<'_>) -> Option<String> {
    const LONGEST: usize = 64;
    let text = match value.kind() {
        ValueKind::Number if value.raw().bytes().all(|b| b.is_ascii_digit() || b == b'-') => value.raw(),
        ValueKind::String(text) => text,
        _ => return None,
    };
    let might_be_zero = text != "0"
        && text
            .chars()
            .all(|c| c.is_whitespace() || c.is_control() || matches!(c, '0' | '\u{ff10}' | '.' | '+' | '-'));
    (!might_be_zero && text.chars().count() <= LONGEST).then(|| text.to_owned())
}

/// Whether a code is a number; SEEN: every code is.
pub(super) fn is_number(code: &str) -> bool {
    let digits = code.strip_prefix('-').unwrap_or(code);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a coupon's row counts its uses (次券), and the count is not one.
fn has_several_uses(row: &Object<'_>) -> bool {
    let counts = |name: &str| {
        let name = name.to_ascii_lowercase().replace('_', "");
        let mentions = |word: &str| name.contains(word);
        (mentions("times") && !mentions("timestamp"))
            || ["usecount", "leftcount", "remaincount", "usenum", "leftnum", "remainnum"]
                .into_iter()
                .any(mentions)
    };
    let is_one = |value: &Value<'_>| matches!(value.scalar(), Some("0" | "1"));
    row.iter().any(|(name, value)| counts(name) && !value.is_blank() && !is_one(value))
}

/// Whether the data is the vendor's own sample: every documented field is present, its status and code among them.
fn is_empty_form(data: &Object<'_>) -> bool {
    consume::ANSWER.fields.iter().all(|field| data.get(field.name).is_some())
}

/// Whether the data has a documented field that does not only repeat the envelope; a form whose fields are all empty
/// has none.
fn has_documented(schema: &'static Schema, data: &Object<'_>) -> bool {
    schema
        .fields
        .iter()
        .any(|field| !consume::REPEATED.contains(&field.name) && data.given(field.name).is_some())
}

#[cfg(test)]
mod tests;
