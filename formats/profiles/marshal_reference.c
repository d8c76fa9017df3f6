/* SPDX-License-Identifier: Apache-2.0 */
/* The objects that a marshalled file numbers so that it can name them again. */
#include "formats/profiles/marshal.h"

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
    return marshal->references.count < UINT32_MAX && array_push(&marshal->references, reference);
}

/* Of an object with parts, which is no number, once they are read. */
void marshal_set_reference(struct marshal *marshal, uint32_t number, struct marshal_value value)
{
    marshal->references.items[number] =
        (struct marshal_reference){.kind = (uint16_t)value.kind, .id = value.id};
}
