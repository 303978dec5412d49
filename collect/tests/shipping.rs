//! Tills with real journals ship to a real collector over TLS: what is lost on the way comes again, and both sides have the
//! same at the end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::time::Duration;

use support::chain::{copied, enrolled, kinds, report, shipper, until_shipped};
use support::network::Network;
use support::tills::{DAYS, MEMBER, Sale, Till};
use support::{Folder, NOON, collector, now_ms, settings, store};
use zvpos_collect::report::day_report;
use zvpos_collect::ship::{NotShipped, NotTaken, Settings, Shipper};
use zvpos_core::journal::{Shipped, Store};
use zvpos_core::payment::Stage;

#[test]
fn two_tills_ship_and_the_sums_are_right() {
    let folder = Folder::new("two");
    let server = collector(&folder);
    let tills = ["T1", "T2"].map(|name| (Till::new(&folder.0, name), enrolled(&folder, &server, name)));
    let [(one, one_settings), (other, other_settings)] = &tills;
    one.sell("T1-1", Stage::Succeeded, 2300, NOON);
    one.sell("T1-2", Stage::Declined, 500, NOON);
    one.feed();
    one.sell("T1-3", Stage::Succeeded, 199, NOON + 3_600_000);
    one.sell("T1-4", Stage::Unknown, 700, NOON);
    other.sell("T2-1", Stage::Succeeded, 1000, NOON);
    // Given back on the next day.
    let refund =
        Sale { returned: Some(NOON + 86_400_000), ..Sale::new("T2-1", Stage::Reversed, 3, 1000, NOON) };
    other.record(&refund);
    let rounds =
        [shipper(one, one_settings).round().unwrap(), shipper(other, other_settings).round().unwrap()];
    assert_eq!(rounds.map(|round| (round.records, round.entries, round.shipped)), [(4, 4, 8), (1, 1, 3)]);
    let found = report(&folder);
    let sums =
        |day: &zvpos_collect::report::TillDay| (day.sales.count, day.sales.sum.clone(), day.refunds.count);
    assert_eq!(sums(&found.total), (3, "34.99".to_owned(), 0));
    assert_eq!(found.total.sales.recharge, "34.99");
    assert_eq!(
        found.tills.iter().map(sums).collect::<Vec<_>>(),
        [(2, "24.99".to_owned(), 0), (1, "10.00".to_owned(), 0)]
    );
    let open: Vec<_> =
        found.unsettled.iter().map(|open| (open.till.as_str(), open.biz_id.as_str())).collect();
    assert_eq!((open, found.unsettled_count()), (vec![("T1", "T1-4")], 1));
    assert_eq!(kinds(&found), (vec![], vec![]));
    assert!(found.silent.is_empty() && !found.clean, "{found:?}");
    let next = day_report(&mut store(&folder), "chain", DAYS.day_of(NOON) + 1, (now_ms(), 1)).unwrap();
    assert_eq!(
        (next.total.sales.count, next.total.refunds.sum.as_str(), next.total.net.as_str()),
        (0, "-10.00", "-10.00")
    );
    let hours = store(&folder).hours("chain", DAYS.day_of(NOON)).unwrap();
    assert_eq!(
        hours.iter().map(|hour| (hour.hour, hour.sales, hour.sum)).collect::<Vec<_>>(),
        [(12, 2, 3300), (13, 1, 199)]
    );
    // Nothing has changed: a sign of life, no record.
    assert_eq!(shipper(one, one_settings).round().unwrap().records, 0);
}

#[test]
fn no_member_and_no_name_goes_up_and_the_same_member_is_the_same() {
    let folder = Folder::new("members");
    let server = collector(&folder);
    let (till, hashed) = (Till::new(&folder.0, "T1"), enrolled(&folder, &server, "T1"));
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    till.sell("T1-2", Stage::Succeeded, 100, NOON);
    shipper(&till, &hashed).round().unwrap();
    drop(server);
    let stored = || {
        let copy = fs::read(folder.0.join("collect.db")).unwrap();
        let wal = fs::read(folder.0.join("collect.db-wal")).unwrap_or_default();
        [copy, wal].concat()
    };
    let holds = |text: &str| stored().windows(text.len()).any(|bytes| bytes == text.as_bytes());
    let hash = zvpos_collect::digest::keyed("a key of the whole chain", MEMBER);
    assert!(holds("T1-1") && holds(&hash) && !holds(MEMBER));
    let token = hashed.token.split_once('.').unwrap().1;
    assert!(!holds(token), "the token itself is stored");
    #[cfg(unix)]
    for file in ["collect.db", "T1/journal.db.shipped"] {
        let found = fs::metadata(folder.0.join(file)).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777;
        assert_eq!(mode, 0o600, "others may read {file}");
    }
    // Only where it is configured, the member goes up as it is.
    let server = collector(&folder);
    let token = store(&folder).enroll("chain", "T1", "S01", now_ms()).unwrap();
    let plain = Settings { member_key: None, plain_members: true, ..settings(server.address, &token) };
    let shipper = shipper(&till, &plain);
    till.sell("T1-3", Stage::Succeeded, 100, NOON);
    shipper.round().unwrap();
    drop(server);
    assert!(holds(MEMBER));
}

