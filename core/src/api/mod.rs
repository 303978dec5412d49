//! The library behind the C ABI: JSON text in, an answer out. This module reports errors of a text; `runtime` reports
//! errors of a request.

mod calls;
mod export;
mod requests;
mod tickets;

pub use export::{COLUMNS as CSV_COLUMNS, DayKind, DayLine, Sums, day_lines};
pub use requests::{
    CONFIRM_REQUEST, FILTER_REQUEST, LOOKUP_REQUEST, PENDING_REQUEST, REVERSE_REQUEST, SETTLE_REQUEST,
};

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::calendar::BusinessDays;
use crate::config::Config;
use crate::journal::{Backend, Journal, JournalError, Location, Open, Opening, Sqlite, default_location};
use crate::json::{JsonError, Value};
use crate::log::{FileSink, Level, Log, Sink};
use crate::money::BizId;
use crate::outcome::{Answer, Lang, Outcome, Problem, Warning, codes};
use crate::payment::{Entry, Key, schedule};
use crate::runtime::worker::Recovery;
use crate::runtime::{Client, Shared};
use crate::transport::Http;
use crate::world::{Signal, System, World};
use tickets::Tickets;

/// The largest text that is accepted, in bytes.
pub(crate) const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// The version of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The library between `zv_init` and `zv_shutdown`. All methods may be called from any thread.
pub struct Library {
    shared: Arc<Shared>,
    clients: Arc<[Client]>,
    recovery: Recovery,
    fingerprint: [u8; 20],
    running: Mutex<Running>,
    idle: Box<dyn Signal>,
    deliveries: Mutex<Deliveries>,
    tickets: Tickets,
    business_days: BusinessDays,
    /// The time in the last bizId that was made.
    last_made_ms: Mutex<u64>,
}

/// Unique over all libraries of the process: an answer may be freed after a shutdown and a new start.
static NEXT_DELIVERY: AtomicU64 = AtomicU64::new(0);

/// Successes that were answered and that the host has neither taken nor freed yet.
#[derive(Default)]
struct Deliveries {
    waiting: HashMap<u64, Key>,
}

/// The calls that are under way.
#[derive(Default)]
struct Running {
    next: u64,
    calls: HashMap<u64, Option<String>>,
    closing: bool,
}

/// A call under way; dropped when the call ends, by a panic too.
struct Entered<'l> {
    library: &'l Library,
    ticket: u64,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut running = self.library.running();
        running.calls.remove(&self.ticket);
        if running.closing {
            self.library.idle.notify();
        }
    }
}

impl Library {
    /// Reads a configuration and starts. `sinks` receive the log in addition to the configured file. `forked` says that
    /// the parent of this process had started a library: SQLite's bookkeeping of locks is then the parent's, and
    /// records of this process could be lost, so the library gets no journal unless that is a database. `open_database`
    /// opens one, in the library for servers.
    pub fn start(
        config: &str,
        mut sinks: Vec<Arc<dyn Sink>>,
        forked: bool,
        open_database: Option<OpenDatabase>,
    ) -> Result<Library, Answer> {
        let value = parse(config, Lang::default())?;
        let mut config = Config::read(&value).map_err(refused)?;
        if open_database.is_none() && names_database(&config) {
            let message = "is a database, and this program keeps its journal in a file".to_owned();
            return Err(refused(vec![Problem { path: "journal".to_owned(), message }]));
        }
        let database = open_database.and_then(|open| open(&config));
        let has_journal = !forked || database.is_some();
        if !has_journal {
            // It has no payments.
            config.warm = Duration::ZERO;
        }
        let log_problem =
            |path: &str, message: String| refused(vec![Problem { path: path.to_owned(), message }]);
        if let Some(log) = &config.log {
            let file = FileSink::open(&log.path, log.level, log.keep_days)
                .map_err(|e| log_problem("log.path", format!("cannot be opened: {e}")))?;
            sinks.push(Arc::new(file));
        }
        let http = Http::new(&config.transport).map_err(|message| {
            let path = message.split(':').next().unwrap_or_default();
            log_problem(path, message.get(path.len() + 2..).unwrap_or(&message).to_owned())
        })?;
        let secrets = config.accounts.iter().map(|account| account.credentials.clone()).collect();
        let log = Log::new(sinks, secrets);
        let journal = match database {
            Some(open) => Journal::open(open, Instant::now() + START),
            None if forked => no_journal(),
            None => open_journal(&config),
        };
        Ok(Library::over(Arc::new(System::new(http)), journal, log, config))
    }

