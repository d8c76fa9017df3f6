/* SPDX-License-Identifier: Apache-2.0 */
/* What the profiles of a speedscope file come to: tracks, stacks and their weights. */
#include "formats/profiles/speedscope.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "inquest/base/cleanup.h"

#define SEARCH_LIMIT 4096 /* open spans looked through for the one that a 'C' closes */

void speedscope_init(struct speedscope *file, struct profile *profile, uint64_t input_size)
{
    *file = (struct speedscope){.profile = profile};
    recorder_init(&file->recorder, profile, LABEL_SPY, input_size);
    profile_init(&file->scratch);
    stack_tree_init(&file->tree);
}

void speedscope_deinit(struct speedscope *file)
{
    recorder_deinit(&file->recorder);
    profile_deinit(&file->scratch);
    stack_tree_deinit(&file->tree);
    array_deinit(&file->frames);
    array_deinit(&file->sample);
    array_deinit(&file->stacks);
    array_deinit(&file->weights);
    array_deinit(&file->open);
    text_deinit(&file->exporter);
    text_deinit(&file->title);
    text_deinit(&file->frame_name);
    text_deinit(&file->frame_file);
    text_deinit(&file->name);
    text_deinit(&file->unit);
}

/* ---- units */

static const struct {
    const char *name;
    double seconds; /* 0: no unit of time */
} units[] = {
    {"seconds", 1},        {"milliseconds", 1e-3}, {"microseconds", 1e-6},
    {"nanoseconds", 1e-9}, {"bytes", 0},           {"none", 0},
};

#define UNIT_COUNT (sizeof units / sizeof *units)
#define UNIT_NONE  (UNIT_COUNT - 1)

static size_t find_unit(const char *name)
{
    for (size_t i = 0; i < UNIT_COUNT; i++)
        if (!strcmp(units[i].name, name))
            return i;
    return UNIT_NONE;
}

/* What the current profile's weights are multiplied by to be in the file's unit,
 * that of its first profile; 0: one is no multiple of the other. */
static double unit_scale(struct speedscope *file)
{
    size_t own = find_unit(text_string(&file->unit));
    if (!file->file_unit)
        file->file_unit = units[own].name;
    size_t first = find_unit(file->file_unit);
    if (own == first)
        return 1;
    if (units[own].seconds == 0 || units[first].seconds == 0)
        return 0;
    return units[own].seconds / units[first].seconds;
}

/* ---- a profile */

enum status speedscope_begin_profile(struct speedscope *file)
{
    text_clear(&file->name);
    text_clear(&file->unit);
    file->end = file->last_at = NAN;
    file->sample.count = file->stacks.count = file->weights.count = file->open.count = 0;
    file->events = 0;
    file->is_in_profile = true;
    file->track = (uint32_t)file->profile->tracks.count;
    return stack_tree_root(&file->tree, file->track, &file->root);
}

static enum status open_span(struct speedscope *file)
{
    struct speedscope_span span = {.frame = file->event.frame};
    uint32_t parent = file->open.count ? file->open.items[file->open.count - 1].node : file->root;
    enum status status = stack_tree_child(&file->tree, parent, span.frame, &span.node);
    if (status == STATUS_OK && !array_push(&file->open, span))
        status = STATUS_NO_MEMORY;
    return status;
}

static void close_span(struct speedscope *file)
{
    size_t at = file->open.count, lowest = at > SEARCH_LIMIT ? at - SEARCH_LIMIT : 0;
    while (at > lowest && file->open.items[at - 1].frame != file->event.frame)
        at--;
    if (at == lowest) {
        file->unopened++;
        return;
    }
    file->crossed += file->open.count - at;
    file->open.count = at - 1;
}

/* The time from the last event on belongs to the innermost open span. */
static void pass_time(struct speedscope *file, double at)
{
    double passed = at - file->last_at;
    if (passed < 0) {
        file->backwards++;
        return;
    }
    if (passed > 0 && file->open.count)
        stack_tree_add(&file->tree, file->open.items[file->open.count - 1].node, passed, 1);
    file->last_at = at;
}

enum status speedscope_event(struct speedscope *file)
{
    const struct speedscope_event *event = &file->event;
    file->events++;
    if (!event->type || isnan(event->at) || event->frame == SPEEDSCOPE_MISSING) {
        file->bad_events++;
        return STATUS_OK;
    }
    pass_time(file, event->at);
    if (event->type == 'O')
        return open_span(file);
    close_span(file);
    return STATUS_OK;
}

