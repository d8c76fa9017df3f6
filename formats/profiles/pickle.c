/* SPDX-License-Identifier: Apache-2.0 */
/* The pickle machine: an opcode byte, its argument, and what it does to a stack of
 * values, until STOP. Source: CPython, Lib/pickletools.py; PEP 307 (protocol 2),
 * 3154 (4), 574 (5).
 *
 *   OPCODE               ARGUMENT                          MEANING
 *   80 PROTO             u8 version                        2 to 5 are read
 *   95 FRAME             u64 size                          no meaning to a reader that has it all
 *   ( MARK               -                                 a place on the stack
 *   2e STOP              -                                 the top value is the file's
 *   K M J                u8, u16, i32                      ints
 *   8a 8b                u8, i32 size + bytes              ints of any size, two's complement
 *   8c X 8d              u8, u32, u64 size + UTF-8         str, with surrogates as three bytes
 *   C B 8e 96 U T        u8, u32, u64, u64, u8, u32 size   bytes, bytearray
 *   85 86 87 t )         -                                 tuple: 1, 2, 3, since the mark, empty
 *   ] a e                -                                 list; append one, or all since the mark
 *   } s u                -                                 dict; set one, or all since the mark
 *   94 q r h j           -, u8, u32, u8, u32               put the top into the memo; get it again
 *   c 93                 two lines, -                      a global by name: the only way to code
 *   81 92 b              -                                 instance of a class, its state
 *   R i o P Q 82 83 84   -                                 calls and references to the outside
 */
#include "formats/profiles/pickle.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FORGET_BYTES ((size_t)2 << 20) /* of the input, at least, at a time */

enum argument_form { FIXED, COUNTED, LINES };

/* An argument: its bytes; of a counted one, those after the count. */
struct argument {
    const uint8_t *bytes;
    size_t size;
    int parameter; /* of the opcode's row */
};

struct opcode {
    const char *name;
    enum status (*run)(struct pickle *pickle, const struct argument *argument);
    enum argument_form form;
    unsigned size; /* FIXED: of the argument; COUNTED: of the count; LINES: how many */
    int parameter;
};

/* ---- failures */

enum status pickle_fail(struct pickle *pickle, enum status status, const char *format, ...)
{
    char text[sizeof pickle->err->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(pickle->err, status, "offset %zu: %s", pickle->offset, text);
}

enum status pickle_fail_plainly(struct pickle *pickle, enum status status)
{
    if (status == STATUS_OVER_LIMIT)
        return pickle_fail(pickle, status,
                           "more values of a kind than inquest counts; take the snapshot with "
                           "fewer frames or filter it before dumping");
    return pickle_fail(pickle, status, "%s", status_name(status));
}

/* ---- arguments */

/* Little endian, at most 8 bytes. */
static inline uint64_t load_number(const uint8_t *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = size; i-- > 0;)
        number = number << 8 | bytes[i];
    return number;
}

static enum status fail_short(struct pickle *pickle, const struct opcode *opcode, uint64_t wanted)
{
    return pickle_fail(pickle, STATUS_CORRUPT,
                       "%s takes %llu bytes and %zu are left: the file is cut short or damaged; "
                       "dump the snapshot again",
                       opcode->name, (unsigned long long)wanted, pickle->size - pickle->position);
}

static enum status read_lines(struct pickle *pickle, const struct opcode *opcode,
                              struct argument *ret_argument)
{
    const uint8_t *start = pickle->data + pickle->position, *line = start;
    const uint8_t *end = pickle->data + pickle->size;
    for (unsigned i = 0; i < opcode->size; i++) {
        const uint8_t *newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline)
            return pickle_fail(pickle, STATUS_CORRUPT,
                               "%s has no end of line: the file is cut short or damaged",
                               opcode->name);
        line = newline + 1;
    }
    ret_argument->bytes = start;
    ret_argument->size = (size_t)(line - start);
    pickle->position += ret_argument->size;
    return STATUS_OK;
}

