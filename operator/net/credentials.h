// Who we are to a server, where that changes while we run.
#pragma once

#include <string>

#include "base/result.h"

namespace weir {

// Secrets: never logged, never part of an error. Either part may be empty.
struct Credential {
  std::string token{};     // bearer
  std::string cert_pem{};  // both or none
  std::string key_pem{};

  bool operator==(const Credential&) const = default;
};

// Implementations: ExecCredentials (kube/exec_credentials.h). Thread-safe.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;

  // The one to use now. May take as long as a person needs to log in. Errors: Forbidden, Invalid, Timeout.
  virtual Result<Credential> get() = 0;

  // The server did not accept it (401): get() finds another, if there is one.
  virtual void refused(const Credential& credential) = 0;
};

}  // namespace weir
