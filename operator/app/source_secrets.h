// Credentials of metric sources: Secrets, each got by its name when it is needed, so that a Role with resourceNames and the verb
// get is all that Weir needs. Neither list nor watch, whose caches would hold what nobody asked for.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "kube/api_client.h"

namespace weir {

// A secret: never logged, never part of an error.
struct SourceAccess {
  std::string authorization;  // value of the header; "" = none
  std::string ca_pem;         // whom to trust; "" = the system's store

  auto operator<=>(const SourceAccess&) const = default;
};

// Of a Secret with `token`, or `username` and `password`, and perhaps `ca.crt`. Pure. Error: Invalid, naming the key.
Result<SourceAccess> read_access(const Json& secret);

// Thread-safe. References must outlive it.
class SourceSecrets {
 public:
  SourceSecrets(ApiClient& api, const Clock& clock) : api_(api), clock_(clock) {}

  // At most a minute old, a failure a quarter of one. Errors: Forbidden (no Role grants it), NotFound, Invalid, those of ApiClient.
  Result<SourceAccess> read(const ObjectKey& secret);

 private:
  struct Kept {
    Result<SourceAccess> access = SourceAccess{};
    SteadyTime until{};
  };

  ApiClient& api_;
  const Clock& clock_;
  Mutex mutex_;
  std::map<ObjectKey, Kept> kept_ GUARDED_BY(mutex_);
};

}  // namespace weir