static inline enum status read_argument(struct pickle *pickle, const struct opcode *opcode,
                                        struct argument *ret_argument)
{
    ret_argument->parameter = opcode->parameter;
    if (opcode->form == LINES)
        return read_lines(pickle, opcode, ret_argument);
    if (opcode->size > pickle->size - pickle->position)
        return fail_short(pickle, opcode, opcode->size);
    ret_argument->bytes = pickle->data + pickle->position;
    ret_argument->size = opcode->size;
    pickle->position += opcode->size;
    if (opcode->form != COUNTED)
        return STATUS_OK;
    uint64_t count = load_number(ret_argument->bytes, opcode->size);
    if (count > pickle->size - pickle->position)
        return fail_short(pickle, opcode, count);
    ret_argument->bytes += opcode->size;
    ret_argument->size = (size_t)count;
    pickle->position += (size_t)count;
    return STATUS_OK;
}

/* ---- opcodes */

static enum status run_protocol(struct pickle *pickle, const struct argument *argument)
{
    pickle->version = argument->bytes[0];
    if (pickle->version <= 5)
        return STATUS_OK;
    return pickle_fail(pickle, STATUS_UNSUPPORTED,
                       "pickle protocol %u; inquest reads 2 to 5, which Snapshot.dump writes",
                       pickle->version);
}

static enum status run_nothing(struct pickle *pickle, const struct argument *argument)
{
    (void)pickle, (void)argument;
    return STATUS_OK;
}

static enum status run_mark(struct pickle *pickle, const struct argument *argument)
{
    (void)argument;
    return pickle_mark(pickle);
}

static enum status run_pop(struct pickle *pickle, const struct argument *argument)
{
    (void)argument;
    uint32_t value;
    size_t count;
    /* as CPython does: where only a mark is left, it goes */
    if (pickle->stack.count == pickle->floor && pickle->marks.count)
        return pickle_unmark(pickle, &count);
    return pickle_pop(pickle, &value);
}

static enum status run_pop_mark(struct pickle *pickle, const struct argument *argument)
{
    (void)argument;
    size_t count;
    enum status status = pickle_unmark(pickle, &count);
    if (status == STATUS_OK)
        pickle->stack.count -= count;
    return status;
}

static enum status run_duplicate(struct pickle *pickle, const struct argument *argument)
{
    (void)argument;
    uint32_t *top;
    enum status status = pickle_top(pickle, 1, &top);
    return status == STATUS_OK ? pickle_push(pickle, *top) : status;
}

/* The parameter is the value. */
static enum status run_plain(struct pickle *pickle, const struct argument *argument)
{
    return pickle_push(pickle, pickle_value(PICKLE_PLAIN, (uint32_t)argument->parameter));
}

static enum status run_unsigned(struct pickle *pickle, const struct argument *argument)
{
    return pickle_push_number(pickle, load_number(argument->bytes, argument->size), false);
}

/* Two's complement of any size. */
static enum status run_signed(struct pickle *pickle, const struct argument *argument)
{
    size_t size = argument->size;
    if (!size)
        return pickle_push_number(pickle, 0, false);
    bool negative = argument->bytes[size - 1] & 0x80;
    uint8_t filler = negative ? 0xFF : 0;
    while (size > 1 && argument->bytes[size - 1] == filler)
        size--;
    uint64_t number = load_number(argument->bytes, size < 8 ? size : 8);
    if (negative && size < 8)
        number |= UINT64_MAX << (8 * size);
    if (size > 8 || (negative && number <= INT64_MAX))
        return pickle_push(pickle, pickle_value(PICKLE_PLAIN, PLAIN_NUMBER));
    return pickle_push_number(pickle, number, negative);
}

static enum status run_string(struct pickle *pickle, const struct argument *argument)
{
    uint32_t string;
    enum status status =
        profile_add_string(pickle->profile, (const char *)argument->bytes, argument->size, &string);
    if (status != STATUS_OK)
        return pickle_fail_plainly(pickle, status);
    return pickle_push_id(pickle, PICKLE_STRING, string);
}

/* The parameter is the number of items; -1: those since the mark. */
static enum status run_tuple(struct pickle *pickle, const struct argument *argument)
{
    size_t count = (size_t)argument->parameter;
    enum status status = STATUS_OK;
    if (argument->parameter < 0)
        status = pickle_unmark(pickle, &count);
    return status == STATUS_OK ? pickle_build_tuple(pickle, count) : status;
}

static enum status run_list(struct pickle *pickle, const struct argument *argument)
{
    (void)argument;
    return pickle_new_list(pickle);
}

