#include <gtest/gtest.h>

#include <condition_variable>

#include "app/measurer.h"
#include "kube_test_support.h"
#include "runtime_fakes.h"

namespace weir {
namespace {

constexpr seconds kPatience{20};

// Answers each expression with the number of characters of its text; refuses what has a "!" in it. Its first query waits for `go`.
class GatedSource final : public MetricProvider {
 public:
  std::string_view name() const override { return "gated"; }
  bool serves(const MetricSource&) const override { return true; }
  std::string url(const MetricSource& source) const override { return source.name; }
  milliseconds timeout(const MetricSource&) const override { return seconds(5); }
  std::string secret(const MetricSource&) const override { return ""; }

  Result<std::vector<MetricSample>> measure(const std::vector<MetricExpression>& expressions,
                                            HttpClient&, const Deadline&) const override {
    std::unique_lock lock(mutex_);
    queries_.push_back(expressions.size());
    changed_.notify_all();
    changed_.wait_for(lock, kPatience, [this] { return open_; });
    if (failing_) return Error{ErrorKind::Timeout, "no answer"};
    std::vector<MetricSample> samples;
    for (const auto& [role, text] : expressions) {
      if (text.find('!') != std::string::npos) return Error{ErrorKind::Invalid, "parse error: !"};
      samples.push_back({role, "{}", static_cast<double>(text.size()), WallTime(seconds(9))});
    }
    return samples;
  }

  void wait_asked(std::size_t queries) const {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return queries_.size() >= queries; }));
  }
  void go(bool failing = false) const {
    const std::lock_guard lock(mutex_);
    open_ = true;
    failing_ = failing;
    changed_.notify_all();
  }
  std::vector<std::size_t> queries() const {
    const std::lock_guard lock(mutex_);
    return queries_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable bool open_ = false;
  mutable bool failing_ = false;
  mutable std::vector<std::size_t> queries_;  // how many expressions each had
};

// Which releases were woken.
class Woken {
 public:
  void add(const ObjectKey& key) {
    const std::lock_guard lock(mutex_);
    keys_.push_back(key.name);
    changed_.notify_all();
  }
  void wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return keys_.size() >= count; }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> keys_;
};

class MeasurerTest : public testing::Test {
 protected:
  void TearDown() override { pool_.stop(); }

  static EvidenceKey evidence_of(const std::string& release) { return {release, "r1"}; }

  void ask(const std::string& release, const std::string& query, bool alone = false) {
    auto question = std::make_shared<ReleaseQuestion>();
    question->evidence = evidence_of(release);
    question->objective.name = "value";
    question->objective.value.emplace();
    question->objective.value->at_most = 1000;
    question->source.name = "http://prometheus";
    question->expressions = {{std::string(roles::kValue), query}};
    question->alone = alone;
    measurer_.start({{"shop", release}, question});
  }
  ObjectiveEvidence seen(const std::string& release) {
    return book_.read(evidence_of(release)).at("value");
  }

  GatedSource source_;
  Plugins plugins_{{}, {&source_}};
  runtime_test::FakeApi api_;
  SystemClock clock_;
  EvidenceBook book_;
  Metrics metrics_{"test"};
  SourceSecrets secrets_{api_, clock_};
  Woken woken_;
  TaskPool pool_{2};
  Measurer measurer_{
      plugins_,
      book_,
      clock_,
      metrics_,
      secrets_,
      pool_,
      [](const std::string&, const SourceAccess&) -> Result<std::unique_ptr<HttpClient>> {
        return std::unique_ptr<HttpClient>(std::make_unique<kube_test::FakeHttpClient>());
      },
      [this](const ObjectKey& key) { woken_.add(key); }};
};

TEST_F(MeasurerTest, WhatComesWhileASourceIsAskedIsAskedTogether) {
  ask("a", "1");
  source_.wait_asked(1);
  ask("b", "12");
  ask("c", "123");
  source_.go();
  woken_.wait(3);
  EXPECT_EQ(source_.queries(), (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(seen("a").value, 1);
  EXPECT_EQ(seen("b").value, 2);
  EXPECT_EQ(seen("c").value, 3);
  EXPECT_NE(metrics_.text().find(R"(weir_measurements_total{outcome="ok",provider="gated"} 3)"),
            std::string::npos)
      << metrics_.text();
}

TEST_F(MeasurerTest, AWrongQueryIsItsOwnFaultOnly) {
  ask("a", "1");
  source_.wait_asked(1);
  ask("b", "12");
  ask("wrong", "!");
  ask("c", "123");
  source_.go();
  woken_.wait(4);
  EXPECT_EQ(source_.queries(), (std::vector<std::size_t>{1, 3, 1, 1, 1}));
  EXPECT_EQ(seen("b").value, 2);
  EXPECT_EQ(seen("c").value, 3);
  ASSERT_TRUE(seen("wrong").source_error);
  EXPECT_EQ(seen("wrong").source_error->message, "parse error: !");
}

TEST_F(MeasurerTest, WhatTheSourceFailsToAnswerIsAnErrorOfAllThatWereAsked) {
  ask("a", "1");
  source_.wait_asked(1);
  ask("b", "12");
  ask("c", "123");
  source_.go(true);
  woken_.wait(3);
  for (const auto* release : {"a", "b", "c"}) {
    ASSERT_TRUE(seen(release).source_error) << release;
    EXPECT_EQ(seen(release).source_error->kind, ErrorKind::Timeout) << release;
  }
}

TEST_F(MeasurerTest, WhoIsToBeAskedAloneWaitsForNobody) {
  ask("a", "1");
  source_.wait_asked(1);
  ask("alone", "12", true);
  source_.wait_asked(2);
  source_.go();
  woken_.wait(2);
  EXPECT_EQ(seen("alone").value, 2);
}

TEST_F(MeasurerTest, AfterTheStopNobodyWaitsForAnAnswer) {
  pool_.stop();
  ask("a", "1");
  ask("alone", "1", true);
  EXPECT_FALSE(seen("a").waiting);
  EXPECT_FALSE(seen("alone").waiting);
  EXPECT_EQ(seen("a").source_error->kind, ErrorKind::Unavailable);
}

}  // namespace
}  // namespace weir
