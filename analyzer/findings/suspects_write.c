/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/suspects.h"
#include "analyzer/findings/suspects_sites.h"
#include "inquest/analyzer/index.h"

static struct index_value object_id(uint32_t object)
{
    return INDEX_INT_IF(object < GRAPH_NONE, object + UINT64_C(1));
}

static struct index_value words(const char *text)
{
    return INDEX_STR(*text ? text : NULL);
}

static enum status write_parts(const struct suspects *suspects, const struct suspect *suspect,
                               int64_t rank)
{
    struct index_writer *writer = suspects->findings->writer;
    enum status status = STATUS_OK;
    int64_t position = 0;
    const char *kind = NULL;
    for (size_t i = 0; i < suspect->parts.count && status == STATUS_OK; i++) {
        const struct suspect_part *part = &suspect->parts.items[i];
        position = kind == part->kind ? position + 1 : 1;
        kind = part->kind;
        const struct index_value row[] = {
            INDEX_INT(rank),        INDEX_STR(part->kind),    INDEX_INT(position),
            INDEX_STR(part->title), object_id(part->object),  INDEX_INT(part->instances),
            INDEX_INT(part->bytes), INDEX_FLOAT(part->share),
        };
        status = index_writer_row(writer, INDEX_SUSPECT_PART, row, sizeof row / sizeof *row);
    }
    return status;
}

static enum status write_suspect(const struct suspects *suspects, const struct suspect *suspect,
                                 int64_t rank)
{
    const struct index_value row[] = {
        INDEX_INT(rank),
        INDEX_STR(suspect_kind_names[suspect->kind]),
        INDEX_STR(suspect->title),
        object_id(suspect->object),
        INDEX_INT(suspect->type + UINT64_C(1)),
        INDEX_INT(suspect->instances),
        INDEX_INT(suspect->shallow),
        INDEX_INT(suspect->retained),
        INDEX_FLOAT(suspect->share),
        words(suspect->path),
        INDEX_STR(suspect->why),
        INDEX_STR(suspect->fingerprint),
        words(suspect->holder),
        object_id(suspect->accumulation),
        words(suspect->accumulation_path),
        INDEX_INT_IF(suspect->parent >= 0, suspect->parent + 1),
        INDEX_INT(suspect->is_structure),
    };
    enum status status = index_writer_row(
        suspects->findings->writer, suspect->is_alarm ? INDEX_SUSPECT : INDEX_SUSPECT_CANDIDATE,
        row, sizeof row / sizeof *row);
    return status == STATUS_OK ? write_parts(suspects, suspect, rank) : status;
}

enum status suspects_write(const struct findings *findings, struct error *err)
{
    struct suspects suspects;
    enum status status = suspects_find(findings, &suspects, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < suspects.items.count && status == STATUS_OK; i++)
        status = write_suspect(&suspects, &suspects.items.items[i], (int64_t)i + 1);
    if (status == STATUS_OK)
        status = suspect_sites_write(&suspects);
    suspects_deinit(&suspects);
    if (status != STATUS_OK)
        return error_set(err, status, "leak suspects: %s", status_name(status));
    return STATUS_OK;
}