    /// Starts over any world, with a journal that is open or will be. The parts of the configuration that concern the
    /// world and the journal are already applied to them.
    pub fn over(world: Arc<dyn World>, journal: Journal, log: Log, config: Config) -> Library {
        if let Err(error) = journal.location() {
            log.line(Level::Error, || format!("{} {error}", error.code.text));
        }
        let idle = world.signal();
        let shared = Arc::new(Shared {
            world,
            journal,
            log,
            total: config.total,
            lang: config.lang,
            unknown: config.unknown,
            guard: config.guard,
            business_days: config.business_days,
            quote_max_age: config.quote_max_age,
        });
        if let Err(error) = shared.mark_all_abandoned() {
            shared.log.line(Level::Error, || format!("what was left behind: {} {error}", error.code.text));
        }
        let clients: Arc<[Client]> =
            config.accounts.into_iter().map(|account| Client::new(account, Arc::clone(&shared))).collect();
        let times = schedule::ScheduleSettings {
            late_arrival: config.late_arrival,
            confirm_after: config.confirm_after,
        };
        let recovery =
            Recovery::new(Arc::clone(&shared), Arc::clone(&clients), times, config.background, config.warm);
        shared.log.line(Level::Info, || format!("zvpos {VERSION} started"));
        let library = Library {
            shared,
            clients,
            recovery,
            fingerprint: config.fingerprint,
            running: Mutex::default(),
            idle,
            deliveries: Mutex::default(),
            tickets: Tickets::default(),
            business_days: config.business_days,
            last_made_ms: Mutex::default(),
        };
        library.recovery.explain(library.shared.world.now() + library.shared.total);
        library.recovery.wake();
        library
    }

    /// The answer to the `zv_init` that started this library, or to a repeated one.
    pub fn started(&self, already: bool) -> Answer {
        let mut warnings = Vec::new();
        let place = self.shared.journal.location();
        match &place {
            Err(error) => warnings.push(Warning::new(
                &codes::WARN_JOURNAL,
                format!("{} {error}; quotes go on, money calls answer `internal`", error.code.text),
            )),
            Ok(place) if place.is_async => {
                warnings.push(Warning::new(&codes::WARN_ASYNC, codes::WARN_ASYNC.meaning));
            }
            Ok(place) if place.per_user => warnings.push(Warning::new(
                &codes::WARN_PER_USER,
                format!("the journal is this user's own, {}", place.path.display()),
            )),
            Ok(place) => {
                if let Some(unused) = &place.unused {
                    let message = format!(
                        "{} is in use; {} is this user's from before, and its sales are not seen",
                        place.path.display(),
                        unused.display()
                    );
                    warnings.push(Warning::new(&codes::WARN_UNUSED_JOURNAL, message));
                }
            }
        }
        if self.clients.iter().any(|client| !client.can_reverse()) {
            warnings.push(Warning::new(
                &codes::WARN_NO_REVERSE,
                "an unknown outcome is held until a person settles it: ask the vendor for the action, the params \
                 and the codes of a reversal (冲正) and set routes.reverse",
            ));
        }
        if self.clients.iter().any(Client::reverses_without_codes) {
            warnings.push(Warning::new(&codes::WARN_REVERSE_CODES, codes::WARN_REVERSE_CODES.meaning));
        }
        let unsettled = self.shared.journal.unsettled().unwrap_or_default();
        if !unsettled.is_empty() {
            warnings.push(Warning::new(
                &codes::WARN_UNSETTLED,
                format!("{} sale(s) are not settled; see zv_pending_json", unsettled.len()),
            ));
        }
        let unfinished = self.left_unfinished().unwrap_or_default();
        if !unfinished.is_empty() {
            warnings.push(Warning::new(
                &codes::WARN_UNACKNOWLEDGED,
                format!(
                    "{} sale(s) succeeded before a crash and the till may not know it; see data.unacknowledged",
                    unfinished.len()
                ),
            ));
        }
        let unknown: Vec<&str> = self.clients.iter().flat_map(Client::unknown_actions).collect();
        if !unknown.is_empty() {
            warnings.push(Warning::new(
                &codes::WARN_CALL_ACTION,
                format!(
                    "call_actions lists what is no documented read: {}; nobody knows whether it takes something",
                    unknown.join(", ")
                ),
            ));
        }
        let plain_http = self.clients.iter().any(Client::is_plain_http);
        if plain_http && self.shared.world.is_absolute() {
            warnings.push(Warning::new(
                &codes::WARN_PROXY_ABSOLUTE,
                "plain http goes through a proxy with the whole URL: it reads everything and may send it late or twice, \
                 and when it is dead behind an open connection a payment is `unknown` instead of `not_sent`",
            ));
        }
        if plain_http {
            warnings.push(Warning::new(
                &codes::WARN_PLAIN_HTTP,
                "an endpoint is plain http: requests and answers can be read and changed on their way",
            ));
        }
        let accounts: Vec<_> = self
            .clients
            .iter()
            .map(|client| {
                serde_json::json!({
                    "name": client.name(),
                    "on_unknown": client.on_unknown(),
                    "environment": client.environment(),
                })
            })
            .collect();
        let data = serde_json::json!({
            "version": VERSION,
            "accounts": accounts,
            "journal": place.ok().map(|place| place.path.display().to_string()),
            "journal_id": self.shared.journal.id().ok(),
            "unsettled": unsettled.len(),
            "unacknowledged": unfinished.iter().map(|entry| entry.key().biz_id.as_str()).collect::<Vec<_>>(),
        });
        Answer::done_locally("started")
            .with_already(already)
            .with_warnings(warnings)
            .with_warnings(self.late_warning())
            .with_data(data.to_string())
    }

