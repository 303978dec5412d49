//! Two tills, refunds, unusual behaviour of the gateway, and the end of the day.

use serde_json::json;

use super::{Fault, Group, Moment, Scenario, Step, scenario};
use crate::sale::SaleState::{Completed, Failed, OtherTender, Refunded, Refunding, Retry, Waiting};
use crate::sale::{FIVE_OFF, POOR, sale};

pub(super) fn scenarios() -> Vec<Scenario> {
    [tills(), refunds(), gateway(), end()].concat()
}

fn tills() -> Vec<Scenario> {
    let tills = |id, en, zh| scenario(Group::Tills, id, en, zh).then(Step::Start(1));
    let second = |sale, says| Step::Sell { till: 1, sale, says };
    vec![
        tills("tills.one_member", "one member at two tills, one journal", "同一会员在两台收银机付款")
            .sell(sale("S-0001"), &[Completed])
            .then(second(sale("S-0002").amount("13.50"), vec![Completed])),
        tills("tills.at_once", "both at the same time", "两台同时付款")
            .config(json!({"guard": "off"}))
            .then(Step::Begin { till: 0, sale: sale("S-0001") })
            .then(Step::Begin { till: 1, sale: sale("S-0002").amount("13.50") })
            .then(Step::Finish { till: 0, sale: "S-0001", says: vec![Completed] })
            .then(Step::Finish { till: 1, sale: "S-0002", says: vec![Completed] }),
        // Each till numbers its own sales, so both have an S-0001.
        tills("tills.same_number", "both ring up a sale of the same number", "两台的单号相同")
            .sell(sale("S-0001"), &[Completed])
            .then(second(sale("S-0001").amount("13.50"), vec![Completed, Failed])),
    ]
}

fn refunds() -> Vec<Scenario> {
    let refund = |id, en, zh| scenario(Group::Refund, id, en, zh);
    let back = &[Refunded, Refunding];
    vec![
        refund("refund.plain", "the gateway gives it back", "网关退回")
            .sell(sale("S-0001").amount("23.00").coupon(FIVE_OFF), &[Completed])
            .refund("S-0001", &[Refunded]),
        refund("refund.lost", "the answer to the reversal is lost", "冲正应答丢失")
            .sell(sale("S-0001"), &[Completed])
            .then(Step::Fault(Fault { name: "reset_after", operation: "reverse", times: 1, number: None }))
            .refund("S-0001", back)
            .settled()
            .list("S-0001", &[Refunded]),
        refund("refund.twice", "undone twice", "退回两次")
            .sell(sale("S-0001"), &[Completed])
            .refund("S-0001", &[Refunded])
            .refund("S-0001", &[Refunded]),
        refund("refund.refused", "the gateway refuses to undo it", "网关拒绝冲正")
            .policy(json!({"refuse_reversals": true}))
            .sell(sale("S-0001"), &[Completed])
            .refund("S-0001", &[Completed]),
        refund("refund.restart", "undone after the till was killed", "重启后退回")
            .sell(sale("S-0001"), &[Completed])
            .then(Step::Kill(Moment::Idle))
            .then(Step::Start(0))
            .refund("S-0001", &[Refunded]),
        refund("refund.as_it_comes", "V3 as it comes: the gateway gives it back", "V3 默认配置：网关退回")
            .without_codes()
            .sell(sale("S-0001").amount("23.00").coupon(FIVE_OFF), &[Completed])
            .refund("S-0001", &[Refunded]),
        refund(
            "refund.unproven",
            "V3 as it comes: the answer to the reversal is lost",
            "V3 默认配置：冲正应答丢失",
        )
        .without_codes()
        .sell(sale("S-0001"), &[Completed])
        .then(Step::Fault(Fault { name: "reset_after", operation: "reverse", times: 1, number: None }))
        .refund("S-0001", &[Refunding])
        .recorded("S-0001", "refused")
        .list("S-0001", &[Waiting]),
    ]
}

