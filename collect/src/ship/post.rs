//! One batch over HTTPS, and what its answer means.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::settings::Settings;
use crate::wire::{ALIVE_PATH, Accepted, Alive, BODY_MAX, Batch, PATH, Refused};

/// Name look-up, TCP and TLS.
const CONNECT: Duration = Duration::from_secs(10);

/// The whole exchange.
const TOTAL: Duration = Duration::from_mins(1);

/// How long a connection is used again: less than a collector waits for the next request.
const IDLE: Duration = Duration::from_secs(5);

/// No answer of a collector is longer.
const ANSWER_MAX: u64 = 64 * 1024;

/// Why a batch was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// The collector lacks what is behind that event.
    Missing {
        /// Everything up to this event is there.
        held: u64,
    },
    /// The collector refuses the till or the batch; that does not change by itself.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The collector's reason.
        why: String,
    },
    /// There was no answer, or none of a collector. The batch may have been taken; it comes again.
    Lost(String),
}

/// The connection to a collector.
pub(super) struct Collector {
    agent: Agent,
    url: String,
    authorization: String,
    /// Shorter bodies were taken; a proxy on the way may take less than a collector.
    longest: AtomicUsize,
}

/// The status of an answer to a body that is too long for the collector, or for something on the way.
const TOO_LARGE: u16 = 413;

impl Collector {
    pub(super) fn new(settings: &Settings) -> Result<Collector, String> {
        let roots = match settings.roots().certificates()? {
            None => RootCerts::WebPki,
            Some(all) => {
                let owned = |der: &Vec<u8>| Certificate::from_der(der).to_owned();
                RootCerts::Specific(Arc::new(all.iter().map(owned).collect()))
            }
        };
        let config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            // Where the configuration does not say so, no proxy is used, whatever the environment says.
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .max_idle_age(IDLE)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(TOTAL))
            .user_agent(concat!("zv-collect/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Collector {
            agent: config.into(),
            url: settings.base().to_owned(),
            authorization: format!("Bearer {}", settings.token),
            longest: AtomicUsize::new(BODY_MAX),
        })
    }

    /// Sends a batch once, in two parts if it is too long for one; `parts` counts what was taken.
    pub(super) fn post(&self, mut batch: Batch, parts: &mut u32) -> Result<Accepted, NotTaken> {
        batch.part = *parts;
        let body = serde_json::to_vec(&batch).map_err(|error| NotTaken::Lost(error.to_string()))?;
        let is_one = batch.records.len() < 2;
        if is_one || body.len() <= self.longest.load(Ordering::Relaxed) {
            match self.send(PATH, &body) {
                Err(NotTaken::Refused { status: TOO_LARGE, .. }) if !is_one => {
                    self.longest.store(body.len() - 1, Ordering::Relaxed);
                }
                taken => {
                    *parts += u32::from(taken.is_ok());
                    return taken;
                }
            }
        }
        let rest = batch.records.split_off(batch.records.len() / 2);
        self.post(Batch { complete: false, ..batch.clone() }, parts)?;
        self.post(Batch { records: rest, ..batch }, parts)
    }

    /// Tells that the till lives and has no journal yet.
    pub(super) fn tell(&self, alive: &Alive) -> Result<(), NotTaken> {
        let body = serde_json::to_vec(alive).map_err(|error| NotTaken::Lost(error.to_string()))?;
        self.send(ALIVE_PATH, &body).map(drop)
    }

    fn send(&self, path: &str, body: &[u8]) -> Result<Accepted, NotTaken> {
        let lost = |why: &dyn std::fmt::Display| NotTaken::Lost(why.to_string());
        let request = self
            .agent
            .post(format!("{}{path}", self.url))
            .header("Authorization", &self.authorization)
            .content_type("application/json");
        let mut answer = request.send(body).map_err(|error| lost(&error))?;
        let status = answer.status().as_u16();
        let mut text = Vec::new();
        answer
            .body_mut()
            .as_reader()
            .take(ANSWER_MAX)
            .read_to_end(&mut text)
            .map_err(|error| lost(&error))?;
        read(status, &text)
    }
}

/// What an answer means. Nothing but a whole answer of a collector counts.
fn read(status: u16, body: &[u8]) -> Result<Accepted, NotTaken> {
    if status == 200 {
        return serde_json::from_slice(body)
            .map_err(|_| NotTaken::Lost("the answer is not a collector's".to_owned()));
    }
    let refused = serde_json::from_slice::<Refused>(body).ok();
    match (status, refused) {
        (409, Some(Refused { held: Some(held), .. })) => Err(NotTaken::Missing { held }),
        // Mostly it comes from a proxy, which knows nothing of collectors.
        (TOO_LARGE, refused) => {
            let why = refused.map_or_else(|| "the body is too long".to_owned(), |refused| refused.error);
            Err(NotTaken::Refused { status, why })
        }
        (400 | 401 | 403 | 404 | 405 | 409 | 411, Some(refused)) => {
            Err(NotTaken::Refused { status, why: refused.error })
        }
        _ => Err(NotTaken::Lost(format!("HTTP status {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_answer_of_a_collector_counts() {
        let accepted = br#"{"collector":"c","records":2,"shipped":7}"#;
        assert_eq!(read(200, accepted).unwrap().shipped, 7);
        for (status, body) in [
            (200, &br#"{"collector":"c","records":2,"ship"#[..]),
            (200, b"<html>Log in to the network</html>"),
            (204, accepted),
            (302, accepted),
            (401, b"<html>"),
            (409, b"{}"),
            (502, b"Bad Gateway"),
            (500, br#"{"error":"the store failed","error_zh":"x"}"#),
        ] {
            assert!(matches!(read(status, body), Err(NotTaken::Lost(_))), "{status}");
        }
        let missing = br#"{"error":"e","error_zh":"x","held":3}"#;
        assert_eq!(read(409, missing), Err(NotTaken::Missing { held: 3 }));
        let refused = br#"{"error":"the token is not valid","error_zh":"x"}"#;
        assert!(matches!(read(401, refused), Err(NotTaken::Refused { status: 401, .. })));
    }
}
