/* SPDX-License-Identifier: Apache-2.0 */
/* Chrome's trace events, as py-spy record -f chrometrace writes them
 * (src/chrometrace.rs):
 *
 *   [{"args": {"filename", "line"}, "cat": "py-spy", "name", "ph": "B" or "E",
 *     "pid", "tid", "ts": microseconds}, …]
 *
 * or {"traceEvents": [the same]} by others. B opens a span and E closes the innermost
 * one of its thread. "M" events name processes and threads; other kinds are left out.
 *
 * py-spy keeps the last stack of a thread by "tid" alone: where two processes have
 * a thread of one number, it closes the spans of one under the pid of the other. So
 * its events are matched by tid; those of others by pid and tid. It writes nothing
 * while a thread is idle: that time counts to the stack seen last. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "formats/profiles/json.h"
#include "formats/profiles/number.h"
#include "formats/profiles/sample_formats.h"
#include "formats/profiles/stack_tree.h"

enum place {
    ROOT,
    EVENTS,
    EVENT,
    NAME,
    CATEGORY,
    PHASE,
    PID,
    TID,
    TIME,
    ARGS,
    FILENAME,
    LINE,
    LABEL
};

static const struct json_rule rules[] = {
    {ROOT, NULL, EVENT},   {ROOT, "traceEvents", EVENTS}, {EVENTS, NULL, EVENT},
    {EVENT, "name", NAME}, {EVENT, "cat", CATEGORY},      {EVENT, "ph", PHASE},
    {EVENT, "pid", PID},   {EVENT, "tid", TID},           {EVENT, "ts", TIME},
    {EVENT, "args", ARGS}, {ARGS, "filename", FILENAME},  {ARGS, "line", LINE},
    {ARGS, "name", LABEL},
};

/* A thread, and what runs in it now. */
struct thread {
    uint32_t root; /* in the tree, of the track that the open spans are in */
    double last_at;
    ARRAY(uint32_t) open;  /* nodes */
    ARRAY(uint32_t) names; /* of the open spans: strings */
};

struct event {
    struct text name, category, phase, filename, label;
    int64_t pid, tid;
    int32_t line;
    double at;
};

struct chrometrace {
    struct profile *profile; /* borrowed */
    struct recorder recorder;
    struct stack_tree tree;
    struct event event;
    struct id_map numbers;         /* from pids and tids to small numbers */
    ARRAY(int64_t) seen;           /* which those are */
    struct id_map threads, tracks; /* by two small numbers */
    ARRAY(struct thread) thread_list;
    ARRAY(uint32_t) roots; /* by track */
    double last_at;        /* of the whole file */
    bool is_py_spy;
    uint64_t spans, unopened, unclosed, mismatched, backwards, bad, others;
};

bool chrometrace_recognise(const uint8_t *bytes, uint64_t size)
{
    static const char *const keys[] = {"traceEvents", NULL};
    static const char *const event[] = {"ph", NULL};
    return json_begins_with_key(bytes, size, 0, keys) ||
           json_begins_with_key(bytes, size, 1, event);
}

/* ---- threads and tracks */

static enum status small_number(struct chrometrace *trace, int64_t number, uint32_t *ret_small)
{
    uint32_t small = id_map_find(&trace->numbers, (uint64_t)number);
    if (small == PROFILE_NO_ID) {
        small = (uint32_t)trace->seen.count;
        if (!array_push(&trace->seen, number) ||
            !id_map_put(&trace->numbers, (uint64_t)number, small))
            return STATUS_NO_MEMORY;
    }
    *ret_small = small;
    return STATUS_OK;
}

static enum status find_thread(struct chrometrace *trace, struct thread **ret_thread)
{
    const struct event *event = &trace->event;
    bool is_py_spy = !strcmp(text_string(&event->category), "py-spy");
    uint32_t pid = 0, tid;
    enum status status = is_py_spy ? STATUS_OK : small_number(trace, event->pid, &pid);
    if (status == STATUS_OK)
        status = small_number(trace, event->tid, &tid);
    if (status != STATUS_OK)
        return status;
    trace->is_py_spy |= is_py_spy;
    uint64_t key = (uint64_t)(is_py_spy ? PROFILE_NO_ID : pid) << 32 | tid;
    uint32_t thread = id_map_find(&trace->threads, key);
    if (thread == PROFILE_NO_ID) {
        struct thread made = {.root = PROFILE_NO_ID, .last_at = event->at};
        thread = (uint32_t)trace->thread_list.count;
        if (!array_push(&trace->thread_list, made) || !id_map_put(&trace->threads, key, thread))
            return STATUS_NO_MEMORY;
    }
    *ret_thread = &trace->thread_list.items[thread];
    return STATUS_OK;
}

