#include "app/source_secrets.h"

#include <fmt/format.h>

#include <optional>

#include "base/base64.h"
#include "base/deadline.h"
#include "kube/kinds.h"

namespace weir {
namespace {

constexpr std::size_t kMaxKept = 256;  // Secrets
constexpr milliseconds kGood{60'000};
constexpr milliseconds kBad{15'000};
constexpr milliseconds kReadDeadline{5'000};

// Nothing: there is no such key. A line break at the end is one that `kubectl create secret --from-file` brought along.
Result<std::optional<std::string>> value_of(const Json& secret, const char* key) {
  const Json& data = json_at(secret, {"data", key});
  if (data.is_null()) return std::optional<std::string>();
  auto value = data.is_string() ? decode_base64(data.get_ref<const std::string&>()) : std::nullopt;
  if (!value) return Error{ErrorKind::Invalid, fmt::format("data.{}: is not base64", key)};
  while (!value->empty() && (value->back() == '\n' || value->back() == '\r')) value->pop_back();
  // It goes into a header: nothing may begin another one.
  const bool is_header = std::string_view(key) != "ca.crt";
  if (is_header && value->find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
    return Error{ErrorKind::Invalid, fmt::format("data.{}: must be one line", key)};
  return value;
}

Error about(Error error, const ObjectKey& secret) {
  const bool may_not = error.kind == ErrorKind::Forbidden;
  error.message = fmt::format(
      "Secret {}: {}", to_string(secret),
      may_not ? "Weir may not read it; `kubectl weir lint --rbac` prints the Role that grants it"
              : error.message);
  return error;
}

}  // namespace

Result<SourceAccess> read_access(const Json& secret) {
  ASSIGN_OR_RETURN(const auto token, value_of(secret, "token"));
  ASSIGN_OR_RETURN(const auto user, value_of(secret, "username"));
  ASSIGN_OR_RETURN(const auto password, value_of(secret, "password"));
  ASSIGN_OR_RETURN(const auto ca, value_of(secret, "ca.crt"));
  if (user.has_value() != password.has_value() || (token && user))
    return Error{ErrorKind::Invalid,
                 "data: must have token, or username and password, or only ca.crt"};
  if (!token && !user && !ca)
    return Error{ErrorKind::Invalid, "data: has none of token, username and ca.crt"};
  SourceAccess access;
  if (token) access.authorization = "Bearer " + *token;
  if (user) access.authorization = "Basic " + encode_base64(*user + ":" + *password);
  access.ca_pem = ca.value_or("");
  return access;
}

Result<SourceAccess> SourceSecrets::read(const ObjectKey& secret) {
  {
    Lock lock(mutex_);
    const auto found = kept_.find(secret);
    if (found != kept_.end() && clock_.monotonic() < found->second.until)
      return found->second.access;
  }
  const auto object = api_.get(kinds::kSecret, secret, Deadline::after(clock_, kReadDeadline));
  auto access = object ? read_access(*object) : Result<SourceAccess>(object.error());
  if (!access) access = about(access.error(), secret);
  Lock lock(mutex_);
  if (kept_.size() >= kMaxKept) kept_.erase(kept_.begin());
  kept_[secret] = {access, clock_.monotonic() + (access ? kGood : kBad)};
  return access;
}

}  // namespace weir
