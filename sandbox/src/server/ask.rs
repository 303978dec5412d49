//! A client of the admin API, for programs with a server in their own process or next to it.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// The time limit of an answer; the admin API waits for nothing.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Sends one request on a new connection, without a body if `body` is null. Returns the answer's JSON, also if it
/// describes an error. Blocks.
///
/// # Errors
/// The answer is incomplete or is not JSON.
pub fn ask(admin: SocketAddr, method: &str, path: &str, body: &Value) -> io::Result<Value> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(admin)?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, json) = answer.split_once("\r\n\r\n").ok_or(ErrorKind::InvalidData)?;
    Ok(serde_json::from_str(json)?)
}
