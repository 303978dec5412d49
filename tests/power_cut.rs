//! A power failure at any moment: whatever the till was told, and whatever was sent to the gateway, is in the
//! journal.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::items_after_statements,
    reason = "a test may panic"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use support::{Answer, Driver, MEMBER, POOR_MEMBER, Random, Simulator, own_folder, preload, reversing, seed};

/// A line of the shim's log.
#[derive(Debug)]
struct Change {
    operation: String,
    file: String,
    offset: usize,
    bytes: Vec<u8>,
}

fn read_changes(path: &Path) -> Vec<Change> {
    let log = fs::read(path).unwrap();
    let mut rest = &log[..];
    let mut changes = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
        let head = String::from_utf8(rest[..end].to_vec()).unwrap();
        let words: Vec<&str> = head.split(' ').collect();
        let length: usize = words[3].parse().unwrap();
        let bytes = rest[end + 1..=end + length].to_vec();
        assert_eq!(rest[end + 1 + length], b'\n', "{head}");
        rest = &rest[end + length + 2..];
        let (operation, file) = (words[0].to_owned(), words[1].to_owned());
        changes.push(Change { operation, file, offset: words[2].parse().unwrap(), bytes });
    }
    changes
}

/// A file on the disk: its durable content, and the changes since its last flush.
#[derive(Clone, Default)]
struct Disk<'c> {
    flushed: Option<Vec<u8>>,
    pending: Vec<&'c Change>,
}

fn apply(content: &mut Option<Vec<u8>>, change: &Change, length: usize) {
    if change.operation == "unlink" {
        *content = None;
        return;
    }
    let bytes = content.get_or_insert_default();
    match change.operation.as_str() {
        "write" => {
            let end = change.offset + length;
            bytes.resize(bytes.len().max(end), 0);
            bytes[change.offset..end].copy_from_slice(&change.bytes[..length]);
        }
        "truncate" => bytes.resize(change.offset, 0),
        // A second name of a file that was flushed before.
        "link" => bytes.clone_from(&change.bytes),
        _ => {}
    }
}

impl Disk<'_> {
    fn flush(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            apply(&mut self.flushed, change, change.bytes.len());
        }
    }

    /// The folder was flushed: whether the file exists is durable.
    fn flush_name(&mut self) {
        if let Some(last) = self.pending.iter().rposition(|change| change.operation == "unlink") {
            self.pending.drain(..=last);
            self.flushed = None;
        }
        for change in self.pending.iter().filter(|change| ["create", "link"].contains(&&*change.operation)) {
            apply(&mut self.flushed, change, 0);
        }
    }

    /// A content that may be left if the power fails now.
    fn after_power_cut(&self, random: &mut Random) -> Option<Vec<u8>> {
        let mut content = self.flushed.clone();
        let (all, until) = (random.below(2) == 0, random.below(self.pending.len() + 1));
        for (index, change) in self.pending.iter().enumerate() {
            // A prefix of them in order, or any subset.
            let kept = if all { index < until } else { random.below(2) == 0 };
            if kept {
                // The last one may be torn between two sectors.
                let torn = change.bytes.len() > 512 && random.below(4) == 0;
                let length =
                    if torn { random.below(change.bytes.len() / 512) * 512 } else { change.bytes.len() };
                apply(&mut content, change, length);
            }
        }
        content
    }
}

/// The events up to some moment: the bizIds that were sent to the gateway, and the outcomes that a till was told.
#[derive(Clone, Default)]
struct Said {
    answers: usize,
    sent: BTreeSet<String>,
    told: BTreeMap<String, String>,
}

impl Said {
    fn hear(&mut self, answers: &[Answer]) {
        let answer = &answers[self.answers];
        self.answers += 1;
        if let Some(biz_id) = answer.json["bizId"].as_str() {
            self.told.insert(biz_id.to_owned(), answer.outcome().to_owned());
        }
    }

    fn send(&mut self, bytes: &[u8], known: &[String]) {
        let text = String::from_utf8_lossy(bytes);
        self.sent.extend(known.iter().filter(|biz_id| text.contains(&format!("{biz_id}."))).cloned());
    }
}

/// The stages that a journal may show for what a till was told; later ones if a reversal was under way.
fn fits(told: &str, stage: &str, to_be_reversed: bool) -> bool {
    match (told, stage) {
        ("succeeded" | "declined" | "unknown", "reversing" | "reversed") if to_be_reversed => true,
        ("unknown", "reversing" | "reversed") => true,
        _ => stage == told,
    }
}

