/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_TREEMAP_H
#define INQUEST_ANALYZER_PROFILE_TREEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/arena.h"
#include "inquest/base/array.h"
#include "inquest/base/error.h"
#include "inquest/formats/profile.h"

/* What a recording's places took or allocated by themselves, as package > file > line (of
 * a snapshot) or function. Amounts are those of the innermost frames, as in hotspots: each
 * is counted once, so every level adds up to the whole. */

/* The package of a file, as Python would name it:
 *   1. below site-packages or dist-packages the first folder or module there;
 *   2. "stdlib" below lib/python3.N (Windows: Lib\), and for <frozen …> modules;
 *   3. a script in a folder bin or Scripts, or a shared library, is one by itself;
 *   4. of all other absolute paths the first folder below those that all of them share;
 *      files in the last shared folder belong to that;
 *   5. of relative paths the first folder or module;
 *   6. "(no file)" for <string> and what has none, "(built-in)" for pstats' "~". */

enum place_level {
    PLACE_ALL, /* node 0 */
    PLACE_PACKAGE,
    PLACE_FILE,
    PLACE_LEAF, /* a line or a function */
};

struct place_node {
    uint32_t parent; /* a lower index; 0 for node 0 */
    enum place_level level;
    const char *name;  /* "all", "requests", "adapters.py" (from the package on), "send"; of a
                          line NULL */
    uint32_t function; /* of a leaf and, any of its own, of a file; else PROFILE_NO_ID */
    int32_t line;      /* of a leaf: 0 where unknown */
    double value;      /* in the tree's unit */
    uint64_t size;     /* of a snapshot: bytes, exactly */
    uint64_t count;    /* blocks, samples or calls */
};

/* In preorder; of siblings the largest is first, equal ones in order of name and line. */
struct place_tree {
    const struct profile *profile; /* borrowed */
    const char *unit;              /* of values: the recording's, or "blocks", "samples", "calls" */
    struct arena arena;            /* names */
    ARRAY(struct place_node) nodes;
};

struct place_tree_options {
    bool by_line;  /* leaves are lines; always so of a snapshot */
    bool by_count; /* values are blocks, samples or calls */
};

/* Of a recording of any family. */
enum status place_tree_build(const struct profile *profile,
                             const struct place_tree_options *options, struct place_tree *ret_tree,
                             struct error *err) MUST_CHECK;
void place_tree_deinit(struct place_tree *tree);

#endif
