/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_CYCLE_GUARD_H
#define INQUEST_BASE_CYCLE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

/* Brent's cycle detection over a chain of addresses, in constant memory: a chain
 * that loops is noticed after at most three times its distinct links. */
struct cycle_guard {
    uint64_t landmark, steps, power;
};

/* Takes the next address of the chain; false once the chain is known to loop,
 * with `steps` then the loop's length. */
static inline bool cycle_guard_step(struct cycle_guard *guard, uint64_t address)
{
    if (guard->power && address == guard->landmark)
        return false;
    if (guard->steps == guard->power) {
        guard->landmark = address;
        guard->power = guard->power ? guard->power * 2 : 1;
        guard->steps = 0;
    }
    guard->steps++;
    return true;
}

#endif
