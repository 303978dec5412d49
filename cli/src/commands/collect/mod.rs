//! `zv collect`: a chain's journals in one place. Nothing about money is decided there.

mod day;
mod gap;
mod retire;
mod serve;
mod ship;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use zvpos_collect::digest;
use zvpos_collect::store::{Location, Store, StoreError};
use zvpos_collect::words;
use zvpos_core::calendar::{BusinessDays, minutes, offset_minutes};
use zvpos_core::clock::machine_unix_ms;
use zvpos_core::transport::Roots;

use crate::exit::Failure;
use crate::output::{print, say};
use crate::settings::read_text;
use crate::till::or_failure;

/// The commands of `zv collect`.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Makes the collector's store, and prints the token for people once
    Init(Init),
    /// Enrols a till, and prints its configuration with a new token once
    Enroll(Enroll),
    /// Runs the collector: takes what tills ship, and serves the page for people
    Serve(serve::Arguments),
    /// Ships this till's journal to the collector, again and again
    Ship(ship::Arguments),
    /// Shows a business day of the chain, or closes it
    Day(day::Arguments),
    /// Lists the gaps, or states that a person has looked at one of them
    Gap(gap::Arguments),
    /// States that a till is gone for good: its past stays, and it is not awaited any more
    Retire(retire::Arguments),
}

impl Command {
    /// Runs the command.
    pub(crate) fn run(self) -> ExitCode {
        or_failure(match self {
            Command::Init(arguments) => arguments.run(),
            Command::Enroll(arguments) => arguments.run(),
            Command::Serve(arguments) => arguments.run(),
            Command::Ship(arguments) => arguments.run(),
            Command::Day(arguments) => arguments.run(),
            Command::Gap(arguments) => arguments.run(),
            Command::Retire(arguments) => arguments.run(),
        })
    }
}

/// Where the collector's store is.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The store: a file, or a URL such as postgres://zv@db.example/zv
    #[arg(long, value_name = "STORE", default_value = "collect.db")]
    store: String,

    /// A file with the password of PostgreSQL; a URL is seen by every user of this machine
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// A PEM file with the CA of PostgreSQL's certificate (default: Mozilla's roots)
    #[arg(long, value_name = "FILE")]
    store_pem: Option<PathBuf>,
}

impl Place {
    fn location(&self) -> Result<Location, Failure> {
        let password = self.password_file.as_deref().map(read_text).transpose()?;
        let password = password.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
        let roots =
            self.store_pem.as_ref().map_or(Roots::Bundled, |path| Roots::PemFile(path.display().to_string()));
        Ok(Location::of(&self.store, password, roots))
    }

    fn open(&self) -> Result<Store, Failure> {
        Store::open(&self.location()?).map_err(|error| failed(&error))
    }
}

/// The chain that is named, or the only one.
fn chain(store: &mut Store, named: Option<&str>) -> Result<String, Failure> {
    let chains = store.chains().map_err(|error| failed(&error))?;
    match (named, chains.as_slice()) {
        (Some(chain), _) if chains.iter().any(|known| known == chain) => Ok(chain.to_owned()),
        (None, [chain]) => Ok(chain.clone()),
        (None, []) => Err(Failure::invalid("no till is enrolled; see zv collect enroll")),
        _ => Err(Failure::invalid(format!("--chain is one of: {}", chains.join(", ")))),
    }
}

fn failed(error: &StoreError) -> Failure {
    Failure::internal(format!("the store: {error}"))
}

/// The arguments of `zv collect init`.
#[derive(Args, Debug)]
pub(crate) struct Init {
    /// When a business day begins, as business_day_start in the tills' configuration (default: as before, at first 04:00)
    #[arg(long, value_name = "TIME", value_parser = time)]
    business_day_start: Option<i64>,

    /// The tills' time against UTC, as utc_offset in their configuration (default: as before, at first +08:00)
    #[arg(long, value_name = "OFFSET", value_parser = offset, allow_hyphen_values = true)]
    utc_offset: Option<i64>,

