//! One configured account: quote, call, consume, reverse. It drives the pure functions of `payment` with the journal
//! and the transport, and writes the till's answer.

mod consume;
mod exchange;
mod query;
mod quotes;
mod reconcile;
mod refund;
mod response;
mod restart;
mod reversal;
pub mod worker;

pub use response::{
    consume as tell_consume, entry_json, known as tell_known, other_journal as tell_other_journal,
    reversal as tell_reversal, stands as tell_stands,
};
pub use reversal::ReversalRequest;

use std::fmt::Display;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::calendar::BusinessDays;
use crate::clock::GatewayClock;
use crate::config::Account;
use crate::gateway::{Operation, RequestRules, Route};
use crate::journal::{Guard, Journal};
use crate::json::{Object, Value};
use crate::log::{Level, Log};
use crate::money::BizId;
use crate::outcome::{Answer, Lang, Outcome, Problem, Warning, codes};
use crate::payment::quotes::Quotes;
use crate::payment::{Entry, Key, Moment, OnUnknown, Said, Stage};
use crate::schema::Unknown;
use crate::transport::HttpAnswer;
use crate::world::World;

/// The state that all accounts of one library share.
pub struct Shared {
    /// Clocks, threads and the transport to the gateway.
    pub world: Arc<dyn World>,
    /// The durable records.
    pub journal: Journal,
    /// The log.
    pub log: Log,
    /// The time limit of one call as a whole.
    pub total: Duration,
    /// The language of the message for the cashier.
    pub lang: Lang,
    /// What happens to fields that are not documented.
    pub unknown: Unknown,
    /// Which unsettled sales keep a new sale from being sent.
    pub guard: Guard,
    /// When the business day begins.
    pub business_days: BusinessDays,
    /// How old a quote may be on which a payment relies, before it is asked again.
    pub quote_max_age: Duration,
}

/// One account.
pub struct Client {
    account: Account,
    clock: GatewayClock,
    /// The quotes, from the first one on.
    quotes: Mutex<Option<Quotes>>,
    shared: Arc<Shared>,
}

impl Client {
    /// The client of one account.
    pub fn new(account: Account, shared: Arc<Shared>) -> Client {
        Client { account, clock: GatewayClock::default(), quotes: Mutex::default(), shared }
    }

    /// The account's name under `accounts`.
    pub fn name(&self) -> Option<&str> {
        self.account.name.as_deref()
    }

    /// Whether the account's requests are sent unencrypted.
    pub fn is_plain_http(&self) -> bool {
        Operation::ALL.into_iter().any(|o| self.account.route(o).is_some_and(Route::is_plain_http))
    }

    /// The entries of `call_actions` of which it is not known whether they take something.
    pub fn unknown_actions(&self) -> impl Iterator<Item = &str> {
        self.account.unknown_actions()
    }

    /// What happens to an unknown outcome.
    pub fn on_unknown(&self) -> OnUnknown {
        self.account.on_unknown
    }

    /// Which gateway the account belongs to.
    pub fn environment(&self) -> &str {
        &self.account.environment
    }

    /// Whether a reverse route is configured.
    pub fn can_reverse(&self) -> bool {
        self.account.route(Operation::Reverse).is_some()
    }

    /// Whether a reverse route is configured without the codes of its answers.
    pub fn reverses_without_codes(&self) -> bool {
        let rules = &self.account.reverse;
        self.can_reverse() && rules.already.is_empty() && !rules.refuses_unknown
    }

