-- One row for each bizId of each account and endpoint.
CREATE TABLE entry (
    open_id         TEXT    NOT NULL,
    endpoint        TEXT    NOT NULL,
    biz_id          TEXT    NOT NULL,
    stage           TEXT    NOT NULL,
    -- Grows with every change; a change is written only over the revision that it was made from.
    revision        INTEGER NOT NULL,
    attempt         INTEGER NOT NULL,
    owner           TEXT    NOT NULL,
    on_unknown      TEXT    NOT NULL,
    -- By the till's clock, for people and the day-end comparison; nothing is decided by it.
    created_unix_ms INTEGER NOT NULL,
    -- What was asked, and all the rest, as JSON.
    identity        TEXT    NOT NULL,
    detail          TEXT    NOT NULL,
    -- The answer carried another bizId than the one that was sent.
    other_biz_id    INTEGER NOT NULL,
    -- It succeeded, and the till has not read that, or has not confirmed it though it must.
    unfinished      INTEGER NOT NULL,
    -- Its details were dropped: what is left is that the bizId was used, and how it ended.
    retired         INTEGER NOT NULL,
    -- Over all columns above.
    checksum        TEXT    NOT NULL,
    PRIMARY KEY (open_id, endpoint, biz_id)
) WITHOUT ROWID;

CREATE INDEX entry_unsettled ON entry (created_unix_ms)
    WHERE stage IN ('sending', 'unknown', 'reversing', 'refused', 'unproven');
CREATE INDEX entry_unfinished ON entry (created_unix_ms) WHERE unfinished = 1;
CREATE INDEX entry_other_biz_id ON entry (open_id, endpoint) WHERE other_biz_id = 1;
CREATE INDEX entry_created ON entry (created_unix_ms) WHERE retired = 0;

-- How many changes were committed: held against the mark beside the file.
CREATE TABLE journal (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL);
INSERT INTO journal VALUES (1, 0);
