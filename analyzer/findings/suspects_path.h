/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_SUSPECTS_PATH_H
#define INQUEST_ANALYZER_FINDINGS_SUSPECTS_PATH_H

#include "analyzer/findings/suspects_finder.h"

/* The shortest way from a root to an object, step by step. */
#define WAY_STEPS 64

struct way_step {
    uint32_t object;
    const char *label; /* of the reference that leads to it, as ref.label, or ".name"
                           in a namespace; "" for the root */
    bool in_namespace; /* from a module's, class's or instance's dict: the key is a name */
};

struct way {
    const struct heap_root *root; /* NULL: too far, or no root leads to it */
    struct way_step steps[WAY_STEPS];
    size_t count; /* the last one is the object */
};

/* Labels are in the suspects' arena. */
enum status way_find(struct finder *finder, uint32_t object, struct way *ret_way) MUST_CHECK;

/* Appends the steps from `first` on with what changes between two dumps left out:
 * keys, numbers, addresses; and with the types of what attributes belong to. */
void way_mask(const struct finder *finder, const struct way *way, size_t first, struct text *text);
/* As way_mask of all, with the root. */
void way_mask_all(const struct finder *finder, const struct way *way, struct text *text);

/* Appends a label without what changes: "[]" for any key or index. */
void mask_label(const char *label, struct text *text);

/* 16 hexadecimal digits of a text. */
void fingerprint_of(const char *text, char ret_fingerprint[17]);

#endif
