#include "net/http_transport.h"

#include <httplib.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "base/clock.h"

namespace weir {
namespace {

constexpr std::size_t kBufferBytes = 16U << 10U;  // a TLS record

struct Timeouts {
  int read_ms;
  int write_ms;
};

// Over a non-blocking socket, so that every wait is a poll() with a limit.
class SocketStream final : public httplib::Stream {
 public:
  SocketStream(socket_t socket, SSL* ssl, const Timeouts& timeouts, HeadBudget& budget)
      : socket_(socket), ssl_(ssl), timeouts_(timeouts), budget_(budget) {}

  bool is_readable() const override {
    return next_ < end_ || pending() || wait(POLLIN, timeouts_.read_ms);
  }
  bool is_writable() const override { return wait(POLLOUT, timeouts_.write_ms); }
  socket_t socket() const override { return socket_; }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}

  ssize_t read(char* out, std::size_t size) override {
    if (next_ == end_) {
      const ssize_t received = receive();
      if (received <= 0) return received;
      next_ = 0;
      end_ = static_cast<std::size_t>(received);
    }
    const std::size_t taken = std::min(size, end_ - next_);
    std::copy_n(buffer_.data() + next_, taken, out);
    next_ += taken;
    return budget_.charge(out, taken) ? static_cast<ssize_t>(taken) : -1;
  }

  ssize_t write(const char* data, std::size_t size) override {
    std::size_t sent = 0;
    while (sent < size) {
      const ssize_t step = send_some(data + sent, std::min<std::size_t>(size - sent, INT_MAX));
      if (step < 0) return -1;
      sent += static_cast<std::size_t>(step);
    }
    return static_cast<ssize_t>(size);
  }

 private:
  bool pending() const { return ssl_ != nullptr && SSL_pending(ssl_) > 0; }

  bool wait(short events, int limit_ms) const {
    pollfd state{socket_, events, 0};
    int ready = 0;
    do {
      ready = ::poll(&state, 1, limit_ms);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
  }

  // What TLS or the socket waits for before it can go on; false: it failed, or the wait took too long.
  bool wait_to_retry(int tls_result, short wanted, int limit_ms) const {
    if (ssl_ == nullptr) return (errno == EINTR || errno == EAGAIN) && wait(wanted, limit_ms);
    switch (SSL_get_error(ssl_, tls_result)) {
      case SSL_ERROR_WANT_READ: return wait(POLLIN, limit_ms);
      case SSL_ERROR_WANT_WRITE: return wait(POLLOUT, limit_ms);
      default: return false;
    }
  }

  ssize_t receive() {
    for (;;) {
      ERR_clear_error();
      const auto received = ssl_ == nullptr
                                ? ::recv(socket_, buffer_.data(), buffer_.size(), 0)
                                : SSL_read(ssl_, buffer_.data(), static_cast<int>(buffer_.size()));
      if (received > 0) return received;
      const bool closed = ssl_ == nullptr ? received == 0
                                          : SSL_get_error(ssl_, static_cast<int>(received)) ==
                                                SSL_ERROR_ZERO_RETURN;
      if (closed) return 0;
      if (!wait_to_retry(static_cast<int>(received), POLLIN, timeouts_.read_ms)) return -1;
    }
  }

  ssize_t send_some(const char* data, std::size_t size) {
    for (;;) {
      ERR_clear_error();
      const auto sent = ssl_ == nullptr ? ::send(socket_, data, size, MSG_NOSIGNAL)
                                        : SSL_write(ssl_, data, static_cast<int>(size));
      if (sent > 0) return sent;
      if (!wait_to_retry(static_cast<int>(sent), POLLOUT, timeouts_.write_ms)) return -1;
    }
  }

  const socket_t socket_;
  SSL* const ssl_;
  const Timeouts timeouts_;
  HeadBudget& budget_;
  std::array<char, kBufferBytes> buffer_;
  std::size_t next_ = 0;
  std::size_t end_ = 0;
};

std::string no_proxy(const Proxy& proxy) {
  return "proxy " + proxy.url.authority() + ": no connection";
}

int to_ms(time_t sec, time_t usec) {
  const auto ms = static_cast<std::int64_t>(sec) * 1000 + (usec + 999) / 1000;
  return static_cast<int>(std::min<std::int64_t>(ms, INT_MAX));
}

bool run_exchange(socket_t socket, SSL* ssl, const Timeouts& timeouts, HeadBudget& budget,
                  const std::function<bool(httplib::Stream&)>& exchange) {
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL, 0) | O_NONBLOCK);
  SocketStream stream(socket, ssl, timeouts, budget);
  return exchange(stream);
}

