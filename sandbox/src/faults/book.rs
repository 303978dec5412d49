//! Which faults wait for which request. A fault is armed by the admin API, or asked for by the request itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::rules::{Operation, Peek};

use super::Fault;

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.row().name)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Self::named(&name)
            .ok_or_else(|| D::Error::custom(format!("there is no fault {name:?}; GET /faults lists them")))
    }
}

/// A fault that waits for a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Armed {
    /// Which.
    pub fault: Fault,
    /// How many requests it still hits; `None` is until it is disarmed.
    #[serde(default)]
    pub times: Option<u32>,
    /// Only requests of this operation; `None` is any.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// Its number, by name.
    #[serde(default)]
    pub params: BTreeMap<String, u64>,
}

/// A fault that hits a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Chosen {
    /// Which.
    pub fault: Fault,
    /// Its number; 0 where it takes none.
    pub number: u64,
}

/// The faults that wait.
#[derive(Clone, Debug, Default)]
pub struct Book {
    armed: Vec<Armed>,
}

impl Book {
    /// Lets a fault wait, behind those that wait already.
    ///
    /// # Errors
    /// In words: a number that the fault does not take.
    pub fn arm(&mut self, armed: Armed) -> Result<(), String> {
        armed.check()?;
        self.armed.push(armed);
        Ok(())
    }

    /// Lets none wait any more.
    pub fn disarm(&mut self) {
        self.armed.clear();
    }

    /// Those that wait, the next one first.
    pub fn armed(&self) -> &[Armed] {
        &self.armed
    }

    /// The fault that hits this request: the one it asks for itself, or else the first that waits for its like.
    pub fn choose(&mut self, request: &Peek) -> Option<Chosen> {
        if let Some(chosen) = asked_for(request) {
            return Some(chosen);
        }
        let fits = |armed: &Armed| armed.operation.is_none() || armed.operation == request.operation;
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

    /// Whether its numbers are those that the fault takes.
    ///
    /// # Errors
    /// In words: a number that the fault does not take, or `times` 0.
    pub fn check(&self) -> Result<(), String> {
        let row = self.fault.row();
        let taken = row.param.map(|param| param.name);
        if let Some(name) = self.params.keys().find(|name| Some(name.as_str()) != taken) {
            return Err(format!("{} takes {}, not {name:?}", row.name, taken.unwrap_or("no params")));
        }
        if self.times == Some(0) {
            return Err("times must be 1 or more, or left out for until DELETE /faults".to_owned());
        }
        Ok(())
    }
}

/// The fault at the end of a consume's bizId: `~name` or `~name:number`.
fn asked_for(request: &Peek) -> Option<Chosen> {
    if request.operation != Some(Operation::Consume) {
        return None;
    }
    let (_, asked) = request.biz_id.as_deref()?.rsplit_once('~')?;
    let (name, number) = match asked.split_once(':') {
        Some((name, number)) => (name, Some(number.parse().ok()?)),
        None => (asked, None),
    };
    let fault = Fault::named(name)?;
    Some(Chosen { fault, number: number.or(fault.row().param.map(|param| param.default)).unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consume(biz_id: &str) -> Peek {
        Peek { operation: Some(Operation::Consume), biz_id: Some(biz_id.to_owned()) }
    }

    fn armed(json: &str) -> Armed {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_consume_asks_for_its_fault() {
        let chosen = |biz_id: &str| Book::default().choose(&consume(biz_id));
        assert_eq!(chosen("T1~reset_after"), Some(Chosen { fault: Fault::ResetAfter, number: 0 }));
        assert_eq!(chosen("T1~cut_body:57"), Some(Chosen { fault: Fault::CutBody, number: 57 }));
        assert_eq!(chosen("T1~cut_body"), Some(Chosen { fault: Fault::CutBody, number: 40 }));
        assert_eq!(chosen("T1~no_such"), None);
        assert_eq!(chosen("T1~cut_body:x"), None);
        assert_eq!(chosen("reset_after"), None);
        let reverse = Peek { operation: Some(Operation::Reverse), ..consume("T1~reset_after") };
        assert_eq!(Book::default().choose(&reverse), None);
    }

    #[test]
    fn a_fault_hits_so_many_of_its_operation() {
        let mut book = Book::default();
        book.arm(armed(r#"{"fault": "hang", "times": 2, "operation": "reverse"}"#)).unwrap();
        book.arm(armed(r#"{"fault": "http_500", "params": {"status": 503}}"#)).unwrap();
        let reverse = Peek { operation: Some(Operation::Reverse), biz_id: None };
        assert_eq!(book.choose(&consume("T1")), Some(Chosen { fault: Fault::Http500, number: 503 }));
        assert_eq!(book.choose(&reverse).unwrap().fault, Fault::Hang);
        assert_eq!(book.choose(&reverse).unwrap().fault, Fault::Hang);
        assert_eq!(book.choose(&reverse).unwrap().fault, Fault::Http500);
        book.disarm();
        assert_eq!(book.choose(&reverse), None);
    }

    #[test]
    fn wrong_numbers_are_refused() {
        let mut book = Book::default();
        assert!(book.arm(armed(r#"{"fault": "hang", "params": {"ms": 1}}"#)).is_err());
        assert!(book.arm(armed(r#"{"fault": "cut_body", "params": {"ta": 1}}"#)).is_err());
        assert!(book.arm(armed(r#"{"fault": "hang", "times": 0}"#)).is_err());
        assert!(serde_json::from_str::<Armed>(r#"{"fault": "hangs"}"#).is_err());
    }
}
