/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of code, frames, exceptions, threads, interpreter and runtime: part of
 * generate_layout.c, which includes this once. */

static void print_code(void)
{
    SECTION("PyCodeObject: cpython/code.h");
    OFFSET(code_argcount, PyCodeObject, co_argcount);
    OFFSET(code_posonlyargcount, PyCodeObject, co_posonlyargcount);
    OFFSET(code_kwonlyargcount, PyCodeObject, co_kwonlyargcount);
    OFFSET(code_nlocals, PyCodeObject, co_nlocals);
    OFFSET(code_stacksize, PyCodeObject, co_stacksize);
    OFFSET(code_flags, PyCodeObject, co_flags);
    OFFSET(code_firstlineno, PyCodeObject, co_firstlineno);
    OFFSET(code_filename, PyCodeObject, co_filename);
    OFFSET(code_name, PyCodeObject, co_name);
    OFFSET(code_names, PyCodeObject, co_names);
    OFFSET(code_consts, PyCodeObject, co_consts);
#if UNTIL(9)
    OFFSET(code_lnotab, PyCodeObject, co_lnotab);
#else
    OFFSET(code_linetable, PyCodeObject, co_linetable);
#endif
#if UNTIL(10)
    OFFSET(code_code, PyCodeObject, co_code);
    OFFSET(code_varnames, PyCodeObject, co_varnames);
    OFFSET(code_cellvars, PyCodeObject, co_cellvars);
    OFFSET(code_freevars, PyCodeObject, co_freevars);
    OFFSET(code_cell2arg, PyCodeObject, co_cell2arg);
    OFFSET(code_opcache, PyCodeObject, co_opcache);
    OFFSET(code_opcache_count, PyCodeObject, co_opcache_size);
    SIZE(code_opcache_size, struct _PyOpcache);
#else
    OFFSET(code_qualname, PyCodeObject, co_qualname);
    OFFSET(code_adaptive, PyCodeObject, co_code_adaptive);
    OFFSET(code_nlocalsplus, PyCodeObject, co_nlocalsplus);
    OFFSET(code_localsplusnames, PyCodeObject, co_localsplusnames);
    OFFSET(code_localspluskinds, PyCodeObject, co_localspluskinds);
    OFFSET(code_exceptiontable, PyCodeObject, co_exceptiontable);
    OFFSET(code_ncellvars, PyCodeObject, co_ncellvars);
    OFFSET(code_nfreevars, PyCodeObject, co_nfreevars);
    OFFSET(code_firsttraceable, PyCodeObject, _co_firsttraceable);
    NUMBER(constant_local_local, CO_FAST_LOCAL);
    NUMBER(constant_local_cell, CO_FAST_CELL);
    NUMBER(constant_local_free, CO_FAST_FREE);
#endif
#if SINCE(12)
    OFFSET(code_framesize, PyCodeObject, co_framesize);
    NUMBER(constant_local_hidden, CO_FAST_HIDDEN);
#endif
    OFFSET(code_extra, PyCodeObject, co_extra);
#if SINCE(12)
    OFFSET(code_cached, PyCodeObject, _co_cached);
#elif SINCE(11)
    OFFSET(code_cached_code, PyCodeObject, _co_code);
#endif
    SIZE(code_size, PyCodeObject);
}

static void print_frame_objects(void)
{
    SECTION("PyFrameObject: cpython/frameobject.h, from 3.11 on internal/pycore_frame.h");
    OFFSET(frame_back, PyFrameObject, f_back);
    OFFSET(frame_lineno, PyFrameObject, f_lineno);
    OFFSET(frame_trace, PyFrameObject, f_trace);
#if UNTIL(10)
    OFFSET(frame_code, PyFrameObject, f_code);
    OFFSET(frame_globals, PyFrameObject, f_globals);
    OFFSET(frame_locals, PyFrameObject, f_locals);
    OFFSET(frame_builtins, PyFrameObject, f_builtins);
    OFFSET(frame_valuestack, PyFrameObject, f_valuestack);
    OFFSET(frame_lasti, PyFrameObject, f_lasti);
    OFFSET(frame_gen, PyFrameObject, f_gen);
    OFFSET(frame_iblock, PyFrameObject, f_iblock);
    OFFSET(frame_localsplus, PyFrameObject, f_localsplus);
#if UNTIL(9)
    OFFSET(frame_stacktop, PyFrameObject, f_stacktop);
    OFFSET(frame_executing, PyFrameObject, f_executing);
#else
    OFFSET(frame_stackdepth, PyFrameObject, f_stackdepth);
    OFFSET(frame_state, PyFrameObject, f_state);
#endif
#else
    OFFSET(frame_frame, PyFrameObject, f_frame);
    OFFSET(frame_embedded, PyFrameObject, _f_frame_data);
#endif
    SIZE(frame_size, PyFrameObject);
}

