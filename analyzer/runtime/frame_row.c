/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/frame_row.h"

enum status frame_row_write(struct index_writer *writer, enum index_table table,
                            struct code_table *codes, const struct frame_fact *frame, int64_t id,
                            int64_t owner_id, int64_t depth)
{
    struct source_position position = {-1, -1, -1, -1};
    struct code_info *code = frame->code;
    if (code)
        position = code_position(codes, code, frame->offset);
    const struct index_value row[] = {
        INDEX_INT(id),
        INDEX_INT(owner_id),
        INDEX_INT(depth),
        INDEX_STR("python"),
        INDEX_STR(code ? code->function : "?"),
        INDEX_STR(code ? code->file : NULL),
        INDEX_INT_IF(position.line > 0, position.line),
        INDEX_INT_IF(position.column >= 0, position.column),
        INDEX_NONE,
        INDEX_INT_IF(position.end_line > 0, position.end_line),
        INDEX_INT_IF(position.end_column >= 0, position.end_column),
        INDEX_INT(frame->addr),
        INDEX_INT_IF(code, code ? code->addr : 0),
        INDEX_STR(code ? code_owner_name(code) : NULL),
    };
    return index_writer_row(writer, table, row, sizeof row / sizeof *row);
}
