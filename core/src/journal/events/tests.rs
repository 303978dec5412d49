//! The order of a write, a look-up and a feed over tables in memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::gateway::Identity;
use crate::money::BizId;
use crate::payment::{Detail, OnUnknown, Owner};

/// Both tables, and how often they were committed.
#[derive(Clone, Default)]
struct Tables(Rc<RefCell<Content>>);

#[derive(Default)]
struct Content {
    log: Vec<Event>,
    fed: u64,
    states: Vec<Entry>,
    /// The numbers with which states were put.
    puts: Vec<u64>,
    commits: Vec<u64>,
}

impl View for Tables {
    type Error = Broken;

    fn ends(&self) -> Result<Ends, Broken> {
        let content = self.0.borrow();
        let number = |event: &Event| event.number;
        let last = content.log.last().map_or(content.fed, number);
        Ok(Ends { fed: content.fed, first: content.log.first().map(number), last })
    }

    fn events_behind(&self, number: u64, limit: usize) -> Result<Vec<Event>, Broken> {
        let content = self.0.borrow();
        Ok(content.log.iter().filter(|event| event.number > number).take(limit).cloned().collect())
    }

    fn state(&self, key: &Key) -> Result<Option<Entry>, Broken> {
        Ok(self.0.borrow().states.iter().find(|entry| entry.key() == key).cloned())
    }

    fn unsettled_states(&self) -> Result<Vec<Entry>, Broken> {
        let content = self.0.borrow();
        Ok(content.states.iter().filter(|entry| entry.stage().is_unsettled()).cloned().collect())
    }
}

impl Writing for Tables {
    fn append(&self, event: &Event) -> Result<(), Broken> {
        self.0.borrow_mut().log.push(event.clone());
        Ok(())
    }

    fn commit(self, last: u64) -> Result<(), Broken> {
        self.0.borrow_mut().commits.push(last);
        Ok(())
    }
}

impl Feeding for Tables {
    fn put_state(&self, number: u64, before: Option<&Entry>, entry: &Entry) -> Result<(), Broken> {
        assert_eq!(self.state(entry.key()).unwrap().as_ref(), before);
        let mut content = self.0.borrow_mut();
        content.puts.push(number);
        content.states.retain(|state| state.key() != entry.key());
        content.states.push(entry.clone());
        Ok(())
    }

    fn set_fed(&self, number: u64) -> Result<(), Broken> {
        let mut content = self.0.borrow_mut();
        content.log.retain(|event| event.number > number);
        content.fed = number;
        Ok(())
    }

    fn commit(self) -> Result<(), Broken> {
        Ok(())
    }
}

fn entry(biz_id: &str, member: &str, stage: Stage, revision: u64) -> Entry {
    Entry::restore(
        Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new(biz_id).unwrap() },
        Identity { customer_id: Some(member.into()), ..Identity::default() },
        stage,
        revision,
        1,
        Owner("me".into()),
        OnUnknown::Reverse,
        17,
        Detail::default(),
    )
}

impl Tables {
    fn write(&self, index: &SharedIndex, entries: &[Entry], guard: Guard) -> Result<Vec<Put>, Broken> {
        index.write(
            || Ok(self.clone()),
            |draft| entries.iter().map(|entry| draft.put(entry, guard, |_| true, || Ok(()))).collect(),
        )
    }

    /// With so many events, each of a success.
    fn with(count: u64) -> (Tables, SharedIndex) {
        let (tables, index) = (Tables::default(), SharedIndex::default());
        for number in 1..=count {
            tables
                .write(&index, &[entry(&format!("B{number}"), "1", Stage::Succeeded, 1)], Guard::Off)
                .unwrap();
        }
        (tables, index)
    }

    fn feed_all(&self) {
        while feed(self.clone()).unwrap() {}
    }

    fn catch_up(&self, index: &SharedIndex) -> Result<(), Broken> {
        index.view(|| Ok(self.clone())).map(drop)
    }
}

/// Tables whose log should go on to event 7.
struct Short(Tables);

impl View for Short {
    type Error = Broken;

    fn ends(&self) -> Result<Ends, Broken> {
        Ok(Ends { last: 7, ..self.0.ends()? })
    }

    fn events_behind(&self, number: u64, limit: usize) -> Result<Vec<Event>, Broken> {
        self.0.events_behind(number, limit)
    }

