//! Disks and journals that tests damage: small and full, locked by another program, changed behind a till's back.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::build::own_folder;
use super::driver::{Driver, reversing};
use super::simulator::{FIVE_OFF, MEMBER, Simulator};

/// Runs a system program.
pub fn system(program: &str, arguments: &[&str]) {
    let output =
        Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said} (mounting needs root)");
}

/// A small separate file system, unmounted on drop.
pub struct Mounted(pub PathBuf);

impl Mounted {
    pub fn small(size: &str) -> Mounted {
        let folder = own_folder();
        let options = format!("size={size}");
        system("mount", &["-t", "tmpfs", "-o", &options, "tmpfs", folder.to_str().unwrap()]);
        Mounted(folder)
    }

    /// Fills the remaining space.
    pub fn fill(&self) {
        let mut filler = fs::File::create(self.0.join("filler")).unwrap();
        for size in [4096, 1] {
            while filler.write_all(&vec![b'x'; size]).is_ok() {}
        }
    }

    pub fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }

    pub fn config(&self, simulator: &Simulator, more: Value) -> Value {
        let mut config = reversing(&simulator.v2(), more);
        config["journal"] = json!(self.0.join("journal.db"));
        config
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Another program, such as a backup, that takes the journal's lock and holds it until it is told to release it.
pub struct Holder {
    program: Child,
    said: BufReader<ChildStdout>,
}

impl Holder {
    /// Started, without the lock as yet: starting may take longer than the step that it must interrupt.
    pub fn ready(journal: &Value) -> Holder {
        let script = "import sqlite3, sys\n\
            c = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
            print('ready', flush=True)\nsys.stdin.readline()\n\
            c.execute('BEGIN EXCLUSIVE')\nprint('held', flush=True)\nsys.stdin.readline()\nc.execute('ROLLBACK')\n";
        Holder::started(script, journal)
    }

    fn started(script: &str, journal: &Value) -> Holder {
        let mut program = Command::new("python3")
            .args(["-c", script, journal.as_str().unwrap()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is missing: apt-get install python3");
        let said = BufReader::new(program.stdout.take().unwrap());
        let mut holder = Holder { program, said };
        holder.says("ready\n");
        holder
    }

    /// Before a till has it open: a program that shares the journal with nobody, so that it cannot even be read.
    pub fn take_alone(journal: &Value) -> Holder {
        let script = "import sqlite3, sys\n\
            c = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
            c.execute('PRAGMA locking_mode = EXCLUSIVE')\nprint('ready', flush=True)\nsys.stdin.readline()\n\
            c.execute('BEGIN EXCLUSIVE')\nprint('held', flush=True)\nsys.stdin.readline()\nc.close()\n";
        let mut holder = Holder::started(script, journal);
        holder.hold();
        holder
    }

    pub fn take(journal: &Value) -> Holder {
        let mut holder = Holder::ready(journal);
        holder.hold();
        holder
    }

    pub fn hold(&mut self) {
        self.program.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        self.says("held\n");
    }

    fn says(&mut self, expected: &str) {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        assert_eq!(line, expected);
    }

    pub fn let_go(mut self) {
        drop(self.program.stdin.take());
        assert!(self.program.wait().unwrap().success());
    }
}

pub fn quotes_go_on(till: &mut Driver) {
    let request = json!({"user_coupon_id": FIVE_OFF, "user_id": MEMBER,
        "items": [{"num": 1, "trade_mark": "1", "price": "9.00"}]});
    till.quote(&request).succeeded();
}

pub fn beside(journal: &Value, what: &str) -> PathBuf {
    PathBuf::from(format!("{}{what}", journal.as_str().unwrap()))
}

pub fn python(script: &str, journal: &Value) {
    system("python3", &["-c", script, journal.as_str().unwrap()]);
}

pub fn owner_files(journal: &Value, pid: u32) -> Vec<PathBuf> {
    let prefix = format!("{pid}-");
    let entries = fs::read_dir(beside(journal, ".owners")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(&prefix)).collect()
}

pub fn lose_owner_files(journal: &Value, pid: u32) {
    let files = owner_files(journal, pid);
    assert!(!files.is_empty());
    for file in files {
        fs::remove_file(file).unwrap();
    }
}

pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound.max(1)
    }
}

pub fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = std::env::var("ZVPOS_SEED")
        .map_or(u64::from(now.subsec_nanos()), |seed| seed.parse().expect("ZVPOS_SEED"));
    println!("ZVPOS_SEED={seed}");
    (seed | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
