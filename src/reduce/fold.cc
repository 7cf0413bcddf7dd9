// Picks the kernels of this processor once and hands each call to its row of the table.

#include "reduce/fold.h"

#include <cstring>

#include "reduce/float_mode.h"
#include "reduce/kernels.h"

namespace amalgam::reduce {
namespace {

const Kernels& kernels() {
  static const Kernels* const chosen = usable_targets().tables[0];
  return *chosen;
}

bool active(const Scale& scale) { return scale.kind != Scale::Kind::kNone; }

}  // namespace

void fold(const Reduction& reduction, void* dst, std::span<const void* const> operands, std::size_t count, int own,
          bool finish) {
  if (count == 0) return;
  const FloatMode mode;
  const auto type = static_cast<std::size_t>(reduction.type), op = static_cast<std::size_t>(reduction.op);
  const bool pre = own >= 0 && active(reduction.pre), post = finish && active(reduction.post);
  if (!pre && !post) return kernels().fold[type][op](dst, operands.data(), operands.size(), 0, count);
  const Scaling scaling{pre ? reduction.pre : Scale{}, post ? reduction.post : Scale{}, own};
  kernels().scaled[type][op](scaling, dst, operands.data(), operands.size(), 0, count);
}

void copy(const Reduction& reduction, void* dst, const void* src, std::size_t count, bool pre, bool finish) {
  if ((pre && active(reduction.pre)) || (finish && active(reduction.post))) {
    return fold(reduction, dst, std::span(&src, 1), count, pre ? 0 : -1, finish);
  }
  if (dst != src && count != 0) std::memcpy(dst, src, count * size_of(reduction.type));
}

void widen(DataType type, float* dst, const void* src, std::size_t count) {
  const FloatMode mode;
  kernels().widen[static_cast<std::size_t>(type)](dst, src, 0, count);
}

void narrow(DataType type, void* dst, const float* src, std::size_t count) {
  const FloatMode mode;
  kernels().narrow[static_cast<std::size_t>(type)](dst, src, 0, count);
}

const char* target_name() { return kernels().name; }

}  // namespace amalgam::reduce
