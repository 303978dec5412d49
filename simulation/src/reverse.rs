//! One `zv_reverse_json`, and one try to undo an entry, as `client::reverse` and `recovery` carry them out around the
//! real `settle::ask`, `settle::try_reversal` and `settle::reversal_answered`.

use zvpos_core::client::tell_reversal;
use zvpos_core::gateway::{CodeRules, Envelope, Identity, Operation, Params, Reversed, Words};
use zvpos_core::journal::{Guard, JournalError, Recorded};
use zvpos_core::outcome::{Lang, Outcome};
use zvpos_core::transaction::settle::{self, Asked, By, Try};
use zvpos_core::transaction::{Entry, Said, Stage};

use crate::actor::Progress;
use crate::assumption::Deeds;
use crate::mutant::Mutant;
use crate::network::{Purpose, Received};
use crate::record::altered;
use crate::sale::Sale;
use crate::world::World;

/// One try to undo an entry, or to find out about it.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
pub struct Drive {
    pub(crate) entry: Entry,
    pub(crate) deadline: u64,
    /// As it was before the try began.
    pub(crate) over: bool,
    pub(crate) next: Next,
    signed_anew: bool,
    /// This thread is at the entry.
    at_it: bool,
    /// Another one was.
    waited: bool,
    /// Whether a request left.
    pub sent: bool,
}

/// The next effect of a try.
#[derive(Debug)]
pub(crate) enum Next {
    Begin,
    /// The record of the try, what it goes by, and whether that is a guess that nothing speaks against.
    Record(Entry, String, bool),
    Send(Entry, String),
    Await(Entry, String, u64),
    AskRecords,
    AwaitRecords(u64),
    Keep(Entry),
}

/// How far a try has come.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one is kept for each process at a time")]
pub enum Tried {
    /// Its next effect may happen at that time.
    At(u64),
    /// This stands now.
    Stands(Entry),
    /// The journal has failed.
    Failed(JournalError),
    /// The process has died.
    Died,
}

/// A till asks for a reversal.
#[derive(Debug)]
pub struct ReverseCall {
    biz_id: String,
    foreign: bool,
    deadline: u64,
    stage: Step,
    then: Deeds,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one is kept for each process at a time")]
enum Step {
    Find,
    Ask(Option<Entry>),
    Drive(Box<Drive>),
    Tell(Outcome),
}

impl Drive {
    /// A try, begun now.
    pub fn new(entry: Entry, deadline: u64) -> Drive {
        Drive {
            entry,
            deadline,
            over: false,
            next: Next::Begin,
            signed_anew: false,
            at_it: false,
            waited: false,
            sent: false,
        }
    }
}

impl ReverseCall {
    /// A call for that sale.
    pub fn new(sale: &Sale, deadline: u64) -> ReverseCall {
        ReverseCall {
            biz_id: sale.biz_id.clone(),
            foreign: sale.foreign,
            deadline,
            stage: Step::Find,
            then: Deeds::default(),
        }
    }
}

impl World {
    /// One effect of a try. One thread of a process at a time is at an entry; another one waits for it.
    pub fn drive_effect(&mut self, process: usize, drive: &mut Drive) -> Tried {
        let biz_id = drive.entry.key().biz_id.to_string();
        if !drive.at_it {
            let Some(own) = self.processes.get_mut(process) else { return Tried::Died };
            if !own.driven.insert(biz_id.clone()) {
                drive.waited = true;
                if self.now >= drive.deadline {
                    return Tried::Stands(drive.entry.clone());
                }
                return Tried::At(self.now + self.random.range(10, 100));
            }
            drive.at_it = true;
            if let Some(now) = self.journal.find(&biz_id).filter(|_| drive.waited) {
                drive.entry = now.clone();
            }
            let entry = drive.entry.clone();
            drive.over = self.late_window_over(process, &entry);
        }
        let tried = self.drive_alone(process, drive);
        if !matches!(tried, Tried::At(_))
            && let Some(own) = self.processes.get_mut(process)
        {
            own.driven.remove(&biz_id);
        }
        tried
    }

