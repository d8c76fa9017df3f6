/* SPDX-License-Identifier: Apache-2.0 */
/* bench_graph OBJECTS REFERENCES [shuffled]: the graph passes alone, over a heap
 * like a web shop's (both in millions). Each pass by itself on one thread, then
 * all of them on two. Prints seconds, peak memory and bytes an object, and fails
 * where an aim is missed. `shuffled` numbers the objects at random: what the
 * passes cost where address order says nothing. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/graph/memory.h"

#define AIM_OBJECTS_A_SECOND 3e6 /* of processor time, in address order */
#define AIM_SHUFFLED         3e5
#define AIM_BYTES_AN_OBJECT  60.0 /* at the two references an object that it is for */
#define LEAST_MEMORY         (UINT64_C(12) << 30)
#define REDUCED              10.0 /* million objects, where the machine has less */

/* ---- The heap: one module (node 0) that refers to the types and to a table
 * (node 1) of registries; each registry holds a thousand instances, each of
 * which has a dict, whose values are a list, a str and an int. A list refers to
 * an earlier instance, mostly a near one. Of a hundred registries one is lost. */
#define TYPES      64u
#define KEYS       64u
#define GROUP      5u    /* instance, dict, list, str, int */
#define PER_BLOCK  1000u /* instances of a registry */
#define BLOCK_SIZE (1 + PER_BLOCK * GROUP)
#define SHARED     (2 + TYPES + KEYS)

struct heap {
    uint32_t node_count, blocks;
    unsigned keys_per_dict;
    uint32_t *place, *origin; /* shuffled: node to id, and back */
    uint32_t *row;            /* room for the longest */
};

/* A number that looks random and is the same for the same `seed`. */
static uint64_t scramble(uint64_t seed)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
    return seed ^ seed >> 31;
}

static uint32_t instance_node(uint32_t block, uint32_t index)
{
    return SHARED + block * BLOCK_SIZE + 1 + index * GROUP;
}

static uint32_t shared_row(const struct heap *heap, uint32_t node, uint32_t *row)
{
    uint32_t count = 0;
    if (node == 0)
        for (uint32_t i = 1; i < 2 + TYPES; i++)
            row[count++] = i;
    if (node == 1)
        for (uint32_t block = 0; block < heap->blocks; block++)
            if (block % 100 != 99)
                row[count++] = SHARED + block * BLOCK_SIZE;
    return count;
}

/* Where a list leads: to the instance that owns it (one in ten: a cycle), to one
 * near by, or to any earlier one (2 % of all references). */
static uint32_t link_of(uint32_t block, uint32_t index, uint64_t chance)
{
    uint32_t all = block * PER_BLOCK + index, to = all;
    unsigned percent = (unsigned)(chance % 100);
    if (percent < 22)
        to = (uint32_t)((chance >> 20) % (all + 1));
    else if (percent < 90)
        to = all - (uint32_t)((chance >> 20) % (all < 16 ? all + 1 : 16));
    return instance_node(to / PER_BLOCK, to % PER_BLOCK);
}

static uint32_t member_row(const struct heap *heap, uint32_t block, uint32_t member, uint32_t *row)
{
    uint32_t index = member / GROUP, kind = member % GROUP, count = 0;
    uint32_t instance = instance_node(block, index);
    uint64_t chance = scramble((uint64_t)instance << 8 | kind);
    if (kind == 0) {
        row[count++] = 2 + (uint32_t)(chance % TYPES);
        row[count++] = instance + 1;
    } else if (kind == 1) {
        for (unsigned i = 0; i < heap->keys_per_dict; i++)
            row[count++] = 2 + TYPES + (uint32_t)((chance >> i * 8) % KEYS);
        for (uint32_t i = 2; i < GROUP; i++)
            row[count++] = instance + i;
    } else if (kind == 2) {
        row[count++] = link_of(block, index, chance);
        row[count++] = instance + 4;
    }
    return count;
}

