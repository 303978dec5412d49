//! pgbench with the texts of the two statements, over the same connection and login as a node.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use zvpos_core::journal::nodes::Nodes;
use zvpos_core::journal::{Guard, Liveness, Store};
use zvpos_core::payment::Stage;
use zvpos_journal_postgres::Postgres;

use crate::cluster::{Cluster, PASSWORD, Version, done, own_folder, soon};
use crate::sale::{intent, number, sell};
use crate::statements::Statements;

/// A script for the sales of one schema.
pub(crate) struct Peer {
    port: u16,
    folder: PathBuf,
    /// Its variables.
    values: Vec<(String, String)>,
}

/// Where the values of a statement are in its text, and in which order.
const NUMBER: usize = 3;
const TOKEN: usize = 5;
const MEMBERS: [usize; 2] = [11, 22];
const RETURNED: usize = 23;
const COLUMNS: usize = 31;

/// The columns that a record writes.
pub(crate) fn columns(statements: &Statements) -> Vec<&str> {
    let (_, rest) = statements.write_first.split_once(".zv_entry (").unwrap();
    rest.split_once(')').unwrap().0.split(", ").collect()
}

/// The text as pgbench takes it: a variable where a value is used first, by which pgbench numbers the values. What is NULL
/// is written so, for which pgbench has no variable.
fn script(text: &str, variable: impl Fn(usize) -> Option<String>) -> String {
    let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
    let mut parts = text.split('$');
    let mut script = parts.next().unwrap().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        let (place, rest) = part.split_at(end);
        let place: usize = place.parse().unwrap();
        match (variable(place), numbers.get(&place)) {
            (None, _) => script.push_str("NULL"),
            (Some(_), Some(known)) => {
                script.push('$');
                script += &known.to_string();
            }
            (Some(name), None) => {
                numbers.insert(place, numbers.len() + 1);
                script.push(':');
                script += &name;
            }
        }
        script.push_str(rest);
    }
    script + ";\n"
}

impl Peer {
    /// For sales in that schema, in the name of that node.
    pub(crate) fn new(cluster: &Cluster, schema: &str, node: &Nodes<Postgres>) -> Peer {
        let statements = Statements::of(schema);
        let mut values = Vec::new();
        // The columns of a sale as the node writes them.
        let mut columns_of = |prefix: &str, number: &str| {
            let listed: Vec<String> =
                columns(&statements).iter().map(|name| format!("{name}::text")).collect();
            let texts = cluster.admin_of("zv").texts(&format!(
                "SELECT unnest(ARRAY[{}]) FROM \"{schema}\".zv_entry WHERE biz_id = '{number}'",
                listed.join(", ")
            ));
            assert_eq!(texts.len(), COLUMNS);
            let names: Vec<Option<String>> = texts
                .into_iter()
                .zip(1..)
                .map(|(text, place)| {
                    if place == NUMBER || MEMBERS.contains(&place) || (place == RETURNED && text == number) {
                        return Some("number".to_owned());
                    }
                    let name = if place == TOKEN { "token".to_owned() } else { format!("{prefix}{place}") };
                    let is_null = text == "NULL";
                    values.push((name.clone(), text));
                    (!is_null).then_some(name)
                })
                .collect();
            names
        };
        let (sent, ended) = (number(), number());
        node.record(&intent(node.owner(), &sent), Guard::Member, soon()).unwrap();
        sell(node, &ended, Stage::Succeeded);
        let (first, next) = (columns_of("i", &sent), columns_of("o", &ended));
        // Coupons, days, the node, and the guard, which an outcome does not have.
        values.push(("none".to_owned(), "{}".to_owned()));
        values.push(("node".to_owned(), node.owner().0.clone()));
        let variable = |columns: &[Option<String>], has_guard: bool, place: usize| match place {
            1..=COLUMNS => columns[place - 1].clone(),
            34 => has_guard.then(|| "node".to_owned()),
            35 => has_guard.then(|| "number".to_owned()),
            _ => Some("none".to_owned()),
        };
        let draws =
            "\\set number random(1, 9223372036854775806)\n\\set token random(1, 9223372036854775806)\n";
        let text = draws.to_owned()
            + &script(&statements.write_first, |place| variable(&first, true, place))
            + &script(&statements.write_next, |place| variable(&next, false, place));
        let folder = own_folder("pgbench");
        fs::write(folder.join("sale.sql"), text).unwrap();
        values.retain(|(name, _)| name != "token");
        Peer { port: cluster.port, folder, values }
    }

    fn command(&self, mode: &str, clients: usize) -> Command {
        let mut command = Command::new(Version::chosen().program("pgbench"));
        let (port, clients) = (self.port.to_string(), clients.to_string());
        command.env("PGPASSWORD", PASSWORD).current_dir(&self.folder);
        command.args(["-h", "127.0.0.1", "-p", &port, "-U", "zv", "-n", "-f", "sale.sql"]);
        command.args(["-M", mode, "-c", &clients, "-j", &clients]);
        for (name, value) in &self.values {
            command.arg("-D").arg(format!("{name}={value}"));
        }
        command
    }

    /// How long so many sales took, each.
    pub(crate) fn sales(&self, mode: &str, count: usize) -> Vec<Duration> {
        let mut command = self.command(mode, 1);
        command.args(["-t", &count.to_string(), "-l", "--log-prefix=took", "zv"]);
        done(command);
        let logs: Vec<PathBuf> = fs::read_dir(&self.folder)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("took"))
            .collect();
        let [log] = logs.as_slice() else { panic!("{logs:?}") };
        let text = fs::read_to_string(log).unwrap();
        fs::remove_file(log).unwrap();
        let micros = |line: &str| line.split(' ').nth(2).unwrap().parse().unwrap();
        text.lines().map(|line| Duration::from_micros(micros(line))).collect()
    }

    /// How many sales a second so many connections make.
    pub(crate) fn rate(&self, mode: &str, clients: usize, seconds: u64) -> f64 {
        let mut command = self.command(mode, clients);
        command.args(["-T", &seconds.to_string(), "zv"]);
        let said = String::from_utf8(done(command).stdout).unwrap();
        let line = said.lines().find_map(|line| line.strip_prefix("tps = ")).unwrap();
        line.split(' ').next().unwrap().parse().unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
