/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes as a core: parsed, read at the edges of its memory, told as facts. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "analyzer/runtime/runtime.h"
#include "inquest/base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where bytes that are read go, so that they are. */
static volatile unsigned sink;

/* An empty folder: what the core names must not be found on this machine. */
static char sysroot[] = "/tmp/inquest-fuzz-XXXXXX";

static void remove_sysroot(void)
{
    rmdir(sysroot);
}

static void must(bool fine)
{
    if (!fine)
        abort();
}

/* What a view promises is there to be read. */
static void read_around(const struct memory_image *image, uint64_t address)
{
    uint64_t size, value;
    uint8_t bytes[40];
    struct text text;
    const uint8_t *span = memory_span(image, address, &size);
    if (span)
        sink += (unsigned)(span[0] + span[size - 1]);
    must(!span == (memory_read_u8(image, address, bytes) != STATUS_OK));
    must(!span || memory_is_mapped(image, address));
    if (memory_read_u64(image, address - 4, &value) == STATUS_OK)
        sink += (unsigned)value;
    if (memory_read(image, address - 20, bytes, sizeof bytes) == STATUS_OK)
        sink += bytes[39];
    text_init(&text);
    if (memory_read_c_string(image, address, &text) == STATUS_OK)
        must(text.size <= 4 * LIMIT_C_STRING_BYTES);
    text_deinit(&text);
}

static void read_memory(const struct core_dump *core, const struct memory_image *image)
{
    for (size_t i = 0; i < core->segments.count && i < 200; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        must(segment->size && segment->stored <= segment->claimed &&
             segment->claimed <= segment->size);
        must(!i || segment[-1].address + segment[-1].size <= segment->address);
        read_around(image, segment->address);
        read_around(image, segment->address + segment->stored);
        read_around(image, segment->address + segment->size);
    }
    for (size_t i = 0; i < core->threads.count && i < 50; i++)
        read_around(image, core->threads.items[i].registers.sp);
}

static void collect(const struct core_dump *core, const struct memory_image *image)
{
    struct error err = {0};
    struct index_writer *writer;
    struct index *index;
    if (index_writer_create(NULL, &writer, &err) != STATUS_OK)
        return;
    must(collect_core_facts(core, image, NULL, writer, &err) == STATUS_OK);
    must(index_writer_publish(writer, &index, &err) == STATUS_OK);
    index_close(index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready) {
        must(mkdtemp(sysroot));
        atexit(remove_sysroot);
        ready = true;
    }
    struct input_file input = {.name = "fuzz", .data = data, .size = size, .fd = -1};
    struct memory_options options = {.sysroot = sysroot};
    struct core_dump core;
    struct memory_image *image;
    struct error err = {0};
    struct arena arena;
    arena_init(&arena);
    if (core_dump_parse(&input, &arena, &core, &err) == STATUS_OK) {
        must(memory_image_create(&core, &options, &arena, &image, &err) == STATUS_OK);
        read_memory(&core, image);
        collect(&core, image);
        memory_image_destroy(image);
        core_dump_deinit(&core);
    } else {
        must(err.message[0]);
    }
    arena_deinit(&arena);
    return 0;
}
