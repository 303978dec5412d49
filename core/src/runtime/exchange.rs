//! Signs requests and posts them. This is the only door to the network: a request that takes or gives back money leaves
//! through [`Client::post_money`], which consumes the receipt of its record.

use std::time::{Duration, Instant};

use super::Client;
use ureq::http::Uri;

use crate::gateway::{NotSent, Operation, Params, Route};
use crate::journal::Receipt;
use crate::outcome::codes;
use crate::payment::Entry;
use crate::transport::{Ahead, Exchanged, MaySend, TransportError};

impl Client {
    /// Posts a request that takes or gives back money, on the connection that was begun ahead if there is one. The receipt
    /// must be that of the record; otherwise nothing is sent.
    pub(super) fn post_money(
        &self,
        receipt: Receipt,
        record: &Entry,
        (route, params): (&Route, &Params),
        deadline: Instant,
        ahead: Option<Ahead>,
    ) -> Exchanged {
        let is_recorded = receipt.is_of(record);
        drop(receipt);
        if !is_recorded {
            return not_sent("the record of the request is not durable".to_owned());
        }
        let may_send = || {
            // A reversal does no harm from any node.
            if !record.is_intent() {
                return Ok(());
            }
            let allowed = self.shared.journal.may_send(record.owner());
            allowed.map_err(|error| NotSent { code: error.code, message: error.message })
        };
        self.post(route, params, deadline, ahead, &may_send)
    }

    /// Posts a request that takes nothing, or whose answer is taken for an unknown outcome.
    pub(super) fn post_read(&self, route: &Route, params: &Params, deadline: Instant) -> Exchanged {
        self.post(route, params, deadline, None, &|| Ok(()))
    }

    /// Whether a connection to a route's gateway is open, as far as this process knows.
    pub(super) fn is_connected(&self, route: &Route) -> bool {
        route.uri.as_ref().is_some_and(|url| self.shared.world.is_connected(url))
    }

    /// The gateway of this account's payments.
    pub fn paid_at(&self) -> Option<&Uri> {
        self.account.route(Operation::Consume)?.uri.as_ref()
    }

    /// Begins to open a connection to a route's gateway, without waiting for it.
    pub(super) fn connect_ahead(&self, route: &Route) -> Option<Ahead> {
        self.shared.world.connect_ahead(route.uri.as_ref()?)
    }

    /// Signs with the current time and posts.
    fn post(
        &self,
        route: &Route,
        params: &Params,
        deadline: Instant,
        ahead: Option<Ahead>,
        may_send: MaySend<'_>,
    ) -> Exchanged {
        let Some(url) = &route.uri else { return not_sent(format!("{} is no URL", route.url)) };
        let nonce = match self.shared.world.random() {
            Ok(random) => random % 999_999_999 + 1,
            Err(error) => return not_sent(format!("the system gives no random numbers: {error}")),
        };
        let seconds = self.clock.unix_seconds(self.shared.world.unix_ms());
        let body = params.sign(route, &self.account.credentials, self.account.sign_names, seconds, nonce);
        self.shared.world.post(url, &body, deadline, ahead, may_send)
    }
}

fn not_sent(message: String) -> Exchanged {
    Exchanged {
        result: Err(TransportError::NotSent(NotSent { code: &codes::CONNECT, message })),
        connect: Duration::ZERO,
        wait: Duration::ZERO,
    }
}