static uint32_t row_of(const struct heap *heap, uint32_t node)
{
    if (node < SHARED)
        return shared_row(heap, node, heap->row);
    uint32_t block = (node - SHARED) / BLOCK_SIZE, member = (node - SHARED) % BLOCK_SIZE;
    if (member)
        return member_row(heap, block, member - 1, heap->row);
    for (uint32_t i = 0; i < PER_BLOCK; i++)
        heap->row[i] = instance_node(block, i);
    return PER_BLOCK;
}

static void *need(void *thing)
{
    if (thing)
        return thing;
    perror("bench_graph");
    exit(1);
}

static void shuffle(struct heap *heap)
{
    heap->place = need(malloc(heap->node_count * sizeof *heap->place));
    heap->origin = need(malloc(heap->node_count * sizeof *heap->origin));
    for (uint32_t i = 0; i < heap->node_count; i++)
        heap->origin[i] = i;
    for (uint32_t i = heap->node_count; i-- > 1;) {
        uint32_t j = (uint32_t)(scramble(i) % (i + 1)), node = heap->origin[i];
        heap->origin[i] = heap->origin[j];
        heap->origin[j] = node;
    }
    for (uint32_t i = 0; i < heap->node_count; i++)
        heap->place[heap->origin[i]] = i;
}

static struct heap make_heap(double objects, double references, bool is_shuffled)
{
    struct heap heap = {.blocks = (uint32_t)(objects / BLOCK_SIZE)};
    heap.node_count = SHARED + heap.blocks * BLOCK_SIZE;
    /* a group's others: from the registry 1, instance 2, dict's values 3, list 2 */
    double keys = references / objects * GROUP - 8;
    heap.keys_per_dict = keys < 0 ? 0 : keys > 8 ? 8 : (unsigned)(keys + 0.5);
    heap.row = need(malloc((heap.blocks + PER_BLOCK + TYPES + 2) * sizeof *heap.row));
    if (is_shuffled)
        shuffle(&heap);
    return heap;
}

static void heap_deinit(struct heap *heap)
{
    free(heap->place);
    free(heap->origin);
    free(heap->row);
}

/* ---- Measuring */
struct moment {
    double cpu, wall;
};

static double seconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static struct moment now(void)
{
    return (struct moment){seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC)};
}

/* Of this program alone: getrusage would begin with what its parent had used. */
static double peak_bytes(void)
{
    char line[256];
    double kilobytes = 0;
    FILE *file = need(fopen("/proc/self/status", "r"));
    while (fgets(line, sizeof line, file) && sscanf(line, "VmHWM: %lf", &kilobytes) != 1)
        continue;
    fclose(file);
    return kilobytes * 1024;
}

/* ---- The passes */
struct analysis {
    struct heap *heap;
    double idle_bytes; /* of memory before the graph, the shuffle's tables included */
    struct graph forward;
    struct graph_sources reverse;
    struct graph_roots roots, garbage_roots;
    struct graph_components components;
    struct graph_dominators dominators;
    struct graph_paths paths;
    uint64_t *reached, *retained;
    uint32_t *garbage;
};

static enum status run_rows(void *context, struct error *err)
{
    struct analysis *analysis = context;
    const struct heap *heap = analysis->heap;
    struct graph_builder builder;
    enum status status =
        graph_builder_init(&builder, heap->node_count, 0, heap->node_count, 0, err);
    for (uint32_t id = 0; !status && id < heap->node_count; id++) {
        uint32_t count = row_of(heap, heap->origin ? heap->origin[id] : id);
        for (uint32_t i = 0; heap->place && i < count; i++)
            heap->row[i] = heap->place[heap->row[i]];
        status = graph_builder_edges(&builder, id, heap->row, count, err);
    }
    return status ? status : graph_build(&builder, 1, &analysis->forward, err);
}

