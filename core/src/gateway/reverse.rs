//! Reversing a consume (冲正). V3's path is SEEN, its params are OPEN; V2 has none that anybody has published. So
//! the route, its params and its codes are configuration.

use crate::money::BizId;

use super::answer::{GatewayStatus, Of, OfAnotherSale};
use super::consume::Identity;
use super::request::Params;
use super::{CodeRules, Envelope};
use crate::outcome::codes::MISMATCH;

/// How a reversal is asked for and what the gateway's codes mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReverseRules {
    /// Names and values of the params; a value is a text or one of [`ReverseRules::PLACEHOLDERS`].
    pub params: Vec<(String, String)>,
    /// It was reversed before: as good as done.
    pub already: Vec<String>,
    /// Nothing stands under that bizId, or not yet.
    pub not_found: Vec<String>,
    /// The gateway refuses to undo what it does not know, so that its "done" always means that it undid something.
    pub refuses_unknown: bool,
}

impl ReverseRules {
    /// `$returnedBizId` is what the answer carried, or else what was sent ("冲正时以返回参数中的bizId为准", DOC).
    pub const PLACEHOLDERS: [&'static str; 4] = ["$returnedBizId", "$bizId", "$customerId", "$amount"];

    /// Which values of a sale the params name and `asked` does not have.
    pub fn lacking(&self, asked: &Identity) -> Vec<&'static str> {
        let names = |placeholder: &str| self.params.iter().any(|(_, value)| value == placeholder);
        let customer = asked.customer_id.is_none() && !asked.scanned() && names("$customerId");
        let amount = asked.amount.is_none() && names("$amount");
        [customer.then_some("customerId"), amount.then_some("amount")].into_iter().flatten().collect()
    }

    /// The params of one reversal. What there is not (a customer of a scanned code) is left out.
    pub fn params(&self, sent: &BizId, reverse_by: &str, asked: &Identity) -> Params {
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

/// What an answered reversal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reversed {
    /// Done now, or so it is said.
    Done(GatewayStatus),
    /// Done before.
    Already(GatewayStatus),
    /// Nothing stands under that bizId, or not yet.
    NotFound(GatewayStatus),
    /// The gateway's no.
    Refused(GatewayStatus),
    /// Nothing is known; it is to be asked again.
    Again(GatewayStatus),
}

impl Envelope<'_> {
    /// What the answer to a reversal says. `own` are the bizIds of the sale that is undone; an answer that names another
    /// one's is that one's, and says nothing of this. Under `strict` so does one that names a bizId that nobody knows.
    /// A refusal is held against what a consume's is; what its answer's data would hold nobody has published, so that a
    /// whole yes needs none.
    pub fn judge_reverse(
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
        // Beside what was given back, neither "nothing stands there" nor "no" is true.
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
