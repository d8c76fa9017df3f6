/* SPDX-License-Identifier: Apache-2.0 */
/* tracemalloc's tables. From 3.12 on _PyRuntime points to them; before, C variables
 * of the interpreter do, whose names only a file that is not stripped has. Without,
 * they are found by what they point to: a hash table whose values are traces.
 *
 * OFFSET (layout)            SIZE  MEANING
 * hashtable_count            8     entries
 * hashtable_bucket_count     8     a power of two
 * hashtable_buckets          8     array of pointers to entries
 * hashtable_hash_function    8     code
 * of an entry: 0             8     the next entry of the bucket
 * hashentry_key              8     of traces: address of the block; of domains: number
 * hashentry_value            8     of traces: the trace; of domains: a table of traces
 * of a trace: trace_size     8     bytes asked for
 * trace_traceback            8
 * of a traceback:
 * trace_frame_count          2     frames stored
 * trace_frames               -     of trace_frame_size each, the newest first
 * of a frame:
 * trace_frame_file           8     a str, from 3.15 on a C string
 * trace_frame_line           4
 *
 * Source: Modules/_tracemalloc.c (to 3.12), Python/tracemalloc.c, Python/hashtable.c. */
#include <string.h>

#include "analyzer/objects/fields.h"
#include "analyzer/runtime/allocation_sites.h"
#include "inquest/base/cycle_guard.h"

#define BUCKETS_MAX    (UINT64_C(1) << 40)
#define SIZE_MAX_ASKED (UINT64_C(1) << 47)
#define LINES_MAX      100000000u
#define SAMPLE_BUCKETS 4096u
#define SAMPLE         16u
#define BSS_MAX        (UINT64_C(16) << 20) /* of the interpreter's own variables */

bool hash_table_read(const struct python_process *process, uint64_t addr,
                     struct hash_table *ret_table)
{
    struct hash_table table;
    uint64_t function_addr;
    if (!layout_has(&process->layout, PY_hashtable_count) ||
        field_u64(process, addr, PY_hashtable_bucket_count, &table.bucket_count) != STATUS_OK ||
        table.bucket_count < 2 || table.bucket_count & (table.bucket_count - 1) ||
        table.bucket_count > BUCKETS_MAX ||
        field_u64(process, addr, PY_hashtable_count, &table.count) != STATUS_OK ||
        table.count > table.bucket_count * 4 ||
        field_u64(process, addr, PY_hashtable_buckets, &table.buckets_addr) != STATUS_OK ||
        table.buckets_addr % 8 ||
        field_u64(process, addr, PY_hashtable_hash_function, &function_addr) != STATUS_OK ||
        !memory_is_mapped(process->image, function_addr) ||
        !memory_is_mapped(process->image, table.buckets_addr) ||
        !memory_is_mapped(process->image, table.buckets_addr + 8 * table.bucket_count - 1))
        return false;
    *ret_table = table;
    return true;
}

/* One bucket; *seen counts entries of the whole table. */
static enum status visit_bucket(const struct python_process *process,
                                const struct hash_table *table, uint64_t entry_addr,
                                hash_entry_visitor visit, void *context, uint64_t *seen,
                                bool *goes_on)
{
    struct cycle_guard guard = {0};
    uint64_t next_addr, key, value;
    while (entry_addr && *goes_on) {
        if (++*seen > table->count || !cycle_guard_step(&guard, entry_addr))
            return STATUS_CORRUPT;
        if (memory_read_u64(process->image, entry_addr, &next_addr) != STATUS_OK ||
            field_u64(process, entry_addr, PY_hashentry_key, &key) != STATUS_OK ||
            field_u64(process, entry_addr, PY_hashentry_value, &value) != STATUS_OK)
            return STATUS_NOT_IN_DUMP;
        *goes_on = visit(context, key, value);
        entry_addr = next_addr;
    }
    return STATUS_OK;
}

