//! The steps of a fault on the connection.

use crate::rules::{self, Answer, JsonValue, codes, inner_refusal, refusal};

use super::{
    Chosen, Fault, tamper,
    type_drift::drift,
    wire::{Content, HttpAnswer},
};

/// One step of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send these bytes in one piece.
    Send(Vec<u8>),
    /// Send these bytes one at a time, with this many milliseconds between them.
    Trickle(Vec<u8>, u64),
    /// Do nothing for this many milliseconds.
    WaitMs(u64),
    /// Never answer; keep the connection until the peer closes it.
    Hang,
    /// Reset the connection.
    Reset,
    /// Close the connection in order, even if the answer is incomplete.
    Close,
    /// Wait until the peer sends something, then reset the connection.
    ResetOnNext,
    /// Block the gateway's port for this many milliseconds, and reset its connections.
    Block(Blockage, u64),
}

/// How a port is unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blockage {
    /// Nobody listens: connections are refused.
    Closed,
    /// Its backlog is full: connections hang.
    Full,
    /// Connections are established, but never read.
    Unread,
}

impl Fault {
    /// How it blocks the whole port, if it does.
    pub fn blockage(self) -> Option<Blockage> {
        match self {
            Self::Refused => Some(Blockage::Closed),
            Self::ConnectHangs => Some(Blockage::Full),
            Self::AcceptHangs => Some(Blockage::Unread),
            _ => None,
        }
    }
}

const PORTAL: &str = "<!DOCTYPE html>\n<html><head><title>网络认证</title></head>\
    <body><h1>欢迎使用无线网络</h1><form action=\"/login\">手机号 <input name=\"phone\"><button>登录</button></form></body></html>\n";
const ERROR_PAGE: &str = "<html><head><title>Error</title></head><body><center><h1>Error</h1></center><hr>\
    <center>nginx</center></body></html>\n";
/// What PHP adds to an answer when it displays its warnings.
const NOTICE: &str =
    "\n<br />\n<b>Notice</b>:  Undefined index: shop_id in <b>index.php</b> on line <b>17</b><br />\n";
const PORTAL_URL: &str = "http://portal.invalid/login";
/// A TLS alert: fatal, handshake failure (RFC 8446, section 6).
const TLS_ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

fn json<'a>(body: &'a str, status: u16, date: &'a str) -> HttpAnswer<'a> {
    HttpAnswer { status, content: Content::Json, body, date }
}

fn page<'a>(status: u16, body: &'a str, date: &'a str) -> HttpAnswer<'a> {
    HttpAnswer { status, content: Content::Html, body, date }
}

impl Step {
    /// The script of an answer without a fault.
    pub fn answer(answer: &Answer, date: &str) -> Vec<Self> {
        vec![Self::Send(json(&answer.body.to_json(), answer.http_status, date).to_bytes())]
    }
}

impl Chosen {
    /// The script of this fault. `answer` is the gateway's if the fault acts at once, otherwise `None`.
    pub fn script(self, answer: Option<&Answer>, date: &str) -> Vec<Step> {
        if let Some(blockage) = self.fault.blockage() {
            return vec![Step::Block(blockage, self.number), Step::Reset];
        }
        if let Some(instead) = self.instead(date) {
            return instead;
        }
        // The remaining faults change the gateway's answer; without one there is nothing to send.
        let Some(answer) = answer else { return Vec::new() };
        match self.forged(&answer.body) {
            Some(body) => vec![Step::Send(json(&body, answer.http_status, date).to_bytes())],
            None => self.mangled(answer, date),
        }
    }

