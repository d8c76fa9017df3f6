/* SPDX-License-Identifier: Apache-2.0 */
/* The builtin types that CPython implements in C, by Objects and Python of each
 * version. references_plan.h says how a row is read; a newer release that moved
 * fields has another basicsize, hence needs rows of its own.
 * To add a row: the type's names, its basicsize and words here (or, of an extension
 * module, in references_library.c), and an instance in tests/live/programs/zoo*.py. */
#include <string.h>

#include "analyzer/objects/references_plan.h"

#define ANY          0, 0
#define SINCE(minor) minor, 0
#define UNTIL(minor) 0, minor

/* PyBaseExceptionObject; notes since 3.11 */
#define EXCEPTION_OLD "__dict__ args __traceback__ __context__ __cause__ -"
#define EXCEPTION_NEW "__dict__ args __notes__ __traceback__ __context__ __cause__ -"
#define FUNCTION_10                                                                                \
    "__globals__ __builtins__ __name__ __qualname__ __code__ __defaults__ __kwdefaults__ "         \
    "__closure__ __doc__ __dict__ - __module__ __annotations__"
#define DESCRIPTOR "__objclass__ (__name__) (__qualname__)"

#define SEQUENCE_ITERATORS                                                                         \
    "iterator|list_iterator|list_reverseiterator|tuple_iterator|str_iterator|"                     \
    "str_ascii_iterator|bytes_iterator|bytearray_iterator|reversed|arrayiterator|"                 \
    "array.arrayiterator"
#define DICT_ITERATORS                                                                             \
    "dict_keyiterator|dict_valueiterator|dict_itemiterator|dict_reversekeyiterator|"               \
    "dict_reversevalueiterator|dict_reverseitemiterator"

