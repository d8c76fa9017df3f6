-- The index's tables. The promised columns are those of the contract; what is
-- added here is listed in the README. Bump INDEX_SCHEMA_VERSION on any change.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE warning (area TEXT, message TEXT);
CREATE TABLE thread (
    id INTEGER PRIMARY KEY, os_tid INTEGER, name TEXT, is_main INTEGER, is_crashed INTEGER,
    holds_gil INTEGER, state TEXT,
    ident INTEGER,          -- pthread_self(), threading.get_ident()
    is_python INTEGER,      -- has a PyThreadState
    collecting INTEGER,     -- was running the garbage collector
    waits_for TEXT,         -- the lock or call it sleeps in, in words
    waits_for_address INTEGER,
    state_address INTEGER,  -- its PyThreadState
    stack_note TEXT         -- why frames are missing, NULL where none are
);
CREATE TABLE frame (
    id INTEGER PRIMARY KEY, thread_id INTEGER, depth INTEGER, kind TEXT, function TEXT, file TEXT,
    line INTEGER, column INTEGER, object_id INTEGER,
    end_line INTEGER, end_column INTEGER,
    address INTEGER, code_address INTEGER,
    owner TEXT              -- generator, coroutine, ... that owns the frame, NULL for a plain call
);
CREATE TABLE local (
    frame_id INTEGER, name TEXT, kind TEXT, type TEXT, value TEXT, object_id INTEGER,
    address INTEGER
);
CREATE TABLE exception (
    id INTEGER PRIMARY KEY, thread_id INTEGER, position INTEGER, relation TEXT, type TEXT,
    message TEXT, object_id INTEGER,
    parent_id INTEGER,      -- the exception that this one is a cause, context or member of
    state TEXT,             -- 'in flight' or 'handled', of position 0
    notes TEXT,             -- __notes__, U+001E between one and the next
    address INTEGER,
    is_suppressed INTEGER   -- __suppress_context__: a traceback leaves its context out
);
CREATE TABLE traceback (
    exception_id INTEGER, depth INTEGER, function TEXT, file TEXT, line INTEGER,
    column INTEGER
);
CREATE TABLE memory (region TEXT, bytes INTEGER, detail TEXT);
CREATE TABLE mapped_file (
    path TEXT, start INTEGER, "end" INTEGER, build_id TEXT,
    source TEXT             -- 'absent', 'proven', 'other build', 'unproven'
);
CREATE TABLE type (
    id INTEGER PRIMARY KEY, address INTEGER, name TEXT, instances INTEGER, shallow INTEGER,
    retained INTEGER,
    module TEXT,            -- where it was defined, 'builtins' for bare names
    unreachable INTEGER     -- of the instances, those that no root leads to
);
CREATE TABLE root (object_id INTEGER, kind TEXT, label TEXT);
CREATE TABLE largest (      -- the objects that retain most
    object_id INTEGER PRIMARY KEY, type_id INTEGER, size INTEGER, retained INTEGER,
    path TEXT,              -- the shortest from a root, as Python would write it
    value TEXT              -- its repr, bounded
);
