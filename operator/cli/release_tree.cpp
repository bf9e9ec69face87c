#include "cli/release_tree.h"

#include <fmt/format.h>

#include <vector>

#include "api/codec.h"

namespace weir {
namespace {

constexpr int kBarWidth = 20;  // characters

std::string bar(int percent) {
  const int full = (percent * kBarWidth + 50) / 100;
  std::string result;
  for (int i = 0; i < kBarWidth; ++i) result += i < full ? "█" : "░";
  return result;
}

int weight_of(const ReleaseStatus& status, const std::string& revision) {
  for (const auto& weight : status.weights) {
    if (weight.revision == revision) return weight.weight;
  }
  return 0;
}

std::string row(const ReleaseStatus& status, std::string_view role, const std::string& revision,
                int ready, int replicas) {
  const int weight = weight_of(status, revision);
  return fmt::format("{:<9} {}  {} {:>3} %  {}/{} pods ready", role, revision, bar(weight), weight,
                     ready, replicas);
}

std::vector<std::string> rows(const ReleaseStatus& status) {
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
  const bool judged = status.canary || (status.promotion && status.promotion->watch_until);
  for (const auto& judgement : status.judgement) {
    if (judged)
      result.push_back(fmt::format("{:<9} {}: {}: {}", "judge", judgement.objective,
                                   judgement.verdict, judgement.message));
  }
  return result;
}

}  // namespace

std::string release_tree(const Release& release, bool with_namespace) {
  const ReleaseStatus& status = release.status;
  std::string text =
      fmt::format("{}  {}", with_namespace ? to_string(release.meta.key) : release.meta.key.name,
                  to_string(status.phase));
  if (status.canary) text += fmt::format("  step {}/{}", status.canary->step, status.canary->steps);
  text += "\n";
  const auto lines = rows(status);
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
