/* SPDX-License-Identifier: Apache-2.0 */
/* From the dominator tree to one that fits a picture. Nodes are taken from a stack,
 * each with the objects that it stands for; their children are put into groups, and
 * the groups that are large enough become nodes in their turn. Each object is in one
 * node at most, so the cost is that of one pass. */
#include "inquest/analyzer/retained_tree.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/access_path.h"
#include "analyzer/findings/dominator_columns.h"
#include "analyzer/findings/label_classes.h"
#include "analyzer/findings/place_groups.h"
#include "analyzer/findings/root_table.h"

#define MAX_DEPTH  64
#define MAX_KINDS  32
#define INDIVIDUAL 5 /* times the least share: from there on a sibling is told by itself */

struct type_row {
    uint32_t id;
    const char *name, *module;
};

/* A node that is not in the tree yet. */
struct pending {
    struct retained_node node;
    struct place place;
    uint32_t first, count; /* in members */
    unsigned depth;
    bool is_top; /* its objects are roots */
};

struct builder {
    struct heap_reader *reader;
    struct dominator_columns columns;
    struct label_classes classes;
    struct root_table roots;
    ARRAY(struct type_row) types; /* by id */
    uint32_t dict_type;
    uint32_t *members;          /* of nodes, one slice behind the other */
    uint32_t used;              /* of members */
    uint64_t least, individual; /* bytes */
    unsigned max_depth;
    ARRAY(struct pending) stack;
    ARRAY(uint32_t) absorbed;     /* by the node that is being expanded */
    struct place_groups siblings; /* below the node that is being expanded */
    struct text text;
    struct retained_tree *tree;
    struct error *err;
};

static enum status no_memory(struct builder *builder)
{
    return error_set(builder->err, STATUS_NO_MEMORY, "the retained tree: out of memory");
}

