//! The simulator, in this process, and its admin API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zvpos_sandbox::rules::{Policy, Seed};
use zvpos_sandbox::server::{Options, Server, ask};

/// Has 900,000.00 recharged and 100,000.00 given.
pub const MEMBER: &str = "383933091455959041";
/// Has 8.50.
pub const POOR_MEMBER: &str = "383933091455959042";
/// `MEMBER`'s, 8.5折, unlimited uses.
pub const SAVINGS_COUPON: &str = "390913439370321921";
/// `MEMBER`'s, 5 元 off, unlimited uses.
pub const FIVE_OFF: &str = "390962138708451328";

/// A running simulator; ends on drop.
pub struct Simulator {
    server: Server,
}

impl Simulator {
    pub fn start() -> Simulator {
        Simulator::with(Policy::default(), Seed::DEFAULT_JSON)
    }

    pub fn with_policy(policy: Policy) -> Simulator {
        Simulator::with(policy, Seed::DEFAULT_JSON)
    }

    pub fn with(policy: Policy, seed: &str) -> Simulator {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        Simulator::listening(any, policy, seed).unwrap()
    }

    /// Listens at the address that an old journal expects; waits while another process has it.
    pub fn at(address: &str) -> Simulator {
        let address: SocketAddr = address.parse().unwrap();
        let started = Instant::now();
        loop {
            match Simulator::listening(address, Policy::default(), Seed::DEFAULT_JSON) {
                Ok(simulator) => return simulator,
                Err(error) => assert!(started.elapsed() < Duration::from_mins(1), "{address}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn listening(listen: SocketAddr, policy: Policy, seed: &str) -> std::io::Result<Simulator> {
        let seed = Arc::new(Seed::parse(seed).unwrap());
        let admin: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let options = Options { listen, admin, seed, policy, chaos: None, quiet: true };
        Ok(Simulator { server: Server::start(options)? })
    }

    /// The server itself, for its clock and random faults.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The gateway's address.
    pub fn address(&self) -> SocketAddr {
        self.server.gateway
    }

    /// The URL of V2.
    pub fn v2(&self) -> String {
        format!("http://{}/api/v2", self.server.gateway)
    }

    /// The endpoint of V3, a host.
    pub fn v3(&self) -> String {
        format!("http://{}", self.server.gateway)
    }

    /// The inspector's URL on the admin port.
    pub fn inspector(&self) -> String {
        format!("http://{}/", self.server.admin)
    }

    pub fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        ask(self.server.admin, method, path, body).unwrap()
    }

    /// Arms a fault for the next `times` requests of an operation.
    pub fn arm(&self, fault: &str, operation: &str, times: u32, params: &Value) {
        let order = json!({"fault": fault, "operation": operation, "times": times, "params": params});
        let answer = self.admin("POST", "/faults", &order);
        assert!(answer["error"].is_null(), "{order}: {answer}");
    }

    /// The net deductions of a bizId at the gateway: 1 for one deduction.
    pub fn net(&self, biz_id: &str) -> i64 {
        self.admin("GET", &format!("/ledger?bizId={biz_id}"), &Value::Null)["net"].as_i64().unwrap()
    }

    pub fn requests(&self) -> u64 {
        self.counter("requests")
    }

    pub fn connections(&self) -> u64 {
        self.counter("connections")
    }

    fn counter(&self, name: &str) -> u64 {
        self.admin("GET", "/counters", &Value::Null)[name].as_u64().unwrap()
    }

    /// The last request that the gateway received.
    pub fn last_request(&self) -> Value {
        self.admin("GET", "/requests?last=1", &Value::Null)[0].clone()
    }

    pub fn member(&self, customer_id: &str) -> Value {
        self.admin("GET", &format!("/members/{customer_id}"), &Value::Null)
    }
}
