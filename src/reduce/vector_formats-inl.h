// Vector forms of the formats in elements.h, for the instruction set that the including unit is built for.
//
// A format moves a block of kBlock elements between memory and its Wide form: one vector, or a pair of fp32 vectors for
// the small floats. rounded() is what storing and loading again gives. Everything here has internal linkage on purpose:
// units for different instruction sets must not share code. No include guard is needed: each target's unit includes it
// once.

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "reduce/kernels.h"

namespace amalgam::reduce {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
using Full = hn::ScalableTag<T>;

using DF = Full<float>;
using DU = hn::RebindToUnsigned<DF>;
using DI = hn::RebindToSigned<DF>;
using DH = hn::Rebind<std::uint16_t, DF>;  // as many 16-bit lanes as fp32 lanes: half a vector
using VF = hn::Vec<DF>;
using VU = hn::Vec<DU>;
using VH = hn::Vec<DH>;

struct Pair {
  VF first, second;
};

template <typename T>
HWY_INLINE T* at(void* base, std::size_t index) {
  return static_cast<T*>(base) + index;
}
template <typename T>
HWY_INLINE const T* at(const void* base, std::size_t index) {
  return static_cast<const T*>(base) + index;
}

HWY_INLINE VF canonical(VF value) {
  const DF d;
  return hn::IfThenElse(hn::IsNaN(value), hn::BitCast(d, hn::Set(DU(), 0x7fc00000u)), value);
}
HWY_INLINE Pair canonical(Pair value) { return {canonical(value.first), canonical(value.second)}; }
HWY_INLINE hn::Vec<Full<double>> canonical(hn::Vec<Full<double>> value) {
  const Full<double> d;
  return hn::IfThenElse(hn::IsNaN(value), hn::BitCast(d, hn::Set(Full<std::uint64_t>(), 0x7ff8000000000000u)), value);
}

template <DataType kDataType, typename T>
struct Integers {
  static constexpr DataType kType = kDataType;
  using Stored = T;
  using D = Full<T>;
  using Wide = hn::Vec<D>;
  static constexpr std::size_t kBlock = hn::MaxLanes(D());
  static HWY_INLINE Wide load(const void* base, std::size_t i) { return hn::LoadU(D(), at<T>(base, i)); }
  static HWY_INLINE void store(Wide value, void* base, std::size_t i) { hn::StoreU(value, D(), at<T>(base, i)); }
};

template <DataType kDataType, typename T>
struct Floats : Integers<kDataType, T> {
  using D = Full<T>;
  using Wide = hn::Vec<D>;
  static HWY_INLINE void store(Wide value, void* base, std::size_t i) {
    hn::StoreU(canonical(value), D(), at<T>(base, i));
  }
  static HWY_INLINE Wide rounded(Wide value) { return canonical(value); }
};

// How a block's pair lies in fp32 memory: the first vector's elements before the second's, or the two in turns.
struct Consecutive {
  static HWY_INLINE Pair load_floats(const float* from) {
    return {hn::LoadU(DF(), from), hn::LoadU(DF(), from + hn::MaxLanes(DF()))};
  }
  static HWY_INLINE void store_floats(Pair value, float* to) {
    hn::StoreU(value.first, DF(), to);
    hn::StoreU(value.second, DF(), to + hn::MaxLanes(DF()));
  }
};
struct Alternating {
  static HWY_INLINE Pair load_floats(const float* from) {
    Pair value;
    hn::LoadInterleaved2(DF(), from, value.first, value.second);
    return value;
  }
  static HWY_INLINE void store_floats(Pair value, float* to) {
    hn::StoreInterleaved2(value.first, value.second, DF(), to);
  }
};

// A 32-bit lane holds two elements; each is shifted to the top of a float of its own, so nothing crosses lanes.
struct Bfloat16s : Alternating {
  static constexpr DataType kType = DataType::kBfloat16;
  using Stored = std::uint16_t;
  using Wide = Pair;
  static constexpr std::size_t kBlock = 2 * hn::MaxLanes(DF());

