//! The gateway of a benchmark: one thread per connection, always the same answers, and requests are read only to find
//! their end. So the client is what is measured.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const QUOTE: &str = r#"{"status":"true","code":"0","message":"操作成功","data":{"open_id":"o1","user_id":"383933091455959041","type_cate":"1","multi_mark":"S001","coupon_discount":"5.00","user_coupon_name":"五元代金券","user_coupon_id":"390962138708451328","coupon_code":"C0001","coupon_info":{"amount":"5.00","coupon_type":"0"},"goods_item":[{"trade_mark":"201909280011111","coupon_minus":"5.00"}]}}"#;

const CONSUME: &str = r#"{"status":"true","code":"0","message":"操作成功","data":{"status":"true","code":"0","message":"操作成功","customerId":"383933091455959041","couponsCardList":[],"gift_amount":"10.00","recharge_amount":"90.00","total_amount":"100.00","change_gift_amount":"0.00","change_recharge_amount":"1.00"}}"#;

/// A running server, which ends with the process.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    delay_us: Arc<AtomicU64>,
}

impl Server {
    /// Plain http.
    pub(crate) fn start() -> std::io::Result<Server> {
        Server::listen("http", serve)
    }

    /// https, with the certificate of this folder.
    pub(crate) fn start_secure(folder: &Path) -> Result<Server, String> {
        let chain = CertificateDer::pem_file_iter(folder.join("host.pem"))
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| format!("host.pem: {error}"))?;
        let key = PrivateKeyDer::from_pem_file(folder.join("host.key"))
            .map_err(|error| format!("host.key: {error}"))?;
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
        let config = Arc::new(config.map_err(|error| format!("host.pem: {error}"))?);
        let secure = move |stream, delay: &AtomicU64| {
            let connection = ServerConnection::new(Arc::clone(&config)).map_err(std::io::Error::other)?;
            serve(StreamOwned::new(connection, stream), delay)
        };
        Server::listen("https", secure).map_err(|error| format!("https: {error}"))
    }

    fn listen(
        scheme: &'static str,
        serve: impl Fn(TcpStream, &AtomicU64) -> std::io::Result<()> + Clone + Send + 'static,
    ) -> std::io::Result<Server> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let delay_us = Arc::new(AtomicU64::new(0));
        let delay = Arc::clone(&delay_us);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (serve, delay) = (serve.clone(), Arc::clone(&delay));
                thread::spawn(move || {
                    // The client has disconnected, which is not an error.
                    let _ = stream.set_nodelay(true).and_then(|()| serve(stream, &delay));
                });
            }
        });
        Ok(Server { address, scheme, delay_us })
    }

    pub(crate) fn endpoint(&self) -> String {
        self.endpoint_over(self.address)
    }

    /// Its URL for a client that reaches it at this address.
    pub(crate) fn endpoint_over(&self, address: SocketAddr) -> String {
        format!("{}://{address}/api/v2", self.scheme)
    }

    /// Sets the delay of every later answer.
    pub(crate) fn take(&self, delay: Duration) {
        self.delay_us.store(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

fn serve(mut stream: impl Read + Write, delay_us: &AtomicU64) -> std::io::Result<()> {
    let answers = [QUOTE, CONSUME].map(|body| {
        format!(
            "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    });
    let [quote, consume] = &answers;
    let mut received = Vec::with_capacity(64 * 1024);
    let mut chunk = [0; 16 * 1024];
    loop {
        let whole = loop {
            if let Some(whole) = whole_request(&received) {
                break whole;
            }
            match stream.read(&mut chunk)? {
                0 => return Ok(()),
                count => received.extend(chunk.iter().take(count)),
            }
        };
        let is_consume = contains(received.get(..whole).unwrap_or_default(), b"communal.user.consume");
        received.drain(..whole);
        let delay = delay_us.load(Ordering::Relaxed);
        if delay > 0 {
            thread::sleep(Duration::from_micros(delay));
        }
        stream.write_all(if is_consume { consume } else { quote }.as_bytes())?;
    }
}

/// The length of the first request once it is complete.
fn whole_request(received: &[u8]) -> Option<usize> {
    let head = find(received, b"\r\n\r\n")?;
    let text = std::str::from_utf8(received.get(..head)?).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    let whole = head + 4 + length;
    (received.len() >= whole).then_some(whole)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    find(text, what).is_some()
}
