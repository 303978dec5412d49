//! The goals that the figures are compared with. A missed goal is reported, never hidden; it fails no test.

use crate::bounds::BOUNDS;
use crate::cold::{HTTP, HTTPS};
use crate::journals::MILLION;
use crate::opening::SALES;
use crate::pause::SECONDS;
use crate::peers::{
    CONSUME, CURL, CURL_SECURE, QUOTE, QUOTE_PYTHON, QUOTE_SECURE, REQUESTS, SOCKET, SOCKET_FLUSHED,
};
use crate::report::{Report, Sales};
use crate::slow_disk::{self, SLOW_MS};
use crate::tables::Lang;

/// Whether a figure must be small or large.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// One goal and its measurement.
pub(crate) struct Goal {
    english: &'static str,
    chinese: &'static str,
    limit: Limit,
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
        let (sign, limit) = match self.limit {
            Limit::AtMost(limit) => ('≤', limit),
            Limit::AtLeast(limit) => ('≥', limit),
        };
        format!("{sign} {limit}{}", self.unit)
    }

    pub(crate) fn measured(&self) -> String {
        // An instruction has no fractions.
        let digits = if self.measured.is_some_and(|measured| measured >= 1000.0) { 0 } else { 2 };
        self.measured.map_or("–".to_owned(), |measured| format!("{measured:.digits$}{}", self.unit))
    }

    pub(crate) fn verdict(&self, lang: Lang) -> &'static str {
        // What is compared is what is shown: a hundredth is the harness's own.
        let rounded = self.measured.map(|measured| (measured * 100.0).round() / 100.0);
        let held = rounded.map(|measured| match self.limit {
            Limit::AtMost(limit) => measured <= limit,
            Limit::AtLeast(limit) => measured >= limit,
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
    let mut goals = payments(report);
    goals.extend(quotes(report));
    goals.extend(starts(report));
    goals.extend(scale(report));
    goals.extend(BOUNDS.iter().map(|bound| Goal {
        english: bound.english,
        chinese: bound.chinese,
        limit: Limit::AtMost(bound.goal),
        unit: "",
        measured: report.counted(bound.english),
    }));
    goals
}

fn at_most(english: &'static str, chinese: &'static str, limit: f64, measured: Option<f64>) -> Goal {
    Goal { english, chinese, limit: Limit::AtMost(limit), unit: "", measured }
}

/// How much farther the p99 is from the p50 than that of another contestant.
fn spread(report: &Report, name: &str, to: &str) -> Option<f64> {
    let spread = |name| report.of(name).map(|figures| figures.p99_us / figures.p50_us);
    Some(spread(name)? / spread(to)?)
}

fn payments(report: &Report) -> Vec<Goal> {
    let slow = report.sales.iter().find(|sales| sales.disk == slow_disk::name(SLOW_MS));
    let pause = report.pauses.iter().find(|pause| pause.seconds == SECONDS);
    vec![
        at_most(
            "consume, p50, against bare socket + 2 × (overwrite + fdatasync)",
            "扣款 p50，对比裸套接字 + 2 ×（覆写 + fdatasync）",
            1.35,
            report.ratio(CONSUME, SOCKET_FLUSHED),
        ),
        at_most(
            "the same on a disk with 5 ms a flush, the first sales after a start",
            "同上，刷盘需 5 ms 的磁盘，启动后的头几笔",
            1.05,
            slow.map(|sales| Sales::ratio(sales.first)),
        ),
        at_most(
            "the same on a disk with 5 ms a flush, later sales",
            "同上，刷盘需 5 ms 的磁盘，其后各笔",
            1.05,
            slow.map(|sales| Sales::ratio(sales.later)),
        ),
        at_most(
            "p99 over p50 of a consume, against the same of its limit",
            "扣款的 p99 / p50，对比其极限的同一比值",
            1.3,
            spread(report, CONSUME, SOCKET_FLUSHED),
        ),
        at_most(
            "payment 15 s after its look-up, https, a path of 30 ms: round trips",
            "查询会员 15 s 后扣款，https，往返 30 ms：往返次数",
            1.1,
            pause.map(|pause| pause.round_trips),
        ),
    ]
}

fn quotes(report: &Report) -> Vec<Goal> {
    vec![
        at_most(
            "quote, p50, against the libcurl program",
            "试算 p50，对比 libcurl 程序",
            0.75,
            report.ratio(QUOTE, CURL),
        ),
        at_most(
            "quote over https on a kept connection, p50, against the libcurl program over https",
            "https 试算（复用连接）p50，对比 https 的 libcurl 程序",
            0.6,
            report.ratio(QUOTE_SECURE, CURL_SECURE),
        ),
        at_most(
            "quote from Python through the binding, p50, against Python requests",
            "Python 语言包试算 p50，对比 Python requests",
            0.12,
            report.ratio(QUOTE_PYTHON, REQUESTS),
        ),
        at_most(
            "p99 over p50 of a quote, against the same of the bare socket",
            "试算的 p99 / p50，对比裸套接字的同一比值",
            1.5,
            spread(report, QUOTE, SOCKET),
        ),
    ]
}

fn starts(report: &Report) -> Vec<Goal> {
    let first_answer = |scheme: &str| {
        let found = report.first_answers.iter().find(|answer| answer.scheme == scheme);
        found.map(|answer| answer.zvpos_ms / answer.curl_ms)
    };
    // A quick run fills smaller journals.
    let opening = report.opening.as_ref().filter(|opening| opening.entries == SALES);
    let million = report.journals.as_ref().filter(|large| large.entries == MILLION);
    vec![
        at_most(
            "cold process to its first answer, http, against the command curl",
            "从进程启动到首个应答，http，对比 curl 命令",
            0.33,
            first_answer(HTTP),
        ),
        at_most(
            "cold process to its first answer, https, against the command curl",
            "从进程启动到首个应答，https，对比 curl 命令",
            0.4,
            first_answer(HTTPS),
        ),
        at_most(
            "process start to the first payment's answer, journal of 100,000 real sales against an empty one",
            "从进程启动到首笔扣款应答，交易日志含 100,000 笔真实交易，对比空日志",
            2.0,
            opening.map(|opening| opening.large_ms / opening.empty_ms),
        ),
        at_most(
            "journal of 1,000,000 settled entries against an empty one, consume p50",
            "交易日志含 1,000,000 笔已了结交易，对比空日志，扣款 p50",
            1.1,
            million.map(|large| large.ratio),
        ),
    ]
}

fn scale(report: &Report) -> Vec<Goal> {
    let most = report.threads.iter().find(|line| line.what == "consume" && line.threads == 64);
    let paying = report.tills.iter().find(|till| till.what == "consume");
    vec![
        Goal {
            english: "64 threads paying over a gateway that takes 30 ms: share of 64 / 30 ms",
            chinese: "64 线程扣款，网关 30 ms 应答：占 64 / 30 ms 的比例",
            limit: Limit::AtLeast(95.0),
            unit: " %",
            measured: most.map(|line| 100.0 * line.share),
        },
        Goal {
            english: "shared library, stripped, with rustls, SQLite and GBK",
            chinese: "动态库大小（已去符号，含 rustls、SQLite、GBK）",
            limit: Limit::AtMost(3.0),
            unit: " MB",
            measured: Some(report.library_mb()),
        },
        Goal {
            english: "RSS of a C till after 1,000 payments",
            chinese: "C 收银程序扣款 1,000 次后的常驻内存",
            limit: Limit::AtMost(6.0),
            unit: " MB",
            measured: paying.map(|till| till.used_kib * 1024.0 / 1e6),
        },
    ]
}
