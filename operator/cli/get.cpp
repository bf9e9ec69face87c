#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/release_tree.h"
#include "cli/releases.h"
#include "cli/watch_printer.h"

namespace weir {
namespace {

// Until interrupted.
Result<int> follow(const Invocation& invocation, Session& session, const std::string& name,
                   const TreeLook& look) {
  const auto form = invocation.arguments.value("output");
  const auto& streams = invocation.streams;
  WatchPrinter printer(streams, session.clock, look);
  auto how = follow_releases(session, name, streams.err, {}, [&](const SeenRelease& seen) {
    if (form == "json")
      streams.out << dump_json(seen.object) << std::endl;
    else if (form == "yaml" || form == "name")
      streams.out << (form == "yaml" ? "---\n" : "") << objects_text({seen.object}, false, form)
                  << std::flush;
    else if (seen.gone)
      printer.drop(seen.release.meta.key);
    else
      printer.show(seen.release);
    return true;
  });
  if (!how) return std::move(how).error();
  return exit_code::kOk;
}

Result<int> run(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  const auto& operands = arguments.operands();
  const auto name = operands.empty() ? Result<std::string>("") : release_name(operands.front());
  if (!name) return usage_error(invocation, name.error().message);
  ASSIGN_OR_RETURN(const auto session, connect(arguments));
  const auto form = arguments.value("output");
  const TreeLook look{session->ns.empty(), invocation.streams.colour, form == "wide"};
  if (arguments.has("watch")) return follow(invocation, *session, *name, look);
  ASSIGN_OR_RETURN(const auto list, list_releases(*session, *name));
  auto& out = invocation.streams.out;
  if (form == "json" || form == "yaml" || form == "name") {
    std::vector<Json> objects;
    for (const auto& seen : list.releases) objects.push_back(seen.object);
    out << objects_text(objects, name->empty() || session->ns.empty(), form);
    return exit_code::kOk;
  }
  for (const auto& seen : list.releases) out << release_tree(seen.release, look);
  if (list.releases.empty()) invocation.streams.err << "no releases found\n";
  return exit_code::kOk;
}

}  // namespace

Command get_command() {
  Command command;
  command.name = "get";
  command.synopsis = "[NAME]";
  command.summary = "releases as a tree with a weight bar; --watch follows them";
  command.more =
      "On a terminal --watch redraws the tree in place, elsewhere it prints one line per change.\n"
      "\n"
      "  kubectl weir get                     the releases of the namespace\n"
      "  kubectl weir get shop --watch        one, until interrupted\n"
      "  kubectl weir get -A -o wide          all, with images and policy\n"
      "  kubectl weir get shop -o yaml\n";
  command.flags = cluster_flags(
      {kAllNamespaces, kOutput, {"watch", 'w', "", "print each change, until interrupted"}});
  command.operands = Operands::Releases;
  command.max_operands = 1;
  command.run = run;
  return command;
}

}  // namespace weir