static void print_interpreter_frames(void)
{
#if SINCE(11)
    SECTION("_PyInterpreterFrame: internal/pycore_frame.h, pycore_interpframe_structs.h");
#if UNTIL(12)
    OFFSET(iframe_code, _PyInterpreterFrame, f_code);
    OFFSET(iframe_instr, _PyInterpreterFrame, prev_instr);
#else
    OFFSET(iframe_code, _PyInterpreterFrame, f_executable);
    OFFSET(iframe_instr, _PyInterpreterFrame, instr_ptr);
#endif
    OFFSET(iframe_previous, _PyInterpreterFrame, previous);
#if UNTIL(11)
    OFFSET(iframe_function, _PyInterpreterFrame, f_func);
    OFFSET(iframe_is_entry, _PyInterpreterFrame, is_entry);
#else
    OFFSET(iframe_function, _PyInterpreterFrame, f_funcobj);
    OFFSET(iframe_return_offset, _PyInterpreterFrame, return_offset);
#endif
    OFFSET(iframe_globals, _PyInterpreterFrame, f_globals);
    OFFSET(iframe_builtins, _PyInterpreterFrame, f_builtins);
    OFFSET(iframe_locals, _PyInterpreterFrame, f_locals);
    OFFSET(iframe_object, _PyInterpreterFrame, frame_obj);
#if UNTIL(13)
    OFFSET(iframe_stacktop, _PyInterpreterFrame, stacktop);
#else
    OFFSET(iframe_stackpointer, _PyInterpreterFrame, stackpointer);
#endif
    OFFSET(iframe_owner, _PyInterpreterFrame, owner);
    OFFSET(iframe_localsplus, _PyInterpreterFrame, localsplus);
    SIZE(iframe_size, _PyInterpreterFrame);
    NUMBER(constant_owner_thread, FRAME_OWNED_BY_THREAD);
    NUMBER(constant_owner_generator, FRAME_OWNED_BY_GENERATOR);
    NUMBER(constant_owner_frame_object, FRAME_OWNED_BY_FRAME_OBJECT);
#if SINCE(12) && UNTIL(14)
    NUMBER(constant_owner_cstack, FRAME_OWNED_BY_CSTACK);
#endif
#if SINCE(14)
    NUMBER(constant_owner_interpreter, FRAME_OWNED_BY_INTERPRETER);
    NUMBER(constant_stackref_null, PyStackRef_NULL.bits);
    NUMBER(constant_stackref_tag_mask, Py_TAG_BITS);
#endif
#endif
}

