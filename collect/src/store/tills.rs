//! The tills that may ship, each with a token.

use super::{Columns, Store, StoreError};
use crate::digest;

/// A till.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Till {
    /// Its number in the store.
    pub till: i64,
    /// The chain.
    pub chain: String,
    /// Its name, unique in the chain.
    pub name: String,
    /// The shop where it is.
    pub shop: String,
    /// When it was enrolled.
    pub enrolled_ms: i64,
    /// When it was last heard of.
    pub seen_ms: Option<i64>,
    /// When it has last stated that it has no journal yet, and its business day then.
    pub empty: Option<(i64, i64)>,
}

/// What a till proves itself with: its number and a secret.
pub struct Token;

impl Token {
    /// The number and the secret of a token.
    pub fn parts(token: &str) -> Option<(i64, &str)> {
        let (till, secret) = token.split_once('.')?;
        Some((till.parse().ok()?, secret))
    }
}

const COLUMNS: &str = "till, chain, name, shop, enrolled_ms, seen_ms, empty_ms, empty_day";

fn till(row: &mut Columns) -> Result<Till, StoreError> {
    Ok(Till {
        till: row.number()?,
        chain: row.text()?,
        name: row.text()?,
        shop: row.text()?,
        enrolled_ms: row.number()?,
        seen_ms: row.may_be_number()?,
        empty: row.may_be_number()?.zip(row.may_be_number()?),
    })
}

impl Store {
    /// Enrols a till, or gives a till that is enrolled another token; its old token is worth nothing from now on. Returns the
    /// token, which is stored nowhere. A till that was retired is awaited again.
    ///
    /// # Errors
    /// It is not stored.
    pub fn enroll(&mut self, chain: &str, name: &str, shop: &str, now_ms: i64) -> Result<String, StoreError> {
        const ENROLL: &str = "INSERT INTO till (chain, name, shop, token, enrolled_ms) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (chain, name) DO UPDATE SET shop = excluded.shop, token = excluded.token RETURNING till";
        let secret = digest::random(32).map_err(StoreError)?;
        let hash = digest::sha256(&secret);
        let parameters = [chain.into(), name.into(), shop.into(), hash.into(), now_ms.into()];
        let number = self.writing(|store| {
            let number = store.rows(ENROLL, &parameters, Columns::number)?.first().copied();
            let number = number.ok_or_else(|| StoreError("the till was not enrolled".to_owned()))?;
            store.end_retirement(number, now_ms)?;
            Ok(number)
        })?;
        Ok(format!("{number}.{secret}"))
    }

    /// The till with that token; a till that is retired has none.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn till_of(&mut self, token: &str) -> Result<Option<Till>, StoreError> {
        let Some((number, secret)) = Token::parts(token) else { return Ok(None) };
        let statement = format!("SELECT {COLUMNS}, token FROM till WHERE till = $1");
        let found = self.rows(&statement, &[number.into()], |row| Ok((till(row)?, row.text()?)))?;
        let hash = digest::sha256(secret);
        let found = found.into_iter().find(|(_, stored)| digest::same(stored, &hash));
        let Some((till, _)) = found else { return Ok(None) };
        Ok((!self.is_retired(till.till)?).then_some(till))
    }

    /// The tills of a chain, by shop and name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn tills(&mut self, chain: &str) -> Result<Vec<Till>, StoreError> {
        let statement = format!("SELECT {COLUMNS} FROM till WHERE chain = $1 ORDER BY shop, name");
        self.rows(&statement, &[chain.into()], till)
    }

    /// The chains.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn chains(&mut self) -> Result<Vec<String>, StoreError> {
        self.rows("SELECT DISTINCT chain FROM till ORDER BY chain", &[], Columns::text)
    }
}
