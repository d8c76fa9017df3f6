/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/core/image.h"
#include "inquest/base/cleanup.h"
#include "inquest/base/text.h"

/* One file of this machine, mapped, that may be the one the process had. */
struct candidate {
    const char *path;
    struct elf_view view;
    uint8_t build_id[64];
    size_t build_id_size;
};

static void append_id(struct text *text, const uint8_t *id, size_t size)
{
    for (size_t i = 0; i < size; i++)
        text_printf(text, "%02x", id[i]);
    if (!size)
        text_append(text, "none");
}

static void warn(struct memory_image *image, const struct text *text)
{
    struct core_warning warning = {"file", arena_strdup(&image->arena, text_string(text))};
    if (warning.message && text_ok(text) && array_push(&image->core->warnings, warning))
        return;
    /* without memory for the words, what they warn of is not used either way */
}

static void warn_other(struct memory_image *image, const struct core_file *file,
                       const struct candidate *candidate)
{
    struct text text;
    text_init(&text);
    text_append_bytes(&text, candidate->path, strlen(candidate->path));
    text_append(&text, " is another build than the process had: its build id is ");
    append_id(&text, candidate->build_id, candidate->build_id_size);
    text_append(&text, ", the core's is ");
    append_id(&text, file->build_id, file->build_id_size);
    if (!file->build_id_size)
        text_append(&text, " and its program headers differ");
    text_append(&text, "; it is not used");
    warn(image, &text);
    text_deinit(&text);
}

static void warn_unproven(struct memory_image *image, const struct candidate *candidate)
{
    struct text text;
    text_init(&text);
    text_append_bytes(&text, candidate->path, strlen(candidate->path));
    text_append(&text, " is used as the main program, but the core has no build id to prove it: "
                       "if it is another build, what is read from it is wrong");
    warn(image, &text);
    text_deinit(&text);
}

static void warn_useless(struct memory_image *image, const char *path, const char *why)
{
    struct text text;
    text_init(&text);
    text_append_bytes(&text, path, strlen(path));
    text_printf(&text, " is not used as the main program: %s", why);
    warn(image, &text);
    text_deinit(&text);
}

void image_check_executable(struct memory_image *image)
{
    if (image->executable && image->core->program_file == CORE_NO_INDEX)
        warn_useless(image, image->executable, "the core does not tell where that was mapped");
}

static void candidate_unmap(struct candidate *candidate)
{
    if (candidate->view.data)
        munmap((void *)(uintptr_t)candidate->view.data, (size_t)candidate->view.size);
    candidate->view.data = NULL;
}

static bool candidate_map(int root_fd, const char *path, struct candidate *ret_candidate)
{
    CLEANUP_CLOSE int fd = open_regular(root_fd, path);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0 || status.st_size <= 0)
        return false;
    size_t size = (size_t)status.st_size;
    const uint8_t *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return false;
    struct candidate candidate = {.path = path};
    if (elf_view_init(&candidate.view, data, size, NULL) != STATUS_OK) {
        munmap((void *)(uintptr_t)data, size);
        return false;
    }
    candidate.build_id_size = elf_view_build_id(&candidate.view, candidate.build_id);
    *ret_candidate = candidate;
    return true;
}

/* The bias from the file's own headers, for a core that lacks the header page. */
static bool find_bias(const struct core_dump *core, uint32_t file, const struct elf_view *view,
                      uint64_t *ret_bias)
{
    if (core->files.items[file].is_elf) {
        *ret_bias = core->files.items[file].bias;
        return true;
    }
    for (size_t i = 0; i < core->mappings.count; i++) {
        const struct core_mapping *mapping = &core->mappings.items[i];
        uint64_t address;
        if (mapping->file == file && elf_view_address(view, mapping->file_offset, &address)) {
            *ret_bias = mapping->start - address;
            return true;
        }
    }
    return false;
}

/* Whether the header page in the core is the file's: the ELF header, but for the
 * place of the sections, which strip changes, and all program headers. */