static uint64_t add_up(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* ---- Types. */

static int compare_types(const void *left, const void *right)
{
    uint32_t a = ((const struct type_row *)left)->id, b = ((const struct type_row *)right)->id;
    return (a > b) - (a < b);
}

static const char *copy(struct builder *builder, const char *text)
{
    return arena_strdup(&builder->tree->arena, text ? text : "");
}

static enum status load_types(struct builder *builder, struct index *index)
{
    struct index_rows *rows;
    enum status status = index_query(index, "SELECT id, name, module FROM type ORDER BY id", NULL,
                                     0, &rows, builder->err);
    if (status != STATUS_OK)
        return status;
    bool added = true;
    while (added && index_rows_next(rows)) {
        struct type_row row = {.id = (uint32_t)index_rows_integer(rows, 0),
                               .name = copy(builder, index_rows_text(rows, 1)),
                               .module = copy(builder, index_rows_text(rows, 2))};
        added = row.name && row.module && array_push(&builder->types, row);
        if (added && strcmp(row.name, "dict") == 0)
            builder->dict_type = row.id;
    }
    status = index_rows_finish(rows, builder->err);
    if (builder->types.count)
        qsort(builder->types.items, builder->types.count, sizeof *builder->types.items,
              compare_types);
    return status == STATUS_OK && !added ? no_memory(builder) : status;
}

static const struct type_row *find_type(const struct builder *builder, uint32_t id)
{
    static const struct type_row unknown = {0, "?", ""};
    const struct type_row wanted = {.id = id};
    if (!builder->types.count)
        return &unknown;
    const struct type_row *row =
        bsearch(&wanted, builder->types.items, builder->types.count, sizeof wanted, compare_types);
    return row ? row : &unknown;
}

/* ---- Expanding: the children of a node's objects, by place. */

/* The dict of a module or of an instance: its items are attributes. */
static bool is_namespace(struct builder *builder, const struct pending *pending, uint32_t object,
                         bool absorbed)
{
    if (absorbed)
        return builder->columns.type[object] == builder->dict_type;
    if (!pending->is_top || builder->columns.type[object] != builder->dict_type)
        return false;
    const struct root_row *root = root_table_find(&builder->roots, object);
    return root && (strcmp(root->kind, "module") == 0 || strcmp(root->kind, "builtins") == 0);
}

static enum status find_place(struct builder *builder, const struct pending *pending,
                              uint32_t child, bool in_namespace, struct place *ret_place)
{
    struct place place = {.type = builder->columns.type[child], .in_namespace = in_namespace};
    enum status status = STATUS_OK;
    if (pending->node.kind != RETAINED_ROOTS)
        status = label_class(&builder->classes, builder->columns.label[child], in_namespace,
                             &place.label_class, builder->err);
    bool single = pending->count == 1 || pending->node.kind == RETAINED_ROOTS;
    uint64_t individual =
        pending->node.kind == RETAINED_ROOTS ? builder->least : builder->individual;
    if (single && builder->columns.retained[child] >= individual)
        place.object = child;
    *ret_place = place;
    return status;
}

/* An instance's __dict__, and a chain of alike objects, are part of the node. */
static bool is_absorbed(const struct pending *pending, const struct place *place)
{
    if (pending->node.kind == RETAINED_ROOTS)
        return false;
    if (place->label_class == LABEL_CLASS_DICT)
        return true;
    return !pending->is_top && place->label_class >= LABEL_CLASS_FIRST &&
           place->type == pending->place.type && place->label_class == pending->place.label_class &&
           place->in_namespace == pending->place.in_namespace;
}

typedef enum status (*child_visitor)(struct builder *builder, struct pending *pending,
                                     uint32_t child, const struct place *place);

static enum status visit_object(struct builder *builder, struct pending *pending, uint32_t object,
                                bool absorbed, child_visitor visit)
{
    const struct dominator_columns *columns = &builder->columns;
    uint32_t end = columns->first[object + UINT64_C(1)];
    bool namespace = is_namespace(builder, pending, object, absorbed);
    enum status status = STATUS_OK;
    for (uint32_t i = columns->first[object]; i < end && status == STATUS_OK; i++) {
        struct place place;
        uint32_t child = columns->order[i];
        status = find_place(builder, pending, child, namespace, &place);
        if (status == STATUS_OK)
            status = visit(builder, pending, child, &place);
    }
    return status;
}

/* Of a node of RETAINED_ROOTS its members are the children themselves. */
static enum status visit_children(struct builder *builder, struct pending *pending,
                                  child_visitor visit)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < pending->count && status == STATUS_OK; i++) {
        uint32_t object = builder->members[pending->first + i];
        struct place place;
        if (pending->node.kind != RETAINED_ROOTS) {
            status = visit_object(builder, pending, object, false, visit);
            continue;
        }
        status = find_place(builder, pending, object, false, &place);
        if (status == STATUS_OK)
            status = visit(builder, pending, object, &place);
    }
    for (size_t i = 0; i < builder->absorbed.count && status == STATUS_OK; i++)
        status = visit_object(builder, pending, builder->absorbed.items[i], true, visit);
    return status;
}

static enum status count_child(struct builder *builder, struct pending *pending, uint32_t child,
                               const struct place *place)
{
    if (is_absorbed(pending, place)) {
        pending->node.count += place->label_class != LABEL_CLASS_DICT;
        return array_push(&builder->absorbed, child) ? STATUS_OK : no_memory(builder);
    }
    struct place_group *group = place_groups_add(&builder->siblings, place);
    if (!group)
        return no_memory(builder);
    group->count++;
    group->value = add_up(group->value, builder->columns.retained[child]);
    return STATUS_OK;
}

static enum status place_child(struct builder *builder, struct pending *pending, uint32_t child,
                               const struct place *place)
{
    if (is_absorbed(pending, place))
        return STATUS_OK;
    struct place_group *group = place_groups_find(&builder->siblings, place);
    if (group->first != UINT32_MAX)
        builder->members[group->first + group->filled++] = child;
    return STATUS_OK;
}

