/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/formats/python_layout.h"

#include <inttypes.h>
#include <string.h>

#include "inquest/base/bytes_reader.h"

/* _Py_DebugOffsets, at the start of _PyRuntime from CPython 3.13 on.
 *
 * OFFSET  SIZE  MEANING
 *      0     8  cookie "xdebugpy"
 *      8     8  PY_VERSION_HEX of the interpreter
 *     16     8  1 in a free-threaded build
 *     24   8*n  sizes of structs and offsets within them, in an order that each
 *               minor version has of its own: the rows below say what is where
 *
 * Source: Include/internal/pycore_runtime.h in 3.13, pycore_debug_offsets.h later.
 *
 * To add a version: generate.py writes its debug_offsets_3_N.inc, which gets an
 * array and a line in debug_versions; its table goes into layouts.c. */
#define COOKIE             "xdebugpy"
#define HEADER_SIZE        24u
#define LARGEST_STRUCT     (16u << 20) /* _PyRuntimeState is 300 KiB */
#define LARGEST_POSITION   4096u
#define NEIGHBOUR_DISTANCE 128

#define NOT_RELATIVE PYTHON_FIELD_COUNT

struct debug_row {
    enum python_field field;
    uint16_t position;      /* in _Py_DebugOffsets */
    enum python_field of;   /* the struct's size: a bound, and the field's family */
    enum python_field from; /* NOT_RELATIVE, or the field that ours counts from */
};

static const struct debug_row rows_3_13[] = {
#include "formats/cpython/layouts/debug_offsets_3_13.inc"
};
static const struct debug_row rows_3_14[] = {
#include "formats/cpython/layouts/debug_offsets_3_14.inc"
};
static const struct debug_row rows_3_15[] = {
#include "formats/cpython/layouts/debug_offsets_3_15.inc"
};

static const struct debug_version {
    uint32_t minor;
    const char *name;
    const struct debug_row *rows;
    size_t count;
} debug_versions[] = {
    {0x030d, "3.13 (debug offsets)", rows_3_13, sizeof(rows_3_13) / sizeof(rows_3_13[0])},
    {0x030e, "3.14 (debug offsets)", rows_3_14, sizeof(rows_3_14) / sizeof(rows_3_14[0])},
    {0x030f, "3.15 (debug offsets)", rows_3_15, sizeof(rows_3_15) / sizeof(rows_3_15[0])},
};

/* Offsets that the dump does not tell, in structs of which it tells others: they
 * move along with their neighbours, see move_follower. */
static const struct debug_follower {
    enum python_field field, of;
} followers[] = {
    {PY_runtime_interpreters_main, PY_runtime_size},
    {PY_runtime_interpreters_next_id, PY_runtime_size},
    {PY_runtime_main_thread, PY_runtime_size},
    {PY_runtime_main_tstate, PY_runtime_size},
    {PY_runtime_initialized, PY_runtime_size},
    {PY_runtime_main_interpreter, PY_runtime_size},
    {PY_runtime_tracing, PY_runtime_size},
    {PY_runtime_traces, PY_runtime_size},
    {PY_runtime_trace_domains, PY_runtime_size},
    {PY_interp_threads_main, PY_interp_size},
    {PY_interp_runtime, PY_interp_size},
    {PY_interp_dict, PY_interp_size},
    {PY_interp_finalizing, PY_interp_size},
    {PY_interp_static_types, PY_interp_size},
    {PY_interp_datetime_types, PY_interp_size},
    {PY_interp_tasks_head, PY_interp_size},
    {PY_thread_base_frame, PY_thread_size},
    {PY_thread_current_exception, PY_thread_size},
    {PY_thread_exc_state, PY_thread_size},
    {PY_thread_exc_info, PY_thread_size},
    {PY_thread_dict, PY_thread_size},
    {PY_thread_context, PY_thread_size},
    {PY_thread_async_exc, PY_thread_size},
    {PY_thread_datastack_top, PY_thread_size},
    {PY_thread_holds_gil, PY_thread_size},
    {PY_iframe_function, PY_iframe_size},
    {PY_iframe_globals, PY_iframe_size},
    {PY_iframe_builtins, PY_iframe_size},
    {PY_iframe_locals, PY_iframe_size},
    {PY_iframe_object, PY_iframe_size},
    {PY_iframe_stacktop, PY_iframe_size},
    {PY_iframe_return_offset, PY_iframe_size},
    {PY_gen_qualname, PY_gen_size},
    {PY_gen_exc_state, PY_gen_size},
    {PY_gen_origin, PY_gen_size},
    {PY_code_posonlyargcount, PY_code_size},
    {PY_code_kwonlyargcount, PY_code_size},
    {PY_code_nlocals, PY_code_size},
    {PY_code_stacksize, PY_code_size},
    {PY_code_flags, PY_code_size},
    {PY_code_names, PY_code_size},
    {PY_code_consts, PY_code_size},
    {PY_code_nlocalsplus, PY_code_size},
    {PY_code_exceptiontable, PY_code_size},
    {PY_code_ncellvars, PY_code_size},
    {PY_code_nfreevars, PY_code_size},
    {PY_code_framesize, PY_code_size},
    {PY_code_firsttraceable, PY_code_size},
    {PY_gc_enabled, PY_gc_size},
    {PY_gc_generations, PY_gc_size},
    {PY_gc_generation0, PY_gc_size},
    {PY_gc_permanent, PY_gc_size},
    {PY_gc_garbage, PY_gc_size},
    {PY_gc_debug, PY_gc_size},
    {PY_gc_long_lived_total, PY_gc_size},
    {PY_gc_long_lived_pending, PY_gc_size},
    {PY_gc_stats, PY_gc_size},
    {PY_gc_stats_pointer, PY_gc_size},
};

