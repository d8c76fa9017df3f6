/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_MEMORY_IMAGE_H
#define INQUEST_FORMATS_MEMORY_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/text.h"
#include "inquest/formats/core_dump.h"

/* The dead process's memory by address: the core's segments first, then the
 * files it had mapped where they are at hand and proven (build id) to be the
 * same. Missing memory is STATUS_NOT_IN_DUMP, never zeros. Reads are const and
 * safe from several threads. */
struct memory_image;

struct memory_options {
    const char *sysroot;    /* where the dead process's files are, NULL: "/" */
    const char *executable; /* the main program, NULL: the recorded path */
};

/* How each mapped file was found; parallel to core->files. */
enum file_source {
    FILE_ABSENT,   /* not at hand */
    FILE_PROVEN,   /* build id equal to the one in the core */
    FILE_OTHER,    /* at hand but another build: not used */
    FILE_UNPROVEN, /* no build id to compare: used for --exe only, with a warning */
    FILE_MATCHED,  /* no build id in the core, but the file's ELF and program headers are
                      those in the core: used */
};

/* Warnings are added to core->warnings, those on a file when it is first asked
 * for. `core` must outlive the image. With a sysroot, paths are never looked up
 * outside of it. An executable or sysroot that is not there is an error. */
enum status memory_image_create(struct core_dump *core, const struct memory_options *options,
                                struct arena *arena, struct memory_image **ret_image,
                                struct error *err) MUST_CHECK;
void memory_image_destroy(struct memory_image *image);

const struct core_dump *memory_image_core(const struct memory_image *image);
enum file_source memory_image_file_source(const struct memory_image *image, size_t file);

enum status memory_read(const struct memory_image *image, uint64_t address, void *ret_bytes,
                        size_t size) MUST_CHECK;
enum status memory_read_u8(const struct memory_image *image, uint64_t address,
                           uint8_t *ret_value) MUST_CHECK;
enum status memory_read_u16(const struct memory_image *image, uint64_t address,
                            uint16_t *ret_value) MUST_CHECK;
enum status memory_read_u32(const struct memory_image *image, uint64_t address,
                            uint32_t *ret_value) MUST_CHECK;
enum status memory_read_u64(const struct memory_image *image, uint64_t address,
                            uint64_t *ret_value) MUST_CHECK;

/* A borrowed view of `size` bytes, NULL where they are not all there, or not in one
 * piece (half in the core, half in a file: memory_read joins them). */
const uint8_t *memory_view(const struct memory_image *image, uint64_t address, uint64_t size);
/* As memory_view, of as many bytes as there are from `address` on. */
const uint8_t *memory_span(const struct memory_image *image, uint64_t address, uint64_t *ret_size);

/* Appends the NUL-terminated bytes at `address` as UTF-8; bytes that aren't become
 * "\xNN". Of a string without an end within LIMIT_C_STRING_BYTES that much is
 * appended, with STATUS_OVER_LIMIT; otherwise nothing on failure. */
enum status memory_read_c_string(const struct memory_image *image, uint64_t address,
                                 struct text *ret_text) MUST_CHECK;

/* Whether the process had this address mapped, stored or not. */
bool memory_is_mapped(const struct memory_image *image, uint64_t address);
/* Whether it was mapped writable: where objects can be. */
bool memory_is_writable(const struct memory_image *image, uint64_t address);
/* Whether all of `size` bytes were, without a gap. */
bool memory_is_writable_all(const struct memory_image *image, uint64_t address, uint64_t size);

/* The run-time address and size of a symbol (dynamic symbols, from the file or the
 * core itself; then .symtab) in any mapped program or library, or in one of those
 * whose base name begins with `file_prefix` (NULL: any). The main program comes
 * first, then libpython. STATUS_NOT_IN_DUMP where it is in none. */
enum status memory_find_symbol(const struct memory_image *image, const char *file_prefix,
                               const char *symbol, uint64_t *ret_address,
                               uint64_t *ret_size) MUST_CHECK;
/* The run-time address and size of a named ELF section, as ".PyRuntime". */
enum status memory_find_section(const struct memory_image *image, const char *section,
                                uint64_t *ret_address, uint64_t *ret_size) MUST_CHECK;

#endif
