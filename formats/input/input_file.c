/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/formats/input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/input/fingerprint.h"
#include "formats/input/sparse_file.h"
#include "formats/input/stream.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/cleanup.h"
#include "inquest/base/limits.h"
#include "inquest/formats/profile.h"

#define MAX_LAYERS     3   /* of wrappers within wrappers */
#define PEEK_BYTES     128 /* what tells a core and an index */
#define COPY_BYTES     ((size_t)1 << 20)
#define PROGRESS_BYTES ((uint64_t)4 << 20)

/* An input while it is being opened. */
struct opening {
    const char *name;
    int fd;
    struct stat status;
    bool is_regular;
    bool is_whole;   /* a regular file, from its start: no pipe, no rest of one */
    uint64_t offset; /* where a redirected file stands already */
    struct progress *progress;
    struct stream *source; /* borrowed from `top`'s layers */
    struct stream_buffer top;
    struct stream *layers[MAX_LAYERS]; /* outermost first; borrowed */
    unsigned layer_count;
};

static void opening_deinit(struct opening *opening)
{
    stream_buffer_deinit(&opening->top);
    if (opening->fd >= 0)
        close(opening->fd);
}

/* ---- The stored file. */

static int open_name(const char *name)
{
    if (!strcmp(name, "-"))
        return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    int fd;
    do {
        fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static enum status check_type(const struct opening *opening, struct error *err)
{
    mode_t mode = opening->status.st_mode;
    if (S_ISDIR(mode))
        return error_set(err, STATUS_IO, "is a folder: name a file in it");
    if (isatty(opening->fd))
        return error_set(err, STATUS_IO,
                         "is a terminal: name a file, or pipe one into standard input");
    if (S_ISCHR(mode) || S_ISBLK(mode))
        return error_set(err, STATUS_IO, "is a device: copy its content into a file");
    if (S_ISREG(mode) && !opening->status.st_size)
        return error_set(err, STATUS_IO, "is empty: nothing was written to it");
    return STATUS_OK;
}

static enum status open_stored(const char *name, struct opening *ret_opening, struct error *err)
{
    struct opening opening = {.name = name, .fd = open_name(name)};
    if (opening.fd < 0)
        return error_set_errno(err, STATUS_IO, errno, "can't be opened");
    if (fstat(opening.fd, &opening.status) != 0) {
        enum status status = error_set_errno(err, STATUS_IO, errno, "can't be read");
        opening_deinit(&opening);
        return status;
    }
    enum status status = check_type(&opening, err);
    if (status != STATUS_OK) {
        opening_deinit(&opening);
        return status;
    }
    opening.is_regular = S_ISREG(opening.status.st_mode);
    off_t position = opening.is_regular ? lseek(opening.fd, 0, SEEK_CUR) : 0;
    opening.offset = position > 0 ? (uint64_t)position : 0;
    opening.is_whole = opening.is_regular && !opening.offset;
    *ret_opening = opening;
    return STATUS_OK;
}

/* ---- Layers. */

/* Puts an unwrapper on top for as long as the bytes begin like a wrapper. */
static enum status add_layers(struct opening *opening, struct error *err)
{
    opening->source = source_create(opening->fd, opening->is_regular, opening->offset);
    enum status status = stream_buffer_init(&opening->top, opening->source, err);
    while (status == STATUS_OK) {
        status = stream_buffer_fill(&opening->top, UNWRAP_MAGIC_BYTES, err);
        if (status != STATUS_OK || !unwrap_recognises(stream_buffer_bytes(&opening->top),
                                                      stream_buffer_size(&opening->top)))
            break;
        if (opening->layer_count == MAX_LAYERS)
            return error_set(err, STATUS_OVER_LIMIT, "is wrapped more than %d times: unwrap it",
                             MAX_LAYERS);
        struct stream *layer = unwrap_create(&opening->top);
        if (!layer)
            return error_set(err, STATUS_NO_MEMORY, "out of memory");
        opening->layers[opening->layer_count++] = layer;
        status = stream_buffer_init(&opening->top, layer, err);
    }
    return status;
}

static enum status check_first_bytes(const struct opening *opening, struct error *err)
{
    if (stream_buffer_size(&opening->top))
        return STATUS_OK;
    for (unsigned i = 0; i < opening->layer_count; i++) {
        const struct stream *layer = opening->layers[i];
        if (layer->cut)
            return error_set(err, STATUS_CORRUPT,
                             "is damaged %s from its start (%s): nothing comes out of it",
                             input_wrapper_name(unwrap_kind(layer)), unwrap_damage(layer));
    }
    return error_set(err, STATUS_IO, "is empty: nothing was written to it");
}

static void tell_progress(const struct opening *opening, uint64_t total)
{
    progress_update(opening->progress, opening->layer_count ? "unwrapping" : "reading", "bytes",
                    source_position(opening->source), total);
}

static enum status copy_block(struct opening *opening, uint8_t *block, size_t *ret_size,
                              struct error *err)
{
    size_t size = 0;
    while (size < COPY_BYTES) {
        enum status status = stream_buffer_fill(&opening->top, 1, err);
        if (status != STATUS_OK)
            return status;
        size_t there = stream_buffer_size(&opening->top);
        if (!there)
            break;
        size_t taken = there < COPY_BYTES - size ? there : COPY_BYTES - size;
        memcpy(block + size, stream_buffer_bytes(&opening->top), taken);
        stream_buffer_take(&opening->top, taken);
        size += taken;
    }
    *ret_size = size;
    return STATUS_OK;
}

/* All that the layers give, into the sparse file. */
static enum status copy_out(struct opening *opening, struct sparse_file *file, struct error *err)
{
    CLEANUP_FREE uint8_t *block = malloc(COPY_BYTES);
    if (!block)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    uint64_t total = opening->is_regular ? (uint64_t)opening->status.st_size - opening->offset : 0;
    uint64_t told = 0;
    size_t size = 0;
    do {
        enum status status = copy_block(opening, block, &size, err);
        if (status == STATUS_OK)
            status = sparse_file_append(file, block, size, err);
        if (status != STATUS_OK)
            return status;
        if (file->size > LIMIT_UNWRAPPED_BYTES)
            return error_set(err, STATUS_OVER_LIMIT, "holds more than %llu bytes: unwrap it first",
                             (unsigned long long)LIMIT_UNWRAPPED_BYTES);
        if (file->size - told >= PROGRESS_BYTES) {
            told = file->size;
            tell_progress(opening, total);
        }
    } while (size == COPY_BYTES);
    tell_progress(opening, total);
    return sparse_file_finish(file, err);
}

/* ---- The result. */

static enum status map_plain(struct input_file *file, struct error *err)
{
    if (file->size > SIZE_MAX / 2)
        return error_set(err, STATUS_OVER_LIMIT, "is too large to be mapped");
    void *data = mmap(NULL, (size_t)file->size, PROT_READ, MAP_PRIVATE, file->fd, 0);
    if (data == MAP_FAILED)
        return error_set_errno(err, STATUS_IO, errno, "can't be mapped");
    file->data = data;
    file->is_mapped = true;
    return STATUS_OK;
}

static enum status unwrap_into(struct opening *opening, struct input_file *file, struct error *err)
{
    struct sparse_file sparse;
    enum status status = sparse_file_create(&sparse, err);
    if (status != STATUS_OK)
        return status;
    status = copy_out(opening, &sparse, err);
    if (status != STATUS_OK) {
        sparse_file_close(&sparse);
        return status;
    }
    file->fd = sparse.fd;
    file->size = sparse.size;
    file->cut_short = opening->top.stream->cut;
    if (opening->layer_count)
        file->wrapper = unwrap_kind(opening->layers[0]);
    return STATUS_OK;
}

static void keep_stored(struct opening *opening, struct input_file *file)
{
    file->fd = opening->fd;
    opening->fd = -1;
    file->size = (uint64_t)opening->status.st_size;
}

/* The usual case at a glance, without buffers: a plain file, to be mapped as it is. */
static bool is_plain_file(const struct opening *opening)
{
    uint8_t first[UNWRAP_MAGIC_BYTES];
    ssize_t got = opening->is_whole ? pread(opening->fd, first, sizeof first, 0) : -1;
    return got > 0 && !unwrap_recognises(first, (size_t)got);
}

static enum status open_layers(struct opening *opening, struct input_file *file, struct error *err)
{
    enum status status = add_layers(opening, err);
    if (status == STATUS_OK)
        status = check_first_bytes(opening, err);
    if (status != STATUS_OK)
        return status;
    if (opening->layer_count || !opening->is_whole)
        return unwrap_into(opening, file, err);
    keep_stored(opening, file);
    return STATUS_OK;
}

static enum status open_plain(struct opening *opening, struct input_file *file, struct error *err)
{
    enum status status = STATUS_OK;
    if (is_plain_file(opening))
        keep_stored(opening, file);
    else
        status = open_layers(opening, file, err);
    return status == STATUS_OK ? map_plain(file, err) : status;
}

static enum status describe_stored(struct opening *opening, struct input_file *file,
                                   struct error *err)
{
    if (!opening->is_whole)
        return STATUS_OK;
    file->stored_size = (uint64_t)opening->status.st_size;
    file->modified_ns = (int64_t)opening->status.st_mtim.tv_sec * 1000000000 +
                        (int64_t)opening->status.st_mtim.tv_nsec;
    return fingerprint_file(opening->fd, &opening->status, file->fingerprint, err);
}

enum status input_file_open(const char *name, struct progress *progress,
                            struct input_file *ret_file, struct error *err)
{
    struct input_file file = {.name = name, .fd = -1};
    struct opening opening;
    enum status status = open_stored(name, &opening, err);
    if (status != STATUS_OK)
        return error_prefix(err, "%s", name), status;
    opening.progress = progress;
    status = describe_stored(&opening, &file, err);
    if (status == STATUS_OK)
        status = open_plain(&opening, &file, err);
    bool is_whole = opening.is_whole;
    opening_deinit(&opening);
    if (status != STATUS_OK) {
        input_file_close(&file);
        return error_prefix(err, "%s", name), status;
    }
    if (!is_whole)
        fingerprint_bytes(file.data, file.size, file.fingerprint);
    *ret_file = file;
    return STATUS_OK;
}

void input_file_close(struct input_file *file)
{
    if (!file)
        return;
    if (file->data)
        munmap((void *)(uintptr_t)file->data, (size_t)file->size);
    if (file->fd >= 0)
        close(file->fd);
    file->data = NULL;
    file->size = 0;
    file->fd = -1;
    file->is_mapped = false;
}

/* Only whole pages can be; what begins on one is that of the part before. */
void input_file_forget(const struct input_file *file, uint64_t from, uint64_t to)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    from = from / page * page;
    to = to / page * page;
    if (file->is_mapped && from < to && to <= file->size)
        (void)!madvise((void *)(uintptr_t)(file->data + from), (size_t)(to - from), MADV_DONTNEED);
}

enum status input_file_fingerprint(const char *name, char ret_fingerprint[33], struct error *err)
{
    struct stat status_of_file;
    struct opening opening;
    /* a FIFO must not be opened just to learn that it is one */
    if (strcmp(name, "-") != 0 && stat(name, &status_of_file) == 0 &&
        S_ISFIFO(status_of_file.st_mode))
        return error_set(err, STATUS_UNSUPPORTED, "%s: a pipe has no fingerprint", name);
    enum status status = open_stored(name, &opening, err);
    if (status != STATUS_OK)
        return error_prefix(err, "%s", name), status;
    if (opening.is_whole)
        status = fingerprint_file(opening.fd, &opening.status, ret_fingerprint, err);
    else
        status = error_set(err, STATUS_UNSUPPORTED, "a pipe has no fingerprint");
    opening_deinit(&opening);
    if (status != STATUS_OK)
        error_prefix(err, "%s", name);
    return status;
}

/* ---- What it is.
 *
 *   ELF (System V ABI)      OFFSET SIZE MEANING
 *                                0    4 0x7f "ELF"
 *                                5    1 byte order: 1 little, 2 big
 *                               16    2 e_type: 4 is a core
 *   SQLite 3 (fileformat2)       0   16 "SQLite format 3\0"
 *                               68    4 application_id, big endian
 *   recordings                           see formats/profiles */
static bool is_core(struct bytes_reader reader)
{
    uint8_t order;
    const uint8_t *type;
    if (bytes_seek(&reader, 5) != STATUS_OK || bytes_read_u8(&reader, &order) != STATUS_OK ||
        bytes_seek(&reader, 16) != STATUS_OK || bytes_read_view(&reader, 2, &type) != STATUS_OK)
        return false;
    return !memcmp(reader.data, "\177ELF", 4) && type[order == 2] == 4 && type[order != 2] == 0;
}

static bool is_index(struct bytes_reader reader)
{
    const uint8_t *id;
    if (bytes_seek(&reader, 68) != STATUS_OK || bytes_read_view(&reader, 4, &id) != STATUS_OK)
        return false;
    return !memcmp(reader.data, "SQLite format 3", 16) && !memcmp(id, "INQS", 4);
}

enum input_kind input_file_kind(const struct input_file *file)
{
    struct bytes_reader reader = bytes_reader_make(file->data, (size_t)file->size);
    if (is_core(reader))
        return INPUT_CORE;
    if (is_index(reader))
        return INPUT_INDEX;
    return profile_recognise(file->data, file->size) != PROFILE_NONE ? INPUT_PROFILE
                                                                     : INPUT_UNKNOWN;
}

enum input_kind input_file_peek(const char *name)
{
    struct opening opening;
    struct stat file;
    enum input_kind kind = INPUT_UNKNOWN;
    if (!strcmp(name, "-") || stat(name, &file) != 0 || !S_ISREG(file.st_mode) ||
        open_stored(name, &opening, NULL) != STATUS_OK)
        return INPUT_UNKNOWN;
    if (add_layers(&opening, NULL) == STATUS_OK &&
        stream_buffer_fill(&opening.top, PEEK_BYTES, NULL) == STATUS_OK) {
        const uint8_t *bytes = stream_buffer_bytes(&opening.top);
        struct bytes_reader reader = bytes_reader_make(bytes, stream_buffer_size(&opening.top));
        if (is_core(reader))
            kind = INPUT_CORE;
        else if (is_index(reader))
            kind = INPUT_INDEX;
    }
    opening_deinit(&opening);
    return kind;
}
