/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the seeds of fuzz_core and fuzz_input below the folder it is given. */
#include <elf.h>
#include <lz4frame.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/helpers/core_builder.h"

static const char *folder;

static void save(const char *name, const void *bytes, size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        abort();
}

static void save_core(const char *name, struct core_builder *builder, size_t cut)
{
    size_t size;
    uint8_t *bytes = core_builder_bytes(builder, &size);
    save(name, bytes, size - cut);
    free(bytes);
    core_builder_destroy(builder);
}

#define BASE  UINT64_C(0x555500000000)
#define LIB   UINT64_C(0x7f0000000000)
#define STACK UINT64_C(0x7fff00000000)

static struct core_builder *process(int number)
{
    static const char *const argv[] = {"/bin/p", "-x"};
    static const struct built_symbol symbols[] = {{"_Py_FatalErrorFunc", LIB + 0x800, 0x40},
                                                  {"__abort_msg", LIB + 0x900, 8}};
    static const uint8_t id[4] = {1, 2, 3, 4};
    struct core_builder *builder = core_builder_create();
    core_builder_segment(builder, BASE, 0x1000, 0x400, NULL, PF_R | PF_X);
    core_builder_elf_page(builder, BASE, 0x1000, id, sizeof id);
    core_builder_segment(builder, LIB, 0x2000, 0xA00, NULL, PF_R | PF_X);
    core_builder_elf_page(builder, LIB, 0x2000, id, sizeof id);
    core_builder_symbols(builder, LIB, LIB + 0x400, symbols, 2);
    core_builder_segment(builder, LIB + 0x10000, 0x1000, 0x100, NULL, PF_R | PF_W);
    core_builder_segment(builder, STACK, 0x400, 0x400, NULL, PF_R | PF_W);
    core_builder_file(builder, BASE, BASE + 0x1000, 0, "/bin/p");
    core_builder_file(builder, LIB, LIB + 0x2000, 0, "/lib/libc.so.6 (deleted)");
    core_builder_auxv(builder, AT_ENTRY, BASE + 0x40);
    core_builder_stack(builder, STACK + 0x400, argv, 2);
    core_builder_process(builder, 5, 0, "p", "/bin/p -x");
    core_builder_thread(builder, 5, &(struct core_registers){.ip = BASE + 0x300, .sp = STACK});
    core_builder_thread(builder, 6, &(struct core_registers){.sp = LIB + 0x10010});
    core_builder_poke_u64(builder, STACK + 8, LIB + 0x840);
    core_builder_poke_string(builder, LIB + 0x10020, "made at run time");
    core_builder_poke_u64(builder, STACK, LIB + 0x10020);
    core_builder_poke(builder, BASE + 0x300, "\x48\x8b\x40\x10", 4);
    if (number == SIGABRT)
        core_builder_sent(builder, number, SI_TKILL, 5, 0);
    else
        core_builder_fault(builder, number, SEGV_MAPERR, 0x10);
    return builder;
}

static void save_cores(void)
{
    struct core_builder *builder = process(SIGSEGV);
    core_builder_gcore(builder);
    save_core("core/gcore", builder, 0);
    builder = process(SIGABRT);
    core_builder_extended(builder);
    save_core("core/extended", builder, 0);
    save_core("core/fault", process(SIGSEGV), 0);
    save_core("core/abort", process(SIGABRT), 0);
    save_core("core/cut", process(SIGABRT), 0x300);
    builder = process(SIGSEGV);
    core_builder_segment(builder, BASE + 0x800, UINT64_MAX, 0x10, NULL, PF_R | PF_W);
    core_builder_note(builder, "CORE", NT_PRSTATUS, "lies", 4, 900);
    save_core("core/lies", builder, 0);
}

static void save_wrappers(void)
{
    char plain[3000], wrapped[8000], both[16000];
    uLongf size = sizeof wrapped;
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (char)(i < 1000 ? 'a' + i % 7 : 0);
    z_stream stream = {.next_in = (Bytef *)plain,
                       .avail_in = sizeof plain,
                       .next_out = (Bytef *)wrapped,
                       .avail_out = sizeof wrapped};
    if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    size = stream.total_out;
    deflateEnd(&stream);
    save("input/gzip", wrapped, size);
    size_t again = LZ4F_compressFrame(both, sizeof both, wrapped, size, NULL);
    save("input/gzip-in-lz4", both, again);
    memcpy(both, "\x50\x2A\x4D\x18\x02\0\0\0..", 10);
    again = LZ4F_compressFrame(both + 10, sizeof both - 10, plain, sizeof plain, NULL);
    save("input/lz4", both, again + 10);
    size = ZSTD_compress(wrapped, sizeof wrapped, plain, sizeof plain, 3);
    memcpy(both, wrapped, size);
    memcpy(both + size, wrapped, size);
    save("input/zstd-twice", both, 2 * size);
    save("input/zstd-cut", both, size - 5);
    save("input/plain", plain, 100);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    folder = argv[1];
    save_cores();
    save_wrappers();
    return 0;
}
