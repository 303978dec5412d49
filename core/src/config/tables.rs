//! The keys of the configuration.

use super::Charset;
use crate::gateway::Sign;
use crate::log::Level;
use crate::schema::{Field, Kind, Schema, optional, required};

const API: Field = optional("api", Kind::Word(&["v2", "v3"]), "generation of the vendor's API (default v2)");
const ENDPOINT: Field =
    optional("endpoint", Kind::Text(512), "v2: the URL; v3: https://host (default: the vendor's)");
const ENVIRONMENT: Field = optional(
    "environment",
    Kind::Text(128),
    "which gateway the account belongs to, whatever URL leads there: sales of one openId are apart only if this differs \
     (default: production for a public host, else the host and its port)",
);
const ROUTES: Field = optional(
    "routes",
    Kind::Any,
    "by operation (consume, quote, reverse, member_lookup, coupon_status, usable_coupons, balance_by_biz_id): \
     \"v2\", \"v3\" or {generation, endpoint, action | path, numbers}, for reverse also {params, codes, refuses_unknown}",
);
const SIGN_NAMES: Field = optional(
    "sign_names",
    Kind::Word(&["lower", "as_sent"]),
    "spelling of the names in the signed text (default lower)",
);
const CODES: Field =
    optional("codes", Kind::Object(&CODE_RULES), "what the gateway's codes mean for a consume");
const STRICT: Field = optional(
    "strict_answer",
    Kind::Flag,
    "a consume's answer that does not match the question is unknown instead of a warning (default false)",
);
const ON_UNKNOWN: Field = optional(
    "on_unknown",
    Kind::Word(&["reverse", "hold"]),
    "what happens to an unknown outcome (default reverse where there is a reverse route, else hold)",
);
const CONFIRM: Field = optional(
    "confirm",
    Kind::Flag,
    "a success counts only once the till has called zv_confirm_json; needs a reverse route (default false)",
);
const DEFAULTS: Field =
    optional("defaults", Kind::Any, "fields merged into every request: multiMark, deviceSn…");
const PASSWORD_OVER_HTTP: Field = optional(
    "password_over_http",
    Kind::Flag,
    "a payment password may leave over plain http (default false)",
);
const CALL_ACTIONS: Field = optional(
    "call_actions",
    Kind::List(&Kind::Text(128), 64),
    "further actions (v2) or paths (v3) that zv_call_json takes beside the documented reads; none that moves value, \
     and a lost answer of one is unknown (ZV-CALL-LOST)",
);

/// Only the library for servers has the table.
#[cfg(feature = "database")]
const JOURNAL_DB: Field = optional(
    "journal_db",
    Kind::Object(&DATABASE),
    "how a journal that is a database is used; only in the library for servers",
);

/// A list of fields with those that an account and the configuration around it share.
macro_rules! with_account_keys {
    ([$($before:expr),* $(,)?], [$($after:expr),* $(,)?]) => {
        &[
            $($before,)*
            API, ENDPOINT, ENVIRONMENT, ROUTES, SIGN_NAMES, CODES, STRICT, ON_UNKNOWN, CONFIRM, DEFAULTS, PASSWORD_OVER_HTTP,
            CALL_ACTIONS,
            $($after,)*
        ]
    };
}

