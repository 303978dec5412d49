//! The till is killed with `kill -9` before, during and after the call. And the option `confirm`, for tills that could
//! not find their sales again otherwise.

use serde_json::{Value, json};

use super::{Fault, Group, Moment, Scenario, Step, scenario};
use crate::sale::SaleState::{self, Completed, OtherTender, Retry, Waiting};
use crate::sale::{POOR, Sale, sale};

pub(super) fn scenarios() -> Vec<Scenario> {
    [under_way(), told(), at_any_moment(), confirm()].concat()
}

/// Allows a call enough time for a kill in the middle of it, and leaves the sale open until the next process starts.
fn patient(more: Value) -> Value {
    let timeouts = json!({"connect": 5000, "total": 60_000});
    let mut config = json!({"guard": "off", "late_arrival_ms": 1000, "timeouts_ms": timeouts});
    if let (Some(config), Value::Object(more)) = (config.as_object_mut(), more) {
        config.extend(more);
    }
    config
}

fn crash(id: &'static str, en: &str, zh: &str) -> Scenario {
    scenario(Group::Crash, id, en, zh).config(patient(json!({})))
}

fn press(sale: Sale, says: &[SaleState]) -> Step {
    Step::Press { till: 0, sale, says: says.to_vec() }
}

const SEEN: Moment = Moment::Seen("consume", 1);

fn under_way() -> Vec<Scenario> {
    let hold = patient(json!({"on_unknown": "hold", "routes": null}));
    vec![
        crash("crash.not_taken", "during the call, nothing was taken", "调用过程中，未扣款")
            .fault("hang")
            .kill_in(sale("S-0001"), SEEN)
            .settled()
            .list("S-0001", &[OtherTender]),
        crash("crash.taken", "during the call, it was taken", "调用过程中，已扣款")
            .fault("hang_after")
            .kill_in(sale("S-0001"), SEEN)
            .settled()
            .list("S-0001", &[OtherTender]),
        crash("crash.again", "and the cashier rings it up again", "重启后收银员再次点击")
            .fault("hang_after")
            .kill_in(sale("S-0001"), SEEN)
            .settled()
            .then(press(sale("S-0001"), &[OtherTender])),
        crash("crash.hold_taken", "during the call, taken, no way to undo it", "调用中，已扣款且无法冲正")
            .config(hold.clone())
            .fault("hang_after")
            .kill_in(sale("S-0001"), SEEN)
            .list("S-0001", &[Waiting])
            .then(Step::Person { sale: "S-0001", kept: true })
            .list("S-0001", &[Completed]),
        crash(
            "crash.hold_not_taken",
            "during the call, not taken, no way to undo it",
            "调用中，未扣款且无法冲正",
        )
        .config(hold)
        .fault("hang")
        .kill_in(sale("S-0001"), SEEN)
        .list("S-0001", &[Waiting])
        .then(Step::Person { sale: "S-0001", kept: false })
        .list("S-0001", &[OtherTender]),
        crash(
            "crash.other_journal",
            "during the call, taken, and the journal is lost",
            "调用中，已扣款，且日志文件丢失",
        )
        .fault("hang_after")
        .then(Step::Begin { till: 0, sale: sale("S-0001") })
        .then(Step::Kill(SEEN))
        .then(Step::LoseJournal)
        .then(Step::Start(0))
        .list("S-0001", &[Waiting])
        .then(press(sale("S-0001"), &[Waiting])),
        crash(
            "crash.unproven",
            "V3 as it comes: during the call, it was taken",
            "V3 默认配置：调用过程中，已扣款",
        )
        .config(patient(json!({"api": "v3", "routes": null})))
        .fault("hang_after")
        .kill_in(sale("S-0001"), SEEN)
        .recorded("S-0001", "unproven")
        .list("S-0001", &[OtherTender]),
        crash("crash.twice", "killed again while the money is given back", "退款过程中再次被结束")
            .fault("hang_after")
            .then(Step::Fault(Fault { name: "hang", operation: "reverse", times: 1, number: None }))
            .kill_in(sale("S-0001"), SEEN)
            .then(Step::Kill(Moment::Seen("reverse", 1)))
            .then(Step::Start(0))
            .settled()
            .list("S-0001", &[OtherTender]),
    ]
}

fn told() -> Vec<Scenario> {
    vec![
        crash("crash.completed", "after the sale was completed", "交易完成之后")
            .sell(sale("S-0001"), &[Completed])
            .then(Step::Kill(Moment::Idle))
            .then(Step::Start(0))
            .list("S-0001", &[Completed])
            .sell(sale("S-0001"), &[Completed]),
        crash("crash.other_tender", "after the customer paid in another way", "改用其他方式付款之后")
            .fault("reset_after")
            .sell(sale("S-0001"), &[OtherTender])
            .then(Step::Kill(Moment::Idle))
            .then(Step::Start(0))
            .settled()
            .list("S-0001", &[OtherTender]),
        crash("crash.not_sent", "after nothing could be sent", "请求未发出之后")
            .closed()
            .sell(sale("S-0001"), &[Retry])
            .then(Step::Kill(Moment::Idle))
            .open()
            .then(Step::Start(0))
            .list("S-0001", &[Retry])
            .sell(sale("S-0001"), &[Completed]),
        crash("crash.declined", "after a refusal", "被拒绝之后")
            .sell(sale("S-0001").amount("500.00").by(POOR), &[OtherTender])
            .then(Step::Kill(Moment::Idle))
            .then(Step::Start(0))
            .list("S-0001", &[OtherTender]),
    ]
}

/// Which of two events happens is random; till and gateway must agree in both cases.
fn at_any_moment() -> Vec<Scenario> {
    let ended = &[Completed, OtherTender];
    let sales = [
        sale("S-0001"),
        sale("S-0002").amount("13.50"),
        sale("S-0003").amount("14.00"),
        sale("S-0004").amount("15.00"),
        sale("S-0005").amount("16.00"),
    ];
    let mut before =
        crash("crash.before", "at any moment after the button", "点击付款后的任意时刻").by_chance();
    for (sale, ms) in sales.clone().into_iter().zip([0, 1, 3, 8, 20]) {
        before = before.kill_in(sale.clone(), Moment::After(ms)).settled().then(press(sale, ended));
    }
    let mut after =
        crash("crash.after", "as soon as the gateway has taken it", "网关刚扣款的时刻").by_chance();
    for sale in sales {
        let taken = Moment::Taken(sale.number);
        after = after.kill_in(sale.clone(), taken).settled().then(press(sale, ended));
    }
    vec![before, after]
}

fn confirm() -> Vec<Scenario> {
    let confirm = |id, en, zh| scenario(Group::Confirm, id, en, zh).config(patient(json!({"confirm": true})));
    vec![
        confirm("confirm.plain", "stored, confirmed, completed", "保存、确认、完成")
            .sell(sale("S-0001"), &[Completed]),
        confirm("confirm.twice", "pressed again after it was paid", "付款后再次点击")
            .sell(sale("S-0001"), &[Completed])
            .sell(sale("S-0001"), &[Completed]),
        confirm("confirm.lost", "the answer is lost", "应答丢失")
            .fault("reset_after")
            .sell(sale("S-0001"), &[OtherTender])
            .settled()
            .list("S-0001", &[OtherTender]),
        confirm("confirm.crash", "killed as soon as the gateway has taken it", "网关刚扣款即被结束")
            .by_chance()
            .kill_in(sale("S-0001"), Moment::Taken("S-0001"))
            .settled()
            .then(press(sale("S-0001"), &[Completed, OtherTender])),
    ]
}
