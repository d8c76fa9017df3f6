/* SPDX-License-Identifier: Apache-2.0 */
/* tracemalloc's tables, whole and damaged, in the layout of each version from 3.9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/runtime/allocation_sites.h"
#include "tests/analyzer/objects_fixture.h"

#define BUCKETS 16u
#define BLOCK   UINT64_C(0x7f0000001000)

static void set(struct objects *objects, uint64_t addr, enum python_field field, uint64_t word)
{
    fake_python_set(&objects->python, addr, field, word);
}

static bool has(const struct objects *objects, enum python_field field)
{
    return layout_has(&objects->python.layout, field);
}

static uint64_t file_name(struct objects *objects, const char *name)
{
    if (!has(objects, PY_constant_trace_file_is_text))
        return objects_str(objects, name);
    uint64_t addr = fake_python_alloc(&objects->python, strlen(name) + 1);
    objects_put_bytes(objects, addr, name, strlen(name) + 1);
    return addr;
}

static uint64_t table_of(struct objects *objects, unsigned buckets)
{
    uint64_t addr = fake_python_alloc(&objects->python, 80);
    set(objects, addr, PY_hashtable_bucket_count, buckets);
    set(objects, addr, PY_hashtable_buckets, fake_python_alloc(&objects->python, 8 * buckets));
    set(objects, addr, PY_hashtable_hash_function, objects->python.runtime);
    return addr;
}

static uint64_t table(struct objects *objects)
{
    return table_of(objects, BUCKETS);
}

static uint64_t word_at(struct objects *objects, uint64_t addr)
{
    uint64_t word;
    memcpy(&word, objects->python.bytes + (addr - FAKE_PYTHON_BASE), sizeof word);
    return word;
}

/* Puts an entry in front of a bucket. */
static uint64_t insert(struct objects *objects, uint64_t table_addr, unsigned bucket, uint64_t key,
                       uint64_t value)
{
    uint64_t entry = fake_python_alloc(&objects->python, 32);
    uint64_t slot = word_at(objects, table_addr + objects_field(objects, PY_hashtable_buckets)) +
                    8 * (uint64_t)bucket;
    fake_python_put(&objects->python, entry, word_at(objects, slot));
    fake_python_put(&objects->python, slot, entry);
    set(objects, entry, PY_hashentry_key, key);
    set(objects, entry, PY_hashentry_value, value);
    set(objects, table_addr, PY_hashtable_count,
        word_at(objects, table_addr + objects_field(objects, PY_hashtable_count)) + 1);
    return entry;
}

static uint64_t traceback(struct objects *objects, uint64_t file, uint32_t line)
{
    uint64_t addr = fake_python_alloc(&objects->python, 64);
    uint64_t frame = addr + objects_field(objects, PY_trace_frames);
    uint16_t count = 1;
    objects_put_bytes(objects, addr + objects_field(objects, PY_trace_frame_count), &count, 2);
    objects_put_bytes(objects, frame + objects_field(objects, PY_trace_frame_file), &file, 8);
    objects_put_bytes(objects, frame + objects_field(objects, PY_trace_frame_line), &line, 4);
    return addr;
}

static uint64_t trace(struct objects *objects, uint64_t size, uint64_t traceback_addr)
{
    uint64_t addr = fake_python_alloc(&objects->python, 16);
    set(objects, addr, PY_trace_size, size);
    set(objects, addr, PY_trace_traceback, traceback_addr);
    return addr;
}

/* From 3.12 on the runtime points to them; before, a variable beside it does. */
static void publish(struct objects *objects, uint64_t traces, uint64_t domains)
{
    uint32_t tracing = 1;
    if (has(objects, PY_runtime_traces)) {
        set(objects, objects->python.runtime, PY_runtime_traces, traces);
        set(objects, objects->python.runtime, PY_runtime_trace_domains, domains);
        objects_put_bytes(objects,
                          objects->python.runtime + objects_field(objects, PY_runtime_tracing),
                          &tracing, 4);
        return;
    }
    fake_python_put(&objects->python, FAKE_PYTHON_BASE + 64, traces);
    fake_python_put(&objects->python, FAKE_PYTHON_BASE + 128, domains);
}

/* The data is the interpreter's own, whose variables lead to the tables. */
static void open_process(struct objects *objects)
{
    objects_open(objects);
    for (size_t i = 0; i < objects->core.core.segments.count; i++)
        objects->core.core.segments.items[i].region = CORE_REGION_PROGRAM_DATA;
}

static struct scene {
    uint64_t traces, domains, entry;
} scene;

static void make_scene(struct objects *objects)
{
    uint64_t shop = file_name(objects, "shop.py"), other = file_name(objects, "other.py");
    uint64_t line_7 = traceback(objects, shop, 7), again_7 = traceback(objects, shop, 7);
    uint64_t line_9 = traceback(objects, other, 9);
    scene.traces = table(objects);
    scene.domains = table(objects);
    uint64_t domain = table(objects);
    scene.entry = insert(objects, scene.traces, 3, BLOCK, trace(objects, 100, line_7));
    insert(objects, scene.traces, 3, BLOCK + 256, trace(objects, 50, again_7));
    insert(objects, scene.traces, 9, BLOCK + 512, trace(objects, 20, line_9));
    insert(objects, domain, 1, BLOCK + 1024, trace(objects, 4000, line_9));
    insert(objects, scene.domains, 2, 389047, domain);
}

