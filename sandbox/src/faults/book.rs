//! Which faults wait for which request. A fault is armed by the admin API, comes by chance, or is asked for by the
//! request itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::rules::{Operation, Peek};

use super::{
    Chaos, Fault, Meets, Row,
    name::{Named, looks_like_one},
};

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.row().name)
    }
}

/// A fault that waits for a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Order")]
pub struct Armed {
    /// Which.
    pub fault: Fault,
    /// How many requests it still hits; `None` is until it is disarmed.
    pub times: Option<u32>,
    /// Only requests of this operation; `None` is any that it can meet.
    pub operation: Option<Operation>,
    /// Its number, by name.
    pub params: BTreeMap<String, u64>,
    /// When it ends by the simulator's clock, in milliseconds since 1970: an outage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
}

/// A fault as the admin API is asked for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    fault: String,
    #[serde(default)]
    times: Option<u32>,
    #[serde(default)]
    operation: Option<Operation>,
    #[serde(default)]
    params: BTreeMap<String, u64>,
}

impl TryFrom<Order> for Armed {
    type Error = String;

    fn try_from(order: Order) -> Result<Self, String> {
        let Order { fault: name, times, operation, mut params } = order;
        let Named { fault, number } = Named::read(&name)?;
        if let (Some(number), Some(param)) = (number, fault.row().param) {
            params.entry(param.name.to_owned()).or_insert(number);
        }
        Ok(Self { fault, times, operation, params, until_ms: None })
    }
}

/// A fault that hits a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Chosen {
    /// Which.
    pub fault: Fault,
    /// Its number; 0 where it takes none.
    pub number: u64,
}

/// A fault that a request asks for and that cannot be had: where it was asked for, and why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Impossible {
    /// In the header `X-Zv-Fault`.
    Header(String),
    /// At the end of the bizId.
    BizId(String),
}

/// The faults that wait, and those that come by chance.
#[derive(Clone, Debug, Default)]
pub struct Book {
    armed: Vec<Armed>,
    chaos: Option<Chaos>,
}

impl Book {
    /// No fault waits; some may come by chance.
    pub fn new(chaos: Option<Chaos>) -> Self {
        Self { armed: Vec::new(), chaos }
    }

    /// Lets a fault wait, behind those that wait already. An outage begins now, by the simulator's clock.
    ///
    /// # Errors
    /// In words: a number that the fault does not take, or an operation that it cannot meet.
    pub fn arm(&mut self, armed: Armed, now_ms: i64) -> Result<(), String> {
        armed.check()?;
        let lasts_ms = i64::try_from(armed.chosen().number).unwrap_or(i64::MAX);
        let until_ms = (armed.fault == Fault::Outage).then(|| now_ms.saturating_add(lasts_ms));
        self.armed.push(Armed { until_ms, ..armed });
        Ok(())
    }

    /// Lets none wait any more. What comes by chance goes on.
    pub fn disarm(&mut self) {
        self.armed.clear();
    }

    /// As at the start: none waits, and chance begins anew with its seed.
    pub fn reset(&mut self) {
        self.disarm();
        if let Some(chaos) = &mut self.chaos {
            chaos.restart();
        }
    }

    /// Those that wait, the next one first.
    pub fn armed(&self) -> &[Armed] {
        &self.armed
    }

    /// What comes by chance.
    pub fn chaos(&self) -> Option<&Chaos> {
        self.chaos.as_ref()
    }

    /// Lets other faults come by chance, or none.
    pub fn set_chaos(&mut self, chaos: Option<Chaos>) {
        self.chaos = chaos;
    }

