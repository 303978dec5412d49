use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::tables::Tables;
use super::*;
use crate::calendar::DAY_MS;
use crate::gateway::Identity;
use crate::journal::conformance::CASES;
use crate::money::BizId;
use crate::payment::consume::abandoned;
use crate::payment::{Detail, OnUnknown};

const LEASE: LeaseSettings = LeaseSettings {
    lease: Duration::from_secs(20),
    beat: Duration::from_secs(2),
    margin: Duration::from_secs(2),
};

/// What becomes of the next write.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Done,
    /// It is done, and the answer is lost.
    DoneUnheard,
    /// It is not done, and the answer is lost.
    NotDoneUnheard,
    /// It is done before the next statement, and the answer is lost.
    DoneLater,
    /// No connection.
    Away,
}

/// One database, for several nodes on one clock.
struct Server {
    tables: Mutex<Tables>,
    uptime_ms: AtomicU64,
    tokens: AtomicU64,
    fates: Mutex<VecDeque<Fate>>,
    later: Mutex<Vec<Sent>>,
    statements: Mutex<Vec<&'static str>>,
    /// The processes whose locks can be taken.
    ended: Mutex<Vec<Owner>>,
    started: Instant,
}

/// A record on its way.
struct Sent {
    entry: Entry,
    token: Token,
    guard: Guard,
    by: Option<Owner>,
}

struct Memory(Arc<Server>);

thread_local! {
    static NAMES: RefCell<u32> = const { RefCell::new(0) };
}

impl Server {
    fn new() -> Arc<Server> {
        Arc::new(Server {
            tables: Mutex::default(),
            uptime_ms: AtomicU64::new(1_000_000),
            tokens: AtomicU64::new(1),
            fates: Mutex::default(),
            later: Mutex::default(),
            statements: Mutex::default(),
            ended: Mutex::default(),
            started: Instant::now(),
        })
    }

    fn pass(&self, duration: Duration) {
        let ms = u64::try_from(duration.as_millis()).unwrap();
        self.uptime_ms.fetch_add(ms, Ordering::Relaxed);
    }

    fn fated(&self, fates: &[Fate]) {
        lock(&self.fates).extend(fates);
    }

    fn tables(&self, statement: &'static str) -> MutexGuard<'_, Tables> {
        lock(&self.statements).push(statement);
        let mut tables = lock(&self.tables);
        for Sent { entry, token, guard, by } in lock(&self.later).drain(..) {
            tables.write(&Write { entry: &entry, token, guard, by: by.as_ref() });
        }
        tables
    }

    fn said(&self) -> Vec<&'static str> {
        std::mem::take(&mut *lock(&self.statements))
    }
}

fn lost<T>() -> Result<T, Failure> {
    Err(Failure::Ambiguous("the connection ended".into()))
}

impl Database for Memory {
    fn now(&self) -> Instant {
        self.0.started + self.uptime()
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(self.0.uptime_ms.load(Ordering::Relaxed))
    }

    fn sleep(&self, duration: Duration) {
        self.0.pass(duration);
    }

    fn token(&self) -> Token {
        self.0.tokens.fetch_add(1, Ordering::Relaxed)
    }

    fn id(&self) -> String {
        "the journal".into()
    }

    fn place(&self) -> String {
        "memory".into()
    }

    fn has_ended(&self, owner: &Owner) -> bool {
        lock(&self.0.ended).contains(owner)
    }

    fn write(&self, write: &Write<'_>, _: Instant) -> Result<bool, Failure> {
        let mut tables = self.0.tables("write");
        match lock(&self.0.fates).pop_front().unwrap_or(Fate::Done) {
            Fate::Done => Ok(tables.write(write)),
            Fate::DoneUnheard => {
                tables.write(write);
                lost()
            }
            Fate::NotDoneUnheard => lost(),
            Fate::DoneLater => {
                let by = write.by.cloned();
                let sent = Sent { entry: write.entry.clone(), token: write.token, guard: write.guard, by };
                lock(&self.0.later).push(sent);
                lost()
            }
            Fate::Away => Err(Failure::Away("no connection".into())),
        }
    }

    fn confirm(&self, standing: &Standing, _: Instant) -> Result<bool, Failure> {
        Ok(self.0.tables("confirm").confirm(standing))
    }

