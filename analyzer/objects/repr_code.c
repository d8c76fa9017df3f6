/* SPDX-License-Identifier: Apache-2.0 */
/* Code, frames, generators and their kin, cells. */
#include "analyzer/objects/repr.h"

void repr_code(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    uint32_t line;
    (void)type;
    text_append(repr->text, "<code object ");
    repr_field_name(repr, addr, PY_code_name);
    text_printf(repr->text, " at " ADDRESS ", file \"", addr);
    repr_field_name(repr, addr, PY_code_filename);
    text_append_char(repr->text, '"');
    if (field_u32(repr->process, addr, PY_code_firstlineno, &line) == STATUS_OK)
        text_printf(repr->text, ", line %" PRId32, line ? (int32_t)line : -1);
    text_append_char(repr->text, '>');
}

void repr_frame(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    uint64_t code_addr, inner_addr = addr;
    enum python_field field = PY_frame_code;
    if (!layout_has(&repr->process->layout, PY_frame_code)) { /* 3.11 on */
        field = PY_iframe_code;
        if (field_u64(repr->process, addr, PY_frame_frame, &inner_addr) != STATUS_OK)
            inner_addr = 0;
    }
    text_printf(repr->text, "<%s at " ADDRESS, type->name, addr);
    if (field_u64(repr->process, inner_addr, field, &code_addr) == STATUS_OK) {
        code_addr &= ~layout_or(&repr->process->layout, PY_constant_stackref_tag_mask, 0);
        text_append(repr->text, ", file ");
        uint64_t file_addr;
        if (field_u64(repr->process, code_addr, PY_code_filename, &file_addr) != STATUS_OK ||
            str_append_quoted(repr->process, file_addr, 4096, repr->text) != STATUS_OK)
            text_append_char(repr->text, '?');
        text_append(repr->text, ", code ");
        repr_field_name(repr, code_addr, PY_code_name);
    }
    text_append_char(repr->text, '>');
}

void repr_generator(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    text_printf(repr->text, "<%s object ", type->short_name);
    repr_field_name(repr, addr, PY_gen_qualname);
    text_printf(repr->text, " at " ADDRESS ">", addr);
}

void repr_cell(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const struct python_type *content_type;
    uint64_t content_addr;
    enum status status = field_u64(repr->process, addr, PY_cell_contents, &content_addr);
    if (status == STATUS_OK && !content_addr) {
        text_printf(repr->text, "<cell at " ADDRESS ": empty>", addr);
        return;
    }
    if (status == STATUS_OK)
        status = object_type(repr->process, content_addr, &content_type);
    if (status == STATUS_OK)
        text_printf(repr->text, "<cell at " ADDRESS ": %.80s object at " ADDRESS ">", addr,
                    type_entry_of(content_type)->tp_name, content_addr);
    else
        repr_unreadable(repr, type->name, addr, status);
}
