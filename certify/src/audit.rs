//! The till's journal, read as another program on the same machine with the same journal would: it looks, lets a
//! person settle, and at the end sends what the till has left to be undone. It takes nothing.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zvpos_core::api::Library;
use zvpos_core::calendar;
use zvpos_core::outcome::{Answer, Outcome};

use crate::yuan::fen;

/// How often the journal is looked at while something is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// What the journal has under a bizId.
#[derive(Clone, Debug)]
pub(crate) struct Journalled {
    pub(crate) biz_id: String,
    pub(crate) stage: String,
    pub(crate) fen: i64,
    pub(crate) coupons: Vec<String>,
    pub(crate) unconfirmed: bool,
}

impl Journalled {
    /// Whether the journal says that the deduction stands.
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
    /// In words.
    pub(crate) fn open(config: &Value) -> Result<Audit, String> {
        let mut config = config.clone();
        if let Some(keys) = config.as_object_mut() {
            // It does what it is told and nothing by itself.
            keys.insert("background".to_owned(), json!(false));
        }
        match Library::start(&config.to_string(), Vec::new(), false) {
            Ok(library) => Ok(Audit { library }),
            Err(answer) => Err(answer.to_json()),
        }
    }

    /// Every sale of a scenario on that business day, whatever became of it. A till whose clock is a day off files its
    /// sales under the gateway's day, which is the one before or behind.
    ///
    /// # Errors
    /// In words: the journal cannot be read.
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

    /// Waits until nothing in the journal is left for the library to do; false if that takes longer than `limit`.
    /// A success that the till has not read yet is settled.
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

    /// When no till runs any more: sends the reversals that are left, until none stands at the gateway, or `limit`
    /// is over. `stands` asks the gateway.
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

    /// A person says what became of a sale.
    ///
    /// # Errors
    /// In words.
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
