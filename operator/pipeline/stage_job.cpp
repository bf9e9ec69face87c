#include "pipeline/stage_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/text_rules.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time_format.h"
#include "pipeline/step_contract.h"

namespace weir {
namespace {

constexpr std::size_t kRunPart = 26;  // characters of a Job's name
constexpr std::size_t kStagePart = 20;
constexpr std::size_t kHashPart = 8;
constexpr std::size_t kLabelHash = 10;
constexpr int kGraceSeconds = 30;   // for a step that is stopped to clean up
constexpr int kServiceTries = 300;  // seconds until a service must be ready

constexpr std::string_view kCredentialsVolume = "source-credentials";
constexpr int kCredentialsMode = 0440;

using Words = std::vector<std::string>;

// A part of a name: cut, and not ending in what a name may not end in.
std::string part(const std::string& text, std::size_t max) {
  auto cut = text.substr(0, max);
  while (cut.ends_with('-')) cut.pop_back();
  return cut;
}

// Later ones with the same name take the place of earlier ones, which a list with both would leave to the reader.
class Environment {
 public:
  void put(Json variable) {
    const auto name = json_text(variable, {"name"});
    const auto same = std::find_if(list_.begin(), list_.end(), [&](const Json& other) {
      return json_text(other, {"name"}) == name;
    });
    if (same != list_.end()) list_.erase(same);
    list_.push_back(std::move(variable));
  }
  void put_text(std::string_view name, std::string_view text) {
    put({{"name", name}, {"value", escape_for_kubelet(text)}});
  }
  Json take() && { return std::move(list_); }

 private:
  Json list_ = Json::array();
};

Json key_ref(const EnvVar& variable) {
  const char* from = variable.from == EnvVar::From::Secret ? "secretKeyRef" : "configMapKeyRef";
  return {{"name", variable.name},
          {"valueFrom", {{from, {{"name", variable.object}, {"key", variable.key}}}}}};
}

Json security() {
  return {{"allowPrivilegeEscalation", false},
          {"capabilities", {{"drop", Json::array({"ALL"})}}},
          {"runAsNonRoot", true},
          {"seccompProfile", {{"type", "RuntimeDefault"}}}};
}

class JobBuilder {
 public:
  JobBuilder(const StageJob& job, const JobSettings& settings)
      : job_(job), settings_(settings), value_of_(job.values.of(job.combination)) {}

  Result<Json> build() {
    const auto labels = labels_of_all();
    Json pod = pod_spec();
    if (!error_.empty())
      return Error{ErrorKind::Invalid, fmt::format("stage {}: {}", job_.stage.name, error_)};
    const auto& run = job_.run;
    const Json metadata{
        {"name", job_name(run, job_.stage.name, to_string(job_.combination), job_.attempt)},
        {"namespace", run.meta.key.ns},
        {"labels", labels},
        {"ownerReferences", Json::array({owner_reference(run)})}};
    const Json spec{{"backoffLimit", 0},
                    {"completions", 1},
                    {"parallelism", 1},
                    {"podReplacementPolicy", "Failed"},
                    {"podFailurePolicy", {{"rules", Json::array({disruption_rule()})}}},
                    {"template", {{"metadata", {{"labels", labels}}}, {"spec", std::move(pod)}}}};
    return Json{{"apiVersion", kinds::kJob.api_version()},
                {"kind", kinds::kJob.name},
                {"metadata", metadata},
                {"spec", spec}};
  }

 private:
  Json labels_of_all() const {
    Json labels{{marks::kPipeline, job_.values.pipeline},
                {marks::kRun, job_.run.meta.key.name},
                {marks::kStage, job_.stage.name},
                {marks::kAttempt, std::to_string(job_.attempt)}};
    if (!job_.combination.empty())
      labels[std::string(marks::kCombination)] = combination_label(to_string(job_.combination));
    return labels;
  }

