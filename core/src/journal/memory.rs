//! The journal of one process, in its memory.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{Journal, JournalError, Key, Opened, RecordedIntent};
use crate::gateway::{ConsumeRequest, Identity};
use crate::transaction::{Conclusion, Standing};

/// See the module's words in `journal`.
#[derive(Default)]
pub struct Memory {
    entries: Mutex<HashMap<Key, Entry>>,
    ended: Condvar,
}

struct Entry {
    identity: Identity,
    attempt: u32,
    /// `None` while the attempt runs.
    conclusion: Option<Conclusion>,
}

impl Memory {
    /// A panic between two locks leaves complete entries behind, so a poisoned lock is as good as any.
    fn entries(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an entry stands for.
fn standing(entry: &Entry, request: &ConsumeRequest) -> Standing {
    match &entry.conclusion {
        _ if entry.identity != request.identity => Standing::OtherRequest,
        None => Standing::Running,
        Some(conclusion) => Standing::Concluded(conclusion.clone()),
    }
}

/// Opens an entry or says what stands.
fn open(entries: &mut HashMap<Key, Entry>, key: &Key, request: &ConsumeRequest) -> Opened {
    let Some(entry) = entries.get_mut(key) else {
        let entry = Entry { identity: request.identity.clone(), attempt: 1, conclusion: None };
        entries.insert(key.clone(), entry);
        return Opened::Recorded(RecordedIntent { key: key.clone(), attempt: 1 });
    };
    match standing(entry, request) {
        Standing::Concluded(conclusion) if conclusion.may_be_tried_again() => {
            entry.attempt += 1;
            entry.conclusion = None;
            Opened::Recorded(RecordedIntent { key: key.clone(), attempt: entry.attempt })
        }
        other => Opened::Stands(other),
    }
}

impl Journal for Memory {
    fn open(&self, key: &Key, request: &ConsumeRequest) -> Result<Opened, JournalError> {
        Ok(open(&mut self.entries(), key, request))
    }

    fn wait(&self, key: &Key, request: &ConsumeRequest, deadline: Instant) -> Result<Standing, JournalError> {
        let running = |entries: &mut HashMap<Key, Entry>| {
            entries.get(key).is_some_and(|entry| entry.conclusion.is_none())
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let (entries, _) = self
            .ended
            .wait_timeout_while(self.entries(), left, running)
            .unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(key).ok_or_else(|| JournalError("the entry is gone".to_owned()))?;
        Ok(standing(entry, request))
    }

    fn again(&self, intent: RecordedIntent) -> Result<RecordedIntent, JournalError> {
        match self.entries().get_mut(&intent.key) {
            Some(entry) if entry.attempt == intent.attempt && entry.conclusion.is_none() => {
                entry.attempt += 1;
                Ok(RecordedIntent { key: intent.key, attempt: entry.attempt })
            }
            _ => Err(JournalError("the attempt is no longer the running one".to_owned())),
        }
    }

    fn conclude(&self, intent: RecordedIntent, conclusion: &Conclusion) -> Result<(), JournalError> {
        match self.entries().get_mut(&intent.key) {
            Some(entry) if entry.attempt == intent.attempt && entry.conclusion.is_none() => {
                entry.conclusion = Some(conclusion.clone());
                self.ended.notify_all();
                Ok(())
            }
            _ => Err(JournalError("the attempt is no longer the running one".to_owned())),
        }
    }

    fn identity(&self, key: &Key) -> Option<String> {
        self.entries().get(key).map(|entry| entry.identity.to_json(&key.biz_id))
    }
}
