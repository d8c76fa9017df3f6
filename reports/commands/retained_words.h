/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_RETAINED_WORDS_H
#define INQUEST_REPORTS_COMMANDS_RETAINED_WORDS_H

#include "inquest/analyzer/retained_tree.h"
#include "inquest/base/text.h"

/* What a node of retained memory is called: "shop.cache.SESSIONS: dict",
 * "40,000 × shop.models.Session". Unescaped, appended. */
void retained_node_name(const struct retained_node *node, struct text *text);

#endif
