//! Writes a request: the params in one pass into one buffer, and the signed envelope around them.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};

use zeroize::Zeroize;

use crate::json::{self, Object, Value, most_string_length, push_any_name, push_name, push_string};
use crate::money::Amount;
use crate::outcome::{Problem, Warning, codes};
use crate::schema::{
    Field, Kind, Schema, Unknown, check, code_problem, cut_note, is_unsafe_integer, own, trimmed_id,
};

use super::{Credentials, Generation, Route, SignNames};

/// The account that a request is for: the library's own field, which is not sent.
pub(crate) const ACCOUNT: Field =
    own("account", Kind::Text(64), "which configured account; may be left out where there is only one");

/// The journal with which an attempt was made: the library's own field, which is not sent.
pub(crate) const JOURNAL_ID: Field = own(
    "journal_id",
    Kind::Text(64),
    "data.journal_id of zv_init, as the till has stored it with its attempt before it was made",
);

/// The settings for reading a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestRules {
    /// What to do with an undocumented field.
    pub unknown: Unknown,
    /// Whether a payment password may be sent over plain http.
    pub password_over_http: bool,
    /// Whether the route is plain http.
    pub plain_http: bool,
    /// Whether plain digits are sent as numbers.
    pub numbers: bool,
}

/// The params of one request as JSON text: signed and sent. They may contain a payment password, so they are in no
/// `Debug` output and are wiped if they do.
#[derive(Clone)]
pub struct Params(Wiped);

/// A text that is wiped when it is dropped, if it may hold a secret.
#[derive(Clone)]
pub struct Wiped {
    text: String,
    is_secret: bool,
}

impl Wiped {
    /// An empty one with room for so many bytes: a buffer that grows would leave copies of a secret behind.
    fn with_capacity(room: usize, is_secret: bool) -> Wiped {
        Wiped { text: String::with_capacity(room), is_secret }
    }
}

impl Deref for Wiped {
    type Target = String;

    fn deref(&self) -> &String {
        &self.text
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut String {
        &mut self.text
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        if self.is_secret {
            self.text.zeroize();
        }
    }
}

impl Params {
    /// The members of `object` exactly as they are written, except [`ACCOUNT`].
    pub fn of(object: &Object<'_>) -> Params {
        let mut out = opened(most_written(object), true);
        for (name, value) in object.iter().filter(|(name, _)| *name != ACCOUNT.name) {
            push_any_name(&mut out, name);
            out.push_str(value.raw());
        }
        out.push('}');
        Params(out)
    }

    /// Params with these names and texts, in this order.
    pub(crate) fn of_texts<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Params {
        let mut out = opened(256, false);
        for (name, text) in texts {
            push_any_name(&mut out, name);
            push_string(&mut out, text);
        }
        out.push('}');
        Params(out)
    }

    /// Params from the JSON text of one object.
    pub fn from_json(object: String) -> Params {
        Params(Wiped { text: object, is_secret: true })
    }

    /// The JSON text.
    pub(crate) fn as_json(&self) -> &str {
        &self.0
    }

    /// The whole body of one attempt, signed for this second with this nonce.
    pub fn sign(
        &self,
        route: &Route,
        credentials: &Credentials,
        names: SignNames,
        unix_seconds: u64,
        nonce: u32,
    ) -> Wiped {
        let capital = route.generation == Generation::V2;
        let signature = credentials.sign(names, capital, unix_seconds, nonce);
        let [open_id, grant_code, token, timestamp, nonce, params] = if capital {
            ["OpenId", "GrantCode", "Token", "Timestamp", "Nonce", "Params"]
        } else {
            ["openId", "grantCode", "token", "timestamp", "nonce", "params"]
        };
        let texts = [credentials.open_id(), credentials.grant_code(), &route.action];
        let room = self.0.len() + texts.into_iter().map(most_string_length).sum::<usize>() + 256;
        let mut body = Wiped::with_capacity(room, self.0.is_secret);
        body.push('{');
        for (name, value) in [
            (open_id, credentials.open_id()),
            (grant_code, credentials.grant_code()),
            (token, &signature.token),
            (timestamp, &signature.timestamp),
            (nonce, &signature.nonce),
        ] {
            push_name(&mut body, name);
            push_string(&mut body, value);
        }
        if capital {
            push_name(&mut body, "Action");
            push_string(&mut body, &route.action);
        }
        push_name(&mut body, params);
        body.push_str(&self.0);
        body.push('}');
        body
    }
}

impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Params({} bytes)", self.0.len())
    }
}

