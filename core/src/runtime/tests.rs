//! Reads over a network whose answers are scripted.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Instant, SystemTime};

use ureq::http::Uri;

use super::*;
use crate::config::Config;
use crate::gateway::{CodeRules, Identity};
use crate::journal::{Backend, JournalError, Location, Sqlite};
use crate::transport::{Ahead, Exchanged, Http, MaySend};
use crate::world::{Signal, System, Worker};

pub(super) mod machine;

use machine::Shop;

/// The machine's clock.
const NOW_S: u64 = 1_700_000_000;

struct Scripted {
    system: System,
    random: u32,
    answers: Mutex<VecDeque<HttpAnswer>>,
    bodies: Mutex<Vec<String>>,
}

impl World for Scripted {
    fn now(&self) -> Instant {
        self.system.now()
    }

    fn unix_ms(&self) -> i64 {
        i64::try_from(NOW_S * 1000).unwrap()
    }

    fn sleep(&self, duration: Duration) {
        self.system.sleep(duration);
    }

    fn random(&self) -> Result<u32, String> {
        Ok(self.random)
    }

    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> Result<Box<dyn Worker>, String> {
        self.system.spawn(name, work)
    }

    fn signal(&self) -> Box<dyn Signal> {
        self.system.signal()
    }

    fn is_connected(&self, _: &Uri) -> bool {
        true
    }

    fn connect_ahead(&self, _: &Uri) -> Option<Ahead> {
        None
    }

    fn keep_warm(&self, _: &Uri) -> Duration {
        Duration::from_secs(3)
    }

    fn post(&self, _: &Uri, body: &str, deadline: Instant, _: Option<Ahead>, _: MaySend<'_>) -> Exchanged {
        assert!(deadline > self.now(), "there is time");
        self.bodies.lock().unwrap().push(body.to_owned());
        let answer = self.answers.lock().unwrap().pop_front().unwrap();
        Exchanged { result: Ok(answer), connect: Duration::from_millis(2), wait: Duration::from_millis(3) }
    }

    fn is_absolute(&self) -> bool {
        false
    }
}

/// A client whose gateway gives these answers, one after the other.
fn client(config: &str, random: u32, answers: &[(u16, &str)]) -> (Client, Arc<Scripted>) {
    client_over(Journal::never(JournalError::new(&codes::JOURNAL, "none")), config, random, answers)
}

