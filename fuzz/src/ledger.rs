//! The model of what the library may say and do, from the bytes on the wire: it checks every request before it
//! leaves, and the journal and the answers afterwards.

use zvpos_core::outcome::Outcome;
use zvpos_core::payment::{Entry, Stage};

use crate::gateway::{Given, Post};
use crate::journal::Memory;
use crate::proof;
use crate::tree::Tree;

/// The action of a consume.
pub const CONSUME: &str = "communal.user.consume";
/// The action of a reversal, as the configurations of the target name it.
pub const REVERSE: &str = "sandbox.consume-reverse";
/// The action that looks into the balance records, likewise.
pub const BALANCE: &str = "sandbox.balance";

/// The action and the params of a request.
pub fn asked(body: &str) -> (String, Tree) {
    let tree = Tree::read(body).unwrap_or_else(|| panic!("a request is no JSON: {body}"));
    let action = tree.get("Action").and_then(Tree::scalar).unwrap_or_default().to_owned();
    (action, tree.get("Params").cloned().unwrap_or(Tree::Null))
}

fn biz_id(params: &Tree) -> &str {
    params.get("bizId").and_then(Tree::scalar).unwrap_or_default()
}

/// The answers to the consumes of that bizId, in their order.
fn consumes<'p>(posts: &'p [Post], wanted: &'p str) -> impl Iterator<Item = &'p Given> {
    posts.iter().filter_map(move |post| {
        let (action, params) = asked(&post.body);
        (action == CONSUME && biz_id(&params) == wanted).then_some(&post.given)
    })
}

fn tree_of(given: &Given) -> Option<Tree> {
    match given {
        Given::Answer { status, body } => proof::envelope(*status, body).ok(),
        Given::NotSent | Given::Lost => None,
    }
}

fn is_yes(given: &Given, biz_id: &str, strict: bool) -> bool {
    tree_of(given).is_some_and(|tree| proof::of_success(&tree, biz_id, strict).is_ok())
}

fn is_no(given: &Given, declined: &[&str]) -> bool {
    tree_of(given).is_some_and(|tree| proof::of_refusal(&tree, declined).is_ok())
}

/// What the configuration says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// `strict_answer`
    pub strict: bool,
    /// `codes.declined`
    pub declined: &'static [&'static str],
}

/// Before a request leaves: a consume is recorded, and nothing that may have been taken under its bizId is asked for a
/// second time; a reversal is recorded.
pub fn watch(journal: &Memory, rules: Rules, posts: &[Post], body: &str) {
    let (action, params) = asked(body);
    let own = biz_id(&params);
    match action.as_str() {
        CONSUME => {
            let stands = journal
                .all()
                .into_iter()
                .any(|entry| entry.key().biz_id.as_str() == own && entry.stage() == Stage::Sending);
            assert!(stands, "a consume leaves without its intent: {body}");
            for earlier in consumes(posts, own) {
                let took_nothing = matches!(earlier, Given::NotSent) || is_no(earlier, rules.declined);
                assert!(took_nothing, "{own} is sent a second time after {earlier:?}");
            }
        }
        REVERSE => {
            let stands = journal.all().into_iter().any(|entry| {
                let names = [Some(entry.key().biz_id.as_str()), entry.detail().returned_biz_id.as_deref()];
                entry.stage() == Stage::Reversing && names.contains(&Some(own))
            });
            assert!(stands, "a reversal leaves without its record: {body}");
        }
        _ => {}
    }
}

/// Nothing stands in the journal without its proof.
pub fn check_journal(journal: &Memory, rules: Rules, posts: &[Post]) {
    for entry in journal.all() {
        let own = entry.key().biz_id.as_str();
        match entry.stage() {
            Stage::Succeeded => assert!(
                consumes(posts, own).any(|given| is_yes(given, own, rules.strict))
                    || stands_in_records(posts, own),
                "{own} is recorded as succeeded without a proof: {posts:?}"
            ),
            Stage::Declined => assert!(
                consumes(posts, own).any(|given| is_no(given, rules.declined)),
                "{own} is recorded as declined without a proof: {posts:?}"
            ),
            Stage::NotSent => assert!(
                consumes(posts, own)
                    .all(|given| { matches!(given, Given::NotSent) || is_no(given, rules.declined) }),
                "{own} is recorded as not sent, and was: {posts:?}"
            ),
            _ => {}
        }
    }
}

/// Whether the balance records were seen to hold that bizId.
fn stands_in_records(posts: &[Post], own: &str) -> bool {
    posts.iter().any(|post| {
        let (action, params) = asked(&post.body);
        let tree = tree_of(&post.given).filter(|tree| {
            proof::says_yes(tree)
                && tree.get("data").and_then(|data| data.get("bizId")?.scalar()) == Some(own)
        });
        action == BALANCE && biz_id(&params) == own && tree.is_some()
    })
}

/// What a till is told of a sale is what stands.
pub fn check_told(journal: &Memory, outcome: Outcome, own: &str) {
    let found = journal.all().into_iter().find(|entry| entry.key().biz_id.as_str() == own);
    let stage = found.as_ref().map(Entry::stage);
    match outcome {
        Outcome::Succeeded => {
            assert!(
                matches!(stage, Some(Stage::Succeeded | Stage::Kept)),
                "{own} succeeded, and is {stage:?}"
            );
        }
        Outcome::Declined => assert_eq!(stage, Some(Stage::Declined), "{own} was told as declined"),
        Outcome::Reversed => {
            assert!(
                matches!(stage, Some(Stage::Reversed | Stage::Undone)),
                "{own} reversed, and is {stage:?}"
            );
        }
        _ => {}
    }
}

/// What was sent for a consume is what the till has asked for.
pub fn check_sent(request: &Tree, defaults: &[&str], body: &str) {
    let (_, params) = asked(body);
    for (name, _) in params.members() {
        assert!(
            request.given(name).is_some() || defaults.contains(&name.as_str()),
            "{name} was not asked for"
        );
    }
    let given = |name: &str| request.given(name).and_then(Tree::scalar);
    let sent = |name: &str| params.get(name).and_then(Tree::scalar);
    for name in ["bizId", "payPassword", "channel", "ip", "appType", "multiMark", "usePassword"] {
        assert_eq!(given(name), sent(name), "{name}");
    }
    let scanned = given("type").and_then(|text| text.parse::<i64>().ok()) == Some(1);
    let is_nobody = |id: &str| id.is_empty() || (scanned && id == "0");
    let member = given("customerId").map(trimmed).filter(|id| !is_nobody(id));
    assert_eq!(member, sent("customerId"));
    assert_eq!(given("amount").map(fen), sent("amount").map(fen), "the amount");
    if let Some(amount) = sent("amount") {
        let (_, fraction) = amount.split_once('.').unwrap_or_default();
        assert!(fraction.len() == 2, "{amount} is not canonical");
    }
    let coupons = |tree: &Tree| match tree.given("couponsCardList") {
        Some(Tree::List(list)) => list.iter().map(|item| item.scalar().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    let mut asked_for = coupons(request);
    if !scanned {
        asked_for.iter_mut().flatten().for_each(|coupon| *coupon = trimmed(coupon).to_owned());
    }
    assert_eq!(asked_for, coupons(&params), "the coupons");
}

fn trimmed(id: &str) -> &str {
    id.trim_matches([' ', '\r', '\n', '\t', '\u{feff}'])
}

/// 元 in 分, by its digits alone.
fn fen(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = format!("{fraction:0<2}");
    let hundredths = fraction.get(..2).filter(|_| fraction.len() == 2)?;
    format!("{whole}{hundredths}").parse().ok()
}
