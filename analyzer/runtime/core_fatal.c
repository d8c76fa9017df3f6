/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a fatal Python error. Python prints them and keeps no copy, but
 * Py_FatalError never returns, so a return address into it, on the stack of the
 * thread that died, proves that it was called. From there:
 *
 *   1. below it, where fatal_error keeps its arguments: the strings pointed to;
 *   2. the call itself, in the code: function name and message are loaded right
 *      before it, constants ("lea rsi, [rip+...]") or from the caller's frame
 *      ("mov rsi, [rsp+...]");
 *   3. right above it, in the frame of the caller.
 *
 * A message is told only where one string alone fits (Python/pylifecycle.c). */
#include <elf.h>
#include <string.h>

#include "analyzer/runtime/core_abort.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/limits.h"

#define STACK_SEARCHED    ((uint64_t)64 << 10)
#define CALLER_SEARCHED   1024u /* bytes above the return address */
#define ARGUMENTS_BEFORE  40u   /* bytes of code before a call that set its arguments */
#define MESSAGE_MIN_BYTES 3u

/* The functions that end the program. `first` and `second`: what they are given. */
struct fatal_function {
    const char *name;
    bool has_function_name; /* first argument the function's name, second the message */
    uint64_t address, size;
};
#define FATAL_FUNCTIONS 2

struct fatal_search {
    const struct memory_image *image;
    const struct core_registers *registers;
    struct fatal_function functions[FATAL_FUNCTIONS];
    const struct fatal_function *called;
    uint64_t slot;          /* where its return address is on the stack */
    uint64_t name, message; /* addresses, as the call in the code loads them; 0: unknown */
};

static bool find_functions(struct fatal_search *search)
{
    static const struct fatal_function known[FATAL_FUNCTIONS] = {
        {.name = "_Py_FatalErrorFunc", .has_function_name = true}, /* from 3.9 on */
        {.name = "Py_FatalError"},
    };
    bool any = false;
    memcpy(search->functions, known, sizeof known);
    for (size_t i = 0; i < FATAL_FUNCTIONS; i++) {
        struct fatal_function *function = &search->functions[i];
        if (memory_find_symbol(search->image, NULL, function->name, &function->address,
                               &function->size) == STATUS_OK)
            any = true;
    }
    return any;
}

/* A return address may be the function's end: nothing follows a call that never
 * comes back. */
static bool returns_into(const struct fatal_function *function, uint64_t address)
{
    return function->address && address > function->address &&
           address - function->address <= function->size;
}

static bool find_call(struct fatal_search *search)
{
    for (uint64_t at = 0; at < STACK_SEARCHED; at += 8) {
        uint64_t word, slot = search->registers->sp + at;
        if (memory_read_u64(search->image, slot, &word) != STATUS_OK)
            return false;
        for (size_t i = 0; i < FATAL_FUNCTIONS; i++) {
            if (returns_into(&search->functions[i], word)) {
                search->called = &search->functions[i];
                search->slot = slot;
                return true;
            }
        }
    }
    return false;
}

/* ---- Strings. */

/* The size of the text at `address`, 0 where there is none. */
static size_t text_size(const struct memory_image *image, uint64_t address)
{
    uint64_t there;
    const uint8_t *bytes = memory_span(image, address, &there);
    if (!bytes)
        return 0;
    size_t limit = there < LIMIT_C_STRING_BYTES ? (size_t)there : LIMIT_C_STRING_BYTES;
    size_t size = strnlen((const char *)bytes, limit);
    if (size == limit || size < MESSAGE_MIN_BYTES)
        return 0;
    for (size_t i = 0; i < size;) {
        uint32_t code_point;
        size_t length = utf8_decode((const char *)bytes + i, size - i, &code_point);
        if (!length || (code_point < ' ' && code_point != '\n' && code_point != '\t'))
            return 0;
        i += length;
    }
    return size;
}

static bool same_text(const struct memory_image *image, uint64_t a, uint64_t b)
{
    size_t size = text_size(image, a);
    if (a == b)
        return true;
    const uint8_t *left = memory_view(image, a, size + 1), *right = memory_view(image, b, size + 1);
    return size && left && right && !memcmp(left, right, size + 1);
}

/* The one text that words in [start, end) of the stack point to, `other` aside; 0
 * for none. *ret_many: there are several. */
static uint64_t only_text(const struct fatal_search *search, uint64_t start, uint64_t end,
                          uint64_t other, bool *ret_many)
{
    uint64_t found = 0;
    *ret_many = false;
    for (uint64_t at = start; at < end; at += 8) {
        uint64_t word;
        if (memory_read_u64(search->image, at, &word) != STATUS_OK)
            break;
        if (!text_size(search->image, word) || (other && same_text(search->image, word, other)) ||
            (found && same_text(search->image, word, found)))
            continue;
        if (found)
            *ret_many = true;
        found = word;
    }
    return *ret_many ? 0 : found;
}

/* ---- The call in the code (x86-64). */

/* What a jump through a table leads to: [endbr64] [bnd] jmp [rip+...]. */
static uint64_t through_stub(const struct memory_image *image, uint64_t address)
{
    const uint8_t *code = memory_view(image, address, 16);
    uint64_t target;
    unsigned at = 0;
    if (!code)
        return address;
    if (load_u32(code) == 0xFA1E0FF3)
        at += 4;
    if (code[at] == 0xF2)
        at++;
    if (load_u16(code + at) != 0x25FF)
        return address;
    uint64_t entry = address + at + 6 + (uint64_t)(int32_t)load_u32(code + at + 2);
    return memory_read_u64(image, entry, &target) == STATUS_OK ? target : address;
}

