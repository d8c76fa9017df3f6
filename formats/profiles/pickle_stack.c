/* SPDX-License-Identifier: Apache-2.0 */
/* The pickle machine's stack, marks and memo. A file can make none of them larger than
 * a small multiple of itself. */
#include <string.h>

#include "formats/profiles/pickle.h"

enum status pickle_push(struct pickle *pickle, uint32_t value)
{
    return array_push(&pickle->stack, value) ? STATUS_OK
                                             : pickle_fail_plainly(pickle, STATUS_NO_MEMORY);
}

enum status pickle_push_id(struct pickle *pickle, enum pickle_kind kind, size_t id)
{
    if (id > PICKLE_PAYLOAD_MAX)
        return pickle_fail_plainly(pickle, STATUS_OVER_LIMIT);
    return pickle_push(pickle, pickle_value(kind, (uint32_t)id));
}

enum status pickle_push_number(struct pickle *pickle, uint64_t number, bool negative)
{
    if (!negative && number <= PICKLE_PAYLOAD_MAX)
        return pickle_push(pickle, pickle_value(PICKLE_INT, (uint32_t)number));
    if (!array_push(&pickle->numbers, number))
        return pickle_fail_plainly(pickle, STATUS_NO_MEMORY);
    bool is_wide = !negative && number > INT64_MAX;
    return pickle_push_id(pickle, is_wide ? PICKLE_ULONG : PICKLE_LONG, pickle->numbers.count - 1);
}

enum status pickle_top(struct pickle *pickle, size_t count, uint32_t **ret_values)
{
    if (count > pickle->stack.count - pickle->floor)
        return pickle_fail(pickle, STATUS_CORRUPT,
                           "the opcode takes more values than there are: the file is damaged");
    *ret_values = count ? &pickle->stack.items[pickle->stack.count - count] : NULL;
    return STATUS_OK;
}

enum status pickle_pop(struct pickle *pickle, uint32_t *ret_value)
{
    uint32_t *top = NULL;
    enum status status = pickle_top(pickle, 1, &top);
    if (status != STATUS_OK)
        return status;
    *ret_value = *top;
    pickle->stack.count--;
    return STATUS_OK;
}

enum status pickle_mark(struct pickle *pickle)
{
    if (!array_push(&pickle->marks, pickle->stack.count))
        return pickle_fail_plainly(pickle, STATUS_NO_MEMORY);
    pickle->floor = pickle->stack.count;
    return STATUS_OK;
}

enum status pickle_unmark(struct pickle *pickle, size_t *ret_count)
{
    if (!pickle->marks.count)
        return pickle_fail(pickle, STATUS_CORRUPT,
                           "the opcode needs a mark, and there is none: the file is damaged");
    *ret_count = pickle->stack.count - pickle->marks.items[--pickle->marks.count];
    size_t marks = pickle->marks.count;
    pickle->floor = marks ? pickle->marks.items[marks - 1] : 0;
    return STATUS_OK;
}

/* Picklers number what they put, so an index is below the file's size. CPython's own
 * machine makes room for any: five bytes then take 32 GiB. */
enum status pickle_memo_put(struct pickle *pickle, uint64_t index, uint32_t value)
{
    if (index >= pickle->size)
        return pickle_fail(pickle, STATUS_CORRUPT,
                           "memo entry %llu in a file of %zu bytes: the file is damaged",
                           (unsigned long long)index, pickle->size);
    pickle_values *memo = &pickle->memo;
    if (index >= memo->count) {
        size_t added = (size_t)index + 1 - memo->count;
        if (!array_reserve(memo, added))
            return pickle_fail_plainly(pickle, STATUS_NO_MEMORY);
        memset(memo->items + memo->count, 0, added * sizeof *memo->items);
        memo->count += added;
    }
    if (memo->items[index])
        pickle_resolve_traces(pickle);
    pickle->memo_used += !memo->items[index];
    memo->items[index] = value;
    return STATUS_OK;
}

enum status pickle_memo_get(struct pickle *pickle, uint64_t index)
{
    if (index >= pickle->memo.count || !pickle->memo.items[index])
        return pickle_fail(pickle, STATUS_CORRUPT,
                           "memo entry %llu was never put: the file is damaged",
                           (unsigned long long)index);
    return pickle_push(pickle, pickle->memo.items[index]);
}