static const struct debug_version *version_rows(uint32_t version_hex)
{
    for (size_t i = 0; i < sizeof(debug_versions) / sizeof(debug_versions[0]); i++) {
        if (debug_versions[i].minor == version_hex >> 16)
            return &debug_versions[i];
    }
    return NULL;
}

static enum status read_header(const struct memory_image *image, uint64_t runtime_addr,
                               uint32_t *ret_version, struct error *err)
{
    uint8_t header[HEADER_SIZE];
    enum status status = memory_read(image, runtime_addr, header, sizeof(header));
    if (status != STATUS_OK)
        return error_set(err, status, "debug offsets at 0x%" PRIx64 ": not in the core",
                         runtime_addr);
    if (memcmp(header, COOKIE, 8) != 0)
        return error_set(err, STATUS_CORRUPT,
                         "debug offsets at 0x%" PRIx64 ": they don't begin with \"" COOKIE "\"",
                         runtime_addr);
    uint64_t version = load_u64(header + 8), free_threaded = load_u64(header + 16);
    if (version > UINT32_MAX || version >> 24 != 3)
        return error_set(err, STATUS_CORRUPT,
                         "debug offsets at 0x%" PRIx64 ": 0x%" PRIx64 " is no version of CPython",
                         runtime_addr, version);
    if (!version_rows((uint32_t)version))
        return error_set(err, STATUS_UNSUPPORTED, "CPython 3.%u is not known here; known are %s",
                         (unsigned)(version >> 16 & 0xFF), python_layouts_known());
    if (free_threaded > 1)
        return error_set(err, STATUS_CORRUPT,
                         "debug offsets at 0x%" PRIx64 ": free_threaded is 0x%" PRIx64,
                         runtime_addr, free_threaded);
    if (free_threaded)
        return error_set(err, STATUS_UNSUPPORTED,
                         "a free-threaded build of CPython 3.%u: only builds with a GIL are read",
                         (unsigned)(version >> 16 & 0xFF));
    *ret_version = (uint32_t)version;
    return STATUS_OK;
}

/* What the row says, brought to what our field means; checked against the size of
 * its struct, which stands in an earlier row. */
static enum status read_row(const struct debug_row *row, const uint8_t *bytes,
                            struct python_layout *layout, struct error *err)
{
    uint64_t value = load_u64(bytes + row->position);
    bool is_size = row->field == row->of;
    uint64_t limit = is_size ? LARGEST_STRUCT : layout_get(layout, row->of);
    uint64_t base = row->from == NOT_RELATIVE ? 0 : layout_get(layout, row->from);
    if (value > limit || (!is_size && value == limit) || value < base || (is_size && value == 0))
        return error_set(err, STATUS_CORRUPT,
                         "debug offsets: %s is 0x%" PRIx64 ", which can't be (limit 0x%" PRIx64 ")",
                         python_field_name(row->field), value, limit);
    layout->plus_one[row->field] = value - base + 1;
    return STATUS_OK;
}

/* The table of this minor version whose structs are as large as the dump's (patch
 * releases moved fields), else the one that the version's number leads to. */