static void print_generators(void)
{
    SECTION("generators: cpython/genobject.h, from 3.14 on internal/pycore_interpframe_structs.h");
    OFFSET(gen_name, PyGenObject, gi_name);
    OFFSET(gen_qualname, PyGenObject, gi_qualname);
    OFFSET(gen_exc_state, PyGenObject, gi_exc_state);
#if UNTIL(11)
    OFFSET(gen_code, PyGenObject, gi_code);
#endif
#if UNTIL(10)
    OFFSET(gen_frame, PyGenObject, gi_frame);
    OFFSET(gen_origin, PyCoroObject, cr_origin);
#else
    OFFSET(gen_origin, PyCoroObject, cr_origin_or_finalizer);
    OFFSET(gen_state, PyGenObject, gi_frame_state);
    OFFSET(gen_iframe, PyGenObject, gi_iframe);
#endif
#if UNTIL(9)
    OFFSET(gen_running, PyGenObject, gi_running);
#else
    /* As the byte that gen_state (frame_state in 3.10) holds: -1 is 255. */
    NUMBER(constant_gen_created, (uint8_t)FRAME_CREATED);
    NUMBER(constant_gen_suspended, (uint8_t)FRAME_SUSPENDED);
    NUMBER(constant_gen_executing, (uint8_t)FRAME_EXECUTING);
    NUMBER(constant_gen_cleared, (uint8_t)FRAME_CLEARED);
#endif
#if SINCE(11) && UNTIL(14)
    NUMBER(constant_gen_completed, (uint8_t)FRAME_COMPLETED);
#endif
#if SINCE(13)
    NUMBER(constant_gen_suspended_yield_from, (uint8_t)FRAME_SUSPENDED_YIELD_FROM);
#endif
    SIZE(gen_size, PyGenObject);
}

static void print_code_and_frames(void)
{
    print_code();
    print_frame_objects();
    print_interpreter_frames();
    print_generators();
}

static void print_exceptions(void)
{
    SECTION("exceptions: cpython/pyerrors.h");
    OFFSET(exception_dict, PyBaseExceptionObject, dict);
    OFFSET(exception_args, PyBaseExceptionObject, args);
#if SINCE(11)
    OFFSET(exception_notes, PyBaseExceptionObject, notes);
#endif
    OFFSET(exception_traceback, PyBaseExceptionObject, traceback);
    OFFSET(exception_context, PyBaseExceptionObject, context);
    OFFSET(exception_cause, PyBaseExceptionObject, cause);
    OFFSET(exception_suppress, PyBaseExceptionObject, suppress_context);
    SIZE(exception_size, PyBaseExceptionObject);
#if SINCE(11)
    OFFSET(group_message, PyBaseExceptionGroupObject, msg);
    OFFSET(group_exceptions, PyBaseExceptionGroupObject, excs);
#endif
    OFFSET(stopiteration_value, PyStopIterationObject, value);
    OFFSET(systemexit_code, PySystemExitObject, code);
    OFFSET(oserror_errno, PyOSErrorObject, myerrno);
    OFFSET(oserror_strerror, PyOSErrorObject, strerror);
    OFFSET(oserror_filename, PyOSErrorObject, filename);
    OFFSET(oserror_filename2, PyOSErrorObject, filename2);
    OFFSET(oserror_written, PyOSErrorObject, written);
    OFFSET(syntaxerror_message, PySyntaxErrorObject, msg);
    OFFSET(syntaxerror_filename, PySyntaxErrorObject, filename);
    OFFSET(syntaxerror_lineno, PySyntaxErrorObject, lineno);
    OFFSET(syntaxerror_offset, PySyntaxErrorObject, offset);
    OFFSET(syntaxerror_text, PySyntaxErrorObject, text);
    OFFSET(unicodeerror_encoding, PyUnicodeErrorObject, encoding);
    OFFSET(unicodeerror_object, PyUnicodeErrorObject, object);
    OFFSET(unicodeerror_start, PyUnicodeErrorObject, start);
    OFFSET(unicodeerror_end, PyUnicodeErrorObject, end);
    OFFSET(unicodeerror_reason, PyUnicodeErrorObject, reason);
    OFFSET(importerror_message, PyImportErrorObject, msg);
    OFFSET(importerror_name, PyImportErrorObject, name);
#if SINCE(10)
    OFFSET(nameerror_name, PyNameErrorObject, name);
    OFFSET(attributeerror_object, PyAttributeErrorObject, obj);
    OFFSET(attributeerror_name, PyAttributeErrorObject, name);
#endif
    SECTION("PyTracebackObject: cpython/traceback.h");
    OFFSET(traceback_next, PyTracebackObject, tb_next);
    OFFSET(traceback_frame, PyTracebackObject, tb_frame);
    OFFSET(traceback_lasti, PyTracebackObject, tb_lasti);
    OFFSET(traceback_lineno, PyTracebackObject, tb_lineno);
}