/// The configuration of one account, and more.
fn configured(more: &str) -> Config {
    let keys = r#""lang":"en","openId":"an-id","grantCode":"a-grant","openKey":"a-key","api":"v3","#;
    let text = format!("{{{keys}\"endpoint\":\"https://127.0.0.1:9\"{more}}}");
    Config::read(&Value::parse(&text).unwrap()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn client_over(
    journal: Journal,
    config: &str,
    random: u32,
    answers: &[(u16, &str)],
) -> (Client, Arc<Scripted>) {
    let config = configured(config);
    let answer = |(status, body): &(u16, &str)| HttpAnswer {
        status: *status,
        body: body.replace('!', "\u{1}").into_bytes(),
        date: None,
    };
    let world = Arc::new(Scripted {
        system: System::new(Http::new(&config.transport).unwrap()),
        random,
        answers: Mutex::new(answers.iter().map(answer).collect()),
        bodies: Mutex::default(),
    });
    let shared = Shared {
        world: Arc::clone(&world) as _,
        journal,
        log: Log::default(),
        total: Duration::from_mins(1),
        lang: Lang::En,
        unknown: config.unknown,
        guard: Guard::Off,
        business_days: config.business_days,
        quote_max_age: Duration::from_mins(10),
    };
    let account = config.accounts.into_iter().next().unwrap();
    (Client::new(account, Arc::new(shared)), world)
}

fn called(client: &Client, action: &str) -> serde_json::Value {
    let params = Value::parse(r#"{"phone":"13800000000"}"#).unwrap();
    serde_json::from_str(&client.call(action, params.as_object().unwrap()).to_json()).unwrap()
}

#[test]
fn a_till_is_told_of_its_clock_from_a_minute_on_and_which_way_it_is_off() {
    for (ahead_s, wanted) in [
        (0, None),
        (60, None),
        (-60, None),
        (61, Some("the till's clock is 61 s behind the gateway's; set it")),
        (-61, Some("the till's clock is 61 s ahead of the gateway's; set it")),
    ] {
        let (client, _) = client("", 1, &[]);
        let gateway = NOW_S.checked_add_signed(ahead_s).unwrap();
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(gateway);
        let answer = HttpAnswer { status: 200, body: Vec::new(), date: Some(date) };
        assert_eq!(client.learn(&answer), ahead_s != 0);
        assert!(!client.learn(&answer), "it knows it already");
        assert_eq!(client.clock_warning().map(|warning| warning.message).as_deref(), wanted, "{ahead_s}");
    }
}

#[test]
fn a_nonce_has_one_to_nine_digits_and_is_never_zero() {
    let fine = r#"{"status":true,"code":0,"message":"","data":{"a":"1"}}"#;
    for (random, nonce) in
        [(0, "1"), (5, "6"), (999_999_998, "999999999"), (999_999_999, "1"), (u32::MAX, "294967300")]
    {
        let (client, world) = client("", random, &[(200, fine)]);
        called(&client, "member_lookup");
        let bodies = world.bodies.lock().unwrap();
        let body: serde_json::Value = serde_json::from_str(&bodies[0]).unwrap();
        assert_eq!(body["nonce"].to_string().trim_matches('"'), nonce, "{body}");
    }
}

#[test]
fn only_an_open_read_is_named_as_lacking_its_route() {
    let (client, _) = client("", 1, &[]);
    let message = |action| called(&client, action)["message"].as_str().unwrap().to_owned();
    for operation in Operation::ALL.into_iter().filter(|operation| client.account.route(*operation).is_none())
    {
        let is_named = message(operation.key()).ends_with(&format!("set routes.{}", operation.key()));
        assert_eq!(is_named, operation.is_read(), "{operation:?}");
    }
    assert!(message("nothing").contains("is no read action"));
}

#[test]
fn a_broken_text_is_repaired_in_a_read_that_is_otherwise_whole() {
    let body = r#"{"status":true,"code":0,"message":"","data":{"note":"a!b"}}"#;
    for (status, outcome, warns) in [(200, "succeeded", true), (500, "not_sent", false)] {
        let (client, _) = client("", 1, &[(status, body)]);
        let answer = called(&client, "member_lookup");
        assert_eq!(answer["outcome"], outcome, "{answer}");
        assert_eq!(answer.to_string().contains("ZV-W-TEXT"), warns, "{answer}");
    }
}

#[test]
fn a_repeated_nonce_is_replaced_once_and_the_times_of_both_tries_count() {
    let repeated = format!(r#"{{"status":false,"code":"{}","message":"nonce"}}"#, CodeRules::NONCE);
    let fine = r#"{"status":true,"code":0,"message":"","data":{"a":"1"}}"#;
    let (client, world) = client("", 1, &[(200, &repeated), (200, fine)]);
    let answer = called(&client, "member_lookup");
    assert_eq!(
        (&answer["outcome"], world.bodies.lock().unwrap().len()),
        (&"succeeded".into(), 2),
        "{answer}"
    );
    assert_eq!(answer["timing_ms"]["connect"], 4.0, "{answer}");
    assert_eq!(answer["timing_ms"]["wait"], 6.0, "{answer}");
}

#[test]
fn customer_0_is_nobody_only_in_a_member_look_up() {
    let body = r#"{"status":true,"code":0,"message":"","data":{"customerId":"0"}}"#;
    for operation in Operation::ALL.into_iter().filter(|operation| operation.is_read()) {
        let (client, _) = client("", 1, &[(200, body)]);
        if operation != Operation::Quote && client.account.route(operation).is_some() {
            let is_look_up = operation == Operation::MemberLookup;
            let answer = called(&client, operation.key());
            assert_eq!(answer["outcome"], if is_look_up { "declined" } else { "succeeded" }, "{answer}");
        }
    }
}

#[test]
fn an_action_that_may_take_something_is_not_repeated_for_its_nonce() {
    let repeated = format!(r#"{{"status":false,"code":"{}","message":"nonce"}}"#, CodeRules::NONCE);
    let (client, world) = client(r#","call_actions":["/some/thing"]"#, 1, &[(200, &repeated)]);
    let answer = called(&client, "/some/thing");
    assert_eq!((&answer["outcome"], world.bodies.lock().unwrap().len()), (&"unknown".into(), 1), "{answer}");
}

/// A journal in a new folder.
fn journal(name: &str) -> Journal {
    let folder = std::env::temp_dir().join(format!("zvpos-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let location = Location::at(folder.join("j.db"));
    let open = move |_| Ok((Arc::new(Sqlite::open(&location.path)?) as Arc<dyn Backend>, location.clone()));
    Journal::open(open, Instant::now() + Duration::from_secs(3))
}

/// The gateway's clock is an hour ahead: only a refused signature is signed again for it.
#[test]
fn a_reversal_is_signed_again_only_where_its_signature_was_refused() {
    let fine = r#"{"status":true,"code":0,"message":"","data":null}"#;
    let other = r#"{"status":true,"code":"5","message":"no","data":null}"#;
    let signature = format!(r#"{{"status":false,"code":"{}","message":"sign"}}"#, CodeRules::SIGNATURE);
    let routes = r#","routes":{"reverse":{"path":"/reverse"}}"#;
    for (first, requests) in [(&*signature, 2), (other, 1)] {
        let (client, world) = client_over(journal("signed"), routes, 1, &[(200, first), (200, fine)]);
        let ahead = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW_S + 3600);
        world.answers.lock().unwrap().iter_mut().for_each(|answer| answer.date = Some(ahead));
        let key = client.key(&BizId::new("T1").unwrap());
        let owner = client.shared.journal.owner().clone();
        let foreign = Entry::foreign(key, Identity::default(), "R1", owner, 1);
        let soon = Instant::now() + Duration::from_secs(3);
        client.shared.journal.record(&foreign, Guard::Off, soon).unwrap();
        client.drive_reversal(&foreign, true, soon).unwrap();
        assert_eq!(world.bodies.lock().unwrap().len(), requests, "{first}");
    }
}

/// A till that names the journal of its attempt may repeat a sale that was declined, as one that does not.
#[test]
fn a_declined_sale_is_sent_again_with_and_without_the_journals_identity() {
    let declined = r#"{"status":true,"code":"5","message":"no","data":null}"#;
    for named in [false, true] {
        let (client, world) = client_over(journal("declined"), "", 1, &[(200, declined), (200, declined)]);
        let id = client.shared.journal.id().unwrap();
        let id = if named { format!(r#","journal_id":"{id}""#) } else { String::new() };
        let text = format!(r#"{{"bizId":"T1","customerId":"77","amount":"1.00"{id}}}"#);
        let request = Value::parse(&text).unwrap();
        for sent in 1..=2 {
            let answer = client.consume(request.as_object().unwrap());
            assert_eq!((answer.outcome(), world.bodies.lock().unwrap().len()), (Outcome::Declined, sent));
        }
    }
}

/// Another till of the shop has sold under the same bizId for another account.
#[test]
fn a_declined_sale_is_sent_again_though_its_biz_id_has_a_record_of_another_account() {
    let declined = r#"{"status":true,"code":"5","message":"no","data":null}"#;
    let shop = Shop::new("");
    let other = Key { open_id: "another-id".to_owned(), ..shop.client().key(&BizId::new("T1").unwrap()) };
    let owner = shop.shared.journal.owner().clone();
    let text = r#"{"bizId":"T1","customerId":"77","amount":"1.00","journal_id":"the-id"}"#;
    let request = Value::parse(text).unwrap();
    for sent in 1..=2 {
        shop.machine.answer(declined);
        assert_eq!(shop.client().consume(request.as_object().unwrap()).outcome(), Outcome::Declined);
        assert_eq!(shop.machine.events().iter().filter(|event| *event == "post").count(), sent);
        shop.memory.put(&Entry::intent(
            other.clone(),
            Identity::default(),
            owner.clone(),
            OnUnknown::Hold,
            1,
        ));
    }
}

/// The call has panicked after the send, so its intent stands and nobody carries it out.
#[test]
fn a_repeated_sale_does_not_wait_for_an_attempt_that_nobody_carries_out() {
    let shop = Shop::new("");
    let request = Value::parse(r#"{"bizId":"T1","customerId":"77","amount":"1.00"}"#).unwrap();
    assert_eq!(shop.client().consume(request.as_object().unwrap()).code(), "ZV-PANIC");
    assert_eq!(shop.memory.stages(), [Stage::Sending]);
    let before = shop.shared.world.now();
    let answer = shop.client().consume(request.as_object().unwrap());
    assert_eq!((answer.outcome(), answer.code()), (Outcome::Unknown, "ZV-ABANDONED"));
    assert_eq!(shop.shared.world.now(), before);
    assert_eq!(shop.memory.stages(), [Stage::Reversing]);
}

/// A connection is kept open from such a read on, to the gateway of the payment and not of the read.
#[test]
fn a_payment_is_expected_where_it_goes_and_after_what_comes_before_it() {
    let (client, _) = client(r#","routes":{"consume":{"endpoint":"https://pay.example"}}"#, 1, &[]);
    assert_eq!(client.paid_at().unwrap().host(), Some("pay.example"));
    let before: Vec<Operation> =
        Operation::ALL.into_iter().filter(|operation| client.precedes_a_payment(operation.key())).collect();
    assert_eq!(before, [Operation::Quote, Operation::MemberLookup, Operation::UsableCoupons]);
    assert!(!client.precedes_a_payment("nothing"));
}
