//! Reads an answer of HTTP/1.1 from the bytes of a connection, without I/O: however the bytes are divided into segments, the
//! result is the same. What could be read in two ways is no answer.

use std::mem::MaybeUninit;
use std::time::SystemTime;

use super::HttpAnswer;

/// The largest body that is accepted.
const MAX_BODY: usize = 1024 * 1024;

/// The largest head, and the largest trailer section; a connection's buffer holds one.
pub(super) const MAX_HEAD: usize = 16 * 1024;

/// The longest line with the size of a chunk.
const MAX_SIZE_LINE: usize = 256;

const MAX_HEADERS: usize = 128;

/// Why bytes are no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("the answer is no HTTP: {0}")]
    NoHttp(String),
    #[error("the answer is larger than {MAX_BODY} bytes")]
    LargeBody,
    #[error("the answer has a head of more than {MAX_HEAD} bytes")]
    LargeHead,
}

/// What is read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Head,
    /// So many bytes of a body whose length is known.
    Body(usize),
    UntilClosed,
    ChunkSize,
    /// So many bytes of a chunk.
    Chunk(usize),
    ChunkEnd,
    /// Behind the last chunk and so many bytes of trailers.
    Trailers(usize),
    Nothing,
}

/// The answer as far as it has been read.
#[derive(Debug)]
pub(super) struct Reader {
    next: Part,
    answer: HttpAnswer,
    keeps: bool,
}

/// A part that is not there as a whole yet.
type Step = Result<Option<usize>, Unreadable>;

impl Reader {
    pub(super) fn new() -> Reader {
        let answer = HttpAnswer { status: 0, body: Vec::new(), date: None };
        Reader { next: Part::Head, answer, keeps: true }
    }

