/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/input/fingerprint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/cleanup.h"

#define EDGE_BYTES   ((size_t)64 << 10)
#define SAMPLE_BYTES ((size_t)4 << 10)
#define SAMPLES      16

__extension__ typedef unsigned __int128 uint128;

/* FNV-1a of 128 bits, eight bytes at a step, with the high half folded in. */
struct hash {
    uint128 state;
};

static void hash_word(struct hash *hash, uint64_t word)
{
    const uint128 prime = (uint128)1 << 88 | 0x13B;
    hash->state = (hash->state ^ word) * prime;
    hash->state ^= hash->state >> 67;
}

static void hash_bytes(struct hash *hash, const uint8_t *bytes, size_t size)
{
    hash_word(hash, size);
    for (; size >= 8; size -= 8, bytes += 8)
        hash_word(hash, load_u64(bytes));
    uint8_t rest[8] = {0};
    memcpy(rest, bytes, size);
    hash_word(hash, load_u64(rest));
}

static struct hash hash_begin(uint64_t size)
{
    struct hash hash = {(uint128)0x6C62272E07BB0142u << 64 | 0x62B821756295C58Du};
    hash_word(&hash, size);
    return hash;
}

static void hash_end(const struct hash *hash, char ret_fingerprint[33])
{
    snprintf(ret_fingerprint, 33, "%016llx%016llx", (unsigned long long)(hash->state >> 64),
             (unsigned long long)hash->state);
}

/* The n-th of the pieces that are sampled: 0 the beginning, 1 the end, then the
 * samples between. False after the last. */
static bool sampled_piece(uint64_t size, unsigned n, uint64_t *ret_offset, size_t *ret_size)
{
    if (n >= SAMPLES + 2)
        return false;
    uint64_t edge = min_u64(size, EDGE_BYTES);
    if (n < 2) {
        *ret_offset = n ? size - edge : 0;
        *ret_size = (size_t)edge;
        return true;
    }
    uint64_t inner = size - edge;
    *ret_offset = inner / (SAMPLES + 1) * (n - 1);
    *ret_size = (size_t)min_u64(SAMPLE_BYTES, size - *ret_offset);
    return size > 2 * EDGE_BYTES;
}

void fingerprint_bytes(const uint8_t *bytes, uint64_t size, char ret_fingerprint[33])
{
    struct hash hash = hash_begin(size);
    uint64_t offset;
    size_t piece;
    for (unsigned n = 0; sampled_piece(size, n, &offset, &piece); n++)
        hash_bytes(&hash, bytes + offset, piece);
    hash_end(&hash, ret_fingerprint);
}

static enum status read_at(int fd, uint8_t *buffer, size_t size, uint64_t offset, size_t *ret_got,
                           struct error *err)
{
    size_t got = 0;
    while (got < size) {
        ssize_t part = pread(fd, buffer + got, size - got, (off_t)(offset + got));
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return error_set_errno(err, STATUS_IO, errno, "can't be read");
        if (!part)
            break;
        got += (size_t)part;
    }
    *ret_got = got;
    return STATUS_OK;
}

enum status fingerprint_file(int fd, const struct stat *status_of_file, char ret_fingerprint[33],
                             struct error *err)
{
    uint64_t size = (uint64_t)status_of_file->st_size, offset;
    struct hash hash = hash_begin(size);
    hash_word(&hash, (uint64_t)status_of_file->st_mtim.tv_sec);
    hash_word(&hash, (uint64_t)status_of_file->st_mtim.tv_nsec);
    hash_word(&hash, (uint64_t)status_of_file->st_dev);
    hash_word(&hash, (uint64_t)status_of_file->st_ino);
    CLEANUP_FREE uint8_t *buffer = malloc(EDGE_BYTES);
    if (!buffer)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    size_t piece, got = 0;
    for (unsigned n = 0; sampled_piece(size, n, &offset, &piece); n++) {
        enum status status = read_at(fd, buffer, piece, offset, &got, err);
        if (status != STATUS_OK)
            return status;
        hash_bytes(&hash, buffer, got);
    }
    hash_end(&hash, ret_fingerprint);
    return STATUS_OK;
}
