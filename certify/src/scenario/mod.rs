//! The scenarios: what happens to a till, in order, and its allowed results. No I/O here; [`crate::session`] runs them.

mod crash;
mod gateway;
mod lost;
mod plain;
mod step;

use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use step::{Fault, Moment, Step};

use crate::sale::{Sale, SaleState};
use crate::text::{Text, text};

macro_rules! groups {
    ($($group:ident $word:literal $en:literal $zh:literal;)+) => {
        /// The group of a scenario.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Group {
            $(#[doc = $en] $group,)+
        }

        impl Group {
            /// All groups, in the order of the report.
            pub const ALL: &[Group] = &[$(Group::$group,)+];

            /// The first part of the ids of its scenarios.
            pub fn word(self) -> &'static str {
                match self { $(Group::$group => $word,)+ }
            }

            /// Its heading.
            pub fn title(self) -> Text {
                match self { $(Group::$group => text($en, $zh),)+ }
            }
        }
    };
}

groups! {
    Plain "plain" "Plain sales" "普通交易";
    Quote "quote" "A quote before the sale" "先试算再扣款";
    Declined "declined" "The gateway says no" "网关拒绝";
    Invalid "invalid" "Requests that cannot be" "无效请求";
    NotSent "notsent" "Nothing left the till" "请求未发出";
    Lost "lost" "The answer is lost, the money comes back" "应答丢失，自动退回";
    Hold "hold" "The answer is lost and nobody can undo it" "应答丢失且无法冲正";
    Replay "replay" "The button is pressed again" "重复点击付款";
    Tills "tills" "Two tills" "两台收银机";
    Crash "crash" "The till is killed" "收银程序被强行结束";
    Confirm "confirm" "A sale that must be confirmed" "需要确认的交易";
    Refund "refund" "A sale is undone" "整单退回";
    Gateway "gateway" "A difficult gateway" "网关异常";
    End "end" "Closing and the day's end" "关机与日结";
}

/// One scenario.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) id: &'static str,
    pub(crate) group: Group,
    pub(crate) title: Text,
    /// Keys of the till's configuration that differ from the usual ones; null removes a key.
    pub(crate) config: Value,
    /// The gateway's behaviour where the vendor's is unknown.
    pub(crate) policy: Value,
    pub(crate) steps: Vec<Step>,
    /// Whether the result depends on a random moment, so that a careless till may pass.
    pub(crate) by_chance: bool,
}

/// A scenario in a list.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Its id, for [`crate::Options::only`].
    pub id: &'static str,
    /// Its group.
    pub group: Group,
    /// Its title.
    pub title: Text,
    /// Whether the result depends on a random moment, so that a careless till may pass.
    pub by_chance: bool,
}

/// Every scenario, in the order of the report.
pub fn scenarios() -> Vec<Summary> {
    let summary =
        |one: Scenario| Summary { id: one.id, group: one.group, title: one.title, by_chance: one.by_chance };
    all().into_iter().map(summary).collect()
}

pub(crate) fn all() -> Vec<Scenario> {
    [plain::scenarios(), lost::scenarios(), crash::scenarios(), gateway::scenarios()].concat()
}

/// A scenario without steps; every scenario starts the till first.
fn scenario(group: Group, id: &'static str, en: &str, zh: &str) -> Scenario {
    Scenario {
        id,
        group,
        title: text(en, zh),
        config: json!({}),
        policy: json!({}),
        steps: vec![Step::Start(0)],
        by_chance: false,
    }
}

impl Scenario {
    fn config(mut self, keys: Value) -> Scenario {
        self.config = keys;
        self
    }

    /// Turns off the library's own guard against a second payment, so that the scenario tests the till.
    fn unguarded(self) -> Scenario {
        self.config(json!({"guard": "off"}))
    }

    /// Like V2 without a reverse route.
    fn held(self) -> Scenario {
        self.config(json!({"guard": "off", "on_unknown": "hold", "routes": null}))
    }

    /// V3 by default: its own reverse route, without any code whose meaning is known.
    fn without_codes(self) -> Scenario {
        self.config(json!({"api": "v3", "routes": null}))
    }

    fn policy(mut self, policy: Value) -> Scenario {
        self.policy = policy;
        self
    }

    fn by_chance(mut self) -> Scenario {
        self.by_chance = true;
        self
    }

    fn then(mut self, step: Step) -> Scenario {
        self.steps.push(step);
        self
    }

    /// The next consume meets a fault.
    fn fault(self, name: &'static str) -> Scenario {
        self.then(Step::Fault(Fault { name, operation: "consume", times: 1, number: None }))
    }

    fn closed(self) -> Scenario {
        self.then(Step::Fault(Fault {
            name: "refused",
            operation: "",
            times: 1,
            number: Some(("ms", 3_600_000)),
        }))
    }

    fn open(self) -> Scenario {
        self.then(Step::Open)
    }

    fn sell(self, sale: Sale, says: &[SaleState]) -> Scenario {
        self.then(Step::Sell { till: 0, sale, says: says.to_vec() })
    }

    fn list(self, sale: &'static str, says: &[SaleState]) -> Scenario {
        self.then(Step::List { till: 0, sale, says: says.to_vec() })
    }

    fn refund(self, sale: &'static str, says: &[SaleState]) -> Scenario {
        self.then(Step::Refund { sale, says: says.to_vec() })
    }

    fn settled(self) -> Scenario {
        self.then(Step::Settled)
    }

    fn recorded(self, sale: &'static str, stage: &'static str) -> Scenario {
        self.then(Step::Recorded { sale, stage })
    }

    /// Rings up a sale, kills the till at a moment, and starts it again.
    fn kill_in(self, sale: Sale, moment: Moment) -> Scenario {
        self.then(Step::Begin { till: 0, sale }).then(Step::Kill(moment)).then(Step::Start(0))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_enough_and_each_has_its_own_name_in_its_group() {
        let all = all();
        assert!(all.len() >= 40, "{}", all.len());
        assert_eq!(all.iter().map(|one| one.id).collect::<BTreeSet<_>>().len(), all.len());
        for one in &all {
            assert!(one.id.starts_with(&format!("{}.", one.group.word())), "{}", one.id);
            assert!(one.title.zh.chars().any(|letter| letter > '\u{2e7f}'), "{}", one.title.zh);
        }
        let groups: BTreeSet<_> = all.iter().map(|one| one.group.word()).collect();
        assert_eq!(groups.len(), Group::ALL.len());
    }

    #[test]
    fn a_fault_is_one_that_the_simulator_knows() {
        for one in all() {
            for step in one.steps {
                if let Step::Fault(fault) = step {
                    assert!(
                        zvpos_sandbox::faults::Fault::named(fault.name).is_some(),
                        "{}: {}",
                        one.id,
                        fault.name
                    );
                }
            }
        }
    }

    /// Amount and coupons identify a deduction, whichever bizId a till uses.
    #[test]
    fn no_two_sales_of_a_scenario_look_alike() {
        for one in all() {
            let mut sales: Vec<(u8, Sale)> = Vec::new();
            for step in &one.steps {
                let (Step::Sell { till, sale, .. }
                | Step::Begin { till, sale }
                | Step::Press { till, sale, .. }) = step
                else {
                    continue;
                };
                let twin = sales.iter().find(|(other_till, other)| {
                    (*other_till, other.number) != (*till, sale.number)
                        && (other.takes, &other.coupons) == (sale.takes, &sale.coupons)
                });
                assert!(twin.is_none(), "{}: {} and {}", one.id, sale.number, twin.unwrap().1.number);
                sales.push((*till, sale.clone()));
            }
        }
    }
}
