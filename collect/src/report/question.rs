//! The things that keep a day from being clean. Each has a name, so that an acceptance covers what was seen and nothing else.

use crate::digest;
use crate::words::Words;

pub(super) const BEHIND: &str = "behind";
pub(super) const UNSETTLED: &str = "unsettled";
pub(super) const GAP: &str = "gap";
pub(super) const DIFFERENCE: &str = "difference";
pub(super) const NOT_OVER: &str = "not_over";
pub(super) const NO_TILL: &str = "no_till";

/// The letters of a mark: enough that no two lists of one day have the same, few enough to be typed.
const MARK: usize = 8;

/// The name of a question: its kind and what it is about.
pub(super) fn name(kind: &str, about: &str) -> String {
    format!("{kind} {about}").trim_end().to_owned()
}

/// Whether that is the name of a difference of this kind.
pub(super) fn is_difference(name: &str, kind: &str) -> bool {
    let rest = name.strip_prefix(DIFFERENCE).and_then(|rest| rest.trim_start().strip_prefix(kind));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// Stands for all these questions, in whatever order; empty where there are none.
pub(super) fn mark(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    digest::sha256(&sorted.join("\n")).chars().take(MARK).collect()
}

/// The questions in words: how many there are of each kind.
pub(super) fn reasons<'n>(names: impl Iterator<Item = &'n String>) -> Vec<Words> {
    let kinds: Vec<&str> = names.filter_map(|name| name.split(' ').next()).collect();
    let counted = [
        (BEHIND, "台收银机未上传完当日记录", "tills have not shipped all of the day"),
        (UNSETTLED, "笔未结", "entries are unsettled"),
        (GAP, "处缺口", "gaps"),
        (DIFFERENCE, "处差异", "differences"),
    ];
    let count = |kind: &str| kinds.iter().filter(|own| **own == kind).count();
    let counted = counted.into_iter().filter_map(|(kind, zh, en)| {
        let count = count(kind);
        (count > 0).then(|| Words::new(format!("{count} {zh}"), format!("{count} {en}")))
    });
    let single = [
        (NOT_OVER, "营业日尚未结束", "the day is not over"),
        (NO_TILL, "没有登记任何收银机", "no till is enrolled"),
    ];
    let single = single.into_iter().filter(|(kind, ..)| count(kind) > 0);
    counted.chain(single.map(|(_, zh, en)| Words::new(zh, en))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_for_a_list_in_any_order() {
        let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
        let one = mark(&names(["behind T1", "gap 1 3"]));
        assert_eq!((one.len(), &one), (8, &mark(&names(["gap 1 3", "behind T1"]))));
        assert_ne!(one, mark(&names(["behind T1", "gap 1 4"])));
        assert_eq!(mark(&[]), "");
    }

    #[test]
    fn a_difference_is_known_by_its_kind() {
        let name = name(DIFFERENCE, "after_closing  3 then");
        assert!(is_difference(&name, "after_closing") && !is_difference(&name, "after"));
        assert!(!is_difference("gap 3 4", "after_closing"));
    }
}
