/* SPDX-License-Identifier: Apache-2.0 */
/* bytes and bytearray objects (Include/cpython/bytesobject.h, bytearrayobject.h).
 *
 * OFFSET (layout)   SIZE  MEANING
 * var_size          8     bytes in it
 * bytes_data        -     bytes: the content itself
 * bytearray_start   8     bytearray: pointer to the first byte */
#include "analyzer/objects/bytes.h"

#include "inquest/base/checked_math.h"

static enum status content_view(const struct python_process *process, uint64_t data_addr,
                                int64_t size, uint64_t limit, const uint8_t **ret_bytes,
                                uint64_t *ret_size)
{
    if (size < 0)
        return STATUS_CORRUPT;
    const uint8_t *bytes = view_at(process, data_addr, min_u64((uint64_t)size, limit));
    if (!bytes)
        return STATUS_NOT_IN_DUMP;
    *ret_bytes = bytes;
    *ret_size = (uint64_t)size;
    return STATUS_OK;
}

enum status bytes_view(struct python_process *process, uint64_t addr, uint64_t limit,
                       const uint8_t **ret_bytes, uint64_t *ret_size)
{
    int64_t size;
    enum status status = object_size(process, addr, &size);
    if (status != STATUS_OK)
        return status;
    uint64_t data_addr = addr + layout_get(&process->layout, PY_bytes_data);
    return content_view(process, data_addr, size, limit, ret_bytes, ret_size);
}

enum status bytearray_view(struct python_process *process, uint64_t addr, uint64_t limit,
                           const uint8_t **ret_bytes, uint64_t *ret_size)
{
    int64_t size;
    uint64_t data_addr;
    enum status status = object_size(process, addr, &size);
    if (status == STATUS_OK)
        status = field_u64(process, addr, PY_bytearray_start, &data_addr);
    if (status != STATUS_OK)
        return status;
    return content_view(process, data_addr, size, limit, ret_bytes, ret_size);
}
