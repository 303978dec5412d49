//! The envelope of a request: the operation, the account, and the raw params. Only its form is checked here.

use super::{
    answer::Refusal,
    codes,
    fields::Fields,
    operation::{Generation, Operation, V2_PATH},
};
use crate::words::words;

pub(super) struct Envelope {
    pub(super) generation: Generation,
    pub(super) operation: Option<Operation>,
    /// The action or path as received.
    pub(super) called: String,
    pub(super) open_id: String,
    pub(super) grant_code: String,
    pub(super) token: String,
    pub(super) timestamp: String,
    pub(super) nonce: String,
    params: Option<String>,
}

/// The generation of a path; `None` if the gateway does not serve the path.
fn generation(path: &str) -> Option<Generation> {
    match without_query(path) {
        V2_PATH => Some(Generation::V2),
        path if path.starts_with("/v3/") => Some(Generation::V3),
        _ => None,
    }
}

fn without_query(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}

/// Whether the gateway serves the path.
pub(super) fn is_known_path(path: &str) -> bool {
    generation(path).is_some()
}

impl Envelope {
    pub(super) fn read(path: &str, body: &[u8]) -> Result<Self, Refusal> {
        let Some(generation) = generation(path) else { return Err(unknown(path)) };
        let body = std::str::from_utf8(body)
            .map_err(|error| words!("the body is not UTF-8: {error}", "请求体不是 UTF-8 编码：{error}"))?;
        let fields = Fields::parse(body).map_err(|error| {
            words!("the body is no JSON object: {error}", "请求体不是 JSON 对象：{error}")
        })?;
        let (operation, called) = match generation {
            Generation::V2 => {
                let action = fields.must("Action")?;
                (Operation::of_action(&action), action)
            }
            Generation::V3 => (Operation::of_path(without_query(path)), path.to_owned()),
        };
        let name = |v2: &'static str, v3: &'static str| if generation == Generation::V2 { v2 } else { v3 };
        Ok(Self {
            generation,
            operation,
            called,
            open_id: fields.must(name("OpenId", "openId"))?,
            grant_code: fields.must(name("GrantCode", "grantCode"))?,
            token: fields.must(name("Token", "token"))?,
            timestamp: fields.must(name("Timestamp", "timestamp"))?,
            nonce: fields.must(name("Nonce", "nonce"))?,
            params: fields.raw(name("Params", "params")).map(str::to_owned),
        })
    }

    /// The params. The vendor's tables call them an array, every sample has an object (DOC), and a string is refused
    /// (SEEN).
    pub(super) fn params(&self) -> Result<Fields, Refusal> {
        let object = self.params.as_deref().filter(|text| text.starts_with('{'));
        let text = object.ok_or_else(|| {
            words!(
                "Params must be a JSON object, not a text or a list",
                "Params 必须是 JSON 对象，不能是文本或数组"
            )
        })?;
        let bad = |error| words!("Params is no JSON object: {error}", "Params 不是 JSON 对象：{error}");
        Ok(Fields::parse(text).map_err(bad)?)
    }

    pub(super) fn operation(&self) -> Result<Operation, Refusal> {
        self.operation.ok_or_else(|| unknown(&self.called))
    }
}

pub(super) fn unknown(called: &str) -> Refusal {
    Refusal::system(
        "operation",
        codes::UNKNOWN_OPERATION,
        format!("接口不存在：{called}"),
        words!("{called:?} is no action or path of this gateway", "网关没有 {called:?} 这个 action 或路径"),
    )
}
