/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_EXPORT_STACKS_H
#define INQUEST_REPORTS_COMMANDS_EXPORT_STACKS_H

#include "inquest/analyzer/profile_tree.h"
#include "reports/cli/command.h"

/* A recording as stacks for other tools: nodes of its tree with an amount of their own,
 * in the tree's order. */
struct export_stacks {
    struct command_run *run;
    struct call_tree tree; /* by line and by track */
    uint32_t *place_of;    /* by node: its function and line as one number, from 0 */
    uint32_t *place_nodes; /* by place: a node of it; those of one function side by side */
    uint32_t place_count;
    uint64_t *self_counts; /* by node */
    uint32_t *path;        /* of the stack at hand: nodes, the outermost first */
    uint32_t depth;
    uint32_t track; /* PROFILE_NO_ID: of no process or thread */
    bool several_processes;
};

/* The stack that ends at `node`: its path and track. False where nothing ends there. */
bool export_stack_at(struct export_stacks *stacks, uint32_t node);

enum status export_collapsed(struct export_stacks *stacks, struct error *err) MUST_CHECK;
enum status export_speedscope(struct export_stacks *stacks, struct error *err) MUST_CHECK;
enum status export_pprof(struct export_stacks *stacks, struct error *err) MUST_CHECK;

#endif
