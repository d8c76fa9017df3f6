/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a suspect: its parts, its title, the sentence. */
#include "analyzer/findings/suspects_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/suspects_fields.h"
#include "analyzer/objects/containers.h"
#include "analyzer/objects/fields.h"

#define MOST_PARTS   10
#define SAMPLES      3
#define FIELD_WORTH  0.3 /* a field is in the sentence that has as much */
#define SECOND_WORTH 0.5 /* two types are, where the first has less */

struct words {
    struct finder *finder;
    struct suspect *suspect;
    struct object_list content; /* the instances that it is made of */
    uint64_t content_bytes;
    struct type_sum first, second; /* types of what it falls apart into */
    bool is_chain;                 /* into its own type */
    struct field_sums *fields;
    struct text text;
};

/* ---- Numbers. */

void words_share(struct text *text, double share)
{
    text_printf(text, share >= 0.0995 ? "%.0f %%" : "%.1f %%", share * 100);
}

static const char *type_name(const struct words *words, uint32_t type)
{
    return words->finder->heap->types.items[type]->name;
}

/* ---- Parts. */

static enum status add_part(struct words *words, const char *kind, const char *title,
                            uint32_t object, uint64_t instances, uint64_t bytes)
{
    const struct suspect *suspect = words->suspect;
    const struct suspect_part part = {
        .kind = kind,
        .title = arena_strdup(&words->finder->out->arena, title),
        .object = object,
        .instances = instances,
        .bytes = bytes,
        .share = suspect->retained ? (double)bytes / (double)suspect->retained : 0,
    };
    return part.title && array_push(&words->suspect->parts, part) ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status sum_types(struct words *words)
{
    struct finder *finder = words->finder;
    const struct suspect *suspect = words->suspect;
    if (suspect->kind == SUSPECT_SINGLE)
        return finder_sums_within(finder, &suspect->object, 1);
    if (!suspect->is_joint)
        return finder_sums_within(finder, suspect->members.items, suspect->members.count);
    uint64_t *bits = calloc((size_t)finder->heap->count / 64 + 1, sizeof *bits);
    enum status status = bits ? suspect_mark(finder->out, suspect, bits) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = finder_sums_of(finder, bits);
    free(bits);
    return status;
}

static enum status add_types(struct words *words)
{
    struct finder *finder = words->finder;
    enum status status = sum_types(words);
    for (size_t i = 0; i < finder->sums.count && i < MOST_PARTS && status == STATUS_OK; i++) {
        const struct type_sum *sum = &finder->sums.items[i];
        status = add_part(words, "type", type_name(words, sum->type), GRAPH_NONE, sum->count,
                          sum->bytes);
    }
    return status;
}

static enum status add_fields(struct words *words)
{
    enum status status = field_sums_find(words->finder, words->content.items.items,
                                         words->content.items.count, words->fields);
    for (size_t i = 0; i < words->fields->count && i < MOST_PARTS && status == STATUS_OK; i++) {
        const struct field_sum *field = &words->fields->fields[i];
        status = add_part(words, "field", field->title, GRAPH_NONE, field->count, field->bytes);
    }
    return status;
}

static enum status add_sample(struct words *words, uint32_t object)
{
    static const struct repr_limits limits = {
        .depth = 2, .items = 6, .string_size = 60, .total_size = 240};
    const struct heap *heap = words->finder->heap;
    text_clear(&words->text);
    object_repr(heap->process, heap_address(heap, object), &limits, &words->text);
    return add_part(words, "sample", text_string(&words->text), object, 1,
                    heap_retained(words->finder->facts, object));
}

/* The largest, then one of the middle and the last by address. */
static enum status add_samples(struct words *words)
{
    const struct object_list *content = &words->content;
    size_t count = content->items.count, chosen[SAMPLES] = {0, count / 2, count ? count - 1 : 0};
    enum status status = STATUS_OK;
    for (size_t i = 1; i < count; i++)
        if (heap_retained(words->finder->facts, content->items.items[i]) >
            heap_retained(words->finder->facts, content->items.items[chosen[0]]))
            chosen[0] = i;
    for (size_t i = 0; i < SAMPLES && count && status == STATUS_OK; i++) {
        bool again = false;
        for (size_t j = 0; j < i; j++)
            again |= chosen[j] == chosen[i];
        if (!again)
            status = add_sample(words, content->items.items[chosen[i]]);
    }
    return status;
}

/* ---- Content: the instances of the largest type of what it falls apart into. */

static int compare_objects(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static void keep_type(struct words *words, uint32_t type)
{
    struct object_list *content = &words->content;
    size_t kept = 0;
    for (size_t i = 0; i < content->items.count; i++)
        if (words->finder->heap->type[content->items.items[i]] == type)
            content->items.items[kept++] = content->items.items[i];
    content->items.count = kept;
    if (kept)
        qsort(content->items.items, kept, sizeof *content->items.items, compare_objects);
}

/* A chain or a tree: all of the type within. */
static enum status find_links(struct words *words)
{
    struct finder *finder = words->finder;
    uint32_t top = words->suspect->accumulation, type = finder->heap->type[top];
    words->content.items.count = 0;
    words->first = (struct type_sum){.type = type, .bytes = words->suspect->retained};
    for (uint32_t at = finder->tree->position[top]; at < dominated_end(finder->tree, top); at++) {
        if (finder->heap->type[finder->tree->order[at].node] != type)
            continue;
        if (!array_push(&words->content.items, finder->tree->order[at].node))
            return STATUS_NO_MEMORY;
        words->first.count++;
    }
    return STATUS_OK;
}

static enum status find_single_content(struct words *words)
{
    struct finder *finder = words->finder;
    uint32_t top = words->suspect->accumulation;
    enum status status = dominated_children(finder, top, &words->content);
    if (status == STATUS_OK)
        status = finder_sums(finder, words->content.items.items, words->content.items.count);
    if (status != STATUS_OK || !finder->sums.count)
        return status;
    words->first = finder->sums.items[0];
    if (finder->sums.count > 1)
        words->second = finder->sums.items[1];
    if (words->first.type == finder->heap->type[top] &&
        !is_container(heap_type(finder->heap, top))) {
        words->is_chain = true;
        return find_links(words);
    }
    keep_type(words, words->first.type);
    return STATUS_OK;
}

static enum status find_content(struct words *words)
{
    const struct suspect *suspect = words->suspect;
    if (suspect->kind == SUSPECT_SINGLE)
        return find_single_content(words);
    for (size_t i = 0; i < suspect->members.count; i++)
        if (!array_push(&words->content.items, suspect->members.items[i]))
            return STATUS_NO_MEMORY;
    words->first = (struct type_sum){suspect->type, suspect->retained, suspect->instances};
    keep_type(words, suspect->type);
    return STATUS_OK;
}

/* ---- The sentence. */

static void append_content(struct words *words)
{
    struct text *text = &words->text;
    const struct field_sums *fields = words->fields;
    uint64_t bytes = words->first.bytes;
    text_append_count(text, words->first.count);
    text_printf(text, " `%s`", type_name(words, words->first.type));
    if (words->suspect->kind == SUSPECT_SINGLE && words->second.count &&
        (double)bytes < (double)words->suspect->retained * SECOND_WORTH) {
        text_append(text, " and ");
        text_append_count(text, words->second.count);
        text_printf(text, " `%s`", type_name(words, words->second.type));
        return;
    }
    if (fields->count && bytes && (double)fields->fields[0].bytes >= (double)bytes * FIELD_WORTH &&
        !words->is_chain) {
        text_append(text, ", of which ");
        words_share(text, (double)fields->fields[0].bytes / (double)bytes);
        text_printf(text, " is `%s`", fields->fields[0].title);
    }
}

static void append_keeps(struct words *words, const char *verb)
{
    text_printf(&words->text, "%s ", verb);
    text_append_size(&words->text, words->suspect->retained);
    text_append(&words->text, " alive, ");
    words_share(&words->text, words->suspect->share);
    text_append(&words->text, " of the heap");
}

static void say_single(struct words *words)
{
    const struct suspect *suspect = words->suspect;
    struct text *text = &words->text;
    text_printf(text, "`%s`, ", suspect->title);
    words_object(words->finder, suspect->object, text);
    words_holder(words->finder, suspect, text);
    append_keeps(words, ", keeps");
    if (suspect->accumulation != suspect->object) {
        text_append(text, ", in ");
        if (*suspect->accumulation_path)
            text_printf(text, "`%s`, ", suspect->accumulation_path);
        words_object(words->finder, suspect->accumulation, text);
    }
    if (words->first.count) {
        text_append(text, words->is_chain ? ": a chain or tree of " : ": ");
        append_content(words);
    }
}

static void say_holders(struct words *words)
{
    const struct suspect *suspect = words->suspect;
    struct text *text = &words->text;
    unsigned said = 0;
    for (size_t i = 0; i < suspect->parts.count; i++) {
        const struct suspect_part *part = &suspect->parts.items[i];
        if (strcmp(part->kind, "holder") != 0)
            continue;
        text_printf(text, said++ ? ", `%s` to " : ": `%s` refers to ", part->title);
        text_append_count(text, part->instances);
        text_append(text, said > 1 ? "" : " of them");
    }
    if (!said && *suspect->path)
        text_printf(text, ": they are held as `%s`", suspect->path);
}

static void say_group(struct words *words)
{
    struct text *text = &words->text;
    append_content(words);
    append_keeps(words, ", together keep");
    text_append(text, ", and no single object holds them");
    say_holders(words);
}

static const char *extension_label(const struct words *words)
{
    const struct heap_roots *roots = words->finder->findings->roots;
    for (size_t i = 0; i < roots->roots.count; i++)
        if (roots->roots.items[i].kind == ROOT_EXTENSION && words->content.items.count &&
            roots->roots.items[i].object == words->content.items.items[0])
            return roots->roots.items[i].label;
    return NULL;
}

static void say_unheld(struct words *words)
{
    struct text *text = &words->text;
    const struct suspect *suspect = words->suspect;
    append_content(words);
    switch (suspect->kind) {
    case SUSPECT_EXTENSION: {
        const char *label = extension_label(words);
        text_append(text, suspect->instances == 1 ? ", is held by C code alone"
                                                  : ", are held by C code alone");
        if (label)
            text_printf(text, " (%s%s)", suspect->instances == 1 ? "" : "one has ", label);
        append_keeps(words, ": no reference that we know leads there; this keeps");
        break;
    }
    case SUSPECT_GARBAGE:
        text_append(text, " that nothing leads to, not yet collected: ");
        text_append_size(text, suspect->retained);
        text_append(text, " with what they hold, ");
        words_share(text, suspect->share);
        text_append(text, " of what is reachable");
        break;
    default:
        text_append(text, " that are interned and immortal, and nothing refers to them any more: ");
        text_append_size(text, suspect->retained);
        text_append(text, ", ");
        words_share(text, suspect->share);
        text_append(text, " of what is reachable");
        break;
    }
}

static void write_title(struct words *words)
{
    static const char *const after[SUSPECT_KIND_COUNT] = {
        [SUSPECT_GROUP] = "",
        [SUSPECT_EXTENSION] = " held by C code",
        [SUSPECT_GARBAGE] = " not yet collected",
        [SUSPECT_INTERNED] = " interned and unused",
    };
    const struct suspect *suspect = words->suspect;
    struct text *text = &words->text;
    if (suspect->kind != SUSPECT_SINGLE) {
        text_append_count(text, suspect->instances);
        text_printf(text, " %s%s", type_name(words, suspect->type), after[suspect->kind]);
    } else if (*suspect->path) {
        text_append(text, suspect->path);
    } else {
        text_append(text, type_name(words, suspect->type));
    }
}

static const char *keep(struct words *words)
{
    const char *kept = arena_strdup(&words->finder->out->arena, text_string(&words->text));
    text_clear(&words->text);
    return kept;
}

static enum status say(struct words *words)
{
    text_clear(&words->text);
    write_title(words);
    words->suspect->title = keep(words);
    if (!words->suspect->title)
        return STATUS_NO_MEMORY;
    if (words->suspect->kind == SUSPECT_SINGLE)
        say_single(words);
    else if (words->suspect->kind == SUSPECT_GROUP)
        say_group(words);
    else
        say_unheld(words);
    words->suspect->why = keep(words);
    return words->suspect->why ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status describe_suspect(struct finder *finder, struct suspect *suspect)
{
    struct words words = {.finder = finder, .suspect = suspect};
    words.fields = malloc(sizeof *words.fields);
    enum status status = words.fields ? find_content(&words) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = add_types(&words);
    if (status == STATUS_OK)
        status = add_fields(&words);
    if (status == STATUS_OK)
        status = add_samples(&words);
    if (status == STATUS_OK)
        status = say(&words);
    free(words.fields);
    array_deinit(&words.content.items);
    text_deinit(&words.text);
    return status;
}
