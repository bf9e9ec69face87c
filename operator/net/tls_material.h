#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/httplib_client.h"

// OpenSSL's own names, so that its headers stay out of ours.
struct evp_pkey_st;
struct ssl_ctx_st;
struct x509_st;
struct x509_store_st;

namespace weir {

// Certificates and keys parsed once and shared by all connections of a client. A value; cheap to copy; immutable, so
// thread-safe.
struct TlsMaterial {
  std::shared_ptr<x509_store_st> trusted;  // null when the server is not verified
  std::shared_ptr<x509_st> client_cert;    // null when there is none
  std::shared_ptr<evp_pkey_st> client_key;
  std::vector<std::shared_ptr<x509_st>> client_chain;  // intermediates behind the client's own
  std::string server_name;  // that the certificate must be for; "" = the server's own

  // Name or address that the certificate of a server must be for.
  const std::string& name_of(const Url& server) const {
    return server_name.empty() ? server.host : server_name;
  }

  // Makes a context trust exactly `trusted`, demand that name in the server's certificate, speak TLS 1.2 or later, and send the
  // intermediates. False when OpenSSL refuses.
  bool configure(ssl_ctx_st* context, const Url& server) const;
};

// Error kind: Invalid, naming the part that cannot be used.
Result<TlsMaterial> parse_tls_material(const TlsOptions& options);

}  // namespace weir
