//! Writing a request: the params in one pass into one buffer, and the signed envelope around them.

use crate::json::{self, Object, Value, most_string_length, push_string};
use crate::outcome::Problem;
use crate::shape::{Field, Kind, Shape, Unknown, check, may};

use super::{Credentials, Generation, Route, SignNames};

/// Which account a request is for: the library's own field, which does not leave the till.
pub const ACCOUNT: Field =
    may("account", Kind::Text(64), "which configured account; may be left out where there is only one");

/// With which journal an attempt was made: the library's own field, which does not leave the till.
pub const JOURNAL_ID: Field = may(
    "journal_id",
    Kind::Text(64),
    "data.journal_id of zv_init, as the till has stored it with its attempt before it was made",
);

/// The fields of a request that are the library's own and do not leave the till.
const OWN: [&str; 2] = [ACCOUNT.name, JOURNAL_ID.name];

/// What the configuration says about reading a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestRules {
    /// What to do with a field that nobody has documented.
    pub unknown: Unknown,
    /// Whether a payment password may leave over plain http.
    pub password_over_http: bool,
    /// Whether the route is plain http.
    pub plain_http: bool,
    /// Whether plain digits go as numbers.
    pub numbers: bool,
}

/// The params of one request as JSON text: what is signed around and sent. They may hold a payment password,
/// so they show in no output and are wiped.
#[derive(Clone)]
pub struct Params(zeroize::Zeroizing<String>);

impl Params {
    /// The members of `object` exactly as they are written, but for [`ACCOUNT`].
    pub fn of(object: &Object<'_>) -> Params {
        let mut out = opened(most_written(object));
        for (name, value) in object.iter().filter(|(name, _)| *name != ACCOUNT.name) {
            open_member(&mut out, name);
            out.push_str(value.raw());
        }
        out.push('}');
        Params(out)
    }

    /// Texts under these names, in this order.
    pub fn of_texts<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Params {
        let mut out = opened(256);
        for (name, text) in texts {
            open_member(&mut out, name);
            push_string(&mut out, text);
        }
        out.push('}');
        Params(out)
    }

    /// Params that are JSON text already: one object.
    pub fn from_json(object: String) -> Params {
        Params(zeroize::Zeroizing::new(object))
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
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
    ) -> zeroize::Zeroizing<String> {
        let capital = route.generation == Generation::V2;
        let signature = credentials.sign(names, capital, unix_seconds, nonce);
        let [open_id, grant_code, token, timestamp, nonce, params] = if capital {
            ["OpenId", "GrantCode", "Token", "Timestamp", "Nonce", "Params"]
        } else {
            ["openId", "grantCode", "token", "timestamp", "nonce", "params"]
        };
        // Room for everything at once: a buffer that grows would leave copies of a password behind.
        let texts = [credentials.open_id(), credentials.grant_code(), &route.action];
        let room = self.0.len() + texts.into_iter().map(most_string_length).sum::<usize>() + 256;
        let mut body = zeroize::Zeroizing::new(String::with_capacity(room));
        for (opening, name, value) in [
            ("{\"", open_id, credentials.open_id()),
            (",\"", grant_code, credentials.grant_code()),
            (",\"", token, &signature.token),
            (",\"", timestamp, &signature.timestamp),
            (",\"", nonce, &signature.nonce),
        ] {
            body.push_str(opening);
            body.push_str(name);
            body.push_str("\":");
            push_string(&mut body, value);
        }
        if capital {
            body.push_str(",\"Action\":");
            push_string(&mut body, &route.action);
        }
        body.push_str(",\"");
        body.push_str(params);
        body.push_str("\":");
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

/// Holds a request against its table and writes its params.
pub struct ParamsWriter<'r> {
    shape: &'static Shape,
    given: &'r Object<'r>,
    defaults: &'r Object<'r>,
    rules: RequestRules,
}

impl<'r> ParamsWriter<'r> {
    /// `defaults` are the configuration's, merged where the request leaves a field out.
    pub fn new(
        shape: &'static Shape,
        given: &'r Object<'r>,
        defaults: &'r Object<'r>,
        rules: RequestRules,
    ) -> ParamsWriter<'r> {
        ParamsWriter { shape, given, defaults, rules }
    }

