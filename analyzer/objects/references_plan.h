/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECTS_REFERENCES_PLAN_H
#define INQUEST_ANALYZER_OBJECTS_REFERENCES_PLAN_H

#include "analyzer/objects/references.h"
#include "analyzer/objects/type_table.h"

struct object_walk;
/* Adds what a kind refers to beyond the words of its row. */
typedef void (*reference_visitor)(struct object_walk *walk);
/* What the type's __sizeof__ returns, without what sys.getsizeof adds. */
typedef uint64_t (*size_reader)(struct object_walk *walk);

/* ---- references_rows.c, references_library.c: the table of kinds. A row is of a
 * type written in C; it stands for a type that has one of its names and its
 * basicsize, so that a release which moved fields meets no wrong row.
 *
 * `words` says what each 8 bytes from the 16th on are, in order:
 *   name      a reference that tp_traverse visits
 *   name@12   visited from CPython 3.12 on; before that, one that only counts
 *   (name)    one that counts and is never visited
 *   ~name     a weak one
 *   ^name     pointer to two references, both visited
 *   -, -3     as many words that hold no reference
 *   !type     instances do not visit their type (no word)
 *   !none     nothing, not even the type: it is accounted for by another's rows
 * A name is what Python would write after a dot, in <> where it has none for it.
 * The type of an instance and its dictionary by tp_dictoffset need no word. */
struct reference_row {
    const char *names;    /* "re.Pattern|_sre.SRE_Pattern" */
    uint16_t basicsize;   /* 0: any */
    uint8_t since, until; /* minor versions of CPython, 0: any */
    const char *words;
    reference_visitor visit; /* NULL: the words are all */
    size_reader size;        /* NULL: as object.__sizeof__ does */
};
/* NULL where there is none. */
const struct reference_row *reference_row_find(const char *name, int64_t basicsize, unsigned minor);
extern const struct reference_row reference_rows_builtin[], reference_rows_library[];
extern const size_t reference_rows_builtin_count, reference_rows_library_count;

/* ---- references_plan.c: what the instances of one type refer to, worked out from
 * the type, its bases and the rows once, and kept with the type. */
enum word_form {
    WORD_PLAIN,
    WORD_PAIR,
    WORD_AFTER_ITEMS, /* as many bytes further on as the object's items take */
};

struct reference_word {
    uint32_t offset;
    uint8_t kind, form; /* reference_kind, word_form */
    const char *label;  /* ".__closure__", "weak referent" */
};

enum dict_form {
    DICT_NONE,
    DICT_AT_END,        /* tp_dictoffset is negative: counted from the end */
    DICT_OR_VALUES,     /* 3.11: a word each, in front of the object */
    DICT_TAGGED,        /* 3.12: one word for both */
    DICT_MANAGED,       /* 3.13 on */
    DICT_INLINE_VALUES, /* 3.13 on, values behind the object */
};

struct reference_plan {
    const struct python_type *type;
    reference_visitor visit;
    size_reader size;
    uint64_t basicsize, itemsize;
    uint64_t row_basicsize; /* of the type that the row is of */
    int64_t dictoffset;
    uint32_t before, reach;        /* bytes looked at in front of and from the object's address */
    uint32_t header_size;          /* what sys.getsizeof adds */
    uint32_t scan_start, scan_end; /* bytes of unknown content; equal: none */
    bool is_scanned_to_end;        /* the variable part as well */
    bool is_collected;             /* the type takes part in garbage collection */
    bool visits_own_dict;          /* see CHANGE_OWN_DICT_VISITED */
    bool has_type;                 /* the reference to the type itself counts */
    uint8_t type_kind;             /* its reference_kind */
    uint8_t counted;               /* reference_kind of what tp_traverse would visit */
    uint8_t dict_form, dict_kind;
    const struct reference_word *words;
    size_t word_count;
    uint64_t struct_fields;    /* struct sequences: all of them, shown or not */
    const uint64_t *key_names; /* names of the values of instances without a dict */
    size_t key_count;
};

/* Each is NULL where memory is out; the latter makes a plan once a type. */
const struct reference_plan *reference_plan_create(struct python_process *process,
                                                   const struct python_type *type);
const struct reference_plan *reference_plan_of(struct python_process *process,
                                               const struct python_type *type);

/* What is the same for all types of a process, found once. */
struct reference_facts {
    uint64_t class_traverse, class_dealloc; /* tp_traverse, tp_dealloc of Python's classes */
    uint64_t general_lookup; /* up to 3.10: dk_lookup of a dict with keys that are no str */
};