static enum status run_reverse(void *context, struct error *err)
{
    struct analysis *analysis = context;
    return graph_reverse(&analysis->forward, false, 1, &analysis->reverse, err);
}

static enum status run_reverse_by_two(void *context, struct error *err)
{
    struct analysis *analysis = context;
    return graph_reverse(&analysis->forward, false, 2, &analysis->reverse, err);
}

static enum status run_components(void *context, struct error *err)
{
    struct analysis *analysis = context;
    return graph_components(&analysis->forward, &analysis->components, err);
}

static enum status run_reach(void *context, struct error *err)
{
    struct analysis *analysis = context;
    return graph_reach(&analysis->forward, &analysis->roots, &analysis->reached, err);
}

static enum status run_garbage_roots(void *context, struct error *err)
{
    struct analysis *analysis = context;
    enum status status =
        graph_garbage_roots(&analysis->forward, analysis->reached, &analysis->components,
                            &analysis->garbage, &analysis->garbage_roots.count, err);
    analysis->garbage_roots.nodes = analysis->garbage;
    return status;
}

static enum status run_dominators(void *context, struct error *err)
{
    struct analysis *analysis = context;
    enum status status = graph_dominators(&analysis->forward, &analysis->reverse, &analysis->roots,
                                          &analysis->garbage_roots, &analysis->dominators, err);
    return status ? status : graph_dominators_measure(&analysis->dominators, err);
}

static enum status run_retained(void *context, struct error *err)
{
    struct analysis *analysis = context;
    enum status status = graph_alloc(analysis->forward.node_count, sizeof *analysis->retained,
                                     (void **)&analysis->retained, err);
    if (status)
        return status;
    for (uint32_t node = 0; node < analysis->forward.node_count; node++)
        analysis->retained[node] = 48;
    graph_retained(&analysis->dominators, analysis->retained);
    return STATUS_OK;
}

static enum status run_paths(void *context, struct error *err)
{
    struct analysis *analysis = context;
    return graph_paths(&analysis->forward, &analysis->roots, false, &analysis->paths, err);
}

static void forget_results(struct analysis *analysis)
{
    graph_sources_deinit(&analysis->reverse);
    graph_components_deinit(&analysis->components);
    graph_dominators_deinit(&analysis->dominators);
    graph_paths_deinit(&analysis->paths);
    graph_free(analysis->reached);
    graph_free(analysis->retained);
    graph_free(analysis->garbage);
    analysis->reached = analysis->retained = NULL;
    analysis->garbage = NULL;
    graph_memory_trim(); /* what follows begins as a process does */
}

struct step {
    const char *name;
    enum status (*run[2])(void *context, struct error *err); /* at the same time */
};

