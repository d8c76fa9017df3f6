/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_ASYNCIO_OFFSETS_H
#define INQUEST_FORMATS_ASYNCIO_OFFSETS_H

#include "inquest/formats/python_layout.h"

/* Where thread and interpreter have their tasks, from 3.14 on: by what the library
 * says of itself, else by the table. In bytes from the state's start. */
struct asyncio_offsets {
    bool known;
    bool interp_is_guess; /* builds differ before it: what is there is to be proven */
    uint64_t interp_tasks_head, thread_running_loop, thread_running_task, thread_tasks_head;
};
struct asyncio_offsets asyncio_offsets_find(const struct memory_image *image,
                                            const struct python_layout *layout);

#endif
