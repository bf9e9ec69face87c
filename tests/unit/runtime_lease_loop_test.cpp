#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "runtime/lease_loop.h"
#include "runtime_fakes.h"

namespace weir {
namespace {

using runtime_test::eventually;

const ObjectKey kKey{"weir-system", "weir"};

Json held_by(const std::string& who) {
  return Json{{"metadata", {{"name", "weir"}, {"resourceVersion", "7"}}},
              {"spec",
               {{"holderIdentity", who},
                {"leaseDurationSeconds", 15},
                {"renewTime", "2026-01-01T00:00:00.000000Z"},
                {"leaseTransitions", 3}}}};
}

// A loop on a thread of its own, with the machine's clock: bounds are there only to fail instead of to hang.
class LeaseLoopTest : public testing::Test {
 protected:
  ~LeaseLoopTest() override { stop(); }
  void start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      loop_.run(stop);
      ended_ = true;
    });
  }
  void stop() { thread_ = std::jthread(); }
  std::size_t asked(const std::string& what) const {
    const auto whats = api_.whats();
    return static_cast<std::size_t>(std::count(whats.begin(), whats.end(), what));
  }
  bool leads() const { return loop_.fence().open_until() > clock_.monotonic(); }

  runtime_test::CapturedLogs logs_;
  runtime_test::FakeApi api_;
  SystemClock clock_;
  kube_test::NoJitter random_;
  Metrics metrics_{"test"};
  std::string lost_;
  std::stop_source gave_up_;
  LeaseLoop loop_{kKey,
                  "pod-a",
                  api_,
                  clock_,
                  random_,
                  metrics_,
                  [this](const std::string& why) { lost_ = why; }};
  std::atomic<bool> ended_ = false;
  std::jthread thread_;
};

TEST_F(LeaseLoopTest, TakesALeaseThatIsNotThereAndSaysSo) {
  EXPECT_FALSE(leads());
  start();
  EXPECT_TRUE(loop_.wait_until_known(gave_up_.get_token()));
  EXPECT_TRUE(loop_.wait_until_leading(gave_up_.get_token()));
  EXPECT_TRUE(leads());
  EXPECT_EQ(api_.whats(), (std::vector<std::string>{"get Lease", "create Lease"}));
  EXPECT_EQ(api_.calls().at(1).key, kKey);
  EXPECT_EQ(logs_.count("\"leading\""), 1);
  EXPECT_NE(metrics_.text().find("weir_leader 1"), std::string::npos);
}

TEST_F(LeaseLoopTest, StandsByWhileAnotherHoldsItAndSaysWho) {
  api_.exists(kinds::kLease, held_by("pod-b"));
  start();
  EXPECT_TRUE(loop_.wait_until_known(gave_up_.get_token()));
  EXPECT_FALSE(leads());
  EXPECT_EQ(logs_.count("standing by"), 1);
  EXPECT_EQ(logs_.count("pod-b"), 1);
  EXPECT_NE(metrics_.text().find("weir_leader 0"), std::string::npos);
  EXPECT_NE(metrics_.text().find("weir_lease_transitions 3"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return asked("get Lease") >= 2; }));
  api_.exists(kinds::kLease, held_by(""));
  EXPECT_TRUE(loop_.wait_until_leading(gave_up_.get_token()));
  EXPECT_EQ(logs_.count("\"leading\""), 1);
  EXPECT_EQ(json_text(api_.calls().back().body, {"metadata", "resourceVersion"}), "7");
}

TEST_F(LeaseLoopTest, AProcessThatComesBackUnderItsNameSaysThatItLeads) {
  api_.exists(kinds::kLease, held_by("pod-a"));
  start();
  EXPECT_TRUE(loop_.wait_until_leading(gave_up_.get_token()));
  EXPECT_TRUE(eventually([&] { return logs_.count("\"leading\"") == 1; }));
  EXPECT_EQ(logs_.count("standing by"), 0);
}

TEST_F(LeaseLoopTest, KnowsNothingWhileTheLeaseCannotBeReadAndSaysWhyOnce) {
  for (int i = 0; i < 3; ++i)
    api_.will_fail("get Lease", {ErrorKind::Forbidden, "leases is forbidden"});
  std::atomic<bool> known = false;
  std::jthread waiter([&](const std::stop_token& stop) {
    if (loop_.wait_until_known(stop)) known = asked("get Lease") >= 4;
  });
  start();
  EXPECT_TRUE(eventually([&] { return known.load(); }));
  EXPECT_EQ(logs_.count("leases is forbidden"), 1);
}

TEST_F(LeaseLoopTest, AWaitEndsWhenStopIsRequested) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(loop_.wait_until_known(stop.get_token()));
  EXPECT_FALSE(loop_.wait_until_leading(stop.get_token()));
}

TEST_F(LeaseLoopTest, TellsItsLossOnceWithTheFenceClosedAndEnds) {
  api_.will_fail("patch Lease", {ErrorKind::Conflict, "modified"});
  api_.exists(kinds::kLease, held_by(""));
  // Taken at the first attempt but one: the patch that fails makes it look again, and find another.
  std::jthread usurper([&](const std::stop_token& stop) {
    if (loop_.wait_until_leading(stop)) api_.exists(kinds::kLease, held_by("pod-b"));
    api_.will_fail("patch Lease", {ErrorKind::Conflict, "modified"});
  });
  start();
  EXPECT_TRUE(eventually([&] { return ended_.load(); }));
  EXPECT_EQ(lost_, "taken by \"pod-b\"");
  EXPECT_FALSE(leads());
  EXPECT_NE(metrics_.text().find("weir_leader 0"), std::string::npos);
}

TEST_F(LeaseLoopTest, GivesItBackAfterItsThreadHasEnded) {
  start();
  ASSERT_TRUE(loop_.wait_until_leading(gave_up_.get_token()));
  stop();
  EXPECT_TRUE(leads()) << "writers that end now still have their time";
  loop_.release();
  EXPECT_FALSE(leads());
  const auto last = api_.calls().back();
  EXPECT_EQ(last.what, "patch Lease");
  EXPECT_EQ(last.body["spec"]["holderIdentity"], "");
  EXPECT_EQ(last.body["metadata"]["resourceVersion"], "100");
  EXPECT_EQ(logs_.count("lease released"), 1);
  EXPECT_TRUE(lost_.empty());
}

TEST_F(LeaseLoopTest, AStandbyWritesNothingWhenItEnds) {
  api_.exists(kinds::kLease, held_by("pod-b"));
  start();
  ASSERT_TRUE(loop_.wait_until_known(gave_up_.get_token()));
  stop();
  loop_.release();
  EXPECT_EQ(asked("patch Lease") + asked("create Lease"), 0U);
}

}  // namespace
}  // namespace weir
