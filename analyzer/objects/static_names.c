/* SPDX-License-Identifier: Apache-2.0 */
/* Names for static types whose tp_name is not in the dump: a default core holds
 * no read-only data, and then what the modules call a type is all there is. */
#include <inttypes.h>
#include <string.h>

#include "analyzer/objects/type_table.h"
#include "inquest/base/limits.h"

enum { STAGE_NONE, STAGE_KNOWN_MODULES, STAGE_ALL_MODULES };

/* Modules that give their types another module's name; "" is builtins. In this
 * order the known ones are looked through before all others. */
static const struct module_row {
    const char *module, *prefix;
} module_rows[] = {
    {"builtins", ""},
    {"_types", "types"},
    {"types", "types"},
    {"_collections_abc", ""},
    {"_collections", "collections"},
    {"_thread", "_thread"},
    {"_weakref", "weakref"},
    {"_functools", "functools"},
    {"_operator", "operator"},
    {"_datetime", "datetime"},
    {"_decimal", "decimal"},
    {"_zoneinfo", "zoneinfo"},
    {"_signal", "signal"},
    {"_sqlite3", "sqlite3"},
    {"_elementtree", "xml.etree.ElementTree"},
    {"_sre", "re"},
};

/* Types that a module calls otherwise than they call themselves. */
static const struct key_row {
    const char *key, *name;
    unsigned first, last; /* minor versions; 0: all */
} key_rows[] = {
    {"FunctionType", "function", 0, 0},
    {"LambdaType", "function", 0, 0},
    {"MethodType", "method", 0, 0},
    {"CodeType", "code", 0, 0},
    {"_code_type", "code", 0, 0},
    {"FrameType", "frame", 0, 0},
    {"TracebackType", "traceback", 0, 0},
    {"GeneratorType", "generator", 0, 0},
    {"CoroutineType", "coroutine", 0, 0},
    {"AsyncGeneratorType", "async_generator", 0, 0},
    {"BuiltinFunctionType", "builtin_function_or_method", 0, 0},
    {"BuiltinMethodType", "builtin_function_or_method", 0, 0},
    {"ModuleType", "module", 0, 0},
    {"_module_type", "module", 0, 0},
    {"CellType", "cell", 0, 0},
    {"CapsuleType", "PyCapsule", 0, 0},
    {"MappingProxyType", "mappingproxy", 0, 0},
    {"GetSetDescriptorType", "getset_descriptor", 0, 0},
    {"MemberDescriptorType", "member_descriptor", 0, 0},
    {"MethodDescriptorType", "method_descriptor", 0, 0},
    {"ClassMethodDescriptorType", "classmethod_descriptor", 0, 0},
    {"WrapperDescriptorType", "wrapper_descriptor", 0, 0},
    {"MethodWrapperType", "method-wrapper", 0, 0},
    {"NoneType", "NoneType", 0, 0},
    {"EllipsisType", "ellipsis", 0, 0},
    {"NotImplementedType", "NotImplementedType", 0, 0},
    {"LazyImportType", "lazy_import", 0, 0},
    {"FrameLocalsProxyType", "FrameLocalsProxy", 0, 0},
    {"framelocalsproxy", "FrameLocalsProxy", 0, 0},
    {"GenericAlias", "types.GenericAlias", 0, 0},
    {"SimpleNamespace", "types.SimpleNamespace", 0, 0},
    {"UnionType", "types.UnionType", 0, 13},
    {"UnionType", "typing.Union", 14, 0},
    {"LockType", "_thread.lock", 0, 0},
    {"ref", "weakref", 0, 9},
    {"ref", "weakref.ReferenceType", 10, 0},
    {"str_iterator", "str_ascii_iterator", 11, 0},
    {"ArrayType", "array.array", 0, 0},
    {"SocketType", "_socket.socket", 0, 0},
    {"PickleBuffer", "pickle.PickleBuffer", 0, 0},
    {"_deque_iterator", "_collections._deque_iterator", 0, 11},
    {"_deque_reverse_iterator", "_collections._deque_reverse_iterator", 0, 11},
    {"_tuplegetter", "_collections._tuplegetter", 0, 11},
    {"ProxyType", "weakproxy", 0, 9},
    {"CallableProxyType", "weakcallableproxy", 0, 9},
    {"TypeAliasType", "typing.TypeAliasType", 12, 0},
};

