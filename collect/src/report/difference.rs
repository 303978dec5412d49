//! What does not fit together: between two journals, between a till and the copy, between the gateway and a till, between a
//! closing and now.

use serde::{Deserialize, Serialize};
use zvpos_core::money::yuan;

use super::sums::{Sums, TillDay};
use crate::store::{JournalState, Till, Twin, Unfinished};
use crate::words::Words;

pub(super) const SAME_BIZ_ID: &str = "same_biz_id";
pub(super) const COUNT: &str = "count";
pub(super) const NOT_CONFIRMED: &str = "not_confirmed";
pub(super) const OTHER_CONTENT: &str = "other_content";
pub(super) const OTHER_BIZ_ID: &str = "other_biz_id";
pub(super) const AFTER_CLOSING: &str = "after_closing";

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The kind: `same_biz_id`, `count`, `not_confirmed`, `other_content`, `other_biz_id` or `after_closing`.
    pub kind: String,
    /// The till; empty where it is about the chain.
    pub till: String,
    /// The sale, if it is about one.
    pub biz_id: Option<String>,
    /// What it is.
    pub words: Words,
}

impl Difference {
    fn new(kind: &str, till: &str, biz_id: Option<&str>, words: Words) -> Difference {
        Difference { kind: kind.to_owned(), till: till.to_owned(), biz_id: biz_id.map(str::to_owned), words }
    }

    /// The same bizId under several journals: one difference for each bizId.
    pub(super) fn of_twins(twins: &[Twin]) -> Vec<Difference> {
        let same = twins.chunk_by(|one, other| one.key == other.key);
        same.filter_map(|group| {
            let (first, rest) = group.split_first()?;
            let is_copy = |twin: &Twin| {
                twin.till == first.till && twin.chain == first.chain && twin.stage == first.stage && twin.sum == first.sum
            };
            let places: Vec<String> = group
                .iter()
                .map(|twin| {
                    let journal = twin.journal.get(..8).unwrap_or(&twin.journal);
                    format!("{} {journal}… {} {}", twin.till, twin.stage, sum_text(twin.sum))
                })
                .collect();
            let places = places.join("; ");
            let words = if rest.iter().all(is_copy) {
                Words::new(
                    format!("同一单号在同一台收银机的多个日志中，内容一致，只计一次：{places}"),
                    format!("the same bizId is under several journals of one till with the same content, and counts once: {places}"),
                )
            } else {
                Words::new(
                    format!("同一单号在多个日志中，内容不同，只计一条，已扣款的优先：{places}"),
                    format!("the same bizId is under several journals with different content; one counts, before others one that took money: {places}"),
                )
            };
            Some(Difference::new(SAME_BIZ_ID, &first.till, first.key.get(2).map(String::as_str), words))
        })
        .collect()
    }

    /// A till says that it has another number of entries than are here.
    pub(super) fn of_count(till: &Till, journal: &JournalState) -> Option<Difference> {
        let differs = journal.complete_ms.is_some() && journal.entries != journal.held - journal.excused;
        differs.then(|| {
            let (own, here) = (journal.entries, journal.held);
            let words = Words::new(
                format!("收银机有 {own} 笔，汇总库有 {here} 笔"),
                format!("the till has {own} entries, the collector {here}"),
            );
            Difference::new(COUNT, &till.name, None, words)
        })
    }

    /// The member has paid, and the till has not said that it has stored the sale (已扣未销).
    pub(super) fn of_unfinished(sale: &Unfinished) -> Difference {
        let sum = sum_text(sale.sum);
        let words = Words::new(
            format!("已扣款 {sum}，收银机尚未读取或确认结果"),
            format!("{sum} was taken, and the till has not read or not confirmed that"),
        );
        Difference::new(NOT_CONFIRMED, &sale.till, Some(&sale.biz_id), words)
    }

    /// The journal has told one revision of the sale with two contents.
    pub(super) fn of_content(sale: &Unfinished) -> Difference {
        let sum = sum_text(sale.sum);
        let words = Words::new(
            format!(
                "收银机上传了同一单号、同一修订号的另一份内容：日志曾被较早的副本替换；这里保留先到的（{sum}）"
            ),
            format!(
                "the till has shipped the same revision with other content: its journal was replaced by an older copy; what came \
                 first is kept here ({sum})"
            ),
        );
        Difference::new(OTHER_CONTENT, &sale.till, Some(&sale.biz_id), words)
    }

    /// The gateway has answered with another bizId.
    pub(super) fn of_other_biz_id(sale: &Unfinished) -> Difference {
        let other = sale.other_biz_id.as_deref().unwrap_or_default();
        let words = Words::new(
            format!("网关应答中的单号是 {other}"),
            format!("the gateway's answer carried the bizId {other}"),
        );
        Difference::new(OTHER_BIZ_ID, &sale.till, Some(&sale.biz_id), words)
    }

    /// The sums have changed since the day was closed.
    pub(super) fn of_closing(closed: &TillDay, now: &TillDay) -> Option<Difference> {
        (closed != now).then(|| {
            let text = |total: &TillDay, zh: bool| {
                let Sums { count, sum, .. } = &total.sales;
                let (back, given) = (total.refunds.count, &total.refunds.sum);
                if zh {
                    format!("{count} 笔 {sum} 元、退 {back} 笔 {given} 元")
                } else {
                    format!("{count} sales {sum}, {back} refunds {given}")
                }
            };
            let words = Words::new(
                format!("日结之后有变化：日结时 {}，现在 {}", text(closed, true), text(now, true)),
                format!("changed after the closing: {} then, {} now", text(closed, false), text(now, false)),
            );
            Difference::new(AFTER_CLOSING, "", None, words)
        })
    }
}

fn sum_text(fen: Option<i64>) -> String {
    fen.map_or_else(|| "?".to_owned(), |fen| format!("¥{}", yuan(fen)))
}
