/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_SESSION_H
#define INQUEST_ANALYZER_SESSION_H

#include <stdbool.h>

#include "inquest/analyzer/index.h"
#include "inquest/base/error.h"
#include "inquest/base/progress.h"

/* From an input, a dump of any kind or an index, to an open index. */
struct session_options {
    const char *input;      /* path or "-" */
    const char *sysroot;    /* NULL: none given */
    const char *executable; /* NULL: none given */
    const char *output;     /* where the index goes (`load`), NULL: the cache or memory */
    bool redact, no_cache;
    bool heap;                 /* the object graph is needed too, not the stacks alone */
    bool plain;                /* `object` and `ref` as ordinary tables */
    struct progress *progress; /* NULL: none */
};

/* Opens the input's index: the input itself, the one in the cache, or one built
 * now (into `output`, the cache or, with no_cache, memory). */
enum status session_open(const struct session_options *options, struct index **ret_index,
                         struct error *err) MUST_CHECK;

#endif
