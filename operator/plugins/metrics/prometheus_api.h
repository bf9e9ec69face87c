#pragma once

#include <string>

#include "base/deadline.h"
#include "base/json.h"
#include "base/result.h"
#include "net/http.h"

namespace weir {

// One question to Prometheus' HTTP API: a form by POST, as queries outgrow a request line. The answer as it is, of status 200.
// Errors: those of HttpClient; Forbidden (401, 403), Invalid (the query is refused, in Prometheus' words), Unavailable (any other status),
// Parse. Thread-safe as `http` is.
Result<Json> ask_prometheus(const std::string& target, std::string form, HttpClient& http,
                            const Deadline& deadline);

}  // namespace weir
