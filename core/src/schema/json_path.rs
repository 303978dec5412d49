//! Where in a request or an answer something is, written only when there is something to say about it.

use std::fmt;

/// See the module's words.
#[derive(Clone, Copy, Debug)]
pub(super) enum JsonPath<'p> {
    /// What the caller calls it; empty for the outermost object.
    Root(&'p str),
    /// A member of an object.
    Member(&'p JsonPath<'p>, &'p str),
    /// An entry of a list.
    Entry(&'p JsonPath<'p>, usize),
}

impl fmt::Display for JsonPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonPath::Root(name) | JsonPath::Member(JsonPath::Root(""), name) => f.write_str(name),
            JsonPath::Member(object, name) => write!(f, "{object}.{name}"),
            JsonPath::Entry(list, index) => write!(f, "{list}[{index}]"),
        }
    }
}
