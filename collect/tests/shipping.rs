//! Tills with real journals ship to a real collector over TLS: what is lost on the way comes again, what was restored is
//! seen, and both sides have the same at the end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use support::network::Network;
use support::tills::{DAYS, MEMBER, Sale, Till};
use support::{Folder, NOON, collector, now_ms, settings, store};
use zvpos_collect::report::{DayReport, day_report};
use zvpos_collect::serve::Server;
use zvpos_collect::ship::{NotShipped, NotTaken, Round, Settings, Shipper};
use zvpos_core::journal::{Shipped, Store};
use zvpos_core::payment::Stage;

fn shipper(till: &Till, settings: &Settings) -> Shipper {
    Shipper::new(settings, &till.path, DAYS).unwrap()
}

fn enrolled(folder: &Folder, server: &Server, name: &str) -> Settings {
    let token = store(folder).enroll("chain", name, "S01", now_ms()).unwrap();
    settings(server.address, &token)
}

/// Ships until everything is there, as the running program does.
fn until_shipped(shipper: &Shipper) -> Round {
    let started = Instant::now();
    loop {
        match shipper.round() {
            Ok(round) => return round,
            Err(error) if started.elapsed() > Duration::from_secs(30) => panic!("{error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn report(folder: &Folder) -> DayReport {
    let silent = 600_000;
    day_report(&mut store(folder), "chain", DAYS.day_of(NOON), (now_ms(), silent)).unwrap()
}

fn kinds(report: &DayReport) -> (Vec<&str>, Vec<&str>) {
    let gaps = report.gaps.iter().map(|gap| gap.kind.as_str()).collect();
    (gaps, report.differences.iter().map(|difference| difference.kind.as_str()).collect())
}

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

#[test]
fn a_collector_that_was_restored_is_filled_again() {
    let folder = Folder::new("refilled");
    let (till, backup) = (Till::new(&folder.0, "T1"), folder.0.join("backup.db"));
    let server = collector(&folder);
    let settings = enrolled(&folder, &server, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    shipper(&till, &settings).round().unwrap();
    drop(server);
    fs::copy(folder.0.join("collect.db"), &backup).unwrap();
    let server = collector(&folder);
    let here = |server: &Server| Settings {
        url: format!("https://localhost:{}", server.address.port()),
        ..settings.clone()
    };
    till.sell("T1-2", Stage::Succeeded, 100, NOON);
    till.sell("T1-3", Stage::Unknown, 100, NOON);
    shipper(&till, &here(&server)).round().unwrap();
    drop(server);
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(folder.0.join(format!("collect.db{end}")));
    }
    fs::copy(&backup, folder.0.join("collect.db")).unwrap();
    let server = collector(&folder);
    till.sell("T1-4", Stage::Succeeded, 100, NOON);
    assert_eq!(shipper(&till, &here(&server)).round().unwrap().shipped, 8);
    assert_eq!(store(&folder).tally("chain").unwrap().0, 4);
    assert_eq!(kinds(&report(&folder)), (vec![], vec![]), "the gap was filled");
    // A collector with an empty store gets everything, too.
    drop(server);
    let empty = Folder::new("empty");
    let server = collector(&empty);
    let other = enrolled(&empty, &server, "T1");
    assert_eq!(shipper(&till, &other).round().unwrap().records, 4);
    assert_eq!(store(&empty).tally("chain").unwrap().0, 4);
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

fn copied(till: &Till, to: &std::path::Path) {
    till.feed();
    fs::create_dir_all(to).unwrap();
    let folder = till.path.parent().unwrap();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().to_string_lossy().into_owned();
        if file.file_type().unwrap().is_file() && !name.ends_with(".shipped") {
            fs::copy(file.path(), to.join(name)).unwrap();
        }
    }
}

/// The journal of a till is put back as it was, with everything beside it that the library looks at.
#[test]
fn a_restored_journal_is_seen_with_and_without_new_sales() {
    for (sold_since, keeps_position) in [(0, true), (0, false), (9, true)] {
        let folder = Folder::new("restored");
        let server = collector(&folder);
        let till = Till::new(&folder.0, "T1");
        let settings = enrolled(&folder, &server, "T1");
        till.sell("T1-1", Stage::Succeeded, 100, NOON);
        let (backup, path) = (folder.0.join("backup"), till.path.clone());
        copied(&till, &backup);
        for number in 2..=4 {
            till.sell(&format!("T1-{number}"), Stage::Succeeded, 100, NOON);
        }
        assert_eq!(shipper(&till, &settings).round().unwrap().shipped, 8);
        drop(till);
        for file in fs::read_dir(path.parent().unwrap()).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file()
                && (!keeps_position || file.path().extension().is_none_or(|end| end != "shipped"))
            {
                fs::remove_file(file.path()).unwrap();
            }
        }
        for file in fs::read_dir(&backup).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), path.parent().unwrap().join(file.file_name())).unwrap();
        }
        let till = Till::new(&folder.0, "T1");
        for number in 0..sold_since {
            till.sell(&format!("NEW-{number}"), Stage::Succeeded, 100, NOON);
        }
        let case = format!("{sold_since} sales since, position {keeps_position}");
        let round = shipper(&till, &settings).round().unwrap();
        assert!(round.restored, "{case}");
        let found = report(&folder);
        let (gaps, differences) = kinds(&found);
        // What the journal has lost is still in the copy, which has more than the till says.
        assert_eq!((gaps, differences), (vec!["restored"], vec!["count"]), "{case}");
        assert_eq!(found.total.sales.count, 4 + sold_since, "{case}");
        // From now on everything is as usual.
        till.sell("LAST", Stage::Succeeded, 100, NOON);
        let round = shipper(&till, &settings).round().unwrap();
        assert_eq!((round.restored, round.records), (false, 1), "{case}");
    }
}

