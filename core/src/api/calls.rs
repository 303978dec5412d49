//! What each function of the C ABI does, from the text of its request to its answer.

use std::sync::PoisonError;
use std::time::Duration;

use super::requests::{
    CONFIRM_REQUEST, FILTER_REQUEST, LOOKUP_REQUEST, PENDING_REQUEST, REVERSE_REQUEST, SETTLE_REQUEST,
};
use super::{Library, export, parse};
use crate::calendar;
use crate::gateway::{ACCOUNT, Identity, rounded_ids};
use crate::journal::{Guard, JournalError, Recorded};
use crate::json::{Object, Value, push_string};
use crate::money::{Amount, BizId};
use crate::outcome::{Answer, Outcome, Problem, Warning, codes};
use crate::payment::settlement::settle;
use crate::payment::{Confirmation, Entry, Stage, made_biz_id};
use crate::runtime::{
    Client, ReversalRequest, entry_json, tell_known, tell_other_journal, tell_reversal, tell_stands,
};
use crate::schema::{Schema, Unknown, check};

/// How long a call waits for the process that holds a journal which is not open yet.
const OPENING: Duration = Duration::from_millis(250);

impl Library {
    /// `zv_coupon_quote_json`
    pub fn quote(&self, request: &str) -> Answer {
        self.run(request, |client, given| {
            let answer = client.quote(given);
            self.begin_sale(client, &answer);
            answer
        })
    }

    /// The answer to a read that comes before a payment: the payment finds an open connection.
    fn begin_sale(&self, client: &Client, answer: &Answer) {
        if answer.outcome() == Outcome::Succeeded
            && let Some(url) = client.paid_at()
        {
            self.recovery.keep_warm(url);
        }
    }

    /// `zv_consume_json`
    pub fn consume(&self, request: &str) -> Answer {
        let answer = self.run(request, |client, given| {
            self.open_late();
            let answer = client.consume(given);
            if let Some(url) = client.paid_at() {
                self.recovery.let_cool(url);
            }
            self.to_be_acknowledged(client, answer)
        });
        if answer.outcome() == Outcome::Unknown || self.shared.journal.needs_care() {
            self.recovery.wake();
        }
        answer
    }

    /// `zv_reverse_json`
    pub fn reverse(&self, request: &str) -> Answer {
        self.run_checked(request, &REVERSE_REQUEST, |client, given, biz_id| {
            let deadline = self.shared.world.now() + self.shared.total;
            let text = |name: &str| given.given(name).and_then(Value::scalar);
            let told = Identity {
                customer_id: text("customerId").map(str::to_owned),
                kind: text("type").and_then(|text| text.parse().ok()),
                amount: text("amount").and_then(|text| Amount::parse(text).ok()),
                ..Identity::default()
            };
            let requested = client.request_reversal(biz_id, given, &told, deadline);
            let answer = requested.map(|requested| match requested {
                ReversalRequest::Lacks(names) => {
                    let message = "is missing: routes.reverse.params names it and the journal does not have it; give it \
                                   here (with type 1, for scanned codes, there is no customerId)";
                    let problem = |name: &str| Problem { path: name.to_owned(), message: message.to_owned() };
                    self.invalid(names.into_iter().map(problem).collect())
                }
                ReversalRequest::NeedsReturnedBizId => self.invalid(vec![Problem {
                    path: "returnedBizId".to_owned(),
                    message: "is missing: the journal knows no such bizId, and another till's sale is undone by the \
                              bizId that its answer carried; an attempt of this till that was never sent is voided by \
                              the journal_id that was stored with it"
                        .to_owned(),
                }]),
                ReversalRequest::OfAnotherSale(entry) => self
                    .invalid(vec![Problem {
                        path: "returnedBizId".to_owned(),
                        message: format!(
                            "is of the sale {:?}: reverse it by that bizId, a reversal has none of its own",
                            entry.key().biz_id.as_str()
                        ),
                    }])
                    .with_recorded(entry_json(&entry)),
                ReversalRequest::OtherJournal(entry) => tell_other_journal(entry.as_ref(), self.lang()),
                ReversalRequest::Impossible(None) => self.own(Outcome::Invalid, &codes::NO_REVERSE_ROUTE, ""),
                ReversalRequest::Impossible(Some(entry)) if client.can_reverse() => tell_reversal(&entry, self.lang()),
                ReversalRequest::Impossible(Some(entry)) => {
                    let answer = self.own(Outcome::Invalid, &codes::NO_REVERSE_ROUTE, "");
                    answer.with_recorded(entry_json(&entry))
                }
                ReversalRequest::Existing(entry) if entry.stage() == Stage::Reversing => {
                    // An entry that cannot be recorded now is on disk unchanged, and is driven again.
                    let stands = self.recovery.drive(client, &entry, deadline).unwrap_or(entry);
                    tell_reversal(&stands, self.lang())
                }
                ReversalRequest::Existing(entry) => tell_reversal(&entry, self.lang()),
            });
            self.recovery.wake();
            answer.unwrap_or_else(|error| self.journal_failed(&error))
        })
    }

