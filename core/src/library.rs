//! The library as the C ABI sees it: JSON text in, an answer out. What is wrong with a text is said here; what
//! is wrong with a request is said by the client.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::client::{Client, Shared};
use crate::config::Config;
use crate::gateway::ACCOUNT;
use crate::journal::Memory;
use crate::json::{JsonError, Object, Value};
use crate::log::{FileSink, Level, Log, Sink};
use crate::outcome::{Answer, Lang, Outcome, Problem, Warning, codes};
use crate::transport::Http;

/// The largest text that is taken, in bytes.
pub const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// The version of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The library between `zv_init` and `zv_shutdown`. All methods may be called from any thread.
pub struct Library {
    shared: Arc<Shared>,
    clients: Vec<Client>,
    fingerprint: [u8; 20],
    ascii: bool,
    running: Mutex<Running>,
    idle: Condvar,
}

/// The calls that are under way.
#[derive(Default)]
struct Running {
    next: u64,
    calls: HashMap<u64, Option<String>>,
    closing: bool,
}

/// A call under way; dropped when it ends, by a panic too.
struct Entered<'l> {
    library: &'l Library,
    ticket: u64,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut running = self.library.running();
        running.calls.remove(&self.ticket);
        if running.closing {
            self.library.idle.notify_all();
        }
    }
}

impl Library {
    /// Reads a configuration and starts. `sinks` take the log beside the configured file.
    pub fn start(config: &str, mut sinks: Vec<Arc<dyn Sink>>) -> Result<Library, Answer> {
        let value = parse(config, Lang::default())?;
        let config = Config::read(&value).map_err(refused)?;
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
        let shared = Arc::new(Shared {
            http,
            journal: Box::new(Memory::default()),
            log: Log::new(sinks, secrets),
            total: config.total,
            lang: config.lang,
            unknown: config.unknown,
        });
        let clients =
            config.accounts.into_iter().map(|account| Client::new(account, Arc::clone(&shared))).collect();
        shared.log.line(Level::Info, || format!("zvpos {VERSION} started"));
        Ok(Library {
            shared,
            clients,
            fingerprint: config.fingerprint,
            ascii: config.ascii,
            running: Mutex::default(),
            idle: Condvar::new(),
        })
    }

    /// The answer to the `zv_init` that started this library, or to a repeated one.
    pub fn started(&self, already: bool) -> Answer {
        let mut warnings = vec![Warning::new(
            &codes::WARN_NO_JOURNAL,
            "records are kept in memory: keep every `unknown` in the till's own records",
        )];
        if self.clients.iter().any(Client::is_plain_http) {
            warnings.push(Warning::new(
                &codes::WARN_PLAIN_HTTP,
                "an endpoint is plain http: requests and answers can be read and changed on their way",
            ));
        }
        let accounts: Vec<Option<&str>> = self.clients.iter().map(Client::name).collect();
        let data = serde_json::json!({
            "version": VERSION,
            "accounts": accounts,
            "journal": "memory",
        });
        Answer::done_locally("started")
            .with_already(already)
            .with_warnings(warnings)
            .with_data(data.to_string())
    }

    /// Whether this configuration text means the one in force.
    pub fn has_config(&self, config: &str) -> Result<bool, Answer> {
        let value = parse(config, self.lang())?;
        Config::read(&value).map(|config| config.fingerprint == self.fingerprint).map_err(refused)
    }

    /// The language of the cashier's sentence.
    pub fn lang(&self) -> Lang {
        self.shared.lang
    }

    /// Whether answers are written in ASCII only.
    pub fn ascii(&self) -> bool {
        self.ascii
    }

    /// The log, for what the C ABI has to say.
    pub fn log(&self) -> &Log {
        &self.shared.log
    }

    /// `zv_coupon_quote_json`
    pub fn quote(&self, request: &str) -> Answer {
        self.run(request, Client::quote)
    }

    /// `zv_consume_json`
    pub fn consume(&self, request: &str) -> Answer {
        self.run(request, Client::consume)
    }

    /// `zv_call_json`. `account` beside the params picks the account and is not sent.
    pub fn call(&self, action: &str, params: &str) -> Answer {
        self.run(params, |client, value| client.call(action, value))
    }

    /// Refuses new calls and waits for those under way, each of which ends at its deadline.
    pub fn shut_down(&self) -> Answer {
        let mut running = self.running();
        running.closing = true;
        // A moment more than a call's own deadline: a call that began just now may use all of it.
        let until = Instant::now() + self.shared.total + Duration::from_millis(500);
        while !running.calls.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            running = self.idle.wait_timeout(running, left).unwrap_or_else(PoisonError::into_inner).0;
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

    fn run(&self, text: &str, f: impl FnOnce(&Client, &Object<'_>) -> Answer) -> Answer {
        let value = match parse(text, self.lang()) {
            Ok(value) => value,
            Err(answer) => return answer,
        };
        let Some(given) = value.as_object() else { return self.no_object(&value) };
        let field = |name: &str| given.given(name).and_then(Value::scalar);
        let client = match self.client(field(ACCOUNT.name)) {
            Ok(client) => client,
            Err(answer) => return answer,
        };
        match self.enter(field("bizId").map(str::to_owned)) {
            Some(_entered) => f(client, given),
            None => Answer::of(Outcome::Invalid, &codes::SHUT_DOWN, self.lang(), "zv_shutdown was called"),
        }
    }

    fn client(&self, account: Option<&str>) -> Result<&Client, Answer> {
        let found = match (account, self.clients.as_slice()) {
            (None, [only]) => Some(only),
            (None, clients) => clients.iter().find(|client| client.name().is_none()),
            (Some(name), clients) => clients.iter().find(|client| client.name() == Some(name)),
        };
        found.ok_or_else(|| {
            let known: Vec<&str> = self.clients.iter().filter_map(Client::name).collect();
            let message = format!("must name one of the configured accounts: {}", known.join(", "));
            Answer::of(Outcome::Invalid, &codes::REQUEST, self.lang(), format!("account {message}"))
                .with_errors(vec![Problem { path: ACCOUNT.name.to_owned(), message }])
        })
    }

    fn no_object(&self, value: &Value<'_>) -> Answer {
        let message = format!("must be a JSON object {{...}}, not {}", value.describe());
        Answer::of(Outcome::Invalid, &codes::REQUEST, self.lang(), format!("the request {message}"))
            .with_errors(vec![Problem { path: String::new(), message }])
    }
}

fn refused(problems: Vec<Problem>) -> Answer {
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    let message = format!("the configuration has {} problem(s): {}", problems.len(), paths.join(", "));
    Answer::of(Outcome::Invalid, &codes::CONFIG, Lang::default(), message).with_errors(problems)
}

/// Reads one JSON text of a host.
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
