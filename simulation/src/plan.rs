//! What one seed is about: how the gateway behaves, how the library is configured, what goes wrong and how often.
//! Each seed enables its own subset of faults, because rare combinations hide behind common ones.

use std::fmt;
use std::time::Duration;

use zvpos_core::config::{Account, Config};
use zvpos_core::journal::nodes::LeaseSettings;
use zvpos_core::json::Value;
use zvpos_sandbox::rules::{
    AlreadyReversed, Policy, Refusals, ReturnedBizId, SameBizId, UnknownReversal, codes,
};

use crate::assumption::Off;
use crate::mutant::Mutant;
use crate::network::Fault;
use crate::random::Random;

/// The settings of one seed.
#[allow(clippy::struct_excessive_bools, reason = "each is a switch by itself")]
pub struct Plan {
    /// Which assumption does not hold.
    pub off: Off,
    /// How the gateway behaves.
    pub policy: Policy,
    /// Answers a repeated reversal without looking (G2 off).
    pub deaf: bool,
    /// The configuration's text, and the one in which the vendor has said more of its codes.
    configs: (String, String),
    /// The configured account, read by the library's own reader.
    pub account: Account,
    /// How long a lost request may still arrive, in milliseconds.
    pub late_ms: u64,
    /// The whole of one call, in milliseconds.
    pub total_ms: u64,
    /// What the processes record in.
    pub journals: Journals,
    /// How often a node says that it lives, in milliseconds.
    pub beat_ms: u64,
    /// Statements of nodes that meet a fault, of a thousand.
    pub bad_statements: u64,
    /// Whether the database's replica does not follow at times, and may then take over.
    pub stalls: bool,
    /// Whether the nodes of one machine hold locks by which they learn of each other's end.
    pub node_locks: bool,
    /// Whether the database or the way to it is away at times.
    pub cuts: bool,
    /// Processes on the one journal.
    pub processes: usize,
    /// Tills a process.
    pub tills: usize,
    /// How long faults and sales go on, in milliseconds.
    pub busy_ms: u64,
    /// How many sales are begun at most.
    pub sales: usize,
    /// Requests that meet a fault, of a thousand.
    pub faulty: u64,
    /// The faults that can happen.
    pub faults: Vec<Fault>,
    /// Deaths of a process at an effect, of a hundred thousand.
    pub deaths: u64,
    /// Journal writes that fail, of a thousand.
    pub bad_writes: u64,
    /// Whether clocks jump.
    pub clocks: bool,
    /// Whether the gateway is away for a time.
    pub outages: bool,
    /// Whether all of it takes hours.
    pub long: bool,
    /// Whether living processes are taken for dead.
    pub lost_locks: bool,
    /// Whether the vendor says in the end which code means "already reversed".
    pub codes_told_later: bool,
    /// Whether the journal is lost now and then, and another one begun.
    pub loses_journal: bool,
}

/// What the processes of a seed record in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journals {
    /// One file on one machine.
    File,
    /// One database that several nodes share.
    Database,
}

/// What two nodes' clocks may differ by over a lease, in milliseconds.
const MARGIN_MS: u64 = 2_000;

/// The account that signs; the first of the sandbox's made-up ones.
pub const CREDENTIALS: [&str; 3] =
    ["fake-open-id-for-test-only-0001", "fake-grant-code-0001", "fake-open-key-for-test-only-0001"];

/// For the head of a trace: what decides how it goes.
impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = &self.account;
        write!(
            out,
            "{}; {:?}; deaf {}; on_unknown {:?}; reverse codes already {:?}, not_found {:?}; strict {}; confirm {}; \
             late {} ms; total {} ms; {} processes of {} tills; faults {:?} in {} of 1000",
            self.off.name(),
            self.policy,
            self.deaf,
            account.on_unknown,
            account.reverse.already,
            account.reverse.not_found,
            account.strict_answer,
            account.confirm,
            self.late_ms,
            self.total_ms,
            self.processes,
            self.tills,
            self.faults,
            self.faulty,
        )
    }
}

impl Plan {
    /// The configuration that a process starts with; `told` says that the vendor has said more of its codes.
    pub fn config(&self, told: bool) -> &str {
        if told { &self.configs.1 } else { &self.configs.0 }
    }

    /// The plan of a seed; the error is a configuration that the library refuses, a defect of this module.
    pub fn draw(random: &mut Random, mutant: Option<Mutant>, journals: Journals) -> Result<Plan, String> {
        let plan = Plan::common(random, mutant, journals)?;
        Ok(if journals == Journals::Database { plan.of_nodes(random) } else { plan })
    }