static void print_thread_status(void)
{
#if SINCE(12)
    struct bits bits;
    OFFSET(thread_status, PyThreadState, _status);
    BITS(bits, PyThreadState, _status, _status.initialized);
    NUMBER(constant_status_initialized_mask, bits.mask << bits.shift);
    BITS(bits, PyThreadState, _status, _status.bound);
    NUMBER(constant_status_bound_mask, bits.mask << bits.shift);
    BITS(bits, PyThreadState, _status, _status.active);
    NUMBER(constant_status_active_mask, bits.mask << bits.shift);
    BITS(bits, PyThreadState, _status, _status.finalizing);
    NUMBER(constant_status_finalizing_mask, bits.mask << bits.shift);
    BITS(bits, PyThreadState, _status, _status.finalized);
    NUMBER(constant_status_finalized_mask, bits.mask << bits.shift);
#if UNTIL(13) && SINCE(13)
    BITS(bits, PyThreadState, _status, _status.holds_gil);
    NUMBER(constant_status_holds_gil_mask, bits.mask << bits.shift);
#endif
#endif
#if SINCE(14)
    OFFSET(thread_holds_gil, PyThreadState, holds_gil);
#endif
}

static void print_thread(void)
{
    SECTION("PyThreadState: cpython/pystate.h");
    OFFSET(thread_prev, PyThreadState, prev);
    OFFSET(thread_next, PyThreadState, next);
    OFFSET(thread_interp, PyThreadState, interp);
#if UNTIL(10)
    OFFSET(thread_frame, PyThreadState, frame);
    OFFSET(thread_recursion_depth, PyThreadState, recursion_depth);
#elif UNTIL(12)
    OFFSET(thread_cframe, PyThreadState, cframe);
    OFFSET(cframe_current_frame, _PyCFrame, current_frame);
    OFFSET(cframe_previous, _PyCFrame, previous);
#else
    OFFSET(thread_current_frame, PyThreadState, current_frame);
#endif
#if SINCE(15)
    OFFSET(thread_base_frame, PyThreadState, base_frame);
#endif
    print_thread_status();
#if UNTIL(11)
    OFFSET(thread_curexc_type, PyThreadState, curexc_type);
    OFFSET(thread_curexc_value, PyThreadState, curexc_value);
    OFFSET(thread_curexc_traceback, PyThreadState, curexc_traceback);
#else
    OFFSET(thread_current_exception, PyThreadState, current_exception);
#endif
    OFFSET(thread_exc_state, PyThreadState, exc_state);
    OFFSET(thread_exc_info, PyThreadState, exc_info);
    OFFSET(thread_dict, PyThreadState, dict);
    OFFSET(thread_id, PyThreadState, thread_id);
    OFFSET(thread_context, PyThreadState, context);
    OFFSET(thread_async_exc, PyThreadState, async_exc);
#if SINCE(11)
    OFFSET(thread_native_id, PyThreadState, native_thread_id);
    OFFSET(thread_datastack_chunk, PyThreadState, datastack_chunk);
    OFFSET(thread_datastack_top, PyThreadState, datastack_top);
    OFFSET(stackchunk_previous, _PyStackChunk, previous);
    OFFSET(stackchunk_size, _PyStackChunk, size);
    OFFSET(stackchunk_top, _PyStackChunk, top);
    OFFSET(stackchunk_data, _PyStackChunk, data);
#endif
    SIZE(thread_size, PyThreadState);
    OFFSET(excinfo_value, _PyErr_StackItem, exc_value);
    OFFSET(excinfo_previous, _PyErr_StackItem, previous_item);
#if UNTIL(10)
    OFFSET(excinfo_type, _PyErr_StackItem, exc_type);
    OFFSET(excinfo_traceback, _PyErr_StackItem, exc_traceback);
#endif
}

