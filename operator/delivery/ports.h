// The plug-in interfaces. A new router or metric source is one file in plugins/ and one line in plugins/all.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/canary_policy.h"
#include "api/release.h"
#include "api/views.h"
#include "base/deadline.h"
#include "base/result.h"
#include "net/http.h"
#include "runtime/plan.h"

namespace weir {

struct Backend {
  std::string revision;
  std::string service;
  int weight = 0;  // percent; all of a route sum to 100
  bool operator==(const Backend&) const = default;
};

// What a route says now.
struct RouteState {
  bool exists = false;
  bool accepted =
      false;  // by the data plane, in its present generation, with all references resolved
  std::string not_accepted;  // why not, in the data plane's words
  std::vector<Backend> backends;
  std::string memo;      // the text we gave with `backends`, written in the same write
  bool pending = false;  // not accepted, since nobody has looked at the present generation yet
};

struct RouteGoal {
  std::vector<Backend> backends;
  std::string memo;
  // The callers' Service as it is when one revision serves alone, for a router whose route it is; null while the spec cannot be read.
  Json callers_service{};
};

// Where pods are the share: the most pods of a canary, beside those of stable, whose share is not above `weight` percent; one, where
// even a single pod is more; never more than `replicas`.
int pods_of_share(int weight, int replicas, int stable);

// Moves traffic by the weights of one route object that the Release owns. Stateless and pure: it never does I/O itself.
class TrafficRouter {
 public:
  virtual ~TrafficRouter() = default;
  virtual TrafficType type() const = 0;
  virtual Kind kind() const = 0;  // of the route object

  // True: the callers' Service is the route, and while a canary has a share every ready pod of the Release has an equal part in
  // it, whatever its revision. The number of pods is the weight.
  virtual bool shares_by_pods() const { return false; }

  // Pods that a revision needs for `weight` percent of the traffic. `replicas`: for all of it; `stable`: those that the other one keeps.
  virtual int pods_for(int weight, int replicas, int stable) const;

  // `route` may be null: there is none.
  virtual RouteState state(const RawObject* route) const = 0;

  // The one write that makes the route say `goal`, or nothing when it does. `guarded`: refuse it if the route has changed since.
  // While the Release's spec cannot be read, or asks for another router, the weights of the route as it is.
  // Error: Invalid, naming the field of the Release.
  virtual Result<std::optional<Action>> plan(const Release& release, const RouteGoal& goal,
                                             const RawObject* route, bool guarded) const = 0;
};

// One series of an answer.
struct MetricSample {
  std::string role;    // of the expression it answers
  std::string series;  // its labels, canonical
  double value = 0;    // never NaN nor infinite: such samples are left out
  WallTime at{};       // the sample's own time where the source tells it, else the evaluation's
};

struct MetricExpression {
  std::string role;
  std::string text;  // in the source's query language, placeholders filled in
};

struct HistorySpan {
  WallTime from{};
  WallTime to{};
};

inline constexpr std::size_t kMaxSeries = 1000;  // per answer and revision

// That the answer to these may have: two expressions tell of one revision.
std::size_t most_series(const std::vector<MetricExpression>& expressions);
Error too_many_series();  // Invalid

// Asks a metric source. Stateless; thread-safe.
class MetricProvider {
 public:
  virtual ~MetricProvider() = default;
  virtual std::string_view name() const = 0;
  virtual bool serves(const MetricSource& source) const = 0;
  virtual std::string url(const MetricSource& source) const = 0;
  virtual milliseconds timeout(const MetricSource& source) const = 0;
  // Of the Secret with the credentials that `http` is to be made with; "" = none.
  virtual std::string secret(const MetricSource& source) const = 0;

  // All expressions are evaluated at the same instant. An empty answer is an answer. Errors: those of HttpClient, Invalid (the
  // source refuses the query, in its words, or answers with more than most_series), Forbidden, Parse.
  virtual Result<std::vector<MetricSample>> measure(
      const std::vector<MetricExpression>& expressions, HttpClient& http,
      const Deadline& deadline) const = 0;

  // What `measure` would have been told at the beginning of a span and each `step` later, oldest first. A source that keeps nothing
  // has none.
  virtual Result<std::vector<std::vector<MetricSample>>> measure_span(
      const std::vector<MetricExpression>& /*expressions*/, const HistorySpan& /*span*/,
      milliseconds /*step*/, HttpClient& /*http*/, const Deadline& /*deadline*/) const {
    return std::vector<std::vector<MetricSample>>{};
  }

  // The sum of all series of each expression, each minute of a span; minutes without series are left out. A source that keeps
  // nothing has none.
  virtual Result<std::vector<MetricSample>> history(
      const std::vector<MetricExpression>& /*expressions*/, const HistorySpan& /*span*/,
      HttpClient& /*http*/, const Deadline& /*deadline*/) const {
    return std::vector<MetricSample>{};
  }
};

struct Plugins {
  std::vector<const TrafficRouter*> routers;
  std::vector<const MetricProvider*> providers;

  const TrafficRouter* router(TrafficType type) const;
  const MetricProvider* provider(const MetricSource& source) const;
};

}  // namespace weir
