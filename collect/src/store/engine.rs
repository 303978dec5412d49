//! What the store asks of a database. The statements are written once, in what SQLite and PostgreSQL have in common:
//! numbers are BIGINT, texts TEXT, parameters `$1`.

use std::fmt;

/// A value of a column or a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A number.
    Int(i64),
    /// A text.
    Text(String),
}

/// The columns of a row.
pub type Row = Vec<Value>;

/// The database could not do what was asked of it.
#[derive(Clone, Debug)]
pub struct StoreError(pub String);

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}

/// A connection to a database.
pub trait Engine: Send {
    /// How the database gives numbers to rows.
    fn id_column(&self) -> &'static str;

    /// Runs several statements without parameters.
    ///
    /// # Errors
    /// One of them failed.
    fn script(&mut self, statements: &str) -> Result<(), StoreError>;

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// It does not begin.
    fn begin(&mut self) -> Result<(), StoreError>;

    /// Begins a transaction that sees the store as it is at its first statement, whatever others write meanwhile.
    ///
    /// # Errors
    /// It does not begin.
    fn begin_snapshot(&mut self, writes: bool) -> Result<(), StoreError>;

    /// Commits; what was written is on stable storage when this returns.
    ///
    /// # Errors
    /// It is not known whether it was committed.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Ends a transaction without its changes, as far as one is open.
    fn roll_back(&mut self);

    /// The rows of a statement.
    ///
    /// # Errors
    /// It failed.
    fn query(&mut self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// Runs a statement once for each list of parameters, and returns how many rows each has changed.
    ///
    /// # Errors
    /// One of them failed.
    fn execute_each(&mut self, statement: &str, parameters: &[Vec<Value>]) -> Result<Vec<u64>, StoreError>;
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        // What comes from outside is checked to be smaller.
        Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(is_so: bool) -> Value {
        Value::Int(i64::from(is_so))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl<T: Into<Value> + Clone> From<&Option<T>> for Value {
    fn from(value: &Option<T>) -> Value {
        value.clone().map_or(Value::Null, Into::into)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

/// Reads the columns of a row one after the other.
pub(super) struct Columns(std::vec::IntoIter<Value>);

impl Columns {
    pub(super) fn of(row: Row) -> Columns {
        Columns(row.into_iter())
    }

    fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Null)
    }

    pub(super) fn number(&mut self) -> Result<i64, StoreError> {
        self.may_be_number()?.ok_or_else(|| StoreError("a number is missing in the store".to_owned()))
    }

    pub(super) fn count(&mut self) -> Result<u64, StoreError> {
        u64::try_from(self.number()?).map_err(|_| StoreError("a count in the store is negative".to_owned()))
    }

    pub(super) fn flag(&mut self) -> Result<bool, StoreError> {
        Ok(self.number()? != 0)
    }

    pub(super) fn may_be_number(&mut self) -> Result<Option<i64>, StoreError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Int(number) => Ok(Some(number)),
            Value::Text(_) => Err(StoreError("a text where the store has numbers".to_owned())),
        }
    }

    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        self.may_be_text()?.ok_or_else(|| StoreError("a text is missing in the store".to_owned()))
    }

    pub(super) fn may_be_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            Value::Int(_) => Err(StoreError("a number where the store has texts".to_owned())),
        }
    }
}
