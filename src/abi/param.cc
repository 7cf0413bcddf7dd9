#include "abi/param.h"

#include <cstring>
#include <utility>
#include <variant>

#include "abi/entry.h"
#include "config/settings.h"
#include "config/sources.h"
#include "config/table.h"

namespace amalgam::abi {
namespace {

Parameter parameter_of(const config::Row& row) {
  const config::Settings& settings = config::settings();
  Parameter parameter;
  parameter.key = config::variable_of(row.field);
  parameter.text = config::value_text(settings, row);
  if (row.field == "secret" && !parameter.text.empty()) parameter.text = "(hidden)";
  if (const auto* number = std::get_if<std::int64_t config::Settings::*>(&row.member)) {
    parameter.is_number = true;
    parameter.number = settings.*(*number);
  } else if (const auto* flag = std::get_if<bool config::Settings::*>(&row.member)) {
    parameter.is_number = true;
    parameter.number = settings.*(*flag) ? 1 : 0;
  }
  return parameter;
}

std::vector<Parameter>* make_parameters() {
  auto* all = new std::vector<Parameter>();  // never destroyed: handles point into it
  for (const config::Row& row : config::table()) all->push_back(parameter_of(row));
  return all;
}

const char** make_keys() {
  const std::vector<Parameter>& all = parameters();
  auto** keys = new const char*[all.size()];
  for (std::size_t i = 0; i < all.size(); ++i) keys[i] = all[i].key.c_str();
  return keys;
}

Status unknown_key(const char* function, const char* key) {
  return invalid_argument("{}: there is no setting {}; ncclParamGetAllParameterKeys lists them", function, key);
}

Result<const Parameter*> checked(const char* function, ncclParamHandle_t handle, const void* out) {
  if (Status status = check_pointer(function, "handle", handle); !status.ok()) return status;
  if (Status status = check_pointer(function, "the result", out); !status.ok()) return status;
  const auto* parameter = reinterpret_cast<const Parameter*>(handle);
  const std::vector<Parameter>& all = parameters();
  for (const Parameter& known : all)
    if (&known == parameter) return parameter;
  return invalid_argument("{}: the handle does not come from ncclParamBind", function);
}

template <typename Number>
ncclResult_t get_number(const char* function, ncclParamHandle_t handle, Number* out) {
  return entry(function, [&]() -> Status {
    Result<const Parameter*> parameter = checked(function, handle, out);
    if (!parameter.ok()) return parameter.status();
    const Parameter& found = **parameter;
    if (!found.is_number) return invalid_argument("{}: {} is text; use ncclParamGetStr", function, found.key);
    if (!std::in_range<Number>(found.number))
      return invalid_argument("{}: {} is {}, too large for the type asked for", function, found.key, found.number);
    *out = static_cast<Number>(found.number);
    return {};
  });
}

}  // namespace

const std::vector<Parameter>& parameters() {
  static const std::vector<Parameter>* const all = make_parameters();
  return *all;
}

const Parameter* find_parameter(std::string_view key) {
  constexpr std::string_view kForwarded = "NCCL_";
  if (key.starts_with("NCCL_AMALGAM_")) key.remove_prefix(kForwarded.size());
  for (const Parameter& parameter : parameters())
    if (parameter.key == key) return &parameter;
  return nullptr;
}

}  // namespace amalgam::abi

using namespace amalgam;
using abi::check_pointer;
using abi::entry;
using abi::get_number;
using abi::Parameter;

ncclResult_t pncclParamBind(ncclParamHandle_t* out, const char* key) {
  constexpr const char* kName = "ncclParamBind";
  return entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_pointer(kName, "out", out));
    AMALGAM_TRY(check_pointer(kName, "key", key));
    const Parameter* parameter = abi::find_parameter(key);
    if (parameter == nullptr) return abi::unknown_key(kName, key);
    *out = reinterpret_cast<ncclParamHandle_t>(const_cast<Parameter*>(parameter));
    return {};
  });
}
AMALGAM_PUBLIC_NAME(ncclParamBind);

ncclResult_t pncclParamGetI8(ncclParamHandle_t handle, int8_t* out) {
  return get_number("ncclParamGetI8", handle, out);
}
AMALGAM_PUBLIC_NAME(ncclParamGetI8);

