#include "cli/lint_advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/time_format.h"
#include "delivery/ports.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, 4> kRates{"rate", "irate", "increase", "delta"};

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
}

// The name of a function that makes a rate of a counter; "" when the query calls none.
std::string_view called_rate(std::string_view query) {
  for (const auto name : kRates) {
    for (auto at = query.find(name); at != std::string_view::npos; at = query.find(name, at + 1)) {
      const bool whole = at == 0 || !is_word_character(query[at - 1]);
      const auto after = query.find_first_not_of(' ', at + name.size());
      if (whole && after != std::string_view::npos && query[after] == '(') return name;
    }
  }
  return "";
}

bool names_revision(const std::string& query) {
  return query.find("$(service)") != std::string::npos ||
         query.find("$(revision)") != std::string::npos;
}

void advise_ratio(const RatioObjective& ratio, const std::string& path,
                  std::vector<Advice>& advice) {
  if (ratio.preset) {
    if (auto text = bucket_advice(*ratio.preset); !text.empty())
      advice.push_back({path + ".ratio.preset.threshold", std::move(text)});
    return;
  }
  for (const auto& [name, query] :
       {std::pair("badQuery", &ratio.queries.bad), std::pair("goodQuery", &ratio.queries.good),
        std::pair("totalQuery", &ratio.queries.total)}) {
    if (query->empty()) continue;
    if (const auto rate = called_rate(*query); !rate.empty())
      advice.push_back({fmt::format("{}.ratio.{}", path, name),
                        fmt::format("{}() makes a rate of the counter; Weir counts the requests "
                                    "itself and needs the counter as it is",
                                    rate)});
    if (!names_revision(*query))
      advice.push_back({fmt::format("{}.ratio.{}", path, name),
                        "names neither $(service) nor $(revision): it counts the requests of all "
                        "revisions, and each is judged by them"});
  }
}

// With no margin only a better canary is ever shown to be no worse.
void advise_unsure(const Objective& objective, const std::string& path,
                   std::vector<Advice>& advice) {
  const auto& margin = objective.ratio->versus_stable;
  if (!margin || margin->times > 1 || margin->plus > 0 || objective.on_unsure != WhenUnsure::Hold)
    return;
  advice.push_back({path + ".onUnsure",
                    "Hold waits until the canary is shown to be no worse than stable; without a "
                    "margin one that is as good never is, and a person is asked: give "
                    "versusStable.atMostTimes or plusAtMost"});
}

// The first step whose hold is shorter than `needed`; the last has none after which to go on.
const PolicyStep* first_too_short(const CanaryPolicySpec& policy, milliseconds needed) {
  if (policy.steps.empty()) return nullptr;
  const auto end = policy.steps.end() - 1;
  const auto found = std::find_if(policy.steps.begin(), end,
                                  [&](const PolicyStep& step) { return step.hold < needed; });
  return found == end ? nullptr : &*found;
}

void advise_holds(const CanaryPolicySpec& policy, const Objective& objective,
                  const std::string& path, std::vector<Advice>& advice) {
  const auto& judge = policy.judge;
  const auto interval = objective.value ? objective.value->interval : judge.interval;
  const auto* blind = first_too_short(policy, judge.warmup + interval);
  if (blind != nullptr && objective.on_no_data != WhenNoData::Hold) {
    const bool back = objective.on_no_data == WhenNoData::Rollback;
    advice.push_back(
        {path + ".onNoData",
         fmt::format("the hold of {} at {} % ends before the first judged sample (warmup {}, then "
                     "every {}): {}",
                     format_duration(blind->hold), blind->weight, format_duration(judge.warmup),
                     format_duration(interval),
                     back ? "every release is rolled back there" : "the step is never judged")});
  }
  if (!objective.value) return;
  const auto needed = judge.warmup + interval * objective.value->fail_after;
  const auto* hasty = first_too_short(policy, needed);
  if (hasty != nullptr && objective.on_unsure == WhenUnsure::Advance)
    advice.push_back(
        {path + ".value.failAfter",
         fmt::format("{} samples, one every {}, after a warmup of {} take {}: the hold of {} at {} "
                     "% is over before they can fail",
                     objective.value->fail_after, format_duration(interval),
                     format_duration(judge.warmup), format_duration(needed),
                     format_duration(hasty->hold), hasty->weight)});
}

// A tag that a registry may move to another image, or none, which means latest.
bool is_moving(const std::string& image) {
  if (image.find('@') != std::string::npos) return false;
  const auto name = image.substr(image.rfind('/') == std::string::npos ? 0 : image.rfind('/') + 1);
  const auto colon = name.find(':');
  return colon == std::string::npos || name.substr(colon + 1) == "latest";
}

