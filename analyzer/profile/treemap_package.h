/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_TREEMAP_PACKAGE_H
#define INQUEST_ANALYZER_PROFILE_TREEMAP_PACKAGE_H

#include <stdbool.h>
#include <stddef.h>

/* The rule in inquest/analyzer/profile_treemap.h, one path after the other: first the
 * folders that the program's own paths share, then each one's package. */

struct package_rule {
    const char *shared; /* of any path seen, borrowed; NULL: none yet */
    size_t shared_size; /* up to and with the last separator */
};

/* Parts of the path, or words of our own. */
struct package_place {
    const char *package, *file;
    size_t package_size, file_size;
};

void package_rule_see(struct package_rule *rule, const char *path, size_t size);
void package_rule_apply(const struct package_rule *rule, const char *path, size_t size,
                        struct package_place *ret_place);

#endif
