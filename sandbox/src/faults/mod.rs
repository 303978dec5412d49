//! The faults between a till and the gateway, by name. No I/O: a fault decides what the gateway does with the request,
//! and yields a script of the events on the connection, which the server plays.

mod armed;
mod chaos;
mod effect;
mod name;
mod requested;
mod script;
mod table;
mod tamper;
mod text;
mod type_drift;
mod wire;

pub(crate) use self::wire::reason;
pub use self::{
    armed::{Armed, ArmedFaults, Chosen},
    chaos::{Chaos, Order as ChaosOrder, Rate},
    effect::{Arrived, Hold},
    name::{ALIASES, Named},
    requested::Impossible,
    script::{Blockage, Step},
    table::{Fault, Meets, Param, Row},
    text::{BY_CONFIGURATION, SELECTION, table},
    type_drift::{VARIANTS, drift},
    wire::{Content, HttpAnswer},
};
