#include "plugins/metrics/prometheus_api.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace weir {
namespace {

Error refusal(const HttpResponse& response) {
  const auto json = parse_json(response.body);
  const auto words = json ? json_text(*json, {"error"}) : std::string();
  const auto message =
      fmt::format("HTTP {}{}{}", response.status, words.empty() ? "" : ": ", words.substr(0, 300));
  if (response.status == 401 || response.status == 403) return {ErrorKind::Forbidden, message};
  if (response.status == 400 || response.status == 422) return {ErrorKind::Invalid, message};
  return {ErrorKind::Unavailable, message};
}

}  // namespace

Result<Json> ask_prometheus(const std::string& target, std::string form, HttpClient& http,
                            const Deadline& deadline) {
  HttpRequest request;
  request.method = "POST";
  request.target = target;
  request.headers["Content-Type"] = "application/x-www-form-urlencoded";
  request.body = std::move(form);
  ASSIGN_OR_RETURN(const HttpResponse response, http.send(request, deadline));
  if (response.status != 200) return refusal(response);
  return parse_json(response.body);
}

}  // namespace weir
