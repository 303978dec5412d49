//! Which configuration is used, and where this program keeps its own files.

use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::{Args, ValueEnum};
use zvpos_core::config::Config;
use zvpos_core::json::{Value, push_string};
use zvpos_core::outcome::Lang;
use zvpos_core::text::decode_config;

use crate::exit::Failure;

/// The default address of a simulator.
pub(crate) const SIMULATOR: &str = "http://127.0.0.1:8080";

/// The file name that is looked for in the working directory.
const LOCAL: &str = "zvpos.json";

/// The options of every command that uses the library.
#[derive(Args, Debug)]
pub(crate) struct Common {
    /// The configuration (default: zvpos.json here, else config.json in the user's folder for zvpos)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Use a running `zv sandbox` with its made-up credentials; needs no configuration
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = SIMULATOR,
          value_parser = simulator_url, conflicts_with = "config")]
    pub(crate) sandbox: Option<String>,

    /// Print the library's answer as JSON and nothing else
    #[arg(long)]
    pub(crate) json: bool,

    /// Print which configuration and journal are used and how long each part took; twice: also the library's log
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// A language as the configuration's `lang` names it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Language {
    #[value(name = "zh-CN")]
    ZhCn,
    En,
}

impl From<Language> for Lang {
    fn from(language: Language) -> Lang {
        match language {
            Language::ZhCn => Lang::ZhCn,
            Language::En => Lang::En,
        }
    }
}

/// A configuration and its origin.
pub(crate) struct Settings {
    /// The text that is passed to the library.
    pub(crate) text: String,
    /// Its origin, for people.
    pub(crate) source: String,
    /// Whether it is the simulator's.
    pub(crate) sandbox: bool,
}

impl Settings {
    /// Finds and reads the configuration.
    pub(crate) fn find(common: &Common) -> Result<Settings, Failure> {
        if let Some(url) = &common.sandbox {
            let journal = state_folder()?.join("sandbox.db");
            let text = simulator_config(url, &journal.display().to_string());
            return Ok(Settings { text, source: format!("the simulator at {url}"), sandbox: true });
        }
        let path = match &common.config {
            Some(path) => path.clone(),
            None => first_there(&places())?,
        };
        let text = read_config(&path)?;
        Ok(Settings { text, source: path.display().to_string(), sandbox: false })
    }

    /// The parsed configuration, for what this program itself needs. `None` if the library would refuse it; the
    /// library explains better why.
    pub(crate) fn config(&self) -> Option<Config> {
        Value::parse(&self.text).ok().and_then(|value| Config::read(&value).ok())
    }
}

/// The configuration that `--config` names, else the first of the usual ones, if it can be read; for what it says about
/// a database.
#[cfg(target_os = "linux")]
pub(crate) fn configured(config: Option<&Path>) -> Result<Option<Config>, Failure> {
    let path = match config {
        Some(path) => path.to_owned(),
        None => match first_there(&places()) {
            Ok(path) => path,
            Err(_) => return Ok(None),
        },
    };
    let text = read_config(&path)?;
    let value =
        Value::parse(&text).map_err(|error| Failure::invalid(format!("{}: {error}", path.display())))?;
    let read = Config::read(&value).map_err(|problems| {
        let what: Vec<String> = problems.iter().map(|one| format!("{}: {}", one.path, one.message)).collect();
        Failure::invalid(format!("{}: {}", path.display(), what.join("; ")))
    });
    read.map(Some)
}

/// A configuration for a simulator: its made-up credentials, and its own reversal action. Written by hand, so that it
/// can be read and pasted.
pub(crate) fn simulator_config(url: &str, journal: &str) -> String {
    let (mut endpoint, mut file) = (String::new(), String::new());
    push_string(&mut endpoint, &format!("{url}/api/v2"));
    push_string(&mut file, journal);
    format!(
        r#"{{
  "openId": "fake-open-id-for-test-only-0001",
  "grantCode": "fake-grant-code-0001",
  "openKey": "fake-open-key-for-test-only-0001",
  "endpoint": {endpoint},
  "journal": {file},
  "routes": {{
    "reverse": {{
      "action": "sandbox.consume-reverse",
      "codes": {{ "already": ["920002"], "not_found": ["920001"] }}
    }}
  }}
}}"#
    )
}

