/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <lz4frame.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "inquest/formats/input_file.h"

/* Plain bytes that compress somewhat, with a hole of 8 MiB in the middle. */
#define HOLE      ((size_t)8 << 20)
#define PART      ((size_t)300000)
#define PLAIN     (HOLE + 2 * PART)
#define PATH_SIZE 256

struct blob {
    uint8_t *bytes;
    size_t size;
};

static char folder[PATH_SIZE];

static uint8_t *plain_bytes(void)
{
    uint8_t *bytes = calloc(1, PLAIN);
    uint32_t seed = 1;
    for (size_t i = 0; i < PLAIN; i++) {
        if (i == PART)
            i += HOLE;
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)('a' + (seed >> 24) % 16);
    }
    return bytes;
}

/* ---- The wrappers. */

static struct blob wrap_gzip(const void *bytes, size_t size)
{
    z_stream stream = {0};
    struct blob blob = {malloc(size + 1000), size + 1000};
    assert_int_equal(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)size;
    stream.next_out = blob.bytes;
    stream.avail_out = (uInt)blob.size;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    blob.size = stream.total_out;
    deflateEnd(&stream);
    return blob;
}

/* With checksums: lz4 finds changed literals by nothing else. */
static struct blob wrap_lz4(const void *bytes, size_t size)
{
    LZ4F_preferences_t preferences = {
        .frameInfo = {.blockSizeID = LZ4F_max64KB,
                      .contentChecksumFlag = LZ4F_contentChecksumEnabled,
                      .blockChecksumFlag = LZ4F_blockChecksumEnabled}};
    size_t bound = LZ4F_compressFrameBound(size, &preferences);
    struct blob blob = {malloc(bound), bound};
    blob.size = LZ4F_compressFrame(blob.bytes, bound, bytes, size, &preferences);
    assert_false(LZ4F_isError(blob.size));
    return blob;
}

static struct blob wrap_zstd(const void *bytes, size_t size)
{
    size_t bound = ZSTD_compressBound(size);
    struct blob blob = {malloc(bound), bound};
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    blob.size = ZSTD_compress2(context, blob.bytes, bound, bytes, size);
    assert_false(ZSTD_isError(blob.size));
    ZSTD_freeCCtx(context);
    return blob;
}

struct wrapper {
    enum input_wrapper kind;
    struct blob (*wrap)(const void *bytes, size_t size);
};
static const struct wrapper wrappers[] = {
    {INPUT_GZIP, wrap_gzip}, {INPUT_LZ4, wrap_lz4}, {INPUT_ZSTD, wrap_zstd}};

static struct blob join(struct blob a, struct blob b)
{
    struct blob both = {malloc(a.size + b.size + 1), a.size + b.size};
    memcpy(both.bytes, a.bytes, a.size);
    memcpy(both.bytes + a.size, b.bytes, b.size);
    free(a.bytes);
    free(b.bytes);
    return both;
}

static struct blob skippable(size_t size)
{
    struct blob blob = {calloc(1, size + 8), size + 8};
    const uint8_t header[8] = {0x57, 0x2A, 0x4D, 0x18, (uint8_t)size, (uint8_t)(size >> 8)};
    memcpy(blob.bytes, header, sizeof header);
    return blob;
}

