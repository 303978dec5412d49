//! What is done about the attempts that a dead process has left.

use super::*;
use crate::runtime::tests::machine::Shop;

fn biz_id(text: &str) -> BizId {
    BizId::new(text).unwrap()
}

#[test]
fn a_look_up_waits_a_moment_for_others_to_record_that_an_attempt_was_left() {
    for (held_ms, is_recorded) in [(200, true), (300, false)] {
        let shop = Shop::new("");
        shop.memory.put(&shop.intent("T1", "9-dead", 1));
        shop.memory.hold(Duration::from_millis(held_ms));
        let known = shop.client().known(&biz_id("T1"), &Object::default()).unwrap();
        let stage = match known {
            Known::Existing(entry) | Known::LeftBehind(entry) => entry.stage(),
            other => panic!("{other:?}"),
        };
        assert_eq!(stage == Stage::Unknown, is_recorded, "{held_ms}");

        let shop = Shop::new("");
        shop.memory.put(&shop.intent("T1", "9-dead", 1));
        shop.memory.hold(Duration::from_millis(held_ms));
        let standing = shop.shared.standing(&shop.client().key(&biz_id("T1")));
        assert_eq!(standing.is_ok_and(|entry| entry.unwrap().stage() == Stage::Unknown), is_recorded);
    }
}

#[test]
fn what_was_left_is_recorded_as_soon_as_the_journal_is_open() {
    let shop = Shop::opening_late();
    shop.memory.put(&shop.intent("T1", "9-dead", 1));
    let soon = shop.shared.world.now() + MARKING;
    shop.shared.open_again(soon);
    assert_eq!(shop.memory.stages(), [Stage::Unknown]);
    assert!(shop.lines.have("the journal was opened after the start") && shop.lines.have("T1: found"));
    // It is open: nothing is opened a second time.
    shop.memory.put(&shop.intent("T2", "9-dead", 2));
    shop.shared.open_again(soon);
    assert_eq!(shop.memory.stages(), [Stage::Unknown, Stage::Sending]);
}

/// More than are read from the journal at a time; the clock stands still meanwhile.
#[test]
fn everything_that_was_left_is_recorded_at_the_start() {
    let shop = Shop::new("");
    for number in 0..300 {
        shop.memory.put(&shop.intent(&format!("T{number}"), "9-dead", number));
    }
    shop.shared.mark_all_abandoned().unwrap();
    assert_eq!(shop.memory.stages(), [Stage::Unknown; 300]);
}
