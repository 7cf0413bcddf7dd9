#pragma once

#include "config/settings.h"
#include "transports/ring/layout.h"

namespace amalgam::ring {

inline Geometry geometry_from_settings() {
  const config::Settings& settings = config::settings();
  return {static_cast<std::uint32_t>(settings.slots), static_cast<std::uint32_t>(settings.slot_bytes)};
}

}  // namespace amalgam::ring
