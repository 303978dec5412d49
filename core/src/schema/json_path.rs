//! The path of a value in a request or an answer, formatted only when there is something to report.

use std::fmt;

/// A path, as a chain of links from the value to the root.
#[derive(Clone, Copy, Debug)]
pub(super) enum JsonPath<'p> {
    /// The caller's name for the outermost object; may be empty.
    Root(&'p str),
    /// A member of an object.
    Member(&'p JsonPath<'p>, &'p str),
    /// An entry of an array.
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