    fn acknowledge(&self, records: &[(Entry, Token)], _: Instant) -> Result<(), Failure> {
        self.0.tables("acknowledge").acknowledge(records);
        Ok(())
    }

    fn standing(&self, keys: &[Key], _: Instant) -> Result<Vec<Standing>, Failure> {
        let tables = self.0.tables("standing");
        Ok(keys.iter().filter_map(|key| tables.standing(key).cloned()).collect())
    }

    fn keeping_out(&self, write: &Write<'_>, _: Instant) -> Result<Option<Entry>, Failure> {
        Ok(self.0.tables("keeping_out").keeping_out(write).cloned())
    }

    fn list(&self, list: List, page: Page<'_>, _: Instant) -> Result<Vec<Entry>, Failure> {
        Ok(self.0.tables("list").list(list, page))
    }

    fn sending_of(&self, owners: &[Owner], _: Instant) -> Result<Vec<Entry>, Failure> {
        Ok(self.0.tables("sending_of").sending_of(owners))
    }

    fn near_day(&self, day: i64, _: Instant) -> Result<Vec<Entry>, Failure> {
        Ok(self.0.tables("near_day").near_day(day))
    }

    fn settled_before(
        &self,
        unix_ms: i64,
        days: i64,
        limit: usize,
        _: Instant,
    ) -> Result<Vec<Entry>, Failure> {
        Ok(self.0.tables("settled_before").settled_before(unix_ms, days, limit))
    }

    fn newest_unix_ms(&self, _: Instant) -> Result<Option<i64>, Failure> {
        Ok(self.0.tables("newest").newest_unix_ms())
    }

    fn has_other_biz_ids(&self, key: &Key, _: Instant) -> Result<bool, Failure> {
        Ok(self.0.tables("has_other_biz_ids").has_other_biz_ids(key))
    }

    fn stands_elsewhere(&self, key: &Key, _: Instant) -> Result<bool, Failure> {
        Ok(self.0.tables("stands_elsewhere").stands_elsewhere(key))
    }

    fn other_sale_of(&self, key: &Key, returned: &str, _: Instant) -> Result<Option<Entry>, Failure> {
        Ok(self.0.tables("other_sale_of").other_sale_of(key, returned).cloned())
    }

    fn names_coupon_elsewhere(&self, key: &Key, coupon: &str, _: Instant) -> Result<bool, Failure> {
        Ok(self.0.tables("names_coupon_elsewhere").names_coupon_elsewhere(key, coupon))
    }

    fn join(&self, owner: &Owner, _: Instant) -> Result<(), Failure> {
        self.0.tables("join").join(owner);
        Ok(())
    }

    fn beat(&self, owner: &Owner, number: u64, _: Instant) -> Result<Option<u64>, Failure> {
        Ok(self.0.tables("beat").beat(owner, number))
    }

    fn nodes(&self, _: Instant) -> Result<Membership, Failure> {
        Ok(self.0.tables("nodes").nodes())
    }

    fn node(&self, owner: &Owner, _: Instant) -> Result<Option<Node>, Failure> {
        Ok(self.0.tables("node").node(owner).cloned())
    }

    fn bury(&self, owner: &Owner, beat: Option<u64>, _: Instant) -> Result<(), Failure> {
        self.0.tables("bury").bury(owner, beat);
        Ok(())
    }

    fn claim(&self, owner: &Owner, seen: Option<&Role>, _: Instant) -> Result<bool, Failure> {
        Ok(self.0.tables("claim").claim(owner, seen))
    }

    fn forget(&self, _: Instant) -> Result<(), Failure> {
        self.0.tables("forget").forget();
        Ok(())
    }
}

fn node(server: &Arc<Server>) -> Nodes<Memory> {
    let settings = NodeSettings {
        lease: LEASE,
        total: Duration::from_secs(10),
        retention_days: 90,
        unix_ms: || 0,
        name: Box::new(|_| {
            NAMES.with_borrow_mut(|names| {
                *names += 1;
                Owner(format!("node {names}"))
            })
        }),
    };
    let database = Memory(Arc::clone(server));
    let until = database.now() + Duration::from_secs(3);
    let node = Nodes::start(database, settings, until).unwrap();
    server.said();
    node
}