    fn state(&self, key: &Key) -> Result<Option<Entry>, Broken> {
        self.0.state(key)
    }

    fn unsettled_states(&self) -> Result<Vec<Entry>, Broken> {
        self.0.unsettled_states()
    }
}

impl Feeding for Short {
    fn put_state(&self, number: u64, before: Option<&Entry>, entry: &Entry) -> Result<(), Broken> {
        self.0.put_state(number, before, entry)
    }

    fn set_fed(&self, number: u64) -> Result<(), Broken> {
        self.0.set_fed(number)
    }

    fn commit(self) -> Result<(), Broken> {
        Feeding::commit(self.0)
    }
}

#[test]
fn what_is_missing_is_named() {
    for (missing, read, fed) in [(1, 1, 1), (2, 2, 2), (4, 4, 4)] {
        let (tables, _) = Tables::with(5);
        tables.0.borrow_mut().log.retain(|event| event.number != missing);
        let other = SharedIndex::default();
        assert_eq!(tables.catch_up(&other), Err(Broken::Gap(read)));
        assert_eq!(feed(tables), Err(Broken::Gap(fed)));
    }
    assert_eq!(feed(Short(Tables::default())), Err(Broken::Gap(1)));
    let (tables, _) = Tables::with(5);
    let index = SharedIndex::default();
    assert_eq!(index.view(|| Ok(Short(tables.clone()))).map(drop), Err(Broken::Gap(6)));
    // A log that has lost its end, and a number of what was fed that has gone back.
    let (tables, index) = Tables::with(5);
    tables.0.borrow_mut().log.pop();
    assert_eq!(tables.catch_up(&index), Err(Broken::Behind { last: 4, known: 5 }));
}

#[test]
fn a_log_begins_right_behind_what_was_fed() {
    let (tables, index) = Tables::with(5);
    tables.feed_all();
    tables.write(&index, &[entry("B6", "1", Stage::Succeeded, 1)], Guard::Off).unwrap();
    tables.catch_up(&SharedIndex::default()).unwrap();
    tables.0.borrow_mut().fed = 4;
    assert_eq!(tables.catch_up(&SharedIndex::default()), Err(Broken::Gap(5)));
    tables.0.borrow_mut().fed = 6;
    assert_eq!(feed(tables), Err(Broken::Gap(7)));
}

#[test]
fn a_feed_moves_at_most_64_events_and_says_whether_there_are_more() {
    let (tables, index) = Tables::with(129);
    assert_eq!(index.lock().waiting(), 129);
    assert_eq!((feed(tables.clone()), tables.0.borrow().fed), (Ok(true), 64));
    assert_eq!((feed(tables.clone()), tables.0.borrow().fed), (Ok(true), 128));
    tables.catch_up(&index).unwrap();
    assert_eq!(index.lock().waiting(), 1);
    assert_eq!(index.lock().entries().count(), 1);
    assert_eq!((feed(tables.clone()), tables.0.borrow().fed), (Ok(false), 129));
    assert_eq!(feed(tables.clone()), Ok(false));
    assert_eq!(tables.0.borrow().states.len(), 129);
    // A process that has seen none of them finds them among the states, and of the log it knows nothing.
    let other = SharedIndex::default();
    assert!(other.find(|| Ok(tables.clone()), entry("B5", "1", Stage::Sending, 1).key()).unwrap().is_some());
    assert_eq!(other.lock().seen(), 129);
    assert_eq!(other.lock().waiting(), 0);
}

#[test]
fn an_event_that_follows_no_revision_is_refused() {
    for wrong in [
        Change::Recorded(Box::new(entry("B1", "1", Stage::Succeeded, 1))),
        Change::Recorded(Box::new(entry("B1", "1", Stage::Succeeded, 3))),
        Change::Acknowledged { key: entry("B1", "1", Stage::Succeeded, 1).key().clone(), revision: 3 },
        Change::Acknowledged { key: entry("B9", "1", Stage::Succeeded, 1).key().clone(), revision: 1 },
    ] {
        let (tables, _) = Tables::with(1);
        tables.0.borrow_mut().log.push(Event { number: 2, change: wrong.clone() });
        let read = tables.catch_up(&SharedIndex::default());
        assert_eq!(read.is_err(), matches!(wrong, Change::Acknowledged { .. }), "{wrong:?}");
        assert_eq!(feed(tables), Err(Broken::Revision(2)), "{wrong:?}");
    }
    let (tables, _) = Tables::with(1);
    let key = entry("B1", "1", Stage::Succeeded, 1).key().clone();
    tables.0.borrow_mut().log.push(Event { number: 2, change: Change::Acknowledged { key, revision: 2 } });
    assert_eq!(feed(tables.clone()), Ok(false));
    assert!(tables.0.borrow().states[0].detail().acknowledged);
}

