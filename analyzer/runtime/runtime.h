/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_RUNTIME_H
#define INQUEST_ANALYZER_RUNTIME_RUNTIME_H

#include "analyzer/objects/object.h"
#include "inquest/analyzer/index.h"

/* ---- discovery.c: finds the interpreter and proves it: the type of types is its
 * own type, the main thread's state points back to its interpreter, modules and
 * builtins are dicts, and sys.hexversion is the layout's version. Fills image,
 * layout, runtime_addr, interp_addr, how and types of *ret_process.
 * STATUS_UNSUPPORTED where no guess passed: the message says which versions are
 * known and what was tried. */
enum status python_discover(const struct memory_image *image, struct arena *arena,
                            struct python_process *ret_process, struct error *err) MUST_CHECK;
void python_process_deinit(struct python_process *process);

/* ---- discovery_names.c: appends "3.11.7", "3.15.0a1": what sys.version begins
 * with, else the layout's version. */
void python_version_string(struct python_process *process, struct text *text);
/* "shared libpython", "static in the main program"; by the file that holds _PyRuntime. */
const char *python_build(const struct python_process *process);

/* ---- collect.c: threads, frames, locals and exceptions of one process into the
 * index. `process` NULL: the core has no Python that we can read; C threads only. */
enum status collect_stacks(const struct core_dump *core, struct python_process *process,
                           struct index_writer *writer, struct progress *progress,
                           struct error *err) MUST_CHECK;

/* ---- core_facts.c: meta, warning, mapped_file from the core alone;
 * redact: the command's arguments become tokens. */
enum status collect_core_facts(const struct core_dump *core, const struct memory_image *image,
                               struct redaction *redaction, struct index_writer *writer,
                               struct error *err) MUST_CHECK;

#endif
