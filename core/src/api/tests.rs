//! What recovery and evidence do with sales that were never ended by the outcome of a call.

use std::io::{Read, Write};
use std::net::TcpListener;

mod accounts;

use super::*;
use crate::gateway::Identity;
use crate::journal::{Guard, Store};
use crate::money::Amount;
use crate::payment::{Detail, Entry, OnUnknown, Owner, Stage};

fn started(name: &str, config: &str) -> Library {
    let folder = std::env::temp_dir().join(format!("zvpos-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let keys = r#""lang":"en","openId":"a","grantCode":"b","openKey":"c""#;
    let config = format!("{{{keys},\"journal\":\"{}\",{config}}}", folder.join("j.db").display());
    Library::start(&config, Vec::new(), false, None).unwrap_or_else(|answer| panic!("{}", answer.to_json()))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(3)
}

/// Moving the WAL to the database takes several flushes, which belong to the end of a process and to its own thread.
#[test]
fn what_is_listed_waits_for_no_checkpoint() {
    let library = started("list", r#""background":false,"api":"v3","endpoint":"http://127.0.0.1:9""#);
    let (client, journal) = (&library.clients[0], &library.shared.journal);
    let path = journal.location().unwrap().path.clone();
    let database = || std::fs::read(&path).unwrap();
    let before = database();
    let list: [&dyn Fn() -> Answer; 2] = [&|| library.started(false), &|| library.pending(None)];
    for (number, list) in list.into_iter().enumerate() {
        let key = client.key(&BizId::new(&format!("L{number}")).unwrap());
        let success = Entry::restore(
            key.clone(),
            Identity::default(),
            Stage::Succeeded,
            1,
            1,
            journal.owner().clone(),
            OnUnknown::Hold,
            0,
            Detail::default(),
        );
        journal.record(&success, Guard::Off, soon()).unwrap();
        journal.acknowledge(key);
        assert_eq!(journal.unfinished().unwrap().len(), 1);
        list();
        assert_eq!(journal.unfinished().unwrap(), [], "what was acknowledged is written");
        assert!(database() == before, "{number}");
    }
    library.shut_down();
    assert!(database() != before);
}

/// More reversals hang than are tried in one round of the backoff, so that one of them is always overdue; and more than
/// are read from the journal at a time.
#[test]
fn a_dead_tills_intent_has_its_turn_though_reversals_hang() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = listener.local_addr().unwrap();
    let timeouts = r#""timeouts_ms":{"connect":300,"total":500}"#;
    let library = started("turn", &format!("\"api\":\"v3\",\"endpoint\":\"http://{endpoint}\",{timeouts}"));
    let (client, journal) = (&library.clients[0], &library.shared.journal);
    for number in 0..260 {
        let biz_id = BizId::new(&format!("H{number}")).unwrap();
        let hangs = Entry::foreign(
            client.key(&biz_id),
            Identity::default(),
            &format!("R{number}"),
            journal.owner().clone(),
            number,
        );
        journal.record(&hangs, Guard::Off, soon()).unwrap();
    }
    let key = client.key(&BizId::new("T1").unwrap());
    let intent =
        Entry::intent(key.clone(), Identity::default(), Owner("1-dead".into()), OnUnknown::Reverse, 999);
    // As the dead till had recorded it.
    let store = Sqlite::open(&journal.location().unwrap().path).unwrap();
    store.record(&intent, Guard::Off, soon()).unwrap();
    library.recovery.wake();
    let begun = Instant::now();
    while journal.find(&key).unwrap().unwrap().stage() == Stage::Sending {
        assert!(begun.elapsed() < Duration::from_mins(1), "nobody has looked at it");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Answers each request with the result of `body`.
fn gateway(body: fn(&str) -> &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        'connections: for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut text, mut piece) = (Vec::new(), [0; 4096]);
            while !text.ends_with(b"}") {
                match stream.read(&mut piece).unwrap() {
                    0 => continue 'connections,
                    count => text.extend_from_slice(&piece[..count]),
                }
            }
            let body = body(&String::from_utf8_lossy(&text));
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close", body.len());
            write!(stream, "{head}\r\n\r\n{body}").unwrap();
        }
    });
    format!("http://{address}")
}

/// The records have the sale with another amount; its coupon is unused. Neither proves that the sale never happened.
#[test]
fn a_deduction_of_another_amount_is_no_absence() {
    let url = gateway(|asked| {
        if asked.contains("getDecreaseBalanceBiz") {
            r#"{"status":true,"code":0,"message":"","data":{"bizId":"T1","amount":"95.00"}}"#
        } else {
            r#"{"status":true,"code":0,"message":"","data":[{"cardId":"C1","useStatus":"0"}]}"#
        }
    });
    let balance = format!(r#""balance_by_biz_id":{{"generation":"v3","endpoint":"{url}"}}"#);
    let routes = format!(r#""routes":{{{balance},"coupon_status":{{"complete":true}}}}"#);
    let library =
        started("amount", &format!(r#""api":"v2","endpoint":"{url}/x","background":false,{routes}"#));
    let (client, journal) = (&library.clients[0], &library.shared.journal);
    let identity = Identity {
        customer_id: Some("M1".into()),
        amount: Some(Amount::parse("100.00").unwrap()),
        coupons: vec!["C1".into()],
        ..Identity::default()
    };
    let key = client.key(&BizId::new("T1").unwrap());
    let (owner, detail) = (journal.owner().clone(), Detail::default());
    let held = Entry::restore(key, identity, Stage::Unknown, 1, 1, owner, OnUnknown::Hold, 1, detail);
    journal.record(&held, Guard::Off, soon()).unwrap();
    let stands = client.drive_evidence(&held, true, soon()).unwrap();
    assert_eq!(stands.stage(), Stage::Unknown);
}

/// Evidence exists where the account keeps records and the sale has what they are asked by.
#[test]
fn only_records_that_the_sale_can_be_found_in_are_evidence() {
    let identity = |amount: Option<&str>, coupons: &[&str], customer: Option<&str>, kind| Identity {
        customer_id: customer.map(str::to_owned),
        amount: amount.map(|amount| Amount::parse(amount).unwrap()),
        coupons: coupons.iter().map(|coupon| (*coupon).to_owned()).collect(),
        kind,
        points: None,
    };
    let balance = r#""balance_by_biz_id":{"generation":"v3","endpoint":"http://127.0.0.1:9"}"#;
    let coupons = r#""coupon_status":{"complete":true}"#;
    for (number, (routes, has_balance, has_coupons)) in [
        (String::new(), false, false),
        (balance.to_owned(), true, false),
        (coupons.to_owned(), false, true),
        (format!("{balance},{coupons}"), true, true),
    ]
    .into_iter()
    .enumerate()
    {
        let config = format!(
            r#""api":"v2","endpoint":"http://127.0.0.1:9/x","background":false,"routes":{{{routes}}}"#
        );
        let library = started(&format!("evidence-{number}"), &config);
        let client = &library.clients[0];
        for (asked, by_balance, by_coupon) in [
            (identity(Some("3.50"), &[], Some("M1"), None), true, false),
            (identity(Some("0.00"), &[], Some("M1"), None), false, false),
            (identity(None, &["C1"], Some("M1"), None), false, true),
            (identity(None, &["C1"], None, None), false, false),
            // A scanned code names no coupon.
            (identity(None, &["C1"], Some("M1"), Some(1)), false, false),
            (identity(Some("3.50"), &["C1"], Some("M1"), None), true, true),
        ] {
            for stage in [Stage::Unknown, Stage::Reversing] {
                let key = client.key(&BizId::new("T1").unwrap());
                let (owner, detail) = (Owner("1-dead".into()), Detail::default());
                let entry =
                    Entry::restore(key, asked.clone(), stage, 1, 1, owner, OnUnknown::Hold, 1, detail);
                let evidence = (has_balance && by_balance) || (has_coupons && by_coupon);
                let wanted = evidence && stage == Stage::Unknown;
                assert_eq!(client.has_evidence_for(&entry), wanted, "{routes} {asked:?} {stage:?}");
            }
        }
    }
}

/// A held sale whose coupons are all unused, and which no other sale names, never happened.
#[test]
fn coupons_that_are_unused_prove_that_nothing_happened() {
    let url =
        gateway(|_| r#"{"status":true,"code":0,"message":"","data":[{"cardId":"C1","useStatus":"0"}]}"#);
    let routes = r#""routes":{"coupon_status":{"complete":true}}"#;
    let library =
        started("unused", &format!(r#""api":"v2","endpoint":"{url}/x","background":false,{routes}"#));
    let (client, journal) = (&library.clients[0], &library.shared.journal);
    for (coupon, wanted) in [("C1", Stage::Reversed), ("C2", Stage::Unknown)] {
        let identity =
            Identity { customer_id: Some("M1".into()), coupons: vec![coupon.into()], ..Identity::default() };
        let key = client.key(&BizId::new(&format!("T-{coupon}")).unwrap());
        let (owner, detail) = (journal.owner().clone(), Detail::default());
        let held = Entry::restore(key, identity, Stage::Unknown, 1, 1, owner, OnUnknown::Hold, 1, detail);
        journal.record(&held, Guard::Off, soon()).unwrap();
        assert_eq!(client.drive_evidence(&held, true, soon()).unwrap().stage(), wanted, "{coupon}");
    }
}

/// Every sale of the member succeeds, so none of them is ever in doubt, however the threads meet. Unsettled sales of
/// others make the look at all of them take its time.
#[test]
fn no_sale_is_held_back_by_one_that_has_just_ended() {
    let url =
        gateway(|_| r#"{"status":true,"code":0,"message":"ok","data":{"change_recharge_amount":"-1.00"}}"#);
    let settings = r#""idle_ms":0,"guard":"member","background":false"#;
    let library = started("ended", &format!(r#""api":"v2","endpoint":"{url}/x",{settings}"#));
    let (client, journal) = (&library.clients[0], &library.shared.journal);
    let others: Vec<Entry> = (0..300)
        .map(|number| {
            let key = client.key(&BizId::new(&format!("U{number}")).unwrap());
            let (owner, detail) = (journal.owner().clone(), Detail::default());
            let identity = Identity { customer_id: Some("M2".into()), ..Identity::default() };
            Entry::restore(key, identity, Stage::Unknown, 1, 1, owner, OnUnknown::Hold, number, detail)
        })
        .collect();
    assert!(journal.record_all(&others, soon()).iter().all(Result::is_ok));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let library = &library;
            scope.spawn(move || {
                for number in 0..25 {
                    let request =
                        format!(r#"{{"bizId":"T{thread}-{number}","customerId":"77","amount":"1.00"}}"#);
                    let answer = library.consume(&request).to_json();
                    assert!(answer.contains("\"outcome\":\"succeeded\""), "{answer}");
                }
            });
        }
    });
}
