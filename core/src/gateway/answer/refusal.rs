//! Judges refusals. A refusal says that nothing was done, so it is compared with the request like a success: an
//! answer that contradicts itself, or shows an effect, proves nothing.

use super::{
    CodeRules, Doubt, Envelope, GatewayStatus, Refusal, Repeated, Verdict, codes, consume, is_number,
};
use crate::money::BizId;

/// Why a refusal is not believed.
pub(in crate::gateway) enum Unbelieved {
    /// No code refuses.
    NoCode,
    /// The envelope's fields in the data cannot be read.
    Unreadable(&'static str),
    /// The answer contradicts itself, or the code may mean something else; the gateway's own code is kept.
    Doubtful(Refusal, String),
}

/// What a refusal must not show.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::gateway) enum Of {
    /// For an operation that takes: a deduction.
    Taking,
    /// For an operation that gives back: anything that was moved.
    GivingBack,
}

impl Envelope<'_> {
    /// The refusing code. The inner one comes first: it says why a consume was refused.
    pub(super) fn refusing_code<'s>(&'s self, inner: &'s Repeated) -> Option<&'s str> {
        [inner.code.as_deref(), Some(self.code.as_str())].into_iter().flatten().find(|code| *code != "0")
    }

    /// The gateway's refusal in its own words; `None` if no code refuses.
    pub(super) fn refusal(&self, inner: &Repeated) -> Option<Refusal> {
        let code = self.hide_in_words(self.refusing_code(inner)?).into_owned();
        let message = inner.message.as_ref().filter(|_| self.code == "0").unwrap_or(&self.message);
        Some(Refusal { code, message: self.hide(message).into_owned(), warnings: Vec::new() })
    }

    /// The code and message of an answer that is not a success throughout: the inner ones if only the inner code
    /// refuses.
    pub(in crate::gateway) fn telling_words(&self) -> GatewayStatus {
        let inner = self.repeated().unwrap_or_default();
        let outer = || GatewayStatus { code: self.code.clone(), message: self.message.clone() };
        self.refusal(&inner)
            .map_or_else(outer, |refusal| GatewayStatus { code: refusal.code, message: refusal.message })
    }

    /// The verdict on a refused consume, compared with the request.
    pub(super) fn refuse_consume(&self, biz_id: &BizId, rules: &CodeRules, strict: bool) -> Verdict {
        let mut refusal = match self.refuse(rules) {
            Verdict::Refused(refusal) => refusal,
            other => return other,
        };
        refusal
            .warnings
            .extend(self.documented_places().find_map(|place| consume::compare_biz_id(biz_id, place)));
        if strict && !refusal.warnings.is_empty() {
            return Verdict::Doubt(Doubt {
                code: refusal.code,
                warnings: refusal.warnings,
                ..self.unproven(&codes::MISMATCH, "the refusal does not match the question")
            });
        }
        Verdict::Refused(refusal)
    }

    /// The verdict on a refusal of an operation that takes.
    pub(super) fn refuse(&self, rules: &CodeRules) -> Verdict {
        match self.believed_refusal(rules, Of::Taking) {
            Ok(refusal) => Verdict::Refused(refusal),
            Err(Unbelieved::NoCode) => self.doubt(&codes::UNPROVEN, "no code says no"),
            Err(Unbelieved::Unreadable(why)) => self.doubt(&codes::UNPROVEN, why),
            Err(Unbelieved::Doubtful(refusal, why)) => {
                Verdict::Doubt(Doubt { code: refusal.code, ..self.unproven(&codes::UNPROVEN, why) })
            }
        }
    }

    /// The refusal, if it is believed. The inner flag is documented as 成功或失败标识 of the business, a system error as the
    /// outer `status: false`; so an inner refusal with an outer success is the business's own.
    pub(in crate::gateway) fn believed_refusal(
        &self,
        rules: &CodeRules,
        of: Of,
    ) -> Result<Refusal, Unbelieved> {
        let inner = self.repeated().map_err(Unbelieved::Unreadable)?;
        let Some(refusal) = self.refusal(&inner) else { return Err(Unbelieved::NoCode) };
        match self.why_not_believed(&inner, &refusal, rules, of) {
            Some(why) => Err(Unbelieved::Doubtful(refusal, why)),
            None => Ok(refusal),
        }
    }

    /// Whether the answer contradicts itself, whatever its codes mean.
    pub(in crate::gateway) fn contradicts_itself(&self) -> bool {
        self.repeated().map_or(true, |inner| self.contradiction(&inner).is_some())
    }

    fn contradiction(&self, inner: &Repeated) -> Option<&'static str> {
        if (!self.yes || self.code != "0") && inner.says_yes() {
            return Some("the envelope says no and its data says yes");
        }
        (inner.yes == Some(false) && inner.code.as_deref() == Some("0"))
            .then_some("code 0 with a status of false in the data")
    }

    fn why_not_believed(
        &self,
        inner: &Repeated,
        refusal: &Refusal,
        rules: &CodeRules,
        of: Of,
    ) -> Option<String> {
        const SHOWN: &str = "a refusal whose data shows that something was done";
        let said = || {
            [Some(self.code.as_str()), inner.code.as_deref()]
                .into_iter()
                .flatten()
                .filter(|code| *code != "0")
        };
        let stands_in = |list: &[String], code: &str| list.iter().any(|known| known == code);
        if let Some(why) = self.contradiction(inner) {
            return Some(why.to_owned());
        }
        if said().any(|code| stands_in(&rules.in_doubt, code)) {
            return Some(refusal.message.clone());
        }
        let shows = match of {
            Of::Taking => self.shows_something_taken(),
            Of::GivingBack => self.shows_something_moved(),
        };
        if shows {
            return Some(SHOWN.to_owned());
        }
        if said().all(|code| stands_in(&rules.declined, code)) {
            return None;
        }
        // The code alone may be a number that means success (200); inside, the business's flag is what refuses.
        if inner.yes == Some(true) {
            return Some(format!("a status of true in the data beside a code: {}", refusal.message));
        }
        let before_effect = said().all(|code| stands_in(&rules.before_effect, code));
        if self.yes && self.code == "0" && inner.yes.is_none() && !before_effect {
            return Some(format!("a code in the data without its status: {}", refusal.message));
        }
        if self.speaks_of_a_deduction() {
            return Some(SHOWN.to_owned());
        }
        if !self.yes && !before_effect {
            return Some(format!("system error: {}", refusal.message));
        }
        // A code in words may mean success ("ok", "SUCCESS"), and an unlisted code may mean that the sale is being
        // processed.
        (!before_effect && (rules.only_listed || !said().all(is_number))).then(|| refusal.message.clone())
    }
}
