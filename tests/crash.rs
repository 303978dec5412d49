//! Tills that are killed at random moments, also while they start and recover. Two of them share one journal, one
//! gateway and some of their sales; each is restarted as soon as it is dead. At the end everything that any of them
//! was told is compared with the gateway's ledger.
//!
//! `ZVPOS_KILLS=10000 cargo test -p zvpos --test crash -- --nocapture` sets the number of kills.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use support::{Answer, Driver, MEMBER, POOR_MEMBER, Simulator, reversing, until};

/// Prefixes of a consume's fault: half of them cause none.
const FAULTS: [&str; 24] = [
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "~reset_before",
    "~reset_after",
    "~hang",
    "~hang_after",
    "~html_200_after",
    "~http_500_after",
    "~cut_body:57",
    "~late_answer:60",
    "~late_answer:150",
    "~system_error_after",
    "~stray_answer",
    "~drifted_types",
];

const REVERSAL_FAULTS: [&str; 6] =
    ["reset_before", "reset_after", "http_500", "hang_after", "system_error_after", "cut_body"];

/// What both tills know of one sale.
#[derive(Debug, Default)]
struct Sale {
    request: Value,
    /// How often it was requested, with or without an answer.
    asked: u32,
    /// Whether more than one till has requested it.
    shared: bool,
    reversal_asked: bool,
    /// The outcomes that were read.
    told: BTreeSet<String>,
}

#[derive(Default)]
struct Book {
    sales: BTreeMap<String, Sale>,
    kills: u32,
    killed_at_start: u32,
    recoveries: u32,
    unacknowledged: u32,
    violations: Vec<String>,
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn of<T: Clone>(&mut self, list: &[T]) -> T {
        let index = self.below(u64::try_from(list.len()).unwrap());
        list[usize::try_from(index).unwrap()].clone()
    }
}

struct Worker<'w> {
    name: &'static str,
    config: Value,
    simulator: &'w Simulator,
    book: &'w Mutex<Book>,
    random: Random,
    next: u32,
    /// The bizId that the till's last process requested without reading the answer.
    unread: Option<String>,
}