/// Fields that are sent in canonical form, `0005.5` as `5.50` and `"01"` as 1: amounts and counts. Never an id, whose
/// zeros are part of it.
const CANONICAL: [&str; 6] = ["amount", "points", "num", "price", "type", "opType"];

/// Checks a request against its schema and writes its params.
pub(crate) struct ParamsWriter<'r> {
    schema: &'static Schema,
    given: &'r Object<'r>,
    defaults: &'r Object<'r>,
    rules: RequestRules,
    /// Whether coupons are scanned codes (`type` is 1).
    scanned: bool,
}

impl<'r> ParamsWriter<'r> {
    /// `defaults` are the configuration's, used for fields that the request leaves out.
    pub(crate) fn new(
        schema: &'static Schema,
        given: &'r Object<'r>,
        defaults: &'r Object<'r>,
        rules: RequestRules,
    ) -> ParamsWriter<'r> {
        let mut writer = ParamsWriter { schema, given, defaults, rules, scanned: false };
        writer.scanned = writer.text("type").and_then(|text| text.parse().ok()) == Some(1);
        writer
    }

    /// Checks every field of the request itself; the defaults were checked with the configuration.
    pub(crate) fn check(&self, problems: &mut Vec<Problem>) {
        check(self.schema, self.given, self.defaults, "", self.rules.unknown, problems);
    }

    /// The field, from the request or else from the defaults; `None` if it is blank.
    pub(crate) fn field(&self, name: &str) -> Option<&'r Value<'r>> {
        self.given.given(name).or_else(|| self.defaults.given(name))
    }

    /// An id, without what a scanner adds at its ends; `None` if nothing else is left.
    pub(crate) fn id(&self, name: &str) -> Option<&'r str> {
        self.text(name).map(trimmed_id).filter(|id| !id.is_empty())
    }

    /// The member's id. The gateway writes 0 for "no such member", so 0 counts as not given where a scanned code
    /// needs no member.
    pub(crate) fn member(&self, name: &str, problems: &mut Vec<Problem>) -> Option<&'r str> {
        let mut problem = |message: &str| {
            problems.push(Problem { path: name.to_owned(), message: message.to_owned() });
        };
        match self.id(name) {
            None | Some("0") if self.scanned => None,
            None => {
                problem("is missing: the member id must be given unless type = 1");
                None
            }
            Some("0") => {
                problem(
                    "is 0, which is how the gateway says that there is no such member; look the member up again",
                );
                None
            }
            Some(id) => {
                if id.starts_with('0') && id.bytes().all(|byte| byte.is_ascii_digit()) {
                    problem(
                        "begins with a zero, which no member id does; it is not cut off, since the rest may be \
                             another member's",
                    );
                }
                Some(id)
            }
        }
    }

    /// A coupon: an id, or with type = 1 a scanned code, which is never changed.
    pub(crate) fn coupon<'t>(&self, text: &'t str) -> &'t str {
        if self.scanned { text } else { trimmed_id(text) }
    }

    /// What is wrong with a coupon, if it is neither an id nor a code.
    pub(crate) fn coupon_problem(&self, coupon: &str) -> Option<String> {
        if self.scanned {
            return code_problem(coupon).map(|problem| format!("the code {coupon:?} {problem}"));
        }
        let is_id = !coupon.is_empty() && coupon.bytes().all(|byte| byte.is_ascii_digit());
        (!is_id).then(|| {
            format!(
                "{coupon:?} is not a coupon id (digits only); for a scanned redemption code give type = 1"
            )
        })
    }

    /// Warnings about the till's own request: ids that its JSON writer may have rounded, and notes that are cut.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for field in self.schema.fields.iter().filter(|field| may_be_warned_about(&field.kind)) {
            let Some(value) = self.field(field.name) else { continue };
            warnings.extend(rounded_id(field, value));
            if let Kind::Note(max) = field.kind {
                let (name, text) = (field.name, value.scalar().unwrap_or_default());
                if let Cow::Owned(cut) = cut_note(text, max) {
                    warnings.push(Warning::new(
                        &codes::WARN_CUT,
                        format!(
                            "{name} is sent as one line of at most {max} characters: {} of its {}",
                            cut.chars().count(),
                            text.chars().count()
                        ),
                    ));
                }
            }
        }
        warnings
    }

    /// The field's text.
    pub(crate) fn text(&self, name: &str) -> Option<&'r str> {
        self.field(name).and_then(Value::scalar)
    }

    /// The texts of a list.
    pub(crate) fn texts(&self, name: &str) -> impl Iterator<Item = &'r str> {
        let list = self.field(name).and_then(Value::as_array).unwrap_or_default();
        list.iter().filter_map(Value::scalar)
    }

    /// Writes the given fields in the table's order, scalars as strings (DOC: every sample), then unknown fields that
    /// the configuration passes, unchanged.
    pub(crate) fn write(&self) -> Params {
        let is_secret = self.rules.unknown == Unknown::Pass
            || self
                .schema
                .fields
                .iter()
                .any(|field| matches!(field.kind, Kind::Secret(_)) && self.field(field.name).is_some());
        let mut out = opened(most_written(self.given) + most_written(self.defaults), is_secret);
        for field in self.schema.fields.iter().filter(|field| !field.own) {
            if let Some(value) = self.field(field.name).filter(|value| !self.says_nothing(field, value)) {
                push_name(&mut out, field.name);
                self.push(&mut out, field.name, &field.kind, value);
            }
        }
        if self.rules.unknown == Unknown::Pass {
            for (name, value) in self.given.iter() {
                if self.schema.field(name).is_none() {
                    push_any_name(&mut out, name);
                    out.push_str(value.raw());
                }
            }
        }
        out.push('}');
        Params(out)
    }

    /// Whether a value counts as not given: an id of blanks, member 0 with a scanned code, or a note that is empty
    /// once cut.
    fn says_nothing(&self, field: &Field, value: &Value<'_>) -> bool {
        match field.kind {
            Kind::Digits | Kind::Id => {
                let id = value.scalar().map(trimmed_id).unwrap_or_default();
                id.is_empty() || (self.scanned && id == "0" && MEMBERS.contains(&field.name))
            }
            Kind::Coupon => value.scalar().is_some_and(|text| self.coupon(text).is_empty()),
            Kind::Note(max) => value.scalar().is_some_and(|text| cut_note(text, max).is_empty()),
            _ => false,
        }
    }

    fn push(&self, out: &mut String, name: &str, kind: &'static Kind, value: &Value<'_>) {
        match kind {
            Kind::List(of, _) => {
                out.push('[');
                for (index, item) in value.as_array().unwrap_or_default().iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    self.push(out, name, of, item);
                }
                out.push(']');
            }
            Kind::Object(schema) => {
                let Some(object) = value.as_object() else { return };
                out.push('{');
                for field in schema.fields {
                    if let Some(value) = object.given(field.name) {
                        push_name(out, field.name);
                        self.push(out, field.name, &field.kind, value);
                    }
                }
                out.push('}');
            }
            scalar => {
                let text = self.as_sent(name, scalar, value.scalar().unwrap_or_default());
                let numeric = match scalar {
                    Kind::Digits | Kind::Integer(..) | Kind::OneOf(_) => true,
                    Kind::Coupon => !self.scanned,
                    _ => false,
                };
                if self.rules.numbers && numeric && is_plain_number(&text) {
                    out.push_str(&text);
                } else {
                    push_string(out, &text);
                }
            }
        }
    }

    /// The text of a scalar as it is sent.
    fn as_sent<'t>(&self, name: &str, kind: &Kind, text: &'t str) -> Cow<'t, str> {
        match kind {
            Kind::Digits | Kind::Id => trimmed_id(text).into(),
            Kind::Coupon => self.coupon(text).into(),
            Kind::Note(max) => cut_note(text, *max),
            Kind::Money if CANONICAL.contains(&name) => {
                Amount::parse(text).map_or(text.into(), |amount| amount.to_string().into())
            }
            Kind::Integer(..) if CANONICAL.contains(&name) => {
                text.parse::<i64>().map_or(text.into(), |number| number.to_string().into())
            }
            _ => text.into(),
        }
    }
}

