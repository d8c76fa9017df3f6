/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/index/index_open.h"
#include "analyzer/index/index_private.h"
#include "analyzer/index/virtual_tables.h"
#include "inquest/base/cleanup.h"

#define LONGEST_VALUE        (256 << 20) /* bytes of one value that a query may make */
#define META_ROWS            100000u
#define INDEX_STEPS_PER_CALL 1000 /* of SQLite's virtual machine */

/* A whole read of an index costs its size in steps, a few times over; one whose
 * pages point at each other would cost for ever. */
#define STEPS_ALWAYS   20000000
#define STEPS_PER_BYTE 16

enum status index_status(int code, bool reading)
{
    switch (code & 0xFF) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW: return STATUS_OK;
    case SQLITE_NOMEM: return STATUS_NO_MEMORY;
    case SQLITE_TOOBIG: return STATUS_OVER_LIMIT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_INTERRUPT: return STATUS_CORRUPT; /* the steps ran out */
    case SQLITE_ERROR:
    case SQLITE_AUTH:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
    case SQLITE_MISUSE: return STATUS_USAGE;
    default: return reading ? STATUS_IO : STATUS_OUTPUT;
    }
}

/* "./" keeps ":memory:" and "file:x" plain names; percent signs do the rest. */
int index_open_path(const char *path, const char *query, int flags, sqlite3 **ret_db)
{
    struct text uri;
    text_init(&uri);
    text_append(&uri, *path == '/' ? "file://" : "file:./");
    for (const char *c = path; *c; c++) {
        if (strchr("?#%&:", *c) || (unsigned char)*c <= ' ')
            text_printf(&uri, "%%%02x", (unsigned char)*c);
        else
            text_append_char(&uri, *c);
    }
    if (*query)
        text_printf(&uri, "?%s", query);
    int code = SQLITE_NOMEM;
    if (text_ok(&uri))
        code = sqlite3_open_v2(text_string(&uri), ret_db, flags | SQLITE_OPEN_URI, NULL);
    text_deinit(&uri);
    return code;
}

/* ---- What a statement may do: read, and nothing else. */

/* Those that tell of tables, and what a file says of itself as long as it is only asked. */
static bool may_run_pragma(const char *name, const char *argument)
{
    static const struct {
        const char *name;
        bool takes_argument;
    } pragmas[] = {{"table_info", true},
                   {"table_xinfo", true},
                   {"table_list", true},
                   {"application_id", false},
                   {"user_version", false}};
    for (size_t i = 0; name && i < sizeof pragmas / sizeof *pragmas; i++) {
        if (!sqlite3_stricmp(name, pragmas[i].name))
            return pragmas[i].takes_argument || !argument;
    }
    return false;
}

static int authorize(void *context, int action, const char *first, const char *second,
                     const char *database, const char *trigger)
{
    (void)context;
    (void)database;
    (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    /* table-valued functions declare their columns so; a real update of the schema
     * is refused by SQLite itself */
    case SQLITE_UPDATE: return first && !strcmp(first, "sqlite_master") ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_FUNCTION:
        return second && !sqlite3_stricmp(second, "load_extension") ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA: return may_run_pragma(first, second) ? SQLITE_OK : SQLITE_DENY;
    default: return SQLITE_DENY;
    }
}

static int count_steps(void *context)
{
    struct index *index = context;
    return !index->unbounded && --index->steps_left < 0;
}

