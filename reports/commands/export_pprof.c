/* SPDX-License-Identifier: Apache-2.0 */
/* pprof's profile.proto (github.com/google/pprof), written by hand: a field is its number
 * and its wire type in one varint, then a varint or a size and bytes.
 *
 *   Profile                     Sample                  Location     Function
 *    1 ValueType sample_type     1 location ids, packed  1 id         1 id
 *    2 Sample                      (the leaf first)      4 Line       2 name
 *    4 Location                  2 values, packed       Line          4 file
 *    5 Function                  3 Label                 1 function   5 line
 *    6 string                   ValueType: 1 type, 2 unit 2 line
 *   13 comment                  Label: 1 key, 2 string, 3 number
 * Texts are indices into the strings, of which 0 is the empty one. A function has no system name
 * (3): pprof takes one that is the same as the name for a mangled one of C++, and "<module>" for
 * a template's arguments, which it leaves out. */
#include <stdlib.h>
#include <string.h>

#include "inquest/formats/gzip_writer.h"
#include "reports/commands/export_stacks.h"

struct pprof {
    struct export_stacks *stacks;
    struct text out;       /* the message, unwrapped */
    struct text part, sub; /* messages within */
    struct text strings;   /* fields of the string table, which comes last */
    uint64_t string_count;
    uint32_t *string_of; /* by profile's string: its index in the table + 1 */
};

static void put_varint(struct text *text, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        text_append_char(text, (char)(value | 0x80));
    text_append_char(text, (char)value);
}

static void put_number(struct text *text, unsigned field, uint64_t value)
{
    put_varint(text, field << 3);
    put_varint(text, value);
}

static void put_bytes(struct text *text, unsigned field, const char *bytes, size_t size)
{
    put_varint(text, field << 3 | 2);
    put_varint(text, size);
    text_append_n(text, bytes, size);
}

static void put_message(struct text *text, unsigned field, struct text *message)
{
    put_bytes(text, field, text_string(message), message->size);
    text->failed |= message->failed;
    text_clear(message);
}

/* A new entry of the string table; all are UTF-8. */
static uint64_t add_text(struct pprof *pprof, const char *bytes, size_t size)
{
    struct text valid;
    text_init(&valid);
    text_append_bytes(&valid, bytes, size);
    put_bytes(&pprof->strings, 6, text_string(&valid), valid.size);
    pprof->strings.failed |= valid.failed;
    text_deinit(&valid);
    return pprof->string_count++;
}

static uint64_t add_word(struct pprof *pprof, const char *word)
{
    return add_text(pprof, word, strlen(word));
}

static uint64_t string_of(struct pprof *pprof, uint32_t string)
{
    const struct profile *profile = pprof->stacks->tree.profile;
    if (!profile->strings.items[string].size)
        return 0;
    if (!pprof->string_of[string])
        pprof->string_of[string] = (uint32_t)add_text(pprof, profile_text(profile, string),
                                                      profile->strings.items[string].size) +
                                   1;
    return pprof->string_of[string] - UINT64_C(1);
}

/* ---- What values are. */

struct measure {
    const char *unit;              /* the recording's */
    const char *count, *type, *as; /* "samples"; "time", "nanoseconds" */
    double factor;
};

static const struct measure measures[] = {
    {"bytes", "objects", "space", "bytes", 1},
    {"seconds", "samples", "time", "nanoseconds", 1e9},
    {"milliseconds", "samples", "time", "nanoseconds", 1e6},
    {"microseconds", "samples", "time", "nanoseconds", 1e3},
    {"nanoseconds", "samples", "time", "nanoseconds", 1},
    {"samples", "samples", "weight", "samples", 1},
};

static struct measure measure_of(const struct profile *profile)
{
    struct measure measure = {profile->unit, "samples", "weight", profile->unit, 1};
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++)
        if (!strcmp(measures[i].unit, profile->unit))
            measure = measures[i];
    if (profile->family == PROFILE_PSTATS && !profile->is_sampled)
        measure.count = "calls";
    return measure;
}

static void put_value_type(struct pprof *pprof, const char *type, const char *unit)
{
    put_number(&pprof->part, 1, add_word(pprof, type));
    put_number(&pprof->part, 2, add_word(pprof, unit));
    put_message(&pprof->out, 1, &pprof->part);
}

static uint64_t whole(double value)
{
    return value > 0 && value < 9e18 ? (uint64_t)(value + 0.5) : 0;
}

/* ---- Functions and locations. */

static void put_function(struct pprof *pprof, uint32_t id)
{
    const struct profile *profile = pprof->stacks->tree.profile;
    const struct profile_function *function = &profile->functions.items[id];
    bool named = profile->strings.items[function->name].size;
    uint64_t name = string_of(pprof, named ? function->name : function->file);
    put_number(&pprof->part, 1, id + UINT64_C(1));
    put_number(&pprof->part, 2, name);
    put_number(&pprof->part, 4, string_of(pprof, function->file));
    if (function->line > 0)
        put_number(&pprof->part, 5, (uint64_t)function->line);
    put_message(&pprof->out, 5, &pprof->part);
}

