/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/suspects_path.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inquest/base/fnv.h"

static bool is_namespace(const struct finder *finder, const struct way *way, size_t step)
{
    uint32_t object = way->steps[step].object;
    if (graph_bit(finder->namespaces, object))
        return true;
    return step && strcmp(way->steps[step].label, ".__dict__") == 0;
}

static enum status read_labels(struct finder *finder, struct way *way)
{
    way->steps[0].label = "";
    for (size_t i = 1; i < way->count; i++) {
        uint32_t code =
            findings_label(finder->findings, way->steps[i - 1].object, way->steps[i].object);
        way->steps[i].in_namespace = is_namespace(finder, way, i - 1);
        way->steps[i].label =
            arena_strdup(&finder->out->arena, step_label(finder, code, way->steps[i].in_namespace));
        if (!way->steps[i].label)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

enum status way_find(struct finder *finder, uint32_t object, struct way *ret_way)
{
    const struct findings *findings = finder_paths(finder, object);
    const struct graph_paths *paths = &findings->facts->paths;
    struct way way = {0};
    for (;; object = paths->parent[object]) {
        if (way.count == WAY_STEPS)
            break;
        way.steps[way.count++].object = object;
        if (paths->parent[object] >= GRAPH_NONE)
            break;
    }
    uint32_t entry = graph_paths_root(paths, object);
    if (entry != GRAPH_NONE)
        way.root = &findings->roots->roots.items[entry];
    for (size_t i = 0, j = way.count - 1; i < j; i++, j--) {
        struct way_step step = way.steps[i];
        way.steps[i] = way.steps[j];
        way.steps[j] = step;
    }
    enum status status = read_labels(finder, &way);
    if (status == STATUS_OK)
        *ret_way = way;
    return status;
}

/* Digits differ between runs: of addresses, of numbered threads and tasks. */
static void append_masked(const char *string, size_t size, struct text *text)
{
    for (size_t i = 0; i < size; i++) {
        if (string[i] == '0' && i + 1 < size && string[i + 1] == 'x') {
            text_append(text, "0x");
            for (i += 2; i < size && isxdigit((unsigned char)string[i]); i++)
                ;
            i--;
        } else {
            text_append_char(text, string[i]);
        }
    }
}

void mask_label(const char *label, struct text *text)
{
    size_t size = strlen(label);
    if (*label == '[' || strcmp(label, "key") == 0) {
        text_append(text, "[]");
    } else if (*label == '.') {
        append_masked(label, size, text);
    } else if (*label) { /* a frame's variable */
        text_append_char(text, '.');
        append_masked(label, size, text);
    } else {
        text_append(text, ".?");
    }
}

/* Steps that some versions have and others do not. */
static bool is_between(const char *label)
{
    static const char *const labels[] = {".__dict__", ".cr_frame", ".gi_frame", ".ag_frame", NULL};
    for (const char *const *between = labels; *between; between++)
        if (strcmp(label, *between) == 0)
            return true;
    return false;
}

/* What has the attribute; NULL where the way says it already, or there is no attribute. */
static const char *owner_name(const struct finder *finder, const struct way *way, size_t step)
{
    size_t owner = step - 1;
    if (*way->steps[step].label != '.')
        return NULL;
    if (way->steps[step].in_namespace) {
        if (!owner)
            return NULL;
        owner--;
    }
    const struct python_type *type = heap_type(finder->heap, way->steps[owner].object);
    return type->kind == KIND_TYPE || type->kind == KIND_MODULE ? NULL : type->name;
}

void way_mask(const struct finder *finder, const struct way *way, size_t first, struct text *text)
{
    for (size_t i = first; i < way->count; i++) {
        const struct way_step *step = &way->steps[i];
        if (is_between(step->label))
            continue;
        const char *owner = owner_name(finder, way, i);
        if (owner) {
            text_append_char(text, '<');
            append_masked(owner, strlen(owner), text);
            text_append_char(text, '>');
        }
        mask_label(step->label, text);
    }
}

/* Of a frame the function and the variable, without the thread's name. */
static void mask_frame(const char *label, struct text *text)
{
    const char *end = strstr(label, ">.");
    label = end ? end + 2 : label;
    append_masked(label, strlen(label), text);
}

void way_mask_all(const struct finder *finder, const struct way *way, struct text *text)
{
    enum root_kind kind = way->root ? (enum root_kind)way->root->kind : ROOT_KIND_COUNT;
    if (kind == ROOT_FRAME)
        mask_frame(way->root->label, text);
    else if (kind == ROOT_MODULE || kind == ROOT_TYPE || kind == ROOT_BUILTINS)
        append_masked(way->root->label, strlen(way->root->label), text);
    else
        text_append(text, kind == ROOT_KIND_COUNT ? "?" : "C"); /* which variable differs */
    way_mask(finder, way, 1, text);
}

void fingerprint_of(const char *text, char ret_fingerprint[17])
{
    snprintf(ret_fingerprint, 17, "%016" PRIx64, fnv64(FNV64_START, text, strlen(text)));
}
