//! The gateway's wire format: how a request is signed and written, how an answer is read and what it proves. Nothing
//! here does I/O. Facts carry their source: DOC (the vendor's pages), SEEN (public integrations), OPEN (not known;
//! the library must work either way or be configured). All of them are in docs/gateway.md.

pub mod action;
mod answer;
mod consume;
mod environment;
mod quote;
mod request;
mod reverse;
mod route;
mod sign;

pub use answer::{
    Accepted, Balance, BalanceRules, CodeRules, Doubt, Envelope, GatewayStatus, NotSent, Refusal, Sign,
    Verdict, repaired_read,
};
pub use consume::{ANSWER as CONSUME_ANSWER, ConsumeRequest, Identity, Origin, REQUEST as CONSUME_REQUEST};
pub use environment::{PRODUCTION, environment_of};
pub use quote::{ANSWER as QUOTE_ANSWER, Basket, Question, QuoteRequest, REQUEST as QUOTE_REQUEST};
pub(crate) use request::{ACCOUNT, JOURNAL_ID, rounded_ids};
pub use request::{Params, RequestRules, Wiped};
pub(crate) use reverse::ReverseRules;
pub use reverse::Reversed;
pub use route::{Generation, Operation, Route};
pub use sign::{Credentials, SignNames};