static void print_static_types(void)
{
#if SINCE(12)
    SECTION("static types' own part: internal/pycore_typeobject.h, pycore_interp_structs.h");
#if UNTIL(12)
#define STATIC_TYPE static_builtin_state
    OFFSET(interp_static_types, PyInterpreterState, types.builtins);
    NUMBER(interp_static_type_count, _Py_MAX_STATIC_BUILTIN_TYPES);
#else
#define STATIC_TYPE managed_static_type_state
    OFFSET(interp_static_types, PyInterpreterState, types.builtins.initialized);
    NUMBER(interp_static_type_count, _Py_MAX_MANAGED_STATIC_BUILTIN_TYPES);
    OFFSET(interp_datetime_types, PyInterpreterState, types.for_extensions.initialized);
#endif
    SIZE(interp_static_type_size, STATIC_TYPE);
    OFFSET(interp_static_type_type, STATIC_TYPE, type);
    OFFSET(interp_static_type_dict, STATIC_TYPE, tp_dict);
    OFFSET(interp_static_type_subclasses, STATIC_TYPE, tp_subclasses);
    OFFSET(interp_static_type_weaklist, STATIC_TYPE, tp_weaklist);
#endif
}

static void print_interpreter(void)
{
    SECTION("PyInterpreterState: internal/pycore_interp.h, pycore_interp_structs.h");
    OFFSET(interp_next, PyInterpreterState, next);
    OFFSET(interp_id, PyInterpreterState, id);
    OFFSET(interp_sysdict, PyInterpreterState, sysdict);
    OFFSET(interp_builtins, PyInterpreterState, builtins);
    OFFSET(interp_dict, PyInterpreterState, dict);
    OFFSET(interp_finalizing, PyInterpreterState, finalizing);
#if UNTIL(10)
    OFFSET(interp_threads_head, PyInterpreterState, tstate_head);
#else
    OFFSET(interp_threads_head, PyInterpreterState, threads.head);
#endif
#if UNTIL(11)
    OFFSET(interp_modules, PyInterpreterState, modules);
#else
    OFFSET(interp_modules, PyInterpreterState, imports.modules);
    OFFSET(interp_ceval_gil, PyInterpreterState, ceval.gil);
    OFFSET(interp_gil, PyInterpreterState, _gil);
#endif
#if SINCE(13)
    OFFSET(interp_threads_main, PyInterpreterState, threads.main);
#endif
#if SINCE(9)
    OFFSET(interp_runtime, PyInterpreterState, runtime);
    OFFSET(interp_gc, PyInterpreterState, gc);
#endif
    SIZE(interp_size, PyInterpreterState);
    print_static_types();
}

static void print_gil_and_gc(void)
{
    SECTION("struct _gil_runtime_state: internal/pycore_gil.h");
    OFFSET(gil_holder, struct _gil_runtime_state, last_holder);
    OFFSET(gil_locked, struct _gil_runtime_state, locked);
    OFFSET(gil_switch_number, struct _gil_runtime_state, switch_number);
    OFFSET(gil_mutex, struct _gil_runtime_state, mutex);
    OFFSET(gil_cond, struct _gil_runtime_state, cond);
    SIZE(gil_size, struct _gil_runtime_state);
    SECTION("struct _gc_runtime_state: internal/pycore_gc.h, pycore_pymem.h in 3.8");
    OFFSET(gc_enabled, struct _gc_runtime_state, enabled);
    OFFSET(gc_generations, struct _gc_runtime_state, generations);
    SIZE(gc_generation_size, struct gc_generation);
    OFFSET(gc_generation0, struct _gc_runtime_state, generation0);
    OFFSET(gc_permanent, struct _gc_runtime_state, permanent_generation);
    OFFSET(gc_collecting, struct _gc_runtime_state, collecting);
    OFFSET(gc_garbage, struct _gc_runtime_state, garbage);
    SIZE(gc_head_size, PyGC_Head);
    OFFSET(gc_generation_threshold, struct gc_generation, threshold);
    OFFSET(gc_generation_count, struct gc_generation, count);
    SIZE(gc_size, struct _gc_runtime_state);
    OFFSET(gc_debug, struct _gc_runtime_state, debug);
    OFFSET(gc_long_lived_total, struct _gc_runtime_state, long_lived_total);
    OFFSET(gc_long_lived_pending, struct _gc_runtime_state, long_lived_pending);
#if UNTIL(14)
    OFFSET(gc_stats, struct _gc_runtime_state, generation_stats);
#else
    OFFSET(gc_stats_pointer, struct _gc_runtime_state, generation_stats);
    OFFSET(gcstats_young_index, struct gc_stats, young.index);
    OFFSET(gcstats_old, struct gc_stats, old);
    SIZE(gcstats_old_size, struct gc_old_stats_buffer);
    OFFSET(gcstats_old_index, struct gc_old_stats_buffer, index);
#endif
    SIZE(gcstats_size, struct gc_generation_stats);
    OFFSET(gcstats_collections, struct gc_generation_stats, collections);
    OFFSET(gcstats_collected, struct gc_generation_stats, collected);
    OFFSET(gcstats_uncollectable, struct gc_generation_stats, uncollectable);
}

