-- The ledger: what the journal adds up to. Everything here can be deleted and is
-- rebuilt; a row without a comment here is a row nobody understands in five years.

-- Where the ledger stands: written in the same transaction as the rows of the
-- block that brought it there.
CREATE TABLE position (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  version    INTEGER NOT NULL,            -- of this schema
  epoch      INTEGER NOT NULL,            -- of the checkpoint
  blocks     INTEGER NOT NULL,            -- blocks applied
  digest     BLOB    NOT NULL,            -- SHA-256 of the last block
  stream     INTEGER NOT NULL,            -- where the last block lies
  seq        INTEGER NOT NULL,
  size       INTEGER NOT NULL,            -- leaves of the tree
  root       BLOB    NOT NULL,
  time_ms    INTEGER NOT NULL,            -- journal time of the last record
  checkpoint BLOB    NOT NULL             -- signed note
) STRICT;

-- Stored hashes of the tree, numbered as golang.org/x/mod/sumdb/tlog does.
CREATE TABLE hash (id INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;

-- Where each record lies in the journal.
CREATE TABLE record (
  position INTEGER PRIMARY KEY,           -- leaf index
  kind     INTEGER NOT NULL,
  time_ms  INTEGER NOT NULL,
  stream   INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  nth      INTEGER NOT NULL,              -- within its block
  public   INTEGER NOT NULL               -- 1: served to everybody in lane 0
) STRICT;
CREATE INDEX record_public ON record (position) WHERE public = 1;
CREATE INDEX record_registry ON record (position) WHERE kind = 3;

-- Endpoints by a small number, in the order in which the journal first named them.
CREATE TABLE endpoint (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- Codes by a small number, in the order in which documents first named them, for the
-- tables recipient, mailbox and served: these have a row for every recipient of every
-- document, and are what a document to everybody costs. All other tables have codes as
-- text.
CREATE TABLE code (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE document (
  position    INTEGER PRIMARY KEY,        -- leaf index
  epoch       INTEGER NOT NULL,
  sender      TEXT    NOT NULL,
  id          TEXT    NOT NULL,
  manifest    BLOB    NOT NULL,           -- SHA-256
  commitment  BLOB    NOT NULL,
  endpoint    INTEGER NOT NULL,           -- that submitted it
  kind        TEXT    NOT NULL,
  lane        INTEGER NOT NULL,
  priority    INTEGER NOT NULL,
  subject     TEXT    NOT NULL,
  time_ms     INTEGER NOT NULL,
  deadline_ms INTEGER NOT NULL,           -- to be consigned by then; 0: none
  handover_ms INTEGER NOT NULL,           -- to be handed over by then; 0: none
  bytes       INTEGER NOT NULL,           -- of its files
  files       INTEGER NOT NULL,
  target      INTEGER,                    -- leaf index of the document it changes
  leaf        INTEGER NOT NULL,           -- leaf index in its own epoch: what evidence and receipts name
  asks        TEXT    NOT NULL            -- what it asks of its recipients, as package business names it; empty: nothing
) STRICT;
CREATE UNIQUE INDEX document_identity ON document (sender, id);
CREATE INDEX document_commitment ON document (commitment);
CREATE INDEX document_leaf ON document (leaf, epoch);
CREATE INDEX document_id ON document (id);

-- What is true of a document at one recipient.
CREATE TABLE recipient (
  document INTEGER NOT NULL,
  code     INTEGER NOT NULL,              -- as named
  serving  INTEGER,                       -- that serves it; NULL: the same
  endpoint INTEGER NOT NULL,
  state    INTEGER NOT NULL,              -- axispb.State
  since_ms INTEGER NOT NULL,
  evidence INTEGER,                       -- leaf index of what proves the state; NULL: the document's own
  agreed   INTEGER,                       -- leaf index of what first agreed to give it back; NULL: nothing did
  PRIMARY KEY (document, code)
) STRICT, WITHOUT ROWID;

-- Endpoints that have, or had, rows of a code: in their mailboxes is what waits for it.
CREATE TABLE served (
  serving  INTEGER NOT NULL,
  endpoint INTEGER NOT NULL,
  PRIMARY KEY (serving, endpoint)
) STRICT, WITHOUT ROWID;

-- Endpoints that once had a row of a document whose code has moved since.
CREATE TABLE moved (
  document INTEGER NOT NULL,
  code     TEXT    NOT NULL,
  endpoint INTEGER NOT NULL,
  PRIMARY KEY (document, code, endpoint)
) STRICT, WITHOUT ROWID;

-- Recipients that were refused, one by one; the reason is in the record.
CREATE TABLE refused (
  document INTEGER NOT NULL,
  code     TEXT    NOT NULL,
  reason   INTEGER NOT NULL,
  PRIMARY KEY (document, code)
) STRICT, WITHOUT ROWID;

-- Rows that wait for endpoints, in the order in which they are served.
CREATE TABLE mailbox (
  endpoint INTEGER NOT NULL,
  lane     INTEGER NOT NULL,
  position INTEGER NOT NULL,              -- record that made the row
  ordinal  INTEGER NOT NULL,              -- within that record
  record   INTEGER,                       -- leaf index of what is served; NULL: position
  code     INTEGER NOT NULL,
  serving  INTEGER,                       -- NULL: the same
  target   INTEGER NOT NULL,              -- axispb.Target
  PRIMARY KEY (endpoint, lane, position, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE evidence (
  position INTEGER PRIMARY KEY,
  document INTEGER,                       -- NULL: a refused submission
  code     TEXT    NOT NULL,
  event    INTEGER NOT NULL,
  issuer   TEXT    NOT NULL,
  counter  INTEGER NOT NULL,
  digest   BLOB    NOT NULL,              -- SHA-256 of the evidence's bytes
  standing INTEGER NOT NULL,
  time_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX evidence_document ON evidence (document, code, event) WHERE document IS NOT NULL;
CREATE UNIQUE INDEX evidence_counter ON evidence (issuer, counter) WHERE counter > 0;

-- Submissions that were refused as a whole; the evidence says why.
CREATE TABLE refusal (
  position INTEGER PRIMARY KEY,           -- of the evidence
  sender   TEXT    NOT NULL,              -- as far as the envelope could be read
  id       TEXT    NOT NULL,
  endpoint INTEGER NOT NULL,
  reason   INTEGER NOT NULL
) STRICT;
CREATE INDEX refusal_id ON refusal (id);

-- Which documents contain a chunk.
CREATE TABLE chunk (
  digest   BLOB    NOT NULL,
  document INTEGER NOT NULL,
  PRIMARY KEY (digest, document)
) STRICT, WITHOUT ROWID;

-- What becomes of each document's content. It may go once no recipient waits for it
-- and the sender's retention is over; only a record of the journal releases it.
CREATE TABLE holding (
  document    INTEGER PRIMARY KEY,
  sender      TEXT    NOT NULL,           -- whose policy holds
  waiting     INTEGER NOT NULL,           -- recipients in state 3, accepted
  settled_ms  INTEGER NOT NULL,           -- journal time at which a recipient's state changed last
  released_ms INTEGER NOT NULL            -- journal time of the release; 0: kept
) STRICT;
CREATE INDEX holding_due ON holding (sender, settled_ms) WHERE waiting = 0 AND released_ms = 0;

-- What was told about a document at one recipient, in journal order: what its sender
-- asked, and what the recipient does with it or answered. Nothing is judged away.
CREATE TABLE told (
  document INTEGER NOT NULL,
  code     TEXT    NOT NULL,              -- recipient, as the document names it
  position INTEGER NOT NULL,              -- of the status document, change or evidence that tells it
  what     TEXT    NOT NULL,              -- business state or request, as package business names it
  issuer   TEXT    NOT NULL,              -- agency, or endpoint, that tells it
  answers  INTEGER,                       -- position of the request that it answers; NULL: none
  answered TEXT,                          -- of a request: 15 or 16, empty while it is open; NULL: no request
  PRIMARY KEY (document, code, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX told_open ON told (document, code, position) WHERE answered = '';

-- Documents that their sender asked to have back.
CREATE TABLE recall (
  document INTEGER PRIMARY KEY,
  holding  INTEGER NOT NULL,              -- recipients that have neither agreed nor withdrawn it
  agreed   INTEGER NOT NULL,              -- recipients that agreed
  done     INTEGER NOT NULL               -- 1: its content was released
) STRICT;
CREATE INDEX recall_due ON recall (document) WHERE holding = 0 AND agreed > 0 AND done = 0;

-- Checkpoints of this log that the axis sealed and had time-stamped: the first whose
-- size is over a leaf says until when its record was there at the latest.
CREATE TABLE sealed (
  position INTEGER PRIMARY KEY,           -- of the record that has it
  size     INTEGER NOT NULL               -- of the checkpoint
) STRICT;
CREATE INDEX sealed_size ON sealed (size, position);

CREATE TABLE epoch (
  number   INTEGER PRIMARY KEY,
  position INTEGER NOT NULL,
  base     INTEGER NOT NULL,              -- size at which it was opened
  signed   BLOB    NOT NULL,              -- marshalled SignedEpoch
  lost     INTEGER NOT NULL               -- 1: known from a recovered record alone
) STRICT;

-- Records that an earlier epoch had accepted, lost and got back.
CREATE TABLE recovered (
  commitment BLOB    PRIMARY KEY,         -- of the earlier record
  position   INTEGER NOT NULL,            -- of the record that has it now
  epoch      INTEGER NOT NULL,            -- where it was
  leaf       INTEGER NOT NULL,
  kind       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX recovered_position ON recovered (position);