static const char *write_file(const char *name, const void *bytes, size_t size)
{
    static char path[PATH_SIZE + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

static enum status open_blob(struct blob blob, struct input_file *ret_file, struct error *err)
{
    enum status status =
        input_file_open(write_file("blob", blob.bytes, blob.size), NULL, ret_file, err);
    free(blob.bytes);
    return status;
}

static void assert_plain(const struct input_file *file, const uint8_t *plain, size_t size)
{
    assert_int_equal(file->size, size);
    assert_memory_equal(file->data, plain, size);
}

/* ---- Tests. */

static void plain_file_is_mapped_as_it_is(void **state)
{
    (void)state;
    struct input_file file;
    struct error err = {0};
    const char *path = write_file("plain", "hello", 5);
    assert_int_equal(input_file_open(path, NULL, &file, &err), STATUS_OK);
    assert_plain(&file, (const uint8_t *)"hello", 5);
    assert_int_equal(file.wrapper, INPUT_PLAIN);
    assert_int_equal(file.stored_size, 5);
    assert_true(file.modified_ns > 0);
    assert_int_equal(strlen(file.fingerprint), 32);
    input_file_close(&file);
    input_file_close(NULL);
}

static unsigned long file_pages(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %*u %lu", &pages), 1);
    fclose(file);
    return pages;
}

static void what_was_read_may_be_forgotten(void **state)
{
    uint8_t *plain = *state;
    struct input_file file;
    struct error err = {0};
    const char *path = write_file("plain", plain, PLAIN);
    assert_int_equal(input_file_open(path, NULL, &file, &err), STATUS_OK);
    assert_plain(&file, plain, PLAIN);
    unsigned long before = file_pages();
    input_file_forget(&file, 0, PLAIN);
    assert_true(file_pages() + PLAIN / 4096 / 2 < before);
    assert_plain(&file, plain, PLAIN);
    input_file_forget(&file, 5000, PLAIN * 2);
    input_file_forget(&file, 9000, 5000);
    assert_plain(&file, plain, PLAIN);
    input_file_close(&file);
    /* what is not a file's mapping is left alone */
    file = (struct input_file){.data = plain, .size = PLAIN};
    uint8_t first = plain[0], last = plain[PLAIN - 1];
    plain[0] = plain[PLAIN - 1] = 77;
    input_file_forget(&file, 0, PLAIN);
    assert_int_equal(plain[0] + plain[PLAIN - 1], 154);
    plain[0] = first;
    plain[PLAIN - 1] = last;
}

static void each_wrapper_is_unwrapped_sparsely(void **state)
{
    uint8_t *plain = *state;
    for (size_t i = 0; i < 3; i++) {
        struct input_file file;
        struct error err = {0};
        struct stat status;
        assert_int_equal(open_blob(wrappers[i].wrap(plain, PLAIN), &file, &err), STATUS_OK);
        assert_int_equal(file.wrapper, wrappers[i].kind);
        assert_false(file.cut_short);
        assert_plain(&file, plain, PLAIN);
        assert_int_equal(fstat(file.fd, &status), 0);
        assert_int_equal(status.st_nlink, 0);
        assert_true((size_t)status.st_blocks * 512 < HOLE / 2); /* the hole costs no disk */
        input_file_close(&file);
    }
}

static void frames_one_after_the_other_are_joined(void **state)
{
    uint8_t *plain = *state;
    for (size_t i = 0; i < 3; i++) {
        struct input_file file;
        struct error err = {0};
        struct blob blob = join(wrappers[i].wrap(plain, 1000), wrappers[i].wrap(plain + 1000, 500));
        if (wrappers[i].kind != INPUT_GZIP)
            blob = join(skippable(70), join(blob, skippable(5)));
        blob = join(blob, (struct blob){calloc(1, 513), 513}); /* padding */
        assert_int_equal(open_blob(blob, &file, &err), STATUS_OK);
        assert_int_equal(file.wrapper, wrappers[i].kind);
        assert_false(file.cut_short);
        assert_plain(&file, plain, 1500);
        input_file_close(&file);
    }
}

static void wrappers_within_wrappers_are_unwrapped(void **state)
{
    uint8_t *plain = *state;
    struct input_file file;
    struct error err = {0};
    struct blob inner = wrap_lz4(plain, 5000);
    struct blob middle = wrap_zstd(inner.bytes, inner.size);
    struct blob outer = wrap_gzip(middle.bytes, middle.size);
    struct blob fourth = wrap_gzip(outer.bytes, outer.size);
    assert_int_equal(open_blob(fourth, &file, &err), STATUS_OVER_LIMIT);
    assert_int_equal(open_blob(outer, &file, &err), STATUS_OK);
    assert_int_equal(file.wrapper, INPUT_GZIP);
    assert_plain(&file, plain, 5000);
    input_file_close(&file);
    free(inner.bytes);
    free(middle.bytes);
}

static void cut_stream_gives_what_came_out(void **state)
{
    uint8_t *plain = *state;
    for (size_t i = 0; i < 3; i++) {
        struct input_file file;
        struct error err = {0};
        struct blob blob = wrappers[i].wrap(plain, PLAIN);
        blob.size -= blob.size / 4;
        assert_int_equal(open_blob(blob, &file, &err), STATUS_OK);
        assert_true(file.cut_short);
        assert_true(file.size > 0 && file.size < PLAIN);
        assert_memory_equal(file.data, plain, file.size);
        input_file_close(&file);
    }
}

static void cut_inner_stream_is_told_too(void **state)
{
    uint8_t *plain = *state;
    struct input_file file;
    struct error err = {0};
    struct blob inner = wrap_zstd(plain, PLAIN);
    struct blob outer = wrap_gzip(inner.bytes, inner.size);
    free(inner.bytes);
    outer.size -= 1000;
    assert_int_equal(open_blob(outer, &file, &err), STATUS_OK);
    assert_true(file.cut_short);
    assert_memory_equal(file.data, plain, file.size);
    input_file_close(&file);
}

static void damage_in_the_middle_keeps_what_came_before(void **state)
{
    uint8_t *plain = *state;
    for (size_t i = 0; i < 3; i++) {
        struct input_file file;
        struct error err = {0};
        struct blob blob = wrappers[i].wrap(plain, PLAIN);
        memset(blob.bytes + blob.size * 3 / 4, 0xA5, 2000);
        assert_int_equal(open_blob(blob, &file, &err), STATUS_OK);
        assert_true(file.cut_short);
        assert_true(file.size >= PART / 4);
        assert_memory_equal(file.data, plain, PART / 4);
        input_file_close(&file);
    }
}

static void damage_at_the_start_is_an_error(void **state)
{
    uint8_t *plain = *state;
    for (size_t i = 0; i < 3; i++) {
        struct input_file file;
        struct error err = {0};
        struct blob blob = wrappers[i].wrap(plain, 50000);
        memset(blob.bytes + 4, 0xFF, blob.size - 4);
        assert_int_equal(open_blob(blob, &file, &err), STATUS_CORRUPT);
        assert_non_null(strstr(err.message, input_wrapper_name(wrappers[i].kind)));
    }
}

static void bytes_after_the_last_frame_are_told(void **state)
{
    uint8_t *plain = *state;
    struct input_file file;
    struct error err = {0};
    struct blob junk = {malloc(6), 6};
    memcpy(junk.bytes, "junk!!", 6);
    assert_int_equal(open_blob(join(wrap_gzip(plain, 1000), junk), &file, &err), STATUS_OK);
    assert_true(file.cut_short);
    assert_plain(&file, plain, 1000);
    input_file_close(&file);
}

/* A child writes `bytes` into standard input, in dribs. */
static void feed_stdin(const void *bytes, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    if (fork() == 0) {
        close(ends[0]);
        for (size_t done = 0; done < size;) {
            size_t part = size - done < 777 ? size - done : 777;
            ssize_t written = write(ends[1], (const uint8_t *)bytes + done, part);
            if (written <= 0)
                _exit(1);
            done += (size_t)written;
        }
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
}

static void pipes_are_read_plain_and_wrapped(void **state)
{
    uint8_t *plain = *state;
    struct input_file file;
    struct error err = {0};
    char fingerprint[33];
    feed_stdin(plain, 100000);
    assert_int_equal(input_file_fingerprint("-", fingerprint, &err), STATUS_UNSUPPORTED);
    assert_int_equal(input_file_open("-", NULL, &file, &err), STATUS_OK);
    assert_plain(&file, plain, 100000);
    assert_int_equal(file.stored_size, 0);
    assert_int_equal(strlen(file.fingerprint), 32);
    input_file_close(&file);
    struct blob blob = wrap_zstd(plain, 200000);
    feed_stdin(blob.bytes, blob.size);
    free(blob.bytes);
    assert_int_equal(input_file_open("-", NULL, &file, &err), STATUS_OK);
    assert_int_equal(file.wrapper, INPUT_ZSTD);
    assert_plain(&file, plain, 200000);
    input_file_close(&file);
}

static void redirected_file_is_mapped(void **state)
{
    uint8_t *plain = *state;
    struct input_file file;
    struct error err = {0};
    int fd = open(write_file("redirected", plain, 5000), O_RDONLY);
    dup2(fd, STDIN_FILENO);
    close(fd);
    assert_int_equal(input_file_open("-", NULL, &file, &err), STATUS_OK);
    assert_int_equal(file.stored_size, 5000);
    assert_plain(&file, plain, 5000);
    input_file_close(&file);
    assert_int_equal(lseek(STDIN_FILENO, 10, SEEK_SET), 10); /* somebody read the beginning */
    assert_int_equal(input_file_open("-", NULL, &file, &err), STATUS_OK);
    assert_plain(&file, plain + 10, 4990);
    input_file_close(&file);
}

static void assert_refused(const char *name, const char *word)
{
    struct input_file file;
    struct error err = {0};
    assert_int_equal(input_file_open(name, NULL, &file, &err), STATUS_IO);
    assert_memory_equal(err.message, name, strlen(name));
    assert_non_null(strstr(err.message, word));
}

static void what_is_no_dump_is_refused_in_words(void **state)
{
    (void)state;
    char path[PATH_SIZE + 64];
    assert_refused(folder, "folder");
    assert_refused(write_file("empty", "", 0), "empty");
    assert_refused("/dev/null", "device");
    snprintf(path, sizeof path, "%s/absent", folder);
    assert_refused(path, "No such file");
    struct blob blob = wrap_gzip("", 0);
    assert_refused(write_file("empty.gz", blob.bytes, blob.size), "empty");
    free(blob.bytes);
    if (geteuid() != 0) {
        chmod(write_file("locked", "x", 1), 0);
        snprintf(path, sizeof path, "%s/locked", folder);
        assert_refused(path, "Permission");
    }
}

static void fifo_is_read_like_a_pipe(void **state)
{
    (void)state;
    char path[PATH_SIZE + 64], fingerprint[33];
    struct input_file file;
    struct error err = {0};
    snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(input_file_fingerprint(path, fingerprint, &err), STATUS_UNSUPPORTED);
    if (fork() == 0) {
        FILE *writer = fopen(path, "wb");
        _exit(!writer || fputs("through", writer) < 0 || fclose(writer) != 0);
    }
    assert_int_equal(input_file_open(path, NULL, &file, &err), STATUS_OK);
    assert_plain(&file, (const uint8_t *)"through", 7);
    input_file_close(&file);
}

static void fingerprint_tells_content_and_time(void **state)
{
    uint8_t *plain = *state;
    char first[33], again[33], changed[33];
    struct error err = {0};
    const char *path = write_file("print", plain, PLAIN);
    assert_int_equal(input_file_fingerprint(path, first, &err), STATUS_OK);
    assert_int_equal(input_file_fingerprint(path, again, &err), STATUS_OK);
    assert_string_equal(first, again);
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000, .tv_nsec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(input_file_fingerprint(path, changed, &err), STATUS_OK);
    assert_string_not_equal(first, changed);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "!", 1, PLAIN - 3), 1);
    close(fd);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(input_file_fingerprint(path, again, &err), STATUS_OK);
    assert_string_not_equal(again, changed);
}

static void kind_is_told_by_content(void **state)
{
    (void)state;
    uint8_t bytes[100] = "\177ELF\2\1\1";
    struct input_file file = {.data = bytes, .size = sizeof bytes};
    bytes[16] = 4;
    assert_int_equal(input_file_kind(&file), INPUT_CORE);
    bytes[16] = 2;
    assert_int_equal(input_file_kind(&file), INPUT_UNKNOWN);
    memcpy(bytes, "SQLite format 3", 16);
    assert_int_equal(input_file_kind(&file), INPUT_UNKNOWN);
    memcpy(bytes + 68, "INQS", 4);
    assert_int_equal(input_file_kind(&file), INPUT_INDEX);
    file.size = 70;
    assert_int_equal(input_file_kind(&file), INPUT_UNKNOWN);
}

struct told {
    struct progress progress;
    unsigned calls;
    uint64_t done, total;
};

static void count_progress(struct progress *progress, const char *stage, const char *unit,
                           uint64_t done, uint64_t total)
{
    struct told *told = progress->context;
    assert_string_equal(stage, "unwrapping");
    assert_string_equal(unit, "bytes");
    assert_true(done >= told->done && done <= total);
    told->calls++;
    told->done = done;
    told->total = total;
}

static void progress_counts_stored_bytes(void **state)
{
    uint8_t *plain = *state;
    struct told told = {.progress = {.update = count_progress}};
    struct input_file file;
    struct error err = {0};
    struct blob blob = wrap_gzip(plain, PLAIN);
    const char *path = write_file("progress", blob.bytes, blob.size);
    told.progress.context = &told;
    assert_int_equal(input_file_open(path, &told.progress, &file, &err), STATUS_OK);
    assert_true(told.calls >= 2);
    assert_int_equal(told.done, blob.size);
    assert_int_equal(told.total, blob.size);
    input_file_close(&file);
    free(blob.bytes);
}

static void unusable_tmpdir_is_passed_over(void **state)
{
    (void)state;
    struct input_file file;
    struct error err = {0};
    setenv("TMPDIR", "/nonexistent/folder", 1);
    assert_int_equal(open_blob(wrap_gzip("some bytes", 10), &file, &err), STATUS_OK);
    assert_plain(&file, (const uint8_t *)"some bytes", 10);
    input_file_close(&file);
    unsetenv("TMPDIR");
}

static void failure_to_write_is_told(void **state)
{
    uint8_t *plain = *state;
    struct input_file file;
    struct error err = {0};
    struct rlimit before, small;
    struct blob blob = wrap_gzip(plain, PLAIN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){.rlim_cur = 1 << 20, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status status = open_blob(blob, &file, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, STATUS_IO);
    assert_non_null(strstr(err.message, "temporary file"));
}

static int set_up(void **state)
{
    snprintf(folder, sizeof folder, "%s/inquest-test-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    *state = plain_bytes();
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[PATH_SIZE + 16];
    free(*state);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_file_is_mapped_as_it_is),
        cmocka_unit_test(what_was_read_may_be_forgotten),
        cmocka_unit_test(each_wrapper_is_unwrapped_sparsely),
        cmocka_unit_test(frames_one_after_the_other_are_joined),
        cmocka_unit_test(wrappers_within_wrappers_are_unwrapped),
        cmocka_unit_test(cut_stream_gives_what_came_out),
        cmocka_unit_test(cut_inner_stream_is_told_too),
        cmocka_unit_test(damage_in_the_middle_keeps_what_came_before),
        cmocka_unit_test(damage_at_the_start_is_an_error),
        cmocka_unit_test(bytes_after_the_last_frame_are_told),
        cmocka_unit_test(pipes_are_read_plain_and_wrapped),
        cmocka_unit_test(redirected_file_is_mapped),
        cmocka_unit_test(what_is_no_dump_is_refused_in_words),
        cmocka_unit_test(fifo_is_read_like_a_pipe),
        cmocka_unit_test(fingerprint_tells_content_and_time),
        cmocka_unit_test(kind_is_told_by_content),
        cmocka_unit_test(progress_counts_stored_bytes),
        cmocka_unit_test(unusable_tmpdir_is_passed_over),
        cmocka_unit_test(failure_to_write_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
