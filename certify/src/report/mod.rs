//! What was seen, for people (HTML) and for programs (JSON).

mod html;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::Options;
use crate::judge::{Finding, Rule};
use crate::protocol::Said;
use crate::scenario::Group;
use crate::text::{Text, text};

/// Something that happened in a scenario, in its order.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// What the certifier did.
    Did {
        /// Milliseconds since the scenario began.
        at_ms: u64,
        /// In words.
        what: Text,
    },
    /// A line to a till.
    ToTill {
        /// Milliseconds since the scenario began.
        at_ms: u64,
        /// Which till, from 1.
        till: u8,
        /// The line.
        line: String,
    },
    /// A line of a till.
    FromTill {
        /// Milliseconds since the scenario began.
        at_ms: u64,
        /// Which till, from 1.
        till: u8,
        /// The line.
        line: String,
    },
}

/// A request as the gateway saw it.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// From 1.
    pub number: u64,
    /// What was asked for.
    pub operation: String,
    /// Under which bizId.
    pub biz_id: String,
    /// 元 from the balance, as it was sent.
    pub amount: String,
    /// The coupons, as they were sent.
    pub coupons: Vec<String>,
    /// The fault that it met, if any.
    pub fault: String,
    /// The code of the gateway's answer; empty where the fault kept it from the gateway.
    pub code: String,
    /// What the gateway did and why.
    pub explanation: String,
    /// What it did to the number of deductions that stand.
    pub effect: i64,
}

/// What stands in the gateway's ledger under a bizId.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// As it was sent.
    pub biz_id: String,
    /// As the answer carried it.
    pub returned_biz_id: String,
    /// S: how many deductions stand.
    pub net: i64,
    /// 元 from the balance, each time.
    pub amount: String,
    /// Points, each time.
    pub points: i64,
    /// Coupons, each time.
    pub coupons: Vec<String>,
    /// What was done, in order: `consume`, `reverse`.
    pub entries: Vec<String>,
}

/// How a sale ended.
#[derive(Clone, Debug, Serialize)]
pub struct SaleReport {
    /// Which till, from 1.
    pub till: u8,
    /// Its number.
    pub number: String,
    /// What the till said of it, in order.
    pub said: Vec<Said>,
    /// Every bizId that was used for it, by the till's words, the gateway and the journal.
    pub biz_ids: Vec<String>,
    /// S: how many deductions stand at the gateway.
    pub net: i64,
    /// What the till's journal says of each bizId: its stage.
    pub journal: Vec<String>,
}

/// A member's money.
#[derive(Clone, Debug, Serialize)]
pub struct Member {
    /// The member.
    pub customer_id: String,
    /// 元 before the first sale.
    pub before: String,
    /// 元 at the end.
    pub after: String,
    /// 元 that should be there, by what the till has completed.
    pub expected: String,
    /// Points before the first sale.
    pub points_before: i64,
    /// Points at the end.
    pub points_after: i64,
    /// Points that should be there.
    pub points_expected: i64,
}

/// One scenario.
#[derive(Clone, Debug, Serialize)]
pub struct ScenarioReport {
    /// Its name.
    pub id: &'static str,
    /// What it is about.
    pub group: Group,
    /// In a few words.
    pub title: Text,
    /// Whether a random moment decides what happens: a careless till may be lucky in it.
    pub by_chance: bool,
    /// Whether nothing was found.
    pub passed: bool,
    /// What is wrong, and what to mend.
    pub findings: Vec<Finding>,
    /// What was done and said.
    pub events: Vec<Event>,
    /// How each sale ended.
    pub sales: Vec<SaleReport>,
    /// The requests at the gateway.
    pub requests: Vec<Seen>,
    /// The gateway's ledger.
    pub ledger: Vec<Record>,
    /// The members' money.
    pub members: Vec<Member>,
    /// The end of what the till wrote to stderr.
    pub stderr: String,
    /// How long it took.
    pub took_ms: u64,
}

/// The whole.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of zvpos.
    pub version: &'static str,
    /// The till that was certified: program and arguments.
    pub till: Vec<String>,
    /// When, in seconds since 1970.
    pub at_unix_s: u64,
    /// Whether every scenario was passed, and none was left out.
    pub certified: bool,
    /// How many were passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many were left out.
    pub left_out: usize,
    /// Each, in the fixed order.
    pub scenarios: Vec<ScenarioReport>,
}

impl Report {
    pub(crate) fn new(options: &Options, scenarios: Vec<ScenarioReport>) -> Report {
        let passed = scenarios.iter().filter(|one| one.passed).count();
        let left_out = crate::scenarios().len().saturating_sub(scenarios.len());
        let failed = scenarios.len() - passed;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Report {
            version: zvpos_core::api::VERSION,
            till: options.till.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
            at_unix_s: since.as_secs(),
            certified: failed == 0 && left_out == 0,
            passed,
            failed,
            left_out,
            scenarios,
        }
    }

    /// The whole in one sentence.
    pub fn verdict(&self) -> Text {
        let Report { passed, failed, left_out, .. } = self;
        let of = passed + failed;
        if self.certified {
            return text(
                format!("Certified: all {of} scenarios passed"),
                format!("认证通过：{of} 个场景全部通过"),
            );
        }
        let (out_en, out_zh) = match left_out {
            0 => (String::new(), String::new()),
            _ => (format!(", {left_out} left out"), format!(",{left_out} 个未执行")),
        };
        text(
            format!("Not certified: {passed} of {of} scenarios passed{out_en}"),
            format!("认证未通过：{of} 个场景中通过 {passed} 个{out_zh}"),
        )
    }

    /// Each rule that was broken, and the scenarios in which it was: the first thing that an integrator reads.
    pub fn to_mend(&self) -> Vec<(Rule, Vec<&'static str>)> {
        let mut rules: Vec<(Rule, Vec<&'static str>)> = Vec::new();
        for one in &self.scenarios {
            for finding in &one.findings {
                match rules.iter_mut().find(|(known, _)| *known == finding.rule) {
                    Some((_, ids)) if ids.last() == Some(&one.id) => {}
                    Some((_, ids)) => ids.push(one.id),
                    None => rules.push((finding.rule, vec![one.id])),
                }
            }
        }
        rules
    }

    /// For programs.
    pub fn to_json(&self) -> String {
        // Only maps with keys that are no texts and numbers that are none cannot be written; there are none here.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// For people: one file without any other, light and dark, English and Chinese.
    pub fn to_html(&self) -> String {
        html::page(self)
    }
}
