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

static int run(const char *core_name, bool has_files, unsigned rounds)
{
    struct error err = {0};
    struct input_file input;
    struct core_dump core;
    struct memory_image *image;
    struct python_process process;
    struct arena arena;
    struct addresses addresses = {0};
    struct reference_list list = {0};
    struct memory_options options = {.sysroot = has_files ? NULL : "/proc/self/fdinfo"};
    arena_init(&arena);
    if (input_file_open(core_name, NULL, &input, &err) != STATUS_OK ||
        core_dump_parse(&input, &arena, &core, &err) != STATUS_OK ||
        memory_image_create(&core, &options, &arena, &image, &err) != STATUS_OK ||
        python_discover(image, &arena, &process, &err) != STATUS_OK) {
        fprintf(stderr, "references_dump: %s: %s\n", core_name, err.message);
        return 1;
    }
    if (!read_addresses(&addresses))
        return 1;
    if (rounds)
        measure(&process, &addresses, &list, rounds);
    for (size_t i = 0; !rounds && i < addresses.items.count; i++)
        print_object(&process, addresses.items.items[i], &list);
    reference_list_deinit(&list);
    array_deinit(&addresses.items);
    python_process_deinit(&process);
    memory_image_destroy(image);
    core_dump_deinit(&core);
    input_file_close(&input);
    arena_deinit(&arena);
    return 0;
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
