#include "net/credential_client.h"

#include "base/mutex.h"

namespace weir {
namespace {

constexpr int kUnauthorized = 401;

class CredentialClient final : public HttpClient {
 public:
  explicit CredentialClient(HttpClientOptions options)
      : options_(std::move(options)), source_(std::move(options_.credentials)) {
    options_.credentials.reset();
    options_.bearer_token = {};
  }

  Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline) override {
    return with_credential(request, [&](HttpClient& client, const HttpRequest& whole) {
      return client.send(whole, deadline);
    });
  }

  Result<HttpResponse> stream(const HttpRequest& request, const OnBytes& on_bytes,
                              milliseconds idle_limit, const std::stop_token& stop) override {
    return with_credential(request, [&](HttpClient& client, const HttpRequest& whole) {
      return client.stream(whole, on_bytes, idle_limit, stop);
    });
  }

 private:
  template <typename Call>
  Result<HttpResponse> with_credential(const HttpRequest& request, const Call& call) {
    for (bool again = false;; again = true) {
      ASSIGN_OR_RETURN(const auto credential, source_->get());
      ASSIGN_OR_RETURN(const auto client, client_for(credential));
      HttpRequest whole = request;
      if (!credential.token.empty())
        whole.headers.insert_or_assign("Authorization", "Bearer " + credential.token);
      auto response = call(*client, whole);
      if (!response || response->status != kUnauthorized) return response;
      source_->refused(credential);
      if (again) return response;
    }
  }

  // One client, and with it one pool, for as long as the certificate stays the same.
  Result<std::shared_ptr<HttpClient>> client_for(const Credential& credential) {
    Lock lock(mutex_);
    const bool same =
        credential.cert_pem == shown_.cert_pem && credential.key_pem == shown_.key_pem;
    if (client_ != nullptr && same) return client_;
    HttpClientOptions options = options_;
    if (!credential.cert_pem.empty()) {
      options.tls.client_cert_pem = credential.cert_pem;
      options.tls.client_key_pem = credential.key_pem;
    }
    ASSIGN_OR_RETURN(auto client, make_httplib_client(std::move(options)));
    client_ = std::move(client);
    shown_ = credential;
    return client_;
  }

  HttpClientOptions options_;
  const std::shared_ptr<CredentialSource> source_;
  Mutex mutex_;
  std::shared_ptr<HttpClient> client_ GUARDED_BY(mutex_){};
  Credential shown_ GUARDED_BY(mutex_){};  // by client_
};

}  // namespace

std::unique_ptr<HttpClient> make_credential_client(HttpClientOptions options) {
  return std::make_unique<CredentialClient>(std::move(options));
}

}  // namespace weir
