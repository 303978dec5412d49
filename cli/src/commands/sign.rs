//! `zv sign`: shows every step of a signature, for comparison with another program's. Nothing is sent, and the key
//! itself is never shown.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use zvpos_core::config::{Account, Config};
use zvpos_core::gateway::{ConsumeRequest, Generation, Operation, Params, QuoteRequest, RequestRules};
use zvpos_core::json::{Object, Value};
use zvpos_core::outcome::Problem;
use zvpos_core::secret::HIDDEN;

use crate::exit::Failure;
use crate::output::{Rows, say};
use crate::request;
use crate::settings::{Common, Settings};
use crate::till::or_failure;

/// The arguments of `zv sign`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Unix seconds, ten digits (default: now)
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<u64>,

    /// 1 to 999999999 (default: a random one)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=999_999_999))]
    nonce: Option<u32>,

    /// The operation that the request is for
    #[arg(long, value_name = "OPERATION", default_value = "quote",
          value_parser = PossibleValuesParser::new(Operation::ALL.map(Operation::key)))]
    operation: String,

    /// The request as JSON, - for standard input (default: one without parameters)
    #[arg(long, value_name = "FILE")]
    request: Option<String>,

    /// The configured account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,

    #[command(flatten)]
    common: Common,
}

/// The steps, in order.
struct Steps {
    names: Vec<String>,
    text: String,
    hex: String,
    base64: String,
    token: String,
    url: String,
    body: String,
}

impl Arguments {
    /// Shows a signature.
    pub(crate) fn run(self) -> ExitCode {
        or_failure(self.steps().map(|steps| {
            let shown = if self.common.json { steps.json() } else { steps.rows() };
            // A closed stdout is not an error.
            let _ = io::stdout().lock().write_all(shown.as_bytes());
            ExitCode::SUCCESS
        }))
    }

    fn steps(&self) -> Result<Steps, Failure> {
        let settings = Settings::find(&self.common)?;
        if self.common.verbose > 0 {
            say(&format!("configuration: {}", settings.source));
        }
        let config = read(&settings)?;
        let account = pick(&config.accounts, self.account.as_deref())?;
        let operation = Operation::ALL.into_iter().find(|operation| operation.key() == self.operation);
        let route = operation.and_then(|operation| account.route(operation)).ok_or_else(|| {
            Failure::invalid(format!("no route is configured for {}; set routes.{0}", self.operation))
        })?;
        let rules = RequestRules {
            unknown: config.unknown,
            password_over_http: account.password_over_http,
            plain_http: route.is_plain_http(),
            numbers: route.numbers,
        };
        let params = self.params(operation, account, rules)?;
        let (timestamp, nonce) = (self.timestamp.unwrap_or_else(now), self.nonce()?);
        let capital = route.generation == Generation::V2;
        let text = account.credentials.text_to_sign(account.sign_names, capital, timestamp, nonce);
        let token = account.credentials.sign(account.sign_names, capital, timestamp, nonce).token;
        let base64 = token.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
        let bytes = STANDARD
            .decode(&base64)
            .map_err(|error| Failure::internal(format!("a signature that is no Base64: {error}")))?;
        let body = params.sign(route, &account.credentials, account.sign_names, timestamp, nonce);
        Ok(Steps {
            names: text.split('&').map(str::to_owned).collect(),
            text,
            hex: hex(&bytes),
            base64,
            token,
            url: route.url.clone(),
            body: body.to_string(),
        })
    }

    /// The params as the library would send them.
    fn params(
        &self,
        operation: Option<Operation>,
        account: &Account,
        rules: RequestRules,
    ) -> Result<Params, Failure> {
        let Some(file) = self.request.as_deref() else { return Ok(Params::from_json("{}".to_owned())) };
        let mut text = request::text(Some(file), &[])?;
        let has_password = parsed(&text, file)?.as_object().is_some_and(|o| o.given("payPassword").is_some());
        if has_password {
            text = request::replaced(&text, "payPassword", &format!("\"{HIDDEN}\""));
        }
        let value = parsed(&text, file)?;
        let Some(given) = value.as_object() else {
            return Err(Failure::invalid(format!("{file} must hold an object, not {}", value.describe())));
        };
        let defaults = Value::parse(&account.defaults).ok();
        let none = Object::default();
        let defaults = defaults.as_ref().and_then(Value::as_object).unwrap_or(&none);
        let read = match operation {
            Some(Operation::Consume) => {
                ConsumeRequest::read(given, defaults, rules).map(|request| request.params)
            }
            Some(Operation::Quote) => {
                QuoteRequest::read(given, defaults, rules).map(|request| request.params)
            }
            _ => Ok(Params::of(given)),
        };
        read.map_err(|problems| wrong(file, &problems))
    }

    fn nonce(&self) -> Result<u32, Failure> {
        match self.nonce {
            Some(nonce) => Ok(nonce),
            None => getrandom::u32()
                .map(|random| random % 999_999_999 + 1)
                .map_err(|error| Failure::internal(format!("no random number: {error}"))),
        }
    }
}

impl Steps {
    fn rows(&self) -> String {
        let mut rows = Rows::default();
        for (number, name) in self.names.iter().enumerate() {
            rows.push(if number == 0 { "1 sorted" } else { "" }, name);
        }
        rows.push("2 text to sign", &self.text);
        rows.push("3 HMAC-SHA1", &self.hex);
        rows.push("4 Base64", &self.base64);
        rows.push("5 token", &self.token);
        rows.push("6 POST to", &self.url);
        rows.push("7 body", &self.body);
        rows.to_text()
    }

    fn json(&self) -> String {
        let steps = json!({
            "sorted": self.names, "text": self.text, "hmac_sha1": self.hex, "base64": self.base64,
            "token": self.token, "url": self.url, "body": self.body,
        });
        format!("{steps}\n")
    }
}

fn read(settings: &Settings) -> Result<Config, Failure> {
    let value = parsed(&settings.text, &settings.source)?;
    Config::read(&value).map_err(|problems| wrong(&settings.source, &problems))
}

fn parsed<'t>(text: &'t str, name: &str) -> Result<Value<'t>, Failure> {
    Value::parse(text).map_err(|error| Failure::invalid(format!("{name}: {error}")))
}

fn wrong(name: &str, problems: &[Problem]) -> Failure {
    let mut message = format!("{name} is wrong");
    for problem in problems {
        // Writing to a String cannot fail.
        let _ = write!(message, "\n  {}: {}", problem.path, problem.message);
    }
    Failure::invalid(message)
}

fn pick<'a>(accounts: &'a [Account], name: Option<&str>) -> Result<&'a Account, Failure> {
    let found = match (accounts, name) {
        ([only], None) => Some(only),
        (several, name) => several.iter().find(|account| account.name.as_deref() == name),
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = accounts.iter().filter_map(|account| account.name.as_deref()).collect();
        Failure::invalid(format!("--account must be one of {names:?}"))
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
