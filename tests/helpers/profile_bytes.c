/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/helpers/profile_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
    assert_true(array_reserve(bytes, size));
    if (size)
        memcpy(bytes->items + bytes->count, data, size);
    bytes->count += size;
}

void bytes_add_many(struct bytes *bytes, uint8_t byte, size_t count)
{
    assert_true(array_reserve(bytes, count));
    memset(bytes->items + bytes->count, byte, count);
    bytes->count += count;
}

void bytes_add_u32(struct bytes *bytes, uint32_t number)
{
    const uint8_t data[4] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16),
                             (uint8_t)(number >> 24)};
    bytes_add(bytes, data, 4);
}

void bytes_deinit(struct bytes *bytes)
{
    array_deinit(bytes);
}

enum status parse_bytes(const void *data, size_t size, struct profile *ret_profile,
                        struct error *err)
{
    uint8_t *exact = malloc(size ? size : 1);
    assert_non_null(exact);
    if (size)
        memcpy(exact, data, size);
    struct input_file input = {.name = "test", .data = exact, .size = size};
    enum status status = profile_parse(&input, NULL, ret_profile, err);
    free(exact);
    return status;
}

void expect_failure(struct bytes *bytes, enum status status, const char *words)
{
    struct profile profile;
    struct error err = {0};
    enum status ours = parse_bytes(bytes->items, bytes->count, &profile, &err);
    bytes_deinit(bytes);
    if (ours == STATUS_OK)
        profile_deinit(&profile);
    if (ours != status || !strstr(err.message, words))
        fail_msg("%s, \"%s\"; not %s, \"%s\"", status_name(ours), err.message, status_name(status),
                 words);
}

void expect_profile(struct bytes *bytes, struct profile *ret_profile)
{
    struct error err = {0};
    enum status status = parse_bytes(bytes->items, bytes->count, ret_profile, &err);
    bytes_deinit(bytes);
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), err.message);
}

static void read_file(const char *path, struct bytes *ret_bytes)
{
    FILE *file = fopen(path, "rb");
    char buffer[4096];
    size_t size;
    if (!file)
        fail_msg("%s: absent", path);
    *ret_bytes = (struct bytes){0};
    while ((size = fread(buffer, 1, sizeof buffer, file)))
        bytes_add(ret_bytes, buffer, size);
    fclose(file);
}

void check_cuts(const char *path, size_t step)
{
    struct bytes bytes;
    read_file(path, &bytes);
    for (size_t size = 0; size < bytes.count; size += step) {
        struct profile profile;
        struct error err = {0};
        enum status status = parse_bytes(bytes.items, size, &profile, &err);
        if (status != STATUS_CORRUPT && status != STATUS_UNSUPPORTED)
            fail_msg("%s cut to %zu: %s", path, size, status_name(status));
        assert_true(err.message[0]);
    }
    bytes_deinit(&bytes);
}

void check_flips(const char *path, size_t step)
{
    struct bytes bytes;
    read_file(path, &bytes);
    for (size_t bit = 0; bit < bytes.count * 8; bit += step) {
        struct profile profile;
        struct error err = {0};
        bytes.items[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (parse_bytes(bytes.items, bytes.count, &profile, &err) == STATUS_OK)
            profile_deinit(&profile);
        else
            assert_true(err.message[0]);
        bytes.items[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    bytes_deinit(&bytes);
}
