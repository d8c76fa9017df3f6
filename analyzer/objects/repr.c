/* SPDX-License-Identifier: Apache-2.0 */
/* Which form writes which kind, and the bounds that all forms obey. */
#include "analyzer/objects/repr.h"

#include "inquest/base/checked_math.h"
#include "inquest/base/limits.h"

const struct repr_limits repr_limits_default = {
    .depth = 4, .items = 40, .string_size = 200, .total_size = 4096};

static void repr_none(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    (void)type, (void)addr;
    text_append(repr->text, "None");
}

static void repr_ellipsis(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    (void)type, (void)addr;
    text_append(repr->text, "Ellipsis");
}

static void repr_not_implemented(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    (void)type, (void)addr;
    text_append(repr->text, "NotImplemented");
}

/* To add a form: a function declared in repr.h, a row here. */
static const repr_function forms_by_kind[KIND_COUNT] = {
    [KIND_UNKNOWN] = repr_object,
    [KIND_TYPE] = repr_class,
    [KIND_NONE] = repr_none,
    [KIND_BOOL] = repr_bool,
    [KIND_INT] = repr_int,
    [KIND_FLOAT] = repr_float,
    [KIND_COMPLEX] = repr_complex,
    [KIND_STR] = repr_str,
    [KIND_BYTES] = repr_bytes,
    [KIND_BYTEARRAY] = repr_bytearray,
    [KIND_TUPLE] = repr_tuple,
    [KIND_LIST] = repr_list,
    [KIND_DICT] = repr_dict,
    [KIND_SET] = repr_set,
    [KIND_FROZENSET] = repr_set,
    [KIND_DEQUE] = repr_deque,
    [KIND_ELLIPSIS] = repr_ellipsis,
    [KIND_NOT_IMPLEMENTED] = repr_not_implemented,
    [KIND_RANGE] = repr_range,
    [KIND_SLICE] = repr_slice,
    [KIND_CELL] = repr_cell,
    [KIND_FUNCTION] = repr_function_object,
    [KIND_METHOD] = repr_method,
    [KIND_BUILTIN] = repr_builtin,
    [KIND_CODE] = repr_code,
    [KIND_FRAME] = repr_frame,
    [KIND_TRACEBACK] = repr_object,
    [KIND_GENERATOR] = repr_generator,
    [KIND_COROUTINE] = repr_generator,
    [KIND_ASYNC_GENERATOR] = repr_generator,
    [KIND_MODULE] = repr_module,
    [KIND_EXCEPTION] = repr_exception,
    [KIND_MAPPING_PROXY] = repr_mapping_proxy,
    [KIND_WEAKREF] = repr_weakref,
    [KIND_LOCK] = repr_lock,
    [KIND_RLOCK] = repr_rlock,
    [KIND_ORDERED_DICT] = repr_ordered_dict,
    [KIND_DEFAULT_DICT] = repr_default_dict,
    [KIND_COUNTER] = repr_counter,
    [KIND_DATETIME] = repr_datetime,
    [KIND_DECIMAL] = repr_decimal,
    [KIND_DATE] = repr_date,
    [KIND_TIME] = repr_time,
    [KIND_TIMEDELTA] = repr_timedelta,
    [KIND_TIMEZONE] = repr_timezone,
    [KIND_FRACTION] = repr_fraction,
    [KIND_UUID] = repr_uuid,
    [KIND_NAMESPACE] = repr_namespace,
    [KIND_PARTIAL] = repr_partial,
    [KIND_DICT_KEYS] = repr_dict_view,
    [KIND_DICT_VALUES] = repr_dict_view,
    [KIND_DICT_ITEMS] = repr_dict_view,
    [KIND_MEMORYVIEW] = repr_memoryview,
};

static const repr_function forms_by_class[] = {
    [FORM_KIND] = repr_as_kind,
    [FORM_OVERRIDDEN] = repr_overridden,
    [FORM_DATACLASS] = repr_dataclass,
    [FORM_NAMED_TUPLE] = repr_named_items,
    [FORM_STRUCT_SEQ] = repr_named_items,
    [FORM_ENUM] = repr_enum,
    [FORM_FLAG] = repr_enum,
    [FORM_GLOBAL_ENUM] = repr_enum,
};

void repr_as_kind(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    forms_by_kind[type->kind](repr, type, addr);
}

static void repr_typed(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    if (type->is_exact_kind || (!type->is_heap && type->kind != KIND_TUPLE))
        repr_as_kind(repr, type, addr);
    else
        forms_by_class[class_shape_of(repr->process, type)->form](repr, type, addr);
}

/* Not every form that holds values counts as a container, and a damaged one may
 * hold itself, so values are counted too. */
