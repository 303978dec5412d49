//! Tables of fields: what a request, an answer or the configuration may hold. One table serves the check that
//! names every mistake, the normalised answer, the JSON Schema and the documentation, so they cannot drift apart.

mod check;
mod json_path;
pub mod json_schema;
mod normalise;
mod text;

pub use check::{Unknown, check};
pub use normalise::{Ids, exact_for_hosts, normalise_object, normalise_value};
pub use text::{code_problem, cut_note, is_name_of_exact, is_name_of_words, is_unsafe_integer, trimmed_id};

/// A named set of fields.
#[derive(Debug)]
pub struct Schema {
    /// How it is called in messages: "a consume", "the configuration".
    pub name: &'static str,
    /// What it is, and rules that no single field shows.
    pub doc: &'static str,
    /// Its fields, in the order in which they are written.
    pub fields: &'static [Field],
}

/// One field.
#[derive(Debug)]
pub struct Field {
    /// The name, spelled as on the wire.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether it must be given whatever else is.
    pub required: bool,
    /// What it means, its unit and its default.
    pub doc: &'static str,
}

/// What a field may hold.
#[derive(Debug)]
pub enum Kind {
    /// Text of at most so many characters, without control characters.
    Text(usize),
    /// Where a file is: a text, and nothing else that would be read as one.
    Path,
    /// Text that no message ever shows.
    Secret(usize),
    /// The till's own transaction id; see [`crate::money::BizId`].
    BizId,
    /// An id: digits only, of any length, never through a number. What a scanner adds at its ends is cut.
    Digits,
    /// The same, of which the vendor says that it is a text.
    Id,
    /// A coupon: an id, or a scanned code of at most 64 characters, which is never changed.
    Coupon,
    /// Text of at most so many characters that names something and is never changed; a number only of plain digits.
    Exact(usize),
    /// Text for people, cut after so many characters and without its line breaks instead of being refused.
    Note(usize),
    /// A whole number between the two, both included.
    Integer(i64, i64),
    /// One of these whole numbers.
    OneOf(&'static [i64]),
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// 元 with at most two decimals.
    Money,
    /// A decimal of any precision, kept as text.
    Decimal,
    /// A list of at most so many of these.
    List(&'static Kind, usize),
    /// An object with these fields.
    Object(&'static Schema),
    /// An object whose keys are names and whose values have these fields.
    Map(&'static Schema),
    /// Anything.
    Any,
}

impl Schema {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A field that may be left out.
pub const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { name, kind, required: false, doc }
}

/// A field that must be given.
pub const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { name, kind, required: true, doc }
}