  // A drain uses up no attempt; but what must not begin twice ends with it.
  Json disruption_rule() const {
    return {{"action", job_.stage.restartable ? "Ignore" : "FailJob"},
            {"onPodConditions", Json::array({{{"type", "DisruptionTarget"}, {"status", "True"}}})}};
  }

  Json pod_spec() {
    const auto& stage = job_.stage;
    const auto deadline = std::chrono::ceil<std::chrono::seconds>(stage.timeout).count();
    Json pod{{"restartPolicy", "Never"},
             {"activeDeadlineSeconds", deadline},
             {"terminationGracePeriodSeconds", kGraceSeconds},
             {"automountServiceAccountToken", stage.mounts_token},
             {"enableServiceLinks", false},
             {"securityContext",
              {{"runAsNonRoot", true},
               {"runAsUser", stage.pod.run_as_user},
               {"runAsGroup", stage.pod.run_as_group},
               {"fsGroup", stage.pod.run_as_group},
               {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
             {"initContainers", init_containers()},
             {"containers", Json::array({own(contract::kEnd, {"end"})})},
             {"volumes", volumes()}};
    if (!job_.pipeline.service_account.empty())
      pod["serviceAccountName"] = job_.pipeline.service_account;
    add_overrides(pod);
    return pod;
  }

  void add_overrides(Json& pod) const {
    const auto& overrides = job_.stage.pod;
    if (!overrides.node_selector.empty()) pod["nodeSelector"] = overrides.node_selector;
    if (!overrides.priority_class.empty()) pod["priorityClassName"] = overrides.priority_class;
    for (const auto& name : overrides.image_pull_secrets)
      pod["imagePullSecrets"].push_back(Json{{"name", name}});
    if (overrides.tolerations_text.empty()) return;
    if (auto tolerations = parse_json(overrides.tolerations_text))
      pod["tolerations"] = *std::move(tolerations);
  }

  // In the order in which the kubelet begins them.
  Json init_containers() {
    Json list = Json::array();
    list.push_back(own(contract::kTools,
                       {"install", std::string(contract::kBin), std::string(contract::kOut)},
                       false));
    if (checks_out()) list.push_back(checkout());
    for (const auto& service : job_.stage.services) list.push_back(service_container(service));
    for (const auto& step : job_.stage.steps) list.push_back(step_container(step));
    return list;
  }

  static Json mount(std::string_view name, std::string_view path, bool read_only = false) {
    Json mounted{{"name", name}, {"mountPath", path}};
    if (read_only) mounted["readOnly"] = true;
    return mounted;
  }

  static Json mounts(bool tools_read_only = true) {
    return Json::array({mount("weir-bin", contract::kBin, tools_read_only),
                        mount("weir-out", contract::kOut),
                        mount("workspace", contract::kWorkspace)});
  }

  // A container of Weir's image; for the first one the program is not in the volume yet, but in the image.
  Json own(std::string_view name, Words args, bool tools_read_only = true) const {
    return {{"name", name},
            {"image", settings_.helper_image},
            {"command",
             Json::array({tools_read_only ? contract::kStepProgram : contract::kProgramInImage})},
            {"args", std::move(args)},
            {"securityContext", security()},
            {"volumeMounts", mounts(tools_read_only)}};
  }

  Json volumes() const {
    Json list = Json::array();
    for (const auto* name : {"weir-bin", "weir-out", "workspace"})
      list.push_back(Json{{"name", name}, {"emptyDir", Json::object()}});
    if (has_credentials())
      list.push_back(Json{
          {"name", kCredentialsVolume},
          {"secret",
           {{"secretName", job_.pipeline.source->secret}, {"defaultMode", kCredentialsMode}}}});
    return list;
  }

  bool checks_out() const { return job_.pipeline.source && job_.stage.checks_out; }
  bool has_credentials() const { return checks_out() && !job_.pipeline.source->secret.empty(); }

  Json checkout() const {
    const auto& source = *job_.pipeline.source;
    Environment env;
    env.put_text("HOME", contract::kHome);
    env.put_text("WORKSPACE", contract::kWorkspace);
    env.put_text("SOURCE_URL", source.url);
    env.put_text("SOURCE_COMMIT", job_.values.commit);
    env.put_text("SOURCE_SUBMODULES", source.submodules ? "yes" : "");
    env.put_text("SOURCE_CREDENTIALS", has_credentials() ? contract::kCredentials : "");
    Json container{{"name", contract::kCheckout},
                   {"image", settings_.checkout_image},
                   {"command", Json::array({contract::kStepProgram})},
                   {"args", Words{"run", fmt::format("--message-bytes={}", message_bytes()), "--",
                                  std::string(contract::kCheckoutProgram)}},
                   {"env", std::move(env).take()},
                   {"workingDir", contract::kWorkspace},
                   {"securityContext", security()},
                   {"volumeMounts", mounts()}};
    if (has_credentials())
      container["volumeMounts"].push_back(mount(kCredentialsVolume, contract::kCredentials, true));
    return container;
  }

  // What placeholders stand for; what is wrong is kept for the end.
  std::string filled(const std::string& text, const std::string& field) {
    auto value = fill_in(text, value_of_);
    if (value) return *std::move(value);
    if (error_.empty()) error_ = field + ": " + value.error().message;
    return "";
  }

  std::string image(const std::string& text, const std::string& field) {
    auto name = filled(text, field);
    const auto& rule = text_rules::kImage;
    if (error_.empty() && (name.size() > rule.max || !rule.matches(name)))
      error_ = fmt::format("{}: found \"{}\", must be {}", field, clip(name, 80), rule.allowed);
    return name;
  }

  void add(Environment& env, const std::vector<EnvVar>& variables, const std::string& field) {
    for (const auto& variable : variables) {
      if (variable.from == EnvVar::From::Text)
        env.put_text(variable.name, filled(variable.value, fmt::format("{}env[name={}].value",
                                                                       field, variable.name)));
      else
        env.put(key_ref(variable));
    }
  }

  // Ours come last, so that nobody's script works in another folder or for another run than it believes.
  void add_own(Environment& env) const {
    for (const auto& [name, value] : job_.values.params)
      env.put_text(variable_name("PARAM_", name), value);
    for (const auto& [axis, value] : job_.combination)
      env.put_text(variable_name("MATRIX_", axis), value);
    env.put_text("WORKSPACE", contract::kWorkspace);
    env.put_text("RESULTS", contract::kResults);
    env.put_text("REPORTS", contract::kReports);
    env.put_text("WEIR_PIPELINE", job_.values.pipeline);
    env.put_text("WEIR_RUN", job_.values.run);
    env.put_text("WEIR_STAGE", job_.stage.name);
    // Nobody else has ever had it: who deploys can hold it against who came before.
    env.put_text("WEIR_ATTEMPT",
                 job_name(job_.run, job_.stage.name, to_string(job_.combination), job_.attempt));
    if (!job_.values.commit.empty()) env.put_text("WEIR_COMMIT", job_.values.commit);
    if (!job_.values.outcome.empty()) env.put_text("WEIR_OUTCOME", job_.values.outcome);
  }

  Json env_from() const {
    Json list = Json::array();
    for (const auto& source : job_.stage.env_from) {
      const bool secret = !source.secret.empty();
      Json item{{secret ? "secretRef" : "configMapRef",
                 {{"name", secret ? source.secret : source.config_map}}}};
      if (!source.prefix.empty()) item["prefix"] = source.prefix;
      list.push_back(std::move(item));
    }
    return list;
  }

  static Json escaped(const Words& words) {
    Json list = Json::array();
    for (const auto& word : words) list.push_back(escape_for_kubelet(word));
    return list;
  }

  static void add_resources(Json& container, const std::string& text) {
    if (text.empty()) return;
    if (auto resources = parse_json(text)) container["resources"] = *std::move(resources);
  }

  Json step_container(const Step& step) {
    const auto field = fmt::format("steps[name={}]", step.name);
    Environment env;
    env.put_text("HOME", contract::kHome);
    add(env, job_.stage.env, "");
    add(env, step.env, field + ".");
    add_own(env);
    Json container{{"name", std::string(contract::kStepPrefix) + step.name},
                   {"image", image(step.image, field + ".image")},
                   {"command", Json::array({contract::kStepProgram})},
                   {"args", escaped(step_args(step))},
                   {"env", std::move(env).take()},
                   {"workingDir", working_dir(step)},
                   {"securityContext", security()},
                   {"volumeMounts", mounts()}};
    if (!job_.stage.env_from.empty()) container["envFrom"] = env_from();
    add_resources(container, step.resources_text);
    return container;
  }

  static std::string working_dir(const Step& step) {
    const std::string root(contract::kWorkspace);
    return step.working_dir.empty() ? root : root + "/" + step.working_dir;
  }

  Words step_args(const Step& step) const {
    Words args{"run"};
    if (step.timeout) args.push_back("--timeout=" + format_duration(*step.timeout));
    if (const auto quiet = job_.stage.no_output_timeout)
      args.push_back("--no-output-timeout=" + format_duration(*quiet));
    args.push_back(fmt::format("--message-bytes={}", message_bytes()));
    for (const auto& result : job_.stage.results) args.push_back("--result=" + result);
    for (const auto& report : job_.stage.reports)
      args.push_back(
          fmt::format("--report={}:{}:{}", report.name, to_string(report.kind), report.path));
    if (!step.script.empty()) {
      args.push_back("--script=" + step.script);
      return args;
    }
    args.push_back("--");
    args.insert(args.end(), step.command.begin(), step.command.end());
    args.insert(args.end(), step.args.begin(), step.args.end());
    return args;
  }

  // Of a termination message, so that the kubelet cuts nothing off.
  std::size_t message_bytes() const {
    const auto containers =
        2 + (checks_out() ? 1 : 0) + job_.stage.services.size() + job_.stage.steps.size();
    return std::min<std::size_t>(4096, contract::kTerminationBytes / containers);
  }

  Json service_container(const StageService& service) {
    const auto field = fmt::format("services[name={}]", service.name);
    Environment env;
    add(env, service.env, field + ".");
    Json container{{"name", std::string(contract::kServicePrefix) + service.name},
                   {"image", image(service.image, field + ".image")},
                   {"restartPolicy", "Always"},
                   {"env", std::move(env).take()},
                   {"securityContext", security()}};
    if (!service.command.empty()) container["command"] = escaped(service.command);
    if (!service.args.empty()) container["args"] = escaped(service.args);
    if (service.ready_port)
      container["startupProbe"] = {{"tcpSocket", {{"port", *service.ready_port}}},
                                   {"periodSeconds", 1},
                                   {"failureThreshold", kServiceTries}};
    add_resources(container, service.resources_text);
    return container;
  }

  const StageJob& job_;
  const JobSettings& settings_;
  ValueOf value_of_;
  std::string error_;
};

}  // namespace

std::string combination_label(const std::string& combination) {
  return combination.empty() ? "" : short_hash(combination, kLabelHash);
}

std::string job_name(const PipelineRun& run, const std::string& stage,
                     const std::string& combination, int attempt) {
  const auto identity = fmt::format("{}/{}/{}/{}", run.meta.uid, stage, combination, attempt);
  return fmt::format("{}-{}-{}-{}", part(run.meta.key.name, kRunPart), part(stage, kStagePart),
                     attempt, short_hash(identity, kHashPart));
}

Result<Json> job_body(const StageJob& job, const JobSettings& settings) {
  return JobBuilder(job, settings).build();
}

}  // namespace weir
