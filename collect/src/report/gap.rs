//! What each kind of gap means.

use serde::{Deserialize, Serialize};

use crate::store::{Gap, gap_kinds};
use crate::words::Words;

/// A gap in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapLine {
    /// Its number, by which a person accepts it.
    pub gap: i64,
    /// The till.
    pub till: String,
    /// Its shop.
    pub shop: String,
    /// The kind.
    pub kind: String,
    /// How many entries it is about, as far as that is known.
    pub entries: i64,
    /// When it was noticed.
    pub noticed_unix_ms: i64,
    /// Who has looked at it.
    pub accepted: Option<Looked>,
    /// What it means.
    pub words: Words,
}

/// That a person has looked at a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// Who.
    pub by: String,
    /// When.
    pub unix_ms: i64,
    /// What the person says about it.
    pub reason: String,
}

impl GapLine {
    /// The gap in words.
    pub fn of(gap: &Gap) -> GapLine {
        let Gap { first, last, entries, journal, .. } = gap;
        let journal = journal.get(..8).unwrap_or(journal);
        let words = match gap.kind.as_str() {
            gap_kinds::NEW_JOURNAL => Words::new(
                format!("收银机换了一个日志（{journal}…，{entries} 笔），旧日志中未上传的内容无从得知"),
                format!(
                    "the till has another journal than before ({journal}…, {entries} entries); what the earlier one had not \
                     shipped is not known"
                ),
            ),
            gap_kinds::RESTORED if *entries == 0 => Words::new(
                format!(
                    "收银机的日志是较早的副本：截至序号 {last} 曾上传，其中一部分现在日志中没有，数量不详"
                ),
                format!(
                    "the till's journal is an older copy: some of what had been shipped up to {last} is no longer in it; how \
                     much is not known"
                ),
            ),
            gap_kinds::RESTORED => Words::new(
                format!(
                    "收银机的日志是较早的副本：序号 {first}–{last} 的 {entries} 次变更曾上传，现在日志中没有"
                ),
                format!(
                    "the till's journal is an older copy: {entries} changes ({first} to {last}) had been shipped and are no \
                     longer in it"
                ),
            ),
            gap_kinds::MISSING => Words::new(
                format!("汇总库缺少收银机已上传的序号 {first}–{last}，等待重新上传"),
                format!(
                    "the collector lacks the changes {first} to {last}, which the till has shipped; they come again"
                ),
            ),
            gap_kinds::RETENTION => Words::new(
                format!("{entries} 笔的明细在上传之前已按保留天数清除（序号 {first}–{last}），金额仍在"),
                format!(
                    "the details of {entries} entries were dropped after the retention days before they were shipped \
                     ({first} to {last}); the sums are there"
                ),
            ),
            other => Words::new(other, other),
        };
        let looked = gap.accepted.as_ref().map(|accepted| Looked {
            by: accepted.by.clone(),
            unix_ms: accepted.ms,
            reason: accepted.reason.clone(),
        });
        GapLine {
            gap: gap.gap,
            till: gap.till.clone(),
            shop: gap.shop.clone(),
            kind: gap.kind.clone(),
            entries: gap.entries,
            noticed_unix_ms: gap.noticed_ms,
            accepted: looked,
            words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_words_of_its_own() {
        let kinds = [gap_kinds::NEW_JOURNAL, gap_kinds::RESTORED, gap_kinds::MISSING, gap_kinds::RETENTION];
        let lines = kinds.map(|kind| {
            GapLine::of(&Gap {
                gap: 1,
                accepted: None,
                till: "T1".to_owned(),
                shop: "S1".to_owned(),
                journal: "0123456789abcdef".to_owned(),
                kind: kind.to_owned(),
                first: 7,
                last: 9,
                entries: 3,
                noticed_ms: 0,
            })
        });
        for (kind, line) in kinds.iter().zip(&lines) {
            assert!(line.words.en.len() > 40 && line.words.en != *kind && !line.words.en.contains("  "));
            assert!(line.words.zh.contains(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)), "{kind}");
        }
    }
}
