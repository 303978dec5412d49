//! A well-behaved network: sales, quotes, refusals, invalid requests, and requests that never left.

use serde_json::json;

use super::{Fault, Group, Scenario, Step, scenario};
use crate::sale::SaleState::{Completed, Failed, OtherTender, Retry};
use crate::sale::{FIVE_OFF, GUARDED, POOR, sale};

pub(super) fn scenarios() -> Vec<Scenario> {
    [sales(), quotes(), declined(), invalid(), not_sent()].concat()
}

fn sales() -> Vec<Scenario> {
    let plain = |id, en, zh| scenario(Group::Plain, id, en, zh);
    vec![
        plain("plain.balance", "stored balance", "余额支付").sell(sale("S-0001"), &[Completed]),
        plain("plain.coupon", "a coupon and nothing else", "仅核销优惠券")
            .sell(sale("S-0001").amount("").coupon(FIVE_OFF), &[Completed]),
        plain("plain.both", "coupon and balance in one call", "优惠券与余额一并支付")
            .sell(sale("S-0001").amount("23.00").coupon(FIVE_OFF), &[Completed]),
        plain("plain.points", "balance and points", "余额与积分")
            .sell(sale("S-0001").points(5), &[Completed]),
        plain("plain.gift", "partly from the gift balance", "部分由赠送余额支付")
            .sell(sale("S-0001").amount("8.00").by(POOR), &[Completed]),
        plain("plain.three", "three sales in a row", "连续三笔交易")
            .sell(sale("S-0001"), &[Completed])
            .sell(sale("S-0002").amount("13.50"), &[Completed])
            .sell(sale("S-0003").amount("0.01").by(POOR), &[Completed]),
        plain("plain.drift", "the answer's types drift", "应答字段类型漂移")
            .fault("drifted_types")
            .sell(sale("S-0001").amount("7.10"), &[Completed]),
        plain("plain.slow", "the answer takes a moment", "应答稍慢")
            .then(Step::Fault(Fault {
                name: "late_answer",
                operation: "consume",
                times: 1,
                number: Some(("ms", 400)),
            }))
            .sell(sale("S-0001"), &[Completed]),
        plain("plain.stray", "another sale's answer lies on the line", "连接上残留另一笔交易的应答")
            .fault("stray_answer")
            .sell(sale("S-0001"), &[Completed])
            .sell(sale("S-0002").amount("13.50"), &[Completed]),
    ]
}

fn quotes() -> Vec<Scenario> {
    let quote = |id, en, zh| scenario(Group::Quote, id, en, zh);
    vec![
        quote("quote.face", "a coupon worth a fixed sum", "代金券")
            .sell(sale("S-0001").coupon(FIVE_OFF).basket("201909280011111", "28.00", "23.00"), &[Completed]),
        quote("quote.percent", "a coupon worth a share of the price", "折扣券").sell(
            sale("S-0001").coupon("390913439370321921").basket("201909280011111", "28.00", "23.80"),
            &[Completed],
        ),
        quote("quote.goods", "a coupon for certain goods", "指定商品券").sell(
            sale("S-0001").coupon("390913439370321924").basket("201909280011112", "28.00", "25.00"),
            &[Completed],
        ),
        quote("quote.min_spend", "a coupon that does not fit the basket", "未达到使用门槛").sell(
            sale("S-0001").coupon("390913439370321923").basket("201909280011111", "28.00", "28.00"),
            &[OtherTender, Failed],
        ),
        quote("quote.lost", "the quote's answer is lost", "试算应答丢失")
            .then(Step::Fault(Fault { name: "reset_after", operation: "quote", times: 1, number: None }))
            .sell(
                sale("S-0001").coupon(FIVE_OFF).basket("201909280011111", "28.00", "23.00"),
                &[Retry, Completed],
            )
            .then(Step::Press {
                till: 0,
                sale: sale("S-0001").coupon(FIVE_OFF).basket("201909280011111", "28.00", "23.00"),
                says: vec![Completed],
            }),
    ]
}

