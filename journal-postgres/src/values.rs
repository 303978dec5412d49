//! What is asked for, as the values of a statement.

use tokio_postgres::types::Type;
use zvpos_core::payment::{Key, Owner};

use crate::connection::Parameter;

/// The key as the first three values of a statement.
pub(crate) struct KeyOf<'k>(pub(crate) &'k str, pub(crate) &'k str, pub(crate) &'k str);

impl<'k> KeyOf<'k> {
    /// Those of a key.
    pub(crate) fn of(key: &'k Key) -> KeyOf<'k> {
        KeyOf(&key.open_id, &key.environment, key.biz_id.as_str())
    }

    /// With their types.
    pub(crate) fn parameters(&self) -> [Parameter<'_>; 3] {
        [(&self.0, Type::TEXT), (&self.1, Type::TEXT), (&self.2, Type::TEXT)]
    }
}

/// The keys as three lists.
pub(crate) fn keys<'k>(keys: impl Iterator<Item = &'k Key>) -> [Vec<&'k str>; 3] {
    let mut lists = [Vec::new(), Vec::new(), Vec::new()];
    let [open_ids, environments, biz_ids] = &mut lists;
    for key in keys {
        open_ids.push(key.open_id.as_str());
        environments.push(key.environment.as_str());
        biz_ids.push(key.biz_id.as_str());
    }
    lists
}

/// The names of nodes.
pub(crate) fn names(owners: &[Owner]) -> Vec<&str> {
    owners.iter().map(|owner| owner.0.as_str()).collect()
}
