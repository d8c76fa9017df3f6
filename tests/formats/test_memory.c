/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inquest/formats/memory_image.h"
#include "tests/helpers/core_builder.h"

#define BASE  UINT64_C(0x555500000000)
#define DATA  (BASE + 0x4000) /* written data of the program */
#define OTHER UINT64_C(0x7f0000000000)

static const uint8_t build_id[20] = {0xab, 0xcd, 3, 4, 5};
static const uint8_t other_id[20] = {0xab, 0xcd, 3, 4, 6};
static char folder[256];

struct opened {
    struct input_file input;
    struct arena arena;
    struct core_dump core;
    struct memory_image *image;
};

static void open_image(struct core_builder *builder, const char *sysroot, const char *executable,
                       struct opened *ret_opened)
{
    struct error err = {0};
    struct memory_options options = {.sysroot = sysroot, .executable = executable};
    *ret_opened = (struct opened){0};
    core_builder_input(builder, 0, &ret_opened->input);
    core_builder_destroy(builder);
    arena_init(&ret_opened->arena);
    assert_int_equal(
        core_dump_parse(&ret_opened->input, &ret_opened->arena, &ret_opened->core, &err),
        STATUS_OK);
    assert_int_equal(memory_image_create(&ret_opened->core, &options, &ret_opened->arena,
                                         &ret_opened->image, &err),
                     STATUS_OK);
}

static void close_image(struct opened *opened)
{
    memory_image_destroy(opened->image);
    core_dump_deinit(&opened->core);
    arena_deinit(&opened->arena);
    input_bytes_free(&opened->input);
}

static bool has_warning(const struct opened *opened, const char *words)
{
    for (size_t i = 0; i < opened->core.warnings.count; i++) {
        if (strstr(opened->core.warnings.items[i].message, words))
            return true;
    }
    return false;
}

/* ---- Memory of the core alone. */

static struct core_builder *plain_core(void)
{
    struct core_builder *builder = core_builder_create();
    core_builder_segment(builder, 0x10000, 0x1000, 0x1000, NULL, PF_R | PF_W);
    core_builder_segment(builder, 0x11000, 0x2000, 0x1000, NULL, PF_R); /* half is missing */
    core_builder_segment(builder, 0x20000, 0x1000, 0, NULL, PF_R | PF_W);
    core_builder_poke_u64(builder, 0x10FF8, 0x1122334455667788);
    core_builder_poke_u64(builder, 0x11000, 0x99AABBCCDDEEFF00);
    core_builder_poke_string(builder, 0x10100, "caf\xC3\xA9 \xFF!");
    return builder;
}

static void reads_join_neighbours(void **state)
{
    (void)state;
    struct opened opened;
    open_image(plain_core(), NULL, NULL, &opened);
    uint64_t value;
    uint32_t half;
    assert_int_equal(memory_read_u64(opened.image, 0x10FFC, &value), STATUS_OK);
    assert_int_equal(value, 0xDDEEFF0011223344);
    assert_int_equal(memory_read_u32(opened.image, 0x11004, &half), STATUS_OK);
    assert_int_equal(half, 0x99AABBCC);
    assert_non_null(memory_view(opened.image, 0x10000, 0x2000)); /* one piece in the core */
    assert_int_equal(memory_image_core(opened.image)->segments.count, 3);
    close_image(&opened);
}

static void missing_memory_is_an_answer(void **state)
{
    (void)state;
    struct opened opened;
    open_image(plain_core(), NULL, NULL, &opened);
    uint64_t value = 77, size;
    uint8_t bytes[16] = {5};
    assert_int_equal(memory_read_u64(opened.image, 0x11FFC, &value), STATUS_NOT_IN_DUMP);
    assert_int_equal(memory_read_u64(opened.image, 0x20000, &value), STATUS_NOT_IN_DUMP);
    assert_int_equal(memory_read_u64(opened.image, UINT64_MAX - 3, &value), STATUS_NOT_IN_DUMP);
    assert_int_equal(memory_read(opened.image, 0xFFFC, bytes, 16), STATUS_NOT_IN_DUMP);
    assert_int_equal(memory_read(opened.image, 0x30, bytes, 0), STATUS_OK);
    assert_int_equal(value, 77);
    assert_int_equal(bytes[0], 5);
    assert_null(memory_view(opened.image, 0x11FF8, 9));
    assert_null(memory_view(opened.image, 0x11FF8, UINT64_MAX));
    assert_null(memory_span(opened.image, 0x12000, &size));
    assert_non_null(memory_span(opened.image, 0x11FFF, &size));
    assert_int_equal(size, 1);
    assert_true(memory_is_mapped(opened.image, 0x12FFF));
    assert_false(memory_is_mapped(opened.image, 0x13000));
    assert_true(memory_is_writable(opened.image, 0x20000));
    assert_false(memory_is_writable(opened.image, 0x11000));
    assert_true(memory_is_writable_all(opened.image, 0x20000, 0x1000));
    assert_false(memory_is_writable_all(opened.image, 0x1FFF8, 16));
    assert_false(memory_is_writable_all(opened.image, 0x20000, UINT64_C(1) << 40));
    assert_false(memory_is_writable_all(opened.image, UINT64_MAX - 7, 16));
    assert_true(memory_is_writable_all(opened.image, 0, 0));
    close_image(&opened);
}

