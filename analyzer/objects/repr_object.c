/* SPDX-License-Identifier: Apache-2.0 */
/* Any other object, by its attributes: "<shop.Cart at 0x7f… items=[], owner=None>". */
#include <stdlib.h>
#include <string.h>

#include "analyzer//objects/repr.h"
#include "inquest/base/limits.h"

struct attribute_writer {
    struct repr *repr;
    uint64_t written;
    const char *before; /* the first one */
};

static bool write_attribute(void *context, const struct attribute *attribute)
{
    struct attribute_writer *writer = context;
    struct repr *repr = writer->repr;
    if (!writer->written)
        text_append(repr->text, writer->before);
    if (!repr_next_item(repr, writer->written, UINT64_MAX))
        return false;
    writer->written++;
    if (attribute->name)
        text_append(repr->text, attribute->name);
    else if (str_read(repr->process, attribute->name_addr, LIMIT_NAME_BYTES, repr->text) !=
             STATUS_OK)
        text_append_char(repr->text, '?');
    text_append_char(repr->text, '=');
    repr_value(repr, attribute->value_addr);
    return true;
}

static void write_attributes(struct repr *repr, uint64_t addr, const char *before)
{
    struct attribute_writer writer = {.repr = repr, .before = before};
    enum status status = instance_attributes(repr->process, addr, write_attribute, &writer);
    if (status != STATUS_OK)
        text_append(repr->text, writer.written ? ", " : before);
    repr_items_end(repr, status);
}

void repr_object(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const char *closed = repr_closed(repr, addr);
    text_printf(repr->text, "<%s at " ADDRESS, type->name, addr);
    if (closed) {
        text_printf(repr->text, " %s", closed);
    } else {
        repr_push(repr, addr);
        write_attributes(repr, addr, " ");
        repr_leave(repr);
    }
    text_append_char(repr->text, '>');
}

void repr_overridden(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    if (type->kind == KIND_UNKNOWN || type->kind == KIND_TYPE || type->kind == KIND_MODULE) {
        repr_as_kind(repr, type, addr);
        return;
    }
    text_printf(repr->text, "<%s at " ADDRESS " ", type->name, addr);
    repr_as_kind(repr, type, addr);
    text_append_char(repr->text, '>');
}

/* ---- types.SimpleNamespace */

/* Up to 3.8 the attributes are sorted; more than these are left as they are. */
#define SORTED_MAX 256

struct attribute_list {
    struct python_process *process;
    struct attribute items[SORTED_MAX];
    size_t count;
};

static bool collect_attribute(void *context, const struct attribute *attribute)
{
    struct attribute_list *list = context;
    struct attribute *item = &list->items[list->count];
    *item = *attribute;
    if (list->count == SORTED_MAX - 1 ||
        str_name(list->process, attribute->name_addr, &item->name) != STATUS_OK)
        return false;
    list->count++;
    return true;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct attribute *)left)->name, ((const struct attribute *)right)->name);
}

static void write_sorted_attributes(struct repr *repr, uint64_t addr)
{
    struct attribute_list list = {.process = repr->process};
    struct attribute_writer writer = {.repr = repr, .before = ""};
    if (instance_attributes(repr->process, addr, collect_attribute, &list) != STATUS_OK) {
        write_attributes(repr, addr, "");
        return;
    }
    qsort(list.items, list.count, sizeof *list.items, by_name);
    for (size_t i = 0; i < list.count; i++)
        if (!write_attribute(&writer, &list.items[i]))
            return;
}

void repr_namespace(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    if (!repr_enter(repr, addr, "namespace(...)"))
        return;
    text_printf(repr->text, "%s(", type->is_exact_kind ? "namespace" : type->short_name);
    if (layout_minor(&repr->process->layout) <= 8)
        write_sorted_attributes(repr, addr);
    else
        write_attributes(repr, addr, "");
    text_append_char(repr->text, ')');
    repr_leave(repr);
}
