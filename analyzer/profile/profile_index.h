/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_PROFILE_INDEX_H
#define INQUEST_ANALYZER_PROFILE_PROFILE_INDEX_H

#include "inquest/analyzer/index.h"
#include "inquest/base/progress.h"
#include "inquest/formats/profile.h"

/* A recording as tables, and back from them without loss: a row of `node` for each
 * place in a stack, of `trace` for tracemalloc's amounts, `stat` and `call` for pstats',
 * `sample_track` for threads; facts go to `meta`, a dump's variables to `local`, whose
 * frame_id is a node's id here. */

/* The writer keeps its own errors until it publishes; others are of memory. */
enum status profile_index_write(const struct profile *profile, struct index_writer *writer,
                                struct progress *progress, struct error *err) MUST_CHECK;

/* The index is of a recording: its kind was looked at. */
enum status profile_index_read(struct index *index, struct profile *ret_profile,
                               struct error *err) MUST_CHECK;

/* Whether an index is of a recording. */
bool profile_index_is(struct index *index);

/* "tracemalloc", "pstats", "pyspy": `kind` in meta. */
const char *profile_kind_name(enum profile_family family);

#endif