    /// `zv_lookup_json`
    pub fn look_up(&self, request: &str) -> Answer {
        let answer = self.run_checked(request, &LOOKUP_REQUEST, |client, given, biz_id| {
            match client.known(biz_id, given) {
                Err(error) => self.journal_failed(&error),
                Ok(known) => self.to_be_acknowledged(client, tell_known(&known, self.lang())),
            }
        });
        if answer.outcome() == Outcome::Unknown {
            // Its process may have been found dead just now.
            self.recovery.wake();
        }
        answer
    }

    /// `zv_pending_json`: every unsettled entry, or those of one account; with `day` all entries of a business day.
    pub fn pending(&self, request: Option<&str>) -> Answer {
        self.run_filtered(request, &PENDING_REQUEST, |account, given| {
            // Another process may have left an entry behind.
            self.recovery.wake();
            let text = |name: &str| given.given(name).and_then(Value::scalar);
            let days = self.business_days;
            let day = match text("day").map(|written| self.day(written).ok_or(written)).transpose() {
                Ok(day) => day,
                Err(written) => {
                    let message =
                        format!("must be a date such as 2026-11-22, today or yesterday, not {written:?}");
                    return self.invalid(vec![Problem { path: "day".to_owned(), message }]);
                }
            };
            let found = match day {
                None => self.shared.journal.unsettled().and_then(|mut entries| {
                    entries.extend(self.left_unfinished()?);
                    // The entries of one account among several are not all.
                    if account.is_none() || self.clients.len() == 1 {
                        self.shared.journal.seen();
                    }
                    Ok(entries)
                }),
                Some(day) => self.shared.journal.near_day(day).map(|mut entries| {
                    entries.retain(|entry| !export::kinds(entry, Some(day), days).is_empty());
                    entries
                }),
            };
            match found {
                Err(error) => self.journal_failed(&error),
                Ok(mut entries) => {
                    entries.retain(|entry| account.is_none_or(|client| client.owns(entry.key())));
                    let totals = day.map(|day| (day, export::Totals::of(&entries, Some(day), days)));
                    let totals = totals.map(|(day, totals)| {
                        format!("\"day\":\"{}\",\"totals\":{},", calendar::date(day), totals.json())
                    });
                    let totals = totals.unwrap_or_default();
                    match text("format") {
                        Some("csv") => exported(&totals, entries.len(), &export::csv(&entries, day, days)),
                        Some("ndjson") => exported(&totals, entries.len(), &export::ndjson(&entries)),
                        _ => self.listed_of(day, &totals, &entries, "listed"),
                    }
                }
            }
        })
    }

