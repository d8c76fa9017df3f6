/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes as objects in the memory of a process, whose reprs are then asked for.
 *
 * OFFSET SIZE MEANING
 *      0    1 which layout, by its place in python_layouts; 0x80: with redaction
 *      1    8 one word of memory, and so on, least byte first. By its highest byte:
 *             0xA0  the address of the word whose number the four lowest bytes are,
 *                   plus the fifth as a signed count of bytes
 *             0xA1  the address of a type: row (lowest byte) of the table below
 *             else  the word itself
 *
 * A type is made for each row, so that a fuzzer needs to guess no address. Every
 * eighth word is taken for an object. */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/objects/object.h"
#include "inquest/base/bytes_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE        UINT64_C(0x7f0000000000)
#define TYPES_SIZE  ((size_t)1 << 17)
#define TYPE_SIZE   ((size_t)2048)
#define WORDS_MAX   4096u
#define OBJECTS_MAX 256u
#define WORDS_AT    (BASE + TYPES_SIZE)
#define DATA_AT     4096u /* of the memory, in the core */

static const struct {
    const char *name;
    enum python_field flag; /* PYTHON_FIELD_COUNT: none */
    bool is_class;          /* as from a class statement: heap type, dictionary, slots */
} types[] = {
    {"type", PY_constant_tpflags_type_subclass, false},
    {"object", PYTHON_FIELD_COUNT, false},
    {"int", PY_constant_tpflags_long_subclass, false},
    {"str", PY_constant_tpflags_unicode_subclass, false},
    {"bytes", PY_constant_tpflags_bytes_subclass, false},
    {"tuple", PY_constant_tpflags_tuple_subclass, false},
    {"list", PY_constant_tpflags_list_subclass, false},
    {"dict", PY_constant_tpflags_dict_subclass, false},
    {"BaseException", PY_constant_tpflags_exception_subclass, false},
    {"m.Class", PYTHON_FIELD_COUNT, true},
    {"bool", PY_constant_tpflags_long_subclass, false},
    {"float", PYTHON_FIELD_COUNT, false},
    {"complex", PYTHON_FIELD_COUNT, false},
    {"bytearray", PYTHON_FIELD_COUNT, false},
    {"set", PYTHON_FIELD_COUNT, false},
    {"frozenset", PYTHON_FIELD_COUNT, false},
    {"NoneType", PYTHON_FIELD_COUNT, false},
    {"range", PYTHON_FIELD_COUNT, false},
    {"slice", PYTHON_FIELD_COUNT, false},
    {"cell", PYTHON_FIELD_COUNT, false},
    {"function", PYTHON_FIELD_COUNT, false},
    {"method", PYTHON_FIELD_COUNT, false},
    {"builtin_function_or_method", PYTHON_FIELD_COUNT, false},
    {"code", PYTHON_FIELD_COUNT, false},
    {"frame", PYTHON_FIELD_COUNT, false},
    {"generator", PYTHON_FIELD_COUNT, false},
    {"module", PYTHON_FIELD_COUNT, false},
    {"mappingproxy", PYTHON_FIELD_COUNT, false},
    {"dict_items", PYTHON_FIELD_COUNT, false},
    {"collections.OrderedDict", PY_constant_tpflags_dict_subclass, false},
    {"collections.defaultdict", PY_constant_tpflags_dict_subclass, false},
    {"collections.Counter", PY_constant_tpflags_dict_subclass, false},
    {"collections.deque", PYTHON_FIELD_COUNT, false},
    {"functools.partial", PYTHON_FIELD_COUNT, false},
    {"datetime.datetime", PYTHON_FIELD_COUNT, false},
    {"datetime.timedelta", PYTHON_FIELD_COUNT, false},
    {"datetime.timezone", PYTHON_FIELD_COUNT, false},
    {"decimal.Decimal", PYTHON_FIELD_COUNT, false},
    {"uuid.UUID", PYTHON_FIELD_COUNT, true},
    {"types.SimpleNamespace", PYTHON_FIELD_COUNT, false},
    {"weakref.ReferenceType", PYTHON_FIELD_COUNT, false},
    {"_thread.RLock", PYTHON_FIELD_COUNT, false},
    {"KeyError", PY_constant_tpflags_exception_subclass, false},
    {"OSError", PY_constant_tpflags_exception_subclass, false},
    {"SyntaxError", PY_constant_tpflags_exception_subclass, false},
    {"UnicodeDecodeError", PY_constant_tpflags_exception_subclass, false},
    {"UnicodeEncodeError", PY_constant_tpflags_exception_subclass, false},
    {"BaseExceptionGroup", PY_constant_tpflags_exception_subclass, false},
    {"enum.Enum", PYTHON_FIELD_COUNT, true},
};
#define TYPES_COUNT (sizeof types / sizeof *types)

