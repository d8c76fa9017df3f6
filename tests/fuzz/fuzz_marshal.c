/* SPDX-License-Identifier: Apache-2.0 */
/* The whole input is a file of pstats. What is parsed must refer to what is there. */
#include <stdlib.h>

#include "inquest/formats/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct profile *profile, size_t size)
{
    if (profile->calls.count > size)
        abort();
    for (size_t i = 0; i < profile->stats.count; i++) {
        const struct profile_stat *stat = &profile->stats.items[i];
        if (stat->function >= profile->functions.count ||
            stat->first_call + stat->call_count > profile->calls.count)
            abort();
        for (uint32_t j = 0; j < stat->call_count; j++) {
            const struct profile_call *call = &profile->calls.items[stat->first_call + j];
            if (call->callee != stat->function || call->caller >= profile->functions.count)
                abort();
        }
    }
    for (size_t i = 0; i < profile->functions.count; i++)
        if (profile->functions.items[i].file >= profile->strings.count ||
            profile->functions.items[i].name >= profile->strings.count)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile profile;
    struct error err = {0};
    struct input_file input = {.name = "fuzz", .data = data, .size = size};
    if (profile_recognise(data, size) != PROFILE_PSTATS)
        return 0;
    if (profile_parse(&input, NULL, &profile, &err) == STATUS_OK) {
        check(&profile, size);
        profile_deinit(&profile);
    } else if (!err.message[0]) {
        abort();
    }
    return 0;
}
