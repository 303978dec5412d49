//! The programs that are measured against each other. Each makes calls when it is told to and says how long each took.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// One program, while it runs.
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// Nanoseconds of every call that counted.
    pub(crate) took: Vec<u64>,
}

impl Contestant {
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Result<Contestant, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{name}: {command:?}: {error}"))?;
        let output = child.stdout.take().ok_or("no stdout")?;
        let input = child.stdin.take();
        Ok(Contestant { name, child, input, output: BufReader::new(output), took: Vec::new() })
    }

    /// Has it make so many calls; the nanoseconds of each.
    pub(crate) fn calls(&mut self, count: usize) -> Result<Vec<u64>, String> {
        let told = self.input.as_mut().map(|input| writeln!(input, "{count}").and_then(|()| input.flush()));
        if !matches!(told, Some(Ok(()))) {
            return Err(format!("{} has ended", self.name));
        }
        let mut took = Vec::with_capacity(count);
        let mut line = String::new();
        while took.len() < count {
            line.clear();
            match self.output.read_line(&mut line) {
                Ok(length) if length > 0 => {
                    took.push(
                        line.trim().parse().map_err(|error| format!("{}: {line:?}: {error}", self.name))?,
                    );
                }
                _ => return Err(format!("{} ended in the middle", self.name)),
            }
        }
        Ok(took)
    }

    /// The number of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        drop(self.input.take());
        // It ends with its input.
        let _ = self.child.wait();
    }
}

/// Compiles a C program of `benches/peers`.
pub(crate) fn compile(root: &Path, name: &str, more: &[&str]) -> Result<std::path::PathBuf, String> {
    let out = root.join("target/benches").join(name);
    std::fs::create_dir_all(root.join("target/benches")).map_err(|error| format!("{error}"))?;
    let source = root.join("benches/peers").join(format!("{name}.c"));
    let mut command = Command::new("cc");
    command
        .args(["-O2", "-g", "-Wall", "-Wextra", "-I"])
        .arg(root.join("include"))
        .arg(source)
        .arg("-o")
        .arg(&out);
    let output = command.args(more).output().map_err(|error| format!("cc: {error}"))?;
    if output.status.success() {
        return Ok(out);
    }
    Err(format!("{name}.c: {}", String::from_utf8_lossy(&output.stderr)))
}
