use super::*;

/// What comes of an answer: its status, its body and whether the connection is kept, or why it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Whole(u16, Vec<u8>, bool),
    Cut,
    Refused(Unreadable),
}

/// Reads these segments as they arrive at a connection, which is then closed. Bytes behind the answer are found by the next
/// look at the connection.
fn read<'s>(segments: impl IntoIterator<Item = &'s [u8]>) -> End {
    let (mut reader, mut buffer) = (Reader::new(), Vec::new());
    for segment in segments {
        buffer.extend_from_slice(segment);
        match reader.read(&buffer) {
            Ok(used) => drop(buffer.drain(..used)),
            Err(why) => return End::Refused(why),
        }
        assert!(reader.is_whole() || buffer.len() < MAX_HEAD, "a connection's buffer is full");
    }
    if !reader.is_whole() && !reader.ends_where_it_is_closed() {
        return End::Cut;
    }
    let keeps = reader.keeps() && buffer.is_empty();
    let answer = reader.into_answer();
    End::Whole(answer.status, answer.body, keeps)
}

fn kept(body: &str) -> End {
    End::Whole(200, body.into(), true)
}

fn closed(body: &str) -> End {
    End::Whole(200, body.into(), false)
}

/// No HTTP, for any reason.
fn no_http() -> End {
    End::Refused(Unreadable::NoHttp(String::new()))
}

/// The end without the words.
fn kind(end: End) -> End {
    match end {
        End::Refused(Unreadable::NoHttp(_)) => no_http(),
        end => end,
    }
}

