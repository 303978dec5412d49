//! What can go wrong between a till and the gateway, by name. No I/O here: a fault decides whether the gateway acts,
//! and is a script of what then happens on the connection; whoever holds the connection plays it.

mod book;
mod drift;
mod script;
mod wire;

pub(crate) use self::wire::reason;
pub use self::{
    book::{Armed, Book, Chosen},
    drift::{VARIANTS, drift},
    script::Step,
    wire::{Content, HttpAnswer},
};

use serde::Serialize;

/// A number that a fault takes: its name, what it is when not given, and what it means.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// When not given.
    pub default: u64,
    /// Its meaning.
    pub meaning: &'static str,
}

/// A row of the table of faults.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Row {
    /// The name.
    pub name: &'static str,
    /// Whether the gateway carries the request out.
    pub acts: bool,
    /// What it is, in English.
    pub en: &'static str,
    /// What it is, in Chinese.
    pub zh: &'static str,
    /// What a till should be told about a consume that meets it.
    pub till_sees: &'static str,
    /// The one number it takes, if any.
    pub param: Option<Param>,
}

#[allow(clippy::unnecessary_wraps, reason = "it stands in the table beside `None`")]
const fn param(name: &'static str, default: u64, meaning: &'static str) -> Option<Param> {
    Some(Param { name, default, meaning })
}

macro_rules! faults {
    ($($fault:ident $name:literal acts $acts:literal till $till:literal param $param:expr, $en:literal $zh:literal;)+) => {
        /// A fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $(#[doc = $en] $fault,)+
        }

        impl Fault {
            /// Every fault, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$fault,)+];

            /// Its row of the table.
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$fault => {
                        Row { name: $name, acts: $acts, en: $en, zh: $zh, till_sees: $till, param: $param }
                    })+
                }
            }
        }
    };
}

faults! {
    Refused "refused" acts false till "not_sent; unknown if its connection was open already"
        param param("ms", 1000, "how long the gateway's port stays closed"),
        "the port is closed for a time: connections are refused, open ones reset"
        "端口关闭一段时间:新连接被拒绝,已有连接被重置";
    Hang "hang" acts false till "unknown" param None,
        "the request is read and never answered; nothing is taken"
        "收到请求后不应答;未扣款";
    HangAfter "hang_after" acts true till "unknown" param None,
        "the request is carried out and never answered"
        "已扣款,但不应答";
    ResetBefore "reset_before" acts false till "unknown" param None,
        "the connection is reset before anything is taken"
        "扣款前连接被重置";
    ResetAfter "reset_after" acts true till "unknown" param None,
        "the request is carried out, then the connection is reset"
        "扣款后连接被重置";
    StrayAnswer "stray_answer" acts true till "succeeded; the next call must not read the other sale's answer" param None,
        "the answer is followed by another complete one, a success of another sale"
        "应答之后同一连接上又出现另一笔交易的成功应答";
    Html200 "html_200" acts false till "unknown" param None,
        "a captive portal's page with status 200; nothing is taken"
        "返回认证门户网页(状态 200);未扣款";
    Html200After "html_200_after" acts true till "unknown" param None,
        "the request is carried out, the answer replaced by a portal's page with status 200"
        "已扣款,应答被替换为认证门户网页(状态 200)";
    Http500 "http_500" acts false till "unknown" param param("status", 500, "the HTTP status"),
        "an HTTP error; nothing is taken"
        "HTTP 错误;未扣款";
    Http500After "http_500_after" acts true till "unknown" param param("status", 500, "the HTTP status"),
        "the request is carried out, the answer is an HTTP error"
        "已扣款,应答为 HTTP 错误";
    CutBody "cut_body" acts true till "unknown" param param("at", 40, "how many bytes of the body are sent"),
        "the request is carried out, the answer ends in the middle although its length promises more"
        "已扣款,应答正文中途截断";
    DriftedTypes "drifted_types" acts true till "succeeded" param param("variant", 0, "which way the types drift: 0, 1 or 2"),
        "the right answer with other JSON types: bools, numbers, ids and empty objects"
        "应答内容正确,但 JSON 类型漂移";
    SlowBody "slow_body" acts true till "unknown at the deadline" param param("ms", 1000, "the time between two bytes"),
        "the request is carried out, the body comes one byte at a time"
        "已扣款,应答正文逐字节缓慢到达";
    LateAnswer "late_answer" acts true till "unknown if later than the deadline, else succeeded"
        param param("ms", 15_000, "how long the answer takes"),
        "the request is carried out, the answer comes late"
        "已扣款,应答迟到";
    SystemError "system_error" acts false till "unknown" param None,
        "a system error of the gateway (status false); nothing is taken"
        "网关系统错误(status 为 false);未扣款";
    SystemErrorAfter "system_error_after" acts true till "unknown" param None,
        "the request is carried out, the answer is a system error (status false)"
        "已扣款,但返回系统错误(status 为 false)";
}

impl Fault {
    /// The fault of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.row().name == name)
    }
}

/// The table as `--faults` prints it.
pub fn table() -> String {
    let mut out = String::from(
        "A fault is chosen by the admin API, POST /faults {\"fault\": NAME, \"times\": 1}, or for a consume by the end of its\n\
         bizId: ~NAME or ~NAME:NUMBER, e.g. T1-0004~reset_after or T1-0005~cut_body:57.\n\n",
    );
    for row in Fault::ALL.iter().map(|fault| fault.row()) {
        let number = row
            .param
            .map_or_else(String::new, |p| format!("  number   {} = {} ({})\n", p.name, p.default, p.meaning));
        let Row { name, en, zh, till_sees, .. } = row;
        out.extend([name, "\n  ", en, "\n  ", zh, "\n", &number, "  till     ", till_sees, "\n\n"]);
    }
    out
}