#[test]
fn an_entry_is_put_once_a_feed_after_its_last_event() {
    let (tables, index) = (Tables::default(), SharedIndex::default());
    let record = |biz_id: &str, stage: Stage, revision: u64| {
        tables.write(&index, &[entry(biz_id, biz_id, stage, revision)], Guard::Off).unwrap();
    };
    record("B1", Stage::Sending, 1);
    record("B2", Stage::Sending, 1);
    record("B1", Stage::Succeeded, 2);
    let key = entry("B1", "B1", Stage::Succeeded, 2).key().clone();
    index.write(|| Ok::<_, Broken>(tables.clone()), |draft| draft.acknowledge(&key)).unwrap();
    tables.feed_all();
    record("B2", Stage::Reversing, 2);
    record("B2", Stage::Reversed, 3);
    tables.feed_all();
    let content = tables.0.borrow();
    assert_eq!(content.puts, [4, 2, 6]);
    let states: Vec<_> = content.states.iter().map(|state| (state.stage(), state.revision())).collect();
    assert_eq!(states, [(Stage::Succeeded, 3), (Stage::Reversed, 3)]);
    assert!(content.states[0].detail().acknowledged);
}

#[test]
fn what_settles_leaves_memory_once_it_is_fed() {
    let (tables, index) = (Tables::default(), SharedIndex::default());
    for (biz_id, stage) in [("B1", Stage::Unknown), ("B2", Stage::Unknown), ("B3", Stage::Succeeded)] {
        tables.write(&index, &[entry(biz_id, biz_id, stage, 1)], Guard::Off).unwrap();
    }
    tables.feed_all();
    tables.catch_up(&index).unwrap();
    assert_eq!(index.lock().entries().count(), 2);
    tables.write(&index, &[entry("B1", "B1", Stage::Reversed, 2)], Guard::Off).unwrap();
    assert_eq!(index.lock().entries().count(), 2, "it is in the log");
    tables.feed_all();
    tables.catch_up(&index).unwrap();
    assert_eq!(index.lock().entries().count(), 1);
}

#[test]
fn nothing_is_committed_where_nothing_is_put() {
    let (tables, index) = Tables::with(1);
    let put = tables.write(&index, &[entry("B1", "1", Stage::Succeeded, 1)], Guard::Off).unwrap();
    assert!(matches!(put[..], [Put::KeptOut(_)]), "{put:?}");
    assert_eq!(tables.0.borrow().commits, [1]);
    let refused = index.write(
        || Ok::<_, Broken>(tables.clone()),
        |draft| {
            assert!(draft.is_empty());
            let put = draft.put(
                &entry("B2", "1", Stage::Sending, 1),
                Guard::Off,
                |_| true,
                || Err(JournalError::new(&crate::outcome::codes::JOURNAL_FULL, "no room")),
            )?;
            let acknowledged = draft.acknowledge(entry("B9", "1", Stage::Succeeded, 1).key());
            assert!(acknowledged.is_ok() && draft.is_empty());
            draft.acknowledge(entry("B1", "1", Stage::Succeeded, 1).key())?;
            assert!(!draft.is_empty());
            Ok(put)
        },
    );
    assert!(matches!(refused, Ok(Put::Refused(_))), "{refused:?}");
    assert_eq!(tables.0.borrow().commits, [1, 2]);
}

