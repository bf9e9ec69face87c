// What the API server says when it says no, as our Error.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "net/http.h"

namespace weir {

// A metav1.Status, as answered or as it comes in a watch's ERROR event: by its reason, and by its code where the reason is
// unknown or missing.
Error status_error(const Json& status);

// An answer that is not 2xx: its Status, else its code. Throttled (429, or 503 with Retry-After) carries retry_after.
Error response_error(const HttpResponse& response);

// Whether the server refused a JSON patch before it made an object of it: an operation that does not fit, a failed "test" above
// all. The server answers 422 without saying which.
bool is_unapplied_patch(const HttpResponse& response);

}  // namespace weir