/* ---- From groups to nodes. */

/* The step from the parent and the whole path. */
static enum status name_node(struct builder *builder, const struct pending *parent,
                             struct pending *child)
{
    struct retained_node *node = &child->node;
    struct text *text = &builder->text;
    struct access_path path = {.text = text, .in_namespace = child->place.in_namespace};
    const struct root_row *root =
        child->is_top && node->object_id ? root_table_find(&builder->roots, node->object_id) : NULL;
    uint32_t code = node->object_id && !child->is_top ? builder->columns.label[node->object_id] : 0;
    char *step = NULL;
    text_clear(text);
    if (code && child->place.label_class != LABEL_CLASS_NONE) {
        const char *label;
        size_t size;
        enum status status = heap_reader_label(builder->reader, code, &label, &size, builder->err);
        if (status != STATUS_OK)
            return status;
        step = label ? arena_strndup(&builder->tree->arena, label, size) : NULL;
    }
    if (root)
        access_path_begin(&path, root->kind, root->label, false, text);
    else if (child->place.label_class != LABEL_CLASS_NONE)
        access_path_step(
            &path, step ? step : label_class_text(&builder->classes, child->place.label_class));
    node->label = copy(builder, text_string(text));
    bool known = !child->is_top && parent->node.path && *parent->node.path;
    node->path = root ? node->label
                 : known && *node->label
                     ? arena_printf(&builder->tree->arena, "%s%s", parent->node.path, node->label)
                 : known ? arena_printf(&builder->tree->arena, "%s.…", parent->node.path)
                         : "";
    if (root && strcmp(root->kind, "module") == 0 && !*node->module)
        node->module = copy(builder, root->label);
    return node->label && node->path && node->module && text_ok(text) ? STATUS_OK
                                                                      : no_memory(builder);
}

static enum status push_group(struct builder *builder, const struct pending *parent,
                              uint32_t parent_index, const struct place_group *group)
{
    const struct type_row *type = find_type(builder, group->place.type);
    bool builtin = !*type->module || strcmp(type->module, "builtins") == 0;
    struct pending child = {
        .node = {.kind = group->count == 1 ? RETAINED_OBJECT : RETAINED_GROUP,
                 .parent = parent_index,
                 .count = group->count,
                 .value = group->value,
                 .type = type->name,
                 .module = builtin ? parent->node.module : type->module},
        .place = group->place,
        .first = group->first,
        .count = (uint32_t)group->count,
        .depth = parent->depth + 1,
        .is_top = parent->node.kind == RETAINED_ROOTS,
    };
    if (group->count == 1) {
        struct heap_object_row row;
        child.node.object_id = builder->members[group->first];
        enum status status =
            heap_reader_object(builder->reader, child.node.object_id, &row, builder->err);
        if (status != STATUS_OK)
            return status;
        child.node.address = row.address;
    }
    enum status status = name_node(builder, parent, &child);
    if (status == STATUS_OK && !array_push(&builder->stack, child))
        return no_memory(builder);
    return status;
}

static enum status push_smaller(struct builder *builder, uint32_t parent_index, uint64_t count,
                                uint64_t value)
{
    struct pending child = {.node = {.kind = RETAINED_SMALLER,
                                     .parent = parent_index,
                                     .count = count,
                                     .value = value,
                                     .label = "",
                                     .path = "",
                                     .type = "",
                                     .module = ""}};
    return array_push(&builder->stack, child) ? STATUS_OK : no_memory(builder);
}

static int compare_groups(const void *left, const void *right)
{
    const struct place_group *a = left, *b = right;
    if (a->value != b->value)
        return a->value < b->value ? 1 : -1;
    return (a->order > b->order) - (a->order < b->order);
}

