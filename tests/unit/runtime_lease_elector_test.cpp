#include <gtest/gtest.h>

#include "base/json.h"
#include "base/time_format.h"
#include "kube/kinds.h"
#include "runtime/lease_elector.h"
#include "unit/kube_test_support.h"

namespace weir {
namespace {

using Do = LeaseElector::Next::Do;

const ObjectKey kKey{"weir-system", "weir"};

// The Lease as an API server keeps it: guarded writes, a version per write. Can be told to fail.
class FakeLease {
 public:
  Result<Json> get() const {
    if (failure) return *failure;
    if (!object) return Error{ErrorKind::NotFound, "leases \"weir\" not found"};
    return *object;
  }
  Result<Json> create(const Json& body) {
    if (failure) return *failure;
    if (object) return Error{ErrorKind::AlreadyExists, "leases \"weir\" already exists"};
    return put(body);
  }
  Result<Json> patch(const Json& body) {
    if (failure) return *failure;
    if (!object) return Error{ErrorKind::NotFound, "leases \"weir\" not found"};
    if (json_text(body, {"metadata", "resourceVersion"}) !=
        json_text(*object, {"metadata", "resourceVersion"}))
      return Error{ErrorKind::Conflict, "the object has been modified"};
    Json merged = *object;
    merged.merge_patch(body);
    auto done = put(merged);
    if (answer_lost) return Error{ErrorKind::Timeout, "no whole answer within the deadline"};
    return done;
  }
  Json put(Json body) {
    ++writes;
    body["metadata"]["resourceVersion"] = std::to_string(++version);
    object = std::move(body);
    return *object;
  }
  // Another's, with a wall clock of its own.
  void hold_by(const std::string& who, const std::string& renewed, int duration = 15) {
    put(Json{{"metadata", {{"name", "weir"}}},
             {"spec",
              {{"holderIdentity", who},
               {"leaseDurationSeconds", duration},
               {"acquireTime", "2020-01-01T00:00:00.000000Z"},
               {"renewTime", renewed},
               {"leaseTransitions", 4}}}});
  }
  std::string holder() const { return json_text(*object, {"spec", "holderIdentity"}); }
  std::int64_t transitions() const { return json_int(*object, {"spec", "leaseTransitions"}); }

  std::optional<Json> object{};
  std::optional<Error> failure{};
  bool answer_lost = false;  // of a patch that was carried out
  int version = 10;
  int writes = 0;
};

// One candidate and what it asks. Its clock is its own: another candidate may have another.
class Candidate {
 public:
  Candidate(FakeLease& lease, const std::string& identity)
      : lease_(lease), elector_(kKey, identity, clock, random_) {}

  // One request, or none when the next is due later.
  Do step() {
    const auto next = elector_.next();
    switch (next.what) {
      case Do::Read: elector_.on_read(lease_.get()); break;
      case Do::Create: elector_.on_written(lease_.create(next.body)); break;
      case Do::Patch: elector_.on_written(lease_.patch(next.body)); break;
      case Do::Wait:
      case Do::Lost: break;
    }
    if (next.what == Do::Read || next.what == Do::Create || next.what == Do::Patch) ++requests;
    return next.what;
  }
  // All that is due now.
  Do settle() {
    for (int i = 0; i < 10; ++i) {
      const auto what = step();
      if (what == Do::Wait || what == Do::Lost) return what;
    }
    ADD_FAILURE() << "asks in a hot loop: " << elector_.last_error();
    return Do::Wait;
  }
  Do run_for(milliseconds span) {
    constexpr milliseconds kTick{100};
    auto what = settle();
    for (; span > milliseconds(0) && what != Do::Lost; span -= kTick) {
      clock.advance(kTick);
      what = settle();
    }
    return what;
  }
  bool leads() const { return elector_.leads(); }
  milliseconds fence_left() const {
    return std::chrono::duration_cast<milliseconds>(elector_.open_until() - clock.monotonic());
  }
  void release() {
    const auto patch = elector_.release();
    if (patch) (void)lease_.patch(*patch);
  }
  LeaseElector& elector() { return elector_; }

  kube_test::FakeClock clock;
  int requests = 0;

