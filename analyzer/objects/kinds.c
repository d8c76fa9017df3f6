/* SPDX-License-Identifier: Apache-2.0 */
/* Which types have values that we know how to show. A subclass has the kind of
 * its nearest base that has one; tp_flags tell the commonest kinds without any
 * name. */
#include "analyzer/objects/kinds.h"

#include <string.h>

enum made_by { C_STATIC, C_CODE, PYTHON_CODE };

/* made: C_STATIC types are part of the interpreter and never on the heap; C_CODE
 * ones are static in some versions and made on the heap in others; PYTHON_CODE
 * ones are classes of the standard library.
 * To add a row: a kind in object.h, a row here, and a form in repr.c's table. */
static const struct kind_row {
    const char *name;
    enum object_kind kind;
    enum made_by made;
} kind_rows[] = {
    {"type", KIND_TYPE, C_STATIC},
    {"NoneType", KIND_NONE, C_STATIC},
    {"bool", KIND_BOOL, C_STATIC},
    {"int", KIND_INT, C_STATIC},
    {"float", KIND_FLOAT, C_STATIC},
    {"complex", KIND_COMPLEX, C_STATIC},
    {"str", KIND_STR, C_STATIC},
    {"bytes", KIND_BYTES, C_STATIC},
    {"bytearray", KIND_BYTEARRAY, C_STATIC},
    {"tuple", KIND_TUPLE, C_STATIC},
    {"list", KIND_LIST, C_STATIC},
    {"dict", KIND_DICT, C_STATIC},
    {"set", KIND_SET, C_STATIC},
    {"frozenset", KIND_FROZENSET, C_STATIC},
    {"ellipsis", KIND_ELLIPSIS, C_STATIC},
    {"NotImplementedType", KIND_NOT_IMPLEMENTED, C_STATIC},
    {"range", KIND_RANGE, C_STATIC},
    {"slice", KIND_SLICE, C_STATIC},
    {"cell", KIND_CELL, C_STATIC},
    {"function", KIND_FUNCTION, C_STATIC},
    {"method", KIND_METHOD, C_STATIC},
    {"builtin_function_or_method", KIND_BUILTIN, C_STATIC},
    {"code", KIND_CODE, C_STATIC},
    {"frame", KIND_FRAME, C_STATIC},
    {"traceback", KIND_TRACEBACK, C_STATIC},
    {"generator", KIND_GENERATOR, C_STATIC},
    {"coroutine", KIND_COROUTINE, C_STATIC},
    {"async_generator", KIND_ASYNC_GENERATOR, C_STATIC},
    {"module", KIND_MODULE, C_STATIC},
    {"BaseException", KIND_EXCEPTION, C_STATIC},
    {"mappingproxy", KIND_MAPPING_PROXY, C_STATIC},
    {"memoryview", KIND_MEMORYVIEW, C_STATIC},
    {"dict_keys", KIND_DICT_KEYS, C_STATIC},
    {"dict_values", KIND_DICT_VALUES, C_STATIC},
    {"dict_items", KIND_DICT_ITEMS, C_STATIC},
    {"weakref", KIND_WEAKREF, C_STATIC},
    {"weakref.ReferenceType", KIND_WEAKREF, C_STATIC},
    {"types.SimpleNamespace", KIND_NAMESPACE, C_STATIC},
    {"collections.OrderedDict", KIND_ORDERED_DICT, C_STATIC},
    {"collections.defaultdict", KIND_DEFAULT_DICT, C_CODE},
    {"collections.Counter", KIND_COUNTER, PYTHON_CODE},
    {"collections.deque", KIND_DEQUE, C_CODE},
    {"functools.partial", KIND_PARTIAL, C_CODE},
    {"_thread.lock", KIND_LOCK, C_CODE},
    {"_thread.RLock", KIND_RLOCK, C_CODE},
    {"datetime.datetime", KIND_DATETIME, C_CODE},
    {"datetime.date", KIND_DATE, C_CODE},
    {"datetime.time", KIND_TIME, C_CODE},
    {"datetime.timedelta", KIND_TIMEDELTA, C_CODE},
    {"datetime.timezone", KIND_TIMEZONE, C_CODE},
    {"decimal.Decimal", KIND_DECIMAL, C_CODE},
    {"fractions.Fraction", KIND_FRACTION, PYTHON_CODE},
    {"uuid.UUID", KIND_UUID, PYTHON_CODE},
};

/* A class statement leaves __slots__, a managed dictionary, or the two words for
 * dictionary and weak references behind the object's head. */
static bool looks_made_by_python(const struct python_layout *layout, const struct type_entry *entry)
{
    uint64_t managed = layout_or(layout, PY_constant_tpflags_managed_dict, 0);
    return entry->slots_addr || entry->type.flags & managed ||
           (entry->type.dictoffset && entry->type.basicsize <= 32);
}

enum object_kind kind_by_name(const struct python_process *process, const struct type_entry *entry)
{
    for (size_t i = 0; i < sizeof kind_rows / sizeof *kind_rows; i++) {
        const struct kind_row *row = &kind_rows[i];
        if (strcmp(row->name, entry->type.name) != 0)
            continue;
        bool by_python = entry->type.is_heap && looks_made_by_python(&process->layout, entry);
        if (row->made == C_STATIC ? entry->type.is_heap : row->made == C_CODE && by_python)
            return KIND_UNKNOWN;
        return row->kind;
    }
    return KIND_UNKNOWN;
}

static const struct {
    enum python_field flag;
    enum object_kind kind;
} flag_rows[] = {
    {PY_constant_tpflags_long_subclass, KIND_INT},
    {PY_constant_tpflags_list_subclass, KIND_LIST},
    {PY_constant_tpflags_tuple_subclass, KIND_TUPLE},
    {PY_constant_tpflags_bytes_subclass, KIND_BYTES},
    {PY_constant_tpflags_unicode_subclass, KIND_STR},
    {PY_constant_tpflags_dict_subclass, KIND_DICT},
    {PY_constant_tpflags_exception_subclass, KIND_EXCEPTION},
    {PY_constant_tpflags_type_subclass, KIND_TYPE},
};

enum object_kind kind_by_flags(const struct python_layout *layout, uint64_t flags)
{
    for (size_t i = 0; i < sizeof flag_rows / sizeof *flag_rows; i++)
        if (flags & layout_or(layout, flag_rows[i].flag, 0))
            return flag_rows[i].kind;
    return KIND_UNKNOWN;
}
