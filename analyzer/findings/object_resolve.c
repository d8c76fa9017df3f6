/* SPDX-License-Identifier: Apache-2.0 */
/* From a path to its object: each step is written as access_path writes it and
 * compared with what comes next, so that every path we print leads back. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/access_path.h"
#include "inquest/analyzer/object_path.h"
#include "inquest/base/array.h"
#include "inquest/base/checked_math.h"

#define MOST_TRIALS 10000 /* objects looked into: paths can lead astray */
#define MORE_TRIALS 1000  /* when an object is found, for others of the same path */

/* Up to here a path was followed. */
struct place {
    uint32_t object;
    uint32_t followed; /* characters */
    bool in_namespace;
};

struct resolver {
    struct index *index;
    struct heap_reader *reader;
    char *path; /* as we would write it */
    size_t size;
    ARRAY(struct place) places; /* still to be tried, the best last */
    ARRAY(struct place) tried;
    ARRAY(uint32_t) found; /* ids; the first is the best */
    uint32_t variables;    /* of a module: where there is no module object, what it means */
    uint32_t farthest;
    struct text label, step;
    struct error *err;
};

static enum status no_memory(struct resolver *resolver)
{
    return error_set(resolver->err, STATUS_NO_MEMORY, "paths: out of memory");
}

/* ["key"] is written ['key']. */
static char *normalize(const char *path)
{
    char *copy = strdup(path);
    for (char *open = copy; open && (open = strstr(open, "[\""));) {
        char *close = strstr(open + 2, "\"]"), *inside = open + 2;
        open += 2;
        if (!close || memchr(inside, '\'', (size_t)(close - inside)) ||
            memchr(inside, '\\', (size_t)(close - inside)))
            continue;
        inside[-1] = *close = '\'';
    }
    return copy;
}

/* Whether the path goes on with a whole step. */
static bool goes_on(const struct resolver *resolver, size_t at, const char *step, size_t size)
{
    if (size > resolver->size - at || memcmp(resolver->path + at, step, size) != 0)
        return false;
    char after = resolver->path[at + size];
    return !after || after == '.' || after == '[';
}

static enum status push(struct resolver *resolver, struct place place)
{
    if (place.followed > resolver->farthest)
        resolver->farthest = place.followed;
    return array_push(&resolver->places, place) ? STATUS_OK : no_memory(resolver);
}

/* ---- Roots. */

/* Longer names are better, and of the same name the root that explains best, which
 * comes last here. */
static void sort_places(struct resolver *resolver)
{
    struct place *places = resolver->places.items;
    for (size_t i = 1; i < resolver->places.count; i++) {
        for (size_t j = i; j && places[j - 1].followed > places[j].followed; j--) {
            struct place place = places[j];
            places[j] = places[j - 1];
            places[j - 1] = place;
        }
    }
}

/* Where the path begins with the name that is in `step`. */
static enum status push_root(struct resolver *resolver, uint32_t object, bool in_namespace)
{
    size_t size = resolver->step.size;
    if (!size || !goes_on(resolver, 0, text_string(&resolver->step), size))
        return STATUS_OK;
    return push(resolver, (struct place){object, (uint32_t)size, in_namespace});
}

/* All roots whose name the path begins with. */
static enum status find_roots(struct resolver *resolver)
{
    struct index_rows *rows;
    enum status status =
        index_query(resolver->index,
                    "SELECT r.object_id, r.kind, r.label, t.name = 'dict' FROM root r "
                    "LEFT JOIN object o ON o.id = r.object_id LEFT JOIN type t ON t.id = o.type_id "
                    "WHERE r.kind != 'extension' ORDER BY r.rowid DESC",
                    NULL, 0, &rows, resolver->err);
    if (status != STATUS_OK)
        return status;
    while (status == STATUS_OK && index_rows_next(rows)) {
        const char *kind = index_rows_text(rows, 1), *label = index_rows_text(rows, 2);
        int64_t object = index_rows_integer(rows, 0);
        struct access_path path;
        if (!kind || !label || object < 1 || object > UINT32_MAX)
            continue;
        text_clear(&resolver->step);
        access_path_begin(&path, kind, label, index_rows_integer(rows, 3) == 1, &resolver->step);
        status = push_root(resolver, (uint32_t)object, path.in_namespace);
        if (status == STATUS_OK && path.in_namespace) {
            access_path_end(&path);
            status = push_root(resolver, (uint32_t)object, false);
        }
    }
    enum status ended = index_rows_finish(rows, status == STATUS_OK ? resolver->err : NULL);
    return status == STATUS_OK ? ended : status;
}

