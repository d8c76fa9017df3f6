/* SPDX-License-Identifier: Apache-2.0 */
/* references_dump CORE [--no-files]: reads addresses in hex, one a line, and prints
 * for each what inquest knows of the object, a line each, for zoo_check.py:
 *
 *     ADDRESS SIZE REFERENCE_COUNT STATUS TYPE_NAME KIND:TARGET...
 *
 * KIND is v visited, h hidden, i inferred, w weak; spaces in names become "_".
 * --time N instead measures object_references over all addresses, N times. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyzer/objects/references.h"
#include "analyzer/runtime/runtime.h"

struct addresses {
    ARRAY(uint64_t) items;
};

static bool read_addresses(struct addresses *addresses)
{
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        uint64_t addr = strtoull(line, NULL, 16);
        if (!array_push(&addresses->items, addr))
            return false;
    }
    return true;
}

static void print_name(const char *name)
{
    for (; *name; name++)
        putchar(*name == ' ' ? '_' : *name);
}

static void print_object(struct python_process *process, uint64_t addr, struct reference_list *list)
{
    const struct python_type *type;
    uint64_t size = 0;
    enum status status = object_type(process, addr, &type);
    if (status != STATUS_OK) {
        printf("%" PRIx64 " 0 0 typeless ?\n", addr);
        return;
    }
    uint64_t count = 0;
    if (object_pointer(process, addr, PY_object_refcnt, &count) != STATUS_OK)
        count = 0;
    status = object_references(process, type, addr, list, &size);
    printf("%" PRIx64 " %" PRIx64 " %" PRIx64 " %s ", addr, size, count,
           status == STATUS_OK ? "ok" : "damaged");
    print_name(type->name);
    for (size_t i = 0; i < list->references.count; i++)
        printf(" %c:%" PRIx64, "vhiw"[list->references.items[i].kind],
               list -> references.items[i].target_addr);
    putchar('\n');
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void measure(struct python_process *process, const struct addresses *addresses,
                    struct reference_list *list, unsigned rounds)
{
    const struct python_type **types = calloc(addresses->items.count, sizeof *types);
    uint64_t size, bytes = 0, references = 0;
    if (!types)
        return;
    for (size_t i = 0; i < addresses->items.count; i++)
        if (object_type(process, addresses->items.items[i], &types[i]) != STATUS_OK)
            types[i] = NULL;
    double began = 0;
    for (unsigned round = 0; round <= rounds; round++) {
        if (round == 1) {
            began = seconds();
            references = 0;
        }
        for (size_t i = 0; i < addresses->items.count; i++) {
            if (!types[i] || object_references(process, types[i], addresses->items.items[i], list,
                                               &size) != STATUS_OK)
                continue;
            bytes += size;
            references += list->references.count;
        }
    }
    double objects = (double)addresses->items.count * rounds;
    printf("%.1f ns an object, %.2f references each, %" PRIu64 " bytes\n",
           (seconds() - began) / objects * 1e9, (double)references / objects, bytes);
    free(types);
}

/* Whatever came into being is given back, also where a later step fails. */
struct dead {
    struct arena arena;
    struct input_file input;
    struct core_dump core;
    struct memory_image *image;
    struct python_process process;
    unsigned stage;
};

static enum status dead_open(struct dead *dead, const char *core_name, const char *sysroot,
                             struct error *err)
{
    struct memory_options options = {.sysroot = sysroot};
    arena_init(&dead->arena);
    enum status status = input_file_open(core_name, NULL, &dead->input, err);
    dead->stage += status == STATUS_OK;
    if (status == STATUS_OK)
        status = core_dump_parse(&dead->input, &dead->arena, &dead->core, err);
    dead->stage += status == STATUS_OK;
    if (status == STATUS_OK)
        status = memory_image_create(&dead->core, &options, &dead->arena, &dead->image, err);
    dead->stage += status == STATUS_OK;
    if (status == STATUS_OK)
        status = python_discover(dead->image, &dead->arena, &dead->process, err);
    dead->stage += status == STATUS_OK;
    return status;
}

static void dead_close(struct dead *dead)
{
    if (dead->stage > 3)
        python_process_deinit(&dead->process);
    if (dead->stage > 2)
        memory_image_destroy(dead->image);
    if (dead->stage > 1)
        core_dump_deinit(&dead->core);
    if (dead->stage > 0)
        input_file_close(&dead->input);
    arena_deinit(&dead->arena);
}

static int run(const char *core_name, bool has_files, unsigned rounds)
{
    struct error err = {0};
    struct dead dead = {0};
    struct addresses addresses = {0};
    struct reference_list list = {0};
    /* a sysroot that has none of the files */
    enum status status = dead_open(&dead, core_name, has_files ? NULL : "/proc/self/fdinfo", &err);
    if (status != STATUS_OK)
        fprintf(stderr, "references_dump: %s: %s\n", core_name, err.message);
    else if (!read_addresses(&addresses))
        status = STATUS_NO_MEMORY;
    else if (rounds)
        measure(&dead.process, &addresses, &list, rounds);
    for (size_t i = 0; status == STATUS_OK && !rounds && i < addresses.items.count; i++)
        print_object(&dead.process, addresses.items.items[i], &list);
    reference_list_deinit(&list);
    array_deinit(&addresses.items);
    dead_close(&dead);
    return status == STATUS_OK ? 0 : 1;
}

int main(int argument_count, char **arguments)
{
    bool has_files = true;
    unsigned rounds = 0;
    for (int i = 2; i < argument_count; i++) {
        if (strcmp(arguments[i], "--no-files") == 0)
            has_files = false;
        else if (strcmp(arguments[i], "--time") == 0 && i + 1 < argument_count)
            rounds = (unsigned)strtoul(arguments[++i], NULL, 10);
    }
    if (argument_count < 2) {
        fprintf(stderr, "usage: references_dump CORE [--no-files] [--time ROUNDS] < addresses\n");
        return 2;
    }
    return run(arguments[1], has_files, rounds);
}
