//! The armed faults, and which request each one hits. The admin API arms a fault, chance selects one, or the request
//! itself asks for one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    rules::{Operation, Peek},
    words::{Words, words},
};

use super::{
    Chaos, Fault, Meets,
    name::Named,
    requested::{Impossible, cannot_meet, requested},
};

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.row().name)
    }
}

/// An armed fault.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Order")]
pub struct Armed {
    /// The fault.
    pub fault: Fault,
    /// How many more requests it hits; `None` means until it is disarmed.
    pub times: Option<u32>,
    /// Hits only requests of this operation; `None` means every operation that the fault can meet.
    pub operation: Option<Operation>,
    /// The fault's number, by name.
    pub params: BTreeMap<String, u64>,
    /// For an outage: when it ends by the simulator's clock, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
}

/// An order to arm a fault, as the admin API receives it.
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
    type Error = Words;

    fn try_from(order: Order) -> Result<Self, Words> {
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
    /// The fault.
    pub fault: Fault,
    /// Its number; 0 for a fault without one.
    pub number: u64,
}

/// The armed faults and the random ones.
#[derive(Clone, Debug, Default)]
pub struct ArmedFaults {
    armed: Vec<Armed>,
    chaos: Option<Chaos>,
}

impl ArmedFaults {
    /// Starts without armed faults; `chaos` may select some.
    pub fn new(chaos: Option<Chaos>) -> Self {
        Self { armed: Vec::new(), chaos }
    }

    /// Arms a fault behind those already armed. An outage begins now, by the simulator's clock.
    ///
    /// # Errors
    /// A text: the fault does not take this number, or cannot meet this operation.
    pub fn arm(&mut self, armed: Armed, now_ms: i64) -> Result<(), Words> {
        armed.check()?;
        let lasts_ms = i64::try_from(armed.chosen().number).unwrap_or(i64::MAX);
        let until_ms = (armed.fault == Fault::Outage).then(|| now_ms.saturating_add(lasts_ms));
        self.armed.push(Armed { until_ms, ..armed });
        Ok(())
    }

    /// Disarms every fault. Random faults continue.
    pub fn disarm(&mut self) {
        self.armed.clear();
    }

    /// Restores the initial state: no fault is armed, and chance restarts from its seed.
    pub fn reset(&mut self) {
        self.disarm();
        if let Some(chaos) = &mut self.chaos {
            chaos.restart();
        }
    }

    /// The armed faults, the next one first.
    pub fn armed(&self) -> &[Armed] {
        &self.armed
    }

    /// The random faults.
    pub fn chaos(&self) -> Option<&Chaos> {
        self.chaos.as_ref()
    }

    /// Replaces the random faults, or removes them.
    pub fn set_chaos(&mut self, chaos: Option<Chaos>) {
        self.chaos = chaos;
    }

    /// The fault that hits this request: an outage, the one that the request selects by its header, bizId or amount,
    /// the first armed one that fits, or a random one. For a reversal, `request` names the sale that it reverses.
    ///
    /// # Errors
    /// The request selects a fault that is unknown or cannot meet it.
    pub fn choose(
        &mut self,
        header: Option<&str>,
        request: &Peek,
        now_ms: i64,
    ) -> Result<Option<Chosen>, Impossible> {
        // Drawn for every request, so that the faults depend only on the seed and on the number of requests.
        let by_chance = self.chaos.as_mut().and_then(Chaos::choose);
        self.armed.retain(|armed| armed.until_ms.is_none_or(|until_ms| now_ms < until_ms));
        let outage = self.armed.iter().find(|armed| armed.until_ms.is_some() && armed.fits(request));
        if let Some(outage) = outage {
            return Ok(Some(outage.chosen()));
        }
        let chosen = requested(header, request)?
            .or_else(|| self.take(|armed| armed.fits(request)))
            .or_else(|| by_chance.filter(|chosen| chosen.fault.meets(request.operation)));
        if let Some(Chosen { fault: Fault::Outage, number }) = chosen {
            let params = BTreeMap::from([("ms".to_owned(), number)]);
            let all = Armed { fault: Fault::Outage, times: None, operation: None, params, until_ms: None };
            // Cannot fail: it has no `times`, and the number is its own.
            let _ = self.arm(all, now_ms);
        }
        Ok(chosen)
    }

    /// The fault that hits the start of a TLS connection.
    pub fn choose_handshake(&mut self) -> Option<Chosen> {
        self.take(|armed| armed.fault.is_in_handshake())
    }

    /// The fault that resets the connection within this request. Before the body arrives, only the header can select
    /// it, or the first armed fault if it is armed for any operation.
    pub fn cut_request(&mut self, header: Option<&str>) -> Option<Chosen> {
        let requested = header.and_then(|header| Named::read(header).ok()).map(Named::chosen);
        if requested.is_some() {
            return requested.filter(|chosen| chosen.fault == Fault::ResetDuring);
        }
        let first = self.armed.first()?;
        let waits = first.fault == Fault::ResetDuring && first.operation.is_none();
        if waits { self.take(|_| true) } else { None }
    }

    /// The first armed fault that fits; it hits one request less from now on.
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

