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
    stack_note TEXT,        -- why frames are missing, NULL where none are
    waits_for_thread_id INTEGER, -- that holds its lock, or that it joins; NULL: not known
    is_deadlocked INTEGER   -- it waits for itself, through others
);
-- object_id, here and below: NULL too where the index has no heap (meta.parts).
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
    retained INTEGER,       -- what each instance keeps, those within another counted once
    module TEXT,            -- where it was defined, 'builtins' for bare names
    unreachable INTEGER     -- of the instances, those that no root leads to
);
CREATE TABLE root (object_id INTEGER, kind TEXT, label TEXT);
CREATE TABLE largest (      -- the objects that retain most
    object_id INTEGER PRIMARY KEY, type_id INTEGER, size INTEGER, retained INTEGER,
    path TEXT,              -- the shortest from a root, as Python would write it
    value TEXT              -- its repr, bounded
);
CREATE TABLE shared_size (  -- what `size` counts with two objects and sums count once
    object_id INTEGER PRIMARY KEY,
    bytes INTEGER           -- of the object's size, those of a bytes object that it alone holds
);
CREATE TABLE suspect (
    rank INTEGER PRIMARY KEY, kind TEXT, title TEXT, object_id INTEGER, type_id INTEGER,
    instances INTEGER, shallow INTEGER, retained INTEGER, share REAL, path TEXT, why TEXT,
    fingerprint TEXT,       -- the same in every dump of the program: no address goes in
    holder TEXT,            -- what kind of thing holds it, in words
    accumulation_id INTEGER, accumulation_path TEXT,
    parent_rank INTEGER,    -- the suspect or candidate that it is a part of
    is_structure INTEGER    -- falls apart into a few large parts, not into many small ones
);
CREATE TABLE suspect_candidate ( -- as suspect, ranks too: below the default thresholds
    rank INTEGER PRIMARY KEY, kind TEXT, title TEXT, object_id INTEGER, type_id INTEGER,
    instances INTEGER, shallow INTEGER, retained INTEGER, share REAL, path TEXT, why TEXT,
    fingerprint TEXT, holder TEXT, accumulation_id INTEGER, accumulation_path TEXT,
    parent_rank INTEGER, is_structure INTEGER
);
CREATE TABLE suspect_part ( -- what is inside of a suspect, and samples of it
    suspect_rank INTEGER,   -- or a candidate's
    kind TEXT,              -- 'type', 'field', 'sample', 'holder' (of a group), 'allocated at'
    position INTEGER,       -- the largest first
    title TEXT, object_id INTEGER, instances INTEGER, bytes INTEGER, share REAL
);
CREATE TABLE allocation_site ( -- of tracemalloc's own tables in the core
    position INTEGER, file TEXT, line INTEGER, bytes INTEGER, count INTEGER,
    suspect_rank INTEGER    -- NULL: of the whole process
);
CREATE TABLE cycle (
    id INTEGER PRIMARY KEY, shape TEXT, is_garbage INTEGER, members INTEGER, bytes INTEGER,
    copies INTEGER, has_finalizer INTEGER, has_weakref_callback INTEGER,
    retained INTEGER,       -- with what only single members of it hold
    kind TEXT,              -- 'garbage', 'data', or 'program': of types, modules, functions
    object_id INTEGER,      -- in copy 1, where the shape begins
    nodes INTEGER,          -- objects of copy 1, a __dict__ not counted beside its instance
    within_id INTEGER       -- the cycle that it is a part of, through types and modules
);
CREATE TABLE cycle_member (cycle_id INTEGER, object_id INTEGER, copy INTEGER);
CREATE TABLE cycle_edge (   -- of copy 1, among some objects; a __dict__ is its instance
    cycle_id INTEGER, position INTEGER, source_id INTEGER, target_id INTEGER, label TEXT,
    PRIMARY KEY (cycle_id, position)
) WITHOUT ROWID;
CREATE TABLE collector (    -- one row a generation of the garbage collector
    generation INTEGER, threshold INTEGER, count INTEGER, objects INTEGER,
    collections INTEGER, collected INTEGER, uncollectable INTEGER,
    garbage INTEGER         -- of the objects, those in cycles that no root leads to
);
CREATE TABLE collector_state ( -- one row
    is_enabled INTEGER, is_collecting INTEGER, debug INTEGER,
    frozen INTEGER,         -- objects that gc.freeze() took out
    kept INTEGER,           -- length of gc.garbage
    garbage_cycles INTEGER, garbage_objects INTEGER, garbage_bytes INTEGER,
    why TEXT                -- that is still there, in words; NULL: there is none
);
CREATE TABLE waste (
    kind TEXT, title TEXT, count INTEGER, bytes INTEGER, object_id INTEGER,
    held_by TEXT,           -- what refers to most of them: "shop.models.Order.status"
    size INTEGER            -- of one, in bytes; NULL where they differ
);
CREATE TABLE task (
    id INTEGER PRIMARY KEY, object_id INTEGER, name TEXT, state TEXT, coroutine TEXT,
    thread_id INTEGER,      -- the one that runs its loop
    address INTEGER, loop_address INTEGER,
    waits_for TEXT,         -- what it awaits, in words
    is_deadlocked INTEGER,  -- it waits for itself, through others
    coroutine_address INTEGER
);
CREATE TABLE task_wait (
    task_id INTEGER, awaits_task_id INTEGER,
    via TEXT                -- 'await', 'gather', 'TaskGroup', 'shield', 'Lock', ...
);
CREATE TABLE task_frame (
    id INTEGER PRIMARY KEY, task_id INTEGER, depth INTEGER, kind TEXT, function TEXT, file TEXT,
    line INTEGER, column INTEGER, object_id INTEGER, end_line INTEGER, end_column INTEGER,
    address INTEGER, code_address INTEGER,
    owner TEXT              -- coroutine, generator, ...; NULL: a plain call of a running task
);
CREATE TABLE context_variable (
    thread_id INTEGER,      -- of its current context, or
    task_id INTEGER,        -- of this task's
    name TEXT, type TEXT, value TEXT, object_id INTEGER, address INTEGER
);
CREATE TABLE content (      -- tells objects apart that had one address one after the other
    first_id INTEGER PRIMARY KEY,
    hashes BLOB             -- 4 bytes an object, from this one on; 0: nothing to go by
);
CREATE TABLE function (
    id INTEGER PRIMARY KEY, name TEXT, file TEXT, line INTEGER,
    name_bytes BLOB, file_bytes BLOB -- as they are, where they are no UTF-8; else NULL
);
CREATE TABLE node (
    id INTEGER PRIMARY KEY, parent_id INTEGER, function_id INTEGER, line INTEGER, self, total,
    count INTEGER,          -- samples or blocks, with what is below; of pstats, calls
    track_id INTEGER,
    self_count INTEGER      -- samples or blocks of stacks that end here
);
CREATE TABLE call (
    caller_id INTEGER, callee_id INTEGER, calls INTEGER, primitive_calls INTEGER, self REAL,
    total REAL,
    is_count INTEGER        -- the file has the number of calls alone
);
CREATE TABLE stat (
    function_id INTEGER, calls INTEGER, primitive_calls INTEGER, self REAL, total REAL
);
CREATE TABLE trace (node_id INTEGER, domain INTEGER, size INTEGER, count INTEGER);
CREATE TABLE sample_track (
    id INTEGER PRIMARY KEY, name TEXT, pid INTEGER, tid INTEGER, unit TEXT,
    state TEXT              -- of py-spy dump: 'idle', 'active', 'active+gil'
);
