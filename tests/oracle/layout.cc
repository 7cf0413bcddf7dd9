#include "oracle/layout.h"

#include <algorithm>

namespace oracle {
namespace {

constexpr std::int64_t kMaxExtent = 64;  // parts or rows: the oracle judges small plans

bool one_of(const std::string& what, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* name) { return what == name; });
}

}  // namespace

std::int64_t vector_count(std::int64_t count, int from, int to) {
  return count == 0 ? 0 : std::max<std::int64_t>(0, count - (from + 2 * to) % 3);
}

std::int64_t vector_in(std::int64_t count, int ranks, int from, int to) {
  std::int64_t first = 1;  // holes of one element, one before the first block
  for (int i = 0; i < to; ++i) first += vector_count(count, from, i) + 1;
  return ranks > 0 ? first : 0;
}

std::int64_t vector_out(std::int64_t count, int ranks, int from, int to) {
  std::int64_t first = 0;  // backwards: displacements need not rise
  for (int i = ranks - 1; i > from; --i) first += vector_count(count, i, to) + 1;
  return first;
}

Layout::Layout(const Plan& plan, const Request& request, int rank, int peer_or_root)
    : plan_(plan),
      count_(static_cast<std::int64_t>(request.count)),
      element_bytes_(static_cast<std::int64_t>(request.element_bytes)),
      slice_(std::max<std::int64_t>(1, static_cast<std::int64_t>(plan.slice_bytes) / element_bytes_)),
      rank_(rank),
      root_(peer_or_root) {
  for (const Buffer& buffer : plan.buffers) {
    const std::int64_t extent = parts(buffer);
    if (extent < 0 || extent > kMaxExtent) error_ = "buffer '" + buffer.name + "' has no usable extent";
  }
  if (!error_.empty()) return;
  place_users(request);
  count_chunks();
  place_scratch();
  expect(request);
}

std::int64_t Layout::parts(const Buffer& buffer) const {
  if (buffer.shape == Shape::kWhole) return 1;
  return buffer.extent.evaluate(environment(0)).value_or(-1);
}

void Layout::place_users(const Request& request) {
  const std::string& what = plan_.collective;
  const std::int64_t all = plan_.ranks * count_;
  const auto ranks = static_cast<int>(plan_.ranks);
  const bool is_root = rank_ == root_;
  in_.length = one_of(what, {"reducescatter", "alltoall"}) ? all : count_;
  out_.length = one_of(what, {"allgather", "alltoall"}) ? all : count_;
  if (what == "gather") out_.length = is_root ? all : 0;
  if (what == "scatter") in_.length = is_root ? all : 0;
  if (what == "broadcast" && !is_root) has_in_ = false;
  if (what == "send") out_.length = 0;
  if (what == "recv") in_.length = 0;
  if (what == "alltoallv") {
    in_.length = vector_in(count_, ranks, rank_, ranks);
    out_.length = vector_out(count_, ranks, -1, rank_);
  }
  out_.begin = in_.length;
  size_ = in_.length + out_.length;
  if (!request.in_place) return;
  out_.begin = 0;
  if (what == "reducescatter") out_.begin = rank_ * count_;
  if (what == "allgather") in_.begin = rank_ * count_;
  if (what == "gather" && is_root) in_.begin = root_ * count_;
  if (what == "scatter" && is_root) out_.begin = root_ * count_;
  if (one_of(what, {"alltoall", "alltoallv", "send", "recv"})) error_ = what + " does not work in place";
  size_ = std::max(in_.begin + in_.length, out_.begin + out_.length);
}

void Layout::count_chunks() {
  std::int64_t largest = 0;
  for (std::size_t b = 0; b < plan_.buffers.size(); ++b) {
    if (plan_.buffers[b].shape == Shape::kScratch) continue;
    for (std::int64_t i = 0; i < parts(plan_.buffers[b]); ++i) {
      largest = std::max(largest, part(static_cast<int>(b), i).length);
    }
  }
  if (plan_.collective == "alltoallv") largest = count_;  // vacuous instances more or less change nothing
  chunks_ = std::max<std::int64_t>(1, (largest + slice_ - 1) / slice_);
}

void Layout::place_scratch() {
  const std::int64_t slot = std::min(slice_, std::max<std::int64_t>(count_, 1));
  for (const Buffer& buffer : plan_.buffers) {
    scratch_.push_back(size_);
    if (buffer.shape == Shape::kScratch) size_ += parts(buffer) * plan_.window * slot;
  }
}

Layout::Part Layout::cut(std::int64_t parts, std::int64_t index) const {
  const std::int64_t unit = std::max<std::int64_t>(1, 64 / element_bytes_);
  const std::int64_t units = (count_ + unit - 1) / unit;
  const std::int64_t larger = units % parts, each = units / parts;
  const auto begin = [&](std::int64_t i) { return std::min(count_, (i * each + std::min(i, larger)) * unit); };
  return {begin(index), begin(index + 1) - begin(index), {}};
}

