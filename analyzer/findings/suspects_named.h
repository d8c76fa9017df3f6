/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_SUSPECTS_NAMED_H
#define INQUEST_ANALYZER_FINDINGS_SUSPECTS_NAMED_H

#include "analyzer/findings/findings.h"

/* The shortest ways from what a program has names for: modules, classes, variables of
 * running frames. A word of C memory that leads to the same object is nearer, but says
 * less. Most objects' shortest paths begin at names anyway, and are these; the search is
 * done when the first other object is asked for. */
struct named_paths {
    struct findings findings; /* with these paths, and the roots that they begin at */
    struct heap_facts facts;  /* all but the paths are borrowed */
    struct heap_roots roots;
    bool is_searched;
    enum status status; /* of the search */
};

void named_paths_deinit(struct named_paths *paths);

/* The findings whose paths explain the object best: `findings` where no name leads to it,
 * and where memory was out, which `status` tells. */
const struct findings *named_paths_for(struct named_paths *paths, const struct findings *findings,
                                       uint32_t object);

#endif
