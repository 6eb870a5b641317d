-- What was looked at. A file of another version is begun anew.
CREATE TABLE place (
  only       INTEGER PRIMARY KEY CHECK (only = 1),
  version    INTEGER NOT NULL,            -- of this schema
  basis      TEXT    NOT NULL,            -- by what the labels were made; with another every one is due again
  begun      INTEGER NOT NULL,            -- 0: nothing was looked for yet
  after      INTEGER NOT NULL,            -- documents with a higher leaf index are new
  before     INTEGER NOT NULL,            -- documents with a lower one are left from earlier
  position   INTEGER NOT NULL,            -- newest document that was taken up, by its leaf index ...
  commitment BLOB    NOT NULL             -- ... and what it must be; empty: none was
) STRICT;

-- What is known of each document.
CREATE TABLE label (
  commitment BLOB    PRIMARY KEY,         -- of its record, in the epoch that accepted it
  again_ms   INTEGER NOT NULL,            -- when it is looked at, Unix milliseconds; 0: not again
  looks      INTEGER NOT NULL,            -- 0: put off, not looked at yet
  labels     BLOB    NOT NULL             -- DocumentLabels
) STRICT, WITHOUT ROWID;
CREATE INDEX label_again ON label (again_ms) WHERE again_ms > 0;
