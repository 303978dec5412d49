//! The configuration: one JSON object, every problem reported at once. No environment variable is read.

mod account;
mod charset;
#[cfg(feature = "database")]
mod database;
mod tables;

pub use account::Account;
pub(crate) use account::ActionKind;
pub use charset::Charset;
#[cfg(feature = "database")]
pub use database::DatabaseSettings;
pub use tables::{CONFIG, PROXY, ROUTE};

use std::path::PathBuf;
use std::time::Duration;

use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use crate::calendar::{self, BusinessDays};
use crate::journal::Guard;
use crate::json::{Object, Value};
use crate::log::Level;
use crate::outcome::{Lang, Problem};
use crate::schema::{Unknown, check};
use crate::transport::{Roots, TransportSettings};

/// The configuration that `zv_init` was given.
#[derive(Debug)]
pub struct Config {
    /// At least one; their names are unique.
    pub accounts: Vec<Account>,
    /// How the gateway is reached.
    pub transport: TransportSettings,
    /// The time limit of a whole call.
    pub total: Duration,
    /// The language of `cashier`.
    pub lang: Lang,
    /// What to do with undocumented fields.
    pub unknown: Unknown,
    /// The database, if the journal is one.
    #[cfg(feature = "database")]
    pub database: Option<DatabaseSettings>,
    /// The journal's file, if it is not the default.
    pub journal: Option<PathBuf>,
    /// Which unsettled sales block a new one.
    pub guard: Guard,
    /// How long a lost request may still arrive.
    pub late_arrival: Duration,
    /// How long after a start an unconfirmed earlier sale is reversed.
    pub confirm_after: Duration,
    /// How old a quote may be on which a payment relies, before it is asked again.
    pub quote_max_age: Duration,
    /// How many days the details of settled sales are kept.
    pub retention_days: i64,
    /// When the till's business days begin.
    pub business_days: BusinessDays,
    /// Whether the library settles sales in the background.
    pub background: bool,
    /// How long after a read that comes before a payment an unused connection is kept open; zero for not at all.
    pub warm: Duration,
    /// The log file.
    pub log: Option<LogSettings>,
    /// Equal for two texts with the same meaning; recognises a repeated `zv_init` without keeping keys.
    pub fingerprint: [u8; 20],
}

/// The settings of the log file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// Its path.
    pub path: PathBuf,
    /// The highest level that is written to it.
    pub level: Level,
    /// How many days are kept.
    pub keep_days: u64,
}

/// The default of `warm_s`.
const WARM_S: u64 = 30;

impl Config {
    /// Reads a configuration, or reports everything that is wrong with it.
    pub fn read(value: &Value<'_>) -> Result<Config, Vec<Problem>> {
        let Some(object) = value.as_object() else {
            return Err(vec![problem("", format!("must be an object, not {}", value.describe()))]);
        };
        let mut problems = Vec::new();
        check(&CONFIG, object, &Object::default(), "", Unknown::Refuse, &mut problems);
        let accounts = account::read_all(object, &mut problems);
        let (proxy, absolute) = proxy(object, &mut problems);
        if absolute && accounts.iter().any(|account| account.password_over_http) {
            problems.push(problem(
                "proxy.mode",
                "is \"absolute\", so the proxy reads all that goes over plain http: a payment password must not, \
                 take password_over_http away",
            ));
        }
        let transport = TransportSettings {
            connect: milliseconds(object, "timeouts_ms", "connect", 3000),
            idle: Duration::from_millis(number(object, "idle_ms").unwrap_or(4000)),
            roots: roots(object, &mut problems),
            proxy,
            absolute,
        };
        let total = milliseconds(object, "timeouts_ms", "total", 10_000);
        if transport.connect > total {
            problems.push(problem("timeouts_ms.connect", "must not be longer than timeouts_ms.total"));
        }
        let background = text(object, "background") != Some("false");
        let is_warm = background && !transport.idle.is_zero();
        let config = Config {
            accounts,
            transport,
            total,
            lang: if text(object, "lang") == Some("en") { Lang::En } else { Lang::ZhCn },
            unknown: if flag(object, "pass_unknown_fields") { Unknown::Pass } else { Unknown::Refuse },
            #[cfg(feature = "database")]
            database: DatabaseSettings::read(object, total, &mut problems),
            journal: journal(object, &mut problems),
            guard: match text(object, "guard") {
                Some("coupon") => Guard::Coupon,
                Some("off") => Guard::Off,
                _ => Guard::Member,
            },
            late_arrival: Duration::from_millis(number(object, "late_arrival_ms").unwrap_or(120_000)),
            confirm_after: Duration::from_secs(number(object, "confirm_after_s").unwrap_or(300)),
            quote_max_age: Duration::from_secs(number(object, "quote_max_age_s").unwrap_or(600)),
            retention_days: text(object, "retention_days").and_then(|text| text.parse().ok()).unwrap_or(90),
            business_days: business_days(object, &mut problems),
            background,
            warm: Duration::from_secs(if is_warm { number(object, "warm_s").unwrap_or(WARM_S) } else { 0 }),
            log: log(object, &mut problems),
            fingerprint: fingerprint(value),
        };
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }
}

