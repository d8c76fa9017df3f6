/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/render/flame_change.h"

#include <math.h>

#include "reports/render/escape.h"

#define STEPS 6
#define SAME  0.005 /* of the larger: no change worth a colour */

const char *flame_change_class(double old_value, double new_value)
{
    static const char *const grown[STEPS] = {"g1", "g2", "g3", "g4", "g5", "g6"};
    static const char *const shrunk[STEPS] = {"s1", "s2", "s3", "s4", "s5", "s6"};
    double larger = fmax(fabs(old_value), fabs(new_value));
    double change = larger > 0 ? (new_value - old_value) / larger : 0;
    if (!(fabs(change) >= SAME))
        return "z";
    unsigned step = (unsigned)fmin(STEPS - 1, fabs(change) * STEPS);
    return change > 0 ? grown[step] : shrunk[step];
}

enum flame_presence flame_change_presence(const struct flame_change *change)
{
    if (change->old_total == 0 && change->new_total > 0)
        return FLAME_NEW;
    return change->new_total == 0 && change->old_total > 0 ? FLAME_GONE : FLAME_BOTH;
}

void flame_amount(const struct flame_graph *graph, double value, struct text *text)
{
    struct text words = {0};
    format_amount(&words, graph->unit, graph->unit_name, value);
    escape_markup(text, text_string(&words), ESCAPE_ONE_LINE);
    text->failed |= words.failed;
    text_deinit(&words);
}

void flame_change_words(const struct flame_graph *graph, double old_value, double new_value,
                        struct text *text)
{
    flame_amount(graph, old_value, text);
    text_append(text, " → ");
    flame_amount(graph, new_value, text);
    double change = new_value - old_value;
    text_append(text, change > 0 ? " (+" : " (");
    flame_amount(graph, change, text);
    if (old_value > 0)
        text_printf(text, ", %s%.1f %%", change < 0 ? "−" : "+", fabs(change) / old_value * 100);
    text_append(text, ")");
}

/* The words stand under the swatches: beside them they would be cut off where a page is narrow. */
void flame_change_legend(double x, double y, struct text *text)
{
    const double left = x;
    static const struct {
        const char *style, *words;
        double width;
    } swatches[] = {
        {"s6", "gone or nearly", 116}, {"s3", "half as much", 104},  {"z", "same", 52},
        {"g3", "twice as much", 110},  {"g6", "new or nearly", 110},
    };
    for (size_t i = 0; i < sizeof swatches / sizeof *swatches; i++) {
        text_printf(text,
                    "<rect class=\"%s\" x=\"%.0f\" y=\"%.0f\" width=\"11\" height=\"11\" "
                    "rx=\"2\"/><text x=\"%.0f\" y=\"%.0f\">%s</text>\n",
                    swatches[i].style, x, y - 9, x + 16, y, swatches[i].words);
        x += 26 + swatches[i].width;
    }
    text_printf(text,
                "<text class=\"subtitle\" x=\"%.0f\" y=\"%.0f\">NEW compared to OLD: a frame with "
                "all above it; the stripe at its foot: by itself</text>\n",
                left, y + 18);
}
