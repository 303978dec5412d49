//! Reads the address of a database. No message repeats a part of it in which a password may stand.

use std::fmt::Write as _;

/// The parts of an address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// The user.
    pub(crate) user: String,
    /// The servers, in the order in which they are tried.
    pub(crate) hosts: Vec<Host>,
    /// The database.
    pub(crate) database: String,
    /// Whether the connection is encrypted and the server's certificate and name are verified.
    pub(crate) is_verified: bool,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// Its name or address, or the folder of its Unix socket.
    pub(crate) name: String,
    /// Its port, which is also in the name of a Unix socket.
    pub(crate) port: u16,
}

impl Host {
    /// Whether it is the folder of a Unix socket.
    pub(crate) fn is_socket(&self) -> bool {
        self.name.starts_with('/')
    }

    /// Whether nothing between this program and it can read along.
    pub(crate) fn is_local(&self) -> bool {
        let is_loopback = |address: std::net::IpAddr| address.is_loopback();
        self.is_socket() || self.name == "localhost" || self.name.parse().is_ok_and(is_loopback)
    }

    /// As it stands in messages.
    pub(crate) fn words(&self) -> String {
        let Host { name, port } = self;
        if name.contains(':') { format!("[{name}]:{port}") } else { format!("{name}:{port}") }
    }
}

impl Url {
    /// Reads an address, or says what is wrong with it.
    pub(crate) fn read(url: &str) -> Result<Url, String> {
        const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
        let rest = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme));
        let rest = rest.ok_or("it does not begin with postgres://")?;
        // A password may hold any letter: whatever is before the last @ counts as user and password.
        let (user, rest) = rest.rsplit_once('@').ok_or("it names no user: postgres://user@host/database")?;
        if user.contains([':', '/', '?', '@']) {
            return Err(
                "it holds a password; a password is a setting of its own, so that no log shows it".into()
            );
        }
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (hosts, database) =
            rest.split_once('/').ok_or("it names no database: postgres://user@host/database")?;
        let hosts = hosts.split(',').map(host).collect::<Result<Vec<_>, _>>()?;
        let url = Url {
            user: named(user, "user")?,
            database: named(database, "database")?,
            is_verified: !hosts.iter().all(Host::is_local),
            hosts,
        };
        url.with(parameters)
    }

    fn with(mut self, parameters: &str) -> Result<Url, String> {
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=').unwrap_or((parameter, "")) {
                ("sslmode", "verify-full") => self.is_verified = true,
                ("sslmode", "disable") => self.is_verified = false,
                ("sslmode", _) => {
                    return Err(
                        "sslmode is verify-full or disable: with any other one nobody knows who answers"
                            .into(),
                    );
                }
                ("target_session_attrs", "read-write") => {}
                ("target_session_attrs", _) => {
                    return Err(
                        "target_session_attrs is read-write: a standby may not know the newest records"
                            .into(),
                    );
                }
                (name, _) => {
                    let name: String = name.chars().filter(char::is_ascii_graphic).take(40).collect();
                    return Err(format!("it has the unknown parameter {name}"));
                }
            }
        }
        let is_socket = self.hosts.iter().any(Host::is_socket);
        if is_socket && self.is_verified {
            return Err("a Unix socket has no TLS: leave sslmode out".into());
        }
        Ok(self)
    }

    /// The address as it stands in messages.
    pub(crate) fn words(&self) -> String {
        let hosts: Vec<String> = self.hosts.iter().map(Host::words).collect();
        format!("postgres://{}@{}/{}", self.user, hosts.join(","), self.database)
    }
}

fn named(text: &str, what: &str) -> Result<String, String> {
    let text = decoded(text).ok_or_else(|| format!("the {what} is not percent-encoded UTF-8"))?;
    if text.is_empty() { Err(format!("it names no {what}: postgres://user@host/database")) } else { Ok(text) }
}

fn host(text: &str) -> Result<Host, String> {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, port)) => (name, port.strip_prefix(':')),
        None => text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
    };
    let port = port.map_or(Ok(5432), str::parse).map_err(|_| "the port of a host is not a number")?;
    Ok(Host { name: named(name, "host")?, port })
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digits = String::new();
        for digit in rest.by_ref().take(2) {
            write!(digits, "{}", char::from(digit)).ok()?;
        }
        let is_hexadecimal = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        bytes.push(is_hexadecimal.then(|| u8::from_str_radix(&digits, 16).ok())??);
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::{Host, Url};

    fn host(name: &str, port: u16) -> Host {
        Host { name: name.to_owned(), port }
    }

    #[test]
    fn every_part_is_read() {
        let url = Url::read(
            "postgres://z%40v@h1,h2:6432,[::1]:7/j%2Fx?sslmode=disable&target_session_attrs=read-write",
        );
        let url = url.unwrap();
        assert_eq!((url.user.as_str(), url.database.as_str()), ("z@v", "j/x"));
        assert_eq!(url.hosts, [host("h1", 5432), host("h2", 6432), host("::1", 7)]);
        assert!(!url.is_verified);
        assert_eq!(url.words(), "postgres://z@v@h1:5432,h2:6432,[::1]:7/j/x");
        let socket = Url::read("postgresql://zv@%2Frun%2Fpg:6000/zv").unwrap();
        assert_eq!(socket.hosts, [host("/run/pg", 6000)]);
    }

    #[test]
    fn only_what_stays_on_the_machine_is_not_verified_by_itself() {
        for (hosts, is_verified) in [
            ("db.example", true),
            ("10.0.0.1", true),
            ("127.0.0.1,db.example", true),
            ("localhost.example", true),
            ("127.8.9.1", false),
            ("localhost,[::1]", false),
            ("%2Frun%2Fpg", false),
        ] {
            let url = Url::read(&format!("postgres://zv@{hosts}/zv")).unwrap();
            assert_eq!(url.is_verified, is_verified, "{hosts}");
        }
        assert!(Url::read("postgres://zv@127.0.0.1/zv?sslmode=verify-full").unwrap().is_verified);
    }

    #[test]
    fn what_is_wrong_is_said_without_a_password() {
        for (url, words) in [
            ("mysql://zv@h/d", "postgres://"),
            ("postgres://h/d", "no user"),
            ("postgres://@h/d", "no user"),
            ("postgres://zv@h", "no database"),
            ("postgres://zv@h/", "no database"),
            ("postgres://zv@/d", "no host"),
            ("postgres://zv@h,/d", "no host"),
            ("postgres://zv@h:x/d", "port"),
            ("postgres://zv@h:70000/d", "port"),
            ("postgres://zv@h/%zz", "percent"),
            ("postgres://zv@h/%4", "percent"),
            ("postgres://zv@h/a%00", "percent"),
            ("postgres://zv@h/d?sslmode=require", "verify-full"),
            ("postgres://zv@h/d?target_session_attrs=any", "read-write"),
            ("postgres://zv@h/d?options=-csynchronous_commit%3Doff", "parameter options"),
            ("postgres://zv@h/d?password=sEcret", "parameter password"),
            ("postgres://zv@%2Fr/d?sslmode=verify-full", "Unix socket"),
            ("postgres://zv:sEcret@h/d", "password"),
            ("postgres://zv:sE@cret@h/d", "password"),
            ("postgres://zv:sE/cret@h/d", "password"),
            ("postgres://zv:sE?cret@h/d", "password"),
        ] {
            let wrong = Url::read(url).unwrap_err();
            assert!(wrong.contains(words), "{url}: {wrong}");
            assert!(!wrong.contains("sE") && !wrong.contains("cret"), "{url}: {wrong}");
        }
    }
}
