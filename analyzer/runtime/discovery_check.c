/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/discovery.h"

#include <inttypes.h>

#include "inquest/base/limits.h"

static enum status read_word(const struct python_process *process, uint64_t address,
                             enum python_field field, uint64_t *ret_value)
{
    if (!layout_has(&process->layout, field))
        return STATUS_UNSUPPORTED;
    return memory_read_u64(process->image, address + layout_get(&process->layout, field),
                           ret_value);
}

static enum status contradiction(struct error *err, const char *what)
{
    return error_set(err, STATUS_CORRUPT, "%s", what);
}

/* The main interpreter: number 0, and the end of the list of interpreters. */
static enum status check_interpreter(struct python_process *process, struct error *err)
{
    uint64_t main = 0, head = 0, id = 0;
    if (read_word(process, process->runtime_addr, PY_runtime_interpreters_main, &main) ||
        read_word(process, process->runtime_addr, PY_runtime_interpreters_head, &head))
        return contradiction(err, "it is not in the core");
    if (main == 0 && head == 0)
        return contradiction(err, "it has no interpreter");
    if (!memory_is_writable(process->image, main))
        return contradiction(err, "its main interpreter is no address");
    if (read_word(process, main, PY_interp_id, &id) || id != 0)
        return contradiction(err, "its main interpreter is not number 0");
    process->interp_addr = main;
    uint64_t interp = head, others = 0;
    for (; interp && interp != main; others++) {
        if (others == LIMIT_INTERPRETERS || read_word(process, interp, PY_interp_next, &interp))
            return contradiction(err, "its list of interpreters is broken");
    }
    if (!interp)
        return contradiction(err, "its main interpreter is not in its list");
    if (others)
        process->warning = arena_printf(process->arena,
                                        "%" PRIu64 " subinterpreter%s: only the main "
                                        "interpreter's threads and objects are read",
                                        others, others == 1 ? "" : "s");
    return STATUS_OK;
}

static enum status check_threads(const struct python_process *process, struct error *err)
{
    uint64_t thread = 0, interp = 0;
    if (read_word(process, process->interp_addr, PY_interp_threads_head, &thread))
        return contradiction(err, "its interpreter is not in the core");
    if (thread == 0)
        return contradiction(err, "its interpreter has no thread");
    if (read_word(process, thread, PY_thread_interp, &interp) || interp != process->interp_addr)
        return contradiction(err, "its thread state does not point back to its interpreter");
    return STATUS_OK;
}

static bool has_flag(const struct python_process *process, uint64_t type, enum python_field flag)
{
    uint64_t flags = 0;
    return layout_has(&process->layout, flag) &&
           read_word(process, type, PY_type_flags, &flags) == STATUS_OK &&
           (flags & layout_get(&process->layout, flag)) != 0;
}

/* Py_Finalize clears modules, sys and builtins one after the other. */
static bool is_finalizing(const struct python_process *process)
{
    uint64_t thread = 0, interp = 0;
    return read_word(process, process->runtime_addr, PY_runtime_finalizing, &thread) == STATUS_OK &&
           thread != 0 && read_word(process, thread, PY_thread_interp, &interp) == STATUS_OK &&
           interp == process->interp_addr;
}

/* The type of an object: STATUS_NOT_IN_DUMP where the process had it but a core
 * that was cut off or filtered has not, STATUS_CORRUPT where it is no address. */
static enum status read_type(const struct python_process *process, uint64_t object,
                             uint64_t *ret_type)
{
    if (!memory_is_mapped(process->image, object))
        return STATUS_CORRUPT;
    return read_word(process, object, PY_object_type, ret_type);
}

/* What was proven about types: 0 and `is_missing` where there is nothing to ask. */
struct proof {
    uint64_t dict_type, type_type;
    bool is_missing;
};

static enum status check_dicts(const struct python_process *process, struct proof *proof,
                               struct error *err)
{
    static const enum python_field dicts[] = {PY_interp_modules, PY_interp_sysdict,
                                              PY_interp_builtins};
    for (size_t i = 0; i < sizeof(dicts) / sizeof(dicts[0]); i++) {
        uint64_t dict = 0, type = 0;
        if (read_word(process, process->interp_addr, dicts[i], &dict))
            return contradiction(err, "its interpreter is not in the core");
        if (dict == 0 && is_finalizing(process))
            continue;
        enum status status = read_type(process, dict, &type);
        if (status == STATUS_NOT_IN_DUMP)
            continue;
        if (status != STATUS_OK || (proof->dict_type && type != proof->dict_type))
            return contradiction(err, "its modules, sys and builtins are no dicts");
        proof->dict_type = type;
    }
    proof->is_missing = proof->dict_type == 0;
    return STATUS_OK;
}