#[test]
fn reported_outcomes_survive_every_power_cut() {
    let simulator = Simulator::start();
    let folder = own_folder();
    let log = own_folder().join("changes");
    let mut config = reversing(&simulator.v2(), json!({"background": false}));
    config["journal"] = json!(folder.join("journal.db"));
    let shim = preload("powercut");
    let environment = [
        ("LD_PRELOAD", shim.to_str().unwrap()),
        ("ZVPOS_CUT_DIR", folder.to_str().unwrap()),
        ("ZVPOS_CUT_LOG", log.to_str().unwrap()),
    ];
    // Two processes: one ends in order, so that the WAL is written back and removed; one does not.
    let (mut known, mut answers) = (Vec::new(), Vec::new());
    let mut to_be_reversed = BTreeSet::new();
    for life in 0..2 {
        let mut till = Driver::in_environment(&environment);
        answers.push(till.init(&config).succeeded());
        for number in 0..60 {
            let fault = if number % 7 == 6 { "~reset_after" } else { "" };
            let biz_id = format!("P-{life}-{number}.{fault}");
            known.push(biz_id.trim_end_matches(fault).trim_end_matches('.').to_owned());
            let (member, amount) = if number % 5 == 4 { (POOR_MEMBER, "500.00") } else { (MEMBER, "0.01") };
            answers.push(till.consume(&json!({"bizId": biz_id, "customerId": member, "amount": amount})));
            if number % 6 == 5 {
                to_be_reversed.insert(biz_id.clone());
                answers.push(till.reverse(&json!({"bizId": biz_id})));
            }
        }
        if life == 0 {
            answers.push(till.recover().succeeded());
            answers.push(till.shutdown().succeeded());
        } else {
            till.kill();
        }
    }

    let changes = read_changes(&log);
    let is_write = |change: &Change| change.file != "stdout" && change.file != "gateway";
    let count = |operation: &str| changes.iter().filter(|c| is_write(c) && c.operation == operation).count();
    let (writes, flushes) = (count("write"), count("flush"));
    assert!(flushes > 200 && writes > flushes, "the shim saw {writes} writes and {flushes} flushes");
    let wanted = 1100.min(changes.len());
    let mut random = Random(seed());
    let mut points: BTreeSet<usize> = BTreeSet::new();
    while points.len() < wanted {
        points.insert(random.below(changes.len()));
    }

    let cut_folder = own_folder();
    let mut cut_config = config.clone();
    cut_config["journal"] = json!(cut_folder.join("journal.db"));
    let mut disk: BTreeMap<&str, Disk> = BTreeMap::new();
    let mut said = Said::default();
    let (mut wrong, mut cuts, mut checked) = (Vec::new(), 0, 0);
    let mut till = Driver::new();
    for (index, change) in changes.iter().enumerate() {
        match (change.file.as_str(), change.operation.as_str()) {
            ("stdout", _) => said.hear(&answers),
            ("gateway", _) => said.send(&change.bytes, &known),
            (".", "flush") => disk.values_mut().for_each(Disk::flush_name),
            (".", _) => {}
            (file, "flush") => disk.entry(file).or_default().flush(),
            (file, _) => disk.entry(file).or_default().pending.push(change),
        }
        if !points.contains(&index) {
            continue;
        }
        cuts += 1;
        for file in fs::read_dir(&cut_folder).unwrap().filter(|file| file.as_ref().unwrap().path().is_file())
        {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
        for (file, on_disk) in &disk {
            if let Some(content) = on_disk.after_power_cut(&mut random) {
                fs::write(cut_folder.join(file), content).unwrap();
            }
        }
        let answer = till.init(&cut_config).succeeded();
        if answer.data()["journal"].is_null() {
            wrong.push(format!("cut {index}: the journal is refused: {}", answer.text));
        } else {
            checked += said.told.len();
            wrong.extend(
                lost(&mut till, &said, &to_be_reversed).into_iter().map(|w| format!("cut {index}: {w}")),
            );
        }
        till.shutdown();
    }
    println!(
        "{cuts} power cuts among {writes} writes and {flushes} flushes; {checked} answers compared with the journal; \
         violations {}",
        wrong.len()
    );
    assert!(said.told.len() == 120 && checked > 10_000);
    assert!(cuts >= 1000 || cuts == changes.len());
    assert!(wrong.is_empty(), "{}", wrong[..wrong.len().min(20)].join("\n"));
}

/// What the till was told, or what was sent to the gateway, but the journal has lost.
fn lost(till: &mut Driver, said: &Said, to_be_reversed: &BTreeSet<String>) -> Vec<String> {
    let mut stages = BTreeMap::new();
    for day in days() {
        let answer: Answer = till.pending(Some(&json!({"day": day}))).succeeded();
        for listed in answer.data()["entries"].as_array().unwrap() {
            let text = |name: &str| listed["entry"][name].as_str().unwrap().to_owned();
            stages.insert(text("bizId"), text("stage"));
        }
    }
    let mut wrong = Vec::new();
    for (biz_id, outcome) in &said.told {
        let stage = stages.get(biz_id).map_or("nothing", String::as_str);
        if !fits(outcome, stage, to_be_reversed.contains(biz_id)) {
            wrong.push(format!("{biz_id} was told {outcome}, the journal says {stage}"));
        }
    }
    for biz_id in &said.sent {
        if !stages.keys().any(|known| known.starts_with(&format!("{biz_id}."))) {
            wrong.push(format!("{biz_id} was sent, the journal does not know it"));
        }
    }
    wrong
}

/// Yesterday, today and tomorrow: the sales belong to one of them, wherever the day begins.
fn days() -> Vec<String> {
    let output = |day: &str| {
        let output = Command::new("date").args(["-u", "-d", day, "+%F"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    static DAYS: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    DAYS.get_or_init(|| ["yesterday", "today", "tomorrow"].map(output).to_vec()).clone()
}
