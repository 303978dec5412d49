//! The admin socket from a browser's side: the page's files, server-sent events, and refused requests.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use common::{Client, Heard, RICH, Sandbox};
use serde_json::{Value, json};

/// A server-sent event.
#[derive(Debug, Default)]
struct Event {
    name: String,
    id: String,
    data: String,
}

impl Event {
    fn line(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A follower of the log.
struct Follower {
    stream: BufReader<TcpStream>,
    status: u16,
}

impl Follower {
    fn new(address: SocketAddr, last_event_id: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let last = last_event_id.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
        write!(stream, "GET /events HTTP/1.1\r\nHost: {address}\r\n{last}\r\n").unwrap();
        let mut follower = Self { stream: BufReader::new(stream), status: 0 };
        follower.status = follower.text()[9..12].parse().unwrap();
        while !follower.text().is_empty() {}
        follower
    }

    /// A line without its line break; panics if the connection has ended.
    fn text(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.stream.read_line(&mut line).unwrap(), 0, "the connection is closed");
        line.trim_end_matches(['\r', '\n']).to_owned()
    }

    fn event(&mut self) -> Event {
        let mut event = Event::default();
        loop {
            let line = self.text();
            match line.split_once(": ") {
                Some(("event", name)) => name.clone_into(&mut event.name),
                Some(("id", id)) => id.clone_into(&mut event.id),
                Some(("data", data)) => event.data.push_str(data),
                // The end of an event; a comment and the retry time end with an empty line, too.
                None if line.is_empty() && !event.data.is_empty() => return event,
                _ => {}
            }
        }
    }

    /// The next event that is a line of the log, and its bizId.
    fn biz_id(&mut self) -> (String, String) {
        loop {
            let event = self.event();
            if event.name.is_empty() {
                return (event.id.clone(), event.line()["biz_id"].as_str().unwrap().to_owned());
            }
        }
    }

    fn named(&mut self, name: &str) -> String {
        loop {
            let event = self.event();
            if event.name == name {
                return event.data;
            }
        }
    }
}

fn consumed(sandbox: &Sandbox, biz_ids: impl IntoIterator<Item = String>) {
    let mut client = sandbox.client();
    for biz_id in biz_ids {
        client.send("POST", "/api/v2", &sandbox.consume(&biz_id));
        client.answer(5000).unwrap();
    }
}

fn asked(sandbox: &Sandbox, method: &str, path: &str, headers: &str, body: &str) -> Heard {
    let mut client = Client::connect(sandbox.server.admin).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    client.raw(format!("{head}{body}").as_bytes());
    client.answer(5000).unwrap()
}

#[test]
fn a_follower_gets_earlier_and_new_lines() {
    let sandbox = Sandbox::start();
    consumed(&sandbox, ["T1".to_owned(), "T2".to_owned()]);
    let mut follower = Follower::new(sandbox.server.admin, None);
    assert_eq!(follower.status, 200);
    assert!(!follower.named("run").is_empty());
    assert_eq!((follower.biz_id().1, follower.biz_id().1), ("T1".to_owned(), "T2".to_owned()));
    consumed(&sandbox, ["T3".to_owned()]);
    let line = follower.event().line();
    assert_eq!((&line["biz_id"], &line["number"], &line["effect"]), (&json!("T3"), &json!(3), &json!(1)));
    assert!(line["signed_text"].as_str().unwrap().starts_with("grantCode="));
    assert_eq!((&line["answer"]["code"], &line["params"]["customerId"]), (&json!("0"), &json!(RICH)));
}

#[test]
fn a_follower_continues_where_it_stopped() {
    let sandbox = Sandbox::start();
    consumed(&sandbox, ["T1".to_owned(), "T2".to_owned(), "T3".to_owned()]);
    let mut first = Follower::new(sandbox.server.admin, None);
    first.biz_id();
    let (id, _) = first.biz_id();
    drop(first);
    let mut again = Follower::new(sandbox.server.admin, Some(&id));
    let event = again.event();
    assert_eq!((event.name.as_str(), event.line()["biz_id"].as_str()), ("", Some("T3")), "{event:?}");
    // An id of another run, or an invalid one, starts from the beginning and says so.
    for id in ["1-2", "nonsense", "-", "9999999999999999999999-1"] {
        let mut other = Follower::new(sandbox.server.admin, Some(id));
        assert_eq!(other.event().name, "run", "{id}");
        assert_eq!(other.biz_id().1, "T1", "{id}");
    }
    // A follower ahead of the log waits for new lines.
    let (run, _) = id.split_once('-').unwrap();
    let mut ahead = Follower::new(sandbox.server.admin, Some(&format!("{run}-18446744073709551615")));
    consumed(&sandbox, ["T4".to_owned()]);
    assert_eq!(ahead.biz_id().1, "T4");
}

#[test]
fn a_reset_starts_a_new_log_and_a_change_is_announced() {
    let sandbox = Sandbox::start();
    consumed(&sandbox, ["T1".to_owned()]);
    let mut follower = Follower::new(sandbox.server.admin, None);
    let run = follower.named("run");
    sandbox.admin("POST", "/faults", &json!({"fault": "hang", "operation": "reverse"}));
    follower.named("changed");
    sandbox.admin("POST", "/reset", &Value::Null);
    assert_ne!(follower.named("run"), run);
    consumed(&sandbox, ["T2".to_owned()]);
    assert_eq!(follower.biz_id().1, "T2");
}

#[test]
fn a_line_break_in_the_params_does_not_split_the_event() {
    let sandbox = Sandbox::start();
    let body = sandbox.consume("T1").replace("\"amount\":", "\n\r\n\"amount\":");
    assert!(body.contains("\r\n"));
    let mut client = sandbox.client();
    client.send("POST", "/api/v2", &body);
    client.answer(2000).unwrap();
    let mut follower = Follower::new(sandbox.server.admin, None);
    follower.named("run");
    assert_eq!(follower.event().line()["params"]["amount"], "1.00");
}

#[test]
fn a_late_follower_is_told_how_many_lines_are_gone() {
    let sandbox = Sandbox::start();
    let mut follower = Follower::new(sandbox.server.admin, None);
    consumed(&sandbox, ["T0".to_owned()]);
    let (id, _) = follower.biz_id();
    drop(follower);
    consumed(&sandbox, (1..=1010).map(|at| format!("T{at}")));
    let mut late = Follower::new(sandbox.server.admin, Some(&id));
    assert_eq!(late.named("skipped"), "10");
    assert_eq!(late.biz_id().1, "T11");
    // A new follower gets the last of them.
    let mut new = Follower::new(sandbox.server.admin, None);
    assert_eq!(new.biz_id().1, "T811");
}

#[test]
fn a_follower_that_does_not_read_loses_its_seat() {
    let sandbox = Sandbox::start();
    // Long params, so that unread events do not fit into the system's buffers.
    let consume = |from: u32| {
        let mut client = sandbox.client();
        for at in from..from + 300 {
            let params = json!({"bizId": format!("T{at}"), "customerId": RICH, "amount": "1", "remark": "x".repeat(3900)});
            client.send("POST", "/api/v2", &sandbox.body("communal.user.consume", params));
            client.answer(5000).unwrap();
        }
    };
    let asleep: Vec<_> = (0..64).map(|_| Follower::new(sandbox.server.admin, None)).collect();
    assert!(asleep.iter().all(|follower| follower.status == 200));
    let mut full = Client::connect(sandbox.server.admin).unwrap();
    full.send("GET", "/events", "");
    let refused = full.answer(2000).unwrap();
    assert_eq!(refused.status, 503, "{refused:?}");
    // The same connection still serves other requests, and so does the gateway.
    full.send("GET", "/health", "");
    assert_eq!(full.answer(2000).unwrap().status, 200);
    let since = Instant::now();
    let mut from = 0;
    let mut awake = loop {
        consume(from);
        from += 300;
        let follower = Follower::new(sandbox.server.admin, None);
        if follower.status == 200 {
            break follower;
        }
        assert!(since.elapsed() < Duration::from_mins(1), "those who do not read still have their seats");
    };
    assert!(awake.biz_id().1.starts_with('T'));
    assert_eq!(sandbox.net(&format!("T{}", from - 1)), 1);
}

#[test]
fn a_follower_that_leaves_frees_its_seat() {
    let sandbox = Sandbox::start();
    for _ in 0..3 {
        let followers: Vec<_> = (0..64).map(|_| Follower::new(sandbox.server.admin, None)).collect();
        drop(followers);
        let since = Instant::now();
        while Follower::new(sandbox.server.admin, None).status != 200 {
            assert!(since.elapsed() < Duration::from_secs(10), "the seats of those who went are not free");
        }
        // The last follower's seat must be free again, too, before all 64 are taken.
        let mut all = Vec::new();
        while all.len() < 64 {
            let follower = Follower::new(sandbox.server.admin, None);
            if follower.status == 200 {
                all.push(follower);
            }
            assert!(since.elapsed() < Duration::from_secs(10), "only {} seats are free", all.len());
        }
    }
}

#[test]
fn the_page_loads_nothing_from_other_servers() {
    let sandbox = Sandbox::start();
    let page = asked(&sandbox, "GET", "/", "Host: localhost\r\n", "");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    for path in ["/inspector.js", "/inspector.css", "/inspector.svg"] {
        assert!(page.body.contains(&format!("\"{path}\"")), "{path} is not used");
    }
    assert!(
        !page.body.contains("<style") && !page.body.contains(" style="),
        "the policy forbids inline styles"
    );
    assert!(!page.body.contains("<script>") && !page.body.contains(" onclick="), "and inline scripts");
    let mut files = ["/", "/frame.css", "/inspector.css", "/inspector.svg"].map(str::to_owned).to_vec();
    let names =
        ["language.js", "inspector.js", "inspector/dom.js", "inspector/words.js", "inspector/switches.js"];
    files.extend(names.map(|name| format!("/{name}")));
    for path in files {
        let file = asked(&sandbox, "GET", &path, "Host: 127.0.0.1\r\n", "");
        assert_eq!(file.status, 200, "{path}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"), "{path}");
        let policy = file.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        let foreign = file.body.replace("http://www.w3.org/2000/svg", "");
        assert!(!foreign.contains("http://") && !foreign.contains("https://"), "{path} names another host");
    }
    assert_eq!(asked(&sandbox, "POST", "/", "Host: 127.0.0.1\r\n", "").status, 404);
}

