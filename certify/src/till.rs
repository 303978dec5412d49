//! A till as a child process: lines to it, lines from it, and its sudden end.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Options;
use crate::text::{Text, text};

/// The longest line that a till may write; what is longer is none of the protocol's.
const LINE_MAX: u64 = 64 * 1024;

/// How long a process may take to end after `stop`.
const END_LIMIT: Duration = Duration::from_secs(20);

/// How long the output of a process that was killed may stay open: the kernel closes it at once, unless another
/// process has it, too.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// What came out of a till.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A line without its end.
    Line(String),
    /// Its output is at its end: the process is gone.
    End,
    /// Nothing, for as long as was waited.
    Silence,
}

/// A running till. It is killed when it is dropped.
pub(crate) struct Till {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
}

/// Whether there is something to start.
///
/// # Errors
/// In words.
pub(crate) fn check(options: &Options) -> Result<(), String> {
    let program = options.till.first().ok_or("no program was given")?;
    match command(options)?.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        Ok(mut child) => {
            // It has no input, so it would end by itself; it is not waited for.
            let _ = child.kill();
            let _ = child.wait();
            Ok(())
        }
        Err(error) => Err(format!("{} cannot be started: {error}", program.display())),
    }
}

fn command(options: &Options) -> Result<Command, String> {
    let (program, arguments) = options.till.split_first().ok_or("no program was given")?;
    let mut command = Command::new(program);
    command.args(arguments).envs(options.environment.iter().map(|(name, value)| (name, value)));
    Ok(command)
}

impl Till {
    /// Starts the program; what it writes to stderr is added to a file.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn start(options: &Options, stderr: &Path) -> Result<Till, String> {
        let words = |error: io::Error| error.to_string();
        let stderr = File::options().create(true).append(true).open(stderr).map_err(words)?;
        let mut command = command(options)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = command.spawn().map_err(words)?;
        let input = child.stdin.take();
        let stdout = child.stdout.take().ok_or("no pipe")?;
        let (sender, output) = channel();
        thread::Builder::new().spawn(move || read_lines(stdout, &sender)).map_err(words)?;
        Ok(Till { child, input, output })
    }

    /// Writes one line; false if nobody reads it any more.
    pub(crate) fn say(&mut self, line: &Value) -> bool {
        let line = format!("{line}\n");
        self.input.as_mut().is_some_and(|input| input.write_all(line.as_bytes()).is_ok())
    }

    /// The next line, waited for until then.
    pub(crate) fn hear(&self, until: Instant) -> Heard {
        match self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => Heard::Line(line),
            Err(RecvTimeoutError::Disconnected) => Heard::End,
            Err(RecvTimeoutError::Timeout) => Heard::Silence,
        }
    }

    /// `kill -9`, and what had been written before. False if somebody else still holds its output: then it was not
    /// the till that was killed, but a script that had started it.
    pub(crate) fn kill(&mut self) -> (Vec<String>, bool) {
        // An error means that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let until = Instant::now() + KILL_LIMIT;
        let mut lines = Vec::new();
        loop {
            match self.hear(until) {
                Heard::Line(line) => lines.push(line),
                Heard::End => return (lines, true),
                Heard::Silence => return (lines, false),
            }
        }
    }

    /// How it ended by itself: with an exit code, by a signal, or not at all, only its output.
    pub(crate) fn end(&mut self) -> Text {
        let until = Instant::now() + KILL_LIMIT;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return ending(status),
                Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(5)),
                Ok(None) => return text("its output ended, and it runs on", "输出已关闭，进程仍在运行"),
                Err(error) => {
                    return text(format!("how is not known: {error}"), format!("原因不明：{error}"));
                }
            }
        }
    }

    /// Closes its input and waits for its end; false if it had to be killed.
    pub(crate) fn wait_for_end(&mut self) -> bool {
        drop(self.input.take());
        let until = Instant::now() + END_LIMIT;
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

impl Drop for Till {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An exit code or a signal in words.
fn ending(status: ExitStatus) -> Text {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = match signal {
            4 => " (SIGILL)",
            6 => " (SIGABRT)",
            8 => " (SIGFPE)",
            9 => " (SIGKILL)",
            11 => " (SIGSEGV)",
            13 => " (SIGPIPE)",
            15 => " (SIGTERM)",
            _ => "",
        };
        return text(format!("by signal {signal}{name}"), format!("由信号 {signal} 终止{name}"));
    }
    match status.code() {
        // What Windows gives a program that crashed, such as 0xC0000005.
        Some(code) if code < 0 => {
            let code = code.cast_unsigned();
            text(format!("with exit code {code:#X}"), format!("退出码 {code:#X}"))
        }
        Some(code) => text(format!("with exit code {code}"), format!("退出码 {code}")),
        None => text(format!("with {status}"), status.to_string()),
    }
}

/// Until the end of the output, or until nobody wants to hear more.
fn read_lines(stdout: ChildStdout, sender: &Sender<String>) {
    let mut output = BufReader::new(stdout);
    loop {
        let mut bytes = Vec::new();
        match output.by_ref().take(LINE_MAX).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&bytes);
        if sender.send(line.trim_end_matches(['\r', '\n']).to_owned()).is_err() {
            return;
        }
    }
}