#[test]
fn records_of_one_transaction_see_each_other() {
    let (tables, index) = (Tables::default(), SharedIndex::default());
    tables.write(&index, &[entry("B1", "1", Stage::Unknown, 1)], Guard::Off).unwrap();
    // The first frees the member, the third takes it, the fifth frees it again.
    let entries = [
        entry("B1", "1", Stage::Reversed, 2),
        entry("B2", "1", Stage::Sending, 1),
        entry("B2", "1", Stage::Unknown, 2),
        entry("B3", "1", Stage::Sending, 1),
        entry("B2", "1", Stage::Reversed, 3),
        entry("B3", "1", Stage::Sending, 1),
        entry("B3", "1", Stage::Sending, 3),
    ];
    let put = tables.write(&index, &entries, Guard::Member).unwrap();
    assert!(
        matches!(
            &put[..],
            [Put::Written, Put::Written, Put::Written, Put::KeptOut(held), Put::Written, Put::Written, Put::KeptOut(stands)]
                if matches!(&**held, Recorded::InDoubt(other) if other.key() == entries[2].key())
                    && matches!(&**stands, Recorded::Existing(other) if other.revision() == 1)
        ),
        "{put:?}"
    );
    let put = tables.write(&index, &[entry("B9", "9", Stage::Unknown, 2)], Guard::Off).unwrap();
    assert!(matches!(put[..], [Put::Vanished]), "{put:?}");
}

#[test]
fn of_several_the_oldest_holds_back() {
    let (tables, index) = (Tables::default(), SharedIndex::default());
    for biz_id in ["B2", "B1", "B3"] {
        tables.write(&index, &[entry(biz_id, "1", Stage::Unknown, 1)], Guard::Off).unwrap();
    }
    let put = tables.write(&index, &[entry("B4", "1", Stage::Sending, 1)], Guard::Member).unwrap();
    assert!(
        matches!(&put[..], [Put::KeptOut(held)] if matches!(&**held, Recorded::InDoubt(other) if other.key().biz_id.as_str() == "B1")),
        "{put:?}"
    );
}

#[test]
fn a_record_seems_free_where_it_would_be_written() {
    let (tables, index) = (Tables::default(), SharedIndex::default());
    tables.write(&index, &[entry("B1", "1", Stage::Unknown, 1)], Guard::Off).unwrap();
    tables.write(&index, &[entry("B2", "2", Stage::Succeeded, 1)], Guard::Off).unwrap();
    tables.feed_all();
    for (biz_id, member, guard, is_free) in [
        ("B1", "9", Guard::Off, false),
        ("B2", "9", Guard::Off, false),
        ("B3", "1", Guard::Member, false),
        ("B3", "1", Guard::Off, true),
        ("B3", "2", Guard::Member, true),
    ] {
        let record = entry(biz_id, member, Stage::Sending, 1);
        let found = index.is_free(|| Ok::<_, Broken>(tables.clone()), &record, guard, |_| true);
        assert_eq!(found, Ok(is_free), "{biz_id} {member} {guard:?}");
    }
}

#[test]
fn questions_merge_what_is_known_with_the_states() {
    let (tables, index) = Tables::with(2);
    tables.feed_all();
    tables.catch_up(&index).unwrap();
    tables.write(&index, &[entry("B2", "1", Stage::Reversing, 2)], Guard::Off).unwrap();
    tables.write(&index, &[entry("B3", "1", Stage::Succeeded, 1)], Guard::Off).unwrap();
    let begin = || Ok::<_, Broken>(tables.clone());
    let is_success = |entry: &Entry| entry.stage() == Stage::Succeeded;
    let states = |view: &Tables| Ok(view.0.borrow().states.clone());
    let mut found = index.merged(begin, is_success, states).unwrap();
    found.sort_by_key(|entry| entry.key().biz_id.to_string());
    let found: Vec<&str> = found.iter().map(|entry| entry.key().biz_id.as_str()).collect();
    assert_eq!(found, ["B1", "B3"], "the state of B2 is an earlier one");
    for (among_known, among_states) in [(true, false), (false, true), (false, false)] {
        let found = index.any(begin, |_| among_known, |_| Ok(among_states)).unwrap();
        assert_eq!(found, among_known || among_states);
    }
    let everything = Page { after: None, limit: 9 };
    let page = |wanted: fn(&Entry) -> bool| index.unsettled(begin, everything, wanted).unwrap().len();
    assert_eq!((page(|_| true), page(|_| false)), (1, 0));
    assert_eq!(
        Stage::ALL.into_iter().filter(|&stage| is_due(&entry("B1", "1", stage, 1))).collect::<Vec<_>>(),
        [Stage::Sending, Stage::Unknown, Stage::Reversing, Stage::Unproven]
    );
}
