//! A till as a child process: writes its input, reads its output, and kills it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::options::Options;
use crate::text::{Text, text};

/// The longest line that a till may write; a longer one violates the protocol.
const LINE_MAX: u64 = 64 * 1024;

/// The time limit for a process to exit after `stop`.
const END_LIMIT: Duration = Duration::from_secs(20);

/// The time limit for a killed process's output to close: the kernel closes it at once, unless another process holds
/// it, too.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// What a read from a till yields.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// A line without its line break.
    Line(String),
    /// The end of its output: the process is gone.
    End,
    /// Nothing until the time limit.
    Silence,
}

/// A running till. Dropping it kills it.
pub(crate) struct Till {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
}

/// Checks that the till can be started.
///
/// # Errors
/// The reason, as a text.
pub(crate) fn check(options: &Options) -> Result<(), String> {
    let program = options.till.first().ok_or("no program was given")?;
    match command(options)?.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        Ok(mut child) => {
            // Without input it exits by itself.
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
    /// Starts the program and appends its stderr to a file.
    ///
    /// # Errors
    /// The reason, as a text.
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

    /// Writes one line; false if the till no longer reads.
    pub(crate) fn say(&mut self, line: &Value) -> bool {
        let line = format!("{line}\n");
        self.input.as_mut().is_some_and(|input| input.write_all(line.as_bytes()).is_ok())
    }

    /// The next line, waiting until then at most.
    pub(crate) fn read_line(&self, until: Instant) -> Output {
        match self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => Output::Line(line),
            Err(RecvTimeoutError::Disconnected) => Output::End,
            Err(RecvTimeoutError::Timeout) => Output::Silence,
        }
    }

    /// Kills the till with `kill -9`; returns the lines written before. False if another process still holds its
    /// output: the killed process was then only a script that had started the till.
    pub(crate) fn kill(&mut self) -> (Vec<String>, bool) {
        // An error means that the process has exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let until = Instant::now() + KILL_LIMIT;
        let mut lines = Vec::new();
        loop {
            match self.read_line(until) {
                Output::Line(line) => lines.push(line),
                Output::End => return (lines, true),
                Output::Silence => return (lines, false),
            }
        }
    }

    /// How it ended by itself: by an exit code, by a signal, or with only its output closed.
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

    /// Closes its input and waits for its exit; false if it had to be killed.
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

/// Describes an exit code or a signal.
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
        // The exit code of a crashed program on Windows, such as 0xC0000005.
        Some(code) if code < 0 => {
            let code = code.cast_unsigned();
            text(format!("with exit code {code:#X}"), format!("退出码 {code:#X}"))
        }
        Some(code) => text(format!("with exit code {code}"), format!("退出码 {code}")),
        None => text(format!("with {status}"), status.to_string()),
    }
}

/// Reads until the end of the output, or until the receiver is dropped.
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
