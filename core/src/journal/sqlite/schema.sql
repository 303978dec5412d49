-- Every change of an entry, in the order of the commits. An event is fed to the table of states outside of a call, and
-- then deleted; its number is never given again.
CREATE TABLE event (
    number          INTEGER PRIMARY KEY,
    open_id         TEXT    NOT NULL,
    environment     TEXT    NOT NULL,
    biz_id          TEXT    NOT NULL,
    -- Grows with every change; a change is written only over the revision that it was made from.
    revision        INTEGER NOT NULL,
    -- NULL: the till has read the success, and nothing else has changed; then the columns below are NULL, too.
    stage           TEXT,
    attempt         INTEGER,
    owner           TEXT,
    on_unknown      TEXT,
    -- By the till's clock, for people and the day-end comparison; nothing is decided by it.
    created_unix_ms INTEGER,
    -- What was asked. The coupons are a JSON list.
    customer_id     TEXT,
    kind            INTEGER,
    amount          TEXT,
    coupons         TEXT,
    points          INTEGER,
    -- Where and by whom.
    till            TEXT,
    operator_id     TEXT,
    operator_name   TEXT,
    store           TEXT,
    -- The gateway's data, and all the rest, as JSON.
    data            TEXT,
    detail          TEXT,
    -- Over all columns above.
    checksum        BLOB    NOT NULL,
    operation       TEXT    NOT NULL DEFAULT 'consume'
);

-- One row for each bizId of each account, after the event of that number.
CREATE TABLE state (
    number          INTEGER NOT NULL,
    open_id         TEXT    NOT NULL,
    environment     TEXT    NOT NULL,
    biz_id          TEXT    NOT NULL,
    revision        INTEGER NOT NULL,
    stage           TEXT    NOT NULL,
    attempt         INTEGER NOT NULL,
    owner           TEXT    NOT NULL,
    on_unknown      TEXT    NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    customer_id     TEXT,
    kind            INTEGER,
    amount          TEXT,
    coupons         TEXT,
    points          INTEGER,
    till            TEXT,
    operator_id     TEXT,
    operator_name   TEXT,
    store           TEXT,
    data            TEXT,
    detail          TEXT    NOT NULL,
    checksum        BLOB    NOT NULL,
    operation       TEXT    NOT NULL DEFAULT 'consume',
    -- What the indexes ask for; it follows from the columns above.
    unsettled       INTEGER NOT NULL,
    -- It succeeded, and the till has not read that, or has not confirmed it though it must.
    unfinished      INTEGER NOT NULL,
    -- Its details were dropped: what is left is that the bizId was used, and how it ended.
    retired         INTEGER NOT NULL,
    -- The answer carried another bizId than the one that was sent.
    other_biz_id    INTEGER NOT NULL,
    PRIMARY KEY (open_id, environment, biz_id)
) WITHOUT ROWID;

CREATE INDEX state_unsettled ON state (created_unix_ms) WHERE unsettled = 1;
CREATE INDEX state_unfinished ON state (created_unix_ms) WHERE unfinished = 1;
CREATE INDEX state_other_biz_id ON state (open_id, environment) WHERE other_biz_id = 1;
CREATE INDEX state_kept ON state (created_unix_ms) WHERE retired = 0 AND stage = 'kept';
CREATE INDEX state_created ON state (created_unix_ms) WHERE retired = 0;

-- The days far from the time of its intent under which an entry is filed.
CREATE TABLE filed (
    day      INTEGER NOT NULL,
    open_id  TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    biz_id   TEXT    NOT NULL,
    PRIMARY KEY (day, open_id, environment, biz_id)
) WITHOUT ROWID;

-- The last event that was fed.
CREATE TABLE fed (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL);

-- How many states there are and which of them a start lists, as sums over hashes: src/journal/sqlite/summary.rs.
CREATE TABLE summary (one INTEGER PRIMARY KEY CHECK (one = 1), content BLOB NOT NULL);

-- The hash of the bizId of every state, some hundreds a row.
CREATE TABLE used (part INTEGER PRIMARY KEY, hashes BLOB NOT NULL);

-- The journal's own identity.
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Every sale as it stands, for people with an SQLite shell; the library reads no view.
CREATE VIEW sale AS
    SELECT biz_id, stage, customer_id, amount, coupons, points, till, store, operator_id, operator_name,
           created_unix_ms, revision, attempt, data, detail, open_id, environment
    FROM event AS newest
    WHERE stage IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM event AS later
        WHERE later.number > newest.number AND later.stage IS NOT NULL AND later.open_id = newest.open_id
          AND later.environment = newest.environment AND later.biz_id = newest.biz_id)
    UNION ALL
    SELECT biz_id, stage, customer_id, amount, coupons, points, till, store, operator_id, operator_name,
           created_unix_ms, revision, attempt, data, detail, open_id, environment
    FROM state
    WHERE NOT EXISTS (
        SELECT 1 FROM event
        WHERE event.stage IS NOT NULL AND event.open_id = state.open_id AND event.environment = state.environment
          AND event.biz_id = state.biz_id);
