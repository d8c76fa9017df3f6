/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of tp_traverse that came with patch releases, of which no structure in the
 * dump tells. To add one: a name in references_plan.h, and the releases that have it. */
#include "analyzer/objects/references_plan.h"

/* Versions from `first` on, before `end`, as sys.hexversion; 0: all later ones. */
static const struct {
    enum release_change change;
    uint32_t first, end;
} rows[] = {
    {CHANGE_PICKLE_MEMO_VISITED, 0x030b0700, 0x030c0000},
    {CHANGE_PICKLE_MEMO_VISITED, 0x030c0100, 0},
    /* 3.13.5 as Debian has it, with a patch */
    {CHANGE_OWN_DICT_VISITED, 0x030d0500, 0x030d0600},
    {CHANGE_OWN_DICT_VISITED, 0x030d0d00, 0x030e0000},
    {CHANGE_OWN_DICT_VISITED, 0x030e0400, 0},
};

bool release_has(const struct python_layout *layout, enum release_change change)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].change == change && layout->version_hex >= rows[i].first &&
            (!rows[i].end || layout->version_hex < rows[i].end))
            return true;
    return false;
}
