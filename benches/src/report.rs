//! The figures: on the screen, as a table, as a chart, and held against the goals.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use crate::Place;
use crate::compare::{
    CONSUME, CURL, HTTP_CLIENT, QUOTE, QUOTE_CSHARP, QUOTE_PYTHON, REQUESTS, SOCKET, SOCKET_FLUSHED,
};

/// A goal: what, the figure, the most it may be.
type Goal = (String, Option<f64>, f64);

pub(crate) struct Report {
    machine: String,
    calls: usize,
    /// p50 and p99 in µs, in the order of the table.
    times: Vec<(&'static str, f64, f64)>,
    counts: BTreeMap<&'static str, (f64, f64)>,
    memory: BTreeMap<&'static str, (f64, f64)>,
    lines: Vec<String>,
    starts: Vec<(String, Duration)>,
    /// Of what 64 threads could make at most.
    used: Option<f64>,
    large: Option<f64>,
    library_mb: Option<f64>,
}

#[allow(clippy::cast_precision_loss, reason = "figures to be printed with few digits")]
fn percentile(sorted: &[u64], percent: usize) -> f64 {
    sorted.get(sorted.len().saturating_sub(1) * percent / 100).map_or(f64::NAN, |ns| *ns as f64 / 1000.0)
}

impl Report {
    pub(crate) fn new(place: &Place) -> Report {
        Report {
            machine: machine(),
            calls: place.calls(10_000),
            times: Vec::new(),
            counts: BTreeMap::new(),
            memory: BTreeMap::new(),
            lines: Vec::new(),
            starts: Vec::new(),
            used: None,
            large: None,
            library_mb: None,
        }
    }

    pub(crate) fn times(&mut self, name: &'static str, took: &mut [u64]) {
        took.sort_unstable();
        self.times.push((name, percentile(took, 50), percentile(took, 99)));
    }

    pub(crate) fn counts(&mut self, name: &'static str, instructions: f64, allocations: f64) {
        self.counts.insert(name, (instructions, allocations));
    }

    /// What a process has resident, now and at most, in KiB.
    pub(crate) fn memory(&mut self, name: &'static str, pid: u32) {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        };
        if let (Some(now), Some(peak)) = (field("VmRSS:"), field("VmHWM:")) {
            self.memory.insert(name, (now, peak));
        }
    }

    pub(crate) fn threads(&mut self, what: &str, threads: u32, rate: f64, most: f64, figures: [f64; 5]) {
        let [p50, p99, resident, peak, descriptors] = figures;
        if what == "quote" && threads == 64 {
            self.used = Some(rate / most);
        }
        self.lines.push(format!(
            "| {what} | {threads} | {rate:.0} | {:.1} % | {:.1} | {:.1} | {:.1} | {:.1} | {descriptors} |",
            100.0 * rate / most,
            p50 / 1e6,
            p99 / 1e6,
            resident / 1024.0,
            peak / 1024.0
        ));
    }

    pub(crate) fn start(&mut self, what: &str, took: Duration) {
        self.starts.push((what.to_owned(), took));
    }

    pub(crate) fn large(&mut self, entries: usize, small: &mut [u64], large: &mut [u64]) {
        small.sort_unstable();
        large.sort_unstable();
        let (small, large) = ([50, 99].map(|p| percentile(small, p)), [50, 99].map(|p| percentile(large, p)));
        self.large = Some(large[0] / small[0]);
        self.lines.push(format!(
            "\nA consume with {entries} settled entries in the journal: p50 {:.0} µs against {:.0} µs with an empty one \
             (ratio {:.2}), p99 {:.0} µs against {:.0} µs.",
            large[0],
            small[0],
            large[0] / small[0],
            large[1],
            small[1]
        ));
    }

    #[allow(clippy::cast_precision_loss, reason = "a file of a few megabytes")]
    pub(crate) fn library(&mut self, bytes: u64) {
        self.library_mb = Some(bytes as f64 / 1e6);
    }

    fn p50(&self, name: &str) -> Option<f64> {
        self.times.iter().find(|(known, ..)| *known == name).map(|(_, p50, _)| *p50)
    }

    fn spread(&self, name: &str) -> Option<f64> {
        self.times.iter().find(|(known, ..)| *known == name).map(|(_, p50, p99)| p99 / p50)
    }

    fn ratio(&self, name: &str, to: &str) -> Option<f64> {
        Some(self.p50(name)? / self.p50(to)?)
    }

    fn goals(&self) -> Vec<Goal> {
        let count = |name: &str| self.counts.get(name).map(|(instructions, _)| *instructions);
        let instructions = count(QUOTE).zip(count(CURL)).map(|(own, curl)| own / curl);
        let spread = self.spread(QUOTE).zip(self.spread(SOCKET)).map(|(own, bare)| own / bare);
        let resident = self
            .memory
            .values()
            .map(|(now, _)| now / 1024.0)
            .fold(None, |most: Option<f64>, now| Some(most.map_or(now, |most| most.max(now))));
        vec![
            ("quote, p50, against the libcurl program".into(), self.ratio(QUOTE, CURL), 1.0),
            ("quote, instructions, against the libcurl program".into(), instructions, 1.0),
            (
                "consume, p50, against bare socket + 2 × fdatasync".into(),
                self.ratio(CONSUME, SOCKET_FLUSHED),
                1.25,
            ),
            (
                "quote from Python, p50, against Python requests".into(),
                self.ratio(QUOTE_PYTHON, REQUESTS),
                0.15,
            ),
            ("p99 over p50 of a quote, against that of the bare socket".into(), spread, 1.5),
            (
                "64 threads, 30 ms gateway: most calls over calls".into(),
                self.used.map(|used| 1.0 / used),
                1.0 / 0.95,
            ),
            ("consume, p50, large journal against empty".into(), self.large, 1.1),
            ("shared library, MB".into(), self.library_mb, 3.0),
            ("RSS of a C till after its calls, MiB".into(), resident, 10.0),
        ]
    }