fn problem(path: impl Into<String>, message: impl Into<String>) -> Problem {
    Problem { path: path.into(), message: message.into() }
}

fn text<'o>(object: &'o Object<'_>, name: &str) -> Option<&'o str> {
    object.given(name).and_then(Value::scalar)
}

fn flag(object: &Object<'_>, name: &str) -> bool {
    text(object, name) == Some("true")
}

fn number(object: &Object<'_>, name: &str) -> Option<u64> {
    text(object, name).and_then(|text| text.parse().ok())
}

fn section<'o, 'a>(object: &'o Object<'a>, name: &str) -> Option<&'o Object<'a>> {
    object.given(name).and_then(Value::as_object)
}

fn milliseconds(object: &Object<'_>, group: &str, name: &str, default: u64) -> Duration {
    Duration::from_millis(section(object, group).and_then(|group| number(group, name)).unwrap_or(default))
}

fn roots(object: &Object<'_>, problems: &mut Vec<Problem>) -> Roots {
    let Some(tls) = section(object, "tls") else { return Roots::Bundled };
    match (text(tls, "roots"), text(tls, "pem")) {
        (Some(_), Some(_)) => {
            problems.push(problem("tls.pem", "cannot stand beside tls.roots: give one of the two"));
            Roots::Bundled
        }
        (None, Some(path)) => Roots::PemFile(path.to_owned()),
        (Some("system"), None) => Roots::System,
        _ => Roots::Bundled,
    }
}

/// The proxy's URL, and whether it is sent whole URLs.
fn proxy(object: &Object<'_>, problems: &mut Vec<Problem>) -> (Option<String>, bool) {
    let Some(value) = object.given("proxy") else { return (None, false) };
    let (url, mode) = match value.as_object() {
        Some(fields) => {
            check(&PROXY, fields, &Object::default(), "proxy", Unknown::Refuse, problems);
            (text(fields, "url"), text(fields, "mode"))
        }
        None => (value.scalar(), None),
    };
    let path = if value.as_object().is_some() { "proxy.url" } else { "proxy" };
    match url.filter(|url| url.starts_with("http://") && ureq::Proxy::new(url).is_ok()) {
        Some(url) => (Some(url.to_owned()), mode == Some("absolute")),
        // A missing URL is already reported.
        None if url.is_none() && value.as_object().is_some() => (None, false),
        None => {
            problems.push(problem(path, "must be http://host:port"));
            (None, false)
        }
    }
}

/// The journal's file. A path whose meaning depends on the working folder or the user is refused rather than
/// resolved: unsettled sales would stay in the old file, and the next program would not see them.
fn journal(object: &Object<'_>, problems: &mut Vec<Problem>) -> Option<PathBuf> {
    let value = object.get("journal")?;
    let text = value.as_text()?;
    let path = PathBuf::from(text);
    // `DatabaseSettings` reads it.
    #[cfg(feature = "database")]
    if text.starts_with(database::SCHEME) {
        return None;
    }
    let why = if text.is_empty() {
        "must not be empty: leave it out for the machine's own journal"
    } else if text.starts_with("postgres://") {
        "is a database, and this library keeps its journal in a file: load the library for servers (zvpos-server)"
    } else if text.starts_with(['~', '$']) || has_variable(text) {
        "must be the path as it is: no ~ and no variable is expanded"
    } else if path.is_absolute() {
        return Some(path);
    } else {
        "must be an absolute path: a relative one is another journal in another working directory"
    };
    let mut message = format!("{why}; got {text:?}");
    if let Some(found) = std::path::absolute(&path).ok().filter(|found| !text.is_empty() && found.is_file()) {
        // Never used automatically: only a person can tell whether it is the right file.
        message = format!("{message}; a file of that name is {}", found.display());
    }
    problems.push(problem("journal", message));
    None
}