fn soon(node: &Nodes<Memory>) -> Instant {
    node.database.now() + Duration::from_secs(3)
}

fn intent(node: &Nodes<Memory>, biz_id: &str, member: &str) -> Entry {
    let key = Key { open_id: "o".into(), environment: "e".into(), biz_id: BizId::new(biz_id).unwrap() };
    let identity = Identity { customer_id: Some(member.into()), ..Identity::default() };
    Entry::intent(key, identity, node.owner().clone(), OnUnknown::Reverse, 0)
}

fn with(entry: &Entry, detail: Detail) -> Entry {
    Entry::restore(
        entry.key().clone(),
        entry.identity().clone(),
        entry.stage(),
        entry.revision(),
        entry.attempt(),
        entry.owner().clone(),
        entry.on_unknown(),
        0,
        detail,
    )
}

fn then(entry: &Entry, stage: Stage) -> Entry {
    Entry::restore(
        entry.key().clone(),
        entry.identity().clone(),
        stage,
        entry.revision() + 1,
        entry.attempt(),
        entry.owner().clone(),
        entry.on_unknown(),
        0,
        Detail::default(),
    )
}

fn done(recorded: &Result<Recorded, JournalError>) -> bool {
    matches!(recorded, Ok(Recorded::Done(())))
}

/// Lets time pass with the beats of these nodes.
fn beats(server: &Server, nodes: &[&Nodes<Memory>], seconds: u64) {
    for _ in 0..seconds / 2 {
        server.pass(Duration::from_secs(2));
        for node in nodes {
            node.beat().unwrap();
        }
    }
}

#[test]
fn a_node_does_what_every_store_does() {
    for (name, case) in CASES {
        let node = node(&Server::new());
        case(&node, &|| node.beat().unwrap());
        println!("{name}");
    }
}

#[test]
fn a_record_takes_one_statement() {
    let server = Server::new();
    let node = node(&server);
    let first = intent(&node, "B1", "1");
    assert!(done(&node.record(&first, Guard::Member, soon(&node))));
    assert!(done(&node.record(&then(&first, Stage::Succeeded), Guard::Off, soon(&node))));
    assert_eq!(server.said(), ["write", "write"]);
}

#[test]
fn what_was_read_is_told_when_it_is_durable() {
    let server = Server::new();
    let (one, other) = (node(&server), node(&server));
    let first = intent(&one, "B1", "1");
    one.record(&first, Guard::Member, soon(&one)).unwrap();
    server.said();
    assert_eq!(other.find(first.key()).unwrap().map(|found| found.stage()), Some(Stage::Sending));
    assert_eq!(server.said(), ["standing"], "from an intent nothing is told");
    let success = then(&first, Stage::Succeeded);
    one.record(&success, Guard::Off, soon(&one)).unwrap();
    server.said();
    for node in [&one, &other] {
        assert!(node.find(first.key()).unwrap().is_some());
        assert_eq!(server.said(), ["standing", "confirm"]);
    }
    // Nor is it told that there is nothing by a server that others no longer use.
    assert!(other.find(intent(&other, "B2", "1").key()).unwrap().is_none());
    assert_eq!(server.said(), ["standing", "beat"]);
    let told = other.record(&intent(&other, "B1", "1"), Guard::Member, soon(&other));
    assert!(matches!(told, Ok(Recorded::Existing(entry)) if entry.stage() == Stage::Succeeded));
    assert_eq!(server.said(), ["write", "standing", "confirm"]);
    assert_eq!(other.unfinished().unwrap().len(), 1);
    assert_eq!(server.said(), ["list", "beat"]);
    assert_eq!(other.near_day(0).unwrap().len(), 1);
    assert_eq!(server.said(), ["near_day", "beat"]);
    assert_eq!(other.unsettled(Page { after: None, limit: 9 }).unwrap(), []);
    assert_eq!(server.said(), ["list", "beat"]);
}