fn simulator_url(text: &str) -> Result<String, String> {
    let url = text.trim_end_matches('/');
    match url.strip_prefix("http://") {
        Some(host) if !host.is_empty() && !host.contains('/') => Ok(url.to_owned()),
        _ => Err(format!("a simulator's URL is like {SIMULATOR}")),
    }
}

/// The paths where a configuration is looked for, in order.
fn places() -> Vec<PathBuf> {
    std::iter::once(PathBuf::from(LOCAL)).chain(user_config()).collect()
}

fn first_there(places: &[PathBuf]) -> Result<PathBuf, Failure> {
    places.iter().find(|place| place.is_file()).cloned().ok_or_else(|| {
        let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        Failure::invalid(format!(
            "no configuration: neither {} is there. Name one with --config FILE, or use --sandbox with a running \
             `zv sandbox`",
            places.join(" nor ")
        ))
    })
}

#[cfg(windows)]
fn user_config() -> Option<PathBuf> {
    absolute("APPDATA").map(|folder| folder.join("zvpos").join("config.json"))
}

#[cfg(not(windows))]
fn user_config() -> Option<PathBuf> {
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| env::home_dir().map(|home| home.join(".config")));
    folder.map(|folder| folder.join("zvpos").join("config.json"))
}

/// This user's folder for the program's own state; it is created if it does not exist.
pub(crate) fn state_folder() -> Result<PathBuf, Failure> {
    let folder = user_state().ok_or_else(|| Failure::internal("this user has no home folder"))?.join("zvpos");
    fs::create_dir_all(&folder)
        .map_err(|error| Failure::internal(format!("cannot make {}: {error}", folder.display())))?;
    Ok(folder)
}

#[cfg(windows)]
fn user_state() -> Option<PathBuf> {
    absolute("LOCALAPPDATA")
}

#[cfg(not(windows))]
fn user_state() -> Option<PathBuf> {
    absolute("XDG_STATE_HOME").or_else(|| env::home_dir().map(|home| home.join(".local").join("state")))
}

/// A folder from the environment; a relative one is ignored, as the XDG specification demands.
fn absolute(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// A configuration as `zv_init` reads it: in UTF-8, or in GBK if it says so.
fn read_config(path: &Path) -> Result<String, Failure> {
    let bytes = read_bytes(path)?;
    let (text, _) = decode_config(&bytes, Lang::En)
        .map_err(|answer| Failure::invalid(format!("{}: {}", path.display(), answer.message())))?;
    Ok(text.into_owned())
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::invalid(format!("cannot read {}: {error}", path.display())))
}

/// A text file as UTF-8, or what is wrong with it. A leading byte order mark, as Notepad writes it, is removed.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    as_text(read_bytes(path)?, &path.display().to_string())
}

/// Bytes as UTF-8; `name` is their origin.
pub(crate) fn as_text(bytes: Vec<u8>, name: &str) -> Result<String, Failure> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Failure::invalid(format!("{name} is UTF-16; save it as UTF-8")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::invalid(format!("{name} is not UTF-8 from byte {at} on; is it GBK?"))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulators_configuration_is_valid() {
        let text = simulator_config(SIMULATOR, r"/a\b.db");
        let config = Config::read(&Value::parse(&text).unwrap()).unwrap();
        assert_eq!(config.accounts[0].environment, "127.0.0.1:8080");
    }

    #[test]
    fn urls_of_a_simulator() {
        assert_eq!(simulator_url("http://127.0.0.1:9/").unwrap(), "http://127.0.0.1:9");
        for wrong in ["member_lookup", "https://h", "http://", "http://h/api/v2"] {
            assert!(simulator_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn texts_are_utf8_without_a_mark() {
        assert_eq!(as_text("\u{feff}{}".into(), "f").unwrap(), "{}");
        for (bytes, part) in [(vec![0xff, 0xfe, b'{', 0], "UTF-16"), (vec![b'{', 0xd5, 0xc5], "byte 1")] {
            assert!(format!("{:?}", as_text(bytes, "f").unwrap_err()).contains(part));
        }
    }
}
