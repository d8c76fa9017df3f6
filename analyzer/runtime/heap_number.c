/* From the numbers by which objects are known while they are read to ids in
 * order of address. The late ones are mostly few and their places far apart, so
 * nearly all of the early ones that are neighbours move by as many. The rows of
 * the pieces go to where they belong, each piece's on a thread of its own. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/graph/memory.h"
#include "analyzer/runtime/heap_build.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/partition_point.h"

/* A late object where it belongs: behind `below` early ones. */
struct place {
    uint64_t addr;
    uint32_t below, index;
};

#define BLOCK_SHIFT 12         /* early numbers that are asked for together */
#define APART       GRAPH_NONE /* those of a block do not move by as many */

struct numbering;

/* What becomes of one piece: its early ones, and the late ones among them. */
struct part {
    const struct numbering *numbering;
    const struct heap_piece *piece;
    uint32_t *late_ids;       /* by the piece's own numbers */
    size_t place, places_end; /* late ones */
    uint64_t edge;            /* where its rows begin */
};

struct numbering {
    struct heap_builder *builder;
    struct graph references; /* the rows as they will be */
    uint32_t *label;
    struct place *places; /* of the late ones that are alive, by address */
    uint32_t place_count;
    uint32_t *moves;    /* by block: what is to be added to a number */
    uint32_t *late_ids; /* GRAPH_NONE: dead */
    bool has_gaps;      /* there may be references to what is dead */
    struct part parts[HEAP_PIECES];
};

/* ---- the places of the late ones */

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static enum status find_places(struct numbering *numbering)
{
    struct heap_builder *builder = numbering->builder;
    const struct heap_map *objects = builder->heap->find.objects;
    numbering->places = malloc((builder->late.count + 1) * sizeof *numbering->places);
    if (!numbering->places)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < builder->late.count; i++) {
        const struct late_object *late = &builder->late.items[i];
        if (!late->is_dead)
            numbering->places[numbering->place_count++] =
                (struct place){late->addr, heap_map_below(objects, late->addr), (uint32_t)i};
    }
    if (numbering->place_count)
        qsort(numbering->places, numbering->place_count, sizeof *numbering->places, compare_places);
    return STATUS_OK;
}

/* The map forgets early ones that are dead (rare), and learns of the late ones. */
static enum status update_map(const struct numbering *numbering)
{
    const struct heap_builder *builder = numbering->builder;
    struct heap_map *objects = builder->heap->find.objects;
    struct heap_words words = {0};
    uint32_t number = 0, dead = 0;
    while (dead < builder->all->dead.count && heap_map_next_word(objects, &words)) {
        for (uint64_t bits = words.bits; bits; bits &= bits - 1, number++)
            if (dead < builder->all->dead.count && builder->all->dead.items[dead] == number) {
                heap_map_remove(objects, words.addr + 8 * (uint64_t)__builtin_ctzll(bits));
                dead++;
            }
    }
    for (uint32_t i = 0; i < numbering->place_count; i++)
        heap_map_add(objects, numbering->places[i].addr);
    return heap_map_freeze(objects, &builder->heap->count);
}

/* ---- numbers */

static uint32_t dead_before(const struct numbering *numbering, uint64_t number)
{
    const struct heap_piece *all = numbering->builder->all;
    size_t at;
    PARTITION_POINT(at, all->dead.count, all->dead.items[at] < number);
    return (uint32_t)at;
}

/* Late ones that come before that early one. */
static uint32_t places_before(const struct numbering *numbering, uint32_t number)
{
    size_t at;
    PARTITION_POINT(at, numbering->place_count, numbering->places[at].below <= number);
    return (uint32_t)at;
}

static uint32_t find_early_id(const struct numbering *numbering, uint32_t number)
{
    const struct heap_piece *all = numbering->builder->all;
    uint32_t dead = dead_before(numbering, number);
    if (dead < all->dead.count && all->dead.items[dead] == number)
        return GRAPH_NONE;
    return number + places_before(numbering, number) - dead;
}

