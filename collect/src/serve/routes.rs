//! Which request gets which answer.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::http::{Head, Reply};
use super::shared::Shared;
use super::{JSON, guard};
use crate::page;
use crate::report::{self, DayReport, NotClosed, report_within, resolve_day};
use crate::store::{Kept, Store, StoreError, Till};
use crate::wire::{ALIVE_PATH, Accepted, Alive, BODY_MAX, Batch, PATH, Refused};
use crate::words::{Words, name};

/// The most bytes of what people send.
const ORDER_MAX: usize = 4096;

/// Who asks, before the body is read.
pub(super) enum Asked {
    /// A till that has proven itself ships a batch.
    Batch(Till),
    /// A till that has proven itself tells that it has no journal yet.
    Alive(Till),
    /// A person closes a day.
    Close,
    /// The answer does not depend on a body.
    Known(Reply),
}

impl Asked {
    /// The most bytes that the body may have.
    pub(super) fn longest(&self) -> usize {
        match self {
            Asked::Batch(_) => BODY_MAX,
            Asked::Alive(_) | Asked::Close | Asked::Known(_) => ORDER_MAX,
        }
    }
}

/// Reads from the head who asks for what.
pub(super) fn asked(shared: &Shared, head: &Head) -> Asked {
    match (head.method.as_str(), head.path.as_str()) {
        ("POST", PATH) => till(shared, head).map_or_else(Asked::Known, Asked::Batch),
        ("POST", ALIVE_PATH) => till(shared, head).map_or_else(Asked::Known, Asked::Alive),
        (_, PATH | ALIVE_PATH) => Asked::Known(refused(405, &Words::new("只接受 POST", "only POST"))),
        ("GET", "/health") => Asked::Known(ok(&json!({"ok": true}))),
        ("GET", path) if page::file(path).is_some() => Asked::Known(file(path)),
        ("GET", "/v1/chains" | "/v1/day") | ("POST", "/v1/close") => {
            match shared.admin().map(|admin| guard::refusal(head, admin.as_deref())) {
                Err(error) => Asked::Known(failed(&error)),
                Ok(Some((status, words))) => Asked::Known(refused(status, &words)),
                Ok(None) if head.method == "POST" => Asked::Close,
                Ok(None) => Asked::Known(seen(shared, head)),
            }
        }
        _ => Asked::Known(refused(404, &Words::new("没有这个地址", "there is nothing here"))),
    }
}

/// The answer, once the body is there.
pub(super) fn answer(shared: &Shared, asked: Asked, body: &[u8]) -> Reply {
    match asked {
        Asked::Known(reply) => reply,
        Asked::Batch(till) => take(shared, &till, body),
        Asked::Alive(till) => note_alive(shared, &till, body),
        Asked::Close => close(shared, body),
    }
}

fn till(shared: &Shared, head: &Head) -> Result<Till, Reply> {
    let unknown = || refused(401, &Words::new("令牌无效", "the token is not valid"));
    let token = head.token().ok_or_else(unknown)?;
    shared.writing(|store| store.till_of(token)).map_err(|error| failed(&error))?.ok_or_else(unknown)
}

fn take(shared: &Shared, till: &Till, body: &[u8]) -> Reply {
    let batch = match Batch::read(body) {
        Ok(batch) => batch,
        Err(why) => {
            return refused(
                400,
                &Words::new(format!("批次有误：{why}"), format!("the batch is wrong: {why}")),
            );
        }
    };
    match shared.writing(|store| store.accept(till, &batch, shared.now_ms())) {
        Ok(Kept::Yes { shipped }) => {
            ok(&Accepted { collector: shared.collector.clone(), records: batch.records.len(), shipped })
        }
        Ok(Kept::Missing { held }) => {
            let refused = Refused {
                error: format!("the collector has everything up to {held} only"),
                error_zh: format!("汇总库只有截至 {held} 的内容"),
                held: Some(held),
            };
            json_reply(409, &refused)
        }
        Ok(Kept::Foreign { till: other }) => {
            let words = Words::new(
                format!("这个日志属于收银机 {other}；如果是改名，请先运行 zv collect retire --till {other}"),
                format!(
                    "this journal is that of till {other}; if that one has another name now, zv collect retire --till {other} first"
                ),
            );
            refused(409, &words)
        }
        Err(error) => failed(&error),
    }
}

fn note_alive(shared: &Shared, till: &Till, body: &[u8]) -> Reply {
    let alive = match Alive::read(body) {
        Ok(alive) => alive,
        Err(why) => return refused(400, &Words::new(format!("内容有误：{why}"), why)),
    };
    match shared.writing(|store| store.is_empty(till, alive.day, shared.now_ms())) {
        Ok(()) => ok(&Accepted { collector: shared.collector.clone(), records: 0, shipped: 0 }),
        Err(error) => failed(&error),
    }
}

