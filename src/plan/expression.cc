#include "plan/expression.h"

#include <array>
#include <bit>
#include <cctype>
#include <limits>

namespace amalgam::plan {
namespace {

// Plans may come from a file: these bounds keep recursion and the evaluation stack small.
constexpr std::size_t kMaxTokens = 256;
constexpr std::size_t kMaxStack = 64;
constexpr int kMaxNesting = 64;

// clang-format off
enum Op : std::uint8_t {
  kConstant, kRank, kRanks, kStep, kVirtual, kRoot, kLog, kPower,
  kNegate, kNot,
  kOr, kAnd, kBitOr, kBitXor, kBitAnd, kEqual, kUnequal, kLess, kLessEqual, kGreater, kGreaterEqual,
  kShiftLeft, kShiftRight, kAdd, kSubtract, kMultiply, kDivide, kModulo,
};
// clang-format on

struct Spelling {
  std::string_view text;
  int precedence;
};

constexpr int kUnaryPrecedence = 11;
constexpr int kPrimaryPrecedence = 12;

// Indexed by Op. Binary precedences are C's.
constexpr std::array<Spelling, kModulo + 1> kSpelling = {{
    {"", 12},  {"r", 12}, {"N", 12}, {"s", 12}, {"v", 12}, {"root", 12}, {"L", 12}, {"P", 12}, {"-", 11}, {"!", 11},
    {"||", 1}, {"&&", 2}, {"|", 3},  {"^", 4},  {"&", 5},  {"==", 6},    {"!=", 6}, {"<", 7},  {"<=", 7}, {">", 7},
    {">=", 7}, {"<<", 8}, {">>", 8}, {"+", 9},  {"-", 9},  {"*", 10},    {"/", 10}, {"%", 10},
}};

struct Value {
  std::int64_t value = 0;
  bool defined = true;
};

constexpr Value kUndefined = {0, false};

Value shift(Op op, std::int64_t a, std::int64_t by) {
  if (by < 0 || by > 62) return kUndefined;
  if (op == kShiftRight) return {a >> by};
  std::int64_t result = 0;
  return __builtin_mul_overflow(a, std::int64_t{1} << by, &result) ? kUndefined : Value{result};
}

// The divisor is positive: floor division, remainder in [0, b).
Value divide(Op op, std::int64_t a, std::int64_t b) {
  if (b <= 0) return kUndefined;
  const std::int64_t rest = a % b < 0 ? a % b + b : a % b;
  return {op == kModulo ? rest : a / b - (a % b < 0 ? 1 : 0)};
}

Value arithmetic(Op op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case kAdd: overflow = __builtin_add_overflow(a, b, &result); break;
    case kSubtract: overflow = __builtin_sub_overflow(a, b, &result); break;
    case kMultiply: overflow = __builtin_mul_overflow(a, b, &result); break;
    case kDivide:
    case kModulo: return divide(op, a, b);
    case kShiftLeft:
    case kShiftRight: return shift(op, a, b);
    default: return kUndefined;
  }
  return overflow ? kUndefined : Value{result};
}

// What the left operand alone decides, the right one cannot make undefined: as in C, where it is not evaluated.
Value logical(Op op, Value a, Value b) {
  if (!a.defined) return kUndefined;
  const bool decided = op == kAnd ? a.value == 0 : a.value != 0;
  if (decided) return {op == kOr};
  return b.defined ? Value{b.value != 0} : kUndefined;
}

Value binary(Op op, Value a, Value b) {
  if (op == kAnd || op == kOr) return logical(op, a, b);
  if (!a.defined || !b.defined) return kUndefined;
  switch (op) {
    case kBitOr: return {a.value | b.value};
    case kBitXor: return {a.value ^ b.value};
    case kBitAnd: return {a.value & b.value};
    case kEqual: return {a.value == b.value};
    case kUnequal: return {a.value != b.value};
    case kLess: return {a.value < b.value};
    case kLessEqual: return {a.value <= b.value};
    case kGreater: return {a.value > b.value};
    case kGreaterEqual: return {a.value >= b.value};
    default: return arithmetic(op, a.value, b.value);
  }
}

Value unary(Op op, Value a) {
  if (!a.defined) return kUndefined;
  if (op == kNot) return {a.value == 0};
  return a.value == std::numeric_limits<std::int64_t>::min() ? kUndefined : Value{-a.value};
}

Value variable(Op op, const Variables& at) {
  const auto ranks = static_cast<std::uint64_t>(at.ranks < 1 ? 1 : at.ranks);
  switch (op) {
    case kRank: return {at.rank};
    case kRanks: return {at.ranks};
    case kStep: return {at.step};
    case kRoot: return {at.root};
    case kVirtual: return divide(kModulo, at.rank - at.root, at.ranks);
    case kLog: return {static_cast<std::int64_t>(std::bit_width(ranks - 1))};
    case kPower: return {static_cast<std::int64_t>(std::bit_floor(ranks))};
    default: return kUndefined;
  }
}

std::string spell(std::int64_t value) {
  // The smallest integer has no literal: its magnitude does not fit.
  if (value == std::numeric_limits<std::int64_t>::min()) return std::to_string(value + 1) + "-1";
  return std::to_string(value);
}

int precedence_of(std::int64_t value) {
  if (value == std::numeric_limits<std::int64_t>::min()) return kSpelling[kSubtract].precedence;
  return value < 0 ? kUnaryPrecedence : kPrimaryPrecedence;
}

}  // namespace

