/* SPDX-License-Identifier: Apache-2.0 */
/* Where in asyncio a task waits: of the library's frames at the inner end of its
 * chain the outermost is the call that the program made. Its file, its name and the
 * object that it is a method of say what is waited for. */
#include <string.h>

#include "analyzer/objects/containers.h"
#include "analyzer/runtime/tasks.h"
#include "inquest/base/limits.h"

#define FRAMES_OF_LIBRARY 16

/* ---- frames */

struct variable_search {
    const char *name;
    uint64_t value_addr;
};

static void match_variable(void *context, const char *name, enum variable_kind kind,
                           uint64_t value_addr)
{
    struct variable_search *search = context;
    (void)kind;
    if (!search->value_addr && !strcmp(name, search->name))
        search->value_addr = value_addr;
}

bool frame_variable(struct python_process *process, const struct frame_fact *frame,
                    const char *name, uint64_t *ret_value_addr)
{
    struct variable_search search = {name, 0};
    frame_locals(process, frame, match_variable, &search);
    *ret_value_addr = search.value_addr;
    return search.value_addr;
}

bool object_is_none(struct python_process *process, uint64_t addr)
{
    const struct python_type *type;
    return object_type(process, addr, &type) == STATUS_OK && type->kind == KIND_NONE;
}

/* "tasks.py" for ".../asyncio/tasks.py", NULL for files of others. */
static const char *library_file(const struct frame_fact *frame)
{
    static const char folder[] = "asyncio/";
    const char *base = frame->code ? strrchr(frame->code->file, '/') : NULL;
    size_t before = base ? (size_t)(base + 1 - frame->code->file) : 0;
    if (before <= sizeof folder - 1 ||
        strncmp(base + 1 - (sizeof folder - 1), folder, sizeof folder - 1) != 0 ||
        base[-(ptrdiff_t)(sizeof folder - 1)] != '/')
        return NULL;
    return base + 1;
}

/* The last part of a qualified name. */
static const char *plain_name(const struct code_info *code)
{
    const char *dot = strrchr(code->function, '.');
    return dot ? dot + 1 : code->function;
}

static bool is_function(const struct frame_fact *frame, const char *file, const char *function)
{
    const char *library = library_file(frame);
    return library && !strcmp(library, file) && !strcmp(plain_name(frame->code), function);
}

const struct code_info *task_own_code(const struct task_list *list, const struct task_fact *task)
{
    for (size_t i = 0; i < task->frame_count; i++) {
        const struct frame_fact *frame = &list->frames.items[task->first_frame + i];
        if (frame->code && !library_file(frame))
            return frame->code;
    }
    return NULL;
}

/* ---- finding the place */

static void find_lock(struct task_search *search, const struct task_fact *task,
                      struct wait_place *place)
{
    const struct frame_fact *frames = &search->list->frames.items[task->first_frame];
    size_t count = task->frame_count;
    uint64_t self_addr;
    for (; count && is_function(&frames[0], "futures.py", "__await__"); count--)
        frames++;
    if (!count || !is_function(&frames[0], "locks.py", "acquire") ||
        !frame_variable(search->process, &frames[0], "self", &place->lock_addr))
        return;
    /* `async with` had put the exit method on the stack before it entered */
    place->lock_is_entered = count > 1 && is_function(&frames[1], "locks.py", "__aenter__") &&
                             frame_variable(search->process, &frames[1], "self", &self_addr) &&
                             self_addr == place->lock_addr;
}

void wait_place_find(struct task_search *search, const struct task_fact *task,
                     struct wait_place *ret_place)
{
    struct wait_place place = {0};
    const struct frame_fact *frames =
        task->frame_count ? &search->list->frames.items[task->first_frame] : NULL;
    for (size_t i = 0; i < task->frame_count && i < FRAMES_OF_LIBRARY; i++) {
        const char *file = library_file(&frames[i]);
        uint64_t self_addr;
        if (!file)
            break;
        if (!strcmp(file, "futures.py"))
            continue; /* a future's own __await__ */
        if (frame_variable(search->process, &frames[i], "self", &self_addr) &&
            place.self_count < WAIT_PLACE_SELVES)
            place.selves[place.self_count++] = self_addr;
        if (is_function(&frames[i], "tasks.py", "wait_for")) {
            place.timed = &frames[i];
            if (place.frame)
                continue;
        }
        place.frame = &frames[i];
        place.depth = i;
        place.file = file;
        place.function = plain_name(frames[i].code);
    }
    const struct python_type *type;
    if (place.frame && frame_variable(search->process, place.frame, "self", &place.self_addr) &&
        object_type(search->process, place.self_addr, &type) == STATUS_OK)
        place.self_type = type;
    if (task->frame_count)
        find_lock(search, task, &place);
    *ret_place = place;
}

/* ---- in words */

