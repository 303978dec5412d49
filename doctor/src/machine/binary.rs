//! The library file that a till loads: whether it fits this machine. The file is read, never loaded.

use std::path::Path;

use crate::report::Line;
use crate::run::Run;
use crate::words::words;

/// The properties of a library file.
#[derive(Debug, PartialEq, Eq)]
struct Binary {
    format: &'static str,
    bits: u32,
    machine: String,
    /// The newest glibc version that it requires.
    glibc: Option<(u32, u32)>,
}

pub(super) fn examine(run: &mut Run<'_>, path: &Path, glibc: Option<&str>) {
    let about = path.display().to_string();
    let path = path.to_owned();
    let read = run.within(std::time::Duration::from_secs(5), move || std::fs::read(path));
    let bytes = match read {
        None => return run.out_of_time("library.file", &about),
        Some(Ok(bytes)) => bytes,
        Some(Err(error)) => {
            return run.say(Line::failed(
                "library.file",
                about,
                words!("无法读取：{error}", "cannot be read: {error}"),
                words!("检查路径和权限", "look at the path and its permissions"),
            ));
        }
    };
    let Some(binary) = Binary::read(&bytes) else {
        return run.say(Line::failed(
            "library.file",
            about,
            words!("不是动态库，或文件不完整", "is no shared library, or not a whole one"),
            words!("从发布包重新复制该文件", "copy it again from the release"),
        ));
    };
    let Binary { format, bits, machine, .. } = &binary;
    let wanted = binary.glibc.map(|(major, minor)| format!("{major}.{minor}"));
    let too_new = binary.glibc.zip(glibc.and_then(version)).is_some_and(|(wanted, has)| wanted > has);
    run.say(
        if too_new {
            let wanted = wanted.unwrap_or_default();
            let has = glibc.unwrap_or_default();
            Line::failed(
                "library.file",
                about,
                words!("需要 glibc {wanted}，本机为 {has}", "needs glibc {wanted}, the machine has {has}"),
                words!("改用为旧版 glibc 构建的库文件", "use the library file that is built for older glibc"),
            )
        } else {
            let needs = wanted.map(|wanted| format!(", glibc ≥ {wanted}")).unwrap_or_default();
            Line::ok(
                "library.file",
                about,
                words!(
                    "{format} {bits} 位 {machine}{needs}；须与收银程序的位数一致",
                    "{format} {bits} bit {machine}{needs}; the till's program must have the same bits"
                ),
            )
        }
        .with("bits", *bits),
    );
}

impl Binary {
    /// Reads the header of ELF or PE.
    fn read(bytes: &[u8]) -> Option<Binary> {
        if bytes.starts_with(b"\x7fELF") {
            let machine = match little(bytes, 18)? {
                3 => "x86",
                40 => "arm",
                62 => "x86_64",
                183 => "aarch64",
                _ => "?",
            };
            let bits = if *bytes.get(4)? == 2 { 64 } else { 32 };
            return Some(Binary {
                format: "ELF",
                bits,
                machine: machine.to_owned(),
                glibc: newest_glibc(bytes),
            });
        }
        let header = usize::from(little(bytes, 0x3c).filter(|_| bytes.starts_with(b"MZ"))?);
        let signed = bytes.get(header..header + 4)? == b"PE\0\0";
        let (bits, machine) = match little(bytes, header + 4).filter(|_| signed)? {
            0x014c => (32, "x86"),
            0x8664 => (64, "x86_64"),
            0xaa64 => (64, "aarch64"),
            _ => return None,
        };
        Some(Binary { format: "PE", bits, machine: machine.to_owned(), glibc: None })
    }
}

fn little(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// The names of versions are in the file as text: `GLIBC_2.34`.
fn newest_glibc(bytes: &[u8]) -> Option<(u32, u32)> {
    let name = b"\0GLIBC_";
    let starts = bytes.windows(name.len()).enumerate().filter(|(_, window)| window == name);
    starts
        .filter_map(|(at, _)| {
            let rest = bytes.get(at + name.len()..)?;
            let end = rest.iter().position(|byte| *byte == 0)?;
            version(std::str::from_utf8(rest.get(..end)?).ok()?)
        })
        .max()
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_counts() {
        assert_eq!(newest_glibc(b"\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.2.5\0GLIBC_PRIVATE\0"), Some((2, 34)));
        assert_eq!(newest_glibc(b"no"), None);
    }

    #[test]
    fn a_32_bit_dll_is_known() {
        let mut dll = vec![0; 0x80];
        dll.splice(..2, *b"MZ");
        dll[0x3c] = 0x40;
        dll.splice(0x40..0x46, *b"PE\0\0\x4c\x01");
        let binary = Binary::read(&dll).unwrap();
        assert_eq!((binary.format, binary.bits, binary.machine.as_str()), ("PE", 32, "x86"));
        assert_eq!(Binary::read(b"#!/bin/sh"), None);
        let own = Binary::read(&std::fs::read(std::env::current_exe().unwrap()).unwrap()).unwrap();
        assert_eq!(own.bits, usize::BITS);
    }
}
