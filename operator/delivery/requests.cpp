#include "delivery/requests.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/text_rules.h"
#include "base/sim_point.h"
#include "base/time_format.h"

namespace weir {
namespace {

constexpr milliseconds kRequestGoodFor{600'000};
constexpr milliseconds kRequestAhead{60'000};  // the asker's clock may be so far before ours

constexpr std::size_t kMaxId = 128;  // bytes
constexpr std::size_t kMaxText = 253;

struct Asked {
  std::string verb;
  std::string revision;
  std::string by;
};

Error refused(std::string why) { return {ErrorKind::Invalid, std::move(why)}; }

std::string who(const Asked& asked) { return asked.by.empty() ? "somebody" : asked.by; }

// The revision that is under way must be the one that was meant.
Result<void> check_canary(const ReleaseSnapshot& snapshot, const Asked& asked) {
  const auto& canary = snapshot.traffic.canary;
  if (canary.empty() || canary != snapshot.wanted) return refused("no release is under way");
  if (asked.revision != canary)
    return refused(fmt::format("the release under way is that of {}", canary));
  return {};
}

Result<Traffic> promote(const ReleaseSnapshot& snapshot, const Asked& asked, bool full) {
  if (auto meant = check_canary(snapshot, asked); !meant) return meant.error();
  if (snapshot.is_paused()) return refused("the release is paused: resume it first");
  Traffic traffic = snapshot.traffic;
  if (!full && traffic.weight == 0)
    return refused(fmt::format("{} has no traffic yet: it waits for its pods", traffic.canary));
  traffic.waived = full ? 100 : traffic.weight;
  return traffic;
}

Traffic taken_back(const Traffic& now, const std::string& to, const Asked& asked, WallTime at) {
  Traffic traffic = now.resting_at(to);
  traffic.rollback = RollbackMark{asked.revision, std::string(kAborted),
                                  fmt::format("aborted by {}", who(asked)), std::nullopt, at};
  return traffic;
}

Result<Traffic> abort_release(const ReleaseSnapshot& snapshot, const Asked& asked, WallTime now) {
  const auto& traffic = snapshot.traffic;
  if (!traffic.canary.empty()) {
    if (asked.revision != traffic.canary)
      return refused(fmt::format("the release under way is that of {}", traffic.canary));
    return taken_back(traffic, traffic.stable, asked, now);
  }
  // Promoted, but the revision before it still has all it needs.
  const auto& previous = snapshot.revision(traffic.previous);
  const int stable_has = snapshot.revision(traffic.stable).replicas();
  const bool can_return =
      traffic.promoted && previous.service && previous.ready() >= std::max(1, stable_has);
  if (asked.revision != traffic.stable || traffic.stable != snapshot.wanted)
    return refused("no release is under way");
  if (!can_return)
    return refused(
        fmt::format("{} is promoted and nothing is left to return to at once: use "
                    "rollback",
                    traffic.stable));
  return taken_back(traffic, traffic.previous, asked, now);
}

Result<Traffic> retry(const ReleaseSnapshot& snapshot, const Asked& asked) {
  Traffic traffic = snapshot.traffic;
  if (!traffic.rollback || asked.revision != snapshot.wanted ||
      traffic.rollback->revision != asked.revision)
    return refused(
        fmt::format("{} is not a revision that the spec asks for and that was taken "
                    "back",
                    clip(asked.revision, kMaxText)));
  traffic.rollback.reset();
  return traffic;
}

Result<Traffic> resume(const ReleaseSnapshot& snapshot) {
  Traffic traffic = snapshot.traffic;
  if (snapshot.release->spec && snapshot.release->spec->paused)
    return refused("spec.paused is true: only a change of it resumes");
  const bool kept_away = traffic.rollback && traffic.rollback->reason == kRequestedRollback &&
                         traffic.rollback->revision == snapshot.wanted;
  if (!traffic.paused && !kept_away) return refused("nothing is paused");
  if (!traffic.paused) traffic.rollback.reset();
  traffic.paused = false;
  return traffic;
}

std::string kept(const ReleaseSnapshot& snapshot) {
  std::string names;
  for (const auto& [revision, view] : snapshot.revisions) {
    const bool serves = revision == snapshot.traffic.stable || revision == snapshot.wanted;
    if (view.replica_set && !serves) names += (names.empty() ? "" : ", ") + revision;
  }
  return names.empty() ? "none" : names;
}

Result<Traffic> rollback_to(const ReleaseSnapshot& snapshot, const Asked& asked) {
  Traffic traffic = snapshot.traffic;
  if (!traffic.canary.empty())
    return refused(fmt::format("a release of {} is under way: abort it first", traffic.canary));
  if (asked.revision == traffic.stable) return refused(asked.revision + " serves already");
  if (asked.revision == snapshot.wanted)
    return refused(asked.revision + " is what the spec asks for: use retry");
  const bool taken_back = traffic.rollback && traffic.rollback->revision == snapshot.wanted;
  if (snapshot.wanted != traffic.stable && !taken_back)
    return refused(fmt::format("a release of {} is about to begin", snapshot.wanted));
  if (!snapshot.revision(asked.revision).replica_set)
    return refused(fmt::format("no revision \"{}\" is kept; there are: {}",
                               clip(asked.revision, kMaxText), kept(snapshot)));
  traffic.returning = asked.revision;
  return traffic;
}

Result<Traffic> carry_out(const ReleaseSnapshot& snapshot, const Asked& asked, WallTime now) {
  if (snapshot.traffic.stable.empty()) return refused("no revision has served yet");
  const bool usable = snapshot.release->spec && snapshot.pod_template;
  if (!usable && asked.verb != "abort") return refused("the spec cannot be used: mend it first");
  if (asked.verb == "promote") return promote(snapshot, asked, false);
  if (asked.verb == "promote-full") return promote(snapshot, asked, true);
  if (asked.verb == "abort") return abort_release(snapshot, asked, now);
  if (asked.verb == "retry") return retry(snapshot, asked);
  if (asked.verb == "rollback") return rollback_to(snapshot, asked);
  if (asked.verb == "resume") return resume(snapshot);
  if (asked.verb == "pause") {
    Traffic traffic = snapshot.traffic;
    traffic.paused = true;
    return traffic;
  }
  return refused(
      fmt::format("found \"{}\", must be promote, promote-full, abort, retry, rollback, "
                  "pause or resume",
                  clip(asked.verb, kMaxText)));
}

Result<void> check_age(const std::string& id, WallTime now) {
  const auto at = id.find('@');
  const auto time = parse_time(at == std::string::npos ? "" : std::string_view(id).substr(at + 1));
  if (!time || id.size() > kMaxId)
    return refused(
        fmt::format("weir.dev/request-id: must be NONCE@TIME with an RFC 3339 time and at "
                    "most {} bytes",
                    kMaxId));
  if (now - *time > kRequestGoodFor)
    return refused(fmt::format("it was made at {}, more than 10 minutes ago", format_time(*time)));
  if (*time - now > kRequestAhead)
    return refused(
        fmt::format("it says it was made at {}, which is yet to come", format_time(*time)));
  return {};
}

std::string mark(const ReleaseSnapshot& snapshot, std::string_view name) {
  const auto& all = snapshot.release->meta.annotations;
  const auto found = all.find(name);
  return found == all.end() ? "" : found->second;
}

}  // namespace

std::optional<RequestAnswer> answer_request(const ReleaseSnapshot& snapshot, WallTime now) {
  const auto whole_id = mark(snapshot, marks::kRequestId);
  const auto text = mark(snapshot, marks::kRequest);
  if (whole_id.empty() || text.empty()) return std::nullopt;
  const auto id = clip(whole_id, kMaxId);
  for (const auto& known : snapshot.release->status.requests) {
    if (known.id == id) return std::nullopt;
  }
  RequestAnswer answer{snapshot.traffic, {}};
  const auto by = clip(mark(snapshot, marks::kRequestedBy), kMaxText);
  answer.status = {id, clip(text, kMaxText), by, "Done", "", now};
  if (snapshot.traffic.request == id) {
    reached(SimPoint::RequestKnown);
    return answer;
  }
  const auto colon = text.find(':');
  const Asked asked{text.substr(0, colon), colon == std::string::npos ? "" : text.substr(colon + 1),
                    by};
  const auto fresh = check_age(whole_id, now);
  auto traffic = fresh ? carry_out(snapshot, asked, now) : Result<Traffic>(fresh.error());
  reached(traffic ? SimPoint::RequestDone : SimPoint::RequestRefused);
  if (traffic) {
    answer.traffic = std::move(*traffic);
    answer.traffic.request = id;
  } else {
    answer.status.outcome = "Refused";
    answer.status.message = traffic.error().message;
  }
  return answer;
}

std::string told(const RequestStatus& answered) {
  return fmt::format("{}{}{}: {}{}{}", answered.request, answered.by.empty() ? "" : " by ",
                     answered.by, answered.outcome, answered.message.empty() ? "" : ": ",
                     answered.message);
}

}  // namespace weir
