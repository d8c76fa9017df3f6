/* SPDX-License-Identifier: Apache-2.0 */
/* The whole command line, which NT_PRPSINFO cuts at 79 bytes, from where the
 * kernel put it (Linux fs/binfmt_elf.c, create_elf_tables), going down:
 *
 *   strings of argv and of the environment, path given to execve
 *   16 random bytes (AT_RANDOM), platform names
 *   auxiliary vector         the same bytes as NT_AUXV
 *   0, and one more for each variable that was unset
 *   pointers to the environment's strings: counted, never followed
 *   0
 *   pointers to argv's strings
 *   argc
 *
 * All of it must agree, with NT_PRPSINFO too; a process that rewrote its
 * arguments keeps what NT_PRPSINFO says. */
#include <string.h>

#include "formats/core/core_parts.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/text.h"

#define AUXV_DISTANCE_MAX  4096u /* from AT_RANDOM down to the end of the vector */
#define POINTERS_MAX       (1u << 20)
#define ARGUMENT_BYTES_MAX (4u << 20)

/* The stored bytes of the main stack. */
struct stack_bytes {
    const uint8_t *data;
    uint64_t address, size;
};

static bool find_stack(const struct core_dump *core, struct stack_bytes *ret_stack)
{
    const struct core_segment *segment = core_find_segment(core, core->random_addr);
    if (!core->random_addr || !segment || !segment->stored)
        return false;
    *ret_stack = (struct stack_bytes){core->input->data + segment->offset, segment->address,
                                      segment->stored};
    return core->random_addr - segment->address < segment->stored;
}

/* Where in the stack's bytes the vector begins; 0: nowhere. */
static uint64_t find_auxv(const struct core_parse *parse, const struct stack_bytes *stack)
{
    uint64_t from = (parse->core->random_addr - stack->address) & ~UINT64_C(7);
    for (uint64_t distance = 0; distance <= AUXV_DISTANCE_MAX; distance += 8) {
        if (parse->auxv_size + distance > from)
            return 0;
        uint64_t position = from - distance - parse->auxv_size;
        if (!memcmp(stack->data + position, parse->auxv, parse->auxv_size))
            return position;
    }
    return 0;
}

/* From just above a run of pointers down to the word that is none. */
static bool pointers_below(const struct stack_bytes *stack, uint64_t end, uint64_t lowest_string,
                           uint64_t *ret_start)
{
    uint64_t position = end;
    for (uint32_t count = 0; position >= 8 && count < POINTERS_MAX; count++, position -= 8) {
        uint64_t word = load_u64(stack->data + position - 8);
        if (word < lowest_string || word - stack->address >= stack->size) {
            *ret_start = position;
            return true;
        }
    }
    return false;
}

static bool zero_below(const struct stack_bytes *stack, uint64_t position)
{
    return position >= 8 && !load_u64(stack->data + position - 8);
}

/* argv's pointers: [*ret_start, + 8 * *ret_count) within the stack's bytes, where
 * those of the environment end at `end`. */
static bool argv_below(const struct stack_bytes *stack, uint64_t end, uint64_t lowest_string,
                       uint64_t *ret_start, uint64_t *ret_count)
{
    uint64_t environment, start;
    if (!pointers_below(stack, end, lowest_string, &environment) ||
        !zero_below(stack, environment) ||
        !pointers_below(stack, environment - 8, lowest_string, &start) || start < 8)
        return false;
    uint64_t count = (environment - 8 - start) / 8;
    if (!count || load_u64(stack->data + start - 8) != count)
        return false;
    *ret_start = start;
    *ret_count = count;
    return true;
}

/* Each unsetenv() leaves one more zero behind the environment's pointers. */
static bool find_argv(const struct stack_bytes *stack, uint64_t auxv, uint64_t *ret_start,
                      uint64_t *ret_count)
{
    for (uint64_t end = auxv; zero_below(stack, end);) {
        end -= 8;
        if (argv_below(stack, end, stack->address + auxv, ret_start, ret_count))
            return true;
    }
    return false;
}

/* One argument's bytes; the next one must begin right behind it. */
static const char *argument_at(const struct stack_bytes *stack, uint64_t pointer, size_t *ret_size)
{
    uint64_t inside = pointer - stack->address;
    const uint8_t *bytes = stack->data + inside;
    const uint8_t *end =
        memchr(bytes, 0, (size_t)min_u64(stack->size - inside, ARGUMENT_BYTES_MAX));
    if (!end)
        return NULL;
    *ret_size = (size_t)(end - bytes);
    return (const char *)bytes;
}

static bool join_arguments(const struct stack_bytes *stack, uint64_t start, uint64_t count,
                           struct text *joined)
{
    uint64_t expected = load_u64(stack->data + start);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t pointer = load_u64(stack->data + start + 8 * i);
        size_t size;
        const char *argument = argument_at(stack, pointer, &size);
        if (!argument || pointer != expected || joined->size > ARGUMENT_BYTES_MAX)
            return false;
        expected = pointer + size + 1;
        if (i)
            text_append_char(joined, ' ');
        text_append_bytes(joined, argument, size);
    }
    return text_ok(joined);
}

static bool begins_with_known(const struct core_parse *parse, const struct text *joined)
{
    size_t size = strlen(parse->core->arguments);
    return joined->size >= size && !memcmp(text_string(joined), parse->core->arguments, size);
}

static void keep_arguments(struct core_parse *parse, const struct stack_bytes *stack,
                           uint64_t start, uint64_t count, const struct text *joined)
{
    const char **argv = arena_alloc(parse->arena, (size_t)count * sizeof *argv);
    const char *whole = arena_strndup(parse->arena, text_string(joined), joined->size);
    if (!argv || !whole) {
        parse->out_of_memory = true;
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        size_t size = 0;
        const char *argument = argument_at(stack, load_u64(stack->data + start + 8 * i), &size);
        argv[i] = core_text(parse, argument, size);
        if (!argv[i])
            return;
    }
    parse->core->arguments = whole;
    parse->core->argv = argv;
    parse->core->argv_count = (size_t)count;
}

void core_read_arguments(struct core_parse *parse)
{
    struct stack_bytes stack;
    uint64_t start, count;
    if (!parse->auxv || parse->auxv_size < 32 || !find_stack(parse->core, &stack))
        return;
    uint64_t auxv = find_auxv(parse, &stack);
    if (!auxv || !find_argv(&stack, auxv, &start, &count))
        return;
    struct text joined;
    text_init(&joined);
    if (join_arguments(&stack, start, count, &joined) && begins_with_known(parse, &joined))
        keep_arguments(parse, &stack, start, count, &joined);
    text_deinit(&joined);
}
