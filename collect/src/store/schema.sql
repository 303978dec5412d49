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
    -- When it has last stated that it has no journal yet, and its business day then.
    empty_ms    BIGINT,
    empty_day   BIGINT,
    UNIQUE (chain, name)
);

-- A till that is gone is not awaited from a day on, until the day on which it was enrolled again.
CREATE TABLE retirement (
    retirement {ID},
    till       BIGINT NOT NULL REFERENCES till (till),
    day        BIGINT NOT NULL,
    ended_day  BIGINT,
    noted_ms   BIGINT NOT NULL,
    noted_by   TEXT   NOT NULL,
    reason     TEXT   NOT NULL
);

CREATE INDEX retirement_till ON retirement (till);

CREATE TABLE journal (
    journal     {ID},
    till        BIGINT NOT NULL REFERENCES till (till),
    id          TEXT   NOT NULL,
    first_ms    BIGINT NOT NULL,
    seen_ms     BIGINT NOT NULL,
    -- When everything was there that the journal had.
    complete_ms BIGINT,
    -- The till's own business day when it looked at what it has shipped then.
    complete_day BIGINT,
    -- Everything up to this event is here.
    shipped     BIGINT NOT NULL,
    -- How many entries the till says it has, and how many of them are here.
    entries     BIGINT NOT NULL,
    held        BIGINT NOT NULL,
    -- The round under way, the last part of it, and how many rounds there were.
    round       TEXT,
    part        BIGINT NOT NULL,
    rounds      BIGINT NOT NULL,
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
    -- What the journal said of this revision, and whether it has said something else of it since.
    digest        TEXT   NOT NULL,
    forked        BIGINT NOT NULL,
    -- The last round that has shipped it again.
    round         BIGINT NOT NULL,
    -- The journal no longer has it.
    lost          BIGINT NOT NULL,
    -- A person has accepted that nothing more comes of it.
    excused       BIGINT NOT NULL,
    PRIMARY KEY (journal, open_id, environment, biz_id)
);

CREATE INDEX entry_biz_id ON entry (biz_id);
CREATE INDEX entry_day ON entry (day);
CREATE INDEX entry_back ON entry (back_day) WHERE back_day IS NOT NULL;
CREATE INDEX entry_unsettled ON entry (at_ms) WHERE unsettled = 1;
CREATE INDEX entry_number ON entry (journal, number);
CREATE INDEX entry_lost ON entry (journal) WHERE lost = 1;
CREATE INDEX entry_forked ON entry (day) WHERE forked = 1;

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
    -- A person has looked at it.
    accepted_ms BIGINT,
    accepted_by TEXT,
    accepted_why TEXT
);

-- What comes after an acceptance is another gap.
CREATE UNIQUE INDEX gap_open ON gap (till, journal, kind, first, last) WHERE accepted_ms IS NULL;

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