    fn drive_alone(&mut self, process: usize, drive: &mut Drive) -> Tried {
        match std::mem::replace(&mut drive.next, Next::Begin) {
            Next::Begin if drive.entry.stage() == Stage::Unknown || drive.entry.promise_refused() => {
                drive.next = Next::AskRecords;
                Tried::At(self.soon())
            }
            Next::AskRecords => self.ask_records(process, drive),
            Next::AwaitRecords(id) => {
                let evidence = self.receive_records(process, drive, id);
                match settle::weigh(&drive.entry, evidence, drive.over) {
                    Some(record) => {
                        // Decided now; another process may learn of other bizIds before this is recorded.
                        let blind = !self.journal.has_other_biz_ids();
                        self.oracle.deeds(record.key().biz_id.as_str()).blind |= blind;
                        drive.next = Next::Keep(record);
                    }
                    None => return Tried::Stands(drive.entry.clone()),
                }
                Tried::At(self.soon())
            }
            Next::Begin => {
                let known = self.journal.has_other_biz_ids();
                let other_biz_ids = known && self.mutant != Some(Mutant::OtherBizIdGuessed);
                match settle::try_reversal(&drive.entry, other_biz_ids) {
                    Try::Nothing => return Tried::Stands(drive.entry.clone()),
                    Try::GiveUp(record) => drive.next = Next::Keep(record),
                    Try::Send { record, biz_id } => {
                        // Another till's sale is known by nothing but what its till says.
                        let guess = drive.entry.detail().returned_biz_id.is_none();
                        let blind = guess && (!known || drive.entry.detail().foreign);
                        drive.next = Next::Record(record, biz_id, blind);
                    }
                }
                Tried::At(self.soon())
            }
            Next::Record(record, biz_id, blind) => match self.record(process, &record, Guard::Off) {
                None => Tried::Died,
                Some(Ok(Recorded::Done(_))) => {
                    self.oracle.deeds(record.key().biz_id.as_str()).blind = blind;
                    drive.next = Next::Send(record, biz_id);
                    Tried::At(self.soon())
                }
                Some(Ok(Recorded::Stands(entry) | Recorded::InDoubt(entry))) => Tried::Stands(entry),
                // What is durable already is still sent: it was sent before.
                Some(Err(error)) => match settle::unrecorded(&drive.entry) {
                    Some(same) => {
                        self.oracle.deeds(record.key().biz_id.as_str()).blind = blind;
                        drive.next = Next::Send(same, biz_id);
                        Tried::At(self.soon())
                    }
                    None => Tried::Failed(error),
                },
            },
            Next::Send(record, biz_id) => self.send_reversal(process, drive, record, biz_id),
            Next::Await(record, biz_id, id) => self.receive_reversal(process, drive, record, biz_id, id),
            Next::Keep(record) => match self.record(process, &record, Guard::Off) {
                None => Tried::Died,
                Some(Ok(Recorded::Done(_))) => Tried::Stands(record),
                Some(Ok(Recorded::Stands(entry) | Recorded::InDoubt(entry))) => Tried::Stands(entry),
                Some(Err(error)) => Tried::Failed(error),
            },
        }
    }

    fn send_reversal(&mut self, process: usize, drive: &mut Drive, record: Entry, biz_id: String) -> Tried {
        let own = record.key().biz_id.to_string();
        let account = &self.plan.account;
        let Some(route) = account.route(Operation::Reverse).cloned() else {
            return Tried::Stands(record);
        };
        let params: Params = account.reverse.params(&record.key().biz_id, &biz_id, record.identity());
        if !self.journal.was_durable(&own, record.revision(), Stage::Reversing) {
            let failed = self.processes.get(process).is_some_and(|process| process.failed);
            let message = format!("a reversal of {own} leaves and is not durable");
            self.oracle.broken(if failed { "I5" } else { "I4" }, message);
        }
        drive.sent = true;
        let request = self.signed(process, &route, &params, Purpose::Reverse, &own);
        let (id, ends_at) = self.dispatch(process, request, drive.deadline);
        drive.next = Next::Await(record, biz_id, id);
        Tried::At(ends_at)
    }