#[test]
fn a_lost_answer_is_repeated_and_not_looked_up() {
    for fate in [Fate::DoneUnheard, Fate::NotDoneUnheard, Fate::DoneLater] {
        let server = Server::new();
        let node = node(&server);
        let first = intent(&node, "B1", "1");
        server.fated(&[fate]);
        assert!(done(&node.record(&first, Guard::Member, soon(&node))), "{fate:?}");
        let said = server.said();
        assert_eq!(said[..2], ["write", "write"], "{fate:?}");
        // What an earlier try has written is durable only after it was written over itself.
        assert_eq!(said.contains(&"confirm"), fate != Fate::NotDoneUnheard, "{fate:?}");
        server.fated(&[fate]);
        assert!(done(&node.record(&then(&first, Stage::Succeeded), Guard::Off, soon(&node))), "{fate:?}");
        assert_eq!(lock(&server.tables).all().next().unwrap().revision(), 2, "{fate:?}");
        assert!(node.beat().is_ok());
    }
}

#[test]
fn an_intent_without_a_connection_fails_at_once_and_an_outcome_waits() {
    let server = Server::new();
    let node = node(&server);
    let first = intent(&node, "B1", "1");
    server.fated(&[Fate::Away]);
    let error = node.record(&first, Guard::Member, soon(&node)).unwrap_err();
    assert_eq!((error.code.text, server.said()), ("ZV-JOURNAL-AWAY", vec!["write"]));
    assert!(done(&node.record(&first, Guard::Member, soon(&node))));
    server.fated(&[Fate::Away; 3]);
    assert!(done(&node.record(&then(&first, Stage::Succeeded), Guard::Off, soon(&node))));
}

#[test]
fn an_intent_that_may_have_been_written_is_ended_by_its_node() {
    for fate in [Fate::DoneUnheard, Fate::NotDoneUnheard, Fate::DoneLater] {
        let server = Server::new();
        let node = node(&server);
        let first = intent(&node, "B1", "1");
        let call = node.in_flight().begin(first.key());
        server.fated(&[fate]);
        assert!(node.record(&first, Guard::Member, node.database.now()).is_err());
        drop(call);
        node.beat().unwrap();
        let found = node.find(first.key()).unwrap().unwrap();
        assert_eq!(found.stage(), Stage::NotSent, "{fate:?}");
        assert!(found.is_free());
        let again = intent(&node, "B2", "1");
        assert!(done(&node.record(&again, Guard::Member, soon(&node))), "nothing keeps the member out");
    }
}

#[test]
fn an_outcome_that_could_not_be_written_leaves_the_sale_in_doubt() {
    let server = Server::new();
    let node = node(&server);
    let first = intent(&node, "B1", "1");
    let call = node.in_flight().begin(first.key());
    assert!(done(&node.record(&first, Guard::Member, soon(&node))));
    server.fated(&[Fate::Away]);
    assert!(node.record(&then(&first, Stage::Succeeded), Guard::Off, node.database.now()).is_err());
    node.beat().unwrap();
    assert_eq!(node.find(first.key()).unwrap().unwrap().stage(), Stage::Sending, "its call still runs");
    drop(call);
    // The next sale of the member does not wait for a beat.
    let second = node.record(&intent(&node, "B2", "1"), Guard::Member, soon(&node)).unwrap();
    assert!(matches!(&second, Recorded::InDoubt(found) if found.key() == first.key()), "{second:?}");
    assert_eq!(node.find(first.key()).unwrap().unwrap().stage(), Stage::Reversing);
    // What was known to have taken nothing is recorded as it was.
    let third = intent(&node, "B3", "3");
    let call = node.in_flight().begin(third.key());
    assert!(done(&node.record(&third, Guard::Member, soon(&node))));
    server.fated(&[Fate::Away]);
    assert!(node.record(&then(&third, Stage::Declined), Guard::Off, node.database.now()).is_err());
    drop(call);
    node.beat().unwrap();
    assert_eq!(node.find(third.key()).unwrap().unwrap().stage(), Stage::Declined);
}

#[test]
fn an_attempt_that_was_buried_before_its_end_is_asked_about_again() {
    let server = Server::new();
    let (node, other) = (node(&server), node(&server));
    let first = intent(&node, "B1", "1");
    let call = node.in_flight().begin(first.key());
    assert!(done(&node.record(&first, Guard::Member, soon(&node))));
    let buried = abandoned(&first);
    assert!(done(&other.record(&buried, Guard::Off, soon(&other))));
    assert!(done(&other.record(&then(&buried, Stage::Reversed), Guard::Off, soon(&other))));
    server.fated(&[Fate::Away]);
    assert!(node.record(&then(&first, Stage::Succeeded), Guard::Off, node.database.now()).is_err());
    drop(call);
    node.beat().unwrap();
    let found = node.find(first.key()).unwrap().unwrap();
    assert_eq!((found.stage(), found.detail().reopened), (Stage::Reversing, 1));
}

