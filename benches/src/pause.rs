//! A sale as a cashier makes it: the member is looked up, and the payment follows some seconds later, over https and a
//! path that takes 30 ms. The payment's duration is counted in round trips: the gateway answers at once and the journals
//! are in memory, so what is above one round trip is connecting, TLS and the till's own work.

use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::Location;
use crate::contestant::{fine, linked};
use crate::disk::InMemory;
use crate::gateway::Gateway;
use crate::peers::{OPENSSL, is_there};
use crate::relay;
use crate::report::{Pause, Report, percentiles_us};

/// Both ways.
const ROUND_TRIP: Duration = Duration::from_millis(30);
/// From the look-up's answer to the payment.
pub(crate) const SECONDS: u32 = 15;
/// Tills that wait at the same time.
const TILLS: usize = 8;

pub(crate) fn run(place: &Location, gateway: &Gateway, report: &mut Report) -> Result<(), String> {
    if !is_there(place, &OPENSSL) {
        return Ok(());
    }
    let program = linked(place, "pause", &[])?;
    let path = relay::start(gateway.secure()?.address, ROUND_TRIP).map_err(|error| format!("{error}"))?;
    let memory = InMemory::new("pause")?;
    let place = place.with_folder(memory.0.clone());
    for (seconds, turns) in [(0, 5), (SECONDS, place.calls(2))] {
        let mut commands = Vec::new();
        for till in 0..TILLS {
            let config = place.secure_config(gateway, path, &format!("pause-{seconds}-{till}"))?;
            let mut command = Command::new(&program);
            command.arg(config).args([seconds.to_string(), turns.to_string()]);
            commands.push(command);
        }
        let mut took = together(commands)?;
        let [p50_us, _] = percentiles_us(&mut took);
        let round_trips = p50_us / 1e6 / ROUND_TRIP.as_secs_f64();
        report.pauses.push(Pause { seconds, payments: took.len(), round_trips });
    }
    Ok(())
}

/// Runs the programs at the same time, a little apart, and returns the numbers that they write.
fn together(commands: Vec<Command>) -> Result<Vec<u64>, String> {
    let running: Vec<_> = commands
        .into_iter()
        .map(|mut command| {
            // Their payments must not meet.
            thread::sleep(Duration::from_millis(200));
            thread::spawn(move || fine(&mut command))
        })
        .collect();
    let mut all = Vec::new();
    for till in running {
        let said = till.join().map_err(|_| "a till's thread panicked".to_owned())??;
        for number in said.split_whitespace() {
            all.push(number.parse().map_err(|error| format!("{number:?}: {error}"))?);
        }
    }
    Ok(all)
}
