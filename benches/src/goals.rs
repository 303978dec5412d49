//! The goals that the figures are compared with. A missed goal is reported, never hidden; it fails no test.

use crate::journals::MILLION;
use crate::peers::{CONSUME, CURL, QUOTE, QUOTE_PYTHON, REQUESTS, SOCKET, SOCKET_FLUSHED};
use crate::report::{Report, Till};
use crate::tables::Lang;

/// Whether a figure must be small or large.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// One goal and its measurement.
pub(crate) struct Goal {
    english: &'static str,
    chinese: &'static str,
    bound: Bound,
    unit: &'static str,
    measured: Option<f64>,
}

impl Goal {
    pub(crate) fn what(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::English => self.english,
            Lang::Chinese => self.chinese,
        }
    }

    pub(crate) fn goal(&self) -> String {
        let (sign, bound) = match self.bound {
            Bound::AtMost(bound) => ('≤', bound),
            Bound::AtLeast(bound) => ('≥', bound),
        };
        format!("{sign} {bound}{}", self.unit)
    }

    pub(crate) fn measured(&self) -> String {
        self.measured.map_or("–".to_owned(), |measured| format!("{measured:.2}{}", self.unit))
    }

    pub(crate) fn verdict(&self, lang: Lang) -> &'static str {
        let held = self.measured.map(|measured| match self.bound {
            Bound::AtMost(bound) => measured <= bound,
            Bound::AtLeast(bound) => measured >= bound,
        });
        match (lang, held) {
            (Lang::English, Some(true)) => "held",
            (Lang::English, Some(false)) => "**missed**",
            (Lang::English, None) => "not measured",
            (Lang::Chinese, Some(true)) => "达到",
            (Lang::Chinese, Some(false)) => "**未达到**",
            (Lang::Chinese, None) => "未测",
        }
    }
}

/// All goals, in the order of the tables.
pub(crate) fn goals(report: &Report) -> Vec<Goal> {
    let mut goals = calls(report);
    goals.extend(scale(report));
    goals
}

fn calls(report: &Report) -> Vec<Goal> {
    let instructions = |name| report.of(name).and_then(|figures| figures.instructions);
    let spread = |name| report.of(name).map(|figures| figures.p99_us / figures.p50_us);
    let by = |one: Option<f64>, other: Option<f64>| one.zip(other).map(|(one, other)| one / other);
    vec![
        Goal {
            english: "quote, p50, against the libcurl program",
            chinese: "试算 p50，对比 libcurl 程序",
            bound: Bound::AtMost(1.0),
            unit: "",
            measured: report.ratio(QUOTE, CURL),
        },
        Goal {
            english: "quote, instructions a call in user space, against the libcurl program",
            chinese: "试算每次调用的用户态指令数，对比 libcurl 程序",
            bound: Bound::AtMost(1.0),
            unit: "",
            measured: by(instructions(QUOTE), instructions(CURL)),
        },
        Goal {
            english: "consume, p50, against bare socket + 2 × fdatasync",
            chinese: "扣款 p50，对比裸套接字 + 2 × fdatasync",
            bound: Bound::AtMost(1.25),
            unit: "",
            measured: report.ratio(CONSUME, SOCKET_FLUSHED),
        },
        Goal {
            english: "quote from Python through the binding, p50, against Python requests",
            chinese: "Python 语言包试算 p50，对比 Python requests",
            bound: Bound::AtMost(0.15),
            unit: "",
            measured: report.ratio(QUOTE_PYTHON, REQUESTS),
        },
        Goal {
            english: "p99 over p50 of a quote, against the same of the bare socket",
            chinese: "试算的 p99 / p50，对比裸套接字的同一比值",
            bound: Bound::AtMost(1.5),
            unit: "",
            measured: by(spread(QUOTE), spread(SOCKET)),
        },
    ]
}

fn scale(report: &Report) -> Vec<Goal> {
    let most = report.threads.iter().find(|line| line.what == "quote" && line.threads == 64);
    let resident_mb = |till: &Till| till.used_kib * 1024.0 / 1e6;
    vec![
        Goal {
            english: "64 threads over a gateway that takes 30 ms: share of 64 / 30 ms",
            chinese: "64 线程，网关 30 ms 应答：占 64 / 30 ms 的比例",
            bound: Bound::AtLeast(95.0),
            unit: " %",
            measured: most.map(|line| 100.0 * line.share),
        },
        Goal {
            english: "journal of 1,000,000 settled entries against an empty one, consume p50",
            chinese: "交易日志含 1,000,000 笔已了结交易，对比空日志，扣款 p50",
            bound: Bound::AtMost(1.1),
            unit: "",
            // A quick run fills a smaller journal.
            measured: report
                .journals
                .as_ref()
                .filter(|large| large.entries == MILLION)
                .map(|large| large.ratio),
        },
        Goal {
            english: "shared library, stripped, with rustls, SQLite and GBK",
            chinese: "动态库大小（已去符号，含 rustls、SQLite、GBK）",
            bound: Bound::AtMost(3.0),
            unit: " MB",
            measured: Some(report.library_mb()),
        },
        Goal {
            english: "RSS of a C till after 1,000 calls",
            chinese: "C 收银程序调用 1,000 次后的常驻内存",
            bound: Bound::AtMost(10.0),
            unit: " MB",
            measured: report.tills.iter().map(resident_mb).reduce(f64::max),
        },
    ]
}