/* ---- Places that have a name. */

/* With --redact the keys of a module's dictionary are values in `ref`, but names in the
 * paths that the index tells of its largest objects. */
static enum status find_named(struct resolver *resolver)
{
    static const char sql[] =
        "SELECT object_id, path FROM largest UNION SELECT object_id, path FROM suspect UNION"
        " SELECT accumulation_id, accumulation_path FROM suspect UNION"
        " SELECT object_id, path FROM suspect_candidate UNION"
        " SELECT accumulation_id, accumulation_path FROM suspect_candidate";
    const char *redacted = index_meta(resolver->index, "redacted");
    struct index_rows *rows;
    if (!redacted || strcmp(redacted, "1") != 0)
        return STATUS_OK;
    enum status status = index_query(resolver->index, sql, NULL, 0, &rows, resolver->err);
    if (status != STATUS_OK)
        return status;
    while (status == STATUS_OK && index_rows_next(rows)) {
        int64_t object = index_rows_integer(rows, 0);
        const char *path = index_rows_text(rows, 1);
        if (object < 1 || object > UINT32_MAX || !path)
            continue;
        text_clear(&resolver->step);
        text_append(&resolver->step, path);
        status = push_root(resolver, (uint32_t)object, false);
    }
    enum status ended = index_rows_finish(rows, status == STATUS_OK ? resolver->err : NULL);
    return status == STATUS_OK ? ended : status;
}

/* ---- Steps. */

/* A reference may go on in two ways: x.__dict__['y'] is x.y too. */
static enum status try_reference(struct resolver *resolver, const struct place *place,
                                 const struct heap_edge *edge, const char *label, size_t size)
{
    struct access_path path = {.text = &resolver->step, .in_namespace = place->in_namespace};
    struct place next = {.object = edge->target_id, .followed = place->followed};
    enum status status = STATUS_OK;
    if (size >= 4 && memcmp(label, "weak", 4) == 0)
        return STATUS_OK;
    text_clear(&resolver->label);
    text_clear(&resolver->step);
    text_append_n(&resolver->label, label, size);
    access_path_step(&path, text_string(&resolver->label));
    next.in_namespace = path.in_namespace;
    if (!resolver->step.size && path.in_namespace)
        status = push(resolver, next);
    const char *forms[] = {text_string(&resolver->step), text_string(&resolver->label)};
    for (int form = 0; form < 2 && status == STATUS_OK; form++) {
        size_t length = strlen(forms[form]);
        if (!length || (form && strcmp(forms[0], forms[1]) == 0) ||
            !goes_on(resolver, place->followed, forms[form], length))
            continue;
        next.followed = place->followed + (uint32_t)length;
        next.in_namespace = false;
        status = push(resolver, next);
    }
    return status;
}

static enum status try_place(struct resolver *resolver, const struct place *place)
{
    struct heap_walk walk;
    struct heap_edge edge;
    enum status status = STATUS_OK;
    heap_walk_start(resolver->reader, HEAP_REFERENCES, place->object, place->object, &walk);
    while (status == STATUS_OK && heap_walk_next(&walk, &edge)) {
        uint64_t number;
        uint32_t label;
        const char *text = NULL;
        size_t size;
        status = heap_walk_label(&walk, &number, &label, resolver->err);
        if (status == STATUS_OK)
            status = heap_reader_label(resolver->reader, label, &text, &size, resolver->err);
        if (status == STATUS_OK && text)
            status = try_reference(resolver, place, &edge, text, size);
    }
    struct error end;
    enum status ended = heap_walk_finish(&walk, &end);
    if (status != STATUS_OK || ended == STATUS_OK)
        return status;
    if (resolver->err)
        *resolver->err = end;
    return ended;
}

/* ---- The search. */

