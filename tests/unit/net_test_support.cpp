#include "unit/net_test_support.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <array>
#include <csignal>

namespace weir::net_test {
namespace {

// As main does: stopping a TLS client would end the process.
const auto kIgnoreSigpipe = std::signal(SIGPIPE, SIG_IGN);

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

std::string drain(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string to_pem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_X509(bio.get(), certificate);
  return drain(bio.get());
}

std::string to_pem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return drain(bio.get());
}

std::shared_ptr<EVP_PKEY> new_key() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

struct Draft {
  std::string common_name;
  std::string alt_names;
  long days = 1;
  bool ca = false;
};

std::shared_ptr<X509> sign(const Draft& draft, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
  static std::atomic<long> serial{1};
  constexpr long kDay = 24L * 60 * 60;
  std::shared_ptr<X509> certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -30 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), draft.days * kDay);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(draft.common_name.c_str()), -1,
                             -1, 0);
  X509_set_issuer_name(certificate.get(), issuer == nullptr ? name : X509_get_subject_name(issuer));
  add_extension(certificate.get(), NID_basic_constraints,
                draft.ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!draft.alt_names.empty())
    add_extension(certificate.get(), NID_subject_alt_name, draft.alt_names);
  X509_sign(certificate.get(), issuer_key, EVP_sha256());
  return certificate;
}

std::shared_ptr<X509> read_certificate(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free};
}

std::shared_ptr<EVP_PKEY> read_key(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  return {PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
}

bool set_up(SSL_CTX& context, const ServerTls& tls) {
  SSL_CTX_use_certificate(&context, read_certificate(tls.identity.cert_pem).get());
  SSL_CTX_use_PrivateKey(&context, read_key(tls.identity.key_pem).get());
  if (tls.client_ca_pem.empty()) return true;
  X509_STORE_add_cert(SSL_CTX_get_cert_store(&context), read_certificate(tls.client_ca_pem).get());
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return true;
}

int port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

int listen_on_loopback(int backlog) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  ::listen(listener, backlog);
  return listener;
}

Url loopback(int port, bool tls, const std::string& path = "") {
  return {tls, "127.0.0.1", static_cast<std::uint16_t>(port), path};
}

}  // namespace

TestCa::TestCa(const std::string& name) : key_(new_key()) {
  certificate_ = sign({name, "", 1, true}, key_.get(), nullptr, key_.get());
}

std::string TestCa::pem() const { return to_pem(certificate_.get()); }

Identity TestCa::issue(const Wish& wish) const {
  const auto key = new_key();
  const auto certificate = sign({wish.common_name, wish.alt_names, wish.days, false}, key.get(),
                                certificate_.get(), key_.get());
  return {to_pem(certificate.get()), to_pem(key.get())};
}

TestCa TestCa::intermediate(const std::string& name) const {
  TestCa ca;
  ca.key_ = new_key();
  ca.certificate_ = sign({name, "", 1, true}, ca.key_.get(), certificate_.get(), key_.get());
  return ca;
}

Identity encrypted(const Identity& identity) {
  const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
  std::string password = "secret";
  PEM_write_bio_PrivateKey(bio.get(), read_key(identity.key_pem).get(), EVP_aes_256_cbc(),
                           reinterpret_cast<unsigned char*>(password.data()),
                           static_cast<int>(password.size()), nullptr, nullptr);
  return {identity.cert_pem, drain(bio.get())};
}

TestServer::TestServer() : server_(std::make_unique<httplib::Server>()) { count_connections(); }

TestServer::TestServer(const ServerTls& tls)
    : tls_(true), server_(std::make_unique<httplib::SSLServer>([tls](SSL_CTX& context) {
        return set_up(context, tls);
      })) {
  count_connections();
}

TestServer::~TestServer() {
  stopping_ = true;
  server_->stop();
}

void TestServer::count_connections() {
  server_->set_keep_alive_max_count(1000);
  server_->set_tcp_nodelay(true);
  server_->new_task_queue = [] { return new httplib::ThreadPool(32); };
  server_->set_pre_routing_handler([this](const httplib::Request& request, httplib::Response&) {
    Lock lock(mutex_);
    peers_.insert(request.remote_port);
    return httplib::Server::HandlerResponse::Unhandled;
  });
}

bool TestServer::start(const std::string& host) {
  host_ = host;
  port_ = server_->bind_to_any_port(host);
  if (port_ <= 0) return false;
  thread_ = std::jthread([this] { server_->listen_after_bind(); });
  while (!server_->is_running()) std::this_thread::sleep_for(milliseconds(1));
  return true;
}

