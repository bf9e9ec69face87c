#include <gtest/gtest.h>

#include "api/matrix.h"
#include "api/placeholders.h"

namespace weir {
namespace {

using What = Placeholder::Kind;

std::string found_in(const std::string& text) {
  const auto found = placeholders_in(text);
  if (!found) return "! " + found.error().message.substr(0, found.error().message.find(','));
  std::string all;
  for (const auto& placeholder : *found) all += to_string(placeholder) + " ";
  return all;
}

TEST(Placeholders, AreFoundInTheirOrder) {
  EXPECT_EQ(found_in("plain $HOME $5 ()"), "");
  EXPECT_EQ(found_in("$(namespace)-$(params.log-level)"), "$(namespace) $(params.log-level) ");
  EXPECT_EQ(found_in("shop@$(stages.image.results.digest)"), "$(stages.image.results.digest) ");
  EXPECT_EQ(found_in("$(matrix.python)$(matrix.python)"), "$(matrix.python) $(matrix.python) ");
}

TEST(Placeholders, WhatNobodyKnowsIsRefused) {
  for (const std::string bad : {"$(date)", "$(params.)", "$(params.A)", "$(stages.a.b)", "$()",
                                "$(params.a", "$(params.a b)", "$( namespace)"})
    EXPECT_EQ(found_in("x" + bad), "! found \"" + bad + "\"");
}

TEST(Placeholders, TwoDollarsStandForThemselves) {
  EXPECT_EQ(found_in("$$(date)"), "");
  const auto none = [](const Placeholder&) { return std::optional<std::string>("V"); };
  EXPECT_EQ(*fill_in("$$(date) $(namespace) $$ $x", none), "$(date) V $$ $x");
}

TEST(Placeholders, AValueIsNeverReadAgain) {
  const auto value = [](const Placeholder&) {
    return std::optional<std::string>("$(namespace)$$(");
  };
  EXPECT_EQ(*fill_in("a$(params.x)b", value), "a$(namespace)$$(b");
}

TEST(Placeholders, OneWithoutValueIsAnError) {
  const auto filled =
      fill_in("a $(params.x)", [](const Placeholder&) { return std::optional<std::string>(); });
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().message, "found $(params.x), which has no value here");
}

TEST(Placeholders, InAScriptOnlyOursCount) {
  EXPECT_FALSE(placeholder_in_script("echo $(date) $((1+2)) $(run) ${x}"));
  const auto found = placeholder_in_script("a=$(date); sh -c \"$(params.title)\"");
  ASSERT_TRUE(found);
  EXPECT_EQ(to_string(*found), "$(params.title)");
  EXPECT_TRUE(placeholder_in_script("echo $(outcome)"));
}

TEST(Placeholders, TheKubeletGetsBackWhatItWasGiven) {
  EXPECT_EQ(escape_for_kubelet("$(TOKEN) $x"), "$$(TOKEN) $$x");
}

std::string names_of(const Matrix& matrix) {
  std::string all;
  for (const auto& combination : combinations(matrix)) all += to_string(combination) + " ";
  return all;
}

TEST(MatrixOfStages, LastAxisTurnsFastest) {
  const Matrix matrix{{{"os", {"a", "b"}}, {"py", {"1", "2"}}}, {}, {}};
  EXPECT_EQ(names_of(matrix), "os=a,py=1 os=a,py=2 os=b,py=1 os=b,py=2 ");
  EXPECT_EQ(count_combinations(matrix), 4U);
}

TEST(MatrixOfStages, ExcludeTakesAwayAndIncludeAddsOnce) {
  Matrix matrix{{{"os", {"a", "b"}}, {"py", {"1", "2"}}}, {}, {}};
  matrix.exclude = {{{"os", "a"}}, {{"os", "b"}, {"py", "1"}}};
  matrix.include = {{{"os", "c"}, {"py", "3"}}, {{"os", "b"}, {"py", "2"}}};
  EXPECT_EQ(names_of(matrix), "os=b,py=2 os=c,py=3 ");
}

TEST(MatrixOfStages, NoMatrixIsOneEmptyCombination) {
  EXPECT_EQ(combinations({}), std::vector<Combination>{{}});
  EXPECT_EQ(to_string(Combination{}), "");
}

TEST(MatrixOfStages, AHugeOneIsNotCountedOn) {
  const Axis axis{"a", std::vector<std::string>(50, "x")};
  EXPECT_EQ(count_combinations({{axis, axis, axis, axis, axis}, {}, {}}), kMaxCombinations + 1);
}

}  // namespace
}  // namespace weir
