//! What is assumed of the gateway (docs/money-safety.md, G1 to G5), and what may honestly be claimed where one of
//! them does not hold. Everything that is not excused here is held to the full invariants in every world.
//!
//! | off | what nobody can know | what is excused, and nothing else |
//! |---|---|---|
//! | none | | |
//! | G1 | that an account answers with other bizIds, before the first such answer is on record; then a reversal by the sent bizId finds nothing, or says success | `reversed` with S = 1 where the last reversal left by the sent bizId while the journal held no other bizId of the account; afterwards it must end `unproven` |
//! | G2 twice | whether a reversal whose answer was lost has acted | S below 0, only where two reversals or more reached the gateway; never S = 1 under `reversed` |
//! | G2 deaf | that an original came after its reversal was answered, where the repeated reversal says "done" without looking | `reversed` with S = 1, only where the consume acted after a reversal had reached the gateway |
//! | G3 | that the network delivered a copy which acted again | S above 1, only where a copy reached the gateway (a sale that is tried again after a false `declined` included); `reversed` with what copies took after the last reversal acted; before any reversal `declined` with what the copies took, because a copy that is refused speaks for the first |
//! | G4 | that a refusal had an effect | `declined` (and `not_sent` or `reversed` built on it) with S = 1, only where a refusal of that bizId took something that no reversal gave back |
//! | G5 | nothing: the gateway says that it is too late | nothing; it ends `refused` |
//!
//! G3 is read as: all copies of one request come to what the first one came to. So a copy of a request that was
//! refused, or whose answer came whole, does nothing; and where a copy's own answer is another one ("duplicate"), its
//! code stands under `codes.in_doubt`. Without that no library could take any answer for proof. A refund that the network
//! delivers twice is a limit in every world: where only the refusal of the second copy comes back, the sale is said to
//! stand (docs/money-safety.md).

/// Which assumption does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Off {
    /// All hold.
    Nothing,
    /// A lost consume cannot be reversed by the bizId that was sent.
    Reversible,
    /// A repeated reversal acts again.
    ActsTwice,
    /// A repeated reversal does not act on an original that came late.
    Deaf,
    /// A request that was delivered twice acts twice.
    Copies,
    /// A refusal can have an effect.
    CleanRefusals,
    /// A reversal can come too late, or be refused altogether.
    Late,
}

impl Off {
    /// Its name in the counters.
    pub fn name(self) -> &'static str {
        match self {
            Off::Nothing => "G1 to G5 hold",
            Off::Reversible => "G1 off",
            Off::ActsTwice => "G2 off: acts twice",
            Off::Deaf => "G2 off: deaf to a late original",
            Off::Copies => "G3 off",
            Off::CleanRefusals => "G4 off",
            Off::Late => "G5 off",
        }
    }
}

/// What the gateway did under one bizId, as far as the excuses need it.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
pub struct Deeds {
    /// The net effect S.
    pub net: i64,
    /// Reversals that reached the gateway's rules.
    pub reversals: u32,
    /// A consume acted after a reversal had reached the rules.
    pub came_late: bool,
    /// A copy of the consume has reached the rules.
    pub copied: bool,
    /// A copy of a reversal has reached the rules: its refusal may come back for the first, which acted.
    pub reversal_copied: bool,
    /// Copies that acted since a reversal last acted.
    pub copies_since_reversal: i64,
    /// A refusal took something, and no reversal has acted since.
    pub dirty_refusal: bool,
    /// The last reversal left by the sent bizId, with no other bizId on record.
    pub blind: bool,
    /// The consume left after its living process had been taken for dead. Until its end is known nothing that was said
    /// before may be compared with it; in the end it must be.
    pub zombie: bool,
    /// That process ended, or could not record, before it learnt how it ended.
    pub zombie_lost: bool,
}

/// Why `0 <= S <= 1` does not hold; `None` where it does or is excused.
pub fn out_of_bounds(off: Off, deeds: &Deeds) -> Option<String> {
    let low = if off == Off::ActsTwice && deeds.reversals >= 2 { i64::MIN } else { 0 };
    let high = if off == Off::Copies && deeds.copied { i64::MAX } else { 1 };
    (deeds.net < low || deeds.net > high).then(|| format!("S is {}", deeds.net))
}

/// Whether "it is taken" may be said.
pub fn may_say_taken(off: Off, deeds: &Deeds) -> bool {
    deeds.net == 1
        || (off == Off::Copies && deeds.copied && deeds.net > 1)
        || (deeds.reversal_copied && deeds.net == 0)
}

/// Whether "nothing is taken" may be said.
pub fn may_say_not_taken(off: Off, deeds: &Deeds) -> bool {
    deeds.net == 0
        || (deeds.zombie && deeds.net == 1)
        || match off {
            Off::Nothing | Off::Late => false,
            Off::Reversible => deeds.blind && deeds.net == 1,
            Off::ActsTwice => deeds.net < 0 && deeds.reversals >= 2,
            Off::Deaf => deeds.net == 1 && deeds.came_late,
            // The answer of a copy that was refused stands for the first, which was not.
            Off::Copies if deeds.reversals == 0 => deeds.copied && deeds.net > 0,
            Off::Copies => (1..=deeds.copies_since_reversal).contains(&deeds.net),
            Off::CleanRefusals => deeds.net == 1 && deeds.dirty_refusal,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_all_hold_nothing_is_excused() {
        for off in [Off::Nothing, Off::Late] {
            let taken = Deeds {
                net: 1,
                reversals: 9,
                came_late: true,
                copied: true,
                reversal_copied: false,
                copies_since_reversal: 9,
                dirty_refusal: true,
                blind: true,
                zombie: false,
                zombie_lost: true,
            };
            assert!(!may_say_not_taken(off, &taken) && may_say_taken(off, &taken));
            assert!(out_of_bounds(off, &Deeds { net: 2, ..taken.clone() }).is_some());
            assert!(out_of_bounds(off, &Deeds { net: -1, ..taken }).is_some());
        }
    }
}
