/* SPDX-License-Identifier: Apache-2.0 */
/* The objects that a marshalled file numbers so that it can name them again. */
#include "formats/profiles/marshal.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/base/huge_pages.h"

/* They are asked for in no order. */
static bool grow(struct marshal *marshal)
{
    size_t count = marshal->references.count, capacity = count < 8 ? 8 : 2 * count;
    struct marshal_reference *items = huge_pages_alloc(capacity * sizeof *items);
    if (!items)
        return false;
    if (count)
        memcpy(items, marshal->references.items, count * sizeof *items);
    free(marshal->references.items);
    marshal->references.items = items;
    marshal->references.capacity = capacity;
    return true;
}

bool marshal_refer(struct marshal *marshal, struct marshal_value value)
{
    struct marshal_reference reference = {.kind = (uint16_t)value.kind, .id = value.id};
    bool is_small =
        value.kind == MARSHAL_INT && value.whole >= INT32_MIN && value.whole <= INT32_MAX;
    if (is_small) {
        reference.id = (uint32_t)value.whole;
    } else if (value.kind == MARSHAL_INT || value.kind == MARSHAL_FLOAT) {
        reference.is_wide = true;
        reference.id = (uint32_t)marshal->wide.count;
        if (!array_push(&marshal->wide, value))
            return false;
    }
    if (marshal->references.count == marshal->references.capacity && !grow(marshal))
        return false;
    marshal->references.items[marshal->references.count++] = reference;
    return marshal->references.count <= UINT32_MAX;
}

/* Of an object with parts, which is no number, once they are read. */
void marshal_set_reference(struct marshal *marshal, uint32_t number, struct marshal_value value)
{
    marshal->references.items[number] =
        (struct marshal_reference){.kind = (uint16_t)value.kind, .id = value.id};
}