    fn receive_reversal(
        &mut self,
        process: usize,
        drive: &mut Drive,
        record: Entry,
        biz_id: String,
        id: u64,
    ) -> Tried {
        let again = |code: &str| Reversed::Again(Words { code: code.to_owned(), message: String::new() });
        let answer = match self.wire.collect(id) {
            Received::NotSent(code) | Received::Lost(code) => again(code.text),
            Received::Answer { status, body } => match Envelope::read(status, &body) {
                Err(doubt) => again(&doubt.code),
                Ok(envelope) => {
                    let now = self.now;
                    let clock_is_off =
                        self.processes.get_mut(process).is_some_and(|process| process.learn(now));
                    if envelope.code() == CodeRules::SIGNATURE && clock_is_off && !drive.signed_anew {
                        drive.signed_anew = true;
                        drive.next = Next::Send(record, biz_id);
                        return Tried::At(self.soon());
                    }
                    let (account, sent) = (&self.plan.account, record.key().biz_id.as_str());
                    let other = |named: &str| self.journal.is_another_sales(sent, named);
                    envelope.judge_reverse(&account.reverse, &account.codes, &[sent, &biz_id], false, &other)
                }
            },
        };
        let over = match (self.mutant, &answer) {
            (Some(Mutant::NotFoundAtOnce), Reversed::NotFound(_))
            | (Some(Mutant::PromiseBelieved), Reversed::Done(_) | Reversed::Already(_)) => true,
            _ => drive.over,
        };
        self.say(&format!("P{process}"), || {
            format!("{} reversal by {biz_id}: {answer:?}, late window over: {over}", record.key().biz_id)
        });
        let record = match self.mutant {
            Some(Mutant::RefundKeptUnanswered) => altered(&record, |detail| detail.reversal.unanswered = 1),
            Some(Mutant::NeverToldKept) => altered(&record, |detail| detail.reversal.refund = true),
            _ => record,
        };
        let refuses_unknown =
            self.plan.account.reverse.refuses_unknown || self.mutant == Some(Mutant::PromiseBelievedLater);
        drive.next = Next::Keep(settle::reversal_answered(&record, &answer, over, refuses_unknown));
        Tried::At(self.soon())
    }

    /// What `recovery::Inner::drive` notes at the end of a try.
    pub fn note_tried(&mut self, process: usize, stands: &Entry) {
        let biz_id = stands.key().biz_id.as_str();
        let reversing =
            matches!(stands.stage(), Stage::Reversing | Stage::Unknown) || stands.promise_refused();
        let promised = match self.mutant {
            Some(Mutant::PromiseByCode) => {
                stands.detail().reversal.last.as_ref().is_some_and(|words| words.code == "0")
            }
            _ => stands.is_promised(),
        };
        let confirmed = matches!(stands.detail().reversal.said, Some(Said::Done | Said::Already));
        let reopened = self.reopened(stands);
        let forgotten = self.mutant == Some(Mutant::ReversalForgotten) && !promised;
        let (now, late_ms) = (self.now, self.plan.late_ms);
        let Some(process) = self.processes.get_mut(process) else { return };
        if !reversing {
            process.paces.remove(biz_id);
            return;
        }
        let wall = process.wall_ms(now);
        let pace = process.pace(biz_id, reopened, now);
        let window_end = pace.window_end(late_ms);
        pace.tried(&mut self.random, now, wall, late_ms, promised);
        if forgotten {
            pace.due = u64::MAX;
        }
        if confirmed && stands.stage() == Stage::Reversing {
            process.promised_until.insert(biz_id.to_owned(), window_end);
        }
    }

    /// One effect of a till's request for a reversal.
    pub fn reverse_effect(&mut self, process: usize, call: &mut ReverseCall) -> Progress {
        match std::mem::replace(&mut call.stage, Step::Find) {
            Step::Find => {
                self.asked.insert(call.biz_id.clone());
                call.stage = Step::Ask(self.journal.find(&call.biz_id).cloned());
                Progress::At(self.soon())
            }
            Step::Ask(standing) => self.ask(process, call, standing),
            Step::Drive(mut drive) => {
                let tried = self.drive_effect(process, &mut drive);
                let sent = drive.sent;
                match tried {
                    Tried::At(time) => {
                        call.stage = Step::Drive(drive);
                        return Progress::At(time);
                    }
                    Tried::Stands(entry) => {
                        self.note_tried(process, &entry);
                        self.stands(process, call, &entry);
                    }
                    Tried::Failed(_) => {
                        // The reversal is durable: the recovery goes on with it, so nothing is over.
                        let as_built = self.mutant == Some(Mutant::ReverseToldInternal);
                        let outcome = if as_built { Outcome::Internal } else { Outcome::Unknown };
                        if outcome == Outcome::Internal && sent {
                            let message =
                                format!("{}: a reversal left and the till is told internal", call.biz_id);
                            self.oracle.broken("I3", message);
                        }
                        call.stage = Step::Tell(outcome);
                    }
                    Tried::Died => return Progress::Died,
                }
                Progress::At(self.soon())
            }
            Step::Tell(outcome) => {
                self.told(process, &call.biz_id, outcome, &call.then);
                self.nudge(process);
                Progress::Ended
            }
        }
    }

