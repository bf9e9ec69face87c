#include "sim/world.h"

#include <algorithm>

#include "api/meta.h"
#include "base/json.h"
#include "kube/kinds.h"

namespace weir::sim {
namespace {

std::string revision_label(const Json& object) {
  return json_text(object, {"metadata", "labels", marks::kRevision});
}

std::string name_of(const Json& object) { return json_text(object, {"metadata", "name"}); }

Json condition(std::string_view type, std::int64_t generation) {
  return {{"type", type}, {"status", "True"}, {"observedGeneration", generation}};
}

}  // namespace

void World::tick(milliseconds span) {
  run_replica_sets();
  run_endpoints();
  run_gateway();
  run_callers(span);
  if (clock_.now() >= next_scrape_) scrape();
}

void World::run_replica_sets() {
  const auto now = clock_.now();
  std::map<std::string, std::vector<Pod>> pods;
  for (const auto* set : server_.all(kinds::kReplicaSet)) {
    const auto name = name_of(*set);
    auto& mine = pods[name] = pods_[name];
    const auto wanted = static_cast<std::size_t>(json_int(*set, {"spec", "replicas"}, 1));
    const auto ready_at = now + options_.pod_start;
    const Pod fresh{ready_at, ready_at + seconds(json_int(*set, {"spec", "minReadySeconds"}))};
    mine.resize(wanted, fresh);
    is_bad_[revision_label(*set)] =
        dump_json(json_at(*set, {"spec", "template"})).find("bad") != std::string::npos;
    const auto count = [&](WallTime Pod::*since) {
      return std::count_if(mine.begin(), mine.end(), [&](const Pod& p) { return p.*since <= now; });
    };
    const Json status{{"replicas", mine.size()},
                      {"readyReplicas", count(&Pod::ready_at)},
                      {"availableReplicas", count(&Pod::available_at)}};
    server_.set_status(kinds::kReplicaSet, {kShop.ns, name}, status);
  }
  pods_ = std::move(pods);
}

int World::ready_pods(const std::string& revision) const {
  const auto found = pods_.find(kShop.name + "-" + revision);
  if (found == pods_.end()) return 0;
  return static_cast<int>(
      std::count_if(found->second.begin(), found->second.end(),
                    [&](const Pod& pod) { return pod.ready_at <= clock_.now(); }));
}

void World::run_endpoints() {
  std::vector<Json> wanted;
  for (const auto* service : server_.all(kinds::kService)) {
    Json endpoints = Json::array();
    const auto selected = json_text(*service, {"spec", "selector", marks::kRevision});
    for (int i = 0; i < ready_pods(selected); ++i)
      endpoints.push_back({{"addresses", {"10.0.0.1"}}, {"conditions", {{"ready", true}}}});
    Json labels = json_at(*service, {"metadata", "labels"});
    labels["kubernetes.io/service-name"] = name_of(*service);
    wanted.push_back(
        {{"metadata",
          {{"name", name_of(*service) + "-slice"}, {"namespace", kShop.ns}, {"labels", labels}}},
         {"addressType", "IPv4"},
         {"endpoints", endpoints}});
  }
  for (const auto& slice : wanted) {
    const ObjectKey key{kShop.ns, name_of(slice)};
    if (!server_.find(kinds::kEndpointSlice, key))
      (void)server_.create(kinds::kEndpointSlice, key.ns, slice, false,
                           Deadline(SteadyTime::max()));
    else
      server_.edit(kinds::kEndpointSlice, key,
                   [&](Json& old) { old["endpoints"] = slice["endpoints"]; });
  }
}

void World::run_gateway() {
  const Json* route = server_.find(kinds::kHttpRoute, kShop);
  if (!route) {
    served_.clear();
    seen_generation_ = 0;
    return;
  }
  const auto generation = json_int(*route, {"metadata", "generation"});
  if (generation != seen_generation_) {
    seen_generation_ = generation;
    take_up_at_ = clock_.now() + options_.gateway_lag;
  }
  if (clock_.now() < take_up_at_) return;
  std::map<std::string, int> weights;
  const Json& refs = json_at(*route, {"spec", "rules"}).at(0).at("backendRefs");
  for (const auto& ref : refs) {
    const auto weight = static_cast<int>(json_int(ref, {"weight"}, 1));
    weights[json_text(ref, {"name"}).substr(kShop.name.size() + 1)] = weight;
  }
  if (weights != served_) served_since_ = clock_.now();
  served_ = weights;
  const Json parent{{"conditions", Json::array({condition("Accepted", generation),
                                                condition("ResolvedRefs", generation)})}};
  server_.set_status(kinds::kHttpRoute, kShop, Json{{"parents", Json::array({parent})}});
}

void World::run_callers(milliseconds span) {
  const double sent = options_.requests_per_second * static_cast<double>(span.count()) / 1000;
  for (const auto& [revision, weight] : served_) {
    if (weight == 0) continue;
    const double mine = sent * weight / 100;
    requests_ += mine;
    if (ready_pods(revision) == 0) {
      lost_ += mine;
      continue;
    }
    auto& counters = counters_[revision];
    counters.total += mine;
    if (is_bad_[revision]) counters.bad += mine * options_.bad_rate;
  }
}

void World::scrape() {
  next_scrape_ = clock_.now() + seconds(1);
  for (auto& [revision, counters] : counters_) {
    counters.at = clock_.now();
    scraped_[revision] = counters;
  }
}

std::optional<Counters> World::scraped(const std::string& revision) const {
  const auto found = scraped_.find(revision);
  return found == scraped_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace weir::sim