void advise_image(const std::string& image, std::string path, std::vector<Advice>& advice) {
  if (is_moving(image))
    advice.push_back({std::move(path), fmt::format("{} may become another image without a new "
                                                   "revision, and is then neither released step "
                                                   "by step nor taken back: name a version",
                                                   image)});
}

constexpr int kFarOff = 5;  // percent points between a step and what whole pods make of it

// "5 % is 1 of 5 pods (20 %)" for each step that whole pods do not come near.
std::string steps_far_off(int replicas, const CanaryPolicySpec& policy) {
  std::string text;
  for (const auto& step : policy.steps) {
    if (step.weight == 100 || replicas == 0) continue;
    const int pods = pods_of_share(step.weight, replicas, replicas);
    const int all = pods + replicas;
    const int percent = (pods * 100 + all / 2) / all;
    if (std::abs(percent - step.weight) > kFarOff)
      text += fmt::format("{}{} % is {} of {} pods ({} %)", text.empty() ? "" : ", ", step.weight,
                          pods, all, percent);
  }
  return text;
}

bool has_port_named(const Json& containers, const std::string& name) {
  return std::any_of(containers.begin(), containers.end(), [&](const Json& container) {
    const Json& ports = json_at(container, {"ports"});
    return std::any_of(ports.begin(), ports.end(),
                       [&](const Json& port) { return json_text(port, {"name"}) == name; });
  });
}

}  // namespace

std::vector<Advice> policy_advice(const CanaryPolicySpec& policy) {
  std::vector<Advice> advice;
  if (policy.objectives.empty())
    advice.push_back(
        {"spec.objectives", "none: every release goes to 100 %, whatever happens to its callers"});
  for (std::size_t i = 0; i < policy.objectives.size(); ++i) {
    const auto& objective = policy.objectives[i];
    const auto path = fmt::format("spec.objectives[{}]", i);
    if (objective.ratio) advise_ratio(*objective.ratio, path, advice);
    if (objective.ratio) advise_unsure(objective, path, advice);
    advise_holds(policy, objective, path, advice);
  }
  return advice;
}

std::vector<Advice> release_advice(const ReleaseSpec& release) {
  std::vector<Advice> advice;
  const auto pod_template = parse_json(release.template_text);
  if (!pod_template) return advice;
  const Json& containers = json_at(*pod_template, {"spec", "containers"});
  bool probed = false;
  for (std::size_t i = 0; i < containers.size(); ++i) {
    probed = probed || containers[i].contains("readinessProbe");
    const auto name = json_text(containers[i], {"name"});
    const auto over = std::find_if(release.images.begin(), release.images.end(),
                                   [&](const auto& image) { return image.container == name; });
    if (over == release.images.end())
      advise_image(json_text(containers[i], {"image"}),
                   fmt::format("spec.template.spec.containers[{}].image", i), advice);
  }
  for (std::size_t i = 0; i < release.images.size(); ++i)
    advise_image(release.images[i].image, fmt::format("spec.images[{}].image", i), advice);
  if (!probed)
    advice.push_back({"spec.template.spec.containers",
                      "none has a readinessProbe: a pod counts as ready as soon as it runs"});
  for (std::size_t i = 0; i < release.service.ports.size(); ++i) {
    const auto& target = release.service.ports[i].target_port;
    const bool is_name = target.find_first_not_of("0123456789") != std::string::npos;
    if (is_name && !has_port_named(containers, target))
      advice.push_back({fmt::format("spec.service.ports[{}].targetPort", i),
                        fmt::format("no container has a port named {}", target)});
  }
  return advice;
}

std::vector<Advice> joint_advice(const ReleaseSpec& release, const CanaryPolicySpec& policy) {
  std::vector<Advice> advice;
  if (release.traffic.type != TrafficType::Replicas) return advice;
  if (const auto steps = steps_far_off(release.replicas, policy); !steps.empty())
    advice.push_back({"spec.traffic.type",
                      fmt::format("with Replicas a share is a number of pods beside the {} of "
                                  "stable: {}",
                                  release.replicas, steps)});
  for (const auto& objective : policy.objectives) {
    if (!objective.ratio || !objective.ratio->preset) continue;
    const auto dialect = objective.ratio->preset->dialect;
    if (dialect == Dialect::Traefik || dialect == Dialect::Istio)
      advice.push_back({"spec.traffic.type",
                        fmt::format("with Replicas no gateway knows the revisions: objective {} "
                                    "counts nothing with its preset; use dialect Http or queries "
                                    "of the application's own metrics",
                                    objective.name)});
  }
  return advice;
}

}  // namespace weir
