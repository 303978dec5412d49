//! Amounts of the gateway and the till, such as `12.00`, as whole 分.

use zvpos_core::money::Amount;
pub(crate) use zvpos_core::money::yuan;

/// The 分 of a decimal with at most two fractional digits; `None` for any other text.
pub(crate) fn fen(text: &str) -> Option<i64> {
    i64::try_from(Amount::parse(text).ok()?.fen()).ok()
}
