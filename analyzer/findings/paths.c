/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/access_path.h"
#include "analyzer/findings/findings.h"

/* Steps of a path before it is cut: a linked list would fill pages. */
#define PATH_STEPS 64

uint32_t findings_label(const struct findings *findings, uint32_t source, uint32_t target)
{
    const struct heap *heap = findings->heap;
    const struct graph *references = &heap->references;
    for (uint64_t edge = graph_first(references, source); edge < graph_end(references, source);
         edge++) {
        if (references->targets[edge] == target)
            return heap->label[edge];
    }
    return 0;
}

static bool is_identifier(const char *name)
{
    bool any = false;
    for (const unsigned char *c = (const unsigned char *)name; *c; c++, any = true)
        if (!(*c == '_' || *c >= 0x80 || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
              (any && *c >= '0' && *c <= '9')))
            return false;
    return any;
}

/* A variable's or attribute's name is no value: redaction leaves it. */
static void step_text(const struct findings *findings, uint32_t code, bool in_namespace,
                      struct text *label)
{
    struct text name = {0};
    text_clear(label);
    if (in_namespace)
        label_attribute_text(findings->heap->labels, code, &name);
    if (name.size > 1 && *text_string(&name) == '.' &&
        label_kind(findings->heap->labels, code) == LABEL_KEY &&
        is_identifier(text_string(&name) + 1))
        text_printf(label, "['%s']", text_string(&name) + 1);
    else
        label_text(findings->heap->labels, code, label);
    text_deinit(&name);
}

void findings_path(const struct findings *findings, uint32_t object, struct text *text)
{
    const struct heap *heap = findings->heap;
    const struct graph_paths *paths = &findings->facts->paths;
    uint32_t steps[PATH_STEPS];
    unsigned count = 0;
    for (; paths->parent[object] < GRAPH_NONE && count < PATH_STEPS; count++) {
        steps[count] = object;
        object = paths->parent[object];
    }
    uint32_t entry = graph_paths_root(paths, object);
    if (entry == GRAPH_NONE) {
        if (count == PATH_STEPS)
            text_append(text, "… (far from any root)");
        return;
    }
    const struct heap_root *root = &findings->roots->roots.items[entry];
    struct access_path path;
    access_path_begin(&path, root_kind_names[root->kind], root->label,
                      heap_type(heap, object)->kind == KIND_DICT, text);
    struct text label = {0};
    while (count-- > 0) {
        step_text(findings, findings_label(findings, object, steps[count]), path.in_namespace,
                  &label);
        access_path_step(&path, text_string(&label));
        object = steps[count];
    }
    access_path_end(&path);
    text_deinit(&label);
}
