// What people ask of a live Release: "promote this", "take that back". Annotations on the Release, so that `kubectl annotate` can do
// it and Git never sees it; answered once, in status.requests.
//
//   weir.dev/request: <verb>:<revision>   promote, promote-full, abort, retry, rollback; pause and resume name none
//   weir.dev/request-id: <nonce>@<time>   RFC 3339; good for 10 minutes
//   weir.dev/requested-by: <user>         forced to be the caller by the ValidatingAdmissionPolicy of the chart
#pragma once

#include <optional>
#include <string>

#include "delivery/release_snapshot.h"

namespace weir {

// Reasons of what people took back.
inline constexpr std::string_view kAborted = "Aborted";
inline constexpr std::string_view kRequestedRollback = "Requested";

struct RequestAnswer {
  Traffic
      traffic;  // as the snapshot's, with the request carried out; just that when it was refused
  RequestStatus status;
};

// Nothing when nobody asks, or all is answered. Pure. A request is carried out once: its id is written into the route together with
// what it changes, and so is known even if the answer in status is lost.
std::optional<RequestAnswer> answer_request(const ReleaseSnapshot& snapshot, WallTime now);

// "abort:6f8d5c7b9a by alice: Refused: no release is under way"
std::string told(const RequestStatus& answered);

}  // namespace weir
