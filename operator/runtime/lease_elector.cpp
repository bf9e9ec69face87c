#include "runtime/lease_elector.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/time_format.h"
#include "kube/kinds.h"

namespace weir {
namespace {

constexpr milliseconds kFirstRetry{250};
constexpr double kJitter = 0.2;  // of a pause; two standbys do not stay in step
// A record of another's that makes no sense must not block for ever.
constexpr std::int64_t kLongestForeign = 3600;  // seconds

bool is_lost_race(const Error& error) {
  return error.kind == ErrorKind::Conflict || error.kind == ErrorKind::AlreadyExists ||
         error.kind == ErrorKind::NotFound;
}

}  // namespace

LeaseElector::Next LeaseElector::next() {
  const auto now = clock_.monotonic();
  if (leading_ && now >= renew_due()) {
    last_error_ = fmt::format("not renewed for {} s; last: {}", kRenewDeadline.count() / 1000,
                              last_error_.empty() ? "no attempt in time" : last_error_);
    end();
  }
  if (ended_) return {Next::Do::Lost};
  if (now < not_before_)
    return {Next::Do::Wait, leading_ ? std::min(not_before_, renew_due()) : not_before_};
  const auto deadline = leading_ ? std::min(now + kLeaseRequest, renew_due()) : now + kLeaseRequest;
  if (!may_write_) return {Next::Do::Read, deadline};
  sent_ = now;
  return {version_.empty() ? Next::Do::Create : Next::Do::Patch, deadline, write_body()};
}

void LeaseElector::on_read(const Result<Json>& lease) {
  may_write_ = false;
  const bool missing = !lease && lease.error().kind == ErrorKind::NotFound;
  if (!lease && !missing) return fail(lease.error());
  if (missing)
    version_.clear();
  else
    observe(*lease);
  if (leading_ && !missing && record_.holder != identity_) {
    last_error_ = fmt::format("taken by \"{}\"", record_.holder);
    return end();
  }
  if (leading_ || is_free()) {
    may_write_ = true;
    return;
  }
  failures_ = 0;
  last_error_.clear();
  const auto expires = moved_ + record_.duration;
  pause(kLeaseLook);
  not_before_ = std::min(not_before_, expires);
}

void LeaseElector::on_written(const Result<Json>& lease) {
  may_write_ = false;
  if (!lease) return fail(lease.error());
  observe(*lease);
  may_write_ = true;
  leading_ = true;
  renewed_ = sent_;
  open_until_ = (renewed_ + kLeaseDuration).time_since_epoch().count();
  not_before_ = renewed_ + kRenewEvery;
  failures_ = 0;
  last_error_.clear();
}

std::optional<Json> LeaseElector::release() {
  const bool ours = leading_ && may_write_;
  end();
  if (!ours) return std::nullopt;
  const auto now = format_time_micro(clock_.now());
  return Json{{"metadata", {{"resourceVersion", version_}}},
              {"spec",
               {{"holderIdentity", ""},
                {"leaseDurationSeconds", 1},
                {"acquireTime", now},
                {"renewTime", now},
                {"leaseTransitions", record_.transitions}}}};
}

LeaseElector::Record LeaseElector::read_record(const Json& lease) {
  const Json& spec = json_at(lease, {"spec"});
  const auto duration = json_int(spec, {"leaseDurationSeconds"}, kLeaseDuration.count());
  return {json_text(spec, {"holderIdentity"}),
          seconds(std::clamp<std::int64_t>(duration, 1, kLongestForeign)),
          json_text(spec, {"acquireTime"}), json_text(spec, {"renewTime"}),
          std::max<std::int64_t>(0, json_int(spec, {"leaseTransitions"}))};
}

void LeaseElector::observe(const Json& lease) {
  auto record = read_record(lease);
  version_ = json_text(lease, {"metadata", "resourceVersion"});
  if (seen_ && record == record_) return;
  seen_ = true;
  moved_ = clock_.monotonic();
  record_ = std::move(record);
}

bool LeaseElector::is_free() const {
  if (!seen_ || record_.holder.empty() || record_.holder == identity_) return true;
  return clock_.monotonic() >= moved_ + record_.duration;
}

Json LeaseElector::write_body() const {
  const auto now = format_time_micro(clock_.now());
  const bool ours = record_.holder == identity_;
  const bool first = !seen_;
  const Json spec{{"holderIdentity", identity_},
                  {"leaseDurationSeconds", kLeaseDuration.count()},
                  {"acquireTime", ours && !record_.acquired.empty() ? record_.acquired : now},
                  {"renewTime", now},
                  {"leaseTransitions", record_.transitions + (ours || first ? 0 : 1)}};
  if (!version_.empty()) return Json{{"metadata", {{"resourceVersion", version_}}}, {"spec", spec}};
  return Json{{"apiVersion", kinds::kLease.api_version()},
              {"kind", kinds::kLease.name},
              {"metadata", {{"name", key_.name}, {"namespace", key_.ns}}},
              {"spec", spec}};
}

void LeaseElector::pause(milliseconds span) {
  const auto jitter = static_cast<double>(span.count()) * kJitter * random_.uniform();
  not_before_ = clock_.monotonic() + span + milliseconds(static_cast<std::int64_t>(jitter));
}

// What was written is not known, so the next step is to look.
void LeaseElector::fail(const Error& error) {
  last_error_ = to_string(error);
  const int before = failures_++;
  if (before == 0 && is_lost_race(error)) return;  // look at once at who was faster
  pause(std::max(error.retry_after.value_or(milliseconds(0)),
                 std::min(kLongestLeaseRetry, kFirstRetry * (1 << std::min(before, 3)))));
}

void LeaseElector::end() {
  ended_ = true;
  leading_ = false;
  open_until_ = 0;
}

}  // namespace weir
