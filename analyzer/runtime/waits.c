/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread waits for, told from the system call that it was in and, for a
 * futex, from the object whose lock word that futex is.
 *
 * A Python lock up to 3.13 holds a pointer to a semaphore, whose first word is
 * the futex. From 3.14 on it holds a PyMutex of one byte, and the waiting thread
 * sleeps on a semaphore in its own C stack that stands, in struct wait_entry of
 * Python/parking_lot.c, just behind the mutex's address. */
#include "analyzer/runtime/threads.h"

#include <stdio.h>
#include <string.h>

struct syscall_state {
    uint64_t number;
    const char *state;
};

/* x86-64 numbers (the kernel's syscall_64.tbl). To add one: a row. */
static const struct syscall_state syscall_states[] = {
    {0, "in read"},           {1, "in write"},          {7, "in poll"},          {17, "in pread64"},
    {18, "in pwrite64"},      {19, "in readv"},         {20, "in writev"},       {23, "in select"},
    {34, "in pause"},         {35, "sleeping"},         {42, "in connect"},      {43, "in accept"},
    {44, "in sendto"},        {45, "in recvfrom"},      {46, "in sendmsg"},      {47, "in recvmsg"},
    {61, "in wait4"},         {72, "in fcntl"},         {73, "in flock"},        {74, "in fsync"},
    {75, "in fdatasync"},     {128, "in sigtimedwait"}, {130, "in sigsuspend"},  {202, "waiting"},
    {230, "sleeping"},        {232, "in epoll_wait"},   {247, "in waitid"},      {257, "in openat"},
    {270, "in select"},       {271, "in poll"},         {281, "in epoll_pwait"}, {288, "in accept"},
    {441, "in epoll_pwait2"},
};

#define SYSCALL_SELECT     23
#define SYSCALL_PSELECT6   270
#define SYSCALL_FUTEX      202
#define FUTEX_COMMAND_MASK 127
#define FUTEX_WAIT         0
#define FUTEX_WAIT_BITSET  9

struct search {
    struct python_process *process;
    const struct thread_list *threads;
    uint64_t futex_addr, mutex_addr;
    struct wait_fact *wait;
    const char *holder_name; /* the variable whose attributes are being looked at */
    bool found;
};

static const char *thread_display_name(const struct thread_list *threads, uint64_t ident)
{
    for (size_t i = 0; ident && i < threads->threads.count; i++)
        if (threads->threads.items[i].ident == ident && threads->threads.items[i].name)
            return threads->threads.items[i].name;
    return NULL;
}

static bool is_the_lock(const struct search *search, const struct python_type *type, uint64_t addr)
{
    const struct python_layout *layout = &search->process->layout;
    uint64_t pointer;
    if ((type->kind != KIND_LOCK && type->kind != KIND_RLOCK) || !layout_has(layout, PY_lock_lock))
        return false;
    if (search->mutex_addr)
        return addr + layout_get(layout, PY_lock_lock) == search->mutex_addr;
    return object_pointer(search->process, addr, PY_lock_lock, &pointer) == STATUS_OK && pointer &&
           pointer == search->futex_addr;
}

static void describe_lock(struct search *search, const struct python_type *type, uint64_t addr,
                          const char *attribute)
{
    struct wait_fact *wait = search->wait;
    uint64_t owner = 0;
    const char *owner_name = NULL;
    if (type->kind == KIND_RLOCK && layout_has(&search->process->layout, PY_rlock_owner) &&
        object_pointer(search->process, addr, PY_rlock_owner, &owner) == STATUS_OK)
        owner_name = thread_display_name(search->threads, owner);
    wait->state = "waiting on a lock";
    wait->waits_for_addr = addr;
    snprintf(wait->waits_for, sizeof wait->waits_for, "lock %s%s%s%s<%s at 0x%llx>%s%s",
             search->holder_name ? search->holder_name : "", attribute ? "." : "",
             attribute ? attribute : "", search->holder_name ? " " : "", type->name,
             (unsigned long long)addr, owner_name ? ", held by " : "",
             owner_name ? owner_name : "");
    search->found = true;
}

static bool visit_attribute(void *context, const struct attribute *attribute)
{
    struct search *search = context;
    const struct python_type *type;
    const char *name = attribute->name;
    if (attribute->value_addr &&
        object_type(search->process, attribute->value_addr, &type) == STATUS_OK &&
        is_the_lock(search, type, attribute->value_addr)) {
        if (!name && str_name(search->process, attribute->name_addr, &name) != STATUS_OK)
            name = "?";
        describe_lock(search, type, attribute->value_addr, name);
    }
    return !search->found;
}

