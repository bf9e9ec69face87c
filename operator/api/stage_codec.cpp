#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/placeholders.h"
#include "api/stage_readers.h"

namespace weir {
namespace {

using std::chrono::hours;

constexpr Range kStepCount{1, 16};
constexpr Range kServiceCount{0, 8};
constexpr Range kEnvCount{0, 64};
constexpr Range kEnvSourceCount{0, 16};
constexpr Range kWordCount{0, 64};
constexpr Range kNeedCount{0, 50};
constexpr Range kWhenCount{0, 8};
constexpr Range kWhenValueCount{1, 32};
constexpr Range kClassCount{0, 6};
constexpr Range kResultCount{0, kMaxResults};
constexpr Range kReportCount{0, kMaxReports};
constexpr Range kBoundCount{0, kMaxReportBounds};
constexpr Range kSelectorCount{0, 16};
constexpr Range kTolerationCount{0, 16};
constexpr Range kPullSecretCount{0, 8};
constexpr Range kUserId{1, 2'147'483'647};  // never root
constexpr Range kPort{1, 65535};

bool is_env_name(std::string_view text) {
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

// Of letters, digits, '-', '_' and '.'.
bool is_plain_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

bool is_config_key(std::string_view text) {
  return is_plain_name(text) && text != "." && text != "..";
}

// Stays below the folder that it is relative to.
bool is_relative_path(std::string_view text) {
  if (text.empty() || text.front() == '/' || text.find('\\') != std::string_view::npos)
    return false;
  while (true) {
    const auto slash = text.find('/');
    if (text.substr(0, slash) == "..") return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

// ':' stands between the parts of weir-step's argument.
bool is_report_path(std::string_view text) {
  const auto slash = text.rfind('/');
  const auto folder = text.substr(0, slash == std::string_view::npos ? 0 : slash);
  return is_relative_path(text) && !text.ends_with('/') &&
         text.find("//") == std::string_view::npos && text.find(':') == std::string_view::npos &&
         folder.find('*') == std::string_view::npos;
}

bool is_not_empty(std::string_view text) { return !text.empty(); }

const TextRule kEnvName{128, is_env_name,
                        "a variable's name (letters, digits and '_', at most 128, no digit first)"};
const TextRule kConfigKey{253, is_config_key, "a key of letters, digits, '-', '_' and '.'"};
const TextRule kPath{256, is_relative_path, "a relative path without '..', at most 256 characters"};
const TextRule kReportPath{128, is_report_path,
                           "a relative path without '..' and ':', '*' at most in its last part, of "
                           "at most 128 characters"};
const TextRule kFigure{63, is_plain_name,
                       "a name of letters, digits, '_', '-' and '.', at most 63 characters"};
const TextRule kScript{16'384, is_not_empty, "a script of 1 to 16384 characters"};
const TextRule kWord{4096, is_not_empty, "a text of 1 to 4096 characters"};

constexpr Choice<FailureClass> kClasses[] = {{"Test", FailureClass::Test},
                                             {"Infrastructure", FailureClass::Infrastructure},
                                             {"OutOfMemory", FailureClass::OutOfMemory},
                                             {"ImagePull", FailureClass::ImagePull},
                                             {"Timeout", FailureClass::Timeout},
                                             {"Config", FailureClass::Config}};
constexpr Choice<ReportKind> kReportKinds[] = {{"JUnit", ReportKind::JUnit},
                                               {"Cobertura", ReportKind::Cobertura},
                                               {"LCOV", ReportKind::Lcov},
                                               {"Figures", ReportKind::Figures}};
constexpr Choice<bool> kOperators[] = {{"In", false}, {"NotIn", true}};

void read_key_ref(const FieldReader& from, std::string_view field, EnvVar& variable) {
  const auto ref = from.object(field);
  variable.object = ref.text("name", text_rules::kSubdomain);
  variable.key = ref.text("key", kConfigKey);
}

EnvVar read_variable(const FieldReader& item) {
  EnvVar variable;
  variable.name = item.text("name", kEnvName);
  if (item.has("value") && item.has("valueFrom"))
    item.refuse_this("found both value and valueFrom, must be at most one of them");
  variable.value = item.text_or("value", text_rules::kFilled, "");
  if (!item.has("valueFrom")) return variable;
  const auto from = item.object("valueFrom");
  if (from.has("secretKeyRef") == from.has("configMapKeyRef")) {
    from.refuse_this("must be exactly one of secretKeyRef and configMapKeyRef");
  } else if (from.has("secretKeyRef")) {
    variable.from = EnvVar::From::Secret;
    read_key_ref(from, "secretKeyRef", variable);
  } else {
    variable.from = EnvVar::From::ConfigMap;
    read_key_ref(from, "configMapKeyRef", variable);
  }
  return variable;
}

std::vector<EnvVar> read_env(const FieldReader& of) {
  std::vector<EnvVar> env;
  const auto items = of.list("env", kEnvCount);
  env.reserve(items.size());
  for (const auto& item : items) env.push_back(read_variable(item));
  of.refuse_twins(items, "name");
  return env;
}

std::vector<EnvSource> read_env_from(const FieldReader& stage) {
  std::vector<EnvSource> sources;
  for (const auto& item : stage.list("envFrom", kEnvSourceCount)) {
    EnvSource source;
    source.prefix = item.text_or("prefix", kEnvName, "");
    if (item.has("secretRef") == item.has("configMapRef"))
      item.refuse_this("must be exactly one of secretRef and configMapRef");
    else if (item.has("secretRef"))
      source.secret = item.object("secretRef").text("name", text_rules::kSubdomain);
    else
      source.config_map = item.object("configMapRef").text("name", text_rules::kSubdomain);
    sources.push_back(std::move(source));
  }
  return sources;
}

std::string read_resources(const FieldReader& of) {
  if (!of.has("resources")) return "";
  const auto resources = of.object("resources");
  for (const auto* field : {"requests", "limits"})
    if (resources.has(field)) resources.object(field).allow_more();
  return dump_json(of.raw("resources"));
}

// Text that the container runtime or a shell reads as program: nothing of a run gets into it.
void refuse_placeholder(const FieldReader& of, std::string_view field, const std::string& text) {
  if (const auto found = placeholder_in_script(text))
    of.refuse(field,
              fmt::format("without {}: who starts a run could make a program of it; give it to "
                          "the step by env",
                          to_string(*found)));
}

std::vector<std::string> read_words(const FieldReader& of, std::string_view field) {
  auto words = of.texts(field, kWordCount, kWord);
  for (const auto& word : words) refuse_placeholder(of, field, word);
  return words;
}

Step read_step(const FieldReader& item) {
  Step step;
  step.name = item.text("name", text_rules::kParamName);
  step.image = item.text("image", text_rules::kImage);
  if (item.has("command") == item.has("script"))
    item.refuse_this(item.has("command")
                         ? "found both command and script, must be exactly one of them"
                         : "found neither command nor script, must be exactly one of them");
  step.command = read_words(item, "command");
  step.args = read_words(item, "args");
  if (item.has("args") && item.has("script"))
    item.refuse("args", "left out with script: it has none");
  if (item.has("command") && step.command.empty())
    item.refuse("command", "a list of 1 to 64 items");
  step.script = item.text_or("script", kScript, "");
  refuse_placeholder(item, "script", step.script);
  step.env = read_env(item);
  step.working_dir = item.text_or("workingDir", kPath, "");
  step.resources_text = read_resources(item);
  if (item.has("timeout")) step.timeout = item.duration("timeout", seconds(1), hours(24));
  return step;
}

StageService read_service(const FieldReader& item) {
  StageService service;
  service.name = item.text("name", text_rules::kParamName);
  service.image = item.text("image", text_rules::kImage);
  service.command = read_words(item, "command");
  service.args = read_words(item, "args");
  service.env = read_env(item);
  service.resources_text = read_resources(item);
  if (item.has("readyPort")) service.ready_port = item.integer("readyPort", kPort);
  return service;
}

// Steps, services and what Weir adds are containers of one pod.
void read_containers(const FieldReader& item, Stage& stage) {
  const auto steps = item.list("steps", kStepCount);
  for (const auto& step : steps) stage.steps.push_back(read_step(step));
  item.refuse_twins(steps, "name");
  const auto services = item.list("services", kServiceCount);
  for (const auto& service : services) {
    stage.services.push_back(read_service(service));
    for (const auto& step : stage.steps)
      if (step.name == stage.services.back().name) service.refuse("name", "not that of a step");
  }
  item.refuse_twins(services, "name");
}

std::vector<WhenRule> read_when(const FieldReader& stage) {
  std::vector<WhenRule> rules;
  for (const auto& item : stage.list("when", kWhenCount)) {
    WhenRule rule;
    rule.input = item.text("input", text_rules::kFilled);
    rule.negated = item.choice("operator", kOperators);
    rule.values = item.texts("values", kWhenValueCount, text_rules::kAnyText);
    rules.push_back(std::move(rule));
  }
  return rules;
}

Retry read_retry(const FieldReader& of) {
  Retry retry;
  retry.attempts = of.integer_or("attempts", {1, 10}, 1);
  const auto names = of.texts("classes", kClassCount, text_rules::kAnyText);
  for (const auto& name : names) {
    const auto* found = std::find_if(std::begin(kClasses), std::end(kClasses),
                                     [&](const auto& choice) { return choice.name == name; });
    if (found == std::end(kClasses))
      of.refuse("classes", "of Test, Infrastructure, OutOfMemory, ImagePull, Timeout, Config");
    else
      retry.classes.push_back(found->value);
  }
  if (retry.attempts > 1 && names.empty())
    of.refuse("classes", "given: which failures may be tried again");
  return retry;
}

std::vector<std::string> read_names(const FieldReader& of, std::string_view field, Range count,
                                    const TextRule& rule) {
  std::vector<std::string> names;
  const auto items = of.list(field, count);
  names.reserve(items.size());
  for (const auto& item : items) names.push_back(item.text("name", rule));
  of.refuse_twins(items, "name");
  return names;
}

FigureBound read_bound(const FieldReader& item) {
  FigureBound bound;
  bound.figure = item.text("figure", kFigure);
  if (item.has("atLeast")) bound.at_least = item.decimal("atLeast");
  if (item.has("atMost")) bound.at_most = item.decimal("atMost");
  if (!bound.at_least && !bound.at_most)
    item.refuse_this("at least one of atLeast and atMost must be given");
  return bound;
}

std::vector<StageReport> read_reports(const FieldReader& of) {
  std::vector<StageReport> reports;
  const auto items = of.list("reports", kReportCount);
  for (const auto& item : items) {
    StageReport report{item.text("name", text_rules::kParamName), item.choice("kind", kReportKinds),
                       item.text("path", kReportPath)};
    const auto bounds = item.list("bounds", kBoundCount);
    for (const auto& bound : bounds) report.bounds.push_back(read_bound(bound));
    item.refuse_twins(bounds, "figure");
    reports.push_back(std::move(report));
  }
  of.refuse_twins(items, "name");
  return reports;
}

std::string read_tolerations(const FieldReader& pod) {
  const auto items = pod.list("tolerations", kTolerationCount);
  for (const auto& item : items) item.allow_more();
  return items.empty() ? "" : dump_json(pod.raw("tolerations"));
}

PodOverrides read_pod(const FieldReader& pod) {
  PodOverrides overrides;
  overrides.run_as_user = pod.integer_or("runAsUser", kUserId, 1000);
  overrides.run_as_group = pod.integer_or("runAsGroup", kUserId, 1000);
  const auto selector = pod.object_or_empty("nodeSelector").allow_more();
  const Json& labels = pod.raw("nodeSelector");
  if (labels.is_object()) {
    if (labels.size() > static_cast<std::size_t>(kSelectorCount.max))
      pod.refuse("nodeSelector", fmt::format("at most {} labels", kSelectorCount.max));
    for (const auto& [label, value] : labels.items())
      overrides.node_selector[label] = selector.text(label, text_rules::kAnyText);
  }
  overrides.tolerations_text = read_tolerations(pod);
  overrides.image_pull_secrets =
      read_names(pod, "imagePullSecrets", kPullSecretCount, text_rules::kSubdomain);
  overrides.priority_class = pod.text_or("priorityClassName", text_rules::kSubdomain, "");
  return overrides;
}

}  // namespace

Stage read_stage(const FieldReader& item, bool final) {
  Stage stage;
  stage.name = item.text("name", text_rules::kParamName);
  if (!final) stage.needs = item.texts("needs", kNeedCount, text_rules::kParamName);
  stage.when = read_when(item);
  read_containers(item, stage);
  stage.env = read_env(item);
  stage.env_from = read_env_from(item);
  stage.matrix = read_matrix(item);
  stage.retry = read_retry(item.object_or_empty("retry"));
  stage.checks_out = item.flag_or("checkout", true);
  stage.restartable = item.flag_or("restartable", true);
  stage.timeout = item.duration_or("timeout", std::chrono::minutes(30), seconds(1), hours(24));
  if (item.has("noOutputTimeout"))
    stage.no_output_timeout = item.duration("noOutputTimeout", seconds(1), hours(24));
  stage.results = read_names(item, "results", kResultCount, text_rules::kParamName);
  stage.reports = read_reports(item);
  stage.mounts_token = item.flag_or("mountServiceAccountToken", false);
  stage.pod = read_pod(item.object_or_empty("pod"));
  return stage;
}

}  // namespace weir
