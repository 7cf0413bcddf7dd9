#pragma once

// Finds the setting that somebody meant when a variable of ours has no row: one or two slips of the keyboard.

#include <string>
#include <string_view>

namespace amalgam::config {

int edit_distance(std::string_view a, std::string_view b);

// "AMALGAM_SLOT" -> "AMALGAM_SLOTS". Empty when `variable` names a setting, is not one of ours or resembles none:
// tests and programs around the library have AMALGAM_ variables of their own.
std::string meant_setting(std::string_view variable);

}  // namespace amalgam::config
