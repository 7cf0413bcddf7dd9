#include "plan/expression.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace amalgam::plan {
namespace {

std::int64_t value(const char* text, const Variables& at = {}) {
  auto parsed = Expression::parse(text);
  EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.status().message();
  return parsed.ok() ? parsed->evaluate(at) : -999;
}

std::string canonical(const char* text) {
  auto parsed = Expression::parse(text);
  return parsed.ok() ? parsed->text() : "error: " + parsed.status().message();
}

// A random formula with every operand parenthesized, and its value worked out beside it in 128 bits.
class RandomFormula {
 public:
  RandomFormula(std::mt19937_64& random, const Variables& at) : random_(random), at_(at) {}

  std::pair<std::string, std::optional<std::int64_t>> make(int depth) {
    if (depth == 0 || random_() % 4 == 0) return leaf();
    const auto left = make(depth - 1);
    if (random_() % 6 == 0) return unary(left);
    return binary(left, make(depth - 1));
  }

 private:
  using Made = std::pair<std::string, std::optional<std::int64_t>>;

  Made leaf() {
    switch (random_() % 6) {
      case 0: return {"r", at_.rank};
      case 1: return {"N", at_.ranks};
      case 2: return {"s", at_.step};
      case 3: return {"root", at_.root};
      case 4: return {"v", (at_.rank - at_.root + at_.ranks) % at_.ranks};
      default: {
        const auto literal = static_cast<std::int64_t>(random_() % 20);
        return {std::to_string(literal), literal};
      }
    }
  }

  Made unary(const Made& a) {
    const bool negate = random_() % 2 == 0;
    const std::string text = (negate ? "-(" : "!(") + a.first + ")";
    if (!a.second) return {text, std::nullopt};
    return {text, negate ? -*a.second : static_cast<std::int64_t>(*a.second == 0)};
  }

  Made binary(const Made& a, const Made& b) {
    static constexpr const char* kOperators[] = {
        "||", "&&", "|", "^", "&", "==", "!=", "<", "<=", ">", ">=", "<<", ">>", "+", "-", "*", "/", "%"};
    const std::string op = kOperators[random_() % std::size(kOperators)];
    return {"(" + a.first + ")" + op + "(" + b.first + ")", apply(op, a.second, b.second)};
  }

  static std::optional<std::int64_t> apply(const std::string& op, std::optional<std::int64_t> a,
                                           std::optional<std::int64_t> b) {
    if (op == "&&" && a && *a == 0) return 0;
    if (op == "||" && a && *a != 0) return 1;
    if (!a || !b) return std::nullopt;
    if (op == "&&" || op == "||") return *b != 0;
    if ((op == "/" || op == "%") && *b <= 0) return std::nullopt;
    if ((op == "<<" || op == ">>") && (*b < 0 || *b > 62)) return std::nullopt;
    const long double wide = arithmetic(op, *a, *b);
    if (wide > 9.2e18L || wide < -9.2e18L) return std::nullopt;
    return static_cast<std::int64_t>(wide);
  }

  static long double arithmetic(const std::string& op, std::int64_t a, std::int64_t b) {
    const auto x = static_cast<long double>(a);
    if (op == "+") return x + static_cast<long double>(b);
    if (op == "-") return x - static_cast<long double>(b);
    if (op == "*") return x * static_cast<long double>(b);
    if (op == "<<") return x * static_cast<long double>(1ULL << b);
    const std::int64_t rest = b > 0 ? ((a % b) + b) % b : 0;
    if (op == "%") return static_cast<long double>(rest);
    if (op == "/") return static_cast<long double>((a - rest) / b);
    if (op == ">>") return static_cast<long double>(a >> b);
    if (op == "|") return static_cast<long double>(a | b);
    if (op == "^") return static_cast<long double>(a ^ b);
    if (op == "&") return static_cast<long double>(a & b);
    return comparison(op, a, b);
  }

  static long double comparison(const std::string& op, std::int64_t a, std::int64_t b) {
    if (op == "==") return a == b;
    if (op == "!=") return a != b;
    if (op == "<") return a < b;
    if (op == "<=") return a <= b;
    return op == ">" ? a > b : a >= b;
  }

