#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "api/codec.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/release_tree.h"
#include "cli/releases.h"

namespace weir {
namespace {

using Row = std::vector<std::string>;

// "9j546h2pcl=95,2snn7f5kh7=5"; a canary also while it has none.
std::string weights_of(const ReleaseStatus& status) {
  std::string text;
  for (const auto& weight : status.weights) {
    const bool is_canary = status.canary && status.canary->revision == weight.revision;
    if (weight.weight > 0 || is_canary)
      text += fmt::format("{}{}={}", text.empty() ? "" : ",", weight.revision, weight.weight);
  }
  return text;
}

Row row_of(const Release& release, bool with_namespace, bool wide, WallTime now) {
  const auto& status = release.status;
  Row row;
  if (with_namespace) row.push_back(release.meta.key.ns);
  row.push_back(release.meta.key.name);
  row.emplace_back(to_string(status.phase));
  row.push_back(status.canary ? fmt::format("{}/{}", status.canary->step, status.canary->steps)
                              : "");
  row.push_back(weights_of(status));
  row.push_back(fmt::format("{}", fmt::join(images_of(release), ",")));
  row.push_back(release.meta.created ? short_age(*release.meta.created, now) : "");
  if (!wide) return row;
  row.push_back(release.spec ? release.spec->policy : "");
  row.push_back(status.message);
  return row;
}

Row head(bool with_namespace, bool wide) {
  Row row;
  if (with_namespace) row.emplace_back("NAMESPACE");
  for (const auto* name : {"NAME", "PHASE", "STEP", "WEIGHTS", "IMAGES", "AGE"})
    row.emplace_back(name);
  if (wide) row.insert(row.end(), {"POLICY", "MESSAGE"});
  return row;
}

Result<int> run(const Invocation& invocation) {
  ASSIGN_OR_RETURN(const auto session, connect(invocation.arguments));
  ASSIGN_OR_RETURN(const auto list, list_releases(*session, ""));
  const auto form = invocation.arguments.value("output");
  if (form == "json" || form == "yaml" || form == "name") {
    std::vector<Json> objects;
    for (const auto& seen : list.releases) objects.push_back(seen.object);
    invocation.streams.out << objects_text(objects, true, form);
    return exit_code::kOk;
  }
  const bool with_namespace = session->ns.empty();
  const bool wide = form == "wide";
  std::vector<Row> rows{head(with_namespace, wide)};
  for (const auto& seen : list.releases)
    rows.push_back(row_of(seen.release, with_namespace, wide, session->clock.now()));
  if (list.releases.empty())
    invocation.streams.err << "no releases found\n";
  else
    invocation.streams.out << table_text(rows);
  return exit_code::kOk;
}

}  // namespace

Command list_command() {
  Command command;
  command.name = "list";
  command.summary = "releases as a table: phase, step, weights, images";
  command.more =
      "WEIGHTS are percents of the traffic by revision, as the gateway has accepted them.\n"
      "\n"
      "  kubectl weir list -A\n"
      "  kubectl weir list -o wide            also the policy and what it waits for\n"
      "  kubectl weir list -o name | xargs -n 1 kubectl weir explain\n";
  command.flags = cluster_flags({kAllNamespaces, kOutput});
  command.run = run;
  return command;
}

}  // namespace weir
