//! The report, for people (HTML) and for programs (JSON).

mod html;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::gateway::{Record, Seen};
use crate::options::Options;
use crate::rule::{Finding, Rule};
use crate::sale::SaleState;
use crate::scenario::{self, Group};
use crate::text::{Text, text};

/// An event of a scenario, in order.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// An action of the certifier.
    Did {
        /// Milliseconds since the scenario began.
        at_ms: u64,
        /// Its description.
        what: Text,
    },
    /// A line to a till.
    ToTill {
        /// Milliseconds since the scenario began.
        at_ms: u64,
        /// The till's number, from 1.
        till: u8,
        /// The line.
        line: String,
    },
    /// A line from a till.
    FromTill {
        /// Milliseconds since the scenario began.
        at_ms: u64,
        /// The till's number, from 1.
        till: u8,
        /// The line.
        line: String,
    },
}

/// The end of a sale.
#[derive(Clone, Debug, Serialize)]
pub struct SaleReport {
    /// The till's number, from 1.
    pub till: u8,
    /// The sale's number.
    pub number: String,
    /// The till's results for it, in order.
    pub said: Vec<SaleState>,
    /// Every bizId that the till's lines, the gateway or the journal have for it.
    pub biz_ids: Vec<String>,
    /// S: the number of deductions in force at the gateway.
    pub net: i64,
    /// The stage of each bizId in the till's journal.
    pub journal: Vec<String>,
}

/// A member's balances.
#[derive(Clone, Debug, Serialize)]
pub struct Member {
    /// The member.
    pub customer_id: String,
    /// 元 before the first sale.
    pub before: String,
    /// 元 at the end.
    pub after: String,
    /// The expected 元, by the sales that the till completed.
    pub expected: String,
    /// Points before the first sale.
    pub points_before: i64,
    /// Points at the end.
    pub points_after: i64,
    /// The expected points.
    pub points_expected: i64,
}

/// One scenario.
#[derive(Clone, Debug, Serialize)]
pub struct ScenarioReport {
    /// Its id.
    pub id: &'static str,
    /// Its group.
    pub group: Group,
    /// Its title.
    pub title: Text,
    /// Whether the result depends on a random moment, so that a careless till may pass.
    pub by_chance: bool,
    /// Whether it has no findings.
    pub passed: bool,
    /// The violations, each with its fix.
    pub findings: Vec<Finding>,
    /// The events.
    pub events: Vec<Event>,
    /// The end of each sale.
    pub sales: Vec<SaleReport>,
    /// The requests at the gateway.
    pub requests: Vec<Seen>,
    /// The gateway's ledger.
    pub ledger: Vec<Record>,
    /// The members' balances.
    pub members: Vec<Member>,
    /// The last bytes of the till's stderr.
    pub stderr: String,
    /// The duration.
    pub took_ms: u64,
}

/// The complete report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of zvpos.
    pub version: &'static str,
    /// The till that was certified: program and arguments.
    pub till: Vec<String>,
    /// The time of the run, in seconds since 1970.
    pub at_unix_s: u64,
    /// Whether every scenario was run and passed.
    pub certified: bool,
    /// The number of passed scenarios.
    pub passed: usize,
    /// The number of failed scenarios.
    pub failed: usize,
    /// The number of omitted scenarios.
    pub left_out: usize,
    /// The scenarios, in the fixed order.
    pub scenarios: Vec<ScenarioReport>,
}

impl Report {
    pub(crate) fn new(options: &Options, scenarios: Vec<ScenarioReport>) -> Report {
        let passed = scenarios.iter().filter(|one| one.passed).count();
        let left_out = scenario::scenarios().len().saturating_sub(scenarios.len());
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

    /// The result in one sentence.
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
            _ => (format!(", {left_out} left out"), format!("，{left_out} 个未执行")),
        };
        text(
            format!("Not certified: {passed} of {of} scenarios passed{out_en}"),
            format!("认证未通过：{of} 个场景中通过 {passed} 个{out_zh}"),
        )
    }

    /// Each violated rule with the scenarios that violate it: an integrator reads this first.
    pub fn to_fix(&self) -> Vec<(Rule, Vec<&'static str>)> {
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
        // Serialisation fails only for maps with non-string keys and for non-finite numbers; the report has neither.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// For people: a self-contained file, light and dark, in English and Chinese.
    pub fn to_html(&self) -> String {
        html::page(self)
    }
}