    /// Warns that the journal was opened after the start, and that the list of the start has not been requested since.
    fn late_warning(&self) -> Option<Warning> {
        let meaning = codes::WARN_JOURNAL_LATE.meaning;
        self.shared.journal.is_unseen().then(|| Warning::new(&codes::WARN_JOURNAL_LATE, meaning))
    }

    /// Successes that an earlier process has left unread or unconfirmed.
    fn left_unfinished(&self) -> Result<Vec<Entry>, JournalError> {
        let journal = &self.shared.journal;
        // A success that was looked up just now counts as read.
        journal.flush_acknowledged();
        let mut entries = journal.unfinished()?;
        entries.retain(|entry| !journal.is_alive(entry.owner()));
        Ok(entries)
    }

    /// Notes that the host has taken or freed the answer with that number.
    pub fn delivered(&self, number: u64) {
        let key = self.deliveries().waiting.remove(&number);
        if let Some(key) = key {
            self.shared.journal.acknowledge(key);
        }
    }

    /// Numbers an answer that says that a sale succeeded: it counts as read when the host has taken or freed it.
    fn to_be_acknowledged(&self, client: &Client, answer: Answer) -> Answer {
        let biz_id = answer.biz_id().filter(|_| answer.outcome() == Outcome::Succeeded);
        let Some(biz_id) = biz_id.and_then(|text| BizId::new(text).ok()) else { return answer };
        let mut deliveries = self.deliveries();
        let number = NEXT_DELIVERY.fetch_add(1, Ordering::Relaxed);
        deliveries.waiting.insert(number, client.key(&biz_id));
        answer.with_delivery(number)
    }

    fn deliveries(&self) -> MutexGuard<'_, Deliveries> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this configuration text means the configuration in force.
    pub fn has_config(&self, config: &str) -> Result<bool, Answer> {
        let value = parse(config, self.lang())?;
        Config::read(&value).map(|config| config.fingerprint == self.fingerprint).map_err(refused)
    }

    /// The language of the message for the cashier.
    pub fn lang(&self) -> Lang {
        self.shared.lang
    }

    /// The log, for messages of the C ABI.
    pub fn log(&self) -> &Log {
        &self.shared.log
    }

