//! The checks of the network, with the simulator and with faulty servers in its place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::{Value, json};
use support::{
    admin, certificate, config, in_front_of, line, options, own_folder, remedy, report, run, simulator, till,
    url,
};
use zvpos_core::outcome::Lang;
use zvpos_doctor::{Options, Status};
use zvpos_sandbox::rules::{Policy, SignNames};

#[test]
fn a_till_that_is_well() {
    let server = simulator(Policy::default());
    let folder = own_folder();
    let more = json!({"routes": {"reverse": {"action": "sandbox.consume-reverse"}}});
    let config = config(&url(&server), &folder, more);
    drop(till(&config));
    let report = report(&config, &folder);
    for check in [
        "config",
        "config.safety",
        "config.warm",
        "library",
        "libc",
        "system",
        "random",
        "open_files",
        "journal.folder",
        "journal.owner",
        "journal.contents",
        "journal.unsettled",
        "journal.witness",
        "tcp",
        "clock",
        "signature",
    ] {
        assert_eq!(line(&report, check).status, Status::Ok, "{:?}", line(&report, check));
    }
    assert_eq!(line(&report, "config.http").status, Status::Warning);
    assert_ne!(report.status(), Status::Failed, "{}", report.to_table(Lang::En));
    // One look-up of a member that does not exist, and no call that moves money.
    let requests = admin(&server, "GET", "/requests?last=50", &Value::Null);
    let requests = requests.as_array().unwrap();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!((&requests[0]["operation"], &requests[0]["effect"]), (&json!("member"), &json!(0)));
    assert_eq!(admin(&server, "GET", "/ledger", &Value::Null), json!([]));
}

#[test]
fn a_wrong_key_is_told_from_a_wrong_clock_and_a_wrong_spelling() {
    let day_ms = 86_400_000;
    for (policy, key, cause, status, words) in [
        (Policy::default(), "another-key", "credentials", Status::Failed, "openKey"),
        (
            Policy { clock_offset_ms: day_ms, ..Policy::default() },
            "another-key",
            "credentials",
            Status::Failed,
            "grantCode",
        ),
        (
            Policy { clock_offset_ms: day_ms, ..Policy::default() },
            "fake-open-key-for-test-only-0001",
            "clock",
            Status::Warning,
            "NTP",
        ),
        (
            Policy { sign_names: SignNames::AsSent, ..Policy::default() },
            "fake-open-key-for-test-only-0001",
            "sign_names",
            Status::Failed,
            "\"sign_names\": \"as_sent\"",
        ),
    ] {
        let server = simulator(policy);
        let folder = own_folder();
        let report = report(&config(&url(&server), &folder, json!({"openKey": key})), &folder);
        let signature = line(&report, "signature");
        assert_eq!((&signature.facts["cause"], signature.status), (&json!(cause), status), "{signature:?}");
        assert_eq!(signature.facts["code"], "110004");
        assert!(remedy(signature).contains(words), "{signature:?}");
    }
}

#[test]
fn a_wrong_clock_is_measured() {
    for (offset_ms, status, way) in [
        (0, Status::Ok, ""),
        (3_600_000, Status::Warning, "behind"),
        (-3_600_000, Status::Warning, "ahead of"),
    ] {
        let server = simulator(Policy { clock_offset_ms: offset_ms, ..Policy::default() });
        let folder = own_folder();
        let report = report(&config(&url(&server), &folder, json!({})), &folder);
        let clock = line(&report, "clock");
        assert_eq!(clock.status, status, "{clock:?}");
        assert!(clock.found.en.contains(way), "{clock:?}");
        let off = clock.facts["offset_s"].as_i64().unwrap();
        assert!((off - offset_ms / 1000).abs() <= 2, "{clock:?}");
    }
}

#[test]
fn each_account_is_asked() {
    let server = simulator(Policy::default());
    let folder = own_folder();
    let account = |key: &str| {
        json!({"openId": "fake-open-id-for-test-only-0001", "grantCode": "fake-grant-code-0001", "openKey": key,
        "environment": key})
    };
    let config = json!({"endpoint": url(&server), "journal": folder.join("journal.db"),
        "accounts": {"east": account("fake-open-key-for-test-only-0001"), "west": account("wrong")}});
    let report = report(&config, &folder);
    let of = |about: &str| {
        report.lines.iter().find(|l| l.check == "signature" && l.about == about).unwrap().status
    };
    assert_eq!((of("east"), of("west")), (Status::Ok, Status::Failed));
}