#[test]
fn lost_answers_come_again_and_count_once() {
    let folder = Folder::new("lost");
    let server = collector(&folder);
    let network = Network::to(server.address);
    let till = Till::new(&folder.0, "T1");
    let settings = Settings {
        url: format!("https://localhost:{}", network.address.port()),
        ..enrolled(&folder, &server, "T1")
    };
    for number in 0..40 {
        till.sell(&format!("T1-{number}"), Stage::Succeeded, 100, NOON);
        if number == 20 {
            till.feed();
        }
    }
    network.lose_answers(1);
    let lost = shipper(&till, &settings).with_batches_of(7).round().unwrap_err();
    assert!(matches!(lost, NotShipped::Collector(NotTaken::Lost(_))), "{lost}");
    assert_eq!(store(&folder).tally("chain").unwrap().0, 7, "the batch had arrived");
    assert_eq!(Shipped::read(&till.path).unwrap().unwrap().number, 0);
    // Cut at random from now on.
    network.shared.per_mille.store(200, std::sync::atomic::Ordering::SeqCst);
    let mut shipped = 0;
    for number in 40..60 {
        till.sell(&format!("T1-{number}"), Stage::Succeeded, 100, NOON);
        // On a connection of its own.
        shipped = until_shipped(&shipper(&till, &settings).with_batches_of(7)).shipped;
    }
    assert_eq!((shipped, network.shared.cut.load(std::sync::atomic::Ordering::SeqCst) > 5), (120, true));
    assert_eq!(store(&folder).tally("chain").unwrap(), (60, 120));
    let found = report(&folder);
    assert_eq!((found.total.sales.count, found.total.sales.sum.as_str()), (60, "60.00"));
    assert_eq!(kinds(&found), (vec![], vec![]));
}

/// The batch of one shipper is under way while a second one, with another position, ships what was sold since.
#[test]
fn a_batch_that_another_shipper_has_overtaken_is_no_older_copy() {
    let folder = Folder::new("overtaken");
    let server = collector(&folder);
    let network = Network::to(server.address);
    let till = Till::new(&folder.0, "T1");
    let direct = enrolled(&folder, &server, "T1");
    let slow = Settings { url: format!("https://localhost:{}", network.address.port()), ..direct.clone() };
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    network.shared.hold.store(true, std::sync::atomic::Ordering::SeqCst);
    let late = shipper(&till, &slow);
    std::thread::scope(|scope| {
        let round = scope.spawn(|| late.round().unwrap());
        while network.shared.connections.load(std::sync::atomic::Ordering::SeqCst) == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        till.sell("T1-2", Stage::Succeeded, 100, NOON);
        // As another machine's view of the same journal: its position and its lock are elsewhere.
        let other = folder.0.join("other");
        copied(&till, &other);
        Shipper::new(&direct, &other.join("journal.db"), DAYS).unwrap().round().unwrap();
        network.shared.hold.store(false, std::sync::atomic::Ordering::SeqCst);
        let round = round.join().unwrap();
        assert_eq!((round.restored, round.shipped), (false, 4));
    });
    assert_eq!(kinds(&report(&folder)), (vec![], vec![]));
    assert_eq!(store(&folder).tally("chain").unwrap(), (2, 4));
}

#[test]
fn one_shipper_at_a_time_ships_a_journal() {
    let folder = Folder::new("second");
    let server = collector(&folder);
    let settings = enrolled(&folder, &server, "T1");
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    let first = shipper(&till, &settings);
    first.round().unwrap();
    let second = shipper(&till, &settings);
    for refused in [second.round().map(drop), second.start_over()] {
        let refused = refused.unwrap_err();
        assert!(matches!(&refused, NotShipped::Another(_)), "{refused}");
        assert!(refused.to_string().contains("another zv collect ship runs"), "{refused}");
    }
    assert_eq!(first.round().unwrap().records, 0);
    drop(first);
    assert_eq!(second.round().unwrap().records, 0);
}

