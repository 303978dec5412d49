//! The check of the signature (docs/gateway.md, section 2), and the explanation of a failed one.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::{
    answer::Refusal,
    codes,
    envelope::Envelope,
    operation::Generation,
    policy::{Policy, SignNames},
    seed::Account,
};
use crate::words::{Words, words};

/// The signed text: the four fields, sorted by name.
pub(super) fn signed_text(envelope: &Envelope, names: SignNames) -> String {
    let Envelope { open_id, grant_code, timestamp, nonce, .. } = envelope;
    // Both spellings sort in the same order.
    if names == SignNames::AsSent && envelope.generation == Generation::V2 {
        format!("GrantCode={grant_code}&Nonce={nonce}&OpenId={open_id}&Timestamp={timestamp}")
    } else {
        format!("grantCode={grant_code}&nonce={nonce}&openId={open_id}&timestamp={timestamp}")
    }
}

/// HMAC-SHA1 in standard Base64, not yet percent-encoded.
fn base64_token(open_key: &str, text: &str) -> String {
    // HMAC takes a key of any length; the error cannot happen, and an empty token matches nothing.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(open_key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The token as it appears in the body.
pub fn token(open_key: &str, text: &str) -> String {
    percent_encoded(&base64_token(open_key, text))
}

fn percent_encoded(base64: &str) -> String {
    base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// The used nonces, so that each is valid once (SEEN). A nonce counts together with its timestamp: the token belongs to
/// both, and under load one of 999,999,999 alone would repeat by chance (SANDBOX).
#[derive(Clone, Debug, Default)]
pub(super) struct Nonces(BTreeSet<(i64, usize, u64)>);

impl Nonces {
    /// Records a nonce; false if it was used before.
    fn note(&mut self, timestamp: i64, account: usize, nonce: u64, policy: &Policy, now_s: i64) -> bool {
        let fresh = self.0.insert((timestamp, account, nonce));
        let oldest = now_s.saturating_sub(window(policy));
        while self.0.first().is_some_and(|first| first.0 < oldest) || self.0.len() > policy.nonces_max.max(1)
        {
            self.0.pop_first();
        }
        fresh
    }
}

fn window(policy: &Policy) -> i64 {
    i64::try_from(policy.timestamp_window_s).unwrap_or(i64::MAX)
}

/// Admits a request or refuses it. Returns the account's index in the seed data.
pub(super) fn check(
    envelope: &Envelope,
    accounts: &[Account],
    nonces: &mut Nonces,
    policy: &Policy,
    now_s: i64,
) -> Result<usize, Refusal> {
    let found = accounts.iter().enumerate().find(|(_, account)| account.open_id == envelope.open_id);
    let Some((at, account)) = found else {
        let open_id = &envelope.open_id;
        let explanation =
            words!("no account has the openId {open_id:?}", "没有 openId 为 {open_id:?} 的账号");
        return Err(refused("unknown openId", explanation));
    };
    if account.grant_code != envelope.grant_code {
        let explanation = words!(
            "the grantCode {grant_code:?} does not belong to this openId",
            "grantCode {grant_code:?} 不属于该 openId",
            grant_code = envelope.grant_code,
        );
        return Err(refused("grantCode does not belong to this openId", explanation));
    }
    let text = signed_text(envelope, policy.sign_names);
    let expected = token(&account.open_key, &text);
    if expected != envelope.token {
        let hint = hint(envelope, &account.open_key, policy.sign_names);
        let explanation = words!(
            "{en}; signed text {text:?}, token expected {expected:?}, received {received:?}",
            "{zh}；签名原文 {text:?}，token 应为 {expected:?}，收到 {received:?}",
            en = hint.en,
            zh = hint.zh,
            received = envelope.token,
        );
        return Err(refused(&hint.en, explanation));
    }
    let digits = envelope.timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let timestamp = envelope.timestamp.parse::<i64>().ok().filter(|_| digits);
    let timestamp = timestamp.ok_or_else(|| {
        words!("the timestamp {at:?} is no number", "时间戳 {at:?} 不是数字", at = envelope.timestamp)
    })?;
    let off = timestamp.saturating_sub(now_s);
    if off.abs() > window(policy) {
        let (en, zh) = if envelope.timestamp.len() == 13 {
            (" (milliseconds? seconds are wanted)", "（是毫秒吗？应为秒）")
        } else {
            ("", "")
        };
        return Err(Refusal::system(
            "timestamp",
            codes::SIGNATURE,
            format!("签名错误：时间戳超出有效期，相差 {off} 秒"),
            words!(
                "the timestamp {timestamp} is {off} s from the gateway's clock {now_s}, the window is ±{window} s{en}",
                "时间戳 {timestamp} 与网关时钟 {now_s} 相差 {off} 秒，允许偏差 ±{window} 秒{zh}",
                window = policy.timestamp_window_s,
            ),
        ));
    }
    // DOC: 随机正整数.
    let nonce = envelope.nonce.parse::<u64>().ok().filter(|nonce| *nonce > 0);
    let nonce = nonce.ok_or_else(|| {
        words!(
            "the nonce {sent:?} is no positive whole number",
            "随机数 {sent:?} 不是正整数",
            sent = envelope.nonce,
        )
    })?;
    if !nonces.note(timestamp, at, nonce, policy, now_s) && policy.nonces_once {
        let explanation = words!(
            "the nonce {nonce} was used with the timestamp {timestamp} before: sign again",
            "随机数 {nonce} 已与时间戳 {timestamp} 一起使用过：请重新签名",
        );
        return Err(Refusal::system("nonce", codes::NONCE, "请更换随机数后重试", explanation));
    }
    Ok(at)
}

fn refused(hint: &str, explanation: Words) -> Refusal {
    Refusal::system("signature", codes::SIGNATURE, format!("签名错误：{hint}"), explanation)
}

/// The most likely mistake, found by reproducing it.
fn hint(envelope: &Envelope, open_key: &str, names: SignNames) -> Words {
    let received = envelope.token.as_str();
    let expected = base64_token(open_key, &signed_text(envelope, names));
    let other = match names {
        SignNames::Lower => SignNames::AsSent,
        SignNames::AsSent => SignNames::Lower,
    };
    let other_case = base64_token(open_key, &signed_text(envelope, other));
    let url_safe = expected.replace('+', "-").replace('/', "_");
    let once = percent_encoded(&expected);
    let decoded = received.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    if decoded == expected {
        // Not encoded, or only in part: some programs encode only the `=`.
        words!("token not percent-encoded", "token 未做百分号编码")
    } else if received == percent_encoded(&once.replace('%', "%25")) {
        words!("token percent-encoded twice", "token 做了两次百分号编码")
    } else if received.eq_ignore_ascii_case(&once) {
        words!(
            "token in other case: the percent-encoding wants upper-case hex",
            "token 大小写不符：百分号编码应使用大写十六进制"
        )
    } else if received.trim_end_matches('=') == url_safe.trim_end_matches('=') {
        words!(
            "token in URL-safe Base64, standard Base64 is wanted",
            "token 用了 URL 安全的 Base64，应使用标准 Base64"
        )
    } else if received == other_case || received == percent_encoded(&other_case) {
        words!(
            "names in the signed text in other case (see policy sign_names)",
            "签名原文中字段名的大小写不符（见网关行为 sign_names）"
        )
    } else if received.len() == 40 && received.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        words!("token in hex, Base64 is wanted", "token 是十六进制，应为 Base64")
    } else {
        words!("openKey differs, or another text was signed", "openKey 不一致，或签名原文不同")
    }
}

#[cfg(test)]
mod tests {
    use super::{percent_encoded, token};

    #[test]
    fn the_vectors_of_the_gateway_page() {
        for (key, text, expected) in [
            (
                "LyvrkvkxRkG2R6aM55bXpPwjYAbkEXTbVnKwfDYvVHjNwNFAmx",
                "grantCode=ba67d4fa46&nonce=11886&openId=d14c1559e87b747d577c834b275a4310&timestamp=1465185768",
                "cFw0t9IuvL9jVo9qAzk0qMcw5BM%3D",
            ),
            (
                "fake-open-key-for-test-only-0001",
                "grantCode=fake-grant-code-0001&nonce=24680&openId=fake-open-id-for-test-only-0001&timestamp=1712563200",
                "ySypL4SRFMmfSrCqOiFE01LK3ks%3D",
            ),
        ] {
            assert_eq!(token(key, text), expected);
        }
    }

    #[test]
    fn all_three_signs_are_encoded() {
        assert_eq!(percent_encoded("a+b/c="), "a%2Bb%2Fc%3D");
    }
}