/// A warning for each id that is given as a number which many languages round.
pub(crate) fn rounded_ids(schema: &'static Schema, given: &Object<'_>) -> Vec<Warning> {
    let fields = schema.fields.iter();
    fields.filter_map(|field| rounded_id(field, given.given(field.name)?)).collect()
}

/// Whether a field of that kind holds what a language may have rounded, or what is cut.
fn may_be_warned_about(kind: &Kind) -> bool {
    match kind {
        Kind::Note(_) => true,
        Kind::List(of, _) => names_something(of),
        single => names_something(single),
    }
}

fn names_something(kind: &Kind) -> bool {
    matches!(kind, Kind::Digits | Kind::Id | Kind::Coupon | Kind::Exact(_) | Kind::BizId)
}

fn rounded_id(field: &Field, value: &Value<'_>) -> Option<Warning> {
    let (kind, values) = match (&field.kind, value.as_array()) {
        (Kind::List(of, _), Some(list)) => (*of, list),
        (kind, _) => (kind, std::slice::from_ref(value)),
    };
    if !names_something(kind) {
        return None;
    }
    let rounded = |value: &&Value<'_>| {
        matches!(value.kind(), json::ValueKind::Number) && is_unsafe_integer(value.raw())
    };
    values.iter().find(rounded).map(|value| {
        let (name, number) = (field.name, value.raw());
        let message = format!("{name} is the number {number}: send ids as text, many languages round it");
        Warning::new(&codes::WARN_NUMBER, message)
    })
}

