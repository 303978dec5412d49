//! The text of a request: a file or standard input, overridden by flags.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use zvpos_core::calendar::timestamp;
use zvpos_core::json::{Value, push_string};

use crate::exit::Failure;
use crate::output::say;
use crate::settings::{as_text, read_text, state_folder};

/// The request as JSON. Flags override the file. Text that is not a JSON object is passed to the library unchanged,
/// which reports what is wrong with it.
pub(crate) fn text(file: Option<&str>, flags: &[(&str, String)]) -> Result<String, Failure> {
    let Some(file) = file else {
        return Ok(object(flags.iter().map(|(name, value)| (*name, value.as_str()))));
    };
    let base = match file {
        "-" => {
            let mut bytes = Vec::new();
            io::stdin()
                .lock()
                .read_to_end(&mut bytes)
                .map_err(|error| Failure::invalid(format!("cannot read standard input: {error}")))?;
            as_text(bytes, "standard input")?
        }
        path => read_text(Path::new(path))?,
    };
    if flags.is_empty() {
        return Ok(base);
    }
    let Ok(value) = Value::parse(&base) else { return Ok(base) };
    let Some(given) = value.as_object() else { return Ok(base) };
    let kept = given.iter().filter(|(name, _)| !flags.iter().any(|(flag, _)| flag == name));
    Ok(object(
        kept.map(|(name, value)| (name, value.raw()))
            .chain(flags.iter().map(|(name, value)| (*name, value.as_str()))),
    ))
}

/// The object with the value under one name replaced by this JSON; text that is not an object is unchanged.
pub(crate) fn replaced(text: &str, name: &str, json: &str) -> String {
    let Ok(value) = Value::parse(text) else { return text.to_owned() };
    let Some(given) = value.as_object() else { return text.to_owned() };
    object(given.iter().map(|(known, value)| (known, if known == name { json } else { value.raw() })))
}

fn object<'m>(members: impl Iterator<Item = (&'m str, &'m str)>) -> String {
    let mut out = "{".to_owned();
    for (name, value) in members {
        if out.len() > 1 {
            out.push(',');
        }
        push_string(&mut out, name);
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    out
}

/// A bizId that no other till has, printed and stored before it is used, as every till must: whatever happens next,
/// the sale can be looked up.
pub(crate) fn new_biz_id() -> Result<String, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = timestamp(i64::try_from(since.as_millis()).unwrap_or_default());
    let random = getrandom::u32().map_err(|error| Failure::internal(format!("no random number: {error}")))?;
    let digits: String = time.chars().filter(char::is_ascii_digit).take(14).collect();
    let biz_id = format!("zv-{digits}-{random:08x}");
    store(&format!("{time} {biz_id}\n"))?;
    say(&format!("bizId {biz_id}"));
    Ok(biz_id)
}

fn store(line: &str) -> Result<(), Failure> {
    let path = state_folder()?.join("biz-ids.log");
    let written = OpenOptions::new().create(true).append(true).open(&path).and_then(|mut file| {
        file.write_all(line.as_bytes())?;
        file.sync_data()
    });
    written
        .map_err(|error| Failure::internal(format!("cannot store the bizId in {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file() {
        let path = std::env::temp_dir().join(format!("zv-request-{}.json", std::process::id()));
        std::fs::write(&path, r#"{"bizId": "A", "customerId": 383933091455959041, "amount": 1.50}"#).unwrap();
        let flags = [("amount", r#""2.00""#.to_owned()), ("points", r#""5""#.to_owned())];
        let merged = text(path.to_str(), &flags);
        let alone = text(path.to_str(), &[]);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(
            merged.unwrap(),
            r#"{"bizId":"A","customerId":383933091455959041,"amount":"2.00","points":"5"}"#
        );
        assert!(alone.unwrap().contains("1.50"));
        assert_eq!(text(None, &flags).unwrap(), r#"{"amount":"2.00","points":"5"}"#);
    }
}