#[test]
fn pages_of_other_sites_are_refused() {
    let sandbox = Sandbox::start();
    consumed(&sandbox, ["T1".to_owned()]);
    let status =
        |method: &str, path: &str, headers: &str| asked(&sandbox, method, path, headers, "{}").status;
    for path in ["/", "/ledger", "/events", "/members"] {
        assert_eq!(status("GET", path, "Host: evil.example\r\n"), 403, "a rebound name, {path}");
        let foreign = "Host: localhost\r\nOrigin: http://evil.example\r\n";
        assert_eq!(status("GET", path, foreign), 403, "another origin, {path}");
    }
    let foreign = "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\nContent-Type: application/json\r\n";
    for (method, path) in [("POST", "/reset"), ("POST", "/faults"), ("PUT", "/policy"), ("DELETE", "/faults")]
    {
        assert_eq!(status(method, path, foreign), 403, "{method} {path}");
    }
    let form = "Host: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nContent-Type: text/plain\r\n";
    assert_eq!(status("POST", "/reset", form), 415);
    assert_eq!(sandbox.net("T1"), 1, "one of them did reset it");
    let own = "Host: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nContent-Type: application/json\r\n";
    assert_eq!(status("POST", "/reset", own), 200);
    assert_eq!(sandbox.net("T1"), 0);
}

