/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/packed_pool.h"

#include <pthread.h>
#include <unistd.h>

#define MOST_THREADS   8
#define SLOTS_A_THREAD 2

enum slot_state { SLOT_FREE, SLOT_TAKEN, SLOT_DONE };

/* Batch number b goes through slot b % slot_count. */
struct slot {
    enum slot_state state;
    enum status status; /* of SLOT_DONE */
    struct packed_batch batch;
};

struct pool {
    const struct packed_job *job;
    pthread_mutex_t lock;
    pthread_cond_t freed, done;
    uint64_t next; /* the batch that is taken next */
    bool stop;
    unsigned slot_count;
    struct slot slots[MOST_THREADS * SLOTS_A_THREAD];
};

static struct packed_scratch *scratch_create(void)
{
    struct packed_scratch *scratch = malloc(sizeof *scratch);
    void *state = malloc(packed_block_state_size());
    if (!scratch || !state) {
        free(scratch);
        free(state);
        return NULL;
    }
    scratch->state = state;
    return scratch;
}

static void scratch_destroy(struct packed_scratch *scratch)
{
    if (scratch)
        free(scratch->state);
    free(scratch);
}

/* Under the lock: the slot of the next batch, once it is free; NULL: no more. */
static struct slot *take(struct pool *pool, uint64_t *ret_batch)
{
    while (!pool->stop && pool->next < pool->job->batches) {
        struct slot *slot = &pool->slots[pool->next % pool->slot_count];
        if (slot->state == SLOT_FREE) {
            slot->state = SLOT_TAKEN;
            *ret_batch = pool->next++;
            return slot;
        }
        pthread_cond_wait(&pool->freed, &pool->lock);
    }
    return NULL;
}

static void *work(void *context)
{
    struct pool *pool = context;
    const struct packed_job *job = pool->job;
    struct packed_scratch *scratch = scratch_create();
    struct slot *slot;
    uint64_t batch;
    pthread_mutex_lock(&pool->lock);
    while ((slot = take(pool, &batch))) {
        pthread_mutex_unlock(&pool->lock);
        packed_batch_clear(&slot->batch);
        enum status status =
            scratch ? job->pack(job->context, batch, scratch, &slot->batch) : STATUS_NO_MEMORY;
        pthread_mutex_lock(&pool->lock);
        slot->status = status;
        slot->state = SLOT_DONE;
        pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->lock);
    scratch_destroy(scratch);
    return NULL;
}

static enum status write_all(struct pool *pool)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&pool->lock);
    for (uint64_t batch = pool->job->first; status == STATUS_OK && batch < pool->job->batches;
         batch++) {
        struct slot *slot = &pool->slots[batch % pool->slot_count];
        while (slot->state != SLOT_DONE)
            pthread_cond_wait(&pool->done, &pool->lock);
        pthread_mutex_unlock(&pool->lock);
        status = slot->status;
        if (status == STATUS_OK)
            status = pool->job->write(pool->job->sink, &slot->batch);
        pthread_mutex_lock(&pool->lock);
        slot->state = SLOT_FREE;
        pthread_cond_broadcast(&pool->freed);
    }
    pool->stop = true;
    pthread_cond_broadcast(&pool->freed);
    pthread_mutex_unlock(&pool->lock);
    return status;
}

static unsigned thread_count(const struct packed_job *job)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned count = processors < 1              ? 1
                     : processors > MOST_THREADS ? MOST_THREADS
                                                 : (unsigned)processors;
    uint64_t batches = job->first < job->batches ? job->batches - job->first : 0;
    return batches < count ? (unsigned)batches : count;
}

enum status packed_pool_run_alone(const struct packed_job *job, const atomic_bool *stop,
                                  uint64_t *ret_next)
{
    struct packed_batch batch = {0};
    struct packed_scratch *scratch = scratch_create();
    enum status status = scratch ? STATUS_OK : STATUS_NO_MEMORY;
    uint64_t next = job->first;
    while (status == STATUS_OK && next < job->batches && !(stop && atomic_load(stop))) {
        packed_batch_clear(&batch);
        status = job->pack(job->context, next, scratch, &batch);
        if (status == STATUS_OK)
            status = job->write(job->sink, &batch);
        next += status == STATUS_OK;
    }
    scratch_destroy(scratch);
    packed_batch_deinit(&batch);
    *ret_next = next;
    return status;
}

/* Without threads, for a small job or where none can be had. */
static enum status run_alone(const struct packed_job *job)
{
    uint64_t next;
    return packed_pool_run_alone(job, NULL, &next);
}

enum status packed_pool_run(const struct packed_job *job)
{
    pthread_t threads[MOST_THREADS];
    struct pool pool = {.job = job,
                        .next = job->first,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .freed = PTHREAD_COND_INITIALIZER,
                        .done = PTHREAD_COND_INITIALIZER};
    unsigned wanted = thread_count(job), started = 0;
    if (wanted < 2)
        return run_alone(job);
    pool.slot_count = wanted * SLOTS_A_THREAD;
    while (started < wanted && pthread_create(&threads[started], NULL, work, &pool) == 0)
        started++;
    enum status status = started ? write_all(&pool) : run_alone(job);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < pool.slot_count; i++)
        packed_batch_deinit(&pool.slots[i].batch);
    return status;
}