// Part `index` of a user buffer, from the buffer's first element.
Layout::Part Layout::part(int buffer, std::int64_t index) const {
  const Buffer& which = plan_.buffers[static_cast<std::size_t>(buffer)];
  const bool is_in = which.name == "in";
  const std::int64_t extent = parts(which), length = (is_in ? in_ : out_).length;
  Part found;
  if (index < 0 || index >= extent) {
    found.error = "'" + which.name + "' has no part " + std::to_string(index);
    return found;
  }
  if (which.shape == Shape::kWhole) found = {0, count_, {}};
  if (which.shape == Shape::kCut) found = cut(extent, index);
  if (which.shape == Shape::kBlocks) found = {index * count_, count_, {}};
  if (which.shape == Shape::kVector) {
    const auto peer = static_cast<int>(index), ranks = static_cast<int>(plan_.ranks);
    if (peer >= ranks) return {0, 0, "'" + which.name + "' has no part " + std::to_string(index)};
    if (is_in) found = {vector_in(count_, ranks, rank_, peer), vector_count(count_, rank_, peer), {}};
    if (!is_in) found = {vector_out(count_, ranks, peer, rank_), vector_count(count_, peer, rank_), {}};
  }
  if (found.first + found.length > length && found.length > 0)
    found.error = "'" + which.name + "' ends before part " + std::to_string(index);
  return found;
}

Located Layout::scratch_slot(int buffer, std::int64_t row, std::int64_t chunk) const {
  const Buffer& which = plan_.buffers[static_cast<std::size_t>(buffer)];
  const std::int64_t slot = std::min(slice_, std::max<std::int64_t>(count_, 1));
  if (row < 0 || row >= parts(which)) return {{}, false, "'" + which.name + "' has no row " + std::to_string(row)};
  const std::optional<std::int64_t> like = which.like_part.evaluate(environment(0));
  if (!like) return {{}, false, "'" + which.name + "' is like a part without a value"};
  // How long: the caller's buffer need not exist on this rank for its parts to have lengths.
  Part model = part(which.like, *like);
  if (!model.error.empty() && model.length == 0) return {{}, false, model.error};
  const std::int64_t length = std::clamp<std::int64_t>(model.length - chunk * slice_, 0, slice_);
  const std::int64_t begin =
      scratch_[static_cast<std::size_t>(buffer)] + (row * plan_.window + chunk % plan_.window) * slot;
  return {{begin, length}, false, {}};
}

Located Layout::row(int scratch, std::int64_t row, std::int64_t chunk) const {
  return scratch_slot(scratch, row, chunk);
}

Located Layout::locate(const Operand& operand, std::int64_t step, std::int64_t chunk) const {
  const Buffer& which = plan_.buffers[static_cast<std::size_t>(operand.buffer)];
  const std::optional<std::int64_t> index = operand.part.evaluate(environment(step));
  if (!index) return {{}, false, "an operand in '" + which.name + "' has no value"};
  if (which.shape == Shape::kScratch) return scratch_slot(operand.buffer, *index, chunk);
  const Part found = part(operand.buffer, *index);
  const bool is_in = which.name == "in";
  if (!found.error.empty()) return {{}, is_in, found.error};
  const std::int64_t length = std::clamp<std::int64_t>(found.length - chunk * slice_, 0, slice_);
  const std::string error = is_in && !has_in_ ? "this rank has no 'in'" : "";
  return {{(is_in ? in_ : out_).begin + found.first + chunk * slice_, length}, is_in, error};
}

void Layout::expect(const Request& request) {
  const std::string& what = plan_.collective;
  const auto ranks = static_cast<int>(plan_.ranks);
  const std::int64_t own = rank_ * count_;
  const auto add = [&](std::int64_t at, std::int64_t length, int source, std::int64_t from) {
    if (length > 0) expected_.push_back({{out_.begin + at, length}, source, from});
  };
  if (what == "allreduce" || (what == "reduce" && rank_ == root_)) add(0, count_, -1, 0);
  if (what == "reducescatter") add(0, count_, -1, own);
  if (what == "broadcast") add(0, count_, request.root, 0);
  if (what == "scatter") add(0, count_, request.root, own);
  if (what == "recv") add(0, count_, root_, 0);
  for (int p = 0; p < ranks; ++p) {
    if (what == "allgather" || (what == "gather" && rank_ == root_)) add(p * count_, count_, p, 0);
    if (what == "alltoall") add(p * count_, count_, p, own);
    if (what == "alltoallv") {
      add(vector_out(count_, ranks, p, rank_), vector_count(count_, p, rank_), p, vector_in(count_, ranks, p, rank_));
    }
  }
}

}  // namespace oracle
