//! What a start refuses, in words that say what to do and hold no password.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod cluster;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use cluster::drafts::{Draft, open, standing, write};
use cluster::{Cluster, PASSWORD, done, free_port, own_folder, settings_at, soon};
use zvpos_core::api::Library;
use zvpos_core::journal::JournalError;
use zvpos_core::journal::nodes::Database;
use zvpos_core::payment::Stage;
use zvpos_journal_postgres::{Postgres, Settings};

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

/// The error of a start, which has no password in it.
#[track_caller]
fn refused(settings: &Settings) -> JournalError {
    let Err(error) = Postgres::open(settings, soon()) else { panic!("{settings:?} was opened") };
    for text in [error.message.clone(), format!("{error:?}"), format!("{settings:?}")] {
        assert!(!text.contains("sEcret"), "{text}");
    }
    error
}

#[track_caller]
fn refused_as(settings: &Settings, code: &str, words: &[&str]) {
    let error = refused(settings);
    assert_eq!(error.code.text, code, "{error}");
    for word in words {
        assert!(error.message.contains(word), "{word}: {error}");
    }
}

#[test]
fn settings_that_cannot_be_right_are_refused() {
    let settings = cluster().settings("settings");
    let place = "ZV-JOURNAL-PLACE";
    for (wrong, words) in [
        (Settings { url: format!("postgres://zv:{PASSWORD}@h/zv"), ..settings.clone() }, "password"),
        (Settings { url: "mysql://zv@h/zv".into(), ..settings.clone() }, "postgres://"),
        (Settings { schema: "Zv".into(), ..settings.clone() }, "schema"),
        (Settings { pool: 0, ..settings.clone() }, "pool"),
        (
            Settings {
                url: "postgres://zv@db.example/zv".into(),
                pem: Some(PathBuf::from("/nowhere.pem")),
                ..settings.clone()
            },
            "/nowhere.pem",
        ),
    ] {
        refused_as(&wrong, place, &[words]);
    }
    assert!(!format!("{settings:?}").contains("postgres://"));
}

/// A payment must not go into a file that nobody named.
#[test]
fn a_program_without_databases_refuses_one() {
    let config = format!(
        r#"{{"openId": "o", "grantCode": "g", "openKey": "k", "journal": "{}", "background": false}}"#,
        cluster().url()
    );
    let started = Library::start(&config, Vec::new(), false, None);
    let answer = started.err().unwrap().to_json();
    assert!(answer.contains("is a database"), "{answer}");
}

#[test]
fn a_server_that_does_not_answer_cannot_be_reached() {
    let at = |url: &str| Settings {
        connect_patience: Duration::from_millis(500),
        ..settings_at(url, "unreachable")
    };
    // With this code the library opens it later by itself.
    let code = "ZV-JOURNAL-AWAY";
    let port = free_port();
    let nobody = format!("postgres://zv@127.0.0.1:{port}/zv");
    refused_as(&at(&nobody), code, &["cannot be reached", &format!("127.0.0.1:{port}")]);
    refused_as(
        &at("postgres://zv@zv.invalid/zv?sslmode=disable"),
        code,
        &["cannot be reached", "zv.invalid"],
    );
    // It accepts connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://zv@{}/zv", silent.local_addr().unwrap());
    let began = Instant::now();
    refused_as(&at(&url), code, &["does not answer in time"]);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    // The next host is tried, also behind a silent one.
    let hosts = format!("127.0.0.1:{port},{},127.0.0.1:{}", silent.local_addr().unwrap(), cluster().port);
    let mut settings = at(&format!("postgres://zv@{hosts}/zv"));
    settings.connect_patience = Duration::from_secs(4);
    let database = open(&settings);
    write(&database, Draft::new("B1", Stage::Sending), 1);
}

#[test]
fn a_user_or_a_database_that_the_server_does_not_know_is_refused() {
    let place = "ZV-JOURNAL-PLACE";
    let wrong = |password: Option<&str>| Settings {
        password: password.map(str::to_owned),
        ..cluster().settings("users")
    };
    refused_as(&wrong(Some("another sEcret")), place, &["refuses the user zv", "28P01"]);
    let error = refused(&wrong(None));
    assert!(error.message.contains("password"), "{error}");
    let url = format!("postgres://zv@127.0.0.1:{}/nothing", cluster().port);
    refused_as(&settings_at(&url, "users"), place, &["no database nothing", "create it"]);
}

#[test]
fn a_user_that_may_lose_records_is_refused() {
    let person = cluster().admin();
    for (user, setting) in [("hasty", "off"), ("nearly", "local")] {
        person.batch(&format!("CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'"));
        person.batch(&format!("ALTER ROLE {user} SET synchronous_commit = {setting}"));
        person.batch(&format!("GRANT CREATE ON DATABASE zv TO {user}"));
        let url = format!("postgres://{user}@127.0.0.1:{}/zv", cluster().port);
        let settings = settings_at(&url, "hasty");
        refused_as(
            &settings,
            "ZV-JOURNAL-PLACE",
            &[&format!("synchronous_commit = {setting}"), "ALTER ROLE"],
        );
        person.batch(&format!("ALTER ROLE {user} SET synchronous_commit = on"));
        assert!(Postgres::open(&Settings { schema: user.into(), ..settings }, soon()).is_ok());
    }
}