/// The whole configuration.
pub static CONFIG: Schema = Schema {
    name: "the configuration",
    doc: "What zv_init takes. Give openId, grantCode and openKey, or accounts.",
    fields: with_account_keys!(
        [
            optional("openId", Kind::Text(128), "密钥Id"),
            optional("grantCode", Kind::Text(128), "授权code"),
            optional("openKey", Kind::Secret(256), "the key that signs; in no log and no answer"),
            optional(
                "accounts",
                Kind::Map(&ACCOUNT),
                "several accounts by name, each with its own overrides"
            ),
        ],
        [
            optional(
                "journal",
                Kind::Path,
                "the journal's file, an absolute path: nothing is expanded or resolved (default: one for the machine; zv_init \
                 names it); in the library for servers also postgres://user@host/database, without a password",
            ),
            #[cfg(feature = "database")]
            JOURNAL_DB,
            optional(
                "guard",
                Kind::Word(&["member", "coupon", "off"]),
                "which unsettled sales keep a new one from being sent (default member)",
            ),
            optional(
                "late_arrival_ms",
                Kind::Integer(0, 86_400_000),
                "how long a lost request may still arrive at the gateway (default 120000)",
            ),
            optional(
                "confirm_after_s",
                Kind::Integer(1, 86_400),
                "running seconds after a restart until what was not confirmed is reversed (default 300)",
            ),
            optional(
                "quote_max_age_s",
                Kind::Integer(1, 86_400),
                "how old a quote that a payment relies on may be before it is asked again (default 600)",
            ),
            optional(
                "retention_days",
                Kind::Integer(1, 3650),
                "how long the journal keeps the details of settled sales (default 90); those that zv collect has not shipped at most as long again",
            ),
            optional(
                "business_day_start",
                Kind::Text(5),
                "when a business day begins, for the day-end export (default 04:00)",
            ),
            optional("utc_offset", Kind::Text(6), "the till's time against UTC (default +08:00)"),
            optional(
                "background",
                Kind::Flag,
                "settle and look after the journal by itself; false: only zv_recover_json settles, and zv_init reads the whole journal (default true)",
            ),
            optional("timeouts_ms", Kind::Object(&TIMEOUTS), "how long a call may take"),
            optional(
                "idle_ms",
                Kind::Integer(0, 600_000),
                "how long an idle connection may be reused (default 4000)",
            ),
            optional(
                "warm_s",
                Kind::Integer(0, 600),
                "seconds after a member look-up, usable coupons or a quote in which an unused connection is kept open, so \
                 that the payment need not open one; 0, idle_ms 0 or background false: never (default 30)",
            ),
            optional(
                "charset",
                Kind::Word(&Charset::WORDS),
                "what texts are written in, both ways; answers hold as \\uXXXX what it cannot say; ascii takes UTF-8 (default utf-8)",
            ),
            optional(
                "lang",
                Kind::Word(&["zh-CN", "en"]),
                "language of the cashier's sentence (default zh-CN)"
            ),
            optional("tls", Kind::Object(&TLS), "trusted certificates (default: bundled)"),
            optional(
                "proxy",
                Kind::Any,
                "http://host:port of a proxy that takes CONNECT, or {url, mode}; mode absolute is for one that does not, for \
             plain http and never with a payPassword: read docs/money-safety.md first (default none)",
            ),
            optional(
                "pass_unknown_fields",
                Kind::Flag,
                "send fields that nobody has documented (default false)"
            ),
            optional("log", Kind::Object(&LOG), "the log file"),
        ]
    ),
};

/// One account.
static ACCOUNT: Schema = Schema {
    name: "an account",
    doc: "One account; what it leaves out is taken from the configuration around it.",
    fields: with_account_keys!(
        [
            required("openId", Kind::Text(128), "密钥Id"),
            required("grantCode", Kind::Text(128), "授权code"),
            required("openKey", Kind::Secret(256), "the key that signs"),
        ],
        []
    ),
};

/// The proxy, if it is given as an object.
pub static PROXY: Schema = Schema {
    name: "proxy",
    doc: "The proxy.",
    fields: &[
        required(
            "url",
            Kind::Text(512),
            "http://host:port, with name:password@ before the host where it wants a login",
        ),
        optional(
            "mode",
            Kind::Word(&["connect", "absolute"]),
            "connect: a tunnel for everything; absolute: plain http with the whole URL, which the proxy reads, may keep \
             and may send again (default connect)",
        ),
    ],
};

/// One route, if it is given as an object.
pub static ROUTE: Schema = Schema {
    name: "a route",
    doc: "One operation's way to the gateway.",
    fields: &[
        optional(
            "generation",
            Kind::Word(&["v2", "v3"]),
            "how the envelope is written (default: the account's api)",
        ),
        optional("endpoint", Kind::Text(512), "as the account's endpoint"),
        optional("action", Kind::Text(128), "v2: the Action"),
        optional("path", Kind::Text(256), "v3: the path"),
        optional(
            "numbers",
            Kind::Flag,
            "send plain digits of numeric fields as numbers, coupon ids too; codes stay texts (default false)",
        ),
        optional(
            "params",
            Kind::Any,
            "reverse: names and texts; $returnedBizId, $bizId, $customerId, $amount are filled in",
        ),
        optional(
            "codes",
            Kind::Object(&REVERSE_CODES),
            "reverse, balance_by_biz_id: what the gateway's codes mean",
        ),
        optional(
            "refuses_unknown",
            Kind::Flag,
            "reverse: the gateway refuses to undo what it does not know, so what it confirmed once was undone, whatever it \
             refuses later (default false; only if the vendor says so)",
        ),
        optional(
            "complete",
            Kind::Flag,
            "balance_by_biz_id: what does not stand there never happened; coupon_status: what is unused was never \
             redeemed, and no coupon can be used twice (default false; only if the vendor says so)",
        ),
        optional(
            "sign",
            Kind::Word(&Sign::WORDS),
            "balance_by_biz_id: which amounts of the records were taken; minus_is_taken: -3.00, plus_is_taken: 3.00 and \
             +3.00 (default: 3.00; one with a sign proves nothing)",
        ),
    ],
};

