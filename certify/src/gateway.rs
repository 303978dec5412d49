//! The simulator of a scenario, in this process, controlled over its admin port.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};
use zvpos_sandbox::rules::{Policy, Seed};
use zvpos_sandbox::server::{Options, Server, ask};

use crate::money::{fen, yuan};

/// A running simulator; dropping it stops it.
pub(crate) struct Gateway {
    server: Server,
}

/// A member's balance and points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wallet {
    pub(crate) fen: i64,
    pub(crate) points: i64,
}

/// A request as the gateway received it.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// Its number, from 1.
    pub number: u64,
    /// The operation.
    pub operation: String,
    /// The bizId.
    pub biz_id: String,
    /// 元 from the balance, as sent.
    pub amount: String,
    /// The coupons, as sent.
    pub coupons: Vec<String>,
    /// The fault that it met, if any.
    pub fault: String,
    /// The code of the gateway's answer; empty if a fault kept the request from the gateway.
    pub code: String,
    /// The gateway's action and the reason for it.
    pub explanation: String,
    /// The change of the number of deductions in force.
    pub effect: i64,
}

/// The gateway's ledger for a bizId.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// The bizId of the request.
    pub biz_id: String,
    /// The bizId of the answer.
    pub returned_biz_id: String,
    /// S: the number of deductions in force.
    pub net: i64,
    /// 元 from the balance, for each deduction.
    pub amount: String,
    /// Points, for each deduction.
    pub points: i64,
    /// Coupons, for each deduction.
    pub coupons: Vec<String>,
    /// The effects in order: `consume`, `reverse`.
    pub entries: Vec<String>,
}

impl Gateway {
    /// Starts a simulator with the built-in members. `policy` overrides the defaults.
    ///
    /// # Errors
    /// The reason, as a text.
    pub(crate) fn start(policy: &Value) -> Result<Gateway, String> {
        let policy: Policy = serde_json::from_value(policy.clone()).map_err(|error| error.to_string())?;
        let seed = Arc::new(Seed::parse(Seed::DEFAULT_JSON)?);
        let at = |address: Ipv4Addr| {
            let any = SocketAddr::from((address, 0));
            let (seed, policy) = (Arc::clone(&seed), policy.clone());
            Server::start(Options { listen: any, admin: any, seed, policy, chaos: None, quiet: true })
        };
        // A system with only 127.0.0.1 has to accept the risk.
        let server = at(own_address()).or_else(|_| at(Ipv4Addr::LOCALHOST));
        Ok(Gateway { server: server.map_err(|error| error.to_string())? })
    }

    /// The `endpoint` of a configuration with this `api`: the URL of V2, or the host of V3.
    pub(crate) fn endpoint(&self, api: &str) -> String {
        let path = if api == "v3" { "" } else { "/api/v2" };
        format!("http://{}{path}", self.server.gateway)
    }

    /// Arms a fault for requests of an operation. A closed port affects all of them.
    ///
    /// # Errors
    /// The reason, as a text.
    pub(crate) fn arm(
        &self,
        fault: &str,
        operation: &str,
        times: u32,
        number: Option<(&str, u64)>,
    ) -> Result<(), String> {
        let mut order = json!({"fault": fault, "times": times, "params": {}});
        if let Some((name, number)) = number {
            insert(&mut order, "params", json!({name: number}));
        }
        if fault != "refused" {
            insert(&mut order, "operation", operation.into());
            return self.tell("POST", "/faults", &order);
        }
        self.tell("POST", "/faults", &order)?;
        self.wait_until_refused()
    }

    /// Between fork and exec, a till of another scenario holds a copy of the closed socket, and the system still
    /// accepts connections on it.
    fn wait_until_refused(&self) -> Result<(), String> {
        let started = Instant::now();
        while TcpStream::connect_timeout(&self.server.gateway, Duration::from_secs(1)).is_ok() {
            if started.elapsed() > Duration::from_secs(10) {
                return Err(format!("{} cannot be closed", self.server.gateway));
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Disarms every fault and reopens the port.
    ///
    /// # Errors
    /// The reason, as a text.
    pub(crate) fn clear_faults(&self) -> Result<(), String> {
        self.tell("DELETE", "/faults", &Value::Null)
    }

    /// A member's balance and points; `None` if the member does not exist.
    pub(crate) fn wallet(&self, customer: &str) -> Option<Wallet> {
        let member = self.ask(&format!("/members/{customer}")).ok()?;
        let total = member.get("total").and_then(Value::as_str).and_then(fen)?;
        Some(Wallet { fen: total, points: member.get("points").and_then(Value::as_i64)? })
    }

    /// Every effect at the gateway, by bizId.
    pub(crate) fn ledger(&self) -> Vec<Record> {
        let ledger = self.ask("/ledger").unwrap_or_default();
        ledger.as_array().into_iter().flatten().map(record).collect()
    }

    /// Every request at the gateway, the first one first.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let requests = self.ask("/requests?last=1000").unwrap_or_default();
        requests.as_array().into_iter().flatten().map(seen).collect()
    }

    fn ask(&self, path: &str) -> Result<Value, String> {
        ask(self.server.admin, "GET", path, &Value::Null).map_err(|error| error.to_string())
    }

    fn tell(&self, method: &str, path: &str, body: &Value) -> Result<(), String> {
        let answer = ask(self.server.admin, method, path, body).map_err(|error| error.to_string())?;
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(error.to_owned()),
            None => Ok(()),
        }
    }
}

/// An address of this machine that no other scenario uses. Otherwise the system could give a port that a fault has
/// closed to the next simulator, and the till would talk to another scenario's simulator.
fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Addresses from a quarter of 127.0.0.0/8; each process starts at a different one.
    let number = (std::process::id() << 12).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
    let [_, high, middle, low] = number.to_be_bytes();
    Ipv4Addr::new(127, high & 0x7f | 0x40, middle, low)
}

fn insert(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

fn word(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn record(view: &Value) -> Record {
    let entries = || view.get("entries").and_then(Value::as_array).into_iter().flatten();
    let kinds = entries().map(|entry| word(entry, "kind")).collect();
    let first = entries().next().and_then(|entry| entry.get("moved")).cloned().unwrap_or_default();
    let part = |name: &str| fen(&word(&first, name)).unwrap_or_default();
    let coupons = first.get("coupons").and_then(Value::as_array).into_iter().flatten();
    Record {
        biz_id: word(view, "bizId"),
        returned_biz_id: word(view, "returnedBizId"),
        net: view.get("net").and_then(Value::as_i64).unwrap_or_default(),
        amount: yuan(part("recharge") + part("gift")),
        points: first.get("points").and_then(Value::as_i64).unwrap_or_default(),
        coupons: coupons.filter_map(Value::as_str).map(str::to_owned).collect(),
        entries: kinds,
    }
}

fn seen(line: &Value) -> Seen {
    let params = line.get("params").cloned().unwrap_or_default();
    let fault = line.get("fault").and_then(|fault| fault.get("fault")).and_then(Value::as_str);
    let coupons = params.get("couponsCardList").and_then(Value::as_array).into_iter().flatten();
    Seen {
        number: line.get("number").and_then(Value::as_u64).unwrap_or_default(),
        operation: word(line, "operation"),
        biz_id: word(line, "biz_id"),
        amount: word(&params, "amount"),
        coupons: coupons.filter_map(Value::as_str).map(str::to_owned).collect(),
        fault: fault.unwrap_or_default().to_owned(),
        code: word(line, "code"),
        explanation: word(line, "explanation"),
        effect: line.get("effect").and_then(Value::as_i64).unwrap_or_default(),
    }
}
