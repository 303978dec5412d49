//! One sale: all facts about it, and whether they agree.

use std::collections::BTreeSet;

use crate::audit::Journalled;
use crate::gateway::{Record, Seen, Wallet};
use crate::money::{fen, yuan};
use crate::protocol::SaleLine;
use crate::report::SaleReport;
use crate::rule::{Finding, Rule};
use crate::sale::{Sale, SaleState};
use crate::text::{Text, text};

/// A sale as the cashier, the till, the gateway and the journal record it.
pub(super) struct Case<'s> {
    pub(super) till: u8,
    /// Each version that was rung up, the first one first.
    pub(super) versions: Vec<&'s Sale>,
    pub(super) said: Vec<&'s SaleLine>,
    /// Whether the till's last list contains it.
    pub(super) listed: bool,
    pub(super) sent: Vec<&'s Seen>,
    pub(super) records: Vec<&'s Record>,
    pub(super) entries: Vec<&'s Journalled>,
}

impl<'s> Case<'s> {
    pub(super) fn new(till: u8, sale: &'s Sale) -> Case<'s> {
        Case {
            till,
            versions: vec![sale],
            said: Vec::new(),
            listed: true,
            sent: Vec::new(),
            records: Vec::new(),
            entries: Vec::new(),
        }
    }

    pub(super) fn is(&self, till: u8, number: &str) -> bool {
        self.till == till && self.number() == number
    }

    pub(super) fn customer(&self) -> &'s str {
        self.versions.first().map_or("", |sale| sale.customer)
    }

