#pragma once

// Every collective as a table: what each rank gives, calls and must get, by a plain computation.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
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

// Everybody to everybody, oneself included, receives and sends in opposite orders.
inline void check_messages(Rank& rank, std::size_t count) {
  const std::vector<float> data(count, static_cast<float>(rank.rank));
  Buffer send(rank, count * sizeof(float));
  send.write(data.data(), rank.stream);
  std::vector<std::unique_ptr<Buffer>> receive;
  for (int r = 0; r < rank.ranks; ++r) receive.push_back(std::make_unique<Buffer>(rank, count * sizeof(float)));
  ASSERT_EQ(ncclGroupStart(), ncclSuccess);
  for (int r = rank.ranks - 1; r >= 0; --r) {
    Buffer& into = *receive[static_cast<std::size_t>(r)];
    ASSERT_EQ(ncclRecv(into.at(), count, ncclFloat, r, rank.comm, rank.stream), ncclSuccess);
  }
  for (int r = 0; r < rank.ranks; ++r)
    ASSERT_EQ(ncclSend(send.at(), count, ncclFloat, r, rank.comm, rank.stream), ncclSuccess);
  ASSERT_EQ(ncclGroupEnd(), ncclSuccess) << ncclGetLastError(nullptr);
  for (int r = 0; r < rank.ranks; ++r) {
    const auto got = as<float>(receive[static_cast<std::size_t>(r)]->read(rank.stream));
    EXPECT_EQ(got.front(), static_cast<float>(r));
    EXPECT_EQ(got.back(), static_cast<float>(r));
  }
}

// An alltoallv in which rank 0 sends itself nothing; what is not written keeps its bytes.
inline void check_unequal_blocks(Rank& rank) {
  constexpr std::size_t kRoom = 100;  // for a block: enough for 10 ranks
  const auto ranks = static_cast<std::size_t>(rank.ranks), own = static_cast<std::size_t>(rank.rank);
  std::vector<std::size_t> send_counts(ranks), send_at(ranks), receive_counts(ranks), receive_at(ranks);
  for (std::size_t r = 0; r < ranks; ++r) {
    send_counts[r] = 10 * own + r;  // rank 0 sends itself nothing
    receive_counts[r] = 10 * r + own;
    send_at[r] = r * kRoom;
    receive_at[r] = r * kRoom;
  }
  std::vector<std::int32_t> data(ranks * kRoom);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::int32_t>(own * 1000 + i);
  Buffer in(rank, data.size() * sizeof(std::int32_t)), out(rank, data.size() * sizeof(std::int32_t));
  in.write(data.data(), rank.stream);
  const std::vector<std::int32_t> empty(data.size(), -1);
  out.write(empty.data(), rank.stream);
  ASSERT_EQ(ncclAlltoAllv(in.at(), send_counts.data(), send_at.data(), out.at(), receive_counts.data(),
                          receive_at.data(), ncclInt32, rank.comm, rank.stream),
            ncclSuccess)
      << ncclGetLastError(nullptr);
  const auto got = as<std::int32_t>(out.read(rank.stream));
  for (std::size_t r = 0; r < ranks; ++r)
    for (std::size_t i = 0; i < kRoom; ++i)
      ASSERT_EQ(got[r * kRoom + i], i < receive_counts[r] ? static_cast<std::int32_t>(r * 1000 + own * kRoom + i) : -1);
}

}  // namespace rig
