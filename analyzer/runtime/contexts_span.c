/* SPDX-License-Identifier: Apache-2.0 */
/* OpenTelemetry keeps the current span in a context variable, within a dict of its
 * own; what people search their traces for are two numbers deep in it. */
#include <inttypes.h>

#include "analyzer/objects/int.h"
#include "analyzer/runtime/contexts.h"

#define VALUES_LOOKED_AT 32
#define SPAN_CONTEXT     "opentelemetry.trace.span.SpanContext"

struct span_ids {
    uint64_t trace_high, trace_low, span;
};

/* An int of up to 128 bits; digits of 30 (15) bits, least first. */
static bool read_number(const struct python_process *process, uint64_t addr, uint64_t *ret_high,
                        uint64_t *ret_low)
{
    struct int_view view;
    uint64_t high = 0, low = 0;
    if (int_view(process, addr, &view) != STATUS_OK || view.is_negative ||
        int_bit_length(&view) > 128)
        return false;
    for (uint64_t i = view.count; i-- > 0;) {
        uint64_t digit =
            view.digit_bits == 15 ? load_u16(view.digits + 2 * i) : load_u32(view.digits + 4 * i);
        high = high << view.digit_bits | low >> (64 - view.digit_bits);
        low = low << view.digit_bits | digit;
    }
    *ret_high = high;
    *ret_low = low;
    return true;
}

/* SpanContext is a tuple: trace id, span id, and more. */
static bool read_span_context(struct python_process *process, uint64_t addr,
                              struct span_ids *ret_ids)
{
    const struct python_type *type;
    uint64_t items_addr, count, trace_addr, span_addr, none;
    return object_type(process, addr, &type) == STATUS_OK && type->kind == KIND_TUPLE &&
           type_derives_from(process, type, SPAN_CONTEXT) &&
           tuple_items(process, addr, &items_addr, &count) == STATUS_OK && count >= 2 &&
           pointer_at(process, items_addr, &trace_addr) == STATUS_OK &&
           pointer_at(process, items_addr + 8, &span_addr) == STATUS_OK &&
           read_number(process, trace_addr, &ret_ids->trace_high, &ret_ids->trace_low) &&
           read_number(process, span_addr, &none, &ret_ids->span);
}

/* A span has its SpanContext in `_context`, whatever its class. */
static bool read_span(struct python_process *process, uint64_t addr, struct span_ids *ret_ids)
{
    const struct python_type *type;
    uint64_t context_addr;
    if (read_span_context(process, addr, ret_ids))
        return true;
    return object_type(process, addr, &type) == STATUS_OK && type->kind == KIND_UNKNOWN &&
           type->is_heap &&
           instance_attribute(process, addr, "_context", &context_addr) == STATUS_OK &&
           read_span_context(process, context_addr, ret_ids);
}

static bool find_span(struct python_process *process, uint64_t addr, struct span_ids *ret_ids)
{
    const struct python_type *type;
    struct dict_iterator iterator;
    uint64_t key_addr, value_addr;
    enum status status;
    if (read_span(process, addr, ret_ids))
        return true;
    if (object_type(process, addr, &type) != STATUS_OK || type->kind != KIND_DICT ||
        dict_iterate(process, addr, &iterator) != STATUS_OK)
        return false;
    for (unsigned i = 0;
         i < VALUES_LOOKED_AT && dict_next(process, &iterator, &key_addr, &value_addr, &status);
         i++)
        if (read_span(process, value_addr, ret_ids))
            return true;
    return false;
}

void context_span_ids(struct python_process *process, uint64_t value_addr, struct text *text)
{
    struct span_ids ids;
    if (find_span(process, value_addr, &ids))
        text_printf(text, "trace_id=%016" PRIx64 "%016" PRIx64 " span_id=%016" PRIx64 " ",
                    ids.trace_high, ids.trace_low, ids.span);
}
