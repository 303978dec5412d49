//! The store in PostgreSQL. The connection runs on a runtime of its own, on the calling thread; one that was lost is opened
//! again by the next use outside of a transaction.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;
use zvpos_core::transport::Roots;

use super::engine::{Engine, Row, StoreError, Value};

/// How long opening a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long one step may take; a server that is gone without a word must not hold the collector for ever.
const PATIENCE: Duration = Duration::from_mins(2);

pub(super) struct Postgres {
    runtime: Runtime,
    config: Config,
    tls: MakeRustlsConnect,
    client: Option<Client>,
    /// Prepared on the present connection.
    prepared: Vec<(String, Statement)>,
    in_transaction: bool,
}

impl Postgres {
    pub(super) fn open(url: &str, password: Option<&str>, roots: &Roots) -> Result<Postgres, StoreError> {
        let mut config: Config =
            url.parse().map_err(|_| StoreError("the URL of the store is wrong".to_owned()))?;
        config.connect_timeout(CONNECT).application_name("zv collect");
        if let Some(password) = password {
            config.password(password);
        }
        // `sslmode=prefer` would give the password to whatever answers without TLS. A socket of this machine has none.
        config.ssl_mode(if config.get_hosts().iter().all(is_socket) {
            SslMode::Disable
        } else {
            SslMode::Require
        });
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StoreError(error.to_string()))?;
        let tls = MakeRustlsConnect::new(tls(roots)?);
        let mut postgres =
            Postgres { runtime, config, tls, client: None, prepared: Vec::new(), in_transaction: false };
        postgres.connect()?;
        Ok(postgres)
    }

    fn connect(&mut self) -> Result<(), StoreError> {
        if self.client.as_ref().is_some_and(|client| !client.is_closed()) {
            return Ok(());
        }
        if self.in_transaction {
            return Err(StoreError("the connection to PostgreSQL was lost".to_owned()));
        }
        self.prepared.clear();
        let client = self.runtime.block_on(async {
            if self.config.get_hosts().iter().all(is_socket) {
                let (client, connection) = self.config.connect(NoTls).await?;
                drop(tokio::spawn(connection));
                return Ok(client);
            }
            let (client, connection) = self.config.connect(self.tls.clone()).await?;
            drop(tokio::spawn(connection));
            Ok(client)
        });
        // The end of the connection's task is seen by `is_closed`.
        let client = client.map_err(|error| failed(&error))?;
        self.client = Some(client);
        Ok(())
    }

    /// Carries something out on the connection, in limited time.
    fn run<T>(
        &mut self,
        what: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        self.connect()?;
        let lost = || StoreError("there is no connection to PostgreSQL".to_owned());
        let client = self.client.as_ref().ok_or_else(lost)?;
        let done = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, what(client)).await });
        if let Ok(result) = done {
            return result.map_err(|error| failed(&error));
        }
        self.client = None;
        Err(StoreError("PostgreSQL does not answer".to_owned()))
    }

    fn prepared(&mut self, statement: &str) -> Result<Statement, StoreError> {
        self.connect()?;
        if let Some((_, known)) = self.prepared.iter().find(|(text, _)| text == statement) {
            return Ok(known.clone());
        }
        let made = self.run(async |client| client.prepare(statement).await)?;
        self.prepared.push((statement.to_owned(), made.clone()));
        Ok(made)
    }
}

fn is_socket(host: &Host) -> bool {
    match host {
        Host::Tcp(_) => false,
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn tls(roots: &Roots) -> Result<ClientConfig, StoreError> {
    let mut store = RootCertStore::empty();
    match roots.certificates().map_err(StoreError)? {
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(certificates) => {
            store.add_parsable_certificates(certificates.into_iter().map(CertificateDer::from));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError(error.to_string()))?;
    Ok(versions.with_root_certificates(store).with_no_client_auth())
}

fn failed(error: &tokio_postgres::Error) -> StoreError {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    StoreError(format!("PostgreSQL: {error}{cause}"))
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(number) if *kind == Type::INT8 => number.to_sql(kind, out),
            Value::Text(text) if *kind == Type::TEXT => text.to_sql(kind, out),
            other => Err(format!("{other:?} where {kind} is wanted").into()),
        }
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT8, Type::TEXT].contains(kind)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Value, Box<dyn Error + Sync + Send>> {
        if *kind == Type::INT8 {
            i64::from_sql(kind, raw).map(Value::Int)
        } else {
            String::from_sql(kind, raw).map(Value::Text)
        }
    }

    fn from_sql_null(_: &Type) -> Result<Value, Box<dyn Error + Sync + Send>> {
        Ok(Value::Null)
    }

    fn accepts(kind: &Type) -> bool {
        <Value as ToSql>::accepts(kind)
    }
}

fn borrowed(parameters: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    parameters.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl Engine for Postgres {
    fn id_column(&self) -> &'static str {
        "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
    }

    fn script(&mut self, statements: &str) -> Result<(), StoreError> {
        self.run(async |client| client.batch_execute(statements).await)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.roll_back();
        self.script("BEGIN")?;
        self.in_transaction = true;
        Ok(())
    }

    fn begin_snapshot(&mut self, writes: bool) -> Result<(), StoreError> {
        self.roll_back();
        let mode = if writes { "READ WRITE" } else { "READ ONLY" };
        self.script(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ {mode}"))?;
        self.in_transaction = true;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let committed = self.script("COMMIT");
        self.in_transaction = false;
        if committed.is_err() {
            // Whatever the connection is in the middle of, the next use begins on another one.
            self.client = None;
        }
        committed
    }

    fn roll_back(&mut self) {
        if std::mem::take(&mut self.in_transaction) && self.script("ROLLBACK").is_err() {
            self.client = None;
        }
    }

    fn query(&mut self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepared(statement)?;
        let rows = self.run(async |client| client.query(&statement, &borrowed(parameters)).await)?;
        let row = |row: &tokio_postgres::Row| {
            (0..row.len()).map(|column| row.try_get(column)).collect::<Result<Row, _>>()
        };
        rows.iter().map(row).collect::<Result<_, _>>().map_err(|error| failed(&error))
    }

    fn execute_each(&mut self, statement: &str, parameters: &[Vec<Value>]) -> Result<Vec<u64>, StoreError> {
        let statement = self.prepared(statement)?;
        self.run(async |client| {
            let lists: Vec<_> = parameters.iter().map(|list| borrowed(list)).collect();
            // All of them are sent before the first answer is waited for, in their order.
            let sent = lists.iter().map(|list| client.execute(&statement, list));
            futures_util::future::try_join_all(sent).await
        })
    }
}
