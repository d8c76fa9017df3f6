/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_POSTMORTEM_PARTS_H
#define INQUEST_REPORTS_COMMANDS_POSTMORTEM_PARTS_H

#include "inquest/analyzer/index.h"
#include "reports/render/json.h"
#include "reports/render/table.h"

/* What a post-mortem says beside the stacks: tasks, what fills the memory, cycles, waste.
 * Each part is a statement over the index and its columns; one that has no rows is left
 * out. */
struct part_table {
    const char *name, *title; /* "suspects", "Leak suspects" */
    struct table table;
    int64_t more; /* rows beyond those in the table */
};

struct parts {
    struct arena arena;
    ARRAY(struct part_table) tables;
    ARRAY(const char *) sentences; /* what matters, most important first; unescaped */
    struct text drawings;          /* of garbage cycles: SVG for a page */
};

enum status parts_load(struct index *index, struct parts *ret_parts, struct error *err) MUST_CHECK;
void parts_deinit(struct parts *parts);

void parts_text(const struct parts *parts, size_t width, struct text *text);
void parts_markdown(const struct parts *parts, struct text *text);
void parts_html(const struct parts *parts, struct text *text);
void parts_json(const struct parts *parts, struct json_writer *json); /* members */

#endif
