/* SPDX-License-Identifier: Apache-2.0 */
/* profile_dump FILE: what the parsers make of a recording, as one JSON object, so
 * that a test can lay it beside what the program that wrote it says. Or
 * profile_dump --time FILE: only the counts, and what it took. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "inquest/base/text.h"
#include "inquest/formats/profile.h"

/* Escapes what is not ASCII: surrogates that stand alone as Python's json does, bytes
 * that are no UTF-8 as surrogateescape would. */
static void print_bytes(const char *text, size_t size)
{
    putchar('"');
    for (size_t i = 0; i < size;) {
        const unsigned char *c = (const unsigned char *)text + i;
        uint32_t point;
        size_t length = utf8_decode(text + i, size - i, &point);
        if (!length && size - i >= 3 && c[0] == 0xED && c[1] >= 0xA0 && c[1] < 0xC0 &&
            (c[2] & 0xC0) == 0x80) {
            length = 3;
            point = 0xD000 | (c[1] & 0x3Fu) << 6 | (c[2] & 0x3Fu);
        } else if (!length) {
            length = 1;
            point = 0xDC00 | *c;
        }
        if (point > 0xFFFF)
            printf("\\u%04x\\u%04x", 0xD7C0 + (point >> 10), 0xDC00 | (point & 0x3FF));
        else if (point < 0x20 || point > 0x7E || point == '"' || point == '\\')
            printf("\\u%04x", point);
        else
            putchar((int)point);
        i += length;
    }
    putchar('"');
}

static void print_text(const struct profile *profile, uint32_t string)
{
    print_bytes(profile_text(profile, string), profile->strings.items[string].size);
}

