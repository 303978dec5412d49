//! Takes a text apart that serde_json has found to be valid JSON: it only has to find where each value ends.

use std::borrow::Cow;

use super::{JsonError, Kind, MAX_DEPTH, Object, Value};

/// See the module's words.
pub(super) struct Splitter<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Splitter<'a> {
    /// At the beginning of a text that is valid.
    pub(super) fn new(valid: &'a str) -> Splitter<'a> {
        Splitter { text: valid, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no white space; not taken.
    fn next_token(&mut self) -> Option<u8> {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        self.peek()
    }

    /// What was passed since `from`.
    fn since(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// Goes to a member of the object or to an entry of the list that begins here.
    pub(super) fn enter(&mut self, step: &str) -> Option<()> {
        let is_object = self.next_token() == Some(b'{');
        let entry = step.parse::<usize>().ok();
        if !is_object && (self.peek() != Some(b'[') || entry.is_none()) {
            return None;
        }
        self.at += 1;
        let mut place = None;
        for index in 0.. {
            if self.next_token().is_none_or(|byte| matches!(byte, b'}' | b']')) {
                break;
            }
            let found = if is_object {
                let key = self.string().ok()?;
                // The colon.
                self.next_token();
                self.at += 1;
                key == step
            } else {
                Some(index) == entry
            };
            // Which of two is meant would be a guess.
            if found && place.replace(self.at).is_some() {
                return None;
            }
            self.skip();
            if self.next_token() == Some(b',') {
                self.at += 1;
            }
        }
        self.at = place?;
        Some(())
    }

    /// Goes behind the value that begins here.
    fn skip(&mut self) {
        let mut open = 0_usize;
        self.next_token();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.skip_string();
                }
                Some(b'{' | b'[') => {
                    open += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if open > 0 => {
                    open -= 1;
                    self.at += 1;
                }
                // Of what is around it.
                Some(b'}' | b']' | b',') | None if open == 0 => return,
                None => return,
                Some(_) => self.at += 1,
            }
        }
    }

    /// Goes behind the string that begins here; whether it has escapes.
    fn skip_string(&mut self) -> bool {
        self.at += 1;
        let mut escaped = false;
        while let Some(length) = memchr::memchr2(b'"', b'\\', self.rest()) {
            self.at += length;
            if self.peek() == Some(b'"') {
                break;
            }
            escaped = true;
            self.at += 2;
        }
        self.at += 1;
        escaped
    }

    /// The value that begins here, `depth` levels below the outermost.
    pub(super) fn value(&mut self, depth: usize) -> Result<Value<'a>, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        let first = self.next_token();
        let from = self.at;
        let kind = match first {
            Some(b'{') => Kind::Object(self.object(depth)?),
            Some(b'[') => Kind::Array(self.array(depth)?),
            Some(b'"') => Kind::String(self.string()?),
            _ => {
                while self.peek().is_some_and(|byte| !matches!(byte, b',' | b'}' | b']') && byte > b' ') {
                    self.at += 1;
                }
                match first {
                    Some(b't') => Kind::Bool(true),
                    Some(b'f') => Kind::Bool(false),
                    Some(b'n') => Kind::Null,
                    _ => Kind::Number,
                }
            }
        };
        Ok(Value { raw: self.since(from), kind })
    }

    fn object(&mut self, depth: usize) -> Result<Object<'a>, JsonError> {
        let mut object = Object::default();
        self.at += 1;
        while self.next_token() == Some(b'"') {
            let key = self.string()?;
            // The colon.
            self.next_token();
            self.at += 1;
            match self.value(depth + 1) {
                Ok(value) => {
                    if object.is_empty() {
                        // As many as most have, but for an empty one nothing: an answer may be full of those.
                        object.members.reserve(8);
                    }
                    object.members.push((key, value));
                }
                Err(error) => return Err(error.inside(&key)),
            }
            if self.next_token() == Some(b',') {
                self.at += 1;
            }
        }
        self.at += 1;
        match object.repeated() {
            Some(key) => Err(JsonError::Duplicate { path: String::new(), key: key.to_owned() }),
            None => Ok(object),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value<'a>>, JsonError> {
        let mut list = Vec::new();
        self.at += 1;
        while self.next_token().is_some_and(|byte| byte != b']') {
            match self.value(depth + 1) {
                Ok(value) => list.push(value),
                Err(error) => return Err(error.inside(&format!("[{}]", list.len()))),
            }
            if self.next_token() == Some(b',') {
                self.at += 1;
            }
        }
        self.at += 1;
        Ok(list)
    }

    /// The string that begins here; only one with escapes is copied.
    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let from = self.at;
        if self.skip_string() {
            let text: String =
                serde_json::from_str(self.since(from)).map_err(|e| JsonError::Syntax(e.to_string()))?;
            return Ok(text.into());
        }
        Ok(self.text.get(from + 1..self.at - 1).unwrap_or_default().into())
    }
}
