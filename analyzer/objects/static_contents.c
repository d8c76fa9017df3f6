/* SPDX-License-Identifier: Apache-2.0 */
/* Names for the interpreter's own types that no module has a name for: told by what is
 * in them. A row was made from type.__dict__, __base__, __basicsize__, __itemsize__ and
 * __flags__ of every static type of CPython 3.8 to 3.15 (Objects, Python), and only what
 * no two of these types share has one: there is none for dict_reversekeyiterator, for
 * hamt's keys, values and items, for iterator beside str_iterator. A type of an extension
 * module is never named so, whatever is in it.
 * To add a row: all names in the type's __dict__ but those in `common`, in any order. */
#include <string.h>

#include "analyzer/objects/containers.h"
#include "analyzer/objects/type_table.h"
#include "inquest/formats/core_dump.h"

#define UNTIL(minor) 0, minor
#define SINCE(minor) minor, 0
#define ANY          0, 0

#define TEXT_LOOKS                                                                                 \
    "__repr__ close closed encoding fileno flush isatty mode write" /* PyStdPrinter_Type */
#define SYMBOLS "__repr__ children id lineno name nested symbols type varnames"

static const struct contents_row {
    const char *name, *base;
    uint16_t basicsize, itemsize;
    bool is_collected;
    uint8_t since, until; /* minor versions, 0: any */
    const char *names;
} rows[] = {
    {"anext_awaitable", "object", 32, 0, true, SINCE(10),
     "__await__ __iter__ __next__ close send throw"},
    {"async_generator_asend", "object", 40, 0, true, SINCE(15),
     "__await__ __iter__ __next__ close send throw"},
    {"async_generator_athrow", "object", 56, 0, true, SINCE(15),
     "__await__ __iter__ __next__ close send throw"},
    {"async_generator_wrapped_value", "object", 24, 0, true, SINCE(12), ""},
    {"asyncgen_hooks", "tuple", 24, 8, true, UNTIL(13),
     "__new__ __reduce__ __repr__ finalizer firstiter"},
    {"asyncgen_hooks", "tuple", 32, 8, true, SINCE(14),
     "__new__ __reduce__ __repr__ finalizer firstiter"},
    {"builtin_method", "builtin_function_or_method", 64, 0, true, SINCE(9), ""},
    {"callable_iterator", "object", 32, 0, true, ANY, "__iter__ __next__ __reduce__"},
    {"coroutine_wrapper", "object", 24, 0, true, SINCE(12), "__iter__ __next__ close send throw"},
    {"generic_alias_iterator", "object", 24, 0, true, SINCE(11), "__iter__ __next__ __reduce__"},
    {"hamt", "object", 40, 0, true, ANY,
     "__contains__ __getitem__ __hash__ __iter__ __len__ __new__ delete get items keys set values"},
    {"hamt_array_node", "object", 280, 0, true, ANY, "__hash__"},
    {"instancemethod", "object", 24, 0, true, ANY,
     "__call__ __func__ __get__ __hash__ __new__ __repr__"},
    {"line_iterator", "object", 64, 0, false, SINCE(12), "__iter__ __next__"},
    {"managedbuffer", "object", 112, 0, true, ANY, ""},
    {"memory_iterator", "object", 48, 0, true, SINCE(11), "__iter__ __next__"},
    {"moduledef", "object", 104, 0, false, ANY, ""},
    {"odict_items", "dict_items", 24, 0, true, ANY, "__iter__ __reversed__"},
    {"odict_iterator", "object", 64, 0, true, ANY, "__iter__ __next__ __reduce__"},
    {"odict_keys", "dict_keys", 24, 0, true, ANY, "__iter__ __reversed__"},
    {"odict_values", "dict_values", 24, 0, true, ANY, "__iter__ __reversed__"},
    {"positions_iterator", "object", 80, 0, false, SINCE(12), "__iter__ __next__"},
    {"stderrprinter", "object", 24, 0, false, UNTIL(9), "__init__ __new__ " TEXT_LOOKS},
    {"stderrprinter", "object", 24, 0, false, SINCE(10), TEXT_LOOKS},
    {"string.templatelib.Interpolation", "object", 48, 0, true, SINCE(14),
     "__new__ __reduce__ __repr__ conversion expression format_spec value"},
    {"string.templatelib.TemplateIter", "object", 40, 0, true, SINCE(14), "__iter__ __next__"},
    {"symtable entry", "object", 104, 0, false, UNTIL(9), SYMBOLS},
    {"symtable entry", "object", 120, 0, false, 10, 12, SYMBOLS},
    {"symtable entry", "object", 144, 0, false, 13, 14, SYMBOLS},
    {"symtable entry", "object", 152, 0, false, SINCE(15), SYMBOLS},
    {"sys.legacy_event_handler", "object", 32, 0, false, SINCE(12), "__call__"},
};