fn cases() -> Vec<(String, End)> {
    let ok = |headers: &str, body: &str| format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{body}");
    let length = |value: &str| ok(&format!("Content-Length: {value}"), "abc");
    let chunked = |body: &str| ok("Transfer-Encoding: chunked", body);
    let filled = |size: usize| "x".repeat(size);
    vec![
        (length("3"), kept("abc")),
        (length("003"), kept("abc")),
        (length("3, 3"), kept("abc")),
        (ok("content-length:3\r\nCONTENT-LENGTH: 3", "abc"), kept("abc")),
        (length("0"), closed("")),
        (ok("Content-Length: 0", ""), kept("")),
        (length("2"), closed("ab")),
        (length("4"), End::Cut),
        (length("3, 4"), no_http()),
        (ok("Content-Length: 3\r\nContent-Length: 4", "abc"), no_http()),
        (length(""), no_http()),
        (length("+3"), no_http()),
        (length("-3"), no_http()),
        (length("3 3"), no_http()),
        (length("0x3"), no_http()),
        (length("3,"), no_http()),
        (length("99999999999999999999"), no_http()),
        (length("1048577"), End::Refused(Unreadable::LargeBody)),
        (ok("Content-Length: 3\r\nConnection: close", "abc"), closed("abc")),
        (ok("Content-Length: 3\r\nConnection: x, CLOSE", "abc"), closed("abc")),
        (ok("Content-Length: 3\r\nConnection: keep-alive", "abc"), kept("abc")),
        // Until it is closed.
        (ok("Server: x", "abc"), closed("abc")),
        (ok("Server: x", ""), closed("")),
        ("HTTP/1.1 200\r\n\r\nabc".into(), closed("abc")),
        // HTTP/1.0 closes unless it says otherwise, and knows no chunks.
        ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc".into(), closed("abc")),
        ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: Keep-Alive\r\n\r\nabc".into(), kept("abc")),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".into(), closed("0\r\n\r\n")),
        // Chunks.
        (chunked("3\r\nabc\r\n0\r\n\r\n"), kept("abc")),
        (chunked("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), kept("abc")),
        (chunked("00003 ;x=\"y\"\r\nabc\r\n0;z\r\nA: b\r\nC: d\r\n\r\n"), kept("abc")),
        (chunked("A\r\n0123456789\r\n0\r\n\r\n"), kept("0123456789")),
        (chunked("0\r\n\r\n"), kept("")),
        (chunked("0\r\n\r\nHTTP/1.1"), closed("")),
        (chunked("3\r\nabc\r\n0\r\n"), closed("abc")),
        (chunked("3\r\nabc\r\n0\r\nA: b\r\n"), closed("abc")),
        (chunked("3\r\nabc\r\n0"), End::Cut),
        (chunked("3\r\nabc\r\n"), End::Cut),
        (chunked("3\r\nab"), End::Cut),
        (chunked(""), End::Cut),
        (chunked("3\r\nabcd\r\n0\r\n\r\n"), no_http()),
        (chunked("3\nabc\r\n0\r\n\r\n"), no_http()),
        (chunked("3\r\nabc\n0\r\n\r\n"), no_http()),
        (chunked("\r\nabc\r\n0\r\n\r\n"), no_http()),
        (chunked(";x\r\n\r\n"), no_http()),
        (chunked("-1\r\n\r\n"), no_http()),
        (chunked("+3\r\nabc\r\n0\r\n\r\n"), no_http()),
        (chunked("0x3\r\nabc\r\n0\r\n\r\n"), no_http()),
        (chunked("3 3\r\nabc\r\n0\r\n\r\n"), no_http()),
        (chunked("10000000000000000\r\n"), no_http()),
        (chunked("ffffffffffffffff\r\n"), End::Refused(Unreadable::LargeBody)),
        (chunked("100001\r\n"), End::Refused(Unreadable::LargeBody)),
        (chunked(&format!("1;{}\r\na\r\n0\r\n\r\n", filled(200))), kept("a")),
        (chunked(&format!("1;{}\r\na\r\n0\r\n\r\n", filled(254))), no_http()),
        (chunked(&format!("0\r\nA: {}\r\n\r\n", filled(17_000))), End::Refused(Unreadable::LargeHead)),
        (chunked(&format!("0\r\n{}\r\n", "A: b\r\n".repeat(3_000))), End::Refused(Unreadable::LargeHead)),
        // What could be read in two ways.
        (ok("Content-Length: 3\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), no_http()),
        (ok("Transfer-Encoding: chunked\r\nContent-Length: 3", "0\r\n\r\n"), no_http()),
        (ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), no_http()),
        (ok("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), no_http()),
        (ok("Transfer-Encoding: identity\r\nContent-Length: 3", "abc"), no_http()),
        // Answers without a body.
        ("HTTP/1.1 204 No Content\r\n\r\n".into(), End::Whole(204, vec![], true)),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc".into(), End::Whole(204, vec![], false)),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n".into(), End::Whole(304, vec![], true)),
        ("HTTP/1.1 101 Switching\r\nContent-Length: 3\r\n\r\n".into(), End::Whole(101, vec![], false)),
        // Interim answers.
        (format!("HTTP/1.1 100 Continue\r\n\r\n{}", length("3")), kept("abc")),
        (
            format!(
                "HTTP/1.1 103 Early\r\nLink: x\r\nContent-Length: 9\r\n\r\nHTTP/1.1 102 P\r\n\r\n{}",
                length("3")
            ),
            kept("abc"),
        ),
        ("HTTP/1.1 100 Continue\r\n\r\n".into(), End::Cut),
        // Others.
        (
            "HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 1\r\n\r\nx".into(),
            End::Whole(301, b"x".into(), true),
        ),
        (format!("\r\n\r\n{}", length("3")), kept("abc")),
        ("HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n".into(), no_http()),
        ("HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n".into(), no_http()),
        ("{\"status\":true}".into(), no_http()),
        ("HTTP/1.1 200 OK\r\nContent-Le".into(), End::Cut),
        (String::new(), End::Cut),
        (ok(&"A: b\r\n".repeat(127), ""), closed("\r\n")),
        (ok(&"A: b\r\n".repeat(129), ""), no_http()),
        (ok(&format!("A: {}", filled(16_384)), ""), End::Refused(Unreadable::LargeHead)),
    ]
}

#[test]
fn the_table_of_answers() {
    for (bytes, wanted) in cases() {
        let shown = bytes.get(..200).unwrap_or(&bytes);
        assert_eq!(kind(read([bytes.as_bytes()])), wanted, "{shown:?}");
    }
}

/// In two and three segments, at every place of a short answer, and byte by byte.
#[test]
fn segments_change_nothing() {
    for (bytes, wanted) in cases() {
        let (text, bytes) = (bytes.get(..200).unwrap_or(&bytes), bytes.as_bytes());
        let step = 1 + bytes.len() / 300;
        assert_eq!(kind(read(bytes.chunks(step))), wanted, "{text:?} in many");
        for at in (0..=bytes.len()).step_by(step) {
            let (first, second) = bytes.split_at(at);
            assert_eq!(kind(read([first, second])), wanted, "{text:?} in two at {at}");
            for behind in [1, 2, 7] {
                let (second, third) = second.split_at(behind.min(second.len()));
                assert_eq!(kind(read([first, second, third])), wanted, "{text:?} in three at {at}");
            }
        }
    }
}

#[test]
fn a_body_may_be_as_large_as_the_limit() {
    let body = "x".repeat(MAX_BODY);
    let plain = |head: &str, end: &str| {
        read(format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}{end}").as_bytes().chunks(9_000))
    };
    assert_eq!(plain("Content-Length: 1048576\r\n", ""), kept(&body));
    assert_eq!(plain("", ""), closed(&body));
    assert_eq!(plain("", "x"), End::Refused(Unreadable::LargeBody));
    let chunked = |end: &str| {
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n{body}\r\n{end}0\r\n\r\n")
    };
    let whole = chunked("");
    assert_eq!(read(whole.as_bytes().chunks(9_000)), kept(&body));
    let more = chunked("1\r\nx\r\n");
    assert_eq!(read(more.as_bytes().chunks(9_000)), End::Refused(Unreadable::LargeBody));
}

#[test]
fn the_date_is_read() {
    let date = |headers: &str| {
        let mut reader = Reader::new();
        reader.read(format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 0\r\n\r\n").as_bytes()).unwrap();
        reader.into_answer().date
    };
    let wanted = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(784_111_777);
    assert_eq!(date("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), Some(wanted));
    assert_eq!(date("date:Sun, 06 Nov 1994 08:49:37 GMT\r\nDate: x\r\n"), Some(wanted));
    assert_eq!(date("Date: yesterday\r\n"), None);
    assert_eq!(date(""), None);
}

mod arbitrary {
    use proptest::prelude::*;

    use super::*;

    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("HTTP/1.1 200 OK\r\n".to_owned()),
            Just("HTTP/1.0 200 OK\r\n".to_owned()),
            Just("HTTP/1.1 100 Continue\r\n\r\n".to_owned()),
            Just("Transfer-Encoding: chunked\r\n".to_owned()),
            Just("Connection: close\r\n".to_owned()),
            Just("\r\n".to_owned()),
            (0..12_u8).prop_map(|length| format!("Content-Length: {length}\r\n")),
            (0..20_u8).prop_map(|size| format!("{size:x}\r\n")),
            "[a-z0-9 :;\r\n]{0,12}",
        ]
    }

    proptest! {
        #[test]
        fn segments_change_nothing(
            pieces in proptest::collection::vec(piece(), 0..12),
            cuts in proptest::collection::vec(0..200_usize, 0..6),
        ) {
            let bytes = pieces.concat().into_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let segments = cuts.windows(2).map(|two| &bytes[two[0]..two[1]]);
            prop_assert_eq!(kind(read(segments)), kind(read([bytes.as_slice()])));
        }
    }
}
