/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_PYTHON_FIELDS_H
#define INQUEST_FORMATS_PYTHON_FIELDS_H

/* One X(name) per number; see python_layout.h. A field that a version does not
 * have is absent in its table. How the fields are read:
 *
 * - `..._before_object` and `values_..._before` are distances in bytes in front
 *   of the object (of the values array), so that the number stays positive.
 * - keys_size_or_log2: an int64 count of slots up to 3.10 (no keys_kind there);
 *   from 3.11 on a byte, the logarithm of the count. keys_kind (byte): 0 general
 *   entries (hash, key, value), 1 unicode entries (key, value), 2 unicode
 *   entries of keys shared by instances. The entries follow the index table:
 *   keys_indices + (1 << log2_index_bytes), or up to 3.10 keys_indices + slots *
 *   (slots <= 0xff ? 1 : slots <= 0xffff ? 2 : slots <= 0xffffffff ? 4 : 8).
 * - keys_lookup, up to 3.10, is the function of a dict; one of them means general
 *   entries whose keys may be no str.
 * - dict_values points to the values of a split dict: an array up to 3.12, where
 *   in 3.11 and 3.12 the bytes in front of it are the prefix's size, the count of
 *   values (values_size_before) and, going down from values_order_before, the
 *   index of each value in order of insertion; from 3.13 on a header (capacity,
 *   size, embedded, valid, a byte each), the array at values_array, and the order
 *   bytes right behind `capacity` entries of it.
 * - An instance whose type has constant_tpflags_managed_dict: 3.11 has a word for
 *   the dict and one for the values; 3.12 one word for both, which is the address
 *   of the values less 1 where its lowest bit is set (constant_managed_values_tag);
 *   from 3.13 on a word for the dict, and where the type has
 *   constant_tpflags_inline_values, the values at the type's basicsize.
 * - iframe_instr is an address of a code unit of 2 bytes; the last instruction is
 *   (it - (code + code_adaptive)) / 2, in every version from 3.11 on.
 * - With constant_stackref_tag_mask (3.14 on), iframe_code, iframe_function, the
 *   locals and the stack are tagged words: constant_stackref_null is no object,
 *   nor are words whose tag is 2 or 3; else the tag is masked off.
 * - Static types from 3.12 on keep tp_dict and tp_subclasses in the interpreter,
 *   at interp_static_types + (n - 1) * interp_static_type_size, where n is what
 *   their type_subclasses holds; from 3.13 on an n - 1 of interp_static_type_count
 *   or more counts in interp_datetime_types from there.
 * - lock_locked: its lowest bit says locked. rlock_count counts all acquisitions,
 *   rlock_level (3.14 on) those past the first, while rlock_locked's bit is set.
 *   Patch releases changed locks: believe these where the type's basicsize is
 *   lock_size, rlock_size.
 * - A module's state is module_state_size bytes (3.15 on), or as many as its module_def
 *   says; code_cached points to 4 objects, any of them NULL, code_cached_code is one.
 * - decimal_words points to decimal_len words of 19 decimal digits, least first.
 * - gc_stats is an array of a gcstats_size each a generation, up to 3.14; in 3.15
 *   gc_stats_pointer leads to rings: of the youngest at its start, with the index of
 *   the newest (a byte) at gcstats_young_index; of the others gcstats_old_size bytes
 *   each from gcstats_old on, with the index at gcstats_old_index.
 * - Entries of a bitmap or collision node from hamt_items on are pairs (variable,
 *   value), or (NULL, node); an array node has hamt_array_size and 32 children.
 * - hashtable_buckets points to hashtable_bucket_count lists of entries, each
 *   linked through its first word. trace_frames are newest first.
 * - constant_gen_... are the byte in gen_state (frame_state in 3.10): -1 is 255. */
