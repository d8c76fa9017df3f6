/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of what the library keeps: asyncio's futures and tasks, contexts,
 * tracemalloc's tables. Part of generate_layout.c, which includes this once. */

/* FutureObj_HEAD has no header in any version; the rows are words of it. */
static void print_futures(void)
{
    SECTION("FutureObj, TaskObj: Modules/_asynciomodule.c");
    NUMBER(future_loop, 16);
    NUMBER(future_callback, 24);
    NUMBER(future_callbacks, 40);
#if UNTIL(8)
    NUMBER(future_state, 72);
    NUMBER(future_size, 104);
#elif UNTIL(9)
    NUMBER(future_state, 80);
    NUMBER(future_size, 144);
#elif UNTIL(10)
    NUMBER(future_state, 88);
    NUMBER(future_size, 152);
#elif UNTIL(12)
    NUMBER(future_state, 88);
    NUMBER(future_size, 128);
#elif UNTIL(13)
    NUMBER(future_state, 96);
    NUMBER(future_size, 104);
#else
    NUMBER(future_awaited_by, 96);
    NUMBER(future_state, 104);
    NUMBER(future_size, 112);
#endif
#if UNTIL(12)
    /* The task's own words follow at once; its flags are whole ints behind them. */
#if UNTIL(8)
#define TASK_AT 104
#elif UNTIL(9)
#define TASK_AT 144
#elif UNTIL(10)
#define TASK_AT 152
#else
#define TASK_AT 128
#endif
    NUMBER(task_must_cancel, TASK_AT + 32);
    NUMBER(task_must_cancel_mask, 1);
#if SINCE(11)
    NUMBER(task_cancels, TASK_AT + 40);
    NUMBER(task_size, TASK_AT + 48);
#else
    NUMBER(task_size, TASK_AT + 40);
#endif
#else
    /* Bits of the future's last byte, a count of 4 bytes, then the words. */
#if UNTIL(13)
#define TASK_AT 112
    NUMBER(task_must_cancel, 100);
    NUMBER(task_size, TASK_AT + 32);
#else
#define TASK_AT 120
    NUMBER(task_must_cancel, 110);
    NUMBER(task_node, TASK_AT + 32);
    NUMBER(task_size, TASK_AT + 48);
#endif
    NUMBER(task_must_cancel_mask, 4);
    NUMBER(task_cancels, TASK_AT - 8);
#endif
    NUMBER(task_waiter, TASK_AT);
    NUMBER(task_coroutine, TASK_AT + 8);
    NUMBER(task_name, TASK_AT + 16);
    NUMBER(task_context, TASK_AT + 24);
#if SINCE(14)
    SECTION("where tasks are listed: internal/pycore_tstate.h, pycore_interp_structs.h");
    OFFSET(thread_running_loop, _PyThreadStateImpl, asyncio_running_loop);
    OFFSET(thread_running_task, _PyThreadStateImpl, asyncio_running_task);
    OFFSET(thread_tasks_head, _PyThreadStateImpl, asyncio_tasks_head);
    OFFSET(interp_tasks_head, PyInterpreterState, asyncio_tasks_head);
#endif
    SECTION("PyCoroWrapper, PyAsyncGenASend, PyAnextAwaitable, FutureIter: the first word of each");
    NUMBER(awaitable_inner, 16);
}

static void print_contexts(void)
{
    SECTION("PyContext, PyContextVar, PyHamtObject: internal/pycore_context.h, pycore_hamt.h");
    OFFSET(context_variables, PyContext, ctx_vars);
    OFFSET(contextvar_name, PyContextVar, var_name);
    OFFSET(hamt_root, PyHamtObject, h_root);
    OFFSET(hamt_count, PyHamtObject, h_count);
    SECTION("PyHamtNode_Array, PyHamtNode_Bitmap, PyHamtNode_Collision: Python/hamt.c");
    NUMBER(hamt_array_children, 16);
    NUMBER(hamt_array_size, 280);
    NUMBER(hamt_items, 32);
}

/* Whether the traced file names are C strings, not str objects. */
static void print_traced_memory(void)
{
#if SINCE(9)
    SECTION("_Py_hashtable_t, _Py_hashtable_entry_t: internal/pycore_hashtable.h");
    OFFSET(hashtable_count, _Py_hashtable_t, nentries);
    OFFSET(hashtable_bucket_count, _Py_hashtable_t, nbuckets);
    OFFSET(hashtable_buckets, _Py_hashtable_t, buckets);
    OFFSET(hashtable_hash_function, _Py_hashtable_t, hash_func);
    SIZE(hashtable_size, _Py_hashtable_t);
    OFFSET(hashentry_key, _Py_hashtable_entry_t, key);
    OFFSET(hashentry_value, _Py_hashtable_entry_t, value);
    SIZE(hashentry_size, _Py_hashtable_entry_t);
    SECTION("trace_t: Modules/_tracemalloc.c, Python/tracemalloc.c");
    NUMBER(trace_size, 0);
    NUMBER(trace_traceback, 8);
#if UNTIL(11)
    SECTION("traceback_t, frame_t: Modules/_tracemalloc.c");
    NUMBER(trace_frame_count, 8);
    NUMBER(trace_frames, 12);
    NUMBER(trace_frame_file, 0);
    NUMBER(trace_frame_line, 8);
    NUMBER(trace_frame_size, 12);
#else
    SECTION("tracemalloc_traceback, tracemalloc_frame: internal/pycore_tracemalloc.h");
    OFFSET(trace_frame_count, struct tracemalloc_traceback, nframe);
    OFFSET(trace_frames, struct tracemalloc_traceback, frames);
    OFFSET(trace_frame_file, struct tracemalloc_frame, filename);
    OFFSET(trace_frame_line, struct tracemalloc_frame, lineno);
    SIZE(trace_frame_size, struct tracemalloc_frame);
    OFFSET(runtime_tracing, _PyRuntimeState, tracemalloc.config.tracing);
    OFFSET(runtime_traces, _PyRuntimeState, tracemalloc.traces);
    OFFSET(runtime_trace_domains, _PyRuntimeState, tracemalloc.domains);
#endif
#if SINCE(15)
    NUMBER(constant_trace_file_is_text, 1);
#endif
#endif
}

static void print_library(void)
{
    print_futures();
    print_contexts();
    print_traced_memory();
}