  static HWY_INLINE VU upper_half(VU bits) { return hn::And(bits, hn::Set(DU(), 0xffff0000u)); }
  static HWY_INLINE Wide load(const void* base, std::size_t i) {
    const VU both = hn::BitCast(DU(), hn::LoadU(Full<Stored>(), at<Stored>(base, i)));
    return {hn::BitCast(DF(), hn::ShiftLeft<16>(both)), hn::BitCast(DF(), upper_half(both))};
  }
  static HWY_INLINE VU narrow(VF value) {  // the result is in the upper half, the lower half is left over
    const DU d;
    const VU bits = hn::BitCast(d, value);
    const VU odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1u));
    const VU nearest = hn::Add(hn::Add(bits, hn::Set(d, 0x7fffu)), odd);
    return hn::IfThenElse(hn::RebindMask(d, hn::IsNaN(value)), hn::Set(d, 0x7fc00000u), nearest);
  }
  static HWY_INLINE void store(Wide value, void* base, std::size_t i) {
    const VU both = hn::Or(hn::ShiftRight<16>(narrow(value.first)), upper_half(narrow(value.second)));
    hn::StoreU(hn::BitCast(Full<Stored>(), both), Full<Stored>(), at<Stored>(base, i));
  }
  static HWY_INLINE Wide rounded(Wide value) {
    return {hn::BitCast(DF(), upper_half(narrow(value.first))), hn::BitCast(DF(), upper_half(narrow(value.second)))};
  }
};

// Both directions by the processor's own conversion, which rounds to nearest even and keeps subnormals.
struct Float16s : Consecutive {
  static constexpr DataType kType = DataType::kFloat16;
  using Stored = std::uint16_t;
  using Wide = Pair;
  static constexpr std::size_t kLanes = hn::MaxLanes(DF());
  static constexpr std::size_t kBlock = 2 * kLanes;
  using DF16 = hn::Rebind<hwy::float16_t, DF>;

  static HWY_INLINE VF widen(VH bits) { return hn::PromoteTo(DF(), hn::BitCast(DF16(), bits)); }
  static HWY_INLINE VH narrow(VF value) { return hn::BitCast(DH(), hn::DemoteTo(DF16(), canonical(value))); }
  static HWY_INLINE Wide load(const void* base, std::size_t i) {
    return {widen(hn::LoadU(DH(), at<Stored>(base, i))), widen(hn::LoadU(DH(), at<Stored>(base, i + kLanes)))};
  }
  static HWY_INLINE void store(Wide value, void* base, std::size_t i) {
    hn::StoreU(narrow(value.first), DH(), at<Stored>(base, i));
    hn::StoreU(narrow(value.second), DH(), at<Stored>(base, i + kLanes));
  }
  static HWY_INLINE Wide rounded(Wide value) { return {widen(narrow(value.first)), widen(narrow(value.second))}; }
};

// fp32 to a saturating 8-bit float in the low byte of each lane: SmallFormat::narrow of elements.h, lane by lane.
template <int kExponentBits, int kMantissaBits, std::uint32_t kLargest, std::uint32_t kNan>
HWY_INLINE VU narrow_to_byte(VF value) {
  constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  constexpr int kShift = 23 - kMantissaBits;
  constexpr std::uint32_t kRebias = static_cast<std::uint32_t>(127 - kBias) << 23;
  constexpr std::uint32_t kAligner = static_cast<std::uint32_t>(128 - kBias - kMantissaBits + 23) << 23;
  constexpr std::uint32_t kFirstNormal = static_cast<std::uint32_t>(128 - kBias) << 23;
  constexpr std::uint32_t kHalfBelow = (1u << (kShift - 1)) - 1;
  const DU d;
  const DI di;
  const VU bits = hn::BitCast(d, value);
  const VU magnitude = hn::And(bits, hn::Set(d, 0x7fffffffu));
  const VU odd = hn::And(hn::ShiftRight<kShift>(magnitude), hn::Set(d, 1u));
  const VU normal = hn::ShiftRight<kShift>(hn::Add(hn::Add(magnitude, hn::Set(d, kHalfBelow - kRebias)), odd));
  const VF aligned = hn::Add(hn::BitCast(DF(), magnitude), hn::BitCast(DF(), hn::Set(d, kAligner)));
  const VU subnormal = hn::Sub(hn::BitCast(d, aligned), hn::Set(d, kAligner));
  const auto small = hn::Lt(hn::BitCast(di, magnitude), hn::Set(di, static_cast<std::int32_t>(kFirstNormal)));
  const VU rounded = hn::IfThenElse(hn::RebindMask(d, small), subnormal, normal);
  const VU limited = hn::Min(rounded, hn::Set(d, kLargest));
  const VU sign = hn::And(hn::ShiftRight<24>(bits), hn::Set(d, 0x80u));
  return hn::IfThenElse(hn::RebindMask(d, hn::IsNaN(value)), hn::Set(d, kNan), hn::Or(limited, sign));
}