static void print_number(double number)
{
    if (isfinite(number))
        printf("%.17g", number);
    else
        printf(isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
}

static void print_function(const struct profile *profile, uint32_t id)
{
    const struct profile_function *function = &profile->functions.items[id];
    putchar('[');
    print_text(profile, function->file);
    printf(",%" PRId32 ",", function->line);
    print_text(profile, function->name);
    putchar(']');
}

/* Frames as [function, line], outermost first. */
static void print_stack(const struct profile *profile, uint32_t id)
{
    const struct profile_stack *stack = &profile->stacks.items[id];
    putchar('[');
    for (uint32_t i = 0; i < stack->depth; i++) {
        uint32_t number = profile->stack_frames.items[stack->first + i];
        const struct profile_frame *frame = &profile->frames.items[number];
        printf(i ? ",[" : "[");
        print_function(profile, frame->function);
        printf(",%" PRId32 "]", frame->line);
    }
    putchar(']');
}

static void print_traces(const struct profile *profile)
{
    printf(",\n\"traces\":[");
    for (size_t i = 0; i < profile->traces.count; i++) {
        const struct profile_trace *trace = &profile->traces.items[i];
        printf("%s\n[%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",", i ? "," : "", trace->domain,
               trace->size, trace->count);
        print_stack(profile, trace->stack);
        putchar(']');
    }
    putchar(']');
}

static void print_call(const struct profile *profile, const struct profile_call *call)
{
    printf("\n  [");
    print_function(profile, call->caller);
    printf(",%" PRId64, call->calls);
    if (!call->is_count) {
        printf(",%" PRId64 ",", call->primitive_calls);
        print_number(call->self);
        putchar(',');
        print_number(call->total);
    }
    putchar(']');
}

static void print_stats(const struct profile *profile)
{
    printf(",\n\"stats\":[");
    for (size_t i = 0; i < profile->stats.count; i++) {
        const struct profile_stat *stat = &profile->stats.items[i];
        printf(i ? ",\n[" : "\n[");
        print_function(profile, stat->function);
        printf(",%" PRId64 ",%" PRId64 ",", stat->primitive_calls, stat->calls);
        print_number(stat->self);
        putchar(',');
        print_number(stat->total);
        printf(",[");
        for (uint32_t j = 0; j < stat->call_count; j++) {
            if (j)
                putchar(',');
            print_call(profile, &profile->calls.items[stat->first_call + j]);
        }
        printf("]]");
    }
    putchar(']');
}

static void print_tracks(const struct profile *profile)
{
    printf(",\n\"tracks\":[");
    for (size_t i = 0; i < profile->tracks.count; i++) {
        const struct profile_track *track = &profile->tracks.items[i];
        printf(i ? ",\n{\"name\":" : "\n{\"name\":");
        print_text(profile, track->name);
        printf(",\"pid\":%" PRId64 ",\"tid\":%" PRId64 ",\"idle\":%d,\"active\":%d,\"gil\":%d}",
               track->pid, track->tid, track->is_idle, track->is_active, track->holds_gil);
    }
    printf("],\n\"samples\":[");
    for (size_t i = 0; i < profile->samples.count; i++) {
        const struct profile_sample *sample = &profile->samples.items[i];
        printf("%s\n[%" PRIu32 ",", i ? "," : "", sample->track);
        print_number(sample->weight);
        printf(",%" PRIu64 ",", sample->count);
        print_stack(profile, sample->stack);
        putchar(']');
    }
    printf("],\n\"locals\":[");
    for (size_t i = 0; i < profile->locals.count; i++) {
        const struct profile_local *local = &profile->locals.items[i];
        printf("%s\n[%" PRIu32 ",%" PRIu32 ",", i ? "," : "", local->track, local->depth);
        print_text(profile, local->name);
        putchar(',');
        print_text(profile, local->value);
        printf(",%d]", local->is_argument);
    }
    putchar(']');
}

static void print_profile(const struct profile *profile)
{
    static const char *const families[] = {"none", "tracemalloc", "pstats", "samples"};
    printf("{\"family\":\"%s\",\"format\":\"%s\",\"unit\":\"%s\",\"sampled\":%s,"
           "\"approximate\":%s,\n\"facts\":{",
           families[profile->family], profile->format, profile->unit,
           profile->is_sampled ? "true" : "false", profile->is_approximate ? "true" : "false");
    for (size_t i = 0; i < profile->facts.count; i++) {
        const struct profile_fact *fact = &profile->facts.items[i];
        if (i)
            putchar(',');
        print_bytes(fact->key, strlen(fact->key));
        putchar(':');
        print_bytes(fact->value, strlen(fact->value));
    }
    printf("},\n\"warnings\":[");
    for (size_t i = 0; i < profile->warnings.count; i++) {
        const struct profile_warning *warning = &profile->warnings.items[i];
        printf(i ? ",[" : "[");
        print_bytes(warning->area, strlen(warning->area));
        putchar(',');
        print_bytes(warning->message, strlen(warning->message));
        putchar(']');
    }
    putchar(']');
    if (profile->family == PROFILE_TRACEMALLOC)
        print_traces(profile);
    else if (profile->family == PROFILE_PSTATS)
        print_stats(profile);
    else
        print_tracks(profile);
    printf("}\n");
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void print_cost(const struct profile *profile, uint64_t size)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"bytes\":%" PRIu64 ",\"cpu_seconds\":%.3f,\"peak_kib\":%ld,\"strings\":%zu,"
           "\"functions\":%zu,\"frames\":%zu,\"stacks\":%zu,\"stack_frames\":%zu,\"traces\":%zu,"
           "\"stats\":%zu,\"calls\":%zu,\"samples\":%zu}\n",
           size, seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
           profile->strings.count, profile->functions.count, profile->frames.count,
           profile->stacks.count, profile->stack_frames.count, profile->traces.count,
           profile->stats.count, profile->calls.count, profile->samples.count);
}

int main(int argc, char **argv)
{
    bool is_timed = argc == 3 && !strcmp(argv[1], "--time");
    if (argc != 2 + is_timed) {
        fprintf(stderr, "usage: profile_dump [--time] FILE\n");
        return 2;
    }
    struct error err = {0};
    struct input_file input;
    struct profile profile;
    enum status status = input_file_open(argv[argc - 1], NULL, &input, &err);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 3;
    }
    status = profile_parse(&input, NULL, &profile, &err);
    uint64_t size = input.size;
    input_file_close(&input);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", status_name(status), err.message);
        return 3;
    }
    if (is_timed)
        print_cost(&profile, size);
    else
        print_profile(&profile);
    profile_deinit(&profile);
    return 0;
}