/* Types that are known by one of their instances. */
static const struct instance_row {
    const char *module, *key, *name;
} instance_rows[] = {
    {"builtins", "None", "NoneType"},
    {"builtins", "Ellipsis", "ellipsis"},
    {"builtins", "NotImplemented", "NotImplementedType"},
    {"builtins", "len", "builtin_function_or_method"},
    {"_frozen_importlib", "_call_with_frames_removed", "function"},
    {"_datetime", "datetime_CAPI", "PyCapsule"},
    {"_ctypes", "Structure", "_ctypes.PyCStructType"},
    {"_ctypes", "Union", "_ctypes.UnionType"},
    {"_ctypes", "_Pointer", "_ctypes.PyCPointerType"},
    {"_ctypes", "Array", "_ctypes.PyCArrayType"},
    {"_ctypes", "_SimpleCData", "_ctypes.PyCSimpleType"},
    {"_ctypes", "CFuncPtr", "_ctypes.PyCFuncPtrType"},
    {"_typing", "NoDefault", "NoDefaultType"},
    {"typing", "NoDefault", "NoDefaultType"},
    {"_socket", "CAPI", "PyCapsule"},
    {"pyexpat", "expat_CAPI", "PyCapsule"},
    {"sys", "flags", "sys.flags"},
    {"sys", "version_info", "sys.version_info"},
    {"sys", "float_info", "sys.float_info"},
    {"sys", "hash_info", "sys.hash_info"},
    {"sys", "int_info", "sys.int_info"},
    {"sys", "thread_info", "sys.thread_info"},
};

static void learn(struct python_process *process, uint64_t type_addr, const char *name)
{
    if (name && !address_map_put(&process->types->names, type_addr, name))
        process->types->names_stage = STAGE_ALL_MODULES; /* out of memory: leave it at that */
}

static bool modules_dict(const struct python_process *process, uint64_t *ret_dict)
{
    return process->interp_addr &&
           field_u64(process, process->interp_addr, PY_interp_modules, ret_dict) == STATUS_OK &&
           *ret_dict;
}

static bool module_dict(const struct python_process *process, const char *module,
                        uint64_t *ret_dict)
{
    uint64_t modules_addr, module_addr;
    return modules_dict(process, &modules_addr) &&
           dict_get_raw(process, modules_addr, module, &module_addr) == STATUS_OK &&
           field_u64(process, module_addr, PY_module_dict, ret_dict) == STATUS_OK && *ret_dict;
}

static const char *prefix_of(const char *module)
{
    for (size_t i = 0; i < sizeof module_rows / sizeof *module_rows; i++)
        if (strcmp(module_rows[i].module, module) == 0)
            return module_rows[i].prefix;
    return module;
}

static const char *full_name(struct python_process *process, const char *module, uint64_t key_addr)
{
    const char *key, *prefix = prefix_of(module);
    unsigned minor = layout_minor(&process->layout);
    if (str_name_raw(process, key_addr, &key) != STATUS_OK)
        return NULL;
    for (size_t i = 0; i < sizeof key_rows / sizeof *key_rows; i++)
        if (strcmp(key_rows[i].key, key) == 0 && minor >= key_rows[i].first &&
            (!key_rows[i].last || minor <= key_rows[i].last))
            return key_rows[i].name;
    return *prefix ? arena_printf(process->arena, "%s.%s", prefix, key) : key;
}

static bool is_static_type(const struct python_process *process, uint64_t addr)
{
    uint64_t type_addr, flags;
    return field_u64(process, addr, PY_object_type, &type_addr) == STATUS_OK &&
           type_addr == process->types->root_addr &&
           field_u64(process, addr, PY_type_flags, &flags) == STATUS_OK &&
           !(flags & layout_or(&process->layout, PY_constant_tpflags_heaptype, 0));
}

static void learn_module(struct python_process *process, const char *module, uint64_t dict_addr)
{
    struct dict_iterator iterator;
    uint64_t key, value;
    enum status status;
    if (dict_iterate_raw(process, dict_addr, &iterator) != STATUS_OK)
        return;
    while (dict_next_raw(process, &iterator, &key, &value, &status))
        if (is_static_type(process, value) && !address_map_get(&process->types->names, value))
            learn(process, value, full_name(process, module, key));
}

