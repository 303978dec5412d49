-- Every text is compared byte by byte: an upgrade of the C library sorts other texts in another order, and breaks their indexes.

-- One row for each bizId of each account.
CREATE TABLE IF NOT EXISTS SCHEMA.zv_entry (
    open_id          text COLLATE "C" NOT NULL,
    environment      text COLLATE "C" NOT NULL,
    biz_id           text COLLATE "C" NOT NULL,
    -- Grows with every change; a change is written only over the revision that it was made from.
    revision         bigint NOT NULL,
    -- A random number, drawn for each record, and those of the records before it, newest first.
    token            bigint NOT NULL,
    earlier          bigint[] NOT NULL DEFAULT '{}',
    stage            text COLLATE "C" NOT NULL,
    attempt          bigint NOT NULL,
    owner            text COLLATE "C" NOT NULL,
    on_unknown       text COLLATE "C" NOT NULL,
    -- By the till's clock, for people and the day-end comparison; nothing is decided by it.
    created_unix_ms  bigint NOT NULL,
    -- What was asked. The coupons are a JSON list.
    customer_id      text COLLATE "C",
    kind             bigint,
    amount           text COLLATE "C",
    coupons          text COLLATE "C",
    points           bigint,
    -- Where and by whom.
    till             text COLLATE "C",
    operator_id      text COLLATE "C",
    operator_name    text COLLATE "C",
    store            text COLLATE "C",
    -- The gateway's data, and all the rest, as JSON.
    data             text COLLATE "C",
    detail           text COLLATE "C" NOT NULL,
    -- What the indexes ask for; it follows from the columns above. The member as every request names it, the bizId that
    -- the answer carried, and marks.
    member           text COLLATE "C",
    returned_biz_id  text COLLATE "C",
    unsettled        boolean NOT NULL,
    holds_back       boolean NOT NULL,
    due              boolean NOT NULL,
    unfinished       boolean NOT NULL,
    retired          boolean NOT NULL,
    other_biz_id     boolean NOT NULL,
    refused_refund   boolean NOT NULL,
    -- Over all columns above but the earlier numbers.
    checksum         bytea NOT NULL,
    operation        text COLLATE "C" NOT NULL DEFAULT 'consume',
    -- By the database's clock, for people.
    recorded_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The bizId first: a consume asks whether it has a record under another account.
    PRIMARY KEY (biz_id, open_id, environment)
);
CREATE INDEX IF NOT EXISTS zv_entry_member ON SCHEMA.zv_entry (open_id, environment, member) WHERE holds_back;
CREATE INDEX IF NOT EXISTS zv_entry_unsettled
    ON SCHEMA.zv_entry (created_unix_ms, open_id, environment, biz_id) WHERE unsettled;
CREATE INDEX IF NOT EXISTS zv_entry_due ON SCHEMA.zv_entry (created_unix_ms, open_id, environment, biz_id) WHERE due;
CREATE INDEX IF NOT EXISTS zv_entry_unfinished
    ON SCHEMA.zv_entry (created_unix_ms, open_id, environment, biz_id) WHERE unfinished;
CREATE INDEX IF NOT EXISTS zv_entry_refused_refund
    ON SCHEMA.zv_entry (created_unix_ms, open_id, environment, biz_id) WHERE refused_refund;
CREATE INDEX IF NOT EXISTS zv_entry_owner ON SCHEMA.zv_entry (owner) WHERE unsettled;
CREATE INDEX IF NOT EXISTS zv_entry_created ON SCHEMA.zv_entry (created_unix_ms) WHERE NOT retired;
CREATE INDEX IF NOT EXISTS zv_entry_returned
    ON SCHEMA.zv_entry (open_id, environment, returned_biz_id) WHERE other_biz_id;

-- Which entries name a coupon, as every request names it.
CREATE TABLE IF NOT EXISTS SCHEMA.zv_coupon (
    open_id     text COLLATE "C" NOT NULL,
    environment text COLLATE "C" NOT NULL,
    coupon      text COLLATE "C" NOT NULL,
    biz_id      text COLLATE "C" NOT NULL,
    PRIMARY KEY (open_id, environment, coupon, biz_id)
);

-- The days far from the time of its intent under which an entry is filed.
CREATE TABLE IF NOT EXISTS SCHEMA.zv_filed (
    day         bigint NOT NULL,
    open_id     text COLLATE "C" NOT NULL,
    environment text COLLATE "C" NOT NULL,
    biz_id      text COLLATE "C" NOT NULL,
    PRIMARY KEY (day, open_id, environment, biz_id)
);

-- The nodes that are not forgotten.
CREATE TABLE IF NOT EXISTS SCHEMA.zv_node (
    owner   text COLLATE "C" PRIMARY KEY,
    host    text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    beat    bigint NOT NULL,
    dead    boolean NOT NULL,
    joined  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Who settles.
CREATE TABLE IF NOT EXISTS SCHEMA.zv_role (
    name  text COLLATE "C" PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    term  bigint NOT NULL
);

-- The format of these tables and the journal's own identity. It is written last.
CREATE TABLE IF NOT EXISTS SCHEMA.zv_journal (
    one    integer PRIMARY KEY CHECK (one = 1),
    format integer NOT NULL,
    id     text COLLATE "C" NOT NULL,
    -- NULL for a journal that works; else where it was moved to, or comes from.
    place  text COLLATE "C"
);