/* The nodes that the events of this profile made come last in the tree. */
static void end_events(struct speedscope *file, double scale)
{
    if (file->open.count) {
        file->unclosed += file->open.count;
        if (file->end > file->last_at)
            pass_time(file, file->end);
    }
    for (size_t i = file->root; i < file->tree.nodes.count; i++) {
        file->tree.nodes.items[i].weight *= scale;
        if (scale == 0)
            file->tree.nodes.items[i].count = 0;
    }
}

static enum status end_samples(struct speedscope *file, double scale)
{
    size_t count =
        file->stacks.count < file->weights.count ? file->stacks.count : file->weights.count;
    file->unmatched += file->stacks.count + file->weights.count - 2 * count;
    for (size_t i = 0; i < count && scale > 0; i++) {
        double weight = file->weights.items[i];
        if (isnan(weight) || file->stacks.items[i] == PROFILE_NO_ID) {
            file->bad_weights++;
        } else if (weight < 0) {
            file->negative++;
        } else {
            enum status status = profile_add_sample(&file->scratch, file->stacks.items[i],
                                                    file->track, weight * scale, 1);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

enum status speedscope_end_profile(struct speedscope *file)
{
    int64_t pid, tid;
    uint32_t track;
    file->is_in_profile = false;
    if (!file->stacks.count && !file->events) {
        file->tree.nodes.count = file->root; /* an empty one has no children */
        return STATUS_OK;
    }
    if (!text_ok(&file->name) || !text_ok(&file->unit))
        return STATUS_NO_MEMORY;
    double scale = unit_scale(file);
    file->other_units += scale == 0;
    frame_label_profile_name(text_string(&file->name), file->name.size, &pid, &tid);
    enum status status = recorder_track(&file->recorder, text_string(&file->name), file->name.size,
                                        pid, tid, &track);
    if (status == STATUS_OK)
        status = end_samples(file, scale);
    if (status == STATUS_OK)
        end_events(file, scale);
    return status;
}

/* ---- the whole */

static enum status map_frame(struct speedscope *file, const struct frame_map *map, uint32_t number,
                             uint32_t *ret_frame)
{
    if (number == SPEEDSCOPE_CUT)
        return recorder_left_out(&file->recorder, ret_frame);
    *ret_frame = frame_map_get(map, number);
    return STATUS_OK;
}

static enum status record_samples(struct speedscope *file, const struct frame_map *map,
                                  struct error *err)
{
    CLEANUP_FREE uint32_t *path = malloc(STACK_DEPTH_LIMIT * sizeof *path);
    enum status status = path ? STATUS_OK : recorder_failed(err, STATUS_NO_MEMORY);
    for (size_t i = 0; i < file->scratch.samples.count && status == STATUS_OK; i++) {
        const struct profile_sample *sample = &file->scratch.samples.items[i];
        const struct profile_stack *stack = &file->scratch.stacks.items[sample->stack];
        for (uint32_t at = 0; at < stack->depth && status == STATUS_OK; at++)
            status = map_frame(file, map, file->scratch.stack_frames.items[stack->first + at],
                               &path[at]);
        status = status == STATUS_OK
                     ? recorder_add(&file->recorder, sample->track, path, stack->depth,
                                    sample->weight, sample->count, err)
                     : recorder_failed(err, status);
    }
    return status;
}

static uint64_t count_missing(const struct speedscope *file)
{
    uint64_t missing = 0;
    for (size_t i = 0; i < file->scratch.stack_frames.count; i++) {
        uint32_t frame = file->scratch.stack_frames.items[i];
        missing += frame >= file->frames.count && frame != SPEEDSCOPE_CUT;
    }
    for (size_t i = 0; i < file->tree.nodes.count; i++) {
        const struct stack_node *node = &file->tree.nodes.items[i];
        missing +=
            node->depth && node->frame >= file->frames.count && node->frame <= SPEEDSCOPE_MISSING;
    }
    return missing;
}

/* Whether the stacks are the recorder's but for the numbers of the frames: then they need
 * not be made again, which takes as much memory as a large file. */
static bool can_adopt(const struct speedscope *file)
{
    /* none of the file's frames is another one again, and none is a mark */
    if (file->frames.count != file->profile->frames.count)
        return false;
    for (size_t i = 0; i < file->tree.nodes.count; i++)
        if (file->tree.nodes.items[i].count)
            return false;
    for (size_t i = 0; i < file->scratch.stack_frames.count; i++)
        if (file->scratch.stack_frames.items[i] >= file->frames.count)
            return false;
    return true;
}

static void adopt(struct speedscope *file)
{
    struct profile *profile = file->profile, *scratch = &file->scratch;
    for (size_t i = 0; i < scratch->stack_frames.count; i++)
        scratch->stack_frames.items[i] = file->frames.items[scratch->stack_frames.items[i]];
    profile->stack_frames = scratch->stack_frames;
    profile->stacks = scratch->stacks;
    profile->samples = scratch->samples;
    memset(&scratch->stack_frames, 0, sizeof scratch->stack_frames);
    memset(&scratch->stacks, 0, sizeof scratch->stacks);
    memset(&scratch->samples, 0, sizeof scratch->samples);
}

static enum status warn(struct profile *profile, uint64_t count, const char *what)
{
    return count ? profile_add_warning(profile, "samples", "%" PRIu64 " %s", count, what)
                 : STATUS_OK;
}

static enum status warn_all(struct speedscope *file, uint64_t missing)
{
    const struct {
        uint64_t count;
        const char *what;
    } rows[] = {
        {file->unmatched, "samples without a weight, or weights without a sample: left out"},
        {file->bad_weights, "samples or weights that are no stack or no number: left out"},
        {file->negative, "samples with a negative weight: left out"},
        {missing, "mentions of a frame that is not in the file: they stand as <missing frame>"},
        {file->bad_events, "events that open or close nothing, or have no time: left out"},
        {file->backwards, "events that go back in time: no time passes at them"},
        {file->unclosed, "spans that are never closed: they last until the profile's end"},
        {file->crossed, "spans that are closed by the end of one around them"},
        {file->unopened, "events that close what is not open: left out"},
        {file->other_units, "profiles whose unit is no multiple of the first one's: left out"},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && status == STATUS_OK; i++)
        status = warn(file->profile, rows[i].count, rows[i].what);
    return status;
}

static enum status add_facts(struct speedscope *file)
{
    enum status status = STATUS_OK;
    if (!text_ok(&file->exporter) || !text_ok(&file->title))
        return STATUS_NO_MEMORY;
    if (file->exporter.size)
        status = profile_add_fact(file->profile, "recorder", text_string(&file->exporter));
    if (status == STATUS_OK && file->title.size)
        status = profile_add_fact(file->profile, "title", text_string(&file->title));
    return status;
}

enum status speedscope_finish(struct speedscope *file, struct error *err)
{
    static const char missing_name[] = "<missing frame>";
    struct frame_label parts = {.name = missing_name, .name_size = sizeof missing_name - 1};
    struct frame_map map = {file->frames.items, file->frames.count, 0};
    if (!file->profile->tracks.count)
        return error_set(err, STATUS_CORRUPT, "a speedscope file without any samples or events");
    if (!map.count)
        return error_set(err, STATUS_CORRUPT, "a speedscope file without \"shared\" frames");
    uint64_t missing = count_missing(file);
    enum status status =
        missing ? recorder_frame(&file->recorder, &parts, &map.missing) : STATUS_OK;
    if (status == STATUS_OK)
        status = warn_all(file, missing);
    if (status == STATUS_OK)
        status = add_facts(file);
    if (status != STATUS_OK)
        return recorder_failed(err, status);
    bool is_py_spy = !strncmp(text_string(&file->exporter), "py-spy", 6);
    bool is_none = !file->file_unit || !strcmp(file->file_unit, "none");
    file->profile->unit = !is_none ? file->file_unit : is_py_spy ? "samples" : "none";
    profile_seal(&file->scratch); /* its tables take room, and nothing is added any more */
    array_deinit(&file->stacks);
    array_deinit(&file->weights);
    if (can_adopt(file)) {
        adopt(file);
        return recorder_finish(&file->recorder, err);
    }
    status = record_samples(file, &map, err);
    if (status == STATUS_OK)
        status = stack_tree_record(&file->tree, &map, &file->recorder, err);
    return status == STATUS_OK ? recorder_finish(&file->recorder, err) : status;
}