const struct reference_row reference_rows_builtin[] = {
    {"object", 16, ANY, "", NULL, NULL},
    {"NoneType|NotImplementedType|ellipsis|NoDefaultType|typing.NoDefaultType|Token.MISSING", 0,
     ANY, "", NULL, NULL},
    {"int|bool", 0, ANY, "", NULL, size_int},
    {"float|complex|bytes", 0, ANY, "", NULL, NULL},
    {"str", 0, ANY, "", NULL, size_str},
    {"bytearray", 56, ANY, "", NULL, size_bytearray},
    {"bytearray", 64, ANY, "-5 (<bytes>)", NULL, size_bytearray},
    {"list", 40, ANY, "", visit_list, size_list},
    {"tuple", 0, ANY, "", visit_tuple, NULL},
    {"set|frozenset", 200, ANY, "", visit_set, size_set},
    {"dict|frozendict", 0, ANY, "", visit_dict, size_dict},
    {"collections.OrderedDict", 112, ANY, "", visit_ordered_dict, size_ordered_dict},
    {"collections.defaultdict", 56, ANY, "-4 default_factory", visit_dict, size_dict},
    {"odict_keys|odict_values|odict_items|dict_keys|dict_values|dict_items", 24, ANY, "<dict>",
     NULL, NULL},
    {DICT_ITERATORS, 56, ANY, "<dict> -2 <result>", NULL, NULL},
    {"odict_iterator", 64, ANY, "- <dict> -2 <result> <key>", NULL, NULL},
    {"set_iterator", 48, ANY, "<set>", NULL, NULL},
    {SEQUENCE_ITERATORS, 32, ANY, "- <sequence>", NULL, NULL},
    {"arrayiterator|array.arrayiterator", 40, ANY, "- <array>", NULL, NULL},
    {"memory_iterator", 48, ANY, "- <view>", NULL, NULL},
    {"callable_iterator", 32, ANY, "<callable> <sentinel>", NULL, NULL},
    {"range", 48, ANY, "start stop step <length>", NULL, NULL},
    {"range_iterator", 0, ANY, "", NULL, NULL},
    {"longrange_iterator", 48, ANY, "<index> <start> <step> <length>", NULL, NULL},
    {"longrange_iterator", 40, ANY, "<start> <step> <length>", NULL, NULL},
    {"slice", 40, ANY, "start stop step", NULL, NULL},
    {"map", 0, ANY, "<iterators> <function>", NULL, NULL},
    {"zip", 0, ANY, "- <iterators> <result>", NULL, NULL},
    {"filter", 32, ANY, "<function> <iterator>", NULL, NULL},
    {"enumerate", 0, ANY, "- <iterator> <result> <count>", NULL, NULL},
    {"memoryview", 144, ANY, "- <buffer>", NULL, NULL},
    {"managedbuffer", 112, ANY, "-3 obj", NULL, NULL},
    {"_buffer_wrapper", 32, ANY, "<object> obj", NULL, NULL},
    {"type", 0, ANY, "", visit_type, size_type},
    {"module", 56, ANY, "__dict__ -3 (__name__)", visit_module, NULL},
    {"module", 104, ANY, "__dict__ -2 (__name__)", visit_module, NULL},
    {"PyCapsule", 48, ANY, "", NULL, NULL},
    {"PyCapsule", 64, ANY, "", visit_capsule, NULL},
    {"moduledef", 0, ANY, "-2 (<copy>)", NULL, NULL},
    {"sentinel", 40, ANY, "__name__ __module__ <repr>", NULL, NULL},
    {"cell", 24, ANY, "cell_contents", NULL, NULL},
    {"function", 120, ANY,
     "__code__ __globals__ __defaults__ __kwdefaults__ __closure__ __doc__ __name__ __dict__ - "
     "__module__ __annotations__ __qualname__",
     NULL, NULL},
    {"function", 128, ANY, FUNCTION_10, NULL, NULL},
    {"function", 136, ANY, FUNCTION_10, NULL, NULL},
    {"function", 144, ANY, FUNCTION_10 " __type_params__", NULL, NULL},
    {"function", 152, ANY, FUNCTION_10 " __annotate__ __type_params__", NULL, NULL},
    {"method", 48, ANY, "__func__ __self__", NULL, NULL},
    {"instancemethod", 24, ANY, "__func__", NULL, NULL},
    {"builtin_function_or_method", 56, ANY, "- __self__ __module__", NULL, NULL},
    {"builtin_method", 64, ANY, "- __self__ __module__ -2 <class>", NULL, NULL},
    {"classmethod|staticmethod", 32, ANY, "__func__", NULL, NULL},
    {"property", 56, ANY, "fget fset fdel __doc__", NULL, NULL},
    {"property", 64, ANY, "fget fset fdel __doc__ __name__", NULL, NULL},
    {"super", 40, ANY, "__thisclass__ __self__ __self_class__", NULL, NULL},
    {"getset_descriptor|member_descriptor", 48, ANY, DESCRIPTOR, NULL, NULL},
    {"method_descriptor|classmethod_descriptor|wrapper_descriptor", 56, ANY, DESCRIPTOR, NULL,
     NULL},
    {"method-wrapper", 32, ANY, "<descriptor> __self__", NULL, NULL},
    {"mappingproxy", 24, ANY, "<mapping>", NULL, NULL},
    {"types.SimpleNamespace", 24, ANY, "", NULL, NULL},
    {"weakref|weakproxy|weakcallableproxy|weakref.ReferenceType|weakref.ProxyType|"
     "weakref.CallableProxyType",
     0, ANY, "~referent __callback__", NULL, NULL},
    {"code", 0, ANY, "", visit_code, size_code},
    {"line_iterator|positions_iterator", 0, ANY, "<code>", NULL, NULL},
    {"frame", 368, ANY, "- f_back f_code f_builtins f_globals f_locals -2 f_trace", visit_frame,
     size_frame},
    {"frame", 360, ANY, "- f_back f_code f_builtins f_globals f_locals - f_trace", visit_frame,
     size_frame},
    {"frame", 120, ANY, "f_back - f_trace", visit_frame, size_frame},
    {"frame", 136, ANY, "f_back - f_trace - <extra_locals> <locals>", visit_frame, size_frame},
    {"frame", 152, ANY, "f_back - f_trace - <extra_locals> <locals> <overwritten_locals>",
     visit_frame, size_frame},
    {"FrameLocalsProxy", 24, ANY, "<frame>", NULL, NULL},
    {"traceback", 40, ANY, "tb_next tb_frame", NULL, NULL},
    {"generator", 96, ANY,
     "gi_frame - gi_code - __name__ __qualname__ <exception_type> <exception> <traceback>", NULL,
     NULL},
    {"generator", 88, ANY,
     "gi_frame gi_code - __name__ __qualname__ <exception_type> <exception> <traceback>", NULL,
     NULL},
    {"coroutine", 104, ANY,
     "cr_frame - cr_code - __name__ __qualname__ <exception_type> <exception> <traceback> - "
     "(cr_origin)",
     NULL, NULL},
    {"coroutine", 96, ANY,
     "cr_frame cr_code - __name__ __qualname__ <exception_type> <exception> <traceback> - "
     "(cr_origin)",
     NULL, NULL},
    {"async_generator", 120, ANY,
     "ag_frame - ag_code - __name__ __qualname__ <exception_type> <exception> <traceback> - "
     "<finalizer>",
     NULL, NULL},
    {"async_generator", 112, ANY,
     "ag_frame ag_code - __name__ __qualname__ <exception_type> <exception> <traceback> - "
     "<finalizer>",
     NULL, NULL},
    {"generator", 152, UNTIL(11), "gi_code - __name__ __qualname__ <exception>", visit_generator,
     size_generator},
    {"coroutine", 152, UNTIL(11), "cr_code - __name__ __qualname__ <exception> - (cr_origin)",
     visit_generator, size_generator},
    {"async_generator", 152, UNTIL(11), "ag_code - __name__ __qualname__ <exception> - <finalizer>",
     visit_generator, size_generator},
    {"generator", 0, SINCE(12), "- __name__ __qualname__ <exception>", visit_generator,
     size_generator},
    {"coroutine", 0, SINCE(12), "- __name__ __qualname__ <exception> - (cr_origin)",
     visit_generator, size_generator},
    {"async_generator", 0, SINCE(12), "- __name__ __qualname__ <exception> - <finalizer>",
     visit_generator, size_generator},
    {"coroutine_wrapper", 24, ANY, "<coroutine>", NULL, NULL},
    {"async_generator_asend", 40, ANY, "<generator> <value>", NULL, NULL},
    {"async_generator_athrow", 40, ANY, "<generator> <arguments>", NULL, NULL},
    {"async_generator_athrow", 56, ANY, "<generator> <type> <value> <traceback>", NULL, NULL},
    {"async_generator_wrapped_value", 24, ANY, "<value>", NULL, NULL},
    {"anext_awaitable", 32, ANY, "<iterator> <default>", NULL, NULL},
    {"types.GenericAlias", 48, ANY, "__origin__ __args__ __parameters__", NULL, NULL},
    {"types.GenericAlias", 64, ANY, "__origin__ __args__ __parameters__", NULL, NULL},
    {"generic_alias_iterator", 24, ANY, "<alias>", NULL, NULL},
    {"types.UnionType", 32, ANY, "__args__ __parameters__", NULL, NULL},
    {"typing.Union", 56, ANY, "__args__ <hashable> <unhashable> __parameters__", NULL, NULL},
    {"typing.TypeAliasType|_typing.TypeAliasType", 56, ANY,
     "__name__@14 __type_params__ <compute_value> __value__ __module__", NULL, NULL},
    {"typing.TypeAliasType|_typing.TypeAliasType", 64, ANY,
     "__name__ __qualname__ __type_params__ <compute_value> __value__ __module__", NULL, NULL},
    {"typing.TypeVar", 64, ANY,
     "__name__@14 __bound__ <evaluate_bound> __constraints__ <evaluate_constraints>", NULL, NULL},
    {"typing.TypeVar", 80, ANY,
     "__name__@14 __bound__ <evaluate_bound> __constraints__ <evaluate_constraints> __default__ "
     "<evaluate_default>",
     NULL, NULL},
    {"typing.ParamSpec", 40, ANY, "__name__@14 __bound__", NULL, NULL},
    {"typing.ParamSpec", 56, ANY, "__name__@14 __bound__ __default__ <evaluate_default>", NULL,
     NULL},
    {"typing.ParamSpecArgs|typing.ParamSpecKwargs", 24, ANY, "!type __origin__", NULL, NULL},
    {"typing.TypeVarTuple", 24, ANY, "__name__@14", NULL, NULL},
    {"typing.TypeVarTuple", 40, ANY, "__name__@14 __default__ <evaluate_default>", NULL, NULL},
    {"typing.TypeVarTuple", 56, ANY, "__name__ __bound__ __default__ <evaluate_default>", NULL,
     NULL},
    {"_typing._ConstEvaluator|typing._ConstEvaluator", 24, ANY, "<value>", NULL, NULL},
    {"typing.Generic", 16, ANY, "", NULL, NULL},
    {"string.templatelib.Template", 32, ANY, "strings interpolations", NULL, NULL},
    {"string.templatelib.Interpolation", 48, ANY, "value expression conversion format_spec", NULL,
     NULL},
    {"string.templatelib.TemplateIter", 40, ANY, "<strings> <interpolations>", NULL, NULL},
    {"sentinel", 40, ANY, "__name__ __module__", NULL, NULL},
    {"lazy_import", 56, ANY, "<builtins> <from> <attribute> <code>", NULL, NULL},
    {"symtable entry", 0, ANY, "id symbols name varnames children <directives>", NULL, NULL},
    {"BaseException", 64, ANY, EXCEPTION_OLD, NULL, NULL},
    {"BaseException", 72, ANY, EXCEPTION_NEW, NULL, NULL},
    {"StopIteration", 72, ANY, EXCEPTION_OLD " value", NULL, NULL},
    {"StopIteration", 80, ANY, EXCEPTION_NEW " value", NULL, NULL},
    {"SystemExit", 72, ANY, EXCEPTION_OLD " code", NULL, NULL},
    {"SystemExit", 80, ANY, EXCEPTION_NEW " code", NULL, NULL},
    {"OSError", 104, ANY, EXCEPTION_OLD " errno strerror filename filename2", NULL, NULL},
    {"OSError", 112, ANY, EXCEPTION_NEW " errno strerror filename filename2", NULL, NULL},
    {"ImportError", 88, ANY, EXCEPTION_OLD " msg name path", NULL, NULL},
    {"ImportError", 96, ANY, EXCEPTION_NEW " msg name path", NULL, NULL},
    {"ImportError", 104, ANY, EXCEPTION_NEW " msg name path name_from", NULL, NULL},
    {"UnicodeDecodeError|UnicodeEncodeError|UnicodeTranslateError", 104, ANY,
     EXCEPTION_OLD " encoding object -2 reason", NULL, NULL},
    {"UnicodeDecodeError|UnicodeEncodeError|UnicodeTranslateError", 112, ANY,
     EXCEPTION_NEW " encoding object -2 reason", NULL, NULL},
    {"SyntaxError", 112, ANY, EXCEPTION_OLD " msg filename lineno offset text print_file_and_line",
     NULL, NULL},
    {"SyntaxError", 128, ANY,
     EXCEPTION_OLD " msg filename lineno offset end_lineno end_offset text print_file_and_line",
     NULL, NULL},
    {"SyntaxError", 136, ANY,
     EXCEPTION_NEW " msg filename lineno offset end_lineno end_offset text print_file_and_line",
     NULL, NULL},
    {"SyntaxError", 144, ANY,
     EXCEPTION_NEW " msg filename lineno offset end_lineno end_offset text print_file_and_line "
                   "<metadata>",
     NULL, NULL},
    {"NameError", 72, ANY, EXCEPTION_OLD " name", NULL, NULL},
    {"NameError", 80, ANY, EXCEPTION_NEW " name", NULL, NULL},
    {"AttributeError", 80, ANY, EXCEPTION_OLD " obj name", NULL, NULL},
    {"AttributeError", 88, ANY, EXCEPTION_NEW " obj name", NULL, NULL},
    {"BaseExceptionGroup", 88, ANY, EXCEPTION_NEW " message exceptions", NULL, NULL},
    {"BaseExceptionGroup", 96, ANY, EXCEPTION_NEW " message exceptions <exceptions_text>", NULL,
     NULL},
};
const size_t reference_rows_builtin_count =
    sizeof reference_rows_builtin / sizeof *reference_rows_builtin;

/* Whether `name` is one of the names between bars. */
static bool is_among(const char *names, const char *name)
{
    size_t size = strlen(name);
    for (const char *next = names; *next; next += *next == '|') {
        size_t there = strcspn(next, "|");
        if (there == size && memcmp(next, name, size) == 0)
            return true;
        next += there;
    }
    return false;
}

static const struct reference_row *find(const struct reference_row *rows, size_t count,
                                        const char *name, int64_t basicsize, unsigned minor)
{
    for (size_t i = 0; i < count; i++) {
        const struct reference_row *row = &rows[i];
        if ((!row->basicsize || row->basicsize == basicsize) &&
            (!row->since || minor >= row->since) && (!row->until || minor <= row->until) &&
            is_among(row->names, name))
            return row;
    }
    return NULL;
}

const struct reference_row *reference_row_find(const char *name, int64_t basicsize, unsigned minor)
{
    const struct reference_row *row =
        find(reference_rows_builtin, reference_rows_builtin_count, name, basicsize, minor);
    return row ? row
               : find(reference_rows_library, reference_rows_library_count, name, basicsize, minor);
}
