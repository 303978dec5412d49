-- The copy of all journals. {ID} is a number that the database gives.
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE till (
    till        {ID},
    chain       TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    shop        TEXT   NOT NULL,
    -- The SHA-256 of its token.
    token       TEXT   NOT NULL,
    enrolled_ms BIGINT NOT NULL,
    -- When it was last heard of, by the collector's clock as every time below but those of an entry.
    seen_ms     BIGINT,
    UNIQUE (chain, name)
);

CREATE TABLE journal (
    journal     {ID},
    till        BIGINT NOT NULL REFERENCES till (till),
    id          TEXT   NOT NULL,
    first_ms    BIGINT NOT NULL,
    seen_ms     BIGINT NOT NULL,
    -- When everything was there that the journal had.
    complete_ms BIGINT,
    -- Everything up to this event is here.
    shipped     BIGINT NOT NULL,
    -- How many entries the till says it has, and how many of them are here.
    entries     BIGINT NOT NULL,
    held        BIGINT NOT NULL,
    UNIQUE (till, id)
);

CREATE TABLE entry (
    journal       BIGINT NOT NULL REFERENCES journal (journal),
    open_id       TEXT   NOT NULL,
    environment   TEXT   NOT NULL,
    biz_id        TEXT   NOT NULL,
    number        BIGINT NOT NULL,
    revision      BIGINT NOT NULL,
    stage         TEXT   NOT NULL,
    unsettled     BIGINT NOT NULL,
    retired       BIGINT NOT NULL,
    attempt       BIGINT NOT NULL,
    created_ms    BIGINT NOT NULL,
    at_ms         BIGINT NOT NULL,
    member        TEXT,
    coupons       TEXT,
    amount        BIGINT,
    device        TEXT,
    shop          TEXT,
    operator      TEXT,
    code          TEXT,
    other_biz_id  TEXT,
    unfinished    BIGINT NOT NULL,
    by_person     BIGINT NOT NULL,
    sold          BIGINT NOT NULL,
    day           BIGINT NOT NULL,
    hour          BIGINT NOT NULL,
    back_day      BIGINT,
    back_hour     BIGINT,
    elsewhere     BIGINT NOT NULL,
    sum_fen       BIGINT,
    recharge      BIGINT,
    gift          BIGINT,
    points        BIGINT NOT NULL,
    coupons_taken BIGINT NOT NULL,
    received_ms   BIGINT NOT NULL,
    -- The same bizId of the same account is under another journal, too.
    twin          BIGINT NOT NULL,
    PRIMARY KEY (journal, open_id, environment, biz_id)
);

CREATE INDEX entry_biz_id ON entry (biz_id);
CREATE INDEX entry_day ON entry (day);
CREATE INDEX entry_back ON entry (back_day) WHERE back_day IS NOT NULL;
CREATE INDEX entry_unsettled ON entry (at_ms) WHERE unsettled = 1;

CREATE TABLE gap (
    gap        {ID},
    till       BIGINT NOT NULL REFERENCES till (till),
    journal    BIGINT NOT NULL REFERENCES journal (journal),
    kind       TEXT   NOT NULL,
    first      BIGINT NOT NULL,
    last       BIGINT NOT NULL,
    entries    BIGINT NOT NULL,
    noticed_ms BIGINT NOT NULL,
    -- When what was missing had come after all.
    filled_ms  BIGINT,
    UNIQUE (till, journal, kind, first, last)
);

CREATE TABLE closing (
    closing   {ID},
    chain     TEXT   NOT NULL,
    day       BIGINT NOT NULL,
    closed_ms BIGINT NOT NULL,
    closed_by TEXT   NOT NULL,
    -- Nothing was open, missing or different.
    clean     BIGINT NOT NULL,
    report    TEXT   NOT NULL
);

CREATE INDEX closing_day ON closing (chain, day);
