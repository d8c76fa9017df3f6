/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/analyzer/stacks_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CHUNK_SIZE   16384u
#define UNSTORED     65536u
#define STACK_WORDS  4u
#define KERNEL_TID   77u /* of the fake core's thread */
#define IDENT        UINT64_C(0x7f1299990000)
#define FRAME_OBJECT 512u

unsigned stacks_minor(const struct stacks *stacks)
{
    return layout_minor(&stacks->objects.python.layout);
}

bool stacks_has(const struct stacks *stacks, enum python_field field)
{
    return layout_has(&stacks->objects.python.layout, field);
}

static uint64_t field(const struct stacks *stacks, enum python_field name)
{
    return objects_field(&stacks->objects, name);
}

void stacks_set(struct stacks *stacks, uint64_t addr, enum python_field name, uint64_t word)
{
    fake_python_set(&stacks->objects.python, addr, name, word);
}

void stacks_set_u32(struct stacks *stacks, uint64_t addr, enum python_field name, uint32_t word)
{
    if (stacks_has(stacks, name))
        objects_put_bytes(&stacks->objects, addr + field(stacks, name), &word, sizeof word);
}

uint64_t stacks_absent(const struct stacks *stacks)
{
    return FAKE_PYTHON_BASE + stacks->objects.python.size + 256;
}

/* ---- code and frames */

static uint64_t frame_words(const struct stacks *stacks)
{
    return field(stacks, PY_iframe_localsplus) / 8 + 1 + STACK_WORDS;
}

uint64_t stacks_code(struct stacks *stacks, const char *name)
{
    struct objects *objects = &stacks->objects;
    uint64_t code = objects_new(objects, objects->code_type, field(stacks, PY_code_size) + 64);
    uint64_t variable = objects_str(objects, "n");
    uint64_t names = objects_tuple(objects, &variable, 1);
    uint64_t none = objects_tuple(objects, NULL, 0);
    stacks_set(stacks, code, PY_code_name, objects_str(objects, name));
    stacks_set(stacks, code, PY_code_qualname, objects_str(objects, name));
    stacks_set(stacks, code, PY_code_filename, objects_str(objects, "made.py"));
    stacks_set(stacks, code, PY_code_varnames, names);
    stacks_set(stacks, code, PY_code_cellvars, none);
    stacks_set(stacks, code, PY_code_freevars, none);
    stacks_set(stacks, code, PY_code_localsplusnames, names);
    stacks_set(stacks, code, PY_code_localspluskinds, objects_bytes(objects, "\x20", 1));
    stacks_set_u32(stacks, code, PY_code_flags, 1); /* CO_OPTIMIZED */
    stacks_set_u32(stacks, code, PY_code_stacksize, STACK_WORDS);
    if (stacks_has(stacks, PY_code_framesize))
        stacks_set_u32(stacks, code, PY_code_framesize, (uint32_t)frame_words(stacks));
    return code;
}

static uint64_t frame_to_3_10(struct stacks *stacks, uint64_t code, uint64_t number)
{
    uint64_t frame = objects_new(&stacks->objects, stacks->frame_type, FRAME_OBJECT);
    stacks_set(stacks, frame, PY_frame_code, code);
    stacks_set_u32(stacks, frame, PY_frame_lasti, 2);
    stacks_set(stacks, frame, PY_frame_localsplus, number);
    return frame;
}

uint64_t stacks_frame(struct stacks *stacks, uint64_t code, int64_t number)
{
    uint64_t value = objects_int(&stacks->objects, number);
    if (stacks_minor(stacks) < 11)
        return frame_to_3_10(stacks, code, value);
    uint64_t frame = stacks->chunk_top;
    stacks->chunk_top += 8 * frame_words(stacks);
    assert_true(stacks->chunk_top <= stacks->chunk + CHUNK_SIZE);
    stacks_set(stacks, frame, PY_iframe_code, code);
    stacks_set(stacks, frame, PY_iframe_instr, code + field(stacks, PY_code_adaptive) + 4);
    stacks_set(stacks, frame, PY_iframe_localsplus, value);
    objects_put_byte(&stacks->objects, frame + field(stacks, PY_iframe_owner), 0);
    stacks_set(stacks, stacks->objects.python.thread, PY_thread_datastack_top, stacks->chunk_top);
    return frame;
}

void stacks_link(struct stacks *stacks, uint64_t frame, uint64_t previous)
{
    stacks_set(stacks, frame, stacks_minor(stacks) < 11 ? PY_frame_back : PY_iframe_previous,
               previous);
}

void stacks_chain(struct stacks *stacks, uint64_t *ret_frames, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        char name[32];
        snprintf(name, sizeof name, "f%zu", i);
        ret_frames[i] = stacks_frame(stacks, stacks_code(stacks, name), (int64_t)i);
        stacks_link(stacks, ret_frames[i], i + 1 < count ? ret_frames[i + 1] : 0);
    }
    stacks_running(stacks, stacks->objects.python.thread, ret_frames[0]);
}