Url TestServer::url(const std::string& path) const {
  return {tls_, host_, static_cast<std::uint16_t>(port_), path};
}

int TestServer::connections() const {
  Lock lock(mutex_);
  return static_cast<int>(peers_.size());
}

void TestServer::serve_stream(const std::string& path, std::vector<std::string> lines, bool end) {
  server_->Get(path, [this, lines, end](const httplib::Request&, httplib::Response& response) {
    auto next = std::make_shared<std::size_t>(0);
    response.set_chunked_content_provider(
        "application/json", [this, lines, end, next](std::size_t, httplib::DataSink& sink) {
          if (*next < lines.size()) {
            const std::string line = lines[(*next)++] + "\n";
            return sink.write(line.data(), line.size());
          }
          if (end) {
            sink.done();
            return true;
          }
          std::this_thread::sleep_for(milliseconds(10));
          return !stopping_ && sink.is_writable();
        });
  });
}

RawServer::RawServer(Talk talk) : listener_(listen_on_loopback(16)), port_(port_of(listener_)) {
  thread_ = std::jthread([this, talk = std::move(talk)](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      talk(socket, stop);
      ::close(socket);
    }
  });
}

RawServer::~RawServer() {
  thread_.request_stop();
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

Url RawServer::url() const { return loopback(port_, false); }

std::string read_head(int socket) {
  std::string seen;
  char c = 0;
  while (!seen.ends_with("\r\n\r\n") && ::recv(socket, &c, 1, 0) == 1) seen += c;
  return seen;
}

namespace {

// Copies both ways until one side is closed.
void join(int one, int other, const std::stop_token& stop) {
  std::array<char, 16384> buffer;
  std::array<pollfd, 2> ends{pollfd{one, POLLIN, 0}, pollfd{other, POLLIN, 0}};
  while (!stop.stop_requested()) {
    ::poll(ends.data(), ends.size(), 20);
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].revents == 0) continue;
      const auto got = ::recv(ends[i].fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      write_all(ends[1 - i].fd, std::string(buffer.data(), static_cast<std::size_t>(got)));
    }
  }
}

}  // namespace

TestProxy::TestProxy(std::string refusal)
    : refusal_(std::move(refusal)),
      server_([this](int socket, const std::stop_token& stop) { talk(socket, stop); }) {}

std::vector<std::string> TestProxy::heads() const {
  Lock lock(mutex_);
  return heads_;
}

void TestProxy::talk(int socket, const std::stop_token& stop) {
  const auto head = read_head(socket);
  {
    Lock lock(mutex_);
    heads_.push_back(head);
  }
  if (!refusal_.empty()) return write_all(socket, refusal_ + "\r\n\r\n");
  // "CONNECT 127.0.0.1:1234 HTTP/1.1"
  const auto port = std::stoi(head.substr(head.find(':') + 1));
  tunnel(socket, static_cast<std::uint16_t>(port), "HTTP/1.1 200 Connection established\r\n\r\n",
         stop);
}

void tunnel(int socket, std::uint16_t port, const std::string& welcome,
            const std::stop_token& stop) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    write_all(socket, welcome);
    join(socket, server, stop);
  }
  ::close(server);
}

void write_all(int socket, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const auto n = ::send(socket, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    sent += static_cast<std::size_t>(n);
  }
}

void stay_silent(const std::stop_token& stop) {
  while (!stop.stop_requested()) std::this_thread::sleep_for(milliseconds(5));
}

BlackHole::BlackHole() {
  sockets_.push_back(listen_on_loopback(0));
  port_ = port_of(sockets_.front());
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 4; ++i) {
    sockets_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(sockets_.back(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
}

BlackHole::~BlackHole() {
  for (const int socket : sockets_) ::close(socket);
}

Url BlackHole::url() const { return loopback(port_, false); }

Deadline soon(milliseconds span) { return Deadline::after(SystemClock(), span); }

std::unique_ptr<HttpClient> client_for(const Url& url, const TlsOptions& tls) {
  return client_through(url, std::nullopt, tls);
}

std::unique_ptr<HttpClient> client_through(const Url& url, const std::optional<Proxy>& proxy,
                                           const TlsOptions& tls) {
  HttpClientOptions options;
  options.server = url;
  options.tls = tls;
  options.proxy = proxy;
  auto client = make_httplib_client(std::move(options));
  EXPECT_TRUE(client) << to_string(client.error());
  return *std::move(client);
}

double elapsed_ms(const std::function<void()>& what) {
  const SystemClock clock;
  const auto start = clock.monotonic();
  what();
  return std::chrono::duration<double, std::milli>(clock.monotonic() - start).count();
}

}  // namespace weir::net_test
