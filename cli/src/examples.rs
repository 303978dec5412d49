//! The examples in each command's help. A test runs them in this order, against `zv sandbox`. A line has at most 76
//! characters, so that a narrow terminal does not wrap it.

/// A command, and its example lines for a shell.
pub(crate) const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "zv sandbox --quiet &",
            "zv quote --sandbox --user_id 383933091455959041 \\\n    \
             --user_coupon_id 390962138708451328 --item 201909280011111,2,13.50",
        ],
    ),
    ("sandbox", &["zv sandbox --quiet &", "zv sandbox --faults", "zv sandbox --data-example > data.json"]),
    (
        "quote",
        &["zv quote --sandbox --user_id 383933091455959041 \\\n    \
           --user_coupon_id 390962138708451328 --item 201909280011111,2,13.50"],
    ),
    (
        "consume",
        &[
            "zv consume --sandbox --bizId T1-000001 --amount 23.00 \\\n    \
             --customerId 383933091455959041 --coupon 390962138708451328",
            "zv consume --sandbox --bizId auto --amount 1.00 \\\n    --customerId 383933091455959041 --json",
            "echo '{\"customerId\": \"383933091455959041\", \"amount\": \"2.00\"}' |\n    \
             zv consume --sandbox --bizId T1-000002 --request -",
        ],
    ),
    ("reverse", &["zv reverse --sandbox --bizId T1-000002"]),
    ("lookup", &["zv lookup --sandbox --bizId T1-000001"]),
    ("pending", &["zv pending --sandbox"]),
    ("recover", &["zv recover --sandbox --wait 3"]),
    ("confirm", &["zv confirm --sandbox --bizId T1-000001"]),
    (
        "settle",
        &["zv settle --config zvpos.json --bizId T1-000009 --as kept \\\n    \
           --by 王店长 --reason 已与客服核对"],
    ),
    (
        "call",
        &[
            "zv call member_lookup --sandbox \\\n    --param identifierNumber=M0001 --param type=1",
            "zv call coupon_status --sandbox --param customerId=383933091455959041",
        ],
    ),
    (
        "journal show",
        &[
            "zv journal show --sandbox",
            "zv journal show --sandbox --unsettled",
            "zv journal show --sandbox --biz-id T1-000001",
        ],
    ),
    (
        "journal export",
        &[
            "zv journal export --sandbox --day 2026-11-22 --format csv > day.csv",
            "zv journal export --sandbox --day today --format ndjson",
        ],
    ),
    (
        "journal move",
        &["zv journal move --config zvpos.json --from /srv/zvpos/till-1.db \\\n    \
             --to postgres://zv@db.example/zv"],
    ),
    ("sign", &["zv sign --sandbox --timestamp 1712563200 --nonce 24680"]),
    ("doctor", &["zv doctor --sandbox --lang en", "zv doctor --config zvpos.json --bundle support.zip"]),
    (
        "certify",
        &[
            "zv certify --list",
            "zv certify --only plain. --only lost.reset -- ./till",
            "zv certify --html report.html --report report.json -- ./till",
        ],
    ),
    ("collect init", &["zv collect init > admin-token"]),
    (
        "collect enroll",
        &[
            "head -c 24 /dev/urandom | base64 > member.key",
            "zv collect enroll --chain demo --till T1 --shop S01 \\\n    \
             --url http://127.0.0.1:8443 --member-key-file member.key > collect.json",
        ],
    ),
    ("collect serve", &["zv collect serve &"]),
    ("collect ship", &["zv collect ship --once --sandbox"]),
    ("collect day", &["zv collect day --lang en", "zv collect day --day yesterday --close --by 王店长"]),
    ("collect gap", &["zv collect gap --lang en"]),
    ("collect retire", &["zv collect retire --till T1 --by 王店长 --reason 收银机已报废"]),
    ("completions", &["zv completions bash > zv.bash"]),
];
