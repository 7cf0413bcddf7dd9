#pragma once

// The floating-point mode of the calling thread. A caller may have switched flushing of denormals, another rounding or
// traps on; two ranks with different modes would get different bits. FloatMode gives the kernels the default mode for
// its lifetime and puts the caller's back. Reading the mode costs about a nanosecond, writing happens only when it
// differs.
//
// Threads    any; concerns the calling thread only.

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace amalgam::reduce {

class FloatMode {
 public:
  FloatMode() : saved_(read()) {
    if ((saved_ & kMask) != kDefault) write(kDefault);
  }
  ~FloatMode() {
    if ((saved_ & kMask) != kDefault) write(saved_);
  }
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;

 private:
#if defined(__x86_64__)
  using Word = std::uint32_t;
  static constexpr Word kMask = 0xffc0, kDefault = 0x1f80;  // all but the sticky exception flags
  static Word read() { return _mm_getcsr(); }
  static void write(Word word) { _mm_setcsr(word); }
#elif defined(__aarch64__)
  using Word = std::uint64_t;
  static constexpr Word kMask = ~Word{0}, kDefault = 0;
  static Word read() {
    Word word;
    asm volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void write(Word word) { asm volatile("msr fpcr, %0" : : "r"(word)); }
#else
  using Word = std::uint32_t;
  static constexpr Word kMask = 0, kDefault = 0;
  static Word read() { return 0; }
  static void write(Word) {}
#endif
  const Word saved_;
};

}  // namespace amalgam::reduce
