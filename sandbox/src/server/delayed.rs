//! Delayed requests: executed after a time, or once their own reversal has overtaken them.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use crate::{
    faults::{Arrived, Hold},
    rules::Peek,
    words::words,
};

use super::{
    connection::Request,
    state::{Shared, lock},
};

/// The maximum number of delayed requests; beyond it the oldest is executed at once.
const DELAYED_MAX: usize = 200;

/// A delayed request.
struct Late {
    number: u64,
    until_reversed: bool,
    peek: Peek,
    request: Request,
}

/// The delayed requests, the oldest first.
#[derive(Default)]
pub(super) struct Delayed(VecDeque<Late>);

impl Delayed {
    fn take(&mut self, wanted: impl Fn(&Late) -> bool) -> Option<Late> {
        let at = self.0.iter().position(wanted)?;
        self.0.remove(at)
    }
}

impl Shared {
    /// Delays a request.
    pub(super) fn delay(self: &Arc<Self>, hold: Hold, number: u64, peek: Peek, request: Request) {
        let Hold { ms, until_reversed } = hold;
        let oldest = {
            let mut queue = lock(&self.delayed);
            queue.0.push_back(Late { number, until_reversed, peek, request });
            if queue.0.len() > DELAYED_MAX { queue.0.pop_front() } else { None }
        };
        if let Some(oldest) = oldest {
            self.deliver(oldest);
        }
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            let late = lock(&shared.delayed).take(|late| late.number == number);
            if let Some(late) = late {
                shared.deliver(late);
            }
        });
    }

    /// Executes the requests that were delayed until their reversal.
    pub(super) fn deliver_overtaken(&self, biz_id: &str) {
        let wanted = |late: &Late| late.until_reversed && late.peek.biz_id.as_deref() == Some(biz_id);
        loop {
            let late = lock(&self.delayed).take(wanted);
            match late {
                Some(late) => self.deliver(late),
                None => return,
            }
        }
    }

    fn deliver(&self, late: Late) {
        let Late { number, peek, request, .. } = late;
        let Request { method, target, body, .. } = &request;
        let arrived = Arrived { now: self.now(), method, target, body };
        let mut answer = arrived.handled(&mut self.gateway());
        answer.note.explanation = words!(
            "it was held up and arrives only now: {en}",
            "在途中滞留，现在才到达：{zh}",
            en = answer.note.explanation.en,
            zh = answer.note.explanation.zh,
        );
        self.log(number, &request, peek, None, Some(answer));
    }
}
