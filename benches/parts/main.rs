//! Measures each part of a call on its own: `make bench-parts`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark may panic, and criterion's macro documents nothing"
)]

mod boundary;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use zvpos_core::gateway::{
    CodeRules, Credentials, Envelope, Generation, Identity, Params, QuoteRequest, RequestRules, Route,
    SignNames,
};
use zvpos_core::journal::{Guard, Liveness, Sqlite, Store};
use zvpos_core::json::{Object, Value, push_string};
use zvpos_core::money::{Amount, BizId};
use zvpos_core::payment::{Detail, Entry, Key, OnUnknown, Stage};
use zvpos_core::schema::Unknown;

const QUOTE: &str = r#"{"user_coupon_id":"390962138708451328","user_id":"383933091455959041","items":[{"num":2,"trade_mark":"201909280011111","price":"13.50"}]}"#;
const ANSWER: &str = r#"{"status":"true","code":"0","message":"操作成功","data":{"status":"true","code":"0","message":"操作成功","customerId":"383933091455959041","couponsCardList":[],"gift_amount":"10.00","recharge_amount":"90.00","total_amount":"100.00","change_gift_amount":"0.00","change_recharge_amount":"1.00"}}"#;

fn request(c: &mut Criterion) {
    let credentials =
        Credentials::new("fake-open-id-for-test-only-0001", "fake-grant-code-0001", "key").unwrap();
    let route = Route::new(Generation::V2, "http://h/api/v2", "user.user-by-coupon", false);
    let rules = RequestRules {
        unknown: Unknown::Refuse,
        password_over_http: false,
        plain_http: true,
        numbers: false,
    };
    c.bench_function("sign", |b| {
        b.iter(|| credentials.sign(SignNames::Lower, true, black_box(1_712_563_200), 24_680));
    });
    c.bench_function("read and check a quote's request", |b| {
        b.iter(|| {
            let value = Value::parse(black_box(QUOTE)).unwrap();
            QuoteRequest::read(value.as_object().unwrap(), &Object::default(), rules).unwrap()
        });
    });
    let params = Params::from_json(QUOTE.to_owned());
    c.bench_function("write a signed body", |b| {
        b.iter(|| params.sign(&route, &credentials, SignNames::Lower, black_box(1_712_563_200), 24_680));
    });
}

fn answer(c: &mut Criterion) {
    let (biz_id, identity) = (BizId::new("B1").unwrap(), Identity::default());
    c.bench_function("read and judge a consume's answer", |b| {
        b.iter(|| {
            let envelope = Envelope::read(200, black_box(ANSWER.as_bytes())).unwrap();
            envelope.judge_consume(&biz_id, &identity, &CodeRules::default(), false, &|_| false)
        });
    });
    c.bench_function("parse JSON", |b| b.iter(|| Value::parse(black_box(ANSWER)).unwrap()));
    c.bench_function("find one value in JSON", |b| {
        b.iter(|| Value::find(black_box(ANSWER), ["data", "total_amount"]));
    });
    c.bench_function("write a JSON text", |b| {
        b.iter(|| {
            let mut out = String::new();
            push_string(&mut out, black_box(ANSWER));
            out
        });
    });
}

fn journal(c: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("zvpos-bench-parts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let journal = Sqlite::open(&folder.join("journal.db")).unwrap();
    let mut number = 0_u64;
    c.bench_function("journal commit, flushed", |b| {
        b.iter(|| {
            number += 1;
            let key = Key {
                open_id: "o".into(),
                environment: "h".into(),
                biz_id: BizId::new(&format!("B{number}")).unwrap(),
            };
            let identity = Identity {
                customer_id: Some("383933091455959041".into()),
                amount: Some(Amount::parse("1.00").unwrap()),
                ..Identity::default()
            };
            let entry = Entry::restore(
                key,
                identity,
                Stage::Succeeded,
                1,
                1,
                journal.owner().clone(),
                OnUnknown::Reverse,
                1,
                Detail { acknowledged: true, ..Detail::default() },
            );
            journal.record(&entry, Guard::Member, Instant::now() + Duration::from_secs(3)).unwrap()
        });
    });
    drop(journal);
    std::fs::remove_dir_all(folder).unwrap();
}

criterion_group!(parts, request, answer, journal, boundary::boundary);
criterion_main!(parts);
