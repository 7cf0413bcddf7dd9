#include "collective.h"

namespace perf {

std::vector<Piece> pieces_of_all(const Place& place) {
  std::vector<Piece> pieces;
  for (int source = 0; source < place.ranks; ++source)
    pieces.push_back({static_cast<std::size_t>(source) * place.count, place.count, source, 0});
  return pieces;
}

}  // namespace perf