    /// Reads from the bytes that follow those that were read; returns how many are read now. The rest is given again, with
    /// more bytes behind it.
    pub(super) fn read(&mut self, input: &[u8]) -> Result<usize, Unreadable> {
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            let step = match self.next {
                Part::Nothing => None,
                Part::Head => self.head(rest)?,
                Part::Body(left) => self.body(rest, left, Part::Body, Part::Nothing),
                Part::Chunk(left) => self.body(rest, left, Part::Chunk, Part::ChunkEnd),
                Part::UntilClosed => self.until_closed(rest)?,
                Part::ChunkSize => self.chunk_size(rest)?,
                Part::ChunkEnd => self.chunk_end(rest)?,
                Part::Trailers(read) => self.trailers(rest, read)?,
            };
            match step {
                Some(count) => used += count,
                None => return Ok(used),
            }
        }
    }

    /// Whether the answer is there as a whole.
    pub(super) fn is_whole(&self) -> bool {
        self.next == Part::Nothing
    }

    /// Whether the answer is whole if the peer closes the connection now.
    pub(super) fn ends_where_it_is_closed(&self) -> bool {
        // Some servers close behind the last chunk, without the empty line: the body is whole.
        matches!(self.next, Part::Nothing | Part::UntilClosed | Part::Trailers(_))
    }

    /// Whether the connection takes another request behind this answer.
    pub(super) fn keeps(&self) -> bool {
        self.keeps && self.is_whole()
    }

    pub(super) fn into_answer(self) -> HttpAnswer {
        self.answer
    }

    fn head(&mut self, input: &[u8]) -> Step {
        let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default()
            .parse_response_with_uninit_headers(&mut response, input, &mut headers)
            .map_err(|error| Unreadable::NoHttp(error.to_string()))?;
        let httparse::Status::Complete(length) = parsed else {
            return if input.len() < MAX_HEAD { Ok(None) } else { Err(Unreadable::LargeHead) };
        };
        if length > MAX_HEAD {
            return Err(Unreadable::LargeHead);
        }
        let status = response.code.unwrap_or_default();
        if status < 100 {
            return Err(no_http("a status below 100"));
        }
        // An interim answer; 101 is the last one of its request.
        if status < 200 && status != 101 {
            return Ok(Some(length));
        }
        self.answer.status = status;
        let is_old = response.version == Some(0);
        let (mut announced, mut is_chunked) = (None, false);
        let (mut closes, mut keeps_alive) = (false, false);
        for header in response.headers.iter() {
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            if is("content-length") {
                announced = Some(one_length(announced, header.value)?);
            } else if is("transfer-encoding") && !is_old {
                if is_chunked || !header.value.eq_ignore_ascii_case(b"chunked") {
                    return Err(no_http("a Transfer-Encoding that is not chunked"));
                }
                is_chunked = true;
            } else if is("connection") {
                closes |= lists(header.value, "close");
                keeps_alive |= lists(header.value, "keep-alive");
            } else if is("date") && self.answer.date.is_none() {
                self.answer.date = date(header.value);
            }
        }
        self.keeps = !closes && (!is_old || keeps_alive) && status != 101;
        self.next = match announced {
            Some(_) if is_chunked => return Err(no_http("a Content-Length beside a Transfer-Encoding")),
            _ if matches!(status, 101 | 204 | 304) => Part::Nothing,
            None if is_chunked => Part::ChunkSize,
            None => {
                self.keeps = false;
                Part::UntilClosed
            }
            Some(0) => Part::Nothing,
            Some(length) => {
                let length = usize::try_from(length).ok().filter(|length| *length <= MAX_BODY);
                let length = length.ok_or(Unreadable::LargeBody)?;
                self.answer.body.reserve_exact(length);
                Part::Body(length)
            }
        };
        Ok(Some(length))
    }

    /// Takes bytes of the body of which so many are left.
    fn body(&mut self, input: &[u8], left: usize, then: fn(usize) -> Part, behind: Part) -> Option<usize> {
        let taken = input.get(..left).unwrap_or(input);
        self.answer.body.extend_from_slice(taken);
        self.next = if taken.len() == left { behind } else { then(left - taken.len()) };
        (!taken.is_empty()).then_some(taken.len())
    }

    fn until_closed(&mut self, input: &[u8]) -> Step {
        if self.answer.body.len() + input.len() > MAX_BODY {
            return Err(Unreadable::LargeBody);
        }
        self.answer.body.extend_from_slice(input);
        Ok(Some(input.len()).filter(|count| *count > 0))
    }

    fn chunk_size(&mut self, input: &[u8]) -> Step {
        let Some(line) = line(input.get(..MAX_SIZE_LINE).unwrap_or(input))? else {
            let is_long = input.len() >= MAX_SIZE_LINE;
            return if is_long { Err(no_http("a chunk without its size")) } else { Ok(None) };
        };
        let size = line.split(|byte| *byte == b';').next().and_then(hexadecimal);
        let size = size.ok_or_else(|| no_http("a chunk without its size"))?;
        let room = MAX_BODY - self.answer.body.len();
        let size = usize::try_from(size).ok().filter(|size| *size <= room).ok_or(Unreadable::LargeBody)?;
        self.next = if size == 0 { Part::Trailers(0) } else { Part::Chunk(size) };
        Ok(Some(line.len() + 2))
    }

    fn chunk_end(&mut self, input: &[u8]) -> Step {
        match input {
            [b'\r', b'\n', ..] => {
                self.next = Part::ChunkSize;
                Ok(Some(2))
            }
            [] | [b'\r'] => Ok(None),
            _ => Err(no_http("a chunk of another size than it says")),
        }
    }

    /// Passes over trailers, of which so many bytes were passed over.
    fn trailers(&mut self, input: &[u8], read: usize) -> Step {
        let Some(line) = line(input)? else {
            return if read + input.len() < MAX_HEAD { Ok(None) } else { Err(Unreadable::LargeHead) };
        };
        let length = line.len() + 2;
        if read + length > MAX_HEAD {
            return Err(Unreadable::LargeHead);
        }
        self.next = if line.is_empty() { Part::Nothing } else { Part::Trailers(read + length) };
        Ok(Some(length))
    }
}

fn no_http(why: &str) -> Unreadable {
    Unreadable::NoHttp(why.to_owned())
}

/// The first line without its end; `None` if its end is not there yet.
fn line(input: &[u8]) -> Result<Option<&[u8]>, Unreadable> {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
    let line = input.get(..end).and_then(|line| line.strip_suffix(b"\r"));
    line.map(Some).ok_or_else(|| no_http("a line that does not end with CR LF"))
}

/// The length that a header names: each of its elements, and each header before it, names the same.
fn one_length(known: Option<u64>, value: &[u8]) -> Result<u64, Unreadable> {
    let mut one = known;
    for element in value.split(|byte| *byte == b',') {
        let length = digits(trimmed(element)).ok_or_else(|| no_http("a Content-Length that is no number"))?;
        if one.is_some_and(|one| one != length) {
            return Err(no_http("two values of Content-Length"));
        }
        one = Some(length);
    }
    one.ok_or_else(|| no_http("a Content-Length that is no number"))
}

fn digits(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

fn hexadecimal(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(trimmed(text)).ok()?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_number.then(|| u64::from_str_radix(text, 16).ok())?
}

/// Whether a list names this token, which is in lower case.
fn lists(value: &[u8], token: &str) -> bool {
    value.split(|byte| *byte == b',').any(|element| trimmed(element).eq_ignore_ascii_case(token.as_bytes()))
}

fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn date(value: &[u8]) -> Option<SystemTime> {
    httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok()
}

#[cfg(test)]
mod tests;
