//! The results of one run: plain figures, stored as `benches/results/results.json`, from which every table and chart
//! is written.

use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bounds::Bound;

/// The results of one run.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    /// The machine, in one line.
    pub(crate) machine: String,
    /// The number of calls of each contestant.
    pub(crate) calls: usize,
    /// In the order of the tables.
    pub(crate) contestants: Vec<Figures>,
    pub(crate) missing: Vec<Missing>,
    pub(crate) counted: Vec<Counted>,
    pub(crate) sales: Vec<Sales>,
    pub(crate) pauses: Vec<Pause>,
    pub(crate) first_answers: Vec<FirstAnswer>,
    pub(crate) opening: Option<Opening>,
    pub(crate) threads: Vec<Parallel>,
    pub(crate) starts: Vec<Start>,
    pub(crate) tills: Vec<Till>,
    pub(crate) journals: Option<Journals>,
    pub(crate) library_bytes: u64,
}

/// The figures of one contestant's call.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) name: String,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// In user space, if counted.
    pub(crate) instructions: Option<f64>,
    pub(crate) allocations: Option<f64>,
}

/// A contestant that this machine cannot run.
#[derive(Serialize, Deserialize)]
pub(crate) struct Missing {
    pub(crate) name: String,
    pub(crate) why: String,
    /// The command that installs what is missing.
    pub(crate) install: String,
}

/// A figure that no load of the machine changes.
#[derive(Serialize, Deserialize)]
pub(crate) struct Counted {
    /// A name of `bounds.rs`.
    pub(crate) what: String,
    pub(crate) count: f64,
}

/// Sales on one disk: p50 and p99 in µs of the limit and of the library.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sales {
    pub(crate) disk: String,
    /// Of the first sales after a start.
    pub(crate) first: [[f64; 2]; 2],
    /// Of sales after many others.
    pub(crate) later: [[f64; 2]; 2],
}

/// Payments some seconds after their look-up, over a path that takes time.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pause {
    pub(crate) seconds: u32,
    pub(crate) payments: usize,
    /// The median of their durations, in round trips of that path.
    pub(crate) round_trips: f64,
}

/// From the start of a process to its first answer.
#[derive(Serialize, Deserialize)]
pub(crate) struct FirstAnswer {
    pub(crate) scheme: String,
    pub(crate) zvpos_ms: f64,
    pub(crate) curl_ms: f64,
}

/// From the start of a process to the answer to its first payment.
#[derive(Serialize, Deserialize)]
pub(crate) struct Opening {
    pub(crate) entries: usize,
    pub(crate) large_bytes: u64,
    pub(crate) empty_ms: f64,
    pub(crate) large_ms: f64,
}

/// Many threads with a slow gateway.
#[derive(Serialize, Deserialize)]
pub(crate) struct Parallel {
    pub(crate) what: String,
    pub(crate) threads: u32,
    pub(crate) calls_a_second: f64,
    /// The share of the maximum throughput for this number of threads.
    pub(crate) share: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) resident_kib: f64,
    pub(crate) peak_kib: f64,
    pub(crate) descriptors: f64,
}

/// The duration of one start.
#[derive(Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) what: String,
    /// `zv_init` alone.
    pub(crate) init_ms: f64,
    /// From the start of the process to the answer of `zv_init`.
    pub(crate) process_ms: f64,
}

/// The memory of a till in C.
#[derive(Serialize, Deserialize)]
pub(crate) struct Till {
    pub(crate) what: String,
    pub(crate) idle_kib: f64,
    /// After 1,000 calls.
    pub(crate) used_kib: f64,
    pub(crate) peak_kib: f64,
}

/// A consume with a large journal compared with one with an empty journal.
#[derive(Serialize, Deserialize)]
pub(crate) struct Journals {
    pub(crate) entries: usize,
    pub(crate) large_bytes: u64,
    pub(crate) empty: [f64; 2],
    pub(crate) large: [f64; 2],
    /// The median of the ratios of two consecutive calls.
    pub(crate) ratio: f64,
}

impl Report {
    pub(crate) fn of_this_machine() -> Report {
        Report { machine: machine(), ..Report::default() }
    }

    pub(crate) fn times(&mut self, name: &str, took: &mut [u64]) {
        let [p50_us, p99_us] = percentiles_us(took);
        self.calls = took.len();
        self.contestants.push(Figures { name: name.to_owned(), p50_us, p99_us, ..Figures::default() });
    }

    pub(crate) fn counts(&mut self, name: &str, instructions: f64, allocations: f64) {
        if let Some(figures) = self.contestants.iter_mut().find(|figures| figures.name == name) {
            (figures.instructions, figures.allocations) = (Some(instructions), Some(allocations));
        }
    }

    pub(crate) fn count(&mut self, bound: &Bound, count: f64) {
        self.counted.push(Counted { what: bound.english.to_owned(), count });
    }

    /// The count of that name.
    pub(crate) fn counted(&self, what: &str) -> Option<f64> {
        self.counted.iter().find(|counted| counted.what == what).map(|counted| counted.count)
    }

    pub(crate) fn missing(&mut self, name: &str, why: &str, install: &str) {
        self.missing.push(Missing {
            name: name.to_owned(),
            why: why.to_owned(),
            install: install.to_owned(),
        });
    }

    pub(crate) fn start(&mut self, what: &str, [init, process]: [Duration; 2]) {
        let [init_ms, process_ms] = [init, process].map(|took| took.as_secs_f64() * 1e3);
        self.starts.push(Start { what: what.to_owned(), init_ms, process_ms });
    }

    /// The figures of one contestant.
    pub(crate) fn of(&self, name: &str) -> Option<&Figures> {
        self.contestants.iter().find(|figures| figures.name == name)
    }

    #[allow(clippy::cast_precision_loss, reason = "a file of a few megabytes")]
    pub(crate) fn library_mb(&self) -> f64 {
        self.library_bytes as f64 / 1e6
    }

    /// The ratio of the p50 of one contestant to that of another.
    pub(crate) fn ratio(&self, name: &str, to: &str) -> Option<f64> {
        Some(self.of(name)?.p50_us / self.of(to)?.p50_us)
    }
}

impl Sales {
    /// The p50 of the library to that of the limit.
    pub(crate) fn ratio([[limit, _], [own, _]]: [[f64; 2]; 2]) -> f64 {
        own / limit
    }
}

/// p50 and p99 in µs.
#[allow(clippy::cast_precision_loss, reason = "figures to be printed with few digits")]
pub(crate) fn percentiles_us(took_ns: &mut [u64]) -> [f64; 2] {
    took_ns.sort_unstable();
    let last = took_ns.len().saturating_sub(1);
    [50, 99].map(|percent| took_ns.get(last * percent / 100).map_or(f64::NAN, |ns| *ns as f64 / 1000.0))
}

/// The resident memory of a process, current and peak, in KiB.
pub(crate) fn memory_kib(pid: u32) -> Option<[f64; 2]> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    Some([field("VmRSS:")?, field("VmHWM:")?])
}

/// Processor, cores, kernel and load.
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