enum status hash_table_visit(const struct python_process *process, const struct hash_table *table,
                             hash_entry_visitor visit, void *context)
{
    uint64_t seen = 0, entry_addr;
    bool goes_on = true;
    enum status problem = STATUS_OK, status;
    for (uint64_t i = 0; i < table->bucket_count && goes_on && seen <= table->count; i++) {
        status = memory_read_u64(process->image, table->buckets_addr + 8 * i, &entry_addr);
        if (status == STATUS_OK)
            status = visit_bucket(process, table, entry_addr, visit, context, &seen, &goes_on);
        else
            return status; /* the rest may be address space without an end */
        if (status != STATUS_OK)
            problem = status;
    }
    if (goes_on && seen < table->count && problem == STATUS_OK)
        problem = STATUS_CORRUPT;
    return problem;
}

bool trace_read(const struct python_process *process, uint64_t trace_addr, uint64_t *ret_size,
                uint64_t *ret_traceback_addr)
{
    uint64_t size, traceback_addr;
    if (field_u64(process, trace_addr, PY_trace_size, &size) != STATUS_OK ||
        size > SIZE_MAX_ASKED ||
        field_u64(process, trace_addr, PY_trace_traceback, &traceback_addr) != STATUS_OK)
        return false;
    *ret_size = size;
    *ret_traceback_addr = traceback_addr;
    return true;
}

bool traceback_newest(const struct python_process *process, uint64_t traceback_addr,
                      uint64_t *ret_file_addr, uint32_t *ret_line)
{
    uint64_t frame_addr = traceback_addr + layout_get(&process->layout, PY_trace_frames), file_addr;
    uint16_t count;
    uint32_t line;
    if (memory_read_u16(process->image,
                        traceback_addr + layout_get(&process->layout, PY_trace_frame_count),
                        &count) != STATUS_OK ||
        !count || field_u64(process, frame_addr, PY_trace_frame_file, &file_addr) != STATUS_OK ||
        field_u32(process, frame_addr, PY_trace_frame_line, &line) != STATUS_OK ||
        line > LINES_MAX || !file_addr)
        return false;
    *ret_file_addr = file_addr;
    *ret_line = line;
    return true;
}

/* ---- proving a table */

struct proof {
    struct python_process *process;
    unsigned looked_at;
    bool fits, of_domains;
};

static bool names_file(struct python_process *process, uint64_t file_addr)
{
    const struct python_type *type;
    uint8_t character;
    if (layout_has(&process->layout, PY_constant_trace_file_is_text))
        return memory_read_u8(process->image, file_addr, &character) == STATUS_OK && character;
    return object_type(process, file_addr, &type) == STATUS_OK && type->kind == KIND_STR;
}

static bool holds_traces(struct python_process *process, uint64_t addr);

static bool prove_entry(void *context, uint64_t key, uint64_t value)
{
    struct proof *proof = context;
    uint64_t size, traceback_addr, file_addr;
    uint32_t line;
    if (proof->of_domains)
        proof->fits = key <= UINT32_MAX && holds_traces(proof->process, value);
    else
        proof->fits = key && trace_read(proof->process, value, &size, &traceback_addr) &&
                      traceback_newest(proof->process, traceback_addr, &file_addr, &line) &&
                      names_file(proof->process, file_addr);
    return proof->fits && ++proof->looked_at < SAMPLE;
}

/* Buckets from all over the table, an odd step apart: neighbours in it are neighbours in
 * memory, so that thousands in a row are empty where memory of before the tracing lies. */
static void sample_entries(const struct python_process *process, const struct hash_table *table,
                           struct proof *proof)
{
    uint64_t step = table->bucket_count / SAMPLE_BUCKETS | 1, seen = 0, entry_addr;
    bool goes_on = true;
    for (uint64_t i = 0; i < SAMPLE_BUCKETS && i < table->bucket_count && goes_on; i++) {
        uint64_t bucket = i * step & (table->bucket_count - 1);
        enum status status =
            memory_read_u64(process->image, table->buckets_addr + 8 * bucket, &entry_addr);
        if (status == STATUS_OK)
            status = visit_bucket(process, table, entry_addr, prove_entry, proof, &seen, &goes_on);
        (void)status; /* a damaged table may hold traces all the same */
    }
}

static bool is_proven(struct python_process *process, uint64_t addr, bool of_domains)
{
    struct proof proof = {.process = process, .of_domains = of_domains};
    struct hash_table table;
    if (!hash_table_read(process, addr, &table) || !table.count)
        return false;
    sample_entries(process, &table, &proof);
    return proof.fits;
}

