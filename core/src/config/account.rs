//! One account: its credentials, and how each of its operations reaches the gateway.

use std::borrow::Cow;
use std::collections::HashMap;

use ureq::http::Uri;

use super::tables::{CONFIG, ROUTE};
use super::{flag, problem, section, text};
use crate::gateway::{
    CONSUME_REQUEST, CodeRules, Credentials, Generation, Operation, PRODUCTION, QUOTE_REQUEST, ReverseRules,
    Route, Sign, SignNames, action, environment_of,
};
use crate::json::{Object, Value};
use crate::outcome::Problem;
use crate::payment::OnUnknown;
use crate::schema::{Unknown, check};

/// Fields that the configuration may not set, because they belong to one sale or one customer.
const PER_SALE: [&str; 12] = [
    "journal_id",
    "bizId",
    "amount",
    "points",
    "couponsCardList",
    "customerId",
    "payPassword",
    "items",
    "user_id",
    "user_coupon_id",
    "coupon_code",
    "account",
];

/// What the gateway's own records can prove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordRules {
    /// A balance deduction that is missing from the records never happened.
    pub complete: bool,
    /// A coupon that is listed as unused was not redeemed.
    pub coupons_complete: bool,
    /// Codes that mean that the records hold no such bizId.
    pub not_found: Vec<String>,
    /// What the sign of an amount means.
    pub sign: Sign,
}

/// What kind of action `zv_call_json` was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActionKind {
    /// An operation that takes nothing.
    Operation(Operation),
    /// Another documented read.
    Read,
    /// Listed under `call_actions`; it is not known whether it takes something.
    Listed,
}

/// One configured account.
#[derive(Debug)]
pub struct Account {
    /// Its key under `accounts`; `None` for the account at the top level.
    pub name: Option<String>,
    /// The credentials that it signs with.
    pub credentials: Credentials,
    /// How the names are spelled in the signed text.
    pub sign_names: SignNames,
    /// The meaning of the gateway's codes.
    pub codes: CodeRules,
    /// Whether a mismatch makes an answer a doubt.
    pub strict_answer: bool,
    /// Whether a payment password may be sent over plain http.
    pub password_over_http: bool,
    /// Default fields for every request, as JSON text of one object.
    pub defaults: String,
    /// Additional read actions.
    pub call_actions: Vec<String>,
    /// How an unknown outcome is resolved.
    pub on_unknown: OnUnknown,
    /// Whether a success must be confirmed by the till.
    pub confirm: bool,
    /// How a reversal is requested.
    pub reverse: ReverseRules,
    /// What the balance records can prove.
    pub(crate) records: RecordRules,
    /// Which gateway it belongs to, whatever way leads there: together with the openId the account in the journal's key.
    pub environment: String,
    generation: Generation,
    endpoint: String,
    routes: HashMap<Operation, Route>,
}

impl Account {
    /// The route of an operation; `None` where the vendor has published none and the configuration sets none.
    pub fn route(&self, operation: Operation) -> Option<&Route> {
        self.routes.get(&operation)
    }

    /// The kind of an action and its route. An action is an operation by its key, its V2 action or its V3 path, a
    /// documented read by either of its names, or a name under `call_actions`. `None` for everything else, above all
    /// the consume.
    pub(crate) fn read_route(&self, action: &str) -> Option<(ActionKind, Cow<'_, Route>)> {
        let known = Operation::ALL.into_iter().filter(|operation| operation.is_read()).find(|operation| {
            operation.key() == action
                || self.route(*operation).is_some_and(|route| {
                    (route.generation == Generation::V2 && route.action == action)
                        || (route.generation == Generation::V3
                            && route.url.ends_with(action)
                            && action.starts_with('/'))
                })
                || [Generation::V2, Generation::V3]
                    .into_iter()
                    .any(|generation| operation.default_target(generation) == Some(action))
        });
        if let Some(operation) = known {
            return self
                .route(operation)
                .map(|route| (ActionKind::Operation(operation), Cow::Borrowed(route)));
        }
        let to = |target: &str| Cow::Owned(Route::new(self.generation, &self.endpoint, target, false));
        if let Some(read) = action::documented_read(action, self.generation) {
            return Some((ActionKind::Read, to(read)));
        }
        self.call_actions.iter().any(|listed| listed == action).then(|| (ActionKind::Listed, to(action)))
    }

