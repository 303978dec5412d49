//! Three nodes behind one address. A till does not choose its node, and hears nothing if that ends or is silent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::node::Node;
use super::support::Answer;

pub(crate) const NODES: usize = 3;

/// How long the balancer waits for a node: longer than a call lasts, shorter than a lease.
const PATIENCE: Duration = Duration::from_millis(2500);

/// How long a start may last: the library waits some seconds for a database that is away.
const START: Duration = Duration::from_secs(30);

pub(crate) struct Balancer {
    config: Value,
    slots: [RwLock<Option<Arc<Node>>>; NODES],
    turn: AtomicUsize,
    /// The successes that a node has told and no till has heard: the balancer had given up.
    pub(crate) missed: Mutex<Vec<Answer>>,
}

impl Balancer {
    /// Starts all nodes.
    pub(crate) fn before(config: Value) -> Balancer {
        let balancer = Balancer {
            config,
            slots: Default::default(),
            turn: AtomicUsize::new(0),
            missed: Mutex::default(),
        };
        (0..NODES).for_each(|place| drop(balancer.start(place)));
        balancer
    }

    /// Starts a node in a place that has none. `None`: it was killed during its start.
    pub(crate) fn start(&self, place: usize) -> Option<Answer> {
        let node = Arc::new(Node::new());
        *self.slots[place].write().unwrap() = Some(Arc::clone(&node));
        node.ask(&format!("init {}", self.config), START)
    }

    pub(crate) fn node(&self, place: usize) -> Option<Arc<Node>> {
        self.slots[place].read().unwrap().clone()
    }

    /// Removes a node; the calls that it carries out go on.
    pub(crate) fn remove(&self, place: usize) -> Option<Arc<Node>> {
        self.slots[place].write().unwrap().take()
    }

    /// Keeps what a node that has ended had told nobody.
    pub(crate) fn ended(&self, node: &Node) {
        self.missed.lock().unwrap().extend(node.missed());
    }

    /// Asks one node. `None`: nothing was heard.
    pub(crate) fn ask(&self, line: &str) -> Option<Answer> {
        let end = Instant::now() + PATIENCE;
        loop {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            if let Some(node) = self.node(turn % NODES) {
                let answer = node.ask(line, end.saturating_duration_since(Instant::now()))?;
                // A node that is still starting is none.
                if answer.code() != "ZV-NOT-INIT" {
                    return Some(answer);
                }
            }
            if Instant::now() > end {
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}
