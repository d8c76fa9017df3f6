/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/discovery.h"

#include "inquest/base/bytes_reader.h"

/* From 3.12 on the dictionaries of static types are in an array deep inside the
 * interpreter's state, past members that patch releases and debug offsets say
 * nothing about. But each entry begins with the address of its type, so the array
 * proves itself: two entries whose numbers are known must point back. */
#define SEARCH_DISTANCE (UINT64_C(256) << 10)

struct static_array {
    const struct python_process *process;
    uint64_t types[2];   /* addresses */
    uint64_t entries[2]; /* each one's offset from the array's begin */
};

static bool read_field(const struct python_process *process, uint64_t address,
                       enum python_field field, uint64_t *ret_value)
{
    return layout_has(&process->layout, field) &&
           memory_read_u64(process->image, address + layout_get(&process->layout, field),
                           ret_value) == STATUS_OK;
}

static bool add_type(struct static_array *array, size_t slot, uint64_t type_addr)
{
    const struct python_layout *layout = &array->process->layout;
    uint64_t number = 0, flags = 0;
    if (!layout_has(layout, PY_interp_static_type_count) ||
        !layout_has(layout, PY_interp_static_type_type) ||
        !read_field(array->process, type_addr, PY_type_flags, &flags) ||
        !(flags & layout_get(layout, PY_constant_tpflags_static_builtin)) ||
        !read_field(array->process, type_addr, PY_type_subclasses, &number) || number == 0 ||
        number > layout_get(layout, PY_interp_static_type_count))
        return false;
    array->types[slot] = type_addr;
    array->entries[slot] = (number - 1) * layout_get(layout, PY_interp_static_type_size) +
                           layout_get(layout, PY_interp_static_type_type);
    return true;
}

static bool proves_itself(const struct static_array *array, uint64_t offset)
{
    for (size_t i = 0; i < 2; i++) {
        uint64_t address = array->process->interp_addr + offset + array->entries[i], type = 0;
        if (memory_read_u64(array->process->image, address, &type) != STATUS_OK ||
            type != array->types[i])
            return false;
    }
    return true;
}

/* Outwards from where the layout has it, so that the nearest wins. */
static bool search(const struct static_array *array, uint64_t expected, uint64_t *ret_offset)
{
    for (uint64_t distance = 0; distance <= SEARCH_DISTANCE; distance += 8) {
        if (proves_itself(array, expected + distance)) {
            *ret_offset = expected + distance;
            return true;
        }
        if (distance <= expected && proves_itself(array, expected - distance)) {
            *ret_offset = expected - distance;
            return true;
        }
    }
    return false;
}

/* Memory that is not there contradicts nothing. */
static bool is_cut_off(const struct static_array *array, uint64_t offset)
{
    uint64_t type = 0;
    return memory_read_u64(array->process->image,
                           array->process->interp_addr + offset + array->entries[0],
                           &type) == STATUS_NOT_IN_DUMP;
}

void static_types_calibrate(struct python_process *process, uint64_t type_type_addr,
                            uint64_t dict_type_addr)
{
    struct static_array array = {.process = process};
    struct python_layout *layout = &process->layout;
    if (!layout_has(layout, PY_constant_tpflags_static_builtin) ||
        !layout_has(layout, PY_interp_static_type_size))
        return;
    uint64_t expected =
        layout_has(layout, PY_interp_static_types) ? layout_get(layout, PY_interp_static_types)
        : layout_has(layout, PY_interp_size)       ? layout_get(layout, PY_interp_size) / 2
                                                   : 0;
    uint64_t found = 0;
    bool has_types = add_type(&array, 0, type_type_addr) && add_type(&array, 1, dict_type_addr);
    if (has_types && is_cut_off(&array, expected))
        return;
    if (!has_types || !search(&array, expected, &found)) {
        layout->plus_one[PY_interp_static_types] = 0;
        layout->plus_one[PY_interp_datetime_types] = 0;
        return;
    }
    if (found != expected && layout_has(layout, PY_interp_datetime_types))
        layout->plus_one[PY_interp_datetime_types] += found - expected;
    layout->plus_one[PY_interp_static_types] = found + 1;
}