#[test]
fn a_silent_node_is_declared_dead_by_an_observer_and_not_before() {
    let server = Server::new();
    let (silent, observer) = (node(&server), node(&server));
    let first = intent(&silent, "B1", "1");
    assert!(done(&silent.record(&first, Guard::Member, soon(&silent))));
    beats(&server, &[&observer], 22);
    assert!(observer.may_be_running(&first));
    assert!(done(&observer.record(&intent(&observer, "B2", "1"), Guard::Member, soon(&observer))));
    beats(&server, &[&observer], 6);
    assert!(!observer.may_be_running(&first));
    let third = observer.record(&intent(&observer, "B3", "1"), Guard::Member, soon(&observer)).unwrap();
    assert!(matches!(third, Recorded::InDoubt(found) if found.key() == first.key()));
    // The silent node begins nothing and sends nothing in its old name, and takes a new one.
    let late = intent(&silent, "B4", "4");
    assert!(silent.may_begin(&late).is_err() && silent.may_send(late.owner()).is_err());
    assert!(silent.record(&late, Guard::Member, soon(&silent)).is_err());
    silent.beat().unwrap();
    assert!(silent.may_begin(&late).is_err(), "the old name");
    let again = intent(&silent, "B4", "4");
    assert!(silent.may_begin(&again).is_ok());
    assert!(done(&silent.record(&again, Guard::Member, soon(&silent))));
    assert!(silent.is_alive(silent.owner()) && !silent.is_alive(late.owner()));
}

#[test]
fn a_node_whose_lock_can_be_taken_is_declared_dead_at_the_next_beat() {
    let server = Server::new();
    let (ended, observer) = (node(&server), node(&server));
    let first = intent(&ended, "B1", "1");
    assert!(done(&ended.record(&first, Guard::Member, soon(&ended))));
    assert!(!observer.settles_for_others() && observer.is_alive(ended.owner()));
    beats(&server, &[&observer], 2);
    assert!(observer.may_be_running(&first));
    lock(&server.ended).push(ended.owner().clone());
    beats(&server, &[&observer], 2);
    assert!(!observer.may_be_running(&first) && !observer.is_alive(ended.owner()));
    assert!(observer.settles_for_others(), "the role is free at the same beat");
    // A node is never taken for ended by itself.
    lock(&server.ended).push(observer.owner().clone());
    beats(&server, &[&observer], 2);
    assert!(observer.may_begin(&intent(&observer, "B2", "1")).is_ok());
}

#[test]
fn a_call_begins_only_if_it_ends_within_the_lease() {
    let server = Server::new();
    let node = node(&server);
    let first = intent(&node, "B1", "1");
    server.pass(Duration::from_secs(8));
    assert!(node.may_begin(&first).is_ok());
    server.pass(Duration::from_secs(1));
    assert!(node.may_begin(&first).is_err());
    assert!(node.may_send(first.owner()).is_ok());
    server.pass(Duration::from_secs(10));
    assert!(node.may_send(first.owner()).is_err());
}

#[test]
fn one_node_settles_for_all_and_another_follows_it() {
    let server = Server::new();
    let (first, second) = (node(&server), node(&server));
    assert!(first.settles_for_others() && !second.settles_for_others());
    let foreign = intent(&first, "B1", "1");
    assert!(done(&first.record(&foreign, Guard::Off, soon(&first))));
    let page = Page { after: None, limit: 9 };
    assert_eq!((first.due(page).unwrap().len(), second.due(page).unwrap().len()), (1, 0));
    let own = intent(&second, "B2", "2");
    assert!(done(&second.record(&own, Guard::Off, soon(&second))));
    assert_eq!(second.due(page).unwrap(), [own]);
    beats(&server, &[&second], 28);
    assert!(second.settles_for_others() && !first.settles_for_others());
    second.leave();
    first.beat().unwrap();
    assert!(first.settles_for_others(), "a node that leaves is not waited for");
}

