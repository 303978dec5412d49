//! `zv sign`: each step agrees with two public test vectors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::Location;

const VECTORS: [[&str; 6]; 2] = [
    [
        "LyvrkvkxRkG2R6aM55bXpPwjYAbkEXTbVnKwfDYvVHjNwNFAmx",
        "d14c1559e87b747d577c834b275a4310",
        "ba67d4fa46",
        "1465185768",
        "11886",
        "cFw0t9IuvL9jVo9qAzk0qMcw5BM%3D",
    ],
    [
        "fake-open-key-for-test-only-0001",
        "fake-open-id-for-test-only-0001",
        "fake-grant-code-0001",
        "1712563200",
        "24680",
        "ySypL4SRFMmfSrCqOiFE01LK3ks%3D",
    ],
];

#[test]
fn agrees_with_the_known_vectors_and_never_shows_the_key() {
    let place = Location::new();
    for [key, id, grant, timestamp, nonce, token] in VECTORS {
        let config = json!({"openId": id, "grantCode": grant, "openKey": key});
        place.write("zvpos.json", &config.to_string());
        let sign = |more: &[&str]| {
            place.zv(&[&["sign", "--timestamp", timestamp, "--nonce", nonce], more].concat()).ended(0)
        };
        let text = format!("grantCode={grant}&nonce={nonce}&openId={id}&timestamp={timestamp}");
        let base64 = token.replace("%3D", "=");
        let shown = sign(&[]).shows(&[&text, &base64, token]);
        let steps = sign(&["--json"]);
        let json = steps.json();
        assert_eq!((json["token"].as_str(), json["base64"].as_str()), (Some(token), Some(&*base64)));
        assert_eq!(json["text"], text.as_str());
        let mac = json["hmac_sha1"].as_str().unwrap();
        assert!(mac.len() == 40 && shown.out.contains(mac), "{mac}");
        let body: Value = serde_json::from_str(json["body"].as_str().unwrap()).unwrap();
        assert_eq!(
            (body["Token"].as_str(), body["Action"].as_str()),
            (Some(token), Some("user.user-by-coupon"))
        );
        assert!(!shown.out.contains(key) && !steps.out.contains(key));
    }
}

#[test]
fn shows_the_body_as_it_is_sent() {
    let place = Location::new();
    let config = json!({"openId": "i", "grantCode": "g", "openKey": "k", "endpoint": "https://h/api/v2",
        "defaults": {"multiMark": "S1"}, "accounts": {"v3": {"openId": "j", "grantCode": "g", "openKey": "k",
        "api": "v3", "endpoint": "https://h"}}});
    place.write("zvpos.json", &config.to_string());
    let request = r#"{"bizId": "T1", "customerId": 7, "amount": 1.5, "payPassword": "246810"}"#;
    let sign = |more: &[&str]| {
        place.with_stdin(
            &[&["sign", "--json", "--operation", "consume", "--request", "-"], more].concat(),
            request,
        )
    };
    let json = sign(&[]).ended(0).json();
    let params =
        r#""Params":{"bizId":"T1","customerId":"7","amount":"1.50","payPassword":"***","multiMark":"S1"}}"#;
    assert!(json["body"].as_str().unwrap().ends_with(params), "{json}");
    let json = sign(&["--account", "v3"]).ended(0).json();
    assert_eq!(json["url"], "https://h/v3/crm/customer/customerConsume");
    assert!(json["body"].as_str().unwrap().starts_with(r#"{"openId":"j","#), "{json}");

    sign(&["--account", "v4"]).ended(2).complains(&["--account must be one of", "v3"]);
    place.zv(&["sign", "--operation", "reverse"]).ended(2).complains(&["no route is configured for reverse"]);
    place.zv(&["sign", "--nonce", "0"]).ended(2).complains(&["--nonce"]);
    place
        .with_stdin(&["sign", "--operation", "consume", "--request", "-"], r#"{"bizID": "1"}"#)
        .ended(2)
        .complains(&["bizID: is not a field", "customerId: is missing"]);
}
