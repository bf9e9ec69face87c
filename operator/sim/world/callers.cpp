#include "sim/world/callers.h"

#include <algorithm>

#include "api/meta.h"
#include "kube/kinds.h"
#include "sim/world/endpoints.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

constexpr std::size_t kMaxScrapes = 300;  // that are kept
constexpr double kInsidePerSecond = 10;   // calls through spec.service

// bad-…, as image or as content: from the start; ages-…: once a pod has been ready for a while. (worse-… is another matter.)
bool is_bad(const SimClock& clock, const Json& pod) {
  constexpr SimTime kAges = seconds(15);
  const auto image = image_of(pod);
  if (image.rfind("ages-", 0) == 0) {
    const auto ready = ready_since(clock, pod);
    return ready && clock.elapsed() - *ready >= kAges;
  }
  return image.rfind("bad-", 0) == 0 || is_bad_content(config_seen_by(pod).value_or(""));
}

}  // namespace

std::optional<SimTime> Callers::reconcile() {
  count();
  if (next_reset_ && scene_.now() >= *next_reset_) {
    counters_.clear();
    next_reset_ = scene_.next_after(scene_.faults.counter_reset_gap);
  }
  look();
  if (scene_.now() >= next_scrape_) scrape();
  return next_scrape_;  // and pods have grown older by then
}

void Callers::count() {
  const double span = std::chrono::duration<double>(scene_.now() - counted_).count();
  counted_ = scene_.now();
  for (const auto& [service, stream] : streams_) {
    const double sent = stream.per_second * span;
    requests_ += sent;
    if (!stream.served) {
      if (!stream.excused && sent > 0) lost_[service] += sent;
      continue;
    }
    if (!stream.counted) continue;
    auto& counters = counters_[service];
    const auto more = answered(sent, stream.bad_rate);
    counters.total += more.total;
    counters.bad += more.bad;
  }
}

Counters Callers::answered(double sent, double bad_rate) const {
  if (!scene_.options.by_chance) return {sent * bad_rate, sent};
  const int bad = scene_.poisson(sent * bad_rate);
  return {1.0 * bad, 1.0 * bad + scene_.poisson(sent * (1 - bad_rate))};
}

void Callers::look() {
  streams_.clear();
  for (const auto& [route, served] : gateway_.served()) {
    if (!scene_.server.find(kinds::kHttpRoute, route)) continue;
    for (const auto& [service, weight] : served.weights) {
      if (weight > 0) streams_[service] = stream_to({route.ns, service}, weight / 100.0);
    }
  }
  for (const auto& service : scene_.server.all(kinds::kService)) {
    const bool called = !json_text(*service, {"metadata", "labels", kCalled}).empty();
    if (!called && json_text(*service, {"metadata", "labels", marks::kRole}) != "callers") continue;
    if (is_callers_route(*service) && !scene_.server.find(kinds::kHttpRoute, key_of(*service)))
      share_out(*service);
    auto stream = stream_to(key_of(*service), 1);
    if (called) stream.excused = !counts_on(key_of(*service), stream);
    stream.per_second = kInsidePerSecond;
    stream.counted = false;
    stream.excused = stream.excused || is_excused(*service);
    streams_["inside " + json_text(*service, {"metadata", "name"})] = stream;
  }
}

void Callers::share_out(const Json& service) {
  const auto key = key_of(service);
  std::map<std::string, int> ready;  // by the revision's Service
  int all = 0;
  for (const auto& pod : pods_of(scene_.server, service)) {
    const auto revision = json_text(*pod, {"metadata", "labels", marks::kRevision});
    ready[key.name + "-" + revision] = 0;
  }
  for (auto& [name, count] : ready) {
    count = ready_endpoints(scene_.server, {key.ns, name});
    all += count;
  }
  for (const auto& [name, count] : ready) {
    if (count > 0) streams_[name] = stream_to({key.ns, name}, 1.0 * count / all);
  }
}

// The world has taken pods of one of the revisions away that it selects.
bool Callers::is_excused(const Json& service) const {
  const auto sets = scene_.server.all(kinds::kReplicaSet);
  return std::any_of(sets.begin(), sets.end(), [&](const auto& set) {
    const Json& labels = json_at(*set, {"metadata", "labels"});
    return selects(json_at(service, {"spec", "selector"}), *set) &&
           scene_.now() < kubelet_.disturbed_until(json_text(labels, {marks::kRevision}));
  });
}

bool Callers::counts_on(const ObjectKey& service, const Stream& stream) {
  if (stream.served) begun_.insert(service);
  return begun_.contains(service);
}

Callers::Stream Callers::stream_to(const ObjectKey& service, double share) const {
  Stream stream;
  stream.per_second = scene_.options.requests_per_second * share;
  stream.served = ready_endpoints(scene_.server, service) > 0;
  const Json* object = scene_.server.find(kinds::kService, service);
  const Json selector = object ? json_at(*object, {"spec", "selector"}) : Json();
  // A Service that somebody deleted still tells by its name whose it was.
  const auto revision = object ? json_text(selector, {marks::kRevision})
                               : service.name.substr(service.name.rfind('-') + 1);
  // Nobody may expect an answer of what has been deleted.
  const bool release_gone =
      object && !scene_.server.find(
                    kinds::kRelease,
                    {service.ns, json_text(*object, {"metadata", "labels", marks::kRelease})});
  stream.excused = release_gone || scene_.now() < kubelet_.disturbed_until(revision);
  stream.bad_rate = std::max(scene_.options.good_rate, suffered_);
  if (!object) return stream;
  for (const auto& pod : pods_of(scene_.server, *object))
    stream.bad_rate = std::max(stream.bad_rate, bad_rate_of(*pod));
  return stream;
}

double Callers::bad_rate_of(const Json& pod) const {
  if (is_bad(scene_.clock, pod)) return scene_.options.bad_rate;
  return image_of(pod).starts_with("worse-") ? scene_.options.worse_rate : 0;
}

void Callers::suffer(double bad_rate) {
  count();
  suffered_ = bad_rate;
  look();
}

void Callers::scrape() {
  scrapes_.push_back({scene_.now(), counters_});
  if (scrapes_.size() > kMaxScrapes) scrapes_.pop_front();
  next_scrape_ = scene_.now() + scene_.options.scrape_interval;
}

const Callers::Scrape& Callers::scraped_at(SimTime time) const {
  const auto later =
      std::upper_bound(scrapes_.begin(), scrapes_.end(), time,
                       [](SimTime wanted, const Scrape& scrape) { return wanted < scrape.at; });
  return later == scrapes_.begin() ? *later : *std::prev(later);
}

}  // namespace weir::sim
