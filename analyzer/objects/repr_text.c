/* SPDX-License-Identifier: Apache-2.0 */
/* str, bytes and bytearray, quoted and escaped as Python does it. */
#include <string.h>

#include "analyzer/objects/bytes.h"
#include "analyzer/objects/repr.h"
#include "inquest/base/checked_math.h"

/* Double quotes only where there is a single one to save and no double one. */
static char quote_for(const uint8_t *data, unsigned kind, uint64_t count)
{
    bool has_double = false, has_single = false;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t c = str_character(data, kind, i);
        has_double |= c == '"';
        has_single |= c == '\'';
    }
    return has_single && !has_double ? '"' : '\'';
}

static bool is_plain(uint32_t c, char quote)
{
    return c >= ' ' && c < 0x7F && c != (uint32_t)quote && c != '\\';
}

static void append_escaped(struct text *text, uint32_t c, char quote)
{
    if (c == (uint32_t)quote || c == '\\')
        text_printf(text, "\\%c", (char)c);
    else if (c == '\t')
        text_append(text, "\\t");
    else if (c == '\n')
        text_append(text, "\\n");
    else if (c == '\r')
        text_append(text, "\\r");
    else if (c <= 0xFF)
        text_printf(text, "\\x%02x", (unsigned)c);
    else if (c <= 0xFFFF)
        text_printf(text, "\\u%04x", (unsigned)c);
    else
        text_printf(text, "\\U%08x", (unsigned)c);
}

/* `quote` is the one that is escaped. `printable_in`: minor version that says which
 * characters beyond ASCII are shown; 0: none, as in bytes. */
static void append_content(struct text *text, const uint8_t *data, unsigned kind, uint64_t count,
                           char quote, unsigned printable_in)
{
    char run[64];
    for (uint64_t i = 0; i < count && !text->cut;) {
        size_t size = 0;
        uint32_t c = 0;
        while (i < count && size < sizeof run &&
               is_plain(c = str_character(data, kind, i), quote)) {
            run[size++] = (char)c;
            i++;
        }
        text_append_n(text, run, size);
        if (i == count || size == sizeof run)
            continue;
        if (printable_in && c >= 0x80 && code_point_is_printable(c, printable_in))
            text_append_code_point(text, c);
        else
            append_escaped(text, c, quote);
        i++;
    }
}

static void append_cut(struct repr *repr, uint64_t length, const char *unit)
{
    if (length <= repr->limits.string_size)
        return;
    text_append(repr->text, "… ");
    text_append_count(repr->text, length);
    text_append_char(repr->text, ' ');
    text_append(repr->text, unit);
}

enum status str_append_quoted(struct python_process *process, uint64_t addr,
                              uint64_t max_characters, struct text *text)
{
    struct str_view view;
    enum status status = str_view_raw(process, addr, &view);
    if (status != STATUS_OK)
        return status;
    uint64_t count = min_u64(view.length, max_characters);
    const uint8_t *data = view_at(process, view.data_addr, count * view.kind);
    if (!data)
        return STATUS_NOT_IN_DUMP;
    char quote = quote_for(data, view.kind, count);
    text_append_char(text, quote);
    append_content(text, data, view.kind, count, quote, layout_minor(&process->layout));
    text_append_char(text, quote);
    return STATUS_OK;
}

/* A length that no memory was ever behind is damage, not absence. */
static enum status check_end(const struct repr *repr, uint64_t data_addr, uint64_t size)
{
    return !size || (data_addr + size > data_addr &&
                     memory_is_mapped(repr->process->image, data_addr + size - 1))
               ? STATUS_OK
               : STATUS_CORRUPT;
}

static enum status redacted_str(struct repr *repr, const struct str_view *view)
{
    const uint8_t *data = view_at(repr->process, view->data_addr, view->length * view->kind);
    if (!data)
        return STATUS_NOT_IN_DUMP;
    repr_token(repr, "str", view->length, data, view->length * view->kind);
    return STATUS_OK;
}

void repr_str(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    struct str_view view;
    enum status status = str_view_raw(repr->process, addr, &view);
    if (status == STATUS_OK && view.length > repr->limits.string_size)
        status = check_end(repr, view.data_addr, view.length * view.kind);
    if (status == STATUS_OK)
        status = repr_is_redacted(repr)
                     ? redacted_str(repr, &view)
                     : str_append_quoted(repr->process, addr, repr->limits.string_size, repr->text);
    if (status != STATUS_OK)
        repr_unreadable(repr, type->name, addr, status);
    else if (!repr_is_redacted(repr))
        append_cut(repr, view.length, "characters");
}

typedef enum status (*content_function)(struct python_process *process, uint64_t addr,
                                        uint64_t limit, const uint8_t **ret_bytes,
                                        uint64_t *ret_size);

/* Up to 3.14, bytearray escapes single quotes, whatever is around it. */
static char escaped_quote(const struct repr *repr, const struct python_type *type, char quote)
{
    bool is_old = layout_minor(&repr->process->layout) < 15;
    return type->kind == KIND_BYTEARRAY && is_old ? '\'' : quote;
}

static void repr_content(struct repr *repr, const struct python_type *type, uint64_t addr,
                         content_function content)
{
    const uint8_t *bytes;
    uint64_t size;
    bool is_redacted = repr_is_redacted(repr);
    enum status status = content(
        repr->process, addr, is_redacted ? UINT64_MAX : repr->limits.string_size, &bytes, &size);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
    } else if (is_redacted) {
        repr_token(repr, "bytes", size, bytes, size);
    } else {
        uint64_t count = min_u64(size, repr->limits.string_size);
        char quote = quote_for(bytes, 1, count);
        text_printf(repr->text, "b%c", quote);
        append_content(repr->text, bytes, 1, count, escaped_quote(repr, type, quote), 0);
        text_append_char(repr->text, quote);
        append_cut(repr, size, "bytes");
    }
}

void repr_bytes(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    repr_content(repr, type, addr, bytes_view);
}

void repr_bytearray(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    text_printf(repr->text, "%s(", type->short_name);
    repr_content(repr, type, addr, bytearray_view);
    text_append_char(repr->text, ')');
}
