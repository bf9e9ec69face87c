#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/codec.h"
#include "api/condition_codec.h"
#include "api/stage_readers.h"

namespace weir {
namespace {

using std::chrono::hours;

constexpr Range kParamCount{0, 32};
constexpr Range kAllowedCount{0, 32};
constexpr Range kStageCount{1, 50};
constexpr Range kFinallyCount{0, 10};
constexpr Range kAxisCount{1, 5};
constexpr Range kAxisValueCount{1, 50};
constexpr Range kIncludeCount{0, 50};

constexpr Choice<ConcurrencyPolicy> kPolicies[] = {{"Queue", ConcurrencyPolicy::Queue},
                                                   {"CancelOld", ConcurrencyPolicy::CancelOld},
                                                   {"Reject", ConcurrencyPolicy::Reject}};

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_short_name(std::string_view text) {
  return !text.empty() && text[0] >= 'a' && text[0] <= 'z' && is_lower_or_digit(text.back()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

// Neither ',' nor '=': see to_string(Combination).
bool is_axis_value(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') ||
           std::string_view("._:/@+-").find(c) != std::string_view::npos;
  });
}

bool is_anything(std::string_view /*text*/) { return true; }

bool has_no_nul(std::string_view text) { return text.find('\0') == std::string_view::npos; }

std::vector<PipelineParameter> read_params(const FieldReader& spec) {
  std::vector<PipelineParameter> params;
  const auto items = spec.list("params", kParamCount);
  for (const auto& item : items) {
    PipelineParameter param;
    param.name = item.text("name", text_rules::kParamName);
    param.allowed = item.texts("allowed", kAllowedCount, text_rules::kParamValue);
    if (item.has("default")) {
      param.fallback = item.text("default", text_rules::kParamValue);
      const bool fits = param.allowed.empty() ||
                        std::find(param.allowed.begin(), param.allowed.end(), *param.fallback) !=
                            param.allowed.end();
      if (!fits) item.refuse("default", fmt::format("one of {}", fmt::join(param.allowed, ", ")));
    }
    params.push_back(std::move(param));
  }
  spec.refuse_twins(items, "name");
  return params;
}

// As the schema has it. Credentials belong into a Secret, where no status and no log shows them; what begins with "-" would be an option
// of the program that git calls.
bool is_git_url(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  const auto protocol = url.substr(0, scheme);
  const auto rest = url.substr(scheme + 3);
  const auto slash = rest.find('/');
  auto host = rest.substr(0, slash);
  if (protocol == "ssh") {
    if (const auto at = host.find('@'); at != std::string_view::npos) {
      const auto user = host.substr(0, at);
      if (user.empty() || user.find(':') != std::string_view::npos) return false;
      host.remove_prefix(at + 1);
    }
  } else if (protocol != "https" && protocol != "http") {
    return false;
  }
  return !host.empty() && host.find('@') == std::string_view::npos &&
         slash != std::string_view::npos && slash + 1 < rest.size() &&
         url.find("://-") == std::string_view::npos && url.find("@-") == std::string_view::npos &&
         std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 127 && c != '"'; });
}

const TextRule kGitUrl{512, is_git_url,
                       "a URL like https://git.example.com/shop.git or "
                       "ssh://git@git.example.com/shop.git, without password"};

std::optional<GitSource> read_source(const FieldReader& spec) {
  if (!spec.has("source")) return std::nullopt;
  const auto item = spec.object("source").object("git");
  GitSource source;
  source.url = item.text("url", kGitUrl);
  if (item.has("secretRef"))
    source.secret = item.object("secretRef").text("name", text_rules::kSubdomain);
  source.submodules = item.flag_or("submodules", false);
  return source;
}

std::optional<Concurrency> read_concurrency(const FieldReader& spec) {
  if (!spec.has("concurrency")) return std::nullopt;
  const auto item = spec.object("concurrency");
  Concurrency concurrency;
  concurrency.group = item.text_or("group", text_rules::kFilled, "$(pipeline)");
  concurrency.policy = item.choice("policy", kPolicies, {ConcurrencyPolicy::Queue});
  concurrency.max = item.integer_or("max", {1, 100}, 1);
  return concurrency;
}

Retention read_retention(const FieldReader& item) {
  Retention retention;
  retention.runs = item.integer_or("runs", {1, 500}, 20);
  retention.failed_runs = item.integer_or("failedRuns", {1, 500}, 20);
  retention.age = item.duration_or("age", hours(720), hours(1), hours(8760));
  return retention;
}

std::vector<Stage> read_stages(const FieldReader& spec, std::string_view field, Range count) {
  std::vector<Stage> stages;
  const auto items = spec.list(field, count);
  const Json& list = spec.raw(field);
  for (std::size_t i = 0; i < items.size(); ++i) {
    stages.push_back(read_stage(items[i], field == "finally"));
    stages.back().text = dump_json(list.at(i));
  }
  spec.refuse_twins(items, "name");
  return stages;
}

std::vector<Combination> read_patterns(const FieldReader& matrix, std::string_view field,
                                       const std::set<std::string>& axes, bool whole) {
  std::vector<Combination> patterns;
  const auto items = matrix.list(field, kIncludeCount);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Json& json = matrix.raw(field).at(i);
    Combination pattern;
    items[i].allow_more();
    if (!json.is_object()) continue;  // refused when it was listed
    for (const auto& [axis, value] : json.items()) {
      pattern[axis] = items[i].text(axis, text_rules::kAxisValue);
      if (!axes.contains(axis))
        items[i].refuse(axis, fmt::format("of an axis of the matrix ({})", fmt::join(axes, ", ")));
    }
    if (pattern.empty()) items[i].refuse_this("found {}, must be a value of an axis at least");
    for (const auto& axis : axes)
      if (whole && !pattern.contains(axis)) items[i].refuse(axis, "given for every axis");
    patterns.push_back(std::move(pattern));
  }
  return patterns;
}

