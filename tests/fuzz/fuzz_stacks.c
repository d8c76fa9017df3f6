/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes as patches of a real core, from whose memory the stacks are then read.
 *
 * OFFSET SIZE MEANING
 *      0    1 which of the shipped cores; 0x80: with redaction
 *      1   12 one patch, and so on:
 *  +   0    1 what is written, enum patch_kind
 *  +   1    1 where: this many words after the place's first, signed
 *  +   2    2 the place: a thing's address in the process, see find_places()
 *  +   4    8 value
 *
 * The places are told by what a first, unpatched reading of the core finds, and by
 * the pointers in there, so that a patch hits what the analyzer looks at. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/runtime/runtime.h"
#include "inquest/base/array.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PATCH_SIZE    12u
#define PATCHES_MAX   64u
#define PLACES_MAX    65536u
#define FOLLOWED_MAX  400u /* places whose pointers are places too, twice over */
#define WORDS_AT_ONCE 40u
#define SECONDS_MAX   30 /* for any answer, sanitizers and all */

enum patch_kind {
    PATCH_WORD,     /* the value */
    PATCH_PLACE,    /* the address of place number `value` */
    PATCH_SELF,     /* the address of the place itself */
    PATCH_ADD,      /* what was there, plus the value */
    PATCH_FLIP,     /* what was there, exclusive or the value */
    PATCH_HALF,     /* 32 bits of the value, at the value's upper half in bytes (0 to 7) */
    PATCH_COPY,     /* the word at place number (value mod 65536) plus value / 65536 words */
    PATCH_ANYWHERE, /* the value at an offset in the file: place and where together, times 8 */
    PATCH_KINDS
};

struct base_core {
    const char *name;
    bool is_open;
    struct input_file input;
    uint8_t *bytes; /* a private copy on write */
    ARRAY(uint64_t) places;
};

static struct base_core cores[] = {
    {.name = "cpython-3.8"},  {.name = "cpython-3.9"},  {.name = "cpython-3.10"},
    {.name = "cpython-3.11"}, {.name = "cpython-3.12"}, {.name = "cpython-3.13"},
    {.name = "cpython-3.14"}, {.name = "cpython-3.15"}, {.name = "cpython-3.11-debian"},
};

/* An empty folder: what the core names must not be found on this machine. */
static char sysroot[] = "/tmp/inquest-fuzz-XXXXXX";

static void must(bool fine)
{
    if (!fine)
        abort();
}

static void clean_up(void)
{
    for (size_t i = 0; i < sizeof cores / sizeof *cores; i++) {
        if (!cores[i].is_open)
            continue;
        munmap(cores[i].bytes, cores[i].input.size);
        input_file_close(&cores[i].input);
        array_deinit(&cores[i].places);
    }
    rmdir(sysroot);
}

/* ---- The pipeline from a core's bytes to an index in memory, as a session runs it. */
typedef void (*index_visitor)(struct base_core *base, const struct core_dump *core,
                              struct index *index);

static enum status collect(const struct core_dump *core, const struct memory_image *image,
                           bool redacts, struct index_writer *writer, struct arena *arena)
{
    struct error err = {0};
    struct redaction *redaction = redacts ? redaction_create() : NULL;
    struct python_process process = {0};
    enum status status = collect_core_facts(core, image, redaction, writer, &err);
    must(status == STATUS_OK);
    bool found = python_discover(image, arena, &process, &err) == STATUS_OK;
    process.redaction = redaction;
    status = collect_stacks(core, found ? &process : NULL, writer, NULL, &err);
    must(status == STATUS_OK);
    if (found)
        python_process_deinit(&process);
    redaction_destroy(redaction);
    return status;
}

