/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_roots.h"

#include <string.h>

#include "analyzer/runtime/frames.h"
#include "analyzer/runtime/threads.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/limits.h"

struct collector {
    const struct core_dump *core;
    struct python_process *process;
    struct outside_references *out;
    struct code_table *codes;
    enum status status;
};

static void add(struct collector *collector, uint64_t addr, enum root_kind kind,
                enum outside_certainty certainty, uint64_t from, const char *label)
{
    struct outside_reference reference = {addr, from, label, (uint8_t)kind, (uint8_t)certainty};
    if (collector->status == STATUS_OK && !array_push(&collector->out->items, reference))
        collector->status = STATUS_NO_MEMORY;
}

static const char *printed(struct collector *collector, const char *format, const char *a,
                           const char *b, const char *c)
{
    const char *text = arena_printf(collector->process->arena, format, a, b, c);
    return text ? text : "";
}

/* ---- modules */

static void add_modules(struct collector *collector)
{
    struct python_process *process = collector->process;
    uint64_t modules_addr, key_addr, module_addr, dict_addr;
    struct dict_iterator iterator;
    enum status status;
    if (object_pointer(process, process->interp_addr, PY_interp_modules, &modules_addr) !=
            STATUS_OK ||
        dict_iterate(process, modules_addr, &iterator) != STATUS_OK)
        return;
    while (dict_next(process, &iterator, &key_addr, &module_addr, &status)) {
        const char *name;
        const struct python_type *type;
        if (str_name(process, key_addr, &name) != STATUS_OK)
            continue;
        add(collector, module_addr, ROOT_MODULE, OUTSIDE_NAMED, 0, name);
        if (object_type(process, module_addr, &type) == STATUS_OK && type->kind == KIND_MODULE &&
            object_pointer(process, module_addr, PY_module_dict, &dict_addr) == STATUS_OK &&
            dict_addr)
            add(collector, dict_addr, ROOT_MODULE, OUTSIDE_NAMED, 0, name);
    }
}

/* ---- words of C memory that are addresses of objects */

struct words {
    enum root_kind kind;
    const char *label;
};

/* NULL: it does not. */
static const struct python_type *type_at_word(struct collector *collector, uint64_t addr)
{
    if (addr < 4096 || addr % 8 != 0 || !memory_is_writable(collector->process->image, addr))
        return NULL;
    const struct python_type *type = object_alive_at(collector->process, addr);
    return type && object_header_agrees(collector->process, addr, type) &&
                   object_fits_memory(collector->process, addr, type)
               ? type
               : NULL;
}

static bool looks_like_object(struct collector *collector, uint64_t addr)
{
    return type_at_word(collector, addr) != NULL;
}

/* Up to 3.13 freed lists and dicts wait in arrays for their next use, and a slot keeps the
 * address of what was taken from it: such words hold nothing. They are told by their neighbours,
 * which lead to more of the same type, alive or freed. */
#define FREE_LIST_RUN 4

static bool has_type(const struct collector *collector, uint64_t addr, uint64_t type_addr)
{
    const struct python_process *process = collector->process;
    uint64_t found;
    return memory_read_u64(process->image, addr + layout_get(&process->layout, PY_object_type),
                           &found) == STATUS_OK &&
           found == type_addr;
}

static bool is_free_list_slot(const struct collector *collector, const uint8_t *bytes,
                              uint64_t size, uint64_t offset, const struct python_type *type)
{
    unsigned run = 1;
    if (!type->is_exact_kind || (type->kind != KIND_LIST && type->kind != KIND_DICT))
        return false;
    for (uint64_t at = offset; run < FREE_LIST_RUN && at >= 8; run++) {
        at -= 8;
        if (!has_type(collector, load_u64(bytes + at), type->addr))
            break;
    }
    for (uint64_t at = offset + 8; run < FREE_LIST_RUN && at + 8 <= size; at += 8, run++) {
        if (!has_type(collector, load_u64(bytes + at), type->addr))
            break;
    }
    return run >= FREE_LIST_RUN;
}

/* The word at `addr + offset`, which `bytes + offset` is. */
static void add_word(struct collector *collector, uint64_t addr, const uint8_t *bytes,
                     uint64_t size, uint64_t offset, const struct words *words)
{
    uint64_t word = load_u64(bytes + offset);
    const struct python_type *type = type_at_word(collector, word);
    if (type && !is_free_list_slot(collector, bytes, size, offset, type))
        add(collector, word, words->kind, OUTSIDE_WORD, addr + offset, words->label);
}

static void add_words(struct collector *collector, uint64_t addr, uint64_t size,
                      const struct words *words)
{
    uint64_t available;
    const uint8_t *bytes = memory_span(collector->process->image, addr, &available);
    if (!bytes)
        return;
    size = size < available ? size : available;
    for (uint64_t offset = 0; offset + 8 <= size; offset += 8)
        add_word(collector, addr, bytes, size, offset, words);
}

