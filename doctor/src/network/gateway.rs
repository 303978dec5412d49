//! The gateway itself: one look-up of a member that cannot exist, for each account. Of the known reads it is the one that
//! names no member, takes nothing and is answered by a business refusal, which the gateway only gives to a request whose
//! signature it has accepted. The clock is judged by the same answer.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use zvpos_core::clock::GatewayClock;
use zvpos_core::config::{Account, Config};
use zvpos_core::gateway::{CodeRules, Envelope, Operation, Params, Route, SignNames, Verdict};
use zvpos_core::schema::Ids;
use zvpos_core::transport::{Http, TransportError};

use super::Target;
use crate::report::Line;
use crate::run::Run;
use crate::words::{Words, words};

/// The time limit of one request.
const ANSWER: Duration = Duration::from_secs(6);
/// A member code that no platform assigns.
const NOBODY: &str = "zvpos-doctor";

pub(super) fn examine(run: &mut Run<'_>, config: &Config, reached: &BTreeSet<Target>) {
    let http = match Http::new(&config.transport) {
        Ok(http) => http,
        Err(why) => {
            return run.say(Line::failed(
                "tls",
                "",
                words!("tls 设置不可用：{why}", "the tls setting cannot be used: {why}"),
                words!("改正 tls 设置", "correct the tls setting"),
            ));
        }
    };
    let mut clocks = BTreeSet::new();
    for account in &config.accounts {
        let Some(route) = account.route(Operation::MemberLookup) else { continue };
        let Some(target) = Target::of(&route.url).filter(|target| reached.contains(target)) else { continue };
        let asking = Asking { http: &http, account, route, total: config.total };
        let name = account.name.clone().unwrap_or_default();
        if run.left().is_zero() {
            run.out_of_time("signature", &name);
            continue;
        }
        let first = asking.ask(run, 0, account.sign_names);
        let offset = first.as_ref().ok().and_then(|answer| answer.offset);
        // No Date is learnt from a proxy that answers for itself.
        let dated = target.https || !http.is_absolute();
        if first.is_ok() && dated && clocks.insert(target.clone()) {
            run.say(clock(&target.name(), offset));
        }
        let line = match first {
            Err(unanswered) => unanswered.line(&target.name()),
            Ok(answer) => asking.judge(run, &name, answer),
        };
        run.say(line);
    }
}

/// The request of one account.
struct Asking<'a> {
    http: &'a Http,
    account: &'a Account,
    route: &'a Route,
    total: Duration,
}

/// The gateway's own answer.
struct Answer {
    code: String,
    message: String,
    system_error: bool,
    /// The offset of the gateway's clock from the till's, with half of the round trip subtracted.
    offset: Option<Offset>,
}

/// What is known about the till's clock.
#[derive(Clone, Copy, Debug)]
struct Offset {
    /// The correction to add to the till's clock.
    seconds: f64,
    /// The error bound in either direction.
    uncertain: f64,
}

/// Why the gateway has not answered.
enum Unanswered {
    Nothing(String),
    NotGateway(String, Words),
}

