#include "net/http_server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <thread>

#include "base/clock.h"

namespace weir {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kMaxRequestBody = 4096;  // bytes; nobody sends us any
constexpr seconds kFirstByteTimeout{1};
constexpr seconds kReadTimeout{2};
constexpr seconds kWriteTimeout{5};
constexpr seconds kStartTimeout{5};
constexpr milliseconds kStartPoll{1};

// httplib sets SO_REUSEPORT, with which a second process could silently share the port.
void reuse_address_only(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

class HttplibServer final : public HttpServer {
 public:
  explicit HttplibServer(HttpRoutes routes) : routes_(std::move(routes)) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_keep_alive_max_count(1);  // an idle kept connection would hold a thread for 5 s
    server_.set_keep_alive_timeout(kFirstByteTimeout.count());
    server_.set_read_timeout(kReadTimeout);
    server_.set_write_timeout(kWriteTimeout);
    server_.set_payload_max_length(kMaxRequestBody);
    server_.set_tcp_nodelay(true);
    server_.set_socket_options(reuse_address_only);
    server_.set_pre_routing_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          answer(request, response);
          return httplib::Server::HandlerResponse::Handled;
        });
  }

  ~HttplibServer() override { server_.stop(); }

  Result<void> start(const std::string& host, std::uint16_t port) {
    const int bound = port == 0                          ? server_.bind_to_any_port(host)
                      : server_.bind_to_port(host, port) ? port
                                                         : -1;
    if (bound <= 0)
      return Error{ErrorKind::Unavailable, fmt::format("cannot listen on {} port {}", host, port)};
    port_ = static_cast<std::uint16_t>(bound);
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    // stop() does nothing to a server that does not run yet.
    const SystemClock clock;
    const auto deadline = clock.monotonic() + kStartTimeout;
    while (!server_.is_running()) {
      if (clock.monotonic() > deadline)
        return Error{ErrorKind::Unavailable, "the HTTP server did not start"};
      std::this_thread::sleep_for(kStartPoll);
    }
    return {};
  }

  std::uint16_t port() const override { return port_; }

 private:
  void answer(const httplib::Request& request, httplib::Response& response) const {
    const auto route = routes_.find(request.path);
    if (request.method != "GET" || route == routes_.end()) {
      response.status = 404;
      response.set_content("not found\n", "text/plain; charset=utf-8");
      return;
    }
    try {
      const HttpReply reply = route->second();
      response.status = reply.status;
      response.set_content(reply.body, reply.content_type);
    } catch (const std::exception& e) {
      response.status = 500;
      response.set_content(std::string(e.what()) + "\n", "text/plain; charset=utf-8");
    }
  }

  const HttpRoutes routes_;
  std::uint16_t port_ = 0;
  httplib::Server server_;
  std::jthread thread_;  // last: joined before the server goes
};

}  // namespace

Result<std::unique_ptr<HttpServer>> serve_http(const std::string& host, std::uint16_t port,
                                               HttpRoutes routes) {
  auto server = std::make_unique<HttplibServer>(std::move(routes));
  if (auto started = server->start(host, port); !started) return std::move(started).error();
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace weir
