/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ANALYZER_FINDINGS_FIXTURE_H
#define TESTS_ANALYZER_FINDINGS_FIXTURE_H

#include "analyzer/findings/findings.h"
#include "tests/analyzer/objects_fixture.h"

/* The heap of objects that were made by hand, as a core's is: found by following
 * references. One root leads to what is alive; words that count for nothing lead to
 * garbage. Failures fail the test. */
struct findings_scene {
    struct objects *objects;
    struct heap heap;
    struct heap_roots roots;
    struct heap_facts facts;
    struct index *index;
    char answer[1024];
};

/* Gives an object a count of references, without which none is alive; returns it. */
uint64_t findings_counted(struct objects *objects, uint64_t addr, uint64_t count);

typedef enum status (*finding_write)(const struct findings *findings, struct error *err);

/* Opens the objects, finds all that `root` and `garbage` lead to and runs the finding
 * over it. */
void findings_scene_run(struct findings_scene *scene, struct objects *objects, uint64_t root,
                        const uint64_t *garbage, size_t garbage_count, finding_write write);
void findings_scene_close(struct findings_scene *scene);

/* The first column of the first row, "" for none or NULL; valid until the next call. */
const char *findings_answer(struct findings_scene *scene, const char *sql);

#endif
