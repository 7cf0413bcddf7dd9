#include "base/device.h"

namespace amalgam::device {

Visit::Visit(const Runtime& runtime, int device) : runtime_(runtime) {
  if (Result<int> mode = runtime.exchange_capture_mode(Runtime::kRelaxedCapture); mode.ok()) {
    mode_before_ = *mode;
  } else {
    status_ = mode.status();
    return;
  }
  Result<int> current = runtime.current_device();
  if (!current) {
    status_ = current.status();
    return;
  }
  if (*current == device) return;
  status_ = runtime.set_device(device);
  if (status_.ok()) device_before_ = *current;
}

// Nobody can be told of a failure here; the user's next call of the runtime meets the cause.
Visit::~Visit() {
  if (device_before_ >= 0) (void)runtime_.set_device(device_before_);
  if (mode_before_ >= 0) (void)runtime_.exchange_capture_mode(mode_before_);
}

}  // namespace amalgam::device