static enum status not_found(struct resolver *resolver)
{
    if (strncmp(resolver->path, "…", strlen("…")) == 0)
        return error_set(resolver->err, STATUS_NOT_IN_DUMP,
                         "a path that begins with … was cut there and leads nowhere: ask for the "
                         "object by its address");
    if (!resolver->farthest)
        return error_set(resolver->err, STATUS_NOT_IN_DUMP,
                         "no module, type, thread or frame that '%s' could begin with",
                         resolver->path);
    return error_set(resolver->err, STATUS_NOT_IN_DUMP, "'%.*s' holds no '%s'",
                     (int)resolver->farthest, resolver->path, resolver->path + resolver->farthest);
}

/* Whether it is tried for the first time: several ways can lead to one place. */
static bool is_new(struct resolver *resolver, const struct place *place, enum status *status)
{
    for (size_t i = 0; i < resolver->tried.count; i++) {
        const struct place *tried = &resolver->tried.items[i];
        if (tried->object == place->object && tried->followed == place->followed &&
            tried->in_namespace == place->in_namespace)
            return false;
    }
    if (!array_push(&resolver->tried, *place))
        *status = no_memory(resolver);
    return true;
}

static enum status search(struct resolver *resolver)
{
    enum status status = STATUS_OK;
    size_t most = MOST_TRIALS;
    while (status == STATUS_OK && resolver->places.count) {
        struct place place = resolver->places.items[--resolver->places.count];
        if (place.followed == resolver->size && place.in_namespace) {
            resolver->variables = resolver->variables ? resolver->variables : place.object;
        } else if (place.followed == resolver->size) {
            if (!resolver->found.count)
                most = min_u64(most, resolver->tried.count + MORE_TRIALS);
            if (!array_push(&resolver->found, place.object))
                status = no_memory(resolver);
        } else if (resolver->tried.count >= most) {
            break;
        } else if (is_new(resolver, &place, &status) && status == STATUS_OK) {
            status = try_place(resolver, &place);
        }
    }
    return resolver->found.count && status != STATUS_NO_MEMORY ? STATUS_OK : status;
}

static int compare_ids(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* Of the found ones, how many objects they are. */
static uint32_t count_found(struct resolver *resolver)
{
    uint32_t *ids = resolver->found.items, count = 0;
    qsort(ids, resolver->found.count, sizeof *ids, compare_ids);
    for (size_t i = 0; i < resolver->found.count; i++)
        count += !i || ids[i] != ids[i - 1];
    return count;
}

static enum status resolve(struct resolver *resolver, uint32_t *ret_id, uint32_t *ret_count)
{
    enum status status = find_roots(resolver);
    if (status == STATUS_OK)
        status = find_named(resolver);
    sort_places(resolver);
    if (status == STATUS_OK)
        status = search(resolver);
    if (status != STATUS_OK)
        return status;
    if (!resolver->found.count && resolver->variables) {
        *ret_id = resolver->variables;
        *ret_count = 1;
        return STATUS_OK;
    }
    if (!resolver->found.count)
        return not_found(resolver);
    *ret_id = resolver->found.items[0];
    *ret_count = count_found(resolver);
    return STATUS_OK;
}

enum status object_path_resolve(struct index *index, struct heap_reader *reader, const char *path,
                                uint32_t *ret_id, uint32_t *ret_count, struct error *err)
{
    struct resolver resolver = {.index = index, .reader = reader, .err = err};
    text_init(&resolver.label);
    text_init(&resolver.step);
    resolver.path = normalize(path);
    enum status status = resolver.path ? STATUS_OK : no_memory(&resolver);
    if (status == STATUS_OK)
        resolver.size = strlen(resolver.path);
    if (status == STATUS_OK && resolver.size > UINT32_MAX / 2)
        status = error_set(err, STATUS_USAGE, "the path is too long");
    if (status == STATUS_OK)
        status = resolve(&resolver, ret_id, ret_count);
    free(resolver.path);
    array_deinit(&resolver.places);
    array_deinit(&resolver.tried);
    array_deinit(&resolver.found);
    text_deinit(&resolver.label);
    text_deinit(&resolver.step);
    return status;
}
