/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "reports/cli/options.h"

#define LONGEST 32

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to insert, drop, change or swap with their neighbour. */
static size_t edits(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[LONGEST + 1][LONGEST + 1];
    for (size_t i = 0; i <= a_size; i++)
        rows[i][0] = i;
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = least(best, least(rows[i - 1][j], rows[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least(best, rows[i - 2][j - 2] + 1);
            rows[i][j] = best;
        }
    }
    return rows[a_size][b_size];
}

const char *nearest_name(const char *word, const char *const *names)
{
    size_t size = strlen(word), best = SIZE_MAX;
    const char *nearest = NULL;
    for (; size && size <= LONGEST && *names; names++) {
        size_t name_size = strlen(*names);
        if (name_size > LONGEST)
            continue;
        /* the beginning of a name is as good as one slip */
        size_t distance = !strncmp(word, *names, size) ? 1 : edits(word, size, *names, name_size);
        if (distance < best && distance <= 1 + least(size, name_size) / 4) {
            best = distance;
            nearest = *names;
        }
    }
    return nearest;
}
