//! The library between start and shutdown, used as a till uses it through the C ABI: JSON text in, the answer's text
//! out; an answer counts as delivered once it has been written.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use zvpos_core::api::{Library, OpenDatabase};
use zvpos_core::calendar::BusinessDays;
use zvpos_core::config::Charset;
use zvpos_core::json::{Value, escape_beyond_ascii};
use zvpos_core::log::{Level, Sink};
use zvpos_core::outcome::{Answer, Next, Outcome, codes};

use crate::exit::{self, Failure};
use crate::output;
use crate::settings::{Common, Settings};
use crate::wait::{Stakes, attend};

/// What opens a journal that is a database.
#[cfg(target_os = "linux")]
const OPEN_DATABASE: Option<OpenDatabase> = Some(zvpos_journal_postgres::open);
#[cfg(not(target_os = "linux"))]
const OPEN_DATABASE: Option<OpenDatabase> = None;

/// A running library and how its answers are shown.
pub(crate) struct Till {
    library: Arc<Library>,
    show: Show,
    sandbox: bool,
}

/// How an answer is shown.
struct Show {
    json: bool,
    ascii: bool,
    verbose: bool,
    days: BusinessDays,
}

/// Who receives the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// The till, which now knows that its sale succeeded.
    Till,
    /// A person who looks at the journal; the till still does not know.
    Onlooker,
}

impl Till {
    /// Starts the library. Its warnings go to stderr; if it does not start, its answer is shown.
    pub(crate) fn start(common: &Common) -> Result<Till, ExitCode> {
        let settings = Settings::find(common).map_err(|failure| failure.say())?;
        if common.verbose > 0 {
            output::say(&format!("configuration: {}", settings.source));
        }
        let mut show = Show {
            json: common.json,
            ascii: false,
            verbose: common.verbose > 0,
            days: BusinessDays::default(),
        };
        let mut sinks: Vec<Arc<dyn Sink>> = Vec::new();
        if common.verbose > 1 {
            sinks.push(Arc::new(Stderr));
        }
        let library = match Library::start(&settings.text, sinks, false, OPEN_DATABASE) {
            Ok(library) => library,
            Err(answer) => {
                output::say(&format!("zv: the configuration {} is not taken", settings.source));
                // The call took nothing, so nothing is lost if its answer is not read.
                let _ = show.print(&answer);
                return Err(exit::code(answer.outcome()));
            }
        };
        show.ascii = Charset::of_config(&settings.text) == Charset::Ascii;
        show.days = settings.config().map(|config| config.business_days).unwrap_or_default();
        say_started(&library.started(false).to_json(), settings.sandbox, common.verbose > 0);
        Ok(Till { library: Arc::new(library), show, sandbox: settings.sandbox })
    }

    /// Makes one call, shows its answer and stops the library. `what` names the activity.
    pub(crate) fn ask(
        self,
        what: &str,
        stakes: Stakes,
        recipient: Recipient,
        call: impl FnOnce(&Library) -> Answer + Send + 'static,
    ) -> ExitCode {
        let library = Arc::clone(&self.library);
        let lang = library.lang();
        let crashed = match stakes {
            Stakes::Nothing => Outcome::Internal,
            Stakes::Money => Outcome::Unknown,
        };
        let answer = attend(
            what,
            stakes,
            move || call(&library),
            || Answer::of(crashed, &codes::PANIC, lang, "a defect of the library was caught; see above"),
        );
        match answer {
            Some(answer) => self.tell(&answer, recipient),
            None => left(stakes),
        }
    }

    fn tell(self, answer: &Answer, recipient: Recipient) -> ExitCode {
        // An answer that could not be written is not delivered: the library lists it again.
        let printed = self.show.print(answer).is_ok();
        if let (true, Recipient::Till, Some(number)) = (printed, recipient, answer.delivery()) {
            self.library.delivered(number);
        }
        if let Some(hint) = self.hint(answer) {
            output::say(&format!("zv: {hint}"));
        }
        self.library.shut_down();
        exit::code(answer.outcome())
    }

    /// What a user of a shell can do, which the library cannot know.
    fn hint(&self, answer: &Answer) -> Option<&'static str> {
        match answer.outcome() {
            Outcome::Unknown if answer.next() == Next::Wait => Some(
                "a person finds out what became of it, unless the gateway's records prove it; then `zv settle`",
            ),
            Outcome::Unknown => Some(
                "it is settled only while a program with this journal runs: a till, or `zv recover --wait 180`",
            ),
            Outcome::NotSent if self.sandbox && answer.code() == codes::CONNECT.text => {
                Some("is the simulator running? Start it with `zv sandbox`")
            }
            _ => None,
        }
    }
}

impl Show {
    fn print(&self, answer: &Answer) -> io::Result<()> {
        let text = answer.to_json();
        if self.json {
            let text = if self.ascii { escape_beyond_ascii(&text) } else { text };
            let mut out = io::stdout().lock();
            writeln!(out, "{text}")?;
            return out.flush();
        }
        let mut out = anstream::stdout().lock();
        output::answer(&mut out, &text, self.days, self.verbose)?;
        out.flush()
    }
}

/// The library's log on stderr.
struct Stderr;

impl Sink for Stderr {
    fn max_level(&self) -> Level {
        Level::Debug
    }

    fn write(&self, level: Level, line: &str) {
        output::say(&format!("{}: {}", level.as_str(), output::safe(line)));
    }
}

/// Prints the warnings of the library's start.
fn say_started(text: &str, sandbox: bool, verbose: bool) {
    let Ok(value) = Value::parse(text) else { return };
    let member = |value: &Value<'_>, name: &str| {
        value.as_object().and_then(|object| object.get(name)).and_then(Value::scalar).map(str::to_owned)
    };
    let Some(answer) = value.as_object() else { return };
    let data = answer.get("data");
    if verbose && let Some(journal) = data.and_then(|data| member(data, "journal")) {
        output::say(&format!("journal: {journal}"));
    }
    for warning in answer.get("warnings").and_then(Value::as_array).unwrap_or_default() {
        let code = member(warning, "code").unwrap_or_default();
        // The simulator supports nothing else, and listens only to this machine.
        if !(sandbox && code == codes::WARN_PLAIN_HTTP.text) {
            let message = member(warning, "message").unwrap_or_default();
            output::say(&format!("warning: {code}: {}", output::safe(&message)));
        }
    }
}

/// The user left before the answer.
fn left(stakes: Stakes) -> ExitCode {
    match stakes {
        Stakes::Nothing => {
            output::say("zv: interrupted; this call takes nothing");
            ExitCode::from(exit::INTERRUPTED)
        }
        Stakes::Money => {
            output::say(
                "zv: left before the gateway's answer, so it may have happened. If it was sent, it is in the journal: \
                 `zv lookup` says what became of it, and what runs next with this journal settles it. Never pay for \
                 this sale under a new bizId.",
            );
            exit::code(Outcome::Unknown)
        }
    }
}

/// The exit code of a command, also of one that could not start.
pub(crate) fn or_failure(result: Result<ExitCode, Failure>) -> ExitCode {
    result.unwrap_or_else(|failure| failure.say())
}
