#include "net/connection.h"

#include <fmt/format.h>
#include <httplib.h>
#include <poll.h>

#include <algorithm>
#include <cctype>

namespace weir {
namespace {

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// httplib writes what it is given; a line break would smuggle in another header or request.
Result<void> check_framing(const HttpRequest& request) {
  const Error bad{ErrorKind::Invalid, "HTTP request with a line break or blank where none may be"};
  if (!is_visible(request.method) || !is_visible(request.target)) return bad;
  for (const auto& [name, value] : request.headers) {
    if (!is_visible(name) || !is_one_line(value)) return bad;
  }
  if (!request.target.starts_with('/'))
    return Error{ErrorKind::Invalid, "HTTP target must begin with a slash"};
  return {};
}

httplib::Request to_httplib(const HttpRequest& request, const Url& server) {
  httplib::Request out;
  out.method = request.method;
  out.path = server.path + request.target;
  for (const auto& [name, value] : request.headers) out.headers.emplace(name, value);
  if (!out.has_header("Host")) out.headers.emplace("Host", server.authority());
  out.body = request.body;
  return out;
}

HttpResponse from_httplib(const httplib::Response& response) {
  HttpResponse out;
  out.status = response.status;
  for (const auto& [name, value] : response.headers) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::string& joined = out.headers[lower];
    joined += (joined.empty() ? "" : ", ") + value;
  }
  return out;
}

}  // namespace

Connection::Connection(const Target& target)
    : server_(target.server), route_{target.server, target.proxy} {}

Connection::~Connection() { remember(-1); }

bool Connection::prepare(const TlsMaterial& tls) {
  if (server_.tls) {
    auto secure = make_tls_client(route_, tls, head_);
    if (!secure->is_valid() || !tls.configure(secure->ssl_context(), server_)) return false;
    secure->enable_server_certificate_verification(tls.trusted != nullptr);
    // Keeps httplib from reading the system's CAs (46 ms and 1.25 MB a connection): its own store is not used for verification.
    secure->set_ca_cert_path("", "/nonexistent");
    client_ = std::move(secure);
  } else {
    client_ = make_plain_client(route_, head_);
  }
  client_->set_keep_alive(true);
  client_->set_tcp_nodelay(true);  // a POST on a kept connection takes 44 ms without it
  client_->set_url_encode(false);  // targets come encoded
  client_->set_follow_location(false);
  client_->set_socket_options(
      [this](socket_t socket) { remember(::fcntl(socket, F_DUPFD_CLOEXEC, 0)); });
  return true;
}

Result<std::unique_ptr<Connection>> Connection::make(const Target& target) {
  std::unique_ptr<Connection> connection(new Connection(target));
  if (!connection->prepare(target.tls))
    return Error{ErrorKind::Invalid, "TLS: OpenSSL refused the certificates or keys"};
  return connection;
}

void Connection::remember(int socket) {
  Lock lock(mutex_);
  if (socket_ >= 0) ::close(socket_);
  socket_ = socket;
}

// On our own descriptor, because ClientImpl::stop() waits for a connect in progress, and because httplib may close its
// descriptor, and another thread be given the same number, at any moment.
void Connection::cut() {
  Lock lock(mutex_);
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

bool Connection::stale() {
  Lock lock(mutex_);
  pollfd state{socket_, POLLIN, 0};
  return socket_ < 0 || ::poll(&state, 1, 0) != 0;
}

std::string Connection::describe(int error) const {
  const auto kind = static_cast<httplib::Error>(error);
  if (!route_.proxy_fault.empty()) return route_.proxy_fault;
  if (head_.exceeded())
    return fmt::format("the head of the answer exceeds {} bytes, or one line of it {}",
                       kMaxHeadBytes, kMaxHeadLine);
  if (kind == httplib::Error::SSLServerVerification) {
    const auto& secure = static_cast<const httplib::SSLClient&>(*client_);
    const long result = secure.get_openssl_verify_result();
    return fmt::format("the server's certificate was refused: {}",
                       X509_verify_cert_error_string(result));
  }
  // A server of TLS 1.3 that misses a client certificate just hangs up.
  const std::string_view hint = server_.tls ? " (or the server wants a client certificate)" : "";
  switch (kind) {
    case httplib::Error::Connection: return "no connection";
    case httplib::Error::ConnectionTimeout: return "no connection in time";
    case httplib::Error::SSLConnection: return "the TLS handshake failed";
    case httplib::Error::Write: return fmt::format("the connection was cut while sending{}", hint);
    case httplib::Error::Read: return fmt::format("the connection was cut or fell silent{}", hint);
    default: return httplib::to_string(kind);
  }
}

Result<HttpResponse> Connection::exchange(const HttpRequest& request, const Limits& limits,
                                          const Receiver& receiver) {
  if (auto framing = check_framing(request); !framing) return std::move(framing).error();
  constexpr milliseconds kLeast{1};  // 0 would mean "poll once"
  client_->set_connection_timeout(std::max(limits.connect, kLeast));
  client_->set_read_timeout(std::max(limits.idle, kLeast));
  client_->set_write_timeout(std::max(limits.idle, kLeast));
  auto outgoing = to_httplib(request, server_);
  outgoing.response_handler = [&](const httplib::Response& head) {
    head_.end();
    receiver.on_head(head.status);
    return true;
  };
  outgoing.content_receiver = [&](const char* data, std::size_t size, std::uint64_t,
                                  std::uint64_t) {
    return receiver.on_bytes(std::string_view(data, size));
  };
  head_.begin();
  route_.proxy_fault.clear();
  httplib::Response response;
  auto error = httplib::Error::Success;
  try {
    if (client_->send(outgoing, response, error)) return from_httplib(response);
  } catch (const std::exception& e) {
    client_->stop();
    return Error{ErrorKind::Internal, fmt::format("{}: {}", server_.authority(), e.what())};
  }
  return Error{ErrorKind::Unavailable,
               fmt::format("{}: {}", server_.authority(), describe(static_cast<int>(error)))};
}

}  // namespace weir