impl Worker<'_> {
    /// One process of the till, from its start to its death.
    fn live(&mut self) {
        let mut till = Driver::new();
        let reach = self.random.of(&[25, 25, 60, 60, 200, 200, 300, 1200]);
        let delay = Duration::from_micros(self.random.below(reach * 1000));
        let pid = till.pid().to_string();
        thread::scope(|scope| {
            scope.spawn(move || {
                thread::sleep(delay);
                let killed = Command::new("kill").args(["-9", &pid]).status().unwrap();
                assert!(killed.success());
            });
            let started = self.start(&mut till).is_some();
            while started && self.act(&mut till).is_some() {}
            let mut book = self.book.lock().unwrap();
            book.kills += 1;
            book.killed_at_start += u32::from(!started);
        });
    }

    fn start(&mut self, till: &mut Driver) -> Option<()> {
        let answer = till.ask_mortal(&format!("init {}", self.config))?;
        if answer.outcome() != "succeeded" || answer.data()["journal"].is_null() {
            self.wrong(&answer.text);
        }
        if answer.data()["unsettled"] != 0 {
            self.book.lock().unwrap().recoveries += 1;
        }
        let unacknowledged: Vec<String> =
            serde_json::from_value(answer.data()["unacknowledged"].clone()).unwrap();
        // The previous process requested it and read no answer: if it succeeded, this start must have listed it.
        if let Some(biz_id) = self.unread.clone() {
            let known_before = self.book.lock().unwrap().sales[&biz_id].told.clone();
            let answer = self.look_up(till, &biz_id)?;
            let elsewhere = {
                let book = self.book.lock().unwrap();
                let sale = &book.sales[&biz_id];
                sale.shared || known_before.contains("succeeded")
            };
            if answer.outcome() == "succeeded" && !unacknowledged.contains(&biz_id) && !elsewhere {
                self.wrong(&format!(
                    "{biz_id} succeeded, nobody was told, and it is not listed: {unacknowledged:?}"
                ));
            }
            self.unread = None;
        }
        for biz_id in unacknowledged.iter().filter(|biz_id| biz_id.starts_with(self.name)) {
            self.look_up(till, biz_id)?;
            self.book.lock().unwrap().unacknowledged += 1;
        }
        Some(())
    }

    fn look_up(&self, till: &mut Driver, biz_id: &str) -> Option<Answer> {
        let answer = till.ask_mortal(&format!("lookup {}", json!({"bizId": biz_id})))?;
        self.told(biz_id, &answer);
        Some(answer)
    }

    fn told(&self, biz_id: &str, answer: &Answer) {
        let mut word = answer.outcome().to_owned();
        // The answer says nothing about the sale itself. ZV-REQUEST: the till that was to record it died before.
        if matches!(answer.code(), "ZV-BUSY" | "ZV-NOT-FOUND" | "ZV-REQUEST") || word == "conflict" {
            "nothing".clone_into(&mut word);
        }
        if matches!(word.as_str(), "internal" | "invalid") {
            self.wrong(&answer.text);
        }
        self.book.lock().unwrap().sales.get_mut(biz_id).unwrap().told.insert(word);
    }

    fn wrong(&self, what: &str) {
        self.book.lock().unwrap().violations.push(what.to_owned());
    }

    /// One random call; `None` if the till died in it.
    fn act(&mut self, till: &mut Driver) -> Option<()> {
        match self.random.below(10) {
            0..=5 => self.consume_anew(till),
            6 => self.consume_again(till),
            7 => {
                till.ask_mortal("recover")?;
                Some(())
            }
            _ => self.reverse(till),
        }
    }

    fn consume_anew(&mut self, till: &mut Driver) -> Option<()> {
        self.next += 1;
        let biz_id = format!("{}-{}{}", self.name, self.next, self.random.of(&FAULTS));
        let (member, amount) = self.random.of(&[(MEMBER, "0.01"), (MEMBER, "1.00"), (POOR_MEMBER, "500.00")]);
        let request = json!({"bizId": biz_id, "customerId": member, "amount": amount});
        let sale = Sale { request, ..Sale::default() };
        self.book.lock().unwrap().sales.insert(biz_id.clone(), sale);
        self.consume(till, biz_id)
    }

    /// A sale that this or the other till has requested before.
    fn consume_again(&mut self, till: &mut Driver) -> Option<()> {
        let Some(biz_id) = self.known() else { return Some(()) };
        if !biz_id.starts_with(self.name) {
            self.book.lock().unwrap().sales.get_mut(&biz_id).unwrap().shared = true;
        }
        self.consume(till, biz_id)
    }

    fn consume(&mut self, till: &mut Driver, biz_id: String) -> Option<()> {
        let request = {
            let mut book = self.book.lock().unwrap();
            let sale = book.sales.get_mut(&biz_id).unwrap();
            sale.asked += 1;
            sale.request.to_string()
        };
        let Some(answer) = till.ask_mortal(&format!("consume {request}")) else {
            self.unread = biz_id.starts_with(self.name).then_some(biz_id);
            return None;
        };
        self.told(&biz_id, &answer);
        Some(())
    }

    fn reverse(&mut self, till: &mut Driver) -> Option<()> {
        let Some(biz_id) = self.known() else { return Some(()) };
        self.book.lock().unwrap().sales.get_mut(&biz_id).unwrap().reversal_asked = true;
        if self.random.below(3) == 0 {
            self.simulator.arm(self.random.of(&REVERSAL_FAULTS), "reverse", 1, &json!({}));
        }
        let answer = till.ask_mortal(&format!("reverse {}", json!({"bizId": biz_id})))?;
        self.told(&biz_id, &answer);
        Some(())
    }

    /// One of the most recent sales.
    fn known(&mut self) -> Option<String> {
        let book = self.book.lock().unwrap();
        let own = self.random.below(3) > 0;
        let known: Vec<&String> =
            book.sales.keys().filter(|biz_id| biz_id.starts_with(self.name) == own).collect();
        (!known.is_empty()).then(|| self.random.of(&known).clone())
    }
}

/// What is wrong with one sale, now that everything is settled.
fn judge(biz_id: &str, sale: &Sale, last: &Answer, effects: &[i64]) -> Option<String> {
    let mut net = 0;
    for effect in effects {
        net += effect;
        if !(0..=1).contains(&net) {
            return Some(format!("I1: {biz_id} has the effects {effects:?}"));
        }
    }
    let told = |word: &str| sale.told.contains(word);
    let known = last.code() != "ZV-NOT-FOUND";
    let stands = last.outcome() == "succeeded";
    let broken = match last.outcome() {
        "succeeded" => net != 1 || told("reversed") || told("unknown"),
        "reversed" => net != 0 || told("succeeded") && !sale.reversal_asked,
        "declined" | "not_sent" => net != 0 || told("succeeded") || told("reversed") || told("unknown"),
        // Killed before its intent was on disk: no till was told anything.
        "invalid" => known || net != 0 || sale.told.iter().any(|word| word != "nothing"),
        _ => true,
    };
    // The deduction exists if and only if a till was told so.
    let unsaid = stands && !told("succeeded");
    (broken || unsaid).then(|| format!("{biz_id}: S = {net}, told {:?}, at last {}", sale.told, last.text))
}

