#include "cli/release_tree.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "api/codec.h"
#include "base/json.h"
#include "cli/output.h"

namespace weir {
namespace {

constexpr int kBarWidth = 20;  // characters
constexpr std::string_view kByPods =
    "Replicas: shares are whole pods, callers inside the cluster take part";

std::string bar(int percent) {
  const int full = (percent * kBarWidth + 50) / 100;
  std::string result;
  for (int i = 0; i < kBarWidth; ++i) result += i < full ? "█" : "░";
  return result;
}

std::string row(const ReleaseStatus& status, std::string_view role, const std::string& revision,
                int ready, int replicas) {
  const int weight = weight_of(status, revision);
  return fmt::format("{:<9} {}  {} {:>3} %  {}/{} pods ready", role, revision, bar(weight), weight,
                     ready, replicas);
}

std::vector<std::string> rows(const ReleaseStatus& status, bool by_pods) {
  std::vector<std::string> result;
  if (status.stable)
    result.push_back(row(status, "stable", status.stable->revision, status.stable->ready,
                         status.stable->replicas));
  if (status.canary)
    result.push_back(row(status, "canary", status.canary->revision, status.canary->ready,
                         status.canary->replicas));
  if (status.promotion)
    result.push_back(fmt::format("{:<9} {}  {} {:>3} %", "previous", status.promotion->previous,
                                 bar(weight_of(status, status.promotion->previous)),
                                 weight_of(status, status.promotion->previous)));
  if (by_pods) result.push_back(fmt::format("{:<9} {}", "router", kByPods));
  const bool judged = status.canary || (status.promotion && status.promotion->watch_until);
  for (const auto& judgement : status.judgement) {
    if (judged)
      result.push_back(fmt::format("{:<9} {}: {}: {}", "judge", judgement.objective,
                                   judgement.verdict, judgement.message));
  }
  return result;
}

}  // namespace

int weight_of(const ReleaseStatus& status, const std::string& revision) {
  for (const auto& weight : status.weights) {
    if (weight.revision == revision) return weight.weight;
  }
  return 0;
}

std::vector<std::string> images_of(const Release& release) {
  std::vector<std::string> images;
  if (!release.spec) return images;
  const auto pod_template = parse_json(release.spec->template_text);
  if (!pod_template) return images;
  for (const Json& container : json_at(*pod_template, {"spec", "containers"})) {
    auto image = json_text(container, {"image"});
    for (const auto& over : release.spec->images)
      if (over.container == json_text(container, {"name"})) image = over.image;
    if (!image.empty()) images.push_back(std::move(image));
  }
  return images;
}

std::string release_tree(const Release& release, const TreeLook& look) {
  const ReleaseStatus& status = release.status;
  std::string text = fmt::format(
      "{}  {}", look.with_namespace ? to_string(release.meta.key) : release.meta.key.name,
      paint(to_string(status.phase), status.phase, look.colour));
  if (status.canary) text += fmt::format("  step {}/{}", status.canary->step, status.canary->steps);
  text += "\n";
  const bool by_pods = release.spec && release.spec->traffic.type == TrafficType::Replicas;
  auto lines = rows(status, by_pods);
  if (look.wide && release.spec) {
    lines.push_back(fmt::format("{:<9} {}", "policy", release.spec->policy));
    for (const auto& image : images_of(release))
      lines.push_back(fmt::format("{:<9} {}", "image", image));
  }
  for (const auto& line : lines) text += fmt::format("├─ {}\n", line);
  return text + fmt::format("└─ {}\n", status.message.empty() ? "not seen by the operator yet"
                                                              : status.message);
}

std::string release_line(const Release& release) {
  const ReleaseStatus& status = release.status;
  std::string where;
  if (status.canary)
    where = fmt::format(" step {}/{} canary {} %", status.canary->step, status.canary->steps,
                        weight_of(status, status.canary->revision));
  return fmt::format("{} {}{} {}", release.meta.key.name, to_string(status.phase), where,
                     status.message);
}

}  // namespace weir
