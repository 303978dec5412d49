//! Faults that a request selects for itself.

use crate::{
    rules::{Operation, Peek},
    words::{Words, words},
};

use super::{
    Chosen, Fault, Meets, Row,
    name::{Named, looks_like_one},
};

/// A request selects a fault that cannot apply: where the request names it, and why it cannot apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Impossible {
    /// In the header `X-Zv-Fault`.
    Header(Words),
    /// In the suffix of the bizId.
    BizId(Words),
}

/// Explains why a fault cannot apply to this request.
pub(super) fn cannot_meet(fault: Fault) -> Words {
    let Row { name, meets, .. } = fault.row();
    match meets {
        Meets::Request => words!("{name} can meet any request", "{name} 可作用于任意请求"),
        Meets::Consume => words!("{name} can meet only a consume", "{name} 只能作用于核销扣款"),
        Meets::Reverse => words!("{name} can meet only a reversal", "{name} 只能作用于冲正"),
        Meets::Handshake => words!("{name} can meet only a TLS handshake", "{name} 只能作用于 TLS 握手"),
    }
}

/// The fault that a request selects: by its header, otherwise by its bizId, otherwise by its amount. For a reversal,
/// `request` names the sale that it reverses.
pub(super) fn requested(header: Option<&str>, request: &Peek) -> Result<Option<Chosen>, Impossible> {
    if let Some(header) = header {
        return by_header(header, request).map(Some);
    }
    Ok(by_biz_id(request)?.or_else(|| by_amount(request)))
}

fn by_header(header: &str, request: &Peek) -> Result<Chosen, Impossible> {
    let chosen = Named::read(header).map_err(Impossible::Header)?.chosen();
    if !chosen.fault.meets(request.operation) {
        return Err(Impossible::Header(cannot_meet(chosen.fault)));
    }
    Ok(chosen)
}

/// The fault in the suffix of a consume's bizId, or of the bizId that a reversal names: `~name` or `~name:number`. With
/// several suffixes, the last one that can meet the request applies. A suffix that looks like a fault's name but is not
/// one is refused, because its author would wait for a fault that never comes.
fn by_biz_id(request: &Peek) -> Result<Option<Chosen>, Impossible> {
    let is_consume = request.operation == Some(Operation::Consume);
    let is_reversal = Fault::ReverseRefused.meets(request.operation);
    let Some(biz_id) = request.biz_id.as_deref().filter(|_| is_consume || is_reversal) else {
        return Ok(None);
    };
    let mut parts = biz_id.split('~').skip(1).collect::<Vec<_>>().into_iter().rev().peekable();
    if let Some(last) = parts.peek().filter(|last| is_consume && looks_like_one(last)) {
        let fault = Named::read(last).map_err(Impossible::BizId)?.fault;
        if fault.is_in_handshake() {
            return Err(Impossible::BizId(cannot_meet(fault)));
        }
    }
    let mut named = parts.filter_map(|part| Named::read(part).ok()).map(Named::chosen);
    Ok(named.find(|chosen| meets_here(chosen.fault, is_consume)))
}

/// A fault of reversals meets the reversal, every other fault meets the sale.
fn meets_here(fault: Fault, is_consume: bool) -> bool {
    match fault.row().meets {
        Meets::Request | Meets::Consume => is_consume,
        Meets::Reverse => !is_consume,
        Meets::Handshake => false,
    }
}

/// The fault of that amount. Amounts of faults begin at 9001.01, above any amount that a demonstration uses.
fn by_amount(request: &Peek) -> Option<Chosen> {
    let is_consume = request.operation == Some(Operation::Consume);
    let amount =
        request.amount.filter(|_| is_consume || Fault::ReverseRefused.meets(request.operation))?.to_string();
    let fault = Fault::ALL.iter().copied().find(|fault| fault.row().amount == amount)?;
    meets_here(fault, is_consume).then(|| Named { fault, number: None }.chosen())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Fen;

    fn consume(biz_id: &str) -> Peek {
        Peek { operation: Some(Operation::Consume), biz_id: Some(biz_id.to_owned()), amount: None }
    }

    fn reverse(biz_id: &str) -> Peek {
        Peek { operation: Some(Operation::Reverse), ..consume(biz_id) }
    }

    fn chosen(request: &Peek) -> Option<Chosen> {
        requested(None, request).unwrap()
    }

    #[test]
    fn a_consume_asks_for_its_fault() {
        let of = |biz_id: &str| chosen(&consume(biz_id));
        assert_eq!(of("T1~reset_after"), Some(Chosen { fault: Fault::ResetAfter, number: 0 }));
        assert_eq!(of("T1~cut_body:57"), Some(Chosen { fault: Fault::CutBody, number: 57 }));
        assert_eq!(of("T1~cut_body"), Some(Chosen { fault: Fault::CutBody, number: 40 }));
        for none in ["reset_after", "T1", "T1~", "T1~5", "T1~2026-11-22", "shop~Nord"] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(chosen(&reverse("T1~reset_after")), None);
    }

    #[test]
    fn a_reversal_is_asked_for_its_fault_by_the_sale() {
        let both = "T1~reset_after~reverse_refused";
        assert_eq!(chosen(&consume(both)).unwrap().fault, Fault::ResetAfter);
        assert_eq!(chosen(&reverse(both)).unwrap().fault, Fault::ReverseRefused);
        assert_eq!(chosen(&consume("T1~reverse_refused")), None);
    }

    #[test]
    fn a_bizid_that_asks_for_what_is_not_there_is_refused() {
        for (biz_id, part) in [
            ("T1~reset_aftr", "\"reset_after\""),
            ("T1~cut_body:x", "whole number"),
            ("T1~tls_hangs", "TLS handshake"),
        ] {
            let Err(Impossible::BizId(why)) = requested(None, &consume(biz_id)) else {
                panic!("{biz_id} is taken");
            };
            assert!(why.en.contains(part), "{biz_id}: {why}");
        }
        assert_eq!(chosen(&reverse("T1~reset_aftr")), None);
    }

    #[test]
    fn an_amount_asks_for_its_fault() {
        for fault in Fault::ALL.iter().copied().filter(|fault| !fault.is_in_handshake()) {
            let amount = Fen::parse(fault.row().amount);
            let sale = Peek { amount, ..consume("T1") };
            let back = Peek { amount, ..reverse("T1") };
            let (sale, back) = (chosen(&sale), chosen(&back));
            let expected = Some(Named { fault, number: None }.chosen());
            let is_reversal = fault.row().meets == Meets::Reverse;
            assert_eq!((sale, back), if is_reversal { (None, expected) } else { (expected, None) });
        }
        assert_eq!(chosen(&Peek { amount: Fen::parse("9001.00"), ..consume("T1") }), None);
        assert_eq!(chosen(&Peek { amount: Fen::parse("9001.04"), ..consume("T1") }), None, "no handshake");
    }

    #[test]
    fn a_header_goes_before_everything_else() {
        let quote = Peek { operation: Some(Operation::Quote), ..Peek::default() };
        assert_eq!(
            requested(Some("http_503"), &quote),
            Ok(Some(Chosen { fault: Fault::Http500, number: 503 }))
        );
        assert_eq!(requested(Some("declined"), &consume("T1~hang")).unwrap().unwrap().fault, Fault::Declined);
        for (header, part) in
            [("hnag", "\"hang\""), ("same_again", "only a consume"), ("tls_fails", "handshake")]
        {
            let Err(Impossible::Header(why)) = requested(Some(header), &quote) else { panic!("{header}") };
            assert!(why.en.contains(part), "{header}: {why}");
        }
    }
}