    /// Refuses new calls and waits for those under way, each of which ends at its deadline.
    pub fn shut_down(&self) -> Answer {
        self.running().closing = true;
        let world = &self.shared.world;
        // Slightly more than a call's own deadline: a call that began just now may use all of it.
        let until = world.now() + self.shared.total + Duration::from_millis(500);
        loop {
            let seen = self.idle.count();
            if self.running().calls.is_empty() || world.now() >= until {
                break;
            }
            self.idle.wait(seen, until);
        }
        self.recovery.stop();
        self.shared.journal.close();
        let running = self.running();
        if running.calls.is_empty() {
            self.shared.journal.leave();
        }
        let still: Vec<&str> =
            running.calls.values().map(|biz_id| biz_id.as_deref().unwrap_or("(a read)")).collect();
        self.shared.log.line(Level::Info, || format!("stopped; calls that did not end: {still:?}"));
        Answer::done_locally("stopped").with_data(serde_json::json!({ "still_running": still }).to_string())
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, biz_id: Option<String>) -> Option<Entered<'_>> {
        let mut running = self.running();
        if running.closing {
            return None;
        }
        let ticket = running.next;
        running.next += 1;
        running.calls.insert(ticket, biz_id);
        Some(Entered { library: self, ticket })
    }
}

/// Gives what opens the journal's database, if the configuration names one.
pub type OpenDatabase = fn(&Config) -> Option<Open>;

/// The journal of a forked child: none.
fn no_journal() -> Journal {
    Journal::never(JournalError::new(
        &codes::FORKED,
        "this process was forked after zv_init: money calls need a process of their own (exec)",
    ))
}

/// How long a start waits for the process that holds the journal.
const START: Duration = Duration::from_secs(3);

/// Opens the journal at its configured or default location; one that cannot be opened stops money calls only.
fn open_journal(config: &Config) -> Journal {
    let place = match config.journal.clone() {
        Some(path) => Ok(Location::at(path)),
        None => default_location(),
    };
    let place = match place {
        Ok(place) => place,
        Err(error) => return Journal::never(error),
    };
    // The same location each time.
    let (total, retention_days, later) = (config.total, config.retention_days, config.background);
    let open = move |until: Instant| {
        let patience = until.saturating_duration_since(Instant::now());
        let opening = Opening { total, patience, retention_days, later };
        let journal = Sqlite::open_as(&place.path, &opening)?;
        Ok((Arc::new(journal) as Arc<dyn Backend>, place.clone()))
    };
    Journal::open(open, Instant::now() + START)
}

/// Whether the journal is a database: without what opens one, no file may be used in its place.
#[cfg(feature = "database")]
fn names_database(config: &Config) -> bool {
    config.database.is_some()
}

#[cfg(not(feature = "database"))]
fn names_database(_: &Config) -> bool {
    false
}

fn refused(problems: Vec<Problem>) -> Answer {
    let message =
        format!("the configuration has {} problem(s): {}", problems.len(), Problem::summary(&problems));
    Answer::of(Outcome::Invalid, &codes::CONFIG, Lang::default(), message).with_errors(problems)
}

/// Parses one JSON text of a host.
fn parse(text: &str, lang: Lang) -> Result<Value<'_>, Answer> {
    let invalid = |code, message: String| Err(Answer::of(Outcome::Invalid, code, lang, message));
    if text.len() > MAX_TEXT_BYTES {
        return invalid(
            &codes::TOO_LARGE,
            format!("the text has {} bytes; at most {MAX_TEXT_BYTES} are taken", text.len()),
        );
    }
    if matches!(text, "{" | "[" | "\"") {
        return invalid(
            &codes::UTF16,
            format!("the text ends after {text:?}: it looks like UTF-16, a wide string; pass UTF-8"),
        );
    }
    Value::parse(text).or_else(|error| {
        let code = match &error {
            JsonError::Empty => &codes::EMPTY,
            JsonError::Syntax(_) => &codes::JSON,
            JsonError::Trailing(_) => &codes::JSON_TRAILING,
            JsonError::Duplicate { .. } => &codes::JSON_DUPLICATE,
            JsonError::TooDeep => &codes::JSON_DEEP,
        };
        invalid(code, error.to_string())
    })
}

#[cfg(test)]
mod tests;
