//! `zv certify`: runs an integrator's own till through every way in which a payment can end.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

use clap::Args;
use serde_json::json;
use zvpos_certify::{Group, Options, Report, Rule, ScenarioReport, Summary, Text, run, scenarios};
use zvpos_core::outcome::{Lang, Outcome};

use crate::exit::{self, Failure};
use crate::output::{Rows, print, safe, say};
use crate::progress;
use crate::settings::Language;
use crate::till::or_failure;

/// The arguments of `zv certify`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The till: a program and its arguments, after --
    #[arg(value_name = "TILL", last = true, required_unless_present = "list")]
    till: Vec<OsString>,

    /// Run only scenarios whose id begins with this, such as lost. or crash.twice (repeatable)
    #[arg(long, value_name = "ID")]
    only: Vec<String>,

    /// How many scenarios run at once
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    parallel: u16,

    /// How long the till may take for one line from the certifier
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    time_limit: u64,

    /// The folder for each scenario's journal and the till's files (default: a new one, removed if every scenario passes)
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,

    /// Write the report for people to this file, in English and Chinese
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write the report for programs to this file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    // Not the `--json` of the calls, which prints the library's answer.
    /// Print the report as JSON and nothing else
    #[arg(long = "json", id = "json_report")]
    json: bool,

    /// Print the scenarios and exit
    #[arg(long)]
    list: bool,

    /// The language of the output
    #[arg(long, value_name = "LANG", default_value = "zh-CN")]
    lang: Language,
}

impl Arguments {
    /// Runs the certification.
    pub(crate) fn run(self) -> ExitCode {
        or_failure(if self.list { self.listed() } else { self.certify() })
    }

    fn listed(&self) -> Result<ExitCode, Failure> {
        let wanted =
            |one: &Summary| self.only.is_empty() || self.only.iter().any(|id| one.id.starts_with(id));
        let chosen: Vec<Summary> = scenarios().into_iter().filter(wanted).collect();
        if chosen.is_empty() {
            return Err(Failure::invalid(format!("no scenario begins with {}", self.only.join(" or "))));
        }
        print(&if self.json {
            let one = |one: &Summary| json!({"id": one.id, "group": one.group, "title": one.title, "by_chance": one.by_chance});
            format!("{}\n", json!(chosen.iter().map(one).collect::<Vec<_>>()))
        } else {
            let mut rows = Rows::default();
            for one in &chosen {
                rows.push(one.id, self.pick(&one.title));
            }
            rows.to_text()
        });
        Ok(ExitCode::SUCCESS)
    }

    fn certify(&self) -> Result<ExitCode, Failure> {
        let folder = Folder::of(self.folder.as_deref())?;
        let mut options = Options::new(self.till.clone(), folder.path.clone());
        options.only.clone_from(&self.only);
        options.parallel = self.parallel.into();
        options.time_limit = Duration::from_secs(self.time_limit);
        let report = play(&options).inspect_err(|_| folder.remove_if_own())?;
        let passed = report.failed == 0;
        print(&if self.json { report.to_json() + "\n" } else { self.summary(&report) });
        for (path, text) in
            [(&self.html, Report::to_html as fn(&Report) -> String), (&self.report, Report::to_json)]
        {
            let Some(path) = path else { continue };
            fs::write(path, text(&report))
                .map_err(|error| Failure::internal(format!("cannot write {}: {error}", path.display())))?;
        }
        if !passed && self.folder.is_none() {
            say(&format!("zv: the till's files of each scenario are in {}", folder.path.display()));
        }
        if passed {
            folder.remove_if_own();
        }
        Ok(if passed { ExitCode::SUCCESS } else { exit::code(Outcome::Declined) })
    }