impl Asking<'_> {
    /// Sends one request, signed for the till's time plus `correction_s`.
    fn ask(&self, run: &Run<'_>, correction_s: i64, names: SignNames) -> Result<Answer, Unanswered> {
        let url: http::Uri = self.route.url.parse().map_err(|e| Unanswered::Nothing(format!("{e}")))?;
        let defaults: Value = serde_json::from_str(&self.account.defaults).unwrap_or_default();
        let params = match defaults.get("multiMark") {
            Some(mark) => json!({"identifierNumber": NOBODY, "type": "1", "multiMark": mark}),
            None => json!({"identifierNumber": NOBODY, "type": "1"}),
        };
        let nonce = getrandom::u32().map_err(|e| Unanswered::Nothing(e.to_string()))? % 999_999_999 + 1;
        let now = SystemTime::now();
        let seconds = seconds_of(now).saturating_add(correction_s);
        let body = Params::from_json(params.to_string()).sign(
            self.route,
            &self.account.credentials,
            names,
            u64::try_from(seconds).unwrap_or_default(),
            nonce,
        );
        let exchanged = self.http.post(
            &url,
            &body,
            Instant::now() + ANSWER.min(self.total).min(run.left()),
            None,
            &|| Ok(()),
        );
        let answer = exchanged.result.map_err(|failure| {
            Unanswered::Nothing(match failure {
                TransportError::NotSent(why) => format!("{} {}", why.code.text, why.message),
                TransportError::Lost(doubt) => format!("{} {}", doubt.code, doubt.message),
            })
        })?;
        // The time to connect is not part of the round trip.
        let sent = now + exchanged.connect;
        let offset = answer.date.map(|date| offset(sent, exchanged.wait, date));
        let envelope = Envelope::read(answer.status, &answer.body)
            .map_err(|doubt| Unanswered::NotGateway(doubt.message, portal(answer.status, &answer.body)))?;
        let (code, message) = match envelope.judge_read(None, Ids::AsTheyCame) {
            Verdict::Refused(refusal) => (refusal.code, refusal.message),
            Verdict::Accepted(_) => ("0".to_owned(), String::new()),
            Verdict::Doubt(doubt) => (doubt.code, doubt.message),
        };
        Ok(Answer { code, message, system_error: envelope.is_system_error(), offset })
    }

    /// Judges the signature by the answer; after a refusal, further requests tell the possible reasons apart.
    fn judge(&self, run: &Run<'_>, name: &str, answer: Answer) -> Line {
        let answer = if answer.code == CodeRules::NONCE {
            self.ask(run, 0, self.account.sign_names).unwrap_or(answer)
        } else {
            answer
        };
        if answer.code != CodeRules::SIGNATURE {
            return accepted(name, &answer);
        }
        let (code, message) = (&answer.code, &answer.message);
        let found = words!("签名被拒绝（{code} {message}）", "the signature is refused ({code} {message})");
        let line = |remedy: Words, cause: &str| {
            Line::failed("signature", name, found.clone(), remedy)
                .with("cause", cause)
                .with("code", code.as_str())
        };
        let correction = answer.offset.map_or(0, Offset::whole);
        let accepts = |correction: i64, names: SignNames| {
            self.ask(run, correction, names).is_ok_and(|answer| answer.code != CodeRules::SIGNATURE)
        };
        if correction != 0 && accepts(correction, self.account.sign_names) {
            let line = Line::warning(
                "signature",
                name,
                words!(
                    "按本机时间签名被拒绝，按网关时间签名被接受；本库会自动校正",
                    "refused with the till's time, accepted with the gateway's; the library corrects it by itself"
                ),
                words!(
                    "校准本机时间并打开自动对时（NTP）",
                    "set the till's clock and let it keep itself right (NTP)"
                ),
            );
            return line.with("cause", "clock").with("code", code.as_str());
        }
        let (other, word) = match self.account.sign_names {
            SignNames::Lower => (SignNames::AsSent, "as_sent"),
            SignNames::AsSent => (SignNames::Lower, "lower"),
        };
        if accepts(correction, other) {
            return line(
                words!(
                    "设置 \"sign_names\": \"{word}\"，这样签名即被接受",
                    "set \"sign_names\": \"{word}\": so it is accepted"
                ),
                "sign_names",
            );
        }
        line(
            words!(
                "时间与名称拼写已排除。核对 openId、grantCode、openKey 是否属于同一应用、是否复制完整、openKey 是否被重置；再请企迈确认该授权已开通接口、multiMark 是该授权下的门店",
                "the clock and the spelling of names are not it. Look whether openId, grantCode and openKey are of one application and copied whole, and whether the key was replaced; then ask the vendor whether the grant has this interface and multiMark is a store of it"
            ),
            "credentials",
        )
    }
}

/// The gateway accepted the signature, or failed before it checked it.
fn accepted(name: &str, answer: &Answer) -> Line {
    let (code, message) = (&answer.code, &answer.message);
    if answer.system_error {
        return Line::warning(
            "signature",
            name,
            words!(
                "网关报系统错误（{code} {message}），看不出签名是否被接受",
                "the gateway answers with a system error ({code} {message}), which does not show whether it took the signature"
            ),
            words!(
                "稍后再试；持续如此时，把此代码告知企迈，并核对 member_lookup 接口",
                "try again later; if it stays, tell the vendor this code and look at the route member_lookup"
            ),
        )
        .with("code", code.as_str());
    }
    let found = words!(
        "签名被接受（查询不存在的会员，应答 {code} {message}）",
        "is accepted (asked for a member that does not exist; the answer: {code} {message})"
    );
    Line::ok("signature", name, found).with("code", code.as_str())
}

impl Offset {
    /// Whole seconds to sign with; zero if the offset is within the uncertainty.
    fn whole(self) -> i64 {
        let rounded = self.seconds.abs().min(1e15).round();
        // Exact: the number is whole and far below 2^53.
        let text = format!("{rounded:.0}");
        let seconds: i64 = text.parse().unwrap_or(0);
        match self.seconds {
            s if s.abs() <= self.uncertain + 1.0 => 0,
            s if s < 0.0 => -seconds,
            _ => seconds,
        }
    }
}