    /// `zv_recover_json`: settles now the entries that can be settled.
    pub fn recover(&self, request: Option<&str>) -> Answer {
        self.run_filtered(request, &FILTER_REQUEST, |account, _| {
            let deadline = self.shared.world.now() + self.shared.total;
            let passed = self.recovery.pass(deadline).and_then(|pass| {
                let mut entries = self.shared.journal.unsettled()?;
                entries.retain(|entry| account.is_none_or(|client| client.owns(entry.key())));
                Ok(self.listed(&entries, &format!("{} settled now", pass.settled)))
            });
            self.recovery.wake();
            passed.unwrap_or_else(|error| self.journal_failed(&error))
        })
    }

    /// `zv_confirm_json`: the till has stored its sale.
    pub fn confirm(&self, request: &str) -> Answer {
        self.run_checked(request, &CONFIRM_REQUEST, |client, _, biz_id| {
            let journal = &self.shared.journal;
            let deadline = self.shared.world.now() + self.shared.total;
            let key = client.key(biz_id);
            loop {
                let entry = match self.shared.standing(&key) {
                    Err(error) => return self.journal_failed(&error),
                    Ok(None) => {
                        return self.own(
                            Outcome::Invalid,
                            &codes::NOT_FOUND,
                            "the journal knows no such bizId",
                        );
                    }
                    Ok(Some(entry)) => entry,
                };
                let Some(record) = entry.confirmed() else {
                    return match entry.stage() {
                        Stage::Succeeded
                        | Stage::Kept
                        | Stage::Reversing
                        | Stage::Reversed
                        | Stage::Undone => tell_stands(&entry, self.lang()).replayed(),
                        _ => self
                            .own(Outcome::Invalid, &codes::NOT_CONFIRMED, "")
                            .with_recorded(entry_json(&entry)),
                    };
                };
                match journal.record(&record, Guard::Off, deadline) {
                    Err(error) => return self.journal_failed(&error),
                    Ok(Recorded::Done(_)) => return tell_stands(&record, self.lang()),
                    Ok(Recorded::Existing(_) | Recorded::InDoubt(_) | Recorded::Superseded(_)) => {}
                }
            }
        })
    }

    /// `zv_settle_json`: a person's decision.
    pub fn settle(&self, request: &str) -> Answer {
        self.run_checked(request, &SETTLE_REQUEST, |client, given, biz_id| {
            let text = |name: &str| given.given(name).and_then(Value::scalar).unwrap_or_default();
            let journal = &self.shared.journal;
            let entry = match self.shared.standing(&client.key(biz_id)) {
                Err(error) => return self.journal_failed(&error),
                Ok(None) => {
                    return self.own(Outcome::Invalid, &codes::NOT_FOUND, "the journal knows no such bizId");
                }
                Ok(Some(entry)) => entry,
            };
            let record = match settle(&entry, text("as") == "kept", text("by"), text("reason")) {
                Ok(record) => client.dated(record),
                Err(why) => {
                    let answer = self.own(Outcome::Invalid, &codes::NOT_SETTLED, &why.to_string());
                    return answer.with_recorded(entry_json(&entry));
                }
            };
            match journal.record(&record, Guard::Off, self.shared.world.now() + self.shared.total) {
                Err(error) => self.journal_failed(&error),
                Ok(Recorded::Done(_)) => {
                    let early = record.stage() == Stage::Undone && self.recovery.may_arrive(&entry);
                    let warning =
                        early.then(|| Warning::new(&codes::WARN_MAY_ARRIVE, codes::WARN_MAY_ARRIVE.meaning));
                    Answer::done_locally("settled").with_data(entry_json(&record)).with_warnings(warning)
                }
                Ok(Recorded::Existing(entry) | Recorded::InDoubt(entry) | Recorded::Superseded(entry)) => {
                    let answer = self.own(Outcome::Invalid, &codes::NOT_SETTLED, "it has changed meanwhile");
                    answer.with_recorded(entry_json(&entry))
                }
            }
        })
    }

