// A program as users write it: C, linked with -lnccl and one vendor's runtime (or none, for a CPU rank). Every rank
// gives other numbers, and each result is compared with what all ranks' numbers make.
//
//   program VENDOR RANK RANKS DEVICE      rank 0 prints the id, the others read it

#include <nccl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef PROGRAM_PREFIX
#define JOIN(a, b) a##b
#define JOIN_NAMES(a, b) JOIN(a, b)
#define RUNTIME(name) JOIN_NAMES(PROGRAM_PREFIX, name)
#endif

#ifdef RUNTIME
int RUNTIME(SetDevice)(int);
int RUNTIME(Malloc)(void**, size_t);
int RUNTIME(Free)(void*);
int RUNTIME(MemcpyAsync)(void*, const void*, size_t, int, cudaStream_t);
int RUNTIME(StreamCreateWithFlags)(cudaStream_t*, unsigned);
int RUNTIME(StreamDestroy)(cudaStream_t);
int RUNTIME(StreamSynchronize)(cudaStream_t);
#endif

enum { kCount = 100003 };

#define CHECK(call)                                                  \
  do {                                                               \
    const int result = (call);                                       \
    if (result != 0) {                                               \
      printf("%s: %d: %s\n", #call, result, ncclGetLastError(NULL)); \
      exit(1);                                                       \
    }                                                                \
  } while (0)

static const char* vendor;
static int rank, ranks;
static cudaStream_t stream;

static void* make(size_t bytes) {
  void* memory = NULL;
#ifdef RUNTIME
  CHECK(RUNTIME(Malloc)(&memory, bytes));
#else
  memory = malloc(bytes);
#endif
  return memory;
}

static void drop(void* memory) {
#ifdef RUNTIME
  CHECK(RUNTIME(Free)(memory));
#else
  free(memory);
#endif
}

// 1: to the device, 2: from it.
static void copy(void* to, const void* from, size_t bytes, int kind) {
#ifdef RUNTIME
  CHECK(RUNTIME(MemcpyAsync)(to, from, bytes, kind, stream));
  if (kind == 2) CHECK(RUNTIME(StreamSynchronize)(stream));
#else
  (void)kind;
  memcpy(to, from, bytes);
#endif
}

static void exchange_id(ncclUniqueId* id) {
  if (rank == 0) {
    CHECK(ncclGetUniqueId(id));
    printf("id ");
    for (size_t i = 0; i < sizeof(*id); ++i) printf("%02x", (unsigned)(unsigned char)id->internal[i]);
    printf("\n");
    fflush(stdout);
    return;
  }
  if (scanf(" id") != 0) exit(1);
  for (size_t i = 0; i < sizeof(*id); ++i) {
    unsigned byte = 0;
    if (scanf("%2x", &byte) != 1) exit(1);
    id->internal[i] = (char)byte;
  }
}

static int32_t value(int of_rank, size_t i) { return (int32_t)(of_rank * 1000 + (int)(i % 977)); }

static void expect(const char* what, size_t i, int32_t got, int32_t wanted) {
  if (got == wanted) return;
  printf("%s: element %zu is %d, not %d\n", what, i, got, wanted);
  exit(1);
}

static void check_all(ncclComm_t comm) {
  const size_t all = (size_t)ranks * kCount;
  int32_t* host = malloc(all * sizeof(int32_t));
  int32_t *in = make(kCount * sizeof(int32_t)), *out = make(all * sizeof(int32_t));
  for (size_t i = 0; i < kCount; ++i) host[i] = value(rank, i);
  copy(in, host, kCount * sizeof(int32_t), 1);

  CHECK(ncclAllReduce(in, out, kCount, ncclInt32, ncclSum, comm, stream));
  copy(host, out, kCount * sizeof(int32_t), 2);
  for (size_t i = 0; i < kCount; ++i) {
    int32_t sum = 0;
    for (int r = 0; r < ranks; ++r) sum += value(r, i);
    expect("allreduce", i, host[i], sum);
  }

  CHECK(ncclAllGather(in, out, kCount, ncclInt32, comm, stream));
  copy(host, out, all * sizeof(int32_t), 2);
  for (size_t i = 0; i < all; ++i) expect("allgather", i, host[i], value((int)(i / kCount), i % kCount));

  CHECK(ncclGroupStart());
  CHECK(ncclSend(in, kCount, ncclInt32, (rank + 1) % ranks, comm, stream));
  CHECK(ncclRecv(out, kCount, ncclInt32, (rank + ranks - 1) % ranks, comm, stream));
  CHECK(ncclGroupEnd());
  copy(host, out, kCount * sizeof(int32_t), 2);
  for (size_t i = 0; i < kCount; ++i) expect("message", i, host[i], value((rank + ranks - 1) % ranks, i));
  drop(in);
  drop(out);
  free(host);
}

// The ranks of this program's vendor, by themselves.
static void check_island(ncclComm_t comm) {
  int32_t mine = 1 << rank;
  ncclComm_t island;
  int32_t* data = make(sizeof(mine));
  CHECK(ncclCommSplit(comm, vendor[1], 0, &island, NULL));  // the second letters of vendors differ
  copy(data, &mine, sizeof(mine), 1);
  CHECK(ncclAllReduce(data, data, 1, ncclInt32, ncclSum, island, stream));
  copy(&mine, data, sizeof(mine), 2);
  printf("island %s %d\n", vendor, mine);
  CHECK(ncclCommDestroy(island));
  drop(data);
}

static void tell_mapped(void) {
  static const char* const vendors[] = {"amd", "hygon", "iluvatar", "nvidia"};
  FILE* maps = fopen("/proc/self/maps", "r");
  int seen[4] = {0};
  char line[4096], folder[64];
  while (fgets(line, sizeof(line), maps) != NULL)
    for (int v = 0; v < 4; ++v) {
      snprintf(folder, sizeof(folder), "/tests/vendors/%s/", vendors[v]);
      if (strstr(line, folder) != NULL) seen[v] = 1;
    }
  fclose(maps);
  for (int v = 0; v < 4; ++v)
    if (seen[v]) printf("mapped %s\n", vendors[v]);
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  vendor = argv[1];
  rank = atoi(argv[2]);
  ranks = atoi(argv[3]);
#ifdef RUNTIME
  CHECK(RUNTIME(SetDevice)(atoi(argv[4])));
  CHECK(RUNTIME(StreamCreateWithFlags)(&stream, 1));
#endif
  ncclUniqueId id;
  exchange_id(&id);
  ncclComm_t comm;
  CHECK(ncclCommInitRank(&comm, ranks, id, rank));
  check_all(comm);
  check_island(comm);
  CHECK(ncclCommDestroy(comm));
#ifdef RUNTIME
  CHECK(RUNTIME(StreamDestroy)(stream));
#endif
  tell_mapped();
  return 0;
}
