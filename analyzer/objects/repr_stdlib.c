/* SPDX-License-Identifier: Apache-2.0 */
/* Fraction, UUID, weak references, locks, memoryview. */
#include "analyzer/objects/repr.h"

static void repr_attribute(struct repr *repr, uint64_t addr, const char *name)
{
    uint64_t value;
    enum status status = instance_attribute(repr->process, addr, name, &value);
    if (status == STATUS_OK)
        repr_value(repr, value);
    else
        repr_items_end(repr, status);
}

void repr_fraction(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    text_printf(repr->text, "%s(", type->short_name);
    repr_attribute(repr, addr, "_numerator");
    text_append(repr->text, ", ");
    repr_attribute(repr, addr, "_denominator");
    text_append_char(repr->text, ')');
}

/* The 32 hexadecimal digits of an int of at most 128 bits. */
static bool uuid_digits(const struct int_view *view, char ret_digits[33])
{
    uint64_t high = 0, low = 0;
    if (int_bit_length(view) > 128 || view->is_negative || view->digit_bits != 30)
        return false;
    for (uint64_t i = view->count; i-- > 0;) {
        high = high << 30 | low >> 34;
        low = low << 30 | load_u32(view->digits + 4 * i);
    }
    snprintf(ret_digits, 33, "%016" PRIx64 "%016" PRIx64, high, low);
    return true;
}

void repr_uuid(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    uint64_t int_addr;
    struct int_view view;
    char d[33];
    if (instance_attribute(repr->process, addr, "int", &int_addr) != STATUS_OK ||
        int_view(repr->process, int_addr, &view) != STATUS_OK || !uuid_digits(&view, d))
        repr_object(repr, type, addr);
    else if (repr_is_redacted(repr))
        repr_token(repr, type->name, REDACTION_NO_LENGTH, d, 32);
    else
        text_printf(repr->text, "%s('%.8s-%.4s-%.4s-%.4s-%.12s')", type->short_name, d, d + 8,
                    d + 12, d + 16, d + 20);
}

void repr_weakref(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const struct python_type *referent_type;
    uint64_t referent_addr;
    (void)type;
    text_printf(repr->text, "<weakref at " ADDRESS, addr);
    if (field_u64(repr->process, addr, PY_weakref_object, &referent_addr) == STATUS_OK &&
        object_type(repr->process, referent_addr, &referent_type) == STATUS_OK) {
        if (referent_type->kind == KIND_NONE)
            text_append(repr->text, "; dead");
        else
            text_printf(repr->text, "; to '%s' at " ADDRESS, type_entry_of(referent_type)->tp_name,
                        referent_addr);
    }
    text_append_char(repr->text, '>');
}

void repr_lock(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const struct python_layout *layout = &repr->process->layout;
    uint8_t locked;
    if ((uint64_t)type->basicsize != layout_or(layout, PY_lock_size, 0) ||
        field_u8(repr->process, addr, PY_lock_locked, &locked) != STATUS_OK)
        text_printf(repr->text, "<%s object at " ADDRESS ">", type->name, addr);
    else
        text_printf(repr->text, "<%s %s object at " ADDRESS ">", locked & 1 ? "locked" : "unlocked",
                    type->name, addr);
}

/* How often its owner holds an RLock; false where that can't be told. */
static bool rlock_count(struct repr *repr, const struct python_type *type, uint64_t addr,
                        uint64_t *ret_count)
{
    const struct python_layout *layout = &repr->process->layout;
    uint8_t locked = 1;
    bool has_level = layout_has(layout, PY_rlock_level);
    if ((uint64_t)type->basicsize != layout_or(layout, PY_rlock_size, 0) ||
        field_u64(repr->process, addr, has_level ? PY_rlock_level : PY_rlock_count, ret_count) !=
            STATUS_OK ||
        (layout_has(layout, PY_rlock_locked) &&
         field_u8(repr->process, addr, PY_rlock_locked, &locked) != STATUS_OK))
        return false;
    *ret_count = locked & 1 ? *ret_count + has_level : 0;
    return true;
}

void repr_rlock(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    uint64_t owner, count;
    if (!rlock_count(repr, type, addr, &count) ||
        field_u64(repr->process, addr, PY_rlock_owner, &owner) != STATUS_OK)
        text_printf(repr->text, "<%s object at " ADDRESS ">", type->name, addr);
    else
        text_printf(repr->text, "<%s %s object owner=%" PRIu64 " count=%" PRIu64 " at " ADDRESS ">",
                    count ? "locked" : "unlocked", type->name, count ? owner : 0, count, addr);
}

void repr_memoryview(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    (void)type;
    text_printf(repr->text, "<memory at " ADDRESS ">", addr);
}