    /// The steps of a fault that does not depend on the gateway's answer.
    fn instead(self, date: &str) -> Option<Vec<Step>> {
        let said = |body: &JsonValue| Some(vec![Step::Send(json(&body.to_json(), 200, date).to_bytes())]);
        let shown = |page: HttpAnswer| Some(vec![Step::Send(page.to_bytes())]);
        match self.fault {
            Fault::Hang | Fault::HangAfter | Fault::TlsHangs | Fault::LateArrival | Fault::Overtaken => {
                Some(vec![Step::Hang])
            }
            Fault::ResetDuring | Fault::ResetBefore | Fault::ResetAfter | Fault::Outage => {
                Some(vec![Step::Reset])
            }
            Fault::TlsFails => Some(vec![Step::Send(TLS_ALERT.to_vec()), Step::Close]),
            Fault::Html200 | Fault::Html200After => shown(page(200, PORTAL, date)),
            Fault::Http500 | Fault::Http500After => shown(page(self.status(500), ERROR_PAGE, date)),
            Fault::Redirect => {
                let field = format!("Location: {PORTAL_URL}");
                Some(vec![Step::Send(page(self.status(302), "", date).with(&field))])
            }
            Fault::Http429 => Some(vec![Step::Send(page(429, ERROR_PAGE, date).with("Retry-After: 1"))]),
            Fault::SystemError | Fault::SystemErrorAfter => said(&rules::system_error()),
            Fault::Declined => said(&refusal(true, codes::BALANCE, "余额不足")),
            Fault::RateLimited => said(&refusal(true, codes::TOO_MANY, "请求过于频繁，请稍后再试")),
            Fault::WordCode => said(&refusal(true, codes::IN_WORDS, "余额不足")),
            Fault::Processing => said(&refusal(true, codes::PROCESSING, "交易处理中，请稍后查询结果")),
            Fault::InnerRefusal => said(&inner_refusal(codes::BALANCE, "余额不足")),
            Fault::NonceRefused => said(&refusal(false, codes::NONCE, "请更换随机数后重试")),
            Fault::ReverseRefused => said(&refusal(true, codes::REVERSE_REFUSED, "不允许冲正")),
            Fault::ReverseTooLate => said(&refusal(true, codes::REVERSE_TOO_LATE, "超过冲正时限")),
            Fault::ReverseNotFound => said(&refusal(true, codes::REVERSE_NOT_FOUND, "原业务不存在")),
            Fault::ReverseWithoutActing => said(&refusal(true, codes::REVERSE_ALREADY, "该业务已冲正")),
            _ => None,
        }
    }

    /// The text of a falsified answer.
    fn forged(self, body: &JsonValue) -> Option<String> {
        match self.fault {
            Fault::DriftedTypes => Some(drift(body, self.number).to_json()),
            Fault::TrailingText => Some(body.to_json() + NOTICE),
            Fault::DuplicateKeys => Some(tamper::twice_said(body).to_json()),
            Fault::NoData => Some(tamper::without_data(body).to_json()),
            Fault::WrongAmount => Some(tamper::more_taken(body, self.number).to_json()),
            Fault::OtherCoupons => Some(tamper::other_coupons(body).to_json()),
            Fault::CouponRefusal => Some(tamper::refused_with_data(body).to_json()),
            Fault::EmptyFields => Some(tamper::emptied(body).to_json()),
            Fault::FourDecimals => Some(tamper::four_decimals(body).to_json()),
            _ => None,
        }
    }

    /// The gateway's answer, damaged by HTTP or the network.
    fn mangled(self, answer: &Answer, date: &str) -> Vec<Step> {
        let body = answer.body.to_json();
        let http = json(&body, answer.http_status, date);
        let count = usize::try_from(self.number).unwrap_or(usize::MAX);
        match self.fault {
            Fault::LateAnswer => vec![Step::WaitMs(self.number), Step::Send(http.to_bytes())],
            Fault::SlowBody => vec![Step::Send(http.head()), Step::Trickle(body.into_bytes(), self.number)],
            Fault::CutHead => {
                vec![Step::Send(http.head().into_iter().take(count).collect()), Step::Close]
            }
            Fault::CutBody => {
                let cut = body.bytes().take(count);
                vec![Step::Send(http.head().into_iter().chain(cut).collect()), Step::Close]
            }
            Fault::WrongLength => vec![Step::Send(http.with_length(body.len().saturating_sub(count)))],
            Fault::Chunked => vec![Step::Send(http.chunked(count.max(1), body.len(), true))],
            Fault::ChunkedCut => vec![Step::Send(http.chunked(16, count, false)), Step::Close],
            Fault::StrayAnswer => {
                // In one piece, so that the stray answer is in the buffer as soon as the first one is read.
                let stray = json(&rules::foreign_success().to_json(), 200, date).to_bytes();
                vec![Step::Send([http.to_bytes(), stray].concat())]
            }
            Fault::IdleReset => vec![Step::Send(http.to_bytes()), Step::ResetOnNext],
            _ => vec![Step::Send(http.to_bytes())],
        }
    }

    fn status(self, usual: u16) -> u16 {
        u16::try_from(self.number).ok().filter(|status| (200..600).contains(status)).unwrap_or(usual)
    }
}