fn declined() -> Vec<Scenario> {
    let declined = |id, en, zh| scenario(Group::Declined, id, en, zh);
    let coupon = |id, en, zh, coupon| {
        declined(id, en, zh).sell(sale("S-0001").amount("23.00").coupon(coupon), &[OtherTender])
    };
    vec![
        declined("declined.balance", "not enough balance", "余额不足")
            .sell(sale("S-0001").amount("500.00").by(POOR), &[OtherTender]),
        coupon("declined.used", "the coupon was used before", "优惠券已核销", "390913439370321927"),
        coupon("declined.expired", "the coupon is expired", "优惠券已过期", "390913439370321925"),
        coupon("declined.frozen", "the coupon is frozen", "优惠券已冻结", "390913439370321926"),
        coupon("declined.stranger", "another member's coupon", "他人的优惠券", "496996143645872129"),
        declined("declined.member", "there is no such member", "会员不存在")
            .sell(sale("S-0001").by("383933091455959999"), &[OtherTender]),
        declined("declined.password", "the member pays by password only", "需要支付密码")
            .sell(sale("S-0001").by(GUARDED), &[OtherTender]),
        declined("declined.points", "not enough points", "积分不足")
            .sell(sale("S-0001").amount("1.00").points(50).by(POOR), &[OtherTender]),
        declined("declined.next", "a refusal, and then a sale that can be paid", "先被拒绝，再完成一笔")
            .sell(sale("S-0001").amount("500.00").by(POOR), &[OtherTender])
            .sell(sale("S-0002").amount("8.00").by(POOR), &[Completed]),
    ]
}

fn invalid() -> Vec<Scenario> {
    let invalid = |id, en, zh| scenario(Group::Invalid, id, en, zh);
    let says = &[Failed, OtherTender];
    vec![
        invalid("invalid.decimals", "an amount with three decimals", "金额有三位小数")
            .sell(sale("S-0001").amount("12.345"), says),
        invalid("invalid.nothing", "points alone", "仅用积分")
            .sell(sale("S-0001").amount("").points(5), says)
            .sell(sale("S-0002"), &[Completed]),
        invalid("invalid.negative", "an amount below zero", "金额为负")
            .sell(sale("S-0001").amount("-1.00"), says),
    ]
}

fn not_sent() -> Vec<Scenario> {
    let not_sent = |id, en, zh| scenario(Group::NotSent, id, en, zh);
    let retry = &[Retry];
    vec![
        not_sent("notsent.once", "no connection, then the button again", "连接失败后再次点击")
            .closed()
            .sell(sale("S-0001"), retry)
            .open()
            .sell(sale("S-0001"), &[Completed]),
        not_sent("notsent.thrice", "no connection three times", "连续三次连接失败")
            .closed()
            .sell(sale("S-0001"), retry)
            .sell(sale("S-0001"), retry)
            .sell(sale("S-0001"), retry)
            .open()
            .sell(sale("S-0001"), &[Completed]),
        not_sent("notsent.given_up", "no connection, the cashier gives up", "连接失败，放弃该笔")
            .closed()
            .sell(sale("S-0001"), retry)
            .open()
            .sell(sale("S-0002").amount("13.50"), &[Completed])
            .list("S-0001", &[Retry, OtherTender]),
        not_sent("notsent.restart", "no connection, the till is closed and opened", "连接失败，重启后再付")
            .closed()
            .sell(sale("S-0001"), retry)
            .then(Step::Stop(0))
            .open()
            .then(Step::Start(0))
            .sell(sale("S-0001"), &[Completed]),
        not_sent("notsent.guard", "held back: another sale of the member is open", "会员有未决交易")
            .config(json!({"late_arrival_ms": 600_000}))
            .fault("reset_after")
            .sell(sale("S-0001"), &[OtherTender])
            .sell(sale("S-0002").amount("13.50"), &[OtherTender])
            .then(Step::GivenBack("S-0001")),
    ]
}