/* Which of these a type has differs from release to release. */
static const char common[] =
    "__doc__ __getattribute__ __match_args__ __replace__ __class_getitem__ __del__ __delattr__ "
    "__setattr__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ n_fields n_sequence_fields "
    "n_unnamed_fields";

struct contents {
    const char *base;
    int64_t basicsize, itemsize;
    bool is_collected;
    size_t count;
    const char *names[16]; /* those that are not common */
};

static bool is_among(const char *list, const char *name)
{
    size_t size = strlen(name);
    while (*list) {
        size_t word = strcspn(list, " ");
        if (word == size && memcmp(list, name, size) == 0)
            return true;
        list += word + (list[word] == ' ');
    }
    return false;
}

static size_t count_words(const char *list)
{
    size_t count = *list != '\0';
    for (; *list; list++)
        count += *list == ' ';
    return count;
}

static bool is_row(const struct contents_row *row, const struct contents *contents, unsigned minor)
{
    if (strcmp(row->base, contents->base) != 0 || row->basicsize != contents->basicsize ||
        row->itemsize != contents->itemsize || row->is_collected != contents->is_collected ||
        minor < row->since || (row->until && minor > row->until) ||
        count_words(row->names) != contents->count)
        return false;
    for (size_t i = 0; i < contents->count; i++)
        if (!is_among(row->names, contents->names[i]))
            return false;
    return true;
}

static bool read_names(struct python_process *process, uint64_t dict_addr,
                       struct contents *contents)
{
    struct dict_iterator iterator;
    uint64_t key, value;
    enum status status;
    if (!dict_addr || dict_iterate_raw(process, dict_addr, &iterator) != STATUS_OK)
        return false;
    while (dict_next_raw(process, &iterator, &key, &value, &status)) {
        const char *name;
        if (str_name_raw(process, key, &name) != STATUS_OK)
            return false;
        if (is_among(common, name))
            continue;
        if (contents->count == sizeof contents->names / sizeof *contents->names)
            return false;
        contents->names[contents->count++] = name;
    }
    return status == STATUS_OK;
}

static bool read_contents(struct python_process *process, uint64_t type_addr,
                          struct contents *contents)
{
    const struct python_layout *layout = &process->layout;
    uint64_t flags, base_addr, basicsize, itemsize;
    if (field_u64(process, type_addr, PY_type_flags, &flags) != STATUS_OK ||
        field_u64(process, type_addr, PY_type_base, &base_addr) != STATUS_OK ||
        field_u64(process, type_addr, PY_type_basicsize, &basicsize) != STATUS_OK ||
        field_u64(process, type_addr, PY_type_itemsize, &itemsize) != STATUS_OK)
        return false;
    contents->base = address_map_get(&process->types->names, base_addr);
    contents->basicsize = (int64_t)basicsize;
    contents->itemsize = (int64_t)itemsize;
    contents->is_collected = flags & layout_get(layout, PY_constant_tpflags_have_gc);
    return contents->base &&
           read_names(process, type_dict_addr(process, type_addr, flags), contents);
}

/* Whether the type is among the C variables of the program or library that has the type
 * of types: in its written data, or in the .bss that follows without a gap. */
static bool is_of_interpreter(const struct python_process *process, uint64_t type_addr)
{
    const struct core_dump *core = memory_image_core(process->image);
    uint64_t root_addr = process->types->root_addr;
    uint64_t low = type_addr < root_addr ? type_addr : root_addr,
             high = type_addr < root_addr ? root_addr : type_addr;
    for (;;) {
        const struct core_segment *segment = core_find_segment(core, low);
        if (!segment || !(segment->flags & 2))
            return false;
        if (high - segment->address < segment->size)
            return true;
        low = segment->address + segment->size;
    }
}

const char *static_type_name_by_contents(struct python_process *process, uint64_t type_addr)
{
    struct contents contents = {0};
    if (!is_of_interpreter(process, type_addr) || !read_contents(process, type_addr, &contents))
        return NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (is_row(&rows[i], &contents, layout_minor(&process->layout)))
            return rows[i].name;
    return NULL;
}
