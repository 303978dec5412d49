//! The invariants, checked against the gateway's own ledger, the durable journal and every answer to a till.

use std::collections::{BTreeMap, BTreeSet};

use zvpos_core::gateway::Identity;
use zvpos_core::outcome::Outcome;
use zvpos_core::payment::{Entry, OnUnknown, Stage};

use crate::assumption::{Deeds, Off, may_say_not_taken, may_say_taken, out_of_bounds};
use crate::journal::SimJournal;

/// A broken invariant.
#[derive(Clone, Debug)]
pub struct Violation {
    /// `I1` to `I6`.
    pub invariant: &'static str,
    /// What was seen.
    pub message: String,
}

/// Judges one seed and keeps its first violation.
#[derive(Debug)]
pub struct Oracle {
    off: Off,
    deeds: BTreeMap<String, Deeds>,
    /// What has left under each bizId, and in how many attempts.
    left: BTreeMap<String, (Identity, u32)>,
    /// The first broken invariant; the seed ends there.
    pub violation: Option<Violation>,
}

impl Oracle {
    /// An oracle for that world.
    pub fn new(off: Off) -> Oracle {
        Oracle { off, deeds: BTreeMap::new(), left: BTreeMap::new(), violation: None }
    }

    /// Notes that an invariant is broken.
    pub fn broken(&mut self, invariant: &'static str, message: String) {
        self.violation.get_or_insert(Violation { invariant, message });
    }

    /// What the gateway did under a bizId.
    pub fn deeds(&mut self, biz_id: &str) -> &mut Deeds {
        self.deeds.entry(biz_id.to_owned()).or_default()
    }

    /// A request leaves. Only one may ever leave under a bizId: of two sums nobody could say which was taken, nor which a
    /// reversal undoes.
    pub fn leaves(&mut self, biz_id: &str, identity: &Identity) {
        let (known, attempts) = self.left.entry(biz_id.to_owned()).or_insert((identity.clone(), 0));
        *attempts += 1;
        if known != identity {
            self.broken("I1", format!("{biz_id}: two requests leave under it"));
        }
    }

    /// No byte of an attempt has left.
    pub fn has_not_left(&mut self, biz_id: &str) {
        if let Some((_, attempts)) = self.left.get_mut(biz_id) {
            *attempts -= 1;
            if *attempts == 0 {
                self.left.remove(biz_id);
            }
        }
    }

    /// Every bizId that reached the gateway.
    pub fn all_deeds(&self) -> impl Iterator<Item = (&String, &Deeds)> {
        self.deeds.iter()
    }

    /// S of a bizId.
    pub fn net(&self, biz_id: &str) -> i64 {
        self.deeds.get(biz_id).map_or(0, |deeds| deeds.net)
    }

    /// I1, and I3 as far as the durable word goes: after each act of the gateway and after each commit.
    pub fn judge(&mut self, biz_id: &str, journal: &SimJournal) {
        let Some(deeds) = self.deeds.get(biz_id).cloned() else {
            return self.judge_untouched(biz_id, journal);
        };
        if let Some(message) = out_of_bounds(self.off, &deeds) {
            return self.broken("I1", format!("{biz_id}: {message}"));
        }
        let Some(entry) = journal.find(biz_id) else { return };
        self.judge_stage(entry, &deeds);
    }

    fn judge_untouched(&mut self, biz_id: &str, journal: &SimJournal) {
        if let Some(entry) = journal.find(biz_id) {
            self.judge_stage(entry, &Deeds::default());
        }
    }

    fn judge_stage(&mut self, entry: &Entry, deeds: &Deeds) {
        let stage = entry.stage();
        let true_word = match stage {
            Stage::Succeeded | Stage::Kept => may_say_taken(self.off, deeds),
            Stage::Declined | Stage::NotSent | Stage::Reversed | Stage::Undone => {
                may_say_not_taken(self.off, deeds)
            }
            Stage::Sending | Stage::Unknown | Stage::Reversing | Stage::Refused | Stage::Unproven => true,
        };
        if !true_word {
            // A word that only a late arrival has made false is a resurrection.
            let invariant = if stage == Stage::Reversed && deeds.came_late { "I6" } else { "I3" };
            self.broken(
                invariant,
                format!("{} stands as {} and S is {}", entry.key().biz_id, stage.as_str(), deeds.net),
            );
        }
    }

    /// I3 at a tell. A word is true if it was when the journal was last asked, or is now: another thread may have
    /// had the sale reversed in between, and the till has asked for that itself.
    pub fn told(&mut self, biz_id: &str, outcome: Outcome, then: &Deeds, journal_failed: bool) {
        let now = self.deeds.get(biz_id).cloned().unwrap_or_default();
        let true_word = match outcome {
            Outcome::Succeeded => may_say_taken(self.off, then) || may_say_taken(self.off, &now),
            Outcome::Declined | Outcome::NotSent | Outcome::Reversed => {
                may_say_not_taken(self.off, then) || may_say_not_taken(self.off, &now)
            }
            Outcome::Invalid
            | Outcome::Unknown
            | Outcome::Internal
            | Outcome::Conflict
            | Outcome::Running => true,
        };
        if !true_word {
            let invariant = if journal_failed { "I5" } else { "I3" };
            self.broken(invariant, format!("{biz_id} was told {} and S is {}", outcome.as_str(), now.net));
        }
    }

    /// I2 after 60 s with a well gateway: `settled_late` says that the late-arrival window is over too; what is to be
    /// undone for less than 60 s is `young`. A process that ended before it could record what it had sent late is excused
    /// unless `late_senders` asks for it.
    pub fn judge_recovered(
        &mut self,
        journal: &SimJournal,
        settled_late: bool,
        young: &BTreeSet<String>,
        late_senders: bool,
    ) {
        let mut broken = None;
        for entry in journal.all() {
            let biz_id = entry.key().biz_id.as_str();
            let deeds = self.deeds.get(biz_id).cloned().unwrap_or_default();
            if young.contains(biz_id) {
                continue;
            }
            if settled_late && deeds.zombie && (late_senders || !deeds.zombie_lost) {
                let said = entry.stage() == Stage::Reversed;
                if said && !may_say_not_taken(self.off, &Deeds { zombie: false, ..deeds.clone() }) {
                    broken = Some(("I6", format!("{biz_id} stays reversed and S is {}", deeds.net)));
                    break;
                }
            }
            let held = entry.on_unknown() == OnUnknown::Hold && !entry.detail().reversal.asked;
            let open = match entry.stage() {
                Stage::Reversing | Stage::Sending => true,
                Stage::Unknown => !held,
                _ => false,
            };
            // Where a person may still decide, only the stage has to be the right one.
            let excused = deeds.net == 0
                || (deeds.net < 0 && out_of_bounds(self.off, &deeds).is_none())
                // An original that came after its reversal: until the window is over, once more.
                || (!settled_late && deeds.came_late)
                // With G1 off a lost consume is not found, which says something only when the window is over.
                || (!settled_late && self.off == Off::Reversible && deeds.blind)
                // With G5 off a refusal, too, says something only then.
                || (!settled_late && self.off == Off::Late);
            if open && !excused {
                let invariant = if deeds.came_late { "I6" } else { "I2" };
                broken = Some((
                    invariant,
                    format!("{biz_id} is still {} and S is {}", entry.stage().as_str(), deeds.net),
                ));
                break;
            }
            if settled_late && entry.stage() == Stage::Reversing {
                broken = Some(("I2", format!("{biz_id} is reversed for ever: no answer settles it")));
                break;
            }
        }
        if let Some((invariant, message)) = broken {
            self.broken(invariant, message);
        }
    }
}
