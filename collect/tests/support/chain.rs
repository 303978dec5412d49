//! What tests of a whole chain do: enrol a till, ship its journal, look at the day.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use zvpos_collect::report::{DayReport, day_report};
use zvpos_collect::serve::Server;
use zvpos_collect::ship::{Round, Settings, Shipper};

use super::tills::{DAYS, Till};
use super::{Folder, NOON, now_ms, settings, store};

pub fn shipper(till: &Till, settings: &Settings) -> Shipper {
    Shipper::new(settings, &till.path, DAYS).unwrap()
}

pub fn enrolled(folder: &Folder, server: &Server, name: &str) -> Settings {
    let token = store(folder).enroll("chain", name, "S01", now_ms()).unwrap();
    settings(server.address, &token)
}

/// Ships until everything is there, as the running program does.
pub fn until_shipped(shipper: &Shipper) -> Round {
    let started = Instant::now();
    loop {
        match shipper.round() {
            Ok(round) => return round,
            Err(error) if started.elapsed() > Duration::from_secs(30) => panic!("{error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

pub fn report(folder: &Folder) -> DayReport {
    let silent = 600_000;
    day_report(&mut store(folder), "chain", DAYS.day_of(NOON), (now_ms(), silent)).unwrap()
}

pub fn kinds(report: &DayReport) -> (Vec<&str>, Vec<&str>) {
    let gaps = report.gaps.iter().map(|gap| gap.kind.as_str()).collect();
    (gaps, report.differences.iter().map(|difference| difference.kind.as_str()).collect())
}

pub fn copied(till: &Till, to: &Path) {
    till.feed();
    fs::create_dir_all(to).unwrap();
    let folder = till.path.parent().unwrap();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().to_string_lossy().into_owned();
        if file.file_type().unwrap().is_file() && !name.ends_with(".shipped") {
            fs::copy(file.path(), to.join(name)).unwrap();
        }
    }
}