static enum status find_root(struct chrometrace *trace, uint32_t *ret_root)
{
    const struct event *event = &trace->event;
    uint32_t pid, tid;
    enum status status = small_number(trace, event->pid, &pid);
    if (status == STATUS_OK)
        status = small_number(trace, event->tid, &tid);
    if (status != STATUS_OK)
        return status;
    uint64_t key = (uint64_t)pid << 32 | tid;
    uint32_t track = id_map_find(&trace->tracks, key), root;
    if (track == PROFILE_NO_ID) {
        status = recorder_track(&trace->recorder, "", 0, event->pid, event->tid, &track);
        if (status == STATUS_OK)
            status = stack_tree_root(&trace->tree, track, &root);
        if (status == STATUS_OK &&
            (!array_push(&trace->roots, root) || !id_map_put(&trace->tracks, key, track)))
            status = STATUS_NO_MEMORY;
        if (status != STATUS_OK)
            return status;
    }
    *ret_root = trace->roots.items[track];
    return STATUS_OK;
}

/* ---- events */

static enum status open_span(struct chrometrace *trace, struct thread *thread)
{
    const struct event *event = &trace->event;
    struct frame_label parts = {.name = text_string(&event->name),
                                .name_size = event->name.size,
                                .file = text_string(&event->filename),
                                .file_size = event->filename.size,
                                .line = event->line};
    uint32_t frame, node, name;
    enum status status = STATUS_OK;
    if (!thread->open.count)
        status = find_root(trace, &thread->root);
    if (status == STATUS_OK)
        status = recorder_frame(&trace->recorder, &parts, &frame);
    if (status == STATUS_OK)
        status = profile_add_string(trace->profile, parts.name, parts.name_size, &name);
    if (status == STATUS_OK)
        status = stack_tree_child(&trace->tree,
                                  thread->open.count ? thread->open.items[thread->open.count - 1]
                                                     : thread->root,
                                  frame, &node);
    if (status == STATUS_OK &&
        (!array_push(&thread->open, node) || !array_push(&thread->names, name)))
        status = STATUS_NO_MEMORY;
    trace->spans++;
    return status;
}

static void close_span(struct chrometrace *trace, struct thread *thread)
{
    const struct profile *profile = trace->profile;
    const struct text *name = &trace->event.name;
    if (!thread->open.count) {
        trace->unopened++;
        return;
    }
    thread->open.count--;
    uint32_t opened = thread->names.items[--thread->names.count];
    if (name->size && (profile->strings.items[opened].size != name->size ||
                       memcmp(profile_text(profile, opened), text_string(name), name->size) != 0))
        trace->mismatched++;
}

static void pass_time(struct chrometrace *trace, struct thread *thread, double at)
{
    double passed = at - thread->last_at;
    if (passed < 0) {
        trace->backwards++;
        return;
    }
    if (passed > 0 && thread->open.count)
        stack_tree_add(&trace->tree, thread->open.items[thread->open.count - 1], passed, 1);
    thread->last_at = at;
}

/* Metadata: what a process or thread is called. */
static enum status name_track(struct chrometrace *trace)
{
    const struct event *event = &trace->event;
    uint32_t root, name;
    if (strcmp(text_string(&event->name), "thread_name") != 0 || !event->label.size)
        return STATUS_OK;
    enum status status = find_root(trace, &root);
    if (status == STATUS_OK)
        status = profile_add_string(trace->profile, text_string(&event->label), event->label.size,
                                    &name);
    if (status == STATUS_OK)
        trace->profile->tracks.items[trace->tree.nodes.items[root].frame].name = name;
    return status;
}

static enum status end_event(struct chrometrace *trace)
{
    const struct event *event = &trace->event;
    const char *phase = text_string(&event->phase);
    struct thread *thread;
    if (!text_ok(&event->name) || !text_ok(&event->category) || !text_ok(&event->phase) ||
        !text_ok(&event->filename) || !text_ok(&event->label))
        return STATUS_NO_MEMORY;
    if (!strcmp(phase, "M"))
        return name_track(trace);
    if (strcmp(phase, "B") != 0 && strcmp(phase, "E") != 0) {
        trace->others++;
        return STATUS_OK;
    }
    if (isnan(event->at)) {
        trace->bad++;
        return STATUS_OK;
    }
    enum status status = find_thread(trace, &thread);
    if (status != STATUS_OK)
        return status;
    pass_time(trace, thread, event->at);
    if (event->at > trace->last_at || isnan(trace->last_at))
        trace->last_at = event->at;
    if (*phase == 'B')
        return open_span(trace, thread);
    close_span(trace, thread);
    return STATUS_OK;
}

static void begin_event(struct event *event)
{
    text_clear(&event->name);
    text_clear(&event->category);
    text_clear(&event->phase);
    text_clear(&event->filename);
    text_clear(&event->label);
    event->pid = event->tid = -1;
    event->line = 0;
    event->at = NAN;
}

/* ---- the document */

static void keep_text(struct text *text, const struct json_value *value)
{
    text_clear(text);
    if (value->kind == JSON_STRING)
        text_append_n(text, value->text, value->size);
}

/* A process's or thread's number; some write it as a string. */
static int64_t read_id(const struct json_value *value)
{
    int64_t id;
    bool is_told = (value->kind == JSON_NUMBER || value->kind == JSON_STRING) &&
                   number_id(value->text, value->size, &id);
    return is_told ? id : -1;
}