/* The last is popped first: what is small stands at the end of its siblings. */
static enum status push_children(struct builder *builder, const struct pending *pending,
                                 uint32_t index)
{
    struct retained_node *node = &builder->tree->nodes.items[index];
    uint64_t small = 0, small_count = 0, below = 0;
    size_t kept = 0;
    for (size_t i = 0; i < builder->siblings.groups.count; i++) {
        const struct place_group *group = &builder->siblings.groups.items[i];
        below = add_up(below, group->value);
        if (group->first != UINT32_MAX) {
            builder->siblings.groups.items[kept++] = *group;
            continue;
        }
        small = add_up(small, group->value);
        small_count += group->count;
    }
    node->self = node->value > below ? node->value - below : 0;
    node->count = pending->node.count;
    enum status status = small_count ? push_smaller(builder, index, small_count, small) : STATUS_OK;
    if (kept)
        qsort(builder->siblings.groups.items, kept, sizeof *builder->siblings.groups.items,
              compare_groups);
    for (size_t i = kept; i-- > 0 && status == STATUS_OK;)
        status = push_group(builder, pending, index, &builder->siblings.groups.items[i]);
    return status;
}

static void reserve_members(struct builder *builder, bool too_deep)
{
    for (size_t i = 0; i < builder->siblings.groups.count; i++) {
        struct place_group *group = &builder->siblings.groups.items[i];
        bool told = !too_deep && group->value >= builder->least;
        group->first = told ? builder->used : UINT32_MAX;
        builder->used += told ? (uint32_t)group->count : 0;
    }
}

static enum status expand(struct builder *builder, struct pending *pending, uint32_t index)
{
    builder->absorbed.count = 0;
    if (!place_groups_clear(&builder->siblings))
        return no_memory(builder);
    enum status status = visit_children(builder, pending, count_child);
    if (status != STATUS_OK)
        return status;
    reserve_members(builder, pending->depth >= builder->max_depth);
    status = visit_children(builder, pending, place_child);
    return status == STATUS_OK ? push_children(builder, pending, index) : status;
}

/* ---- The top: what nothing dominates, by the kind of its root. */

struct top {
    const char *kinds[MAX_KINDS];
    uint64_t values[MAX_KINDS];
    uint32_t counts[MAX_KINDS];
    unsigned count;
};

static unsigned top_kind(struct top *top, const char *kind)
{
    for (unsigned i = 0; i < top->count; i++)
        if (strcmp(top->kinds[i], kind) == 0)
            return i;
    if (top->count == MAX_KINDS)
        return MAX_KINDS - 1;
    top->kinds[top->count] = kind;
    return top->count++;
}

static unsigned kind_of(struct builder *builder, struct top *top, uint32_t object)
{
    if (!builder->columns.label[object])
        return top_kind(top, "unreachable");
    const struct root_row *root = root_table_find(&builder->roots, object);
    return top_kind(top, root ? root->kind : "shared");
}

static void fill_top(struct builder *builder, struct top *top)
{
    uint32_t count = builder->columns.first[1], places[MAX_KINDS], used = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t object = builder->columns.order[i];
        unsigned kind = kind_of(builder, top, object);
        top->counts[kind]++;
        top->values[kind] = add_up(top->values[kind], builder->columns.retained[object]);
    }
    for (unsigned kind = 0; kind < top->count; kind++) {
        places[kind] = used;
        used += top->counts[kind];
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t object = builder->columns.order[i];
        builder->members[places[kind_of(builder, top, object)]++] = object;
    }
    builder->used = used;
}