static enum status run_dict(struct pickle *pickle, const struct argument *argument)
{
    (void)argument;
    return pickle_new_dict(pickle);
}

/* Lists come in batches of a thousand: the pace of the progress. */
static void tell_progress(struct pickle *pickle)
{
    progress_update(pickle->progress, "snapshot", "bytes", pickle->offset, pickle->size);
    if (pickle->offset - pickle->forgotten < FORGET_BYTES)
        return;
    input_file_forget(pickle->input, pickle->forgotten, pickle->offset);
    pickle->forgotten = pickle->offset;
}

static enum status run_append(struct pickle *pickle, const struct argument *argument)
{
    tell_progress(pickle);
    size_t count = (size_t)argument->parameter;
    enum status status = STATUS_OK;
    if (argument->parameter < 0)
        status = pickle_unmark(pickle, &count);
    return status == STATUS_OK ? pickle_append(pickle, count) : status;
}

static enum status run_set_items(struct pickle *pickle, const struct argument *argument)
{
    size_t count = (size_t)argument->parameter;
    enum status status = STATUS_OK;
    if (argument->parameter < 0)
        status = pickle_unmark(pickle, &count);
    return status == STATUS_OK ? pickle_set_items(pickle, count) : status;
}

static enum status run_frozen_set(struct pickle *pickle, const struct argument *argument)
{
    enum status status = run_pop_mark(pickle, argument);
    return status == STATUS_OK ? run_plain(pickle, argument) : status;
}

/* MEMOIZE counts what is in the memo; the others tell the place. */
static enum status run_put(struct pickle *pickle, const struct argument *argument)
{
    uint32_t *top;
    enum status status = pickle_top(pickle, 1, &top);
    if (status != STATUS_OK)
        return status;
    uint64_t index =
        argument->size ? load_number(argument->bytes, argument->size) : pickle->memo.count;
    return pickle_memo_put(pickle, index, *top);
}

static enum status run_get(struct pickle *pickle, const struct argument *argument)
{
    return pickle_memo_get(pickle, load_number(argument->bytes, argument->size));
}

static enum status run_global(struct pickle *pickle, const struct argument *argument)
{
    const char *module = (const char *)argument->bytes;
    const char *newline = memchr(module, '\n', argument->size);
    size_t module_size = (size_t)(newline - module);
    return pickle_find_class(pickle, module, module_size, newline + 1,
                             argument->size - module_size - 2);
}

static enum status run_stack_global(struct pickle *pickle, const struct argument *argument)
{
    (void)argument;
    uint32_t *names;
    enum status status = pickle_top(pickle, 2, &names);
    if (status != STATUS_OK)
        return status;
    if (pickle_kind_of(names[0]) != PICKLE_STRING || pickle_kind_of(names[1]) != PICKLE_STRING)
        return pickle_fail(pickle, STATUS_CORRUPT,
                           "a global's name is no string: the file is damaged");
    uint32_t module = pickle_payload(names[0]), name = pickle_payload(names[1]);
    const struct profile *profile = pickle->profile;
    pickle->stack.count -= 2;
    return pickle_find_class(pickle, profile_text(profile, module),
                             profile->strings.items[module].size, profile_text(profile, name),
                             profile->strings.items[name].size);
}

/* INST is a global and a call in one: an unknown name says more than the opcode. */
static enum status run_instance(struct pickle *pickle, const struct argument *argument)
{
    enum status status = run_global(pickle, argument);
    if (status != STATUS_OK)
        return status;
    return pickle_fail(pickle, STATUS_UNSUPPORTED,
                       "INST, of protocol 0: write the snapshot with Snapshot.dump");
}

static enum status run_new_object(struct pickle *pickle, const struct argument *argument)
{
    return pickle_new_object(pickle, (size_t)argument->parameter);
}

static enum status run_build(struct pickle *pickle, const struct argument *argument)
{
    (void)argument;
    return pickle_set_state(pickle);
}

/* What would run code or reach out of the file; Snapshot.dump writes none of them. */
static enum status run_refused(struct pickle *pickle, const struct argument *argument)
{
    (void)argument;
    return pickle_fail(pickle, STATUS_UNSUPPORTED,
                       "opcode 0x%02x calls something or refers to something outside of the file: "
                       "not a tracemalloc snapshot, and not run",
                       pickle->data[pickle->offset]);
}

