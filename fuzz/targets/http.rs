//! A gateway's whole answer as bytes on a connection: what the transport takes for an answer is whole, however the bytes are
//! divided into segments, and what is then taken for a success or a refusal has the proof of one.
#![no_main]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use zvpos_core::gateway::{CodeRules, Doubt, Envelope, Identity, Verdict};
use zvpos_core::money::{Amount, BizId};
use zvpos_core::transport::{Http, HttpAnswer, Roots, TransportError, TransportSettings};
use zvpos_fuzz::{choice, http, proof};

/// Counts the inputs.
static NEXT: AtomicU8 = AtomicU8::new(0);

const OWN: &str = "S-1";
const REQUEST: &str = r#"{"Params":{"bizId":"S-1"}}"#;

fuzz_target!(|input: &[u8]| {
    let Some((number, bytes)) = choice(input) else { return };
    let cut = usize::from(number & 0x1f) * 16;
    let (at_once, in_two) = (posted(bytes, 0), posted(bytes, cut));
    assert_eq!(told(&at_once), told(&in_two), "in two pieces at {cut}");
    let Ok(answer) = in_two else { return };
    let whole = http::whole(bytes).unwrap_or_else(|| panic!("{answer:?} was no whole answer"));
    assert_eq!((answer.status, answer.body.as_slice()), (whole.status, &*whole.body));
    let Ok(envelope) = Envelope::read(answer.status, &answer.body) else { return };
    let tree =
        proof::envelope(whole.status, &whole.body).unwrap_or_else(|why| panic!("was read, though {why}"));
    let Ok(biz_id) = BizId::new(OWN) else { return };
    let asked = Identity { amount: Amount::parse("23.00").ok(), ..Identity::default() };
    match envelope.judge_consume(&biz_id, &asked, &CodeRules::default(), true, &|_| false) {
        Verdict::Accepted(_) => {
            proof::of_success(&tree, OWN, true).unwrap_or_else(|why| panic!("a success, though {why}"));
        }
        Verdict::Refused(_) => {
            proof::of_refusal(&tree, &[]).unwrap_or_else(|why| panic!("a refusal, though {why}"));
        }
        Verdict::Doubt(_) => {}
    }
});

/// Posts a request that is answered with these bytes.
fn posted(bytes: &[u8], cut: usize) -> Result<HttpAnswer, Doubt> {
    let peer = peer();
    let given = Script { bytes: bytes.to_vec(), cut };
    peer.script.lock().unwrap_or_else(PoisonError::into_inner).send(given).unwrap_or_else(|e| panic!("{e}"));
    // Another address each time: ports of the one before are not free for a while.
    let last = 1 + NEXT.fetch_add(1, Ordering::Relaxed) % 250;
    let url = format!("http://127.0.0.{last}:{}/api/v2", peer.address.port());
    let url = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
    let exchanged = peer.http.post(&url, REQUEST, Instant::now() + Duration::from_secs(5), None, &|| Ok(()));
    exchanged.result.map_err(|error| match error {
        TransportError::NotSent(why) => panic!("{}: {}", why.code.text, why.message),
        TransportError::Lost(doubt) => doubt,
    })
}

/// The status and the body of an answer, or the code of what came in its place.
fn told(posted: &Result<HttpAnswer, Doubt>) -> Result<(u16, &[u8]), &str> {
    match posted {
        Ok(answer) => Ok((answer.status, answer.body.as_slice())),
        Err(doubt) => Err(&doubt.code),
    }
}

/// What one connection is answered with; `cut` is where the answer comes in two pieces.
struct Script {
    bytes: Vec<u8>,
    cut: usize,
}

/// The way to a gateway in this process, and what it is to say.
struct Peer {
    http: Http,
    address: SocketAddr,
    script: Mutex<Sender<Script>>,
}

fn peer() -> &'static Peer {
    static PEER: OnceLock<Peer> = OnceLock::new();
    PEER.get_or_init(|| {
        let (script, scripts) = channel::<Script>();
        let listener = TcpListener::bind("0.0.0.0:0").unwrap_or_else(|error| panic!("{error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
        thread::spawn(move || {
            for script in scripts {
                // A client that has gone is a client that did not wait.
                let _ = listener.accept().and_then(|(stream, _)| answer(stream, &script));
            }
        });
        let settings = TransportSettings {
            connect: Duration::from_secs(3),
            idle: Duration::from_secs(4),
            roots: Roots::Bundled,
            proxy: None,
            absolute: false,
        };
        let http = Http::new(&settings).unwrap_or_else(|error| panic!("{error}"));
        Peer { http, address, script: Mutex::new(script) }
    })
}

/// Reads the request, answers, and closes.
fn answer(mut stream: TcpStream, script: &Script) -> std::io::Result<()> {
    let (mut asked, mut piece) = (Vec::new(), [0; 4096]);
    while !asked.ends_with(REQUEST.as_bytes()) {
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            count => asked.extend(piece.iter().take(count)),
        }
    }
    let (first, second) = script.bytes.split_at(script.cut.min(script.bytes.len()));
    stream.write_all(first)?;
    stream.write_all(second)?;
    stream.shutdown(Shutdown::Write)
}