/// The fields that name the member.
const MEMBERS: [&str; 2] = ["customerId", "user_id"];

/// An opened object with capacity for this many bytes.
fn opened(room: usize, is_secret: bool) -> Wiped {
    let mut out = Wiped::with_capacity(room + 2, is_secret);
    out.push('{');
    out
}

/// Capacity for all members, however they are written: a buffer that grows would leave copies of a password behind,
/// and one that is much too large takes long to wipe.
fn most_written(object: &Object<'_>) -> usize {
    let most = |value: &Value<'_>| match value.kind() {
        // Without escapes it is written as it came.
        json::ValueKind::String(Cow::Borrowed(_)) => value.raw().len(),
        json::ValueKind::String(Cow::Owned(text)) => most_string_length(text).max(value.raw().len()),
        // Numbers get quotes, and `\b` becomes `\u0008`.
        json::ValueKind::Array(_) | json::ValueKind::Object(_) => 3 * value.raw().len(),
        json::ValueKind::Null | json::ValueKind::Bool(_) | json::ValueKind::Number => value.raw().len() + 2,
    };
    // Amounts get their decimals.
    object.iter().map(|(name, value)| most_string_length(name) + most(value) + 5).sum()
}

/// Digits that are valid as a JSON number: no leading zero, and within a bigint.
fn is_plain_number(text: &str) -> bool {
    let is_number = !text.starts_with('0') && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text == "0" || (is_number && text.parse::<i64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::{CONSUME_REQUEST, QUOTE_REQUEST};

    #[test]
    fn params_that_may_hold_a_password_are_wiped() {
        let is_wiped = |schema, text: &str, unknown| {
            let value = Value::parse(text).unwrap();
            let rules =
                RequestRules { unknown, password_over_http: false, plain_http: false, numbers: false };
            let params =
                ParamsWriter::new(schema, value.as_object().unwrap(), &Object::default(), rules).write();
            params.0.is_secret
        };
        assert!(is_wiped(&CONSUME_REQUEST, r#"{"bizId":"1","payPassword":"2"}"#, Unknown::Refuse));
        assert!(!is_wiped(&CONSUME_REQUEST, r#"{"bizId":"1"}"#, Unknown::Refuse));
        assert!(!is_wiped(&QUOTE_REQUEST, r#"{"user_id":"1"}"#, Unknown::Refuse));
        // What nobody has documented may be anything.
        assert!(is_wiped(&QUOTE_REQUEST, r#"{"user_id":"1"}"#, Unknown::Pass));
        assert!(Params::of(Value::parse("{}").unwrap().as_object().unwrap()).0.is_secret);
    }
}
