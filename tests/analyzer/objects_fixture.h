/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ANALYZER_OBJECTS_FIXTURE_H
#define TESTS_ANALYZER_OBJECTS_FIXTURE_H

#include "analyzer/objects/object.h"
#include "tests/helpers/fake_python.h"

/* Python objects made by hand in the memory of a fake process, in the layout of
 * any version: make, build objects, open, ask, close. */
struct objects {
    struct fake_python python;
    struct fake_core core;
    struct arena arena;
    struct python_process process;
    struct text text;
    uint64_t object_type, bool_type, float_type, complex_type, tuple_type, list_type, bytes_type;
    uint64_t bytearray_type, set_type, none_type, exception_type, function_type, code_type;
    uint64_t none;
};

void objects_make(struct objects *objects, const struct python_layout *layout);
/* What was built becomes the memory of objects->process. */
void objects_open(struct objects *objects);
void objects_close(struct objects *objects);

/* Calls test once for each version's layout. */
void objects_each_version(void (*test)(struct objects *objects));

/* A static type; `flag` of PYTHON_FIELD_COUNT for none. `name` NULL: its tp_name is
 * in memory that the core does not hold. */
uint64_t objects_type(struct objects *objects, const char *name, uint64_t base,
                      enum python_field flag);
/* What a class statement makes; attributes end with NULL, and may be NULL. The flags
 * are its base's, and `flags` besides. */
uint64_t objects_class(struct objects *objects, const char *module, const char *qualname,
                       uint64_t base, uint64_t flags, const char *const *names,
                       const uint64_t *values);
/* An object of `size` zeroed bytes; 64 bytes in front of it are its own too. */
uint64_t objects_new(struct objects *objects, uint64_t type, size_t size);
/* An instance that has its attributes in a dictionary, where its version has that. */
uint64_t objects_instance(struct objects *objects, uint64_t class, const char *const *names,
                          const uint64_t *values);

uint64_t objects_str(struct objects *objects, const char *ascii);
/* `kind` bytes a character. */
uint64_t objects_wide_str(struct objects *objects, unsigned kind, const uint32_t *code_points,
                          size_t count);
uint64_t objects_int(struct objects *objects, int64_t value);
uint64_t objects_big_int(struct objects *objects, const uint32_t *digits, size_t count,
                         bool is_negative);
uint64_t objects_float(struct objects *objects, double value);
uint64_t objects_bytes(struct objects *objects, const char *bytes, size_t size);
uint64_t objects_tuple(struct objects *objects, const uint64_t *items, size_t count);
uint64_t objects_list(struct objects *objects, const uint64_t *items, size_t count);
uint64_t objects_exception(struct objects *objects, uint64_t type, const uint64_t *args,
                           size_t count);
/* A function whose code has that name and file. */
uint64_t objects_function(struct objects *objects, const char *name, const char *file);

void objects_put_byte(struct objects *objects, uint64_t address, uint8_t byte);
void objects_put_bytes(struct objects *objects, uint64_t address, const void *bytes, size_t size);
uint64_t objects_field(const struct objects *objects, enum python_field field);

/* The repr, with the default bounds; valid until the next call. */
const char *objects_repr(struct objects *objects, uint64_t addr);
const char *objects_message(struct objects *objects, uint64_t addr);

#endif
