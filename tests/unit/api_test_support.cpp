#include "unit/api_test_support.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "api/codec.h"
#include "kube/yaml_json.h"

namespace weir::api_test {
namespace {

bool is_integer(const std::string& text) {
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  return text.size() > first &&
         std::all_of(text.begin() + static_cast<std::ptrdiff_t>(first), text.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::vector<std::string> tokens_of(const std::string& pointer) {
  std::vector<std::string> tokens;
  for (std::size_t at = 0; at < pointer.size();) {
    const auto next = std::min(pointer.find('/', at + 1), pointer.size());
    tokens.push_back(pointer.substr(at + 1, next - at - 1));
    at = next;
  }
  return tokens;
}

std::string join_pointer(const std::string& pointer, bool with_index) {
  std::string path;
  for (const auto& token : tokens_of(pointer)) {
    if (is_integer(token))
      path += with_index ? "[" + token + "]" : "[]";
    else
      path += path.empty() ? token : "." + token;
  }
  return path;
}

std::string describe(const Objective& objective) {
  std::string text =
      fmt::format("objective {} {} {} {} {}", objective.name, static_cast<int>(objective.severity),
                  objective.source, static_cast<int>(objective.on_no_data),
                  static_cast<int>(objective.on_unsure));
  if (const auto& ratio = objective.ratio) {
    text += fmt::format(" ratio {} {} {} {}", ratio->queries.bad, ratio->queries.good,
                        ratio->queries.total, ratio->at_most.value_or(0));
    if (const auto& margin = ratio->versus_stable)
      text += fmt::format(" versus {} {}", margin->times, margin->plus);
  }
  if (objective.value)
    text += fmt::format(" value {} {} {} {}", objective.value->query, objective.value->at_most,
                        objective.value->interval.count(), objective.value->fail_after);
  return text + "\n";
}

std::string describe(const std::vector<EnvVar>& env) {
  std::string text;
  for (const auto& v : env)
    text += fmt::format("env {} {} {} {} {}\n", v.name, static_cast<int>(v.from), v.value, v.object,
                        v.key);
  return text;
}

std::string describe(const std::vector<Combination>& combinations) {
  std::string text;
  for (const auto& combination : combinations) text += " " + to_string(combination);
  return text + "\n";
}

std::string describe(const Matrix& matrix) {
  std::string text = fmt::format("matrix {} {}\n", matrix.max_parallel, matrix.fail_fast);
  for (const auto& axis : matrix.axes)
    text += fmt::format("axis {} {}\n", axis.name, fmt::join(axis.values, ","));
  return text + describe(matrix.include) + describe(matrix.exclude);
}

std::string describe(const PodOverrides& pod) {
  std::string text =
      fmt::format("pod {} {} {} {} {}", pod.run_as_user, pod.run_as_group, pod.tolerations_text,
                  fmt::join(pod.image_pull_secrets, ","), pod.priority_class);
  for (const auto& [name, value] : pod.node_selector) text += fmt::format(" {}={}", name, value);
  return text + "\n";
}

std::string describe(const Step& s) {
  return fmt::format("step {} {} {} {} {} {} {} {}\n", s.name, s.image, fmt::join(s.command, " "),
                     fmt::join(s.args, " "), s.script, s.working_dir, s.resources_text,
                     s.timeout.value_or(milliseconds(0)).count()) +
         describe(s.env);
}

std::string describe(const StageService& s) {
  return fmt::format("service {} {} {} {} {} {}\n", s.name, s.image, fmt::join(s.command, " "),
                     fmt::join(s.args, " "), s.resources_text, s.ready_port.value_or(0)) +
         describe(s.env);
}

std::string describe(const Stage& stage) {
  std::string text =
      fmt::format("stage {} {} {} {} {} {} {} {} {}\n", stage.name, fmt::join(stage.needs, ","),
                  stage.retry.attempts, stage.checks_out, stage.restartable, stage.timeout.count(),
                  stage.no_output_timeout.value_or(milliseconds(0)).count(),
                  fmt::join(stage.results, ","), stage.mounts_token);
  for (const auto& report : stage.reports) {
    text += fmt::format("report {} {} {}\n", report.name, to_string(report.kind), report.path);
    for (const auto& bound : report.bounds)
      text += fmt::format("bound {} {} {}\n", bound.figure, bound.at_least.value_or(-1),
                          bound.at_most.value_or(-1));
  }
  for (const auto failure : stage.retry.classes) text += fmt::format("{} ", to_string(failure));
  for (const auto& rule : stage.when)
    text += fmt::format("when {} {} {}\n", rule.input, rule.negated, fmt::join(rule.values, ","));
  for (const auto& step : stage.steps) text += describe(step);
  for (const auto& service : stage.services) text += describe(service);
  for (const auto& from : stage.env_from)
    text += fmt::format("from {} {} {}\n", from.secret, from.config_map, from.prefix);
  if (stage.matrix) text += describe(*stage.matrix);
  return text + describe(stage.env) + describe(stage.pod);
}

}  // namespace

std::string describe(const PipelineSpec& pipeline) {
  const auto concurrency = pipeline.concurrency.value_or(Concurrency{});
  const auto& kept = pipeline.retention;
  std::string text =
      fmt::format("{} {} {} {} {} {} {} {}\n", pipeline.service_account, pipeline.timeout.count(),
                  concurrency.group, static_cast<int>(concurrency.policy), concurrency.max,
                  kept.runs, kept.failed_runs, kept.age.count());
  if (const auto& source = pipeline.source)
    text += fmt::format("source {} {} {}\n", source->url, source->secret, source->submodules);
  for (const auto& param : pipeline.params)
    text += fmt::format("param {} {} {}\n", param.name, param.fallback.value_or("?"),
                        fmt::join(param.allowed, ","));
  for (const auto& stage : pipeline.stages) text += describe(stage);
  for (const auto& stage : pipeline.finally) text += "finally " + describe(stage);
  return text;
}

std::string describe(const PipelineRunSpec& run) {
  std::string text = fmt::format("{} {} {} {}\n", run.pipeline, to_string(run.desired_state),
                                 run.rerun_of, run.commit);
  for (const auto& [name, value] : run.params) text += fmt::format("param {} {}\n", name, value);
  return text;
}

Json load_yaml(const std::string& path) {
  std::ifstream file(std::string(WEIR_SOURCE_DIR "/") + path);
  std::ostringstream text;
  text << file.rdbuf();
  auto documents = parse_yaml(text.str());
  EXPECT_TRUE(documents && documents->size() == 1) << path;
  return documents ? std::move(documents->front().json) : Json();
}

Json load_schema(const std::string& plural) {
  const Json crd = load_yaml("crds/" + plural + ".weir.dev.yaml");
  return crd.at("spec").at("versions").at(0).at("schema").at("openAPIV3Schema");
}

std::vector<SchemaField> fields_of(const Json& schema, const std::string& path) {
  std::vector<SchemaField> fields;
  const auto add = [&](const Json& child, const std::string& child_path, bool required) {
    fields.push_back({child_path, &child, required});
    const auto below = fields_of(child, child_path);
    fields.insert(fields.end(), below.begin(), below.end());
  };
  const Json& required = json_at(schema, {"required"});
  if (schema.contains("properties"))
    for (const auto& [name, child] : schema.at("properties").items())
      add(child, path.empty() ? name : path + "." + name,
          std::find(required.begin(), required.end(), name) != required.end());
  if (schema.contains("items")) add(schema.at("items"), path + "[]", false);
  return fields;
}

void apply_defaults(const Json& schema, const std::string& path, Json& value,
                    std::set<std::string>& used) {
  if (value.is_array() && schema.contains("items"))
    for (auto& item : value) apply_defaults(schema.at("items"), path + "[]", item, used);
  if (!value.is_object() || !schema.contains("properties")) return;
  for (const auto& [name, child] : schema.at("properties").items()) {
    const auto child_path = path.empty() ? name : path + "." + name;
    if (!value.contains(name) && child.contains("default")) {
      value[name] = child.at("default");
      used.insert(child_path);
    }
    if (value.contains(name)) apply_defaults(child, child_path, value[name], used);
  }
}

std::set<std::string> paths_in(const Json& value, const std::string& path) {
  std::set<std::string> paths;
  const auto below = [&](const Json& child, const std::string& child_path) {
    paths.insert(child_path);
    paths.merge(paths_in(child, child_path));
  };
  if (value.is_object())
    for (const auto& [name, child] : value.items()) below(child, path + "." + name);
  if (value.is_array())
    for (const auto& item : value) below(item, path + "[]");
  return paths;
}

std::string shape_of_pointer(const std::string& pointer) { return join_pointer(pointer, false); }
std::string path_of_pointer(const std::string& pointer) { return join_pointer(pointer, true); }

std::string describe(const CanaryPolicySpec& policy) {
  std::string text = fmt::format(
      "{} {} {} {} {} {} {} {} {}\n", policy.max_hold.count(), policy.min_ready_seconds,
      policy.drain.count(), policy.watch.count(), policy.judge.interval.count(),
      policy.judge.warmup.count(), policy.judge.max_false_rollback,
      static_cast<int>(policy.judge.advance), static_cast<int>(policy.judge.on_source_error));
  text += fmt::format("pods {} {} {}\n", static_cast<int>(policy.pod_failure.crash_loop),
                      static_cast<int>(policy.pod_failure.image_pull),
                      policy.pod_failure.not_ready_for.count());
  for (const auto& step : policy.steps)
    text += fmt::format("step {} {}\n", step.weight, step.hold.count());
  for (const auto& source : policy.sources)
    text += fmt::format("source {} {} {} {}\n", source.name, source.prometheus->url,
                        source.prometheus->timeout.count(), source.prometheus->secret);
  for (const auto& objective : policy.objectives) text += describe(objective);
  return text;
}

std::string describe(const ReleaseSpec& release) {
  std::string text = fmt::format(
      "{} {} {} {} {} {} {} {} {} {}\n", release.workload, release.replicas,
      release.revision_history_limit, static_cast<int>(release.lifecycle),
      static_cast<int>(release.traffic.type), release.policy, release.keep_warm.duration.count(),
      release.keep_warm.replicas_percent, release.service.name, release.paused);
  for (const auto& name : release.config.config_maps) text += "config map " + name + "\n";
  for (const auto& name : release.config.secrets) text += "secret " + name + "\n";
  for (const auto& image : release.images)
    text += fmt::format("image {} {}\n", image.container, image.image);
  for (const auto& port : release.service.ports)
    text += fmt::format("port {} {} {} {} {}\n", port.name, port.port, port.target_port,
                        port.protocol, port.app_protocol);
  const auto& gateway = release.traffic.gateway_api;
  return text + fmt::format("{}\n{}\n{}\n{}", release.template_text, gateway.parent_refs_text,
                            fmt::join(gateway.hostnames, ","), gateway.rules_text);
}

namespace {

template <typename T>
Decoded described(const Result<T>& decoded) {
  if (!decoded) return {"", decoded.error().message};
  if (!decoded->spec) return {"", decoded->spec.error().message};
  return {api_test::describe(*decoded->spec), ""};
}

}  // namespace

Decoded decode_spec_of(const Json& object) {
  const auto kind = json_text(object, {"kind"});
  if (kind == "CanaryPolicy") return described(decode_policy(object));
  if (kind == "Pipeline") return described(decode_pipeline(object));
  if (kind == "PipelineRun") return described(decode_pipeline_run(object));
  return described(decode_release(object));
}

}  // namespace weir::api_test
