#pragma once

#include <memory>

#include "net/httplib_client.h"

namespace weir {

// HttpClient for options with `credentials`: asks them before each request, and once more when the server answers 401, after
// which nothing has been done yet, so that also a write may be sent again. Their errors become those of the call.
std::unique_ptr<HttpClient> make_credential_client(HttpClientOptions options);

}  // namespace weir