    fn ask(&mut self, process: usize, call: &mut ReverseCall, standing: Option<Entry>) -> Progress {
        let can_reverse = self.plan.account.route(Operation::Reverse).is_some();
        let record = match &standing {
            None if !can_reverse => return self.end_with(call, Outcome::Invalid),
            None => match self.foreign(process, call) {
                Some(record) => Some(record),
                // It can be undone only by what its answer carried.
                None => return self.end_with(call, Outcome::Invalid),
            },
            Some(entry) => match settle::ask(entry, None, can_reverse, By::Till) {
                Asked::Record(record) => Some(record),
                Asked::Going | Asked::Already => None,
                Asked::NoWay if can_reverse => {
                    let entry = entry.clone();
                    self.stands(process, call, &entry);
                    return Progress::At(self.soon());
                }
                Asked::NoWay => return self.end_with(call, Outcome::Invalid),
            },
        };
        let record = record.map(|record| match &standing {
            // As if nothing were recorded of a void.
            Some(standing) if self.mutant == Some(Mutant::VoidForgotten) && is_void(standing) => {
                Entry::restore(
                    record.key().clone(),
                    record.identity().clone(),
                    standing.stage(),
                    record.revision(),
                    record.attempt(),
                    record.owner().clone(),
                    record.on_unknown(),
                    record.created_unix_ms(),
                    record.detail().clone(),
                )
            }
            _ => record,
        });
        let stands = match record {
            None => standing,
            Some(record) => match self.record(process, &record, Guard::Off) {
                None => return Progress::Died,
                Some(Err(_)) => return self.end_with(call, Outcome::Internal),
                Some(Ok(Recorded::Done(_))) => {
                    match standing.as_ref().map(Entry::stage) {
                        Some(Stage::Succeeded | Stage::Kept) => {
                            self.figures.count("refunds asked");
                            self.refunds.insert(call.biz_id.clone());
                        }
                        Some(Stage::Declined | Stage::NotSent) => {
                            self.figures.count("voids");
                            self.voids.insert(call.biz_id.clone());
                        }
                        _ => {}
                    }
                    Some(record)
                }
                Some(Ok(Recorded::Stands(entry) | Recorded::InDoubt(entry))) => {
                    call.stage = Step::Ask(Some(entry));
                    return Progress::At(self.soon());
                }
            },
        };
        match stands {
            Some(entry) if entry.stage() == Stage::Reversing => {
                call.stage = Step::Drive(Box::new(Drive::new(entry, call.deadline)));
            }
            Some(entry) => self.stands(process, call, &entry),
            None => return self.end_with(call, Outcome::Internal),
        }
        Progress::At(self.soon())
    }

    /// Another till's sale, or one that never was. What its answer carried is only known where that till says so.
    fn foreign(&mut self, process: usize, call: &ReverseCall) -> Option<Entry> {
        let biz_id = zvpos_core::money::BizId::new(&call.biz_id).ok()?;
        let ledger = self.gateway.ledger(Some(&call.biz_id));
        let returned = ledger.first().filter(|_| call.foreign)?.returned_biz_id.as_str();
        let owner = self.processes.get(process)?.owner.clone();
        let created = self.processes.get(process)?.wall_ms(self.now);
        Some(Entry::foreign(self.key(&biz_id), Identity::default(), returned, owner, created))
    }

    /// What the till is told of what stands.
    fn stands(&mut self, process: usize, call: &mut ReverseCall, entry: &Entry) {
        call.then = self.oracle.deeds(&call.biz_id).clone();
        let answer = tell_reversal(&self.as_told(entry), Lang::En);
        self.judge_words(process, &answer, entry);
        call.stage = Step::Tell(answer.outcome());
    }

    fn end_with(&mut self, call: &mut ReverseCall, outcome: Outcome) -> Progress {
        call.stage = Step::Tell(outcome);
        Progress::At(self.soon())
    }
}

/// Whether nothing was taken, so that its reversal is a void.
fn is_void(standing: &Entry) -> bool {
    matches!(standing.stage(), Stage::Declined | Stage::NotSent)
}