  std::mt19937_64& random_;
  const Variables& at_;
};

TEST(Expression, BindsAsTightlyAsInC) {
  EXPECT_EQ(value("1+2*3"), 7);
  EXPECT_EQ(value("1<<2+1"), 8);
  EXPECT_EQ(value("7&3==3"), 1);
  EXPECT_EQ(value("1|2^3&2"), 1);
  EXPECT_EQ(value("10-3-2"), 5);
  EXPECT_EQ(value("-2*3"), -6);
  EXPECT_EQ(value("!0+1"), 2);
  EXPECT_EQ(value("- -3"), 3);
}

TEST(Expression, DividesTowardsMinusInfinity) {
  EXPECT_EQ(value("-7/2"), -4);
  EXPECT_EQ(value("-7%2"), 1);
  EXPECT_EQ(value("(0-1)%8"), 7);
  EXPECT_EQ(value("-8/2"), -4);
}

TEST(Expression, DerivesVirtualRankLogarithmAndPower) {
  EXPECT_EQ(value("v", {1, 5, 0, 3}), 3);
  for (const auto& [ranks, log, power] :
       {std::tuple{1, 0, 1}, {2, 1, 2}, {3, 2, 2}, {4, 2, 4}, {5, 3, 4}, {8, 3, 8}, {9, 4, 8}}) {
    EXPECT_EQ(value("L", {0, ranks, 0, 0}), log) << ranks;
    EXPECT_EQ(value("P", {0, ranks, 0, 0}), power) << ranks;
  }
}

TEST(Expression, PrintsWithTheFewestParentheses) {
  EXPECT_EQ(canonical(" ( ( r + s ) % N ) "), "(r+s)%N");
  EXPECT_EQ(canonical("(r*2)+(3)"), "r*2+3");
  EXPECT_EQ(canonical("r-(s-1)"), "r-(s-1)");
  EXPECT_EQ(canonical("(r-s)-1"), "r-s-1");
  EXPECT_EQ(canonical("-(r+1)"), "-(r+1)");
  EXPECT_EQ(canonical("r - -1"), "r--1");
  EXPECT_EQ(canonical("r^(1<<s)"), "r^1<<s");
}

TEST(Expression, HasNoValueWhereADivisorIsNotPositiveOrAResultDoesNotFit) {
  for (const char* text : {"1/0", "1%0", "1/-2", "1<<63", "1<<-1", "9223372036854775807+1", "4611686018427387904*2",
                           "-(0-9223372036854775807-1)", "1+2/0"}) {
    auto parsed = Expression::parse(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_FALSE(parsed->valid_at({})) << text;
    EXPECT_EQ(parsed->evaluate({}), 0) << text;
  }
}

TEST(Expression, DoesNotEvaluateWhatTheLeftSideDecides) {
  EXPECT_EQ(value("0&&1/0"), 0);
  EXPECT_EQ(value("1||1/0"), 1);
  EXPECT_TRUE(Expression::parse("0&&1/0")->valid_at({}));
  EXPECT_FALSE(Expression::parse("1/0||1")->valid_at({}));
}

TEST(Expression, RefusesWhatIsNoFormula) {
  for (const char* text :
       {"", "+", "r+", "(r", "r)", "x", "r s", "1..2", "99999999999999999999", "k", "r===1", "rr", "2r"})
    EXPECT_FALSE(Expression::parse(text).ok()) << text;
}

TEST(Expression, RefusesFormulasTooDeepOrTooLong) {
  EXPECT_FALSE(Expression::parse(std::string(100'000, '(')).ok());
  EXPECT_FALSE(Expression::parse(std::string(100'000, '-') + "1").ok());
  std::string sum = "1";
  for (int i = 0; i < 10'000; ++i) sum += "+1";
  EXPECT_FALSE(Expression::parse(sum).ok());
}

TEST(Expression, BecomesAConstantWhenBoundWithoutSteps) {
  for (const char* text : {"(r-1)%N", "v&-v", "r<N-P&&r>=0", "1<<L-1", "root", "1/(r-r)", "0&&s", "N>0||s/0"}) {
    const Expression bound = Expression::parse(text)->bind(3, 8, 2);
    EXPECT_TRUE(bound.is_constant()) << text << " became " << bound.text();
    EXPECT_EQ(bound.evaluate({}), Expression::parse(text)->evaluate({3, 8, 0, 2})) << text;
  }
  EXPECT_FALSE(Expression::parse("(r+s)%N")->bind(3, 8, 2).is_constant());
  EXPECT_EQ(Expression::parse("(r+s)%N")->bind(3, 8, 2).text(), "(3+s)%8");
}

TEST(Expression, SmallestIntegerHasAText) {
  const Expression smallest(std::numeric_limits<std::int64_t>::min());
  const auto parsed = Expression::parse(smallest.text());
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->evaluate({}), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parsed->text(), smallest.text());
}

TEST(Expression, RandomFormulasHaveTheirValueBeforeAndAfterPrintingAndBinding) {
  constexpr std::uint64_t kSeed = 20240817;
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 5'000; ++round) {
    const auto ranks = static_cast<std::int64_t>(1 + random() % 9);
    const Variables at{static_cast<std::int64_t>(random()) % ranks < 0
                           ? 0
                           : static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(ranks)),
                       ranks, static_cast<std::int64_t>(random() % 9),
                       static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(ranks))};
    const auto [text, expected] = RandomFormula(random, at).make(4);
    const auto parsed = Expression::parse(text);
    ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.status().message();
    EXPECT_EQ(parsed->valid_at(at), expected.has_value()) << text << " seed " << kSeed;
    EXPECT_EQ(parsed->evaluate(at), expected.value_or(0)) << text << " seed " << kSeed;
    const auto again = Expression::parse(parsed->text());
    ASSERT_TRUE(again.ok()) << parsed->text();
    EXPECT_EQ(again->text(), parsed->text()) << text;
    EXPECT_EQ(again->evaluate(at), expected.value_or(0)) << text;
    EXPECT_EQ(parsed->bind(at.rank, at.ranks, at.root).evaluate({0, 1, at.step, 0}), expected.value_or(0)) << text;
  }
}

}  // namespace
}  // namespace amalgam::plan
