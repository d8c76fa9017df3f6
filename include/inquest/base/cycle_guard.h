/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_CYCLE_GUARD_H
#define INQUEST_BASE_CYCLE_GUARD_H

#include <stdbool.h>
#include <stddef.h>
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

/* Of a chain found to loop, all of whose addresses so far are in `visited`: how many
 * come before the first that is there again. */
static inline size_t cycle_guard_distinct(const struct cycle_guard *guard, const uint64_t *visited,
                                          size_t count)
{
    size_t loop = (size_t)guard->steps, start = 0;
    while (start + loop < count && visited[start] != visited[start + loop])
        start++;
    return start + loop < count ? start + loop : count;
}

#endif