static void expect_site(const struct allocation_sites *sites, uint64_t addr, const char *file,
                        uint32_t line)
{
    const struct allocation_block *block = allocation_site_of(sites, addr);
    assert_true((block != NULL) == (file != NULL));
    if (!block)
        return;
    assert_string_equal(sites->sites.items[block->site].file, file);
    assert_int_equal(sites->sites.items[block->site].line, line);
}

static void whole(struct objects *objects)
{
    struct allocation_sites sites;
    if (!has(objects, PY_hashtable_count))
        return; /* 3.8 */
    make_scene(objects);
    publish(objects, scene.traces, scene.domains);
    open_process(objects);
    assert_int_equal(allocation_sites_read(&objects->process, true, &sites), STATUS_OK);
    assert_null(sites.note);
    assert_true(sites.is_tracing);
    assert_int_equal(sites.sites.count, 2);
    assert_int_equal(sites.bytes, 4170);
    assert_int_equal(sites.count, 4);
    expect_site(&sites, BLOCK, "shop.py", 7);
    expect_site(&sites, BLOCK + 99, "shop.py", 7);
    expect_site(&sites, BLOCK + 100, NULL, 0);
    expect_site(&sites, BLOCK + 256, "shop.py", 7);
    expect_site(&sites, BLOCK + 531, "other.py", 9);
    expect_site(&sites, BLOCK + 5000, "other.py", 9);
    expect_site(&sites, BLOCK - 1, NULL, 0);
    allocation_sites_deinit(&sites);
}

/* Neighbours in memory are neighbours in the table: here what was allocated before the
 * tracing leaves most of it empty. */
static void uneven(struct objects *objects)
{
    enum { ALL = 1 << 15, FIRST = 20000, USED = ALL / 10 };
    struct allocation_sites sites;
    if (!has(objects, PY_hashtable_count))
        return; /* 3.8 */
    uint64_t traces = table_of(objects, ALL), domains = table(objects);
    uint64_t of_all = trace(objects, 10, traceback(objects, file_name(objects, "shop.py"), 7));
    for (unsigned i = 0; i < USED; i++)
        insert(objects, traces, FIRST + i, BLOCK + 16 * (uint64_t)i, of_all);
    publish(objects, traces, domains);
    open_process(objects);
    assert_int_equal(allocation_sites_read(&objects->process, false, &sites), STATUS_OK);
    assert_null(sites.note);
    assert_int_equal(sites.count, USED);
    assert_int_equal(sites.bytes, 10 * USED);
    allocation_sites_deinit(&sites);
}

static void nothing(struct objects *objects)
{
    struct allocation_sites sites;
    open_process(objects);
    assert_int_equal(allocation_sites_read(&objects->process, true, &sites), STATUS_OK);
    assert_false(sites.is_tracing);
    assert_null(sites.note);
    assert_int_equal(sites.sites.count, 0);
    allocation_sites_deinit(&sites);
}

static void (*spoil)(struct objects *objects);
static uint64_t most_bytes; /* that may still be told */

static void spoiled(struct objects *objects)
{
    struct allocation_sites sites;
    if (!has(objects, PY_runtime_traces))
        return;
    make_scene(objects);
    publish(objects, scene.traces, scene.domains);
    spoil(objects);
    objects_open(objects);
    assert_int_equal(allocation_sites_read(&objects->process, true, &sites), STATUS_OK);
    assert_true(sites.bytes <= most_bytes);
    assert_true(sites.note || !sites.is_tracing || sites.bytes == 4000);
    allocation_sites_deinit(&sites);
}

static void entry_is_absent(struct objects *objects)
{
    fake_python_put(&objects->python, scene.entry, FAKE_PYTHON_BASE + objects->python.size + 4096);
}

static void bucket_is_a_circle(struct objects *objects)
{
    fake_python_put(&objects->python, scene.entry, scene.entry);
    set(objects, scene.traces, PY_hashtable_count, 60);
}

static void count_is_too_small(struct objects *objects)
{
    set(objects, scene.traces, PY_hashtable_count, 1);
}

static void trace_is_absent(struct objects *objects)
{
    set(objects, scene.entry, PY_hashentry_value, 0x1000);
}

static void size_is_absurd(struct objects *objects)
{
    uint64_t addr = word_at(objects, scene.entry + objects_field(objects, PY_hashentry_value));
    set(objects, addr, PY_trace_size, UINT64_MAX / 2);
}

static void damage_is_told(void **state)
{
    static void (*const ways[])(struct objects * objects) = {
        entry_is_absent, bucket_is_a_circle, count_is_too_small, trace_is_absent, size_is_absurd,
    };
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        spoil = ways[i];
        most_bytes = 4170 + 6000;
        objects_each_version(spoiled);
    }
}

static uint64_t absurd_count;

static void buckets_are_absurd(struct objects *objects)
{
    set(objects, scene.traces, PY_hashtable_bucket_count, absurd_count);
}

static void tables_are_read(void **state)
{
    (void)state;
    objects_each_version(whole);
}

static void sparse_tables_are_read(void **state)
{
    (void)state;
    objects_each_version(uneven);
}

static void without_tables(void **state)
{
    (void)state;
    objects_each_version(nothing);
}

static void absurd_sizes(void **state)
{
    static const uint64_t counts[] = {0, 3, UINT64_C(1) << 39, UINT64_MAX};
    (void)state;
    spoil = buckets_are_absurd;
    most_bytes = 4000;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        absurd_count = counts[i];
        objects_each_version(spoiled);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_read), cmocka_unit_test(sparse_tables_are_read),
        cmocka_unit_test(without_tables),  cmocka_unit_test(damage_is_told),
        cmocka_unit_test(absurd_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