static const struct step rows[] = {{"make rows", {run_rows}}};
static const struct step one_by_one[] = {
    {"reverse rows", {run_reverse}},  {"components", {run_components}},
    {"reach", {run_reach}},           {"garbage roots", {run_garbage_roots}},
    {"dominators", {run_dominators}}, {"retained", {run_retained}},
    {"paths", {run_paths}},
};
static const struct step halves[] = {
    {"reverse rows by two", {run_reverse_by_two}},
};
/* As the analyzer does it; nothing runs beside the dominators, which need most. */
static const struct step together[] = {
    {"reverse, components", {run_reverse, run_components}},
    {"reach", {run_reach}},
    {"garbage roots", {run_garbage_roots}},
    {"dominators", {run_dominators}},
    {"retained, paths", {run_retained, run_paths}},
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void print_line(const struct analysis *analysis, const char *name, struct moment from)
{
    struct moment to = now();
    double objects = analysis->heap->node_count, bytes = peak_bytes() - analysis->idle_bytes;
    printf("%-22s %8.2f %8.2f %10.1f %8.0f %8.1f\n", name, to.cpu - from.cpu, to.wall - from.wall,
           objects / (to.cpu - from.cpu) / 1e6, bytes / 1e6, bytes / objects);
    fflush(stdout);
}

static void run_steps(struct analysis *analysis, const char *title, const struct step *steps,
                      size_t count)
{
    struct moment start = now();
    for (size_t i = 0; i < count; i++) {
        struct error err;
        struct moment from = now();
        struct graph_task tasks[2] = {{steps[i].run[0], analysis}, {steps[i].run[1], analysis}};
        if (graph_run(tasks, steps[i].run[1] ? 2 : 1, 2, &err)) {
            fprintf(stderr, "bench_graph: %s\n", err.message);
            exit(1);
        }
        print_line(analysis, steps[i].name, from);
    }
    if (count > 1)
        print_line(analysis, title, start);
}

static bool judge(const char *what, double value, double aim, bool at_least)
{
    bool is_met = at_least ? value >= aim : value <= aim;
    printf("%s: %.1f, aim %s %.1f: %s\n", what, value, at_least ? "at least" : "at most", aim,
           is_met ? "met" : "MISSED");
    return is_met;
}

static bool run_all(struct heap *heap)
{
    const uint32_t module = heap->place ? heap->place[0] : 0;
    struct analysis analysis = {
        .heap = heap, .idle_bytes = peak_bytes(), .roots = {.nodes = &module, .count = 1}};
    printf("%-22s %8s %8s %10s %8s %8s\n", "pass", "cpu s", "wall s", "M obj/cpu s", "peak MB",
           "B/obj");
    run_steps(&analysis, "", rows, COUNT(rows));
    double references = (double)analysis.forward.edge_count, objects = heap->node_count;
    struct moment from = now();
    run_steps(&analysis, "= one by one", one_by_one, COUNT(one_by_one));
    double cpu = now().cpu - from.cpu;
    printf(
        "reached %" PRIu32 ", garbage %" PRIu32 " under %" PRIu32 " roots, cycles %" PRIu32
        " of %" PRIu32 " objects\n",
        analysis.dominators.reached, analysis.dominators.order_count - analysis.dominators.reached,
        analysis.garbage_roots.count, analysis.components.count, analysis.components.member_count);
    forget_results(&analysis);
    run_steps(&analysis, "", halves, COUNT(halves));
    forget_results(&analysis);
    run_steps(&analysis, "= two at a time", together, COUNT(together));
    forget_results(&analysis);
    graph_deinit(&analysis.forward);
    double bytes = peak_bytes() - analysis.idle_bytes;
    printf("%.2f M objects, %.2f M references\n", objects / 1e6, references / 1e6);
    double aim = heap->place ? AIM_SHUFFLED : AIM_OBJECTS_A_SECOND;
    bool is_fast = judge("million objects a cpu second", objects / cpu / 1e6, aim / 1e6, true);
    bool is_small = judge("bytes an object", bytes / objects, AIM_BYTES_AN_OBJECT, false);
    return is_fast && is_small;
}

static double parse_millions(const char *text)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (errno || *end || !(value >= 0.1 && value <= 400)) {
        fprintf(stderr, "bench_graph: %s: not a number of millions from 0.1 to 400\n", text);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4 || (argc == 4 && strcmp(argv[3], "shuffled"))) {
        fputs("usage: bench_graph OBJECTS REFERENCES [shuffled], in millions\n", stderr);
        return 2;
    }
    double objects = parse_millions(argv[1]), references = parse_millions(argv[2]);
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    if (objects > REDUCED && memory < (double)LEAST_MEMORY) {
        printf("this machine has %.0f GB: %.0f million objects instead of %.0f\n", memory / 1e9,
               REDUCED, objects);
        references *= REDUCED / objects;
        objects = REDUCED;
    }
    struct heap heap = make_heap(objects * 1e6, references * 1e6, argc == 4);
    bool is_met = run_all(&heap);
    heap_deinit(&heap);
    return is_met ? 0 : 1;
}