static const struct python_layout *nearest_table(const struct debug_version *version,
                                                 const uint8_t *bytes, uint32_t version_hex)
{
    for (size_t i = python_layout_count; i-- > 0;) {
        const struct python_layout *table = python_layouts[i];
        if (table->version_hex >> 16 != version->minor)
            continue;
        bool same = true;
        for (size_t r = 0; r < version->count && same; r++) {
            const struct debug_row *row = &version->rows[r];
            if (row->field == row->of)
                same = load_u64(bytes + row->position) == layout_get(table, row->field);
        }
        if (same)
            return table;
    }
    return python_layout_for_version(version_hex);
}

struct neighbour {
    int64_t distance, moved;
};

/* The nearest told number at or below (above) the table's `offset`, and how far it
 * moved. The struct's begin and its size bound the search, and are told as well. */
static struct neighbour find_neighbour(const struct debug_version *version,
                                       const struct python_layout *table,
                                       const struct python_layout *layout,
                                       const struct debug_follower *follower, bool above)
{
    int64_t offset = (int64_t)layout_get(table, follower->field);
    struct neighbour best = {.distance = above ? INT64_MAX : offset};
    for (size_t i = 0; i < version->count; i++) {
        const struct debug_row *row = &version->rows[i];
        if (row->of != follower->of || row->from != NOT_RELATIVE || !layout_has(table, row->field))
            continue;
        int64_t told = (int64_t)layout_get(table, row->field);
        int64_t distance = above ? told - offset : offset - told;
        if (distance < 0 || distance > best.distance)
            continue;
        best.distance = distance;
        best.moved = (int64_t)layout_get(layout, row->field) - told;
    }
    return best;
}

static bool is_told(const struct debug_version *version, enum python_field field)
{
    for (size_t i = 0; i < version->count; i++) {
        if (version->rows[i].field == field)
            return true;
    }
    return false;
}

/* A field between two that moved by the same distance moved by it too; otherwise
 * it went along with one that is close, or is not known any more. */
static void move_follower(const struct debug_version *version, const struct python_layout *table,
                          struct python_layout *layout, const struct debug_follower *follower)
{
    if (!layout_has(table, follower->field) || is_told(version, follower->field))
        return;
    struct neighbour below = find_neighbour(version, table, layout, follower, false);
    struct neighbour above = find_neighbour(version, table, layout, follower, true);
    struct neighbour nearer = above.distance < below.distance ? above : below;
    bool known = below.moved == above.moved || nearer.distance <= NEIGHBOUR_DISTANCE;
    uint64_t offset = layout_get(table, follower->field) + (uint64_t)nearer.moved;
    if (!known || offset >= layout_get(layout, follower->of))
        layout->plus_one[follower->field] = 0;
    else
        layout->plus_one[follower->field] = offset + 1;
}

static size_t rows_end(const struct debug_version *version)
{
    size_t end = HEADER_SIZE;
    for (size_t i = 0; i < version->count; i++) {
        size_t row_end = version->rows[i].position + sizeof(uint64_t);
        end = row_end > end ? row_end : end;
    }
    return end;
}

enum status python_layout_from_debug_offsets(const struct memory_image *image,
                                             uint64_t runtime_addr,
                                             struct python_layout *ret_layout, struct error *err)
{
    uint32_t version_hex = 0;
    enum status status = read_header(image, runtime_addr, &version_hex, err);
    if (status != STATUS_OK)
        return status;
    const struct debug_version *version = version_rows(version_hex);
    uint8_t bytes[LARGEST_POSITION];
    size_t size = rows_end(version);
    status = memory_read(image, runtime_addr, bytes, size);
    if (status != STATUS_OK)
        return error_set(err, status, "debug offsets at 0x%" PRIx64 ": %s", runtime_addr,
                         status == STATUS_NOT_IN_DUMP ? "not whole in the core" : "not readable");
    const struct python_layout *table = nearest_table(version, bytes, version_hex);
    struct python_layout layout = *table;
    layout.version_hex = version_hex;
    layout.name = version->name;
    for (size_t i = 0; i < version->count; i++) {
        status = read_row(&version->rows[i], bytes, &layout, err);
        if (status != STATUS_OK)
            return status;
    }
    for (size_t i = 0; i < sizeof(followers) / sizeof(followers[0]); i++)
        move_follower(version, table, &layout, &followers[i]);
    *ret_layout = layout;
    return STATUS_OK;
}
