//! A till: `tests/c/driver.c` as a child process, which calls the library on a 256 KiB stack as the lines on its
//! standard input say.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::build::{Flavour, own_folder, program, program_for_servers};

/// An answer of the library.
#[derive(Debug)]
pub struct Answer {
    /// The whole text.
    pub text: String,
    pub json: Value,
    /// The duration of the call, measured outside.
    pub took: Duration,
}

impl Answer {
    pub fn outcome(&self) -> &str {
        self.json["outcome"].as_str().unwrap()
    }

    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap()
    }

    pub fn data(&self) -> &Value {
        &self.json["data"]
    }

    /// Panics with the whole answer if it differs.
    pub fn expect(self, outcome: &str, code: &str) -> Answer {
        assert_eq!((self.outcome(), self.code()), (outcome, code), "{}", self.text);
        self
    }

    pub fn succeeded(self) -> Answer {
        self.expect("succeeded", "0")
    }

    pub fn warns(&self, code: &str) -> bool {
        self.json["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == code)
    }

    /// The paths in `errors[]`.
    pub fn errors(&self) -> Vec<String> {
        let errors = self.json["errors"].as_array().unwrap();
        errors.iter().map(|error| error["path"].as_str().unwrap().to_owned()).collect()
    }
}

/// The simulator's made-up credentials and this endpoint, with these keys added.
pub fn config(endpoint: &str, more: Value) -> Value {
    let mut config = json!({
        "openId": "fake-open-id-for-test-only-0001", "grantCode": "fake-grant-code-0001",
        "openKey": "fake-open-key-for-test-only-0001", "endpoint": endpoint,
        // Its own journal, and no sale that is blocked by the one before: most tests use one sale.
        "journal": own_folder().join("journal.db"), "guard": "off",
    });
    let Value::Object(more) = more else { panic!("an object") };
    config.as_object_mut().unwrap().extend(more);
    config
}

/// As [`config`], with the simulator's reverse route, and short timeouts.
pub fn reversing(endpoint: &str, more: Value) -> Value {
    let mut config = config(
        endpoint,
        json!({
            "routes": {"reverse": {"action": "sandbox.consume-reverse",
                "codes": {"already": ["920002"], "not_found": ["920001"]}}},
            "late_arrival_ms": 300, "timeouts_ms": {"connect": 300, "total": 800},
        }),
    );
    let Value::Object(more) = more else { panic!("an object") };
    config.as_object_mut().unwrap().extend(more);
    config
}

pub struct Driver {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// The stderr of the till, which must be empty.
    errors: File,
    killed: bool,
}

impl Driver {
    /// A till whose library is not started.
    pub fn new() -> Driver {
        Driver::in_environment(&[])
    }

    /// As [`Driver::new`], with these environment variables.
    pub fn in_environment(variables: &[(&str, &str)]) -> Driver {
        Driver::wrapped(&[], variables)
    }

    /// As [`Driver::new`], run by another program, such as strace with its arguments.
    pub fn wrapped(wrapper: &[&str], variables: &[(&str, &str)]) -> Driver {
        static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
        let program = PROGRAM.get_or_init(|| program("driver", Flavour::Plain));
        Driver::running(program, wrapper, variables)
    }

    /// As [`Driver::new`], with the library for servers.
    pub fn of_a_server() -> Driver {
        static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
        Driver::running(PROGRAM.get_or_init(|| program_for_servers("driver")), &[], &[])
    }

