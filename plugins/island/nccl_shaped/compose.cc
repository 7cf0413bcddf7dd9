// Collectives that a library lacks, as one group of its sends and receives.

#include <utility>

#include "plugins/island/nccl_shaped/island.h"

namespace amalgam::nccl_shaped {

Status Island::compose(const Request& request, int type) {
  AMALGAM_TRY(library_.group_start());
  Status first;
  for (const Request& message : messages_of(request, rank_, ranks_))
    if (first.ok()) first = call(message, type, 0);
  Status ended = library_.group_end();  // also after an error: the group must not stay open
  return first.ok() ? std::move(ended) : std::move(first);
}

}  // namespace amalgam::nccl_shaped
