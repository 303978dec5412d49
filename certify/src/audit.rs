//! The till's journal, opened as a second program on the same machine would open it: it reads entries, settles sales
//! for a person, and at the end sends the remaining reversals. It takes no money.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zvpos_core::api::Library;
use zvpos_core::calendar;
use zvpos_core::outcome::{Answer, Outcome};

use crate::money::fen;

/// The interval of reading the journal during a wait.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// The journal's entry for a bizId.
#[derive(Clone, Debug)]
pub(crate) struct Journalled {
    pub(crate) biz_id: String,
    pub(crate) stage: String,
    pub(crate) fen: i64,
    pub(crate) coupons: Vec<String>,
    pub(crate) unconfirmed: bool,
}

impl Journalled {
    /// Whether the journal records the deduction as in force.
    pub(crate) fn stands(&self) -> bool {
        matches!(self.stage.as_str(), "succeeded" | "kept")
    }

    fn read(entry: &Value) -> Journalled {
        let word = |value: &Value, name: &str| {
            value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let request = entry.get("request").cloned().unwrap_or_default();
        let coupons = request.get("couponsCardList").and_then(Value::as_array).into_iter().flatten();
        Journalled {
            biz_id: word(entry, "bizId"),
            stage: word(entry, "stage"),
            fen: fen(&word(&request, "amount")).unwrap_or_default(),
            coupons: coupons.filter_map(Value::as_str).map(str::to_owned).collect(),
            unconfirmed: word(entry, "confirmation") == "awaited",
        }
    }
}

/// The second program on the till's journal.
pub(crate) struct Audit {
    library: Library,
}

impl Audit {
    /// Opens the journal of this configuration.
    ///
    /// # Errors
    /// The reason, as a text.
    pub(crate) fn open(config: &Value) -> Result<Audit, String> {
        let mut config = config.clone();
        if let Some(keys) = config.as_object_mut() {
            // Without a background thread, it acts only on request.
            keys.insert("background".to_owned(), json!(false));
        }
        match Library::start(&config.to_string(), Vec::new(), false, None) {
            Ok(library) => Ok(Audit { library }),
            Err(answer) => Err(answer.to_json()),
        }
    }

    /// Every sale of a scenario on that business day, whatever its outcome. A till whose clock is a day off files its
    /// sales under the gateway's day, which is the day before or after.
    ///
    /// # Errors
    /// A text: the journal cannot be read.
    pub(crate) fn day(&self, day: &str) -> Result<Vec<Journalled>, String> {
        let number = calendar::day(day).ok_or_else(|| format!("{day} is no day"))?;
        let mut found: Vec<Journalled> = Vec::new();
        for number in number - 1..=number + 1 {
            let day = calendar::date(number);
            let listed = self.library.pending(Some(&json!({"day": day}).to_string()));
            for entry in entries(&listed).ok_or_else(|| listed.message().to_owned())? {
                // A refund may be of another day than its sale.
                if found.iter().all(|known| known.biz_id != entry.biz_id) {
                    found.push(entry);
                }
            }
        }
        Ok(found)
    }

    /// Waits until the library has nothing left to settle in the journal; false if that takes longer than `limit`. A
    /// success that the till has not read yet is settled.
    pub(crate) fn wait_until_settled(&self, limit: Duration) -> bool {
        let started = Instant::now();
        loop {
            let listed = entries(&self.library.pending(None));
            if listed.is_some_and(|listed| listed.iter().all(Journalled::stands)) {
                return true;
            }
            if started.elapsed() >= limit {
                return false;
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Once no till runs: sends the remaining reversals until the gateway has no such deduction in force, or `limit` is
    /// over. `stands` asks the gateway.
    pub(crate) fn recover(&self, limit: Duration, stands: impl Fn(&str) -> bool) {
        let started = Instant::now();
        loop {
            let left = entries(&self.library.recover(None)).unwrap_or_default();
            let waits = left.iter().any(|entry| {
                entry.stage == "sending" || (entry.stage == "reversing" && stands(&entry.biz_id))
            });
            if !waits || started.elapsed() >= limit {
                return;
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Settles a sale by a person's decision.
    ///
    /// # Errors
    /// The reason, as a text.
    pub(crate) fn settle(&self, biz_id: &str, kept: bool) -> Result<(), String> {
        let decided = if kept { "kept" } else { "undone" };
        let request =
            json!({"bizId": biz_id, "as": decided, "by": "certifier", "reason": "seen at the gateway"});
        let answer = self.library.settle(&request.to_string());
        if answer.outcome() == Outcome::Succeeded { Ok(()) } else { Err(answer.message().to_owned()) }
    }
}

fn entries(listed: &Answer) -> Option<Vec<Journalled>> {
    let data: Value = serde_json::from_str(listed.data()?).ok()?;
    let entries = data.get("entries").and_then(Value::as_array)?;
    Some(entries.iter().filter_map(|one| one.get("entry")).map(Journalled::read).collect())
}
