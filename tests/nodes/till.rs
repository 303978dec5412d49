//! The tills of a chain. Each asks the balancer, again with the same bizId where it heard nothing, and writes down what it
//! was told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::balancer::Balancer;
use super::support::{Answer, Random, Simulator};

/// Ends of a consume's bizId: half of them cause no fault.
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
    "~late_answer:150",
    "~late_answer:500",
    "~late_answer:900",
    "~late_arrival:700",
    "~stray_answer",
    "~drifted_types",
];

const REVERSAL_FAULTS: [&str; 5] =
    ["reset_before", "reset_after", "http_500", "hang_after", "system_error_after"];

/// The first so many members come more often than the others.
pub(crate) const REGULARS: usize = 12;

/// How often a till asks with a bizId that it has heard nothing of.
const TRIES: usize = 4;

/// What all tills know of one sale.
#[derive(Debug, Default)]
pub(crate) struct Sale {
    request: Value,
    /// How often it was requested, with or without an answer.
    pub(crate) asked: u32,
    /// Whether a request was not answered, or not with the proof that this one had sent nothing.
    pub(crate) may_be_sent: bool,
    pub(crate) reversal_asked: bool,
    /// The outcomes that were heard.
    pub(crate) told: BTreeSet<String>,
}

#[derive(Default)]
pub(crate) struct Book {
    pub(crate) sales: BTreeMap<String, Sale>,
    pub(crate) unheard: u32,
    /// Calls that the database kept from being carried out.
    pub(crate) away: u32,
    /// Sales that an unsettled one of the same member kept out.
    pub(crate) guarded: u32,
    pub(crate) violations: Vec<String>,
}

impl Book {
    pub(crate) fn wrong(&mut self, what: String) {
        self.violations.push(what);
    }

    /// Takes down an answer about a sale.
    pub(crate) fn told(&mut self, biz_id: &str, answer: &Answer) {
        let mut word = answer.outcome().to_owned();
        // The answer says nothing about the sale itself. ZV-REQUEST: no intent of it is in the journal.
        let is_away = word == "internal" && answer.code() == "ZV-JOURNAL-AWAY";
        if is_away
            || word == "conflict"
            || matches!(answer.code(), "ZV-BUSY" | "ZV-NOT-FOUND" | "ZV-REQUEST" | "ZV-IN-DOUBT")
        {
            "nothing".clone_into(&mut word);
        }
        self.away += u32::from(is_away);
        self.guarded += u32::from(answer.code() == "ZV-IN-DOUBT");
        if matches!(word.as_str(), "internal" | "invalid") {
            self.wrong(answer.text.clone());
        }
        self.sales.get_mut(biz_id).unwrap().told.insert(word);
    }
}

pub(crate) struct Till<'w> {
    pub(crate) name: String,
    pub(crate) members: &'w [String],
    pub(crate) balancer: &'w Balancer,
    pub(crate) simulator: &'w Simulator,
    pub(crate) book: &'w Mutex<Book>,
    pub(crate) random: Random,
    pub(crate) next: u32,
}

impl Till<'_> {
    pub(crate) fn work(mut self, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Relaxed) {
            let away = self.book.lock().unwrap().away;
            match self.random.below(10) {
                0..=5 => self.sell(),
                6 => self.sell_again(),
                7 => self.look_up(),
                _ => self.reverse(),
            }
            // Without a database nothing is sold: a till that asks all the time would only fill the book.
            let most = if self.book.lock().unwrap().away > away { 2000 } else { 60 };
            thread::sleep(Duration::from_millis(u64::try_from(self.random.below(most)).unwrap()));
        }
    }

    fn sell(&mut self) {
        self.next += 1;
        let fault = self.of(&FAULTS);
        let biz_id = format!("{}-{}{fault}", self.name, self.next);
        let amount = self.of(&["0.01", "1.00", "12.50"]);
        let regulars = &self.members[..REGULARS];
        let member = if self.random.below(4) == 0 { self.of(regulars) } else { self.of(self.members) };
        let request = json!({"bizId": biz_id, "customerId": member, "amount": amount});
        self.book.lock().unwrap().sales.insert(biz_id.clone(), Sale { request, ..Sale::default() });
        self.consume(&biz_id);
    }

    /// A sale that this or another till has requested before.
    fn sell_again(&mut self) {
        if let Some(biz_id) = self.known() {
            self.consume(&biz_id);
        }
    }

    fn consume(&mut self, biz_id: &str) {
        for _ in 0..TRIES {
            let line = {
                let mut book = self.book.lock().unwrap();
                let sale = book.sales.get_mut(biz_id).unwrap();
                sale.asked += 1;
                format!("consume {}", sale.request)
            };
            let answer = self.balancer.ask(&line);
            let mut book = self.book.lock().unwrap();
            let sent_nothing = answer.as_ref().is_some_and(|answer| {
                matches!(answer.code(), "ZV-JOURNAL-AWAY" | "ZV-IN-DOUBT") && answer.outcome() != "unknown"
            });
            book.sales.get_mut(biz_id).unwrap().may_be_sent |= !sent_nothing;
            match answer {
                Some(answer) => return book.told(biz_id, &answer),
                None => book.unheard += 1,
            }
        }
    }

    fn look_up(&mut self) {
        if let Some(biz_id) = self.known() {
            self.ask_about(&biz_id, "lookup");
        }
    }

    fn reverse(&mut self) {
        let Some(biz_id) = self.known() else { return };
        self.book.lock().unwrap().sales.get_mut(&biz_id).unwrap().reversal_asked = true;
        if self.random.below(3) == 0 {
            let fault = self.of(&REVERSAL_FAULTS);
            self.simulator.arm(fault, "reverse", 1, &json!({}));
        }
        self.ask_about(&biz_id, "reverse");
    }

    fn ask_about(&self, biz_id: &str, call: &str) {
        let answer = self.balancer.ask(&format!("{call} {}", json!({"bizId": biz_id})));
        let mut book = self.book.lock().unwrap();
        match answer {
            Some(answer) => book.told(biz_id, &answer),
            None => book.unheard += 1,
        }
    }

    /// A sale that was begun lately.
    fn known(&mut self) -> Option<String> {
        let book = self.book.lock().unwrap();
        let own = self.random.below(3) > 0;
        let known: Vec<&String> = book
            .sales
            .keys()
            .filter(|biz_id| biz_id.starts_with(&format!("{}-", self.name)) == own)
            .collect();
        let recent = &known[known.len().saturating_sub(40)..];
        (!recent.is_empty()).then(|| recent[self.random.below(recent.len())].clone())
    }

    fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.random.below(list.len())].clone()
    }
}
