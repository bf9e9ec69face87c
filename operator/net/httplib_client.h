// HttpClient over cpp-httplib 0.11. This folder is the only one that includes httplib.h; the reasons for each setting are in
// the source.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/credentials.h"
#include "net/http.h"
#include "net/proxy.h"
#include "net/url.h"

namespace weir {

struct TlsOptions {
  std::string ca_pem{};           // empty: the system's trust store
  std::string client_cert_pem{};  // both or none
  std::string client_key_pem{};
  bool insecure_skip_verify = false;
  // That the certificate must be for, and that the server is asked for; empty: the server's host.
  std::string server_name{};
};

struct HttpClientOptions {
  Url server{};
  TlsOptions tls{};
  std::optional<Proxy> proxy{};
  std::string authorization{};  // value of that header for each request; a secret; "" = none
  // Asked before each request, so that a rotated token is used at once; empty optional: no Authorization header.
  std::function<std::optional<std::string>()> bearer_token{};
  // Who we are, where somebody must be asked for it; goes before the token, and before the client's certificate of `tls`.
  std::shared_ptr<CredentialSource> credentials{};
  std::string user_agent{"weir"};
  std::size_t max_body_bytes = 64U << 20U;
  std::size_t max_idle_connections = 8;
};

// Error kind: Invalid, when the TLS material cannot be used.
Result<std::unique_ptr<HttpClient>> make_httplib_client(HttpClientOptions options);

}  // namespace weir
