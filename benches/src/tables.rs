//! The figures as Markdown tables: all of them for `benches/results/results.md` and the screen, the chief ones for
//! the pages.

use std::fmt::Write as _;

use crate::first_sales::FIRST;
use crate::goals::goals;
use crate::peers::{
    CONSUME, CURL, CURL_SECURE, HTTP_CLIENT, HTTP_CLIENT_CORE, QUOTE, QUOTE_CSHARP, QUOTE_CSHARP_CORE,
    QUOTE_PYTHON, QUOTE_SECURE, REQUESTS, SOCKET, SOCKET_APPENDED, SOCKET_FLUSHED,
};
use crate::report::{Report, Sales};

/// The language of a page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    English,
    Chinese,
}

/// What each call is compared with: the lower bound, and what one would write in that language.
const BESIDE: [(&str, &str, Option<&str>); 14] = [
    (SOCKET, SOCKET, None),
    (QUOTE, SOCKET, Some(CURL)),
    (CURL, SOCKET, None),
    (QUOTE_SECURE, SOCKET, Some(CURL_SECURE)),
    (CURL_SECURE, SOCKET, None),
    (QUOTE_PYTHON, SOCKET, Some(REQUESTS)),
    (REQUESTS, SOCKET, None),
    (QUOTE_CSHARP, SOCKET, Some(HTTP_CLIENT)),
    (HTTP_CLIENT, SOCKET, None),
    (QUOTE_CSHARP_CORE, SOCKET, Some(HTTP_CLIENT_CORE)),
    (HTTP_CLIENT_CORE, SOCKET, None),
    (SOCKET_FLUSHED, SOCKET_FLUSHED, None),
    (SOCKET_APPENDED, SOCKET_FLUSHED, None),
    (CONSUME, SOCKET_FLUSHED, None),
];

/// All tables, as in `benches/results/results.md`.
pub(crate) fn results(report: &Report) -> String {
    let mut parts = vec![
        "# Benchmarks".to_owned(),
        format!("{}. {} calls of each contestant, in turn, in one run.", report.machine, report.calls),
        "Written by `make bench`. Only the ratios mean anything elsewhere; what they mean stands in \
         [docs/benchmarks.md](../../docs/benchmarks.md)."
            .to_owned(),
        "## Goals".to_owned(),
        goals_table(report, Lang::English),
        "## One call".to_owned(),
        calls_table(report, Lang::English),
        disk_line(report, Lang::English),
    ];
    if !report.missing.is_empty() {
        parts.extend(["## Missing".to_owned(), missing_table(report)]);
    }
    parts.extend(["## The first sales after a start, and later ones".to_owned(), sales_table(report)]);
    parts.extend(["## A payment some time after its look-up".to_owned(), pauses_table(report)]);
    parts.extend([
        "## From the start of a process to its first answer".to_owned(),
        first_answers_table(report),
    ]);
    parts.extend(["## Many threads over a gateway that takes 30 ms".to_owned(), threads_table(report)]);
    parts.extend(["## A large journal".to_owned(), journals_line(report)]);
    parts.extend(["## Start".to_owned(), starts_table(report)]);
    parts.extend(["## Weight".to_owned(), weight_table(report)]);
    parts.join("\n\n") + "\n"
}

/// Goal, measurement, met or missed.
pub(crate) fn goals_table(report: &Report, lang: Lang) -> String {
    let head = match lang {
        Lang::English => ["", "goal", "measured", ""],
        Lang::Chinese => ["", "目标", "实测", ""],
    };
    let rows = goals(report);
    let rows = rows.iter().map(|goal| {
        [goal.what(lang).to_owned(), goal.goal(), goal.measured(), goal.verdict(lang).to_owned()]
    });
    table(head, rows)
}

