//! Delayed requests: executed after a time, or once their own reversal has overtaken them.

use std::collections::VecDeque;

use crate::rules::Peek;

use super::connection::Request;

/// The maximum number of delayed requests; beyond it the oldest is executed at once.
const DELAYED_MAX: usize = 200;

/// A delayed request.
pub(super) struct Late {
    pub(super) number: u64,
    pub(super) until_reversed: bool,
    pub(super) peek: Peek,
    pub(super) request: Request,
}

/// The delayed requests, the oldest first.
#[derive(Default)]
pub(super) struct Delayed(VecDeque<Late>);

impl Delayed {
    /// Adds a request; returns the oldest one if there are too many.
    pub(super) fn add(&mut self, late: Late) -> Option<Late> {
        self.0.push_back(late);
        if self.0.len() > DELAYED_MAX { self.0.pop_front() } else { None }
    }

    /// Removes the oldest such request.
    pub(super) fn take(&mut self, wanted: impl Fn(&Late) -> bool) -> Option<Late> {
        let at = self.0.iter().position(wanted)?;
        self.0.remove(at)
    }
}
