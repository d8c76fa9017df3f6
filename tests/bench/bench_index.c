/* SPDX-License-Identifier: Apache-2.0 */
/* bench_index INSTANCES [plain]: the heap of so many thousand instances, each with a
 * __dict__, a dict, a str and an int (5 objects, 11 references), into an index and
 * out of it. Prints seconds, bytes an object, peak memory and look-ups a second in
 * both directions, and fails where an aim is missed. `plain`: as ordinary rows, for
 * comparison. */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/index/virtual_tables.h"
#include "inquest/analyzer/heap_index.h"
#include "inquest/analyzer/heap_reader.h"

#define AIM_REFERENCES_A_SECOND 10e6 /* packed, both directions together */
#define AIM_BYTES_AN_OBJECT     15.0 /* of the index */
#define AIM_LOOKUPS_A_SECOND    100e3
#define AIM_LABELLED_REFERRERS  100e3 /* the label is in another chunk, at the source */
#define AIM_PEAK_AN_OBJECT      20.0  /* bytes beside the columns and 4 a reference */
#define LOOKUPS                 200000u

/* ---- The heap. Object number 0 is the module's dict, 1 the class, 2 to 9 shared
 * strings; then five objects an instance. */

enum { INSTANCE, ATTRIBUTES, DATA, STRING, NUMBER, KINDS };

#define SHARED     10u
#define POOL_BYTES 16384u
#define POOL_HEAD  48u

static const uint32_t kind_sizes[KINDS] = {48, 104, 232, 56, 28};
static const uint32_t kind_types[KINDS] = {12, 3, 3, 2, 1};

static const char *const label_texts[] = {".__dict__", ".__class__", "['name']", "['data']",
                                          "['owner']", "['count']",  "key"};
enum label { NO_LABEL, OF_DICT, OF_CLASS, OF_NAME, OF_DATA, OF_OWNER, OF_COUNT, OF_KEY };

struct heap {
    uint32_t instances, count;
    uint32_t *id; /* by number: array index */
    uint64_t *address, *size, *refcount, *retained, *first;
    uint32_t *type, *dominator, *target, *label;
    uint8_t *flags;
    uint64_t references;
};

