#include <gtest/gtest.h>

#include <mutex>

#include "unit/net_test_support.h"

namespace weir {
namespace {

using net_test::BlackHole;
using net_test::client_for;
using net_test::elapsed_ms;
using net_test::RawServer;
using net_test::soon;
using net_test::TestServer;

constexpr double kGenerous = 8000;  // ms; what a hang would exceed, on however busy a machine

HttpRequest get(std::string target) { return {"GET", std::move(target)}; }

TEST(HttplibClient, ReturnsStatusLowerCaseHeadersAndBody) {
  TestServer server;
  server.http().Get("/a", [](const httplib::Request&, httplib::Response& response) {
    response.status = 203;
    response.set_header("X-Mixed-Case", "Value");
    response.set_content("hello", "text/plain");
  });
  server.start();
  const auto response = client_for(server.url())->send(get("/a"), soon());
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->status, 203);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(response->headers.at("x-mixed-case"), "Value");
  EXPECT_EQ(response->headers.at("content-type"), "text/plain");
}

TEST(HttplibClient, SendsTheAuthorizationItWasGiven) {
  TestServer server;
  server.http().Get("/a", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.get_header_value("Authorization"), "text/plain");
  });
  server.start();
  HttpClientOptions options;
  options.server = server.url();
  options.authorization = "Basic d2VpcjpzZWNyZXQ=";
  const auto client = make_httplib_client(std::move(options));
  ASSERT_TRUE(client);
  const auto response = (*client)->send(get("/a"), soon());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "Basic d2VpcjpzZWNyZXQ=");
}

TEST(HttplibClient, SendsMethodHeadersAndBody) {
  TestServer server;
  server.http().Patch("/p", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.get_header_value("Content-Type") + "|" + request.body,
                         "text/plain");
  });
  server.start();
  const auto response =
      client_for(server.url())
          ->send({"PATCH", "/p", {{"Content-Type", "application/x"}}, "{}"}, soon());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "application/x|{}");
}

TEST(HttplibClient, SendsTheBodyOfADelete) {
  TestServer server;
  server.http().Delete("/d", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.body, "text/plain");
  });
  server.start();
  const auto response =
      client_for(server.url())
          ->send({"DELETE", "/d", {{"Content-Type", "application/json"}}, "{\"a\":1}"}, soon());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "{\"a\":1}");
}

TEST(HttplibClient, AnErrorStatusIsAResponseWithItsBody) {
  TestServer server;
  server.http().Get("/e", [](const httplib::Request&, httplib::Response& response) {
    response.status = 503;
    response.set_content("busy", "text/plain");
  });
  server.start();
  const auto response = client_for(server.url())->send(get("/e"), soon());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->body, "busy");
}

TEST(HttplibClient, DoesNotFollowARedirect) {
  TestServer server;
  server.http().Get("/r", [](const httplib::Request&, httplib::Response& response) {
    response.set_redirect("/elsewhere");
  });
  server.start();
  const auto response = client_for(server.url())->send(get("/r"), soon());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
}

TEST(HttplibClient, PutsThePrefixPathBeforeTheTarget) {
  TestServer server;
  server.http().Get("/prefix/api", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("found", "text/plain");
  });
  server.start();
  const auto response = client_for(server.url("/prefix"))->send(get("/api"), soon());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "found");
}

TEST(HttplibClient, SendsAnEncodedTargetAsItIs) {
  TestServer server;
  server.http().Get("/.*", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.target, "text/plain");
  });
  server.start();
  const auto response = client_for(server.url())->send(get("/a%2Fb?x=%2B%20c&y=~"), soon());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "/a%2Fb?x=%2B%20c&y=~");
}

TEST(HttplibClient, NamesHostAndUserAgent) {
  TestServer server;
  server.http().Get("/", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content(
        request.get_header_value("Host") + " " + request.get_header_value("User-Agent"),
        "text/plain");
  });
  server.start();
  HttpClientOptions options;
  options.server = server.url();
  options.user_agent = "weir/test";
  const auto client = make_httplib_client(options);
  const auto response = (*client)->send(get("/"), soon());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, server.url().authority() + " weir/test");
}

TEST(HttplibClient, AsksForTheTokenBeforeEachRequest) {
  TestServer server;
  server.http().Get("/", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.get_header_value("Authorization"), "text/plain");
  });
  server.start();
  std::atomic<int> asked{0};
  HttpClientOptions options;
  options.server = server.url();
  options.bearer_token = [&] { return std::optional("token-" + std::to_string(++asked)); };
  const auto client = make_httplib_client(options);
  EXPECT_EQ((*client)->send(get("/"), soon())->body, "Bearer token-1");
  EXPECT_EQ((*client)->send(get("/"), soon())->body, "Bearer token-2");
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttplibClient, SendsNoAuthorizationWithoutAToken) {
  TestServer server;
  server.http().Get("/", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.has_header("Authorization") ? "yes" : "no", "text/plain");
  });
  server.start();
  HttpClientOptions options;
  options.server = server.url();
  options.bearer_token = [] { return std::nullopt; };
  const auto client = make_httplib_client(options);
  EXPECT_EQ((*client)->send(get("/"), soon())->body, "no");
}

