#include "net/tls_material.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <climits>

namespace weir {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Bio open_text(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

Error unusable(std::string_view what, std::string_view why) {
  return Error{ErrorKind::Invalid, fmt::format("TLS: {}: {}", what, why)};
}

std::string openssl_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string text = reason == nullptr ? "unknown error" : reason;
  ERR_clear_error();
  return text;
}

// Without it OpenSSL would ask for the password of an encrypted key on the terminal.
int no_password(char*, int, int, void*) { return 0; }

Result<std::vector<std::shared_ptr<X509>>> parse_certificates(const std::string& pem,
                                                              std::string_view what) {
  if (pem.size() > INT_MAX) return unusable(what, "too large");
  ERR_clear_error();
  const Bio bio = open_text(pem);
  std::vector<std::shared_ptr<X509>> certificates;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr))
    certificates.emplace_back(certificate, &X509_free);
  if (certificates.empty()) return unusable(what, "no certificate in PEM form found");
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
    return unusable(what, openssl_reason());
  ERR_clear_error();
  return certificates;
}

Result<std::shared_ptr<X509_STORE>> make_store(const std::string& ca_pem) {
  std::shared_ptr<X509_STORE> store(X509_STORE_new(), &X509_STORE_free);
  if (store == nullptr) return unusable("CA", openssl_reason());
  if (ca_pem.empty()) {
    // Not fatal when it fails: an image without a trust store can still talk to servers with a CA of their own.
    if (X509_STORE_set_default_paths(store.get()) != 1) ERR_clear_error();
    return store;
  }
  ASSIGN_OR_RETURN(const auto certificates, parse_certificates(ca_pem, "CA certificate"));
  for (const auto& certificate : certificates) {
    if (X509_STORE_add_cert(store.get(), certificate.get()) != 1)
      return unusable("CA certificate", openssl_reason());
  }
  return store;
}

Result<void> load_client(const TlsOptions& options, TlsMaterial& material) {
  if (options.client_cert_pem.empty() != options.client_key_pem.empty())
    return unusable("client certificate", "certificate and key must be given together");
  if (options.client_cert_pem.empty()) return {};
  ASSIGN_OR_RETURN(auto chain, parse_certificates(options.client_cert_pem, "client certificate"));
  if (options.client_key_pem.size() > INT_MAX) return unusable("client key", "too large");
  const Bio bio = open_text(options.client_key_pem);
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr),
                                &EVP_PKEY_free);
  if (key == nullptr) return unusable("client key", "no unencrypted private key in PEM form found");
  if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
    ERR_clear_error();
    return unusable("client key", "it does not belong to the client certificate");
  }
  material.client_cert = chain.front();
  material.client_key = std::move(key);
  material.client_chain.assign(chain.begin() + 1, chain.end());
  return {};
}

}  // namespace

bool TlsMaterial::configure(ssl_ctx_st* context, const Url& server) const {
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
    return false;
  for (const auto& certificate : client_chain) {
    if (SSL_CTX_add1_chain_cert(context, certificate.get()) != 1) return false;
  }
  if (trusted == nullptr) return true;
  // A store for verification only: httplib adds the system's CAs to the context's ordinary store, whatever we put there.
  if (SSL_CTX_set1_verify_cert_store(context, trusted.get()) != 1) return false;
  const auto& host = name_of(server);
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(
      rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1) return true;
  ERR_clear_error();
  return X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size()) == 1;
}

Result<TlsMaterial> parse_tls_material(const TlsOptions& options) {
  TlsMaterial material;
  material.server_name = options.server_name;
  if (!options.insecure_skip_verify) {
    ASSIGN_OR_RETURN(material.trusted, make_store(options.ca_pem));
  }
  if (auto loaded = load_client(options, material); !loaded) return std::move(loaded).error();
  return material;
}

}  // namespace weir
