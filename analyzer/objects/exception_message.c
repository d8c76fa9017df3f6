/* SPDX-License-Identifier: Apache-2.0 */
/* str(exception), as Objects/exceptions.c has it for each class that has its own. */
#include <string.h>

#include "analyzer/objects/repr.h"

/* A message is read whole by people, so it has more room than a local's value. */
static const struct repr_limits message_limits = {
    .depth = 4, .items = 100, .string_size = 16384, .total_size = 65536};

typedef void (*message_function)(struct repr *repr, uint64_t addr);

static void append_str(struct repr *repr, uint64_t addr);

/* ---- fields */

/* A field that holds an object, 0 for NULL. */
static uint64_t field_or_0(struct repr *repr, uint64_t addr, enum python_field field)
{
    uint64_t value;
    return field_u64(repr->process, addr, field, &value) == STATUS_OK ? value : 0;
}

static bool field_int(struct repr *repr, uint64_t addr, enum python_field field,
                      uint64_t *ret_value)
{
    return field_u64(repr->process, addr, field, ret_value) == STATUS_OK;
}

static enum object_kind kind_of(struct repr *repr, uint64_t addr)
{
    const struct python_type *type;
    return addr && object_type(repr->process, addr, &type) == STATUS_OK ? type->kind : KIND_UNKNOWN;
}

/* The object's str(), "None" for NULL as C's "%S" of a field that may be. */
static void append_field_str(struct repr *repr, uint64_t addr, enum python_field field)
{
    uint64_t value = field_or_0(repr, addr, field);
    if (value)
        append_str(repr, value);
    else
        text_append(repr->text, "None");
}

/* ---- BaseException: of the arguments */

static bool exception_args(struct repr *repr, uint64_t addr, uint64_t *ret_args,
                           uint64_t *ret_items, uint64_t *ret_count)
{
    enum status status = field_u64(repr->process, addr, PY_exception_args, ret_args);
    if (status == STATUS_OK)
        status = tuple_items(repr->process, *ret_args, ret_items, ret_count);
    if (status == STATUS_OK)
        return true;
    repr_unreadable(repr, "exception", addr, status);
    return false;
}

static void message_plain(struct repr *repr, uint64_t addr)
{
    uint64_t args_addr, items_addr, count, item_addr;
    if (!exception_args(repr, addr, &args_addr, &items_addr, &count) || !count)
        return;
    if (count > 1)
        repr_value(repr, args_addr);
    else if (pointer_at(repr->process, items_addr, &item_addr) == STATUS_OK)
        append_str(repr, item_addr);
    else
        repr_items_end(repr, STATUS_NOT_IN_DUMP);
}

/* A missing key is shown quoted. */
static void message_key_error(struct repr *repr, uint64_t addr)
{
    uint64_t args_addr, items_addr, count, item_addr;
    if (!exception_args(repr, addr, &args_addr, &items_addr, &count))
        return;
    if (count == 1 && pointer_at(repr->process, items_addr, &item_addr) == STATUS_OK)
        repr_value(repr, item_addr);
    else
        message_plain(repr, addr);
}

/* ---- classes with fields of their own */

static void message_os_error(struct repr *repr, uint64_t addr)
{
    uint64_t filename = field_or_0(repr, addr, PY_oserror_filename);
    uint64_t filename2 = field_or_0(repr, addr, PY_oserror_filename2);
    if (!filename && (!field_or_0(repr, addr, PY_oserror_errno) ||
                      !field_or_0(repr, addr, PY_oserror_strerror))) {
        message_plain(repr, addr);
        return;
    }
    text_append(repr->text, "[Errno ");
    append_field_str(repr, addr, PY_oserror_errno);
    text_append(repr->text, "] ");
    append_field_str(repr, addr, PY_oserror_strerror);
    if (!filename)
        return;
    text_append(repr->text, ": ");
    repr_value(repr, filename);
    if (filename2) {
        text_append(repr->text, " -> ");
        repr_value(repr, filename2);
    }
}

static void append_base_name(struct repr *repr, uint64_t filename_addr)
{
    struct text path;
    text_init(&path);
    if (str_read(repr->process, filename_addr, 4096, &path) == STATUS_OK) {
        const char *slash = strrchr(text_string(&path), '/');
        text_append(repr->text, slash ? slash + 1 : text_string(&path));
    }
    text_deinit(&path);
}