    fn running(program: &Path, wrapper: &[&str], variables: &[(&str, &str)]) -> Driver {
        let errors = tempfile();
        let mut command = match wrapper.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        let mut child = command
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors.try_clone().unwrap())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Driver { child, input, output, errors, killed: false }
    }

    /// A till that has called `zv_init` with this configuration and was answered `succeeded`.
    pub fn started(config: &Value) -> Driver {
        let mut driver = Driver::new();
        driver.init(config).succeeded();
        driver
    }

    pub fn init(&mut self, config: &Value) -> Answer {
        self.ask(&format!("init {config}"))
    }

    pub fn quote(&mut self, request: &Value) -> Answer {
        self.ask(&format!("quote {request}"))
    }

    pub fn consume(&mut self, request: &Value) -> Answer {
        self.ask(&format!("consume {request}"))
    }

    pub fn reverse(&mut self, request: &Value) -> Answer {
        self.ask(&format!("reverse {request}"))
    }

    pub fn look_up(&mut self, biz_id: &str) -> Answer {
        self.ask(&format!("lookup {}", json!({"bizId": biz_id})))
    }

    pub fn confirm(&mut self, biz_id: &str) -> Answer {
        self.ask(&format!("confirm {}", json!({"bizId": biz_id})))
    }

    pub fn settle(&mut self, request: &Value) -> Answer {
        self.ask(&format!("settle {request}"))
    }

    /// Without a request: NULL.
    pub fn pending(&mut self, request: Option<&Value>) -> Answer {
        self.ask(&format!("pending {}", request.map(Value::to_string).unwrap_or_default()))
    }

    pub fn recover(&mut self) -> Answer {
        self.ask("recover")
    }

    /// Begins a call without waiting for its answer, which [`Driver::finish`] returns.
    pub fn begin(&mut self, line: &str) {
        self.say(line);
    }

    /// The answer to the call that was begun first.
    pub fn finish(&mut self) -> Answer {
        self.hear(Instant::now())
    }

    /// As [`Driver::ask`], for a till that another thread may kill at any time: `None` if it died before its whole
    /// answer was read.
    pub fn ask_mortal(&mut self, line: &str) -> Option<Answer> {
        let started = Instant::now();
        // If the till is gone, the line gets no answer either.
        let _ = writeln!(self.input.as_mut().unwrap(), "{line}");
        let mut length = String::new();
        let read = self.output.read_line(&mut length).ok().and_then(|_| length.trim_end().parse().ok());
        let whole: Option<usize> = read.filter(|_| length.ends_with('\n'));
        let mut bytes = vec![0; whole.unwrap_or_default()];
        if whole.is_none() || self.output.read_exact(&mut bytes).is_err() {
            self.killed = true;
            assert_eq!(self.complaints(), "", "the library wrote somewhere");
            return None;
        }
        // The line end may be missing.
        let _ = self.output.read_exact(&mut [0]);
        let text = String::from_utf8(bytes).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        Some(Answer { text, json, took: started.elapsed() })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`: no destructor runs, nothing is flushed, the kernel closes all files.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.killed = true;
    }

    pub fn call(&mut self, action: &str, params: &Value) -> Answer {
        self.ask(&format!("call {action} {params}"))
    }

    pub fn biz_id(&mut self) -> Answer {
        self.ask("biz_id")
    }

    pub fn shutdown(&mut self) -> Answer {
        self.ask("shutdown")
    }

    /// A line whose answer is the library's, such as `consume {"bizId":…}` with any text.
    pub fn ask(&mut self, line: &str) -> Answer {
        let started = Instant::now();
        self.say(line);
        self.hear(started)
    }

    /// The same call from this number of threads at once.
    pub fn together(&mut self, threads: usize, line: &str) -> Vec<Answer> {
        let started = Instant::now();
        self.say(&format!("together {threads} {line}"));
        (0..threads).map(|_| self.hear(started)).collect()
    }

    /// These calls, in a child of the till's process; their answers.
    pub fn in_a_child(&mut self, lines: &[String]) -> Vec<Answer> {
        let started = Instant::now();
        self.say(&format!("fork {}", lines.join("\t")));
        lines.iter().map(|_| self.hear(started)).collect()
    }

    /// `zv_field` on the last answer; `None` for 0, which means "not found".
    pub fn field(&mut self, path: &str) -> Option<String> {
        self.say(&format!("field {path}"));
        Some(self.block()).filter(|text| !text.is_empty())
    }

    /// `zv_outcome` of the last answer.
    pub fn outcome(&mut self) -> i32 {
        self.say("outcome");
        self.block().parse().unwrap()
    }

    /// Logs every line up to this level from now on.
    pub fn log(&mut self, level: i32) {
        self.say(&format!("log {level}"));
        self.block();
    }

    /// The lines that were logged since the last call.
    pub fn logged(&mut self) -> String {
        self.say("logged");
        self.block()
    }

    fn say(&mut self, line: &str) {
        assert!(!line.contains('\n'), "one line: {line}");
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn hear(&mut self, started: Instant) -> Answer {
        let text = self.block();
        let took = started.elapsed();
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        Answer { text, json, took }
    }

    /// `<length>\n<bytes>\n`: a text may contain line ends.
    fn block(&mut self) -> String {
        let mut length = String::new();
        self.output.read_line(&mut length).unwrap();
        let length = length.trim().parse::<usize>();
        let length = length.unwrap_or_else(|_| panic!("the till is gone: {}", self.complaints()));
        let mut bytes = vec![0; length + 1];
        self.output.read_exact(&mut bytes).unwrap();
        assert_eq!(bytes.pop(), Some(b'\n'), "something was written to stdout");
        String::from_utf8(bytes).unwrap()
    }

    fn complaints(&mut self) -> String {
        let mut text = String::new();
        self.errors.rewind().unwrap();
        self.errors.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The till ends with its input.
        drop(self.input.take());
        if std::thread::panicking() || self.killed {
            let _ = self.child.kill();
            let _ = self.child.wait();
            return;
        }
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert!(status.success(), "the till ended with {status}: {}", self.complaints());
        assert_eq!((rest.as_str(), self.complaints().as_str()), ("", ""), "the library wrote somewhere");
    }
}

/// A file that no other process sees.
pub fn tempfile() -> File {
    let name = format!("stderr-{}-{:?}", std::process::id(), std::thread::current().id());
    let path = super::scratch().join(name);
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}
