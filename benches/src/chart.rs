//! The chart: one panel per language, each with its own scale, in the reader's light or dark theme.

use std::fmt::Write as _;

use crate::peers::{
    CONSUME, CURL, CURL_SECURE, HTTP_CLIENT, HTTP_CLIENT_CORE, QUOTE, QUOTE_CSHARP, QUOTE_CSHARP_CORE,
    QUOTE_PYTHON, QUOTE_SECURE, REQUESTS, SOCKET, SOCKET_APPENDED, SOCKET_FLUSHED,
};
use crate::report::Report;

const WIDTH: f64 = 820.0;
const LEFT: f64 = 32.0;
const BARS: f64 = 248.0;
const BARS_WIDTH: f64 = 330.0;
const RIGHT: f64 = WIDTH - LEFT;
const ROW: f64 = 30.0;

const STYLE: &str = "
text{font:14px system-ui,-apple-system,'Segoe UI','Noto Sans',sans-serif;fill:#1f2328}
.title{font-size:19px;font-weight:600}.panel{font-weight:600}.own{font-weight:600}
.faint{fill:#656d76;font-size:12px}.ratio{font-weight:600;fill:#0757ba}
.card{fill:#ffffff}.rule{stroke:#d8dee4}
.limit{fill:#c4ccd4}.peer{fill:#8a96a3}.zvpos{fill:#1a7cff}
@media(prefers-color-scheme:dark){
text{fill:#e6edf3}.faint{fill:#8d96a0}.ratio{fill:#79b8ff}
.card{fill:#0d1117}.rule{stroke:#30363d}
.limit{fill:#3d444d}.peer{fill:#6e7781}.zvpos{fill:#3b8eff}}
";

/// One bar: its contestant, its label in the panel, its class.
type Bar = (&'static str, &'static str, &'static str);

/// A panel's title, its bars, and the two contestants of its ratio.
type Panel = (&'static str, &'static [Bar], [&'static str; 2]);

const PANELS: [Panel; 6] = [
    (
        "From C",
        &[
            (SOCKET, "bare socket (the limit)", "limit"),
            (QUOTE, "zvpos", "zvpos"),
            (CURL, "libcurl + OpenSSL + cJSON", "peer"),
        ],
        [QUOTE, CURL],
    ),
    (
        "From C, https on a kept connection",
        &[(QUOTE_SECURE, "zvpos", "zvpos"), (CURL_SECURE, "libcurl + OpenSSL + cJSON", "peer")],
        [QUOTE_SECURE, CURL_SECURE],
    ),
    (
        "From Python",
        &[(QUOTE_PYTHON, "zvpos", "zvpos"), (REQUESTS, "requests", "peer")],
        [QUOTE_PYTHON, REQUESTS],
    ),
    (
        "From C# on mono",
        &[(QUOTE_CSHARP, "zvpos", "zvpos"), (HTTP_CLIENT, "HttpClient", "peer")],
        [QUOTE_CSHARP, HTTP_CLIENT],
    ),
    (
        "From C# on .NET 8",
        &[(QUOTE_CSHARP_CORE, "zvpos", "zvpos"), (HTTP_CLIENT_CORE, "HttpClient", "peer")],
        [QUOTE_CSHARP_CORE, HTTP_CLIENT_CORE],
    ),
    (
        "A payment from C, on disk before and after",
        &[
            (SOCKET_FLUSHED, "bare socket + 2 × overwrite", "limit"),
            (SOCKET_APPENDED, "bare socket + 2 × append", "limit"),
            (CONSUME, "zvpos", "zvpos"),
        ],
        [CONSUME, SOCKET_FLUSHED],
    ),
];

/// The whole chart.
pub(crate) fn of(report: &Report) -> String {
    let mut body = String::new();
    let mut y = 84.0;
    for panel in &PANELS {
        y = draw(&mut body, panel, report, y);
    }
    let height = y + 14.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-label=\"One signed request over loopback: median times\">\n<style>{STYLE}</style>\n\
         <rect class=\"card\" width=\"100%\" height=\"100%\" rx=\"10\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"38\">One signed quote over loopback, median in µs</text>\n\
         <text class=\"faint\" x=\"{LEFT}\" y=\"60\">shorter is better; each panel has its own scale; {}</text>\n\
         {body}</svg>\n",
        report.machine.replace('&', "&amp;").replace('<', "&lt;")
    )
}

/// Draws one panel at `top` and returns where the next one begins. A panel without measurements is left out.
fn draw(out: &mut String, (title, bars, [own, other]): &Panel, report: &Report, top: f64) -> f64 {
    let measured: Vec<_> =
        bars.iter().filter_map(|bar| report.of(bar.0).map(|figures| (bar, figures))).collect();
    if measured.is_empty() {
        return top;
    }
    let most = measured.iter().map(|(_, figures)| figures.p50_us).fold(0.0, f64::max);
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<line class=\"rule\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{top}\" y2=\"{top}\"/>\
         <text class=\"panel\" x=\"{LEFT}\" y=\"{}\">{title}</text>",
        top + 25.0
    );
    let beside = bars.iter().find(|bar| bar.0 == *other).map_or("", |bar| bar.1);
    if let Some(ratio) = report.ratio(own, other) {
        let _ = writeln!(
            out,
            "<text class=\"ratio\" x=\"{RIGHT}\" y=\"{}\" text-anchor=\"end\">zvpos = {ratio:.2} × {beside}</text>",
            top + 25.0
        );
    }
    let mut y = top + 40.0;
    for ((_, label, class), figures) in measured {
        let width = (figures.p50_us / most * BARS_WIDTH).max(2.0);
        let own = if *class == "zvpos" { " class=\"own\"" } else { "" };
        let _ = writeln!(
            out,
            "<text{own} x=\"{LEFT}\" y=\"{base}\">{label}</text>\
             <rect class=\"{class}\" x=\"{BARS}\" y=\"{y}\" width=\"{width:.1}\" height=\"19\" rx=\"3\"/>\
             <text{own} x=\"{after:.1}\" y=\"{base}\">{p50}</text>\
             <text class=\"faint\" x=\"{RIGHT}\" y=\"{base}\" text-anchor=\"end\">p99 {p99}</text>",
            base = y + 14.5,
            after = BARS + width + 8.0,
            p50 = short(figures.p50_us),
            p99 = short(figures.p99_us)
        );
        y += ROW;
    }
    y + 10.0
}

/// The time with only its significant digits.
fn short(us: f64) -> String {
    if us < 100.0 { format!("{us:.1}") } else { format!("{us:.0}") }
}
