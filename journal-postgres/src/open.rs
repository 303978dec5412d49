//! The journal of one node, as the library opens it: over the database, with a thread that says that the node lives.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use zvpos_core::clock::machine_unix_ms;
use zvpos_core::config::{Config, DatabaseSettings};
use zvpos_core::journal::nodes::{Database, NodeSettings, Nodes};
use zvpos_core::journal::{Backend, JournalError, Location, Open, owner_name};
use zvpos_core::outcome::codes;

use crate::database::Postgres;
use crate::settings::Settings;
use crate::start::Opened;

/// Gives what opens the journal's database; `None` if the configuration names none.
pub fn open(config: &Config) -> Option<Open> {
    let settings = config.database.clone()?;
    let (total, retention_days) = (config.total, config.retention_days);
    Some(Box::new(move |until| open_node(&settings, total, retention_days, until)))
}

fn open_node(
    settings: &DatabaseSettings,
    total: Duration,
    retention_days: i64,
    until: Instant,
) -> Result<(Arc<dyn Backend>, Location), JournalError> {
    let Opened { database, is_async } =
        Postgres::open(&Settings { host: host_name(), ..Settings::configured(settings) }, until)?;
    let place = PathBuf::from(database.place());
    let node = NodeSettings {
        lease: settings.lease,
        total,
        retention_days,
        unix_ms: machine_unix_ms,
        name: Box::new(move |random| owner_name(std::process::id(), random, total)),
    };
    let nodes = Arc::new(Nodes::start(database, node, until)?);
    beat(&nodes, settings.lease.beat)?;
    let is_async = is_async && !settings.allow_async;
    Ok((nodes, Location { is_async, ..Location::at(place) }))
}

/// Starts the thread that beats, until the journal is dropped.
fn beat(nodes: &Arc<Nodes<Postgres>>, every: Duration) -> Result<(), JournalError> {
    let nodes: Weak<Nodes<Postgres>> = Arc::downgrade(nodes);
    let beats = move || {
        loop {
            thread::sleep(every);
            let Some(nodes) = nodes.upgrade() else { return };
            // What fails is done by the next beat; what it means is said by the next use of the journal.
            let _ = nodes.beat();
        }
    };
    let started = thread::Builder::new().name("zvpos-beat".to_owned()).spawn(beats);
    started.map(drop).map_err(|error| {
        JournalError::new(&codes::JOURNAL, format!("there is no thread for the beats: {error}"))
    })
}

/// The machine's name, for people who read the table of nodes.
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
