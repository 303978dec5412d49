//! How many system calls a record takes, beside one that is sent and one that is received: on a busy machine each is time
//! for others.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod cluster;

use std::env;
use std::fs;
use std::process::Command;

use cluster::drafts::{Draft, open, owner};
use cluster::{Cluster, done, own_folder, settings_at, soon};
use zvpos_core::journal::Guard;
use zvpos_core::journal::nodes::{Database, Write};
use zvpos_core::payment::Stage;

/// To send, to wait for the answer, to receive it; before that a look whether the connection is open, and whether the
/// process was forked.
const A_RECORD: u64 = 5;

const SCENE: &str = "ZVPOS_TEST_RECORDS";

/// Not a test of its own: the process whose system calls are counted.
#[test]
fn the_one_that_records() {
    let Ok(scene) = env::var(SCENE) else { return };
    let (url, sales) = scene.split_once('|').unwrap();
    let database = open(&settings_at(url, "counted"));
    let node = owner("n1");
    database.join(&node, soon()).unwrap();
    for number in 0..sales.parse::<u64>().unwrap() {
        let biz_id = format!("{sales}-{number}");
        let intent = Draft::new(&biz_id, Stage::Sending).entry();
        let outcome = Draft::new(&biz_id, Stage::Succeeded).revision(2).entry();
        for (entry, guard, by) in [(&intent, Guard::Member, Some(&node)), (&outcome, Guard::Off, None)] {
            assert!(database.write(&Write { entry, token: 1, guard, by }, soon()).unwrap());
        }
    }
}

/// All system calls of a process that records so many sales.
fn counted(url: &str, sales: u64) -> u64 {
    let folder = own_folder("strace");
    let counts = folder.join("counts");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-o"]).arg(&counts).arg(env::current_exe().unwrap());
    strace.args(["--exact", "the_one_that_records"]).env(SCENE, format!("{url}|{sales}"));
    done(strace);
    let text = fs::read_to_string(&counts).unwrap();
    let total = text.lines().find(|line| line.ends_with(" total")).unwrap();
    fs::remove_dir_all(folder).unwrap();
    total.split_whitespace().nth(3).unwrap().parse().unwrap()
}

#[test]
fn a_record_takes_few_system_calls() {
    let cluster = Cluster::start();
    let few = counted(&cluster.url(), 100);
    let more = counted(&cluster.url(), 600);
    let records = 2 * 500;
    // What a start takes differs by some, and the deadline's alarm goes off now and then.
    assert!(more - few <= A_RECORD * records + records / 20, "{} in {records} records", more - few);
}
