#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "unit/net_test_support.h"

namespace weir {
namespace {

using net_test::client_for;
using net_test::RawServer;
using net_test::soon;
using net_test::TestCa;
using net_test::TestServer;

const HttpRequest kGet{"GET", "/"};

void answer_ok(TestServer& server) {
  server.http().Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("ok", "text/plain");
  });
  server.http().Post("/", [](const httplib::Request&, httplib::Response&) {});
}

Result<HttpResponse> call(const Url& url, const TlsOptions& tls) {
  return client_for(url, tls)->send(kGet, soon());
}

void expect_refused(const Result<HttpResponse>& response, std::string_view why) {
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(response.error().message.find(why), std::string::npos) << response.error().message;
}

ErrorKind kind_of(const TlsOptions& tls) {
  HttpClientOptions options;
  options.server = Url{true, "127.0.0.1", 1, ""};
  options.tls = tls;
  const auto client = make_httplib_client(options);
  return client ? ErrorKind::Internal : client.error().kind;
}

TEST(Tls, AcceptsACertificateOfTheGivenCaByAddress) {
  const TestCa ca("ca");
  TestServer server({ca.issue({"x", "IP:127.0.0.1"}), ""});
  answer_ok(server);
  server.start();
  const auto response = call(server.url(), {ca.pem()});
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->body, "ok");
}

TEST(Tls, AcceptsACertificateOfTheGivenCaByName) {
  const TestCa ca("ca");
  TestServer server({ca.issue({"x", "DNS:localhost"}), ""});
  answer_ok(server);
  server.start();
  Url url = server.url();
  url.host = "localhost";
  EXPECT_TRUE(call(url, {ca.pem()}));
}

TEST(Tls, AcceptsAnIpv6AddressInTheCertificate) {
  const TestCa ca("ca");
  TestServer server({ca.issue({"x", "IP:::1"}), ""});
  answer_ok(server);
  if (!server.start("::1")) GTEST_SKIP() << "no IPv6 here";
  EXPECT_TRUE(call(server.url(), {ca.pem()}));
}

TEST(Tls, AcceptsAnyCaOfABundle) {
  const TestCa other("other");
  const TestCa ca("ca");
  TestServer server({ca.issue(), ""});
  answer_ok(server);
  server.start();
  EXPECT_TRUE(call(server.url(), {other.pem() + ca.pem()}));
}

TEST(Tls, RefusesACertificateOfAnotherCa) {
  const TestCa ca("ca");
  const TestCa other("other");
  TestServer server({other.issue(), ""});
  answer_ok(server);
  server.start();
  expect_refused(call(server.url(), {ca.pem()}), "certificate");
}

TEST(Tls, RefusesACertificateForAnotherName) {
  const TestCa ca("ca");
  TestServer server({ca.issue({"x", "DNS:other.example,IP:127.0.0.9"}), ""});
  answer_ok(server);
  server.start();
  expect_refused(call(server.url(), {ca.pem()}), "certificate");
}

TEST(Tls, DoesNotTakeTheCommonNameForAnAlternativeName) {
  const TestCa ca("ca");
  TestServer server({ca.issue({"localhost", ""}), ""});
  answer_ok(server);
  server.start();
  Url url = server.url();
  url.host = "localhost";
  expect_refused(call(url, {ca.pem()}), "certificate");
}

TEST(Tls, RefusesAnExpiredCertificate) {
  const TestCa ca("ca");
  TestServer server({ca.issue({"x", "IP:127.0.0.1", -1}), ""});
  answer_ok(server);
  server.start();
  expect_refused(call(server.url(), {ca.pem()}), "expired");
}

TEST(Tls, SkipsVerificationOnlyWhenTold) {
  const TestCa ca("ca");
  TestServer server({ca.issue({"x", "DNS:other.example"}), ""});
  answer_ok(server);
  server.start();
  EXPECT_TRUE(call(server.url(), {"", "", "", true}));
  EXPECT_FALSE(call(server.url(), {}));
}

// httplib adds the system's CAs to whatever store it is given; a public CA could then vouch for the API server.
TEST(Tls, TheSystemStoreCountsOnlyWhenNoCaIsGiven) {
  const TestCa system_ca("system");
  const TestCa own_ca("own");
  const std::string path = testing::TempDir() + "weir_system_ca.pem";
  std::ofstream(path) << system_ca.pem();
  ::setenv("SSL_CERT_FILE", path.c_str(), 1);
  TestServer server({system_ca.issue(), ""});
  answer_ok(server);
  server.start();
  EXPECT_TRUE(call(server.url(), {}));
  expect_refused(call(server.url(), {own_ca.pem()}), "certificate");
  ::unsetenv("SSL_CERT_FILE");
}