#[test]
fn a_new_journal_is_a_gap_and_the_same_biz_id_in_both_counts_once() {
    let folder = Folder::new("new-journal");
    let server = collector(&folder);
    let settings = enrolled(&folder, &server, "T1");
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    till.sell("T1-2", Stage::Unknown, 250, NOON);
    shipper(&till, &settings).round().unwrap();
    // Somebody deletes the journal; the position file stays.
    let shipped = fs::read(Shipped::beside(&till.path)).unwrap();
    let path = till.path.clone();
    drop(till);
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    let till = Till::new(&folder.0, "T1");
    fs::write(Shipped::beside(&path), shipped).unwrap();
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    till.sell("T1-2", Stage::Succeeded, 250, NOON);
    let round = shipper(&till, &settings).round().unwrap();
    assert_eq!((round.records, round.restored), (2, false));
    let found = report(&folder);
    assert_eq!(kinds(&found), (vec!["new_journal"], vec!["same_biz_id", "same_biz_id"]));
    let of = |biz_id: &str| {
        let found = found.differences.iter().find(|found| found.biz_id.as_deref() == Some(biz_id));
        found.unwrap().words.en.clone()
    };
    assert!(of("T1-1").contains("counts once"), "{}", of("T1-1"));
    assert!(of("T1-2").contains("different content"), "{}", of("T1-2"));
    assert_eq!(
        (found.total.sales.count, found.total.sales.sum.as_str(), found.unsettled_count()),
        (2, "3.50", 0)
    );
}

#[test]
fn the_same_biz_id_at_two_tills_is_a_difference() {
    let folder = Folder::new("same");
    let server = collector(&folder);
    for name in ["T1", "T2"] {
        let till = Till::new(&folder.0, name);
        till.sell("SAME-1", Stage::Succeeded, 100, NOON);
        till.sell(&format!("{name}-2"), Stage::Succeeded, 100, NOON);
        shipper(&till, &enrolled(&folder, &server, name)).round().unwrap();
    }
    let found = report(&folder);
    assert_eq!(kinds(&found), (vec![], vec!["same_biz_id"]));
    assert_eq!((found.total.sales.count, found.total.sales.sum.as_str()), (3, "3.00"));
}

/// Details that were dropped are nothing to ship; but what was dropped before it was shipped is told.
#[test]
fn dropped_details_take_nothing_from_the_copy() {
    let folder = Folder::new("retired");
    let server = collector(&folder);
    let settings = enrolled(&folder, &server, "T1");
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    shipper(&till, &settings).round().unwrap();
    till.record(&Sale { retired: true, ..Sale::new("T1-1", Stage::Succeeded, 3, 100, NOON) });
    till.sell("T1-2", Stage::Succeeded, 100, NOON);
    till.record(&Sale { retired: true, ..Sale::new("T1-2", Stage::Succeeded, 3, 100, NOON) });
    shipper(&till, &settings).round().unwrap();
    let found = report(&folder);
    assert_eq!(kinds(&found), (vec!["retention"], vec![]));
    assert!(found.gaps[0].words.en.contains("the details of 1 entries"), "{:?}", found.gaps);
    assert_eq!(
        store(&folder).tally("chain").unwrap(),
        (2, 2 + 3),
        "the copy keeps revision 2 with its details"
    );
    // Everything once more: nothing is counted again.
    shipper(&till, &settings).start_over().unwrap();
    assert_eq!(shipper(&till, &settings).round().unwrap().records, 2);
    assert_eq!(report(&folder).gaps, found.gaps);
}

/// A sale of long ago is given back: the copy has its details, and nothing was dropped that it has not seen.
#[test]
fn the_refund_of_a_sale_without_details_is_no_gap() {
    let folder = Folder::new("old-refund");
    let server = collector(&folder);
    let settings = enrolled(&folder, &server, "T1");
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    shipper(&till, &settings).round().unwrap();
    let old = Sale { retired: true, ..Sale::new("T1-1", Stage::Succeeded, 3, 100, NOON) };
    till.record(&old);
    let refund = Sale { stage: Stage::Reversed, returned: Some(NOON + 86_400_000), ..old };
    till.record(&Sale { revision: 4, stage: Stage::Reversing, ..refund.clone() });
    assert_eq!(shipper(&till, &settings).round().unwrap().records, 1);
    till.record(&Sale { revision: 5, ..refund });
    assert_eq!(shipper(&till, &settings).round().unwrap().records, 1);
    assert_eq!(store(&folder).tally("chain").unwrap(), (1, 5));
    let found = report(&folder);
    assert_eq!((kinds(&found), found.unsettled_count()), ((vec![], vec![]), 0));
    let next = day_report(&mut store(&folder), "chain", DAYS.day_of(NOON) + 1, (now_ms(), 1)).unwrap();
    assert_eq!(next.total.refunds.sum, "-1.00");
}

