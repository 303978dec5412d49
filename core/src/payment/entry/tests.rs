//! What is left of a record whose details are dropped.

use super::*;
use crate::money::Amount;

mod questions;

fn asked() -> Identity {
    Identity {
        customer_id: Some("383".to_owned()),
        kind: Some(2),
        amount: Amount::from_fen(350),
        coupons: vec!["A".to_owned(), "B".to_owned()],
        points: Some(7),
    }
}

/// A sale of which everything is known and whose answer the till has read.
fn sale(stage: Stage) -> Entry {
    let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new("B1").unwrap() };
    let mut entry =
        Entry::intent(key, asked(), Owner("me".into()), OnUnknown::Reverse, 1_795_000_000_000).moved(stage);
    entry.detail = Detail {
        words: Some(GatewayStatus { code: "0".to_owned(), message: "Li, your balance is 5.00".to_owned() }),
        data: Some(
            r#"{"bizId":"R1","name":"Li","couponsCardList":["A","B"],"change_gift_amount":"-0.50","phone":"1","change_recharge_amount":"-3.00","balance":"5.00"}"#
                .to_owned(),
        ),
        returned_biz_id: Some("R1".to_owned()),
        answered: true,
        acknowledged: true,
        warnings: vec![GatewayStatus { code: "ZV-W-CLOCK".to_owned(), message: String::new() }],
        origin: Origin { device_sn: Some("T1".to_owned()), ..Origin::default() },
        ..Detail::default()
    };
    entry
}

#[test]
fn a_success_keeps_what_its_refund_needs() {
    let mut refunded = sale(Stage::Reversed);
    refunded.detail.reversal = Reversal { asked: true, refund: true, tries: 1, ..Reversal::default() };
    for stands in [sale(Stage::Succeeded), sale(Stage::Kept), refunded] {
        let retired = stands.retired().unwrap();
        let stage = stands.stage;
        assert_eq!((retired.stage, retired.revision), (stage, stands.revision + 1));
        assert_eq!(retired.identity, asked(), "{stage:?}: the member, the sum and the coupons");
        assert_eq!(
            retired.detail.data.as_deref(),
            Some(
                r#"{"bizId":"R1","couponsCardList":["A","B"],"change_gift_amount":"-0.50","change_recharge_amount":"-3.00"}"#
            ),
            "{stage:?}: the purses"
        );
        assert_eq!(retired.detail.returned_biz_id.as_deref(), Some("R1"), "{stage:?}");
        assert_eq!(retired.is_refund(), stands.is_refund(), "{stage:?}");
        assert!(retired.lost_its_request() && retired.detail.answered && retired.was_accepted(), "{stage:?}");
        // The statuses and the origin are dropped.
        assert_eq!(
            retired.detail.words,
            Some(GatewayStatus { code: "0".to_owned(), message: String::new() })
        );
        assert!(
            retired.detail.warnings.is_empty() && retired.detail.origin == Origin::default(),
            "{stage:?}"
        );
        assert_eq!((retired.owner.0.as_str(), retired.retired()), ("", None), "{stage:?}");
    }
}

#[test]
fn what_took_nothing_keeps_nobodys_name() {
    for stage in [Stage::Declined, Stage::NotSent, Stage::Reversed, Stage::Undone] {
        let retired = sale(stage).retired().unwrap();
        assert_eq!((retired.stage, &retired.identity), (stage, &Identity::default()));
        assert_eq!(retired.detail.data, None, "{stage:?}");
        assert_eq!(retired.detail.returned_biz_id.as_deref(), Some("R1"), "{stage:?}");
    }
}

#[test]
fn what_somebody_may_still_need_keeps_its_details() {
    for stage in Stage::ALL.into_iter().filter(|stage| stage.is_unsettled()) {
        assert_eq!(sale(stage).retired(), None, "{stage:?}");
    }
    let mut unacknowledged = sale(Stage::Succeeded);
    unacknowledged.detail.acknowledged = false;
    assert_eq!(unacknowledged.retired(), None);
    let mut unconfirmed = sale(Stage::Succeeded);
    unconfirmed.detail.confirmation = Confirmation::Awaited;
    assert_eq!(unconfirmed.retired(), None);
}