/* What patch releases changed, of which no structure tells. */
enum release_change {
    CHANGE_PICKLE_MEMO_VISITED, /* gh-85594: Pickler and Unpickler visit their memos */
    CHANGE_OWN_DICT_VISITED,    /* gh-130327: an instance visits its dict where it has one, the
                                   dict the values that they share; before: the instance those
                                   values alone, the dict none */
};
/* references_releases.c */
bool release_has(const struct python_layout *layout, enum release_change change);

/* ---- references.c: one object at hand. */
struct object_walk {
    struct python_process *process;
    const struct reference_plan *plan;
    uint64_t addr;
    const uint8_t *bytes; /* at addr; plan->before bytes in front, plan->reach from there on */
    struct reference_list *list;
    enum status status; /* the first trouble met */
    bool is_refused;    /* more would have been looked at than may be */
};

static inline void walk_fail(struct object_walk *walk, enum status status)
{
    if (walk->status == STATUS_OK)
        walk->status = status;
}

/* walk_reserve, where the list has no room for so many. */
bool walk_reserve_more(struct object_walk *walk, uint64_t count);
/* Where the list is full: room for one more, if it must be by emptying the list. */
bool walk_make_room(struct object_walk *walk);
/* An array of references, by index. */
void walk_add_array(struct object_walk *walk, uint64_t array_addr, uint64_t count,
                    enum reference_kind kind);
/* The word at any address; 0 and a failed walk where it is missing. */
uint64_t walk_read(struct object_walk *walk, uint64_t addr);
uint32_t walk_u32(struct object_walk *walk, uint64_t offset);
/* Fails a walk that would look at more than it may; false. */
bool walk_refuse(struct object_walk *walk);

/* What follows is inline because it is done for each word of the heap. */

/* Room for `count` more references; a failed walk has none. */
static inline bool walk_reserve(struct object_walk *walk, uint64_t count)
{
    const struct reference_list *list = walk->list;
    return count <= list->references.capacity - list->references.count ||
           walk_reserve_more(walk, count);
}

/* Addresses below are small numbers and tags that C code keeps in object fields. */
#define WALK_LEAST_ADDRESS 4096

/* The new last reference of the list; NULL where there is none to add. */
static inline struct reference *walk_new(struct object_walk *walk, uint64_t target,
                                         enum reference_kind kind, enum reference_label label)
{
    struct reference_list *list = walk->list;
    target &= ~UINT64_C(1); /* C code tags some */
    if (target < WALK_LEAST_ADDRESS)
        return NULL;
    if (list->references.count == list->references.capacity && !walk_make_room(walk))
        return NULL;
    struct reference *reference = &list->references.items[list->references.count++];
    reference->target_addr = target;
    reference->kind = (uint8_t)kind;
    reference->label = (uint8_t)label;
    return reference;
}

static inline void walk_add(struct object_walk *walk, uint64_t target, enum reference_kind kind,
                            enum reference_label label, uint64_t name_addr_or_index)
{
    struct reference *reference = walk_new(walk, target, kind, label);
    if (reference)
        reference->index = name_addr_or_index;
}

static inline void walk_add_field(struct object_walk *walk, uint64_t target,
                                  enum reference_kind kind, const char *name)
{
    struct reference *reference = walk_new(walk, target, kind, LABEL_FIELD);
    if (reference)
        reference->name = name;
}

/* The word at `offset` of the object, 0 and a failed walk where it is missing. */
static inline uint64_t walk_u64(struct object_walk *walk, uint64_t offset)
{
    if (offset + 8 <= walk->plan->reach)
        return load_u64(walk->bytes + offset);
    return walk_read(walk, walk->addr + offset);
}

/* As walk_u64, of a field of the layout; 0 where the version does not have it. */
static inline uint64_t walk_field(struct object_walk *walk, enum python_field field)
{
    const struct python_layout *layout = &walk->process->layout;
    return layout_has(layout, field) ? walk_u64(walk, layout_get(layout, field)) : 0;
}

#define SIZE_BELIEVED    4096 /* bytes: what is larger must be there */
#define WALK_SMALL_LOOKS 4    /* times as much: large tables that lie leave room for small ones */

/* Counts `size` bytes as looked at; a failed walk where there may be no more. */
static inline bool walk_spend(struct object_walk *walk, uint64_t size)
{
    struct reference_list *list = walk->list;
    uint64_t most = size > SIZE_BELIEVED ? list->most : WALK_SMALL_LOOKS * list->most;
    if (list->most && (list->looked > most || size > most - list->looked))
        return walk_refuse(walk);
    list->looked += size;
    return true;
}

