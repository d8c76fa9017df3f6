/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/retained_words.h"

#include <string.h>

#include "reports/render/table.h"

static const char *root_words(const char *kind)
{
    static const struct {
        const char *kind, *words;
    } known[] = {
        {"module", "modules"},
        {"builtins", "builtins"},
        {"type", "types"},
        {"frame", "running frames"},
        {"thread", "thread states"},
        {"interpreter", "the interpreter"},
        {"static", "C variables"},
        {"interned", "interned strings"},
        {"extension", "held by C code"},
        {"shared", "held by several roots"},
        {"unreachable", "unreachable"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].kind, kind) == 0)
            return known[i].words;
    return kind;
}

void retained_node_name(const struct retained_node *node, struct text *text)
{
    int64_t count = node->count < INT64_MAX ? (int64_t)node->count : INT64_MAX;
    switch (node->kind) {
    case RETAINED_ALL: text_append(text, "all objects"); return;
    case RETAINED_ROOTS: text_append(text, root_words(node->label)); return;
    case RETAINED_SMALLER:
        text_append(text, "… ");
        format_count(text, count);
        text_append(text, " smaller");
        return;
    default: break;
    }
    if (*node->label)
        text_printf(text, "%s: ", node->label);
    if (node->kind == RETAINED_GROUP || node->count > 1) {
        format_count(text, count);
        text_append(text, " × ");
    }
    text_append(text, node->type);
}