// Builds a formula from its postfix, keeping the canonical text (fewest parentheses) beside it.
class Formula {
 public:
  using Token = Expression::Token;

  explicit Formula(bool fold) : fold_(fold) {}

  void constant(std::int64_t value) {
    push({{{kConstant, value}}, spell(value), precedence_of(value), true, {value}, 1});
  }
  void name(Op op) { push({{{op, 0}}, std::string(kSpelling[op].text), kPrimaryPrecedence, false, {}, 1}); }

  void apply_unary(Op op) {
    Part& a = parts_.back();
    a.text = std::string(kSpelling[op].text) + enclose(a, kUnaryPrecedence);
    a.precedence = kUnaryPrecedence;
    a.postfix.push_back({op, 0});
    a.value = unary(op, a.value);
    simplify(a);
  }

  void apply_binary(Op op) {
    Part b = std::move(parts_.back());
    parts_.pop_back();
    Part& a = parts_.back();
    const int precedence = kSpelling[op].precedence;
    const bool decided = fold_ && decides(op, a);
    a.text = enclose(a, precedence) + std::string(kSpelling[op].text) + enclose(b, precedence + 1);
    a.precedence = precedence;
    a.stack = std::max(a.stack, b.stack + 1);
    a.postfix.insert(a.postfix.end(), b.postfix.begin(), b.postfix.end());
    a.postfix.push_back({op, 0});
    a.value = binary(op, a.value, b.value);
    a.constant = a.constant && (b.constant || decided);
    simplify(a);
  }

  bool too_large() const {
    return parts_.back().postfix.size() > kMaxTokens || parts_.back().stack > static_cast<int>(kMaxStack);
  }

  Expression finish() {
    Part& all = parts_.back();
    Expression result;
    result.constant_ = all.constant;
    result.value_ = all.constant && all.value.defined ? all.value.value : 0;
    result.text_ = std::move(all.text);
    if (!all.constant || !all.value.defined) result.postfix_ = std::move(all.postfix);
    return result;
  }

 private:
  struct Part {
    std::vector<Token> postfix;
    std::string text;
    int precedence;
    bool constant;
    Value value;  // of a constant
    int stack;    // values that evaluating it holds at once
  };

  static std::string enclose(const Part& part, int at_least) {
    return part.precedence < at_least ? "(" + part.text + ")" : part.text;
  }

  // `0 && x` and `1 || x` are constants whatever x is.
  static bool decides(Op op, const Part& left) {
    if (!left.constant || !left.value.defined || (op != kAnd && op != kOr)) return false;
    return (left.value.value != 0) == (op == kOr);
  }

  void push(Part part) { parts_.push_back(std::move(part)); }

  void simplify(Part& part) {
    if (!fold_ || !part.constant || !part.value.defined) return;
    part = {
        {{kConstant, part.value.value}}, spell(part.value.value), precedence_of(part.value.value), true, part.value, 1};
  }

  bool fold_;
  std::vector<Part> parts_;
};

