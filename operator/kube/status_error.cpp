#include "kube/status_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace weir {
namespace {

constexpr std::int64_t kMaxRetryAfter = 300;      // seconds; a longer wait would look like a hang
constexpr std::int64_t kDefaultRetryAfter = 1;    // seconds, as client-go
constexpr std::size_t kMaxMessageFromBody = 300;  // bytes

struct Row {
  std::string_view reason;
  ErrorKind kind;
};

// https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#StatusReason
constexpr std::array<Row, 20> kReasons{{
    {"Unauthorized", ErrorKind::Forbidden},
    {"Forbidden", ErrorKind::Forbidden},
    {"NotFound", ErrorKind::NotFound},
    {"AlreadyExists", ErrorKind::AlreadyExists},
    {"Conflict", ErrorKind::Conflict},
    {"Gone", ErrorKind::Gone},
    {"Expired", ErrorKind::Gone},
    {"Invalid", ErrorKind::Invalid},
    {"BadRequest", ErrorKind::Invalid},
    {"MethodNotAllowed", ErrorKind::Invalid},
    {"NotAcceptable", ErrorKind::Invalid},
    {"RequestEntityTooLarge", ErrorKind::Invalid},
    {"UnsupportedMediaType", ErrorKind::Invalid},
    {"StoreReadError", ErrorKind::Unavailable},
    {"ServerTimeout", ErrorKind::Unavailable},
    {"Timeout", ErrorKind::Timeout},
    {"TooManyRequests", ErrorKind::Throttled},
    {"InternalError", ErrorKind::Unavailable},
    {"ServiceUnavailable", ErrorKind::Unavailable},
    {"ResourceVersionTooLarge", ErrorKind::Unavailable},
}};

ErrorKind kind_of_code(std::int64_t code) {
  switch (code) {
    case 401:
    case 403: return ErrorKind::Forbidden;
    case 404: return ErrorKind::NotFound;
    case 408:
    case 504: return ErrorKind::Timeout;
    case 409: return ErrorKind::Conflict;
    case 410: return ErrorKind::Gone;
    case 429: return ErrorKind::Throttled;
    default: return code >= 400 && code < 500 ? ErrorKind::Invalid : ErrorKind::Unavailable;
  }
}

ErrorKind kind_of(std::string_view reason, std::int64_t code) {
  const auto* row = std::find_if(kReasons.begin(), kReasons.end(),
                                 [&](const Row& each) { return each.reason == reason; });
  return row == kReasons.end() ? kind_of_code(code) : row->kind;
}

milliseconds bounded(std::int64_t retry_after) {
  return seconds(std::clamp<std::int64_t>(retry_after, 0, kMaxRetryAfter));
}

// Seconds; the header's other form, a date, is used by no API server.
std::optional<std::int64_t> retry_after_header(const HttpResponse& response) {
  const auto header = response.headers.find("retry-after");
  if (header == response.headers.end()) return std::nullopt;
  const std::string& text = header->second;
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// Of a proxy's page or a plain text, enough to recognise it.
std::string message_from_body(const HttpResponse& response) {
  std::string body = response.body.substr(0, kMaxMessageFromBody);
  std::replace_if(
      body.begin(), body.end(), [](unsigned char c) { return c < ' '; }, ' ');
  while (body.ends_with(' ')) body.pop_back();
  return body.empty() ? fmt::format("HTTP {}", response.status)
                      : fmt::format("HTTP {}: {}", response.status, body);
}

bool is_status(const Json& body) { return json_text(body, {"kind"}) == "Status"; }

}  // namespace

Error status_error(const Json& status) {
  const auto code = json_int(status, {"code"});
  const auto reason = json_text(status, {"reason"});
  Error error{kind_of(reason, code), json_text(status, {"message"})};
  if (error.message.empty())
    error.message = reason.empty() ? fmt::format("status code {}", code) : reason;
  const auto retry_after = json_int(status, {"details", "retryAfterSeconds"});
  if (code == 503 && retry_after > 0) error.kind = ErrorKind::Throttled;
  if (error.kind == ErrorKind::Throttled)
    error.retry_after = bounded(retry_after > 0 ? retry_after : kDefaultRetryAfter);
  return error;
}

Error response_error(const HttpResponse& response) {
  auto body = parse_json(response.body);
  Error error;
  if (body && is_status(*body)) {
    // A proxy may have kept the body and lost the code, or the reverse: the code of the answer is the one that counts.
    (*body)["code"] = response.status;
    error = status_error(*body);
  } else {
    error = Error{kind_of_code(response.status), message_from_body(response)};
  }
  const auto wait = retry_after_header(response);
  if (response.status == 503 && wait) error.kind = ErrorKind::Throttled;
  if (error.kind == ErrorKind::Throttled) {
    if (wait) error.retry_after = bounded(*wait);
    if (!error.retry_after) error.retry_after = bounded(kDefaultRetryAfter);
  }
  return error;
}

bool is_unapplied_patch(const HttpResponse& response) {
  if (response.status != 422) return false;
  const auto body = parse_json(response.body);
  if (!body || !is_status(*body)) return false;
  // A refusal by validation or by an admission webhook names the object or the fields.
  const Json& details = json_at(*body, {"details"});
  return (details.is_null() || (details.is_object() && details.empty())) &&
         json_text(*body, {"message"}) ==
             "the server rejected our request due to an error in our request";
}

}  // namespace weir