static void run(struct base_core *base, bool redacts, index_visitor visit)
{
    struct input_file input = base->input;
    struct memory_options options = {.sysroot = sysroot};
    struct core_dump core;
    struct memory_image *image;
    struct index_writer *writer;
    struct index *index;
    struct error err = {0};
    struct arena arena;
    input.data = base->bytes;
    input.fd = -1;
    arena_init(&arena);
    if (core_dump_parse(&input, &arena, &core, &err) == STATUS_OK) {
        must(memory_image_create(&core, &options, &arena, &image, &err) == STATUS_OK);
        must(index_writer_create(NULL, &writer, &err) == STATUS_OK);
        must(collect(&core, image, redacts, writer, &arena) == STATUS_OK);
        must(index_writer_publish(writer, &index, &err) == STATUS_OK);
        if (visit)
            visit(base, &core, index);
        index_close(index);
        memory_image_destroy(image);
        core_dump_deinit(&core);
    }
    arena_deinit(&arena);
}

/* ---- Places. */
static void add_place(struct base_core *base, const struct core_dump *core, uint64_t address)
{
    uint64_t size;
    address &= ~UINT64_C(7);
    if (!address || base->places.count >= PLACES_MAX || !core_stored_bytes(core, address, &size) ||
        size < 8)
        return;
    for (size_t i = 0; i < base->places.count; i++)
        if (base->places.items[i] == address)
            return;
    must(array_push(&base->places, address));
}

static void add_rows(struct base_core *base, const struct core_dump *core, struct index *index,
                     const char *sql)
{
    struct index_rows *rows;
    must(index_query(index, sql, NULL, 0, &rows, NULL) == STATUS_OK);
    while (index_rows_next(rows))
        add_place(base, core, (uint64_t)index_rows_integer(rows, 0));
    must(index_rows_finish(rows, NULL) == STATUS_OK);
}

static void add_pointers(struct base_core *base, const struct core_dump *core, uint64_t address)
{
    uint64_t size, word;
    const uint8_t *bytes = core_stored_bytes(core, address, &size);
    for (size_t i = 0; bytes && i < WORDS_AT_ONCE && (i + 1) * 8 <= size; i++) {
        memcpy(&word, bytes + i * 8, 8);
        add_place(base, core, word);
    }
}

/* Of tasks and contexts, which the shipped cores lack: for cores given by INQUEST_CORES.
 * Behind the others, so that the seeds' numbers stay. */
static void find_task_places(struct base_core *base, const struct core_dump *core,
                             struct index *index)
{
    size_t first = base->places.count;
    add_rows(base, core, index, "SELECT address FROM task ORDER BY id");
    add_rows(base, core, index, "SELECT coroutine_address FROM task ORDER BY id");
    add_rows(base, core, index, "SELECT loop_address FROM task ORDER BY id");
    add_rows(base, core, index, "SELECT address FROM task_frame ORDER BY id");
    add_rows(base, core, index, "SELECT address FROM context_variable");
    for (unsigned round = 0; round < 2; round++) {
        size_t end = base->places.count;
        for (; first < end && first < PLACES_MAX / 2; first++)
            add_pointers(base, core, base->places.items[first]);
    }
}

static void find_places(struct base_core *base, const struct core_dump *core, struct index *index)
{
    add_rows(base, core, index, "SELECT state_address FROM thread ORDER BY id");
    add_rows(base, core, index, "SELECT address FROM frame ORDER BY id");
    add_rows(base, core, index, "SELECT address FROM exception ORDER BY id");
    add_rows(base, core, index, "SELECT code_address FROM frame ORDER BY id");
    add_rows(base, core, index, "SELECT address FROM local");
    add_rows(base, core, index, "SELECT waits_for_address FROM thread");
    must(base->places.count > 0);
    for (unsigned round = 0, first = 0; round < 2; round++) {
        size_t end = base->places.count;
        for (; first < end && first < FOLLOWED_MAX; first++)
            add_pointers(base, core, base->places.items[first]);
    }
    find_task_places(base, core, index);
}

/* ---- Patches. */
struct patch {
    uint8_t kind;
    uint64_t offset; /* in the file */
    uint64_t before, word;
};