TEST(HttplibClient, RefusesALineBreakInATokenOrTarget) {
  TestServer server;
  server.start();
  HttpClientOptions options;
  options.server = server.url();
  options.bearer_token = [] { return std::optional<std::string>("a\r\nX-Evil: 1"); };
  const auto client = make_httplib_client(options);
  EXPECT_EQ((*client)->send(get("/"), soon()).error().kind, ErrorKind::Invalid);
  const auto plain = client_for(server.url());
  EXPECT_EQ(plain->send(get("/a b"), soon()).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(plain->send(get("/a\r\n"), soon()).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(plain->send(get("a"), soon()).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttplibClient, KeepsOneConnectionForRequestsInARow) {
  TestServer server;
  server.http().Post("/", [](const httplib::Request&, httplib::Response&) {});
  server.start();
  const auto client = client_for(server.url());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(client->send({"POST", "/", {}, "x"}, soon()));
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttplibClient, ServesCallersFromManyThreadsAtOnce) {
  TestServer server;
  server.http().Get("/", [](const httplib::Request&, httplib::Response& response) {
    std::this_thread::sleep_for(milliseconds(20));
    response.set_content("ok", "text/plain");
  });
  server.start();
  const auto client = client_for(server.url());
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 5; ++n) good += client->send(get("/"), soon()) ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(good, 40);
  EXPECT_LE(server.connections(), 8);
}

TEST(HttplibClient, KeepsNoMoreIdleConnectionsThanAllowed) {
  TestServer server;
  server.http().Get("/", [](const httplib::Request&, httplib::Response&) {});
  server.start();
  HttpClientOptions options;
  options.server = server.url();
  options.max_idle_connections = 0;
  const auto client = make_httplib_client(options);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE((*client)->send(get("/"), soon()));
  EXPECT_EQ(server.connections(), 3);
}

TEST(HttplibClient, ReplacesAConnectionThatTheServerHasClosed) {
  RawServer server([](int socket, const std::stop_token&) {
    net_test::read_head(socket);
    net_test::write_all(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  const auto client = client_for(server.url());
  for (int i = 0; i < 20; ++i) {
    const auto response = client->send({"POST", "/", {}, "x"}, soon());
    ASSERT_TRUE(response) << i << " " << to_string(response.error());
    std::this_thread::sleep_for(milliseconds(5));  // lets the close arrive
  }
}

TEST(HttplibClient, ARefusedConnectionIsUnavailable) {
  Url url;
  {
    TestServer server;
    server.start();
    url = server.url();
  }
  const auto response = client_for(url)->send(get("/"), soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(response.error().message.find(url.authority()), std::string::npos);
}

TEST(HttplibClient, AnUnknownHostIsUnavailable) {
  const Url url{false, "no-such-host.invalid", 80, ""};
  const auto response = client_for(url)->send(get("/"), soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Unavailable);
}

TEST(HttplibClient, ASilentServerMeansTimeout) {
  RawServer server([](int, const std::stop_token& stop) { net_test::stay_silent(stop); });
  const auto client = client_for(server.url());
  const double took = elapsed_ms([&] {
    const auto response = client->send(get("/"), soon(milliseconds(100)));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::Timeout) << response.error().message;
  });
  EXPECT_GE(took, 90);
  EXPECT_LT(took, kGenerous);
}

TEST(HttplibClient, TheDeadlineBoundsAServerThatDrips) {
  RawServer server([](int socket, const std::stop_token& stop) {
    net_test::write_all(socket, "HTTP/1.1 200 OK\r\nX-Slow: ");
    while (!stop.stop_requested()) {
      net_test::write_all(socket, "a");
      std::this_thread::sleep_for(milliseconds(10));
    }
  });
  const auto client = client_for(server.url());
  const double took = elapsed_ms([&] {
    const auto response = client->send(get("/"), soon(milliseconds(200)));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::Timeout) << response.error().message;
  });
  EXPECT_LT(took, kGenerous);
}

TEST(HttplibClient, TheDeadlineBoundsConnecting) {
  const BlackHole hole;
  const auto client = client_for(hole.url());
  const double took = elapsed_ms([&] {
    const auto response = client->send(get("/"), soon(milliseconds(200)));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::Timeout) << response.error().message;
  });
  EXPECT_LT(took, kGenerous);
}

TEST(HttplibClient, APassedDeadlineOpensNoConnection) {
  TestServer server;
  server.start();
  const auto response = client_for(server.url())->send(get("/"), soon(milliseconds(-5)));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Timeout);
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttplibClient, IsUsableAfterATimeout) {
  TestServer server;
  server.http().Get("/slow", [](const httplib::Request&, httplib::Response&) {
    std::this_thread::sleep_for(milliseconds(300));
  });
  server.http().Get("/fast", [](const httplib::Request&, httplib::Response&) {});
  server.start();
  const auto client = client_for(server.url());
  EXPECT_FALSE(client->send(get("/slow"), soon(milliseconds(30))));
  EXPECT_TRUE(client->send(get("/fast"), soon()));
}

TEST(HttplibClient, ABodyUpToTheLimitPassesAndALargerOneNamesTheLimit) {
  TestServer server;
  server.http().Get("/exact", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(std::string(1000, 'x'), "text/plain");
  });
  server.http().Get("/large", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(std::string(1001, 'x'), "text/plain");
  });
  server.serve_stream("/chunked", std::vector<std::string>(100, std::string(100, 'x')), true);
  server.start();
  HttpClientOptions options;
  options.server = server.url();
  options.max_body_bytes = 1000;
  const auto client = make_httplib_client(options);
  EXPECT_EQ((*client)->send(get("/exact"), soon())->body.size(), 1000U);
  for (const char* target : {"/large", "/chunked"}) {
    const auto response = (*client)->send(get(target), soon());
    ASSERT_FALSE(response) << target;
    EXPECT_EQ(response.error().kind, ErrorKind::Unavailable);
    EXPECT_NE(response.error().message.find("max_body_bytes"), std::string::npos);
  }
  EXPECT_TRUE((*client)->send(get("/exact"), soon()));
}

