#include "net/http_server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <thread>

#include "base/clock.h"

namespace weir {
namespace {

constexpr seconds kFirstByteTimeout{1};
constexpr seconds kReadTimeout{2};
constexpr seconds kWriteTimeout{5};
constexpr seconds kStartTimeout{5};
constexpr milliseconds kStartPoll{1};
constexpr std::size_t kMaxKeptRequests = 1000;  // of one connection

// httplib sets SO_REUSEPORT, with which a second process could silently share the port.
void reuse_address_only(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

ServedRequest from_httplib(const httplib::Request& request) {
  ServedRequest out{request.method, request.path, {}, {}, request.body};
  for (const auto& [name, value] : request.params) out.query.emplace(name, value);
  for (const auto& [name, value] : request.headers) out.headers.emplace(lower_case(name), value);
  return out;
}

class HttplibServer final : public HttpServer {
 public:
  HttplibServer(HttpHandler handler, const HttpServerOptions& options)
      : handler_(std::move(handler)) {
    const auto threads = options.threads;
    server_.new_task_queue = [threads] { return new httplib::ThreadPool(threads); };
    // An idle kept connection holds a thread until the first byte of its next request.
    server_.set_keep_alive_max_count(options.keep_alive ? kMaxKeptRequests : 1);
    server_.set_keep_alive_timeout(kFirstByteTimeout.count());
    server_.set_read_timeout(kReadTimeout);
    server_.set_write_timeout(kWriteTimeout);
    server_.set_payload_max_length(options.max_body);
    server_.set_tcp_nodelay(true);
    server_.set_socket_options(reuse_address_only);
    const auto answer_it = [this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
    };
    const std::string any = "(?:.|\\n)*";
    server_.Get(any, answer_it).Post(any, answer_it).Put(any, answer_it);
    server_.Patch(any, answer_it).Delete(any, answer_it);
  }

  ~HttplibServer() override {
    stop_.request_stop();
    server_.stop();
  }

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
    try {
      const HttpReply reply = handler_(from_httplib(request));
      response.status = reply.status;
      for (const auto& [name, value] : reply.headers) response.headers.emplace(name, value);
      if (reply.stream) {
        stream(reply, response);
      } else {
        response.set_content(reply.body, reply.content_type);
      }
    } catch (const std::exception& e) {
      response.status = 500;
      response.set_content(std::string(e.what()) + "\n", "text/plain; charset=utf-8");
    }
  }

  void stream(const HttpReply& reply, httplib::Response& response) const {
    response.set_chunked_content_provider(
        reply.content_type,
        [write = reply.stream, stop = stop_.get_token()](std::size_t, httplib::DataSink& sink) {
          write({[&](std::string_view bytes) { return sink.write(bytes.data(), bytes.size()); },
                 [&] { return sink.is_writable(); }},
                stop);
          sink.done();
          return true;
        });
  }

  const HttpHandler handler_;
  std::stop_source stop_;
  std::uint16_t port_ = 0;
  httplib::Server server_;
  std::jthread thread_;  // last: joined before the server goes
};

HttpReply answer_route(const HttpRoutes& routes, const ServedRequest& request) {
  const auto route = routes.find(request.path);
  if (request.method == "GET" && route != routes.end()) return route->second();
  return {404, "text/plain; charset=utf-8", "not found\n"};
}

}  // namespace

Result<std::unique_ptr<HttpServer>> serve_http(const std::string& host, std::uint16_t port,
                                               HttpHandler handler,
                                               const HttpServerOptions& options) {
  auto server = std::make_unique<HttplibServer>(std::move(handler), options);
  if (auto started = server->start(host, port); !started) return std::move(started).error();
  return std::unique_ptr<HttpServer>(std::move(server));
}

Result<std::unique_ptr<HttpServer>> serve_http(const std::string& host, std::uint16_t port,
                                               HttpRoutes routes) {
  return serve_http(host, port,
                    [routes = std::move(routes)](const ServedRequest& request) {
                      return answer_route(routes, request);
                    },
                    {});
}

}  // namespace weir