#[test]
fn the_members_and_the_latest_of_the_ledger() {
    let sandbox = Sandbox::start();
    consumed(&sandbox, ["T9".to_owned(), "T1".to_owned()]);
    let members = sandbox.admin("GET", "/members", &Value::Null);
    assert_eq!(members.as_array().unwrap().len(), 4);
    assert_eq!(members[0], sandbox.admin("GET", &format!("/members/{RICH}"), &Value::Null));
    assert_eq!(members[0]["nickname"], "张三");
    assert_eq!(sandbox.admin("GET", "/members?first=1", &Value::Null).as_array().unwrap().len(), 1);
    let whole = sandbox.admin("GET", "/ledger?last=5", &Value::Null);
    assert_eq!(whole.as_array().unwrap().len(), 2);
    std::thread::sleep(Duration::from_millis(2));
    consumed(&sandbox, ["T5".to_owned()]);
    let last = sandbox.admin("GET", "/ledger?last=1", &Value::Null);
    assert_eq!((last.as_array().unwrap().len(), &last[0]["bizId"]), (1, &json!("T5")));
}

/// Every text of the server that the page shows.
#[test]
fn explanations_and_refusals_have_chinese_texts() {
    let chinese = |text: &Value| {
        let text = text.as_str().unwrap_or_default();
        assert!(text.contains(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)), "{text:?}");
    };
    let sandbox = Sandbox::start();
    // Cut off in its head, kept from the gateway, delayed, an unknown path, not HTTP, executed.
    sandbox.client().send_asking("reset_during:300", &sandbox.consume("T1"));
    common::until("it is cut off", || sandbox.admin("GET", "/counters", &Value::Null)["faults"] == 1);
    sandbox.sent("T2~reset_before").rest(5000);
    sandbox.sent("T3~late_arrival:1");
    common::until("it has arrived", || sandbox.net("T3~late_arrival:1") == 1);
    sandbox.sent("T4~reset_befor").answer(5000).unwrap();
    sandbox.client().raw(&[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]);
    sandbox.sent("T5").answer(5000).unwrap();
    common::until("all are in the log", || sandbox.admin("GET", "/counters", &Value::Null)["requests"] == 6);
    let log = sandbox.admin("GET", "/requests", &Value::Null);
    let rules: Vec<_> = log.as_array().unwrap().iter().map(|line| line["rule"].as_str().unwrap()).collect();
    assert!(["connection", "fault", "ok"].iter().all(|rule| rules.contains(rule)), "{rules:?}");
    log.as_array().unwrap().iter().for_each(|line| chinese(&line["explanation_zh"]));
    let faults = sandbox.admin("GET", "/faults", &Value::Null);
    for row in faults["table"].as_array().unwrap() {
        chinese(&row["zh"]);
        chinese(&row["till_sees_zh"]);
        assert!(row["param"].is_null() || row["param"]["meaning_zh"].is_string(), "{row}");
    }
    for (method, path, body) in [
        ("POST", "/faults", json!({"fault": "hang", "times": 0})),
        ("POST", "/faults", json!({"fault": "reverse_refused", "operation": "consume"})),
        ("POST", "/faults", json!({"fault": "hnag"})),
        ("PUT", "/chaos", json!({"chaos": "hang"})),
        ("PUT", "/clock", json!({"set": "tomorrow"})),
        ("PUT", "/policy", json!({"nonces_max": -1})),
        ("GET", "/members/7", Value::Null),
    ] {
        let refused = sandbox.admin(method, path, &body);
        assert!(refused["error"].is_string(), "{path}: {refused}");
        chinese(&refused["error_zh"]);
    }
}
