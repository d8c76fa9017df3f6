/* SPDX-License-Identifier: Apache-2.0 */
/* Folded stacks into a profile, against reading the file and splitting it at line
 * ends and semicolons, no more: bench_folded FILE [ROUNDS]. CPU seconds, medians. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "inquest/formats/profile.h"

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The yardstick: the lines, their labels, and the sum of their numbers. */
static uint64_t split(const char *name, uint64_t *ret_labels)
{
    FILE *file = fopen(name, "rb");
    struct stat status;
    if (!file || fstat(fileno(file), &status) != 0)
        exit(1);
    size_t size = (size_t)status.st_size;
    char *text = malloc(size + 1);
    if (!text || fread(text, 1, size, file) != size)
        exit(1);
    fclose(file);
    text[size] = '\0';
    uint64_t sum = 0, labels = 0;
    for (char *line = text, *end; (end = memchr(line, '\n', (size_t)(text + size - line)));
         line = end + 1) {
        char *number = memrchr(line, ' ', (size_t)(end - line));
        for (char *at = line; (at = memchr(at, ';', (size_t)(number - at))); at++)
            labels++;
        labels++;
        sum += strtoull(number + 1, NULL, 10);
    }
    free(text);
    *ret_labels = labels;
    return sum;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[2]) : 5;
    double plain[64], ours[64];
    if (argc < 2 || rounds < 1 || rounds > 64)
        return 2;
    uint64_t labels = 0, samples = 0, frames = 0;
    for (int round = 0; round < rounds; round++) {
        struct input_file input;
        struct profile profile;
        struct error err = {0};
        double start = cpu_seconds();
        if (input_file_open(argv[1], NULL, &input, &err) != STATUS_OK ||
            profile_parse(&input, NULL, &profile, &err) != STATUS_OK) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        ours[round] = cpu_seconds() - start;
        double sum = 0;
        for (size_t i = 0; i < profile.samples.count; i++)
            sum += profile.samples.items[i].weight;
        samples = profile.samples.count;
        frames = profile.frames.count;
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        if (!round)
            printf("%" PRIu64 " stacks, %" PRIu64 " frames; peak resident %.0f MiB for %.0f MiB\n",
                   samples, frames, (double)usage.ru_maxrss / 1024, (double)input.size / (1 << 20));
        profile_deinit(&profile);
        input_file_close(&input);
        start = cpu_seconds();
        uint64_t total = split(argv[1], &labels);
        plain[round] = cpu_seconds() - start;
        if ((double)total != sum) {
            fprintf(stderr, "the sums differ: %.0f, %" PRIu64 "\n", sum, total);
            return 1;
        }
    }
    qsort(plain, (size_t)rounds, sizeof *plain, compare);
    qsort(ours, (size_t)rounds, sizeof *ours, compare);
    printf("%" PRIu64 " labels: reading and splitting %.3f s, profile %.3f s, ratio %.1f\n", labels,
           plain[rounds / 2], ours[rounds / 2], ours[rounds / 2] / plain[rounds / 2]);
    return 0;
}