static void *room(size_t count, size_t size)
{
    void *memory = malloc(count * size + 1);
    if (!memory) {
        fputs("bench_index: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static uint64_t scramble(uint64_t seed)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
    return seed ^ seed >> 31;
}

static uint32_t number_of(uint32_t instance, unsigned kind)
{
    return SHARED + instance * KINDS + kind;
}

static unsigned kind_of(uint32_t number)
{
    return (number - SHARED) % KINDS;
}

/* Strings are of several lengths. */
static uint32_t size_of(uint32_t number)
{
    if (number < SHARED)
        return 64;
    unsigned kind = kind_of(number);
    return kind_sizes[kind] + (kind == STRING ? (uint32_t)(scramble(number) % 30) : 0);
}

/* As pymalloc does: pools of one size, carved one after the other; one block in
 * twenty is something else's by now. */
static void place_objects(const struct heap *heap, uint64_t *address_of)
{
    struct {
        uint64_t next, end;
    } pools[32] = {{0, 0}};
    uint64_t fresh = UINT64_C(0x7f3a00000000);
    for (uint32_t number = 0; number < heap->count; number++) {
        uint32_t block = (size_of(number) + 16 + 15) & ~15u;
        unsigned pool = block / 16;
        for (int tries = scramble(number * UINT64_C(7)) % 20 ? 1 : 2; tries; tries--) {
            if (pools[pool].next + block > pools[pool].end) {
                pools[pool].next = fresh + POOL_HEAD;
                pools[pool].end = fresh += POOL_BYTES;
            }
            address_of[number] = pools[pool].next + (block > 48 ? 16 : 0);
            pools[pool].next += block;
        }
    }
}

static const uint64_t *sort_by;

static int compare_addresses(const void *a, const void *b)
{
    uint64_t left = sort_by[*(const uint32_t *)a], right = sort_by[*(const uint32_t *)b];
    return left < right ? -1 : left > right;
}

/* Numbers in order of address; heap->id is filled. */
static uint32_t *order_objects(struct heap *heap, const uint64_t *address_of)
{
    uint32_t *order = room(heap->count, sizeof *order);
    for (uint32_t i = 0; i < heap->count; i++)
        order[i] = i;
    sort_by = address_of;
    qsort(order, heap->count, sizeof *order, compare_addresses);
    for (uint32_t i = 0; i < heap->count; i++)
        heap->id[order[i]] = i;
    return order;
}

static void refer(struct heap *heap, uint32_t number, uint32_t label)
{
    heap->target[heap->references] = heap->id[number];
    heap->label[heap->references++] = label;
}

static void add_row(struct heap *heap, uint32_t number)
{
    if (number == 0) {
        for (uint32_t i = 0; i < heap->instances; i++)
            refer(heap, number_of(i, INSTANCE), HEAP_LABEL_INDEX | i);
        return;
    }
    uint32_t instance = (number - SHARED) / KINDS;
    uint32_t near = instance - (uint32_t)(scramble(number) % (instance < 50 ? instance + 1 : 50));
    switch (number < SHARED ? STRING : kind_of(number)) {
    case INSTANCE:
        refer(heap, number_of(instance, ATTRIBUTES), OF_DICT);
        refer(heap, 1, OF_CLASS);
        break;
    case ATTRIBUTES:
        refer(heap, 2, OF_KEY);
        refer(heap, number_of(instance, STRING), OF_NAME);
        refer(heap, 3, OF_KEY);
        refer(heap, number_of(instance, DATA), OF_DATA);
        refer(heap, 4, OF_KEY);
        refer(heap, number_of(near, INSTANCE), OF_OWNER);
        break;
    case DATA:
        refer(heap, 5, OF_KEY);
        refer(heap, number_of(instance, NUMBER), OF_COUNT);
        break;
    default: break;
    }
}

static uint32_t dominator_of(const struct heap *heap, uint32_t number)
{
    if (number < SHARED)
        return HEAP_NO_OBJECT;
    uint32_t instance = (number - SHARED) / KINDS;
    switch (kind_of(number)) {
    case INSTANCE: return heap->id[0];
    case ATTRIBUTES: return heap->id[number_of(instance, INSTANCE)];
    case NUMBER: return heap->id[number_of(instance, DATA)];
    default: return heap->id[number_of(instance, ATTRIBUTES)];
    }
}

static uint64_t retained_by(const struct heap *heap, uint32_t number)
{
    uint64_t size = size_of(number), base = number / KINDS * KINDS;
    if (number == 0)
        return (uint64_t)heap->count * 90;
    if (number < SHARED)
        return size;
    base = number - kind_of(number);
    uint64_t data = size_of((uint32_t)base + DATA) + size_of((uint32_t)base + NUMBER);
    uint64_t attributes = size_of((uint32_t)base + ATTRIBUTES) + size_of((uint32_t)base + STRING);
    switch (kind_of(number)) {
    case INSTANCE: return size + attributes + data;
    case ATTRIBUTES: return attributes + data;
    case DATA: return data;
    default: return size;
    }
}

static void fill_columns(struct heap *heap, const uint32_t *order, const uint64_t *address_of)
{
    for (uint32_t i = 0; i < heap->count; i++) {
        uint32_t number = order[i];
        bool shared = number < SHARED;
        heap->address[i] = address_of[number];
        heap->size[i] = size_of(number);
        heap->type[i] = shared ? 7 : kind_types[kind_of(number)];
        heap->refcount[i] = shared ? UINT32_MAX : 1 + scramble(number) % 2;
        heap->flags[i] = (uint8_t)(HEAP_REACHABLE | (!shared && kind_of(number) < STRING));
        heap->dominator[i] = dominator_of(heap, number);
        heap->retained[i] = retained_by(heap, number);
        heap->first[i] = heap->references;
        add_row(heap, number);
    }
    heap->first[heap->count] = heap->references;
}

static void make_heap(struct heap *heap, uint32_t instances)
{
    uint32_t count = SHARED + instances * KINDS;
    size_t references = (size_t)instances * 11;
    *heap = (struct heap){.instances = instances, .count = count};
    heap->id = room(count, sizeof *heap->id);
    heap->address = room(count, sizeof *heap->address);
    heap->size = room(count, sizeof *heap->size);
    heap->refcount = room(count, sizeof *heap->refcount);
    heap->retained = room(count, sizeof *heap->retained);
    heap->first = room((size_t)count + 1, sizeof *heap->first);
    heap->type = room(count, sizeof *heap->type);
    heap->dominator = room(count, sizeof *heap->dominator);
    heap->flags = room(count, sizeof *heap->flags);
    heap->target = room(references, sizeof *heap->target);
    heap->label = room(references, sizeof *heap->label);
    uint64_t *address_of = room(count, sizeof *address_of);
    place_objects(heap, address_of);
    uint32_t *order = order_objects(heap, address_of);
    fill_columns(heap, order, address_of);
    free(order);
    free(address_of);
    free(heap->id);
}

/* ---- Measuring. */

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* What a look-up costs does not depend on who else uses the machine. */
static double cpu_seconds(void)
{
    return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

/* A figure of /proc/self/status, in bytes. */
static double process_bytes(const char *field)
{
    char line[256];
    double kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (!strncmp(line, field, strlen(field)))
            kilobytes = strtod(line + strlen(field) + 1, NULL);
    }
    if (file)
        fclose(file);
    return kilobytes * 1024;
}

static void reset_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file) {
        fputs("5", file);
        fclose(file);
    }
}