/* GRAPH_NONE: dead. */
static inline uint32_t early_id(const struct numbering *numbering, uint32_t number)
{
    uint32_t move = numbering->moves[number >> BLOCK_SHIFT];
    return move != APART ? number + move : find_early_id(numbering, number);
}

static enum status number_early(struct numbering *numbering)
{
    uint32_t early = numbering->builder->early, blocks = (early >> BLOCK_SHIFT) + 1;
    numbering->moves = malloc(blocks * sizeof *numbering->moves);
    if (!numbering->moves)
        return STATUS_NO_MEMORY;
    for (uint32_t block = 0; block < blocks; block++) {
        uint32_t first = block << BLOCK_SHIFT, last = first | ((1 << BLOCK_SHIFT) - 1);
        uint32_t late = places_before(numbering, first), dead = dead_before(numbering, first);
        bool is_apart = late != places_before(numbering, last) ||
                        dead != dead_before(numbering, last + UINT64_C(1));
        numbering->moves[block] = is_apart ? APART : late - dead;
    }
    return STATUS_OK;
}

static enum status number_late(struct numbering *numbering)
{
    const struct heap_builder *builder = numbering->builder;
    numbering->late_ids = malloc((builder->late.count + 1) * sizeof *numbering->late_ids);
    if (!numbering->late_ids)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < builder->late.count; i++)
        numbering->late_ids[i] = GRAPH_NONE;
    for (uint32_t i = 0; i < numbering->place_count; i++) {
        const struct place *place = &numbering->places[i];
        numbering->late_ids[place->index] = place->below + i - dead_before(numbering, place->below);
    }
    numbering->has_gaps = builder->all->dead.count || numbering->place_count != builder->late.count;
    return STATUS_OK;
}

/* ---- parts */

/* `late_ids` as the row's piece numbers them. */
static inline uint32_t target_id(const struct numbering *numbering, const uint32_t *late_ids,
                                 uint32_t target)
{
    uint32_t early = numbering->builder->early;
    return target < early ? early_id(numbering, target) : late_ids[target - early];
}

static uint64_t count_kept(const struct numbering *numbering, const uint32_t *late_ids,
                           const uint32_t *targets, uint64_t count)
{
    uint64_t kept = 0;
    if (!numbering->has_gaps)
        return count;
    for (uint64_t i = 0; i < count; i++)
        kept += target_id(numbering, late_ids, targets[i]) != GRAPH_NONE;
    return kept;
}

static const struct late_object *late_at(const struct numbering *numbering, size_t place)
{
    return &numbering->builder->late.items[numbering->places[place].index];
}

static enum status part_init(struct part *part, struct numbering *numbering,
                             const struct heap_piece *piece)
{
    const struct heap_builder *builder = numbering->builder;
    bool is_last = piece->end == builder->early;
    *part = (struct part){.numbering = numbering, .piece = piece};
    PARTITION_POINT(part->place, numbering->place_count,
                    numbering->places[part->place].below < piece->begin);
    PARTITION_POINT(part->places_end, numbering->place_count,
                    numbering->places[part->places_end].below < piece->end || is_last);
    part->late_ids = malloc((piece->late.count + 1) * sizeof *part->late_ids);
    if (!part->late_ids)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < piece->late.count; i++) {
        uint32_t late = piece->late_map ? piece->late_map[i] : (uint32_t)i;
        part->late_ids[i] = late == GRAPH_NONE ? GRAPH_NONE : numbering->late_ids[late];
        numbering->has_gaps |= part->late_ids[i] == GRAPH_NONE;
    }
    return STATUS_OK;
}