void index_steps_reset(struct index *index)
{
    sqlite3_int64 bytes = 0;
    sqlite3_file *file = NULL;
    if (sqlite3_file_control(index->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        !file || !file->pMethods || file->pMethods->xFileSize(file, &bytes) != SQLITE_OK)
        bytes = 0;
    index->steps_left = (STEPS_ALWAYS + bytes * STEPS_PER_BYTE) / INDEX_STEPS_PER_CALL;
}

void index_unbound(struct index *index)
{
    index->unbounded = true;
}

static int harden(struct index *index)
{
    /* DQS off: a "column" that is not there is an error, not a string */
    static const int off[] = {SQLITE_DBCONFIG_DQS_DML, SQLITE_DBCONFIG_TRUSTED_SCHEMA,
                              SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
                              SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER};
    sqlite3 *db = index->db;
    int code = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    for (size_t i = 0; code == SQLITE_OK && i < sizeof off / sizeof *off; i++)
        code = sqlite3_db_config(db, off[i], 0, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
    sqlite3_progress_handler(db, INDEX_STEPS_PER_CALL, count_steps, index);
    virtual_tables_map(db, "main");
    return sqlite3_exec(db, "PRAGMA cell_size_check = ON; PRAGMA query_only = ON;", NULL, NULL,
                        NULL);
}

/* ---- Is it an index, and of this version? */

static int read_number(sqlite3 *db, const char *pragma, int64_t *ret_number)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, pragma, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(statement, 0);
    return sqlite3_finalize(statement);
}

static enum status check_identity(const struct index *index, struct error *err)
{
    int64_t application = 0, version = 0;
    int code = read_number(index->db, "PRAGMA application_id", &application);
    if (code == SQLITE_OK)
        code = read_number(index->db, "PRAGMA user_version", &version);
    if (code != SQLITE_OK)
        return error_set(err, index_status(code, true), "%s: cannot be read as an index: %s",
                         index->name, sqlite3_errmsg(index->db));
    if (application != INDEX_APPLICATION_ID)
        return error_set(err, STATUS_CORRUPT,
                         "%s: a SQLite database, but not one that inquest load wrote", index->name);
    if (version != INDEX_SCHEMA_VERSION)
        return error_set(err, STATUS_UNSUPPORTED,
                         "%s: an index of schema version %" PRId64
                         ", and this program reads version %d; load the dump again",
                         index->name, version, INDEX_SCHEMA_VERSION);
    return STATUS_OK;
}

static enum status check_table(const struct index *index, enum index_table table, struct error *err)
{
    const struct index_table_columns *columns = index_table_columns(table);
    sqlite3_stmt *statement = NULL;
    char *sql = sqlite3_mprintf("SELECT %s FROM \"%w\"", columns->columns, columns->name);
    if (!sql)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    int code = sqlite3_prepare_v2(index->db, sql, -1, &statement, NULL);
    sqlite3_free(sql);
    sqlite3_finalize(statement);
    if (code == SQLITE_OK)
        return STATUS_OK;
    enum status status = index_status(code, true);
    return error_set(err, status == STATUS_USAGE ? STATUS_CORRUPT : status,
                     "%s: a damaged index: table %s: %s", index->name, columns->name,
                     sqlite3_errmsg(index->db));
}

/* ---- meta, read once and kept. */

static bool keep_meta(struct index *index, struct index_rows *rows)
{
    const char *key = index_rows_text(rows, 0);
    struct index_meta_row row = {.key = key ? arena_strdup(&index->arena, key) : NULL};
    const char *value = index_rows_text(rows, 1);
    row.value = value ? arena_strdup(&index->arena, value) : NULL;
    if ((key && !row.key) || (value && !row.value))
        return false;
    return !key || array_push(&index->meta, row);
}

static enum status read_meta(struct index *index, struct error *err)
{
    struct index_rows *rows;
    enum status status = index_query(index, "SELECT key, value FROM meta", NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    bool kept = true;
    while (kept && index->meta.count < META_ROWS && index_rows_next(rows))
        kept = keep_meta(index, rows);
    status = index_rows_finish(rows, err);
    if (status == STATUS_OK && !kept)
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    return status;
}

const char *index_meta(struct index *index, const char *key)
{
    for (size_t i = 0; i < index->meta.count; i++) {
        if (!strcmp(index->meta.items[i].key, key))
            return index->meta.items[i].value;
    }
    return NULL;
}

/* ---- Opening. */

static enum status adopt(struct index *index, struct error *err)
{
    index_steps_reset(index);
    int code = harden(index);
    if (code == SQLITE_OK)
        code = virtual_tables_register(index->db);
    if (code != SQLITE_OK)
        return error_set(err, index_status(code, true), "%s: cannot be read as an index: %s",
                         index->name, sqlite3_errmsg(index->db));
    enum status status = check_identity(index, err);
    for (int table = 0; status == STATUS_OK && table < INDEX_TABLE_COUNT; table++)
        status = check_table(index, (enum index_table)table, err);
    if (status == STATUS_OK)
        sqlite3_set_authorizer(index->db, authorize, NULL);
    return status == STATUS_OK ? read_meta(index, err) : status;
}

enum status index_adopt(sqlite3 *db, const char *name, struct index **ret_index, struct error *err)
{
    struct index *index = calloc(1, sizeof *index);
    enum status status = STATUS_NO_MEMORY;
    if (!index) {
        sqlite3_close(db);
        return error_set(err, status, "out of memory");
    }
    index->db = db;
    arena_init(&index->arena);
    index->name = strdup(name);
    status = index->name ? adopt(index, err) : error_set(err, status, "out of memory");
    if (status != STATUS_OK) {
        index_close(index);
        return status;
    }
    *ret_index = index;
    return STATUS_OK;
}

/* What SQLite would only call "unable to open": said by the system's own words. */
static enum status check_readable(const char *path, struct error *err)
{
    struct stat status;
    int CLEANUP_CLOSE fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0)
        return error_set_errno(err, STATUS_IO, errno, "%s: cannot be opened", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, STATUS_IO, "%s: is not a regular file", path);
    return STATUS_OK;
}

/* An index never changes in place, so that it is read without locks or journals. */
enum status index_open(const char *path, struct index **ret_index, struct error *err)
{
    enum status status = check_readable(path, err);
    if (status != STATUS_OK)
        return status;
    sqlite3 *db = NULL;
    int code =
        index_open_path(path, "immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, &db);
    if (code == SQLITE_OK)
        return index_adopt(db, path, ret_index, err);
    status = error_set(err, index_status(code, true), "%s: cannot be opened: %s", path,
                       db ? sqlite3_errmsg(db) : "out of memory");
    sqlite3_close(db);
    return status;
}

enum status index_open_bytes(const char *name, const uint8_t *bytes, uint64_t size,
                             void (*release)(void *context), void *context,
                             struct index **ret_index, struct error *err)
{
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    /* READONLY: SQLite never writes to them */
    if (code == SQLITE_OK)
        code =
            sqlite3_deserialize(db, "main", (unsigned char *)(uintptr_t)bytes, (sqlite3_int64)size,
                                (sqlite3_int64)size, SQLITE_DESERIALIZE_READONLY);
    if (code != SQLITE_OK) {
        sqlite3_close(db);
        release(context);
        return error_set(err, index_status(code, true), "%s: cannot be read as an index", name);
    }
    struct index *index;
    enum status status = index_adopt(db, name, &index, err);
    if (status != STATUS_OK) {
        release(context);
        return status;
    }
    index->release = release;
    index->context = context;
    *ret_index = index;
    return STATUS_OK;
}

void index_set_name(struct index *index, const char *name)
{
    char *copy = strdup(name);
    if (!copy)
        return; /* the old one is no lie */
    free(index->name);
    index->name = copy;
}

void index_close(struct index *index)
{
    if (!index)
        return;
    sqlite3_close(index->db);
    if (index->release)
        index->release(index->context);
    array_deinit(&index->meta);
    arena_deinit(&index->arena);
    free(index->name);
    free(index);
}