/// A journal with a second name is one journal: its position lies where the library looks.
#[cfg(unix)]
#[test]
fn through_a_link_the_position_lies_beside_the_journal_itself() {
    let folder = Folder::new("link");
    let server = collector(&folder);
    let settings = enrolled(&folder, &server, "T1");
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    let link = folder.0.join("link.db");
    std::os::unix::fs::symlink(&till.path, &link).unwrap();
    Shipper::new(&settings, &link, DAYS).unwrap().round().unwrap();
    let beside = till.path.with_file_name("journal.db.shipped");
    assert!(beside.exists() && !folder.0.join("link.db.shipped").exists());
    assert_eq!(Shipped::read(&till.path).unwrap().unwrap().number, 2);
    assert_eq!(shipper(&till, &settings).round().unwrap().records, 0);
}

#[test]
fn a_till_without_a_journal_or_a_collector_says_so() {
    let folder = Folder::new("nothing");
    let server = collector(&folder);
    let settings = enrolled(&folder, &server, "T1");
    // A till that has not sold yet lives, and makes nothing.
    let place = folder.0.join("nothing/journal.db");
    let none = Shipper::new(&settings, &place, DAYS).unwrap();
    let seen = || store(&folder).tills("chain").unwrap()[0].seen_ms;
    assert_eq!(seen(), None);
    let round = none.round().unwrap();
    assert!(round.empty && seen().is_some() && !folder.0.join("nothing").exists(), "{round:?}");
    // Where something was shipped from, the journal is missing.
    fs::create_dir(folder.0.join("nothing")).unwrap();
    fs::write(Shipped::beside(&place), "{}").unwrap();
    assert!(matches!(none.round().unwrap_err(), NotShipped::Journal(_)));
    assert!(!place.exists(), "a journal was made");
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    drop(server);
    assert!(matches!(
        shipper(&till, &settings).round().unwrap_err(),
        NotShipped::Collector(NotTaken::Lost(_))
    ));
    // Details wait from the first try on.
    assert_eq!(Shipped::read(&till.path).unwrap().unwrap().number, 0);
    // Another CA is not trusted.
    let server = collector(&folder);
    let other = Settings { pem: None, ..enrolled(&folder, &server, "T1") };
    assert!(matches!(shipper(&till, &other).round().unwrap_err(), NotShipped::Collector(NotTaken::Lost(_))));
    assert_eq!(till.journal.id().unwrap().len(), 32);
}

/// What stands in the place of the position file is said at once; a pipe would be waited for.
#[cfg(unix)]
#[test]
fn a_pipe_or_a_folder_as_position_is_an_error_at_once() {
    let folder = Folder::new("pipe");
    let server = collector(&folder);
    let settings = enrolled(&folder, &server, "T1");
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    let position = Shipped::beside(&till.path);
    let refused = || {
        let started = std::time::Instant::now();
        let refused = shipper(&till, &settings).round().unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(5));
        assert!(refused.to_string().contains("journal.db.shipped is no file; remove it"), "{refused}");
        assert!(matches!(refused, NotShipped::Position(_)), "{refused}");
    };
    fs::create_dir(&position).unwrap();
    refused();
    fs::remove_dir(&position).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&position).status().unwrap().success());
    refused();
    fs::remove_file(&position).unwrap();
    assert_eq!(shipper(&till, &settings).round().unwrap().records, 1);
}

/// A proxy on the way takes shorter bodies than the collector does: smaller parts get through.
#[test]
fn what_is_too_long_for_a_proxy_goes_in_smaller_parts() {
    let folder = Folder::new("proxy");
    store(&folder);
    let options = zvpos_collect::serve::Options { tls: None, ..support::options(folder.store()) };
    let server = zvpos_collect::serve::Server::start(&options).unwrap();
    let proxy = support::proxy::taking(8 * 1024, server.address);
    let token = store(&folder).enroll("chain", "T1", "S01", now_ms()).unwrap();
    let text = serde_json::json!({"url": format!("http://{proxy}"), "token": token, "plain_members": true});
    let settings = Settings::read(&text.to_string()).unwrap();
    let till = Till::new(&folder.0, "T1");
    for number in 0..60 {
        till.sell(&format!("T1-{number}"), Stage::Succeeded, 100, NOON);
    }
    let own = shipper(&till, &settings);
    assert_eq!(own.round().unwrap().records, 60);
    assert_eq!((store(&folder).tally("chain").unwrap().0, kinds(&report(&folder))), (60, (vec![], vec![])));
    // Where not even one record gets through, that is said.
    let closed = support::proxy::taking(10, server.address);
    let settings = Settings { url: format!("http://{closed}"), ..settings };
    drop(own);
    till.sell("T1-61", Stage::Succeeded, 100, NOON);
    let refused = shipper(&till, &settings).round().unwrap_err();
    assert!(matches!(&refused, NotShipped::Collector(NotTaken::Refused { status: 413, .. })), "{refused}");
}
