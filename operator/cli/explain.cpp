#include <ostream>

#include "api/codec.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/explanation.h"
#include "cli/releases.h"
#include "kube/kinds.h"

namespace weir {
namespace {

Result<CanaryPolicy> policy_of(Session& session, const Release& release) {
  const auto& name = release.spec ? release.spec->policy : release.status.policy;
  if (name.empty()) return Error{ErrorKind::NotFound, "none is named"};
  ASSIGN_OR_RETURN(
      const auto object,
      session.api->get(kinds::kCanaryPolicy, {release.meta.key.ns, name}, session.deadline()));
  return decode_policy(object);
}

Result<int> run(const Invocation& invocation) {
  const auto name = release_name(invocation.arguments.operands().front());
  if (!name) return usage_error(invocation, name.error().message);
  ASSIGN_OR_RETURN(const auto session, connect(invocation.arguments));
  ASSIGN_OR_RETURN(const auto release, get_release(*session, *name));
  invocation.streams.out << explain_release(release, policy_of(*session, release),
                                            session->clock.now());
  return exit_code::kOk;
}

}  // namespace

Command explain_command() {
  Command command;
  command.name = "explain";
  command.synopsis = "release/NAME";
  command.summary = "what a release waits for, what was measured, what comes next";
  command.more =
      "From the status of the Release and its CanaryPolicy alone: whoever may read them may ask.\n"
      "\n"
      "  kubectl weir explain release/shop\n";
  command.flags = cluster_flags({});
  command.operands = Operands::Releases;
  command.min_operands = command.max_operands = 1;
  command.run = run;
  return command;
}

}  // namespace weir