/* Looks at one object and, for an ordinary one, at its attributes. */
static void look_at(struct search *search, const char *name, uint64_t addr, bool attributes)
{
    const struct python_type *type;
    if (search->found || object_type(search->process, addr, &type) != STATUS_OK)
        return;
    search->holder_name = name;
    if (is_the_lock(search, type, addr))
        describe_lock(search, type, addr, NULL);
    else if (attributes && type->kind == KIND_UNKNOWN && type->is_heap &&
             instance_attributes(search->process, addr, visit_attribute, search) != STATUS_OK)
        return;
}

static void visit_local(void *context, const char *name, enum variable_kind kind,
                        uint64_t value_addr)
{
    (void)kind;
    look_at(context, name, value_addr, true);
}

/* What a C call was made on lies on the evaluation stack: the lock, or a method
 * bound to it. */
static void search_slots(struct search *search, const struct frame_fact *frame)
{
    uint64_t slots_addr, word, self_addr;
    const struct python_type *type;
    uint32_t count = frame_slots(search->process, frame, &slots_addr);
    for (uint32_t i = frame->code ? frame->code->variable_count : 0; i < count && !search->found;
         i++) {
        if (memory_read_u64(search->process->image, slots_addr + 8 * (uint64_t)i, &word) !=
            STATUS_OK)
            return;
        uint64_t addr = frame_untag(search->process, word);
        if (!addr || object_type(search->process, addr, &type) != STATUS_OK)
            continue;
        look_at(search, NULL, addr, false);
        if (type->kind == KIND_BUILTIN &&
            object_pointer(search->process, addr, PY_cfunction_self, &self_addr) == STATUS_OK &&
            self_addr)
            look_at(search, NULL, self_addr, false);
    }
}

#define FRAMES_SEARCHED 3

static void find_lock(struct search *search, const struct frame_list *frames)
{
    for (size_t i = 0; i < frames->frames.count && i < FRAMES_SEARCHED && !search->found; i++) {
        const struct frame_fact *frame = &frames->frames.items[i];
        if (frame->code && frame->code->flags & CODE_FLAG_OPTIMIZED)
            frame_locals(search->process, frame, visit_local, search);
        search_slots(search, frame);
    }
}

static void explain_futex(const struct thread_fact *thread, struct search *search,
                          const struct frame_list *frames)
{
    struct python_process *process = search->process;
    uint64_t gil_addr = gil_address(process), mutex_addr;
    uint64_t gil_end =
        gil_addr +
        (layout_has(&process->layout, PY_gil_size) ? layout_get(&process->layout, PY_gil_size) : 0);
    if (gil_addr && search->futex_addr >= gil_addr && search->futex_addr < gil_end) {
        search->wait->state = "waiting for the GIL";
        search->wait->waits_for_addr = gil_addr;
        return;
    }
    bool on_own_stack = search->futex_addr >= thread->native->registers.sp &&
                        search->futex_addr - thread->native->registers.sp < 65536;
    if (on_own_stack &&
        memory_read_u64(process->image, search->futex_addr - 8, &mutex_addr) == STATUS_OK)
        search->mutex_addr = mutex_addr;
    search->wait->waits_for_addr = search->mutex_addr ? search->mutex_addr : search->futex_addr;
    find_lock(search, frames);
}

static const char *state_in_syscall(const struct core_registers *registers, const char *otherwise)
{
    uint64_t number = registers->original_ax;
    if ((number == SYSCALL_SELECT || number == SYSCALL_PSELECT6) && !(uint32_t)registers->di)
        return "sleeping"; /* on no files: time.sleep() before 3.11 */
    for (size_t i = 0; i < sizeof syscall_states / sizeof *syscall_states; i++)
        if (number == syscall_states[i].number)
            return syscall_states[i].state;
    return otherwise;
}

void thread_wait(const struct core_dump *core, struct python_process *process,
                 const struct thread_list *threads, const struct thread_fact *thread,
                 const struct frame_list *frames, struct wait_fact *ret_wait)
{
    *ret_wait = (struct wait_fact){.state = thread->native ? "running" : NULL};
    if (thread->is_crashed)
        ret_wait->state = "crashed";
    if (!thread->native || thread->is_crashed || core->arch != CORE_X86_64)
        return;
    const struct core_registers *registers = &thread->native->registers;
    ret_wait->state = state_in_syscall(registers, ret_wait->state);
    uint64_t command = registers->si & FUTEX_COMMAND_MASK;
    if (registers->original_ax != SYSCALL_FUTEX || !process || !thread->state_addr ||
        (command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET))
        return;
    struct search search = {
        .process = process, .threads = threads, .futex_addr = registers->di, .wait = ret_wait};
    explain_futex(thread, &search, frames);
}
