#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <istream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands.h"
#include "cli/lint_findings.h"
#include "cli/lint_rbac.h"
#include "cli/output.h"
#include "kube/token_file.h"
#include "kube/yaml_json.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 10'000;

bool is_manifest(const fs::path& path) {
  const auto suffix = path.extension();
  return suffix == ".yaml" || suffix == ".yml" || suffix == ".json";
}

// All manifests below a folder, in the order of their names.
Result<std::vector<std::string>> files_below(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (auto at = fs::recursive_directory_iterator(folder, error);
       !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at->is_regular_file(error) && is_manifest(at->path())) files.push_back(at->path());
    if (files.size() > kMaxFiles)
      return Error{ErrorKind::Invalid, fmt::format("{}: more than {} files", folder, kMaxFiles)};
  }
  if (error) return Error{ErrorKind::Invalid, fmt::format("{}: {}", folder, error.message())};
  std::sort(files.begin(), files.end());
  return files;
}

Result<LintText> read_input(std::istream& in) {
  std::string text;
  for (std::istreambuf_iterator<char> at(in), end; at != end && text.size() <= kMaxYamlBytes; ++at)
    text += *at;
  return LintText{"-", std::move(text)};
}

Result<std::vector<LintText>> read_all(const std::vector<std::string>& operands, std::istream& in) {
  std::vector<LintText> texts;
  for (const auto& operand : operands) {
    if (operand == "-") {
      ASSIGN_OR_RETURN(auto text, read_input(in));
      texts.push_back(std::move(text));
      continue;
    }
    std::error_code ignored;
    std::vector<std::string> files{operand};
    if (fs::is_directory(operand, ignored)) {
      ASSIGN_OR_RETURN(files, files_below(operand));
    }
    for (const auto& file : files) {
      auto text = read_text_file(file, kMaxYamlBytes);
      // A file that was named and is not there is a failure, not "not found" of the cluster.
      if (!text) return Error{ErrorKind::Invalid, text.error().message};
      texts.push_back({file, *std::move(text)});
    }
  }
  return texts;
}

std::string line_of(const LintFinding& finding) {
  auto text = fmt::format("{}:{}: {}: ", finding.file, finding.line, to_string(finding.level));
  if (!finding.kind.empty()) text += fmt::format("{}/{}: ", finding.kind, finding.name);
  if (!finding.path.empty()) text += finding.path + ": ";
  return text + finding.message + "\n";
}

Json json_of(const LintFinding& finding) {
  return Json{{"severity", std::string(to_string(finding.level))},
              {"file", finding.file},
              {"line", finding.line},
              {"kind", finding.kind},
              {"name", finding.name},
              {"path", finding.path},
              {"message", finding.message}};
}

std::size_t count(const LintResult& result, LintLevel level) {
  return static_cast<std::size_t>(
      std::count_if(result.findings.begin(), result.findings.end(),
                    [&](const LintFinding& finding) { return finding.level == level; }));
}

Result<int> print_rbac(const Invocation& invocation, const std::vector<LintText>& texts) {
  const auto account = invocation.arguments.value("service-account", "weir-system/weir");
  const auto slash = account.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == account.size())
    return Error{ErrorKind::Invalid,
                 "--service-account: found \"" + account + "\", must be NAMESPACE/NAME"};
  ASSIGN_OR_RETURN(const auto yaml,
                   rbac_for(texts, invocation.arguments.value("namespace", "default"),
                            {account.substr(0, slash), account.substr(slash + 1)}));
  invocation.streams.out << yaml;
  if (yaml.empty()) invocation.streams.err << "nothing names a Secret: nothing to grant\n";
  return exit_code::kOk;
}

Result<int> run(const Invocation& invocation) {
  const auto& streams = invocation.streams;
  ASSIGN_OR_RETURN(const auto texts, read_all(invocation.arguments.operands(), streams.in));
  if (invocation.arguments.has("rbac")) return print_rbac(invocation, texts);
  const auto result = lint_texts(texts);
  if (invocation.arguments.value("output") == "json") {
    Json list = Json::array();
    for (const auto& finding : result.findings) list.push_back(json_of(finding));
    streams.out << pretty_json(list);
  } else {
    for (const auto& finding : result.findings) streams.out << line_of(finding);
  }
  const auto errors = count(result, LintLevel::Error);
  streams.err << fmt::format("{} objects of weir.dev in {} files: {} errors, {} warnings\n",
                             result.objects, texts.size(), errors,
                             count(result, LintLevel::Warning));
  return errors == 0 ? exit_code::kOk : exit_code::kFailed;
}

}  // namespace

Command lint_command() {
  Command command;
  command.name = "lint";
  command.synopsis = "FILE…|DIRECTORY…|-";
  command.summary = "checks Weir's objects offline, before they reach a cluster";
  command.more =
      "Reads YAML (many documents) and JSON, directories with all below them, and standard input.\n"
      "Errors are what the API server (strict, as kubectl asks it) or the operator would refuse, "
      "with\n"
      "the line and what was meant; warnings are what they would accept and still would not do "
      "what\n"
      "its author wants. Exit code 1 when there are errors. Other kinds are left alone.\n"
      "\n"
      "  kubectl weir lint deploy/\n"
      "  kustomize build overlays/production | kubectl weir lint -\n"
      "  kubectl weir lint -o json shop.yaml   for editors and CI\n"
      "  kubectl weir lint --rbac deploy/ | kubectl apply -f -   lets Weir read the Secrets they "
      "name\n";
  command.flags = {
      {"output", 'o', "text|json", "json: a list of findings"},
      {"rbac", 0, "", "print Roles for the Secrets that are named, check nothing"},
      {"namespace", 'n', "NAME", "with --rbac: of objects that name none; default"},
      {"service-account", 0, "NAMESPACE/NAME", "with --rbac: Weir's; weir-system/weir"}};
  command.operands = Operands::Files;
  command.min_operands = 1;
  command.max_operands = kMaxFiles;
  command.run = run;
  return command;
}

}  // namespace weir