/* The kinds by value, the largest on top of the stack. */
static enum status push_top(struct builder *builder, const struct top *top)
{
    struct retained_node all = {.kind = RETAINED_ALL,
                                .label = "",
                                .path = "",
                                .type = "",
                                .module = "",
                                .count = builder->columns.count};
    uint32_t first = 0;
    for (unsigned kind = 0; kind < top->count; kind++) {
        struct pending child = {.node = {.kind = RETAINED_ROOTS,
                                         .count = top->counts[kind],
                                         .value = top->values[kind],
                                         .label = copy(builder, top->kinds[kind]),
                                         .path = "",
                                         .type = "",
                                         .module = ""},
                                .first = first,
                                .count = top->counts[kind],
                                .depth = 1};
        first += child.count;
        all.value = add_up(all.value, child.node.value);
        if (!child.node.label || !array_push(&builder->stack, child))
            return no_memory(builder);
        struct pending *stack = builder->stack.items;
        for (size_t i = kind; i && stack[i - 1].node.value >= child.node.value; i--) {
            stack[i] = stack[i - 1];
            stack[i - 1] = child;
        }
    }
    return array_push(&builder->tree->nodes, all) ? STATUS_OK : no_memory(builder);
}

/* ---- All together. */

static void set_bounds(struct builder *builder, const struct retained_options *options)
{
    double total = (double)builder->tree->nodes.items[0].value;
    double least = options->least > 0 && options->least < 1 ? options->least * total : 0;
    builder->least = least > 1 ? (uint64_t)least : 1;
    builder->individual =
        builder->least > UINT64_MAX / INDIVIDUAL ? UINT64_MAX : builder->least * INDIVIDUAL;
    builder->max_depth =
        options->max_depth && options->max_depth < MAX_DEPTH ? options->max_depth : MAX_DEPTH;
}

static enum status build(struct builder *builder, struct index *index,
                         const struct retained_options *options)
{
    enum status status = dominator_columns_read(builder->reader, &builder->columns, builder->err);
    if (status == STATUS_OK)
        status = load_types(builder, index);
    if (status == STATUS_OK)
        status = root_table_load(index, &builder->roots, builder->err);
    if (status == STATUS_OK)
        status = label_classes_init(&builder->classes, builder->reader, builder->err);
    if (status != STATUS_OK)
        return status;
    /* what nothing dominates is in two: by the kind of its root, then in a group of that */
    size_t room = (size_t)builder->columns.count + builder->columns.first[1] + 1;
    builder->members = malloc(room * sizeof *builder->members);
    if (!builder->members)
        return no_memory(builder);
    struct top top = {0};
    fill_top(builder, &top);
    status = push_top(builder, &top);
    if (status == STATUS_OK)
        set_bounds(builder, options);
    while (status == STATUS_OK && builder->stack.count) {
        struct pending pending = builder->stack.items[--builder->stack.count];
        uint32_t index_of = (uint32_t)builder->tree->nodes.count;
        if (!array_push(&builder->tree->nodes, pending.node))
            return no_memory(builder);
        if (pending.node.kind == RETAINED_SMALLER)
            builder->tree->nodes.items[index_of].self = pending.node.value;
        else
            status = expand(builder, &pending, index_of);
    }
    return status;
}

static void builder_deinit(struct builder *builder)
{
    dominator_columns_deinit(&builder->columns);
    label_classes_deinit(&builder->classes);
    root_table_deinit(&builder->roots);
    array_deinit(&builder->types);
    array_deinit(&builder->stack);
    array_deinit(&builder->absorbed);
    place_groups_deinit(&builder->siblings);
    free(builder->members);
    text_deinit(&builder->text);
    heap_reader_close(builder->reader);
}

enum status retained_tree_build(struct index *index, const struct retained_options *options,
                                struct retained_tree *ret_tree, struct error *err)
{
    struct retained_tree tree = {0};
    struct builder builder = {.tree = &tree, .err = err};
    arena_init(&tree.arena);
    text_init(&builder.text);
    enum status status = heap_reader_open(index, &builder.reader, err);
    if (status == STATUS_OK)
        status = build(&builder, index, options);
    builder_deinit(&builder);
    if (status == STATUS_OK)
        *ret_tree = tree;
    else
        retained_tree_deinit(&tree);
    return status;
}

void retained_tree_deinit(struct retained_tree *tree)
{
    array_deinit(&tree->nodes);
    arena_deinit(&tree->arena);
}
