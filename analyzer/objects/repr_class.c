/* SPDX-License-Identifier: Apache-2.0 */
/* Classes. */
#include "analyzer/objects/repr.h"

void repr_class(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const struct python_type *class;
    enum status status = type_at(repr->process, addr, &class);
    if (status != STATUS_OK)
        repr_unreadable(repr, type->name, addr, status);
    else if (type->is_exact_kind || (!type_derives_from(repr->process, type, "enum.EnumMeta") &&
                                     !type_derives_from(repr->process, type, "enum.EnumType")))
        text_printf(repr->text, "<class '%s'>", class->name);
    else if (layout_minor(&repr->process->layout) >= 11 &&
             type_derives_from(repr->process, class, "enum.Flag"))
        text_printf(repr->text, "<flag '%s'>", class->short_name);
    else
        text_printf(repr->text, "<enum '%s'>", class->short_name);
}
