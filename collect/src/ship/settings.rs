//! The configuration of a till that ships: a JSON file of its own, which `zv collect enroll` prints.

use std::fmt;

use serde::{Deserialize, Serialize};
use zvpos_core::transport::Roots;

use crate::digest::KEY_MIN;

/// How often a till looks for changes, in seconds, unless it is configured.
const INTERVAL_S: u64 = 15;

/// Where and how a till ships.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `https://host:port` of the collector; plain `http` only to this machine.
    pub url: String,
    /// The till's token.
    pub token: String,
    /// A PEM file with the certificates that are trusted; otherwise Mozilla's are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pem: Option<String>,
    /// The key under which member ids and coupons are hashed, the same for the whole chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_key: Option<String>,
    /// Member ids and coupons go up as they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain_members: bool,
    /// How often the till looks for changes, and sends a sign of life, in seconds.
    #[serde(default = "interval_s")]
    pub interval_s: u64,
}

fn interval_s() -> u64 {
    INTERVAL_S
}

/// Neither the token nor the key get into a text.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Settings, String> {
        let settings: Settings = serde_json::from_str(text).map_err(|error| error.to_string())?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        let url = &self.url;
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let host = host.ok_or_else(|| format!("url: {url:?} is not https://host:port"))?;
        if host.is_empty() || host.contains(['?', '#', '@', ' ']) {
            return Err(format!("url: {url:?} is not https://host:port"));
        }
        if url.starts_with("http://") && !is_near(host) {
            return Err("url: plain http goes only to a collector on this machine; use https".to_owned());
        }
        if !self.token.contains('.') || !self.token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("token: it is not one that zv collect enroll has printed".to_owned());
        }
        match (&self.member_key, self.plain_members) {
            (Some(_), true) => Err("member_key and plain_members exclude each other".to_owned()),
            (None, false) => Err("member_key is missing; the same for every till of the chain".to_owned()),
            (Some(key), false) if key.len() < KEY_MIN => {
                Err(format!("member_key: at least {KEY_MIN} characters"))
            }
            _ if !(1..=3600).contains(&self.interval_s) => Err("interval_s: between 1 and 3600".to_owned()),
            _ => Ok(()),
        }
    }

    /// The collector's URL, before the paths.
    pub(super) fn base(&self) -> &str {
        self.url.trim_end_matches('/')
    }

    /// The certificates that are trusted.
    pub(super) fn roots(&self) -> Roots {
        self.pem.clone().map_or(Roots::Bundled, Roots::PemFile)
    }
}

fn is_near(host: &str) -> bool {
    let authority = host.split('/').next().unwrap_or_default();
    let name = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.rsplit_once(':').map_or(authority, |(name, _)| name),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(change: impl FnOnce(&mut Value)) -> Result<Settings, String> {
        let mut value = json!({"url": "https://collect.example:8443/", "token": "7.ab", "member_key": "0123456789abcdef"});
        change(&mut value);
        Settings::read(&value.to_string())
    }

    #[test]
    fn the_least_is_enough() {
        let settings = read(|_| ()).unwrap();
        assert_eq!(settings.base(), "https://collect.example:8443");
        assert_eq!((settings.interval_s, settings.roots()), (15, Roots::Bundled));
        let shown = format!("{settings:?}");
        assert!(!shown.contains("7.ab") && !shown.contains("0123456789abcdef"), "{shown}");
        assert!(read(|value| value["url"] = json!("http://127.0.0.1:8080")).is_ok());
        assert!(read(|value| value["url"] = json!("http://[::1]:8080")).is_ok());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (name, value, why) in [
            ("url", json!("collect.example"), "https://host:port"),
            ("url", json!("https://"), "https://host:port"),
            ("url", json!("https://a@b"), "https://host:port"),
            ("url", json!("http://collect.example"), "use https"),
            ("url", json!("http://127.0.0.1.evil.example"), "use https"),
            ("token", json!("secret"), "token"),
            ("token", json!("7.a\r\nb"), "token"),
            ("member_key", json!("short"), "at least 16"),
            ("member_key", Value::Null, "member_key is missing"),
            ("plain_members", json!(true), "exclude each other"),
            ("interval_s", json!(0), "between 1 and 3600"),
            ("interval", json!(5), "unknown field"),
        ] {
            let error = read(|settings| settings[name] = value).unwrap_err();
            assert!(error.contains(why), "{name}: {error}");
        }
    }
}