// One of httplib's clients, with connections and a byte stream of ours.
template <typename Base>
class RoutedClient final : public Base {
 public:
  template <typename... Arguments>
  RoutedClient(Route& route, HeadBudget& budget, Arguments&&... arguments)
      : Base(std::forward<Arguments>(arguments)...), route_(route), budget_(budget) {}

 private:
  using Socket = typename httplib::ClientImpl::Socket;

  // Theirs goes to the host that the certificate must name, and to a proxy without a limit on time or size of its answer.
  bool create_and_connect_socket(Socket& socket, httplib::Error& error) override {
    if (!this->is_valid()) return false;
    const Url& next = route_.proxy ? route_.proxy->url : route_.server;
    socket.sock = httplib::detail::create_client_socket(
        next.host, std::string(), next.port, this->address_family_, this->tcp_nodelay_,
        this->socket_options_, this->connection_timeout_sec_, this->connection_timeout_usec_,
        this->read_timeout_sec_, this->read_timeout_usec_, this->write_timeout_sec_,
        this->write_timeout_usec_, this->interface_, error);
    if (socket.sock == INVALID_SOCKET) {
      if (route_.proxy) route_.proxy_fault = no_proxy(*route_.proxy);
      return false;
    }
    if (!route_.proxy) return true;
    // As for an answer: the proxy has to connect first.
    const milliseconds limit(to_ms(this->read_timeout_sec_, this->read_timeout_usec_));
    const auto tunnel = open_tunnel(socket.sock, *route_.proxy, route_.server, limit);
    if (tunnel) return true;
    route_.proxy_fault = tunnel.error().message;
    error = httplib::Error::Connection;
    httplib::detail::close_socket(socket.sock);
    socket.sock = INVALID_SOCKET;
    return false;
  }

  bool process_socket(const Socket& socket,
                      std::function<bool(httplib::Stream&)> exchange) override {
    const Timeouts timeouts{to_ms(this->read_timeout_sec_, this->read_timeout_usec_),
                            to_ms(this->write_timeout_sec_, this->write_timeout_usec_)};
    return run_exchange(socket.sock, socket.ssl, timeouts, budget_, exchange);
  }

  Route& route_;
  HeadBudget& budget_;
};

}  // namespace

bool HeadBudget::charge(const char* data, std::size_t size) {
  for (std::size_t i = 0; in_head_ && i < size; ++i) {
    line_ = data[i] == '\n' ? 0 : line_ + 1;
    if (line_ > kMaxHeadLine || ++total_ > kMaxHeadBytes) exceeded_ = true;
  }
  return !exceeded_;
}

std::unique_ptr<httplib::ClientImpl> make_plain_client(Route& route, HeadBudget& budget) {
  return std::make_unique<RoutedClient<httplib::ClientImpl>>(route, budget, route.server.host,
                                                             route.server.port);
}

std::unique_ptr<httplib::SSLClient> make_tls_client(Route& route, const TlsMaterial& tls,
                                                    HeadBudget& budget) {
  return std::make_unique<RoutedClient<httplib::SSLClient>>(
      route, budget, tls.name_of(route.server), route.server.port, tls.client_cert.get(),
      tls.client_key.get());
}

}  // namespace weir
