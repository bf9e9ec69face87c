// The embedded demo, faster than people look at it.
#include <gtest/gtest.h>

#include <sstream>

#include "cli/demo_story.h"
#include "kube/kinds.h"
#include "sim/inputs.h"
#include "unit/cli_test_support.h"

namespace weir {
namespace {

using cli_test::run;

TEST(Demo, TellsAGoodAndABadReleaseAndLosesNoRequest) {
  const auto ran = run({"demo", "--speed", "20"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(ran.err, "");
  std::size_t at = 0;
  for (const auto* part :
       {"The first version", "shop Healthy", "A good version", "step 1/4 canary 5 %",
        "step 2/4 canary 25 %", "step 3/4 canary 50 %", "step 4/4 canary 100 %", "shop Healthy",
        "A bad version", "step 1/4 canary 5 %", "RollingBack", "requests bad, allowed 5%",
        "shop RolledBack", " 0 lost"}) {
    const auto found = ran.out.find(part, at);
    ASSERT_NE(found, std::string::npos) << part << " in\n" << ran.out;
    at = found;
  }
}

TEST(Demo, DrawsATreeOnATerminal) {
  const auto ran = run({"demo", "--speed", "20"}, "", {100, true});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("├─ canary"), std::string::npos);
  EXPECT_NE(ran.out.find("█"), std::string::npos);
  EXPECT_NE(ran.out.find("\x1b["), std::string::npos);
}

TEST(Demo, FailsWhenTheBadVersionIsNotTakenBack) {
  sim::LiveWorld world(20);
  world.front().with_server([](sim::ApiServer& server) {
    server.edit(kinds::kCanaryPolicy, {std::string(sim::kNamespace), "standard"},
                [](Json& policy) { policy["spec"]["objectives"][0]["ratio"]["atMost"] = "90%"; });
  });
  std::istringstream in;
  std::ostringstream out;
  const auto told = tell_demo({in, out, out}, world);
  ASSERT_FALSE(told) << out.str();
  EXPECT_EQ(told.error().message, "the release should not end so");
  EXPECT_NE(out.str().find("A bad version"), std::string::npos) << out.str();
}

TEST(Demo, RefusesWhatItCannotDo) {
  EXPECT_EQ(run({"demo", "--speed", "0"}).code, 2);
  EXPECT_EQ(run({"demo", "--speed", "1x"}).code, 2);
  EXPECT_EQ(run({"demo", "--bare"}).code, 2);
  EXPECT_EQ(run({"demo", "--serve", "--listen", "0.0.0.0:0"}).code, 2);
}

}  // namespace
}  // namespace weir