void stacks_running(struct stacks *stacks, uint64_t thread, uint64_t frame)
{
    stacks_set(stacks, thread, PY_thread_frame, frame);
    stacks_set(stacks, thread, PY_thread_current_frame, frame);
    if (stacks_has(stacks, PY_thread_cframe)) {
        uint64_t cframe = fake_python_alloc(&stacks->objects.python, 64);
        stacks_set(stacks, cframe, PY_cframe_current_frame, frame);
        stacks_set(stacks, thread, PY_thread_cframe, cframe);
    }
}

uint64_t stacks_thread(struct stacks *stacks)
{
    struct fake_python *python = &stacks->objects.python;
    uint64_t thread = fake_python_alloc(python, field(stacks, PY_thread_size));
    uint64_t head;
    memcpy(&head,
           python->bytes + (python->interp - FAKE_PYTHON_BASE) +
               field(stacks, PY_interp_threads_head),
           8);
    stacks_set(stacks, thread, PY_thread_next, head);
    stacks_set(stacks, thread, PY_thread_interp, python->interp);
    stacks_set(stacks, thread, PY_thread_id, thread);
    stacks_set(stacks, python->interp, PY_interp_threads_head, thread);
    return thread;
}

uint64_t stacks_traceback(struct stacks *stacks, uint64_t code, uint32_t line, uint64_t next)
{
    struct objects *objects = &stacks->objects;
    uint64_t frame = stacks_frame(stacks, code, 0), holder = frame;
    if (stacks_minor(stacks) >= 11) {
        holder = objects_new(objects, stacks->frame_type, FRAME_OBJECT);
        stacks_set(stacks, holder, PY_frame_frame, frame);
    }
    uint64_t traceback = objects_new(objects, stacks->traceback_type, 64);
    stacks_set(stacks, traceback, PY_traceback_next, next);
    stacks_set(stacks, traceback, PY_traceback_frame, holder);
    stacks_set_u32(stacks, traceback, PY_traceback_lineno, line);
    return traceback;
}

/* ---- the process */

static void make(struct stacks *stacks)
{
    struct objects *objects = &stacks->objects;
    struct fake_python *python = &objects->python;
    python->unstored = UNSTORED;
    stacks->frame_type = objects_type(objects, "frame", objects->object_type, PYTHON_FIELD_COUNT);
    stacks->traceback_type =
        objects_type(objects, "traceback", objects->object_type, PYTHON_FIELD_COUNT);
    stacks_set(stacks, python->thread, PY_thread_id, IDENT);
    stacks_set(stacks, python->thread, PY_thread_native_id, KERNEL_TID);
    if (!stacks_has(stacks, PY_stackchunk_data))
        return;
    stacks->chunk = fake_python_alloc(python, CHUNK_SIZE);
    /* the oldest chunk keeps its first word free */
    stacks->chunk_top = stacks->chunk + field(stacks, PY_stackchunk_data) + 8;
    stacks_set(stacks, python->thread, PY_thread_datastack_chunk, stacks->chunk);
    stacks_set(stacks, python->thread, PY_thread_datastack_top, stacks->chunk_top);
}

void stacks_open(struct stacks *stacks)
{
    objects_open(&stacks->objects);
    struct core_dump *core = &stacks->objects.core.core;
    assert_int_equal(core->threads.count, 1);
    core->threads.items[0].registers.thread_pointer = IDENT;
    core->threads.items[0].registers.original_ax = UINT64_MAX; /* in no system call */
}

void stacks_collect(struct stacks *stacks)
{
    struct error err = {0};
    struct index_writer *writer;
    assert_int_equal(index_writer_create(NULL, &writer, &err), STATUS_OK);
    if (collect_stacks(&stacks->objects.core.core, &stacks->objects.process, writer, NULL, &err) !=
        STATUS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(index_writer_publish(writer, &stacks->index, &err), STATUS_OK);
}

const char *stacks_query(struct stacks *stacks, const char *sql)
{
    struct index_rows *rows;
    struct error err = {0};
    text_clear(&stacks->rows);
    if (index_query(stacks->index, sql, NULL, 0, &rows, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    while (index_rows_next(rows)) {
        for (int i = 0; i < index_rows_column_count(rows); i++) {
            const char *text = index_rows_text(rows, i);
            text_printf(&stacks->rows, "%s%s", i ? "," : "", text ? text : "-");
        }
        text_append_char(&stacks->rows, ';');
    }
    assert_int_equal(index_rows_finish(rows, &err), STATUS_OK);
    return text_string(&stacks->rows);
}

void stacks_expect(struct stacks *stacks, const char *sql, const char *rows)
{
    const char *found = stacks_query(stacks, sql);
    if (strcmp(found, rows) != 0)
        fail_msg("3.%u: %s: \"%s\", not \"%s\"", stacks_minor(stacks), sql, found, rows);
}

void stacks_each_version(void (*test)(struct stacks *stacks))
{
    for (size_t i = 0; i < python_layout_count; i++) {
        struct stacks stacks = {0};
        objects_make(&stacks.objects, python_layouts[i]);
        text_init(&stacks.rows);
        make(&stacks);
        test(&stacks);
        index_close(stacks.index);
        text_deinit(&stacks.rows);
        objects_close(&stacks.objects);
    }
}
