/* The entry points of NCCL and CUDA's runtime that ranks use, on host memory. All ranks are taken to have the same numbers. */
#include <stddef.h>
#include <string.h>

typedef struct { char bytes[128]; } unique_id;

int calls_init, calls_sum, calls_destroy, calls_abort, calls_query, device, device_of_sum;
int fail_init, fail_sum, fail_async, fail_device, busy;
long long free_bytes = 1000;
static int ranks;
static unique_id seen;

int ncclGetUniqueId(unique_id *id) { memset(id, 7, sizeof *id); return 0; }
int ncclCommInitRank(void **comm, int size, unique_id id, int rank) {
    (void)rank;
    calls_init++;
    seen = id;
    ranks = size;
    *comm = &seen;
    return id.bytes[127] == 7 ? fail_init : 4;
}
int ncclAllReduce(const float *from, float *to, size_t count, int type, int operation, void *comm, void *stream) {
    calls_sum++;
    device_of_sum = device;
    if (type != 7 || operation != 0 || comm != &seen || stream) return 4;
    for (size_t i = 0; i < count; i++) to[i] = from[i] * ranks;
    busy = 3;
    return fail_sum;
}
int ncclCommGetAsyncError(void *comm, int *error) { *error = fail_async; return comm != &seen; }
int ncclCommDestroy(void *comm) { calls_destroy++; return comm != &seen; }
int ncclCommAbort(void *comm) { calls_abort++; return comm != &seen; }
const char *ncclGetErrorString(int code) { return code == 5 ? "invalid usage" : code == 6 ? "remote process exited" : "other"; }

int cudaGetDevice(int *current) { *current = device; return 0; }
int cudaSetDevice(int wanted) { if (fail_device) return fail_device; device = wanted; return 0; }
int cudaStreamQuery(void *stream) { calls_query++; return stream ? 400 : busy > 0 && busy-- > 0 ? 600 : 0; }
int cudaMemGetInfo(size_t *available, size_t *all) { *available = free_bytes; *all = 2 * free_bytes; return 0; }
const char *cudaGetErrorString(int code) { return code == 101 ? "invalid device ordinal" : "other"; }
