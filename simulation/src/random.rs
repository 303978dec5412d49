//! The one source of chance: SplitMix64, so that a seed replays exactly on every machine.

/// A stream of numbers that one seed decides.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of that seed.
    pub fn new(seed: u64) -> Random {
        // Neighbouring seeds must not begin alike.
        let mut random = Random(seed ^ 0x5851_F42D_4C95_7F2D);
        random.number();
        random
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.number()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// An index below a length.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap_or(0))).unwrap_or(0)
    }

    /// True so many times in a thousand.
    pub fn per_mille(&mut self, times: u64) -> bool {
        self.below(1000) < times
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, first: T, others: &[T]) -> T {
        match self.index(others.len() + 1).checked_sub(1) {
            None => first,
            Some(at) => others.get(at).copied().unwrap_or(first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_one_stream() {
        let mut one = Random::new(7);
        let mut same = Random::new(7);
        let mut other = Random::new(8);
        let streams: Vec<[u64; 3]> =
            (0..100).map(|_| [one.range(3, 9), same.range(3, 9), other.range(3, 9)]).collect();
        assert!(streams.iter().all(|[a, b, _]| a == b && (3..=9).contains(a)));
        assert!(streams.iter().any(|[a, _, c]| a != c));
        assert!((0..1000).all(|_| one.below(1) == 0 && one.below(0) == 0));
    }
}