// 8-bit floats become fp16 bits in 16-bit lanes first (even and odd bytes apart), then the processor widens those.
template <typename Self>
struct Bytes8 : Alternating {
  using Stored = std::uint8_t;
  using Wide = Pair;
  static constexpr std::size_t kBlock = 2 * hn::MaxLanes(DF());

  static HWY_INLINE Wide split(VH both) { return {Self::widen(hn::ShiftLeft<8>(both)), Self::widen(both)}; }
  static HWY_INLINE VH join(Wide value) {
    return hn::TruncateTo(DH(), hn::Or(Self::narrow(value.first), hn::ShiftLeft<8>(Self::narrow(value.second))));
  }
  static HWY_INLINE Wide load(const void* base, std::size_t i) {
    return split(hn::BitCast(DH(), hn::LoadU(hn::Repartition<Stored, DH>(), at<Stored>(base, i))));
  }
  static HWY_INLINE void store(Wide value, void* base, std::size_t i) {
    const hn::Repartition<Stored, DH> d;
    hn::StoreU(hn::BitCast(d, join(value)), d, at<Stored>(base, i));
  }
  static HWY_INLINE Wide rounded(Wide value) { return split(join(value)); }
};

struct Float8e5m2s : Bytes8<Float8e5m2s> {
  static constexpr DataType kType = DataType::kFloat8e5m2;
  static HWY_INLINE VF widen(VH upper) { return Float16s::widen(hn::And(upper, hn::Set(DH(), 0xff00))); }
  static HWY_INLINE VU narrow(VF value) { return narrow_to_byte<5, 2, 0x7b, 0x7e>(value); }
};

// The byte's exponent and mantissa in fp16's places read as the value / 256, exactly; only NaN must be put in by hand.
struct Float8e4m3s : Bytes8<Float8e4m3s> {
  static constexpr DataType kType = DataType::kFloat8e4m3;
  static HWY_INLINE VF widen(VH upper) {
    const DH d;
    const VH magnitude = hn::And(hn::ShiftRight<1>(upper), hn::Set(d, 0x3f80));
    const VH nan = hn::VecFromMask(d, hn::Eq(magnitude, hn::Set(d, 0x3f80)));
    const VH sign = hn::And(upper, hn::Set(d, 0x8000));
    const VH half = hn::Or(hn::Or(magnitude, sign), hn::And(nan, hn::Set(d, 0x7e00)));
    return hn::Mul(Float16s::widen(half), hn::Set(DF(), 256.0f));
  }
  static HWY_INLINE VU narrow(VF value) { return narrow_to_byte<4, 3, 0x7e, 0x7f>(value); }
};

// A float's bits as a signed integer that sorts as min and max want: -0 below +0, NaN at the end that never wins.
// kInfinity: largest magnitude that is a number; kNan: the canonical NaN.
template <DataType kDataType, typename T, T kInfinity, T kNan, bool kMinimum>
struct Ordered {
  static constexpr DataType kType = kDataType;
  using Stored = T;
  using D = Full<T>;
  using Wide = hn::Vec<D>;
  static constexpr std::size_t kBlock = hn::MaxLanes(D());
  static constexpr T kMost = static_cast<T>(~(T{1} << (8 * sizeof(T) - 1)));
  static constexpr T kLoser = kMinimum ? kMost : static_cast<T>(~kMost);

  static HWY_INLINE Wide flip(Wide bits) {
    return hn::Xor(bits, hn::And(hn::BroadcastSignBit(bits), hn::Set(D(), kMost)));
  }
  static HWY_INLINE Wide load(const void* base, std::size_t i) {
    const D d;
    const Wide bits = hn::LoadU(d, at<T>(base, i));
    const auto nan = hn::Gt(hn::And(bits, hn::Set(d, kMost)), hn::Set(d, kInfinity));
    return hn::IfThenElse(nan, hn::Set(d, kLoser), flip(bits));
  }
  static HWY_INLINE void store(Wide key, void* base, std::size_t i) {
    const D d;
    const auto none = hn::Eq(key, hn::Set(d, kLoser));
    hn::StoreU(hn::IfThenElse(none, hn::Set(d, kNan), flip(key)), d, at<T>(base, i));
  }
};

}  // namespace
}  // namespace amalgam::reduce
