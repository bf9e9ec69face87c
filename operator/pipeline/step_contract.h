// What the Job of a stage and the program `weir-step`, under which each step runs in its container, agree upon.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/pipeline.h"

namespace weir {

namespace contract {
inline constexpr std::string_view kStepProgram = "/opt/weir/bin/weir-step";
inline constexpr std::string_view kProgramInImage = "/weir-step";  // of Weir's own image
inline constexpr std::string_view kBin = "/opt/weir/bin";          // read-only for steps
inline constexpr std::string_view kOut = "/opt/weir/out";
inline constexpr std::string_view kResults = "/opt/weir/out/results";  // a file for each result
inline constexpr std::string_view kReports = "/opt/weir/out/reports";
inline constexpr std::string_view kHome = "/opt/weir/out/home";
inline constexpr std::string_view kWorkspace = "/workspace";

inline constexpr std::string_view kTools = "weir-tools";        // puts weir-step into kBin
inline constexpr std::string_view kCheckout = "weir-checkout";  // fetches the commit
inline constexpr std::string_view kCheckoutProgram = "/usr/local/bin/weir-checkout";
inline constexpr std::string_view kCredentials = "/opt/weir/source";  // for it alone
inline constexpr std::string_view kEnd = "weir-end";  // the main container: all steps have passed
inline constexpr std::string_view kStepPrefix = "step-";
inline constexpr std::string_view kServicePrefix = "service-";

// How weir-checkout ends when trying again would be of no use; anything else but 0 is the infrastructure's fault.
inline constexpr int kNoSuchCommit = 65;
inline constexpr int kSourceRefused = 66;  // wrong credentials, unknown host, no such repository

// Of all containers of a pod together; the kubelet gives each an equal part and cuts what is longer.
inline constexpr std::size_t kTerminationBytes = 12'288;
}  // namespace contract

// The termination message that weir-step leaves, a JSON object:
// {"results": {"digest": "…"}, "reports": [as in the status of a run], "timeout": "Step" | "NoOutput", "class": "Config", "error": "…"}
struct StepMessage {
  std::map<std::string, std::string> results;  // that this step wrote
  std::vector<Report> reports;                 // whose files it wrote
  std::string timeout;                         // "" = none of them struck
  std::optional<FailureClass> failure;         // when it knows better than the exit code
  std::string error;                           // for people
};

// Lenient: of foreign text nothing is left but, for people, the text.
StepMessage decode_step_message(const std::string& text);

}  // namespace weir
