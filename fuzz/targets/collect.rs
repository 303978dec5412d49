//! What a collector reads from the network: the head of a request, and a batch. Arbitrary bytes are refused, or they mean
//! the same when they are written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zvpos_collect::serve::http::Head;
use zvpos_collect::wire::{BODY_MAX, Batch, RECORDS_MAX};

fuzz_target!(|data: &[u8]| {
    head(data);
    batch(data);
});

fn head(data: &[u8]) {
    match Head::parse(data) {
        Ok(Some((length, head))) => {
            assert!(length <= data.len(), "{length} of {} bytes", data.len());
            // What comes behind the head does not change it.
            let more = [&data[..length], b"\x00GET / HTTP/1.1\r\n\r\n"].concat();
            assert_eq!(Head::parse(&more).ok().flatten(), Some((length, head.clone())));
            let decoded = head.parameter("chain").unwrap_or_default();
            assert!(decoded.len() <= 3 * head.query.len());
        }
        Ok(None) => {}
        Err((status, why)) => assert!((400..=431).contains(&status) && !why.is_empty(), "{status} {why}"),
    }
}

fn batch(data: &[u8]) {
    let Ok(batch) = Batch::read(data) else { return };
    assert!(batch.records.len() <= RECORDS_MAX);
    let again = serde_json::to_vec(&batch).expect("a batch is written");
    assert_eq!(Batch::read(&again), Ok(batch));
    assert!(again.len() <= 4 * data.len() + BODY_MAX);
}