void repr_value(struct repr *repr, uint64_t addr)
{
    const struct python_type *type;
    if (repr->text->cut)
        return;
    if (!addr || repr->nesting == REPR_NESTING_MAX) {
        text_append(repr->text, addr ? "…" : "<NULL>");
        return;
    }
    enum status status = object_type(repr->process, addr, &type);
    if (status != STATUS_OK) {
        repr_unreadable(repr, "object", addr, status);
        return;
    }
    repr->nesting++;
    repr_typed(repr, type, addr);
    repr->nesting--;
}

void repr_unreadable(struct repr *repr, const char *what, uint64_t addr, enum status status)
{
    text_printf(repr->text, "<%s at " ADDRESS " %s>", what, addr,
                status == STATUS_NOT_IN_DUMP ? "not in the core" : status_name(status));
}

void repr_field(struct repr *repr, uint64_t addr, enum python_field field)
{
    uint64_t value_addr;
    enum status status = field_u64(repr->process, addr, field, &value_addr);
    if (status == STATUS_OK)
        repr_value(repr, value_addr);
    else
        repr_unreadable(repr, "field", addr, status);
}

void repr_field_name(struct repr *repr, uint64_t addr, enum python_field field)
{
    uint64_t name_addr;
    size_t before = repr->text->size;
    if (field_u64(repr->process, addr, field, &name_addr) != STATUS_OK ||
        str_read(repr->process, name_addr, LIMIT_NAME_BYTES, repr->text) != STATUS_OK ||
        repr->text->size == before)
        text_append_char(repr->text, '?');
}

bool repr_array_is_sane(struct repr *repr, uint64_t items_addr, uint64_t count)
{
    uint64_t end;
    return !count || (checked_mul_add_u64(count, 8, items_addr, &end) &&
                      memory_is_mapped(repr->process->image, items_addr) &&
                      memory_is_mapped(repr->process->image, end - 1));
}

static bool is_inside(const struct repr *repr, uint64_t addr)
{
    for (unsigned i = 0; i < repr->depth; i++)
        if (repr->active[i] == addr)
            return true;
    return false;
}

const char *repr_closed(const struct repr *repr, uint64_t addr)
{
    return is_inside(repr, addr) ? "..." : repr->depth >= repr->limits.depth ? "…" : NULL;
}

void repr_push(struct repr *repr, uint64_t addr)
{
    repr->active[repr->depth++] = addr;
}

bool repr_enter(struct repr *repr, uint64_t addr, const char *recursion)
{
    if (recursion && is_inside(repr, addr)) {
        text_append(repr->text, recursion);
        return false;
    }
    if (repr->depth >= repr->limits.depth) {
        text_append(repr->text, "…");
        return false;
    }
    repr_push(repr, recursion ? addr : 0);
    return true;
}

void repr_leave(struct repr *repr)
{
    repr->depth--;
}

bool repr_next_item(struct repr *repr, uint64_t index, uint64_t total)
{
    if (index)
        text_append(repr->text, ", ");
    if (repr->text->cut)
        return false;
    if (index < repr->limits.items)
        return true;
    text_append(repr->text, "…");
    if (total != UINT64_MAX && total > index) {
        text_append_char(repr->text, ' ');
        text_append_count(repr->text, total - index);
        text_append(repr->text, " more");
    }
    return false;
}

void repr_items_end(struct repr *repr, enum status status)
{
    if (status == STATUS_OK)
        return;
    text_printf(repr->text, "<%s>",
                status == STATUS_NOT_IN_DUMP ? "not in the core" : status_name(status));
}

void repr_token(struct repr *repr, const char *kind, uint64_t length, const void *bytes,
                size_t size)
{
    redaction_token(repr->process->redaction, kind, length, bytes, size, repr->text);
}

static struct repr_limits resolve_limits(const struct repr_limits *limits)
{
    struct repr_limits resolved = *limits;
    if (!resolved.depth || resolved.depth > REPR_DEPTH_MAX)
        resolved.depth = REPR_DEPTH_MAX;
    if (!resolved.items)
        resolved.items = UINT32_MAX;
    if (!resolved.string_size)
        resolved.string_size = SIZE_MAX;
    return resolved;
}

void object_repr(struct python_process *process, uint64_t addr, const struct repr_limits *limits,
                 struct text *text)
{
    struct repr repr = {.process = process, .limits = resolve_limits(limits), .text = text};
    size_t before = text->limit, ours;
    bool is_bounded = limits->total_size && !text->cut &&
                      !__builtin_add_overflow(text->size, limits->total_size, &ours) &&
                      (!before || ours < before);
    if (is_bounded)
        text->limit = ours;
    repr_value(&repr, addr);
    text->limit = before;
    if (is_bounded && text->cut) {
        text->cut = false;
        text_append(text, "…");
    }
}
