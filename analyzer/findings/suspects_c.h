/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_SUSPECTS_C_H
#define INQUEST_ANALYZER_FINDINGS_SUSPECTS_C_H

#include "analyzer/findings/findings.h"
#include "inquest/base/array.h"

/* Objects that the interpreter's own C structures hold for a reason that Python
 * code gave, found by the shape of the structures:
 *
 * atexit   3.8 to 3.13, in the interpreter's state (3.8, 3.9: the module's): a pointer to an
 *          array of pointers, each to {function, arguments, keywords}; behind it as ints
 *          how many and how many there is room for. From 3.14 on a list of such tuples.
 *          (Modules/atexitmodule.c)
 * signal   64 times {int tripped, function}, of signals 1 to 64, in C variables
 *          (Modules/signalmodule.c) */
enum c_holder_kind { C_HOLDER_ATEXIT, C_HOLDER_SIGNAL };

struct c_holder {
    uint32_t object;
    uint8_t kind, number; /* number: the signal's */
};

struct c_holders {
    ARRAY(struct c_holder) items; /* by object */
};

enum status c_holders_find(const struct findings *findings,
                           struct c_holders *ret_holders) MUST_CHECK;
void c_holders_deinit(struct c_holders *holders);
/* NULL: held by none. */
const struct c_holder *c_holder_of(const struct c_holders *holders, uint32_t object);

#endif
