//! What happens to a request at the gateway's socket: the fault is selected, the gateway acts or not, the log has a line.

use std::sync::{Arc, atomic::Ordering};
use std::time::Duration;

use crate::{
    faults::{Arrived, Chosen, Content, Hold, HttpAnswer, Impossible, Meets, Step},
    rules::{self, Answer, Note, Now, Operation, Peek, codes, http_date},
    words::{Words, words},
};

use super::{
    connection::Request,
    delayed::Late,
    state::{Shared, lock, not_handled},
};

impl Shared {
    /// After how many bytes to cut off the request, of which only the head is known.
    pub(super) fn cut_request_at(&self, request: &Request) -> Option<u64> {
        let chosen = self.faults().cut_request(request.fault.as_deref())?;
        let explanation = words!(
            "the connection is reset in the middle of the request: nothing done",
            "请求收到一半时连接被重置：未做任何处理",
        );
        self.hit(request, Some(chosen), explanation);
        Some(chosen.number)
    }

    /// The steps on a connection that starts with a TLS handshake. Without a fault the answer says that this is HTTP.
    pub(super) fn handshake(&self) -> Vec<Step> {
        let chosen = self.faults().choose_handshake();
        let request = Request { method: "TLS".to_owned(), ..Request::default() };
        let explanation = words!(
            "a TLS handshake: the endpoint is https://, and this port speaks http",
            "TLS 握手：接口地址是 https://，而本端口只支持 http",
        );
        self.hit(&request, chosen, explanation);
        let date = http_date(self.now().signing_ms.div_euclid(1000));
        match chosen {
            Some(chosen) => chosen.script(None, &date),
            None => vec![said(400, "this port speaks http, not https", &date), Step::Close],
        }
    }

    /// Counts and logs a request that never became complete.
    fn hit(&self, request: &Request, chosen: Option<Chosen>, explanation: Words) {
        let number = self.counters.requests.fetch_add(1, Ordering::Relaxed) + 1;
        self.counters.faults.fetch_add(u64::from(chosen.is_some()), Ordering::Relaxed);
        self.log_note(
            number,
            request,
            chosen,
            Note { rule: "connection", explanation, ..Note::default() },
            None,
        );
    }

    /// Handles a request at the gateway's socket: selects the fault, lets the gateway act or not, writes the log, and
    /// returns the steps on the connection.
    pub(super) fn handle(self: &Arc<Self>, request: &Request) -> Vec<Step> {
        let number = self.counters.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let Request { method, target, body, .. } = request;
        let now = self.now();
        let arrived = Arrived { now, method, target, body };
        let peek = rules::peek(target, body);
        let chosen = match self.choose(request, &peek, now) {
            Ok(chosen) => chosen,
            Err(impossible) => return self.refuse(number, request, peek, impossible),
        };
        let (answer, date) = {
            let mut gateway = self.gateway();
            let seen = chosen.map_or(now, |chosen| chosen.time(now));
            let date = http_date(gateway.clock(seen.signing_ms).div_euclid(1000));
            let answer = match chosen {
                None => Some(arrived.handled(&mut gateway)),
                Some(chosen) => chosen.act(&mut gateway, &arrived),
            };
            (answer, date)
        };
        let steps = match (chosen, &answer) {
            (None, Some(answer)) => Step::answer(answer, &date),
            (Some(chosen), answer) => chosen.script(answer.as_ref(), &date),
            (None, None) => Vec::new(),
        };
        if chosen.is_some() {
            self.counters.faults.fetch_add(1, Ordering::Relaxed);
        }
        let reversed = reversed_by(&peek, chosen);
        self.log(number, request, peek.clone(), chosen, answer);
        if let Some(hold) = chosen.and_then(Chosen::hold) {
            self.delay(hold, number, peek, request.clone());
        }
        if let Some(biz_id) = reversed {
            self.deliver_overtaken(&biz_id);
        }
        steps
    }

    /// The fault for a request. A reversal is matched by the sale that it reverses.
    fn choose(&self, request: &Request, peek: &Peek, now: Now) -> Result<Option<Chosen>, Impossible> {
        let mut selecting = peek.clone();
        if matches!(peek.operation, Some(Operation::Reverse | Operation::CouponReverse)) {
            let gateway = self.gateway();
            if let Some((biz_id, amount)) = peek.biz_id.as_deref().and_then(|biz_id| gateway.sale(biz_id)) {
                selecting.biz_id = Some(biz_id.to_owned());
                selecting.amount = Some(amount);
            }
        }
        self.faults().choose(request.fault.as_deref(), &selecting, now.business_ms)
    }

    /// Refuses a request that selects an impossible fault: nothing is executed, and the message says why.
    fn refuse(&self, number: u64, request: &Request, peek: Peek, impossible: Impossible) -> Vec<Step> {
        let date = http_date(self.gateway().clock(self.now().signing_ms).div_euclid(1000));
        let (why, steps) = match impossible {
            Impossible::Header(why) => {
                let steps = vec![said(400, &format!("X-Zv-Fault: {why}"), &date)];
                (why, steps)
            }
            Impossible::BizId(why) => {
                let body = rules::refusal(false, codes::BAD_PARAMS, &format!("参数错误：bizId: {why}"));
                let answer = Answer { http_status: 200, body, note: Note::default() };
                (why, Step::answer(&answer, &date))
            }
        };
        let note = Note { explanation: why, code: codes::BAD_PARAMS.to_owned(), ..not_handled(peek) };
        self.log_note(number, request, None, note, None);
        steps
    }

    /// Delays a request.
    fn delay(self: &Arc<Self>, hold: Hold, number: u64, peek: Peek, request: Request) {
        let Hold { ms, until_reversed } = hold;
        let late = Late { number, until_reversed, peek, request };
        let oldest = lock(&self.delayed).add(late);
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
    fn deliver_overtaken(&self, biz_id: &str) {
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

/// The bizId that a reversal names, if the gateway has answered it: a reversal that a fault kept from the gateway has
/// overtaken nothing.
fn reversed_by(peek: &Peek, chosen: Option<Chosen>) -> Option<String> {
    let row = chosen.map(|chosen| chosen.fault.row());
    let answered = row.is_none_or(|row| row.acts || row.meets == Meets::Reverse);
    peek.biz_id.clone().filter(|_| answered && peek.operation == Some(Operation::Reverse))
}

/// A message for the programmer of the till, in JSON.
fn said(status: u16, why: &str, date: &str) -> Step {
    let body = serde_json::json!({"error": why}).to_string();
    Step::Send(HttpAnswer { status, content: Content::Json, body: &body, date }.to_bytes())
}