static CODE_RULES: Schema = Schema {
    name: "codes",
    doc: "Codes of the gateway; a list given here replaces the default one.",
    fields: &[
        optional(
            "before_effect",
            Kind::List(&Kind::Text(64), 100),
            "system errors that come before any effect (default 110004, 100002)",
        ),
        optional(
            "in_doubt",
            Kind::List(&Kind::Text(64), 100),
            "codes after which nobody knows (default 110007)",
        ),
        optional(
            "declined",
            Kind::List(&Kind::Text(64), 100),
            "codes of any text that are a refusal, unless the answer shows that something was taken (default none: a \
             code that is a number is one, another proves nothing)",
        ),
        optional(
            "only_listed",
            Kind::Flag,
            "every code that is listed neither under declined nor under before_effect is unknown: a code may say 处理中 \
             (default false)",
        ),
    ],
};

static REVERSE_CODES: Schema = Schema {
    name: "codes of a route",
    doc: "Codes of the gateway; nobody has published them.",
    fields: &[
        optional(
            "already",
            Kind::List(&Kind::Text(64), 100),
            "it was reversed before: the same as done; earlier refusals with such a code are settled at each start",
        ),
        optional(
            "not_found",
            Kind::List(&Kind::Text(64), 100),
            "nothing is recorded under that bizId, or not yet (must for a balance_by_biz_id that is complete)",
        ),
    ],
};

static TIMEOUTS: Schema = Schema {
    name: "timeouts_ms",
    doc: "Milliseconds.",
    fields: &[
        optional("connect", Kind::Integer(1, 120_000), "look-up, TCP, proxy and TLS (default 3000)"),
        optional("total", Kind::Integer(1, 600_000), "the whole call (default 10000)"),
    ],
};

static TLS: Schema = Schema {
    name: "tls",
    doc: "Trusted certificates; give one of the two.",
    fields: &[
        optional(
            "roots",
            Kind::Word(&["bundled", "system"]),
            "Mozilla's inside the library, or the system's, read at the first https connection",
        ),
        optional("pem", Kind::Text(4096), "a PEM file"),
    ],
};

#[cfg(feature = "database")]
static DATABASE: Schema = Schema {
    name: "journal_db",
    doc: "The journal's database; see docs/several-nodes.md.",
    fields: &[
        optional("password", Kind::Secret(256), "the database user's password; in no log and no answer"),
        optional(
            "pem",
            Kind::Text(4096),
            "the certificates that the database's must lead to (default: bundled)",
        ),
        optional("pool", Kind::Integer(1, 256), "how many connections there are at most (default 16)"),
        optional("schema", Kind::Text(63), "the schema with the journal's tables (default zvpos)"),
        optional(
            "locks",
            Kind::Path,
            "a folder of this machine, the same for all its nodes: by locks in it they learn at once that one of them has ended, without waiting for its lease",
        ),
        optional(
            "lease_s",
            Kind::Integer(3, 86_400),
            "for so long a silent node is not given up on; the same on every node (default 20, or what timeouts_ms.total needs)",
        ),
        optional("beat_s", Kind::Integer(1, 600), "how often a node says that it lives (default 2)"),
        optional(
            "allow_async",
            Kind::Flag,
            "no warning where the database has replicas and none of them is synchronous (default false)",
        ),
    ],
};

static LOG: Schema = Schema {
    name: "log",
    doc: "The log file, a new one each day.",
    fields: &[
        optional("path", Kind::Text(4096), "where it is"),
        optional("level", Kind::Word(&Level::WORDS), "what goes into it (default info)"),
        optional("keep_days", Kind::Integer(1, 3650), "how many days are kept (default 30)"),
    ],
};