/* clang-format off */
#define PYTHON_FIELDS                                                                              \
    /* PyObject, PyVarObject */                                                                    \
    X(object_refcnt) X(object_type) X(object_size) X(var_size)                                     \
    /* PyTypeObject, PyHeapTypeObject */                                                           \
    X(type_name) X(type_basicsize) X(type_itemsize) X(type_flags) X(type_getset) X(type_members)   \
    X(type_methods) X(type_dict) X(type_base) X(type_bases) X(type_mro) X(type_dictoffset)         \
    X(type_weaklistoffset) X(type_cache) X(type_subclasses) X(type_weaklist) X(type_size)          \
    X(heaptype_name) X(heaptype_qualname) X(heaptype_slots) X(heaptype_module)                     \
    X(heaptype_cached_keys) X(heaptype_size) X(type_traverse) X(type_dealloc)                      \
    X(type_finalize) X(type_del)                                                                   \
    /* PyUnicode: state bits; data follows the ascii or compact header */                          \
    X(unicode_length) X(unicode_hash) X(unicode_state) X(unicode_kind_shift)                       \
    X(unicode_kind_mask) X(unicode_compact_shift) X(unicode_ascii_shift) X(unicode_utf8)           \
    X(unicode_utf8_length) X(unicode_data_any) X(unicode_ascii_header_size)                        \
    X(unicode_compact_header_size) X(unicode_size) X(unicode_interned_shift)                       \
    X(unicode_interned_mask) X(unicode_ready_shift) X(unicode_wstr) X(unicode_wstr_length)         \
    /* bytes, bytearray, numbers */                                                                \
    X(bytes_data) X(bytearray_start) X(bytearray_alloc) X(float_value) X(complex_value)            \
    X(long_digits) X(long_tag) X(long_digit_bits)                                                  \
    X(decimal_flags) X(decimal_exponent) X(decimal_digits) X(decimal_len) X(decimal_words)         \
    X(constant_decimal_negative) X(constant_decimal_infinite) X(constant_decimal_nan)              \
    X(constant_decimal_snan)                                                                       \
    /* tuple, list, set, slice, range, cell */                                                     \
    X(tuple_items) X(list_items) X(list_allocated) X(set_fill) X(set_used) X(set_mask)             \
    X(set_table) X(set_entry_key) X(set_entry_size) X(slice_start) X(slice_stop) X(slice_step)     \
    X(range_start) X(range_stop) X(range_step) X(range_length) X(cell_contents)                    \
    /* dict */                                                                                     \
    X(dict_used) X(dict_keys) X(dict_values) X(keys_size_or_log2) X(keys_log2_index_bytes)         \
    X(keys_lookup)                                                                                 \
    X(keys_kind) X(keys_usable) X(keys_nentries) X(keys_indices) X(keys_refcnt)                    \
    X(keys_entry_size) X(keys_entry_hash) X(keys_entry_key) X(keys_entry_value)                    \
    X(keys_unicode_entry_size) X(keys_unicode_entry_key) X(keys_unicode_entry_value)               \
    X(values_array) X(values_capacity) X(values_size) X(values_embedded) X(values_valid)           \
    X(values_prefix_before) X(values_size_before) X(values_order_before)                           \
    /* managed dict: a slot before the object, from 3.11; inline values from 3.13 */               \
    X(managed_dict_before_object) X(managed_values_before_object)                                  \
    X(managed_weakref_before_object) X(constant_managed_values_tag)                                \
    /* deque (blocks of deque_block_length), OrderedDict, defaultdict, partial, datetime */        \
    X(deque_left_block) X(deque_right_block) X(deque_left_index) X(deque_right_index)              \
    X(deque_maxlen) X(deque_size) X(deque_block_left) X(deque_block_right) X(deque_block_data)     \
    X(deque_block_length)                                                                          \
    X(odict_first) X(odictnode_key) X(odictnode_next) X(defaultdict_factory)                       \
    X(partial_function) X(partial_args) X(partial_keywords)                                        \
    X(date_data) X(datetime_data) X(datetime_has_tzinfo) X(datetime_fold) X(datetime_tzinfo)       \
    X(time_data) X(time_has_tzinfo) X(time_fold) X(time_tzinfo)                                    \
    X(timedelta_days) X(timedelta_seconds) X(timedelta_microseconds)                               \
    /* function, method, cfunction, descriptors, module, ... */                                    \
    X(function_globals) X(function_name) X(function_qualname) X(function_code)                     \
    X(function_defaults) X(function_kwdefaults) X(function_closure) X(function_doc)                \
    X(function_dict) X(function_module) X(function_annotations) X(method_function)                 \
    X(method_self) X(cfunction_def) X(cfunction_self) X(cfunction_module) X(methoddef_name)        \
    X(methoddef_flags) X(methoddef_size)                                                           \
    X(descr_type) X(descr_name) X(descr_qualname) X(memberdescr_def) X(memberdef_name)             \
    X(memberdef_type) X(memberdef_offset) X(memberdef_flags) X(memberdef_size)                     \
    X(module_dict) X(module_name) X(module_size) X(mappingproxy_mapping) X(weakref_object)         \
    X(module_def) X(module_state) X(module_state_size) X(module_state_traverse)                    \
    X(moduledef_state_size) X(moduledef_traverse)                                                  \
    X(weakref_callback) X(property_get) X(property_set) X(property_delete)                         \
    X(staticmethod_callable) X(classmethod_callable)                                               \
    X(lock_lock) X(lock_locked) X(lock_size) X(rlock_owner) X(rlock_count) X(rlock_level)          \
    X(rlock_locked) X(rlock_size)                                                                  \
    /* code */                                                                                     \
    X(code_argcount) X(code_posonlyargcount) X(code_kwonlyargcount) X(code_nlocals)                \
    X(code_stacksize) X(code_flags) X(code_firstlineno) X(code_filename) X(code_name)              \
    X(code_qualname) X(code_lnotab) X(code_linetable) X(code_code) X(code_adaptive)                \
    X(code_varnames) X(code_cellvars) X(code_freevars) X(code_cell2arg) X(code_nlocalsplus)        \
    X(code_localsplusnames) X(code_localspluskinds) X(code_names) X(code_consts)                   \
    X(code_exceptiontable) X(code_ncellvars) X(code_nfreevars) X(code_framesize)                   \
    X(code_firsttraceable) X(code_size) X(code_extra) X(code_cached_code) X(code_cached)           \
    X(code_opcache) X(code_opcache_count) X(code_opcache_size)                                     \
    X(constant_local_hidden) X(constant_local_local) X(constant_local_cell) X(constant_local_free) \
    /* PyFrameObject up to 3.10; frame objects that wrap _PyInterpreterFrame from 3.11 */          \
    X(frame_back) X(frame_code) X(frame_globals) X(frame_locals) X(frame_builtins)                 \
    X(frame_valuestack) X(frame_stacktop) X(frame_stackdepth) X(frame_lasti) X(frame_lineno)       \
    X(frame_trace) X(frame_state) X(frame_executing) X(frame_gen) X(frame_localsplus)              \
    X(frame_iblock) X(frame_frame) X(frame_embedded) X(frame_size)                                 \
    /* _PyInterpreterFrame, from 3.11 */                                                           \
    X(iframe_code) X(iframe_previous) X(iframe_function) X(iframe_globals) X(iframe_builtins)      \
    X(iframe_locals) X(iframe_object) X(iframe_instr) X(iframe_stacktop) X(iframe_stackpointer)    \
    X(iframe_return_offset) X(iframe_is_entry) X(iframe_owner) X(iframe_localsplus)                \
    X(iframe_size)                                                                                 \
    X(constant_owner_thread) X(constant_owner_generator) X(constant_owner_frame_object)            \
    X(constant_owner_cstack) X(constant_owner_interpreter)                                         \
    X(constant_stackref_null) X(constant_stackref_tag_mask)                                        \
    /* generators, coroutines, async generators */                                                 \
    X(gen_frame) X(gen_running) X(gen_code) X(gen_name) X(gen_qualname) X(gen_exc_state)           \
    X(gen_origin) X(gen_state) X(gen_iframe) X(gen_size)                                           \
    X(constant_gen_created) X(constant_gen_suspended) X(constant_gen_suspended_yield_from)         \
    X(constant_gen_executing) X(constant_gen_completed) X(constant_gen_cleared)                    \
    /* exceptions, tracebacks */                                                                   \
    X(exception_dict) X(exception_args) X(exception_notes) X(exception_traceback)                  \
    X(exception_context) X(exception_cause) X(exception_suppress) X(exception_size)                \
    X(group_message) X(group_exceptions) X(stopiteration_value) X(systemexit_code)                 \
    X(oserror_errno) X(oserror_strerror) X(oserror_filename) X(oserror_filename2)                  \
    X(oserror_written) X(syntaxerror_message) X(syntaxerror_filename) X(syntaxerror_lineno)        \
    X(syntaxerror_offset) X(syntaxerror_text)                                                      \
    X(unicodeerror_encoding) X(unicodeerror_object) X(unicodeerror_start) X(unicodeerror_end)      \
    X(unicodeerror_reason) X(importerror_message) X(importerror_name)                              \
    X(nameerror_name) X(attributeerror_object) X(attributeerror_name)                              \
    X(traceback_next) X(traceback_frame) X(traceback_lasti) X(traceback_lineno)                    \
    /* thread state; _PyErr_StackItem; _PyCFrame of 3.11 and 3.12 */                               \
    X(thread_prev) X(thread_next) X(thread_interp) X(thread_frame) X(thread_cframe)                \
    X(thread_current_frame) X(thread_base_frame) X(thread_recursion_depth) X(thread_status)        \
    X(thread_curexc_type) X(thread_curexc_value) X(thread_curexc_traceback)                        \
    X(thread_current_exception) X(thread_exc_state) X(thread_exc_info) X(thread_dict)              \
    X(thread_id) X(thread_native_id) X(thread_context) X(thread_async_exc)                         \
    X(thread_datastack_chunk) X(thread_datastack_top) X(thread_holds_gil) X(thread_size)           \
    X(constant_status_initialized_mask) X(constant_status_bound_mask)                              \
    X(constant_status_active_mask) X(constant_status_holds_gil_mask)                               \
    X(constant_status_finalizing_mask) X(constant_status_finalized_mask)                           \
    X(stackchunk_previous) X(stackchunk_size) X(stackchunk_top) X(stackchunk_data)                 \
    X(excinfo_type) X(excinfo_value) X(excinfo_traceback) X(excinfo_previous)                      \
    X(cframe_current_frame) X(cframe_previous)                                                     \
    /* interpreter state */                                                                        \
    X(interp_next) X(interp_id) X(interp_threads_head) X(interp_threads_main) X(interp_runtime)    \
    X(interp_modules) X(interp_sysdict) X(interp_builtins) X(interp_gc) X(interp_ceval_gil)        \
    X(interp_gil) X(interp_dict) X(interp_finalizing) X(interp_size)                               \
    X(interp_static_types) X(interp_static_type_size) X(interp_static_type_type)                   \
    X(interp_static_type_dict) X(interp_static_type_subclasses) X(interp_static_type_weaklist)     \
    X(interp_static_type_count) X(interp_datetime_types)                                           \
    /* _PyRuntime */                                                                               \
    X(runtime_interpreters_head) X(runtime_interpreters_main) X(runtime_interpreters_next_id)      \
    X(runtime_main_thread) X(runtime_main_tstate) X(runtime_initialized) X(runtime_finalizing)     \
    X(runtime_gil) X(runtime_gc) X(runtime_gilstate_current) X(runtime_main_interpreter)           \
    X(runtime_size)                                                                                \
    /* _gil_runtime_state, gc state, generations */                                                \
    X(gil_holder) X(gil_locked) X(gil_switch_number) X(gil_mutex) X(gil_cond) X(gil_size)          \
    X(gc_enabled) X(gc_generations) X(gc_generation_size) X(gc_generation0) X(gc_permanent)        \
    X(gc_collecting) X(gc_garbage) X(gc_head_size) X(gc_generation_threshold)                      \
    X(gc_generation_count) X(gc_size) X(gc_debug) X(gc_long_lived_total) X(gc_long_lived_pending)  \
    X(gc_stats) X(gc_stats_pointer) X(gcstats_size) X(gcstats_collections) X(gcstats_collected)    \
    X(gcstats_uncollectable) X(gcstats_young_index) X(gcstats_old) X(gcstats_old_size)             \
    X(gcstats_old_index)                                                                           \
    /* asyncio: futures, tasks, where tasks are listed; contexts and their trees */                \
    X(future_loop) X(future_callback) X(future_callbacks) X(future_awaited_by) X(future_state)     \
    X(future_size) X(task_must_cancel) X(task_must_cancel_mask) X(task_cancels) X(task_waiter)     \
    X(task_coroutine) X(task_name) X(task_context) X(task_node) X(task_size)                       \
    X(thread_running_loop) X(thread_running_task) X(thread_tasks_head) X(interp_tasks_head)        \
    X(awaitable_inner) X(context_variables) X(contextvar_name) X(hamt_root) X(hamt_count)          \
    X(hamt_array_children) X(hamt_array_size) X(hamt_items)                                        \
    /* tracemalloc: hash tables, traces, tracebacks */                                             \
    X(hashtable_count) X(hashtable_bucket_count) X(hashtable_buckets) X(hashtable_hash_function)   \
    X(hashtable_size) X(hashentry_key) X(hashentry_value) X(hashentry_size) X(trace_size)          \
    X(trace_traceback) X(trace_frame_count) X(trace_frames) X(trace_frame_file)                    \
    X(trace_frame_line) X(trace_frame_size) X(runtime_tracing) X(runtime_traces)                   \
    X(runtime_trace_domains) X(constant_trace_file_is_text)                                        \
    /* flag bits */                                                                                \
    X(constant_tpflags_heaptype) X(constant_tpflags_managed_dict)                                  \
    X(constant_tpflags_inline_values) X(constant_tpflags_have_gc) X(constant_tpflags_ready)        \
    X(constant_tpflags_static_builtin) X(constant_tpflags_preheader)                               \
    X(constant_tpflags_long_subclass) X(constant_tpflags_list_subclass)                            \
    X(constant_tpflags_tuple_subclass) X(constant_tpflags_bytes_subclass)                          \
    X(constant_tpflags_unicode_subclass) X(constant_tpflags_dict_subclass)                         \
    X(constant_tpflags_exception_subclass) X(constant_tpflags_type_subclass)
/* clang-format on */

#endif
