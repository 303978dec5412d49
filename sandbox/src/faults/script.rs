//! What a fault does on the connection, step by step.

use crate::rules::{self, Answer};

use super::{
    Chosen, Fault,
    drift::drift,
    wire::{Content, HttpAnswer},
};

/// One step of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send these bytes in one piece.
    Send(Vec<u8>),
    /// Send these bytes one at a time, so many milliseconds apart.
    Trickle(Vec<u8>, u64),
    /// Do nothing for so many milliseconds.
    WaitMs(u64),
    /// Never answer; the connection stays until the other side closes it.
    Hang,
    /// End the connection with a reset.
    Reset,
    /// End the connection in order, though the answer may not be whole.
    Close,
    /// Close the gateway's port for so many milliseconds, and reset what is connected.
    ClosePort(u64),
}

const PORTAL: &str = "<!DOCTYPE html>\n<html><head><title>网络认证</title></head>\
    <body><h1>欢迎使用无线网络</h1><form action=\"/login\">手机号 <input name=\"phone\"><button>登录</button></form></body></html>\n";
const ERROR_PAGE: &str = "<html><head><title>Error</title></head><body><center><h1>Error</h1></center><hr>\
    <center>nginx</center></body></html>\n";

/// What happens without a fault.
pub(super) fn plain(answer: &Answer, date: &str) -> Vec<u8> {
    json(&answer.body.to_json(), answer.http_status, date).to_bytes()
}

fn json<'a>(body: &'a str, status: u16, date: &'a str) -> HttpAnswer<'a> {
    HttpAnswer { status, content: Content::Json, body, date }
}

fn page(status: u16, body: &str, date: &str) -> Vec<u8> {
    HttpAnswer { status, content: Content::Html, body, date }.to_bytes()
}

impl Step {
    /// The script of an answer without a fault.
    pub fn answer(answer: &Answer, date: &str) -> Vec<Self> {
        vec![Self::Send(plain(answer, date))]
    }
}

impl Chosen {
    /// The script of this fault. `answer` is the gateway's where the fault acts, else none.
    pub fn script(self, answer: Option<&Answer>, date: &str) -> Vec<Step> {
        // A fault that acts is only ever given with an answer; without one there is nothing to send.
        let whole = || answer.map(|answer| plain(answer, date)).unwrap_or_default();
        let parts = || {
            let body = answer.map(|answer| answer.body.to_json()).unwrap_or_default();
            (json(&body, answer.map_or(200, |answer| answer.http_status), date).head(), body.into_bytes())
        };
        let status =
            u16::try_from(self.number).ok().filter(|status| (200..600).contains(status)).unwrap_or(500);
        match self.fault {
            Fault::Refused => vec![Step::ClosePort(self.number), Step::Reset],
            Fault::Hang | Fault::HangAfter => vec![Step::Hang],
            Fault::ResetBefore | Fault::ResetAfter => vec![Step::Reset],
            Fault::StrayAnswer => {
                // In one piece, so that the stray answer lies waiting as soon as the first one is read.
                let stray = json(&rules::foreign_success().to_json(), 200, date).to_bytes();
                vec![Step::Send([whole(), stray].concat())]
            }
            Fault::Html200 | Fault::Html200After => vec![Step::Send(page(200, PORTAL, date))],
            Fault::Http500 | Fault::Http500After => vec![Step::Send(page(status, ERROR_PAGE, date))],
            Fault::CutBody => {
                let (mut bytes, body) = parts();
                let at = usize::try_from(self.number).unwrap_or(usize::MAX);
                bytes.extend(body.into_iter().take(at));
                vec![Step::Send(bytes), Step::Close]
            }
            Fault::DriftedTypes => {
                let body =
                    answer.map(|answer| drift(&answer.body, self.number).to_json()).unwrap_or_default();
                vec![Step::Send(
                    json(&body, answer.map_or(200, |answer| answer.http_status), date).to_bytes(),
                )]
            }
            Fault::SlowBody => {
                let (head, body) = parts();
                vec![Step::Send(head), Step::Trickle(body, self.number)]
            }
            Fault::LateAnswer => vec![Step::WaitMs(self.number), Step::Send(whole())],
            Fault::SystemError | Fault::SystemErrorAfter => {
                vec![Step::Send(json(&rules::system_error().to_json(), 200, date).to_bytes())]
            }
        }
    }
}