    /// Checks every field of the request itself; defaults were checked with the configuration.
    pub fn check(&self, problems: &mut Vec<Problem>) {
        check(self.shape, self.given, self.defaults, "", self.rules.unknown, problems);
    }

    /// The field, from the request or else from the defaults; `None` when it is blank.
    pub fn field(&self, name: &str) -> Option<&'r Value<'r>> {
        self.given.given(name).or_else(|| self.defaults.given(name))
    }

    /// The field's text.
    pub fn text(&self, name: &str) -> Option<&'r str> {
        self.field(name).and_then(Value::scalar)
    }

    /// Writes what was given in the table's order, scalars as strings (DOC: every sample), then unknown fields
    /// that the configuration lets pass, exactly as they came.
    pub fn write(&self) -> Params {
        let mut out = opened(most_written(self.given) + most_written(self.defaults));
        for field in self.shape.fields.iter().filter(|field| !OWN.contains(&field.name)) {
            if let Some(value) = self.field(field.name) {
                open_member(&mut out, field.name);
                self.push(&mut out, &field.kind, value);
            }
        }
        if self.rules.unknown == Unknown::Pass {
            for (name, value) in self.given.iter() {
                if self.shape.field(name).is_none() {
                    open_member(&mut out, name);
                    out.push_str(value.raw());
                }
            }
        }
        out.push('}');
        Params(out)
    }

    fn push(&self, out: &mut String, kind: &'static Kind, value: &Value<'_>) {
        match kind {
            Kind::List(of, _) => {
                out.push('[');
                for (index, item) in value.as_array().unwrap_or_default().iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    self.push(out, of, item);
                }
                out.push(']');
            }
            Kind::Object(shape) => {
                let Some(object) = value.as_object() else { return };
                out.push('{');
                for field in shape.fields {
                    if let Some(value) = object.given(field.name) {
                        open_member(out, field.name);
                        self.push(out, &field.kind, value);
                    }
                }
                out.push('}');
            }
            scalar => {
                let text = value.scalar().unwrap_or_default();
                let numeric = matches!(scalar, Kind::Digits | Kind::Integer(..) | Kind::OneOf(_));
                if self.rules.numbers && numeric && is_plain_number(text) {
                    out.push_str(text);
                } else {
                    push_string(out, text);
                }
            }
        }
    }
}

/// An object that is begun, with room for so many bytes.
fn opened(room: usize) -> zeroize::Zeroizing<String> {
    let mut out = zeroize::Zeroizing::new(String::with_capacity(room + 2));
    out.push('{');
    out
}

fn open_member(out: &mut String, name: &str) {
    // No value ends like that.
    if !out.ends_with('{') {
        out.push(',');
    }
    push_string(out, name);
    out.push(':');
}

/// Room for all members however they are written: a buffer that grows would leave copies of a password behind, and
/// one that is much too large takes long to wipe.
fn most_written(object: &Object<'_>) -> usize {
    let most = |value: &Value<'_>| match value.kind() {
        json::Kind::String(text) => most_string_length(text).max(value.raw().len()),
        // Numbers get quotes, and `\b` becomes `\u0008`.
        json::Kind::Array(_) | json::Kind::Object(_) => 3 * value.raw().len(),
        json::Kind::Null | json::Kind::Bool(_) | json::Kind::Number => value.raw().len() + 2,
    };
    object.iter().map(|(name, value)| most_string_length(name) + most(value) + 2).sum()
}

/// Digits that JSON takes as a number: no leading zero.
fn is_plain_number(text: &str) -> bool {
    text == "0" || (!text.starts_with('0') && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
}