static enum status run_text(struct pickle *pickle, const struct argument *argument)
{
    (void)argument;
    return pickle_fail(pickle, STATUS_UNSUPPORTED,
                       "opcode '%c' of the text protocols 0 and 1; inquest reads 2 to 5: load the "
                       "snapshot and write it with Snapshot.dump",
                       pickle->data[pickle->offset]);
}

#define SINCE_MARK (-1)

/* To add an opcode: a row. */
static const struct opcode opcodes[256] = {
    [0x80] = {"PROTO", run_protocol, FIXED, 1, 0},
    [0x95] = {"FRAME", run_nothing, FIXED, 8, 0},
    ['.'] = {"STOP", run_nothing, FIXED, 0, 0},
    ['('] = {"MARK", run_mark, FIXED, 0, 0},
    ['0'] = {"POP", run_pop, FIXED, 0, 0},
    ['1'] = {"POP_MARK", run_pop_mark, FIXED, 0, 0},
    ['2'] = {"DUP", run_duplicate, FIXED, 0, 0},
    ['N'] = {"NONE", run_plain, FIXED, 0, PLAIN_NONE},
    [0x88] = {"NEWTRUE", run_plain, FIXED, 0, PLAIN_BOOL},
    [0x89] = {"NEWFALSE", run_plain, FIXED, 0, PLAIN_BOOL},
    ['G'] = {"BINFLOAT", run_plain, FIXED, 8, PLAIN_NUMBER},
    ['K'] = {"BININT1", run_unsigned, FIXED, 1, 0},
    ['M'] = {"BININT2", run_unsigned, FIXED, 2, 0},
    ['J'] = {"BININT", run_signed, FIXED, 4, 0},
    [0x8a] = {"LONG1", run_signed, COUNTED, 1, 0},
    [0x8b] = {"LONG4", run_signed, COUNTED, 4, 0},
    [0x8c] = {"SHORT_BINUNICODE", run_string, COUNTED, 1, 0},
    ['X'] = {"BINUNICODE", run_string, COUNTED, 4, 0},
    [0x8d] = {"BINUNICODE8", run_string, COUNTED, 8, 0},
    ['C'] = {"SHORT_BINBYTES", run_plain, COUNTED, 1, PLAIN_BYTES},
    ['B'] = {"BINBYTES", run_plain, COUNTED, 4, PLAIN_BYTES},
    [0x8e] = {"BINBYTES8", run_plain, COUNTED, 8, PLAIN_BYTES},
    [0x96] = {"BYTEARRAY8", run_plain, COUNTED, 8, PLAIN_BYTES},
    ['U'] = {"SHORT_BINSTRING", run_plain, COUNTED, 1, PLAIN_BYTES},
    ['T'] = {"BINSTRING", run_plain, COUNTED, 4, PLAIN_BYTES},
    [')'] = {"EMPTY_TUPLE", run_tuple, FIXED, 0, 0},
    [0x85] = {"TUPLE1", run_tuple, FIXED, 0, 1},
    [0x86] = {"TUPLE2", run_tuple, FIXED, 0, 2},
    [0x87] = {"TUPLE3", run_tuple, FIXED, 0, 3},
    ['t'] = {"TUPLE", run_tuple, FIXED, 0, SINCE_MARK},
    [']'] = {"EMPTY_LIST", run_list, FIXED, 0, 0},
    ['a'] = {"APPEND", run_append, FIXED, 0, 1},
    ['e'] = {"APPENDS", run_append, FIXED, 0, SINCE_MARK},
    ['}'] = {"EMPTY_DICT", run_dict, FIXED, 0, 0},
    ['s'] = {"SETITEM", run_set_items, FIXED, 0, 2},
    ['u'] = {"SETITEMS", run_set_items, FIXED, 0, SINCE_MARK},
    [0x8f] = {"EMPTY_SET", run_plain, FIXED, 0, PLAIN_SET},
    [0x90] = {"ADDITEMS", run_append, FIXED, 0, SINCE_MARK},
    [0x91] = {"FROZENSET", run_frozen_set, FIXED, 0, PLAIN_SET},
    [0x94] = {"MEMOIZE", run_put, FIXED, 0, 0},
    ['q'] = {"BINPUT", run_put, FIXED, 1, 0},
    ['r'] = {"LONG_BINPUT", run_put, FIXED, 4, 0},
    ['h'] = {"BINGET", run_get, FIXED, 1, 0},
    ['j'] = {"LONG_BINGET", run_get, FIXED, 4, 0},
    ['c'] = {"GLOBAL", run_global, LINES, 2, 0},
    [0x93] = {"STACK_GLOBAL", run_stack_global, FIXED, 0, 0},
    [0x81] = {"NEWOBJ", run_new_object, FIXED, 0, 1},
    [0x92] = {"NEWOBJ_EX", run_new_object, FIXED, 0, 2},
    ['b'] = {"BUILD", run_build, FIXED, 0, 0},
    ['i'] = {"INST", run_instance, LINES, 2, 0},
    ['R'] = {"REDUCE", run_refused, FIXED, 0, 0},
    ['o'] = {"OBJ", run_refused, FIXED, 0, 0},
    ['P'] = {"PERSID", run_refused, FIXED, 0, 0},
    ['Q'] = {"BINPERSID", run_refused, FIXED, 0, 0},
    [0x82] = {"EXT1", run_refused, FIXED, 0, 0},
    [0x83] = {"EXT2", run_refused, FIXED, 0, 0},
    [0x84] = {"EXT4", run_refused, FIXED, 0, 0},
    [0x97] = {"NEXT_BUFFER", run_refused, FIXED, 0, 0},
    [0x98] = {"READONLY_BUFFER", run_refused, FIXED, 0, 0},
    ['I'] = {"INT", run_text, FIXED, 0, 0},
    ['L'] = {"LONG", run_text, FIXED, 0, 0},
    ['F'] = {"FLOAT", run_text, FIXED, 0, 0},
    ['S'] = {"STRING", run_text, FIXED, 0, 0},
    ['V'] = {"UNICODE", run_text, FIXED, 0, 0},
    ['g'] = {"GET", run_text, FIXED, 0, 0},
    ['p'] = {"PUT", run_text, FIXED, 0, 0},
    ['d'] = {"DICT", run_text, FIXED, 0, 0},
    ['l'] = {"LIST", run_text, FIXED, 0, 0},
};