/* modules, sys and builtins are dicts, and the type of their type is its own type. */
static enum status check_types(const struct python_process *process, struct proof *proof,
                               struct error *err)
{
    uint64_t meta_type = 0;
    enum status status = check_dicts(process, proof, err);
    if (status != STATUS_OK || proof->is_missing)
        return status;
    status = read_type(process, proof->dict_type, &proof->type_type);
    if (status == STATUS_OK &&
        !has_flag(process, proof->dict_type, PY_constant_tpflags_dict_subclass))
        return contradiction(err, "its modules, sys and builtins are no dicts");
    if (status == STATUS_OK)
        status = read_type(process, proof->type_type, &meta_type);
    if (status == STATUS_NOT_IN_DUMP) {
        proof->is_missing = true;
        return STATUS_OK;
    }
    if (status != STATUS_OK || meta_type != proof->type_type ||
        !has_flag(process, proof->type_type, PY_constant_tpflags_type_subclass))
        return contradiction(err, "the type of its types is not its own type");
    return STATUS_OK;
}

static bool sys_has(struct python_process *process, uint64_t sysdict, const char *name)
{
    uint64_t value = 0;
    return dict_get(process, sysdict, name, &value) == STATUS_OK;
}

static enum status accept_without_sys(struct python_process *process, uint32_t known_version,
                                      const char *why)
{
    process->layout.version_hex = known_version;
    if (process->warning)
        return STATUS_OK;
    process->warning = arena_printf(process->arena,
                                    "%s: sys and the modules can't be read, and what they say "
                                    "about names is left out",
                                    why);
    return process->warning ? STATUS_OK : STATUS_NO_MEMORY;
}

/* From 3.11 on the main interpreter is within _PyRuntime, at a distance that no
 * chance gives. */
static bool place_is_sure(const struct python_process *process, const struct guess *guess)
{
    return guess->place_is_known || (layout_has(&process->layout, PY_runtime_main_interpreter) &&
                                     process->interp_addr - process->runtime_addr ==
                                         layout_get(&process->layout, PY_runtime_main_interpreter));
}

/* Whether sys.hexversion is missing because memory is: of the dict, or of a key. */
static bool is_cut_off(struct python_process *process, uint64_t sysdict)
{
    struct dict_iterator iterator;
    uint64_t key = 0, value = 0;
    enum status status = dict_iterate(process, sysdict, &iterator);
    while (status == STATUS_OK && dict_next(process, &iterator, &key, &value, &status)) {
        if (!memory_view(process->image, key, layout_get(&process->layout, PY_unicode_size)) ||
            !memory_view(process->image, value, layout_get(&process->layout, PY_object_size)))
            return memory_is_mapped(process->image, key) && memory_is_mapped(process->image, value);
    }
    return status == STATUS_NOT_IN_DUMP;
}

static enum status check_version(struct python_process *process, const struct proof *proof,
                                 const struct guess *guess, struct error *err)
{
    uint64_t sysdict = 0, object = 0;
    int64_t version = 0;
    if (read_word(process, process->interp_addr, PY_interp_sysdict, &sysdict) || sysdict == 0 ||
        dict_get(process, sysdict, "hexversion", &object) != STATUS_OK ||
        int_read(process, object, &version) != STATUS_OK) {
        if (guess->version && is_finalizing(process))
            return accept_without_sys(process, guess->version, "the interpreter was finalizing");
        if (guess->version && place_is_sure(process, guess) &&
            (proof->is_missing || is_cut_off(process, sysdict)))
            return accept_without_sys(process, guess->version, "the core is cut off or filtered");
        return contradiction(err, proof->is_missing ? "its modules and sys are not in the core"
                                                    : "it has no sys.hexversion");
    }
    if (version >> 16 != (int64_t)(process->layout.version_hex >> 16))
        return error_set(err, STATUS_CORRUPT, "its sys.hexversion is 0x%08" PRIx64,
                         (uint64_t)version);
    process->layout.version_hex = (uint32_t)version;
    if (sys_has(process, sysdict, "gettotalrefcount") || sys_has(process, sysdict, "getobjects"))
        return error_set(err, STATUS_UNSUPPORTED,
                         "a debug build of CPython 3.%u: only release builds are read",
                         (unsigned)(version >> 16 & 0xFF));
    return STATUS_OK;
}

/* The table asks the interpreter's dicts for the type of types, and where those
 * are gone waits for the first object. */
static enum status make_type_table(struct python_process *process, bool has_dicts,
                                   struct error *err)
{
    uint64_t interp_addr = process->interp_addr;
    if (!has_dicts)
        process->interp_addr = 0;
    enum status status = type_table_create(process, err);
    process->interp_addr = interp_addr;
    return status;
}

enum status python_check(struct python_process *process, const struct guess *guess,
                         struct error *err)
{
    struct proof proof = {0};
    enum status status = check_interpreter(process, err);
    if (status == STATUS_OK)
        status = check_threads(process, err);
    if (status == STATUS_OK)
        status = check_types(process, &proof, err);
    if (status != STATUS_OK)
        return status;
    if (!proof.is_missing)
        static_types_calibrate(process, proof.type_type, proof.dict_type);
    status = make_type_table(process, !proof.is_missing, err);
    if (status != STATUS_OK)
        return status;
    status = check_version(process, &proof, guess, err);
    if (status != STATUS_OK) {
        type_table_destroy(process->types);
        process->types = NULL;
    }
    return status;
}
