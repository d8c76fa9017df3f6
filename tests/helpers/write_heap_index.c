/* SPDX-License-Identifier: Apache-2.0 */
/* write_heap_index FILE SEED OBJECTS [plain]: the index of a made-up heap, for tests
 * that look at one from outside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/helpers/random_heap.h"

static enum status write_index(const char *path, const struct random_heap *heap, bool plain,
                               struct error *err)
{
    struct index_writer *writer;
    struct index *index;
    enum status status = index_writer_create(path, &writer, err);
    if (status != STATUS_OK)
        return status;
    status =
        index_writer_heap(writer, &heap->objects, &heap->references, &heap->labels, plain, err);
    if (status != STATUS_OK) {
        index_writer_destroy(writer);
        return status;
    }
    status = index_writer_publish(writer, &index, err);
    if (status == STATUS_OK)
        index_close(index);
    return status;
}

int main(int argc, char **argv)
{
    struct random_heap heap;
    struct error err = {0};
    if (argc < 4) {
        fputs("usage: write_heap_index FILE SEED OBJECTS [plain]\n", stderr);
        return 2;
    }
    random_heap_make(&heap, strtoul(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10),
                     RANDOM_HEAP_LONG_ROWS);
    enum status status = write_index(argv[1], &heap, argc > 4 && !strcmp(argv[4], "plain"), &err);
    if (status != STATUS_OK)
        fprintf(stderr, "%s\n", err.message);
    random_heap_deinit(&heap);
    return status != STATUS_OK;
}
