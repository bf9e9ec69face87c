#include <gtest/gtest.h>
#include <sys/socket.h>

#include "net/proxy.h"
#include "unit/net_test_support.h"

namespace weir {
namespace {

using namespace std::string_literals;
using net_test::client_through;
using net_test::RawServer;
using net_test::soon;
using net_test::TestCa;
using net_test::TestServer;

const HttpRequest kGet{"GET", "/"};

std::string take(int socket, std::size_t count) {
  std::string bytes(count, '\0');
  const auto got = ::recv(socket, bytes.data(), count, MSG_WAITALL);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

// A SOCKS 5 proxy whose answers a test writes: for each, how many bytes it reads before, and what it says then.
struct Line {
  std::size_t reads;
  std::string says;
};

class SocksProxy {
 public:
  // After the last line a tunnel to `port` is opened, unless it is 0.
  explicit SocksProxy(std::vector<Line> lines, std::uint16_t port = 0)
      : server_([this, lines = std::move(lines), port](int socket, const std::stop_token& stop) {
          std::string heard;
          for (const auto& line : lines) {
            heard += take(socket, line.reads);
            {
              Lock lock(mutex_);
              heard_ = heard;
            }
            const bool welcomes = port != 0 && &line == &lines.back();
            if (welcomes)
              net_test::tunnel(socket, port, line.says, stop);
            else
              net_test::write_all(socket, line.says);
          }
        }) {}

  Proxy proxy(const std::string& user = "", const std::string& password = "") const {
    return {server_.url(), ProxyKind::Socks5, user, password};
  }

  std::string heard() const {
    Lock lock(mutex_);
    return heard_;
  }

 private:
  mutable Mutex mutex_;
  std::string heard_ GUARDED_BY(mutex_){};
  RawServer server_;  // last: its thread uses the rest
};

std::string port_bytes(std::uint16_t port) {
  return {static_cast<char>(port >> 8U), static_cast<char>(port & 0xffU)};
}

const std::string kAskName =
    "\5\1\0\3\x10"
    "far-away.invalid"s;
const std::string kDone = "\5\0\0\1\0\0\0\0\0\0"s;

TEST(Socks, TunnelsToANameThatOnlyTheProxyKnows) {
  const TestCa ca("ca");
  TestServer server({ca.issue({"x", "DNS:far-away.invalid"}), ""});
  server.http().Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("here", "text/plain");
  });
  server.start();
  Url url = server.url();
  const SocksProxy proxy({{3, "\5\0"s}, {kAskName.size() + 2, kDone}}, url.port);
  url.host = "far-away.invalid";
  const auto client = client_through(url, proxy.proxy(), {ca.pem()});
  for (int i = 0; i < 2; ++i) {
    const auto response = client->send(kGet, soon());
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "here");
  }
  EXPECT_EQ(proxy.heard(), "\5\1\0"s + kAskName + port_bytes(url.port));
}

TEST(Socks, LogsInWhereItIsAskedTo) {
  TestServer server;
  server.http().Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("here", "text/plain");
  });
  server.start();
  const auto url = server.url();
  const std::string by_name = "\5\0\0\3\2xy\0\0"s;  // the address in the answer may be a name
  const SocksProxy proxy({{4, "\5\2"s}, {12, "\1\0"s}, {10, by_name}}, url.port);
  const auto response = client_through(url, proxy.proxy("me", "secret1"))->send(kGet, soon());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(proxy.heard(),
            "\5\2\0\2"s + "\1\2me\7secret1"s + "\5\1\0\1\x7f\0\0\1"s + port_bytes(url.port));
}

TEST(Socks, ARefusalIsToldWithoutTheSecret) {
  const Url url{true, "far-away.invalid", 443, ""};
  const auto message = [&](std::vector<Line> lines, const std::string& user) {
    const SocksProxy proxy(std::move(lines));
    const auto response = client_through(url, proxy.proxy(user, "hunter2"))->send(kGet, soon());
    EXPECT_FALSE(response);
    if (response) return std::string();
    EXPECT_EQ(response.error().kind, ErrorKind::Unavailable);
    const auto authority = proxy.proxy().url.authority();
    const auto prefix = "far-away.invalid: proxy " + authority + ": ";
    EXPECT_EQ(response.error().message.substr(0, prefix.size()), prefix);
    return response.error().message.substr(prefix.size());
  };
  const auto asked = kAskName.size() + 2;
  EXPECT_EQ(message({{3, "\5\2"s}}, ""), "it wants a user");
  EXPECT_EQ(message({{4, "\5\xff"s}}, "me"), "it takes no user and password");
  EXPECT_EQ(message({{4, "\5\2"s}, {12, "\1\1"s}}, "me"), "it refused the user or the password");
  EXPECT_EQ(message({{3, "\5\0"s}, {asked, "\5\5\0\1"s}}, ""),
            "no tunnel to far-away.invalid:443: connection refused");
  EXPECT_EQ(message({{3, "\5\0"s}, {asked, "\5\x7f\0\1"s}}, ""),
            "no tunnel to far-away.invalid:443: an unknown reason");
  EXPECT_EQ(message({{3, "HT"s}}, ""), "it does not speak SOCKS 5");
  EXPECT_EQ(message({{3, "\5\0"s}, {asked, "\5\0\0"s}}, ""), "the connection was cut");
}

TEST(Socks, TheDeadlineBoundsAProxyThatSaysNothing) {
  const RawServer server([](int, const std::stop_token& stop) { net_test::stay_silent(stop); });
  const auto client =
      client_through({true, "far-away.invalid", 443, ""}, Proxy{server.url(), ProxyKind::Socks5});
  const auto response = client->send(kGet, soon(milliseconds(100)));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Timeout) << response.error().message;
}

TEST(Socks, ANameThatTheProtocolCannotCarryIsRefused) {
  const SocksProxy proxy({});
  const Url url{true, std::string(256, 'x'), 443, ""};
  const auto response = client_through(url, proxy.proxy())->send(kGet, soon());
  ASSERT_FALSE(response);
  EXPECT_NE(response.error().message.find("the server's name is too long"), std::string::npos)
      << response.error().message;
}

}  // namespace
}  // namespace weir