    /// `zv_call_json`. `account` in the params selects the account and is not sent.
    pub fn call(&self, action: &str, params: &str) -> Answer {
        self.run(params, |client, value| {
            let answer = client.call(action, value);
            if client.precedes_a_payment(action) {
                self.begin_sale(client, &answer);
            }
            answer
        })
    }

    /// `zv_biz_id`
    pub fn make_biz_id(&self) -> Answer {
        let Some(_entered) = self.enter(None) else { return self.shut() };
        self.open_late();
        let journal = match self.shared.journal.id() {
            Ok(journal) => journal,
            Err(error) => return self.journal_failed(&error),
        };
        let random = || {
            let (high, low) = (self.shared.world.random()?, self.shared.world.random()?);
            Ok::<_, String>(u64::from(high) << 32 | u64::from(low))
        };
        match random().and_then(|random| Ok(made_biz_id::make(self.time_to_make(), random, &journal)?)) {
            Ok(biz_id) => {
                let answer = Answer::done_locally("made").with_biz_id(biz_id.as_str());
                answer.with_warnings(self.late_warning())
            }
            Err(error) => {
                let message = format!("the system gives no random numbers: {error}");
                self.own(Outcome::Internal, &codes::PANIC, &message)
            }
        }
    }

    /// The time for a bizId: the gateway's as far as it is known, and never one that was used before.
    fn time_to_make(&self) -> u64 {
        let now = self.clients.first().map_or(0, |client| client.now().best_unix_ms());
        let now = u64::try_from(now).unwrap_or(0);
        let mut last = self.last_made_ms.lock().unwrap_or_else(PoisonError::into_inner);
        *last = now.max(last.saturating_add(1));
        *last
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
            Some(_entered) => f(client, given).with_warnings(self.late_warning()),
            None => self.shut(),
        }
    }

    /// The answer to a call after a shutdown.
    fn shut(&self) -> Answer {
        self.own(Outcome::Invalid, &codes::SHUT_DOWN, "zv_shutdown was called")
    }

    /// Opens a journal that was locked, full or read-only before, if no background thread of the library does so.
    fn open_late(&self) {
        if !self.recovery.is_in_background() {
            self.shared.open_again(self.shared.world.now() + OPENING);
        }
    }

    /// Runs a call about one bizId.
    fn run_checked(
        &self,
        text: &str,
        schema: &'static Schema,
        f: impl FnOnce(&Client, &Object<'_>, &BizId) -> Answer,
    ) -> Answer {
        self.run(text, |client, given| {
            self.open_late();
            let mut problems = Vec::new();
            check(schema, given, &Object::default(), "", Unknown::Refuse, &mut problems);
            let biz_id = given.given("bizId").and_then(Value::scalar).map(BizId::new);
            match biz_id {
                Some(Ok(biz_id)) if problems.is_empty() => f(client, given, &biz_id)
                    .with_biz_id(biz_id.as_str())
                    .with_warnings(rounded_ids(schema, given)),
                _ => self.invalid(problems),
            }
        })
    }

    /// Runs a call whose request is NULL or selects an account.
    fn run_filtered(
        &self,
        text: Option<&str>,
        schema: &'static Schema,
        f: impl FnOnce(Option<&Client>, &Object<'_>) -> Answer,
    ) -> Answer {
        let value = match parse(text.unwrap_or("{}"), self.lang()) {
            Ok(value) => value,
            Err(answer) => return answer,
        };
        let Some(given) = value.as_object() else { return self.no_object(&value) };
        let mut problems = Vec::new();
        check(schema, given, &Object::default(), "", Unknown::Refuse, &mut problems);
        if !problems.is_empty() {
            return self.invalid(problems);
        }
        let account = given.given(ACCOUNT.name).and_then(Value::scalar);
        let client = match account.map(|name| self.client(Some(name))).transpose() {
            Ok(client) => client,
            Err(answer) => return answer,
        };
        match self.enter(None) {
            Some(_entered) => {
                self.open_late();
                f(client, given).with_warnings(self.late_warning())
            }
            None => Answer::of(Outcome::Invalid, &codes::SHUT_DOWN, self.lang(), "zv_shutdown was called"),
        }
    }

    pub(super) fn own(&self, outcome: Outcome, code: &'static codes::Code, message: &str) -> Answer {
        let message = if message.is_empty() { code.meaning } else { message };
        Answer::of(outcome, code, self.lang(), message)
    }

    pub(super) fn invalid(&self, problems: Vec<Problem>) -> Answer {
        self.own(Outcome::Invalid, &codes::REQUEST, &Problem::summary(&problems)).with_errors(problems)
    }

    fn journal_failed(&self, error: &JournalError) -> Answer {
        self.own(Outcome::Internal, error.code, &error.message)
    }

    /// The day that a request names; `today` is the current business day, by the gateway's clock if it is known.
    fn day(&self, written: &str) -> Option<i64> {
        let back = match written {
            "today" => 0,
            "yesterday" => 1,
            date => return calendar::day(date),
        };
        let mut moments = self.clients.iter().map(Client::now);
        let first = moments.next()?;
        let known = moments.find(|moment| moment.gateway_unix_ms.is_some());
        let now = if first.gateway_unix_ms.is_some() { first } else { known.unwrap_or(first) };
        Some(self.business_days.day_of(now.best_unix_ms()) - back)
    }

    fn listed(&self, entries: &[Entry], message: &str) -> Answer {
        self.listed_of(None, "", entries, message)
    }

    /// The entries as a list; of a day, with its totals in front and what each entry is on that day.
    fn listed_of(&self, day: Option<i64>, totals: &str, entries: &[Entry], message: &str) -> Answer {
        let listed: Vec<String> = entries
            .iter()
            .map(|entry| {
                let client = self.clients.iter().find(|client| client.owns(entry.key()));
                let settings = client.map(|client| client.explaining_settings(entry)).unwrap_or_default();
                let settings = match settings.as_slice() {
                    [] => String::new(),
                    names => format!(",\"settings\":[\"{}\"]", names.join("\",\"")),
                };
                let next = match (entry.stage(), client) {
                    (Stage::Sending, _) if self.shared.journal.may_be_running(entry) => "running",
                    (Stage::Succeeded, _) if entry.detail().confirmation == Confirmation::Awaited => {
                        "confirm"
                    }
                    (Stage::Succeeded, _) if entry.is_unfinished() => "unacknowledged",
                    (stage, _) if !stage.is_unsettled() => "settled",
                    (_, None) => "no_credentials",
                    // Left behind by a crash; the recovery is about to record it as unknown.
                    (Stage::Sending, _) => "recovering",
                    (Stage::Reversing, Some(client)) if client.can_reverse() => "reversing",
                    _ => "person",
                };
                let kinds: Vec<String> = export::kinds(entry, day, self.business_days)
                    .into_iter()
                    .map(|kind| format!("\"{}\"", kind.as_str()))
                    .collect();
                let kinds = kinds.join(",");
                format!(
                    "{{\"next\":\"{next}\"{settings},\"kinds\":[{kinds}],\"entry\":{}}}",
                    entry_json(entry)
                )
            })
            .collect();
        let id = serde_json::json!(self.shared.journal.id().ok());
        let (count, listed) = (listed.len(), listed.join(","));
        let data = format!("{{{totals}\"count\":{count},\"journal_id\":{id},\"entries\":[{listed}]}}");
        Answer::done_locally(message).with_data(data)
    }

    fn client(&self, account: Option<&str>) -> Result<&Client, Answer> {
        let found = match (account, &*self.clients) {
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

fn exported(totals: &str, count: usize, text: &str) -> Answer {
    let mut data = format!("{{{totals}\"count\":{count},\"text\":");
    push_string(&mut data, text);
    data.push('}');
    Answer::done_locally("listed").with_data(data)
}