    #[command(flatten)]
    place: Place,
}

impl Init {
    fn run(&self) -> Result<ExitCode, Failure> {
        let mut store =
            self.place.location().and_then(|place| Store::make(&place).map_err(|error| failed(&error)))?;
        let token = digest::random(24).map_err(Failure::internal)?;
        let known = store.business_days().map_err(|error| failed(&error))?;
        let days = BusinessDays {
            start_minutes: self.business_day_start.unwrap_or(known.start_minutes),
            offset_minutes: self.utc_offset.unwrap_or(known.offset_minutes),
        };
        store
            .set_business_days(days)
            .and_then(|()| store.set_admin(&digest::sha256(&token)))
            .map_err(|error| failed(&error))?;
        say("zv: the token for people, which is stored nowhere; another zv collect init makes another one");
        print(&format!("{token}\n"));
        Ok(ExitCode::SUCCESS)
    }
}

/// The arguments of `zv collect enroll`.
#[derive(Args, Debug)]
pub(crate) struct Enroll {
    /// The chain
    #[arg(long, value_name = "NAME", value_parser = name)]
    chain: String,

    /// The till's name, unique in the chain
    #[arg(long, value_name = "NAME", value_parser = name)]
    till: String,

    /// The shop where the till is
    #[arg(long, value_name = "NAME", value_parser = name)]
    shop: String,

    /// The collector's URL, as the till reaches it
    #[arg(long, value_name = "URL")]
    url: String,

    /// A file with the key that hides member ids, the same for every till; needed unless --plain-members is given
    #[arg(long, value_name = "FILE", required_unless_present = "plain_members")]
    member_key_file: Option<PathBuf>,

    /// Member ids and coupons go up as they are
    #[arg(long, conflicts_with = "member_key_file")]
    plain_members: bool,

    /// The path, on the till, of a PEM file with the CA of the collector's certificate
    #[arg(long, value_name = "FILE")]
    pem: Option<String>,

    #[command(flatten)]
    place: Place,
}

impl Enroll {
    fn run(&self) -> Result<ExitCode, Failure> {
        let key = self.member_key_file.as_deref().map(read_text).transpose()?;
        let key = key.map(|text| text.trim().to_owned());
        let mut config = serde_json::json!({ "url": self.url, "token": "0.0" });
        let mut put = |name: &str, value: serde_json::Value| {
            if let Some(object) = config.as_object_mut() {
                object.insert(name.to_owned(), value);
            }
        };
        if let Some(pem) = &self.pem {
            put("pem", pem.as_str().into());
        }
        match key {
            Some(key) => put("member_key", key.into()),
            None => put("plain_members", true.into()),
        }
        // Before the old token of this till is worth nothing.
        zvpos_collect::ship::Settings::read(&config.to_string()).map_err(Failure::invalid)?;
        let mut store = self.place.open()?;
        let token = store
            .enroll(&self.chain, &self.till, &self.shop, machine_unix_ms())
            .map_err(|error| failed(&error))?;
        if let Some(object) = config.as_object_mut() {
            object.insert("token".to_owned(), token.into());
        }
        say("zv: the configuration of this till for zv collect ship; its token is stored nowhere else");
        print(&format!("{config:#}\n"));
        Ok(ExitCode::SUCCESS)
    }
}

fn name(text: &str) -> Result<String, String> {
    let name = words::name(text).ok_or("a name has 1 to 64 bytes, and no control characters")?;
    Ok(name.to_owned())
}

fn reason(text: &str) -> Result<String, String> {
    let reason = words::reason(text).ok_or("a reason has 1 to 512 bytes, and no control characters")?;
    Ok(reason.to_owned())
}

fn time(text: &str) -> Result<i64, String> {
    minutes(text).ok_or_else(|| "a time of day is like 04:00".to_owned())
}

fn offset(text: &str) -> Result<i64, String> {
    offset_minutes(text).ok_or_else(|| "an offset is like +08:00".to_owned())
}