#[test]
fn a_wrong_token_ships_nothing_and_an_old_one_is_worth_nothing() {
    let folder = Folder::new("token");
    let server = collector(&folder);
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    let settings = enrolled(&folder, &server, "T1");
    let (number, secret) = settings.token.split_once('.').unwrap();
    let mut other: Vec<u8> = secret.bytes().collect();
    other[63] ^= 1;
    let other = String::from_utf8(other).unwrap();
    for token in [
        format!("{number}.{other}"),
        format!("99.{secret}"),
        format!("{number}."),
        "x.y".to_owned(),
        ".".to_owned(),
    ] {
        let wrong = Settings { token: token.clone(), ..settings.clone() };
        let refused = shipper(&till, &wrong).round().unwrap_err();
        assert!(
            matches!(&refused, NotShipped::Collector(NotTaken::Refused { status: 401, .. })),
            "{token}: {refused}"
        );
    }
    assert_eq!(store(&folder).tally("chain").unwrap().0, 0);
    let new = enrolled(&folder, &server, "T1");
    assert!(shipper(&till, &settings).round().is_err(), "the old token");
    assert_eq!(shipper(&till, &new).round().unwrap().records, 1);
}

/// One request over plain TCP on a loopback address, as behind a reverse proxy.
fn asked(server: &Server, head: &str, body: &[u8]) -> String {
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    // The collector may refuse before everything was sent.
    let _ = socket.write_all(body);
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn what_is_too_long_or_no_batch_is_refused() {
    let folder = Folder::new("refused");
    let token = store(&folder).enroll("chain", "T1", "S01", now_ms()).unwrap();
    let options = zvpos_collect::serve::Options { tls: None, ..support::options(folder.store()) };
    let server = Server::start(&options).unwrap();
    let ship = |token: &str, length: usize, body: &[u8]| {
        let head = format!(
            "POST /v1/ship HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        asked(&server, &head, body)
    };
    let too_long = ship(&token, 3_000_000, &vec![b' '; 100_000]);
    assert!(too_long.starts_with("HTTP/1.1 413"), "{too_long}");
    let unknown = ship("1.secret", 3_000_000, &vec![b' '; 100_000]);
    assert!(unknown.starts_with("HTTP/1.1 401"), "{unknown}");
    assert!(ship(&token, 2, b"{}").starts_with("HTTP/1.1 400"));
    let not_utf8 = ship(&token, 4, &[0xff, 0xfe, 0, 0]);
    assert!(not_utf8.starts_with("HTTP/1.1 400") && not_utf8.contains("error_zh"), "{not_utf8}");
    assert!(
        asked(&server, "GET /v1/ship HTTP/1.1\r\nConnection: close\r\n\r\n", b"").starts_with("HTTP/1.1 405")
    );
    assert!(
        asked(&server, "GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n", b"").starts_with("HTTP/1.1 404")
    );
    assert!(asked(&server, "\u{16}\u{3}\u{1}\r\n\r\n", b"").starts_with("HTTP/1.1 400"));
    assert_eq!(store(&folder).tally("chain").unwrap().0, 0);
    let public = zvpos_collect::serve::Options { listen: "0.0.0.0:0".parse().unwrap(), ..options };
    assert!(Server::start(&public).err().unwrap().contains("--cert"), "plain HTTP to the world");
}

/// Connections that say nothing keep no till away for longer than a head may take.
#[test]
fn connections_that_say_nothing_are_ended() {
    let folder = Folder::new("idle");
    let options = zvpos_collect::serve::Options { connections: 4, ..support::options(folder.store()) };
    let server = Server::start(&options).unwrap();
    let settings = enrolled(&folder, &server, "T1");
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 100, NOON);
    let idle: Vec<_> = (0..4).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(100));
    let started = Instant::now();
    assert_eq!(until_shipped(&shipper(&till, &settings)).records, 1);
    assert!(started.elapsed() > Duration::from_secs(5), "more connections than seats");
    drop(idle);
}

#[test]
fn a_till_without_a_journal_or_a_collector_says_so() {
    let folder = Folder::new("nothing");
    let server = collector(&folder);
    let settings = enrolled(&folder, &server, "T1");
    let none = Shipper::new(&settings, &folder.0.join("none.db"), DAYS).unwrap();
    assert!(matches!(none.round().unwrap_err(), NotShipped::Journal(_)));
    assert!(!folder.0.join("none.db").exists(), "a journal was made");
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
