#include "config/spelling.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "config/sources.h"
#include "config/table.h"

namespace amalgam::config {

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    int diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const int replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string meant_setting(std::string_view variable) {
  if (variable.starts_with("NCCL_AMALGAM_")) variable.remove_prefix(std::string_view("NCCL_").size());
  if (!variable.starts_with("AMALGAM_")) return "";
  std::string nearest;
  for (const Row& row : table()) {
    const std::string name = variable_of(row.field);
    if (name == variable) return "";
    const int allowed = row.field.size() > 4 ? 2 : 1;  // short names resemble too much
    if (nearest.empty() && edit_distance(variable, name) <= allowed) nearest = name;
  }
  return nearest;
}

}  // namespace amalgam::config
