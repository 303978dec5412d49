//! Random faults: rates and a seed. The same seed and the same order of requests give the same faults.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Chosen, name::Named};
use crate::words::{Words, words};

/// A fault and its rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// The fault, with its number.
    #[serde(flatten)]
    pub chosen: Chosen,
    /// The fraction of requests that it hits, from 0 to 1.
    pub rate: f64,
}

/// The rates of the faults, and the random number generator that selects one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chaos {
    seed: u64,
    rates: Vec<Rate>,
    #[serde(skip)]
    state: u64,
}

/// Chaos as the admin API receives it: as text or as fields.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Order {
    /// `seed=7,lost_answer=0.05`
    Text {
        /// The text.
        chaos: String,
    },
    /// The fields.
    Parts {
        /// Defaults to 0.
        #[serde(default)]
        seed: u64,
        /// Keyed by `name` or `name:number`.
        rates: BTreeMap<String, f64>,
    },
}

impl Order {
    /// The chaos that the order describes.
    ///
    /// # Errors
    /// A text, as from [`Chaos::parse`].
    pub fn read(&self) -> Result<Chaos, Words> {
        match self {
            Self::Text { chaos } => Chaos::parse(chaos),
            Self::Parts { seed, rates } => {
                let rates =
                    rates.iter().map(|(name, rate)| read_rate(name, *rate)).collect::<Result<_, _>>()?;
                Chaos::new(*seed, rates)
            }
        }
    }
}

impl Chaos {
    /// Reads `seed=7,lost_answer=0.05,cut_body:57=0.01`. The seed defaults to 0.
    ///
    /// # Errors
    /// A text: an unknown fault, with the nearest name; an invalid rate; or rates with a sum above 1.
    pub fn parse(text: &str) -> Result<Self, Words> {
        let (mut seed, mut rates) = (0, Vec::new());
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| words!("{part:?} is not NAME=RATE", "{part:?} 不是“故障名=概率”"))?;
            let (name, value) = (name.trim(), value.trim());
            if name == "seed" {
                seed = value.parse().map_err(|_| {
                    words!("the seed {value:?} is no whole number", "种子 {value:?} 不是整数")
                })?;
                continue;
            }
            let rate = value.parse().map_err(|_| {
                words!("{name}: {value:?} is no rate like 0.05", "{name}：{value:?} 不是 0.05 这样的概率")
            })?;
            rates.push(read_rate(name, rate)?);
        }
        Self::new(seed, rates)
    }

    fn new(seed: u64, rates: Vec<Rate>) -> Result<Self, Words> {
        if rates.is_empty() {
            return Err(words!(
                "no rate is given, such as lost_answer=0.05",
                "没有给出概率，例如 lost_answer=0.05",
            ));
        }
        let sum: f64 = rates.iter().map(|rate| rate.rate).sum();
        // The sum of ten rates of 0.1 is one.
        if sum > 1.0 + 1e-9 {
            return Err(words!("the rates come to {sum}, more than 1", "概率之和为 {sum}，大于 1"));
        }
        Ok(Self { seed, rates, state: seed })
    }

    /// Restarts from the seed.
    pub fn restart(&mut self) {
        self.state = self.seed;
    }

    /// The fault that hits the next request. Every request draws one random number, whether a fault hits it or not.
    pub fn choose(&mut self) -> Option<Chosen> {
        let mut left = self.draw();
        for Rate { chosen, rate } in &self.rates {
            if left < *rate {
                return Some(*chosen);
            }
            left -= rate;
        }
        None
    }

    /// The next number in [0, 1) (SplitMix64; its upper 53 bits, as many as a double holds).
    fn draw(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        #[allow(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let numerator = (bits >> 11) as f64;
        numerator / 9_007_199_254_740_992.0
    }
}

fn read_rate(name: &str, rate: f64) -> Result<Rate, Words> {
    let chosen = Named::read(name)?.chosen();
    if chosen.fault.is_in_handshake() {
        return Err(words!(
            "{name} meets a handshake and no request: arm it instead",
            "{name} 作用于握手，不作用于请求：请改为布置该故障",
        ));
    }
    if !(0.0..=1.0).contains(&rate) {
        return Err(words!(
            "{name}: the rate {rate} is not between 0 and 1",
            "{name}：概率 {rate} 不在 0 和 1 之间"
        ));
    }
    Ok(Rate { chosen, rate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Fault;

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let run = |text: &str| -> Vec<_> {
            let mut chaos = Chaos::parse(text).unwrap();
            (0..10_000).map(|_| chaos.choose()).collect()
        };
        let (one, other) =
            ("seed=7, lost_answer=0.05,cut_body:57=0.01", "seed=8,lost_answer=0.05,cut_body:57=0.01");
        assert_eq!(run(one), run(one));
        assert_ne!(run(one), run(other));
        let count = |fault| run(one).iter().flatten().filter(|chosen| chosen.fault == fault).count();
        let (lost, cut) = (count(Fault::ResetAfter), count(Fault::CutBody));
        assert!((400..600).contains(&lost) && (60..140).contains(&cut), "{lost} {cut}");
        assert!(run(one).contains(&Some(Chosen { fault: Fault::CutBody, number: 57 })));
        assert!(run("hang=1").iter().all(Option::is_some));
        assert!(run("hang=0").iter().all(Option::is_none));
    }

    #[test]
    fn it_begins_anew() {
        let mut chaos = Chaos::parse("seed=7,hang=0.5").unwrap();
        let first: Vec<_> = (0..100).map(|_| chaos.choose()).collect();
        chaos.restart();
        assert_eq!(first, (0..100).map(|_| chaos.choose()).collect::<Vec<_>>());
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (text, part) in [
            ("", "no rate"),
            ("seed=x,hang=0.1", "seed"),
            ("hnag=0.1", "\"hang\""),
            ("hang", "NAME=RATE"),
            ("hang=2", "between 0 and 1"),
            ("hang=NaN", "between 0 and 1"),
            ("hang=0.6,reset_before=0.6", "more than 1"),
            ("tls_hangs=0.1", "handshake"),
            ("hang:5=0.1", "no number"),
        ] {
            let why = Chaos::parse(text).unwrap_err();
            assert!(why.en.contains(part), "{text}: {why}");
        }
        let order = |json: &str| serde_json::from_str::<Order>(json).unwrap().read();
        assert_eq!(order(r#"{"chaos": "seed=7,hang=0.5"}"#), order(r#"{"seed": 7, "rates": {"hang": 0.5}}"#));
        assert!(order(r#"{"rates": {"hnag": 0.5}}"#).unwrap_err().en.contains("hang"));
    }
}