/// Whether a path contains a variable that a shell would replace: `%name%` or `${`.
fn has_variable(path: &str) -> bool {
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_()".contains(c));
    let parts: Vec<&str> = path.split('%').collect();
    path.contains("${") || (parts.len() > 2 && parts.iter().skip(1).rev().skip(1).any(|part| is_name(part)))
}

fn log(object: &Object<'_>, problems: &mut Vec<Problem>) -> Option<LogSettings> {
    let log = section(object, "log")?;
    let Some(path) = text(log, "path") else {
        problems.push(problem("log.path", "is missing: where the log file is"));
        return None;
    };
    Some(LogSettings {
        path: path.into(),
        level: text(log, "level").and_then(Level::from_word).unwrap_or(Level::Info),
        keep_days: number(log, "keep_days").unwrap_or(30),
    })
}

fn business_days(object: &Object<'_>, problems: &mut Vec<Problem>) -> BusinessDays {
    let mut read = |name: &str, default: &str, parse: fn(&str) -> Option<i64>, wanted: &str| {
        parse(text(object, name).unwrap_or(default)).unwrap_or_else(|| {
            problems.push(problem(name, format!("must be {wanted}")));
            0
        })
    };
    BusinessDays {
        start_minutes: read("business_day_start", "04:00", calendar::minutes, "a time of day such as 04:00"),
        offset_minutes: read("utc_offset", "+08:00", calendar::offset_minutes, "an offset such as +08:00"),
    }
}