static void print_runtime(void)
{
    print_thread();
    print_interpreter();
    SECTION("_PyRuntimeState: internal/pycore_runtime.h, pycore_pystate.h in 3.8");
    OFFSET(runtime_interpreters_head, _PyRuntimeState, interpreters.head);
    OFFSET(runtime_interpreters_main, _PyRuntimeState, interpreters.main);
    OFFSET(runtime_interpreters_next_id, _PyRuntimeState, interpreters.next_id);
    OFFSET(runtime_main_thread, _PyRuntimeState, main_thread);
    OFFSET(runtime_initialized, _PyRuntimeState, initialized);
#if UNTIL(8)
    OFFSET(runtime_finalizing, _PyRuntimeState, finalizing);
    OFFSET(runtime_gc, _PyRuntimeState, gc);
#else
    OFFSET(runtime_finalizing, _PyRuntimeState, _finalizing);
#endif
#if UNTIL(11)
    OFFSET(runtime_gil, _PyRuntimeState, ceval.gil);
    OFFSET(runtime_gilstate_current, _PyRuntimeState, gilstate.tstate_current);
#endif
#if SINCE(11)
    OFFSET(runtime_main_interpreter, _PyRuntimeState, _main_interpreter);
#endif
#if SINCE(13)
    OFFSET(runtime_main_tstate, _PyRuntimeState, main_tstate);
#endif
    SIZE(runtime_size, _PyRuntimeState);
    print_gil_and_gc();
}

static void print_flags(void)
{
    SECTION("bits of tp_flags: object.h");
    NUMBER(constant_tpflags_heaptype, Py_TPFLAGS_HEAPTYPE);
    NUMBER(constant_tpflags_have_gc, Py_TPFLAGS_HAVE_GC);
    NUMBER(constant_tpflags_ready, Py_TPFLAGS_READY);
#if SINCE(11)
    NUMBER(constant_tpflags_managed_dict, Py_TPFLAGS_MANAGED_DICT);
#endif
#if SINCE(12)
    NUMBER(constant_tpflags_static_builtin, _Py_TPFLAGS_STATIC_BUILTIN);
    NUMBER(constant_tpflags_preheader, Py_TPFLAGS_PREHEADER);
#endif
#if SINCE(13)
    NUMBER(constant_tpflags_inline_values, Py_TPFLAGS_INLINE_VALUES);
#endif
    NUMBER(constant_tpflags_long_subclass, Py_TPFLAGS_LONG_SUBCLASS);
    NUMBER(constant_tpflags_list_subclass, Py_TPFLAGS_LIST_SUBCLASS);
    NUMBER(constant_tpflags_tuple_subclass, Py_TPFLAGS_TUPLE_SUBCLASS);
    NUMBER(constant_tpflags_bytes_subclass, Py_TPFLAGS_BYTES_SUBCLASS);
    NUMBER(constant_tpflags_unicode_subclass, Py_TPFLAGS_UNICODE_SUBCLASS);
    NUMBER(constant_tpflags_dict_subclass, Py_TPFLAGS_DICT_SUBCLASS);
    NUMBER(constant_tpflags_exception_subclass, Py_TPFLAGS_BASE_EXC_SUBCLASS);
    NUMBER(constant_tpflags_type_subclass, Py_TPFLAGS_TYPE_SUBCLASS);
}