    fn pick<'t>(&self, text: &'t Text) -> &'t str {
        Lang::from(self.lang).pick(&text.zh, &text.en)
    }

    /// How many scenarios of each group passed, every broken rule, and the verdict.
    fn summary(&self, report: &Report) -> String {
        let mut rows = Rows::default();
        for group in Group::ALL {
            let own = || report.scenarios.iter().filter(|one| one.group == *group);
            let (passed, of) = (own().filter(|one| one.passed).count(), own().count());
            if of > 0 {
                rows.push(self.pick(&group.title()), &format!("{passed}/{of}"));
            }
        }
        let broken: String = report.to_fix().iter().map(|(rule, _)| self.broken(report, *rule)).collect();
        let verdict = report.verdict();
        format!("{}{broken}{}\n{}\n", rows.to_text(), last_words(report), self.pick(&verdict))
    }

    /// A broken rule, the remedy, and some of the places.
    fn broken(&self, report: &Report, rule: Rule) -> String {
        let (what, remedy) = (rule.what(), rule.remedy());
        let all = report.scenarios.iter().flat_map(|one| one.findings.iter().map(|found| (one.id, found)));
        let mut places = all.filter(|(_, found)| found.rule == rule);
        let mut lines =
            vec![String::new(), self.pick(&what).to_owned(), format!("  → {}", self.pick(&remedy))];
        for (id, finding) in places.by_ref().take(PLACES_MAX) {
            let sale = finding.sale.as_deref().map(|sale| format!(" {sale}")).unwrap_or_default();
            lines.push(format!("  {}", safe(&format!("{id}{sale}: {}", self.pick(&finding.seen)))));
        }
        let more = places.count();
        if more > 0 {
            let (zh, en) = (format!("  …另有 {more} 处"), format!("  … and {more} more"));
            lines.push(Lang::from(self.lang).pick(zh, en));
        }
        lines.join("\n") + "\n"
    }
}

/// The end of the first failed till's stderr: if the till cannot even start, this says why.
fn last_words(report: &Report) -> String {
    let spoke = |one: &&ScenarioReport| !one.passed && !one.stderr.trim().is_empty();
    let Some(one) = report.scenarios.iter().find(spoke) else { return String::new() };
    let all: Vec<&str> = one.stderr.lines().collect();
    let mut lines = vec![String::new(), format!("{} stderr:", one.id)];
    lines.extend(
        all.iter().skip(all.len().saturating_sub(STDERR_LINES)).map(|line| format!("  {}", safe(line))),
    );
    lines.join("\n") + "\n"
}

/// A few places explain a broken rule; the reports list all of them.
const PLACES_MAX: usize = 4;

/// How many lines of a failed till's stderr are shown.
const STDERR_LINES: usize = 8;

/// The folder for the scenarios' files.
struct Folder {
    path: PathBuf,
    own: bool,
}

impl Folder {
    fn of(given: Option<&Path>) -> Result<Folder, Failure> {
        if let Some(path) = given {
            return Ok(Folder { path: path.to_owned(), own: false });
        }
        let random =
            getrandom::u32().map_err(|error| Failure::internal(format!("no random number: {error}")))?;
        let path = env::temp_dir().join(format!("zv-certify-{random:08x}"));
        // It must be new: others may write where temporary files are.
        fs::create_dir(&path)
            .map_err(|error| Failure::internal(format!("cannot make {}: {error}", path.display())))?;
        Ok(Folder { path, own: true })
    }

    fn remove_if_own(&self) {
        if self.own {
            // A folder that cannot be removed does no harm.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Runs the scenarios with a progress bar.
fn play(options: &Options) -> Result<Report, Failure> {
    let bar = progress::bar();
    let report = catch_unwind(AssertUnwindSafe(|| {
        run(options, &|so_far| {
            if so_far.done == 0 {
                bar.set_length(so_far.of as u64);
                bar.enable_steady_tick(progress::TICK);
            } else {
                bar.inc(1);
            }
        })
    }));
    report.map_err(|_| Failure::internal("a defect of the certifier"))?.map_err(Failure::invalid)
}