static bool headers_match(const struct memory_image *image, const struct core_file *file,
                          const struct elf_view *view)
{
    uint64_t size;
    const uint8_t *page = core_stored_bytes(image->core, file->header, &size);
    uint64_t table = (uint64_t)view->program_header_count * view->program_header_size;
    uint64_t at = view->program_headers;
    if (!page || size < 64 || view->size < 64 || at > size || table > size - at ||
        at > view->size || table > view->size - at)
        return false;
    return !memcmp(page, view->data, 40) && !memcmp(page + 48, view->data + 48, 10) &&
           !memcmp(page + at, view->data + at, (size_t)table);
}

static enum file_source judge(const struct memory_image *image, const struct core_file *file,
                              const struct candidate *candidate)
{
    if (file->build_id_size) {
        bool same = file->build_id_size == candidate->build_id_size &&
                    !memcmp(file->build_id, candidate->build_id, file->build_id_size);
        return same ? FILE_PROVEN : FILE_OTHER;
    }
    if (!file->is_elf)
        return FILE_UNPROVEN;
    return headers_match(image, file, &candidate->view) ? FILE_MATCHED : FILE_OTHER;
}

/* Keeps the candidate where it is the process's file, else unmaps it and says so. */
static bool settle(struct memory_image *image, uint32_t index, struct candidate *candidate,
                   bool is_given)
{
    const struct core_file *file = &image->core->files.items[index];
    struct image_file *state = &image->files[index];
    uint16_t machine = image->core->arch == CORE_X86_64 ? EM_X86_64 : EM_AARCH64;
    state->source = judge(image, file, candidate);
    bool is_used = state->source == FILE_PROVEN || state->source == FILE_MATCHED ||
                   (state->source == FILE_UNPROVEN && is_given);
    if (is_used && candidate->view.machine == machine &&
        find_bias(image->core, index, &candidate->view, &state->bias)) {
        state->view = candidate->view;
        if (state->source == FILE_UNPROVEN)
            warn_unproven(image, candidate);
        return true;
    }
    if (is_used) /* as it seems the same, yet of no use: nothing of it is mapped */
        state->source = FILE_ABSENT;
    if (state->source == FILE_OTHER)
        warn_other(image, file, candidate);
    candidate_unmap(candidate);
    return false;
}

static void find_file(struct memory_image *image, uint32_t index)
{
    const struct core_file *file = &image->core->files.items[index];
    struct candidate candidate;
    if (image->executable && index == image->core->program_file &&
        candidate_map(-1, image->executable, &candidate) && settle(image, index, &candidate, true))
        return;
    if (file->path[0] == '/' && candidate_map(image->root_fd, file->path, &candidate))
        settle(image, index, &candidate, false);
}

static void settle_file(const struct memory_image *image, uint32_t index)
{
    /* what is found lazily is no part of the image's visible state */
    struct memory_image *writable = (struct memory_image *)(uintptr_t)image;
    struct image_file *state = &writable->files[index];
    pthread_mutex_lock(&writable->lock);
    if (!atomic_load_explicit(&state->is_settled, memory_order_relaxed)) {
        state->bias = image->core->files.items[index].bias;
        if (image->core->files.items[index].is_program)
            find_file(writable, index);
        atomic_store_explicit(&state->is_settled, true, memory_order_release);
    }
    pthread_mutex_unlock(&writable->lock);
}

const struct image_file *image_file_at_hand(const struct memory_image *image, uint32_t file)
{
    struct image_file *state = &image->files[file];
    if (!atomic_load_explicit(&state->is_settled, memory_order_acquire))
        settle_file(image, file);
    return state->view.data ? state : NULL;
}

void image_file_deinit(struct image_file *file)
{
    if (file->view.data)
        munmap((void *)(uintptr_t)file->view.data, (size_t)file->view.size);
    file->view.data = NULL;
}

enum file_source memory_image_file_source(const struct memory_image *image, size_t file)
{
    if (file >= image->core->files.count)
        return FILE_ABSENT;
    (void)image_file_at_hand(image, (uint32_t)file);
    return image->files[file].source;
}