ncclResult_t pncclParamGetI16(ncclParamHandle_t handle, int16_t* out) {
  return get_number("ncclParamGetI16", handle, out);
}
AMALGAM_PUBLIC_NAME(ncclParamGetI16);

ncclResult_t pncclParamGetI32(ncclParamHandle_t handle, int32_t* out) {
  return get_number("ncclParamGetI32", handle, out);
}
AMALGAM_PUBLIC_NAME(ncclParamGetI32);

ncclResult_t pncclParamGetI64(ncclParamHandle_t handle, int64_t* out) {
  return get_number("ncclParamGetI64", handle, out);
}
AMALGAM_PUBLIC_NAME(ncclParamGetI64);

ncclResult_t pncclParamGetU8(ncclParamHandle_t handle, uint8_t* out) {
  return get_number("ncclParamGetU8", handle, out);
}
AMALGAM_PUBLIC_NAME(ncclParamGetU8);

ncclResult_t pncclParamGetU16(ncclParamHandle_t handle, uint16_t* out) {
  return get_number("ncclParamGetU16", handle, out);
}
AMALGAM_PUBLIC_NAME(ncclParamGetU16);

ncclResult_t pncclParamGetU32(ncclParamHandle_t handle, uint32_t* out) {
  return get_number("ncclParamGetU32", handle, out);
}
AMALGAM_PUBLIC_NAME(ncclParamGetU32);

ncclResult_t pncclParamGetU64(ncclParamHandle_t handle, uint64_t* out) {
  return get_number("ncclParamGetU64", handle, out);
}
AMALGAM_PUBLIC_NAME(ncclParamGetU64);

// The value as text with its closing zero byte; *len is its length without it, also when it did not fit.
ncclResult_t pncclParamGet(ncclParamHandle_t handle, void* out, int maxLen, int* len) {
  constexpr const char* kName = "ncclParamGet";
  return entry(kName, [&]() -> Status {
    Result<const Parameter*> parameter = abi::checked(kName, handle, out);
    if (!parameter.ok()) return parameter.status();
    const std::string& text = (*parameter)->text;
    if (len != nullptr) *len = static_cast<int>(text.size());
    if (maxLen < 0 || static_cast<std::size_t>(maxLen) <= text.size())
      return abi::invalid_argument("{}: {} needs {} bytes, maxLen is {}", kName, (*parameter)->key, text.size() + 1,
                                   maxLen);
    std::memcpy(out, text.c_str(), text.size() + 1);
    return {};
  });
}
AMALGAM_PUBLIC_NAME(ncclParamGet);

ncclResult_t pncclParamGetStr(ncclParamHandle_t handle, const char** out) {
  return entry("ncclParamGetStr", [&]() -> Status {
    Result<const Parameter*> parameter = abi::checked("ncclParamGetStr", handle, out);
    if (!parameter.ok()) return parameter.status();
    *out = (*parameter)->text.c_str();
    return {};
  });
}
AMALGAM_PUBLIC_NAME(ncclParamGetStr);

ncclResult_t pncclParamGetParameter(const char* key, const char** value, int* valueLen) {
  constexpr const char* kName = "ncclParamGetParameter";
  return entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_pointer(kName, "key", key));
    AMALGAM_TRY(check_pointer(kName, "value", value));
    const Parameter* parameter = abi::find_parameter(key);
    if (parameter == nullptr) return abi::unknown_key(kName, key);
    *value = parameter->text.c_str();
    if (valueLen != nullptr) *valueLen = static_cast<int>(parameter->text.size());
    return {};
  });
}
AMALGAM_PUBLIC_NAME(ncclParamGetParameter);

ncclResult_t pncclParamGetAllParameterKeys(const char*** table, int* tableLen) {
  constexpr const char* kName = "ncclParamGetAllParameterKeys";
  return entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_pointer(kName, "table", table));
    AMALGAM_TRY(check_pointer(kName, "tableLen", tableLen));
    static const char** const keys = abi::make_keys();
    *table = keys;
    *tableLen = static_cast<int>(abi::parameters().size());
    return {};
  });
}
AMALGAM_PUBLIC_NAME(ncclParamGetAllParameterKeys);

void pncclParamDumpAll() {
  entry("ncclParamDumpAll", []() -> Status {
    log::write(log::Level::kWarn, "settings:\n" + config::dump());
    return {};
  });
}
AMALGAM_PUBLIC_NAME(ncclParamDumpAll);