    /// The entries of `call_actions` that are not documented reads: it is not known whether they take something.
    pub(crate) fn unknown_actions(&self) -> impl Iterator<Item = &str> {
        let listed = self.call_actions.iter().map(String::as_str);
        listed.filter(|action| {
            let asked = self.read_route(action).map(|(asked, _)| asked);
            asked == Some(ActionKind::Listed) && !action::is_documented_read(action)
        })
    }
}

/// Reads every account of the configuration.
pub(super) fn read_all(config: &Object<'_>, problems: &mut Vec<Problem>) -> Vec<Account> {
    let mut accounts = Vec::new();
    let named = section(config, "accounts");
    let at_top = ["openId", "grantCode", "openKey"].into_iter().any(|name| config.get(name).is_some());
    if at_top || named.is_none() {
        for name in ["openId", "grantCode", "openKey"] {
            if config.given(name).is_none() {
                let doc = CONFIG.field(name).map_or("", |field| field.doc);
                problems.push(problem(name, format!("is missing: {doc}")));
            }
        }
        accounts
            .extend(AccountReader { own: config, around: config, path: String::new() }.read(None, problems));
    }
    for (name, account) in named.into_iter().flat_map(Object::iter) {
        if let Some(own) = account.as_object() {
            let reader = AccountReader { own, around: config, path: format!("accounts.{name}.") };
            accounts.extend(reader.read(Some(name.to_owned()), problems));
        }
    }
    for (at, account) in accounts.iter().enumerate() {
        let is_same = |other: &&Account| {
            other.credentials.open_id() == account.credentials.open_id()
                && other.environment == account.environment
        };
        if let Some(other) = accounts.iter().take(at).find(is_same) {
            let named = |account: &Account| {
                account.name.as_deref().map_or("the top level's".to_owned(), |name| format!("{name:?}"))
            };
            problems.push(problem(
                format!("accounts.{}", account.name.as_deref().unwrap_or_default()),
                format!(
                    "is the same account as {} (openId and environment): its sales could not be told apart; make one account \
                     of them, whose routes may each have a generation and an endpoint, or give one of them an environment of \
                     its own if they are different accounts",
                    named(other)
                ),
            ));
        }
    }
    accounts
}

/// Reads one account, whose keys override the top-level ones.
struct AccountReader<'o, 'a> {
    own: &'o Object<'a>,
    around: &'o Object<'a>,
    path: String,
}

impl<'o, 'a> AccountReader<'o, 'a> {
    fn given(&self, name: &str) -> Option<&'o Value<'a>> {
        self.own.given(name).or_else(|| self.around.given(name))
    }