static uint64_t part_edges(const struct part *part)
{
    const struct numbering *numbering = part->numbering;
    const uint32_t *targets = numbering->builder->all->targets;
    uint64_t edges =
        count_kept(numbering, part->late_ids, part->piece->targets, part->piece->early_edges);
    for (size_t place = part->place; place < part->places_end; place++) {
        const struct late_object *late = late_at(numbering, place);
        edges += count_kept(numbering, numbering->late_ids, targets + late->first_edge,
                            late->edge_count);
    }
    return edges;
}

static enum status make_parts(struct numbering *numbering, uint64_t *ret_edges)
{
    const struct heap_builder *builder = numbering->builder;
    enum status status = STATUS_OK;
    uint64_t edges = 0;
    for (unsigned i = 0; i < builder->piece_count && status == STATUS_OK; i++)
        status = part_init(&numbering->parts[i], numbering, builder->pieces[i]);
    for (unsigned i = 0; i < builder->piece_count && status == STATUS_OK; i++) {
        numbering->parts[i].edge = edges;
        edges += part_edges(&numbering->parts[i]);
    }
    *ret_edges = edges;
    return status;
}

/* ---- rows */

static enum status make_room(struct numbering *numbering, uint64_t edges)
{
    uint32_t count = numbering->builder->heap->count;
    enum status status = graph_alloc_rows(count, edges, &numbering->references, NULL);
    if (status == STATUS_OK)
        status = graph_alloc(edges, sizeof *numbering->label, (void **)&numbering->label, NULL);
    if (status == STATUS_OK)
        graph_set_first(&numbering->references, count, edges);
    return status;
}

/* A piece's rows, as they are. */
struct rows {
    const uint32_t *targets, *labels, *late_ids, *label_map;
};

/* Where the next row begins. References to what is dead are left out. */
static uint64_t put_row(const struct numbering *numbering, const struct rows *rows, uint64_t from,
                        uint64_t to, uint64_t edge)
{
    uint32_t *targets = numbering->references.targets, *labels = numbering->label;
    for (uint64_t i = from; i < to; i++) {
        uint32_t id = target_id(numbering, rows->late_ids, rows->targets[i]);
        uint32_t label = rows->labels[i];
        if (id == GRAPH_NONE)
            continue;
        targets[edge] = id;
        labels[edge++] =
            label & HEAP_LABEL_INDEX || !rows->label_map ? label : rows->label_map[label];
    }
    return edge;
}

/* The late ones in front of an early one. */
static uint64_t put_late(const struct part *part, size_t *place, uint32_t below, uint64_t edge)
{
    const struct numbering *numbering = part->numbering;
    const struct heap_piece *all = numbering->builder->all;
    const struct rows rows = {all->targets, all->labels, numbering->late_ids, NULL};
    for (; *place < part->places_end && numbering->places[*place].below <= below; ++*place) {
        const struct late_object *late = late_at(numbering, *place);
        uint32_t id = numbering->late_ids[numbering->places[*place].index];
        graph_set_first(&numbering->references, id, edge);
        edge =
            put_row(numbering, &rows, late->first_edge, late->first_edge + late->edge_count, edge);
    }
    return edge;
}

/* The rows of the part, and its types as all number them. */
static enum status put_part(void *context, struct error *err)
{
    const struct part *part = context;
    const struct numbering *numbering = part->numbering;
    const struct heap_piece *piece = part->piece;
    const struct rows rows = {piece->targets, piece->labels, part->late_ids, piece->label_map};
    uint32_t *type = numbering->builder->heap->type;
    uint64_t edge = part->edge, from = 0;
    size_t place = part->place;
    (void)err;
    for (uint32_t number = piece->begin; number < piece->end; number++) {
        uint32_t id = early_id(numbering, number);
        uint64_t to = from + heap_column_get(&piece->degrees, number);
        if (place < part->places_end)
            edge = put_late(part, &place, number, edge);
        if (id != GRAPH_NONE) {
            graph_set_first(&numbering->references, id, edge);
            edge = put_row(numbering, &rows, from, to, edge);
            type[number] = piece->type_map ? piece->type_map[type[number]] : type[number];
        }
        from = to;
    }
    put_late(part, &place, UINT32_MAX, edge);
    return STATUS_OK;
}