/// Every contestant.
pub(crate) fn calls_table(report: &Report, lang: Lang) -> String {
    let head = match lang {
        Lang::English => {
            ["", "p50 µs", "p99 µs", "to the limit", "to its peer", "instructions", "allocations"]
        }
        Lang::Chinese => ["", "p50 µs", "p99 µs", "对比极限", "对比同语言写法", "指令数", "内存分配次数"],
    };
    let rows = report.contestants.iter().map(|figures| {
        let beside = BESIDE.iter().find(|(name, ..)| *name == figures.name);
        let ratio = |to: Option<&str>| {
            let ratio = to.and_then(|to| report.ratio(&figures.name, to));
            ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"))
        };
        let shown = |figure: Option<f64>, digits: usize| {
            figure.map_or(String::new(), |figure| format!("{figure:.digits$}"))
        };
        [
            name_in(&figures.name, lang).to_owned(),
            format!("{:.1}", figures.p50_us),
            format!("{:.1}", figures.p99_us),
            ratio(beside.map(|(_, limit, _)| *limit)),
            ratio(beside.and_then(|(.., peer)| *peer)),
            shown(figures.instructions, 0),
            shown(figures.allocations, 1),
        ]
    });
    table(head, rows)
}

/// How much dearer on this machine's disk a record is that makes its file grow.
pub(crate) fn disk_line(report: &Report, lang: Lang) -> String {
    let appended = report.ratio(SOCKET_APPENDED, SOCKET_FLUSHED);
    let ratio = appended.map_or("–".to_owned(), |ratio| format!("{:.2}", 1.0 / ratio));
    match lang {
        Lang::English => format!(
            "Overwriting takes {ratio} of the time of appending on this machine's disk (p50, socket included)."
        ),
        Lang::Chinese => format!("本机磁盘上，覆写的耗时是追加的 {ratio} 倍（p50，含套接字往返）。"),
    }
}

fn sales_table(report: &Report) -> String {
    let rows = report.sales.iter().flat_map(|sales| {
        let first = format!("the first {FIRST} after a start");
        [(first, sales.first), ("later".to_owned(), sales.later)].map(|(when, pair)| {
            let [[limit_p50, limit_p99], [own_p50, own_p99]] = pair.map(|of| of.map(|us| format!("{us:.0}")));
            let ratio = format!("{:.2}", Sales::ratio(pair));
            [sales.disk.clone(), when, limit_p50, limit_p99, own_p50, own_p99, ratio]
        })
    });
    table(["", "sales", "limit, p50 µs", "p99 µs", "zvpos, p50 µs", "p99 µs", "p50 to the limit"], rows)
}

fn pauses_table(report: &Report) -> String {
    let rows = report.pauses.iter().map(|pause| {
        [format!("{} s", pause.seconds), pause.payments.to_string(), format!("{:.2}", pause.round_trips)]
    });
    table(["after", "payments", "median, in round trips of 30 ms"], rows)
}

fn first_answers_table(report: &Report) -> String {
    let mut rows: Vec<[String; 4]> = Vec::new();
    for answer in &report.first_answers {
        let ratio = answer.zvpos_ms / answer.curl_ms;
        rows.push([
            format!("quote over {}; the command curl", answer.scheme),
            format!("{:.2}", answer.zvpos_ms),
            format!("{:.2}", answer.curl_ms),
            format!("{ratio:.2}"),
        ]);
    }
    if let Some(opening) = &report.opening {
        rows.push([
            format!("payment with {} real sales in the journal; with none", opening.entries),
            format!("{:.2}", opening.large_ms),
            format!("{:.2}", opening.empty_ms),
            format!("{:.2}", opening.large_ms / opening.empty_ms),
        ]);
    }
    table(["the one; the other", "the one, ms", "the other, ms", "ratio"], rows.into_iter())
}

fn missing_table(report: &Report) -> String {
    let rows = report
        .missing
        .iter()
        .map(|missing| [missing.name.clone(), missing.why.clone(), format!("`{}`", missing.install)]);
    table(["not measured", "because", "brought by"], rows)
}

