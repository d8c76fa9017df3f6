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

/* ---- the memo */

static enum status fail_thin(struct pickle *pickle)
{
    pickle->needs_full_memo = true;
    return STATUS_UNSUPPORTED;
}

/* Picklers number what they put, so an index is below the file's size. CPython's own
 * machine makes room for any: five bytes then take 32 GiB. */
enum status pickle_memo_put(struct pickle *pickle, uint64_t index, uint32_t value)
{
    struct pickle_memo *memo = &pickle->memo;
    if (index >= pickle->size)
        return pickle_fail(pickle, STATUS_CORRUPT,
                           "memo entry %llu in a file of %zu bytes: the file is damaged",
                           (unsigned long long)index, pickle->size);
    if (memo->is_thin && index != memo->count)
        return fail_thin(pickle);
    if (memo->is_thin)
        return pickle_memo_add(memo, value) ? STATUS_OK
                                            : pickle_fail_plainly(pickle, STATUS_NO_MEMORY);
    if (index >= memo->values.count) {
        size_t added = (size_t)index + 1 - memo->values.count;
        if (!array_reserve(&memo->values, added))
            return pickle_fail_plainly(pickle, STATUS_NO_MEMORY);
        memset(memo->values.items + memo->values.count, 0, added * sizeof *memo->values.items);
        memo->values.count += added;
    }
    memo->count += !memo->values.items[index];
    memo->values.items[index] = value;
    return STATUS_OK;
}

enum status pickle_memo_get(struct pickle *pickle, uint64_t index)
{
    const uint32_t *value = pickle_memo_find(&pickle->memo, index);
    if (!value && pickle->memo.is_thin && index < pickle->memo.count)
        return fail_thin(pickle);
    if (!value)
        return pickle_fail(pickle, STATUS_CORRUPT,
                           "memo entry %llu was never put: the file is damaged",
                           (unsigned long long)index);
    return pickle_push(pickle, *value);
}
