//! The faults between a till and the gateway, by name. No I/O: a fault decides what the gateway does with the request,
//! and yields a script of the events on the connection, which the server plays.

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