#[test]
fn a_database_that_has_lost_a_record_or_a_beat_is_used_no_more() {
    let lose_record = |server: &Server, before: Tables| *lock(&server.tables) = before;
    for lost in ["record", "beat"] {
        let server = Server::new();
        let node = node(&server);
        let before = lock(&server.tables).clone();
        if lost == "record" {
            assert!(done(&node.record(&intent(&node, "B1", "1"), Guard::Off, soon(&node))));
            lose_record(&server, before);
        } else {
            node.beat().unwrap();
            node.beat().unwrap();
            lose_record(&server, before);
        }
        assert_eq!(node.beat().unwrap_err().code.text, "ZV-JOURNAL-BEHIND", "{lost}");
        let error = node.record(&intent(&node, "B2", "2"), Guard::Off, soon(&node)).unwrap_err();
        assert_eq!(error.code.text, "ZV-JOURNAL-BEHIND");
        assert!(node.may_begin(&intent(&node, "B3", "3")).is_err());
    }
}

/// An observer may have read a beat that a failover then loses: one with its number would look as if there had been none.
#[test]
fn no_two_beats_have_one_number() {
    let server = Server::new();
    let node = node(&server);
    let seen = || lock(&server.tables).node(node.owner()).unwrap().beat;
    node.beat().unwrap();
    let replica = lock(&server.tables).clone();
    let (owner, number) = node.next_beat();
    node.database.beat(owner, number, soon(&node)).unwrap().unwrap();
    let lost = seen();
    *lock(&server.tables) = replica;
    node.beat().unwrap();
    assert!(seen() > lost, "{lost}");
    // A try that comes late raises nothing.
    let latest = seen();
    node.database.beat(owner, number, soon(&node)).unwrap().unwrap();
    assert_eq!(seen(), latest);
}

#[test]
fn what_others_went_on_from_is_not_taken_for_the_own_end() {
    let server = Server::new();
    let (node, other) = (node(&server), node(&server));
    let first = intent(&node, "B1", "1");
    assert!(done(&node.record(&first, Guard::Off, soon(&node))));
    let ended = then(&first, Stage::NotSent);
    let token = node.database.token();
    let write = Write { entry: &ended, token, guard: Guard::Off, by: None };
    // The answer is lost, and another till asks again before this one does.
    assert!(lock(&server.tables).write(&write));
    let mut again = then(&ended, Stage::Sending);
    again = Entry::restore(
        again.key().clone(),
        again.identity().clone(),
        Stage::Sending,
        again.revision(),
        2,
        other.owner().clone(),
        OnUnknown::Reverse,
        0,
        Detail::default(),
    );
    assert!(done(&other.record(&again, Guard::Off, soon(&other))));
    server.fated(&[Fate::NotDoneUnheard]);
    let recorded = node.write_until(&write, &mut false, soon(&node)).unwrap();
    assert!(
        matches!(&recorded, Recorded::Superseded(found) if found.owner() == other.owner()),
        "{recorded:?}"
    );
}

#[test]
fn a_lease_that_does_not_cover_a_call_is_refused() {
    let server = Server::new();
    let settings = NodeSettings {
        lease: LeaseSettings { lease: Duration::from_secs(17), ..LEASE },
        total: Duration::from_secs(10),
        retention_days: 90,
        unix_ms: || 0,
        name: Box::new(|_| Owner("short".into())),
    };
    let refused = Nodes::start(Memory(Arc::clone(&server)), settings, server.started);
    assert_eq!(refused.err().unwrap().code.text, "ZV-JOURNAL-PLACE");
}