/* The interpreter's and the runtime's own structures. */
static void add_interpreter(struct collector *collector)
{
    const struct python_process *process = collector->process;
    const struct python_layout *layout = &process->layout;
    const struct words words = {ROOT_INTERPRETER, "interpreter state"};
    uint64_t interp_end = process->interp_addr, runtime_end = process->runtime_addr;
    if (layout_has(layout, PY_interp_size))
        interp_end += layout_get(layout, PY_interp_size);
    if (layout_has(layout, PY_runtime_size))
        runtime_end += layout_get(layout, PY_runtime_size);
    bool embedded =
        process->interp_addr >= process->runtime_addr && process->interp_addr < runtime_end;
    add_words(collector, process->interp_addr, interp_end - process->interp_addr, &words);
    if (embedded)
        runtime_end = process->interp_addr;
    add_words(collector, process->runtime_addr, runtime_end - process->runtime_addr, &words);
}

static bool overlaps_runtime(const struct python_process *process, uint64_t addr)
{
    const struct python_layout *layout = &process->layout;
    uint64_t runtime_size =
        layout_has(layout, PY_runtime_size) ? layout_get(layout, PY_runtime_size) : 0;
    uint64_t interp_size =
        layout_has(layout, PY_interp_size) ? layout_get(layout, PY_interp_size) : 0;
    return addr - process->runtime_addr < runtime_size || addr - process->interp_addr < interp_size;
}

static const char *segment_label(const struct core_dump *core, const struct core_segment *segment)
{
    if (segment->mapping == CORE_NO_INDEX)
        return core_region_name(segment->region);
    const char *path = core->mappings.items[segment->mapping].path, *base = strrchr(path, '/');
    return base ? base + 1 : path;
}

/* C variables: the writable data of each mapped program, with its .bss. */
static void add_statics(struct collector *collector)
{
    const struct core_dump *core = collector->core;
    for (size_t i = 0; i < core->segments.count; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        if (segment->region != CORE_REGION_PROGRAM_DATA &&
            segment->region != CORE_REGION_LIBRARY_DATA)
            continue;
        const struct words words = {ROOT_STATIC, segment_label(core, segment)};
        uint64_t available;
        const uint8_t *bytes = memory_span(collector->process->image, segment->address, &available);
        uint64_t size = min_u64(available, segment->stored);
        for (uint64_t offset = 0; bytes && offset + 8 <= size; offset += 8) {
            if (load_u64(bytes + offset) >= 4096 &&
                !overlaps_runtime(collector->process, segment->address + offset))
                add_word(collector, segment->address, bytes, size, offset, &words);
        }
    }
}

/* ---- threads and frames */

/* From 3.14 on the lowest bit of a slot says that its reference is not counted. */
static bool is_borrowed(const struct python_process *process, uint64_t word)
{
    return layout_has(&process->layout, PY_constant_stackref_tag_mask) && word & 1;
}

/* How many of a frame's slots are in use: all variables, and of the evaluation
 * stack what the frame says; where it is running, it does not say. */
static uint32_t slots_in_use(const struct python_process *process, const struct frame_fact *frame)
{
    uint32_t top;
    uint32_t variables = frame->code->variable_count;
    if (layout_has(&process->layout, PY_iframe_stacktop) &&
        memory_read_u32(process->image,
                        frame->addr + layout_get(&process->layout, PY_iframe_stacktop),
                        &top) == STATUS_OK &&
        top >= variables && top <= variables + frame->code->stack_words)
        return top;
    return variables;
}

/* The words of the frame before its variables: function, code, namespaces. */
static void add_frame_header(struct collector *collector, const struct frame_fact *frame,
                             const char *label)
{
    const struct python_layout *layout = &collector->process->layout;
    uint64_t size = layout_get(layout, PY_iframe_localsplus), word;
    for (uint64_t offset = 0; offset < size; offset += 8) {
        if (memory_read_u64(collector->process->image, frame->addr + offset, &word) != STATUS_OK)
            return;
        uint64_t addr = frame_untag(collector->process, word);
        if (addr && looks_like_object(collector, addr))
            add(collector, addr, ROOT_FRAME, OUTSIDE_WORD, frame->addr + offset, label);
    }
}

/* Up to 3.10 a frame is an object of the heap, which has its references already;
 * from 3.11 on it is C memory, or part of a generator. */
