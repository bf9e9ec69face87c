#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/wait.h"
#include "net/http_server.h"
#include "unit/net_test_support.h"

namespace weir {
namespace {

using net_test::client_for;
using net_test::soon;

Url url_of(const HttpServer& server) { return {false, "127.0.0.1", server.port(), ""}; }

HttpRoutes routes() {
  return {{"/healthz",
           [] {
             return HttpReply{200, "text/plain", "ok"};
           }},
          {"/readyz",
           [] {
             return HttpReply{503, "text/plain", "not yet"};
           }},
          {"/broken", []() -> HttpReply { throw std::runtime_error("broken"); }}};
}

TEST(HttpServer, AnswersItsRoutes) {
  const auto server = serve_http("127.0.0.1", 0, routes());
  ASSERT_TRUE(server);
  const auto client = client_for(url_of(**server));
  const auto healthy = client->send({"GET", "/healthz"}, soon());
  ASSERT_TRUE(healthy);
  EXPECT_EQ(healthy->status, 200);
  EXPECT_EQ(healthy->body, "ok");
  EXPECT_EQ(healthy->headers.at("content-type"), "text/plain");
  EXPECT_EQ(client->send({"GET", "/readyz?verbose=1"}, soon())->status, 503);
}

TEST(HttpServer, AnswersAllElseWithNotFound) {
  const auto server = serve_http("127.0.0.1", 0, routes());
  const auto client = client_for(url_of(**server));
  EXPECT_EQ(client->send({"GET", "/healthz/x"}, soon())->status, 404);
  EXPECT_EQ(client->send({"GET", "/"}, soon())->status, 404);
  EXPECT_EQ(client->send({"POST", "/healthz", {}, "x"}, soon())->status, 404);
}

TEST(HttpServer, AHandlerThatThrowsIsAnErrorNotTheEnd) {
  const auto server = serve_http("127.0.0.1", 0, routes());
  const auto client = client_for(url_of(**server));
  EXPECT_EQ(client->send({"GET", "/broken"}, soon())->status, 500);
  EXPECT_EQ(client->send({"GET", "/healthz"}, soon())->status, 200);
}

TEST(HttpServer, ATakenPortIsUnavailable) {
  const auto first = serve_http("127.0.0.1", 0, routes());
  ASSERT_TRUE(first);
  const auto second = serve_http("127.0.0.1", (*first)->port(), routes());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::Unavailable);
}

TEST(HttpServer, AnAddressThatIsNotOursIsUnavailable) {
  const auto server = serve_http("192.0.2.1", 0, routes());
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().kind, ErrorKind::Unavailable);
}

TEST(HttpServer, FreesItsPortWhenDestroyed) {
  std::uint16_t port = 0;
  {
    const auto server = serve_http("127.0.0.1", 0, routes());
    port = (*server)->port();
    ASSERT_TRUE(client_for(url_of(**server))->send({"GET", "/healthz"}, soon()));
  }
  EXPECT_TRUE(serve_http("127.0.0.1", port, routes()));
}

TEST(HttpServer, ManyIdleConnectionsDoNotShutItUp) {
  const auto server = serve_http("127.0.0.1", 0, routes());
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons((*server)->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::vector<int> idle;
  for (int i = 0; i < 4; ++i) {
    idle.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(idle.back(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              0);
  }
  const auto response = client_for(url_of(**server))->send({"GET", "/healthz"}, soon());
  EXPECT_TRUE(response);
  for (const int socket : idle) ::close(socket);
}

TEST(HttpServer, AHandlerSeesTheWholeRequest) {
  const auto server = serve_http(
      "127.0.0.1", 0,
      [](const ServedRequest& request) {
        HttpReply reply{200, "text/plain",
                        request.method + " " + request.path + " " + request.query.at("a") + " " +
                            request.headers.at("x-b") + " " + request.body};
        reply.headers.emplace("Warning", "one");
        reply.headers.emplace("Warning", "two");
        return reply;
      },
      HttpServerOptions{2, true, 100});
  const auto client = client_for(url_of(**server));
  for (const std::string method : {"POST", "PUT", "PATCH", "DELETE"}) {
    const auto reply = client->send({method, "/x%20y?a=1%2C2&a=3", {{"X-B", "c"}}, "body"}, soon());
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->body, method + " /x y 1,2 c body");
    EXPECT_EQ(reply->headers.at("warning"), "one, two");
  }
  EXPECT_EQ(client->send({"POST", "/?a=1", {{"X-B", "c"}}, std::string(101, 'x')}, soon())->status,
            413);
}

TEST(HttpServer, AStreamEndsWithItsReaderAndWithTheServer) {
  std::atomic<int> open = 0;
  auto server = serve_http(
      "127.0.0.1", 0,
      [&](const ServedRequest&) {
        HttpReply reply{200, "application/json;stream=watch"};
        reply.stream = [&](const HttpSink& sink, const std::stop_token& stop) {
          ++open;
          while (!stop.stop_requested() && sink.is_open() && sink.write("line\n"))
            wait_until(SystemClock().monotonic() + milliseconds(10), stop);
          --open;
        };
        return reply;
      },
      HttpServerOptions{4, true, 100});
  const auto client = client_for(url_of(**server));
  int lines = 0;
  const auto done =
      client->stream({"GET", "/"}, [&](std::string_view) { return ++lines < 3; }, seconds(5), {});
  EXPECT_TRUE(done);
  EXPECT_EQ(lines, 3);
  std::jthread reader([&] {
    (void)client->stream({"GET", "/"}, [](std::string_view) { return true; }, seconds(5), {});
  });
  const SystemClock clock;
  const auto deadline = clock.monotonic() + seconds(10);
  while (open != 1 && clock.monotonic() < deadline) std::this_thread::yield();
  EXPECT_EQ(open, 1);
  server->reset();
  EXPECT_EQ(open, 0);
}

}  // namespace
}  // namespace weir