static void strings_are_bounded(void **state)
{
    (void)state;
    struct opened opened;
    struct core_builder *builder = plain_core();
    uint8_t letters[0x1000];
    memset(letters, 'x', sizeof letters);
    core_builder_segment(builder, 0x40000, 0x1000, 0x1000, letters, PF_R);
    core_builder_segment(builder, 0x41000, 0x1000, 0x1000, letters, PF_R);
    open_image(builder, NULL, NULL, &opened);
    struct text text;
    text_init(&text);
    assert_int_equal(memory_read_c_string(opened.image, 0x10100, &text), STATUS_OK);
    assert_string_equal(text_string(&text), "caf\xC3\xA9 \\xff!");
    text_clear(&text);
    assert_int_equal(memory_read_c_string(opened.image, 0x41F00, &text), STATUS_NOT_IN_DUMP);
    assert_int_equal(text.size, 0);
    assert_int_equal(memory_read_c_string(opened.image, 0x40F00, &text), STATUS_OVER_LIMIT);
    assert_int_equal(text.size, 4096);
    text_deinit(&text);
    close_image(&opened);
}

/* Two images of different content at once: a cached piece belongs to one of them. */
static void images_do_not_mix(void **state)
{
    (void)state;
    struct opened first, second;
    struct core_builder *builder = plain_core();
    core_builder_poke_u64(builder, 0x10000, 1);
    open_image(builder, NULL, NULL, &first);
    builder = plain_core();
    core_builder_poke_u64(builder, 0x10000, 2);
    open_image(builder, NULL, NULL, &second);
    uint64_t value;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(memory_read_u64(first.image, 0x10000, &value), STATUS_OK);
        assert_int_equal(value, 1);
        assert_int_equal(memory_read_u64(second.image, 0x10000, &value), STATUS_OK);
        assert_int_equal(value, 2);
    }
    close_image(&first);
    close_image(&second);
}

/* ---- Memory in files. The program: header page, text, constants; then data. */

#define FILE_SIZE 0x5000

static struct core_builder *program_core(const uint8_t *id, const char *path)
{
    struct core_builder *builder = core_builder_create();
    core_builder_segment(builder, BASE, 0x1000, 0x1000, NULL, PF_R);
    core_builder_elf_page(builder, BASE, 0x4000, id, id ? 20 : 0);
    core_builder_segment(builder, BASE + 0x1000, 0x3000, 0, NULL, PF_R | PF_X);
    core_builder_segment(builder, DATA, 0x1000, 0, NULL, PF_R | PF_W);
    core_builder_segment(builder, OTHER, 0x1000, 0x10, NULL, PF_R | PF_W);
    core_builder_file(builder, BASE, BASE + 0x1000, 0, path);
    core_builder_file(builder, BASE + 0x1000, BASE + 0x4000, 0x1000, path);
    core_builder_file(builder, DATA, DATA + 0x1000, 0x4000, path);
    core_builder_auxv(builder, AT_ENTRY, BASE + 0x1000);
    core_builder_thread(builder, 1, &(struct core_registers){.ip = BASE + 0x1000});
    core_builder_process(builder, 1, 0, "program", "program");
    return builder;
}

/* The same program as a file in the test's folder; `text_size` changes its headers. */
static const char *write_program(const char *name, const uint8_t *id, uint64_t text_size)
{
    static char paths[4][320];
    static unsigned next;
    char *path = paths[next++ % 4];
    uint8_t bytes[FILE_SIZE];
    struct core_builder *builder = core_builder_create();
    core_builder_segment(builder, BASE, FILE_SIZE, FILE_SIZE, NULL, PF_R);
    core_builder_elf_page(builder, BASE, text_size, id, id ? 20 : 0);
    core_builder_peek(builder, BASE, bytes, FILE_SIZE);
    core_builder_destroy(builder);
    memset(bytes + 0x1000, 'T', 0x3000);
    memset(bytes + 0x4000, 'D', 0x1000);
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, sizeof bytes, file), sizeof bytes);
    fclose(file);
    return path;
}

