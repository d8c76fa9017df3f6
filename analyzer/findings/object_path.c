/* SPDX-License-Identifier: Apache-2.0 */
/* The shortest way from a root to an object. An index that has object.parent_id knows
 * the step before each; otherwise it is searched for from the object backwards. Of ways
 * of one length it is the one that graph_paths finds: from the root whose kind explains
 * best, of these the first; then by the first reference that leads on. */
#include "inquest/analyzer/object_path.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/access_path.h"
#include "analyzer/findings/root_table.h"
#include "inquest/base/array.h"

#define MOST_STEPS 64

struct search {
    struct index *index;
    struct heap_reader *reader;
    struct root_table roots;
    uint32_t objects;
    uint32_t *steps_left; /* of each object that was met, plus 1 */
    ARRAY(uint32_t) queue;
    ARRAY(uint32_t) steps; /* the way, from the root to the object */
    struct error *err;
};

static enum status no_memory(struct search *search)
{
    return error_set(search->err, STATUS_NO_MEMORY, "paths: out of memory");
}

/* ---- By the column. */

/* 0: none. STATUS_USAGE: there is no such column. */
static enum status read_parent(struct search *search, uint32_t id, uint32_t *ret_parent)
{
    const struct index_value parameter = INDEX_INT(id);
    struct index_rows *rows;
    enum status status = index_query(search->index, "SELECT parent_id FROM object WHERE id = ?",
                                     &parameter, 1, &rows, search->err);
    if (status != STATUS_OK)
        return status;
    int64_t parent = index_rows_next(rows) ? index_rows_integer(rows, 0) : 0;
    *ret_parent = parent > 0 && parent <= UINT32_MAX ? (uint32_t)parent : 0;
    return index_rows_finish(rows, search->err);
}

static enum status follow_parents(struct search *search, uint32_t id)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && id && search->steps.count <= MOST_STEPS) {
        if (!array_push(&search->steps, id))
            return no_memory(search);
        status = read_parent(search, id, &id);
    }
    for (size_t i = 0, j = search->steps.count; status == STATUS_OK && i + 1 < j; i++) {
        uint32_t step = search->steps.items[i];
        search->steps.items[i] = search->steps.items[--j];
        search->steps.items[j] = step;
    }
    return status;
}

/* ---- By searching backwards, breadth first. */

static enum status is_weak(struct search *search, struct heap_walk *walk, bool *ret_weak)
{
    uint64_t number;
    uint32_t label;
    const char *text;
    size_t size;
    enum status status = heap_walk_label(walk, &number, &label, search->err);
    if (status == STATUS_OK)
        status = heap_reader_label(search->reader, label, &text, &size, search->err);
    if (status == STATUS_OK)
        *ret_weak = text && size >= 4 && memcmp(text, "weak", 4) == 0;
    return status;
}

static enum status add_referrers(struct search *search, uint32_t id)
{
    struct heap_walk walk;
    struct heap_edge edge;
    enum status status = STATUS_OK;
    heap_walk_start(search->reader, HEAP_REFERRERS, id, id, &walk);
    while (status == STATUS_OK && heap_walk_next(&walk, &edge)) {
        bool weak = false;
        if (!edge.source_id || edge.source_id > search->objects ||
            search->steps_left[edge.source_id])
            continue;
        status = is_weak(search, &walk, &weak);
        if (status != STATUS_OK || weak)
            continue;
        search->steps_left[edge.source_id] = search->steps_left[id] + 1;
        if (!array_push(&search->queue, edge.source_id))
            status = no_memory(search);
    }
    struct error end;
    enum status ended = heap_walk_finish(&walk, &end);
    if (status != STATUS_OK || ended == STATUS_OK)
        return status;
    if (search->err)
        *search->err = end;
    return ended;
}

/* The best of the roots in queue[begin, end); 0: none is one. */
static uint32_t best_root(const struct search *search, size_t begin, size_t end)
{
    const struct root_row *best = NULL;
    for (size_t i = begin; i < end; i++) {
        const struct root_row *root = root_table_find(&search->roots, search->queue.items[i]);
        if (root && (!best || root->order < best->order))
            best = root;
    }
    return best ? best->object_id : 0;
}

static enum status find_root(struct search *search, uint32_t id, uint32_t *ret_root)
{
    uint32_t root = 0;
    enum status status = heap_reader_counts(search->reader, &search->objects, NULL, search->err);
    if (status != STATUS_OK)
        return status;
    search->steps_left = calloc((size_t)search->objects + 1, sizeof *search->steps_left);
    if (!search->steps_left || !array_push(&search->queue, id))
        return no_memory(search);
    search->steps_left[id] = 1;
    for (size_t begin = 0, end = 1; status == STATUS_OK && begin < end && !root;
         end = search->queue.count) {
        root = best_root(search, begin, end);
        for (; !root && begin < end && status == STATUS_OK; begin++)
            status = add_referrers(search, search->queue.items[begin]);
    }
    *ret_root = root;
    return status;
}

