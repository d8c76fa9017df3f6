/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_FINDINGS_H
#define INQUEST_ANALYZER_FINDINGS_FINDINGS_H

#include "analyzer/runtime/heap_facts.h"

/* What a finding looks at: the whole heap, and what the passes over it found. It
 * reads; its answer are rows of `writer`. */
struct findings {
    const struct core_dump *core;
    const struct heap *heap;
    const struct heap_roots *roots;
    const struct heap_facts *facts;
    struct index_writer *writer;
};

/* Runs all of the table in findings.c. */
enum status findings_write(const struct findings *findings, struct error *err) MUST_CHECK;

/* ---- paths.c */

/* The label of the first reference from source to target; 0 where there is none. */
uint32_t findings_label(const struct findings *findings, uint32_t source, uint32_t target);
/* The shortest path from a root to an object as Python would write it, appended;
 * nothing where no root leads to it. */
void findings_path(const struct findings *findings, uint32_t object, struct text *text);

#endif
