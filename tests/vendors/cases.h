#pragma once

// Every collective as a table: what each rank gives, calls and must get, by a plain computation.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/vendors/rig.h"

namespace rig {

// Small integers, so that every type and operation is exact.
template <typename T>
std::vector<T> values(int rank, std::size_t count, unsigned seed) {
  std::mt19937 random(seed * 1000003U + static_cast<unsigned>(rank));
  std::vector<T> made(count);
  for (T& value : made) value = static_cast<T>(1 + random() % 3);
  return made;
}

template <typename T>
T reduce(ncclRedOp_t op, const std::vector<T>& operands) {
  T result = operands.front();
  for (std::size_t i = 1; i < operands.size(); ++i) {
    if (op == ncclMax) {
      result = std::max(result, operands[i]);
    } else if (op == ncclProd) {
      result = static_cast<T>(result * operands[i]);
    } else {
      result = static_cast<T>(result + operands[i]);
    }
  }
  return op == ncclAvg ? static_cast<T>(result / static_cast<T>(operands.size())) : result;
}

template <typename T>
std::vector<T> as(const std::vector<unsigned char>& bytes) {
  std::vector<T> typed(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(typed.data(), bytes.data(), bytes.size());
  return typed;
}

template <typename T>
constexpr ncclDataType_t kType = std::is_same_v<T, float> ? ncclFloat32 : ncclInt32;

// One call: how large its buffers are (in blocks of `count`), what it is, and which result this rank must have.
template <typename T>
struct Case {
  std::string name;
  std::function<std::size_t(const Rank&)> in_blocks, out_blocks;
  std::function<ncclResult_t(const Rank&, const void*, void*, std::size_t)> call;
  // Element e of out block b, given everybody's input.
  std::function<T(const Rank&, const std::vector<std::vector<T>>&, std::size_t b, std::size_t e, std::size_t count)>
      expected;
};

inline std::size_t one(const Rank&) { return 1; }
inline std::size_t all(const Rank& rank) { return static_cast<std::size_t>(rank.ranks); }

template <typename T>
std::vector<T> column(const std::vector<std::vector<T>>& in, std::size_t index) {
  std::vector<T> operands;
  for (const std::vector<T>& rank : in) operands.push_back(rank[index]);
  return operands;
}

template <typename T>
std::vector<Case<T>> cases() {
  constexpr int kRoot = 1;
  const auto at_root = [](const Rank& rank) { return rank.rank == kRoot ? std::size_t{1} : std::size_t{0}; };
  const auto all_at_root = [](const Rank& rank) { return rank.rank == kRoot ? all(rank) : std::size_t{0}; };
  std::vector<Case<T>> made;
  for (ncclRedOp_t op : {ncclSum, ncclMax, ncclProd, ncclAvg}) {
    made.push_back({"allreduce", one, one,
                    [=](const Rank& r, const void* in, void* out, std::size_t count) {
                      return ncclAllReduce(in, out, count, kType<T>, op, r.comm, r.stream);
                    },
                    [=](const Rank&, const auto& in, std::size_t, std::size_t e, std::size_t) {
                      return reduce(op, column(in, e));
                    }});
    made.push_back({"reducescatter", all, one,
                    [=](const Rank& r, const void* in, void* out, std::size_t count) {
                      return ncclReduceScatter(in, out, count, kType<T>, op, r.comm, r.stream);
                    },
                    [=](const Rank& r, const auto& in, std::size_t, std::size_t e, std::size_t count) {
                      return reduce(op, column(in, static_cast<std::size_t>(r.rank) * count + e));
                    }});
  }
  made.push_back({"reduce", one, at_root,
                  [](const Rank& r, const void* in, void* out, std::size_t count) {
                    return ncclReduce(in, out, count, kType<T>, ncclSum, kRoot, r.comm, r.stream);
                  },
                  [](const Rank&, const auto& in, std::size_t, std::size_t e, std::size_t) {
                    return reduce(ncclSum, column(in, e));
                  }});
  made.push_back({"broadcast", one, one,
                  [](const Rank& r, const void* in, void* out, std::size_t count) {
                    return ncclBroadcast(in, out, count, kType<T>, kRoot, r.comm, r.stream);
                  },
                  [](const Rank&, const auto& in, std::size_t, std::size_t e, std::size_t) { return in[kRoot][e]; }});
  made.push_back({"allgather", one, all,
                  [](const Rank& r, const void* in, void* out, std::size_t count) {
                    return ncclAllGather(in, out, count, kType<T>, r.comm, r.stream);
                  },
                  [](const Rank&, const auto& in, std::size_t b, std::size_t e, std::size_t) { return in[b][e]; }});
  made.push_back({"alltoall", all, all,
                  [](const Rank& r, const void* in, void* out, std::size_t count) {
                    return ncclAlltoAll(in, out, count, kType<T>, r.comm, r.stream);
                  },
                  [](const Rank& r, const auto& in, std::size_t b, std::size_t e, std::size_t count) {
                    return in[b][static_cast<std::size_t>(r.rank) * count + e];
                  }});
  made.push_back({"gather", one, all_at_root,
                  [](const Rank& r, const void* in, void* out, std::size_t count) {
                    return ncclGather(in, out, count, kType<T>, kRoot, r.comm, r.stream);
                  },
                  [](const Rank&, const auto& in, std::size_t b, std::size_t e, std::size_t) { return in[b][e]; }});
  made.push_back({"scatter", all_at_root, one,
                  [](const Rank& r, const void* in, void* out, std::size_t count) {
                    return ncclScatter(in, out, count, kType<T>, kRoot, r.comm, r.stream);
                  },
                  [](const Rank& r, const auto& in, std::size_t, std::size_t e, std::size_t count) {
                    return in[kRoot][static_cast<std::size_t>(r.rank) * count + e];
                  }});
  return made;
}

// An average may be rounded otherwise.
template <typename T>
bool same(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return std::abs(a - b) <= std::abs(b) * T(1e-6);
  return a == b;
}

template <typename T>
void check_case(Rank& rank, const Case<T>& one_case, std::size_t count, unsigned seed) {
  SCOPED_TRACE(one_case.name + ", " + std::to_string(count) + " elements, seed " + std::to_string(seed) + ", rank " +
               std::to_string(rank.rank));
  std::vector<std::vector<T>> in;
  for (int r = 0; r < rank.ranks; ++r) {
    Rank other = rank;
    other.rank = r;
    in.push_back(values<T>(r, one_case.in_blocks(other) * count, seed));
  }
  const std::vector<T>& mine = in[static_cast<std::size_t>(rank.rank)];
  Buffer send(rank, mine.size() * sizeof(T));
  Buffer receive(rank, one_case.out_blocks(rank) * count * sizeof(T));
  send.write(mine.data(), rank.stream);
  ASSERT_EQ(one_case.call(rank, send.at(), receive.at(), count), ncclSuccess) << ncclGetLastError(nullptr);
  const std::vector<T> got = as<T>(receive.read(rank.stream));
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_TRUE(same(got[i], one_case.expected(rank, in, i / count, i % count, count)))
        << "element " << i << " is " << got[i] << ", not " << one_case.expected(rank, in, i / count, i % count, count);
}

}  // namespace rig
