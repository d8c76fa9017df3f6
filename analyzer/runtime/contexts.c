/* SPDX-License-Identifier: Apache-2.0 */
/* Context variables: a Context holds a persistent hash tree (Python/context.c,
 * Python/hamt.c, the same in 3.8 to 3.15).
 *
 * OFFSET (layout)      SIZE  MEANING
 * context_variables    8     of a Context: its tree
 * hamt_root            8     of a tree: the topmost node
 * hamt_count           8     of a tree: variables in it
 * A node is one of
 *   array node         hamt_array_size bytes; from hamt_array_children on 32
 *                      pointers to nodes, NULL for none
 *   bitmap node,       var_size words from hamt_items on: pairs of variable and
 *   collision node     value; in a bitmap node also of NULL and a node */
#include "analyzer/runtime/contexts.h"

#include "analyzer/objects/fields.h"
#include "inquest/base/array.h"
#include "inquest/base/limits.h"

#define ARRAY_CHILDREN 32
#define ITEMS_MAX      (UINT64_C(1) << 20) /* words of one node */
#define NODES_MAX      1000000u            /* of one tree */

struct tree_walk {
    struct python_process *process;
    context_visitor visit;
    void *context;
    ARRAY(uint64_t) waiting; /* nodes */
    uint64_t nodes;          /* met so far */
    uint64_t left;           /* variables that the tree says it has, not met yet */
    enum status problem;
};

static enum status add_node(struct tree_walk *walk, uint64_t addr)
{
    if (++walk->nodes > NODES_MAX) {
        walk->problem = STATUS_CORRUPT;
        return STATUS_OK;
    }
    return array_push(&walk->waiting, addr) ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status visit_children(struct tree_walk *walk, uint64_t addr)
{
    uint64_t children_addr = addr + layout_get(&walk->process->layout, PY_hamt_array_children);
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < ARRAY_CHILDREN && status == STATUS_OK; i++) {
        uint64_t child_addr;
        if (pointer_at(walk->process, children_addr + 8 * (uint64_t)i, &child_addr) != STATUS_OK)
            walk->problem = STATUS_NOT_IN_DUMP;
        else if (child_addr)
            status = add_node(walk, child_addr);
    }
    return status;
}

static enum status visit_pairs(struct tree_walk *walk, uint64_t addr)
{
    struct python_process *process = walk->process;
    int64_t words;
    if (object_size(process, addr, &words) != STATUS_OK || words < 0 ||
        (uint64_t)words > ITEMS_MAX || words % 2) {
        walk->problem = STATUS_CORRUPT;
        return STATUS_OK;
    }
    uint64_t items_addr = addr + layout_get(&process->layout, PY_hamt_items);
    const uint8_t *items = view_at(process, items_addr, 8 * (uint64_t)words);
    enum status status = STATUS_OK;
    if (!items)
        walk->problem = STATUS_NOT_IN_DUMP;
    for (int64_t i = 0; items && i < words && status == STATUS_OK; i += 2) {
        uint64_t key = load_u64(items + 8 * i), value = load_u64(items + 8 * i + 8);
        if (!key && value) {
            status = add_node(walk, value);
        } else if (key && walk->left) {
            walk->left--;
            status = walk->visit(walk->context, key, value);
        } else {
            walk->problem = STATUS_CORRUPT;
        }
    }
    return status;
}

static enum status visit_node(struct tree_walk *walk, uint64_t addr)
{
    const struct python_layout *layout = &walk->process->layout;
    const struct python_type *type;
    if (object_type(walk->process, addr, &type) != STATUS_OK) {
        walk->problem = STATUS_CORRUPT;
        return STATUS_OK;
    }
    if ((uint64_t)type->basicsize == layout_get(layout, PY_hamt_array_size))
        return visit_children(walk, addr);
    if ((uint64_t)type->basicsize == layout_get(layout, PY_hamt_items) && type->itemsize == 8)
        return visit_pairs(walk, addr);
    walk->problem = STATUS_CORRUPT;
    return STATUS_OK;
}