fn seen(shared: &Shared, head: &Head) -> Reply {
    let made = shared.reading(|store| {
        let chains = store.chains()?;
        if head.path == "/v1/chains" {
            let today = resolve_day("today", store.business_days()?, shared.now_ms());
            return Ok(Some(json!({"chains": chains, "today": today.map(zvpos_core::calendar::date)})));
        }
        let chain = head.parameter("chain").or_else(|| chains.first().cloned()).unwrap_or_default();
        let day = head.parameter("day").unwrap_or_else(|| "today".to_owned());
        let Some(day) = resolve_day(&day, store.business_days()?, shared.now_ms()) else { return Ok(None) };
        day_with_hours(shared, store, &chain, day).map(Some)
    });
    match made {
        Ok(Some(value)) => ok(&value),
        Ok(None) => refused(400, &no_day()),
        Err(error) => failed(&error),
    }
}

fn no_day() -> Words {
    Words::new("日期应如 2026-11-22", "a day is like 2026-11-22")
}

fn day_with_hours(
    shared: &Shared,
    store: &mut Store,
    chain: &str,
    day: i64,
) -> Result<serde_json::Value, StoreError> {
    store.snapshot(|store| {
        let report = report_within(store, chain, day, (shared.now_ms(), shared.silent_after_ms))?;
        Ok(json!({"report": report, "hours": store.hours(chain, day)?}))
    })
}

/// What a person sends to close a day.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    chain: String,
    day: String,
    by: String,
    /// The mark of the report that the person has seen, if what it lists is accepted.
    accept: Option<String>,
}

fn close(shared: &Shared, body: &[u8]) -> Reply {
    let order: Order = match serde_json::from_slice(body) {
        Ok(order) => order,
        Err(error) => {
            let words = Words::new(format!("内容有误：{error}"), format!("the order is wrong: {error}"));
            return refused(400, &words);
        }
    };
    let Some(by) = name(&order.by) else {
        return refused(
            400,
            &Words::new("请填写日结人（至多 64 字节）", "say who closes the day, in at most 64 bytes"),
        );
    };
    let times = (shared.now_ms(), shared.silent_after_ms);
    let closed = shared.writing(|store| {
        let days = store.business_days()?;
        Ok(resolve_day(&order.day, days, times.0)
            .map(|day| report::close(store, &order.chain, day, (by, order.accept.as_deref()), times)))
    });
    match closed {
        Ok(None) => refused(400, &no_day()),
        Ok(Some(Ok(report))) => ok(&json!({"report": report})),
        Ok(Some(Err(NotClosed::NotClean(report)))) => {
            let Words { zh, en } = reasons(&report);
            refused(409, &Words::new(format!("不能直接日结：{zh}"), format!("the day is not clean: {en}")))
        }
        Ok(Some(Err(NotClosed::Changed(report)))) => {
            let Words { zh, en } = reasons(&report);
            let words = Words::new(
                format!("情况有变化，请重新核对：{zh}"),
                format!("this has changed since it was accepted: {en}"),
            );
            refused(409, &words)
        }
        Ok(Some(Err(NotClosed::Failed(error)))) | Err(error) => failed(&error),
    }
}

fn reasons(report: &DayReport) -> Words {
    let join = |pick: fn(&Words) -> &str| report.reasons.iter().map(pick).collect::<Vec<_>>().join(", ");
    Words::new(join(|words| &words.zh), join(|words| &words.en))
}

fn file(path: &str) -> Reply {
    page::file(path).map_or_else(
        || refused(404, &Words::new("没有这个文件", "there is no such file")),
        |(kind, text)| Reply { status: 200, kind, body: text.as_bytes().to_vec() },
    )
}

pub(super) fn refused(status: u16, words: &Words) -> Reply {
    json_reply(status, &Refused { error: words.en.clone(), error_zh: words.zh.clone(), held: None })
}

/// What is wrong with the store goes to the log, and not to the one who asks.
fn failed(error: &StoreError) -> Reply {
    super::log(&format!("the store: {error}"));
    refused(500, &Words::new("汇总库出错，请稍后重试", "the store failed; try again later"))
}

fn ok(value: &impl Serialize) -> Reply {
    json_reply(200, value)
}

fn json_reply(status: u16, value: &impl Serialize) -> Reply {
    match serde_json::to_vec(value) {
        Ok(body) => Reply { status, kind: JSON, body },
        Err(error) => Reply {
            status: 500,
            kind: JSON,
            body: json!({"error": error.to_string()}).to_string().into_bytes(),
        },
    }
}