/* `size` bytes at any address, NULL and a failed walk where they are missing. */
static inline const uint8_t *walk_view(struct object_walk *walk, uint64_t addr, uint64_t size)
{
    const uint8_t *bytes =
        size ? reference_window_view(&walk->list->window, walk->process->image, addr, size, false)
             : NULL;
    if (!bytes)
        walk_fail(walk, STATUS_NOT_IN_DUMP);
    return bytes && walk_spend(walk, size) ? bytes : NULL;
}

/* ---- references_dict.c: where a keys object has its entries, deleted ones included. */
#define SHARED_KEYS_MAX 65536 /* attributes; CPython stops far below */
struct dict_entries {
    uint64_t addr, count;
    uint64_t size, key, value; /* of an entry; offsets in it */
    bool visits_keys;          /* tp_traverse does: some may be no str */
};
enum status dict_entries_read(const struct python_process *process, uint64_t keys_addr,
                              struct dict_entries *ret_entries) MUST_CHECK;

/* ---- references_dict.c, references_instance.c, … : one function a row. */
void visit_dict(struct object_walk *walk);
void visit_ordered_dict(struct object_walk *walk);
void visit_instance_dict(struct object_walk *walk);
void visit_list(struct object_walk *walk);
void visit_tuple(struct object_walk *walk);
void visit_struct_sequence(struct object_walk *walk);
void visit_set(struct object_walk *walk);
void visit_deque(struct object_walk *walk);
void visit_hamt_array(struct object_walk *walk);
void visit_hamt_items(struct object_walk *walk);
void visit_tee_data(struct object_walk *walk);
void visit_template(struct object_walk *walk);
void visit_type(struct object_walk *walk);
void visit_ctypes_type(struct object_walk *walk);
void visit_module(struct object_walk *walk);
void visit_capsule(struct object_walk *walk);
void visit_frame(struct object_walk *walk);
void visit_generator(struct object_walk *walk);
void visit_coroutine(struct object_walk *walk);
void visit_code(struct object_walk *walk);
void visit_lru_cache(struct object_walk *walk);
void visit_pickler(struct object_walk *walk);
void visit_unpickler(struct object_walk *walk);
void visit_pickle_data(struct object_walk *walk);
void visit_simple_queue(struct object_walk *walk);
void visit_element(struct object_walk *walk);
void visit_element_iterator(struct object_walk *walk);
void visit_xml_parser(struct object_walk *walk);
void visit_sqlite_cache(struct object_walk *walk);
void visit_time_zone(struct object_walk *walk);
/* references_unknown.c: words of plan->scan_start to scan_end that look like objects:
 * writable, with a reference count and a type whose type is one in the end. */
void visit_unknown(struct object_walk *walk);
bool looks_like_object(const struct python_process *process, uint64_t addr);

/* ---- size.c, size_extension.c */
/* base + count * size; `base` and a failed walk where that is no size an object has. */
uint64_t size_sum(struct object_walk *walk, uint64_t base, uint64_t count, uint64_t size);
/* As size_sum, of items in a block of memory at `block_addr`: the process must have had it. */
uint64_t size_block(struct object_walk *walk, uint64_t base, uint64_t block_addr, uint64_t count,
                    uint64_t size);
uint64_t size_default(struct object_walk *walk);
uint64_t size_int(struct object_walk *walk);
uint64_t size_str(struct object_walk *walk);
uint64_t size_bytearray(struct object_walk *walk);
uint64_t size_list(struct object_walk *walk);
uint64_t size_set(struct object_walk *walk);
uint64_t size_dict(struct object_walk *walk);
uint64_t size_ordered_dict(struct object_walk *walk);
uint64_t size_deque(struct object_walk *walk);
uint64_t size_type(struct object_walk *walk);
uint64_t size_ctypes_type(struct object_walk *walk);
uint64_t size_ctypes_dict(struct object_walk *walk);
uint64_t size_frame(struct object_walk *walk);
uint64_t size_generator(struct object_walk *walk);
uint64_t size_code(struct object_walk *walk);
uint64_t size_array(struct object_walk *walk);
uint64_t size_bytes_io(struct object_walk *walk);
uint64_t size_buffered(struct object_walk *walk);
uint64_t size_pickler(struct object_walk *walk);
uint64_t size_unpickler(struct object_walk *walk);
uint64_t size_simple_queue(struct object_walk *walk);
uint64_t size_struct(struct object_walk *walk);
uint64_t size_decimal(struct object_walk *walk);
uint64_t size_product(struct object_walk *walk);
uint64_t size_combinations(struct object_walk *walk);
uint64_t size_permutations(struct object_walk *walk);
uint64_t size_element(struct object_walk *walk);

#endif