struct memory {
    const struct python_layout *layout;
    uint8_t bytes[DATA_AT + TYPES_SIZE + 8 * WORDS_MAX];
    size_t words;
};

static void must(bool fine)
{
    if (!fine)
        abort();
}

static uint64_t type_addr(size_t row)
{
    return BASE + row % TYPES_COUNT * TYPE_SIZE;
}

static void put(struct memory *memory, uint64_t addr, const void *bytes, size_t size)
{
    memcpy(memory->bytes + DATA_AT + (addr - BASE), bytes, size);
}

static void set(struct memory *memory, uint64_t addr, enum python_field field, uint64_t word)
{
    if (layout_has(memory->layout, field))
        put(memory, addr + layout_get(memory->layout, field), &word, sizeof word);
}

static uint64_t flag(const struct memory *memory, enum python_field field)
{
    return field < PYTHON_FIELD_COUNT && layout_has(memory->layout, field)
               ? layout_get(memory->layout, field)
               : 0;
}

/* A class leads into the words: what they hold is its dictionary, keys and slots. */
static void make_class(struct memory *memory, uint64_t type)
{
    set(memory, type, PY_type_dict, WORDS_AT + 64);
    set(memory, type, PY_type_mro, WORDS_AT + 128);
    set(memory, type, PY_type_members, WORDS_AT + 192);
    set(memory, type, PY_heaptype_slots, WORDS_AT + 256);
    set(memory, type, PY_heaptype_cached_keys, WORDS_AT + 320);
    set(memory, type, PY_heaptype_name, WORDS_AT + 384);
    set(memory, type, PY_heaptype_qualname, WORDS_AT + 384);
}

static void make_type(struct memory *memory, size_t row)
{
    uint64_t type = type_addr(row), name = type + TYPE_SIZE - 64;
    uint64_t flags = flag(memory, types[row].flag);
    if (types[row].is_class)
        flags |= flag(memory, PY_constant_tpflags_heaptype) |
                 flag(memory, PY_constant_tpflags_managed_dict) |
                 flag(memory, PY_constant_tpflags_inline_values);
    put(memory, name, types[row].name, strlen(types[row].name) + 1);
    set(memory, type, PY_object_type, type_addr(0));
    set(memory, type, PY_type_name, name);
    set(memory, type, PY_type_flags, flags);
    set(memory, type, PY_type_base, row == 1 ? 0 : type_addr(1));
    set(memory, type, PY_type_basicsize, 64);
    set(memory, type, PY_type_dictoffset, types[row].is_class ? 48 : 0);
    if (types[row].is_class)
        make_class(memory, type);
}

static void make_words(struct memory *memory, const uint8_t *data, size_t size)
{
    memory->words = size / 8 < WORDS_MAX ? size / 8 : WORDS_MAX;
    for (size_t i = 0; i < memory->words; i++) {
        uint64_t word = load_u64(data + 8 * i), low = word & 0xFFFFFFFF;
        if (word >> 56 == 0xA0)
            word = WORDS_AT + 8 * (low % WORDS_MAX) + (uint64_t)(int8_t)(word >> 32);
        else if (word >> 56 == 0xA1)
            word = type_addr((size_t)low & 0xFF);
        put(memory, WORDS_AT + 8 * i, &word, sizeof word);
    }
}