static void assert_text(struct opened *opened, bool is_there)
{
    uint8_t byte = 0;
    enum status status = memory_read_u8(opened->image, BASE + 0x2000, &byte);
    assert_int_equal(status, is_there ? STATUS_OK : STATUS_NOT_IN_DUMP);
    assert_int_equal(byte, is_there ? 'T' : 0);
}

static void proven_file_fills_what_the_core_lacks(void **state)
{
    (void)state;
    struct opened opened;
    uint64_t size;
    uint8_t byte = 0;
    const char *path = write_program("program", build_id, 0x4000);
    open_image(program_core(build_id, path), NULL, NULL, &opened);
    assert_text(&opened, true);
    assert_int_equal(memory_image_file_source(opened.image, 0), FILE_PROVEN);
    assert_non_null(memory_span(opened.image, BASE + 0x1800, &size));
    assert_int_equal(size, 0x2800);
    /* written data is never taken from the file, and stored bytes win */
    assert_int_equal(memory_read_u8(opened.image, DATA, &byte), STATUS_NOT_IN_DUMP);
    assert_int_equal(memory_read_u8(opened.image, BASE, &byte), STATUS_OK);
    assert_int_equal(byte, 0x7f);
    /* a read over the border of core and file */
    uint8_t both[16];
    assert_int_equal(memory_read(opened.image, BASE + 0xFF8, both, 16), STATUS_OK);
    assert_memory_equal(both, "\0\0\0\0\0\0\0\0TTTTTTTT", 16);
    assert_null(memory_view(opened.image, BASE + 0xFF8, 16));
    close_image(&opened);
}

static void another_build_is_not_used(void **state)
{
    (void)state;
    struct opened opened;
    const char *path = write_program("rebuilt", other_id, 0x4000);
    open_image(program_core(build_id, path), NULL, NULL, &opened);
    assert_text(&opened, false);
    assert_int_equal(memory_image_file_source(opened.image, 0), FILE_OTHER);
    assert_true(has_warning(&opened, "abcd030406"));
    assert_true(has_warning(&opened, "abcd030405"));
    assert_true(has_warning(&opened, path));
    close_image(&opened);
}

static void given_executable_is_proven_too(void **state)
{
    (void)state;
    struct opened opened;
    const char *right = write_program("right", build_id, 0x4000);
    const char *wrong = write_program("wrong", other_id, 0x4000);
    open_image(program_core(build_id, "/nonexistent/program"), NULL, right, &opened);
    assert_text(&opened, true);
    close_image(&opened);
    open_image(program_core(build_id, "/nonexistent/program"), NULL, wrong, &opened);
    assert_text(&opened, false);
    assert_true(has_warning(&opened, "another build"));
    close_image(&opened);
    open_image(program_core(build_id, right), NULL, wrong, &opened); /* the recorded one serves */
    assert_text(&opened, true);
    close_image(&opened);
}

static void without_build_id_the_headers_decide(void **state)
{
    (void)state;
    struct opened opened;
    const char *same = write_program("same", NULL, 0x4000);
    const char *longer = write_program("longer", NULL, 0x4001);
    open_image(program_core(NULL, same), NULL, NULL, &opened);
    assert_text(&opened, true);
    assert_int_equal(memory_image_file_source(opened.image, 0), FILE_MATCHED);
    close_image(&opened);
    open_image(program_core(NULL, longer), NULL, NULL, &opened);
    assert_text(&opened, false);
    assert_int_equal(memory_image_file_source(opened.image, 0), FILE_OTHER);
    close_image(&opened);
}

static struct core_builder *headless_core(const char *path)
{
    struct core_builder *builder = core_builder_create();
    core_builder_segment(builder, BASE, 0x1000, 0, NULL, PF_R);
    core_builder_segment(builder, BASE + 0x1000, 0x3000, 0, NULL, PF_R | PF_X);
    core_builder_file(builder, BASE, BASE + 0x1000, 0, path);
    core_builder_file(builder, BASE + 0x1000, BASE + 0x4000, 0x1000, path);
    core_builder_auxv(builder, AT_ENTRY, BASE + 0x1000);
    core_builder_thread(builder, 1, &(struct core_registers){0});
    return builder;
}

