//! Where in a request or an answer something is, written only when there is something to say about it.

use std::fmt;

/// See the module's words.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'p> {
    /// What the caller calls it; empty for the outermost object.
    Root(&'p str),
    /// A member of an object.
    Member(&'p Place<'p>, &'p str),
    /// An entry of a list.
    Entry(&'p Place<'p>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Root(name) | Place::Member(Place::Root(""), name) => f.write_str(name),
            Place::Member(object, name) => write!(f, "{object}.{name}"),
            Place::Entry(list, index) => write!(f, "{list}[{index}]"),
        }
    }
}