static void add_frame(struct collector *collector, const char *thread,
                      const struct frame_fact *frame)
{
    uint64_t slots_addr, word;
    uint32_t count = frame_slots(collector->process, frame, &slots_addr);
    if (!frame->code)
        return;
    bool is_object = layout_has(&collector->process->layout, PY_frame_code);
    bool is_owned = is_object || code_owner_name(frame->code);
    const char *label = printed(collector, "<thread %s>.%s%s", thread, frame->code->function, "");
    if (is_object)
        add(collector, frame->addr, ROOT_FRAME, OUTSIDE_NAMED, 0, label);
    else if (!is_owned)
        add_frame_header(collector, frame, label);
    uint32_t in_use = slots_in_use(collector->process, frame);
    for (uint32_t i = 0; i < count; i++) {
        if (memory_read_u64(collector->process->image, slots_addr + 8 * (uint64_t)i, &word) !=
            STATUS_OK)
            return;
        uint64_t addr = frame_untag(collector->process, word);
        if (!addr || !looks_like_object(collector, addr))
            continue;
        enum outside_certainty certainty = i >= in_use ? OUTSIDE_WORD
                                           : is_owned || is_borrowed(collector->process, word)
                                               ? OUTSIDE_NAMED
                                               : OUTSIDE_COUNTED;
        add(collector, addr, ROOT_FRAME, certainty, slots_addr + 8 * (uint64_t)i,
            printed(collector, "<thread %s>.%s.%s", thread, frame->code->function,
                    i < frame->code->variable_count ? frame->code->variables[i].name : "<stack>"));
    }
}

static void add_thread(struct collector *collector, const struct thread_fact *thread)
{
    struct frame_list frames = {0};
    struct text name = {0};
    if (thread->name)
        text_printf(&name, "'%s'", thread->name);
    else
        text_printf(&name, "%u", thread->os_tid);
    const struct words words = {ROOT_THREAD,
                                printed(collector, "<thread %s>%s%s", text_string(&name), "", "")};
    if (layout_has(&collector->process->layout, PY_thread_size))
        add_words(collector, thread->state_addr,
                  layout_get(&collector->process->layout, PY_thread_size), &words);
    enum status status =
        frames_walk(collector->codes, collector->process, thread->state_addr, &frames);
    if (collector->status == STATUS_OK)
        collector->status = status;
    for (size_t i = 0; i < frames.frames.count; i++)
        add_frame(collector, text_string(&name), &frames.frames.items[i]);
    frame_list_deinit(&frames);
    text_deinit(&name);
}

static void add_threads(struct collector *collector)
{
    struct thread_list list;
    collector->status = threads_collect(collector->core, collector->process, &list);
    for (size_t i = 0; i < list.threads.count && collector->status == STATUS_OK; i++)
        if (list.threads.items[i].state_addr)
            add_thread(collector, &list.threads.items[i]);
    thread_list_deinit(&list);
}

/* ---- interned strings: a dict in which each string is its own value */

#define INTERNED_SAMPLE 64

static bool is_interned_table(struct python_process *process, uint64_t addr)
{
    const struct python_type *type;
    struct dict_iterator iterator;
    uint64_t key_addr, value_addr, seen = 0;
    enum status status;
    if (object_type(process, addr, &type) != STATUS_OK || type->kind != KIND_DICT ||
        !type->is_exact_kind || dict_iterate(process, addr, &iterator) != STATUS_OK)
        return false;
    while (seen < INTERNED_SAMPLE &&
           dict_next(process, &iterator, &key_addr, &value_addr, &status)) {
        if (key_addr != value_addr || object_type(process, key_addr, &type) != STATUS_OK ||
            type->kind != KIND_STR)
            return false;
        seen++;
    }
    return seen == INTERNED_SAMPLE;
}

static void find_interned(struct collector *collector)
{
    struct outside_references *out = collector->out;
    for (size_t i = 0; i < out->items.count && !out->interned_addr; i++) {
        struct outside_reference *reference = &out->items.items[i];
        if ((reference->kind == ROOT_STATIC || reference->kind == ROOT_INTERPRETER) &&
            is_interned_table(collector->process, reference->addr)) {
            reference->kind = ROOT_INTERNED;
            reference->certainty = OUTSIDE_COUNTED;
            reference->label = "interned strings";
            out->interned_addr = reference->addr;
        }
    }
}

enum status outside_references_collect(const struct core_dump *core, struct python_process *process,
                                       struct outside_references *ret_references)
{
    struct outside_references out = {0};
    struct collector collector = {.core = core, .process = process, .out = &out};
    uint64_t builtins_addr;
    collector.codes = code_table_create(process);
    collector.status = collector.codes ? STATUS_OK : STATUS_NO_MEMORY;
    if (collector.status == STATUS_OK)
        add_threads(&collector);
    add_modules(&collector);
    if (object_pointer(process, process->interp_addr, PY_interp_builtins, &builtins_addr) ==
        STATUS_OK)
        add(&collector, builtins_addr, ROOT_BUILTINS, OUTSIDE_NAMED, 0, "builtins");
    add_interpreter(&collector);
    add_statics(&collector);
    find_interned(&collector);
    code_table_destroy(collector.codes);
    if (collector.status == STATUS_OK)
        *ret_references = out;
    else
        outside_references_deinit(&out);
    return collector.status;
}

void outside_references_deinit(struct outside_references *references)
{
    if (references)
        array_deinit(&references->items);
}