/* A core of one thread's note and one segment. */
static void make_headers(struct memory *memory)
{
    Elf64_Ehdr header = {.e_type = ET_CORE,
                         .e_machine = EM_X86_64,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof header,
                         .e_ehsize = sizeof header,
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 2};
    memcpy(header.e_ident, ELFMAG "\2\1\1", SELFMAG + 3);
    uint32_t note[] = {5, 336, NT_PRSTATUS};
    size_t notes_at = sizeof header + 2 * sizeof(Elf64_Phdr), words = 8 * memory->words;
    Elf64_Phdr programs[] = {
        {.p_type = PT_NOTE, .p_offset = notes_at, .p_filesz = sizeof note + 8 + 336},
        {.p_type = PT_LOAD,
         .p_flags = PF_R | PF_W,
         .p_offset = DATA_AT,
         .p_vaddr = BASE,
         .p_filesz = TYPES_SIZE + words,
         .p_memsz = TYPES_SIZE + words},
    };
    memcpy(memory->bytes, &header, sizeof header);
    memcpy(memory->bytes + sizeof header, programs, sizeof programs);
    memcpy(memory->bytes + notes_at, note, sizeof note);
    memcpy(memory->bytes + notes_at + sizeof note, "CORE", 4);
}

static void must_be_utf8(const struct text *text)
{
    uint32_t code_point;
    for (size_t at = 0, length; at < text->size; at += length)
        must((length = utf8_decode(text->data + at, text->size - at, &code_point)) != 0);
}

static void ask(struct python_process *process, uint64_t addr, struct text *text,
                struct text *again)
{
    text_clear(text);
    text_clear(again);
    object_repr(process, addr, &repr_limits_default, text);
    object_repr(process, addr, &repr_limits_default, again);
    must(text_ok(text) && strcmp(text_string(text), text_string(again)) == 0);
    must(text->size <= repr_limits_default.total_size + strlen("…"));
    must_be_utf8(text);
    text_clear(text);
    exception_message(process, addr, text);
    str_display(process, addr, text);
    must(text_ok(text));
    must_be_utf8(text);
}

static void ask_all(const struct memory *memory, const struct memory_image *image,
                    struct arena *arena, bool redacts)
{
    struct error err = {0};
    struct text text, again;
    struct python_process process = {.image = image, .layout = *memory->layout, .arena = arena};
    must(type_table_create(&process, &err) == STATUS_OK);
    process.redaction = redacts ? redaction_create() : NULL;
    text_init(&text);
    text_init(&again);
    for (size_t i = 0; i < memory->words && i < 8 * OBJECTS_MAX; i += 8)
        ask(&process, WORDS_AT + 8 * i, &text, &again);
    text_deinit(&text);
    text_deinit(&again);
    redaction_destroy(process.redaction);
    type_table_destroy(process.types);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory *memory = calloc(1, sizeof *memory);
    struct memory_image *image;
    struct core_dump core;
    struct error err = {0};
    struct arena arena;
    must(memory != NULL);
    memory->layout = python_layouts[size ? (data[0] & 0x7F) % python_layout_count : 0];
    for (size_t row = 0; row < TYPES_COUNT; row++)
        make_type(memory, row);
    make_words(memory, data + (size > 0), size ? size - 1 : 0);
    make_headers(memory);
    struct input_file input = {.name = "fuzz",
                               .data = memory->bytes,
                               .size = DATA_AT + TYPES_SIZE + 8 * memory->words,
                               .fd = -1};
    struct memory_options options = {.sysroot = "/proc"}; /* has none of the files */
    arena_init(&arena);
    must(core_dump_parse(&input, &arena, &core, &err) == STATUS_OK);
    must(memory_image_create(&core, &options, &arena, &image, &err) == STATUS_OK);
    ask_all(memory, image, &arena, size && data[0] & 0x80);
    memory_image_destroy(image);
    core_dump_deinit(&core);
    arena_deinit(&arena);
    free(memory);
    return 0;
}
