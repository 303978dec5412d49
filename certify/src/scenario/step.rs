//! One step of a scenario, and its description.

use crate::sale::{Sale, SaleState};
use crate::text::{Text, text};

/// A fault of the simulator, armed for the next requests.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    /// The operation of the requests; empty means any.
    pub(crate) operation: &'static str,
    pub(crate) times: u32,
    /// The fault's number.
    pub(crate) number: Option<(&'static str, u64)>,
}

/// The moment to kill a till.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// After the gateway has received this many requests of an operation.
    Seen(&'static str, usize),
    /// As soon as the gateway's ledger has this sale's deduction.
    Taken(&'static str),
    /// This many milliseconds after the command.
    After(u64),
    /// After the till has reported its command as done.
    Idle,
}

/// One step. `says` lists the allowed results of the sale, the best one first.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Start this till.
    Start(u8),
    /// The cashier rings up a sale and waits for the result.
    Sell { till: u8, sale: Sale, says: Vec<SaleState> },
    /// The cashier rings up a sale; a later step waits for the result.
    Begin { till: u8, sale: Sale },
    /// Wait for the result of a sale that was begun.
    Finish { till: u8, sale: &'static str, says: Vec<SaleState> },
    /// The cashier checks the till's list, and rings the sale up again if it is not there or may be retried.
    Press { till: u8, sale: Sale, says: Vec<SaleState> },
    /// The cashier checks the till's list until the sale has an allowed result.
    List { till: u8, sale: &'static str, says: Vec<SaleState> },
    /// Arm a fault.
    Fault(Fault),
    /// Disarm every fault; the gateway is reachable again.
    Open,
    /// Wait until the library has settled what it can.
    Settled,
    /// Wait until the journal has a sale in a stage.
    Recorded { sale: &'static str, stage: &'static str },
    /// Wait until a sale's deduction has been given back.
    GivenBack(&'static str),
    /// Kill the first till.
    Kill(Moment),
    /// Delete the first till's own files, but not the journal.
    LoseFiles,
    /// Delete the journal, but not the till's own files.
    LoseJournal,
    /// A person settles a sale in the journal by the gateway's records.
    Person { sale: &'static str, kept: bool },
    /// The cashier refunds a sale.
    Refund { sale: &'static str, says: Vec<SaleState> },
    /// The end of the day: whether the till finds a difference.
    Day { differs: bool },
    /// Stop the till in order.
    Stop(u8),
}

impl Step {
    /// The description of the step.
    pub(crate) fn words(&self) -> Text {
        match self {
            Step::Start(till) => {
                text(format!("start till {}", till + 1), format!("启动 {} 号收银机", till + 1))
            }
            Step::Sell { till, sale, .. } => rung_up(*till, sale, "", ""),
            Step::Begin { till, sale } => rung_up(*till, sale, ", not waiting for the end", "，不等待结果"),
            Step::Finish { sale, .. } => {
                text(format!("wait for the end of {sale}"), format!("等待 {sale} 的结果"))
            }
            Step::Press { till, sale, .. } => rung_up(
                *till,
                sale,
                ", but only if the till's list does not have it or allows another try",
                "（仅当列表中没有该交易或允许重试时）",
            ),
            Step::List { sale, .. } => {
                text(format!("look {sale} up in the till's list"), format!("在收银机列表中查看 {sale}"))
            }
            Step::Fault(fault) => fault.words(),
            Step::Open => text("the gateway is well again", "网关恢复正常"),
            Step::Settled => {
                text("wait until the library has settled everything", "等待动态库处理完所有未决交易")
            }
            Step::Recorded { sale, stage } => text(
                format!("wait until the journal says {stage} of {sale}"),
                format!("等待日志中 {sale} 的状态变为 {stage}"),
            ),
            Step::GivenBack(sale) => text(
                format!("wait until the gateway has given {sale} back"),
                format!("等待网关退回 {sale} 的扣款"),
            ),
            Step::Kill(moment) => moment.words(),
            Step::LoseFiles => text(
                "the till's own files are lost, the journal is not",
                "收银机自己的文件丢失，日志文件仍在",
            ),
            Step::LoseJournal => text(
                "the journal is lost, the till's own files are not",
                "日志文件丢失，收银机自己的文件仍在",
            ),
            Step::Person { sale, kept: true } => text(
                format!("a person settles {sale}: the deduction stands"),
                format!("人工认定 {sale}：扣款有效"),
            ),
            Step::Person { sale, kept: false } => text(
                format!("a person settles {sale}: nothing was taken"),
                format!("人工认定 {sale}：未扣款"),
            ),
            Step::Refund { sale, .. } => text(format!("undo {sale}"), format!("整单退回 {sale}")),
            Step::Day { .. } => text("compare the day with the journal", "日结：与日志核对"),
            Step::Stop(till) => {
                text(format!("close till {} in order", till + 1), format!("正常关闭 {} 号收银机", till + 1))
            }
        }
    }

    /// The till, the sale and its allowed results after this step.
    pub(crate) fn expectation(&self) -> Option<(u8, &'static str, &[SaleState])> {
        match self {
            Step::Sell { till, sale, says } | Step::Press { till, sale, says } => {
                Some((*till, sale.number, says))
            }
            Step::Finish { till, sale, says } | Step::List { till, sale, says } => Some((*till, sale, says)),
            Step::Refund { sale, says } => Some((0, sale, says)),
            _ => None,
        }
    }
}

fn rung_up(till: u8, sale: &Sale, en: &str, zh: &str) -> Text {
    let mut english = Vec::new();
    let mut chinese = Vec::new();
    if !sale.amount.is_empty() {
        english.push(sale.amount.to_owned());
        chinese.push(format!("{} 元", sale.amount));
    }
    if !sale.coupons.is_empty() {
        english.push(format!("coupon {}", sale.coupons.join(", ")));
        chinese.push(format!("优惠券 {}", sale.coupons.join("、")));
    }
    if sale.points > 0 {
        english.push(format!("{} points", sale.points));
        chinese.push(format!("{} 积分", sale.points));
    }
    let number = till + 1;
    text(
        format!("till {number}: {} by member {}: {}{en}", sale.number, sale.customer, english.join(" and ")),
        format!("{number} 号收银机：{}，会员 {}，{}{zh}", sale.number, sale.customer, chinese.join("，")),
    )
}

impl Fault {
    fn words(&self) -> Text {
        let row = zvpos_sandbox::faults::Fault::named(self.name).map(zvpos_sandbox::faults::Fault::row);
        let (en, zh) = row.map_or((self.name, self.name), |row| (row.en, row.zh));
        let (which, whom) = match self.operation {
            "" => ("all requests", "所有请求"),
            "consume" => ("the next consume", "下一次扣款请求"),
            "quote" => ("the next quote", "下一次试算请求"),
            "reverse" => ("the next reversal", "下一次冲正请求"),
            other => (other, other),
        };
        let times = if self.times > 1 { format!(" (×{})", self.times) } else { String::new() };
        let number = self.number.map_or_else(String::new, |(name, number)| format!(" [{name} = {number}]"));
        let name = self.name;
        text(
            format!("fault {name}{number}, {which}{times}: {en}"),
            format!("故障 {name}{number}，{whom}{times}：{zh}"),
        )
    }
}

impl Moment {
    fn words(self) -> Text {
        let (en, zh) = match self {
            Moment::Seen(operation, _) => (
                format!("once the gateway has seen the {operation}"),
                format!("网关收到请求（{operation}）之后"),
            ),
            Moment::Taken(sale) => (
                format!("as soon as the gateway's ledger shows {sale}"),
                format!("网关账上一出现 {sale} 的扣款"),
            ),
            Moment::After(ms) => (format!("{ms} ms after the button"), format!("点击付款 {ms} 毫秒后")),
            Moment::Idle => ("while it does nothing".to_owned(), "空闲时".to_owned()),
        };
        text(format!("kill -9: {en}"), format!("kill -9:{zh}"))
    }
}
