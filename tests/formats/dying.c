/* SPDX-License-Identifier: Apache-2.0 */
/* Dies as its first argument says, for test_core_real. */
#undef NDEBUG
#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern uint64_t dying_witness[2];
uint64_t dying_witness[2] = {0x1122334455667788, 0};
extern const char dying_constant[];
const char dying_constant[] = "a constant that only the file has";

static volatile uintptr_t nowhere = 0x18;

static void *wait_for_ever(void *ready)
{
    char byte = 1;
    while (write(*(int *)ready, &byte, 1) < 0) {
    }
    for (;;)
        pause();
    return NULL;
}

int main(int argc, char **argv)
{
    int ends[2];
    char byte;
    pthread_t thread;
    if (argc < 2 || pipe(ends) != 0 ||
        pthread_create(&thread, NULL, wait_for_ever, &ends[1]) != 0 || read(ends[0], &byte, 1) != 1)
        return 1;
    dying_witness[1] = (uint64_t)(uintptr_t)dying_constant;
    if (!strcmp(argv[1], "write"))
        *(volatile uint64_t *)nowhere = 1;
    assert(argc > 100);
    return 0;
}
