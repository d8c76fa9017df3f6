/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HELPERS_PROFILE_BYTES_H
#define TESTS_HELPERS_PROFILE_BYTES_H

#include "inquest/formats/profile.h"

/* Bytes that a test puts together, and what the parsers make of them. */
struct bytes {
    uint8_t *items;
    size_t count, capacity;
};

/* A literal, with its NULs and without its last one. */
#define BYTES_ADD(bytes, literal) bytes_add((bytes), (literal), sizeof(literal) - 1)

void bytes_add(struct bytes *bytes, const void *data, size_t size);
void bytes_add_many(struct bytes *bytes, uint8_t byte, size_t count);
void bytes_add_u32(struct bytes *bytes, uint32_t number);
void bytes_deinit(struct bytes *bytes);

/* From an exact copy, so that the sanitizers see a read past its end. */
enum status parse_bytes(const void *data, size_t size, struct profile *ret_profile,
                        struct error *err);
/* Parses, frees `bytes`, and checks the status and that the message has these words. */
void expect_failure(struct bytes *bytes, enum status status, const char *words);
/* Parses, frees `bytes`, and checks that it succeeds. */
void expect_profile(struct bytes *bytes, struct profile *ret_profile);

/* Every beginning of the file fails, and every flipped bit is answered one way or another. Each
 * `step`-th is tried. */
void check_cuts(const char *path, size_t step);
void check_flips(const char *path, size_t step);

#endif
