/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "inquest/analyzer/trend.h"

#define HOUR       3600.0
#define MOST_OF_IT 0.8 /* of all growth, in one interval: a step */

const char *const trend_shape_names[TREND_SHAPE_COUNT] = {
    [TREND_STEADY] = "steady growth", [TREND_STEP] = "one step",  [TREND_SAW] = "up and down",
    [TREND_SHRINKING] = "shrinking",  [TREND_FLAT] = "unchanged",
};

/* Student's t for 95 % and so many degrees of freedom. */
static double student(size_t freedom)
{
    static const double table[] = {0,     12.706, 4.303, 3.182, 2.776, 2.571, 2.447,
                                   2.365, 2.306,  2.262, 2.228, 2.201, 2.179, 2.160,
                                   2.145, 2.131,  2.120, 2.110, 2.101, 2.093, 2.086};
    return freedom < sizeof table / sizeof *table ? table[freedom] : 1.96 + 2.5 / (double)freedom;
}

static enum trend_shape shape_of(const double *values, size_t count)
{
    size_t rises = 0, falls = 0;
    double up = 0, largest = 0;
    for (size_t i = 1; i < count; i++) {
        double change = values[i] - values[i - 1];
        rises += change > 0;
        falls += change < 0;
        up += fmax(change, 0);
        largest = fmax(largest, change);
    }
    if (!rises && !falls)
        return TREND_FLAT;
    if (!rises)
        return TREND_SHRINKING;
    /* of two intervals, one always has most */
    if (!falls && (rises < count - 1 || count > 3) && largest >= MOST_OF_IT * up)
        return TREND_STEP;
    if (rises == count - 1)
        return TREND_STEADY;
    return falls ? TREND_SAW : TREND_STEP;
}

void trend_fit(const double *times, const double *values, size_t count, struct trend_row *row)
{
    double mean_time = 0, mean = 0, across = 0, along = 0, spread = 0, rest = 0;
    for (size_t i = 0; i < count; i++) {
        mean_time += times[i] / (double)count;
        mean += values[i] / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        across += (times[i] - mean_time) * (times[i] - mean_time);
        along += (times[i] - mean_time) * (values[i] - mean);
        spread += (values[i] - mean) * (values[i] - mean);
    }
    double slope = across > 0 ? along / across : 0;
    for (size_t i = 0; i < count; i++) {
        double error = values[i] - (mean + slope * (times[i] - mean_time));
        rest += error * error;
    }
    row->shape = shape_of(values, count);
    row->slope = slope * HOUR;
    row->fit = spread > 0 ? 1 - rest / spread : 1;
    row->low = row->high = NAN;
    if (count > 2 && across > 0) {
        double error = sqrt(rest / (double)(count - 2) / across) * student(count - 2) * HOUR;
        row->low = row->slope - error;
        row->high = row->slope + error;
    }
    double start = mean + slope * (times[0] - mean_time);
    if (values[0] > 0 && start < values[0] / 2) /* the line misses it: what was there */
        start = values[0];
    row->percent = slope == 0 ? 0 : start > 0 ? row->slope / start * 100 : INFINITY;
}
