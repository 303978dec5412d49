//! Whether a refused request is signed and sent a second time.

/// One request's right to be signed again: once. A request that was refused for its signature had no effect
/// (docs/gateway.md, section 2), and signing it again helps only if the same answer shows that the till's clock was off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resign {
    used: bool,
}

impl Resign {
    /// The right that is left after one use; `None` if it was used before.
    pub(crate) fn again(self) -> Option<Resign> {
        (!self.used).then_some(Resign { used: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_signed_again_once() {
        let used = Resign::default().again().unwrap();
        assert_eq!(used.again(), None);
    }
}