static void open_core(struct base_core *base)
{
    const char *folder = getenv("INQUEST_CORES");
    char path[4096];
    struct error err = {0};
    snprintf(path, sizeof path, "%s/%s.core.lz4", folder ? folder : FUZZ_CORES, base->name);
    if (input_file_open(path, NULL, &base->input, &err) != STATUS_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    base->input.name = base->name; /* not the path, which goes */
    base->bytes =
        mmap(NULL, base->input.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, base->input.fd, 0);
    must(base->bytes != MAP_FAILED);
    base->is_open = true;
    run(base, false, find_places);
}

static uint64_t offset_of(const struct base_core *base, const struct core_dump *core,
                          uint64_t address)
{
    uint64_t size;
    const uint8_t *bytes = core_stored_bytes(core, address, &size);
    return bytes && size >= 8 ? (uint64_t)(bytes - base->bytes) : UINT64_MAX;
}

static uint64_t place(const struct base_core *base, uint64_t number)
{
    return base->places.items[number % base->places.count];
}

static uint64_t word_at(const struct base_core *base, uint64_t offset)
{
    uint64_t word;
    memcpy(&word, base->bytes + offset, 8);
    return word;
}

static uint64_t patched_word(const struct base_core *base, const struct core_dump *core,
                             const struct patch *patch, uint64_t own, uint64_t value)
{
    uint64_t other;
    switch (patch->kind) {
    case PATCH_PLACE: return place(base, value);
    case PATCH_SELF: return own;
    case PATCH_ADD: return patch->before + value;
    case PATCH_FLIP: return patch->before ^ value;
    case PATCH_HALF:
        return (patch->before & ~(UINT64_C(0xFFFFFFFF) << 8 * (value >> 32 & 4))) |
               (value & UINT64_C(0xFFFFFFFF)) << 8 * (value >> 32 & 4);
    case PATCH_COPY:
        other = offset_of(base, core, place(base, value & 0xFFFF) + 8 * (value >> 16 & 0xFF));
        return other == UINT64_MAX ? 0 : word_at(base, other);
    default: return value;
    }
}

static bool read_patch(const struct base_core *base, const struct core_dump *core,
                       const uint8_t *bytes, struct patch *ret_patch)
{
    uint16_t number;
    uint64_t value;
    memcpy(&number, bytes + 2, 2);
    memcpy(&value, bytes + 4, 8);
    uint64_t own = place(base, number);
    *ret_patch = (struct patch){.kind = bytes[0] % PATCH_KINDS};
    ret_patch->offset =
        ret_patch->kind == PATCH_ANYWHERE
            ? ((uint64_t)number << 8 | bytes[1]) * 8
            : offset_of(base, core, own + (uint64_t)(8 * (int64_t)(int8_t)bytes[1]));
    if (ret_patch->offset > base->input.size - 8)
        return false;
    ret_patch->before = word_at(base, ret_patch->offset);
    ret_patch->word = patched_word(base, core, ret_patch, own, value);
    return true;
}

/* Where the words are is told by the core as it was: the patches may spoil its headers. */
static size_t read_patches(struct base_core *base, const uint8_t *data, size_t size,
                           struct patch *patches)
{
    struct input_file input = base->input;
    struct core_dump core;
    struct arena arena;
    size_t count = 0;
    input.data = base->bytes;
    arena_init(&arena);
    must(core_dump_parse(&input, &arena, &core, NULL) == STATUS_OK);
    for (; size >= PATCH_SIZE && count < PATCHES_MAX; data += PATCH_SIZE, size -= PATCH_SIZE)
        count += read_patch(base, &core, data, &patches[count]);
    core_dump_deinit(&core);
    arena_deinit(&arena);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct patch patches[PATCHES_MAX];
    if (!ready) {
        must(mkdtemp(sysroot));
        atexit(clean_up);
        ready = true;
    }
    if (!size)
        return 0;
    struct base_core *base = &cores[(data[0] & 0x7F) % (sizeof cores / sizeof *cores)];
    if (!base->is_open)
        open_core(base);
    size_t count = read_patches(base, data + 1, size - 1, patches);
    for (size_t i = 0; i < count; i++)
        memcpy(base->bytes + patches[i].offset, &patches[i].word, 8);
    clock_t began = clock();
    run(base, data[0] & 0x80, NULL);
    must((clock() - began) / CLOCKS_PER_SEC < SECONDS_MAX);
    while (count--)
        memcpy(base->bytes + patches[count].offset, &patches[count].before, 8);
    return 0;
}
