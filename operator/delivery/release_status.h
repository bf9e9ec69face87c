// Status as the pure image of a snapshot and a course. It is written after the writes it speaks of, so it is never ahead of them.
#pragma once

#include <optional>
#include <vector>

#include "api/release.h"
#include "delivery/release_course.h"
#include "delivery/release_snapshot.h"

namespace weir {

// `refused`: a write that the server refused; then the status says this and only what is observed.
ReleaseStatus render_status(const ReleaseSnapshot& snapshot, const Course& course, WallTime now,
                            const Error* refused);

// The newest answers are kept, a handful.
void add_answer(ReleaseStatus& status, const RequestStatus& answer);

// Whether it differs from what stands; judgements by themselves are written at most every 30 s.
bool needs_write(const ReleaseStatus& before, const ReleaseStatus& after, WallTime now);

// Whether only pod counts, idle revisions and words differ: what a pass that writes children leaves to the one that sees them.
bool differs_in_counts_only(const ReleaseStatus& before, const ReleaseStatus& after);

// The Event for a rollback that status did not know of yet; none when people asked for it.
std::optional<Notice> news_of_rollback(const ReleaseStatus& before, const Traffic& traffic);

// Revisions that have pods but no part in the course, and since when their weight 0 is accepted, at the earliest since the route says
// what the course wants.
std::vector<IdleStatus> idle_revisions(const ReleaseSnapshot& snapshot, const Course& course,
                                       WallTime now);

}  // namespace weir
