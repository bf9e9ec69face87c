#include "api/stage_graph.h"

#include <algorithm>
#include <map>

#include "api/placeholders.h"

namespace weir {
namespace {

void add_stages_of(const std::string& text, std::set<std::string>& stages) {
  const auto found = placeholders_in(text);
  if (!found) return;
  for (const auto& placeholder : *found)
    if (placeholder.kind == Placeholder::Kind::Result) stages.insert(placeholder.stage);
}

void add_stages_of(const std::vector<EnvVar>& env, std::set<std::string>& stages) {
  for (const auto& variable : env) add_stages_of(variable.value, stages);
}

// Depth first; `path` is the way from where the search began.
class CycleSearch {
 public:
  explicit CycleSearch(const std::vector<Stage>& stages) {
    for (const auto& stage : stages) before_[stage.name] = stages_before(stage);
  }

  std::vector<std::string> run() {
    for (const auto& [name, before] : before_)
      if (visit(name)) return path_;
    return {};
  }

 private:
  bool visit(const std::string& name) {
    const auto again = std::find(path_.begin(), path_.end(), name);
    if (again != path_.end()) {
      path_.erase(path_.begin(), again);
      path_.push_back(name);
      return true;
    }
    if (!before_.contains(name) || !seen_.insert(name).second) return false;
    path_.push_back(name);
    for (const auto& other : before_.at(name))
      if (visit(other)) return true;
    path_.pop_back();
    return false;
  }

  std::map<std::string, std::set<std::string>> before_;
  std::set<std::string> seen_;
  std::vector<std::string> path_;
};

}  // namespace

std::set<std::string> stages_used_by(const Stage& stage) {
  std::set<std::string> stages;
  for (const auto& rule : stage.when) add_stages_of(rule.input, stages);
  add_stages_of(stage.env, stages);
  for (const auto& step : stage.steps) {
    add_stages_of(step.image, stages);
    add_stages_of(step.env, stages);
  }
  for (const auto& service : stage.services) {
    add_stages_of(service.image, stages);
    add_stages_of(service.env, stages);
  }
  return stages;
}

std::set<std::string> stages_before(const Stage& stage) {
  auto stages = stages_used_by(stage);
  stages.insert(stage.needs.begin(), stage.needs.end());
  return stages;
}

std::vector<std::string> find_cycle(const std::vector<Stage>& stages) {
  return CycleSearch(stages).run();
}

}  // namespace weir
