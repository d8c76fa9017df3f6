/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_SESSION_H
#define INQUEST_ANALYZER_SESSION_H

#include <stdbool.h>

#include "inquest/analyzer/index.h"
#include "inquest/base/error.h"
#include "inquest/base/progress.h"
#include "inquest/formats/profile.h"

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
    const char *command;       /* who asks, for errors: "hotspots"; NULL: nobody in particular */
};

/* Opens the input's index: the input itself, the one in the cache, or one built
 * now (into `output`, the cache or, with no_cache, memory). */
enum status session_open(const struct session_options *options, struct index **ret_index,
                         struct error *err) MUST_CHECK;

/* The recording that an input holds: a dump is parsed, which takes less than building
 * an index of it, and one that has an index is read back from its tables; both give the
 * same answers. Its facts have those of `meta`. Of the options input, redact, progress
 * and command count. STATUS_UNSUPPORTED, with words, for a core. */
enum status session_open_profile(const struct session_options *options, struct profile *ret_profile,
                                 struct error *err) MUST_CHECK;

/* The recording that an open index is of; STATUS_UNSUPPORTED for another's. */
enum status session_profile_of(struct index *index, struct profile *ret_profile,
                               struct error *err) MUST_CHECK;

/* What an input holds, as far as a look at its first bytes tells. */
enum session_content {
    SESSION_CORE,
    SESSION_RECORDING, /* or nothing that we know */
    SESSION_PIPE,      /* which can be read only once */
};
enum session_content session_content(const char *input);

#endif
