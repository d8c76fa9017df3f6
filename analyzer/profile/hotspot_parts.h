/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_HOTSPOT_PARTS_H
#define INQUEST_ANALYZER_PROFILE_HOTSPOT_PARTS_H

#include "inquest/analyzer/profile_hotspots.h"

/* The groups that rows stand for. */
struct hotspot_groups {
    enum hotspot_by by;
    size_t count;
    uint32_t *of_frame;
    uint32_t *modules; /* of functions, of HOTSPOT_MODULE */
};

/* hotspot_modules.c: fills hotspots->modules; the module of each function, malloc'ed. */
enum status hotspot_modules(struct hotspots *hotspots, uint32_t **ret_modules) MUST_CHECK;
/* hotspot_sort.c */
enum status hotspots_sort(struct hotspots *hotspots,
                          const struct hotspot_options *options) MUST_CHECK;

#endif
