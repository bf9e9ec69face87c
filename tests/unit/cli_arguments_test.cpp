#include <gtest/gtest.h>

#include "cli/arguments.h"

namespace weir {
namespace {

using Words = std::vector<std::string>;

const std::vector<Flag> kFlags{{"namespace", 'n', "NAMESPACE"},
                               {"output", 'o', "json|yaml"},
                               {"watch", 'w'},
                               {"all-namespaces", 'A'}};

std::string fault(const Words& words) {
  const auto arguments = Arguments::parse(words, kFlags);
  return arguments ? "" : arguments.error().message;
}

TEST(Arguments, TakesValuesInEveryUsualForm) {
  for (const auto& words :
       {Words{"--namespace=a"}, {"--namespace", "a"}, {"-n", "a"}, {"-n=a"}, {"-na"}, {"-wna"}}) {
    const auto arguments = Arguments::parse(words, kFlags);
    ASSERT_TRUE(arguments) << words[0];
    EXPECT_EQ(arguments->value("namespace"), "a") << words[0];
  }
}

TEST(Arguments, KeepsWhatIsNoFlag) {
  const auto arguments = Arguments::parse({"shop", "-Aw", "-"}, kFlags);
  ASSERT_TRUE(arguments);
  EXPECT_EQ(arguments->operands(), (Words{"shop", "-"}));
  EXPECT_TRUE(arguments->has("watch") && arguments->has("all-namespaces"));
  EXPECT_EQ(arguments->value("namespace", "default"), "default");
}

TEST(Arguments, ReadsNothingAsAFlagBehindTwoDashes) {
  const auto arguments = Arguments::parse({"-w", "--", "-n", "--", "x"}, kFlags);
  ASSERT_TRUE(arguments);
  EXPECT_EQ(arguments->operands(), (Words{"-n", "--", "x"}));
}

TEST(Arguments, NamesWhatItCannotUse) {
  EXPECT_EQ(fault({"--namespaces", "a"}), "--namespaces: unknown flag, did you mean --namespace?");
  EXPECT_EQ(fault({"--nope"}), "--nope: unknown flag");
  EXPECT_EQ(fault({"-x"}), "-x: unknown flag");
  EXPECT_EQ(fault({"-wx"}), "-wx: unknown flag");
  EXPECT_EQ(fault({"--namespace"}), "--namespace: needs a value: NAMESPACE");
  EXPECT_EQ(fault({"-n"}), "-n: needs a value: NAMESPACE");
  EXPECT_EQ(fault({"--watch=1"}), "--watch=1: takes no value");
  EXPECT_EQ(fault({"-w=1"}), "-w=1: takes no value");
  EXPECT_EQ(fault({"-o", "jsn"}), "--output: found \"jsn\", must be one of json, yaml");
}

}  // namespace
}  // namespace weir
