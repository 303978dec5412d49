//! What leaves a process meets its fault, and what arrives is handled by the real rules.

use zvpos_sandbox::rules::{Tree, codes};

use crate::assumption::Off;
use crate::mutant::Mutant;
use crate::network::{Fault, Purpose, Request};
use crate::process::EPOCH_MS;
use crate::world::World;

impl World {
    /// Sends a request into the network; gives the exchange's number and when it ends for the sender.
    pub fn dispatch(&mut self, process: usize, request: Request, deadline: u64) -> (u64, u64) {
        let fault = self.draw_fault(&request);
        let (purpose, biz_id) = (request.purpose, request.biz_id.clone());
        if let Some(fault) = fault {
            self.figures.fault(fault.name());
        }
        self.say(&format!("P{process}"), || {
            format!("{biz_id} sends {purpose:?}: {}", fault.map_or("no fault", Fault::name))
        });
        self.figures.count(match purpose {
            Purpose::Consume => "consumes sent",
            Purpose::Reverse => "reversals sent",
            Purpose::Records => "records asked",
        });
        self.wire.send(&mut self.random, fault, request, self.now, deadline, self.plan.late_ms)
    }

    fn draw_fault(&mut self, request: &Request) -> Option<Fault> {
        // What leaves after its process was taken for dead may be the slower for it.
        let zombie = request.purpose == Purpose::Consume && self.oracle.deeds(&request.biz_id).zombie;
        if zombie && self.random.per_mille(500) {
            return Some(Fault::Overtaken);
        }
        if self.quiet {
            return None;
        }
        let away = self.now < self.outage_until
            || (request.purpose == Purpose::Reverse && self.now < self.no_reversal_until);
        if away {
            return Some(self.random.pick(Fault::Refused, &[Fault::Lost, Fault::ConnectHangs]));
        }
        if !self.random.per_mille(self.plan.faulty) {
            return None;
        }
        let at = self.random.index(self.plan.faults.len());
        self.plan.faults.get(at).copied()
    }

    /// The next thing on its way arrives.
    pub fn arrive(&mut self) {
        let Some((id, copy, request, first_acted)) = self.wire.arrive() else { return };
        let biz_id = request.biz_id.as_str();
        // G3: a copy comes to what the first one came to.
        let void = copy > 0
            && !self.copies_act()
            && first_acted != Some(true)
            && self.mutant != Some(Mutant::CopyAfterRefusal);
        if void {
            self.say("network", || format!("{biz_id}: a copy comes to nothing"));
            self.wire.answered(id, copy, None);
            return;
        }
        let consume = request.purpose == Purpose::Consume;
        if copy > 0 && self.copies_act() && consume {
            self.make_forget();
        }
        let reversed_before = self.oracle.deeds(biz_id).reversals > 0;
        let now_unix_ms = i64::try_from(EPOCH_MS + self.now).unwrap_or(i64::MAX);
        let mut answer = self.gateway.handle(now_unix_ms, "POST", &request.path, request.body.as_bytes());
        if request.purpose == Purpose::Records {
            if self.plan.off == Off::Reversible && answer.note.code == codes::SUCCESS {
                // G1 off: by the sent bizId it is not found here either.
                answer.body = not_found();
            }
            let (biz_id, code) = (request.biz_id.clone(), answer.note.code.clone());
            self.say("gateway", || format!("{biz_id} records: {code}"));
            self.wire.answered(id, copy, Some(answer));
            return;
        }
        if self.plan.deaf && !consume && self.oracle.deeds(biz_id).came_late && answer.note.effect != 0 {
            // Its rules have carried it out; what it stands for is a gateway that has not.
            *self.deaf_debts.entry(request.biz_id.clone()).or_default() += 1;
            answer.note.effect = 0;
        }
        let net = self.gateway.ledger(Some(biz_id)).first().map_or(0, |view| view.net)
            + self.deaf_debts.get(biz_id).copied().unwrap_or(0);
        let acted = answer.note.effect;
        let refused = answer.note.code != codes::SUCCESS;
        let deeds = self.oracle.deeds(biz_id);
        deeds.net = net;
        if consume {
            deeds.came_late |= acted > 0 && reversed_before;
            deeds.copied |= copy > 0;
            if copy > 0 && acted > 0 {
                deeds.copies_since_reversal += acted;
            }
            deeds.dirty_refusal |= refused && acted > 0;
        } else {
            // One that was refused for its signature has not been looked at.
            let looked_at = answer.note.rule == "ok" || answer.note.rule.starts_with("reverse.");
            deeds.reversals += u32::from(looked_at);
            if acted < 0 {
                deeds.copies_since_reversal = 0;
                deeds.dirty_refusal = false;
            }
        }
        let note = &answer.note;
        if consume && acted > 0 && reversed_before {
            self.figures.count("consumes carried out after their reversal");
        }
        if copy > 0 && consume {
            self.figures.count("copies of a consume handled by the rules");
        }
        let line = format!(
            "{biz_id} {:?} copy {copy}: {} {} ({}), S = {net}",
            request.purpose, note.rule, note.code, note.explanation
        );
        self.say("gateway", || line.clone());
        self.wire.answered(id, copy, Some(answer));
        self.oracle.judge(&request.biz_id, &self.journal);
    }

    /// Another till's request makes a gateway with room for one nonce forget the last one, so that a copy is not
    /// refused for its nonce before the rule for a known bizId is asked.
    fn make_forget(&mut self) {
        // It names no sale, so it is refused once its nonce is noted.
        if let Some(request) = self.foreign_request("{\"bizId\": \"\"}", "", 5) {
            let now_unix_ms = i64::try_from(EPOCH_MS + self.now).unwrap_or(i64::MAX);
            self.gateway.handle(now_unix_ms, "POST", &request.path, request.body.as_bytes());
        }
    }
}

/// What a search that finds nothing answers.
fn not_found() -> Tree {
    Tree::Object(vec![
        ("status", Tree::Bare("true".to_owned())),
        ("code", Tree::text(codes::NOT_FOUND)),
        ("message", Tree::text("")),
    ])
}
