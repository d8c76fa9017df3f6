/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_FRAME_LABEL_H
#define FORMATS_PROFILES_FRAME_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a recording writes a frame. */
enum label_style {
    LABEL_PLAIN,  /* a name, no more */
    LABEL_SPY,    /* py-spy: name (file:line), name (file), name */
    LABEL_COLONS, /* austin and profiling.sampling: file:name:line */
};

/* Parts of a label, borrowed from it; sizes 0 and line 0 where not told. */
struct frame_label {
    const char *name, *file;
    size_t name_size, file_size;
    int32_t line;
};

/* Any label has parts: what fits no style is a name. */
struct frame_label frame_label_split(enum label_style style, const char *label, size_t size);

/* Whether the label has a file in py-spy's form. */
bool frame_label_is_spy(const char *label, size_t size);

/* A label that is no frame but says which process or thread the rest belongs to.
 * LABEL_PROCESS_PART: a process whose command line had a ';', where the stack was cut
 * too (flame graphs do): the frames up to one that ends with '"' belong to it. */
enum label_mark { LABEL_FRAME, LABEL_PROCESS, LABEL_PROCESS_PART, LABEL_THREAD };

/* *ret_id is the process's or thread's number; untouched for LABEL_FRAME. */
enum label_mark frame_label_mark(enum label_style style, const char *label, size_t size,
                                 int64_t *ret_id);

/* Where a py-spy process label that begins at `text` ends: its command line stands
 * in it as it is, ';' and quotes too. `size` is up to the end of the stack. */
size_t frame_label_process_size(const char *text, size_t size);

/* Process P Thread T "name" and Thread T "name", as py-spy calls its speedscope
 * profiles: the numbers; -1, and false, where it is called otherwise. */
bool frame_label_profile_name(const char *name, size_t size, int64_t *ret_pid, int64_t *ret_tid);

#endif
