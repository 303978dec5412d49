//! Every write of the database over a real server.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod cluster;

use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::Duration;

use cluster::drafts::{Draft, guarded, key, open, owner, standing, try_write, write};
use cluster::{Cluster, soon};
use zvpos_core::gateway::GatewayStatus;
use zvpos_core::journal::Guard;
use zvpos_core::journal::nodes::{Database, EARLIER_KEPT, Failure, Write};
use zvpos_core::payment::{Detail, Reversal, Stage};
use zvpos_journal_postgres::Postgres;

/// One server for all tests here; it ends with the process.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

fn opened(schema: &str) -> Postgres {
    open(&cluster().settings(schema))
}

#[test]
fn every_column_comes_back() {
    let database = opened("columns");
    let token = |number: usize| [0, 1, u64::MAX, i64::MAX.cast_unsigned() + 1][number % 4];
    let drafts = Draft::of_every_stage().into_iter().enumerate();
    let entries: Vec<_> =
        drafts.map(|(number, draft)| (write(&database, draft, token(number)), token(number))).collect();
    for (entry, token) in &entries {
        let found = standing(&database, entry.key().biz_id.as_str()).unwrap();
        assert_eq!((&found.entry, found.token, &found.earlier[..]), (entry, *token, &[][..]));
    }
    let mut keys: Vec<_> = entries.iter().map(|(entry, _)| entry.key().clone()).collect();
    keys.push(key("nobodys"));
    assert_eq!(database.standing(&keys, soon()).unwrap().len(), entries.len());
    assert_eq!(database.standing(&[], soon()).unwrap(), []);
    let elsewhere = zvpos_core::payment::Key { open_id: "p".into(), ..key("B0") };
    assert_eq!(database.standing(&[elsewhere], soon()).unwrap(), []);
}

/// As in every journal: who reads the table learns no phone number from the gateway's words.
#[test]
fn phone_numbers_in_the_gateways_words_lose_their_middle() {
    let database = opened("phones");
    let words = GatewayStatus { code: "7".into(), message: "会员 13812345678 不存在".into() };
    let draft = Draft::new("B1", Stage::Succeeded).with(Detail { words: Some(words), ..Detail::default() });
    let written = write(&database, draft, 1);
    let found = standing(&database, "B1").unwrap().entry;
    assert_eq!(found, written.as_stored());
    assert_ne!(found, written);
    database.acknowledge(&[(written.acknowledged().unwrap(), 2)], soon()).unwrap();
    assert_eq!(standing(&database, "B1").unwrap().entry, found.acknowledged().unwrap());
    let stored =
        cluster().admin_of("zv").texts("SELECT detail FROM phones.zv_entry WHERE detail LIKE '%138%'");
    assert!(stored.len() == 1 && !stored[0].contains("13812345678"), "{stored:?}");
}

#[test]
fn a_record_needs_the_revision_before_it() {
    let database = opened("revisions");
    write(&database, Draft::new("B1", Stage::Sending), 1);
    write(&database, Draft::new("B1", Stage::Unknown).revision(2), 2);
    for revision in [1, 2, 4] {
        let late = Draft::new("B1", Stage::Succeeded).revision(revision).entry();
        assert!(!try_write(&database, &late, 9).unwrap(), "{revision}");
    }
    assert!(!try_write(&database, &Draft::new("B2", Stage::Unknown).revision(2).entry(), 9).unwrap());
    assert_eq!(standing(&database, "B2"), None);
    let third = write(&database, Draft::new("B1", Stage::Succeeded).revision(3), 3);
    let found = standing(&database, "B1").unwrap();
    assert_eq!((&found.entry, found.token, &found.earlier[..]), (&third, 3, &[2, 1][..]));
    assert!(found.has_written(1) && found.has_written(3) && !found.has_written(9));
}

#[test]
fn the_numbers_of_earlier_records_are_kept_up_to_a_limit() {
    let database = opened("earlier");
    for revision in 1..=40 {
        write(&database, Draft::new("B1", Stage::Reversing).revision(revision), 100 + revision);
    }
    let found = standing(&database, "B1").unwrap();
    assert_eq!(found.token, 140);
    let expected: Vec<u64> = (100..140).rev().take(EARLIER_KEPT).collect();
    assert_eq!(found.earlier, expected);
}

