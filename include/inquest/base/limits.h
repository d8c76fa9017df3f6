/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_LIMITS_H
#define INQUEST_BASE_LIMITS_H

/* Bounds that hostile or damaged input meets. Each is far above what a real
 * process reaches; each that is met is reported, never silent. */
#define LIMIT_UNWRAPPED_BYTES   (UINT64_C(1) << 42) /* a wrapped dump's plain size: 4 TiB */
#define LIMIT_SEGMENTS          4000000u            /* program headers in a core */
#define LIMIT_MAPPED_FILES      1000000u            /* entries of NT_FILE */
#define LIMIT_THREADS           1000000u            /* of one process */
#define LIMIT_INTERPRETERS      10000u
#define LIMIT_FRAMES_PER_THREAD 5000000u  /* Python frames of one thread */
#define LIMIT_FRAMES            10000000u /* of all threads together */
#define LIMIT_LOCALS            20000000u /* variables of all frames together */
#define LIMIT_NAME_BYTES        4096u     /* a function's, type's or file's name, in UTF-8 */
#define LIMIT_LOCALS_PER_FRAME  65536u
#define LIMIT_LINE_TABLE_BYTES  (16u << 20)
#define LIMIT_CODE_BYTES        (64u << 20)
#define LIMIT_TASKS             2000000u /* of asyncio, of one process */
#define LIMIT_TASK_EDGES        8000000u /* who awaits whom */
#define LIMIT_CONTEXT_VARIABLES 2000000u /* of all threads and tasks together */
#define LIMIT_EXCEPTIONS        4096u    /* of one thread, chains and groups together */
#define LIMIT_ALL_EXCEPTIONS    1000000u /* of all threads */
#define LIMIT_TRACEBACK_ENTRIES 1000000u
#define LIMIT_ALL_ENTRIES       5000000u /* of tracebacks, of all exceptions together */
#define LIMIT_DICT_ENTRIES      (UINT64_C(1) << 40)
#define LIMIT_C_STRING_BYTES    4096u /* a NUL-terminated string in the dead process */
#define LIMIT_MARSHAL_DEPTH     2000u /* CPython's own bound */
#define LIMIT_PICKLE_CONTAINERS                                                                    \
    65536u /* lists, dicts and objects in a pickle: a snapshot has 5                               \
            */

#endif
