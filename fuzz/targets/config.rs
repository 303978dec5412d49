//! The text of a configuration: read or refused in words, never with a key in them; what is accepted has one fingerprint
//! however it is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zvpos_core::config::Config;
use zvpos_core::json::{Value, escape_beyond_ascii};
use zvpos_core::outcome::Lang;
use zvpos_core::text::decode_config;

/// Stands in the place of every key.
const KEY: &str = "KEY-7f3a-KEY";

fuzz_target!(|input: &[u8]| {
    let text = match decode_config(input, Lang::En) {
        Ok((text, _)) => text,
        Err(answer) => return assert!(serde_json::from_str::<serde_json::Value>(&answer.to_json()).is_ok()),
    };
    let Ok(value) = Value::parse(&text) else { return };
    check_secrets(&text);
    match Config::read(&value) {
        Err(problems) => assert!(!problems.is_empty()),
        Ok(config) => {
            assert!(!config.accounts.is_empty());
            let mut canonical = String::new();
            value.push_canonical(&mut canonical);
            let spaced = canonical.replace("\":", "\" :\n");
            let spaced = if serde_same(&canonical, &spaced) { spaced } else { canonical.clone() };
            for again in [canonical, escape_beyond_ascii(&text), format!("\t{text}\r\n"), spaced] {
                let read = Value::parse(&again).ok().and_then(|value| Config::read(&value).ok());
                let read = read.unwrap_or_else(|| panic!("was accepted before: {again}"));
                assert_eq!(read.fingerprint, config.fingerprint, "{again}");
                assert_eq!(shown(&read), shown(&config), "{again}");
            }
        }
    }
});

/// What was read, without the order in which members of an object stood.
fn shown(config: &Config) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut accounts: Vec<_> = config
        .accounts
        .iter()
        .map(|account| {
            let mut reverse = account.reverse.clone();
            reverse.params.sort();
            (account.name.clone(), account.environment.clone(), account.codes.clone(), reverse)
        })
        .collect();
    accounts.sort_by(|one, other| one.0.cmp(&other.0));
    (accounts, config.total, config.transport.clone(), config.guard, config.journal.clone())
}

/// Whether the spaces fell between the tokens and not into a text.
fn serde_same(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    read(one) == read(other)
}

/// No key is in what is said of a configuration, nor in what a log may show of one.
fn check_secrets(text: &str) {
    let Ok(mut tree) = serde_json::from_str::<serde_json::Value>(text) else { return };
    if text.contains(KEY) || !hide(&mut tree) {
        return;
    }
    let text = tree.to_string();
    let Ok(value) = Value::parse(&text) else { return };
    let shown = match Config::read(&value) {
        Ok(config) => format!("{config:?}"),
        Err(problems) => format!("{problems:?}"),
    };
    assert!(!shown.contains(KEY), "{shown}");
}

/// Puts the mark where a key belongs; whether there is one.
fn hide(tree: &mut serde_json::Value) -> bool {
    let mut found = false;
    if let Some(members) = tree.as_object_mut() {
        if let Some(key) = members.get_mut("openKey") {
            *key = KEY.into();
            found = true;
        }
        if let Some(accounts) = members.get_mut("accounts").and_then(serde_json::Value::as_object_mut) {
            for account in accounts.values_mut() {
                found |= hide(account);
            }
        }
    }
    found
}