#[test]
fn of_two_that_write_at_once_one_wins() {
    let database = opened("races");
    let barrier = Barrier::new(8);
    for revision in 1..6 {
        let won: Vec<bool> = thread::scope(|scope| {
            let write = |token| {
                let (database, barrier) = (&database, &barrier);
                scope.spawn(move || {
                    let entry = Draft::new("B1", Stage::Reversing).revision(revision).entry();
                    barrier.wait();
                    try_write(database, &entry, token).unwrap()
                })
            };
            let threads: Vec<_> = (0..8).map(write).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
        let token = standing(&database, "B1").unwrap().token;
        assert!(won[usize::try_from(token).unwrap()], "{token} {won:?}");
    }
}

#[test]
fn an_unsettled_sale_keeps_others_out() {
    let database = opened("guard");
    database.join(&owner("n1"), soon()).unwrap();
    let doubt = write(&database, Draft::new("B1", Stage::Unknown).of(" 1", &["7", "8 "]), 1);
    write(&database, Draft::new("B2", Stage::Succeeded).of("2", &["9"]), 1);
    let refund = Detail { reversal: Reversal { refund: true, ..Reversal::default() }, ..Detail::default() };
    write(&database, Draft::new("B0", Stage::Reversing).of("5", &["5"]).with(refund), 1);
    write(&database, Draft::new("B3", Stage::Unknown).of("0", &[]), 1);
    let sale =
        |biz_id: &str, member: &str, coupons: &[&str]| Draft::new(biz_id, Stage::Sending).of(member, coupons);
    for (member, coupons, guard) in [
        ("1", &[][..], Guard::Member),
        ("1 ", &[], Guard::Member),
        ("4", &["6", "8"], Guard::Member),
        ("4", &["8", "7"], Guard::Coupon),
    ] {
        assert!(!guarded(&database, sale("B4", member, coupons), guard), "{member} {coupons:?} {guard:?}");
        let entry = sale("B4", member, coupons).entry();
        let found = database.keeping_out(&Write { entry: &entry, token: 5, guard, by: None }, soon());
        assert_eq!(found.unwrap().as_ref(), Some(&doubt));
    }
    for (biz_id, member, coupons, guard) in [
        ("B5", "1", &["6"][..], Guard::Coupon),
        ("B6", "2", &["9"], Guard::Member),
        ("B7", "3", &[], Guard::Member),
        ("B8", "1", &["7"], Guard::Off),
        ("B9", "5", &["5"], Guard::Member),
        // Nobody's id.
        ("B10", "0", &[], Guard::Member),
    ] {
        assert!(guarded(&database, sale(biz_id, member, coupons), guard), "{biz_id}");
    }
    assert!(guarded(&database, sale("B11", "1", &["7"]).account("p"), Guard::Member));
    let mut test = sale("B12", "1", &["7"]);
    test.key.environment = "127.0.0.1:8080".into();
    assert!(guarded(&database, test, Guard::Member));
    // A record does not keep itself out, and a later one is kept out like the first.
    write(&database, sale("B13", "8", &["88"]), 1);
    assert!(guarded(&database, sale("B13", "1", &[]).revision(2), Guard::Off));
    assert!(!guarded(&database, sale("B13", "1", &[]).revision(3), Guard::Member));
    assert!(guarded(
        &database,
        Draft::new("B1", Stage::Reversing).of("1", &["7"]).revision(2),
        Guard::Member
    ));
    // It is settled.
    write(&database, Draft::new("B1", Stage::Reversed).of("1", &["7", "8"]).revision(3), 1);
    assert!(guarded(&database, sale("B13", "1", &[]).revision(3), Guard::Member));
}

#[test]
fn a_later_record_adds_its_coupons() {
    let database = opened("told");
    write(&database, Draft::new("B1", Stage::Reversing).of("1", &[]), 1);
    write(&database, Draft::new("B1", Stage::Unknown).of("1", &["7"]).revision(2), 2);
    assert!(!guarded(&database, Draft::new("B2", Stage::Sending).of("2", &["7"]), Guard::Coupon));
}

#[test]
fn a_record_is_confirmed_while_it_is_the_present_one() {
    let database = opened("confirm");
    write(&database, Draft::new("B1", Stage::Sending), 7);
    let first = standing(&database, "B1").unwrap();
    assert!(database.confirm(&first, soon()).unwrap());
    assert_eq!(standing(&database, "B1").unwrap(), first);
    let mut other = first.clone();
    other.token = 8;
    assert!(!database.confirm(&other, soon()).unwrap());
    write(&database, Draft::new("B1", Stage::Unknown).revision(2), 8);
    assert!(!database.confirm(&first, soon()).unwrap());
    assert_eq!(standing(&database, "B1").unwrap().token, 8);
}

/// Whatever else writes into a row, it is not believed.
#[test]
fn a_changed_row_is_refused_with_its_key() {
    let database = opened("damage");
    let person = cluster().admin_of("zv");
    for change in [
        "revision = revision + 1",
        "token = token + 1",
        "stage = 'declined'",
        "stage = 'strange'",
        "amount = '0.01'",
        "till = 'other'",
        "detail = '{}'",
        "member = 'other'",
        "returned_biz_id = 'other'",
        "unsettled = NOT unsettled",
        "holds_back = NOT holds_back",
        "due = NOT due",
        "unfinished = NOT unfinished",
        "retired = NOT retired",
        "other_biz_id = NOT other_biz_id",
        "refused_refund = NOT refused_refund",
        "checksum = ''",
        "earlier = '{NULL}'",
    ] {
        person.batch("DELETE FROM damage.zv_entry");
        write(
            &database,
            Draft::new("B-damaged", Stage::Unknown).with(Detail { answered: true, ..Detail::default() }),
            1,
        );
        person.batch(&format!("UPDATE damage.zv_entry SET {change}"));
        match database.standing(&[key("B-damaged")], soon()) {
            Err(Failure::Refused(error)) => {
                assert_eq!(error.code.text, "ZV-JOURNAL-DAMAGED", "{change}");
                assert!(error.message.contains("B-damaged"), "{error}");
            }
            answer => panic!("{change}: {answer:?}"),
        }
    }
    // And the right one is read again.
    person.batch("DELETE FROM damage.zv_entry");
    write(&database, Draft::new("B-damaged", Stage::Unknown), 1);
    assert!(standing(&database, "B-damaged").is_some());
}

/// 10,000 unsettled sales are not read for one.
#[test]
fn a_guarded_write_reads_little_among_many_unsettled() {
    let database = opened("many");
    database.join(&owner("n1"), soon()).unwrap();
    let person = cluster().admin_of("zv");
    write(&database, Draft::new("B0", Stage::Refused).of("m", &["c"]), 1);
    person.batch(
        "INSERT INTO many.zv_entry (open_id, environment, biz_id, revision, token, stage, attempt, owner, on_unknown, \
         created_unix_ms, detail, member, unsettled, holds_back, due, unfinished, retired, other_biz_id, refused_refund, \
         checksum) SELECT open_id, environment, 'X' || i, 1, 1, stage, 1, owner, on_unknown, created_unix_ms + i, detail, \
         'x' || i, unsettled, holds_back, due, unfinished, retired, other_biz_id, refused_refund, checksum \
         FROM many.zv_entry, generate_series(1, 10000) i; \
         INSERT INTO many.zv_coupon SELECT 'o', 'production', 'k' || i, 'X' || i FROM generate_series(1, 10000) i; \
         ANALYZE many.zv_entry; ANALYZE many.zv_coupon",
    );
    let read = || -> u64 {
        let text = "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables \
            WHERE schemaname = 'many'";
        person.texts(text)[0].parse().unwrap()
    };
    // Statistics of other connections arrive later.
    thread::sleep(Duration::from_millis(1_500));
    let before = read();
    for number in 0..20 {
        let draft = Draft::new(&format!("Y{number}"), Stage::Sending).of(&format!("y{number}"), &["a", "b"]);
        assert!(guarded(&database, draft, Guard::Member));
    }
    assert!(!guarded(&database, Draft::new("Z", Stage::Sending).of("z", &["c"]), Guard::Member));
    thread::sleep(Duration::from_millis(1_500));
    let rows = read() - before;
    assert!(rows < 2_000, "{rows} rows for 21 writes");
}

#[test]
fn on_the_second_version_too() {
    cluster::on_the_second_version_too();
}
