/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes as a stored file: opened, unwrapped, looked at. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inquest/formats/input_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where bytes that are read go, so that they are. */
static volatile unsigned sink;

static unsigned look_at(const struct input_file *file)
{
    unsigned sum = (unsigned)input_file_kind(file);
    for (uint64_t at = 0; at < file->size && at < (64 << 20); at += 4096)
        sum += file->data[at];
    return sum + file->data[file->size - 1];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[64];
    struct input_file file;
    struct error err = {0};
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    if (input_file_open(name, NULL, &file, &err) == STATUS_OK) {
        sink += look_at(&file);
        input_file_close(&file);
    } else if (!err.message[0]) {
        abort(); /* a failure without words */
    }
    close(fd);
    return 0;
}
