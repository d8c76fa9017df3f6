/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/index_open.h"
#include "analyzer/index/index_private.h"
#include "inquest/base/temporary_file.h"

static int copy_pages(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup)
        return sqlite3_errcode(to);
    sqlite3_backup_step(backup, -1);
    return sqlite3_backup_finish(backup);
}

static enum status copy_into(struct index *index, const struct temporary_file *file,
                             struct error *err)
{
    sqlite3 *to = NULL;
    int code = index_open_path(file->path, "", SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, &to);
    if (code == SQLITE_OK)
        code = sqlite3_exec(to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;", NULL, NULL,
                            NULL);
    if (code == SQLITE_OK)
        code = copy_pages(index->db, to);
    int reason = to ? sqlite3_system_errno(to) : 0;
    sqlite3_close(to);
    enum status status = index_status(code, false);
    if (status == STATUS_OUTPUT && reason)
        return error_set_errno(err, status, reason, "%s: cannot be written", file->target);
    if (status != STATUS_OK)
        return error_set(err, status, "%s: cannot be copied to %s: %s", index->name, file->target,
                         sqlite3_errstr(code));
    return STATUS_OK;
}

enum status index_copy(struct index *index, const char *path, struct index **ret_index,
                       struct error *err)
{
    struct temporary_file file;
    enum status status = temporary_file_create(path, &file, err);
    if (status != STATUS_OK)
        return status;
    status = copy_into(index, &file, err);
    if (status == STATUS_OK)
        status = temporary_file_publish(&file, err);
    else
        temporary_file_deinit(&file);
    return status == STATUS_OK ? index_open(path, ret_index, err) : status;
}
