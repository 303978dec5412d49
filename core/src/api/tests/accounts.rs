//! What an account can do is what its configuration says.

use super::*;
use crate::payment::{Reversal, Said};

/// Two accounts: one at the top level over https, one named over http.
fn of_two(routes: &str, named: &str) -> Library {
    let accounts = format!(
        r#""accounts":{{"other":{{"openId":"o2","grantCode":"g","openKey":"k","endpoint":"http://127.0.0.1:9"{named}}}}}"#
    );
    let name = format!("two-{}", routes.len() * 1000 + named.len());
    started(
        &name,
        &format!(r#""api":"v3","endpoint":"https://127.0.0.1:9","background":false{routes},{accounts}"#),
    )
}

#[test]
fn an_account_has_its_name_its_gateway_and_its_entries() {
    let library = of_two("", "");
    let find = |name| library.clients.iter().find(|client| client.name() == name).unwrap();
    let (own, other) = (find(None), find(Some("other")));
    assert!(!own.is_plain_http() && other.is_plain_http());
    let key = own.key(&BizId::new("T1").unwrap());
    assert!(own.owns(&key) && !other.owns(&key));
    assert_eq!(key.environment, "127.0.0.1:9");
    let elsewhere = Key { environment: "127.0.0.1:8".into(), ..key.clone() };
    let of_another = Key { open_id: "o2".into(), ..key };
    assert!(!own.owns(&elsewhere) && !own.owns(&of_another) && other.owns(&of_another));
}

#[test]
fn an_action_that_no_table_knows_is_unknown() {
    let library = of_two(r#","call_actions":["/some/thing"]"#, "");
    let actions = |client: &Client| client.unknown_actions().map(str::to_owned).collect::<Vec<_>>();
    let found: Vec<_> = library.clients.iter().map(actions).collect();
    assert!(found.iter().all(|actions| *actions == ["/some/thing"]), "{found:?}");
}

#[test]
fn a_reversal_needs_a_route_and_codes_explain_its_refusals() {
    let v2 = r#""api":"v2","endpoint":"http://127.0.0.1:9/x","background":false"#;
    let action = r#""action":"sandbox.consume-reverse""#;
    for (number, (route, can, without_codes, explains)) in [
        (String::new(), false, false, false),
        (format!(r#","routes":{{"reverse":{{{action}}}}}"#), true, true, false),
        (format!(r#","routes":{{"reverse":{{{action},"refuses_unknown":true}}}}"#), true, false, false),
        (
            format!(r#","routes":{{"reverse":{{{action},"codes":{{"already":["920002"]}}}}}}"#),
            true,
            false,
            true,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let library = started(&format!("reverses-{number}"), &format!("{v2}{route}"));
        let client = &library.clients[0];
        let found = (client.can_reverse(), client.reverses_without_codes(), client.explains_refusals());
        assert_eq!(found, (can, without_codes, explains), "{route}");
    }
}

/// The record of a refused reversal, and the settings that would settle it.
#[test]
fn the_settings_that_would_explain_a_refusal_are_named() {
    let by_code = "routes.reverse.codes.already";
    let by_promise = "routes.reverse.refuses_unknown";
    let of = |stage, said, promised, client: &Client| {
        let reversal = Reversal { asked: true, tries: 1, said, promised, ..Reversal::default() };
        let detail = Detail { reversal, ..Detail::default() };
        let key = client.key(&BizId::new("T1").unwrap());
        let owner = Owner("1-dead".into());
        Entry::restore(key, Identity::default(), stage, 1, 1, owner, OnUnknown::Reverse, 1, detail)
    };
    let refused = Some(Said::Refused);
    for (number, (rules, has_code, has_promise)) in [
        ("", false, false),
        (r#","codes":{"already":["920002"]}"#, true, false),
        (r#","refuses_unknown":true"#, false, true),
        (r#","codes":{"already":["920002"]},"refuses_unknown":true"#, true, true),
    ]
    .into_iter()
    .enumerate()
    {
        let config = format!(
            r#""api":"v2","endpoint":"http://127.0.0.1:9/x","background":false,"routes":{{"reverse":{{"action":"sandbox.consume-reverse"{rules}}}}}"#
        );
        let library = started(&format!("explains-{number}"), &config);
        let client = &library.clients[0];
        for (stage, said, promised, needs_code, needs_promise) in [
            (Stage::Refused, refused, false, true, false),
            (Stage::Refused, Some(Said::NotFound), false, false, false),
            (Stage::Unproven, refused, true, true, true),
            (Stage::Unproven, refused, false, false, false),
            (Stage::Reversing, refused, true, false, false),
            (Stage::Kept, refused, false, false, false),
        ] {
            let named = [(needs_code && !has_code, by_code), (needs_promise && !has_promise, by_promise)];
            let wanted: Vec<_> = named.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
            let found = client.explaining_settings(&of(stage, said, promised, client));
            assert_eq!(found, wanted, "{rules} {stage:?} {said:?} {promised}");
        }
    }
}

/// A sink that keeps its lines.
struct Lines(Mutex<Vec<(Level, String)>>);

impl Sink for Lines {
    fn max_level(&self) -> Level {
        Level::Info
    }

    fn write(&self, level: Level, line: &str) {
        self.0.lock().unwrap().push((level, line.to_owned()));
    }
}

#[test]
fn the_outcome_decides_at_which_level_an_answer_is_logged() {
    let url =
        gateway(|_| r#"{"status":true,"code":0,"message":"ok","data":{"change_recharge_amount":"-1.00"}}"#);
    let lines = Arc::new(Lines(Mutex::default()));
    let folder = std::env::temp_dir().join(format!("zvpos-levels-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let config = format!(
        r#"{{"lang":"en","openId":"an-id","grantCode":"a-grant","openKey":"a-key","journal":"{}","api":"v2","endpoint":"{url}/x","background":false}}"#,
        folder.join("j.db").display()
    );
    let sinks: Vec<Arc<dyn Sink>> = vec![Arc::clone(&lines) as _];
    let library =
        Library::start(&config, sinks, false, None).unwrap_or_else(|answer| panic!("{}", answer.to_json()));
    let logged = |what: &str| {
        let lines = lines.0.lock().unwrap();
        lines.iter().rev().find(|(_, line)| line.starts_with(what)).map(|(level, _)| *level)
    };
    library.consume(r#"{"bizId":"T1","customerId":"77","amount":"1.00"}"#);
    assert_eq!(logged("consume T1: succeeded"), Some(Level::Info));
    library.consume(r#"{"bizId":"T1","customerId":"77","amount":"2.00"}"#);
    assert_eq!(logged("consume T1: conflict"), Some(Level::Warn));
    // Nothing is taken without a journal.
    let config = config.replace("j.db", "j.db/j.db");
    let sinks: Vec<Arc<dyn Sink>> = vec![Arc::clone(&lines) as _];
    let library =
        Library::start(&config, sinks, false, None).unwrap_or_else(|answer| panic!("{}", answer.to_json()));
    library.consume(r#"{"bizId":"T2","customerId":"77","amount":"1.00"}"#);
    assert_eq!(logged("consume T2: internal"), Some(Level::Error));
}

/// A gateway that gives every sale back: each entry is sent once and counted once.
#[test]
fn a_recovery_counts_what_it_has_settled() {
    let url = gateway(|_| r#"{"status":true,"code":0,"message":"ok","data":null}"#);
    let routes = r#""routes":{"reverse":{"action":"sandbox.consume-reverse"}}"#;
    let library =
        started("counts", &format!(r#""api":"v2","endpoint":"{url}/x","background":false,{routes}"#));
    let (client, journal) = (&library.clients[0], &library.shared.journal);
    for number in 0..3 {
        let key = client.key(&BizId::new(&format!("F{number}")).unwrap());
        let returned = format!("R{number}");
        let foreign = Entry::foreign(key, Identity::default(), &returned, journal.owner().clone(), number);
        journal.record(&foreign, Guard::Off, soon()).unwrap();
    }
    let message = |answer: &Answer| answer.message().to_owned();
    assert_eq!(message(&library.recover(None)), "3 settled now");
    assert_eq!(message(&library.recover(None)), "0 settled now");
}
