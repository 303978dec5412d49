//! One run of a scenario: the simulator, one or two tills, the steps, and the facts for the judgement.

mod cashier;
mod dialogue;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use zvpos_core::calendar;

use crate::attribution::{trace_of, whose};
use crate::audit::{Audit, Journalled};
use crate::gateway::{Gateway, Record, Wallet};
use crate::options::Options;
use crate::protocol::{self, TillReport};
use crate::report::Event;
use crate::rule::{Finding, Rule};
use crate::sale::Sale;
use crate::scenario::{Scenario, Step};
use crate::text::{Text, text};
use crate::till::Till;

/// The time limit for the library to settle a scenario's open sales, and for the gateway to receive a till's requests.
const SETTLE_LIMIT: Duration = Duration::from_secs(40);

/// A scenario while it runs; afterwards the facts for the judgement.
pub(crate) struct Session<'o> {
    options: &'o Options,
    folder: PathBuf,
    config: Value,
    pub(crate) gateway: Gateway,
    audit: Option<Audit>,
    day: String,
    began: Instant,
    tills: [Option<Till>; 2],
    pub(crate) events: Vec<Event>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) reports: Vec<TillReport>,
    /// Every sale that was rung up, in each version.
    pub(crate) sales: Vec<(u8, Sale)>,
    pub(crate) wallets: Vec<(&'static str, Wallet)>,
    pub(crate) journal: Vec<Journalled>,
    /// The number of pending commands.
    open: [usize; 2],
    differences: usize,
    /// Where in `reports` each till's last list begins; `None` for a till that has lost its files.
    pub(crate) last_list: [Option<usize>; 2],
    lost_files: bool,
}

/// The scenario cannot continue; the finding has been recorded.
struct Aborted;

type Continued<T> = Result<T, Aborted>;

/// Runs a scenario to its end, or to the step that fails.
///
/// # Errors
/// A text: the scenario could not be started.
pub(crate) fn run<'o>(scenario: &Scenario, options: &'o Options) -> Result<Session<'o>, String> {
    let mut session = Session::build(scenario, options)?;
    // The findings show where it stopped.
    let _ = scenario.steps.iter().try_for_each(|step| session.step(step));
    session.close();
    Ok(session)
}