/* "asyncio.Queue" for asyncio.queues.Queue. */
static void type_words(const struct python_type *type, struct text *text)
{
    bool is_library = type->module && !strncmp(type->module, "asyncio.", 8);
    text_printf(text, "%s%s", is_library ? "asyncio." : "",
                is_library ? type->short_name : type->name);
}

/* What the program calls an object: a variable of the frame, or `self.name`. */
struct naming {
    struct python_process *process;
    uint64_t wanted_addr, self_addr;
    const char *name;
    bool of_self;
};

static void match_value(void *context, const char *name, enum variable_kind kind,
                        uint64_t value_addr)
{
    struct naming *naming = context;
    (void)kind;
    if (!strcmp(name, "self"))
        naming->self_addr = value_addr;
    else if (!naming->name && value_addr == naming->wanted_addr)
        naming->name = name;
}

static bool match_attribute(void *context, const struct attribute *attribute)
{
    struct naming *naming = context;
    if (attribute->value_addr != naming->wanted_addr)
        return true;
    naming->of_self = attribute->name ||
                      str_name(naming->process, attribute->name_addr, &naming->name) == STATUS_OK;
    if (attribute->name)
        naming->name = attribute->name;
    return false;
}

static void name_words(struct task_search *search, const struct task_fact *task, size_t depth,
                       uint64_t addr, struct text *text)
{
    struct naming naming = {.process = search->process, .wanted_addr = addr};
    if (!addr || depth >= task->frame_count)
        return;
    frame_locals(search->process, &search->list->frames.items[task->first_frame + depth],
                 match_value, &naming);
    if (!naming.name && naming.self_addr &&
        instance_attributes(search->process, naming.self_addr, match_attribute, &naming) !=
            STATUS_OK)
        return;
    if (naming.name)
        text_printf(text, " %s%s", naming.of_self ? "self." : "", naming.name);
}

static void queue_words(struct python_process *process, uint64_t queue_addr, struct text *text)
{
    const struct python_type *type;
    struct deque_iterator items;
    uint64_t store_addr, items_addr, count;
    if (instance_attribute(process, queue_addr, "_queue", &store_addr) != STATUS_OK ||
        object_type(process, store_addr, &type) != STATUS_OK)
        return;
    if (type->kind == KIND_DEQUE && deque_iterate(process, store_addr, &items) == STATUS_OK)
        count = items.count;
    else if (type->kind != KIND_LIST ||
             list_items(process, store_addr, &items_addr, &count) != STATUS_OK)
        return;
    text_printf(text, ", %llu item%s in it", (unsigned long long)count, count == 1 ? "" : "s");
}

static void value_words(struct task_search *search, const struct frame_fact *frame,
                        const char *name, struct text *text)
{
    uint64_t addr;
    if (frame_variable(search->process, frame, name, &addr) &&
        !object_is_none(search->process, addr))
        object_repr(search->process, addr, &repr_limits_default, text);
}

/* The calls that are told in another way than "Type.function()". To add one: a row. */
static const struct place_row {
    const char *file, *function;
    const char *words; /* %s: the type */
    const char *value; /* a variable to show in its parentheses */
} place_rows[] = {
    {"locks.py", "acquire", "%s", NULL},
    {"locks.py", "__aenter__", "%s", NULL},
    {"taskgroups.py", "__aexit__", "%s", NULL},
    {"taskgroups.py", "_aexit", "%s", NULL},
    {"tasks.py", "_wait_for_one", "asyncio.as_completed()", NULL},
    {"tasks.py", "_wait", "asyncio.wait()", NULL},
    {"tasks.py", "sleep", "asyncio.sleep(", "delay"},
    {"tasks.py", "wait_for", "asyncio.wait_for()", NULL},
};

static const struct place_row *find_row(const struct wait_place *place)
{
    for (size_t i = 0; i < sizeof place_rows / sizeof *place_rows; i++)
        if (!strcmp(place_rows[i].file, place->file) &&
            !strcmp(place_rows[i].function, place->function))
            return &place_rows[i];
    return NULL;
}

void wait_place_words(struct task_search *search, const struct task_fact *task,
                      const struct wait_place *place, struct text *text)
{
    const struct place_row *row = find_row(place);
    struct text type = {0};
    if (place->self_type)
        type_words(place->self_type, &type);
    else
        text_append(&type, "asyncio");
    if (row && row->value) {
        text_append(text, row->words);
        value_words(search, place->frame, row->value, text);
        text_append_char(text, ')');
    } else if (row && strchr(row->words, '%')) {
        text_append(text, text_string(&type));
    } else if (row) {
        text_append(text, row->words);
    } else {
        text_printf(text, "%s.%s()", text_string(&type), place->function);
    }
    bool is_queue = !strcmp(place->file, "queues.py");
    if (place->self_addr && (!row || strchr(row->words, '%')))
        name_words(search, task, place->depth + 1 + (place->timed != NULL), place->self_addr, text);
    if (is_queue && place->self_addr)
        queue_words(search->process, place->self_addr, text);
    text_deinit(&type);
}