static void put_location(struct pprof *pprof, uint32_t place, const struct call_node *node)
{
    const struct profile *profile = pprof->stacks->tree.profile;
    int32_t line = node->line ? node->line : profile->functions.items[node->function].line;
    put_number(&pprof->sub, 1, node->function + UINT64_C(1));
    if (line > 0)
        put_number(&pprof->sub, 2, (uint64_t)line);
    put_number(&pprof->part, 1, place + UINT64_C(1));
    put_message(&pprof->part, 4, &pprof->sub);
    put_message(&pprof->out, 4, &pprof->part);
}

static void put_locations(struct pprof *pprof)
{
    const struct export_stacks *stacks = pprof->stacks;
    const struct call_node *nodes = stacks->tree.nodes.items, *last = NULL;
    for (uint32_t i = 0; i < stacks->place_count; i++) {
        const struct call_node *node = &nodes[stacks->place_nodes[i]];
        put_location(pprof, i, node);
        if (!last || last->function != node->function)
            put_function(pprof, node->function);
        last = node;
    }
}

/* ---- Samples. */

static void put_label(struct pprof *pprof, uint64_t key, uint64_t string, uint64_t number)
{
    put_number(&pprof->sub, 1, key);
    if (string)
        put_number(&pprof->sub, 2, string);
    else
        put_number(&pprof->sub, 3, number);
    put_message(&pprof->part, 3, &pprof->sub);
}

struct keys {
    uint64_t thread, thread_id, process;
};

static void put_labels(struct pprof *pprof, const struct keys *keys)
{
    const struct profile *profile = pprof->stacks->tree.profile;
    if (pprof->stacks->track == PROFILE_NO_ID)
        return;
    const struct profile_track *track = &profile->tracks.items[pprof->stacks->track];
    uint64_t name = string_of(pprof, track->name);
    if (name)
        put_label(pprof, keys->thread, name, 0);
    if (track->tid >= 0)
        put_label(pprof, keys->thread_id, 0, (uint64_t)track->tid);
    if (track->pid >= 0)
        put_label(pprof, keys->process, 0, (uint64_t)track->pid);
}

static void put_samples(struct pprof *pprof, const struct measure *measure)
{
    struct export_stacks *stacks = pprof->stacks;
    const struct call_tree *tree = &stacks->tree;
    const struct keys keys = {add_word(pprof, "thread"), add_word(pprof, "thread_id"),
                              add_word(pprof, "pid")};
    for (uint32_t i = 1; i < tree->nodes.count; i++) {
        if (!export_stack_at(stacks, i))
            continue;
        for (uint32_t j = stacks->depth; j-- > 0;)
            put_varint(&pprof->sub, stacks->place_of[stacks->path[j]] + UINT64_C(1));
        put_message(&pprof->part, 1, &pprof->sub);
        put_varint(&pprof->sub, stacks->self_counts[i]);
        put_varint(&pprof->sub, whole(tree->nodes.items[i].self * measure->factor));
        put_message(&pprof->part, 2, &pprof->sub);
        put_labels(pprof, &keys);
        put_message(&pprof->out, 2, &pprof->part);
    }
}

static bool put_profile(struct pprof *pprof)
{
    const struct call_tree *tree = &pprof->stacks->tree;
    const struct measure measure = measure_of(tree->profile);
    add_word(pprof, "");
    put_value_type(pprof, measure.count, "count");
    put_value_type(pprof, measure.type, measure.as);
    put_locations(pprof);
    put_samples(pprof, &measure);
    if (tree->note)
        put_number(&pprof->out, 13, add_word(pprof, tree->note));
    text_append_n(&pprof->out, text_string(&pprof->strings), pprof->strings.size);
    return !pprof->strings.failed && text_ok(&pprof->out);
}

enum status export_pprof(struct export_stacks *stacks, struct error *err)
{
    const struct call_tree *tree = &stacks->tree;
    struct pprof pprof = {.stacks = stacks};
    text_init(&pprof.out);
    text_init(&pprof.part);
    text_init(&pprof.sub);
    text_init(&pprof.strings);
    pprof.string_of = calloc(tree->profile->strings.count + 1, sizeof *pprof.string_of);
    enum status status = STATUS_OK;
    if (pprof.string_of && put_profile(&pprof))
        status = gzip_append(output_text(stacks->run->answer), text_string(&pprof.out),
                             pprof.out.size, err);
    else
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    text_deinit(&pprof.out);
    text_deinit(&pprof.part);
    text_deinit(&pprof.sub);
    text_deinit(&pprof.strings);
    free(pprof.string_of);
    return status;
}
