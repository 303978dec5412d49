//! An archive for support: the results, and what is needed to understand them, without keys, passwords and whole
//! phone numbers.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};
use zvpos_core::api::VERSION;
use zvpos_core::calendar::timestamp;
use zvpos_core::config::Config;
use zvpos_core::json::Value as Strict;
use zvpos_core::outcome::Lang;
use zvpos_core::payment::Entry;

use crate::journal;
use crate::options::Options;
use crate::redact::Redactor;
use crate::report::Report;
use crate::run::within;

/// How much of the log's end is included.
const LOG_BYTES: u64 = 512 * 1024;
const BUSY: Duration = Duration::from_secs(2);
/// A journal on a dead disk must not keep the rest from being sent.
const LIMIT: Duration = Duration::from_secs(10);

/// Writes the archive; replaces a file of that name.
pub fn write(options: &Options, report: &Report, to: &Path) -> io::Result<()> {
    let redactor = Redactor::of(&options.config);
    let config = Strict::parse(&options.config).ok().and_then(|value| Config::read(&value).ok());
    let mut zip = ZipWriter::new(File::create(to)?);
    let kind = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut add = |name: &str, text: &str| {
        zip.start_file(name, kind)?;
        zip.write_all(text.as_bytes())
    };
    add("report.json", &pretty(&json!([report.to_json(Lang::En), report.to_json(Lang::ZhCn)])))?;
    add("report.en.txt", &report.to_table(Lang::En))?;
    add("report.zh-CN.txt", &report.to_table(Lang::ZhCn))?;
    add("versions.json", &pretty(&versions()))?;
    add("configuration.json", &configuration(&redactor, &options.config))?;
    if let Some(journal) = journal::place(options, config.as_ref()) {
        add("unsettled.ndjson", &unsettled(&redactor, &journal))?;
    }
    if let Some(log) = config.and_then(|config| config.log) {
        let text = within(LIMIT, move || tail(&log.path)).unwrap_or_default();
        add("log.txt", &redactor.text(&text))?;
    }
    zip.finish()?.sync_all()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn versions() -> Value {
    json!({
        "zvpos": VERSION,
        "bits": usize::BITS,
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
    })
}

/// A text that cannot be parsed is left out: it may contain a key anywhere.
fn configuration(redactor: &Redactor, text: &str) -> String {
    let unreadable = || json!({"left_out": "the configuration is no JSON", "bytes": text.len()});
    pretty(&redactor.config(text).unwrap_or_else(unreadable))
}

/// One line for each unsettled sale, without the gateway's data about the member, and without the numbers of coupons,
/// since a scanned one is as good as money.
fn unsettled(redactor: &Redactor, journal: &Path) -> String {
    let path = journal.to_owned();
    match within(LIMIT, move || zvpos_core::journal::inspect(&path, BUSY)) {
        Some(Ok(inspection)) => {
            let lines =
                inspection.unsettled.iter().map(|entry| entry_line(redactor, entry).to_string() + "\n");
            lines.collect()
        }
        Some(Err(error)) => redactor.line(&error.to_string()) + "\n",
        None => "the journal was not read in its time\n".to_owned(),
    }
}

fn entry_line(redactor: &Redactor, entry: &Entry) -> Value {
    let (identity, detail) = (entry.identity(), entry.detail());
    let words = |words: &Option<zvpos_core::gateway::GatewayStatus>| {
        words.as_ref().map(|words| json!({"code": words.code, "message": redactor.line(&words.message)}))
    };
    json!({
        "bizId": redactor.line(entry.key().biz_id.as_str()),
        "returnedBizId": detail.returned_biz_id.as_deref().map(|id| redactor.line(id)),
        "environment": redactor.line(&entry.key().environment),
        "stage": entry.stage().as_str(),
        "created": timestamp(entry.created_unix_ms()),
        "attempts": entry.attempt(),
        "amount": identity.amount.map(|amount| amount.to_string()),
        "points": identity.points,
        "coupons": identity.coupons.len(),
        "answered": detail.answered,
        "words": words(&detail.words),
        "doubt": detail.doubt,
        "reversal": {"tries": detail.reversal.tries, "refused": detail.reversal.refused, "last": words(&detail.reversal.last)},
    })
}

/// The last complete lines of the log, or why there are none.
fn tail(path: &Path) -> String {
    let read = || -> io::Result<String> {
        let mut file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        let from = length.saturating_sub(LOG_BYTES);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(LOG_BYTES).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // The first line may be incomplete and contain half of a secret.
        let whole =
            if from == 0 { text.as_str() } else { text.split_once('\n').map_or("", |(_, rest)| rest) };
        Ok(whole.to_owned())
    };
    read().unwrap_or_else(|error| format!("{}: {error}\n", path.display()))
}