    /// Checks that the fault takes this number and this operation.
    ///
    /// # Errors
    /// A text: the fault does not take this number, cannot meet this operation, or `times` is zero or given for an outage.
    pub fn check(&self) -> Result<(), Words> {
        let row = self.fault.row();
        let taken = row.param.map(|param| param.name);
        if let Some(name) = self.params.keys().find(|name| Some(name.as_str()) != taken) {
            return Err(words!(
                "{fault} takes {taken}, not {name:?}",
                "{fault} 不接受参数 {name:?}",
                fault = row.name,
                taken = taken.unwrap_or("no params"),
            ));
        }
        if self.times == Some(0) {
            return Err(words!(
                "times must be 1 or more, or left out for until DELETE /faults",
                "times 必须大于等于 1；不填则一直触发，直到 DELETE /faults",
            ));
        }
        if self.fault == Fault::Outage && self.times.is_some() {
            return Err(words!(
                "an outage ends with its time: give ms, not times",
                "outage 到时自行结束：请填 ms，不要填 times",
            ));
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
    /// Whether the fault can meet a request of this operation.
    pub fn meets(self, operation: Option<Operation>) -> bool {
        match self.row().meets {
            Meets::Request => true,
            Meets::Consume => operation == Some(Operation::Consume),
            Meets::Reverse => matches!(operation, Some(Operation::Reverse | Operation::CouponReverse)),
            Meets::Handshake => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_000_000_000;

    fn consume(biz_id: &str) -> Peek {
        Peek { operation: Some(Operation::Consume), biz_id: Some(biz_id.to_owned()), amount: None }
    }

    fn reverse(biz_id: &str) -> Peek {
        Peek { operation: Some(Operation::Reverse), ..consume(biz_id) }
    }

    fn armed(json: &str) -> Armed {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_fault_hits_so_many_of_its_operation() {
        let mut faults = ArmedFaults::default();
        faults.arm(armed(r#"{"fault": "hang", "times": 2, "operation": "reverse"}"#), NOW_MS).unwrap();
        faults.arm(armed(r#"{"fault": "reverse_refused", "times": 1}"#), NOW_MS).unwrap();
        faults.arm(armed(r#"{"fault": "http_500", "params": {"status": 503}}"#), NOW_MS).unwrap();
        let next =
            |faults: &mut ArmedFaults, request: &Peek| faults.choose(None, request, NOW_MS).unwrap().unwrap();
        assert_eq!(next(&mut faults, &consume("T1")), Chosen { fault: Fault::Http500, number: 503 });
        for fault in [Fault::Hang, Fault::Hang, Fault::ReverseRefused, Fault::Http500] {
            assert_eq!(next(&mut faults, &reverse("T1")).fault, fault);
        }
        faults.disarm();
        assert_eq!(faults.choose(None, &reverse("T1"), NOW_MS), Ok(None));
    }

    #[test]
    fn an_outage_ends_by_the_clock() {
        let mut faults = ArmedFaults::default();
        let order = r#"{"fault": "outage", "operation": "reverse", "params": {"ms": 60000}}"#;
        faults.arm(armed(order), NOW_MS).unwrap();
        let at = |faults: &mut ArmedFaults, request: &Peek, ms| {
            faults.choose(None, request, NOW_MS + ms).unwrap().map(|chosen| chosen.fault)
        };
        assert_eq!(at(&mut faults, &consume("T1"), 1), None);
        for ms in [0, 1, 59_999] {
            assert_eq!(at(&mut faults, &reverse("T1"), ms), Some(Fault::Outage));
        }
        assert_eq!(at(&mut faults, &reverse("T1"), 60_000), None);
        // Once a sale has selected it, it hits every request.
        assert_eq!(at(&mut faults, &consume("T2~outage:1000"), 0), Some(Fault::Outage));
        assert_eq!(at(&mut faults, &reverse("T3"), 999), Some(Fault::Outage));
        assert_eq!(at(&mut faults, &reverse("T3"), 1000), None);
    }

    #[test]
    fn chance_chooses_where_nothing_else_does() {
        let mut faults = ArmedFaults::new(Some(Chaos::parse("hang=1").unwrap()));
        assert_eq!(faults.choose(None, &consume("T1"), NOW_MS).unwrap().unwrap().fault, Fault::Hang);
        let requested = faults.choose(None, &consume("T1~declined"), NOW_MS).unwrap().unwrap();
        assert_eq!(requested.fault, Fault::Declined);
        faults.set_chaos(Some(Chaos::parse("reverse_refused=1").unwrap()));
        assert_eq!(faults.choose(None, &consume("T1"), NOW_MS), Ok(None));
        assert!(faults.choose(None, &reverse("T1"), NOW_MS).unwrap().is_some());
    }

    #[test]
    fn wrong_orders_are_refused() {
        let mut faults = ArmedFaults::default();
        for order in [
            r#"{"fault": "hang", "params": {"ms": 1}}"#,
            r#"{"fault": "cut_body", "params": {"ta": 1}}"#,
            r#"{"fault": "hang", "times": 0}"#,
            r#"{"fault": "outage", "times": 1}"#,
            r#"{"fault": "reverse_refused", "operation": "consume"}"#,
            r#"{"fault": "tls_hangs", "operation": "consume"}"#,
        ] {
            assert!(faults.arm(armed(order), NOW_MS).is_err(), "{order}");
        }
        let why = serde_json::from_str::<Armed>(r#"{"fault": "hangs"}"#).unwrap_err().to_string();
        assert!(why.contains("\"hang\""), "{why}");
        assert_eq!(armed(r#"{"fault": "http_502"}"#).chosen(), Chosen { fault: Fault::Http500, number: 502 });
    }
}