#[test]
fn a_portal_s_page_is_named() {
    let server = simulator(Policy::default());
    admin(&server, "POST", "/faults", &json!({"fault": "html_200"}));
    let folder = own_folder();
    let report = report(&config(&url(&server), &folder, json!({})), &folder);
    let gateway = line(&report, "gateway");
    assert_eq!(gateway.status, Status::Failed);
    assert!(remedy(gateway).contains("portal"), "{gateway:?}");
}

#[test]
fn a_gateway_that_hangs_is_not_waited_for() {
    let server = simulator(Policy::default());
    admin(&server, "POST", "/faults", &json!({"fault": "hang"}));
    let folder = own_folder();
    let report = report(&config(&url(&server), &folder, json!({})), &folder);
    let gateway = line(&report, "gateway");
    assert!(gateway.status == Status::Failed && gateway.found.en.contains("ZV-TIMEOUT"), "{gateway:?}");
}

#[test]
fn a_system_error_proves_nothing_of_the_signature() {
    let server = simulator(Policy::default());
    admin(&server, "POST", "/faults", &json!({"fault": "system_error"}));
    let folder = own_folder();
    let report = report(&config(&url(&server), &folder, json!({})), &folder);
    assert_eq!(line(&report, "signature").status, Status::Warning);
}

#[test]
fn a_dead_port_and_a_name_that_does_not_exist() {
    let folder = own_folder();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let report_of = |endpoint: &str| report(&config(endpoint, &folder, json!({})), &folder);
    let dead = report_of(&format!("http://{closed}/api/v2"));
    assert_eq!(line(&dead, "tcp").status, Status::Failed);
    assert!(dead.lines.iter().all(|line| line.check != "signature"), "{dead:#?}");
    let unknown = report_of("https://gateway.invalid/api/v2");
    assert_eq!(line(&unknown, "dns").status, Status::Failed);
    assert!(remedy(line(&unknown, "dns")).contains("DNS"));
    assert!(unknown.lines.iter().all(|line| line.check != "tcp"), "{unknown:#?}");
}

/// 192.0.2.0/24 is reserved for documentation (RFC 5737): packets get no answer, or an error at once.
#[test]
fn a_dead_network_ends_in_time() {
    let folder = own_folder();
    let more = json!({"routes": {"quote": {"endpoint": "http://192.0.2.2/a"}, "member_lookup": {"endpoint": "https://192.0.2.3/b"}}});
    let config = config("http://192.0.2.1/api/v2", &folder, more);
    let begun = std::time::Instant::now();
    let report = report(&config, &folder);
    assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(report.status(), Status::Failed);
    let tcp: Vec<_> = report.lines.iter().filter(|line| line.check == "tcp").collect();
    assert_eq!(tcp.len(), 3, "{tcp:?}");
}

/// A server's answer is shown to people and sent to support, so it is redacted like the doctor's own texts.
#[test]
fn an_answer_that_repeats_a_key_does_not_show_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/api/v2", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let body = r#"{"status":false,"code":"110004","message":"fake-open-key-for-test-only-0001 of 13812345678"}"#;
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    let folder = own_folder();
    let report = report(&config(&endpoint, &folder, json!({})), &folder);
    let signature = line(&report, "signature");
    assert!(signature.found.en.contains("*** of 138****5678"), "{signature:?}");
    assert!(!report.to_json(Lang::ZhCn).to_string().contains("fake-open-key"));
}

/// A server that accepts and never answers: the run ends within its total time.
#[test]
fn a_server_that_says_nothing_does_not_hold_the_doctor_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = own_folder();
    let endpoint = format!("https://{}/api/v2", silent.local_addr().unwrap());
    let config = config(&endpoint, &folder, json!({}));
    let begun = std::time::Instant::now();
    let report = run(&Options { total: std::time::Duration::from_secs(3), ..options(&config, &folder) });
    assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
    let tls = line(&report, "tls");
    assert!(tls.status == Status::Warning && tls.found.en.contains("not done in its time"), "{tls:?}");
    drop(silent);
}

