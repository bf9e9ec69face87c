#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/text_rules.h"
#include "base/time_format.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/policy_file.h"
#include "replay/forecast.h"

namespace weir {
namespace {

Error wrong(std::string message) { return {ErrorKind::Invalid, std::move(message)}; }

// "0.5%" or 0.005, as a share.
Result<double> read_error_rate(const Arguments& arguments) {
  const auto text = arguments.value("error-rate");
  const auto rule = wrong(fmt::format(
      "--error-rate: found \"{}\", must be stable's share of bad answers, like 0.5% or 0.005",
      text));
  if (text.ends_with('%')) {
    const auto percent = parse_percent(text);
    return percent && *percent > 0 ? Result<double>(*percent) : rule;
  }
  const auto number = read_number(arguments, "error-rate");
  const bool usable = number && *number && **number > 0 && **number < 1;
  return usable ? Result<double>(**number) : rule;
}

Result<ForecastInput> read_input(const Arguments& arguments) {
  ForecastInput input;
  for (const auto* flag : {"filename", "rps", "error-rate"})
    if (!arguments.has(flag)) return wrong(fmt::format("--{} is missing", flag));
  ASSIGN_OR_RETURN(const auto per_second, read_number(arguments, "rps"));
  if (!(*per_second > 0 && *per_second <= kMaxRequestsPerSecond))
    return wrong(fmt::format("--rps: found {:g}, must be above 0, at most {:g}", *per_second,
                             kMaxRequestsPerSecond));
  input.requests_per_second = *per_second;
  ASSIGN_OR_RETURN(input.error_rate, read_error_rate(arguments));
  ASSIGN_OR_RETURN(const auto runs, read_number(arguments, "runs"));
  const double wanted = runs.value_or(input.runs);
  if (!(wanted >= kMinRuns && wanted <= kMaxRuns && wanted == std::floor(wanted)))
    return wrong(fmt::format("--runs: must be a whole number, {} to {}", kMinRuns, kMaxRuns));
  input.runs = static_cast<int>(wanted);
  input.objective = arguments.value("objective");
  return input;
}

std::string count_text(double count) {
  return count < 10 ? fmt::format("{:.1f}", count) : fmt::format("{:.0f}", count);
}

// "2m10s, 85 hurt": until weight 0, and what it has cost until then.
std::string cell(const RegressionForecast& told) {
  if (!told.is_breach) return "allowed";
  const auto hurt = fmt::format("{} hurt", count_text(told.hurt));
  if (!told.seconds) return fmt::format("{:.0f} % found, {}", told.found * 100, hurt);
  return fmt::format("{}, {}", rough_duration(*told.seconds), hurt);
}

std::string smallest_text(const StepForecast& step) {
  if (!step.judged) return "not judged";
  return step.smallest ? fmt::format("{:.3g}x", *step.smallest) : "none";
}

std::vector<std::vector<std::string>> rows(const Forecast& forecast,
                                           const std::vector<double>& factors) {
  std::vector<std::vector<std::string>> rows{{"WEIGHT", "FOR", "CANARY REQUESTS", "FINDS"}};
  for (const double factor : factors) rows[0].push_back(fmt::format("{:g}x", factor));
  for (const auto& step : forecast.steps) {
    rows.push_back({fmt::format("{} %", step.weight), rough_duration(step.seconds),
                    fmt::format("{:.0f}", step.canary_requests), smallest_text(step)});
    for (const double factor : factors) {
      const auto& all = step.regressions;
      const auto found = std::find_if(all.begin(), all.end(), [&](const RegressionForecast& told) {
        return told.factor == factor;
      });
      rows.back().push_back(found == all.end() ? "above 100 %" : cell(*found));
    }
  }
  return rows;
}

std::string healthy_text(const Forecast& told) {
  if (!told.seconds_to_promotion)
    return fmt::format(
        "a healthy release does not come to an end by itself: {} of {} wait for a "
        "person",
        told.awaiting, told.runs);
  return fmt::format(
      "a healthy release is promoted after {}, and then watched for {}; {} of {} "
      "were taken back",
      rough_duration(*told.seconds_to_promotion), format_duration(told.watch), told.taken_back,
      told.runs);
}

void print_text(std::ostream& out, const NamedPolicy& policy, const ForecastInput& input,
                const Forecast& told) {
  out << fmt::format(
      "policy {}, objective {}: {}; evidence of {:.4g} is a breach\n"
      "{:g} requests a second, {:.4g}% of stable's bad; each case rehearsed {} times\n\n",
      policy.name, told.objective, told.bound, told.needed_evidence, input.requests_per_second,
      input.error_rate * 100, told.runs);
  out << table_text(rows(told, input.factors));
  out << fmt::format(
      "\nFINDS: the smallest regression that is taken back at this weight in {:.0f} of 100 "
      "releases.\n"
      "2x …: from this step on so many times stable's errors; until weight 0 (median), and "
      "people\n"
      "who got a bad answer that stable would not have given (mean).\n\n{}\n",
      kFoundShare * 100, healthy_text(told));
  for (const auto& warning : told.warnings) out << "warning: " << warning << "\n";
}

Json json_of(const RegressionForecast& told) {
  Json json{{"times", told.factor},
            {"isBreach", told.is_breach},
            {"found", told.found},
            {"foundAtThisWeight", told.found_here},
            {"usersHurt", told.hurt}};
  json["secondsToRollback"] = told.seconds ? Json(*told.seconds) : Json();
  return json;
}

Json json_of(const NamedPolicy& policy, const ForecastInput& input, const Forecast& told) {
  Json steps = Json::array();
  for (const auto& step : told.steps) {
    Json regressions = Json::array();
    for (const auto& one : step.regressions) regressions.push_back(json_of(one));
    steps.push_back({{"weight", step.weight},
                     {"seconds", step.seconds},
                     {"canaryRequests", step.canary_requests},
                     {"judged", step.judged},
                     {"smallestFound", step.smallest ? Json(*step.smallest) : Json()},
                     {"regressions", std::move(regressions)}});
  }
  const auto& promoted = told.seconds_to_promotion;
  return Json{{"policy", policy.name},
              {"objective", told.objective},
              {"bound", told.bound},
              {"neededEvidence", told.needed_evidence},
              {"requestsPerSecond", input.requests_per_second},
              {"errorRate", input.error_rate},
              {"runs", told.runs},
              {"steps", std::move(steps)},
              {"healthy",
               {{"secondsToPromotion", promoted ? Json(*promoted) : Json()},
                {"watchSeconds", std::chrono::duration<double>(told.watch).count()},
                {"takenBack", told.taken_back},
                {"awaitingApproval", told.awaiting}}},
              {"warnings", told.warnings}};
}

Result<int> run(const Invocation& invocation) {
  const auto input = read_input(invocation.arguments);
  if (!input) return usage_error(invocation, input.error().message);
  ASSIGN_OR_RETURN(const auto policy, read_policy_file(invocation));
  ASSIGN_OR_RETURN(const auto told, forecast(policy.spec, *input));
  auto& out = invocation.streams.out;
  if (invocation.arguments.value("output") == "json")
    out << pretty_json(json_of(policy, *input, told));
  else
    print_text(out, policy, *input, told);
  return exit_code::kOk;
}

}  // namespace

Command plan_command() {
  Command command;
  command.name = "plan";
  command.summary = "what a CanaryPolicy would see at a given traffic, before anything moves";
  command.more =
      "Rehearses releases with drawn requests, judged by the operator's own code: for each step "
      "the\n"
      "smallest regression that it finds, how long 2, 5 and 10 times stable's errors last, and "
      "how\n"
      "many people they hurt. The same words give the same figures. Needs no cluster.\n"
      "\n"
      "  kubectl weir plan -f policy.yaml --rps 50 --error-rate 0.5%\n"
      "  kubectl get canarypolicy standard -o yaml | kubectl weir plan -f - --rps 5 --error-rate "
      "0.1% -o json\n";
  command.flags = {kPolicyFile,
                   {"rps", 0, "N", "requests a second of the whole service"},
                   {"error-rate", 0, "P", "stable's share of bad answers, like 0.5%"},
                   kPolicyName,
                   {"objective", 0, "NAME", "the ratio objective to rehearse; the first Critical"},
                   {"runs", 0, "N", "rehearsals of each case; 100"},
                   {"output", 'o', "text|json", "json: for programs"}};
  command.run = run;
  return command;
}

}  // namespace weir
