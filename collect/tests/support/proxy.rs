//! A reverse proxy that takes bodies up to a length, as nginx does with `client_max_body_size`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use zvpos_collect::serve::http::Head;

/// The address of a proxy that takes so many bytes.
pub fn taking(longest: usize, collector: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            thread::spawn(move || serve(socket, longest, collector));
        }
    });
    address
}

/// One request of a connection.
fn serve(mut till: TcpStream, longest: usize, collector: SocketAddr) -> Option<()> {
    let mut received = Vec::new();
    let (length, head) = loop {
        more(&mut till, &mut received)?;
        if let Some(found) = Head::parse(&received).ok()? {
            break found;
        }
    };
    while received.len() < length + head.length {
        more(&mut till, &mut received)?;
    }
    if head.length > longest {
        let page = "<html>413 Request Entity Too Large</html>";
        let length = page.len();
        let answer = format!(
            "HTTP/1.1 413 Payload Too Large\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
        );
        return till.write_all(answer.as_bytes()).ok();
    }
    let mut collector = TcpStream::connect(collector).ok()?;
    let text = String::from_utf8(received).ok()?;
    collector.write_all(text.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1).as_bytes()).ok()?;
    let mut answer = Vec::new();
    collector.read_to_end(&mut answer).ok()?;
    till.write_all(&answer).ok()
}

fn more(till: &mut TcpStream, received: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 16 * 1024];
    let count = till.read(&mut buffer).ok().filter(|count| *count > 0)?;
    received.extend_from_slice(&buffer[..count]);
    Some(())
}
