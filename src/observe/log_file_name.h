#pragma once

// Names that the log needs: this host's, and the log file's, in NCCL_DEBUG_FILE's form.

#include <string>
#include <string_view>

namespace amalgam::log {

std::string host_name();  // up to the first dot

// Replaces %h by the host and %p by the process id; %% is a percent sign, anything else stays as it is.
std::string expand_file_name(std::string_view pattern, std::string_view host, int process);

}  // namespace amalgam::log
