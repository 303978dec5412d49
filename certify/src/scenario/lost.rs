//! The answer is lost. With a reverse route the library reverses the sale, without one a person must decide. And the
//! button is pressed again.

use serde_json::json;

use super::{Fault, Group, Scenario, Step, scenario};
use crate::sale::SaleState::{Completed, Failed, OtherTender, Waiting};
use crate::sale::{FIVE_OFF, sale};

pub(super) fn scenarios() -> Vec<Scenario> {
    [reversed(), unproven(), held(), replayed()].concat()
}

/// Every way to lose an answer ends the same for a till.
const WAYS: &[(&str, &str, &str, &str)] = &[
    ("lost.reset", "reset_after", "taken, then the connection is reset", "扣款后连接重置"),
    ("lost.request", "reset_before", "the request is lost, nothing is taken", "请求丢失，未扣款"),
    ("lost.portal", "html_200_after", "taken, a portal's page is the answer", "已扣款，应答为认证网页"),
    ("lost.server", "http_500_after", "taken, an HTTP error is the answer", "已扣款，应答为 HTTP 错误"),
    ("lost.cut", "cut_body", "taken, the answer is cut", "已扣款，应答被截断"),
    ("lost.system", "system_error_after", "taken, a system error is the answer", "已扣款，返回系统错误"),
];

fn reversed() -> Vec<Scenario> {
    let lost = |id, en, zh| scenario(Group::Lost, id, en, zh);
    let ways = WAYS.iter().map(|(id, fault, en, zh)| {
        lost(id, en, zh)
            .unguarded()
            .fault(fault)
            .sell(sale("S-0001"), &[OtherTender])
            .settled()
            .list("S-0001", &[OtherTender])
    });
    let others = [
        lost("lost.timeout", "taken, and never answered", "已扣款，一直无应答")
            .config(json!({"guard": "off", "timeouts_ms": {"connect": 1500, "total": 1500}}))
            .fault("hang_after")
            .sell(sale("S-0001"), &[OtherTender])
            .settled()
            .list("S-0001", &[OtherTender]),
        lost("lost.coupon", "coupon and balance both come back", "优惠券与余额均退回")
            .unguarded()
            .fault("reset_after")
            .sell(sale("S-0001").amount("23.00").coupon(FIVE_OFF), &[OtherTender])
            .settled()
            .list("S-0001", &[OtherTender]),
        lost("lost.next", "the next sale of the same member", "同一会员的下一笔")
            .fault("reset_after")
            .sell(sale("S-0001"), &[OtherTender])
            .settled()
            .sell(sale("S-0002").amount("13.50"), &[Completed])
            .list("S-0001", &[OtherTender]),
        lost("lost.twice", "two sales are lost, one after the other", "连续两笔应答丢失")
            .unguarded()
            .then(Step::Fault(Fault { name: "reset_after", operation: "consume", times: 2, number: None }))
            .sell(sale("S-0001"), &[OtherTender])
            .sell(sale("S-0002").amount("13.50"), &[OtherTender])
            .settled(),
        lost("lost.reversal", "the reversal is lost, too", "冲正请求也丢失")
            .unguarded()
            .then(Step::Fault(Fault { name: "reset_before", operation: "reverse", times: 2, number: None }))
            .fault("reset_after")
            .sell(sale("S-0001"), &[OtherTender])
            .settled()
            .list("S-0001", &[OtherTender]),
    ];
    ways.chain(others).collect()
}

/// A reversal that was confirmed at once is refused when it is repeated: for the till the sale has ended.
fn unproven() -> Vec<Scenario> {
    let lost = |id, en, zh| scenario(Group::Lost, id, en, zh).without_codes();
    vec![
        lost(
            "lost.unproven",
            "V3 as it comes: nobody can prove that it came back",
            "V3 默认配置：无法证实已退回",
        )
        .fault("reset_after")
        .sell(sale("S-0001"), &[OtherTender])
        .recorded("S-0001", "unproven")
        .list("S-0001", &[OtherTender])
        .sell(sale("S-0001"), &[OtherTender])
        .sell(sale("S-0002").amount("13.50"), &[Completed])
        .then(Step::Day { differs: false }),
        lost(
            "lost.unproven_person",
            "V3 as it comes: a person finds that it came back",
            "V3 默认配置：人工核实已退回",
        )
        .fault("reset_after")
        .sell(sale("S-0001"), &[OtherTender])
        .recorded("S-0001", "unproven")
        .then(Step::Stop(0))
        .then(Step::Person { sale: "S-0001", kept: false })
        .then(Step::Start(0))
        .settled()
        .list("S-0001", &[OtherTender]),
    ]
}

fn held() -> Vec<Scenario> {
    let hold = |id, en, zh| scenario(Group::Hold, id, en, zh).held();
    let person = |kept| Step::Person { sale: "S-0001", kept };
    vec![
        hold("hold.taken", "the sale waits, shown to the cashier", "交易待核实并显示")
            .fault("reset_after")
            .sell(sale("S-0001"), &[Waiting])
            .list("S-0001", &[Waiting]),
        hold("hold.kept", "a person finds that it was taken", "人工核实：已扣款")
            .fault("reset_after")
            .sell(sale("S-0001"), &[Waiting])
            .then(person(true))
            .list("S-0001", &[Completed]),
        hold("hold.undone", "a person finds that nothing was taken", "人工核实：未扣款")
            .fault("reset_before")
            .sell(sale("S-0001"), &[Waiting])
            .then(person(false))
            .list("S-0001", &[OtherTender]),
        hold("hold.again", "the button is pressed again while it waits", "待核实时再次点击")
            .fault("reset_after")
            .sell(sale("S-0001"), &[Waiting])
            .sell(sale("S-0001"), &[Waiting]),
        hold("hold.restart", "the till is closed and opened while it waits", "待核实时重启")
            .fault("reset_after")
            .sell(sale("S-0001"), &[Waiting])
            .then(Step::Stop(0))
            .then(Step::Start(0))
            .list("S-0001", &[Waiting]),
        hold("hold.others", "other sales go on meanwhile", "待核实期间其他交易照常")
            .fault("reset_after")
            .sell(sale("S-0001"), &[Waiting])
            .sell(sale("S-0002").amount("13.50"), &[Completed])
            .list("S-0001", &[Waiting]),
    ]
}

fn replayed() -> Vec<Scenario> {
    let replay = |id, en, zh| scenario(Group::Replay, id, en, zh);
    vec![
        replay("replay.twice", "pressed again after it was paid", "付款后再次点击")
            .sell(sale("S-0001"), &[Completed])
            .sell(sale("S-0001"), &[Completed]),
        replay("replay.at_once", "the member swipes twice", "会员连刷两次")
            .then(Step::Begin { till: 0, sale: sale("S-0001") })
            .then(Step::Begin { till: 0, sale: sale("S-0001") })
            .then(Step::Finish { till: 0, sale: "S-0001", says: vec![Completed] })
            .then(Step::Finish { till: 0, sale: "S-0001", says: vec![Completed] }),
        replay("replay.changed", "pressed again with another amount", "改变金额后再次点击")
            .sell(sale("S-0001"), &[Completed])
            .sell(sale("S-0001").amount("15.00"), &[Completed, Failed])
            .list("S-0001", &[Completed]),
        replay("replay.other_tender", "pressed again after another tender", "改用其他方式后再次点击")
            .unguarded()
            .fault("reset_after")
            .sell(sale("S-0001"), &[OtherTender])
            .sell(sale("S-0001"), &[OtherTender])
            .settled()
            .sell(sale("S-0001"), &[OtherTender]),
    ]
}
