//! A path to the gateway that takes time: a relay on loopback that passes every byte on with a delay in each direction.
//! A connection over loopback is there at once, so the round trip that it would have taken is added to the first
//! bytes that its client sends: they leave as if the client had waited for it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Starts a relay, which ends with the process, and returns its address.
pub(crate) fn start(target: SocketAddr, round_trip: Duration) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let connected = Instant::now() + round_trip;
            thread::spawn(move || {
                // One side has disconnected, which is not an error.
                let _ = join(client, target, connected, round_trip / 2);
            });
        }
    });
    Ok(address)
}

fn join(client: TcpStream, target: SocketAddr, connected: Instant, delay: Duration) -> std::io::Result<()> {
    let gateway = TcpStream::connect(target)?;
    for end in [&client, &gateway] {
        end.set_nodelay(true)?;
    }
    let (client_too, gateway_too) = (client.try_clone()?, gateway.try_clone()?);
    thread::spawn(move || pass(gateway_too, client_too, Instant::now(), delay));
    pass(client, gateway, connected, delay);
    Ok(())
}

/// Passes bytes on, each `delay` after it came and not before `earliest` and the delay, until the source ends.
fn pass(mut source: TcpStream, mut sink: TcpStream, earliest: Instant, delay: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    let writer = thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if sink.write_all(&bytes).is_err() {
                break;
            }
        }
        // The other side may have ended first.
        let _ = sink.shutdown(Shutdown::Write);
    });
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = source.read(&mut chunk) {
        let due = Instant::now().max(earliest) + delay;
        let bytes = chunk.get(..count).unwrap_or_default().to_vec();
        if sender.send((due, bytes)).is_err() {
            break;
        }
    }
    drop(sender);
    // The writer cannot panic.
    let _ = writer.join();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte each way, on a new connection and on a kept one.
    #[test]
    fn a_new_connection_takes_two_round_trips_and_a_kept_one_takes_one() {
        let echo = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = echo.local_addr().unwrap();
        thread::spawn(move || {
            let (mut client, _) = echo.accept().unwrap();
            let mut byte = [0];
            while client.read_exact(&mut byte).is_ok() {
                client.write_all(&byte).unwrap();
            }
        });
        let round_trip = Duration::from_millis(40);
        let relay = start(target, round_trip).unwrap();
        let begun = Instant::now();
        let mut client = TcpStream::connect(relay).unwrap();
        for trips in [2, 3] {
            client.write_all(b"x").unwrap();
            client.read_exact(&mut [0]).unwrap();
            assert!(begun.elapsed() >= round_trip * trips, "{trips}: {:?}", begun.elapsed());
        }
    }
}