void check_size(const FieldReader& stage, const Matrix& matrix) {
  const auto count = count_combinations(matrix);
  if (count > kMaxCombinations) {
    std::size_t all = matrix.include.size();
    std::size_t product = 1;
    for (const auto& axis : matrix.axes) product *= axis.values.size();
    stage.object("matrix").refuse_this(
        fmt::format("found {} combinations, must be at most {}", all + product, kMaxCombinations));
  } else if (combinations(matrix).empty()) {
    stage.object("matrix").refuse_this("found no combination left, must be at least one");
  }
}

}  // namespace

namespace text_rules {
const TextRule kParamName{
    40, is_short_name,
    "a name of at most 40 lower-case letters, digits and '-' that begins with a letter"};
const TextRule kParamValue{2048, has_no_nul, "a text of at most 2048 characters"};
const TextRule kAxisValue{
    63, is_axis_value,
    "a text of 1 to 63 letters, digits and '.', '_', ':', '/', '@', '+', '-' (quote numbers)"};
const TextRule kFilled{4096, has_no_nul, "a text of at most 4096 characters"};
const TextRule kAnyText{1024, is_anything, "a text of at most 1024 characters"};
}  // namespace text_rules

std::string_view to_string(FailureClass failure) {
  switch (failure) {
    case FailureClass::Test: return "Test";
    case FailureClass::Infrastructure: return "Infrastructure";
    case FailureClass::OutOfMemory: return "OutOfMemory";
    case FailureClass::ImagePull: return "ImagePull";
    case FailureClass::Timeout: return "Timeout";
    case FailureClass::Config: return "Config";
  }
  return "Test";
}

std::optional<Matrix> read_matrix(const FieldReader& stage) {
  if (!stage.has("matrix")) return std::nullopt;
  const auto item = stage.object("matrix");
  Matrix matrix;
  std::set<std::string> names;
  const auto axes = item.list("axes", kAxisCount);
  for (const auto& axis : axes) {
    matrix.axes.push_back({axis.text("name", text_rules::kParamName),
                           axis.texts("values", kAxisValueCount, text_rules::kAxisValue)});
    names.insert(matrix.axes.back().name);
  }
  item.refuse_twins(axes, "name");
  matrix.include = read_patterns(item, "include", names, true);
  matrix.exclude = read_patterns(item, "exclude", names, false);
  matrix.max_parallel = item.integer_or("maxParallel", {0, static_cast<int>(kMaxCombinations)}, 0);
  matrix.fail_fast = item.flag_or("failFast", true);
  check_size(stage, matrix);
  return matrix;
}

Result<PipelineSpec> decode_pipeline_spec(const Json& spec) {
  Reading reading;
  auto pipeline = read_pipeline_spec(FieldReader(spec, "spec", reading));
  if (auto error = reading.error()) return *std::move(error);
  const auto size = dump_json(spec).size();
  if (size > kMaxPipelineText)
    return Error{ErrorKind::Invalid, fmt::format("spec: found {} bytes of JSON, must be at most {}",
                                                 size, kMaxPipelineText)};
  return pipeline;
}

PipelineSpec read_pipeline_spec(const FieldReader& reader) {
  PipelineSpec pipeline;
  pipeline.service_account = reader.text_or("serviceAccountName", text_rules::kSubdomain, "");
  pipeline.params = read_params(reader);
  pipeline.source = read_source(reader);
  pipeline.concurrency = read_concurrency(reader);
  pipeline.stages = read_stages(reader, "stages", kStageCount);
  pipeline.finally = read_stages(reader, "finally", kFinallyCount);
  pipeline.timeout = reader.duration_or("timeout", hours(2), seconds(1), hours(168));
  pipeline.retention = read_retention(reader.object_or_empty("retention"));
  // A wrong part would be blamed a second time for what follows from it.
  if (!reader.has_faults()) check_references(reader, pipeline);
  return pipeline;
}

Result<Pipeline> decode_pipeline(const Json& object) {
  Pipeline pipeline;
  ASSIGN_OR_RETURN(pipeline.meta, decode_meta(object));
  const Json& spec = json_at(object, {"spec"});
  pipeline.spec_text = dump_json(spec);
  const Json& status = json_at(object, {"status"});
  pipeline.observed_generation = json_int(status, {"observedGeneration"});
  pipeline.conditions = decode_conditions(json_at(status, {"conditions"}));
  const auto& name = pipeline.meta.key.name;
  const auto& rule = text_rules::kServiceName;
  if (name.size() > rule.max || !rule.matches(name))
    pipeline.spec = Error{ErrorKind::Invalid, fmt::format("metadata.name: found \"{}\", must be {}",
                                                          clip(name, 80), rule.allowed)};
  else
    pipeline.spec = decode_pipeline_spec(spec);
  return pipeline;
}

Json encode_pipeline_status(const Pipeline& pipeline) {
  Json status = Json::object();
  status["observedGeneration"] = pipeline.observed_generation;
  if (!pipeline.conditions.empty()) status["conditions"] = encode_conditions(pipeline.conditions);
  return status;
}

}  // namespace weir
