/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_CYCLES_MODEL_H
#define INQUEST_REPORTS_COMMANDS_CYCLES_MODEL_H

#include "inquest/analyzer/index.h"
#include "inquest/base/arena.h"
#include "inquest/base/array.h"
#include "reports/render/cycle_svg.h"

/* The cycles of an index and its garbage collector's state. Strings live in the arena. */

struct cycle_row {
    int64_t id, copies, members, bytes, retained;
    int64_t object_id, within_id; /* 0: none */
    int64_t nodes;                /* objects of one copy, as a drawing shows them */
    uint64_t address;             /* of object_id */
    bool is_garbage, is_program, has_finalizer, has_weakref_callback;
    const char *kind, *shape;
};

struct collector_row {
    int64_t generation, threshold, count, objects, garbage;
    int64_t collections, collected, uncollectable; /* -1: not known */
};

struct cycles_model {
    struct arena arena;
    ARRAY(struct cycle_row) rows; /* garbage first, the program's own last, by bytes */
    ARRAY(struct collector_row) generations;
    bool has_collector; /* what follows is known */
    bool is_enabled, is_collecting;
    int64_t debug, frozen, kept, garbage_cycles, garbage_objects, garbage_bytes;
    const char *why; /* NULL: there is no garbage */
};

enum status cycles_model_load(struct index *index, struct cycles_model *ret_model,
                              struct error *err) MUST_CHECK;
void cycles_model_deinit(struct cycles_model *model);

/* One copy of a cycle, in the model's arena. */
enum status cycles_model_drawing(struct cycles_model *model, struct index *index,
                                 const struct cycle_row *row, struct cycle_drawing *ret_drawing,
                                 struct error *err) MUST_CHECK;

/* Of the rows from `first` on, those of the next kind: how many. */
size_t cycles_model_run(const struct cycles_model *model, size_t first);

#endif
