//! As much of HTTP/1.1 as it takes to say what the whole answer is that some bytes hold.

/// A whole answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Whole<'a> {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: std::borrow::Cow<'a, [u8]>,
}

/// The answer that these bytes hold until the connection is closed. `None` where it is cut off, where two lengths
/// contradict each other, or where it is no HTTP.
pub fn whole(bytes: &[u8]) -> Option<Whole<'_>> {
    let mut rest = bytes;
    loop {
        let (is_old, status, head, behind) = head(rest)?;
        // An interim answer; 101 is the last of its request.
        if (100..200).contains(&status) && status != 101 {
            rest = behind;
            continue;
        }
        let values = |name: &'static str| values(&head, name);
        let body = if matches!(status, 101 | 204 | 304) {
            (&[][..]).into()
        } else if !is_old && values("transfer-encoding").any(is_chunked) {
            dechunked(behind)?.into()
        } else if values("content-length").next().is_some() {
            behind.get(..length(values("content-length"))?)?.into()
        } else {
            behind.into()
        };
        return Some(Whole { status, body });
    }
}

/// The values of a header.
fn values<'h>(head: &'h Head, name: &'h str) -> impl Iterator<Item = &'h str> {
    head.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

type Head = Vec<(String, String)>;

/// Chunks exist since HTTP/1.1; before, what says so is read until the connection is closed.
fn is_chunked(codings: &str) -> bool {
    codings.split(',').any(|coding| coding.trim().eq_ignore_ascii_case("chunked"))
}

/// The one length that all values name.
fn length<'h>(values: impl Iterator<Item = &'h str>) -> Option<usize> {
    let mut lengths = values.flat_map(|value| value.split(',')).map(|value| value.trim().parse().ok());
    let first = lengths.next()??;
    lengths.all(|other| other == Some(first)).then_some(first)
}

/// Whether it is HTTP/1.0, the status, the headers, and what follows.
fn head(bytes: &[u8]) -> Option<(bool, u16, Head, &[u8])> {
    // Empty lines in front are passed over (RFC 9112, 2.2).
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let (line, mut rest) = line(bytes.get(start..)?)?;
    let line = String::from_utf8_lossy(line).into_owned();
    let is_old = line.starts_with("HTTP/1.0");
    let behind = line.strip_prefix("HTTP/1.").and_then(|line| line.strip_prefix(['0', '1']))?;
    let status = behind.trim_start_matches(' ').get(..3)?.parse().ok()?;
    let mut head = Vec::new();
    loop {
        let (line, behind) = self::line(rest)?;
        rest = behind;
        if line.is_empty() {
            return Some((is_old, status, head, rest));
        }
        let text = String::from_utf8_lossy(line).into_owned();
        let (name, value) = text.split_once(':')?;
        head.push((name.trim().to_owned(), value.trim().to_owned()));
    }
}

/// A line without its end, and what follows.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at(end);
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..)?))
}

fn dechunked(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let (size, rest) = line(bytes)?;
        let digits = size.split(|byte| *byte == b';').next()?.trim_ascii();
        let size = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        let (end, rest) = line(rest.get(size..)?)?;
        if !end.is_empty() {
            return None;
        }
        bytes = rest;
    }
}