    /// Which settings would settle an entry at the next start without a person, if the vendor confirms them: those that
    /// can explain the code by which the entry's reversal was refused, and that are not set.
    pub fn explaining_settings(&self, entry: &Entry) -> Vec<&'static str> {
        let rules = &self.account.reverse;
        let refused = entry.stage() == Stage::Refused && entry.detail().reversal.said == Some(Said::Refused);
        let already = (refused || entry.promise_refused()) && rules.already.is_empty();
        let refuses_unknown = entry.promise_refused() && !rules.refuses_unknown;
        let named =
            [(already, "routes.reverse.codes.already"), (refuses_unknown, "routes.reverse.refuses_unknown")];
        named.into_iter().filter_map(|(can, name)| can.then_some(name)).collect()
    }

    /// Whether the configuration can explain a refused reversal.
    pub fn explains_refusals(&self) -> bool {
        !self.account.reverse.already.is_empty()
    }

    /// Whether an entry belongs to this account.
    pub fn owns(&self, key: &Key) -> bool {
        key.open_id == self.account.credentials.open_id() && key.environment == self.account.environment
    }

    /// The key of a bizId of this account.
    pub fn key(&self, biz_id: &BizId) -> Key {
        Key {
            open_id: self.account.credentials.open_id().to_owned(),
            environment: self.account.environment.clone(),
            biz_id: biz_id.clone(),
        }
    }

    /// Whether a bizId that an answer names belongs to another sale of this account: as the bizId that was sent for
    /// that sale or the one that its answer carried. A journal that cannot be read excludes nothing.
    fn of_another_sale<'c>(&'c self, own: &'c Key) -> impl Fn(&str) -> bool + 'c {
        move |named| !matches!(self.shared.journal.other_sale_of(own, named), Ok(None))
    }

    /// The current moment by the machine's clock and, if it is known, by the gateway's.
    pub fn now(&self) -> Moment {
        self.clock.at(self.shared.world.unix_ms())
    }

    /// The record with the times that belong to its stage; called before the record is written.
    pub fn dated(&self, record: Entry) -> Entry {
        record.dated(self.now(), self.shared.business_days)
    }

    /// Learns the gateway's time from an answer. Returns whether signing again could help a request that was refused
    /// for its signature.
    fn learn(&self, answer: &HttpAnswer) -> bool {
        answer.date.is_some_and(|date| self.clock.learn(date, self.shared.world.unix_ms()))
    }

    fn rules(&self, route: &Route) -> RequestRules {
        RequestRules {
            unknown: self.shared.unknown,
            // A proxy that is sent absolute URLs reads what it forwards.
            password_over_http: self.account.password_over_http && !self.shared.world.is_absolute(),
            plain_http: route.is_plain_http(),
            numbers: route.numbers,
        }
    }

    /// Reads a request with the account's default fields, which were checked with the configuration.
    fn with_defaults<T>(&self, f: impl FnOnce(&Object<'_>) -> T) -> T {
        let empty = Object::default();
        match Value::parse(&self.account.defaults) {
            Ok(value) => f(value.as_object().unwrap_or(&empty)),
            Err(_) => f(&empty),
        }
    }

    fn invalid(&self, problems: Vec<Problem>) -> Answer {
        response::invalid(self.shared.lang, problems)
    }

    fn no_route(&self, operation: Operation) -> Answer {
        self.invalid(vec![Problem {
            path: format!("routes.{}", operation.key()),
            message: "is not configured and has no default".to_owned(),
        }])
    }

    fn clock_warning(&self) -> Option<Warning> {
        let offset = self.clock.offset_s();
        (offset.abs() > GatewayClock::WARN_S).then(|| {
            let way = if offset > 0 { "behind" } else { "ahead of" };
            let message = format!("the till's clock is {} s {way} the gateway's; set it", offset.abs());
            Warning::new(&codes::CLOCK, message)
        })
    }

    fn log_answer(&self, what: impl Display, answer: &Answer) {
        let level = match answer.outcome() {
            Outcome::Succeeded | Outcome::Declined | Outcome::Reversed => Level::Info,
            Outcome::Internal => Level::Error,
            _ => Level::Warn,
        };
        self.shared.log.line(level, || {
            format!("{what}: {} {} {}", answer.outcome().as_str(), answer.code(), answer.message())
        });
        for warning in answer.warnings() {
            self.shared.log.line(Level::Warn, || format!("{what}: {} {}", warning.code, warning.message));
        }
    }
}

#[cfg(test)]
mod tests;
