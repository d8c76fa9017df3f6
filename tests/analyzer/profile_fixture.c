/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct profile fixture_profile(enum profile_family family, const char *unit)
{
    struct profile profile;
    profile_init(&profile);
    profile.family = family;
    profile.unit = unit;
    return profile;
}

uint32_t fixture_string(struct profile *profile, const char *text)
{
    uint32_t string = 0;
    assert_int_equal(profile_add_string(profile, text, strlen(text), &string), STATUS_OK);
    return string;
}

static uint32_t function_at(struct profile *profile, const char *name, const char *file,
                            int32_t line)
{
    uint32_t function = 0;
    assert_int_equal(profile_add_function(profile, fixture_string(profile, name),
                                          fixture_string(profile, file), line, &function),
                     STATUS_OK);
    return function;
}

uint32_t fixture_frame(struct profile *profile, const char *name, const char *file, int32_t line)
{
    uint32_t frame = 0;
    assert_int_equal(profile_add_frame(profile, function_at(profile, name, file, 0), line, &frame),
                     STATUS_OK);
    return frame;
}

uint32_t fixture_stack(struct profile *profile, const char *file, const char *words)
{
    uint32_t frames[64], depth = 0, stack = 0;
    char copy[1024], *rest = copy;
    assert_true(strlen(words) < sizeof copy);
    strcpy(copy, words);
    for (char *word; *copy && (word = strsep(&rest, ";"));) {
        char *colon = strrchr(word, ':');
        int32_t line = colon ? atoi(colon + 1) : 0;
        if (colon)
            *colon = '\0';
        frames[depth++] = file ? fixture_frame(profile, word, file, line)
                               : fixture_frame(profile, "", word, line);
    }
    assert_int_equal(profile_add_stack(profile, frames, depth, &stack), STATUS_OK);
    return stack;
}

uint32_t fixture_track(struct profile *profile, const char *name, int64_t pid, int64_t tid)
{
    struct profile_track track = {.name = fixture_string(profile, name), .pid = pid, .tid = tid};
    assert_true(array_push(&profile->tracks, track));
    return (uint32_t)(profile->tracks.count - 1);
}

void fixture_sample(struct profile *profile, const char *file, const char *words, uint32_t track,
                    double weight, uint64_t count)
{
    uint32_t stack = fixture_stack(profile, file, words);
    assert_int_equal(profile_add_sample(profile, stack, track, weight, count), STATUS_OK);
}

uint32_t fixture_stat(struct profile *profile, const char *file, int32_t line, const char *name,
                      int64_t calls, int64_t primitive, double self, double total)
{
    struct profile_stat stat = {.function = function_at(profile, name, file, line),
                                .calls = calls,
                                .primitive_calls = primitive,
                                .self = self,
                                .total = total,
                                .first_call = profile->calls.count};
    assert_true(array_push(&profile->stats, stat));
    return stat.function;
}

void fixture_call(struct profile *profile, const char *file, int32_t line, const char *caller,
                  int64_t calls, int64_t primitive, double self, double total)
{
    struct profile_stat *stat = &profile->stats.items[profile->stats.count - 1];
    struct profile_call call = {.caller = function_at(profile, caller, file, line),
                                .callee = stat->function,
                                .calls = calls,
                                .primitive_calls = primitive,
                                .self = self,
                                .total = total};
    assert_true(array_push(&profile->calls, call));
    stat->call_count++;
}
