/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_GNUPLOT_H
#define INQUEST_REPORTS_RENDER_GNUPLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "inquest/base/text.h"

/* A chart of lines over time, drawn by gnuplot, a program of its own that may be absent. */
struct chart_series {
    const char *name;     /* from a dump: unescaped */
    const double *values; /* one for each of chart.times */
};

struct chart {
    const char *x_title, *y_title;
    const double *times; /* in the x axis' unit */
    size_t time_count;
    const struct chart_series *series;
    size_t series_count;
};

/* Appends the chart as SVG. False, and nothing appended, where gnuplot is not there, fails,
 * or takes longer than a few seconds. It is run with fixed commands: what comes from a dump
 * is a quoted string of its script, without any character that could end or interpret it. */
bool gnuplot_chart(const struct chart *chart, struct text *text);

#endif
