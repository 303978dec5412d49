//! Writes the results of a run: the figures, their tables and chart in `benches/results/`, and the chief ones between
//! two marks on the pages. A test compares all of them with the figures.

use std::path::{Path, PathBuf};

use crate::chart;
use crate::peers::{CONSUME, CURL, HTTP_CLIENT, QUOTE, QUOTE_CSHARP, QUOTE_PYTHON, REQUESTS, SOCKET_FLUSHED};
use crate::report::Report;
use crate::tables::{self, Lang};

const FIGURES: &str = "benches/results/results.json";

/// The marks around the figures on a page.
const BEGIN: &str = "<!-- figures: make bench -->";
const END: &str = "<!-- /figures -->";

/// The repository.
pub(crate) fn root() -> Result<PathBuf, String> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no root")?.to_owned())
}

/// The figures of the last run.
fn last() -> Result<Report, String> {
    serde_json::from_str(&read(FIGURES)?).map_err(|error| format!("{FIGURES}: {error}"))
}

/// Stores the figures, and writes every file that shows them.
pub(crate) fn write(report: &Report) -> Result<(), String> {
    let figures = serde_json::to_string_pretty(report).map_err(|error| format!("{error}"))? + "\n";
    let folder = root()?.join("benches/results");
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join("results.json"), figures))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    render()
}

/// Uses the stored figures: storing may have rounded a last digit.
pub(crate) fn render() -> Result<(), String> {
    for (name, text) in rendered(&last()?)? {
        std::fs::write(root()?.join(name), text).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

fn read(name: &str) -> Result<String, String> {
    std::fs::read_to_string(root()?.join(name)).map_err(|error| format!("{name}: {error}"))
}

/// The expected content of every file that shows the figures.
fn rendered(report: &Report) -> Result<Vec<(&'static str, String)>, String> {
    let both = |lang| {
        format!(
            "{}\n\n{}\n\n{}\n\n{}",
            machine(report, lang),
            tables::goals_table(report, lang),
            tables::calls_table(report, lang),
            tables::disk_line(report, lang)
        )
    };
    Ok(vec![
        ("benches/results/results.md", tables::results(report)),
        ("benches/results/quote.svg", chart::of(report)),
        page("docs/benchmarks.md", &both(Lang::English))?,
        page("docs/benchmarks.zh-CN.md", &both(Lang::Chinese))?,
        page("README.md", &headline(report, Lang::English))?,
        page("README.zh-CN.md", &headline(report, Lang::Chinese))?,
    ])
}

/// The page with these figures between its marks.
fn page(name: &'static str, figures: &str) -> Result<(&'static str, String), String> {
    let text = read(name)?;
    let marked = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = marked.ok_or_else(|| format!("{name}: no {BEGIN} … {END}"))?;
    Ok((name, format!("{before}{BEGIN}\n\n{figures}\n\n{END}{after}")))
}

fn machine(report: &Report, lang: Lang) -> String {
    match lang {
        Lang::English => format!("{}; {} calls of each.", report.machine, report.calls),
        Lang::Chinese => format!("机器：{}。各 {} 次调用。", report.machine, report.calls),
    }
}

/// The ratios that interest a reader of the README, as far as they were measured.
fn headline(report: &Report, lang: Lang) -> String {
    let said = |name, to, english: &str, chinese: &str| {
        let text = if lang == Lang::English { english } else { chinese };
        report.ratio(name, to).map(|ratio| text.replace("{}", &format!("**{ratio:.2}**")))
    };
    let parts = [
        said(
            QUOTE,
            CURL,
            "from C {} of the time of a program with libcurl, OpenSSL and cJSON",
            "C 调用的耗时是 libcurl + OpenSSL + cJSON 程序的 {} 倍",
        ),
        said(
            QUOTE_PYTHON,
            REQUESTS,
            "from Python {} of `requests`",
            "Python 语言包的耗时是 `requests` 的 {} 倍",
        ),
        said(
            QUOTE_CSHARP,
            HTTP_CLIENT,
            "from C# on mono {} of `HttpClient`",
            "C# 语言包（mono）的耗时是 `HttpClient` 的 {} 倍",
        ),
    ];
    let quote: Vec<String> = parts.into_iter().flatten().collect();
    let consume = said(
        CONSUME,
        SOCKET_FLUSHED,
        "A payment, which is on the disk before it leaves and before the till is told, takes {} of a bare socket with two overwritten and flushed records.",
        "一次扣款在发出前和告知收银程序前都已落盘，耗时是裸套接字加两次覆写并刷盘的 {} 倍。",
    );
    let quote = match lang {
        Lang::English => {
            format!("A signed quote (median, same run, same machine) takes {}.", quote.join(", "))
        }
        Lang::Chinese => format!("一次带签名的试算（同机同轮，中位耗时）：{}。", quote.join("，")),
    };
    let gap = if lang == Lang::English { " " } else { "" };
    [Some(quote), consume].into_iter().flatten().collect::<Vec<_>>().join(gap)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `zvpos-benches --render` writes them again.
    #[test]
    fn tables_pages_and_picture_show_the_figures_of_the_last_run() -> Result<(), String> {
        for (name, text) in rendered(&last()?)? {
            assert_eq!(read(name)?, text, "{name}");
        }
        Ok(())
    }
}