    /// Prints everything and writes it to `benches/results`.
    pub(crate) fn finish(&self, place: &Place) -> Result<(), String> {
        let text = self.markdown();
        println!("{text}");
        if place.quick {
            return Ok(());
        }
        let folder = place.root.join("benches/results");
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join("results.md"), &text))
            .and_then(|()| std::fs::write(folder.join("quote.svg"), self.chart()))
            .map_err(|error| format!("{}: {error}", folder.display()))
    }

    fn markdown(&self) -> String {
        let mut out =
            format!("# Benchmarks\n\n{}. One run, {} calls each, interleaved.\n\n", self.machine, self.calls);
        out.push_str("Written by `make bench`. Only the ratios mean anything elsewhere.\n\n## One call\n\n");
        out.push_str("| | p50 µs | p99 µs | to the limit | to libcurl | instructions | allocations |\n|---|---|---|---|---|---|---|\n");
        for (name, p50, p99) in &self.times {
            let limit = if matches!(*name, SOCKET_FLUSHED | CONSUME) { SOCKET_FLUSHED } else { SOCKET };
            let ratio = |to: &str| self.ratio(name, to).map_or(String::new(), |ratio| format!("{ratio:.2}"));
            let counts = self
                .counts
                .get(name)
                .map_or((String::new(), String::new()), |(instructions, allocations)| {
                    (format!("{instructions:.0}"), format!("{allocations:.1}"))
                });
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "| {name} | {p50:.1} | {p99:.1} | {} | {} | {} | {} |",
                ratio(limit),
                ratio(CURL),
                counts.0,
                counts.1
            );
        }
        out.push_str("\n## Many threads, a gateway that takes 30 ms\n\n");
        out.push_str("| call | threads | a second | of the most | p50 ms | p99 ms | RSS MiB | peak MiB | descriptors |\n|---|---|---|---|---|---|---|---|---|\n");
        out.push_str(&self.lines.join("\n"));
        out.push_str(
            "\n\n## Start of a process and `zv_init`, first quote included\n\n| | ms |\n|---|---|\n",
        );
        for (what, took) in &self.starts {
            let _ = writeln!(out, "| {what} | {:.1} |", took.as_secs_f64() * 1e3);
        }
        out.push_str("\n## Goals\n\n| | goal | here | |\n|---|---|---|---|\n");
        for (what, figure, most) in self.goals() {
            let (here, met) = figure.map_or(("not measured".to_owned(), "–"), |figure| {
                (format!("{figure:.2}"), if figure <= most { "met" } else { "missed" })
            });
            let _ = writeln!(out, "| {what} | ≤ {most:.2} | {here} | {met} |");
        }
        out
    }

    /// Bars of the p50 of a quote.
    fn chart(&self) -> String {
        let shown = [SOCKET, QUOTE, CURL, QUOTE_PYTHON, QUOTE_CSHARP, HTTP_CLIENT, REQUESTS];
        let rows: Vec<(&str, f64)> =
            shown.iter().filter_map(|name| self.p50(name).map(|p50| (*name, p50))).collect();
        let most = rows.iter().map(|(_, p50)| *p50).fold(1.0, f64::max);
        let height = 40 + rows.len() * 30;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"{height}\" font-family=\"sans-serif\" \
             font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <text x=\"10\" y=\"22\" fill=\"#222\">One signed quote over loopback, p50 in µs</text>\n"
        );
        for (index, (name, p50)) in rows.iter().enumerate() {
            let y = 36 + index * 30;
            let width = (p50 / most * 400.0).max(1.0);
            let fill = if name.starts_with("zvpos") { "#0a6cff" } else { "#9aa4b2" };
            let _ = writeln!(
                out,
                "<text x=\"10\" y=\"{}\" fill=\"#222\">{name}</text><rect x=\"250\" y=\"{y}\" width=\"{width:.1}\" \
                 height=\"20\" fill=\"{fill}\"/><text x=\"{:.1}\" y=\"{}\" fill=\"#222\">{p50:.1}</text>",
                y + 15,
                256.0 + width,
                y + 15
            );
        }
        out.push_str("</svg>\n");
        out
    }
}

/// The machine, in a line.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let system = Command::new("uname").arg("-sr").output().map(|output| output.stdout).unwrap_or_default();
    let load = read("/proc/loadavg");
    format!(
        "{}, {cores} cores, {}, load {} at the start",
        model.trim_start_matches([' ', '\t', ':']).trim(),
        String::from_utf8_lossy(&system).trim(),
        load.split_whitespace().next().unwrap_or("?")
    )
}