impl<'o> Session<'o> {
    fn build(scenario: &Scenario, options: &'o Options) -> Result<Session<'o>, String> {
        let folder = std::path::absolute(options.folder.join(scenario.id)).map_err(|e| e.to_string())?;
        // Files of an earlier run.
        let _ = fs::remove_dir_all(&folder);
        for part in ["journal", "till-1", "till-2"] {
            fs::create_dir_all(folder.join(part)).map_err(|error| error.to_string())?;
        }
        let gateway = Gateway::start(&scenario.policy)?;
        let (day, begins) = business_day();
        let api = scenario.config.get("api").and_then(Value::as_str).unwrap_or("v2");
        let config = configuration(&gateway.endpoint(api), &folder, &begins, &scenario.config);
        let customers = ["383933091455959041", "383933091455959042", "383933091455959043"];
        let wallets = customers.iter().map(|&one| Some((one, gateway.wallet(one)?)));
        // An unreadable ledger must not count against the till.
        let wallets =
            wallets.collect::<Option<_>>().ok_or("the simulator does not say what its members have")?;
        Ok(Session {
            options,
            folder,
            config,
            gateway,
            audit: None,
            day,
            began: Instant::now(),
            tills: [None, None],
            events: Vec::new(),
            findings: Vec::new(),
            reports: Vec::new(),
            sales: Vec::new(),
            wallets,
            journal: Vec::new(),
            open: [0, 0],
            differences: 0,
            last_list: [None, None],
            lost_files: false,
        })
    }

    /// Milliseconds since the scenario began.
    pub(crate) fn at_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The last bytes of the till's stderr.
    pub(crate) fn stderr(&self) -> String {
        let text = fs::read(self.folder.join("stderr.txt")).unwrap_or_default();
        let last = text.get(text.len().saturating_sub(4000)..).unwrap_or_default();
        String::from_utf8_lossy(last).into_owned()
    }

    fn step(&mut self, step: &Step) -> Continued<()> {
        self.events.push(Event::Did { at_ms: self.at_ms(), what: step.words() });
        let before = self.reports.len();
        match step {
            Step::Start(till) => self.start(*till)?,
            Step::Sell { till, sale, .. } => self.sell(*till, sale)?,
            Step::Begin { till, sale } => self.begin(*till, sale)?,
            Step::Finish { till, .. } => {
                let left = self.open_at(*till).saturating_sub(1);
                self.wait(*till, left)?;
            }
            Step::Press { till, sale, .. } => self.press(*till, sale)?,
            Step::List { till, sale, says } => self.look(*till, sale, says)?,
            Step::Fault(fault) => {
                let armed = self.gateway.arm(fault.name, fault.operation, fault.times, fault.number);
                armed.map_err(|why| self.certifier_failed(why))?;
            }
            Step::Open => self.gateway.clear_faults().map_err(|why| self.certifier_failed(why))?,
            Step::Settled => self.await_settled()?,
            Step::Recorded { sale, stage } => self.recorded(sale, &[stage]).map(|_| ())?,
            Step::GivenBack(sale) => {
                self.until(&Step::GivenBack(sale), |session| session.net(sale) == 0)?;
            }
            Step::Kill(moment) => self.kill(*moment)?,
            Step::LoseFiles => {
                let own = self.own_folder(0);
                fs::remove_dir_all(&own)
                    .and_then(|()| fs::create_dir_all(&own))
                    .map_err(|error| self.certifier_failed(error.to_string()))?;
                self.lost_files = true;
            }
            Step::LoseJournal => {
                self.audit = None;
                let journal = self.folder.join("journal");
                fs::remove_dir_all(&journal)
                    .and_then(|()| fs::create_dir_all(&journal))
                    .map_err(|error| self.certifier_failed(error.to_string()))?;
            }
            Step::Person { sale, kept } => self.person(sale, *kept)?,
            Step::Refund { sale, .. } => self.ask(0, &protocol::refund(sale))?,
            Step::Day { differs } => self.compare(*differs)?,
            Step::Stop(till) => self.stop(*till)?,
        }
        if let Some((till, sale, says)) = step.expectation() {
            let said = self.state_since(before, till, sale);
            self.expect(said, sale, says, step);
        }
        Ok(())
    }

    /// The number of deductions of a sale in force at the gateway.
    fn net(&self, sale: &str) -> i64 {
        let ledger = self.gateway.ledger();
        let of_sale = |record: &&Record| {
            whose(&self.sales, &self.reports, &trace_of(record)).is_some_and(|(_, number)| number == sale)
        };
        ledger.iter().filter(of_sale).map(|record| record.net).sum()
    }

    fn await_settled(&mut self) -> Continued<()> {
        let settled = self.audit()?.wait_until_settled(SETTLE_LIMIT);
        if settled {
            return Ok(());
        }
        Err(self.abort(
            Rule::Unsettled,
            text("the journal still lists a sale that is not settled", "日志中仍有未决交易"),
        ))
    }

    /// Waits for an event at the gateway.
    fn until(&mut self, step: &Step, mut so: impl FnMut(&mut Self) -> bool) -> Continued<()> {
        let started = Instant::now();
        while !so(self) {
            if started.elapsed() >= SETTLE_LIMIT {
                let words = step.words();
                let never = text(format!("it never came to: {}", words.en), format!("未出现：{}", words.zh));
                return Err(self.abort(Rule::Protocol, never));
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    fn audit(&mut self) -> Continued<&Audit> {
        if self.audit.is_none() {
            let opened = Audit::open(&self.config).map_err(|why| self.certifier_failed(why))?;
            self.audit = Some(opened);
        }
        self.audit.as_ref().ok_or(Aborted)
    }

    /// Lists once more, stops the tills, lets the library settle the rest, and reads the journal.
    fn close(&mut self) {
        for till in 0..2 {
            if self.till(till).is_none() {
                continue;
            }
            let before = self.reports.len();
            if self.ask(till, &protocol::list()).is_ok() {
                if let Some(last) = self.last_list.get_mut(usize::from(till)) {
                    // A till without its files cannot know its sales; the end of its day counts instead.
                    *last = Some(before).filter(|_| !self.lost_files);
                }
                let _ = self.stop(till);
            }
        }
        self.tills = [None, None];
        let (day, gateway) = (self.day.clone(), &self.gateway);
        // The last reversals must reach the gateway; the faults do not matter any more.
        let _ = gateway.clear_faults();
        if self.audit().is_err() {
            return;
        }
        let Some(audit) = &self.audit else { return };
        let stands = |biz_id: &str| {
            self.gateway.ledger().iter().any(|record| record.biz_id == biz_id && record.net != 0)
        };
        audit.recover(SETTLE_LIMIT, stands);
        match audit.day(&day) {
            Ok(entries) => self.journal = entries,
            Err(why) => {
                self.certifier_failed(why);
            }
        }
    }

    fn abort(&mut self, rule: Rule, about: Text) -> Aborted {
        self.findings.push(Finding::of(rule, None, about));
        Aborted
    }

    /// Records a failure that is not the till's fault.
    fn certifier_failed(&mut self, why: impl Into<String>) -> Aborted {
        let why = why.into();
        self.abort(Rule::Certifier, text(why.clone(), why))
    }
}

/// The simulator's credentials and time limits short enough for a test, overridden by a scenario's own keys.
fn configuration(endpoint: &str, folder: &Path, day_begins: &str, more: &Value) -> Value {
    let mut config = json!({
        "openId": "fake-open-id-for-test-only-0001", "grantCode": "fake-grant-code-0001",
        "openKey": "fake-open-key-for-test-only-0001", "endpoint": endpoint,
        "journal": folder.join("journal").join("journal.db"),
        "routes": {"reverse": {"action": "sandbox.consume-reverse",
            "codes": {"already": ["920002"], "not_found": ["920001"]}}},
        "late_arrival_ms": 300, "timeouts_ms": {"connect": 5000, "total": 10_000},
        "business_day_start": day_begins, "utc_offset": "+00:00",
    });
    if let (Some(keys), Some(more)) = (config.as_object_mut(), more.as_object()) {
        for (name, value) in more {
            if value.is_null() {
                keys.remove(name)
            } else {
                keys.insert(name.clone(), value.clone())
            };
        }
    }
    config
}

/// A business day whose middle is now, so that no scenario runs past its end: its date and its start.
fn business_day() -> (String, String) {
    const HALF_A_DAY_S: i64 = 43_200;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let begins = i64::try_from(since.as_millis()).unwrap_or(i64::MAX) - HALF_A_DAY_S * 1000;
    let written = calendar::timestamp(begins);
    let part = |from: usize, to: usize| written.get(from..to).unwrap_or_default().to_owned();
    (part(0, 10), part(11, 16))
}
