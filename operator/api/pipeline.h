// Pipeline (weir.dev/v1alpha1): from a commit to what is released, as a graph of stages. A stage is one Job per combination of its
// matrix and attempt.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/matrix.h"
#include "api/meta.h"
#include "api/report.h"
#include "base/clock.h"
#include "base/result.h"

namespace weir {

namespace kinds {
inline constexpr Kind kPipeline{"weir.dev", "v1alpha1", "Pipeline", "pipelines"};
inline constexpr Kind kPipelineRun{"weir.dev", "v1alpha1", "PipelineRun", "pipelineruns"};
inline constexpr Kind kJob{"batch", "v1", "Job", "jobs"};
inline constexpr Kind kControllerRevision{"apps", "v1", "ControllerRevision",
                                          "controllerrevisions"};
}  // namespace kinds

inline constexpr std::size_t kMaxPipelineText = 32U << 10U;  // bytes: each run keeps a copy
inline constexpr std::size_t kMaxInstances = 200;  // stages of a run, each combination counted
inline constexpr std::size_t kMaxResults = 16;     // of a stage
inline constexpr std::size_t kMaxResultBytes = 1024;

// Why an attempt failed.
enum class FailureClass {
  Test,            // a step ended with a code that is not 0
  Infrastructure,  // the pod was taken away: nothing that the stage did
  OutOfMemory,
  ImagePull,
  Timeout,
  Config,  // it could never have worked: a missing Secret, a command that is not in the image
};
inline constexpr std::array<FailureClass, 6> kFailureClasses{
    FailureClass::Test,      FailureClass::Infrastructure, FailureClass::OutOfMemory,
    FailureClass::ImagePull, FailureClass::Timeout,        FailureClass::Config};
std::string_view to_string(FailureClass failure);

struct PipelineParameter {
  std::string name;
  std::optional<std::string> fallback;  // none: a run must give it
  std::vector<std::string> allowed;     // empty = any text
};

enum class ConcurrencyPolicy { Queue, CancelOld, Reject };

// Runs whose `group` is the same text share `max` places.
struct Concurrency {
  std::string group;  // with placeholders
  ConcurrencyPolicy policy = ConcurrencyPolicy::Queue;
  int max = 1;
};

// Of ended runs.
struct Retention {
  int runs = 20;
  int failed_runs = 20;
  milliseconds age{std::chrono::hours(720)};
};

// Where the commit of a run is fetched from. The steps never see the Secret.
struct GitSource {
  std::string url;     // https://…, http://… or ssh://…
  std::string secret;  // kubernetes.io/basic-auth or ssh-auth with known_hosts; "" = none is needed
  bool submodules = false;
};

struct EnvVar {
  enum class From { Text, Secret, ConfigMap };
  std::string name;
  From from = From::Text;
  std::string value;   // of Text, with placeholders
  std::string object;  // of the others: its name
  std::string key;
};

// All keys of an object as variables; exactly one of the two.
struct EnvSource {
  std::string secret;
  std::string config_map;
  std::string prefix;
};

struct Step {
  std::string name;
  std::string image;                 // with placeholders
  std::vector<std::string> command;  // exactly one of command and script; no placeholders in either
  std::vector<std::string> args;     // of the command
  std::string script;
  std::vector<EnvVar> env;
  std::string working_dir;                // below the workspace; "" = the workspace
  std::string resources_text;             // compact JSON of ResourceRequirements; "" = none
  std::optional<milliseconds> timeout{};  // none = the stage's
};

// Runs beside the steps from before the first to after the last.
struct StageService {
  std::string name;
  std::string image;  // with placeholders
  std::vector<std::string> command;
  std::vector<std::string> args;
  std::vector<EnvVar> env;
  std::string resources_text;
  std::optional<int> ready_port;  // the first step waits until it is open
};

struct WhenRule {
  std::string input;  // with placeholders
  bool negated = false;
  std::vector<std::string> values;
};

struct Retry {
  int attempts = 1;  // in all; those that the infrastructure ended are not counted
  std::vector<FailureClass> classes;
};

// All that a stage may change of its pod: what is not here keeps the "restricted" pod security standard.
struct PodOverrides {
  int run_as_user = 1000;
  int run_as_group = 1000;
  std::map<std::string, std::string> node_selector;
  std::string tolerations_text;  // compact JSON list; "" = none
  std::vector<std::string> image_pull_secrets;
  std::string priority_class;
};

struct Stage {
  std::string name;
  std::vector<std::string> needs;  // as written; see stage_graph.h for all
  std::vector<WhenRule> when;      // all must hold
  std::vector<Step> steps;
  std::vector<StageService> services;
  std::vector<EnvVar> env;  // of all steps
  std::vector<EnvSource> env_from;
  std::optional<Matrix> matrix;
  Retry retry;
  bool checks_out = true;   // the pipeline's source, before the first step
  bool restartable = true;  // false: a lost pod fails the stage, for a person to look at
  milliseconds timeout{std::chrono::minutes(30)};
  std::optional<milliseconds> no_output_timeout{};
  std::vector<std::string> results;
  std::vector<StageReport> reports;
  bool mounts_token = false;  // of the service account
  PodOverrides pod;
  std::string text;  // compact JSON, as written
};

struct PipelineSpec {
  std::string service_account;  // "" = the namespace's default
  std::vector<PipelineParameter> params;
  std::optional<GitSource> source;  // none: runs have no commit
  std::optional<Concurrency> concurrency;
  std::vector<Stage> stages;
  std::vector<Stage> finally;  // when all others have ended, whatever their end
  milliseconds timeout{std::chrono::hours(2)};
  Retention retention;
};

struct Pipeline {
  ObjectMeta meta;
  Result<PipelineSpec> spec = PipelineSpec{};  // an error names the field
  std::string spec_text;                       // compact JSON as stored, to keep with a run
  std::int64_t observed_generation = 0;        // of its status
  std::vector<Condition> conditions;
};

// Errors: Invalid (names the field's path, what was found and what is allowed) or Parse.
Result<PipelineSpec> decode_pipeline_spec(const Json& spec);
Result<Pipeline> decode_pipeline(const Json& object);
Json encode_pipeline_status(const Pipeline& pipeline);

}  // namespace weir
