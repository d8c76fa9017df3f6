/* SPDX-License-Identifier: Apache-2.0 */
/* Prints where one CPython version's fields are, as a table of designated
 * initialisers for struct python_layout. Compiled by generate.py against the
 * headers of each version, and run; no part of inquest itself.
 *
 * A row is OFFSET(our name, C type, member), SIZE, NUMBER, or BYTES for the
 * position of a bit-field, which is found by setting it in a zeroed struct and
 * looking at the bytes. Structs that CPython defines in .c files, out of reach of
 * any header, are NUMBER rows with the file named; they were checked against the
 * debug information or a living interpreter of each version.
 *
 * To add a field: a line in python_fields.h, a row here within the SINCE and
 * UNTIL of the versions that have it, then run ./dev layouts. */
#define Py_BUILD_CORE 1
#include <Python.h>

#define SINCE(minor) (PY_VERSION_HEX >= (0x03000000 + ((minor) << 16)))
#define UNTIL(minor) (PY_VERSION_HEX < (0x03000000 + (((minor) + 1) << 16)))

#include <datetime.h>
#include <frameobject.h>
#include <structmember.h>

#include "internal/pycore_context.h"
#include "internal/pycore_hamt.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pystate.h"
#if SINCE(9)
#include "internal/pycore_gc.h"
#include "internal/pycore_hashtable.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#endif
#include "internal/pycore_code.h"
#if SINCE(11)
#include "internal/pycore_dict.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_moduleobject.h"
#endif
#if SINCE(12)
#include "internal/pycore_descrobject.h"
#include "internal/pycore_range.h"
#include "internal/pycore_tracemalloc.h"
#endif
#if SINCE(14)
#include "internal/pycore_genobject.h"
#include "internal/pycore_interpframe.h"
#include "internal/pycore_stackref.h"
#include "internal/pycore_tstate.h"
#include "internal/pycore_typeobject.h"
#endif

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef Py_GIL_DISABLED
#error "free-threaded headers: inquest has no tables for those builds yet"
#endif
#if defined(Py_DEBUG) || defined(Py_TRACE_REFS)
#error "headers of a debug build: its structures differ from a release build's"
#endif

static void row(const char *name, uint64_t number)
{
    printf("    [PY_%s] = %" PRIu64 " + 1,\n", name, number);
}

#define NUMBER(name, number)       row(#name, (uint64_t)(number))
#define OFFSET(name, type, member) NUMBER(name, offsetof(type, member))
#define SIZE(name, type)           NUMBER(name, sizeof(type))
#define MEMBER_SIZE(type, member)  sizeof(((type *)0)->member)
#define SECTION(text)              printf("    /* %s */\n", text)

/* The lowest bit set in the 4 bytes at `offset` of a struct, and the mask of its
 * neighbours that are set as well, moved to bit 0. */
struct bits {
    unsigned shift;
    uint32_t mask;
};

static struct bits bits_at(const void *structure, size_t offset)
{
    uint32_t word;
    memcpy(&word, (const char *)structure + offset, sizeof(word));
    if (word == 0) {
        fprintf(stderr, "a bit-field is not where it was looked for\n");
        exit(1);
    }
    struct bits bits = {.shift = (unsigned)__builtin_ctz(word)};
    bits.mask = word >> bits.shift;
    return bits;
}

/* Sets one bit-field of a zeroed `type` to all ones, and finds it again. */
#define BITS(result, type, word_member, field)                                                     \
    do {                                                                                           \
        static type zeroed;                                                                        \
        volatile unsigned ones = ~0u;                                                              \
        memset(&zeroed, 0, sizeof(zeroed));                                                        \
        zeroed.field = ones;                                                                       \
        (result) = bits_at(&zeroed, offsetof(type, word_member));                                  \
    } while (0)

#include "generate_debug_offsets.h"
#include "generate_library.h"
#include "generate_objects.h"
#include "generate_runtime.h"

static void print_origin(void)
{
    printf("/* SPDX-License-Identifier: Apache-2.0 */\n");
    printf("/* Generated from the headers of CPython %s by formats/cpython/generate.py.\n",
           PY_VERSION);
}

static void print_table(void)
{
    print_origin();
    printf(" * Not to be edited: see python_fields.h for what the rows mean. */\n");
    printf("{\n    .version_hex = 0x%08x,\n    .name = \"%d.%d\",\n", PY_VERSION_HEX,
           PY_MAJOR_VERSION, PY_MINOR_VERSION);
    printf("    .plus_one = {\n");
    print_objects();
    print_code_and_frames();
    print_exceptions();
    print_runtime();
    print_library();
    print_flags();
    printf("    },\n}\n");
}

/* With an argument: where the numbers are in _Py_DebugOffsets (nothing before 3.13). */
int main(int argument_count, char **arguments)
{
    (void)arguments;
    if (argument_count == 1) {
        print_table();
    } else if (SINCE(13)) {
        print_origin();
        printf(" * Not to be edited: see debug_offsets.c for what a row is. */\n");
        print_debug_offsets();
    }
    return 0;
}