fn threads_table(report: &Report) -> String {
    let mb = |kib: f64| format!("{:.1}", kib * 1024.0 / 1e6);
    let rows = report.threads.iter().map(|line| {
        [
            line.what.clone(),
            line.threads.to_string(),
            format!("{:.0}", line.calls_a_second),
            format!("{:.1} %", 100.0 * line.share),
            format!("{:.1}", line.p50_ms),
            format!("{:.1}", line.p99_ms),
            mb(line.resident_kib),
            mb(line.peak_kib),
            format!("{:.0}", line.descriptors),
        ]
    });
    let head = [
        "call",
        "threads",
        "a second",
        "of the most",
        "p50 ms",
        "p99 ms",
        "RSS MB",
        "peak MB",
        "descriptors",
    ];
    table(head, rows)
}

#[allow(clippy::cast_precision_loss, reason = "a file's size to be printed with few digits")]
fn journals_line(report: &Report) -> String {
    let Some(journals) = &report.journals else { return "Not measured.".to_owned() };
    let ([empty_p50, empty_p99], [large_p50, large_p99]) = (journals.empty, journals.large);
    format!(
        "A consume with {} settled entries in the journal ({:.0} MB): p50 {large_p50:.0} µs, p99 {large_p99:.0} µs; \
         with an empty one p50 {empty_p50:.0} µs, p99 {empty_p99:.0} µs. One call of each in turn: the median of the \
         ratios is {:.2}.",
        journals.entries,
        journals.large_bytes as f64 / 1e6,
        journals.ratio
    )
}

fn starts_table(report: &Report) -> String {
    let rows = report.starts.iter().map(|start| {
        [start.what.clone(), format!("{:.1}", start.init_ms), format!("{:.1}", start.process_ms)]
    });
    table(["", "zv_init, ms", "from the start of the process, ms"], rows)
}

fn weight_table(report: &Report) -> String {
    let mb = |kib: f64| format!("{:.1} MB", kib * 1024.0 / 1e6);
    let library = ["shared library".to_owned(), format!("{:.2} MB", report.library_mb())];
    let tills = report.tills.iter().flat_map(|till| {
        [
            ("after its first call", till.idle_kib),
            ("after 1,000 calls", till.used_kib),
            ("at its peak", till.peak_kib),
        ]
        .map(|(when, kib)| [format!("RSS of a C till, {} {when}", till.what), mb(kib)])
    });
    table(["", ""], std::iter::once(library).chain(tills))
}

fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut out = format!("| {} |\n|{}", head.join(" | "), "---|".repeat(N));
    for row in rows {
        // Writing to a String cannot fail.
        let _ = write!(out, "\n| {} |", row.join(" | "));
    }
    out
}

fn name_in(name: &str, lang: Lang) -> &str {
    match (lang, name) {
        (Lang::Chinese, SOCKET) => "裸套接字，请求预先备好",
        (Lang::Chinese, SOCKET_FLUSHED) => "裸套接字 + 2 ×（覆写 + fdatasync）",
        (Lang::Chinese, SOCKET_APPENDED) => "裸套接字 + 2 ×（追加 + fdatasync）",
        (Lang::Chinese, QUOTE_SECURE) => "zvpos 试算，C，https",
        (Lang::Chinese, CURL_SECURE) => "libcurl + OpenSSL + cJSON，https",
        (Lang::Chinese, QUOTE) => "zvpos 试算，C",
        (Lang::Chinese, QUOTE_PYTHON) => "zvpos 试算，Python",
        (Lang::Chinese, QUOTE_CSHARP) => "zvpos 试算，C#(mono)",
        (Lang::Chinese, QUOTE_CSHARP_CORE) => "zvpos 试算，C#(.NET 8)",
        (Lang::Chinese, HTTP_CLIENT) => "C# HttpClient(mono)",
        (Lang::Chinese, HTTP_CLIENT_CORE) => "C# HttpClient(.NET 8)",
        (Lang::Chinese, CONSUME) => "zvpos 扣款，C",
        _ => name,
    }
}
