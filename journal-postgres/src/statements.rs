//! Every statement, with `SCHEMA.` in the place of the schema's name. Each is committed by itself, names every table with
//! its schema, and depends on no session: no lock outlives it, and it asks for no time of the database.

/// The tables.
pub(crate) const TABLES: &str = include_str!("schema.sql");

/// The columns of an entry, in the order of [`crate::row`].
macro_rules! columns {
    () => {
        "open_id, environment, biz_id, revision, token, stage, attempt, owner, on_unknown, created_unix_ms, customer_id, \
         kind, amount, coupons, points, till, operator_id, operator_name, store, data, detail, member, returned_biz_id, \
         unsettled, holds_back, due, unfinished, retired, other_biz_id, refused_refund, checksum"
    };
}

pub(crate) use columns;

/// The same of the rows of `o`.
macro_rules! columns_of_o {
    () => {
        "o.open_id, o.environment, o.biz_id, o.revision, o.token, o.stage, o.attempt, o.owner, o.on_unknown, \
         o.created_unix_ms, o.customer_id, o.kind, o.amount, o.coupons, o.points, o.till, o.operator_id, o.operator_name, \
         o.store, o.data, o.detail, o.member, o.returned_biz_id, o.unsettled, o.holds_back, o.due, o.unfinished, \
         o.retired, o.other_biz_id, o.refused_refund, o.checksum"
    };
}

/// The entries that keep a record out: those of the member and those of a coupon, each found by its own index; a condition
/// with OR over both would read all that is unsettled. An intent keeps nothing out while its node is not dead.
macro_rules! held_back {
    ($what:expr, $member:literal, $coupons:literal) => {
        concat!(
            "SELECT ",
            $what,
            " FROM (SELECT * FROM SCHEMA.zv_entry WHERE open_id = $1 AND environment = $2 AND member = ",
            $member,
            " AND holds_back UNION ALL SELECT e.* FROM SCHEMA.zv_coupon k JOIN SCHEMA.zv_entry e \
             ON e.open_id = k.open_id AND e.environment = k.environment AND e.biz_id = k.biz_id \
             WHERE k.open_id = $1 AND k.environment = $2 AND k.coupon = ANY(",
            $coupons,
            ") AND e.holds_back) o WHERE o.biz_id <> $3 AND (o.stage <> 'sending' OR NOT EXISTS \
             (SELECT 1 FROM SCHEMA.zv_node n WHERE n.owner = o.owner AND NOT n.dead))"
        )
    };
}

/// What must hold for a record to be written besides its revision: its node is not dead, and nothing keeps it out.
macro_rules! admitted {
    () => {
        concat!(
            "($34::text IS NULL OR EXISTS (SELECT 1 FROM SCHEMA.zv_node WHERE owner = $34 AND NOT dead)) AND NOT EXISTS (",
            held_back!("1", "$35", "$36"),
            ")"
        )
    };
}

/// The coupons and days of what `e` has written.
macro_rules! with_coupons_and_days {
    () => {
        "c AS (INSERT INTO SCHEMA.zv_coupon (open_id, environment, coupon, biz_id) \
         SELECT e.open_id, e.environment, x.coupon, e.biz_id FROM e, unnest($32::text[]) AS x (coupon) \
         ON CONFLICT DO NOTHING), \
         f AS (INSERT INTO SCHEMA.zv_filed (day, open_id, environment, biz_id) \
         SELECT x.day, e.open_id, e.environment, e.biz_id FROM e, unnest($33::bigint[]) AS x (day) \
         ON CONFLICT DO NOTHING) \
         SELECT 1 FROM e"
    };
}

/// A page of a list.
macro_rules! page {
    ($mark:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM SCHEMA.zv_entry WHERE ",
            $mark,
            " AND (created_unix_ms, open_id, environment, biz_id) > ($1, $2, $3, $4) \
             ORDER BY created_unix_ms, open_id, environment, biz_id LIMIT $5"
        )
    };
}

