#pragma once

// Small integer formulas over (rank, ranks, step, root), so that one text serves all ranks. Grammar: docs/plan-text.md
// §5.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace amalgam::plan {

struct Variables {
  std::int64_t rank = 0;   // r
  std::int64_t ranks = 1;  // N; L and P follow from it
  std::int64_t step = 0;   // s
  std::int64_t root = 0;   // root, and v = (r - root) mod N
};

class Expression {
 public:
  Expression() = default;  // the constant 0
  explicit Expression(std::int64_t constant);
  static Result<Expression> parse(std::string_view text);
  static Result<Expression> parse_prefix(std::string_view& text);  // takes the longest formula off the front of `text`

  std::int64_t evaluate(const Variables& at) const { return constant_ ? value_ : run(at); }
  bool is_constant() const { return constant_; }

  // False where evaluate() meets a division by less than 1, a bad shift or an overflow; evaluate() is then 0.
  bool valid_at(const Variables& at) const;

  // Everything but `s` bound: what remains is evaluated per step. A formula without s becomes a constant.
  Expression bind(std::int64_t rank, std::int64_t ranks, std::int64_t root) const;
  const std::string& text() const { return text_; }  // canonical
  bool operator==(const Expression& other) const { return text_ == other.text_; }

 private:
  friend class Formula;  // expression.cc: builds postfix and canonical text together
  struct Token {
    std::uint8_t code = 0;
    std::int64_t value = 0;
  };
  std::int64_t run(const Variables& at) const;
  bool constant_ = true;
  std::int64_t value_ = 0;
  std::vector<Token> postfix_;
  std::string text_ = "0";
};

}  // namespace amalgam::plan