enum status context_variables(struct python_process *process, uint64_t context_addr,
                              context_visitor visit, void *context)
{
    struct tree_walk walk = {.process = process, .visit = visit, .context = context};
    uint64_t tree_addr = 0, root_addr = 0;
    enum status status = object_pointer(process, context_addr, PY_context_variables, &tree_addr);
    if (status == STATUS_OK && tree_addr)
        status = object_pointer(process, tree_addr, PY_hamt_root, &root_addr);
    if (status == STATUS_OK && tree_addr)
        status = object_pointer(process, tree_addr, PY_hamt_count, &walk.left);
    if (status != STATUS_OK)
        return status;
    if (root_addr)
        status = add_node(&walk, root_addr);
    while (walk.waiting.count && status == STATUS_OK && walk.nodes <= NODES_MAX)
        status = visit_node(&walk, walk.waiting.items[--walk.waiting.count]);
    array_deinit(&walk.waiting);
    if (status == STATUS_OK && walk.left && walk.problem == STATUS_OK)
        walk.problem = STATUS_CORRUPT;
    return status == STATUS_OK ? walk.problem : status;
}

/* ---- rows */

struct row_context {
    struct context_rows *rows;
    int64_t thread_id, task_id;
};

static enum status write_variable(void *context, uint64_t variable_addr, uint64_t value_addr)
{
    struct row_context *row_context = context;
    struct context_rows *rows = row_context->rows;
    uint64_t name_addr;
    const char *name;
    if (rows->count >= LIMIT_CONTEXT_VARIABLES)
        return STATUS_OK;
    if (object_pointer(rows->process, variable_addr, PY_contextvar_name, &name_addr) != STATUS_OK ||
        str_name(rows->process, name_addr, &name) != STATUS_OK) {
        rows->damaged++;
        return STATUS_OK;
    }
    struct text text = {0};
    if (!rows->process->redaction)
        context_span_ids(rows->process, value_addr, &text);
    const struct value_memo_entry *value = value_memo_get(rows->values, rows->process, value_addr);
    text_append(&text, text_string(&value->text));
    const struct index_value row[] = {
        INDEX_INT_IF(row_context->thread_id, row_context->thread_id),
        INDEX_INT_IF(row_context->task_id, row_context->task_id),
        INDEX_STR(name),
        INDEX_STR(value->type_name),
        INDEX_STR(text_string(&text)),
        INDEX_NONE,
        INDEX_INT(value_addr),
    };
    enum status status = text_ok(&text) ? index_writer_row(rows->writer, INDEX_CONTEXT_VARIABLE,
                                                           row, sizeof row / sizeof *row)
                                        : STATUS_NO_MEMORY;
    text_deinit(&text);
    rows->count++;
    return status;
}

enum status context_rows_write(struct context_rows *rows, uint64_t context_addr, int64_t thread_id,
                               int64_t task_id)
{
    struct row_context row_context = {rows, thread_id, task_id};
    if (!context_addr || rows->count >= LIMIT_CONTEXT_VARIABLES)
        return STATUS_OK;
    enum status status =
        context_variables(rows->process, context_addr, write_variable, &row_context);
    if (status == STATUS_NOT_IN_DUMP || status == STATUS_CORRUPT) {
        rows->damaged++;
        return STATUS_OK;
    }
    return status;
}

enum status context_rows_finish(struct context_rows *rows)
{
    enum status status = STATUS_OK;
    if (rows->count >= LIMIT_CONTEXT_VARIABLES)
        status = index_writer_warning(
            rows->writer, "context",
            "there are more than 2,000,000 context variables: the rest is left out");
    if (rows->damaged && status == STATUS_OK)
        status = index_writer_warning(rows->writer, "context",
                                      "some context variables can't be read: their memory is "
                                      "damaged or not in the core");
    return status;
}
