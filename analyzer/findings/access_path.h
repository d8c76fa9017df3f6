/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_ACCESS_PATH_H
#define INQUEST_ANALYZER_FINDINGS_ACCESS_PATH_H

#include "inquest/base/text.h"

/* Writes the way from a root to an object as Python would:
 * shop.cache.SESSIONS['u17'].basket[3]. Built from the texts that the index has
 * (root.kind, root.label, ref.label), so that it is the same with and without
 * the core. */
struct access_path {
    struct text *text;
    bool in_namespace; /* the last step led to a module's or an instance's dict: its
                          entries are attributes */
    bool at_dict;      /* it was to a __dict__, which is not written before its entry */
};

void access_path_begin(struct access_path *path, const char *root_kind, const char *root_label,
                       bool root_is_dict, struct text *text);
/* `label` as in ref.label; NULL where the step is not known. */
void access_path_step(struct access_path *path, const char *label);
/* After the last step: names the __dict__ itself where the way ends at one, for a module's
 * variables are not the module. */
void access_path_end(struct access_path *path);

#endif