/* The function called right before `return_address`, 0 when that is no call. */
static uint64_t called_before(const struct memory_image *image, uint64_t return_address,
                              unsigned *ret_size)
{
    const uint8_t *code = memory_view(image, return_address - 6, 6);
    uint64_t target;
    if (!code)
        return 0;
    uint64_t relative = return_address + (uint64_t)(int32_t)load_u32(code + 2);
    if (load_u16(code) == 0x15FF && memory_read_u64(image, relative, &target) == STATUS_OK) {
        *ret_size = 6;
        return target;
    }
    *ret_size = 5;
    return code[1] == 0xE8 ? through_stub(image, relative) : 0;
}

/* The text that the last "lea REGISTER, [rip+...]" or "mov REGISTER, [rsp+...]"
 * before `call` loads; bits 3 to 5 of ModRM are the register. 0: none. */
static uint64_t loaded_before(const struct memory_image *image, uint64_t call, uint64_t sp,
                              uint8_t register_bits)
{
    const uint8_t *code = memory_view(image, call - ARGUMENTS_BEFORE, ARGUMENTS_BEFORE);
    uint64_t found = 0;
    for (unsigned at = ARGUMENTS_BEFORE - 5; code && at && !found; at--) {
        const uint8_t *bytes = code + at;
        if (bytes[0] != 0x48)
            continue;
        if (bytes[1] == 0x8D && bytes[2] == (register_bits | 5) && at + 7 <= ARGUMENTS_BEFORE)
            found = call - ARGUMENTS_BEFORE + at + 7 + (uint64_t)(int32_t)load_u32(bytes + 3);
        else if (bytes[1] == 0x8B && bytes[2] == (register_bits | 0x44) && bytes[3] == 0x24 &&
                 memory_read_u64(image, sp + (uint64_t)(int8_t)bytes[4], &found) != STATUS_OK)
            return 0;
    }
    return found && text_size(image, found) ? found : 0;
}

#define REGISTER_RDI (7 << 3)
#define REGISTER_RSI (6 << 3)

static void read_call(struct fatal_search *search)
{
    const struct memory_image *image = search->image;
    if (memory_image_core(image)->arch != CORE_X86_64)
        return;
    for (uint64_t at = search->slot + 8; at < search->slot + CALLER_SEARCHED; at += 8) {
        uint64_t word, sp = at + 8;
        unsigned size;
        if (memory_read_u64(image, at, &word) != STATUS_OK)
            return;
        if (called_before(image, word, &size) != search->called->address)
            continue;
        uint64_t first = loaded_before(image, word - size, sp, REGISTER_RDI);
        uint64_t second = loaded_before(image, word - size, sp, REGISTER_RSI);
        search->name = search->called->has_function_name ? first : 0;
        search->message = search->called->has_function_name ? second : first;
        return;
    }
}

/* ---- Together. */

static bool is_identifier(const struct memory_image *image, uint64_t address)
{
    size_t size = text_size(image, address);
    const uint8_t *bytes = memory_view(image, address, size);
    for (size_t i = 0; bytes && i < size; i++) {
        bool letter = (bytes[i] | 0x20) >= 'a' && (bytes[i] | 0x20) <= 'z';
        if (!letter && bytes[i] != '_' && (bytes[i] < '0' || bytes[i] > '9'))
            return false;
    }
    return bytes && size;
}

/* Fills what the code did not tell; false where the message stays unknown. */
static bool choose(struct fatal_search *search)
{
    uint64_t below = search->registers->sp, end = search->slot + CALLER_SEARCHED;
    bool many, many_above;
    uint64_t kept = only_text(search, below, search->slot, search->name, &many);
    bool may_be_name = search->called->has_function_name && !search->name;
    if (kept && !(may_be_name && is_identifier(search->image, kept)))
        search->message = kept;
    else if (!search->message && !many)
        search->message = only_text(search, search->slot + 8, end, search->name, &many_above);
    if (!search->message)
        return false;
    if (search->called->has_function_name && !search->name) {
        uint64_t name = only_text(search, below, search->slot, search->message, &many);
        search->name = name && is_identifier(search->image, name) ? name : 0;
    }
    return true;
}

static void append_text_at(const struct fatal_search *search, uint64_t address,
                           struct redaction *redaction, struct text *text)
{
    size_t size = text_size(search->image, address);
    const uint8_t *bytes = memory_view(search->image, address, size);
    if (!bytes)
        return;
    if (redaction)
        redaction_token(redaction, "str", size, bytes, size, text);
    else
        text_append_bytes(text, bytes, size);
}

bool abort_message_of_python(const struct memory_image *image, struct redaction *redaction,
                             struct text *text)
{
    const struct core_dump *core = memory_image_core(image);
    if (!core->threads.count)
        return false;
    struct fatal_search search = {.image = image, .registers = &core->threads.items[0].registers};
    if (!find_functions(&search) || !find_call(&search))
        return false;
    read_call(&search);
    if (!choose(&search))
        return false;
    text_append(text, "Fatal Python error: ");
    if (search.name) {
        append_text_at(&search, search.name, NULL, text);
        text_append(text, ": ");
    }
    append_text_at(&search, search.message, redaction, text);
    return true;
}
