#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/placeholders.h"
#include "api/stage_graph.h"
#include "api/stage_readers.h"

namespace weir {
namespace {

using What = Placeholder::Kind;

// Holds the references of one pipeline against what it has.
class ReferenceCheck {
 public:
  ReferenceCheck(const FieldReader& spec, const PipelineSpec& pipeline)
      : spec_(spec), pipeline_(pipeline) {}

  void run() {
    if (pipeline_.concurrency) check_group();
    check_list("stages", pipeline_.stages);
    check_list("finally", pipeline_.finally);
    check_whole();
  }

 private:
  const Stage* find(const std::string& name) const {
    const auto found = std::find_if(pipeline_.stages.begin(), pipeline_.stages.end(),
                                    [&](const Stage& stage) { return stage.name == name; });
    return found == pipeline_.stages.end() ? nullptr : &*found;
  }

  void check_group() {
    const auto item = spec_.object("concurrency");
    const auto found = placeholders_in(pipeline_.concurrency->group);
    if (!found) {
      item.refuse("group", "without unknown placeholders: " + found.error().message);
      return;
    }
    for (const auto& placeholder : *found) {
      const bool early = placeholder.kind != What::Matrix && placeholder.kind != What::Result &&
                         placeholder.kind != What::Outcome && placeholder.kind != What::Run;
      if (!early)
        item.refuse("group", fmt::format("of what is known before a run begins, which {} is not",
                                         to_string(placeholder)));
      else
        check_known(item, "group", placeholder, nullptr);
    }
  }

  void check_list(std::string_view field, const std::vector<Stage>& stages) {
    const auto items = spec_.list(field, {0, static_cast<std::int64_t>(stages.size())});
    in_finally_ = field == "finally";
    for (std::size_t i = 0; i < items.size(); ++i) {
      check_needs(items[i], stages[i]);
      check_placeholders(items[i], stages[i]);
    }
  }

  void check_needs(const FieldReader& item, const Stage& stage) {
    if (in_finally_ && find(stage.name)) item.refuse("name", "not that of one of spec.stages");
    for (const auto& need : stage.needs)
      if (!find(need)) item.refuse("needs", fmt::format("names of stages; {} is none", need));
  }

  void check_placeholders(const FieldReader& item, const Stage& stage) {
    const auto rules = item.list("when", {0, static_cast<std::int64_t>(stage.when.size())});
    for (std::size_t i = 0; i < rules.size(); ++i) {
      in_when_ = true;
      check_text(rules[i], "input", stage.when[i].input, stage);
      in_when_ = false;
    }
    check_env(item, stage.env, stage);
    const auto steps = item.list("steps", {0, static_cast<std::int64_t>(stage.steps.size())});
    for (std::size_t i = 0; i < steps.size(); ++i) {
      check_text(steps[i], "image", stage.steps[i].image, stage);
      check_env(steps[i], stage.steps[i].env, stage);
    }
    const auto services =
        item.list("services", {0, static_cast<std::int64_t>(stage.services.size())});
    for (std::size_t i = 0; i < services.size(); ++i) {
      check_text(services[i], "image", stage.services[i].image, stage);
      check_env(services[i], stage.services[i].env, stage);
    }
  }

  void check_env(const FieldReader& of, const std::vector<EnvVar>& env, const Stage& stage) {
    const auto items = of.list("env", {0, static_cast<std::int64_t>(env.size())});
    for (std::size_t i = 0; i < items.size(); ++i)
      check_text(items[i], "value", env[i].value, stage);
  }

  void check_text(const FieldReader& item, std::string_view field, const std::string& text,
                  const Stage& stage) {
    const auto found = placeholders_in(text);
    if (!found) {
      item.refuse(field, "without unknown placeholders: " + found.error().message);
      return;
    }
    for (const auto& placeholder : *found) check_known(item, field, placeholder, &stage);
  }

  void check_known(const FieldReader& item, std::string_view field, const Placeholder& placeholder,
                   const Stage* stage) {
    if (const auto why = why_unknown(placeholder, stage); !why.empty())
      item.refuse(field, fmt::format("without {}: {}", to_string(placeholder), why));
  }

  std::string why_unknown(const Placeholder& placeholder, const Stage* stage) const {
    switch (placeholder.kind) {
      case What::Run:
      case What::Pipeline:
      case What::Namespace: return "";
      case What::Commit: return pipeline_.source ? "" : "the pipeline has no source";
      case What::Outcome: return in_finally_ ? "" : "only stages of finally know it";
      case What::Param: return has_param(placeholder.name) ? "" : "it is none of spec.params";
      case What::Matrix: return why_no_axis(placeholder.name, stage);
      case What::Result: return why_no_result(placeholder, stage);
    }
    return "";
  }

  bool has_param(const std::string& name) const {
    return std::any_of(pipeline_.params.begin(), pipeline_.params.end(),
                       [&](const auto& param) { return param.name == name; });
  }

  std::string why_no_axis(const std::string& name, const Stage* stage) const {
    if (in_when_) return "`when` is asked once for all combinations";
    if (!stage || !stage->matrix) return "the stage has no matrix";
    const auto& axes = stage->matrix->axes;
    const bool known =
        std::any_of(axes.begin(), axes.end(), [&](const Axis& axis) { return axis.name == name; });
    return known ? "" : "the matrix has no such axis";
  }

  std::string why_no_result(const Placeholder& placeholder, const Stage* stage) const {
    if (stage && stage->name == placeholder.stage) return "it is the stage's own";
    const auto* from = find(placeholder.stage);
    if (!from) return "there is no such stage";
    if (from->matrix) return "the stage has a matrix, and each combination its own results";
    const bool known = std::find(from->results.begin(), from->results.end(), placeholder.name) !=
                       from->results.end();
    return known ? "" : "it is none of the stage's results";
  }

  // The list itself would be too long to show.
  void check_whole() {
    const auto cycle = find_cycle(pipeline_.stages);
    if (!cycle.empty())
      spec_.refuse_this(
          fmt::format("found the cycle {}, must be stages that do not wait for "
                      "themselves",
                      fmt::join(cycle, " -> ")));
    std::size_t instances = 0;
    for (const auto* list : {&pipeline_.stages, &pipeline_.finally})
      for (const auto& stage : *list)
        instances += stage.matrix ? combinations(*stage.matrix).size() : 1;
    if (instances > kMaxInstances)
      spec_.refuse_this(
          fmt::format("found {} stages with each combination counted, must be at "
                      "most {}",
                      instances, kMaxInstances));
  }

  const FieldReader& spec_;
  const PipelineSpec& pipeline_;
  bool in_finally_ = false;
  bool in_when_ = false;
};

}  // namespace

void check_references(const FieldReader& spec, const PipelineSpec& pipeline) {
  ReferenceCheck(spec, pipeline).run();
}

}  // namespace weir