static void without_header_page_only_the_given_executable_is_used(void **state)
{
    (void)state;
    struct opened opened;
    const char *path = write_program("headless", build_id, 0x4000);
    open_image(headless_core(path), NULL, NULL, &opened);
    assert_text(&opened, false);
    assert_int_equal(memory_image_file_source(opened.image, 0), FILE_UNPROVEN);
    close_image(&opened);
    open_image(headless_core("/nonexistent/program"), NULL, path, &opened);
    assert_text(&opened, true);
    assert_true(has_warning(&opened, "no build id to prove it"));
    close_image(&opened);
}

static void what_the_user_named_must_be_there(void **state)
{
    (void)state;
    struct opened opened;
    struct error err = {0};
    struct memory_image *image;
    open_image(plain_core(), NULL, NULL, &opened);
    struct memory_options options = {.executable = "/nonexistent/python"};
    assert_int_equal(memory_image_create(&opened.core, &options, &opened.arena, &image, &err),
                     STATUS_IO);
    assert_non_null(strstr(err.message, "/nonexistent/python"));
    options = (struct memory_options){.sysroot = "/nonexistent/root"};
    assert_int_equal(memory_image_create(&opened.core, &options, &opened.arena, &image, &err),
                     STATUS_IO);
    assert_non_null(strstr(err.message, "/nonexistent/root"));
    close_image(&opened);
}

/* ---- The sysroot. */

static void make_folder(const char *name)
{
    char path[320];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    mkdir(path, 0700);
}

static void make_link(const char *target, const char *name)
{
    char path[320];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    assert_int_equal(symlink(target, path), 0);
}

static void sysroot_is_never_left(void **state)
{
    (void)state;
    char root[300], escape[600];
    struct opened opened;
    make_folder("root");
    make_folder("root/usr");
    make_folder("root/usr/bin");
    snprintf(root, sizeof root, "%s/root", folder);
    const char *outside = write_program("outside", build_id, 0x4000);
    write_program("root/usr/bin/inside", build_id, 0x4000);
    make_link("/usr/bin", "root/bin");            /* absolute: of the root */
    make_link("../../../../usr/bin", "root/up");  /* out of it, and back */
    make_link(outside, "root/usr/bin/leads-out"); /* the host's path, looked up in the root */
    make_link("loop", "root/loop");
    const char *found[] = {"/usr/bin/inside", "/bin/inside", "/up/inside",
                           "/usr/../../../bin/./inside", "/../bin/inside"};
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        open_image(program_core(build_id, found[i]), root, NULL, &opened);
        assert_text(&opened, true);
        close_image(&opened);
    }
    snprintf(escape, sizeof escape, "/../../../../../../../../../..%s", outside);
    const char *lost[] = {outside, escape, "/usr/bin/leads-out", "/loop", "/usr", "bin/inside"};
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        open_image(program_core(build_id, lost[i]), root, NULL, &opened);
        assert_text(&opened, false);
        assert_int_equal(memory_image_file_source(opened.image, 0), FILE_ABSENT);
        close_image(&opened);
    }
}

/* The same where the kernel, or a sandbox, has no openat2. */
static void sysroot_is_never_left_without_openat2(void **state)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        skip();
    assert_int_equal(syscall(SYS_openat2, -1, NULL, NULL, 0), -1);
    assert_int_equal(errno, ENOSYS);
    sysroot_is_never_left(state);
}

/* ---- Several threads at once. */

static void *read_often(void *context)
{
    struct opened *opened = context;
    uint8_t byte = 0;
    for (unsigned i = 0; i < 2000; i++) {
        if (memory_read_u8(opened->image, BASE + 0x1000 + i, &byte) != STATUS_OK || byte != 'T')
            return opened; /* wrong */
    }
    return NULL;
}

static void threads_share_an_image(void **state)
{
    (void)state;
    struct opened opened;
    pthread_t threads[4];
    open_image(program_core(build_id, write_program("shared", build_id, 0x4000)), NULL, NULL,
               &opened);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_often, &opened), 0);
    for (size_t i = 0; i < 4; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    close_image(&opened);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/inquest-test-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_join_neighbours),
        cmocka_unit_test(missing_memory_is_an_answer),
        cmocka_unit_test(strings_are_bounded),
        cmocka_unit_test(images_do_not_mix),
        cmocka_unit_test(proven_file_fills_what_the_core_lacks),
        cmocka_unit_test(another_build_is_not_used),
        cmocka_unit_test(given_executable_is_proven_too),
        cmocka_unit_test(without_build_id_the_headers_decide),
        cmocka_unit_test(without_header_page_only_the_given_executable_is_used),
        cmocka_unit_test(what_the_user_named_must_be_there),
        cmocka_unit_test(sysroot_is_never_left),
        cmocka_unit_test(threads_share_an_image),
        cmocka_unit_test(sysroot_is_never_left_without_openat2), /* last: it stays without */
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