 private:
  FakeLease& lease_;
  kube_test::NoJitter random_;
  LeaseElector elector_;
};

class LeaseElectorTest : public testing::Test {
 protected:
  void lead() {
    us_.settle();
    ASSERT_TRUE(us_.leads());
  }

  FakeLease lease_;
  Candidate us_{lease_, "pod-a"};
};

// ---- taking it ----

TEST_F(LeaseElectorTest, AMissingLeaseIsCreatedAsClientGoWouldWriteIt) {
  EXPECT_EQ(us_.step(), Do::Read);
  EXPECT_FALSE(us_.leads());
  EXPECT_EQ(us_.step(), Do::Create);
  EXPECT_TRUE(us_.leads());
  EXPECT_EQ((*lease_.object)["kind"], "Lease");
  EXPECT_EQ((*lease_.object)["apiVersion"], "coordination.k8s.io/v1");
  EXPECT_EQ((*lease_.object)["metadata"]["namespace"], "weir-system");
  EXPECT_EQ((*lease_.object)["spec"], (Json{{"holderIdentity", "pod-a"},
                                            {"leaseDurationSeconds", 15},
                                            {"acquireTime", "2027-01-15T08:00:00.000000Z"},
                                            {"renewTime", "2027-01-15T08:00:00.000000Z"},
                                            {"leaseTransitions", 0}}));
}

TEST_F(LeaseElectorTest, WhoeverCreatesItFirstLeadsAndTheOtherWaits) {
  Candidate rival(lease_, "pod-b");
  us_.step();
  rival.step();
  EXPECT_EQ(us_.step(), Do::Create);
  EXPECT_EQ(rival.step(), Do::Create);
  EXPECT_TRUE(us_.leads());
  EXPECT_EQ(rival.settle(), Do::Wait);
  EXPECT_FALSE(rival.leads());
  EXPECT_EQ(lease_.holder(), "pod-a");
}

TEST_F(LeaseElectorTest, OfTwoWhoFindItExpiredTheVersionLetsOneTakeIt) {
  Candidate rival(lease_, "pod-b");
  lease_.hold_by("gone", "2026-01-01T00:00:00.000000Z");
  us_.settle();
  rival.settle();
  us_.clock.advance(seconds(16));
  rival.clock.advance(seconds(16));
  us_.step();
  rival.step();
  us_.settle();
  rival.settle();
  EXPECT_TRUE(us_.leads());
  EXPECT_FALSE(rival.leads());
  EXPECT_EQ(lease_.transitions(), 5);
}

TEST_F(LeaseElectorTest, AnothersLeaseIsRespectedUntilItHasNotMovedForItsDurationByOurClock) {
  lease_.hold_by("pod-b", "2026-01-01T00:00:00.000000Z");
  us_.run_for(milliseconds(14'900));
  EXPECT_FALSE(us_.leads());
  EXPECT_EQ(lease_.writes, 1);
  us_.run_for(milliseconds(200));
  EXPECT_TRUE(us_.leads());
  EXPECT_EQ(lease_.holder(), "pod-a");
}

TEST_F(LeaseElectorTest, ALeaseThatMovesIsRespectedForever) {
  for (int i = 0; i < 60; ++i) {
    lease_.hold_by("pod-b", "2026-01-01T00:00:" + std::to_string(10 + i % 50) + ".000000Z");
    us_.run_for(seconds(10));
    ASSERT_FALSE(us_.leads()) << "after " << i << " renewals";
  }
}

TEST_F(LeaseElectorTest, WhatWallClocksSayDoesNotMatter) {
  // Renewed years ago and years ahead, by our clock of 2027.
  for (const auto* renewed : {"1999-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z"}) {
    lease_.hold_by("pod-b", renewed);
    Candidate candidate(lease_, "pod-c");
    candidate.run_for(milliseconds(14'900));
    EXPECT_FALSE(candidate.leads()) << renewed;
    candidate.run_for(milliseconds(200));
    EXPECT_TRUE(candidate.leads()) << renewed;
  }
}

TEST_F(LeaseElectorTest, TheDurationIsTheOneTheHolderWrote) {
  lease_.hold_by("pod-b", "2026-01-01T00:00:00.000000Z", 60);
  us_.run_for(milliseconds(59'900));
  EXPECT_FALSE(us_.leads());
  us_.run_for(milliseconds(200));
  EXPECT_TRUE(us_.leads());
}

TEST_F(LeaseElectorTest, ARecordThatMakesNoSenseExpiresLikeAnyOther) {
  for (const Json& spec :
       {Json{{"holderIdentity", "pod-b"}, {"leaseDurationSeconds", -5}},
        Json{{"holderIdentity", "pod-b"}, {"leaseDurationSeconds", "long"}, {"renewTime", 7}},
        Json{{"holderIdentity", "pod-b"}, {"leaseTransitions", -3}}}) {
    lease_.put(Json{{"metadata", {{"name", "weir"}}}, {"spec", spec}});
    Candidate candidate(lease_, "pod-c");
    candidate.settle();
    EXPECT_FALSE(candidate.leads()) << spec;
    candidate.run_for(milliseconds(15'100));
    EXPECT_TRUE(candidate.leads()) << spec;
    EXPECT_GE(lease_.transitions(), 1) << spec;
  }
}

TEST_F(LeaseElectorTest, ALeaseNobodyHoldsIsTakenAtOnce) {
  for (const Json& spec : {Json{{"holderIdentity", ""}, {"leaseDurationSeconds", 1}},
                           Json{{"leaseDurationSeconds", 1}}, Json(nullptr)}) {
    lease_.put(Json{{"metadata", {{"name", "weir"}}}, {"spec", spec}});
    Candidate candidate(lease_, "pod-c");
    candidate.settle();
    EXPECT_TRUE(candidate.leads()) << spec;
  }
}

TEST_F(LeaseElectorTest, AProcessThatComesBackUnderTheHoldersNameLeadsAtOnce) {
  lease_.hold_by("pod-a", "2026-01-01T00:00:00.000000Z");
  us_.settle();
  EXPECT_TRUE(us_.leads());
  EXPECT_EQ(lease_.transitions(), 4);
  EXPECT_EQ((*lease_.object)["spec"]["acquireTime"], "2020-01-01T00:00:00.000000Z");
}

TEST_F(LeaseElectorTest, ALeaseThatVanishedUnderAnotherIsLeftAloneAsIfItStoodStill) {
  lease_.hold_by("pod-b", "2026-01-01T00:00:00.000000Z");
  us_.settle();
  lease_.object.reset();
  us_.run_for(milliseconds(14'900));
  EXPECT_FALSE(us_.leads());
  us_.run_for(milliseconds(200));
  EXPECT_TRUE(us_.leads());
}

// ---- keeping it ----

TEST_F(LeaseElectorTest, RenewsEveryThreeSecondsWithOneRequestEach) {
  lead();
  const int before = us_.requests;
  us_.run_for(seconds(60));
  EXPECT_TRUE(us_.leads());
  EXPECT_EQ(us_.requests - before, 20);
  EXPECT_EQ((*lease_.object)["spec"]["acquireTime"], "2027-01-15T08:00:00.000000Z");
  EXPECT_EQ((*lease_.object)["spec"]["renewTime"], "2027-01-15T08:01:00.000000Z");
  EXPECT_EQ(lease_.transitions(), 0);
}

TEST_F(LeaseElectorTest, AWriteAlwaysHasItsTenSecondsWhileRenewalsSucceed) {
  lead();
  for (int i = 0; i < 100; ++i) {
    us_.run_for(milliseconds(100));
    ASSERT_GE(us_.fence_left(), seconds(10));
    ASSERT_LE(us_.fence_left(), kLeaseDuration);
  }
}

TEST_F(LeaseElectorTest, OurOwnExpiryCountsFromBeforeTheRequestWasSent) {
  us_.step();
  const auto next = us_.elector().next();
  ASSERT_EQ(next.what, Do::Create);
  us_.clock.advance(seconds(4));  // the answer takes long
  us_.elector().on_written(lease_.create(next.body));
  EXPECT_EQ(us_.fence_left(), seconds(11));
}

TEST_F(LeaseElectorTest, AnAnswerThatComesTooLateDoesNotMakeALeader) {
  us_.step();
  const auto next = us_.elector().next();
  us_.clock.advance(seconds(16));
  us_.elector().on_written(lease_.create(next.body));
  EXPECT_FALSE(us_.leads());
  EXPECT_EQ(us_.step(), Do::Lost);
}

TEST_F(LeaseElectorTest, IsLostWhenRenewalsFailForTheRenewDeadlineWhichIsBeforeTheLeaseEnds) {
  lead();
  lease_.failure = Error{ErrorKind::Unavailable, "connection refused"};
  EXPECT_EQ(us_.run_for(milliseconds(9'900)), Do::Wait);
  EXPECT_TRUE(us_.leads());
  EXPECT_EQ(us_.run_for(milliseconds(200)), Do::Lost);
  EXPECT_FALSE(us_.leads());
  EXPECT_LT(us_.fence_left(), milliseconds(0));
  EXPECT_NE(us_.elector().last_error().find("not renewed for 10 s"), std::string::npos);
  EXPECT_NE(us_.elector().last_error().find("connection refused"), std::string::npos);
  lease_.failure.reset();
  EXPECT_EQ(us_.run_for(seconds(60)), Do::Lost) << "a process that lost it must not come back";
}

TEST_F(LeaseElectorTest, APauseBeyondTheLeaseClosesTheFenceBeforeAnyThreadHasRun) {
  lead();
  us_.clock.advance(seconds(15));
  EXPECT_FALSE(us_.leads());
  EXPECT_EQ(us_.fence_left(), milliseconds(0));
  EXPECT_EQ(us_.step(), Do::Lost);
}

TEST_F(LeaseElectorTest, SurvivesAnOutageShorterThanTheRenewDeadline) {
  lead();
  lease_.failure = Error{ErrorKind::Unavailable, "connection refused"};
  us_.run_for(milliseconds(8'000));
  lease_.failure.reset();
  EXPECT_EQ(us_.run_for(seconds(30)), Do::Wait);
  EXPECT_TRUE(us_.leads());
}

TEST_F(LeaseElectorTest, ARenewalWhoseAnswerWasLostIsLookedAtAndNotTakenForASuccess) {
  lead();
  lease_.answer_lost = true;
  us_.run_for(milliseconds(3'000));
  EXPECT_EQ(us_.fence_left(), seconds(12));
  lease_.answer_lost = false;
  us_.run_for(milliseconds(300));
  EXPECT_TRUE(us_.leads());
  EXPECT_GE(us_.fence_left(), milliseconds(14'900));
}

TEST_F(LeaseElectorTest, IsLostAtOnceWhenAnotherStandsInIt) {
  lead();
  lease_.hold_by("pod-b", "2026-01-01T00:00:00.000000Z");
  EXPECT_EQ(us_.run_for(seconds(3)), Do::Lost);
  EXPECT_FALSE(us_.leads());
  EXPECT_EQ(lease_.holder(), "pod-b");
  EXPECT_EQ(us_.elector().last_error(), "taken by \"pod-b\"");
}

TEST_F(LeaseElectorTest, IsLostWhenSomebodyCleanedTheHolderAway) {
  lead();
  (void)lease_.patch(
      Json{{"metadata",
            {{"resourceVersion", json_text(*lease_.object, {"metadata", "resourceVersion"})}}},
           {"spec", {{"holderIdentity", nullptr}}}});
  EXPECT_EQ(us_.run_for(seconds(3)), Do::Lost);
}

TEST_F(LeaseElectorTest, AConflictWithAnEditThatLeavesUsTheHolderCostsOneLook) {
  lead();
  Json labelled = *lease_.object;
  labelled["metadata"]["labels"] = {{"team", "a"}};
  lease_.put(labelled);
  us_.clock.advance(seconds(3));
  EXPECT_EQ(us_.step(), Do::Patch);
  EXPECT_EQ(us_.step(), Do::Read);
  EXPECT_EQ(us_.step(), Do::Patch);
  EXPECT_EQ(us_.step(), Do::Wait);
  EXPECT_TRUE(us_.leads());
  EXPECT_EQ((*lease_.object)["metadata"]["labels"]["team"], "a");
}

TEST_F(LeaseElectorTest, ALeaderWhoseLeaseWasDeletedCreatesItAgainUnlessAnotherDid) {
  lead();
  lease_.object.reset();
  us_.run_for(seconds(4));
  EXPECT_TRUE(us_.leads());
  EXPECT_EQ(lease_.holder(), "pod-a");
  lease_.object.reset();
  lease_.hold_by("pod-b", "2026-01-01T00:00:00.000000Z");
  EXPECT_EQ(us_.run_for(seconds(4)), Do::Lost);
}

// ---- asking ----

TEST_F(LeaseElectorTest, ARequestOfALeaderEndsBeforeItsRenewDeadline) {
  lead();
  us_.clock.advance(seconds(8));
  const auto now = us_.clock.monotonic();
  const auto next = us_.elector().next();
  ASSERT_EQ(next.what, Do::Patch);
  EXPECT_EQ(next.until - now, seconds(2));
}

TEST_F(LeaseElectorTest, ApiErrorsBackOff) {
  lease_.failure = Error{ErrorKind::Forbidden, "leases is forbidden"};
  us_.run_for(seconds(60));
  EXPECT_GE(us_.requests, 28);
  EXPECT_LE(us_.requests, 34);
  EXPECT_EQ(us_.elector().last_error(), "Forbidden: leases is forbidden");
  lease_.failure.reset();
  us_.run_for(seconds(3));
  EXPECT_TRUE(us_.leads());
  EXPECT_EQ(us_.elector().last_error(), "");
}

TEST_F(LeaseElectorTest, AThrottlingServerIsNotAskedBeforeItSaid) {
  lease_.failure = Error{ErrorKind::Throttled, "slow down", seconds(7)};
  us_.run_for(milliseconds(6'900));
  EXPECT_EQ(us_.requests, 1);
  us_.run_for(milliseconds(200));
  EXPECT_EQ(us_.requests, 2);
}

TEST_F(LeaseElectorTest, ALeaseThatSomebodyKeepsEditingIsNotFoughtOverInAHotLoop) {
  lead();
  const int before = us_.requests;
  us_.clock.advance(seconds(3));
  for (int i = 0; i < 100; ++i) {
    lease_.put(*lease_.object);
    us_.step();
  }
  EXPECT_LE(us_.requests - before, 4);
}

// ---- giving it back ----

TEST_F(LeaseElectorTest, AReleasedLeaseIsTakenAtTheNextLook) {
  Candidate rival(lease_, "pod-b");
  lead();
  rival.settle();
  us_.release();
  EXPECT_FALSE(us_.leads());
  EXPECT_EQ(lease_.holder(), "");
  EXPECT_EQ((*lease_.object)["spec"]["leaseDurationSeconds"], 1);
  rival.run_for(kLeaseLook);
  EXPECT_TRUE(rival.leads());
  EXPECT_EQ(lease_.transitions(), 1);
}

TEST_F(LeaseElectorTest, AStandbyHasNothingToGiveBack) {
  lease_.hold_by("pod-b", "2026-01-01T00:00:00.000000Z");
  us_.settle();
  EXPECT_FALSE(us_.elector().release());
  EXPECT_EQ(lease_.holder(), "pod-b");
}

TEST_F(LeaseElectorTest, ALeaseTakenByAnotherMeanwhileIsNotGivenBackForIt) {
  lead();
  lease_.hold_by("pod-b", "2026-01-01T00:00:00.000000Z");
  us_.release();
  EXPECT_EQ(lease_.holder(), "pod-b");
}

// ---- two of them, with clocks of their own ----

TEST_F(LeaseElectorTest, TwoNeverLeadAtOnceWhateverTheirClocksAndTheServerDo) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    FakeLease lease;
    SeededRandom chance(seed);
    Candidate a(lease, "pod-a");
    Candidate b(lease, "pod-b");
    b.clock.advance(std::chrono::hours(7));
    int led = 0;
    for (int tick = 0; tick < 1200; ++tick) {
      const double draw = chance.uniform();
      if (draw < 0.05) lease.failure = Error{ErrorKind::Unavailable, "reset"};
      if (draw > 0.9) lease.failure.reset();
      lease.answer_lost = chance.uniform() < 0.1;
      a.clock.advance(milliseconds(100));
      b.clock.advance(milliseconds(100));
      // A process that does not run for a while sends nothing, and says nothing.
      if (chance.uniform() < 0.7) a.step();
      if (chance.uniform() < 0.7) b.step();
      ASSERT_FALSE(a.leads() && b.leads()) << "seed " << seed << ", tick " << tick;
      led += a.leads() || b.leads() ? 1 : 0;
    }
    EXPECT_GT(led, 0) << "seed " << seed;
  }
}

}  // namespace
}  // namespace weir
