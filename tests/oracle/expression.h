#pragma once

// Integer formulas of the plan text (docs/plan-text.md §5), for the oracle only: parsed into a tree and evaluated by
// walking it.
//
// Values are 64-bit and wrap. A formula that divides by zero, or shifts by less than 0 or more than 63, has no value.
// Single-threaded; a parsed expression is immutable and owns its tree.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace oracle {

struct Environment {
  std::int64_t rank = 0;
  std::int64_t ranks = 1;
  std::int64_t step = 0;
  std::int64_t root = 0;
};

struct Node;

class Expression {
 public:
  Expression();                             // the constant 0
  explicit Expression(std::int64_t value);  // a constant
  explicit Expression(std::shared_ptr<const Node> tree) : tree_(std::move(tree)) {}

  std::optional<std::int64_t> evaluate(const Environment& at) const;

 private:
  std::shared_ptr<const Node>
      tree_;  // shared: expressions are copied with the stages that hold them, trees never change
};

// Reads the longest expression at the front of `text` and removes it. Empty when there is none or it is malformed.
std::optional<Expression> take_expression(std::string_view& text);

}  // namespace oracle