#[test]
fn only_what_is_old_and_settled_loses_its_details() {
    let server = Server::new();
    let settings = NodeSettings {
        lease: LEASE,
        total: Duration::from_secs(10),
        retention_days: 4,
        unix_ms: || 100 * DAY_MS,
        name: Box::new(|_| Owner("retiring".into())),
    };
    let node = Nodes::start(Memory(Arc::clone(&server)), settings, server.started).unwrap();
    let on = |day: i64, stage: Stage| {
        let made = intent(&node, &format!("B{day}{}", stage.as_str()), "1");
        let entry = Entry::restore(
            made.key().clone(),
            made.identity().clone(),
            stage,
            1,
            1,
            made.owner().clone(),
            OnUnknown::Reverse,
            day * DAY_MS,
            Detail::default(),
        );
        assert!(done(&node.record(&entry, Guard::Off, soon(&node))));
        entry.key().clone()
    };
    let retired = |key: &Key| node.find(key).unwrap().unwrap().detail().retired;
    let (old, open, unread) = (on(90, Stage::Declined), on(90, Stage::Unknown), on(90, Stage::Succeeded));
    let newest = on(99, Stage::Declined);
    assert!(node.needs_care());
    node.care(soon(&node)).unwrap();
    assert!(!node.needs_care() && !retired(&old), "two days with sales must have followed");
    on(98, Stage::Declined);
    server.pass(Duration::from_hours(2));
    node.beat().unwrap();
    node.care(soon(&node)).unwrap();
    assert_eq!([&old, &open, &unread, &newest].map(retired), [true, false, false, false]);
}

#[test]
fn the_biz_id_that_an_answer_carried_is_not_lost_with_its_record() {
    let server = Server::new();
    let node = node(&server);
    let first = intent(&node, "B1", "1");
    let call = node.in_flight().begin(first.key());
    assert!(done(&node.record(&first, Guard::Member, soon(&node))));
    let carried = Detail { returned_biz_id: Some("R1".into()), ..Detail::default() };
    let outcome = with(&then(&first, Stage::Succeeded), carried);
    server.fated(&[Fate::Away]);
    assert!(node.record(&outcome, Guard::Off, node.database.now()).is_err());
    drop(call);
    node.beat().unwrap();
    let found = node.find(first.key()).unwrap().unwrap();
    assert_eq!(found.stage(), Stage::Reversing);
    assert_eq!(found.detail().returned_biz_id.as_deref(), Some("R1"), "a reversal by B1 would find nothing");
    assert!(node.has_other_biz_ids(first.key()).unwrap());
}

#[test]
fn an_intent_that_may_come_yet_is_ended_though_another_sale_kept_it_out() {
    let server = Server::new();
    let node = node(&server);
    let doubt = intent(&node, "B0", "1");
    let first = intent(&node, "B1", "1");
    server.fated(&[Fate::DoneLater]);
    // Between the lost try and its repetition another sale of the member becomes doubtful.
    let call = node.in_flight().begin(first.key());
    lock(&server.tables).write(&Write {
        entry: &Entry::restore(
            doubt.key().clone(),
            doubt.identity().clone(),
            Stage::Unknown,
            1,
            1,
            doubt.owner().clone(),
            OnUnknown::Hold,
            0,
            Detail::default(),
        ),
        token: 77,
        guard: Guard::Off,
        by: None,
    });
    let recorded = node.record(&first, Guard::Member, soon(&node)).unwrap();
    assert!(matches!(&recorded, Recorded::InDoubt(other) if other.key() == doubt.key()), "{recorded:?}");
    drop(call);
    assert_eq!(lock(&node.left).len(), 1);
    node.beat().unwrap();
    assert_eq!(node.find(first.key()).unwrap().unwrap().stage(), Stage::NotSent);
    assert!(lock(&node.left).is_empty());
}

#[test]
fn what_is_left_is_ended_by_one_thread_at_a_time() {
    let server = Server::new();
    let node = node(&server);
    node.finishing.store(true, Ordering::Release);
    assert_eq!(node.finish_left(soon(&node)).unwrap_err().code.text, "ZV-JOURNAL-AWAY");
    node.finishing.store(false, Ordering::Release);
    node.finish_left(soon(&node)).unwrap();
    assert!(!node.finishing.load(Ordering::Acquire));
}

#[test]
fn nothing_is_told_from_a_journal_that_has_lost_records() {
    let server = Server::new();
    let node = node(&server);
    let before = lock(&server.tables).clone();
    let first = intent(&node, "B1", "1");
    assert!(done(&node.record(&first, Guard::Off, soon(&node))));
    *lock(&server.tables) = before;
    assert!(node.settles_for_others());
    assert!(node.beat().is_err());
    assert_eq!(node.find(first.key()).unwrap_err().code.text, "ZV-JOURNAL-BEHIND");
    assert!(!node.settles_for_others(), "another node takes the role once this one is silent");
    server.said();
    assert!(node.beat().is_err());
    assert_eq!(server.said(), [""; 0], "it says no more that it lives");
}
