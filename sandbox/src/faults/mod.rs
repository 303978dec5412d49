//! What can go wrong between a till and the gateway, by name. No I/O here: a fault decides what the gateway does with
//! the request, and is a script of what then happens on the connection; whoever holds the connection plays it.

mod asked;
mod book;
mod chaos;
mod drift;
mod effect;
mod forge;
mod name;
mod page;
mod script;
mod table;
mod wire;

pub(crate) use self::wire::reason;
pub use self::{
    asked::Impossible,
    book::{Armed, Book, Chosen},
    chaos::{Chaos, Order as ChaosOrder, Rate},
    drift::{VARIANTS, drift},
    effect::{Arrived, Hold},
    name::{ALIASES, Named},
    page::{page, table},
    script::{Blockage, Step},
    table::{Fault, Meets, Param, Row},
    wire::{Content, HttpAnswer},
};
