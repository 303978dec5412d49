//! Reverses a consume (冲正). V3's path is SEEN, its params are OPEN; V2 has no published path or params. So the route,
//! its params and its codes are configuration.

use crate::money::BizId;

use super::answer::{GatewayStatus, Of, OfAnotherSale};
use super::consume::Identity;
use super::request::Params;
use super::{CodeRules, Envelope};
use crate::outcome::codes::MISMATCH;

/// How a reversal is requested and what the gateway's codes mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReverseRules {
    /// Names and values of the params; a value is a text or one of [`ReverseRules::PLACEHOLDERS`].
    pub params: Vec<(String, String)>,
    /// Codes for "already reversed", which counts as done.
    pub already: Vec<String>,
    /// Codes for "no consume under that bizId", or not yet.
    pub not_found: Vec<String>,
    /// The gateway refuses to reverse a bizId that it does not know, so that its "done" always means that it reversed
    /// something.
    pub refuses_unknown: bool,
}

impl ReverseRules {
    /// `$returnedBizId` is the bizId in the answer, or else the one that was sent ("冲正时以返回参数中的bizId为准", DOC).
    pub(crate) const PLACEHOLDERS: [&'static str; 4] = ["$returnedBizId", "$bizId", "$customerId", "$amount"];

    /// The values of a sale that the params name and `asked` lacks.
    pub(crate) fn lacking(&self, asked: &Identity) -> Vec<&'static str> {
        let names = |placeholder: &str| self.params.iter().any(|(_, value)| value == placeholder);
        let customer = asked.customer_id.is_none() && !asked.scanned() && names("$customerId");
        let amount = asked.amount.is_none() && names("$amount");
        [customer.then_some("customerId"), amount.then_some("amount")].into_iter().flatten().collect()
    }

    /// The params of one reversal. A missing value (the customer of a scanned code) is left out.
    pub(crate) fn params(&self, sent: &BizId, reverse_by: &str, asked: &Identity) -> Params {
        let amount = asked.amount.map(|amount| amount.to_string());
        Params::of_texts(self.params.iter().filter_map(|(name, value)| {
            let value = match value.as_str() {
                "$returnedBizId" => Some(reverse_by),
                "$bizId" => Some(sent.as_str()),
                "$customerId" => asked.customer_id.as_deref(),
                "$amount" => amount.as_deref(),
                text => Some(text),
            };
            value.map(|value| (name.as_str(), value))
        }))
    }
}

impl Default for ReverseRules {
    fn default() -> Self {
        let params = [("bizId", "$returnedBizId"), ("customerId", "$customerId")];
        ReverseRules {
            params: params.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            already: Vec::new(),
            not_found: Vec::new(),
            refuses_unknown: false,
        }
    }
}

/// What the answer to a reversal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reversed {
    /// Reversed now, according to the gateway.
    Done(GatewayStatus),
    /// Reversed before.
    Already(GatewayStatus),
    /// No consume under that bizId, or not yet.
    NotFound(GatewayStatus),
    /// The gateway refused.
    Refused(GatewayStatus),
    /// Nothing is proven; the reversal must be sent again.
    Again(GatewayStatus),
}

impl Envelope<'_> {
    /// What the answer to a reversal says. `own` are the bizIds of the sale that is reversed; an answer that names
    /// another sale's is about that sale and proves nothing about this one. With `strict`, the same holds for an
    /// answer that names an unknown bizId. A refusal is judged like a consume's; the data of a reversal's answer is
    /// not documented, so a complete success needs none.
    pub(crate) fn judge_reverse(
        &self,
        rules: &ReverseRules,
        codes: &CodeRules,
        own: &[&str],
        strict: bool,
        of_another_sale: OfAnotherSale<'_>,
    ) -> Reversed {
        let mismatch =
            |message: String| Reversed::Again(GatewayStatus { code: MISMATCH.text.to_owned(), message });
        if let Some(other) = self.names_another_sale(own, of_another_sale) {
            return mismatch(format!("the answer carries the bizId of another sale, {other}"));
        }
        if strict && !self.names_only(own) {
            return mismatch("the answer does not match the question".to_owned());
        }
        let words = self.telling_words();
        if self.says_yes_throughout() {
            return if self.holds_a_no() { Reversed::Again(words) } else { Reversed::Done(words) };
        }
        if rules.already.contains(&words.code) {
            return Reversed::Already(words);
        }
        // An answer that shows what was given back contradicts both "not found" and a refusal.
        if rules.not_found.contains(&words.code)
            && !self.contradicts_itself()
            && !self.shows_something_moved()
        {
            return Reversed::NotFound(words);
        }
        match self.believed_refusal(codes, Of::GivingBack) {
            Ok(_) if !self.is_system_error() => Reversed::Refused(words),
            _ => Reversed::Again(words),
        }
    }
}

#[cfg(test)]
mod tests;
