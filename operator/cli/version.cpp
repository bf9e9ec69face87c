#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands.h"
#include "kube/yaml_json.h"

namespace weir {
namespace {

Result<int> run(const Invocation& invocation) {
  const auto form = invocation.arguments.value("output");
  const Json version{{"version", std::string(invocation.version)}};
  auto& out = invocation.streams.out;
  if (form == "json")
    out << dump_json(version) << "\n";
  else if (form == "yaml")
    out << dump_yaml(version);
  else
    out << "weir " << invocation.version << "\n";
  return exit_code::kOk;
}

}  // namespace

Command version_command() {
  Command command;
  command.name = "version";
  command.summary = "the version of this program";
  command.flags = {{"output", 'o', "json|yaml", "for programs"}};
  command.run = run;
  return command;
}

}  // namespace weir