static void learn_instance(struct python_process *process, const struct instance_row *row)
{
    uint64_t dict_addr, value, type_addr;
    if (module_dict(process, row->module, &dict_addr) &&
        dict_get_raw(process, dict_addr, row->key, &value) == STATUS_OK &&
        field_u64(process, value, PY_object_type, &type_addr) == STATUS_OK)
        learn(process, type_addr, row->name);
}

/* contextvars.Token.MISSING is the one instance of its type. */
static void learn_token_missing(struct python_process *process)
{
    uint64_t dict_addr, addr, type_addr, flags;
    if (module_dict(process, "_contextvars", &dict_addr) &&
        dict_get_raw(process, dict_addr, "Token", &addr) == STATUS_OK &&
        is_static_type(process, addr) &&
        field_u64(process, addr, PY_type_flags, &flags) == STATUS_OK &&
        (dict_addr = type_dict_addr(process, addr, flags)) &&
        dict_get_raw(process, dict_addr, "MISSING", &addr) == STATUS_OK &&
        field_u64(process, addr, PY_object_type, &type_addr) == STATUS_OK &&
        is_static_type(process, type_addr))
        learn(process, type_addr, "Token.MISSING");
}

/* What has no name in any module: the type of modules, and that of a function's code. */
static void learn_by_place(struct python_process *process)
{
    uint64_t modules_addr, dict_addr, addr, type_addr;
    if (modules_dict(process, &modules_addr) &&
        dict_get_raw(process, modules_addr, "sys", &addr) == STATUS_OK &&
        field_u64(process, addr, PY_object_type, &type_addr) == STATUS_OK)
        learn(process, type_addr, "module");
    if (module_dict(process, "_frozen_importlib", &dict_addr) &&
        dict_get_raw(process, dict_addr, "_call_with_frames_removed", &addr) == STATUS_OK &&
        field_u64(process, addr, PY_function_code, &addr) == STATUS_OK &&
        field_u64(process, addr, PY_object_type, &type_addr) == STATUS_OK)
        learn(process, type_addr, "code");
    learn_token_missing(process);
}

static void learn_known_modules(struct python_process *process)
{
    uint64_t dict_addr;
    for (size_t i = 0; i < sizeof instance_rows / sizeof *instance_rows; i++)
        learn_instance(process, &instance_rows[i]);
    learn_by_place(process);
    for (size_t i = 0; i < sizeof module_rows / sizeof *module_rows; i++)
        if (module_dict(process, module_rows[i].module, &dict_addr))
            learn_module(process, module_rows[i].module, dict_addr);
}

static void learn_all_modules(struct python_process *process)
{
    struct dict_iterator iterator;
    uint64_t modules_addr, key, module_addr, dict_addr, type_addr, module_type_addr;
    enum status status;
    if (!modules_dict(process, &modules_addr) ||
        dict_get_raw(process, modules_addr, "sys", &module_addr) != STATUS_OK ||
        field_u64(process, module_addr, PY_object_type, &module_type_addr) != STATUS_OK ||
        dict_iterate_raw(process, modules_addr, &iterator) != STATUS_OK)
        return;
    while (dict_next_raw(process, &iterator, &key, &module_addr, &status)) {
        const char *name;
        if (field_u64(process, module_addr, PY_object_type, &type_addr) == STATUS_OK &&
            type_addr == module_type_addr &&
            field_u64(process, module_addr, PY_module_dict, &dict_addr) == STATUS_OK &&
            str_name_raw(process, key, &name) == STATUS_OK)
            learn_module(process, name, dict_addr);
    }
}

const char *static_type_name(struct python_process *process, uint64_t type_addr)
{
    struct type_table *types = process->types;
    const char *name = address_map_get(&types->names, type_addr);
    if (!name && types->names_stage < STAGE_KNOWN_MODULES) {
        types->names_stage = STAGE_KNOWN_MODULES;
        learn_known_modules(process);
        name = address_map_get(&types->names, type_addr);
    }
    if (!name && types->names_stage < STAGE_ALL_MODULES) {
        types->names_stage = STAGE_ALL_MODULES;
        learn_all_modules(process);
        name = address_map_get(&types->names, type_addr);
    }
    if (!name && is_static_type(process, type_addr)) {
        name = static_type_name_by_contents(process, type_addr);
        learn(process, type_addr, name);
    }
    return name;
}