static bool holds_traces(struct python_process *process, uint64_t addr)
{
    return is_proven(process, addr, false);
}

/* ---- finding them */

static void scan_words(struct python_process *process, uint64_t addr, uint64_t size,
                       uint64_t own_begin, uint64_t own_end, struct trace_tables *tables)
{
    uint64_t available;
    const uint8_t *bytes = memory_span(process->image, addr, &available);
    size = size < available ? size : available;
    for (uint64_t offset = 0; bytes && offset + 8 <= size; offset += 8) {
        uint64_t word = load_u64(bytes + offset);
        struct hash_table table;
        if (word < 4096 || word % 8 || (word >= own_begin && word < own_end) ||
            !hash_table_read(process, word, &table) || !table.count)
            continue;
        if (!tables->traces_addr && holds_traces(process, word))
            tables->traces_addr = word;
        else if (!tables->domains_addr && is_proven(process, word, true))
            tables->domains_addr = word;
    }
}

/* The C variables of the program or library that holds the runtime. */
static void scan_variables(struct python_process *process, struct trace_tables *tables)
{
    const struct core_dump *core = memory_image_core(process->image);
    const struct core_mapping *mapping = core_find_mapping(core, process->runtime_addr);
    uint64_t begin = process->runtime_addr, end = begin;
    if (mapping && mapping->file != CORE_NO_INDEX && mapping->file < core->files.count) {
        begin = core->files.items[mapping->file].start;
        end = core->files.items[mapping->file].end;
    }
    for (size_t i = 0; i < core->segments.count; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        if ((segment->region == CORE_REGION_PROGRAM_DATA ||
             segment->region == CORE_REGION_LIBRARY_DATA) &&
            segment->address + segment->size > begin && segment->address < end + BSS_MAX)
            scan_words(process, segment->address, segment->size, begin, end, tables);
    }
}

/* What a variable points to, where the file has the names of variables. */
static uint64_t named_table(const struct python_process *process, const char *symbol)
{
    static const char *const files[] = {"libpython", "python"};
    uint64_t addr, size, table_addr;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (memory_find_symbol(process->image, files[i], symbol, &addr, &size) == STATUS_OK &&
            size == 8 && memory_read_u64(process->image, addr, &table_addr) == STATUS_OK)
            return table_addr;
    return 0;
}

static void find_in_runtime(struct python_process *process, struct trace_tables *tables)
{
    uint32_t tracing;
    if (field_u32(process, process->runtime_addr, PY_runtime_tracing, &tracing) != STATUS_OK)
        return;
    tables->is_tracing = tracing == 1;
    if (field_u64(process, process->runtime_addr, PY_runtime_traces, &tables->traces_addr) !=
        STATUS_OK)
        tables->traces_addr = 0;
    if (!layout_has(&process->layout, PY_runtime_trace_domains) ||
        field_u64(process, process->runtime_addr, PY_runtime_trace_domains,
                  &tables->domains_addr) != STATUS_OK)
        tables->domains_addr = 0;
}

void trace_tables_find(struct python_process *process, struct trace_tables *ret_tables)
{
    const struct python_layout *layout = &process->layout;
    struct trace_tables tables = {0};
    if (!layout_has(layout, PY_hashtable_count)) {
        *ret_tables = tables; /* 3.8 has tables of another make */
        return;
    }
    if (layout_has(layout, PY_runtime_tracing) && layout_has(layout, PY_runtime_traces)) {
        find_in_runtime(process, &tables);
    } else if (layout_minor(layout) >= 12) {
        scan_words(process, process->runtime_addr, layout_or(layout, PY_runtime_size, 0), 0, 0,
                   &tables);
    } else {
        tables.traces_addr = named_table(process, "tracemalloc_traces");
        tables.domains_addr = named_table(process, "tracemalloc_domains");
        if (!tables.traces_addr)
            scan_variables(process, &tables);
    }
    if (tables.traces_addr && !holds_traces(process, tables.traces_addr))
        tables.traces_addr = 0;
    if (tables.domains_addr && !is_proven(process, tables.domains_addr, true))
        tables.domains_addr = 0;
    *ret_tables = tables;
}
