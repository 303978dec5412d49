//! Parses JSON in one pass, strictly by RFC 8259. Only strings with escapes are copied.

use std::borrow::Cow;

use super::{JsonError, MAX_DEPTH, Object, Value, ValueKind, plain_length};

/// The maximum depth of values that are only skipped, to protect the stack. Parsed values are limited by
/// [`MAX_DEPTH`].
const MAX_PASSED_DEPTH: usize = 4 * MAX_DEPTH;

/// A cursor in a JSON text.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// At the start of a text.
    pub(super) fn new(text: &'a str) -> Reader<'a> {
        Reader::at(text, 0)
    }

    /// At the byte where a value begins.
    pub(super) fn at(text: &'a str, at: usize) -> Reader<'a> {
        Reader { text, at }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is not white space, without consuming it.
    #[inline]
    fn next_token(&mut self) -> Option<u8> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.peek()
    }

    /// The text since `from`.
    #[inline]
    fn since(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    fn fault(&self) -> JsonError {
        JsonError::Syntax(format!("at byte {}", self.at))
    }

    /// Fails if anything but white space is left.
    pub(super) fn end(&mut self) -> Result<(), JsonError> {
        if self.next_token().is_none() { Ok(()) } else { Err(self.fault()) }
    }

    /// Parses the value that begins here, `depth` levels below the outermost.
    pub(super) fn value(&mut self, depth: usize) -> Result<Value<'a>, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        let first = self.next_token();
        let from = self.at;
        let kind = match first {
            Some(b'{') => ValueKind::Object(self.object(depth)?),
            Some(b'[') => ValueKind::Array(self.array(depth)?),
            Some(b'"') => ValueKind::String(self.string()?),
            _ => {
                self.pass_plain(first)?;
                match first {
                    Some(b't') => ValueKind::Bool(true),
                    Some(b'f') => ValueKind::Bool(false),
                    Some(b'n') => ValueKind::Null,
                    _ => ValueKind::Number,
                }
            }
        };
        Ok(Value { raw: self.since(from), kind })
    }

    fn object(&mut self, depth: usize) -> Result<Object<'a>, JsonError> {
        let mut object = Object::default();
        self.members(|reader, key| {
            if object.is_empty() {
                // Enough for most objects; an empty one allocates nothing, since an answer may contain many.
                object.members.reserve(12);
            }
            match reader.value(depth + 1) {
                Ok(value) => object.members.push((key, value)),
                Err(error) => return Err(error.inside(&key)),
            }
            Ok(())
        })?;
        match object.repeated() {
            Some(key) => Err(JsonError::Duplicate { path: String::new(), key: key.to_owned() }),
            None => Ok(object),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value<'a>>, JsonError> {
        let mut list = Vec::new();
        self.entries(|reader, index| {
            list.push(reader.value(depth + 1).map_err(|error| error.inside(&format!("[{index}]")))?);
            Ok(())
        })?;
        Ok(list)
    }

    /// Skips the value that begins here and records where in it the values at `path` (names and array positions)
    /// begin. Fails if a name of the path is a duplicate: choosing one of the two would be a guess.
    pub(super) fn locate(
        &mut self,
        path: &[&str],
        depth: usize,
        places: &mut Vec<usize>,
    ) -> Result<(), JsonError> {
        let Some((step, path)) = path.split_first() else {
            places.push(self.at);
            return self.pass(depth);
        };
        if depth > MAX_PASSED_DEPTH {
            return Err(JsonError::TooDeep);
        }
        let mut found = 0;
        let mut visit = |reader: &mut Self, is_step: bool| {
            found += usize::from(is_step);
            if is_step { reader.locate(path, depth + 1, places) } else { reader.pass(depth + 1) }
        };
        match self.next_token() {
            Some(b'{') => self.members(|reader, key| visit(reader, key == *step))?,
            Some(b'[') => {
                let entry = step.parse().ok();
                self.entries(|reader, index| visit(reader, Some(index) == entry))?;
            }
            _ => self.pass(depth)?,
        }
        if found > 1 { Err(self.fault()) } else { Ok(()) }
    }

    /// Goes to the first value of that name or position in the object or array that begins here; `None` if there is none.
    pub(super) fn enter(&mut self, step: &str) -> Option<()> {
        let close = match self.next_token()? {
            b'{' => b'}',
            b'[' => b']',
            _ => return None,
        };
        self.at += 1;
        if self.next_token()? == close {
            return None;
        }
        for index in 0.. {
            let is_step = if close == b'}' {
                let key = self.key().ok()?;
                key == step
            } else {
                step.parse() == Ok(index)
            };
            if is_step {
                return Some(());
            }
            self.pass(1).ok()?;
            if self.next_token()? != b',' {
                return None;
            }
            self.at += 1;
        }
        None
    }

    /// Skips the value that begins here.
    fn pass(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth > MAX_PASSED_DEPTH {
            return Err(JsonError::TooDeep);
        }
        match self.next_token() {
            Some(b'{') => self.members(|reader, _| reader.pass(depth + 1)),
            Some(b'[') => self.entries(|reader, _| reader.pass(depth + 1)),
            Some(b'"') => self.pass_string(),
            first => self.pass_plain(first),
        }
    }

    /// Walks the object that begins here; `each` consumes the value of each key.
    fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.through(b'}', |reader, _| {
            let key = reader.key()?;
            each(reader, key)
        })
    }

    /// Parses the name of a member and the colon behind it.
    fn key(&mut self) -> Result<Cow<'a, str>, JsonError> {
        if self.next_token() != Some(b'"') {
            return Err(self.fault());
        }
        let key = self.string()?;
        if self.next_token() != Some(b':') {
            return Err(self.fault());
        }
        self.at += 1;
        Ok(key)
    }

    /// Walks the array that begins here; `each` consumes each entry.
    fn entries(
        &mut self,
        each: impl FnMut(&mut Self, usize) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.through(b']', each)
    }

    /// Walks what begins here with a bracket and ends with `close`.
    fn through(
        &mut self,
        close: u8,
        mut each: impl FnMut(&mut Self, usize) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.at += 1;
        if self.next_token() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        for index in 0.. {
            each(self, index)?;
            match self.next_token() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => break,
                _ => return Err(self.fault()),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Parses the string that begins here.
    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let from = self.at;
        if let Some(text) = self.plain_string() {
            return Ok(text.into());
        }
        self.pass_string()?;
        // This also refuses half a surrogate pair.
        let text: String =
            serde_json::from_str(self.since(from)).map_err(|e| JsonError::Syntax(e.to_string()))?;
        Ok(text.into())
    }

    /// Parses the string that begins here if it has no escapes.
    #[inline]
    fn plain_string(&mut self) -> Option<&'a str> {
        let behind = self.text.get(self.at + 1..)?;
        let (text, end) = behind.split_at_checked(plain_length(behind.as_bytes()))?;
        end.starts_with('"').then(|| {
            self.at += text.len() + 2;
            text
        })
    }

    /// Skips the string that begins here.
    fn pass_string(&mut self) -> Result<(), JsonError> {
        if self.plain_string().is_some() {
            return Ok(());
        }
        self.at += 1;
        loop {
            self.at += plain_length(self.rest());
            match self.rest() {
                [b'"', ..] => break,
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.at += 2,
                [b'\\', b'u', a, b, c, d, ..] if [a, b, c, d].into_iter().all(u8::is_ascii_hexdigit) => {
                    self.at += 6;
                }
                _ => return Err(self.fault()),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Skips the number or literal that begins here with `first`.
    fn pass_plain(&mut self, first: Option<u8>) -> Result<(), JsonError> {
        let word = match first {
            Some(b't') => "true",
            Some(b'f') => "false",
            Some(b'n') => "null",
            _ => return self.pass_number(),
        };
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.fault());
        }
        self.at += word.len();
        Ok(())
    }

    fn pass_number(&mut self) -> Result<(), JsonError> {
        self.at += usize::from(self.peek() == Some(b'-'));
        // A number has no leading zero.
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.pass_digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.pass_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.pass_digits()?;
        }
        Ok(())
    }

    /// At least one.
    fn pass_digits(&mut self) -> Result<(), JsonError> {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Err(self.fault());
        }
        self.at += digits;
        Ok(())
    }
}