TEST(HttplibClient, ABodyCutShortIsUnavailable) {
  RawServer server([](int socket, const std::stop_token&) {
    net_test::read_head(socket);
    net_test::write_all(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
  });
  const auto response = client_for(server.url())->send(get("/"), soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Unavailable);
}

TEST(HttplibClient, NonsenseForAnAnswerIsUnavailable) {
  RawServer server([](int socket, const std::stop_token&) {
    net_test::read_head(socket);
    net_test::write_all(socket, "220 smtp.example ESMTP\r\n\r\n");
  });
  const auto response = client_for(server.url())->send(get("/"), soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Unavailable);
}

// httplib alone overflows the stack at such a line.
TEST(HttplibClient, AHeadWithoutEndIsUnavailable) {
  const auto answer = [](const std::string& head) {
    RawServer server([head](int socket, const std::stop_token&) {
      net_test::read_head(socket);
      net_test::write_all(socket, head);
    });
    return client_for(server.url())->send(get("/"), soon());
  };
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 5000; ++i) many += "X-Header-" + std::to_string(i) + ": some value\r\n";
  for (const auto& head :
       {"HTTP/1.1 200 " + std::string(1'000'000, 'x') + "\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 " + std::string(1'000'000, 'x') + "\r\n\r\n",
        many + "Content-Length: 0\r\n\r\n"}) {
    const auto response = answer(head);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::Unavailable);
    EXPECT_NE(response.error().message.find("head"), std::string::npos);
  }
}

TEST(HttplibClient, AHeadOfOrdinarySizePasses) {
  TestServer server;
  server.http().Get("/", [](const httplib::Request&, httplib::Response& response) {
    for (int i = 0; i < 20; ++i)
      response.set_header("X-" + std::to_string(i), std::string(1000, 'x'));
    response.set_content(std::string(100'000, 'y'), "text/plain");
  });
  server.start();
  const auto response = client_for(server.url())->send(get("/"), soon());
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->body.size(), 100'000U);
}

TEST(HttplibClient, CarriesLargeBodiesBothWays) {
  TestServer server;
  server.http().Post("/", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.body, "text/plain");
  });
  server.start();
  const std::string body(8U << 20U, 'z');
  const auto response = client_for(server.url())->send({"POST", "/", {}, body}, soon());
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->body, body);
}

TEST(HttplibClient, SpeaksToAnIpv6Address) {
  TestServer server;
  server.http().Get("/", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.get_header_value("Host"), "text/plain");
  });
  if (!server.start("::1")) GTEST_SKIP() << "no IPv6 here";
  const auto response = client_for(server.url())->send(get("/"), soon());
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->body, "[::1]:" + std::to_string(server.url().port));
}

}  // namespace
}  // namespace weir
