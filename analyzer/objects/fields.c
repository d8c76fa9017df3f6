/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/objects/fields.h"

enum status field_u8(const struct python_process *process, uint64_t addr, enum python_field field,
                     uint8_t *ret_value)
{
    if (!layout_has(&process->layout, field))
        return STATUS_UNSUPPORTED;
    return memory_read_u8(process->image, addr + layout_get(&process->layout, field), ret_value);
}

enum status field_u32(const struct python_process *process, uint64_t addr, enum python_field field,
                      uint32_t *ret_value)
{
    if (!layout_has(&process->layout, field))
        return STATUS_UNSUPPORTED;
    return memory_read_u32(process->image, addr + layout_get(&process->layout, field), ret_value);
}

enum status field_u64(const struct python_process *process, uint64_t addr, enum python_field field,
                      uint64_t *ret_value)
{
    if (!layout_has(&process->layout, field))
        return STATUS_UNSUPPORTED;
    return memory_read_u64(process->image, addr + layout_get(&process->layout, field), ret_value);
}

enum status pointer_at(const struct python_process *process, uint64_t addr, uint64_t *ret_pointer)
{
    return memory_read_u64(process->image, addr, ret_pointer);
}

enum status object_pointer(const struct python_process *process, uint64_t addr,
                           enum python_field field, uint64_t *ret_pointer)
{
    return field_u64(process, addr, field, ret_pointer);
}

enum status object_size(const struct python_process *process, uint64_t addr, int64_t *ret_ob_size)
{
    uint64_t size;
    enum status status = field_u64(process, addr, PY_var_size, &size);
    if (status == STATUS_OK)
        *ret_ob_size = (int64_t)size;
    return status;
}