/* ---- columns, where they are */

/* From what goes by number to what goes by id: closes up where one is dead, then makes
 * room for the late ones, from the end backwards. */
static void move_items(const struct numbering *numbering, char *items, size_t size)
{
    const struct heap_builder *builder = numbering->builder;
    const uint32_t *dead = builder->all->dead.items;
    size_t dead_count = builder->all->dead.count, end = builder->early - dead_count;
    for (size_t i = 0; i < dead_count; i++) {
        size_t from = dead[i] + (size_t)1, to = i + 1 < dead_count ? dead[i + 1] : builder->early;
        memmove(items + (from - i - 1) * size, items + from * size, (to - from) * size);
    }
    for (size_t place = numbering->place_count; place-- > 0;) {
        size_t id = numbering->late_ids[numbering->places[place].index], from = id - place;
        memmove(items + (id + 1) * size, items + from * size, (end - from) * size);
        end = from;
    }
}

static enum status move_array(const struct numbering *numbering, void **array, size_t item_size)
{
    const struct heap_builder *builder = numbering->builder;
    uint64_t room = max_u64(builder->early, builder->heap->count);
    enum status status = graph_resize(array, room, item_size, NULL);
    if (status == STATUS_OK)
        move_items(numbering, *array, item_size);
    return status;
}

static enum status move_column(const struct numbering *numbering, struct heap_column *column)
{
    enum status status = move_array(numbering, (void **)&column->low, sizeof *column->low);
    size_t kept = 0;
    for (size_t i = 0; i < column->wide.count && status == STATUS_OK; i++) {
        struct heap_wide wide = column->wide.items[i];
        wide.object = early_id(numbering, wide.object);
        if (wide.object != GRAPH_NONE)
            column->wide.items[kept++] = wide;
    }
    if (status == STATUS_OK)
        column->wide.count = kept;
    return status;
}

static enum status put_late_columns(const struct numbering *numbering)
{
    struct heap *heap = numbering->builder->heap;
    enum status status = STATUS_OK;
    for (uint32_t place = 0; place < numbering->place_count && status == STATUS_OK; place++) {
        const struct late_object *late = late_at(numbering, place);
        uint32_t id = numbering->late_ids[numbering->places[place].index];
        heap->type[id] = late->type;
        status = heap_column_set(&heap->sizes, id, late->size);
        if (status == STATUS_OK)
            status = heap_column_set(&heap->refcounts, id, late->refcount);
    }
    heap_column_sort(&heap->sizes);
    heap_column_sort(&heap->refcounts);
    return status;
}

static enum status move_columns(const struct numbering *numbering)
{
    struct heap *heap = numbering->builder->heap;
    enum status status = move_array(numbering, (void **)&heap->type, sizeof *heap->type);
    if (status == STATUS_OK)
        status = move_column(numbering, &heap->sizes);
    if (status == STATUS_OK)
        status = move_column(numbering, &heap->refcounts);
    return status == STATUS_OK ? put_late_columns(numbering) : status;
}

/* ---- what the maps tell */

static enum status fill_columns(void *context, struct error *err)
{
    struct heap *heap = context;
    struct heap_words words = {0};
    uint32_t id = 0;
    enum status status = heap_addresses_init(&heap->addresses, heap->count);
    if (status == STATUS_OK)
        status = graph_alloc_zeroed(bitmap_words(heap->count), sizeof *heap->tracked,
                                    (void **)&heap->tracked, NULL);
    while (status == STATUS_OK && heap_map_next_word(heap->find.objects, &words)) {
        uint64_t tracked = heap_map_word_at(heap->find.tracked, &words);
        for (uint64_t bits = words.bits; bits && status == STATUS_OK; bits &= bits - 1, id++) {
            unsigned bit = (unsigned)__builtin_ctzll(bits);
            heap->tracked[id >> 6] |= (tracked >> bit & 1) << (id & 63);
            status = heap_addresses_set(&heap->addresses, id, words.addr + 8 * (uint64_t)bit);
        }
    }
    return status == STATUS_OK ? STATUS_OK : error_set(err, status, "%s", status_name(status));
}

