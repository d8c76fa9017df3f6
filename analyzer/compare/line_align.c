/* SPDX-License-Identifier: Apache-2.0 */
/* An alignment of two sequences with the largest sum of scores (Needleman and Wunsch's, with gaps
 * that cost nothing): a pair scores by how alike its numbers are, and by standing right behind the
 * pair before it, at the same distance on both sides, or else by its line number being the same. */
#include "analyzer/compare/line_align.h"

#include <math.h>
#include <stdlib.h>

#define LEAST_ALIKE   0.5  /* smaller number over larger: below, numbers speak against a pair */
#define SCORE_FOLLOWS 1.0  /* outweighs numbers that are not alike at all */
#define SCORE_SAME    0.75 /* likewise: a line that stays and grows is no other line */

/* How the best alignment of what comes before ends. */
enum { SKIP_OLD = 1, SKIP_NEW = 2, PAIR = 3, FOLLOWS = 4 /* a bit beside: of the pair */ };

struct alignment {
    const struct counted_line *old_lines, *new_lines;
    size_t old_count, new_count;
    uint8_t *steps;              /* row by row, one row for each of OLD's lines */
    double *best[2], *paired[2]; /* by NEW's lines, of this row and the one before */
};

static double ratio(double a, double b)
{
    double larger = fmax(fabs(a), fabs(b));
    return larger > 0 ? fmin(fabs(a), fabs(b)) / larger : 1;
}

static double alike(const struct counted_line *a, const struct counted_line *b)
{
    return (ratio(a->size, b->size) + ratio(a->count, b->count)) / 2 - LEAST_ALIKE;
}

/* Whether line i stands as far behind line i - 1 as j does behind j - 1. */
static bool follows(const struct alignment *work, size_t i, size_t j)
{
    return i && j &&
           (int64_t)work->old_lines[i].line - work->old_lines[i - 1].line ==
               (int64_t)work->new_lines[j].line - work->new_lines[j - 1].line;
}

/* Arrays have an item more, in front: index j + 1 is of NEW's line j, row i's is best[i % 2]. */
static void fill_row(struct alignment *work, size_t i)
{
    const double *above = work->best[(i + 1) % 2], *above_paired = work->paired[(i + 1) % 2];
    double *best = work->best[i % 2], *paired = work->paired[i % 2];
    uint8_t *steps = work->steps + i * work->new_count;
    best[0] = 0;
    paired[0] = -INFINITY;
    for (size_t j = 0; j < work->new_count; j++) {
        const struct counted_line *old_line = &work->old_lines[i], *new_line = &work->new_lines[j];
        double first = above[j] + (old_line->line == new_line->line ? SCORE_SAME : 0);
        double next = follows(work, i, j) ? above_paired[j] + SCORE_FOLLOWS : -INFINITY;
        uint8_t follow = next > first ? FOLLOWS : 0;
        paired[j + 1] = alike(old_line, new_line) + fmax(first, next);
        best[j + 1] = fmax(paired[j + 1], fmax(above[j + 1], best[j]));
        steps[j] = follow | (paired[j + 1] >= best[j + 1]  ? PAIR
                             : above[j + 1] >= best[j + 1] ? SKIP_OLD
                                                           : SKIP_NEW);
    }
}

static void trace_back(const struct alignment *work, uint32_t *ret_old_of)
{
    size_t i = work->old_count, j = work->new_count;
    bool must_pair = false; /* the pair behind follows this one */
    while (i && j) {
        uint8_t step = work->steps[(i - 1) * work->new_count + j - 1];
        if (!must_pair && (step & PAIR) == SKIP_OLD) {
            i--;
        } else if (!must_pair && (step & PAIR) == SKIP_NEW) {
            j--;
        } else {
            ret_old_of[--j] = (uint32_t)--i;
            must_pair = step & FOLLOWS;
        }
    }
}

static bool align(struct alignment *work, uint32_t *ret_old_of)
{
    double *rows = calloc((work->new_count + 1) * 4, sizeof *rows);
    work->steps = malloc(work->old_count * work->new_count);
    bool ok = rows && work->steps;
    for (size_t k = 0; k < 2; k++) {
        work->best[k] = rows ? rows + k * (work->new_count + 1) : NULL;
        work->paired[k] = rows ? rows + (k + 2) * (work->new_count + 1) : NULL;
    }
    for (size_t j = 0; ok && j <= work->new_count; j++)
        work->paired[1][j] = -INFINITY; /* the row in front of the first */
    for (size_t i = 0; ok && i < work->old_count; i++)
        fill_row(work, i);
    if (ok)
        trace_back(work, ret_old_of);
    free(work->steps);
    free(rows);
    return ok;
}

static void align_by_number(const struct alignment *work, uint32_t *ret_old_of)
{
    for (size_t i = 0, j = 0; i < work->old_count && j < work->new_count;) {
        int32_t old_line = work->old_lines[i].line, new_line = work->new_lines[j].line;
        if (old_line == new_line)
            ret_old_of[j] = (uint32_t)i;
        i += old_line <= new_line;
        j += new_line <= old_line;
    }
}

bool lines_align(const struct counted_line *old_lines, size_t old_count,
                 const struct counted_line *new_lines, size_t new_count, uint32_t *ret_old_of)
{
    struct alignment work = {.old_lines = old_lines,
                             .new_lines = new_lines,
                             .old_count = old_count,
                             .new_count = new_count};
    for (size_t j = 0; j < new_count; j++)
        ret_old_of[j] = LINE_NONE;
    if (!old_count || !new_count)
        return true;
    if (old_count <= LINE_ALIGN_MOST && new_count <= LINE_ALIGN_MOST)
        return align(&work, ret_old_of);
    align_by_number(&work, ret_old_of);
    return true;
}
