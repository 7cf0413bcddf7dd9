#include "engine/layout.h"

#include <algorithm>

namespace amalgam::engine {

using plan::Role;
using plan::Shape;

void Layout::bind(const Prepared& prepared, const Request& request) {
  prepared_ = &prepared;
  request_ = &request;
  const plan::Plan& plan = prepared.program().plan;
  element_bytes_ = size_of(request.type);
  slice_elements_ = std::max<std::uint64_t>(1, plan.slice_bytes / element_bytes_);
  std::uint64_t largest = 0;
  for (std::size_t b = 0; b < plan.buffers.size(); ++b) {
    if (plan.buffers[b].role == Role::kScratch) continue;
    const bool vector = plan.buffers[b].shape == Shape::kVector;
    const std::int64_t parts = vector ? prepared.program().extents[b] : 1;  // otherwise part 0 is a largest one
    for (std::int64_t p = 0; p < parts; ++p) largest = std::max(largest, part_of(static_cast<int>(b), p).count);
  }
  chunks_ = std::max<std::uint64_t>(1, largest / slice_elements_ + (largest % slice_elements_ != 0));
}

plan::Range Layout::part_of(int buffer, std::int64_t part) const {
  const plan::Buffer& shape = prepared_->program().plan.buffers[buffer];
  const std::uint64_t count = request_->count;
  const auto index = static_cast<std::uint64_t>(part);
  switch (shape.shape) {
    case Shape::kWhole: return {0, count};
    case Shape::kCut:
      return plan::cut_evenly(count, static_cast<std::uint64_t>(prepared_->program().extents[buffer]), index,
                              element_bytes_);
    case Shape::kBlocks: return {index * (request_->stride != 0 ? request_->stride : count), count};
    case Shape::kVector: {
      const Request::Vectors& vectors = *request_->vectors;
      if (shape.role == Role::kIn) return {vectors.send_offsets[index], vectors.send_counts[index]};
      return {vectors.receive_offsets[index], vectors.receive_counts[index]};
    }
  }
  return {};
}

plan::Range Layout::slice(int buffer, std::int64_t part, std::uint64_t chunk) const {
  const plan::Buffer& shape = prepared_->program().plan.buffers[buffer];
  if (shape.role == Role::kScratch) {
    const plan::Range like = part_of(shape.like, shape.like_part.evaluate({}));
    return {0, plan::slice_of(like.count, chunk, slice_elements_).count};
  }
  const plan::Range whole = part_of(buffer, part);
  const plan::Range piece = plan::slice_of(whole.count, chunk, slice_elements_);
  return {whole.first + piece.first, piece.count};
}

std::byte* Layout::user_address(int buffer, std::uint64_t element) const {
  const bool input = prepared_->program().plan.buffers[buffer].role == Role::kIn;
  auto* base =
      input ? static_cast<std::byte*>(const_cast<void*>(request_->in)) : static_cast<std::byte*>(request_->out);
  return base + element * element_bytes_;
}

}  // namespace amalgam::engine