namespace {

// Precedence climbing over a prefix of the text.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Status run() {
    AMALGAM_TRY(climb(1, 0));
    return {};
  }
  Expression finish() { return formula_.finish(); }
  std::string_view rest() const { return text_; }

 private:
  Status climb(int least, int nesting) {
    AMALGAM_TRY(operand(nesting));
    for (;;) {
      const auto [op, length] = peek_operator();
      if (length == 0 || kSpelling[op].precedence < least) return {};
      text_.remove_prefix(length);
      AMALGAM_TRY(climb(kSpelling[op].precedence + 1, nesting + 1));
      formula_.apply_binary(op);
      if (formula_.too_large()) return fail("formula too long");
    }
  }

  Status operand(int nesting) {
    if (nesting > kMaxNesting) return fail("formula nested too deeply");
    skip_blanks();
    if (text_.empty()) return fail("formula ends early");
    const char c = text_.front();
    if (c == '(') return parenthesis(nesting);
    if (c == '-' || (c == '!' && !text_.starts_with("!="))) {
      text_.remove_prefix(1);
      AMALGAM_TRY(operand(nesting + 1));
      formula_.apply_unary(c == '-' ? kNegate : kNot);
      return formula_.too_large() ? fail("formula too long") : Status();
    }
    if (std::isdigit(static_cast<unsigned char>(c))) return literal();
    return identifier();
  }

  Status parenthesis(int nesting) {
    text_.remove_prefix(1);
    AMALGAM_TRY(climb(1, nesting + 1));
    skip_blanks();
    if (!text_.starts_with(')')) return fail("missing )");
    text_.remove_prefix(1);
    return {};
  }

  Status literal() {
    std::int64_t value = 0;
    while (!text_.empty() && std::isdigit(static_cast<unsigned char>(text_.front()))) {
      if (__builtin_mul_overflow(value, std::int64_t{10}, &value) ||
          __builtin_add_overflow(value, text_.front() - '0', &value))
        return fail("number too large");
      text_.remove_prefix(1);
    }
    formula_.constant(value);
    return {};
  }

  Status identifier() {
    std::size_t length = 0;
    while (length < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[length])) || text_[length] == '_'))
      ++length;
    const std::string_view word = text_.substr(0, length);
    for (int op = kRank; op <= kPower; ++op)
      if (word == kSpelling[static_cast<std::size_t>(op)].text) {
        text_.remove_prefix(length);
        formula_.name(static_cast<Op>(op));
        return {};
      }
    return fail(word.empty() ? "unexpected '" + std::string(text_.substr(0, 1)) + "' in a formula"
                             : "unknown name '" + std::string(word.substr(0, 32)) + "' in a formula");
  }

  std::pair<Op, std::size_t> peek_operator() {
    skip_blanks();
    if (text_.starts_with("->")) return {kConstant, 0};
    std::pair<Op, std::size_t> best = {kConstant, 0};
    for (int op = kOr; op <= kModulo; ++op) {
      const std::string_view spelling = kSpelling[static_cast<std::size_t>(op)].text;
      if (text_.starts_with(spelling) && spelling.size() > best.second) best = {static_cast<Op>(op), spelling.size()};
    }
    return best;
  }

  void skip_blanks() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t')) text_.remove_prefix(1);
  }

  static Status fail(std::string what) { return Status(Code::kInvalidArgument, std::move(what)); }

  std::string_view text_;
  Formula formula_{/*fold=*/false};
};

}  // namespace

Expression::Expression(std::int64_t constant) : value_(constant), text_(spell(constant)) {}

Result<Expression> Expression::parse_prefix(std::string_view& text) {
  Parser parser(text);
  AMALGAM_TRY(parser.run());
  text = parser.rest();
  return parser.finish();
}

Result<Expression> Expression::parse(std::string_view text) {
  auto result = parse_prefix(text);
  if (!result.ok()) return result;
  if (!text.empty())
    return Status(Code::kInvalidArgument, "unexpected '" + std::string(text.substr(0, 16)) + "' after a formula");
  return result;
}

Expression Expression::bind(std::int64_t rank, std::int64_t ranks, std::int64_t root) const {
  if (constant_) return *this;
  const Variables at = {rank, ranks, 0, root};
  Formula formula(/*fold=*/true);
  for (const Token& token : postfix_) {
    const Op op = static_cast<Op>(token.code);
    if (op == kConstant)
      formula.constant(token.value);
    else if (op == kStep)
      formula.name(kStep);
    else if (op <= kPower)
      formula.constant(variable(op, at).value);
    else if (op <= kNot)
      formula.apply_unary(op);
    else
      formula.apply_binary(op);
  }
  return formula.finish();
}

namespace {

template <typename Tokens>
Value evaluate_postfix(const Tokens& postfix, const Variables& at) {
  std::array<Value, kMaxStack + 1> stack;
  std::size_t top = 0;  // values on the stack; Formula bounded it
  for (const auto& token : postfix) {
    const Op op = static_cast<Op>(token.code);
    if (op == kConstant)
      stack[top++] = {token.value};
    else if (op <= kPower)
      stack[top++] = variable(op, at);
    else if (op <= kNot)
      stack[top - 1] = unary(op, stack[top - 1]);
    else {
      --top;
      stack[top - 1] = binary(op, stack[top - 1], stack[top]);
    }
  }
  return stack[0];
}

}  // namespace

std::int64_t Expression::run(const Variables& at) const { return evaluate_postfix(postfix_, at).value; }

bool Expression::valid_at(const Variables& at) const {
  return postfix_.empty() || evaluate_postfix(postfix_, at).defined;
}

}  // namespace amalgam::plan
