//! What a run counted.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Counts by name; the sum over many seeds.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Seeds that were run.
    pub seeds: u64,
    /// Effects that were carried out.
    pub steps: u64,
    /// Milliseconds of virtual time.
    pub virtual_ms: u64,
    /// Faults injected, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Everything else, by name.
    pub counts: BTreeMap<&'static str, u64>,
    /// Seeds by what was assumed of the gateway.
    pub assumptions: BTreeMap<&'static str, u64>,
}

impl Counters {
    /// One more fault of that kind.
    pub fn fault(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }

    /// One more of that.
    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Counters) {
        self.seeds += other.seeds;
        self.steps += other.steps;
        self.virtual_ms += other.virtual_ms;
        for (mine, theirs) in [
            (&mut self.faults, &other.faults),
            (&mut self.counts, &other.counts),
            (&mut self.assumptions, &other.assumptions),
        ] {
            for (name, count) in theirs {
                *mine.entry(name).or_default() += count;
            }
        }
    }

    /// As the program prints it.
    pub fn table(&self) -> String {
        let mut out = format!(
            "seeds {}  steps {}  virtual hours {}\n",
            self.seeds,
            self.steps,
            self.virtual_ms / 3_600_000
        );
        for (title, counts) in
            [("assumptions", &self.assumptions), ("faults", &self.faults), ("counts", &self.counts)]
        {
            out.push_str(title);
            out.push('\n');
            for (name, count) in counts {
                // Writing to a String cannot fail.
                let _ = writeln!(out, "  {name:<40} {count:>12}");
            }
        }
        out
    }
}