static void message_syntax_error(struct repr *repr, uint64_t addr)
{
    uint64_t filename = field_or_0(repr, addr, PY_syntaxerror_filename);
    uint64_t line_addr = field_or_0(repr, addr, PY_syntaxerror_lineno);
    int64_t line;
    bool has_file = kind_of(repr, filename) == KIND_STR;
    bool has_line = kind_of(repr, line_addr) == KIND_INT &&
                    int_read(repr->process, line_addr, &line) == STATUS_OK;
    append_field_str(repr, addr, PY_syntaxerror_message);
    if (!has_file && !has_line)
        return;
    text_append(repr->text, " (");
    if (has_file)
        append_base_name(repr, filename);
    if (has_line)
        text_printf(repr->text, "%sline %" PRId64, has_file ? ", " : "", line);
    text_append_char(repr->text, ')');
}

static void message_import_error(struct repr *repr, uint64_t addr)
{
    const struct python_type *type;
    uint64_t message = field_or_0(repr, addr, PY_importerror_message);
    if (message && object_type(repr->process, message, &type) == STATUS_OK &&
        type->kind == KIND_STR && type->is_exact_kind)
        append_str(repr, message);
    else
        message_plain(repr, addr);
}

static void message_group(struct repr *repr, uint64_t addr)
{
    uint64_t items_addr, count, members = field_or_0(repr, addr, PY_group_exceptions);
    append_field_str(repr, addr, PY_group_message);
    if (tuple_items(repr->process, members, &items_addr, &count) == STATUS_OK)
        text_printf(repr->text, " (%" PRIu64 " sub-exception%s)", count, count == 1 ? "" : "s");
}

/* ---- UnicodeError: "'ascii' codec can't decode byte 0xff in position 0: ..." */

struct unicode_error {
    uint64_t object, start, end;
    uint32_t unit; /* the byte or character, where there is one */
    bool is_one;   /* just one unit, and it is at hand */
};

static bool unicode_error_read(struct repr *repr, uint64_t addr, bool is_bytes,
                               struct unicode_error *error)
{
    struct str_view view = {.kind = 1};
    const uint8_t *data;
    *error = (struct unicode_error){.object = field_or_0(repr, addr, PY_unicodeerror_object)};
    if (!error->object || !field_int(repr, addr, PY_unicodeerror_start, &error->start) ||
        !field_int(repr, addr, PY_unicodeerror_end, &error->end))
        return false;
    if (error->end != error->start + 1)
        return true;
    if (is_bytes) {
        if (bytes_view(repr->process, error->object, error->end, &data, &view.length) != STATUS_OK)
            return true;
    } else if (str_view_raw(repr->process, error->object, &view) != STATUS_OK ||
               error->start >= view.length ||
               !(data = view_at(repr->process, view.data_addr, error->end * view.kind))) {
        return true;
    }
    error->is_one = error->start < view.length;
    error->unit = error->is_one ? str_character(data, view.kind, error->start) : 0;
    return true;
}

static void append_unit(struct repr *repr, const struct unicode_error *error, bool is_bytes)
{
    uint8_t bytes[4] = {(uint8_t)error->unit, (uint8_t)(error->unit >> 8),
                        (uint8_t)(error->unit >> 16), (uint8_t)(error->unit >> 24)};
    text_append(repr->text, is_bytes ? " byte " : " character ");
    if (repr_is_redacted(repr))
        repr_token(repr, is_bytes ? "bytes" : "str", 1, bytes, error->unit > 0xFF ? 4 : 1);
    else if (is_bytes)
        text_printf(repr->text, "0x%02x", (unsigned)error->unit);
    else if (error->unit <= 0xFF)
        text_printf(repr->text, "'\\x%02x'", (unsigned)error->unit);
    else if (error->unit <= 0xFFFF)
        text_printf(repr->text, "'\\u%04x'", (unsigned)error->unit);
    else
        text_printf(repr->text, "'\\U%08x'", (unsigned)error->unit);
}

