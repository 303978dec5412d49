use serde_json::{Value, json};

use super::*;

fn record() -> Value {
    json!({
        "number": 3, "open_id": "o", "environment": "https://g", "biz_id": "T1-1", "revision": 2, "stage": "succeeded",
        "attempt": 1, "created_unix_ms": 1_795_313_657_123_i64, "at_unix_ms": 1_795_313_657_123_i64, "member": "h:00",
        "coupons": ["h:01"], "amount": 2300, "sold": true, "day": 20_779, "hour": 10, "sum": 2300, "recharge": 2300,
        "gift": 0, "back": {"day": 20_780, "hour": 9}, "coupons_taken": 1,
    })
}

fn batch(records: &[Value]) -> Value {
    json!({
        "version": 2, "journal": "0123456789abcdef", "round": "r", "part": 0, "day": 20_780, "after": 1, "last": 3, "entries": 2, "complete": true,
        "restored": false, "records": records,
    })
}

fn read(batch: &Value) -> Result<Batch, String> {
    Batch::read(batch.to_string().as_bytes())
}

#[test]
fn a_batch_is_read_back_as_it_was_written() {
    let batch = read(&batch(&[record()])).unwrap();
    assert_eq!(Batch::read(&serde_json::to_vec(&batch).unwrap()).unwrap(), batch);
    assert_eq!(batch.records[0].back, Some(Back { day: 20_780, hour: 9, elsewhere: false }));
}

#[test]
fn each_limit_is_checked() {
    let long = "x".repeat(1025);
    for (name, value, why) in [
        ("biz_id", json!("a b"), "biz_id may hold"),
        ("biz_id", json!(""), "biz_id is empty"),
        ("open_id", json!(long), "open_id is longer"),
        ("environment", json!("a\u{0}"), "environment has a control"),
        ("stage", json!("paid"), "no stage"),
        ("number", json!(0), "begin with 1"),
        ("revision", json!(0), "begin with 1"),
        ("revision", json!(u64::MAX), "revision is too large"),
        ("revision", json!(-1), "invalid value"),
        ("created_unix_ms", json!(i64::MAX), "created_unix_ms is out"),
        ("at_unix_ms", json!(i64::MIN), "at_unix_ms is out"),
        ("member", json!("\u{1b}[2J"), "member has a control"),
        ("coupons", json!(vec!["c"; 201]), "201 coupons"),
        ("coupons", json!([long]), "coupons is longer"),
        ("amount", json!(100_000_000_001_i64), "amount is out"),
        ("sum", json!(i64::MIN), "sum is out"),
        ("points", json!(i64::MAX), "points is out"),
        ("day", json!(i64::MAX), "day is out"),
        ("hour", json!(24), "hour is out"),
        ("hour", json!(256), "invalid value"),
        ("back", json!({"day": 1, "hour": 99}), "hour is out"),
        ("password", json!("1"), "unknown field"),
    ] {
        let mut record = record();
        record[name] = value;
        let error = read(&batch(&[record])).unwrap_err();
        assert!(error.contains(why), "{name}: {error}");
    }
    for (name, value, why) in [
        ("version", json!(3), "takes version 2"),
        ("journal", json!("ü"), "printable"),
        ("journal", json!(""), "printable"),
        ("last", json!(0), "after is behind last"),
        ("entries", json!(u64::MAX), "entries is too large"),
        ("round", json!(""), "printable"),
        ("part", json!(-1), "invalid value"),
        ("day", json!(i64::MAX), "day is out"),
        ("secret", json!(1), "unknown field"),
    ] {
        let mut batch = batch(&[]);
        batch[name] = value;
        let error = read(&batch).unwrap_err();
        assert!(error.contains(why), "{name}: {error}");
    }
    assert!(read(&batch(&vec![record(); RECORDS_MAX])).is_ok());
    assert!(read(&batch(&vec![record(); RECORDS_MAX + 1])).unwrap_err().contains("at most"));
}

/// A generator of which a seed is enough to repeat a failure.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}

/// Whatever bytes arrive: they are refused, or they are a batch that says the same when it is written again.
#[test]
fn damaged_batches_are_refused_or_mean_what_they_say() {
    let whole = batch(&[record(), record()]).to_string().into_bytes();
    let (mut taken, mut refused) = (0, 0);
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let mut bytes = whole.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
                1 if bytes.len() > 1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"0123456789-\"{}[],:\\ue"[random.below(21)]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        match Batch::read(&bytes) {
            Ok(batch) => {
                taken += 1;
                batch.check().unwrap();
                assert_eq!(Batch::read(&serde_json::to_vec(&batch).unwrap()), Ok(batch), "seed {seed}");
            }
            Err(why) => {
                refused += 1;
                assert!(!why.is_empty(), "seed {seed}");
            }
        }
    }
    assert!(taken > 500 && refused > 1000, "{taken} and {refused}");
}

/// Nesting is bounded by the parser.
#[test]
fn deep_nesting_is_refused() {
    let deep = format!("{{\"version\":1,\"journal\":{}", "[".repeat(100_000));
    assert!(Batch::read(deep.as_bytes()).is_err());
}
