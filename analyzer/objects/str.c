/* SPDX-License-Identifier: Apache-2.0 */
/* str objects (Include/cpython/unicodeobject.h).
 *
 * OFFSET (layout)              SIZE  MEANING
 * unicode_length               8     characters
 * unicode_state                4     kind 1, 2, 4 (bytes a character; 0: 3.11 and earlier,
 *                                    characters not yet made), compact, ascii
 * unicode_ascii_header_size    -     characters of a compact ASCII str
 * unicode_compact_header_size  -     characters of another compact str
 * unicode_data_any             8     pointer to the characters of one that is not compact
 *                                    (an instance of a subclass) */
#include <string.h>

#include "analyzer/objects/fields.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/limits.h"

enum status str_view_raw(const struct python_process *process, uint64_t addr,
                         struct str_view *ret_view)
{
    const struct python_layout *layout = &process->layout;
    struct str_view view = {0};
    uint32_t state;
    enum status status = field_u64(process, addr, PY_unicode_length, &view.length);
    if (status == STATUS_OK)
        status = field_u32(process, addr, PY_unicode_state, &state);
    if (status != STATUS_OK)
        return status;
    view.kind = (unsigned)(state >> layout_get(layout, PY_unicode_kind_shift) &
                           layout_get(layout, PY_unicode_kind_mask));
    view.is_ascii = state >> layout_get(layout, PY_unicode_ascii_shift) & 1;
    view.is_compact = state >> layout_get(layout, PY_unicode_compact_shift) & 1;
    if ((view.kind != 1 && view.kind != 2 && view.kind != 4) || view.length > UINT64_MAX / 16 ||
        (view.is_ascii && view.kind != 1))
        return STATUS_CORRUPT;
    if (view.is_compact)
        view.data_addr = addr + layout_get(layout, view.is_ascii ? PY_unicode_ascii_header_size
                                                                 : PY_unicode_compact_header_size);
    else
        status = field_u64(process, addr, PY_unicode_data_any, &view.data_addr);
    if (status == STATUS_OK)
        *ret_view = view;
    return status;
}

static void text_append_latin1(struct text *text, const uint8_t *data, uint64_t count)
{
    for (uint64_t i = 0; i < count;) {
        uint64_t start = i;
        while (i < count && data[i] < 0x80)
            i++;
        text_append_n(text, (const char *)data + start, i - start);
        while (i < count && data[i] >= 0x80)
            text_append_code_point(text, data[i++]);
    }
}

enum status str_read_raw(const struct python_process *process, uint64_t addr,
                         uint64_t max_characters, struct text *ret_text)
{
    struct str_view view;
    enum status status = str_view_raw(process, addr, &view);
    if (status != STATUS_OK)
        return status;
    uint64_t count = max_characters ? min_u64(view.length, max_characters) : view.length;
    const uint8_t *data = view_at(process, view.data_addr, count * view.kind);
    if (!data)
        return STATUS_NOT_IN_DUMP;
    if (view.kind == 1) {
        text_append_latin1(ret_text, data, count);
        return STATUS_OK;
    }
    for (uint64_t i = 0; i < count && !ret_text->cut; i++)
        text_append_code_point(ret_text, str_character(data, view.kind, i));
    return STATUS_OK;
}

bool str_equals_raw(const struct python_process *process, uint64_t addr, const char *ascii)
{
    struct str_view view;
    size_t size = strlen(ascii);
    if (str_view_raw(process, addr, &view) != STATUS_OK || view.length != size || !view.is_ascii)
        return false;
    const uint8_t *data = view_at(process, view.data_addr, size);
    return data && memcmp(data, ascii, size) == 0;
}

/* A C string can't hold a NUL, so it is shown as its escape. */
static const char *arena_name(struct arena *arena, const struct text *text)
{
    size_t nuls = 0, used = 0;
    for (size_t i = 0; i < text->size; i++)
        nuls += text->data[i] == '\0';
    char *name = arena_alloc(arena, text->size + 3 * nuls + 1);
    for (size_t i = 0; name && i < text->size; i++) {
        if (text->data[i]) {
            name[used++] = text->data[i];
        } else {
            memcpy(name + used, "\\x00", 4);
            used += 4;
        }
    }
    return name;
}

enum status str_name_raw(const struct python_process *process, uint64_t addr, const char **ret_name)
{
    struct text text;
    text_init(&text);
    text.limit = LIMIT_NAME_BYTES;
    enum status status = str_read_raw(process, addr, LIMIT_NAME_BYTES, &text);
    const char *name = NULL;
    if (status == STATUS_OK && text_ok(&text))
        name = arena_name(process->arena, &text);
    text_deinit(&text);
    if (status == STATUS_OK && !name)
        return STATUS_NO_MEMORY;
    if (name)
        *ret_name = name;
    return status;
}

static enum status must_be_str(struct python_process *process, uint64_t addr)
{
    const struct python_type *type;
    enum status status = object_type(process, addr, &type);
    if (status == STATUS_OK && type->kind != KIND_STR)
        status = STATUS_CORRUPT;
    return status;
}

enum status str_read(struct python_process *process, uint64_t addr, uint64_t max_characters,
                     struct text *ret_text)
{
    enum status status = must_be_str(process, addr);
    return status == STATUS_OK ? str_read_raw(process, addr, max_characters, ret_text) : status;
}

bool str_equals(struct python_process *process, uint64_t addr, const char *ascii)
{
    return str_equals_raw(process, addr, ascii);
}

enum status str_name(struct python_process *process, uint64_t addr, const char **ret_name)
{
    enum status status = must_be_str(process, addr);
    return status == STATUS_OK ? str_name_raw(process, addr, ret_name) : status;
}