TEST(Tls, ShowsTheClientCertificateWithItsChain) {
  const TestCa ca("ca");
  const TestCa between = ca.intermediate("between");
  TestServer server({ca.issue(), ca.pem()});
  answer_ok(server);
  server.start();
  const auto identity = between.issue({"me", ""});
  const auto response =
      call(server.url(), {ca.pem(), identity.cert_pem + between.pem(), identity.key_pem});
  EXPECT_TRUE(response) << to_string(response.error());
}

TEST(Tls, IsRefusedWithoutTheClientCertificateThatTheServerDemands) {
  const TestCa ca("ca");
  TestServer server({ca.issue(), ca.pem()});
  answer_ok(server);
  server.start();
  expect_refused(call(server.url(), {ca.pem()}), "client certificate");
}

TEST(Tls, KeepsOneConnectionForRequestsInARow) {
  const TestCa ca("ca");
  TestServer server({ca.issue(), ""});
  answer_ok(server);
  server.start();
  const auto client = client_for(server.url(), {ca.pem()});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(client->send({"POST", "/", {}, "x"}, soon()));
  EXPECT_EQ(server.connections(), 1);
}

// Until the kernel knows that the server has closed: our end of a connection to this port is in CLOSE_WAIT (proc_net_tcp(5)).
bool close_has_arrived(int port) {
  const auto wanted = fmt::format("0100007F:{:04X} 08", port);
  for (int i = 0; i < 1000; ++i) {
    std::ifstream table("/proc/self/net/tcp");
    for (std::string line; std::getline(table, line);)
      if (line.find(wanted) != std::string::npos) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

TEST(Tls, ReplacesAConnectionThatTheServerHasClosed) {
  const TestCa ca("ca");
  TestServer server({ca.issue(), ""});
  server.http().set_keep_alive_timeout(1);  // seconds; a request that comes later finds it closed
  answer_ok(server);
  server.start();
  const auto client = client_for(server.url(), {ca.pem()});
  for (int i = 0; i < 3; ++i) {
    const auto response = client->send({"POST", "/", {}, "x"}, soon());
    ASSERT_TRUE(response) << i << " " << to_string(response.error());
    ASSERT_TRUE(close_has_arrived(server.url().port)) << i;
  }
}

TEST(Tls, CarriesLargeBodiesBothWays) {
  const TestCa ca("ca");
  TestServer server({ca.issue(), ""});
  server.http().Post("/echo", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.body, "text/plain");
  });
  server.start();
  const std::string body(8U << 20U, 'z');
  const auto response =
      client_for(server.url(), {ca.pem()})->send({"POST", "/echo", {}, body}, soon());
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->body, body);
}

TEST(Tls, TheDeadlineBoundsAHandshakeThatHangs) {
  RawServer server([](int, const std::stop_token& stop) { net_test::stay_silent(stop); });
  Url url = server.url();
  url.tls = true;
  const auto response = client_for(url, {"", "", "", true})->send(kGet, soon(milliseconds(100)));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Timeout) << response.error().message;
}

TEST(Tls, APlainServerIsUnavailable) {
  TestServer server;
  server.start();
  Url url = server.url();
  url.tls = true;
  expect_refused(call(url, {"", "", "", true}), "TLS");
}

TEST(Tls, RefusesMaterialThatCannotBeUsed) {
  const TestCa ca("ca");
  const auto one = ca.issue();
  const auto two = ca.issue();
  std::string damaged = ca.pem();
  damaged[100] = '!';
  EXPECT_EQ(kind_of({"no PEM at all"}), ErrorKind::Invalid);
  EXPECT_EQ(kind_of({damaged}), ErrorKind::Invalid);
  EXPECT_EQ(kind_of({ca.pem() + damaged}), ErrorKind::Invalid);
  EXPECT_EQ(kind_of({ca.pem(), one.cert_pem, ""}), ErrorKind::Invalid);
  EXPECT_EQ(kind_of({ca.pem(), "", one.key_pem}), ErrorKind::Invalid);
  EXPECT_EQ(kind_of({ca.pem(), one.cert_pem, two.key_pem}), ErrorKind::Invalid);
  EXPECT_EQ(kind_of({ca.pem(), one.cert_pem, "nonsense"}), ErrorKind::Invalid);
  EXPECT_EQ(kind_of({ca.pem(), one.cert_pem, net_test::encrypted(one).key_pem}),
            ErrorKind::Invalid);
}

}  // namespace
}  // namespace weir
