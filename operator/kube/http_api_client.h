#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "kube/api_client.h"
#include "net/http.h"

namespace weir {

struct HttpApiClientOptions {
  double requests_per_second = 200;  // token bucket over all calls but watches
  double burst = 400;                // requests
  std::string field_manager{kFieldManager};
  // How a call waits for the bucket or before it tries again; empty: sleeps. For tests.
  std::function<void(milliseconds)> sleep{};
};

// `http`, `clock` and `random` must outlive the client.
std::unique_ptr<ApiClient> make_http_api_client(HttpClient& http, const Clock& clock,
                                                Random& random, HttpApiClientOptions options);

}  // namespace weir
