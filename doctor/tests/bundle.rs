//! The archive for support holds the needed files and none of the planted secrets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};
use support::{config, options, own_folder, run, simulator, till, url};
use zvpos_doctor::{Options, bundle};
use zvpos_sandbox::rules::Policy;

const PHONE: &str = "13987654321";

/// Every file of the archive, unpacked.
fn unpacked(archive: &Path) -> BTreeMap<String, String> {
    let mut zip = zip::ZipArchive::new(File::open(archive).unwrap()).unwrap();
    (0..zip.len())
        .map(|index| {
            let mut file = zip.by_index(index).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            (file.name().unwrap().into_owned(), text)
        })
        .collect()
}

fn bundle_of(options: &Options, folder: &Path) -> BTreeMap<String, String> {
    let archive = folder.join("bundle.zip");
    bundle::write(options, &run(options), &archive).unwrap();
    unpacked(&archive)
}

fn holds_none(files: &BTreeMap<String, String>, secrets: &[&str]) {
    for (name, text) in files {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} stands in {name}:\n{text}");
        }
    }
}

#[test]
fn no_secret_gets_into_it() {
    let server = simulator(Policy::default());
    let folder = own_folder();
    let log = folder.join("till.log");
    let key = "planted/key\"with+signs=1";
    let config = config(&url(&server), &folder, json!({"guard": "off", "log": {"path": log}}));
    // A till with two open sales, one with phone numbers and a scanned code in fields that should have none.
    let till = till(&config);
    for (biz_id, mut sale) in [
        ("A1", json!({"customerId": PHONE, "amount": "1.00", "remark": PHONE})),
        ("A2", json!({"type": 1, "couponsCardList": ["7770001112223334445"]})),
    ] {
        sale["bizId"] = json!(format!("{biz_id}-{PHONE}~reset_after"));
        let answer = till.consume(&sale.to_string()).to_json();
        assert!(answer.contains("\"unknown\""), "{answer}");
    }
    drop(till);
    // A log into which another program has written.
    fs::write(
        &log,
        format!(
            "one {key}\ntwo planted-grant-2 {PHONE}\nthree \"payPassword\":\"planted-pay\" x\n\
             four http://user:planted-proxy-pass@proxy:3128/\nfive grantCode=planted-grant-9&x\nsix the end\n"
        ),
    )
    .unwrap();
    let mut planted = config.clone();
    planted["openKey"] = json!(key);
    planted["grantCode"] = json!("planted-grant-1");
    planted["proxy"] = json!("http://user:planted-proxy-pass@127.0.0.1:1");
    planted["accounts"] = json!({"second": {"openId": "second-id", "grantCode": "planted-grant-2",
        "openKey": "planted-key-2", "endpoint": "http://127.0.0.1:1/x"}});
    planted["defaults"] = json!({"remark": PHONE, "operatorName": "planted-key-2"});
    let files = bundle_of(&options(&planted, &folder), &folder);
    let escaped = key.replace('"', "\\\"");
    holds_none(
        &files,
        &[
            key,
            &escaped,
            "planted/key",
            "planted-grant",
            "planted-key",
            "planted-pay",
            "planted-proxy-pass",
            PHONE,
            "7770001112223334445",
        ],
    );
    let configuration: Value = serde_json::from_str(&files["configuration.json"]).unwrap();
    assert_eq!(
        (&configuration["openKey"], &configuration["proxy"]),
        (&json!("***"), &json!("http://***@127.0.0.1:1"))
    );
    assert_eq!(configuration["openId"], "fake-open-id-for-test-only-0001");
    // The needed parts are there.
    assert!(
        files["log.txt"].contains("two *** 139****4321") && files["log.txt"].contains("six the end"),
        "{files:#?}"
    );
    assert!(
        files["report.zh-CN.txt"].contains("journal.contents") && files["report.en.txt"].contains("proxy")
    );
    assert!(files["versions.json"].contains(env!("CARGO_PKG_VERSION")));
    let open: Vec<Value> =
        files["unsettled.ndjson"].lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(open.len(), 2, "{files:#?}");
    assert!(open.iter().all(|sale| sale["stage"] == "unknown" && sale["attempts"] == 1), "{open:?}");
}

#[test]
fn a_wrong_endpoint_does_not_show_its_password_and_no_json_is_left_out_whole() {
    let folder = own_folder();
    let with_userinfo = config("http://name:planted-end-pass@h/api/v2", &folder, json!({}));
    holds_none(
        &bundle_of(&options(&with_userinfo, &folder), &folder),
        &["planted-end-pass", "fake-open-key"],
    );
    let broken =
        Options { config: "{\"openKey\": \"planted-broken".to_owned(), ..options(&json!({}), &folder) };
    let files = bundle_of(&broken, &folder);
    holds_none(&files, &["planted-broken"]);
    assert!(files["configuration.json"].contains("left_out") && !files.contains_key("log.txt"), "{files:#?}");
}
