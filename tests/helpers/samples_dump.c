/* SPDX-License-Identifier: Apache-2.0 */
/* What a recording of samples was read as, as JSON for scripts that compare:
 * samples_dump FILE. Bytes of texts are written as the code points of their value
 * (ISO 8859-1), so that names that are no UTF-8 come through. */
#include <inttypes.h>
#include <stdio.h>

#include "inquest/formats/profile.h"

static void put_bytes(const char *bytes, size_t size)
{
    putchar('"');
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void put_string(const struct profile *profile, uint32_t string)
{
    put_bytes(profile_text(profile, string), profile->strings.items[string].size);
}

static void put_text(const char *text)
{
    size_t size = 0;
    while (text[size])
        size++;
    put_bytes(text, size);
}

static void put_frame(const struct profile *profile, uint32_t id)
{
    const struct profile_frame *frame = &profile->frames.items[id];
    const struct profile_function *function = &profile->functions.items[frame->function];
    putchar('[');
    put_string(profile, function->name);
    putchar(',');
    put_string(profile, function->file);
    printf(",%d]", frame->line);
}

static void put_samples(const struct profile *profile)
{
    for (size_t i = 0; i < profile->samples.count; i++) {
        const struct profile_sample *sample = &profile->samples.items[i];
        const struct profile_stack *stack = &profile->stacks.items[sample->stack];
        printf("%s{\"track\":%u,\"weight\":%.17g,\"count\":%" PRIu64 ",\"stack\":[", i ? ",\n" : "",
               sample->track, sample->weight, sample->count);
        for (uint32_t at = 0; at < stack->depth; at++) {
            if (at)
                putchar(',');
            put_frame(profile, profile->stack_frames.items[stack->first + at]);
        }
        printf("]}");
    }
}

static void put_tracks(const struct profile *profile)
{
    for (size_t i = 0; i < profile->tracks.count; i++) {
        const struct profile_track *track = &profile->tracks.items[i];
        printf("%s{\"name\":", i ? ",\n" : "");
        put_string(profile, track->name);
        printf(",\"pid\":%" PRId64 ",\"tid\":%" PRId64 ",\"idle\":%d,\"active\":%d,\"gil\":%d}",
               track->pid, track->tid, track->is_idle, track->is_active, track->holds_gil);
    }
}

static void put_locals(const struct profile *profile)
{
    for (size_t i = 0; i < profile->locals.count; i++) {
        const struct profile_local *local = &profile->locals.items[i];
        printf("%s[%u,%u,", i ? ",\n" : "", local->track, local->depth);
        put_string(profile, local->name);
        putchar(',');
        put_string(profile, local->value);
        printf(",%d]", local->is_argument);
    }
}

int main(int argc, char **argv)
{
    struct input_file input;
    struct profile profile;
    struct error err = {0};
    if (argc != 2)
        return 2;
    if (input_file_open(argv[1], NULL, &input, &err) != STATUS_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    if (profile_parse(&input, NULL, &profile, &err) != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", status_name(err.status), err.message);
        input_file_close(&input);
        return 1;
    }
    printf("{\"format\":\"%s\",\"unit\":", profile.format);
    put_text(profile.unit);
    printf(",\"approximate\":%d,\"facts\":[", profile.is_approximate);
    for (size_t i = 0; i < profile.facts.count; i++) {
        printf("%s[", i ? "," : "");
        put_text(profile.facts.items[i].key);
        putchar(',');
        put_text(profile.facts.items[i].value);
        putchar(']');
    }
    printf("],\n\"warnings\":[");
    for (size_t i = 0; i < profile.warnings.count; i++) {
        if (i)
            putchar(',');
        put_text(profile.warnings.items[i].message);
    }
    printf("],\n\"tracks\":[");
    put_tracks(&profile);
    printf("],\n\"samples\":[");
    put_samples(&profile);
    printf("],\n\"locals\":[");
    put_locals(&profile);
    printf("]}\n");
    profile_deinit(&profile);
    input_file_close(&input);
    return 0;
}
