/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of _Py_DebugOffsets, from 3.13 on: which number of ours stands where in
 * it. Part of generate_layout.c, which includes this once. */
#if SINCE(13)

static void debug_row(const char *name, size_t position, const char *of, const char *from)
{
    printf("{PY_%s, %zu, PY_%s, %s%s},\n", name, position, of, from ? "PY_" : "NOT_RELATIVE",
           from ? from : "");
}

/* The number `name` at a member of the struct; it lies within, or is, the size `of`. */
#define DEBUG(name, of, member) debug_row(#name, offsetof(_Py_DebugOffsets, member), #of, NULL)
/* As DEBUG, but counted in the dump from the start of what holds `from`. */
#define DEBUG_FROM(name, of, from, member)                                                         \
    debug_row(#name, offsetof(_Py_DebugOffsets, member), #of, #from)

static void print_debug_states(void)
{
    DEBUG(runtime_size, runtime_size, runtime_state.size);
    DEBUG(runtime_finalizing, runtime_size, runtime_state.finalizing);
    DEBUG(runtime_interpreters_head, runtime_size, runtime_state.interpreters_head);
    DEBUG(interp_size, interp_size, interpreter_state.size);
    DEBUG(interp_id, interp_size, interpreter_state.id);
    DEBUG(interp_next, interp_size, interpreter_state.next);
    DEBUG(interp_threads_head, interp_size, interpreter_state.threads_head);
#if SINCE(14)
    DEBUG(interp_threads_main, interp_size, interpreter_state.threads_main);
#endif
    DEBUG(interp_gc, interp_size, interpreter_state.gc);
    DEBUG(interp_modules, interp_size, interpreter_state.imports_modules);
    DEBUG(interp_sysdict, interp_size, interpreter_state.sysdict);
    DEBUG(interp_builtins, interp_size, interpreter_state.builtins);
    DEBUG(interp_ceval_gil, interp_size, interpreter_state.ceval_gil);
    DEBUG(interp_gil, interp_size, interpreter_state.gil_runtime_state);
    DEBUG_FROM(gil_locked, interp_size, interp_gil, interpreter_state.gil_runtime_state_locked);
    DEBUG_FROM(gil_holder, interp_size, interp_gil, interpreter_state.gil_runtime_state_holder);
    DEBUG(gc_size, gc_size, gc.size);
    DEBUG(gc_collecting, gc_size, gc.collecting);
}

static void print_debug_threads(void)
{
    DEBUG(thread_size, thread_size, thread_state.size);
    DEBUG(thread_prev, thread_size, thread_state.prev);
    DEBUG(thread_next, thread_size, thread_state.next);
    DEBUG(thread_interp, thread_size, thread_state.interp);
    DEBUG(thread_current_frame, thread_size, thread_state.current_frame);
    DEBUG(thread_id, thread_size, thread_state.thread_id);
    DEBUG(thread_native_id, thread_size, thread_state.native_thread_id);
    DEBUG(thread_datastack_chunk, thread_size, thread_state.datastack_chunk);
    DEBUG(thread_status, thread_size, thread_state.status);
#if SINCE(15)
    DEBUG(thread_base_frame, thread_size, thread_state.base_frame);
    DEBUG(thread_holds_gil, thread_size, thread_state.holds_gil);
    DEBUG(thread_current_exception, thread_size, thread_state.current_exception);
    DEBUG(thread_exc_state, thread_size, thread_state.exc_state);
    DEBUG(excinfo_value, thread_size, err_stackitem.exc_value);
#endif
    DEBUG(iframe_size, iframe_size, interpreter_frame.size);
    DEBUG(iframe_previous, iframe_size, interpreter_frame.previous);
    DEBUG(iframe_code, iframe_size, interpreter_frame.executable);
    DEBUG(iframe_instr, iframe_size, interpreter_frame.instr_ptr);
    DEBUG(iframe_localsplus, iframe_size, interpreter_frame.localsplus);
    DEBUG(iframe_owner, iframe_size, interpreter_frame.owner);
#if SINCE(14)
    DEBUG(iframe_stackpointer, iframe_size, interpreter_frame.stackpointer);
    DEBUG(gen_size, gen_size, gen_object.size);
    DEBUG(gen_name, gen_size, gen_object.gi_name);
    DEBUG(gen_iframe, gen_size, gen_object.gi_iframe);
    DEBUG(gen_state, gen_size, gen_object.gi_frame_state);
#endif
    DEBUG(code_size, code_size, code_object.size);
    DEBUG(code_filename, code_size, code_object.filename);
    DEBUG(code_name, code_size, code_object.name);
    DEBUG(code_qualname, code_size, code_object.qualname);
    DEBUG(code_linetable, code_size, code_object.linetable);
    DEBUG(code_firstlineno, code_size, code_object.firstlineno);
    DEBUG(code_argcount, code_size, code_object.argcount);
    DEBUG(code_localsplusnames, code_size, code_object.localsplusnames);
    DEBUG(code_localspluskinds, code_size, code_object.localspluskinds);
    DEBUG(code_adaptive, code_size, code_object.co_code_adaptive);
}

static void print_debug_objects(void)
{
    DEBUG(object_size, object_size, pyobject.size);
    DEBUG(object_type, object_size, pyobject.ob_type);
    DEBUG(type_size, type_size, type_object.size);
    DEBUG(type_name, type_size, type_object.tp_name);
    DEBUG(type_flags, type_size, type_object.tp_flags);
#if SINCE(15)
    DEBUG(type_basicsize, type_size, type_object.tp_basicsize);
    DEBUG(type_dictoffset, type_size, type_object.tp_dictoffset);
    DEBUG(heaptype_size, heaptype_size, heap_type_object.size);
    DEBUG(heaptype_cached_keys, heaptype_size, heap_type_object.ht_cached_keys);
#endif
    DEBUG(tuple_items, type_size, tuple_object.ob_item);
    DEBUG(var_size, type_size, tuple_object.ob_size);
    DEBUG(list_items, type_size, list_object.ob_item);
#if SINCE(14)
    DEBUG(set_used, type_size, set_object.used);
    DEBUG(set_table, type_size, set_object.table);
    DEBUG(set_mask, type_size, set_object.mask);
#endif
    DEBUG(dict_keys, type_size, dict_object.ma_keys);
    DEBUG(dict_values, type_size, dict_object.ma_values);
    DEBUG(float_value, type_size, float_object.ob_fval);
    DEBUG(long_tag, type_size, long_object.lv_tag);
    DEBUG(long_digits, type_size, long_object.ob_digit);
    DEBUG(bytes_data, type_size, bytes_object.ob_sval);
    DEBUG(unicode_size, unicode_size, unicode_object.size);
    DEBUG(unicode_state, unicode_size, unicode_object.state);
    DEBUG(unicode_length, unicode_size, unicode_object.length);
    DEBUG(unicode_ascii_header_size, unicode_size, unicode_object.asciiobject_size);
#if SINCE(15)
    DEBUG(unicode_compact_header_size, unicode_size, unicode_object.compactunicodeobject_size);
#endif
}

#endif

static void print_debug_offsets(void)
{
#if SINCE(13)
    print_debug_states();
    print_debug_threads();
    print_debug_objects();
#endif
}
