// promote, pause, resume, abort, retry, rollback: a request on the Release (delivery/requests.h), and the wait for its answer.
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "api/codec.h"
#include "base/json.h"
#include "base/time_format.h"
#include "base/wait.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/releases.h"
#include "cli/session.h"
#include "kube/kinds.h"

namespace weir {
namespace {

constexpr milliseconds kAnswerWithin{30'000};
constexpr milliseconds kLook{250};

// Who the server takes us for; "" when it cannot tell
// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review).
std::string own_name(Session& session) {
  constexpr Kind kReview{"authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews"};
  const Json review{{"apiVersion", kReview.api_version()}, {"kind", kReview.name}};
  const auto told = session.api->create(kReview, "", review, false, session.deadline());
  return told ? json_text(*told, {"status", "userInfo", "username"}) : "";
}

// The newest revision that has served and does so no more.
std::string last_stable(const ReleaseStatus& status) {
  const auto serving = status.stable ? status.stable->revision : "";
  if (status.promotion && status.promotion->revision == serving) return status.promotion->previous;
  for (const auto& entry : status.history) {
    if (entry.outcome == "Promoted" && entry.revision != serving) return entry.revision;
  }
  return "";
}

// The revision that is meant when none is named.
Result<std::string> meant(std::string_view verb, const Release& release) {
  const auto& status = release.status;
  std::string revision;
  std::string_view missing = "no release is under way";
  if (verb == "retry") {
    missing = "nothing was taken back";
    if (status.last_rollback) revision = status.last_rollback->revision;
  } else if (verb == "rollback") {
    missing = "no revision before the present one is known; name one with --to";
    revision = last_stable(status);
  } else if (status.canary) {
    revision = status.canary->revision;
  } else if (verb == "abort" && status.promotion) {
    revision = status.promotion->revision;
  }
  if (revision.empty()) return Error{ErrorKind::Invalid, std::string(missing)};
  return revision;
}

Result<std::string> request_text(const Invocation& invocation, const Release& release) {
  const auto verb = invocation.command.name;
  if (verb == "pause" || verb == "resume") return std::string(verb);
  const auto& arguments = invocation.arguments;
  if (arguments.has("to")) return fmt::format("{}:{}", verb, arguments.value("to"));
  ASSIGN_OR_RETURN(const auto revision, meant(verb, release));
  return fmt::format("{}{}:{}", verb, arguments.has("full") ? "-full" : "", revision);
}

// Puts the request on the object that was looked at and on no other of its name. Returns the request's id.
Result<std::string> ask(Session& session, const Release& release, const std::string& request) {
  const auto id =
      fmt::format("{:08x}@{}", static_cast<std::uint32_t>(session.random.uniform() * 0xffffffff),
                  format_time(session.clock.now()));
  Json marked{{marks::kRequest, request}, {marks::kRequestId, id}};
  const auto name = own_name(session);
  marked[std::string(marks::kRequestedBy)] = name.empty() ? Json() : Json(name);
  const Json body{{"metadata", {{"uid", release.meta.uid}, {"annotations", std::move(marked)}}}};
  const Patch patch{Patch::Type::JsonMerge, dump_json(body)};
  const auto patched =
      session.api->patch(kinds::kRelease, release.meta.key, patch, session.deadline());
  if (!patched) return patched.error();
  return id;
}

Result<int> wait_for_answer(Session& session, const Streams& streams, const std::string& name,
                            const std::string& id) {
  const auto deadline = Deadline::after(session.clock, kAnswerWithin);
  while (deadline.left(session.clock) > milliseconds(0)) {
    ASSIGN_OR_RETURN(const auto release, get_release(session, name));
    const auto& all = release.status.requests;
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& request) { return request.id == id; });
    if (found == all.end()) {
      wait_until(session.clock.monotonic() + kLook, {});
      continue;
    }
    if (found->outcome != "Done")
      return Error{ErrorKind::Invalid,
                   fmt::format("{} was refused: {}", found->request, found->message)};
    streams.out << fmt::format("{}: {}: {}\n", found->request, to_string(release.status.phase),
                               release.status.message);
    return exit_code::kOk;
  }
  streams.err << fmt::format("weir: {} has not been answered for {}; does the operator run?\n",
                             name, format_duration(kAnswerWithin));
  return exit_code::kTimedOut;
}

Result<int> run(const Invocation& invocation) {
  const auto name = release_name(invocation.arguments.operands().front());
  if (!name) return usage_error(invocation, name.error().message);
  ASSIGN_OR_RETURN(const auto session, connect(invocation.arguments));
  ASSIGN_OR_RETURN(const auto release, get_release(*session, *name));
  ASSIGN_OR_RETURN(const auto request, request_text(invocation, release));
  ASSIGN_OR_RETURN(const auto id, ask(*session, release, request));
  return wait_for_answer(*session, invocation.streams, *name, id);
}

Command command_for(std::string_view verb, std::string_view summary, std::string_view more,
                    const std::vector<Flag>& flags = {}) {
  Command command;
  command.name = verb;
  command.synopsis = "NAME";
  command.summary = summary;
  command.more = more;
  command.flags = cluster_flags(flags);
  command.operands = Operands::Releases;
  command.min_operands = command.max_operands = 1;
  command.run = run;
  return command;
}

}  // namespace

Command promote_command() {
  return command_for("promote", "ends the hold of the present weight",
                     "The weight must be accepted and its pods ready; a breach still rolls back.\n"
                     "\n"
                     "  kubectl weir promote shop\n"
                     "  kubectl weir promote shop --full\n",
                     {{"full", 0, "", "to 100 % as soon as there are pods for it"}});
}

Command pause_command() {
  return command_for("pause", "no weight rises until it is resumed",
                     "What hurts is still taken back. A new revision waits as well.\n");
}

Command resume_command() {
  return command_for("resume", "ends a pause, or what a rollback by request holds back",
                     "A pause by spec.paused ends with a change of the spec only.\n");
}

Command abort_command() {
  return command_for(
      "abort", "takes the release under way back",
      "Its revision gets no traffic until the spec changes or somebody retries. After "
      "the\n"
      "promotion it works for as long as the revision before still has its pods.\n");
}

Command retry_command() {
  return command_for("retry", "releases a revision that was taken back once more",
                     "From the first step on.\n");
}

Command rollback_command() {
  return command_for(
      "rollback", "lets an older revision serve until the spec changes",
      "It serves as soon as it has pods for all of the traffic. `resume` releases what "
      "the spec asks for.\n"
      "\n"
      "  kubectl weir rollback shop\n"
      "  kubectl weir rollback shop --to 6f8d5c7b9a\n",
      {{"to", 0, "REVISION", "one of those that are kept; the one before the present"}});
}

}  // namespace weir
