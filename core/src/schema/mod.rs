//! Schemas: the fields of a request, an answer or the configuration. One table is used for the check that reports
//! every mistake, for the normalised answer, for the JSON Schema and for the documentation, so they cannot diverge.

mod check;
mod json_path;
mod normalise;
mod text;

pub use check::{Unknown, check};
pub use normalise::Ids;
pub(crate) use normalise::{exact_for_hosts, normalise_object, normalise_value};
pub(crate) use text::{
    code_problem, cut_note, is_name_of_exact, is_name_of_words, is_unsafe_integer, trimmed_id,
};

/// A named set of fields.
#[derive(Debug)]
pub struct Schema {
    /// Its name in messages: "a consume", "the configuration".
    pub name: &'static str,
    /// A description, and the rules that concern several fields.
    pub doc: &'static str,
    /// Its fields, in the order in which they are written.
    pub fields: &'static [Field],
}

/// One field.
#[derive(Debug)]
pub struct Field {
    /// The name, spelled as on the wire.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// Whether it is required in every case.
    pub required: bool,
    /// Its meaning, unit and default.
    pub doc: &'static str,
    /// Whether it is the library's own, so that it is not sent.
    pub own: bool,
}

/// The type of a field's value.
#[derive(Debug)]
pub enum Kind {
    /// A string of at most this many characters, without control characters.
    Text(usize),
    /// The path of a file: a string; a number or boolean is refused.
    Path,
    /// A string that no message ever shows.
    Secret(usize),
    /// The till's own transaction id; see [`crate::money::BizId`].
    BizId,
    /// An id: digits only, of any length, never converted to a number. What a scanner adds at its ends is cut.
    Digits,
    /// As `Digits`; the vendor documents its type as a string.
    Id,
    /// A coupon: an id, or a scanned code of at most 64 characters, which is never changed.
    Coupon,
    /// A string of at most this many characters that names something and is never changed; a number only of plain
    /// digits.
    Exact(usize),
    /// Text for people: cut after this many characters and freed of line breaks, instead of being refused.
    Note(usize),
    /// An integer between the two, both included.
    Integer(i64, i64),
    /// One of these integers.
    OneOf(&'static [i64]),
    /// One of these strings.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// An amount in 元 with at most two decimals.
    Money,
    /// A decimal of any precision, kept as text.
    Decimal,
    /// An array of at most this many of these.
    List(&'static Kind, usize),
    /// An object with these fields.
    Object(&'static Schema),
    /// An object whose keys are names and whose values have these fields.
    Map(&'static Schema),
    /// Any value.
    Any,
}

impl Schema {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// An optional field.
pub const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { name, kind, required: false, doc, own: false }
}

/// An optional field that is the library's own and is not sent.
pub(crate) const fn own(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { name, kind, required: false, doc, own: true }
}

/// A required field.
pub const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { name, kind, required: true, doc, own: false }
}