    fn number(&self) -> &'s str {
        self.versions.first().map_or("", |sale| sale.number)
    }

    /// S: the number of deductions in force.
    fn net(&self) -> i64 {
        self.records.iter().map(|record| record.net).sum()
    }

    fn last(&self) -> Option<SaleState> {
        self.said.last().map(|line| line.result)
    }

    /// The version that was paid: the one that the gateway took, otherwise the first.
    fn paid(&self) -> Option<&'s Sale> {
        let taken = self.records.iter().find(|record| record.net > 0);
        let fits = |sale: &&&Sale| taken.is_some_and(|record| takes(sale, record));
        self.versions.iter().find(fits).or(self.versions.first()).copied()
    }

    /// The expected deduction by the till's last line; if the till does not know, by the gateway.
    pub(super) fn owed(&self) -> Wallet {
        let stands = match self.last() {
            Some(SaleState::Completed) => true,
            Some(SaleState::Waiting) => self.net() > 0,
            _ => false,
        };
        match self.paid().filter(|_| stands) {
            Some(sale) => Wallet { fen: fen(sale.takes).unwrap_or_default(), points: sale.points },
            None => Wallet::default(),
        }
    }

    fn biz_ids(&self) -> BTreeSet<&'s str> {
        let said = self.said.iter().filter_map(|line| line.biz_id.as_deref()).filter(|id| !id.is_empty());
        let sent = self.sent.iter().map(|seen| seen.biz_id.as_str());
        let stands = self.records.iter().map(|record| record.biz_id.as_str());
        let journal = self.entries.iter().map(|entry| entry.biz_id.as_str());
        said.chain(sent).chain(stands).chain(journal).collect()
    }

    pub(super) fn report(&self) -> SaleReport {
        SaleReport {
            till: self.till + 1,
            number: self.number().to_owned(),
            said: self.said.iter().map(|line| line.result).collect(),
            biz_ids: self.biz_ids().into_iter().map(str::to_owned).collect(),
            net: self.net(),
            journal: self.entries.iter().map(|entry| format!("{}: {}", entry.biz_id, entry.stage)).collect(),
        }
    }

    pub(super) fn judge(&self, findings: &mut Vec<Finding>) {
        let mut find = |rule: Rule, seen: Text| findings.push(Finding::of(rule, Some(self.number()), seen));
        self.judge_money(&mut find);
        self.judge_story(&mut find);
        self.judge_journal(&mut find);
        if self.last() == Some(SaleState::Completed) {
            self.judge_completed(&mut find);
        }
    }

    /// The sale is completed if and only if it is taken, and it is taken once.
    fn judge_money(&self, find: &mut impl FnMut(Rule, Text)) {
        let (net, word) = (self.net(), self.last().map_or("-", SaleState::word));
        let seen = || {
            text(
                format!("the till says {word}, {net} deduction(s) stand at the gateway"),
                format!("收银机报告 {word}，网关账上有 {net} 次扣款"),
            )
        };
        match (self.last(), net) {
            (_, 2..) => find(Rule::Twice, seen()),
            (Some(SaleState::Completed), 1) | (Some(SaleState::Waiting), 0 | 1) => {}
            (Some(SaleState::Completed), _) => find(Rule::NotTaken, seen()),
            (_, 0) => {}
            _ => find(Rule::TakenNotCompleted, seen()),
        }
    }

    /// One bizId, no forgotten sale, no retracted result.
    fn judge_story(&self, find: &mut impl FnMut(Rule, Text)) {
        let ids = self.biz_ids();
        if ids.len() > 1 {
            let ids = ids.into_iter().collect::<Vec<_>>().join(", ");
            find(Rule::NewBizId, text(ids.clone(), ids));
        }
        let begun = !self.said.is_empty() || !self.entries.is_empty();
        if begun && !self.listed {
            find(Rule::Forgotten, text("it is not in the till's last list", "收银机最后的列表中没有该交易"));
        }
        let changed = self.said.windows(2).find_map(|pair| match pair {
            [before, after] if is_taken_back(before.result, after.result) => {
                Some((before.result.word(), after.result.word()))
            }
            _ => None,
        });
        if let Some((before, after)) = changed {
            let seen =
                text(format!("{before}, and later {after}"), format!("先报告 {before}，后报告 {after}"));
            find(Rule::Withdrawn, seen);
        }
    }

    /// The journal agrees with the gateway, and has a final outcome for each completed sale.
    fn judge_journal(&self, find: &mut impl FnMut(Rule, Text)) {
        let completed = self.last() == Some(SaleState::Completed);
        for entry in &self.entries {
            let net: i64 =
                self.records.iter().filter(|one| one.biz_id == entry.biz_id).map(|one| one.net).sum();
            let seen = || {
                text(
                    format!("{}: the journal says {}, {net} stand at the gateway", entry.biz_id, entry.stage),
                    format!("{}：日志为 {}，网关账上有 {net} 次扣款", entry.biz_id, entry.stage),
                )
            };
            if completed && entry.unconfirmed && entry.stands() {
                find(Rule::Unconfirmed, seen());
            } else if completed && matches!(entry.stage.as_str(), "unknown" | "sending") {
                find(Rule::Guessed, seen());
            } else if entry.stands() != (net > 0) && !is_open(&entry.stage) {
                find(Rule::Journal, seen());
            }
        }
        if completed && self.entries.is_empty() {
            find(Rule::Journal, text("the journal does not know it", "日志中没有该交易"));
        }
    }

    /// The deduction has the expected amount, and the till reports it.
    fn judge_completed(&self, find: &mut impl FnMut(Rule, Text)) {
        let (Some(sale), Some(line)) = (self.paid(), self.said.last()) else { return };
        let Some(record) = self.records.iter().find(|record| record.net > 0) else { return };
        if !takes(sale, record) {
            let seen = text(
                format!("{} was to be taken, {} was", sale.takes, record.amount),
                format!("应扣 {} 元，实扣 {} 元", sale.takes, record.amount),
            );
            find(Rule::WrongSum, seen);
        }
        let said = line.paid_by_member.as_deref().unwrap_or("0.00");
        if fen(said) != fen(&record.amount) {
            let taken = yuan(fen(&record.amount).unwrap_or_default());
            find(
                Rule::SaidSum,
                text(format!("said {said}, taken {taken}"), format!("报告 {said}，实扣 {taken}")),
            );
        }
        if record.returned_biz_id != record.biz_id
            && line.returned_biz_id.as_deref() != Some(record.returned_biz_id.as_str())
        {
            let said = line.returned_biz_id.as_deref().unwrap_or("-");
            let seen = text(
                format!("the answer carried {}, the till says {said}", record.returned_biz_id),
                format!("应答中为 {}，收银机报告 {said}", record.returned_biz_id),
            );
            find(Rule::Returned, seen);
        }
    }
}

/// Whether a deduction took what the sale asks for.
fn takes(sale: &Sale, record: &Record) -> bool {
    let amount = fen(&record.amount).unwrap_or_default() == fen(sale.takes).unwrap_or_default();
    amount && record.coupons == sale.coupons && record.points == sale.points
}

/// Whether the journal records this stage as unsettled.
fn is_open(stage: &str) -> bool {
    matches!(stage, "sending" | "unknown" | "reversing" | "refused" | "unproven")
}

/// Whether a result retracts a final one: the goods are gone, or the customer has paid in another way.
fn is_taken_back(before: SaleState, after: SaleState) -> bool {
    match before {
        SaleState::Completed => {
            !matches!(after, SaleState::Completed | SaleState::Refunding | SaleState::Refunded)
        }
        SaleState::OtherTender => after != SaleState::OtherTender,
        SaleState::Refunded => after != SaleState::Refunded,
        _ => false,
    }
}
