#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "unit/cli_test_support.h"

namespace weir::cli_test {
namespace {

// What the story tests/cluster/test_backtest.py has recorded, where the operator promoted the first release and took the second one back.
TEST(BacktestCommand, DecidesAsTheOperatorDidOnARealCluster) {
  const std::string folder = WEIR_SOURCE_DIR "/tests/recordings";
  const kube_test::TempFolder reports;
  const auto report = reports.path() + "/report.html";
  const auto ran = run({"backtest", "-f", folder + "/policy.yaml", "--recording",
                        folder + "/shop.json", "-o", "json", "--html", report});
  ASSERT_EQ(ran.code, exit_code::kOk) << ran.err;
  const auto told = parse_json(ran.out);
  ASSERT_TRUE(told && (*told)["releases"].size() == 2) << ran.out;
  const auto& good = (*told)["releases"][0];
  const auto& bad = (*told)["releases"][1];
  EXPECT_EQ(good["recorded"]["ending"], "Promoted");
  EXPECT_EQ(good["policy"]["ending"], "Promoted");
  EXPECT_EQ(bad["stable"], good["canary"]);
  EXPECT_EQ(bad["recorded"]["ending"], "TakenBack");
  EXPECT_EQ(bad["policy"]["ending"], "RolledBack");
  EXPECT_EQ(bad["policy"]["weight"], 25);
  std::ifstream stream(report);
  const std::string html{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_NE(html.find("<svg "), std::string::npos);
  for (const auto* elsewhere : {"http:", "https:", "src=", "href=", "url(", "@import", "<script"})
    EXPECT_EQ(html.find(elsewhere), std::string::npos) << elsewhere;
}

}  // namespace
}  // namespace weir::cli_test
