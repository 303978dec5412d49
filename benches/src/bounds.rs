//! What is counted, and how much of it there may be. The goal is what the library is to reach; the bound is what the
//! test below holds: the count of today, without link-time optimisation, and a little room for other processors and
//! compilers. An improvement lowers it.

/// A figure that `counts.rs` counts, by its name in the results.
pub(crate) struct Bound {
    pub(crate) english: &'static str,
    pub(crate) chinese: &'static str,
    pub(crate) goal: f64,
    /// More than this fails the test.
    #[cfg_attr(not(test), expect(dead_code, reason = "a run of the benchmark only reports"))]
    most: f64,
}

const fn counted(english: &'static str, chinese: &'static str, goal: f64, most: f64) -> Bound {
    Bound { english, chinese, goal, most }
}

pub(crate) const FIRST_FLUSHES: Bound = counted(
    "consume, the first 50 after a start: cache flushes",
    "扣款，启动后前 50 笔：缓存刷盘次数",
    2.02,
    2.25,
);
pub(crate) const FIRST_KB: Bound = counted(
    "consume, the first 50 after a start: KB to the device",
    "扣款，启动后前 50 笔：写入设备 KB",
    20.0,
    26.0,
);
pub(crate) const LATER_FLUSHES: Bound =
    counted("consume, later: cache flushes", "扣款，其后：缓存刷盘次数", 2.02, 2.3);
pub(crate) const LATER_KB: Bound =
    counted("consume, later: KB to the device", "扣款，其后：写入设备 KB", 20.0, 36.0);
pub(crate) const CONSUME_CALLS: Bound =
    counted("consume, system calls of the calling thread", "扣款，调用线程的系统调用次数", 34.0, 43.0);
pub(crate) const CONSUME_INSTRUCTIONS: Bound =
    counted("consume, instructions of the calling thread", "扣款，调用线程的指令数", 200_000.0, 255_000.0);
pub(crate) const WHOLE_FLUSHES: Bound = counted(
    "1,000 sales from start to stop, each: cache flushes",
    "从启动到停止共 1,000 笔，每笔：缓存刷盘次数",
    2.1,
    2.25,
);
pub(crate) const WHOLE_KB: Bound = counted(
    "1,000 sales from start to stop, each: KB to the device",
    "从启动到停止共 1,000 笔，每笔：写入设备 KB",
    40.0,
    40.0,
);
pub(crate) const WHOLE_INSTRUCTIONS: Bound = counted(
    "1,000 sales from start to stop, each: instructions of the process",
    "从启动到停止共 1,000 笔，每笔：整个进程的指令数",
    350_000.0,
    430_000.0,
);
pub(crate) const SLOW_FLUSHES: Bound = counted(
    "sales with 50 ms between them, from start to stop, each: cache flushes",
    "每笔间隔 50 ms，从启动到停止，每笔：缓存刷盘次数",
    2.1,
    2.25,
);
pub(crate) const SLOW_KB: Bound = counted(
    "sales with 50 ms between them, from start to stop, each: KB to the device",
    "每笔间隔 50 ms，从启动到停止，每笔：写入设备 KB",
    40.0,
    40.0,
);
pub(crate) const QUOTE_CALLS: Bound =
    counted("quote, system calls of the calling thread", "试算，调用线程的系统调用次数", 4.0, 4.2);
pub(crate) const QUOTE_INSTRUCTIONS: Bound =
    counted("quote, instructions of the calling thread", "试算，调用线程的指令数", 55_000.0, 85_000.0);

/// All of them, in the order of the tables.
pub(crate) const BOUNDS: [&Bound; 13] = [
    &FIRST_FLUSHES,
    &FIRST_KB,
    &LATER_FLUSHES,
    &LATER_KB,
    &CONSUME_CALLS,
    &CONSUME_INSTRUCTIONS,
    &WHOLE_FLUSHES,
    &WHOLE_KB,
    &WHOLE_INSTRUCTIONS,
    &SLOW_FLUSHES,
    &SLOW_KB,
    &QUOTE_CALLS,
    &QUOTE_INSTRUCTIONS,
];

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::cargo::{build, finish};
    use crate::contestant::linked;
    use crate::counts;
    use crate::pages;
    use crate::report::Report;
    use crate::server::Server;
    use crate::{Location, peers};

    /// The library in its own profile, whatever this machine's cargo is told to build a release with.
    fn library(root: &Path) -> PathBuf {
        let target = root.join("target");
        let folder = ["--profile", "counted", "--target-dir", target.to_str().unwrap()];
        finish(build(root, &folder).env("CARGO_ENCODED_RUSTFLAGS", ""));
        target.join("counted/libzvpos.so")
    }

    /// Needs root, for the loop device, and what `tests/tools.sh` installs.
    #[test]
    fn what_is_counted_is_within_its_bounds() {
        let root = pages::root().unwrap();
        let library = library(&root);
        let folder = std::env::temp_dir().join(format!("zvpos-bounds-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let place = Location { root, folder: folder.clone(), library, quick: true };
        for tool in [peers::VALGRIND, peers::STRACE, peers::LOOP] {
            assert!(peers::is_there(&place, &tool), "{}: {}", tool.why, tool.install);
        }
        linked(&place, "zvpos", &[]).unwrap();
        let (server, mut report) = (Server::start().unwrap(), Report::default());
        counts::devices(&place, &server, &mut report).unwrap();
        counts::calling_thread(&place, &server, &mut report).unwrap();
        let _ = std::fs::remove_dir_all(folder);
        let mut above = Vec::new();
        for Bound { english, goal, most, .. } in BOUNDS {
            let count = report.counted(english).unwrap();
            println!("{english}: {count:.2}, at most {most}, goal {goal}");
            if count > *most {
                above.push(format!("{english}: {count:.2}, at most {most}"));
            }
        }
        assert!(above.is_empty(), "{above:#?}");
    }

    /// A bound below its goal would ask for more than is promised.
    #[test]
    fn no_bound_is_below_its_goal() {
        for Bound { english, goal, most, .. } in BOUNDS {
            assert!(most >= goal, "{english}");
        }
    }
}
