/* SPDX-License-Identifier: Apache-2.0 */
/* Modules: what importlib's _module_repr says, from __spec__, or else from
 * __name__, __file__ and __loader__. Names and files are never redacted. */
#include <string.h>

#include "analyzer/objects/repr.h"
#include "inquest/base/limits.h"

static bool is_none(struct repr *repr, uint64_t addr)
{
    const struct python_type *type;
    return !addr ||
           (object_type(repr->process, addr, &type) == STATUS_OK && type->kind == KIND_NONE);
}

static void append_name(struct repr *repr, uint64_t name_addr)
{
    if (is_none(repr, name_addr) ||
        str_append_quoted(repr->process, name_addr, LIMIT_NAME_BYTES, repr->text) != STATUS_OK)
        text_append(repr->text, "'?'");
}

/* Up to 3.11 two loaders write the module's text themselves: what is in brackets. */
static const char *own_words(struct repr *repr, uint64_t loader_addr)
{
    const struct python_type *loader;
    if (layout_minor(&repr->process->layout) > 11 ||
        type_at(repr->process, loader_addr, &loader) != STATUS_OK)
        return NULL;
    return strcmp(loader->short_name, "BuiltinImporter") == 0  ? "built-in"
           : strcmp(loader->short_name, "FrozenImporter") == 0 ? "frozen"
                                                               : NULL;
}

static void append_loader(struct repr *repr, uint64_t loader_addr)
{
    if (is_none(repr, loader_addr))
        return;
    const char *words = own_words(repr, loader_addr);
    text_append(repr->text, " (");
    if (words)
        text_append(repr->text, words);
    else
        repr_value(repr, loader_addr);
    text_append_char(repr->text, ')');
}

static uint64_t attribute_or_0(struct repr *repr, uint64_t addr, const char *name)
{
    uint64_t value;
    return instance_attribute(repr->process, addr, name, &value) == STATUS_OK ? value : 0;
}

static void repr_from_spec(struct repr *repr, uint64_t spec_addr)
{
    uint64_t origin = attribute_or_0(repr, spec_addr, "origin"), has_location_addr;
    int64_t has_location = 0;
    append_name(repr, attribute_or_0(repr, spec_addr, "name"));
    if (is_none(repr, origin)) {
        append_loader(repr, attribute_or_0(repr, spec_addr, "loader"));
        return;
    }
    has_location_addr = attribute_or_0(repr, spec_addr, "_set_fileattr");
    if (has_location_addr &&
        int_read(repr->process, has_location_addr, &has_location) == STATUS_OK && has_location) {
        text_append(repr->text, " from ");
        append_name(repr, origin);
    } else {
        text_append(repr->text, " (");
        if (str_read(repr->process, origin, LIMIT_NAME_BYTES, repr->text) != STATUS_OK)
            text_append_char(repr->text, '?');
        text_append_char(repr->text, ')');
    }
}

static void repr_from_dict(struct repr *repr, uint64_t dict_addr)
{
    uint64_t name = 0, file = 0, loader = 0;
    if (dict_get(repr->process, dict_addr, "__name__", &name) != STATUS_OK)
        name = 0;
    if (dict_get(repr->process, dict_addr, "__file__", &file) != STATUS_OK)
        file = 0;
    append_name(repr, name);
    if (file) {
        text_append(repr->text, " from ");
        append_name(repr, file);
    } else if (dict_get(repr->process, dict_addr, "__loader__", &loader) == STATUS_OK) {
        append_loader(repr, loader);
    }
}

/* Up to 3.9 they are asked before the specification is. */
static bool repr_by_loader(struct repr *repr, uint64_t dict_addr)
{
    uint64_t loader, name;
    if (layout_minor(&repr->process->layout) > 9 ||
        dict_get(repr->process, dict_addr, "__loader__", &loader) != STATUS_OK ||
        !own_words(repr, loader) ||
        dict_get(repr->process, dict_addr, "__name__", &name) != STATUS_OK)
        return false;
    append_name(repr, name);
    append_loader(repr, loader);
    return true;
}

void repr_module(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    uint64_t dict_addr, spec_addr = 0;
    enum status status = field_u64(repr->process, addr, PY_module_dict, &dict_addr);
    if (status != STATUS_OK || !dict_addr) {
        repr_unreadable(repr, type->name, addr, status == STATUS_OK ? STATUS_CORRUPT : status);
        return;
    }
    if (!repr_enter(repr, addr, NULL))
        return;
    text_append(repr->text, "<module ");
    if (dict_get(repr->process, dict_addr, "__spec__", &spec_addr) != STATUS_OK)
        spec_addr = 0;
    if (!repr_by_loader(repr, dict_addr)) {
        if (is_none(repr, spec_addr))
            repr_from_dict(repr, dict_addr);
        else
            repr_from_spec(repr, spec_addr);
    }
    text_append_char(repr->text, '>');
    repr_leave(repr);
}