    /// The fault that hits this request: an outage, the one it asks for itself by its header, its bizId or its amount,
    /// the first that waits for its like, or one by chance. `request` names, for a reversal, the sale it reverses.
    ///
    /// # Errors
    /// When the request asks for a fault that is not known or cannot meet it.
    pub fn choose(
        &mut self,
        header: Option<&str>,
        request: &Peek,
        now_ms: i64,
    ) -> Result<Option<Chosen>, Impossible> {
        // Drawn for every request, so that the faults depend on nothing but the seed and the number of requests.
        let by_chance = self.chaos.as_mut().and_then(Chaos::choose);
        self.armed.retain(|armed| armed.until_ms.is_none_or(|until_ms| now_ms < until_ms));
        let outage = self.armed.iter().find(|armed| armed.until_ms.is_some() && armed.fits(request));
        if let Some(outage) = outage {
            return Ok(Some(outage.chosen()));
        }
        let mut asked = header.map(|header| asked_by_header(header, request)).transpose()?;
        if asked.is_none() {
            asked = asked_by_biz_id(request)?.or_else(|| asked_by_amount(request));
        }
        let chosen = asked
            .or_else(|| self.take(|armed| armed.fits(request)))
            .or_else(|| by_chance.filter(|chosen| chosen.fault.meets(request.operation)));
        if let Some(Chosen { fault: Fault::Outage, number }) = chosen {
            let params = BTreeMap::from([("ms".to_owned(), number)]);
            let all = Armed { fault: Fault::Outage, times: None, operation: None, params, until_ms: None };
            // It cannot be refused: no times, and its own number.
            let _ = self.arm(all, now_ms);
        }
        Ok(chosen)
    }

    /// The fault that hits the beginning of a TLS connection.
    pub fn choose_handshake(&mut self) -> Option<Chosen> {
        self.take(|armed| armed.fault.is_in_handshake())
    }

    /// After how many bytes the request is to be reset that begins with this header. Known before its body only if the
    /// header asks for it, or if it waits first and for any operation.
    pub fn cut_request_at(&mut self, header: Option<&str>) -> Option<u64> {
        let asked = header.and_then(|header| Named::read(header).ok()).map(Named::chosen);
        if let Some(asked) = asked {
            return (asked.fault == Fault::ResetDuring).then_some(asked.number);
        }
        let first = self.armed.first()?;
        let waits = first.fault == Fault::ResetDuring && first.operation.is_none();
        let chosen = if waits { self.take(|_| true) } else { None };
        chosen.map(|chosen| chosen.number)
    }

    /// The first that waits and fits, which then waits once less.
    fn take(&mut self, fits: impl Fn(&Armed) -> bool) -> Option<Chosen> {
        let at = self.armed.iter().position(fits)?;
        let armed = self.armed.get_mut(at)?;
        let chosen = armed.chosen();
        armed.times = armed.times.map(|times| times.saturating_sub(1));
        if armed.times == Some(0) {
            self.armed.remove(at);
        }
        Some(chosen)
    }
}

impl Armed {
    /// The fault with its number.
    pub fn chosen(&self) -> Chosen {
        let number = |param: super::Param| self.params.get(param.name).copied().unwrap_or(param.default);
        Chosen { fault: self.fault, number: self.fault.row().param.map_or(0, number) }
    }

    /// Whether its numbers and its operation are such that the fault takes.
    ///
    /// # Errors
    /// In words: a number that the fault does not take, an operation that it cannot meet, or `times` that make no sense.
    pub fn check(&self) -> Result<(), String> {
        let row = self.fault.row();
        let taken = row.param.map(|param| param.name);
        if let Some(name) = self.params.keys().find(|name| Some(name.as_str()) != taken) {
            return Err(format!("{} takes {}, not {name:?}", row.name, taken.unwrap_or("no params")));
        }
        if self.times == Some(0) {
            return Err("times must be 1 or more, or left out for until DELETE /faults".to_owned());
        }
        if self.fault == Fault::Outage && self.times.is_some() {
            return Err("an outage ends with its time: give ms, not times".to_owned());
        }
        match self.operation {
            Some(operation) if !self.fault.meets(Some(operation)) => Err(cannot_meet(self.fault)),
            _ => Ok(()),
        }
    }