#[test]
fn a_trusted_chain_shows_who_issued_it() {
    let server = simulator(Policy::default());
    let folder = own_folder();
    let certificate = certificate("test-ca", "IP:127.0.0.1", 20);
    let tls = in_front_of(server.gateway, &certificate);
    let endpoint = format!("https://127.0.0.1:{}/api/v2", tls.port);
    let report =
        report(&config(&endpoint, &folder, json!({"tls": {"pem": certificate.join("ca.pem")}})), &folder);
    let shown = line(&report, "tls");
    assert_eq!(shown.status, Status::Ok, "{shown:?}");
    assert_eq!((&shown.facts["issuer"], &shown.facts["version"]), (&json!("CN=test-ca"), &json!("TLS 1.3")));
    assert_eq!(line(&report, "signature").status, Status::Ok);
    assert!(report.lines.iter().all(|line| line.check != "config.http"));
}

#[test]
fn a_chain_that_is_not_trusted_says_why() {
    let server = simulator(Policy::default());
    let own = certificate("test-ca", "IP:127.0.0.1", 20);
    let scanner = certificate("Kaspersky-Personal-Root", "IP:127.0.0.1", 20);
    let other_name = certificate("test-ca", "DNS:gateway.example", 20);
    let soon = certificate("test-ca", "IP:127.0.0.1", 3);
    let pem = |folder: &std::path::Path| json!({"tls": {"pem": folder.join("ca.pem")}});
    for (certificate, more, status, words) in [
        (&own, json!({}), Status::Failed, "pem"),
        (&scanner, json!({}), Status::Failed, "Kaspersky intercepts"),
        (&scanner, pem(&scanner), Status::Warning, "except the gateway's host"),
        (&other_name, pem(&other_name), Status::Failed, "another name's"),
        (&soon, pem(&soon), Status::Warning, "renew"),
    ] {
        let tls = in_front_of(server.gateway, certificate);
        let folder = own_folder();
        let report =
            report(&config(&format!("https://127.0.0.1:{}/api/v2", tls.port), &folder, more), &folder);
        let shown = line(&report, "tls");
        assert_eq!(shown.status, status, "{shown:?}");
        assert!(remedy(shown).contains(words), "{shown:?}");
        // No request is sent over an untrusted connection.
        assert_eq!(report.lines.iter().any(|line| line.check == "signature"), status != Status::Failed);
    }
}

#[test]
fn https_to_a_plain_server_fails_in_the_handshake() {
    let server = simulator(Policy::default());
    let folder = own_folder();
    let report = report(&config(&format!("https://{}/api/v2", server.gateway), &folder, json!({})), &folder);
    assert_eq!(line(&report, "tls").status, Status::Failed);
}

/// A proxy that accepts CONNECT with this login and connects every request to `target`.
fn proxy(login: &'static str, target: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(byte[0]);
                }
                if !String::from_utf8_lossy(&head).to_ascii_lowercase().contains(&login.to_ascii_lowercase())
                {
                    let _ = stream.write_all(
                        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
                    );
                    return;
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                let inside = TcpStream::connect(target).unwrap();
                let (mut from, mut to) = (stream.try_clone().unwrap(), inside.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                let _ = std::io::copy(&mut &inside, &mut stream);
            });
        }
    });
    address
}

#[test]
fn through_a_proxy_with_a_login() {
    let server = simulator(Policy::default());
    // "user:proxy-pass" in Base64.
    let proxy = proxy("Proxy-Authorization: Basic dXNlcjpwcm94eS1wYXNz", server.gateway);
    let folder = own_folder();
    let with = |login: &str| {
        let more = json!({"proxy": format!("http://{login}{proxy}")});
        report(&config("http://gateway.invalid/api/v2", &folder, more), &folder)
    };
    let right = with("user:proxy-pass@");
    // The proxy resolves the name, so this machine does not.
    assert!(right.lines.iter().all(|line| line.check != "dns"), "{right:#?}");
    assert_eq!(line(&right, "signature").status, Status::Ok, "{right:#?}");
    let wrong = with("user:wrong-pass@");
    let refused =
        wrong.lines.iter().find(|line| line.check == "proxy" && line.status == Status::Failed).unwrap();
    assert!(remedy(refused).contains("login"), "{refused:?}");
    for report in [right, wrong] {
        let text = report.to_json(Lang::En).to_string();
        assert!(!text.contains("proxy-pass") && !text.contains("wrong-pass"), "{text}");
    }
}