    /// The same gateway and tills over a database.
    fn of_nodes(self, random: &mut Random) -> Plan {
        let lost_locks = random.per_mille(400);
        // Where nodes are stopped, for long enough to see what has been settled meanwhile.
        let longer_ms = if lost_locks { self.late_ms.min(60_000) } else { 0 };
        let plan = Plan {
            journals: Journals::Database,
            beat_ms: random.pick(2_000, &[1_000]),
            bad_statements: random.pick(20, &[0, 60, 200]),
            stalls: random.per_mille(500),
            cuts: random.per_mille(500),
            processes: 2 + random.index(4),
            tills: 1 + random.index(2),
            busy_ms: random.range(30, 120) * 1000 + longer_ms,
            sales: 6 + random.index(25),
            bad_writes: 0,
            outages: self.outages && !self.long,
            long: false,
            loses_journal: false,
            lost_locks,
            ..self
        };
        Plan { node_locks: random.per_mille(400), ..plan }
    }

    /// How long a lease lasts, in milliseconds: the shortest that the library accepts.
    pub fn lease_ms(&self) -> u64 {
        self.total_ms + 3 * self.beat_ms + MARGIN_MS
    }

    /// How the nodes judge each other.
    pub fn lease(&self) -> LeaseSettings {
        let ms = Duration::from_millis;
        LeaseSettings { lease: ms(self.lease_ms()), beat: ms(self.beat_ms), margin: ms(MARGIN_MS) }
    }

    #[allow(clippy::too_many_lines, reason = "one line a property of the world that is drawn")]
    fn common(random: &mut Random, mutant: Option<Mutant>, journals: Journals) -> Result<Plan, String> {
        let off = match random.below(100) {
            0..58 => Off::Nothing,
            58..65 => Off::Reversible,
            65..71 => Off::ActsTwice,
            71..77 => Off::Deaf,
            77..84 => Off::Copies,
            84..92 => Off::CleanRefusals,
            _ => Off::Late,
        };
        let late_ms = random.pick(120_000, &[5_000, 30_000, 60_000]);
        let policy = policy(random, off);
        // A route with no codes must end in `refused`, never in a word that is not true.
        let already = random.per_mille(700);
        let not_found = random.per_mille(700);
        let has_route = off != Off::Nothing || random.per_mille(930);
        let hold = random.per_mille(200);
        let guard = random.pick("member", &["coupon", "off"]);
        let confirm = has_route && random.per_mille(200);
        let confirm_after_s = random.range(5, 40);
        // Only a call that lasts longer than what others wait beyond a lease can outlive its lease.
        let shortest = if journals == Journals::Database { 6 } else { 2 };
        let total_ms = random.range(shortest, 10) * 1000;
        // V3 as it comes: its own route, and no codes that anybody has told.
        let as_it_comes = has_route && random.per_mille(150);
        let (already, not_found) = (already && !as_it_comes, not_found && !as_it_comes);
        // Only where that is so may it be said.
        let truthful = policy.unknown_reversal == UnknownReversal::NotFound
            && !matches!(off, Off::Reversible | Off::Deaf);
        let refuses_unknown = truthful && !as_it_comes && random.per_mille(300);
        let codes_told_later = !already && random.per_mille(300);
        let v2 = random.per_mille(500) && !as_it_comes;
        let list = |given: bool, code: &str| if given { format!("\"{code}\"") } else { String::new() };
        let with_already = |already: bool| {
            format!(
                "{{\"{name}\": \"{target}\", \"refuses_unknown\": {refuses_unknown}, \
             \"codes\": {{\"already\": [{}], \"not_found\": [{}]}}}}",
                list(already, codes::REVERSE_ALREADY),
                list(not_found, codes::REVERSE_NOT_FOUND),
                name = if v2 { "action" } else { "path" },
                target = if v2 { "sandbox.consume-reverse" } else { "/v3/crm/customer/consumeReverse" },
            )
        };
        let reverse = |already: bool| {
            if has_route && (already || !as_it_comes) {
                format!("\"reverse\": {}", with_already(already))
            } else {
                String::new()
            }
        };
        let mut routes = Vec::new();
        if random.per_mille(500) {
            let complete = random.per_mille(700);
            routes.push(format!(
                "\"balance_by_biz_id\": {{\"{name}\": \"{target}\", \"complete\": {complete}, \"codes\": {{\"not_found\": [\"100007\"]}}}}",
                name = if v2 || !has_route { "action" } else { "path" },
                target = if v2 || !has_route {
                    "sandbox.balance-by-biz"
                } else {
                    "/v3/crm/account/getDecreaseBalanceBiz"
                },
            ));
        }
        let [open_id, grant_code, open_key] = CREDENTIALS;
        let routes = |already: bool| {
            let reverse = reverse(already);
            let named = routes.iter().chain([&reverse]).filter(|route| !route.is_empty());
            named.cloned().collect::<Vec<_>>().join(", ")
        };
        let strict = random.per_mille(200) && policy.returned_biz_id == ReturnedBizId::Same;
        let config = |already: bool| {
            format!(
                "{{\"openId\": \"{open_id}\", \"grantCode\": \"{grant_code}\", \"openKey\": \"{open_key}\", \
             \"api\": \"{api}\", \"endpoint\": \"{endpoint}\", \"routes\": {{{routes}}}, \
             \"codes\": {{\"in_doubt\": [\"{nonce}\", \"{duplicate}\"]}}, \"strict_answer\": {strict}, \"confirm\": {confirm}, \
             \"confirm_after_s\": {confirm_after_s}, \
             \"guard\": \"{guard}\", \"late_arrival_ms\": {late_ms}, \
             \"timeouts_ms\": {{\"connect\": 1000, \"total\": {total_ms}}}{hold}}}",
                api = if v2 || !has_route { "v2" } else { "v3" },
                endpoint =
                    if v2 || !has_route { "http://gateway.invalid/api/v2" } else { "http://gateway.invalid" },
                routes = routes(already),
                nonce = codes::NONCE,
                duplicate = if mutant == Some(Mutant::DuplicateUnlisted) { "none" } else { codes::DUPLICATE },
                hold = if hold { ", \"on_unknown\": \"hold\"" } else { "" },
            )
        };
        let configs = (config(already), config(already || codes_told_later));
        let account = read_account(&configs.0)?;
        let copies_may_act = policy.same_biz_id == SameBizId::Again && off != Off::Copies;
        let clocks = random.per_mille(400);
        let faults = Fault::ALL
            .iter()
            .copied()
            // Where a known bizId is carried out again, a copy would act again: that is G3 off.
            .filter(|fault| !(copies_may_act && *fault == Fault::Copied))
            .filter(|fault| {
                random.per_mille(500)
                    || (off == Off::Copies && *fault == Fault::Copied)
                    // What a jumping clock and a "too late" have to do with is an original that comes late.
                    || ((off == Off::Late || clocks) && *fault == Fault::Overtaken)
            })
            .collect();
        // An hour has thousands of tries; so these are few.
        let long = random.per_mille(8);
        Ok(Plan {
            off,
            deaf: off == Off::Deaf,
            policy,
            configs,
            account,
            late_ms,
            total_ms,
            journals: Journals::File,
            beat_ms: 0,
            bad_statements: 0,
            stalls: false,
            node_locks: false,
            cuts: false,
            processes: 1 + random.index(3),
            tills: 1 + random.index(3),
            busy_ms: if long { random.range(2, 24) * 3_600_000 } else { random.range(10, 90) * 1000 },
            sales: 3 + random.index(12),
            faulty: random.pick(300, &[0, 100, 200, 500, 700]),
            faults,
            deaths: random.pick(300, &[0, 80, 1_000, 3_000]),
            bad_writes: random.pick(0, &[0, 5, 30]),
            clocks,
            outages: long || random.per_mille(150),
            long,
            lost_locks: random.per_mille(200),
            codes_told_later,
            loses_journal: random.per_mille(60),
        })
    }
}

