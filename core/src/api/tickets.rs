//! Calls that do not block, for hosts that cannot take a callback on a foreign thread: a call is started and returns a
//! ticket, which the host polls for the answer. A consume's answer is never lost: it is in the journal.

use std::collections::HashMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::Library;
use crate::json::push_string;
use crate::outcome::{Answer, Outcome, Problem, codes};

/// How many calls may be running or waiting to be fetched. Each costs a thread while it runs.
pub(crate) const MOST_TICKETS: usize = 64;

/// The function of a request, by the name that a host passes.
type Function = fn(&Library, &str) -> Answer;

/// The operations that can be started: the name, the function, and the outcome that a panic in it means.
const OPERATIONS: [(&str, Function, Outcome); 8] = [
    ("coupon_quote", Library::quote, Outcome::Internal),
    ("consume", Library::consume, Outcome::Unknown),
    ("reverse", Library::reverse, Outcome::Unknown),
    ("lookup", Library::look_up, Outcome::Internal),
    ("pending", |library, request| library.pending(Some(request)), Outcome::Internal),
    ("recover", |library, request| library.recover(Some(request)), Outcome::Internal),
    ("confirm", Library::confirm, Outcome::Internal),
    ("settle", Library::settle, Outcome::Internal),
];

/// The operation of a ticket.
enum What {
    Function(Function, Outcome),
    Call(String),
}

/// The prefix of the action of a `call`: `call:member_lookup`.
const CALL: &str = "call:";

#[derive(Default)]
pub(super) struct Tickets {
    state: Mutex<TicketState>,
}

struct TicketState {
    last: u64,
    /// `None` while the call runs.
    calls: HashMap<u64, Option<Answer>>,
}

impl Default for TicketState {
    /// Starts at a random number, so that a ticket that a host kept from before a shutdown or a restart names no other
    /// call.
    fn default() -> TicketState {
        TicketState { last: getrandom::u64().unwrap_or_default() >> 16, calls: HashMap::new() }
    }
}

impl Tickets {
    fn state(&self) -> MutexGuard<'_, TicketState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Library {
    /// `zv_start_json`: begins a call on a thread of its own.
    pub fn begin(self: &Arc<Library>, operation: &str, request: &str) -> Answer {
        let function = OPERATIONS.into_iter().find(|(name, ..)| *name == operation);
        let what = match (operation.strip_prefix(CALL), function) {
            (Some(action), _) => Some(What::Call(action.to_owned())),
            (None, function) => function.map(|(_, function, on_panic)| What::Function(function, on_panic)),
        };
        let Some(what) = what else {
            let names: Vec<&str> = OPERATIONS.iter().map(|(name, ..)| *name).collect();
            let message = format!("must be one of {}, {CALL}ACTION", names.join(", "));
            return self.invalid(vec![Problem { path: "operation".to_owned(), message }]);
        };
        let Some(ticket) = self.new_ticket() else {
            let message = format!("{MOST_TICKETS} calls are running or wait to be fetched by zv_poll_json");
            return self.own(Outcome::NotSent, &codes::TICKETS, &message);
        };
        let (library, request) = (Arc::clone(self), zeroize::Zeroizing::new(request.to_owned()));
        let work = move || {
            let run = AssertUnwindSafe(|| match &what {
                What::Function(function, _) => function(&library, &request),
                What::Call(action) => library.call(action, &request),
            });
            let answer = panic::catch_unwind(run).unwrap_or_else(|_| {
                let outcome = if let What::Function(_, outcome) = what { outcome } else { Outcome::Internal };
                library.own(outcome, &codes::PANIC, "a defect of the library was caught; see the log")
            });
            library.tickets.state().calls.insert(ticket, Some(answer));
        };
        match thread::Builder::new().name("zvpos-ticket".to_owned()).spawn(work) {
            Ok(_) => self.running_answer(ticket),
            Err(error) => {
                self.tickets.state().calls.remove(&ticket);
                self.own(Outcome::NotSent, &codes::TICKETS, &format!("the system gives no thread: {error}"))
            }
        }
    }

    /// `zv_poll_json`: the answer, once; until then the answer that the call is running.
    pub fn poll(&self, ticket: &str) -> Answer {
        let number = ticket.parse::<u64>().ok();
        let mut state = self.tickets.state();
        match number.and_then(|number| Some((number, state.calls.get(&number)?.is_some()))) {
            None => {
                drop(state);
                let message = format!("there is no ticket {ticket:?}, or its answer was fetched already");
                self.own(Outcome::Unknown, &codes::NO_TICKET, &message)
            }
            Some((number, false)) => {
                drop(state);
                self.running_answer(number)
            }
            Some((number, true)) => {
                let answer = state.calls.remove(&number).flatten();
                drop(state);
                answer.unwrap_or_else(|| self.running_answer(number))
            }
        }
    }

    fn new_ticket(&self) -> Option<u64> {
        let mut state = self.tickets.state();
        if state.calls.len() >= MOST_TICKETS {
            return None;
        }
        state.last += 1;
        let ticket = state.last;
        state.calls.insert(ticket, None);
        Some(ticket)
    }

    /// Never `succeeded`: that word is reserved for the answer itself.
    fn running_answer(&self, ticket: u64) -> Answer {
        let mut data = String::from("{\"ticket\":");
        push_string(&mut data, &ticket.to_string());
        data.push('}');
        self.own(Outcome::Running, &codes::RUNNING, "").with_data(data)
    }
}
