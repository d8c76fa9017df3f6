/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_PROGRESS_H
#define INQUEST_BASE_PROGRESS_H

#include <stdint.h>

/* How the lower floors tell that they get on. `update` may be NULL; `done` and
 * `total` are in `unit` ("bytes", "objects", ...), total 0 when unknown. The
 * renderer decides whether, where and how often anything is shown. */
struct progress {
    void (*update)(struct progress *progress, const char *stage, const char *unit, uint64_t done,
                   uint64_t total);
    void *context;
};

static inline void progress_update(struct progress *progress, const char *stage, const char *unit,
                                   uint64_t done, uint64_t total)
{
    if (progress && progress->update)
        progress->update(progress, stage, unit, done, total);
}

#endif