static void message_unicode(struct repr *repr, uint64_t addr, const char *verb, bool is_bytes,
                            bool has_encoding)
{
    struct unicode_error error;
    if (!unicode_error_read(repr, addr, is_bytes, &error))
        return;
    if (has_encoding) {
        text_append_char(repr->text, '\'');
        append_field_str(repr, addr, PY_unicodeerror_encoding);
        text_append(repr->text, "' codec ");
    }
    text_printf(repr->text, "can't %s", verb);
    if (error.is_one) {
        append_unit(repr, &error, is_bytes);
        text_printf(repr->text, " in position %" PRId64 ": ", (int64_t)error.start);
    } else {
        text_printf(repr->text, " %s in position %" PRId64 "-%" PRId64 ": ",
                    is_bytes ? "bytes" : "characters", (int64_t)error.start,
                    (int64_t)(error.end - 1));
    }
    append_field_str(repr, addr, PY_unicodeerror_reason);
}

static void message_encode(struct repr *repr, uint64_t addr)
{
    message_unicode(repr, addr, "encode", false, true);
}

static void message_decode(struct repr *repr, uint64_t addr)
{
    message_unicode(repr, addr, "decode", true, true);
}

static void message_translate(struct repr *repr, uint64_t addr)
{
    message_unicode(repr, addr, "translate", false, false);
}

/* ---- which */

/* To add a row: the builtin class that has a __str__ of its own. */
static const struct {
    const char *type_name;
    message_function message;
} message_rows[] = {
    {"BaseException", message_plain},
    {"KeyError", message_key_error},
    {"OSError", message_os_error},
    {"SyntaxError", message_syntax_error},
    {"ImportError", message_import_error},
    {"BaseExceptionGroup", message_group},
    {"UnicodeEncodeError", message_encode},
    {"UnicodeDecodeError", message_decode},
    {"UnicodeTranslateError", message_translate},
};

static message_function message_for(struct python_process *process, const struct python_type *type)
{
    struct mro_iterator iterator;
    const struct type_entry *entry;
    uint64_t method;
    mro_iterate(process, type, &iterator);
    while (mro_next(process, &iterator, &entry)) {
        for (size_t i = 0; i < sizeof message_rows / sizeof *message_rows; i++)
            if (!entry->type.is_heap && strcmp(entry->type.name, message_rows[i].type_name) == 0)
                return message_rows[i].message;
        /* a __str__ of Python's: the arguments are what there is to show */
        if (entry->type.is_heap && entry->dict_addr &&
            dict_get_raw(process, entry->dict_addr, "__str__", &method) == STATUS_OK)
            return message_plain;
    }
    return message_plain;
}

static void append_str(struct repr *repr, uint64_t addr)
{
    const struct python_type *type;
    enum status status = object_type(repr->process, addr, &type);
    if (status != STATUS_OK) {
        repr_unreadable(repr, "object", addr, status);
    } else if (type->kind == KIND_STR) {
        str_display(repr->process, addr, repr->text);
    } else if (type->kind != KIND_EXCEPTION) {
        repr_value(repr, addr);
    } else if (repr_enter(repr, addr, "...")) { /* an exception may be its own argument */
        message_for(repr->process, type)(repr, addr);
        repr_leave(repr);
    }
}

void exception_message(struct python_process *process, uint64_t addr, struct text *text)
{
    struct repr repr = {.process = process, .limits = message_limits, .text = text};
    const struct python_type *type;
    enum status status = object_type(process, addr, &type);
    if (status == STATUS_OK && type->kind != KIND_EXCEPTION)
        status = STATUS_CORRUPT;
    if (status == STATUS_OK)
        message_for(process, type)(&repr, addr);
    else
        repr_unreadable(&repr, "exception", addr, status);
}

void str_display(struct python_process *process, uint64_t addr, struct text *text)
{
    struct repr repr = {.process = process, .limits = message_limits, .text = text};
    struct str_view view;
    const struct python_type *type;
    enum status status = object_type(process, addr, &type);
    if (status == STATUS_OK && type->kind != KIND_STR)
        status = STATUS_CORRUPT;
    if (status == STATUS_OK && process->redaction) {
        repr_str(&repr, type, addr);
        return;
    }
    if (status == STATUS_OK)
        status = str_view_raw(process, addr, &view);
    if (status == STATUS_OK)
        status = str_read_raw(process, addr, message_limits.string_size, text);
    if (status != STATUS_OK) {
        repr_unreadable(&repr, "str", addr, status);
    } else if (view.length > message_limits.string_size) {
        text_append(text, "… ");
        text_append_count(text, view.length);
        text_append(text, " characters");
    }
}
