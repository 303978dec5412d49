//! The programs that are compared. Each makes calls on request and reports the duration of each.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Location;

/// One running program.
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// The nanoseconds of every call that counts.
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

    /// Has the program make `count` calls; returns the nanoseconds of each.
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

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        drop(self.input.take());
        // The process ends with its input.
        let _ = self.child.wait();
    }
}

/// Compiles a C program of `benches/peers`.
pub(crate) fn compile(place: &Location, name: &str, more: &[&str]) -> Result<PathBuf, String> {
    let out = place.program(name);
    std::fs::create_dir_all(place.program("")).map_err(|error| format!("target/benches: {error}"))?;
    let source = place.root.join("benches/peers").join(format!("{name}.c"));
    let mut command = Command::new("cc");
    command.args(["-O2", "-g", "-Wall", "-Wextra", "-I"]).arg(place.root.join("include"));
    command.arg(source).arg("-o").arg(&out).args(more);
    fine(&mut command).map(|_| out)
}

/// As [`compile`], linked with the library.
pub(crate) fn linked(place: &Location, name: &str, more: &[&str]) -> Result<PathBuf, String> {
    let folder = place.library_folder().display().to_string();
    // Where the program looks first: cargo's LD_LIBRARY_PATH names a folder with a library that is not optimised.
    let (search, run) = (format!("-L{folder}"), format!("-Wl,--disable-new-dtags,-rpath,{folder}"));
    compile(place, name, &[&[&*search, &*run, "-lzvpos"], more].concat())
}

/// Runs a command that must succeed and returns its output.
pub(crate) fn fine(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().display().to_string();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!(
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}
