/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_FLAME_CHANGE_H
#define INQUEST_REPORTS_RENDER_FLAME_CHANGE_H

#include "reports/render/flame.h"

/* Red for grown and blue for shrunk, a pair that the colour-blind can tell apart, in six
 * steps of the change's share of the larger of both. What is new or gone has a dashed edge
 * and a sign in front of its name too. */
const char *flame_change_class(double old_value, double new_value); /* "g1" to "s6", "z" */

enum flame_presence { FLAME_BOTH, FLAME_NEW, FLAME_GONE };
enum flame_presence flame_change_presence(const struct flame_change *change);

/* "1.2 s → 1.5 s (+300 ms, +25.0 %)" */
void flame_change_words(const struct flame_graph *graph, double old_value, double new_value,
                        struct text *text);
/* One value in the graph's unit. */
void flame_amount(const struct flame_graph *graph, double value, struct text *text);
/* Swatches with words, from x, y on. */
void flame_change_legend(double x, double y, struct text *text);

#endif
