/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_TREND_H
#define INQUEST_ANALYZER_TREND_H

#include <stdbool.h>
#include <stddef.h>

#include "inquest/analyzer/index.h"
#include "inquest/base/arena.h"
#include "inquest/base/array.h"
#include "inquest/formats/profile.h"

/* How the numbers of three or more inputs of one kind went, in order of time. */

#define TREND_KEYS 3

/* What the numbers did from input to input. */
enum trend_shape {
    TREND_STEADY,    /* grew in every interval */
    TREND_STEP,      /* one rise makes up most of the growth */
    TREND_SAW,       /* up and down */
    TREND_SHRINKING, /* fell in every interval */
    TREND_FLAT,      /* did not change */
    TREND_SHAPE_COUNT
};
extern const char *const trend_shape_names[TREND_SHAPE_COUNT]; /* "steady growth", … */

struct trend_row {
    const char *keys[TREND_KEYS];
    double *values;          /* one an input */
    double slope, low, high; /* growth an hour by least squares, and where it lies with 95 %
                                certainty; NAN for both where there is no telling */
    double fit;              /* R², how much of the change the line explains, 0 to 1 */
    double percent;          /* slope of what the line says of the first input, per cent an
                                hour; INFINITY where that is nothing */
    enum trend_shape shape;
    double rank; /* larger first */
};

struct trend {
    struct arena arena;
    const char *family;
    const char *what;             /* "retained bytes by type, of containers their own" */
    const char *unit;             /* "bytes", "seconds", "samples", … */
    const char *keys[TREND_KEYS]; /* names of the key's columns */
    bool key_is_number[TREND_KEYS];
    size_t input_count;
    double *times;                /* seconds since the first input */
    const char *times_from;       /* "recorded", "file", "given" */
    ARRAY(struct trend_row) rows; /* steady growers first */
    double *totals;
};

/* The inputs of a trend are added in the order given, and put in order of time. */
struct trend_input {
    const char *name;
    struct index *index; /* of a core; NULL: a recording */
    const struct profile *profile;
    double time; /* seconds since the epoch, or since any other moment */
    double total;
};

/* STATUS_USAGE where they are not of one kind, or two have one time. `by` NULL: type, line
 * (of memory) or function. Reorders `inputs`. */
enum status trend_make(struct trend_input *inputs, size_t count, const char *by,
                       struct trend *ret_trend, struct error *err) MUST_CHECK;
void trend_deinit(struct trend *trend);

/* Slope and the rest of one row of numbers: trend_fit.c */
void trend_fit(const double *times, const double *values, size_t count, struct trend_row *row);

#endif
