//! The operating system. Uses files and the system's own small programs, so that no unsafe call is needed.

use std::process::{Command, Stdio};

/// The output of a small program, which may hang, so call this under a deadline.
fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    // The host's environment must not change a tool's language.
    command.env("LC_ALL", "C");
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Name and version of the system.
#[cfg(not(windows))]
pub(super) fn name() -> Option<String> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = std::fs::read_to_string("/etc/os-release").ok()?;
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(format!("{} (Linux {})", name.trim_matches('"'), kernel.trim()))
}

/// Name and version of the system.
#[cfg(windows)]
pub(super) fn name() -> Option<String> {
    // In every language of Windows the number is in brackets: [Version 6.1.7601], [版本 10.0.19045].
    let text = output_of("cmd", &["/c", "ver"])?;
    let number: String =
        text.chars().skip_while(|c| *c != '[').filter(|c| c.is_ascii_digit() || *c == '.').collect();
    Some(format!("Windows {}", number.trim_matches('.')))
}

/// The machine's offset against UTC, as `+08:00`.
pub(super) fn utc_offset() -> Option<String> {
    let text = if cfg!(windows) {
        output_of("powershell", &["-NoProfile", "-Command", "Get-Date -Format zzz"])?
    } else {
        output_of("date", &["+%z"])?
    };
    let digits = text.replace(':', "");
    Some(format!("{}:{}", digits.get(..3)?, digits.get(3..5)?))
}

/// A value that differs after each boot.
#[cfg(not(windows))]
pub(crate) fn boot() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned())
}

/// A value that differs after each boot.
#[cfg(windows)]
pub(crate) fn boot() -> Option<String> {
    // 20261122053301.500000+480; setting the clock moves it by seconds, so minutes are precise enough.
    let script = "(Get-WmiObject Win32_OperatingSystem).LastBootUpTime";
    output_of("powershell", &["-NoProfile", "-Command", script])?.get(..12).map(str::to_owned)
}

/// Which C library this process runs with, and its version.
pub(super) fn c_library() -> Option<(String, Option<String>)> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let mapped = |part: &str| {
        let paths = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
        paths.into_iter().find(|path| path.rsplit('/').next().is_some_and(|name| name.starts_with(part)))
    };
    if let Some(path) = mapped("libc.so.6").or_else(|| mapped("libc-2.")) {
        return Some(("glibc".to_owned(), std::fs::read(path).ok().and_then(|bytes| glibc_version(&bytes))));
    }
    // A static program maps neither library.
    Some(("musl".to_owned(), None)).filter(|_| mapped("ld-musl").is_some() || cfg!(target_env = "musl"))
}

/// glibc's file contains its version: `GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.`
fn glibc_version(library: &[u8]) -> Option<String> {
    let words = b"release version ";
    let at = library.windows(words.len()).position(|window| window == words)?;
    let rest = library.get(at + words.len()..)?;
    let version: Vec<u8> =
        rest.iter().copied().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').collect();
    let version = String::from_utf8(version).ok()?;
    Some(version.trim_end_matches('.').to_owned()).filter(|version| !version.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glibc_says_its_version() {
        let text = b"xxGNU C Library (Debian GLIBC 2.36-9+deb12u9) stable release version 2.36.\nCopyright";
        assert_eq!(glibc_version(text).as_deref(), Some("2.36"));
        assert_eq!(glibc_version(b"nothing"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_is_known() {
        let (name, version) = c_library().unwrap();
        assert!(name == "musl" || version.is_some(), "{name} {version:?}");
        assert!(utc_offset().is_some_and(|offset| offset.len() == 6));
        assert!(boot().is_some_and(|boot| boot.len() > 30));
    }
}