static int missed;

static void report(const char *what, double value, const char *unit, double aim, bool at_most)
{
    bool good = aim == 0 || (at_most ? value <= aim : value >= aim);
    printf("  %-44s %12.2f %s", what, value, unit);
    if (aim != 0)
        printf("  (aim %s %.0f)%s", at_most ? "at most" : "at least", aim, good ? "" : "  MISSED");
    putchar('\n');
    missed |= !good;
}

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "bench_index: %s: %s\n", what, why);
    exit(1);
}

static struct index *write_index(const struct heap *heap, const char *path, bool plain)
{
    struct error err;
    struct index_writer *writer;
    struct index *index = NULL;
    uint64_t offsets[8] = {0};
    char texts[256] = "";
    for (int i = 0; i < 7; i++) {
        strcat(texts, label_texts[i]);
        offsets[i + 1] = strlen(texts);
    }
    const struct heap_objects objects = {.count = heap->count,
                                         .address = heap->address,
                                         .type = heap->type,
                                         .size = heap->size,
                                         .refcount = heap->refcount,
                                         .retained = heap->retained,
                                         .dominator = heap->dominator,
                                         .flags = heap->flags};
    const struct heap_references references = {.count = heap->references,
                                               .first = heap->first,
                                               .target = heap->target,
                                               .label = heap->label};
    const struct heap_labels labels = {7, offsets, texts};
    if (index_writer_create(path, &writer, &err) != STATUS_OK ||
        index_writer_heap(writer, &objects, &references, &labels, plain, &err) != STATUS_OK ||
        index_writer_publish(writer, &index, &err) != STATUS_OK)
        give_up(path, err.message);
    return index;
}

static struct index *bench_write(const struct heap *heap, const char *path, bool plain)
{
    reset_peak();
    double before = process_bytes("VmRSS:"), cpu = cpu_seconds(), wall = seconds(CLOCK_MONOTONIC);
    struct index *index = write_index(heap, path, plain);
    cpu = cpu_seconds() - cpu;
    wall = seconds(CLOCK_MONOTONIC) - wall;
    double peak = process_bytes("VmHWM:") - before, objects = heap->count,
           references = (double)heap->references;
    struct stat file;
    if (stat(path, &file) != 0)
        give_up(path, "is not there");
    report("written", wall, "s", 0, true);
    report("processor time", cpu, "s", 0, true);
    report("references written", references / cpu / 1e6, "million a CPU-second",
           plain ? 0 : AIM_REFERENCES_A_SECOND / 1e6, false);
    report("index", (double)file.st_size / objects, "bytes an object",
           plain ? 0 : AIM_BYTES_AN_OBJECT, true);
    report("peak memory beside the columns", peak / 1048576, "MiB", 0, true);
    report("of that, without 4 bytes a reference", (peak - 4 * references) / objects,
           "bytes an object", plain ? 0 : AIM_PEAK_AN_OBJECT, true);
    return index;
}

static void bench_lookups(sqlite3 *db, uint32_t objects, const char *what, const char *sql,
                          double aim)
{
    sqlite3_stmt *statement;
    uint64_t rows = 0;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        give_up(sql, sqlite3_errmsg(db));
    double start = cpu_seconds();
    for (uint32_t i = 0; i < LOOKUPS; i++) {
        /* not the module's dict: it is a heap's one object with a million references */
        sqlite3_bind_int64(statement, 1, (int64_t)(SHARED + scramble(i) % (objects - SHARED)));
        while (sqlite3_step(statement) == SQLITE_ROW)
            rows++;
        if (sqlite3_reset(statement) != SQLITE_OK)
            give_up(sql, sqlite3_errmsg(db));
    }
    double taken = cpu_seconds() - start;
    sqlite3_finalize(statement);
    report(what, LOOKUPS / taken / 1e3, "thousand a CPU-second", aim / 1e3, false);
    if (!rows)
        give_up(sql, "no rows");
}