static int compare_weak(const void *left, const void *right)
{
    const struct weak_reference *a = left, *b = right;
    return a->source != b->source  ? (a->source < b->source ? -1 : 1)
           : a->target < b->target ? -1
                                   : a->target > b->target;
}

static enum status number_weak(struct heap_builder *builder)
{
    struct heap *heap = builder->heap;
    for (size_t i = 0; i < builder->all->weak.count; i++) {
        struct weak_reference weak = {.label = builder->all->weak.items[i].label};
        if (!heap_map_id(heap->find.objects, builder->all->weak.items[i].source, &weak.source) ||
            !heap_map_id(heap->find.objects, builder->all->weak.items[i].target, &weak.target))
            continue;
        if (!array_push(&heap->weak, weak))
            return STATUS_NO_MEMORY;
    }
    if (heap->weak.count)
        qsort(heap->weak.items, heap->weak.count, sizeof *heap->weak.items, compare_weak);
    return STATUS_OK;
}

/* ---- all of it */

/* What the first piece has by now of the whole heap. */
static void take_over(struct heap_builder *builder)
{
    struct heap *heap = builder->heap;
    struct heap_piece *all = builder->all;
    heap->sizes = all->sizes;
    heap->refcounts = all->refcounts;
    heap->types.items = all->types.items;
    heap->types.count = all->types.count;
    heap->types.capacity = all->types.capacity;
    heap->labels = all->table;
    all->sizes = all->refcounts = (struct heap_column){0};
    all->types.items = NULL;
    all->table = NULL;
    heap->damaged = all->damaged;
}

static enum status put_all(struct numbering *numbering, unsigned threads)
{
    const struct heap_builder *builder = numbering->builder;
    struct graph_task tasks[HEAP_PIECES + 1] = {{fill_columns, builder->heap}};
    struct error err = {0};
    for (unsigned i = 0; i < builder->piece_count; i++)
        tasks[i + 1] = (struct graph_task){put_part, &numbering->parts[i]};
    enum status status = graph_run(tasks, builder->piece_count + 1, threads, &err);
    return status == STATUS_OK ? move_columns(numbering) : status;
}

static void hand_over(struct numbering *numbering)
{
    struct heap *heap = numbering->builder->heap;
    heap->references = numbering->references;
    heap->label = numbering->label;
    numbering->references = (struct graph){0};
    numbering->label = NULL;
}

enum status heap_number(struct heap_builder *builder, unsigned threads)
{
    struct numbering numbering = {.builder = builder};
    uint64_t edges;
    take_over(builder);
    enum status status = find_places(&numbering);
    if (status == STATUS_OK)
        status = update_map(&numbering);
    if (status == STATUS_OK)
        status = number_early(&numbering);
    if (status == STATUS_OK)
        status = number_late(&numbering);
    if (status == STATUS_OK)
        status = make_parts(&numbering, &edges);
    if (status == STATUS_OK)
        status = make_room(&numbering, edges);
    if (status == STATUS_OK)
        status = put_all(&numbering, threads);
    if (status == STATUS_OK)
        hand_over(&numbering);
    graph_deinit(&numbering.references);
    graph_free(numbering.label);
    for (unsigned i = 0; i < builder->piece_count; i++)
        free(numbering.parts[i].late_ids);
    free(numbering.places);
    free(numbering.moves);
    free(numbering.late_ids);
    heap_map_destroy(builder->heap->find.tracked); /* the bitmap has it */
    builder->heap->find.tracked = NULL;
    return status == STATUS_OK ? number_weak(builder) : status;
}
