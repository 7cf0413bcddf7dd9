#include "oracle/expression.h"

#include <array>
#include <cctype>
#include <vector>

namespace oracle {

enum class Kind { kConstant, kVariable, kNegate, kNot, kBinary };

struct Node {
  Kind kind = Kind::kConstant;
  std::int64_t value = 0;
  std::string name;  // of the variable or the binary operator
  std::shared_ptr<const Node> left, right;
};

namespace {

using Tree = std::shared_ptr<const Node>;
using Value = std::optional<std::int64_t>;

Tree make(Kind kind, std::int64_t value, std::string name, Tree left = nullptr, Tree right = nullptr) {
  return std::make_shared<const Node>(Node{kind, value, std::move(name), std::move(left), std::move(right)});
}

std::int64_t modulo(std::int64_t a, std::int64_t b) {  // never negative
  const std::int64_t rest = b == -1 ? 0 : a % b;
  return rest < 0 ? rest + (b < 0 ? -b : b) : rest;
}

std::int64_t divide(std::int64_t a, std::int64_t b) {  // towards minus infinity
  if (b == -1) return static_cast<std::int64_t>(-static_cast<std::uint64_t>(a));
  const std::int64_t quotient = a / b;
  return quotient * b != a && ((a < 0) != (b < 0)) ? quotient - 1 : quotient;
}

Value variable(const std::string& name, const Environment& at) {
  if (name == "r") return at.rank;
  if (name == "N") return at.ranks;
  if (name == "s") return at.step;
  if (name == "root") return at.root;
  if (name == "v") return modulo(at.rank - at.root, at.ranks);
  std::int64_t power = 1, log = 0;
  while (power < at.ranks) power *= 2, ++log;
  if (name == "L") return log;
  if (name == "P") return power > at.ranks ? power / 2 : power;
  return std::nullopt;
}

Value shift(bool to_left, std::int64_t a, std::int64_t by) {
  if (by < 0 || by > 63) return std::nullopt;
  return to_left ? static_cast<std::int64_t>(static_cast<std::uint64_t>(a) << by) : a >> by;
}

Value arithmetic(const std::string& op, std::int64_t a, std::int64_t b) {
  const auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
  if (op == "+") return static_cast<std::int64_t>(x + y);
  if (op == "-") return static_cast<std::int64_t>(x - y);
  if (op == "*") return static_cast<std::int64_t>(x * y);
  if (op == "/") return b == 0 ? Value() : divide(a, b);
  if (op == "%") return b == 0 ? Value() : modulo(a, b);
  if (op == "<<" || op == ">>") return shift(op == "<<", a, b);
  if (op == "|") return a | b;
  if (op == "^") return a ^ b;
  if (op == "&") return a & b;
  if (op == "==") return a == b;
  if (op == "!=") return a != b;
  if (op == "<") return a < b;
  if (op == "<=") return a <= b;
  if (op == ">") return a > b;
  return a >= b;
}

Value value_of(const Node& node, const Environment& at) {
  if (node.kind == Kind::kConstant) return node.value;
  if (node.kind == Kind::kVariable) return variable(node.name, at);
  const Value left = value_of(*node.left, at);
  if (!left) return left;
  if (node.kind == Kind::kNegate) return static_cast<std::int64_t>(-static_cast<std::uint64_t>(*left));
  if (node.kind == Kind::kNot) return *left == 0;
  if (node.name == "||" && *left != 0) return 1;
  if (node.name == "&&" && *left == 0) return 0;
  const Value right = value_of(*node.right, at);
  if (!right) return right;
  if (node.name == "||" || node.name == "&&") return *right != 0;
  return arithmetic(node.name, *left, *right);
}

// Loosest first, as in C.
const std::array<std::vector<std::string_view>, 10>& levels() {
  static const auto* const table = new std::array<std::vector<std::string_view>, 10>{{{"||"},
                                                                                      {"&&"},
                                                                                      {"|"},
                                                                                      {"^"},
                                                                                      {"&"},
                                                                                      {"==", "!="},
                                                                                      {"<=", ">=", "<", ">"},
                                                                                      {"<<", ">>"},
                                                                                      {"+", "-"},
                                                                                      {"*", "/", "%"}}};
  return *table;
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text[0] == ' ' || text[0] == '\t')) text.remove_prefix(1);
}

// The operator at the front of `text`, longest match; "->" and "<-" belong to the stage, not to an expression.
std::string_view operator_at(std::string_view text) {
  if (text.starts_with("->") || text.starts_with("<-")) return {};
  for (std::string_view op : {"||", "&&", "==", "!=", "<=", ">=", "<<", ">>"}) {
    if (text.starts_with(op)) return op;
  }
  if (!text.empty() && std::string_view("|^&<>+-*/%").find(text[0]) != text.npos) return text.substr(0, 1);
  return {};
}

Tree take_level(std::string_view& text, std::size_t level);

Tree take_number(std::string_view& text) {
  std::uint64_t value = 0;
  while (!text.empty() && std::isdigit(static_cast<unsigned char>(text[0]))) {
    value = value * 10 + static_cast<std::uint64_t>(text[0] - '0');
    text.remove_prefix(1);
  }
  return make(Kind::kConstant, static_cast<std::int64_t>(value), {});
}

Tree take_variable(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && (std::isalnum(static_cast<unsigned char>(text[length])) || text[length] == '_'))
    ++length;
  const std::string name(text.substr(0, length));
  if (name != "r" && name != "N" && name != "s" && name != "v" && name != "root" && name != "L" && name != "P")
    return nullptr;
  text.remove_prefix(length);
  return make(Kind::kVariable, 0, name);
}

Tree take_parenthesis(std::string_view& text) {
  text.remove_prefix(1);
  Tree inside = take_level(text, 0);
  skip_blanks(text);
  if (!inside || text.empty() || text[0] != ')') return nullptr;
  text.remove_prefix(1);
  return inside;
}

Tree take_operand(std::string_view& text) {
  skip_blanks(text);
  if (text.empty()) return nullptr;
  if (text[0] == '(') return take_parenthesis(text);
  if (std::isdigit(static_cast<unsigned char>(text[0]))) return take_number(text);
  if (text[0] != '-' && text[0] != '!') return take_variable(text);
  const Kind kind = text[0] == '-' ? Kind::kNegate : Kind::kNot;
  text.remove_prefix(1);
  Tree operand = take_operand(text);
  return operand ? make(kind, 0, {}, std::move(operand)) : nullptr;
}

Tree take_level(std::string_view& text, std::size_t level) {
  if (level == levels().size()) return take_operand(text);
  Tree left = take_level(text, level + 1);
  while (left) {
    std::string_view rest = text;
    skip_blanks(rest);
    const std::string_view found = operator_at(rest);
    bool here = false;
    for (std::string_view op : levels()[level]) here = here || op == found;
    if (found.empty() || !here) return left;
    rest.remove_prefix(found.size());
    text = rest;
    Tree right = take_level(text, level + 1);
    if (!right) return nullptr;
    left = make(Kind::kBinary, 0, std::string(found), std::move(left), std::move(right));
  }
  return nullptr;
}

}  // namespace

Expression::Expression() : Expression(0) {}
Expression::Expression(std::int64_t value) : tree_(make(Kind::kConstant, value, {})) {}

std::optional<std::int64_t> Expression::evaluate(const Environment& at) const { return value_of(*tree_, at); }

std::optional<Expression> take_expression(std::string_view& text) {
  Tree tree = take_level(text, 0);
  if (!tree) return std::nullopt;
  return Expression(std::move(tree));
}

}  // namespace oracle
