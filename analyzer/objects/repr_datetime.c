/* SPDX-License-Identifier: Apache-2.0 */
/* The types of the datetime module (Include/datetime.h): big-endian fields.
 *
 * OFFSET (layout)        SIZE  MEANING
 * date_data              4     year (2), month, day
 * datetime_data          10    the same, then hour, minute, second, microsecond (3)
 * time_data              6     hour, minute, second, microsecond (3)
 * ..._has_tzinfo         1     whether the tzinfo pointer is there at all
 * timedelta_...          4     days, seconds, microseconds, signed */
#include <string.h>

#include "analyzer/objects/repr.h"

static const uint8_t *data_view(struct repr *repr, const struct python_type *type, uint64_t addr,
                                enum python_field field, size_t size)
{
    if (!layout_has(&repr->process->layout, field)) {
        repr_object(repr, type, addr);
        return NULL;
    }
    const uint8_t *data =
        view_at(repr->process, addr + layout_get(&repr->process->layout, field), size);
    if (!data)
        repr_unreadable(repr, type->name, addr, STATUS_NOT_IN_DUMP);
    else if (repr_is_redacted(repr))
        repr_token(repr, type->name, REDACTION_NO_LENGTH, data, size);
    return repr_is_redacted(repr) ? NULL : data;
}

static void append_date(struct repr *repr, const struct python_type *type, const uint8_t *data)
{
    text_printf(repr->text, "%s(%u, %u, %u", type_entry_of(type)->tp_name,
                (unsigned)data[0] << 8 | data[1], data[2], data[3]);
}

/* Seconds and microseconds only where they are not zero. */
static void append_time(struct repr *repr, const uint8_t *data)
{
    unsigned microsecond = (unsigned)data[3] << 16 | (unsigned)data[4] << 8 | data[5];
    text_printf(repr->text, "%u, %u", data[0], data[1]);
    if (data[2] || microsecond)
        text_printf(repr->text, ", %u", data[2]);
    if (microsecond)
        text_printf(repr->text, ", %u", microsecond);
}

static void append_fold(struct repr *repr, uint64_t addr, enum python_field field)
{
    uint8_t fold;
    if (field_u8(repr->process, addr, field, &fold) == STATUS_OK && fold)
        text_append(repr->text, ", fold=1");
}

static void append_tzinfo(struct repr *repr, uint64_t addr, enum python_field has_field,
                          enum python_field field)
{
    uint8_t has_tzinfo;
    uint64_t tzinfo_addr;
    const struct python_type *type;
    if (field_u8(repr->process, addr, has_field, &has_tzinfo) != STATUS_OK || !has_tzinfo ||
        field_u64(repr->process, addr, field, &tzinfo_addr) != STATUS_OK ||
        (object_type(repr->process, tzinfo_addr, &type) == STATUS_OK && type->kind == KIND_NONE))
        return;
    text_append(repr->text, ", tzinfo=");
    repr_value(repr, tzinfo_addr);
}

void repr_date(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const uint8_t *data = data_view(repr, type, addr, PY_date_data, 4);
    if (!data)
        return;
    append_date(repr, type, data);
    text_append_char(repr->text, ')');
}

void repr_datetime(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const uint8_t *data = data_view(repr, type, addr, PY_datetime_data, 10);
    if (!data)
        return;
    if (!repr_enter(repr, addr, NULL))
        return;
    append_date(repr, type, data);
    text_append(repr->text, ", ");
    append_time(repr, data + 4);
    append_fold(repr, addr, PY_datetime_fold);
    append_tzinfo(repr, addr, PY_datetime_has_tzinfo, PY_datetime_tzinfo);
    text_append_char(repr->text, ')');
    repr_leave(repr);
}

void repr_time(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const uint8_t *data = data_view(repr, type, addr, PY_time_data, 6);
    if (!data)
        return;
    if (!repr_enter(repr, addr, NULL))
        return;
    text_printf(repr->text, "%s(", type_entry_of(type)->tp_name);
    append_time(repr, data);
    append_tzinfo(repr, addr, PY_time_has_tzinfo, PY_time_tzinfo);
    append_fold(repr, addr, PY_time_fold);
    text_append_char(repr->text, ')');
    repr_leave(repr);
}

void repr_timedelta(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    static const char *const names[] = {"days", "seconds", "microseconds"};
    const uint8_t *data = data_view(repr, type, addr, PY_timedelta_days, 12);
    const char *before = "";
    if (!data)
        return;
    text_printf(repr->text, "%s(", type_entry_of(type)->tp_name);
    for (size_t i = 0; i < 3; i++) {
        int32_t value = (int32_t)load_u32(data + 4 * i);
        if (value) {
            text_printf(repr->text, "%s%s=%" PRId32, before, names[i], value);
            before = ", ";
        }
    }
    text_append(repr->text, *before ? ")" : "0)");
}

/* Two pointers behind the object's head: the offset, and a name or NULL. The UTC
 * zone is the only one of offset zero without a name. */
void repr_timezone(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    uint64_t head = layout_get(&repr->process->layout, PY_object_size), offset_addr, name_addr;
    enum status status = pointer_at(repr->process, addr + head, &offset_addr);
    if (status == STATUS_OK)
        status = pointer_at(repr->process, addr + head + 8, &name_addr);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
        return;
    }
    static const uint8_t zero[12];
    const uint8_t *offset =
        view_at(repr->process,
                offset_addr + layout_or(&repr->process->layout, PY_timedelta_days, 0), sizeof zero);
    if (offset && !name_addr && memcmp(offset, zero, sizeof zero) == 0) {
        text_append(repr->text, "datetime.timezone.utc");
        return;
    }
    if (!repr_enter(repr, addr, NULL))
        return;
    text_printf(repr->text, "%s(", type_entry_of(type)->tp_name);
    repr_value(repr, offset_addr);
    if (name_addr) {
        text_append(repr->text, ", ");
        repr_value(repr, name_addr);
    }
    text_append_char(repr->text, ')');
    repr_leave(repr);
}