/// The number of kills whose unsettled sales must be settled within the gateway's minute.
const KILLS_A_ROUND: u32 = 220;

/// The sum of all rounds.
#[derive(Default)]
struct Figures {
    kills: u32,
    killed_at_start: u32,
    recoveries: u32,
    unacknowledged: u32,
    sales: usize,
    asked: u32,
    told: BTreeMap<String, usize>,
    took: Vec<Duration>,
    violations: Vec<String>,
}

impl Figures {
    fn add(&mut self, book: Book, took: Vec<Duration>) {
        self.kills += book.kills;
        self.killed_at_start += book.killed_at_start;
        self.recoveries += book.recoveries;
        self.unacknowledged += book.unacknowledged;
        self.sales += book.sales.len();
        for sale in book.sales.values() {
            self.asked += sale.asked;
            for word in &sale.told {
                *self.told.entry(word.clone()).or_default() += 1;
            }
        }
        self.took.extend(took);
        self.violations.extend(book.violations);
    }
}

#[test]
fn killed_tills_were_told_the_truth() {
    let kills: u32 =
        std::env::var("ZVPOS_KILLS").map_or(KILLS_A_ROUND, |kills| kills.parse().expect("ZVPOS_KILLS"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed: u64 = std::env::var("ZVPOS_SEED")
        .map_or(u64::from(now.subsec_nanos()), |seed| seed.parse().expect("ZVPOS_SEED"));
    println!("ZVPOS_SEED={seed}");
    // Builds the program that is to be killed.
    drop(Driver::new());
    let started = Instant::now();
    let mut figures = Figures::default();
    while figures.kills < kills {
        let round = (kills - figures.kills).min(KILLS_A_ROUND);
        let simulator = Simulator::start();
        let config = reversing(&simulator.v2(), json!({"timeouts_ms": {"connect": 100, "total": 250}}));
        let mut book = kill(&simulator, &config, seed.wrapping_add(u64::from(figures.kills)), round);
        let took = settle(&simulator, &config, &mut book);
        figures.add(book, took);
    }
    figures.took.sort();

    let Figures { kills: killed, killed_at_start, recoveries, unacknowledged, sales, asked, told, .. } =
        &figures;
    println!(
        "kills {killed} ({killed_at_start} while starting or recovering) in {:.1?}; starts with something unsettled \
         {recoveries}; unacknowledged {unacknowledged}; violations {}",
        started.elapsed(),
        figures.violations.len()
    );
    println!("sales {sales} asked for {asked} times; told {told:?}");
    let at = |percent: usize| figures.took.get(figures.took.len().saturating_sub(1) * percent / 100);
    if let (Some(half), Some(most), Some(last)) = (at(50), at(99), figures.took.last()) {
        println!(
            "{} unsettled at the end of a round, settled after p50 {half:.1?}, p99 {most:.1?}, last {last:.1?}",
            figures.took.len()
        );
    }
    assert!(*killed >= kills && *killed_at_start > 0 && *recoveries > 0);
    assert!(told.contains_key("succeeded") && told.contains_key("reversed"));
    assert!(figures.violations.is_empty(), "{}", figures.violations.join("\n"));
}

/// Kills two tills again and again.
fn kill(simulator: &Simulator, config: &Value, seed: u64, kills: u32) -> Book {
    let book = Mutex::new(Book::default());
    thread::scope(|scope| {
        for (name, salt) in [("A", 1), ("B", 2)] {
            let mut worker = Worker {
                name,
                config: config.clone(),
                simulator,
                book: &book,
                random: Random((seed | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(salt)),
                next: 0,
                unread: None,
            };
            scope.spawn(move || {
                while worker.book.lock().unwrap().kills < kills {
                    worker.live();
                }
            });
        }
    });
    book.into_inner().unwrap()
}

/// Both tills are dead. The next one finds and settles everything; then each sale is compared with the ledger.
/// Returns how long each unsettled sale took.
fn settle(simulator: &Simulator, config: &Value, book: &mut Book) -> Vec<Duration> {
    simulator.admin("DELETE", "/faults", &Value::Null);
    let mut till = Driver::new();
    let back = Instant::now();
    let first = till.init(config).succeeded();
    let unsettled = first.data()["unsettled"].as_u64().unwrap();
    let unacknowledged: Vec<String> = serde_json::from_value(first.data()["unacknowledged"].clone()).unwrap();
    for biz_id in unacknowledged {
        let answer = till.look_up(&biz_id);
        book.sales.get_mut(&biz_id).unwrap().told.insert(answer.outcome().to_owned());
    }
    let mut took = Vec::new();
    loop {
        let answer = till.pending(None).succeeded();
        let entries = answer.data()["entries"].as_array().unwrap();
        let left = entries.iter().filter(|listed| listed["entry"]["unsettled"] == true).count();
        took.resize(usize::try_from(unsettled).unwrap().saturating_sub(left).max(took.len()), back.elapsed());
        if left == 0 {
            break;
        }
        if back.elapsed() > Duration::from_mins(1) {
            book.violations.push(format!("I2: not settled after 60 s: {}", answer.text));
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }

    let ledger = simulator.admin("GET", "/ledger", &Value::Null);
    let effects: BTreeMap<&str, Vec<i64>> = ledger
        .as_array()
        .unwrap()
        .iter()
        .map(|view| {
            let entries = view["entries"].as_array().unwrap();
            (view["bizId"].as_str().unwrap(), entries.iter().map(|e| e["net"].as_i64().unwrap()).collect())
        })
        .collect();
    for (biz_id, sale) in &book.sales {
        let last = till.look_up(biz_id);
        let effects = effects.get(biz_id.as_str()).map_or(&[][..], Vec::as_slice);
        book.violations.extend(judge(biz_id, sale, &last, effects));
    }
    for biz_id in effects.keys() {
        assert!(book.sales.contains_key(*biz_id), "the gateway has a sale that nobody asked for: {biz_id}");
    }
    took
}

/// Concurrent sales are committed to the journal together.
#[test]
fn concurrent_sales_match_what_was_told_although_the_till_is_killed() {
    const ROUNDS: usize = 10;
    const AT_ONCE: usize = 12;
    let simulator = Simulator::start();
    // The guard is off, so that a killed till's sale blocks no other: every round must have many concurrent sales.
    let config = reversing(&simulator.v2(), json!({"guard": "off"}));
    let seed = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    println!("seed {seed}");
    let mut random = Random(seed | 1);
    let mut sales = Vec::new();
    let mut told = BTreeMap::new();
    for round in 0..ROUNDS {
        let mut till = Driver::started(&config);
        let mut tickets = Vec::new();
        for number in 0..AT_ONCE {
            let biz_id = format!("M-{round}-{number}");
            let request = json!({"bizId": biz_id, "customerId": MEMBER, "amount": "1.00"});
            let begun = till.ask(&format!("start consume {request}"));
            tickets.push((biz_id.clone(), begun.data()["ticket"].as_str().unwrap().to_owned()));
            sales.push(biz_id);
        }
        thread::sleep(Duration::from_micros(random.below(40_000)));
        // The first till gets every answer, half of the others those that are ready by now, and the rest none.
        if round == 0 || random.below(2) == 0 {
            for (biz_id, ticket) in &tickets {
                let mut polled = till.ask(&format!("poll {ticket}"));
                while round == 0 && polled.outcome() == "running" {
                    polled = till.ask(&format!("poll {ticket}"));
                }
                if polled.outcome() != "running" {
                    told.insert(biz_id.clone(), polled.outcome().to_owned());
                }
            }
        }
        till.kill();
    }
    let mut till = Driver::started(&config);
    until("all is settled", || {
        let pending = till.pending(None).succeeded();
        pending.data()["entries"]
            .as_array()
            .unwrap()
            .iter()
            .all(|listed| listed["entry"]["unsettled"] == false)
    });
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    for biz_id in &sales {
        let last = till.look_up(biz_id);
        let (net, told) = (simulator.net(biz_id), told.get(biz_id).map(String::as_str));
        assert_eq!(i64::from(last.outcome() == "succeeded"), net, "{biz_id}: {}", last.text);
        assert!(
            told.is_none_or(|told| i64::from(told == "succeeded") == net),
            "{biz_id} {net}: told {told:?}"
        );
        *ends.entry(last.outcome().to_owned()).or_default() += 1;
    }
    println!("told {}, ended {ends:?}", told.len());
    assert!(told.values().any(|outcome| outcome == "succeeded"), "{ends:?}");
}
