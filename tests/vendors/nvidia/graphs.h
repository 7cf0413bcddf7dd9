#pragma once

// A captured graph: operations, each on the branch of the stream that it was captured in, after others.

#include "tests/vendors/core/core.h"
#include "tests/vendors/nvidia/face.h"

namespace face {

// References to user objects; the last one that goes has the object's destructor run.
using References = std::vector<std::shared_ptr<void>>;

struct Node {
  standin::Operation operation;
  std::size_t branch;
  std::vector<std::size_t> after;  // nodes
};

}  // namespace face

struct CUgraph_st {
  std::vector<face::Node> nodes = {};
  std::vector<int> devices = {};  // of each branch
  face::References objects = {};
};