#[test]
fn a_user_without_the_right_is_told_what_to_run() {
    let person = cluster().admin();
    person.batch(&format!("CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'"));
    let url = format!("postgres://guest@127.0.0.1:{}/zv", cluster().port);
    let settings = settings_at(&url, "guests");
    refused_as(&settings, "ZV-JOURNAL-PLACE", &["CREATE SCHEMA guests AUTHORIZATION", "42501"]);
    // A schema that is there is enough, and so are its tables for a user that may use them.
    cluster().admin_of("zv").batch("CREATE SCHEMA guests AUTHORIZATION guest");
    let id = open(&settings).id();
    assert_eq!(open(&settings).id(), id);
}

#[test]
fn a_newer_journal_is_left_as_it_is() {
    let settings = cluster().settings("newer");
    write(&open(&settings), Draft::new("B1", Stage::Sending), 1);
    let person = cluster().admin_of("zv");
    person.batch("UPDATE newer.zv_journal SET format = 2");
    refused_as(&settings, "ZV-JOURNAL-NEWER", &["format 2", "nothing was changed", "newer"]);
    person.batch("UPDATE newer.zv_journal SET format = 1");
    assert!(standing(&open(&settings), "B1").is_some());
    // Somebody else's table.
    person.batch("CREATE SCHEMA foreign_one AUTHORIZATION zv; CREATE TABLE foreign_one.zv_journal (one int)");
    refused(&cluster().settings("foreign_one"));
}

#[test]
fn a_start_that_was_interrupted_is_finished_by_the_next() {
    let settings = cluster().settings("torn");
    open(&settings);
    let person = cluster().admin_of("zv");
    person.batch("DELETE FROM torn.zv_journal; DROP TABLE torn.zv_role; DROP INDEX torn.zv_entry_due");
    write(&open(&settings), Draft::new("B1", Stage::Sending), 1);
    let indexes = person
        .texts("SELECT indexname FROM pg_indexes WHERE schemaname = 'torn' AND indexname = 'zv_entry_due'");
    assert_eq!(indexes, ["zv_entry_due"]);
}

#[test]
fn a_unix_socket_and_a_strange_schema_serve() {
    let folder = cluster().folder().display().to_string().replace('/', "%2F");
    let url = format!("postgres://zv@{folder}:{}/zv", cluster().port);
    let settings = Settings { password: None, ..settings_at(&url, "user") };
    write(&open(&settings), Draft::new("B1", Stage::Sending), 1);
    assert!(standing(&open(&cluster().settings("user")), "B1").is_some());
}

/// An authority and a certificate of it for 127.0.0.1, made by openssl in that folder.
fn certificates(folder: &Path) -> PathBuf {
    let openssl = |arguments: &str| {
        let mut openssl = Command::new("openssl");
        openssl.current_dir(folder).args(arguments.split(' '));
        done(openssl);
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority -days 2"));
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=server"));
    fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    );
    folder.join("ca.pem")
}

#[test]
fn only_a_server_with_a_trusted_certificate_of_its_name_is_used() {
    let folder = own_folder("tls");
    let pem = certificates(&folder);
    let to = |server: &Cluster, host: &str, pem: Option<PathBuf>| {
        let url = format!("postgres://zv@{host}:{}/zv?sslmode=verify-full", server.port);
        Settings { pem, ..settings_at(&url, "tls") }
    };
    refused_as(
        &to(cluster(), "127.0.0.1", Some(pem.clone())),
        "ZV-JOURNAL-AWAY",
        &["cannot be reached", "TLS"],
    );
    let server = Cluster::with_tls(&folder.join("server.pem"), &folder.join("server.key"));
    let person = server.admin();
    let at = |host: &str, pem: Option<PathBuf>| to(&server, host, pem);
    let database = open(&at("127.0.0.1", Some(pem.clone())));
    write(&database, Draft::new("B1", Stage::Sending), 1);
    let encrypted = "SELECT bool_or(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) \
        WHERE a.application_name = 'zvpos'";
    assert_eq!(person.texts(encrypted), ["t"]);
    refused_as(&at("127.0.0.1", None), "ZV-JOURNAL-AWAY", &["cannot be reached", "UnknownIssuer"]);
    refused_as(&at("localhost", Some(pem)), "ZV-JOURNAL-AWAY", &["cannot be reached", "not valid for name"]);
    let empty = folder.join("empty.pem");
    fs::write(&empty, "").unwrap();
    refused_as(&at("127.0.0.1", Some(empty)), "ZV-JOURNAL-PLACE", &["holds no certificate"]);
    fs::remove_dir_all(folder).unwrap();
}
