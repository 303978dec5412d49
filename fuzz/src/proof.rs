//! What must at least be true of an answer before a till may be told `succeeded` or `declined`. The library's own rules
//! are stricter; these are few enough to be seen to be right.

use crate::tree::Tree;

/// The codes after which nobody knows, without configuration.
pub const IN_DOUBT: &str = "110007";
/// The codes that come before any effect, without configuration.
pub const BEFORE_EFFECT: [&str; 2] = ["110004", "100002"];

/// The body of an answer of status 200: one whole JSON object in UTF-8.
pub fn envelope(status: u16, body: &[u8]) -> Result<Tree, &'static str> {
    if status != 200 {
        return Err("the HTTP status is not 200");
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8")?;
    let tree = Tree::read(text).ok_or("the body is no JSON")?;
    if matches!(tree, Tree::Object(_)) { Ok(tree) } else { Err("the body is no object") }
}

/// Whether the envelope itself says yes.
pub fn says_yes(envelope: &Tree) -> bool {
    status(envelope) == Some(true) && is_zero_code(envelope)
}

/// Why this is no proof that the consume of that bizId was done.
pub fn of_success(answer: &Tree, biz_id: &str, strict: bool) -> Result<(), &'static str> {
    if !says_yes(answer) {
        return Err("the envelope does not say yes");
    }
    let data = answer.get("data").filter(|data| matches!(data, Tree::Object(_)));
    let data = data.ok_or("there is no data")?;
    if data.members().is_empty() {
        return Err("the data is empty");
    }
    if data.get("status").is_some() && status(data) != Some(true) {
        return Err("the data does not say yes");
    }
    if data.get("code").is_some() && !is_zero_code(data) {
        return Err("the data has a code");
    }
    if strict && named(answer).any(|named| named != biz_id) {
        return Err("the answer names another bizId");
    }
    Ok(())
}

/// Why this is no proof that a consume was refused and took nothing. `declined` are the codes that the configuration
/// calls a refusal.
pub fn of_refusal(answer: &Tree, declined: &[&str]) -> Result<(), &'static str> {
    let data = answer.get("data").filter(|data| matches!(data, Tree::Object(_)));
    let codes: Vec<&str> = [Some(answer), data]
        .into_iter()
        .flatten()
        .filter_map(|place| place.get("code")?.scalar())
        .filter(|code| *code != "0")
        .collect();
    if codes.is_empty() {
        return Err("no code says no");
    }
    if codes.contains(&IN_DOUBT) {
        return Err("the code leaves open what was done");
    }
    let listed = |list: &[&str]| codes.iter().all(|code| list.contains(code));
    let is_number = |code: &&str| {
        let digits = code.strip_prefix('-').unwrap_or(code);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !listed(declined) && !listed(&BEFORE_EFFECT) {
        if status(answer) != Some(true) {
            return Err("a system error");
        }
        if !codes.iter().all(is_number) {
            return Err("the code is a word");
        }
    }
    if data.is_some_and(|data| status(data) == Some(true) && is_zero_code(data)) {
        return Err("the data says yes");
    }
    if answer.any_member(&shows_something_taken) {
        return Err("something taken is shown");
    }
    Ok(())
}

/// The bizIds that an answer names in its data and beside it.
pub fn named(answer: &Tree) -> impl Iterator<Item = &str> {
    [answer.get("data"), Some(answer)]
        .into_iter()
        .flatten()
        .filter_map(|place| place.given("bizId")?.scalar())
}

/// A boolean as the gateway writes it.
pub fn status(place: &Tree) -> Option<bool> {
    match place.get("status")?.scalar()? {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn is_zero_code(place: &Tree) -> bool {
    place.get("code").and_then(Tree::scalar) == Some("0")
}

fn shows_something_taken(name: &str, value: &Tree) -> bool {
    let is_zero = value.scalar().is_some_and(|text| text.bytes().all(|byte| matches!(byte, b'0' | b'.')));
    match name {
        "change_gift_amount" | "change_recharge_amount" | "storeBalance" | "shopBalance" => {
            !value.is_blank() && !is_zero
        }
        "couponsCardList" | "cardIdList" => !value.is_blank(),
        _ => false,
    }
}
