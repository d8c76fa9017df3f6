/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/formats/asyncio_offsets.h"

#include "inquest/base/bytes_reader.h"

/* _AsyncioDebug, from CPython 3.14 on: a constant of _asyncio, in a library of its
 * own or within the interpreter, that a core has only with the file.
 *
 * OFFSET  SIZE  MEANING
 *      0     8  size of a task
 *      8   5*8  in a task: name, awaited_by, is_task, awaited_by_is_set, coro
 *     48     8  in a task: its node in the list
 *     56     8  size of the interpreter state
 *     64     8  in it: the head of a list of tasks
 *     72     8  size of a thread's state, all of it
 *     80   3*8  in it: running loop, running task, the head of a list of tasks
 *
 * Source: struct _Py_AsyncioModuleDebugOffsets in Modules/_asynciomodule.c. */
#define DEBUG_SIZE   104u
#define LARGEST_TASK 4096u

static bool read_debug(const struct memory_image *image, const struct python_layout *layout,
                       struct asyncio_offsets *ret_offsets)
{
    static const char *const files[] = {"_asyncio", "libpython", "python"};
    uint8_t bytes[DEBUG_SIZE];
    uint64_t addr = 0, size;
    enum status status = STATUS_NOT_IN_DUMP;
    for (size_t i = 0; i < sizeof files / sizeof *files && status != STATUS_OK; i++)
        status = memory_find_symbol(image, files[i], "_AsyncioDebug", &addr, &size);
    if (status != STATUS_OK)
        status = memory_find_section(image, ".AsyncioDebug", &addr, &size);
    if (status != STATUS_OK || memory_read(image, addr, bytes, sizeof bytes) != STATUS_OK)
        return false;
    uint64_t interp_size = load_u64(bytes + 56), thread_size = load_u64(bytes + 72);
    struct asyncio_offsets offsets = {.known = true,
                                      .interp_tasks_head = load_u64(bytes + 64),
                                      .thread_running_loop = load_u64(bytes + 80),
                                      .thread_running_task = load_u64(bytes + 88),
                                      .thread_tasks_head = load_u64(bytes + 96)};
    if (load_u64(bytes) > LARGEST_TASK || load_u64(bytes) != layout_get(layout, PY_task_size) ||
        load_u64(bytes + 48) != layout_get(layout, PY_task_node) ||
        offsets.interp_tasks_head >= interp_size || offsets.thread_running_loop >= thread_size ||
        offsets.thread_running_task >= thread_size || offsets.thread_tasks_head >= thread_size)
        return false;
    *ret_offsets = offsets;
    return true;
}

struct asyncio_offsets asyncio_offsets_find(const struct memory_image *image,
                                            const struct python_layout *layout)
{
    struct asyncio_offsets offsets = {0};
    if (!layout_has(layout, PY_task_node))
        return offsets;
    if (read_debug(image, layout, &offsets))
        return offsets;
    offsets =
        (struct asyncio_offsets){.known = true,
                                 .thread_running_loop = layout_get(layout, PY_thread_running_loop),
                                 .thread_running_task = layout_get(layout, PY_thread_running_task),
                                 .thread_tasks_head = layout_get(layout, PY_thread_tasks_head)};
    const struct python_layout *table = python_layout_for_version(layout->version_hex);
    offsets.interp_is_guess = !layout_has(layout, PY_interp_tasks_head);
    if (!offsets.interp_is_guess)
        offsets.interp_tasks_head = layout_get(layout, PY_interp_tasks_head);
    else if (table && layout_has(table, PY_interp_tasks_head))
        offsets.interp_tasks_head = layout_get(table, PY_interp_tasks_head);
    return offsets;
}
