/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/value_memo.h"

static void entry_read(struct value_memo_entry *entry, struct python_process *process,
                       uint64_t addr)
{
    const struct python_type *type;
    entry->type_name = "?";
    if (object_type(process, addr, &type) == STATUS_OK)
        entry->type_name = type->name;
    text_clear(&entry->text);
    object_repr(process, addr, &repr_limits_default, &entry->text);
    /* a text that memory ran out for is not kept */
    entry->addr = text_ok(&entry->text) ? addr : 0;
}

const struct value_memo_entry *value_memo_get(struct value_memo *memo,
                                              struct python_process *process, uint64_t addr)
{
    size_t slot = (size_t)((addr >> 3) * UINT64_C(0x9E3779B97F4A7C15) >> 32) % VALUE_MEMO_SLOTS;
    struct value_memo_entry *entry = &memo->entries[slot];
    if (!addr || entry->addr != addr)
        entry_read(entry, process, addr);
    return entry;
}

void value_memo_deinit(struct value_memo *memo)
{
    for (size_t i = 0; i < VALUE_MEMO_SLOTS; i++)
        text_deinit(&memo->entries[i].text);
}