fn gateway() -> Vec<Scenario> {
    let gateway = |id, en, zh| scenario(Group::Gateway, id, en, zh);
    vec![
        gateway("gateway.biz_id", "it answers with a bizId of its own", "网关返回另一个 bizId")
            .policy(json!({"returned_biz_id": "other"}))
            .sell(sale("S-0001"), &[Completed])
            .then(Step::Kill(Moment::Idle))
            .then(Step::Start(0))
            .list("S-0001", &[Completed]),
        gateway("gateway.biz_id_refund", "its own bizId, and a refund", "网关返回另一个 bizId 后退回")
            .policy(json!({"returned_biz_id": "other", "reverse_by_sent": false}))
            .sell(sale("S-0001"), &[Completed])
            .refund("S-0001", &[Refunded]),
        gateway("gateway.clock", "the till's clock is a day off", "收银机时钟相差一天")
            .policy(json!({"clock_offset_ms": 86_400_000}))
            .sell(sale("S-0001"), &[Completed])
            .sell(sale("S-0002").amount("13.50"), &[Completed]),
        gateway("gateway.duplicate", "it refuses a bizId that it knows", "网关拒绝重复 bizId")
            .policy(json!({"same_biz_id": "duplicate"}))
            .sell(sale("S-0001"), &[Completed])
            .sell(sale("S-0001"), &[Completed]),
        gateway(
            "gateway.executes_again",
            "it takes again for a bizId that it knows",
            "网关对重复 bizId 再次扣款",
        )
        .policy(json!({"same_biz_id": "again"}))
        .sell(sale("S-0001"), &[Completed])
        .sell(sale("S-0001"), &[Completed]),
        gateway("gateway.outage", "it is away for three sales, and comes back", "网关中断三笔后恢复")
            .closed()
            .sell(sale("S-0001"), &[Retry])
            .sell(sale("S-0002").amount("13.50"), &[Retry])
            .sell(sale("S-0003").amount("14.00"), &[Retry])
            .open()
            .sell(sale("S-0001"), &[Completed])
            .sell(sale("S-0002").amount("13.50"), &[Completed])
            .sell(sale("S-0003").amount("14.00"), &[Completed]),
        gateway("gateway.lost_outage", "a lost answer, and then it is away", "应答丢失后网关中断")
            .config(json!({"guard": "off"}))
            .fault("reset_after")
            .then(Step::Fault(Fault { name: "reset_before", operation: "reverse", times: 3, number: None }))
            .sell(sale("S-0001"), &[OtherTender])
            .then(Step::Stop(0))
            .closed()
            .then(Step::Start(0))
            .list("S-0001", &[OtherTender])
            .open()
            .settled()
            .list("S-0001", &[OtherTender]),
    ]
}

fn end() -> Vec<Scenario> {
    let end = |id, en, zh| scenario(Group::End, id, en, zh);
    vec![
        end("end.during", "closed during a call", "调用过程中关机")
            .then(Step::Fault(Fault {
                name: "late_answer",
                operation: "consume",
                times: 1,
                number: Some(("ms", 500)),
            }))
            .then(Step::Begin { till: 0, sale: sale("S-0001") })
            .then(Step::Stop(0))
            .then(Step::Start(0))
            .list("S-0001", &[Completed]),
        end("end.restart", "closed and opened: the list is still there", "重启后列表仍在")
            .sell(sale("S-0001"), &[Completed])
            .sell(sale("S-0002").amount("500.00").by(POOR), &[OtherTender])
            .then(Step::Stop(0))
            .then(Step::Start(0))
            .list("S-0001", &[Completed])
            .list("S-0002", &[OtherTender]),
        end("end.day", "a day of all kinds, and no difference", "各种交易的日结，无差异")
            .config(json!({"guard": "off"}))
            .sell(sale("S-0001"), &[Completed])
            .sell(sale("S-0002").amount("500.00").by(POOR), &[OtherTender])
            .fault("reset_after")
            .sell(sale("S-0003").amount("14.00"), &[OtherTender])
            .sell(sale("S-0004").amount("15.00").coupon(FIVE_OFF), &[Completed])
            .refund("S-0004", &[Refunded])
            .settled()
            .then(Step::Day { differs: false }),
        end(
            "end.day_missing",
            "the till has lost its files: the day's end shows it",
            "收银机文件丢失，日结应发现差异",
        )
        .sell(sale("S-0001"), &[Completed])
        .then(Step::Stop(0))
        .then(Step::LoseFiles)
        .then(Step::Start(0))
        .then(Step::Day { differs: true }),
    ]
}