macro_rules! statements {
    ($($(#[$doc:meta])+ $name:ident = $text:expr;)+) => {
        /// The statements for one schema.
        pub(crate) struct Statements {
            $($(#[$doc])+ pub(crate) $name: String,)+
        }

        impl Statements {
            /// Those for that schema.
            pub(crate) fn of(schema: &str) -> Statements {
                Statements { $($name: for_schema($text, schema),)+ }
            }

            /// Every text with its name, as it stands here.
            #[cfg(test)]
            const TEXTS: &[(&'static str, &'static str)] = &[$((stringify!($name), $text)),+];
        }
    };
}

statements! {
    /// The first record of a bizId: $1 to $31 its columns, $32 coupons, $33 days, $34 the node, $35 and $36 the guard.
    write_first = concat!(
        "WITH e AS (INSERT INTO SCHEMA.zv_entry (",
        columns!(),
        ") SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
         $23, $24, $25, $26, $27, $28, $29, $30, $31 WHERE ",
        admitted!(),
        " ON CONFLICT DO NOTHING RETURNING open_id, environment, biz_id), ",
        with_coupons_and_days!()
    );
    /// A later record, with the same values. The number of the record before it is kept.
    write_next = concat!(
        "WITH e AS (UPDATE SCHEMA.zv_entry SET revision = $4, token = $5, earlier = (ARRAY[token] || earlier)[1:32], \
         stage = $6, attempt = $7, owner = $8, on_unknown = $9, created_unix_ms = $10, customer_id = $11, kind = $12, \
         amount = $13, coupons = $14, points = $15, till = $16, operator_id = $17, operator_name = $18, store = $19, \
         data = $20, detail = $21, member = $22, returned_biz_id = $23, unsettled = $24, holds_back = $25, due = $26, \
         unfinished = $27, retired = $28, other_biz_id = $29, refused_refund = $30, checksum = $31 \
         WHERE open_id = $1 AND environment = $2 AND biz_id = $3 AND revision = $4 - 1 AND ",
        admitted!(),
        " RETURNING open_id, environment, biz_id), ",
        with_coupons_and_days!()
    );
    /// The same record over itself.
    confirm = "UPDATE SCHEMA.zv_entry SET token = token WHERE open_id = $1 AND environment = $2 AND biz_id = $3 \
        AND revision = $4 AND token = $5 RETURNING 1";
    /// What the till's reading changes in several records.
    acknowledge = "UPDATE SCHEMA.zv_entry e SET revision = a.revision, token = a.token, \
        earlier = (ARRAY[e.token] || e.earlier)[1:32], detail = a.detail, unfinished = a.unfinished, checksum = a.checksum \
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::boolean[], $8::bytea[]) \
        AS a (open_id, environment, biz_id, revision, token, detail, unfinished, checksum) \
        WHERE e.open_id = a.open_id AND e.environment = a.environment AND e.biz_id = a.biz_id \
        AND e.revision = a.revision - 1";
    /// The records of keys, with the numbers before theirs.
    standing = concat!(
        "SELECT ",
        columns_of_o!(),
        ", o.earlier FROM unnest($1::text[], $2::text[], $3::text[]) AS k (open_id, environment, biz_id) \
         JOIN SCHEMA.zv_entry o ON o.open_id = k.open_id AND o.environment = k.environment AND o.biz_id = k.biz_id"
    );
    /// A record that keeps another one out.
    keeping_out = concat!(
        held_back!(columns_of_o!(), "$4", "$5"),
        " ORDER BY o.created_unix_ms, o.biz_id LIMIT 1"
    );
    /// A page of what the library may still settle.
    due = page!("due");
    /// A page of what is unsettled.
    unsettled = page!("unsettled");
    /// A page of the sales whose refund was refused.
    refused_refunds = page!("refused_refund");
    /// A page of the successes that the till has not read or not confirmed.
    unfinished = page!("unfinished");
    /// The intents of nodes.
    sending_of = concat!(
        "SELECT ",
        columns!(),
        " FROM SCHEMA.zv_entry WHERE owner = ANY($1) AND unsettled AND stage = 'sending' \
         ORDER BY created_unix_ms, open_id, environment, biz_id"
    );
    /// What is near a day by the time of its intent, and what is filed under it; some twice.
    near_day = concat!(
        "SELECT ",
        columns!(),
        " FROM SCHEMA.zv_entry WHERE NOT retired AND created_unix_ms >= $2 AND created_unix_ms < $3 UNION ALL SELECT ",
        columns_of_o!(),
        " FROM SCHEMA.zv_filed f JOIN SCHEMA.zv_entry o \
         ON o.open_id = f.open_id AND o.environment = f.environment AND o.biz_id = f.biz_id WHERE f.day = $1"
    );
    /// Settled entries from before $1, if at least $2 days with sales have followed; each day is found by the index.
    settled_before = concat!(
        "WITH RECURSIVE d (day) AS (SELECT min(created_unix_ms) / 86400000 FROM SCHEMA.zv_entry \
         WHERE NOT retired AND created_unix_ms >= $1 UNION ALL SELECT (SELECT min(created_unix_ms) / 86400000 \
         FROM SCHEMA.zv_entry WHERE NOT retired AND created_unix_ms >= (d.day + 1) * 86400000) FROM d \
         WHERE d.day IS NOT NULL), \
         followed AS (SELECT count(day) AS days FROM (SELECT day FROM d WHERE day IS NOT NULL LIMIT $2) n) SELECT ",
        columns!(),
        " FROM SCHEMA.zv_entry WHERE NOT retired AND created_unix_ms < $1 AND NOT unfinished AND NOT unsettled \
         AND (SELECT days FROM followed) >= $2 ORDER BY created_unix_ms LIMIT $3"
    );
    /// The time of the newest sale.
    newest = "SELECT max(created_unix_ms) FROM SCHEMA.zv_entry WHERE NOT retired";
    /// Whether an answer of the account has carried another bizId.
    has_other_biz_ids = "SELECT 1 FROM SCHEMA.zv_entry WHERE open_id = $1 AND environment = $2 AND other_biz_id LIMIT 1";
    /// Whether the bizId stands under another account.
    stands_elsewhere = "SELECT 1 FROM SCHEMA.zv_entry WHERE biz_id = $3 AND (open_id <> $1 OR environment <> $2) LIMIT 1";
    /// Another sale of the account that was sent as $4 or answered with it.
    other_sale_of = concat!(
        "SELECT ",
        columns!(),
        " FROM SCHEMA.zv_entry WHERE open_id = $1 AND environment = $2 AND biz_id = $4 AND biz_id <> $3 UNION ALL SELECT ",
        columns!(),
        " FROM SCHEMA.zv_entry WHERE open_id = $1 AND environment = $2 AND other_biz_id AND returned_biz_id = $4 \
         AND biz_id <> $3 LIMIT 1"
    );
    /// The other entries of the account with a coupon, in whichever spelling it was recorded.
    naming_coupon = concat!(
        "SELECT ",
        columns_of_o!(),
        " FROM SCHEMA.zv_coupon k JOIN SCHEMA.zv_entry o \
         ON o.open_id = k.open_id AND o.environment = k.environment AND o.biz_id = k.biz_id \
         WHERE k.open_id = $1 AND k.environment = $2 AND k.coupon = $4 AND k.biz_id <> $3"
    );
    /// Adds a node.
    join = "INSERT INTO SCHEMA.zv_node (owner, host, version, beat, dead) VALUES ($1, $2, $3, 0, false) \
        ON CONFLICT DO NOTHING";
    /// Raises the beat to $2, and gives the one before. Written over itself if it is as high, so that the commit is waited
    /// for.
    beat = "UPDATE SCHEMA.zv_node n SET beat = greatest(n.beat, $2) FROM SCHEMA.zv_node b \
            WHERE n.owner = $1 AND b.owner = n.owner AND NOT n.dead RETURNING b.beat";
    /// All nodes, and in a row with a term who settles.
    nodes = "SELECT owner, beat, dead, NULL::bigint FROM SCHEMA.zv_node UNION ALL \
        SELECT owner, 0, false, term FROM SCHEMA.zv_role WHERE name = 'settle'";
    /// One node.
    node = "SELECT owner, beat, dead FROM SCHEMA.zv_node WHERE owner = $1";
    /// Declares a node dead, with $2 only at that beat.
    bury = "UPDATE SCHEMA.zv_node SET dead = true WHERE owner = $1 AND beat = COALESCE($2, beat) AND NOT dead";
    /// Gives the role for the first time, to a node that is not dead.
    claim_first = "INSERT INTO SCHEMA.zv_role (name, owner, term) SELECT 'settle', $1, 1 \
        WHERE EXISTS (SELECT 1 FROM SCHEMA.zv_node WHERE owner = $1 AND NOT dead) ON CONFLICT DO NOTHING RETURNING 1";
    /// Gives the role that is as it was seen, to a node that is not dead.
    claim_next = "UPDATE SCHEMA.zv_role SET owner = $1, term = term + 1 WHERE name = 'settle' AND owner = $2 AND term = $3 \
        AND EXISTS (SELECT 1 FROM SCHEMA.zv_node WHERE owner = $1 AND NOT dead) RETURNING 1";
    /// Removes the dead nodes that nothing names.
    forget = "DELETE FROM SCHEMA.zv_node n WHERE n.dead \
        AND NOT EXISTS (SELECT 1 FROM SCHEMA.zv_entry e WHERE e.owner = n.owner AND e.unsettled) \
        AND NOT EXISTS (SELECT 1 FROM SCHEMA.zv_role r WHERE r.owner = n.owner)";
    /// The format, the identity and what is kept about a move.
    about = "SELECT format, id, place FROM SCHEMA.zv_journal WHERE one = 1";
    /// Writes both, once.
    found = "INSERT INTO SCHEMA.zv_journal (one, format, id) VALUES (1, $1, $2) ON CONFLICT DO NOTHING";
    /// Makes the tables.
    tables = TABLES;
    /// Makes the schema.
    schema = "CREATE SCHEMA IF NOT EXISTS SCHEMA.;";
}

/// Which of the schema and its table of formats exist.
pub(crate) const EXISTING: &str = "SELECT to_regnamespace($1) IS NOT NULL, to_regclass($2) IS NOT NULL";

/// Whether commits wait for no replica although there are replicas. Without the right to see what a replica does, every one
/// counts.
pub(crate) const ASYNC: &str = "SELECT current_setting('synchronous_standby_names') = '' AND EXISTS \
    (SELECT 1 FROM pg_catalog.pg_stat_replication WHERE state IS DISTINCT FROM 'backup')";

/// What a server must be set to. A setting that an engine does not have is NULL.
pub(crate) const FITNESS: &str = "SELECT current_setting('server_version_num'), pg_catalog.pg_is_in_recovery(), \
    current_setting('transaction_read_only', true), current_setting('fsync', true), \
    current_setting('synchronous_commit', true), current_setting('server_encoding', true), \
    current_setting('client_min_messages', true)";

/// Whether a name can be that of a schema without being changed by the server.
pub(crate) fn is_schema(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    (1..=63).contains(&name.len())
        && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
        && name.bytes().next().is_some_and(is_letter)
}

/// A text for a schema, whose name is one by [`is_schema`].
pub(crate) fn for_schema(text: &str, schema: &str) -> String {
    text.replace("SCHEMA.;", &format!("\"{schema}\";")).replace("SCHEMA.", &format!("\"{schema}\"."))
}

#[cfg(test)]
mod tests {
    use super::{ASYNC, EXISTING, FITNESS, Statements, TABLES, is_schema};

    /// The words of a text without its comments, in small letters.
    fn words(text: &str) -> Vec<String> {
        let code: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap_or(line)).collect();
        let code = code.join(" ").to_lowercase();
        code.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Why a text may not be a statement of the journal.
    fn refused(text: &str) -> Option<String> {
        const WORDS: [&str; 24] = [
            "listen",
            "notify",
            "skip",
            "locked",
            "nextval",
            "currval",
            "sequence",
            "serial",
            "bigserial",
            "identity",
            "now",
            "current_timestamp",
            "localtimestamp",
            "transaction_timestamp",
            "statement_timestamp",
            "search_path",
            "prepare",
            "execute",
            "begin",
            "commit",
            "temp",
            "temporary",
            "set_config",
            "savepoint",
        ];
        let words = words(text);
        let is_refused = |word: &&String| WORDS.contains(&word.as_str()) || word.contains("advisory");
        words.iter().find(is_refused).cloned()
    }

    #[test]
    fn no_statement_depends_on_a_session_a_lock_or_the_databases_clock() {
        let others = [("FITNESS", FITNESS), ("ASYNC", ASYNC), ("EXISTING", EXISTING)];
        for (name, text) in Statements::TEXTS.iter().chain(&others) {
            assert_eq!(refused(text), None, "{name}");
            // The time of the database is shown to people, as the default of a column, and read by nothing.
            let clocks = words(text).iter().filter(|word| *word == "clock_timestamp").count();
            let defaults = text.matches("timestamptz NOT NULL DEFAULT clock_timestamp()").count();
            assert_eq!(clocks, defaults, "{name}");
        }
        assert_eq!(TABLES.matches("clock_timestamp").count(), 2);
        for planted in [
            "SELECT pg_try_advisory_lock(1)",
            "NOTIFY x",
            "SELECT 1 FOR UPDATE SKIP LOCKED",
            "SELECT nextval('x')",
            "SELECT now()",
            "id bigserial",
        ] {
            assert!(refused(planted).is_some(), "{planted}");
        }
    }

    #[test]
    fn every_statement_is_one_and_names_the_schema_of_each_table() {
        for (name, text) in Statements::TEXTS.iter().filter(|(name, _)| !["tables", "schema"].contains(name))
        {
            assert!(!text.contains(';'), "{name}");
            assert_eq!(text.matches("zv_").count(), text.matches("SCHEMA.zv_").count(), "{name}");
        }
        let tables = TABLES.matches("TABLE IF NOT EXISTS").count();
        assert_eq!((tables, TABLES.matches("TABLE IF NOT EXISTS SCHEMA.").count()), (6, 6));
        let statements = Statements::of("zv1");
        assert!(statements.beat.starts_with("UPDATE \"zv1\".zv_node "), "{}", statements.beat);
        assert_eq!(statements.schema, "CREATE SCHEMA IF NOT EXISTS \"zv1\";");
        assert!(!statements.tables.contains("SCHEMA."));
    }

    /// Every source of the package but this one sends only what is here.
    #[test]
    fn no_statement_is_written_elsewhere() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let mut seen = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap();
            if ["statements.rs", "moving_statements.rs", "survey_statements.rs", "schema.sql"].contains(&name)
            {
                seen += 1;
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\n#[path").next().unwrap();
            for verb in ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "SET "] {
                assert!(!text.contains(&format!("\"{verb}")), "{}: {verb}", path.display());
            }
        }
        assert_eq!(seen, 4);
    }

    #[test]
    fn a_schema_is_named_so_that_the_server_takes_it_as_it_is() {
        for (name, so) in [
            ("zvpos", true),
            ("_z1", true),
            ("user", true),
            ("", false),
            ("1z", false),
            ("Zv", false),
            ("z v", false),
            ("z\"v", false),
            ("会员", false),
            (&"z".repeat(63), true),
            (&"z".repeat(64), false),
        ] {
            assert_eq!(is_schema(name), so, "{name}");
        }
    }
}