/* What the first reference leads to by which the object is a step nearer. */
static enum status step_on(struct search *search, uint32_t from, uint32_t *ret_next)
{
    struct heap_walk walk;
    struct heap_edge edge;
    struct error end;
    enum status status = STATUS_OK;
    *ret_next = 0;
    heap_walk_start(search->reader, HEAP_REFERENCES, from, from, &walk);
    while (status == STATUS_OK && !*ret_next && heap_walk_next(&walk, &edge)) {
        bool weak = true;
        if (edge.target_id > search->objects ||
            search->steps_left[edge.target_id] != search->steps_left[from] - 1)
            continue;
        status = is_weak(search, &walk, &weak);
        if (status == STATUS_OK && !weak)
            *ret_next = edge.target_id;
    }
    enum status ended = heap_walk_finish(&walk, &end);
    if (status != STATUS_OK || ended == STATUS_OK)
        return status;
    if (search->err)
        *search->err = end;
    return ended;
}

/* No way at all where a damaged index has references in one direction only. */
static enum status search_back(struct search *search, uint32_t id)
{
    uint32_t step = 0, last = 0;
    enum status status = find_root(search, id, &step);
    while (status == STATUS_OK && step) {
        if (!array_push(&search->steps, step))
            return no_memory(search);
        last = step;
        step = 0;
        if (last != id)
            status = step_on(search, last, &step);
    }
    if (last != id)
        search->steps.count = 0;
    return status;
}

/* ---- Writing. */

static enum status append_step(struct search *search, struct access_path *path, uint32_t source,
                               uint32_t target)
{
    struct heap_walk walk;
    struct heap_edge edge;
    struct text label;
    enum status status = STATUS_OK;
    bool found = false;
    text_init(&label);
    heap_walk_start(search->reader, HEAP_REFERENCES, source, source, &walk);
    while (status == STATUS_OK && !found && heap_walk_next(&walk, &edge)) {
        uint64_t number;
        uint32_t code;
        const char *text = NULL;
        size_t size = 0;
        if (edge.target_id != target)
            continue;
        status = heap_walk_label(&walk, &number, &code, search->err);
        if (status == STATUS_OK)
            status = heap_reader_label(search->reader, code, &text, &size, search->err);
        found = status == STATUS_OK && !(text && size >= 4 && memcmp(text, "weak", 4) == 0);
        if (found && text)
            text_append_n(&label, text, size);
    }
    struct error end;
    enum status ended = heap_walk_finish(&walk, &end);
    if (status == STATUS_OK && ended != STATUS_OK) {
        status = ended;
        if (search->err)
            *search->err = end;
    }
    access_path_step(path, text_string(&label));
    text_deinit(&label);
    return status;
}

static enum status is_dict(struct search *search, uint32_t id, bool *ret_dict)
{
    const struct index_value parameter = INDEX_INT(id);
    struct index_rows *rows;
    enum status status = index_query(search->index,
                                     "SELECT t.name = 'dict' FROM object o JOIN type t "
                                     "ON t.id = o.type_id WHERE o.id = ?",
                                     &parameter, 1, &rows, search->err);
    if (status != STATUS_OK)
        return status;
    *ret_dict = index_rows_next(rows) && index_rows_integer(rows, 0) == 1;
    return index_rows_finish(rows, search->err);
}

static enum status write_steps(struct search *search, struct text *text)
{
    size_t count = search->steps.count;
    if (!count)
        return STATUS_OK;
    struct access_path path = {.text = text};
    const struct root_row *root = root_table_find(&search->roots, search->steps.items[0]);
    bool dict = false;
    enum status status = is_dict(search, search->steps.items[0], &dict);
    if (status != STATUS_OK)
        return status;
    if (root && count <= MOST_STEPS)
        access_path_begin(&path, root->kind, root->label, dict, text);
    else if (count > 1)
        text_append(text, "…");
    size_t first = count > MOST_STEPS ? count - MOST_STEPS : 1;
    for (size_t i = first; i < count && status == STATUS_OK; i++)
        status = append_step(search, &path, search->steps.items[i - 1], search->steps.items[i]);
    access_path_end(&path);
    return status;
}

enum status object_path_find(struct index *index, struct heap_reader *reader, uint32_t id,
                             struct text *path, struct error *err)
{
    struct search search = {.index = index, .reader = reader, .err = err};
    enum status status = root_table_load(index, &search.roots, err);
    if (status != STATUS_OK)
        return status;
    status = follow_parents(&search, id);
    if (status == STATUS_USAGE) {
        search.steps.count = 0;
        status = search_back(&search, id);
    }
    if (status == STATUS_OK)
        status = write_steps(&search, path);
    root_table_deinit(&search.roots);
    free(search.steps_left);
    array_deinit(&search.queue);
    array_deinit(&search.steps);
    return status;
}
