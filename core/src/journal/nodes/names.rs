//! The names of this node: a new one after each time it was declared dead.

use std::sync::OnceLock;

use crate::payment::Owner;

/// The names that a node has had, oldest first. A name is never taken back, so that a reference to it stays valid.
pub(super) struct Names {
    name: Owner,
    next: OnceLock<Box<Names>>,
}

impl Names {
    pub(super) fn new(name: Owner) -> Names {
        Names { name, next: OnceLock::new() }
    }

    fn all(&self) -> impl Iterator<Item = &Names> {
        std::iter::successors(Some(self), |names| names.next.get().map(AsRef::as_ref))
    }

    /// The present name.
    pub(super) fn present(&self) -> &Owner {
        self.all().last().map_or(&self.name, |names| &names.name)
    }

    /// Every name, the present one among them.
    pub(super) fn every(&self) -> impl Iterator<Item = &Owner> {
        self.all().map(|names| &names.name)
    }

    /// Whether it is or was a name of this node.
    pub(super) fn has(&self, name: &Owner) -> bool {
        self.every().any(|own| own == name)
    }

    /// From now on the node has that name. Called by one thread at a time.
    pub(super) fn change(&self, name: Owner) {
        if let Some(last) = self.all().last() {
            let _ = last.next.set(Box::new(Names::new(name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_name_is_the_present_one_and_the_others_are_known() {
        let names = Names::new(Owner("a".into()));
        let first = names.present();
        names.change(Owner("b".into()));
        names.change(Owner("c".into()));
        assert_eq!((first.0.as_str(), names.present().0.as_str()), ("a", "c"));
        assert!(names.has(&Owner("b".into())) && !names.has(&Owner("d".into())));
        assert_eq!(names.every().count(), 3);
    }
}