enum status pickle_run(struct pickle *pickle, uint32_t *ret_value)
{
    for (;;) {
        enum status status = pickle->memo.is_thin ? pickle_run_fast(pickle) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
        pickle->offset = pickle->position;
        if (pickle->position == pickle->size)
            return pickle_fail(pickle, STATUS_CORRUPT,
                               "the file ends before the pickle does: it is cut short; dump the "
                               "snapshot again");
        uint8_t code = pickle->data[pickle->position++];
        const struct opcode *opcode = &opcodes[code];
        if (!opcode->run)
            return pickle_fail(pickle, STATUS_CORRUPT,
                               "0x%02x is no opcode of pickle: the file is damaged", code);
        struct argument argument;
        status = read_argument(pickle, opcode, &argument);
        if (status == STATUS_OK)
            status = opcode->run(pickle, &argument);
        if (status != STATUS_OK)
            return status;
        if (code == '.')
            return pickle_pop(pickle, ret_value);
    }
}

void pickle_init(struct pickle *pickle, const struct input_file *input, bool is_thin,
                 struct profile *profile, struct progress *progress, struct error *err)
{
    *pickle = (struct pickle){.input = input,
                              .data = input->data,
                              .size = (size_t)input->size,
                              .profile = profile,
                              .progress = progress,
                              .err = err,
                              .memo.is_thin = is_thin};
}

void pickle_deinit(struct pickle *pickle)
{
    if (!pickle)
        return;
    for (size_t i = 0; i < pickle->lists.count; i++)
        array_deinit(&pickle->lists.items[i].values);
    for (size_t i = 0; i < pickle->dicts.count; i++)
        array_deinit(&pickle->dicts.items[i].pairs);
    free(pickle->frame_cache);
    array_deinit(&pickle->stack);
    array_deinit(&pickle->marks);
    array_deinit(&pickle->memo.values);
    array_deinit(&pickle->memo.blocks);
    array_deinit(&pickle->numbers);
    array_deinit(&pickle->traces);
    array_deinit(&pickle->lists);
    array_deinit(&pickle->dicts);
    array_deinit(&pickle->objects);
    array_deinit(&pickle->file_functions);
}