/// A `Date` counts whole seconds and was written about half a round trip after the request was sent.
fn offset(sent: SystemTime, round_trip: Duration, date: SystemTime) -> Offset {
    let seconds = |time: SystemTime| match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    };
    let half = round_trip.as_secs_f64() / 2.0;
    Offset { seconds: seconds(date) + 0.5 - (seconds(sent) + half), uncertain: half + 0.5 }
}

fn seconds_of(time: SystemTime) -> i64 {
    crate::run::unix_ms(time).div_euclid(1000)
}

fn clock(about: &str, offset: Option<Offset>) -> Line {
    let Some(offset) = offset else {
        return Line::warning(
            "clock",
            about,
            words!("应答没有 Date，无法核对时间", "the answer has no Date, so the clock cannot be compared"),
            words!("用手机核对本机的日期和时间", "compare the machine's date and time with a telephone's"),
        );
    };
    let (seconds, uncertain) = (offset.whole(), format!("{:.1}", offset.uncertain));
    let line = if seconds.abs() <= GatewayClock::WARN_S {
        let off = seconds.abs();
        Line::ok(
            "clock",
            about,
            words!(
                "与网关相差 {off} 秒（误差 ±{uncertain} 秒）",
                "{off} s from the gateway's (±{uncertain} s)"
            ),
        )
    } else {
        let off = seconds.abs();
        let (zh, en) = if seconds > 0 { ("慢", "behind") } else { ("快", "ahead of") };
        Line::warning(
            "clock",
            about,
            words!(
                "本机时间比网关{zh} {off} 秒（误差 ±{uncertain} 秒）",
                "{off} s {en} the gateway's (±{uncertain} s)"
            ),
            words!(
                "校准日期、时间和时区并打开自动对时（NTP）：时间不对时签名被拒绝（110004），日结日期也会错",
                "set date, time and time zone and let the clock keep itself right (NTP): a wrong one is refused (110004) and puts sales on the wrong day"
            ),
        )
    };
    line.with("offset_s", seconds)
}

/// What intercepts the connection, if the answer is not the gateway's.
fn portal(status: u16, body: &[u8]) -> Words {
    let text = String::from_utf8_lossy(body);
    let is_page = text.trim_start().starts_with('<') || (300..400).contains(&status) || status == 511;
    if !is_page {
        return words!(
            "核对 endpoint 是否为企迈的接口地址；地址正确时稍后再试，并联系企迈",
            "look whether endpoint is the vendor's URL; if it is, try later and ask the vendor"
        );
    }
    let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    let title: String = title.map(|(title, _)| title.trim().chars().take(60).collect()).unwrap_or_default();
    words!(
        "应答是网页（{title}）：在浏览器中完成上网认证（门户），或让网管、杀毒软件放行网关；也请核对 endpoint",
        "the answer is a web page ({title}): log in to the network's portal in a browser, or have the firewall let the gateway through; look at endpoint, too"
    )
}

impl Unanswered {
    fn line(self, about: &str) -> Line {
        match self {
            Unanswered::Nothing(why) => Line::failed(
                "gateway",
                about,
                words!("没有应答：{why}", "no answer: {why}"),
                words!(
                    "网络时好时坏或网关停用：稍后再试，再联系企迈",
                    "the network is unsteady or the gateway is down: try later, then ask the vendor"
                ),
            ),
            Unanswered::NotGateway(why, remedy) => Line::failed(
                "gateway",
                about,
                words!("应答不是网关的：{why}", "the answer is not the gateway's: {why}"),
                remedy,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_round_trip_is_taken_into_account() {
        let sent = UNIX_EPOCH + Duration::from_secs(1000);
        // The answer of a server with the right time, written after two of four seconds.
        let right = offset(sent, Duration::from_secs(4), UNIX_EPOCH + Duration::from_secs(1002));
        assert_eq!(right.whole(), 0);
        let day = offset(sent, Duration::from_secs(4), UNIX_EPOCH + Duration::from_secs(1002 + 86_400));
        assert!((86_399..=86_401).contains(&day.whole()));
        let ahead = offset(sent, Duration::ZERO, UNIX_EPOCH + Duration::from_mins(15));
        assert!((-100..=-99).contains(&ahead.whole()));
    }

    #[test]
    fn an_html_page_is_reported_as_a_portal() {
        assert!(portal(200, b"<html><title> Hotel </title>").en.contains("(Hotel)"));
        assert!(portal(302, b"").en.contains("portal"));
        assert!(portal(502, b"bad").en.contains("endpoint"));
    }
}