static void bench_query(sqlite3 *db, const char *what, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        give_up(sql, sqlite3_errmsg(db));
    double start = cpu_seconds();
    while (sqlite3_step(statement) == SQLITE_ROW) {
    }
    if (sqlite3_finalize(statement) != SQLITE_OK)
        give_up(sql, sqlite3_errmsg(db));
    report(what, cpu_seconds() - start, "s", 0, true);
}

static void bench_sql(const char *path, uint32_t objects, bool plain)
{
    static const struct {
        const char *what, *sql;
        double aim;
    } lookups[] = {
        {"object by id", "SELECT type_id, size, retained FROM object WHERE id = ?",
         AIM_LOOKUPS_A_SECOND},
        {"object by address",
         "SELECT id FROM object WHERE address = (SELECT address FROM object WHERE id = ?)",
         AIM_LOOKUPS_A_SECOND},
        {"references of an object", "SELECT target_id FROM ref WHERE source_id = ?",
         AIM_LOOKUPS_A_SECOND},
        {"references with labels", "SELECT target_id, label FROM ref WHERE source_id = ?",
         AIM_LOOKUPS_A_SECOND},
        {"referrers of an object", "SELECT source_id FROM ref WHERE target_id = ? LIMIT 100",
         AIM_LOOKUPS_A_SECOND},
        {"referrers with labels", "SELECT source_id, label FROM ref WHERE target_id = ? LIMIT 100",
         AIM_LABELLED_REFERRERS},
    };
    sqlite3 *db;
    char uri[64]; /* as inquest opens it */
    snprintf(uri, sizeof uri, "file:%s?immutable=1", path);
    if (sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) != SQLITE_OK ||
        virtual_tables_register(db) != SQLITE_OK)
        give_up(path, sqlite3_errmsg(db));
    for (size_t i = 0; i < sizeof lookups / sizeof *lookups; i++)
        bench_lookups(db, objects, lookups[i].what, lookups[i].sql, plain ? 0 : lookups[i].aim);
    bench_query(db, "all objects, by type",
                "SELECT type_id, count(*), sum(size), sum(retained) FROM object GROUP BY type_id");
    bench_query(db, "all references, by target",
                "SELECT max(n) FROM (SELECT count(*) AS n FROM ref GROUP BY target_id)");
    bench_query(db, "all references with their targets",
                "SELECT sum(o.size) FROM ref r JOIN object o ON o.id = r.target_id");
    sqlite3_close(db);
}

static void check(enum status status, const struct error *err)
{
    if (status != STATUS_OK)
        give_up("reader", err->message);
}

static void bench_reader(struct index *index, uint32_t objects)
{
    struct heap_reader *reader;
    struct heap_object_row row;
    struct heap_walk walk;
    struct heap_edge edge;
    struct error err;
    uint64_t sum = 0;
    check(heap_reader_open(index, &reader, &err), &err);
    for (int direction = 0; direction < 2; direction++) {
        double start = cpu_seconds();
        heap_walk_start(reader, (enum heap_direction)direction, 1, objects, &walk);
        while (heap_walk_next(&walk, &edge))
            sum += edge.target_id;
        check(heap_walk_finish(&walk, &err), &err);
        report(direction ? "reader: all referrers" : "reader: all references",
               cpu_seconds() - start, "s", 0, true);
    }
    double start = cpu_seconds();
    for (uint32_t i = 0; i < LOOKUPS; i++) {
        check(heap_reader_object(reader, 1 + (uint32_t)(scramble(i) % objects), &row, &err), &err);
        sum += row.size;
    }
    report("reader: object by id", LOOKUPS / (cpu_seconds() - start) / 1e3, "thousand a CPU-second",
           AIM_LOOKUPS_A_SECOND / 1e3, false);
    heap_reader_close(reader);
    if (!sum)
        give_up("reader", "no rows");
}

int main(int argc, char **argv)
{
    long thousands = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    bool plain = argc > 2 && !strcmp(argv[2], "plain");
    char path[] = "/tmp/inquest-bench-index-XXXXXX";
    if (thousands < 1 || thousands > 800000) {
        fputs("usage: bench_index THOUSANDS_OF_INSTANCES [plain]\n", stderr);
        return 2;
    }
    int fd = mkstemp(path);
    if (fd < 0)
        give_up(path, "cannot be made");
    close(fd);
    struct heap heap;
    make_heap(&heap, (uint32_t)thousands * 1000);
    printf("%u objects, %" PRIu64 " references, %s\n", heap.count, heap.references,
           plain ? "ordinary rows" : "packed");
    struct index *index = bench_write(&heap, path, plain);
    bench_sql(path, heap.count, plain);
    bench_reader(index, heap.count);
    index_close(index);
    unlink(path);
    return missed;
}
