//! The calls of the C ABI that take one request: each has a schema, a function of the library, and what is at stake
//! when the user interrupts it.

use std::process::ExitCode;

use clap::Args;
use zvpos_core::api::{
    CONFIRM_REQUEST, LOOKUP_REQUEST, Library, PENDING_REQUEST, REVERSE_REQUEST, SETTLE_REQUEST,
};
use zvpos_core::gateway::{CONSUME_REQUEST, QUOTE_REQUEST};
use zvpos_core::outcome::Answer;
use zvpos_core::schema::Schema;

use crate::exit::Failure;
use crate::fields::{Fields, Table};
use crate::request;
use crate::settings::Common;
use crate::till::{Recipient, Till, or_failure};
use crate::wait::Stakes;

/// One such call.
pub(crate) trait Call: Table {
    /// The activity, for the progress line.
    const WHAT: &'static str;
    /// What is at stake when the user interrupts the call.
    const STAKES: Stakes;
    /// The function that takes the request's text.
    const RUN: fn(&Library, &str) -> Answer;
}

/// The arguments of a call.
#[derive(Args, Debug)]
pub(crate) struct Arguments<T: Call + Send + Sync + 'static> {
    #[command(flatten)]
    fields: Fields<T>,

    /// The request as JSON, - for standard input; the other options override its fields
    #[arg(long, value_name = "FILE", help_heading = "Request")]
    request: Option<String>,

    #[command(flatten)]
    common: Common,
}

impl<T: Call + Send + Sync + 'static> Arguments<T> {
    /// Makes the call.
    pub(crate) fn run(mut self) -> ExitCode {
        let request = match self.request() {
            Ok(request) => request,
            Err(failure) => return failure.say(),
        };
        match Till::start(&self.common) {
            Ok(till) => {
                till.ask(T::WHAT, T::STAKES, Recipient::Till, move |library| (T::RUN)(library, &request))
            }
            Err(ended) => ended,
        }
    }

    fn request(&mut self) -> Result<String, Failure> {
        if T::begins_a_sale() && self.fields.text("bizId") == Some("auto") {
            self.fields.set("bizId", request::new_biz_id()?);
        }
        request::text(self.request.as_deref(), &self.fields.members()?)
    }
}

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident $schema:ident $run:expr, $stakes:ident $what:literal;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(crate) struct $name;

            impl Table for $name {
                fn schema() -> &'static Schema {
                    &$schema
                }
            }

            impl Call for $name {
                const WHAT: &'static str = $what;
                const STAKES: Stakes = Stakes::$stakes;
                const RUN: fn(&Library, &str) -> Answer = $run;
            }
        )+
    };
}

calls! {
    /// `zv_coupon_quote_json`
    Quote QUOTE_REQUEST Library::quote, Nothing "waiting for the gateway";
    /// `zv_consume_json`
    Consume CONSUME_REQUEST Library::consume, Money "waiting for the gateway";
    /// `zv_reverse_json`
    Reverse REVERSE_REQUEST Library::reverse, Money "waiting for the gateway";
    /// `zv_lookup_json`
    Lookup LOOKUP_REQUEST Library::look_up, Nothing "reading the journal";
    /// `zv_pending_json`
    Pending PENDING_REQUEST |library, request| library.pending(Some(request)), Nothing "reading the journal";
    /// `zv_confirm_json`
    Confirm CONFIRM_REQUEST Library::confirm, Nothing "writing the journal";
    /// `zv_settle_json`
    Settle SETTLE_REQUEST Library::settle, Nothing "writing the journal";
}

/// Runs a call whose request is complete.
pub(crate) fn ask(
    common: &Common,
    what: &str,
    recipient: Recipient,
    call: impl FnOnce(&Library) -> Answer + Send + 'static,
) -> ExitCode {
    match Till::start(common) {
        Ok(till) => till.ask(what, Stakes::Nothing, recipient, call),
        Err(ended) => ended,
    }
}

/// As [`ask`], for a request that may already be invalid.
pub(crate) fn ask_with(
    common: &Common,
    what: &str,
    request: Result<String, Failure>,
    call: impl FnOnce(&Library, &str) -> Answer + Send + 'static,
) -> ExitCode {
    or_failure(
        request.map(|request| ask(common, what, Recipient::Till, move |library| call(library, &request))),
    )
}
