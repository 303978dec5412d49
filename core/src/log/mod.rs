//! The library's log: levels, redaction, and the sinks of lines. Nothing is ever written to stdout or stderr. The log
//! file is here; the callback of the C ABI is a [`Sink`] of the root package.

mod file;

pub(crate) use file::FileSink;

use crate::gateway::Credentials;
use crate::secret::hide;
pub use crate::secret::mask_phones;

/// The severity of a line. The numbers are part of the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing at all.
    Off,
    /// Something is broken.
    Error,
    /// Something needs attention.
    Warn,
    /// One line per call.
    Info,
    /// The steps of each call.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// The values of the configuration, in the order of their numbers.
    pub(crate) const WORDS: [&'static str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

    const ALL: [Level; 6] = [Level::Off, Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];

    /// The level of that name.
    pub(crate) fn from_word(word: &str) -> Option<Level> {
        Level::ALL.into_iter().zip(Level::WORDS).find(|(_, known)| *known == word).map(|(level, _)| level)
    }

    /// The level of that number; a number out of range gives the nearest level.
    pub fn from_number(number: i32) -> Level {
        let index = usize::try_from(number.clamp(0, 5)).unwrap_or_default();
        Level::ALL.get(index).copied().unwrap_or(Level::Off)
    }

    /// The level's number in the ABI.
    pub fn number(self) -> i32 {
        match self {
            Level::Off => 0,
            Level::Error => 1,
            Level::Warn => 2,
            Level::Info => 3,
            Level::Debug => 4,
            Level::Trace => 5,
        }
    }

    /// The level's name.
    pub fn as_str(self) -> &'static str {
        Level::ALL
            .into_iter()
            .zip(Level::WORDS)
            .find(|(level, _)| *level == self)
            .map_or("off", |(_, word)| word)
    }
}

/// Receives log lines.
pub trait Sink: Send + Sync {
    /// Lines above this level are not produced for this sink.
    fn max_level(&self) -> Level;

    /// Takes one line, already redacted, without a line end.
    fn write(&self, level: Level, line: &str);
}

/// Passes lines from the library's parts to the sinks.
#[derive(Default)]
pub struct Log {
    sinks: Vec<std::sync::Arc<dyn Sink>>,
    secrets: Vec<Credentials>,
}

impl Log {
    /// A log into these sinks that removes these keys from every line.
    pub fn new(sinks: Vec<std::sync::Arc<dyn Sink>>, secrets: Vec<Credentials>) -> Log {
        Log { sinks, secrets }
    }

    /// Logs a line, which is produced only if a sink accepts its level.
    pub fn line(&self, level: Level, line: impl FnOnce() -> String) {
        let mut takers = self.sinks.iter().filter(|sink| level <= sink.max_level()).peekable();
        if takers.peek().is_none() {
            return;
        }
        let line = self.redact(&line());
        for sink in takers {
            sink.write(level, &line);
        }
    }

    /// Removes keys, phone numbers and line ends from a text.
    pub(crate) fn redact(&self, text: &str) -> String {
        let line = text.replace(char::is_control, " ");
        // Keys are removed before phone numbers: a key may contain the digits of one.
        mask_phones(&hide(&line, self.secrets.iter().map(Credentials::secret)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_line_ends_are_removed() {
        let keys = ["the-key", "key 13812345678 x"].map(|key| Credentials::new("id", "grant", key).unwrap());
        let log = Log::new(Vec::new(), keys.to_vec());
        assert_eq!(log.redact("a\nthe-key\r b"), "a ***  b");
        assert_eq!(log.redact("key 13812345678 x, 13812345678"), "***, 138****5678");
    }

    #[test]
    fn levels_have_words_and_numbers() {
        for (number, word) in Level::WORDS.into_iter().enumerate() {
            let level = Level::from_word(word).unwrap();
            assert_eq!(level.as_str(), word);
            assert_eq!(level.number(), i32::try_from(number).unwrap());
            assert_eq!(Level::from_number(level.number()), level);
        }
        assert_eq!(Level::from_number(99), Level::Trace);
        assert_eq!(Level::from_number(-1), Level::Off);
    }
}