fn policy(random: &mut Random, off: Off) -> Policy {
    let mut policy = Policy {
        same_biz_id: random.pick(SameBizId::FirstAnswer, &[SameBizId::Duplicate, SameBizId::Again]),
        returned_biz_id: random.pick(ReturnedBizId::Same, &[ReturnedBizId::Other]),
        unknown_reversal: random.pick(UnknownReversal::NotFound, &[UnknownReversal::Success]),
        remember_unknown_reversals: random.per_mille(150),
        already_reversed: random.pick(AlreadyReversed::Code, &[AlreadyReversed::Success]),
        // A gateway that forgets nonces leaves a copy to the rule for a known bizId.
        nonces_max: random.pick(200_000, &[1]),
        ..Policy::default()
    };
    match off {
        Off::Nothing => {}
        Off::Reversible => {
            policy.returned_biz_id = ReturnedBizId::Other;
            policy.reverse_by_sent = false;
        }
        Off::ActsTwice => policy.reversal_acts_twice = true,
        // Only a gateway that says "done" or "already" to what it never saw can be deaf.
        Off::Deaf => policy.remember_unknown_reversals = false,
        Off::Copies => {
            policy.same_biz_id = SameBizId::Again;
            policy.nonces_max = 1;
        }
        Off::CleanRefusals => {
            policy.refusals = random.pick(Refusals::Partial, &[Refusals::FullEffect]);
            // With "again" a sale that a till tries again after `declined` would be taken twice by the gateway's
            // own rules; that is two assumptions off at once.
            policy.same_biz_id = random.pick(SameBizId::FirstAnswer, &[SameBizId::Duplicate]);
        }
        Off::Late => {
            policy.refuse_reversals = random.per_mille(300);
            // A "done" for nothing, an original that comes after it, and then "too late": the promise that lies.
            if random.per_mille(500) {
                policy.unknown_reversal = UnknownReversal::Success;
            }
            policy.reversal_window_ms = Some(random.pick(1000, &[10_000, 60_000, 130_000]));
        }
    }
    policy
}

fn read_account(config: &str) -> Result<Account, String> {
    let value = Value::parse(config).map_err(|error| format!("{error}: {config}"))?;
    let config = Config::read(&value).map_err(|problems| format!("{problems:?}: {config}"))?;
    config.accounts.into_iter().next().ok_or_else(|| "no account".to_owned())
}
