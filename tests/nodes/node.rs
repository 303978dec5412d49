//! A node: `tests/c/node.c` with the library for servers, in a process of its own, which carries out many calls at once.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::support::{Answer, program_for_servers, system, tempfile};

pub(crate) struct Node {
    child: Mutex<Child>,
    input: Mutex<Option<ChildStdin>>,
    calls: Arc<Mutex<Calls>>,
    reader: Mutex<Option<JoinHandle<()>>>,
    /// The stderr of the node, which must be empty.
    errors: Mutex<File>,
}

#[derive(Default)]
struct Calls {
    next: u64,
    /// The node has ended: no answer comes any more.
    is_over: bool,
    waiting: HashMap<u64, Sender<Answer>>,
    /// The answers for which nobody waited any more.
    missed: Vec<Answer>,
}

impl Node {
    /// A node whose library is not started.
    pub(crate) fn new() -> Node {
        static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
        let errors = tempfile();
        let mut command = Command::new(PROGRAM.get_or_init(|| program_for_servers("node")));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors.try_clone().unwrap());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        let calls = Arc::new(Mutex::new(Calls::default()));
        let heard = Arc::clone(&calls);
        let reader = thread::spawn(move || read(BufReader::new(output), &heard));
        Node {
            child: Mutex::new(child),
            input: Mutex::new(input),
            calls,
            reader: Mutex::new(Some(reader)),
            errors: Mutex::new(errors),
        }
    }

    /// Sends a signal, unless the node has ended: its number may be another process's by then.
    pub(crate) fn signal(&self, name: &str) {
        let mut child = self.child.lock().unwrap();
        if child.try_wait().unwrap().is_none() {
            system("kill", &[name, &child.id().to_string()]);
        }
    }

    /// Carries out a call. `None`: the node died, or no answer came in time, so that nobody knows what became of it.
    pub(crate) fn ask(&self, line: &str, patience: Duration) -> Option<Answer> {
        let (number, answer) = self.begin(line)?;
        let heard = answer.recv_timeout(patience).ok();
        if heard.is_none() {
            // An answer that has come since was missed all the same.
            let mut calls = self.calls.lock().unwrap();
            if calls.waiting.remove(&number).is_none() {
                calls.missed.extend(answer.try_recv());
            }
        }
        heard
    }

    fn begin(&self, line: &str) -> Option<(u64, Receiver<Answer>)> {
        let (sender, receiver) = channel();
        let number = {
            let mut calls = self.calls.lock().unwrap();
            if calls.is_over {
                return None;
            }
            calls.next += 1;
            let number = calls.next;
            calls.waiting.insert(number, sender);
            number
        };
        // If the node is gone, the call gets no answer either.
        if let Some(input) = self.input.lock().unwrap().as_mut() {
            let _ = writeln!(input, "{number} {line}");
        }
        Some((number, receiver))
    }

    /// The answers that came after the caller had given up.
    pub(crate) fn missed(&self) -> Vec<Answer> {
        std::mem::take(&mut self.calls.lock().unwrap().missed)
    }

    /// `kill -9`
    pub(crate) fn kill(&self) {
        self.child.lock().unwrap().kill().unwrap();
        self.end();
    }

    /// Ends a node that has nothing to do.
    pub(crate) fn close(&self) {
        drop(self.input.lock().unwrap().take());
        let status = self.end();
        assert!(status.success(), "a node ended with {status}");
    }

    fn end(&self) -> std::process::ExitStatus {
        let status = self.child.lock().unwrap().wait().unwrap();
        if let Some(reader) = self.reader.lock().unwrap().take() {
            reader.join().unwrap();
        }
        let mut said = String::new();
        let mut errors = self.errors.lock().unwrap();
        errors.rewind().unwrap();
        errors.read_to_string(&mut said).unwrap();
        assert_eq!(said, "", "the library wrote to stderr");
        status
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Of a test that has failed.
        let child = self.child.get_mut().unwrap();
        let _ = (child.kill(), child.wait());
    }
}

/// Hands out the answers until the node ends.
fn read(mut output: BufReader<ChildStdout>, calls: &Mutex<Calls>) {
    let started = Instant::now();
    while let Some((number, text)) = block(&mut output) {
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let answer = Answer { text, json, took: started.elapsed() };
        let mut calls = calls.lock().unwrap();
        let unheard = match calls.waiting.remove(&number) {
            // Sent under the lock: a caller that gives up finds it either waited for or in the channel.
            Some(sender) => sender.send(answer).err().map(|unsent| unsent.0),
            None => Some(answer),
        };
        calls.missed.extend(unheard);
    }
    let mut calls = calls.lock().unwrap();
    calls.is_over = true;
    calls.waiting.clear();
}

/// `NUMBER <length>\n<bytes>\n`; `None` if the node died before its end.
fn block(output: &mut BufReader<ChildStdout>) -> Option<(u64, String)> {
    let mut head = String::new();
    output.read_line(&mut head).ok()?;
    let (number, length) = head.strip_suffix('\n')?.split_once(' ').expect("a head");
    let mut bytes = vec![0; length.parse().unwrap()];
    output.read_exact(&mut bytes).ok()?;
    output.read_exact(&mut [0]).ok()?;
    Some((number.parse().unwrap(), String::from_utf8(bytes).unwrap()))
}