    fn fits(&self, request: &Peek) -> bool {
        let wanted = self.operation.is_none() || self.operation == request.operation;
        wanted && self.fault.meets(request.operation)
    }
}

impl Fault {
    /// Whether it can meet a request of this operation.
    pub fn meets(self, operation: Option<Operation>) -> bool {
        match self.row().meets {
            Meets::Request => true,
            Meets::Consume => operation == Some(Operation::Consume),
            Meets::Reverse => matches!(operation, Some(Operation::Reverse | Operation::CouponReverse)),
            Meets::Handshake => false,
        }
    }
}

fn cannot_meet(fault: Fault) -> String {
    let Row { name, meets, .. } = fault.row();
    let what = match meets {
        Meets::Request => "any request",
        Meets::Consume => "only a consume",
        Meets::Reverse => "only a reversal",
        Meets::Handshake => "only a TLS handshake",
    };
    format!("{name} can meet {what}")
}

fn asked_by_header(header: &str, request: &Peek) -> Result<Chosen, Impossible> {
    let chosen = Named::read(header).map_err(Impossible::Header)?.chosen();
    if !chosen.fault.meets(request.operation) {
        return Err(Impossible::Header(cannot_meet(chosen.fault)));
    }
    Ok(chosen)
}

/// The fault at the end of a consume's bizId, or of the bizId that a reversal means: `~name` or `~name:number`. Of
/// several the last one counts that can meet the request. The end of a bizId that looks like a name and is none is
/// refused: whoever wrote it waits for a fault that would never come.
fn asked_by_biz_id(request: &Peek) -> Result<Option<Chosen>, Impossible> {
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

/// A fault of reversals meets the reversal, every other one the sale.
fn meets_here(fault: Fault, is_consume: bool) -> bool {
    match fault.row().meets {
        Meets::Request | Meets::Consume => is_consume,
        Meets::Reverse => !is_consume,
        Meets::Handshake => false,
    }
}

/// The fault of that amount. Only amounts from 9001.01 on are any fault's: no sum that a demonstration comes to.
fn asked_by_amount(request: &Peek) -> Option<Chosen> {
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

    const NOW_MS: i64 = 1_795_000_000_000;

    fn consume(biz_id: &str) -> Peek {
        Peek { operation: Some(Operation::Consume), biz_id: Some(biz_id.to_owned()), amount: None }
    }

    fn reverse(biz_id: &str) -> Peek {
        Peek { operation: Some(Operation::Reverse), ..consume(biz_id) }
    }

    fn chosen(request: &Peek) -> Option<Chosen> {
        Book::default().choose(None, request, NOW_MS).unwrap()
    }

    fn armed(json: &str) -> Armed {
        serde_json::from_str(json).unwrap()
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
            let Err(Impossible::BizId(why)) = Book::default().choose(None, &consume(biz_id), NOW_MS) else {
                panic!("{biz_id} is taken");
            };
            assert!(why.contains(part), "{biz_id}: {why}");
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
        let mut book = Book::default();
        book.arm(armed(r#"{"fault": "hang"}"#), NOW_MS).unwrap();
        let quote = Peek { operation: Some(Operation::Quote), ..Peek::default() };
        let of = |book: &mut Book, header, request| book.choose(Some(header), request, NOW_MS);
        assert_eq!(
            of(&mut book, "http_503", &quote).unwrap(),
            Some(Chosen { fault: Fault::Http500, number: 503 })
        );
        let sale = consume("T1~hang");
        let chosen = book.choose(Some("declined"), &sale, NOW_MS).unwrap().unwrap();
        assert_eq!(chosen.fault, Fault::Declined);
        for (header, part) in
            [("hnag", "\"hang\""), ("same_again", "only a consume"), ("tls_fails", "handshake")]
        {
            let Err(Impossible::Header(why)) = of(&mut book, header, &quote) else { panic!("{header}") };
            assert!(why.contains(part), "{header}: {why}");
        }
    }

    #[test]
    fn a_fault_hits_so_many_of_its_operation() {
        let mut book = Book::default();
        book.arm(armed(r#"{"fault": "hang", "times": 2, "operation": "reverse"}"#), NOW_MS).unwrap();
        book.arm(armed(r#"{"fault": "reverse_refused", "times": 1}"#), NOW_MS).unwrap();
        book.arm(armed(r#"{"fault": "http_500", "params": {"status": 503}}"#), NOW_MS).unwrap();
        let next = |book: &mut Book, request: &Peek| book.choose(None, request, NOW_MS).unwrap().unwrap();
        assert_eq!(next(&mut book, &consume("T1")), Chosen { fault: Fault::Http500, number: 503 });
        for fault in [Fault::Hang, Fault::Hang, Fault::ReverseRefused, Fault::Http500] {
            assert_eq!(next(&mut book, &reverse("T1")).fault, fault);
        }
        book.disarm();
        assert_eq!(book.choose(None, &reverse("T1"), NOW_MS), Ok(None));
    }

    #[test]
    fn an_outage_ends_by_the_clock() {
        let mut book = Book::default();
        let order = r#"{"fault": "outage", "operation": "reverse", "params": {"ms": 60000}}"#;
        book.arm(armed(order), NOW_MS).unwrap();
        let at = |book: &mut Book, request: &Peek, ms| {
            book.choose(None, request, NOW_MS + ms).unwrap().map(|chosen| chosen.fault)
        };
        assert_eq!(at(&mut book, &consume("T1"), 1), None);
        for ms in [0, 1, 59_999] {
            assert_eq!(at(&mut book, &reverse("T1"), ms), Some(Fault::Outage));
        }
        assert_eq!(at(&mut book, &reverse("T1"), 60_000), None);
        // Asked for by a sale, it is everybody's.
        assert_eq!(at(&mut book, &consume("T2~outage:1000"), 0), Some(Fault::Outage));
        assert_eq!(at(&mut book, &reverse("T3"), 999), Some(Fault::Outage));
        assert_eq!(at(&mut book, &reverse("T3"), 1000), None);
    }

    #[test]
    fn chance_chooses_where_nothing_else_does() {
        let mut book = Book::new(Some(Chaos::parse("hang=1").unwrap()));
        assert_eq!(book.choose(None, &consume("T1"), NOW_MS).unwrap().unwrap().fault, Fault::Hang);
        let asked = book.choose(None, &consume("T1~declined"), NOW_MS).unwrap().unwrap();
        assert_eq!(asked.fault, Fault::Declined);
        book.set_chaos(Some(Chaos::parse("reverse_refused=1").unwrap()));
        assert_eq!(book.choose(None, &consume("T1"), NOW_MS), Ok(None));
        assert!(book.choose(None, &reverse("T1"), NOW_MS).unwrap().is_some());
    }

    #[test]
    fn wrong_orders_are_refused() {
        let mut book = Book::default();
        for order in [
            r#"{"fault": "hang", "params": {"ms": 1}}"#,
            r#"{"fault": "cut_body", "params": {"ta": 1}}"#,
            r#"{"fault": "hang", "times": 0}"#,
            r#"{"fault": "outage", "times": 1}"#,
            r#"{"fault": "reverse_refused", "operation": "consume"}"#,
            r#"{"fault": "tls_hangs", "operation": "consume"}"#,
        ] {
            assert!(book.arm(armed(order), NOW_MS).is_err(), "{order}");
        }
        let why = serde_json::from_str::<Armed>(r#"{"fault": "hangs"}"#).unwrap_err().to_string();
        assert!(why.contains("\"hang\""), "{why}");
        assert_eq!(armed(r#"{"fault": "http_502"}"#).chosen(), Chosen { fault: Fault::Http500, number: 502 });
    }
}