    fn text(&self, name: &str) -> Option<&'o str> {
        self.given(name).and_then(Value::scalar)
    }

    fn read(&self, name: Option<String>, problems: &mut Vec<Problem>) -> Option<Account> {
        let generation = self.text("api").and_then(Generation::from_word).unwrap_or_default();
        let endpoint = self.text("endpoint").unwrap_or(generation.default_endpoint()).to_owned();
        self.check_url("endpoint", &endpoint, problems);
        let routes = self.routes(generation, &endpoint, problems);
        self.check_routes(&routes, problems);
        let call_actions = self.call_actions(generation, &endpoint, &routes, problems);
        self.check_defaults(problems);
        let on_unknown = self.on_unknown(&routes, problems);
        let confirm = self.text("confirm") == Some("true");
        if confirm && !routes.contains_key(&Operation::Reverse) {
            problems.push(problem(
                format!("{}confirm", self.path),
                "needs a reverse route: without one, what was not confirmed cannot be undone",
            ));
        }
        let reverse = self.reverse_rules(problems);
        let codes = self.given("codes").and_then(Value::as_object);
        let standard = CodeRules::default();
        let list = |name: &str| codes.and_then(|codes| codes.given(name)).map(texts);
        let codes = CodeRules {
            before_effect: list("before_effect").unwrap_or(standard.before_effect),
            in_doubt: list("in_doubt").unwrap_or(standard.in_doubt),
            declined: list("declined").unwrap_or(standard.declined),
            only_listed: codes.is_some_and(|codes| flag(codes, "only_listed")),
        };
        let records = self.records();
        self.check_codes(&codes, &reverse, &records, problems);
        Some(Account {
            name,
            credentials: Credentials::new(
                text(self.own, "openId")?,
                text(self.own, "grantCode")?,
                text(self.own, "openKey")?,
            )?,
            sign_names: match self.text("sign_names") {
                Some("as_sent") => SignNames::AsSent,
                _ => SignNames::Lower,
            },
            codes,
            strict_answer: self.text("strict_answer") == Some("true"),
            password_over_http: self.text("password_over_http") == Some("true"),
            defaults: self.given("defaults").map_or("{}", Value::raw).to_owned(),
            call_actions,
            on_unknown,
            confirm,
            reverse,
            records,
            environment: self.environment(&endpoint, &routes, problems),
            generation,
            endpoint,
            routes,
        })
    }

    fn environment(
        &self,
        endpoint: &str,
        routes: &HashMap<Operation, Route>,
        problems: &mut Vec<Problem>,
    ) -> String {
        if let Some(named) = self.text("environment") {
            // One blank more would be another account, whose bizIds can be sent again.
            if !named.bytes().all(|byte| byte.is_ascii_graphic()) {
                problems.push(problem(
                    format!("{}environment", self.path),
                    "must consist of letters, digits and signs of ASCII, without blanks",
                ));
            }
            return if named.eq_ignore_ascii_case(PRODUCTION) { PRODUCTION } else { named }.to_owned();
        }
        environment_of(routes.get(&Operation::Consume).map_or(endpoint, |route| route.url.as_str()))
    }

    fn check_url(&self, name: &str, url: &str, problems: &mut Vec<Problem>) {
        let parsed = url.parse::<Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
                && uri.query().is_none()
        });
        if parsed.is_none() {
            problems.push(problem(
                format!("{}{name}", self.path),
                "must be http://host/path or https://host/path, without user name or query",
            ));
        }
    }

    fn routes(
        &self,
        generation: Generation,
        endpoint: &str,
        problems: &mut Vec<Problem>,
    ) -> HashMap<Operation, Route> {
        let mut routes = HashMap::new();
        let configured = match self.given("routes") {
            None => None,
            Some(value) => value.as_object().or_else(|| {
                problems.push(problem(format!("{}routes", self.path), "must be an object"));
                None
            }),
        };
        for operation in Operation::ALL {
            let default = operation
                .default_target(generation)
                .map(|target| Route::new(generation, endpoint, target, false));
            let own = configured.and_then(|routes| routes.given(operation.key()));
            let route = match own {
                None => default,
                Some(value) => self.route(operation, value, generation, endpoint, problems),
            };
            routes.extend(route.map(|route| (operation, route)));
        }
        for (key, _) in configured.into_iter().flat_map(Object::iter) {
            if Operation::ALL.into_iter().all(|operation| operation.key() != key) {
                let known: Vec<&str> = Operation::ALL.into_iter().map(Operation::key).collect();
                problems.push(problem(
                    format!("{}routes.{key}", self.path),
                    format!("is no operation; known are {}", known.join(", ")),
                ));
            }
        }
        routes
    }

    fn route(
        &self,
        operation: Operation,
        value: &Value<'_>,
        account_generation: Generation,
        account_endpoint: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Route> {
        let key = format!("routes.{}", operation.key());
        let empty = Object::default();
        let (word, fields) = match value.as_object() {
            Some(fields) => {
                let path = format!("{}{key}", self.path);
                check(&ROUTE, fields, &empty, &path, Unknown::Refuse, problems);
                (text(fields, "generation"), fields)
            }
            None => (value.scalar(), &empty),
        };
        let generation = match word {
            None => account_generation,
            Some(word) => {
                let Some(generation) = Generation::from_word(word) else {
                    problems.push(problem(
                        format!("{}{key}", self.path),
                        "must be \"v2\", \"v3\" or an object with action (v2) or path (v3)",
                    ));
                    return None;
                };
                generation
            }
        };
        let endpoint = text(fields, "endpoint").unwrap_or(if generation == account_generation {
            account_endpoint
        } else {
            generation.default_endpoint()
        });
        self.check_url(&format!("{key}.endpoint"), endpoint, problems);
        let (name, others, other) = match generation {
            Generation::V2 => ("action", "path", Generation::V3),
            Generation::V3 => ("path", "action", Generation::V2),
        };
        if let Some(target) = text(fields, others) {
            let (this, other) = (generation.as_str(), other.as_str());
            let (at, message) = if fields.given("generation").is_some() {
                (others, format!("is not for {this}, which takes {name}"))
            } else {
                let message = format!(
                    "is missing: {others} is {other}'s and the account speaks {this}; set \"generation\": \"{other}\" here"
                );
                ("generation", message)
            };
            problems.push(problem(format!("{}{key}.{at}", self.path), message));
            // A route was given, though a wrong one, so no problem reports a missing route.
            return Some(Route::new(generation, endpoint, target, false));
        }
        let Some(target) = text(fields, name).or(operation.default_target(generation)) else {
            problems.push(problem(
                format!("{}{key}.{name}", self.path),
                "is missing: the vendor has published none, ask for it",
            ));
            return None;
        };
        if generation == Generation::V3 && !target.starts_with('/') {
            problems.push(problem(format!("{}{key}.path", self.path), "must begin with /"));
        }
        Some(Route::new(generation, endpoint, target, flag(fields, "numbers")))
    }

    /// Checks that a read's route moves no value, and that the reversal's route is not the consume's.
    fn check_routes(&self, routes: &HashMap<Operation, Route>, problems: &mut Vec<Problem>) {
        for (operation, route) in routes {
            let leads_to = |other| routes.get(&other).is_some_and(|other| is_target(route, other));
            let is_known_consume = || {
                [Generation::V2, Generation::V3]
                    .into_iter()
                    .filter_map(|generation| Operation::Consume.default_target(generation))
                    .any(|target| action::same_or_behind(target_of(route), target))
            };
            let wrong = match operation {
                Operation::Consume => false,
                Operation::Reverse => leads_to(Operation::Consume) || is_known_consume(),
                _ => {
                    action::moves_value(target_of(route))
                        || leads_to(Operation::Consume)
                        || leads_to(Operation::Reverse)
                }
            };
            if wrong {
                let message = match operation {
                    Operation::Reverse => "leads to a consume: it would take a second time",
                    _ => "moves value, and this operation only asks",
                };
                problems.push(problem(format!("{}routes.{}", self.path, operation.key()), message));
            }
        }
    }

    fn call_actions(
        &self,
        generation: Generation,
        endpoint: &str,
        routes: &HashMap<Operation, Route>,
        problems: &mut Vec<Problem>,
    ) -> Vec<String> {
        let actions = self.given("call_actions").map(texts).unwrap_or_default();
        for (index, action) in actions.iter().enumerate() {
            let route = Route::new(generation, endpoint, action, false);
            let configured = [Operation::Consume, Operation::Reverse]
                .into_iter()
                .filter_map(|operation| routes.get(&operation))
                .any(|known| is_target(&route, known) || action::same_or_behind(action, target_of(known)));
            let wrong = if action::moves_value(target_of(&route)) || action::moves_value(action) || configured
            {
                "moves value; that goes only by its own function, with the journal"
            } else if generation == Generation::V3 && !action.starts_with('/') {
                "must begin with /"
            } else if action::is_same(action, "") {
                "is no action"
            } else {
                continue;
            };
            problems.push(problem(format!("{}call_actions[{index}]", self.path), wrong));
        }
        actions
    }

    fn on_unknown(&self, routes: &HashMap<Operation, Route>, problems: &mut Vec<Problem>) -> OnUnknown {
        let has_route = routes.contains_key(&Operation::Reverse);
        match self.text("on_unknown") {
            Some("reverse") if !has_route => {
                problems.push(problem(
                    format!("{}on_unknown", self.path),
                    "is \"reverse\", but no reverse route is configured: ask the vendor for its action and set routes.reverse",
                ));
                OnUnknown::Hold
            }
            Some("hold") => OnUnknown::Hold,
            _ if has_route => OnUnknown::Reverse,
            _ => OnUnknown::Hold,
        }
    }

    fn reverse_rules(&self, problems: &mut Vec<Problem>) -> ReverseRules {
        let standard = ReverseRules::default();
        let routes = self.given("routes").and_then(Value::as_object);
        for (key, value) in routes.into_iter().flat_map(Object::iter) {
            let strange: &[&str] = match key {
                "reverse" => &["complete", "sign"],
                "balance_by_biz_id" => &["params", "refuses_unknown"],
                "coupon_status" => &["params", "codes", "sign", "refuses_unknown"],
                _ => &["params", "codes", "complete", "sign", "refuses_unknown"],
            };
            for name in strange {
                if value.as_object().is_some_and(|route| route.given(name).is_some()) {
                    let path = format!("{}routes.{key}.{name}", self.path);
                    problems.push(problem(path, "is not for this route"));
                }
            }
        }
        let Some(route) = routes.and_then(|routes| routes.given("reverse")).and_then(Value::as_object) else {
            return standard;
        };
        let codes = section(route, "codes");
        let list = |name: &str| codes.and_then(|codes| codes.given(name)).map(texts).unwrap_or_default();
        let params = match route.given("params") {
            None => standard.params,
            Some(value) => self.reverse_params(value, problems),
        };
        ReverseRules {
            params,
            already: list("already"),
            not_found: list("not_found"),
            refuses_unknown: flag(route, "refuses_unknown"),
        }
    }

    /// Checks for malformed codes and for codes that have two meanings.
    fn check_codes(
        &self,
        codes: &CodeRules,
        reverse: &ReverseRules,
        records: &RecordRules,
        problems: &mut Vec<Problem>,
    ) {
        let mut wrong = |path: &str, message: String| {
            problems.push(problem(format!("{}{path}", self.path), message));
        };
        let reversal = "routes.reverse.codes";
        for (path, list) in [
            ("codes.before_effect".to_owned(), &codes.before_effect),
            ("codes.in_doubt".to_owned(), &codes.in_doubt),
            ("codes.declined".to_owned(), &codes.declined),
            (format!("{reversal}.already"), &reverse.already),
            (format!("{reversal}.not_found"), &reverse.not_found),
            ("routes.balance_by_biz_id.codes.not_found".to_owned(), &records.not_found),
        ] {
            if list.iter().any(|code| code == "0") {
                wrong(&path, "names 0, which is the code of a success".to_owned());
            }
        }
        let both = |one: &[String], other: &[String]| one.iter().find(|code| other.contains(code)).cloned();
        if let Some(code) = both(&codes.declined, &codes.in_doubt) {
            wrong(
                "codes.declined",
                format!("names {code:?}, which is also listed under in_doubt: list it once"),
            );
        }
        if let Some(code) = both(&reverse.not_found, &reverse.already) {
            let message = format!("names {code:?}, which is also listed under already: list it once");
            wrong(&format!("{reversal}.not_found"), message);
        }
        if records.complete && records.not_found.is_empty() {
            wrong(
                "routes.balance_by_biz_id.codes.not_found",
                "is missing: complete says something only with the code by which the vendor says that nothing stands \
                 under a bizId"
                    .to_owned(),
            );
        }
    }

    fn records(&self) -> RecordRules {
        let routes = self.given("routes").and_then(Value::as_object);
        let route = |name: &str| routes.and_then(|routes| routes.given(name)).and_then(Value::as_object);
        let balance = route("balance_by_biz_id");
        let codes = balance.and_then(|route| section(route, "codes"));
        RecordRules {
            complete: balance.is_some_and(|route| flag(route, "complete")),
            coupons_complete: route("coupon_status").is_some_and(|route| flag(route, "complete")),
            // 100007 is an empty search (SEEN) or an unsupported one: only the vendor can say which of the two it
            // means.
            not_found: codes.and_then(|codes| codes.given("not_found")).map(texts).unwrap_or_default(),
            sign: Sign::from_word(balance.and_then(|route| text(route, "sign"))),
        }
    }

    fn reverse_params(&self, value: &Value<'_>, problems: &mut Vec<Problem>) -> Vec<(String, String)> {
        let here = format!("{}routes.reverse.params", self.path);
        let Some(given) = value.as_object() else {
            problems.push(problem(here, "must be an object of names and texts"));
            return Vec::new();
        };
        let mut params = Vec::new();
        for (name, value) in given.iter() {
            let text = value.scalar().unwrap_or_default();
            if text.is_empty() || (text.starts_with('$') && !ReverseRules::PLACEHOLDERS.contains(&text)) {
                let message = format!("must be a text or one of {}", ReverseRules::PLACEHOLDERS.join(", "));
                problems.push(problem(format!("{here}.{name}"), message));
            }
            params.push((name.to_owned(), text.to_owned()));
        }
        params
    }

    fn check_defaults(&self, problems: &mut Vec<Problem>) {
        let Some(value) = self.given("defaults") else { return };
        let here = format!("{}defaults", self.path);
        let Some(defaults) = value.as_object() else {
            problems.push(problem(here, "must be an object"));
            return;
        };
        for (name, _) in defaults.iter() {
            if PER_SALE.contains(&name) {
                problems
                    .push(problem(format!("{here}.{name}"), "belongs to one sale and cannot be a default"));
            } else if CONSUME_REQUEST.field(name).is_none() && QUOTE_REQUEST.field(name).is_none() {
                problems.push(problem(format!("{here}.{name}"), "is no field of a consume or a quote"));
            }
        }
        for schema in [&CONSUME_REQUEST, &QUOTE_REQUEST] {
            let mut found = Vec::new();
            check(schema, defaults, &Object::default(), &here, Unknown::Pass, &mut found);
            let stands = |problem: &Problem| {
                problem
                    .path
                    .strip_prefix(&here)
                    .and_then(|rest| rest.strip_prefix('.'))
                    .is_some_and(|name| defaults.given(name).is_some() && !PER_SALE.contains(&name))
            };
            problems.extend(found.into_iter().filter(stands));
        }
    }
}

/// The target of a route: V2's action, V3's URL.
fn target_of(route: &Route) -> &str {
    match route.generation {
        Generation::V2 => &route.action,
        Generation::V3 => &route.url,
    }
}

/// Whether two routes have the same target, in any spelling.
fn is_target(one: &Route, other: &Route) -> bool {
    one.generation == other.generation && action::is_same(target_of(one), target_of(other))
}

fn texts(list: &Value<'_>) -> Vec<String> {
    let items = list.as_array().unwrap_or_default();
    items.iter().filter_map(|item| item.scalar().map(str::to_owned)).collect()
}