fn fingerprint(value: &Value<'_>) -> [u8; 20] {
    let mut canonical = Zeroizing::new(String::with_capacity(2 * value.raw().len()));
    value.push_canonical(&mut canonical);
    Sha1::digest(canonical.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::{Generation, Operation};

    const KEYS: &str = r#""openId":"a","grantCode":"b","openKey":"top-secret""#;

    fn read(text: &str) -> Result<Config, Vec<String>> {
        Config::read(&Value::parse(text).unwrap())
            .map_err(|problems| problems.into_iter().map(|p| format!("{}: {}", p.path, p.message)).collect())
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let config = read(&format!("{{{KEYS}}}")).unwrap();
        assert_eq!(config.transport.connect, Duration::from_secs(3));
        assert_eq!(config.total, Duration::from_secs(10));
        assert_eq!(config.transport.idle, Duration::from_secs(4));
        let account = &config.accounts[0];
        let consume = account.route(Operation::Consume).unwrap();
        assert_eq!(consume.url, "http://openapi.zvcms.com/api/v2");
        assert_eq!(consume.action, "communal.user.consume");
        assert!(account.route(Operation::BalanceByBizId).is_none());
        assert!(!format!("{config:?}").contains("top-secret"));
    }

    #[test]
    fn five_mistakes_are_five_problems() {
        let problems = read(
            r#"{"openId":"a","grantCod":"b","openKey":"top-secret","timeouts_ms":{"total":"soon"},
                "api":"v4","log":{"level":"loud"},"idle_ms":-1}"#,
        )
        .unwrap_err();
        let paths: Vec<&str> = problems.iter().filter_map(|p| p.split(':').next()).collect();
        for path in ["grantCod", "timeouts_ms.total", "api", "log.level", "idle_ms", "grantCode", "log.path"]
        {
            assert!(paths.contains(&path), "{path} is not in {problems:?}");
        }
        assert!(problems.iter().any(|p| p.contains("did you mean \"grantCode\"")));
        assert!(!problems.iter().any(|p| p.contains("top-secret")));
    }

    #[test]
    fn accounts_have_their_own_overrides() {
        let config = read(&format!(
            r#"{{"api":"v3","endpoint":"https://h","accounts":{{"a":{{{KEYS}}},"b":{{{KEYS},"api":"v2","endpoint":"http://g/x"}}}}}}"#
        ))
        .unwrap();
        let urls: Vec<&str> =
            config.accounts.iter().map(|a| a.route(Operation::Quote).unwrap().url.as_str()).collect();
        assert_eq!(urls, ["https://h/v3/cy/customer/computeCoupon", "http://g/x"]);
        let problems = read(r#"{"accounts":{"a":{"openId":"1"}}}"#).unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(read("{}").unwrap_err().iter().any(|p| p.starts_with("openId")));
    }

    #[test]
    fn routes_are_data() {
        let config = read(&format!(
            r#"{{{KEYS},"routes":{{"quote":"v3","consume":{{"action":"other.consume","numbers":true}},
                "balance_by_biz_id":{{"action":"told.by-the-vendor"}}}}}}"#
        ))
        .unwrap();
        let account = &config.accounts[0];
        let quote = account.route(Operation::Quote).unwrap();
        assert_eq!(quote.generation, Generation::V3);
        assert_eq!(quote.url, "https://openapi.qmai.cn/v3/cy/customer/computeCoupon");
        let consume = account.route(Operation::Consume).unwrap();
        assert!(consume.numbers && consume.action == "other.consume");
        assert_eq!(account.route(Operation::BalanceByBizId).unwrap().action, "told.by-the-vendor");
        for bad in [
            r#""routes":{"quote":"v9"}"#,
            r#""routes":{"quot":"v3"}"#,
            r#""routes":{"balance_by_biz_id":"v2"}"#,
            r#""routes":{"quote":{"generation":"v3","path":"no-slash"}}"#,
            r#""endpoint":"ftp://h""#,
            r#""endpoint":"http://user:pw@h/""#,
            r#""endpoint":"not a url""#,
            r#""call_actions":["communal.user.consume"]"#,
            r#""call_actions":["/v3/crm/customer/consumeReverse"]"#,
            r#""defaults":{"bizId":"1"}"#,
            r#""defaults":{"deviceSm":"1"}"#,
            r#""on_unknown":"reverse""#,
            r#""confirm":true"#,
            r#""utc_offset":"8""#,
            r#""business_day_start":"25:00""#,
            r#""routes":{"reverse":{"action":"a","params":{"bizId":"$bizzId"}}}"#,
            r#""routes":{"reverse":{"action":"a","params":[1]}}"#,
            r#""routes":{"quote":{"params":{"a":"b"}}}"#,
            r#""tls":{"roots":"system","pem":"x"}"#,
            r#""proxy":"socks5://h:1""#,
            r#""proxy":{"url":"socks5://h:1"}"#,
            r#""proxy":{"mode":"absolute"}"#,
            r#""proxy":{"url":"http://h:1","mode":"tunnel"}"#,
            r#""proxy":{"url":"http://h:1","mode":"absolute"},"password_over_http":true"#,
            r#""proxy":["http://h:1"]"#,
            r#""timeouts_ms":{"connect":2000,"total":1000}"#,
        ] {
            let problems = read(&format!("{{{KEYS},{bad}}}")).unwrap_err();
            assert_eq!(problems.len(), 1, "{bad}: {problems:?}");
        }
    }

    #[test]
    fn a_target_of_the_other_generation_is_not_called_missing() {
        let told = |more: &str| read(&format!("{{{KEYS},{more}}}")).unwrap_err();
        let set = |generation: &str, path: &str| {
            let (of, to) = if generation == "v3" { ("path", "v2") } else { ("action", "v3") };
            format!(
                "{path}.generation: is missing: {of} is {generation}'s and the account speaks {to}; set \"generation\": \"{generation}\" here"
            )
        };
        assert_eq!(told(r#""routes":{"reverse":{"path":"/v3/x"}}"#), [set("v3", "routes.reverse")]);
        // A default in its place would be another operation than the one that was configured.
        assert_eq!(told(r#""routes":{"quote":{"path":"/v3/x"}}"#), [set("v3", "routes.quote")]);
        assert_eq!(
            told(r#""on_unknown":"reverse","confirm":true,"routes":{"reverse":{"path":"/v3/x"}}"#),
            [set("v3", "routes.reverse")]
        );
        assert_eq!(told(r#""api":"v3","routes":{"quote":{"action":"a.b"}}"#), [set("v2", "routes.quote")]);
        assert_eq!(
            told(r#""routes":{"reverse":{"generation":"v2","path":"/v3/x","action":"a"}}"#),
            ["routes.reverse.path: is not for v2, which takes action"]
        );
        assert_eq!(
            told(r#""routes":{"reverse":{"generation":"v3","action":"a"}}"#),
            ["routes.reverse.action: is not for v3, which takes path"]
        );
        read(&format!(r#"{{{KEYS},"routes":{{"reverse":{{"generation":"v3","path":"/v3/x"}}}}}}"#)).unwrap();
    }

    #[test]
    fn a_journal_must_be_an_absolute_path() {
        let journal = |text: &str| read(&format!("{{{KEYS},\"journal\":{text}}}"));
        let good = if cfg!(windows) { r"C:/zvpos/100%/a b.db" } else { "/var/lib/zvpos/100%/a b.db" };
        assert_eq!(journal(&format!("{good:?}")).unwrap().journal, Some(PathBuf::from(good)));
        assert_eq!(journal("null").unwrap().journal, None);
        for (bad, why) in [
            (r#""pay.db""#, "absolute"),
            (r#""./pay.db""#, "absolute"),
            (r#""..\\pay.db""#, "absolute"),
            (r#""\\pay.db""#, "absolute"),
            (r#""C:pay.db""#, "absolute"),
            (r#""~/pay.db""#, "expanded"),
            (r#""$HOME/pay.db""#, "expanded"),
            (r#""%ProgramData%\\zvpos\\pay.db""#, "expanded"),
            (r#""/var/%USER%/pay.db""#, "expanded"),
            (r#""/var/${USER}/pay.db""#, "expanded"),
            (r#""""#, "empty"),
            ("5", "text"),
            ("true", "text"),
            ("[]", "text"),
            ("{}", "text"),
        ] {
            let problems = journal(bad).unwrap_err();
            assert_eq!(problems.len(), 1, "{bad}: {problems:?}");
            assert!(problems[0].starts_with("journal: ") && problems[0].contains(why), "{bad}: {problems:?}");
        }
        // A test runs in its package's folder.
        let here = std::env::current_dir().unwrap().join("Cargo.toml");
        let problems = journal(r#""Cargo.toml""#).unwrap_err();
        assert!(problems[0].ends_with(&format!("a file of that name is {}", here.display())), "{problems:?}");
        assert!(!journal(r#""no-such.db""#).unwrap_err()[0].contains("a file of that name"));
    }

    #[test]
    fn a_proxy_is_asked_with_whole_urls_only_where_that_is_set() {
        for (proxy, wanted) in [
            (r#""http://u:p@h:1""#, ("http://u:p@h:1", false)),
            (r#"{"url":"http://h:1"}"#, ("http://h:1", false)),
            (r#"{"url":"http://h:1","mode":"connect"}"#, ("http://h:1", false)),
            (r#"{"url":"http://h:1","mode":"absolute"}"#, ("http://h:1", true)),
        ] {
            let transport = read(&format!("{{{KEYS},\"proxy\":{proxy}}}")).unwrap().transport;
            assert_eq!((transport.proxy.as_deref().unwrap(), transport.absolute), wanted);
        }
    }

    #[test]
    fn the_same_configuration_has_the_same_fingerprint() {
        let one = read(&format!("{{{KEYS},\"idle_ms\":4000}}")).unwrap();
        let two = read(&format!("{{ \"idle_ms\": 4000,\n{KEYS} }}")).unwrap();
        let other = read(&format!("{{{KEYS},\"idle_ms\":4001}}")).unwrap();
        assert_eq!(one.fingerprint, two.fingerprint);
        assert_ne!(one.fingerprint, other.fingerprint);
    }
}