static enum status take(void *context, const struct json_value *value, struct error *err)
{
    struct chrometrace *trace = context;
    struct event *event = &trace->event;
    double number = 0;
    bool is_number = value->kind == JSON_NUMBER && number_double(value->text, value->size, &number);
    switch ((enum place)value->place) {
    case EVENT:
        if (value->kind == JSON_OBJECT)
            begin_event(event);
        else if (value->kind == JSON_OBJECT_END)
            return recorder_failed(err, end_event(trace));
        else
            trace->bad++;
        break;
    case NAME: keep_text(&event->name, value); break;
    case CATEGORY: keep_text(&event->category, value); break;
    case PHASE: keep_text(&event->phase, value); break;
    case FILENAME: keep_text(&event->filename, value); break;
    case LABEL: keep_text(&event->label, value); break;
    case PID: event->pid = read_id(value); break;
    case TID: event->tid = read_id(value); break;
    case TIME: event->at = is_number ? number : NAN; break;
    case LINE: event->line = number > 0 && number <= INT32_MAX ? (int32_t)number : 0; break;
    default: break;
    }
    return STATUS_OK;
}

static enum status warn_all(struct chrometrace *trace)
{
    const struct {
        uint64_t count;
        const char *what;
    } rows[] = {
        {trace->others, "events are no B, E or M: left out"},
        {trace->bad, "events have no time or are no events: left out"},
        {trace->backwards, "events go back in time: no time passes at them"},
        {trace->unopened, "events close a span where none is open: left out"},
        {trace->mismatched, "events close a span of another name: it is closed"},
        {trace->unclosed, "spans are never closed: they last until the last event"},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && status == STATUS_OK; i++)
        if (rows[i].count)
            status = profile_add_warning(trace->profile, "samples", "%" PRIu64 " %s", rows[i].count,
                                         rows[i].what);
    if (status == STATUS_OK && trace->is_py_spy)
        status = profile_add_warning(trace->profile, "samples",
                                     "a chrometrace does not tell when a thread was idle: that "
                                     "time counts to the stack seen before it");
    return status;
}

static enum status finish(struct chrometrace *trace, struct error *err)
{
    if (!trace->spans)
        return error_set(err, STATUS_UNSUPPORTED,
                         "a Chrome trace without B and E events (%" PRIu64
                         " of other kinds): only those are read",
                         trace->others);
    for (size_t i = 0; i < trace->thread_list.count; i++) {
        struct thread *thread = &trace->thread_list.items[i];
        trace->unclosed += thread->open.count;
        if (thread->open.count)
            pass_time(trace, thread, trace->last_at);
    }
    enum status status = warn_all(trace);
    if (status != STATUS_OK)
        return recorder_failed(err, status);
    struct frame_map same = {0};
    status = stack_tree_record(&trace->tree, &same, &trace->recorder, err);
    return status == STATUS_OK ? recorder_finish(&trace->recorder, err) : status;
}

static void chrometrace_init(struct chrometrace *trace, struct profile *profile, uint64_t size)
{
    *trace = (struct chrometrace){.profile = profile, .last_at = NAN};
    recorder_init(&trace->recorder, profile, LABEL_SPY, size);
    stack_tree_init(&trace->tree);
    id_map_init(&trace->numbers);
    id_map_init(&trace->threads);
    id_map_init(&trace->tracks);
}

static void chrometrace_deinit(struct chrometrace *trace)
{
    recorder_deinit(&trace->recorder);
    stack_tree_deinit(&trace->tree);
    id_map_deinit(&trace->numbers);
    id_map_deinit(&trace->threads);
    id_map_deinit(&trace->tracks);
    for (size_t i = 0; i < trace->thread_list.count; i++) {
        array_deinit(&trace->thread_list.items[i].open);
        array_deinit(&trace->thread_list.items[i].names);
    }
    array_deinit(&trace->thread_list);
    array_deinit(&trace->roots);
    array_deinit(&trace->seen);
    text_deinit(&trace->event.name);
    text_deinit(&trace->event.category);
    text_deinit(&trace->event.phase);
    text_deinit(&trace->event.filename);
    text_deinit(&trace->event.label);
}

enum status chrometrace_parse(const struct input_file *input, struct progress *progress,
                              struct profile *profile, struct error *err)
{
    struct chrometrace trace;
    bool is_cut;
    profile->family = PROFILE_SAMPLES;
    profile->format = "chrometrace";
    profile->unit = "microseconds";
    chrometrace_init(&trace, profile, input->size);
    struct json_reader reader = {.rules = rules,
                                 .rule_count = sizeof rules / sizeof *rules,
                                 .take = take,
                                 .context = &trace,
                                 .stage = "reading events"};
    enum status status = json_read(&reader, input->data, input->size, progress, &is_cut, err);
    if (is_cut && trace.spans)
        status = recorder_failed(
            err, profile_add_warning(profile, "samples",
                                     "the file was cut short: what came before is read"));
    if (status == STATUS_OK)
        status = finish(&trace, err);
    chrometrace_deinit(&trace);
    return status;
}
