#include <gtest/gtest.h>

#include "net/proxy.h"
#include "unit/net_test_support.h"

namespace weir {
namespace {

using net_test::client_through;
using net_test::RawServer;
using net_test::soon;
using net_test::TestCa;
using net_test::TestProxy;
using net_test::TestServer;

const HttpRequest kGet{"GET", "/"};

void answer_host(TestServer& server) {
  server.http().Get("/", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.get_header_value("Host"), "text/plain");
  });
}

// A name that only the proxy can reach.
Url far_away(const TestServer& server) {
  Url url = server.url();
  url.host = "far-away.invalid";
  return url;
}

TEST(Proxy, TunnelsToAServerThatOnlyItCanReach) {
  const TestCa ca("ca");
  TestServer server({ca.issue({"x", "DNS:far-away.invalid"}), ""});
  answer_host(server);
  server.start();
  TestProxy proxy;
  const auto url = far_away(server);
  const auto client =
      client_through(url, Proxy{proxy.url(), ProxyKind::Http, "me", "secret"}, {ca.pem()});
  for (int i = 0; i < 3; ++i) {
    const auto response = client->send(kGet, soon());
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, url.authority());
  }
  ASSERT_EQ(proxy.heads().size(), 1U);  // one tunnel, kept
  EXPECT_EQ(proxy.heads()[0], "CONNECT " + url.authority() +
                                  " HTTP/1.1\r\nHost: " + url.authority() +
                                  "\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n");
}

TEST(Proxy, TunnelsPlainHttpToo) {
  TestServer server;
  answer_host(server);
  server.start();
  const TestProxy proxy;
  const auto response = client_through(far_away(server), Proxy{proxy.url()})->send(kGet, soon());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, far_away(server).authority());
}

TEST(Proxy, TheServersOwnCertificateIsStillDemanded) {
  const TestCa ca("ca");
  TestServer server({ca.issue({"x", "DNS:other.example"}), ""});
  server.start();
  const TestProxy proxy;
  const auto response =
      client_through(far_away(server), Proxy{proxy.url()}, {ca.pem()})->send(kGet, soon());
  ASSERT_FALSE(response);
  EXPECT_NE(response.error().message.find("certificate was refused"), std::string::npos)
      << response.error().message;
}

TEST(Proxy, ARefusalIsToldWithoutTheSecret) {
  const TestProxy proxy("HTTP/1.1 407 Proxy Authentication Required\r\nX: y");
  const auto client = client_through({true, "far-away.invalid", 443, ""},
                                     Proxy{proxy.url(), ProxyKind::Http, "me", "secret"});
  const auto response = client->send(kGet, soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(response.error().message,
            "far-away.invalid: proxy " + proxy.url().authority() +
                ": no tunnel to far-away.invalid:443: HTTP/1.1 407 Proxy Authentication Required");
}

TEST(Proxy, BadProxiesAreUnavailable) {
  const auto message = [](const Url& proxy, milliseconds limit = milliseconds(20'000)) {
    const auto response =
        client_through({true, "far-away.invalid", 443, ""}, Proxy{proxy})->send(kGet, soon(limit));
    EXPECT_FALSE(response);
    return response ? "" : response.error().message;
  };
  const auto says = [&](const std::string& text) {
    const RawServer server([text](int socket, const std::stop_token&) {
      net_test::read_head(socket);
      net_test::write_all(socket, text);
    });
    return message(server.url());
  };
  EXPECT_NE(says("220 smtp.example ESMTP\r\n\r\n").find("no tunnel"), std::string::npos);
  EXPECT_NE(says("HTTP/1.1 200").find("the connection was cut"), std::string::npos);
  EXPECT_NE(says(std::string(100'000, 'x')).find("its answer has no end"), std::string::npos);
  Url gone;
  {
    const TestProxy proxy;
    gone = proxy.url();
  }
  EXPECT_NE(message(gone).find("proxy " + gone.authority() + ": no connection"), std::string::npos);
}

TEST(Proxy, TheDeadlineBoundsAProxyThatSaysNothing) {
  const RawServer server([](int, const std::stop_token& stop) { net_test::stay_silent(stop); });
  const auto client = client_through({true, "far-away.invalid", 443, ""}, Proxy{server.url()});
  const auto response = client->send(kGet, soon(milliseconds(100)));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Timeout) << response.error().message;
}

TEST(Proxy, IsReadFromAUrl) {
  EXPECT_EQ(parse_proxy("http://proxy:3128/")->url.authority(), "proxy:3128");
  EXPECT_EQ(parse_proxy("http://proxy")->url.port, 80);
  EXPECT_EQ(parse_proxy("proxy:3128")->url.authority(), "proxy:3128");
  EXPECT_EQ(parse_proxy("http://[fd00::1]:3128")->url.authority(), "[fd00::1]:3128");
  EXPECT_EQ(parse_proxy("socks5://proxy")->url.authority(), "proxy:1080");
  EXPECT_EQ(parse_proxy("socks5h://proxy:80")->url.port, 80);
  EXPECT_EQ(parse_proxy("socks5://[fd00::1]")->url.authority(), "[fd00::1]:1080");
  EXPECT_EQ(parse_proxy("SOCKS5://proxy")->kind, ProxyKind::Socks5);
  EXPECT_EQ(parse_proxy("http://proxy")->kind, ProxyKind::Http);
  const auto login = [](const char* text) {
    const auto proxy = parse_proxy(text);
    return proxy ? proxy->user + "|" + proxy->password : "";
  };
  EXPECT_EQ(login("http://me:p%40ss:1@proxy:1"), "me|p@ss:1");
  EXPECT_EQ(login("http://me@proxy:1"), "me|");
  EXPECT_EQ(login("socks5://proxy:1"), "|");
}

TEST(Proxy, ABadUrlNeverShowsThePassword) {
  for (const auto* text : {"https://me:hunter2@proxy", "ftp://me:hunter2@x", "http://me:hunter2@",
                           "http://me:hunter2@a b", "http://me:hunter2@proxy:99999"}) {
    const auto proxy = parse_proxy(text);
    ASSERT_FALSE(proxy) << text;
    EXPECT_EQ(proxy.error().kind, ErrorKind::Invalid);
    EXPECT_EQ(proxy.error().message.find("hunter2"), std::string::npos) << proxy.error().message;
  }
}

TEST(Proxy, OnlySocksLimitsTheLogin) {
  const std::string token(2000, 'x');
  EXPECT_EQ(parse_proxy("http://me:" + token + "@proxy")->password, token);
  EXPECT_EQ(parse_proxy("http://:secret@proxy")->password, "secret");
  EXPECT_TRUE(parse_proxy("socks5://" + std::string(255, 'x') + "@proxy"));
  for (const auto& login :
       {"me:" + std::string(256, 'x'), std::string(256, 'x'), std::string(":hunter2")}) {
    const auto proxy = parse_proxy("socks5://" + login + "@proxy");
    ASSERT_FALSE(proxy) << login;
    EXPECT_EQ(proxy.error().message,
              "a socks5 proxy's user has 1 to 255 bytes, its password at most 255");
  }
}

TEST(Proxy, APasswordWithoutAUserIsSent) {
  const TestProxy proxy("HTTP/1.1 403 Forbidden");
  const auto client = client_through({true, "far-away.invalid", 443, ""},
                                     Proxy{proxy.url(), ProxyKind::Http, "", "secret"});
  EXPECT_FALSE(client->send(kGet, soon()));
  ASSERT_FALSE(proxy.heads().empty());
  EXPECT_NE(proxy.heads()[0].find("Proxy-Authorization: Basic OnNlY3JldA==\r\n"), std::string::npos)
      << proxy.heads()[0];
}

// The proxy for a server, "" = none.
std::string chosen(const std::string& server, const std::map<std::string, std::string>& variables) {
  const auto proxy = proxy_from_environment(*parse_url(server), [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? "" : found->second;
  });
  EXPECT_TRUE(proxy);
  return proxy && *proxy ? (*proxy)->url.authority() : "";
}

TEST(ProxyFromEnvironment, ChoosesByScheme) {
  const std::map<std::string, std::string> both{{"HTTPS_PROXY", "http://s:1"},
                                                {"HTTP_PROXY", "http://p:1"}};
  EXPECT_EQ(chosen("https://api.example", both), "s:1");
  EXPECT_EQ(chosen("http://api.example", both), "p:1");
  EXPECT_EQ(chosen("https://api.example", {{"https_proxy", "l:1"}}), "l:1");
  EXPECT_EQ(chosen("https://api.example", {{"HTTP_PROXY", "p:1"}}), "");
  EXPECT_EQ(chosen("https://api.example", {}), "");
}

TEST(ProxyFromEnvironment, LeavesOutThisMachineAndWhatNoProxyNames) {
  const auto is_exempt = [](const std::string& server, const std::string& list) {
    return chosen(server, {{"HTTPS_PROXY", "http://s:1"}, {"NO_PROXY", list}}).empty();
  };
  for (const auto* server :
       {"https://localhost:6443", "https://127.0.0.1", "https://127.9.9.9", "https://[::1]:1"})
    EXPECT_TRUE(is_exempt(server, "")) << server;
  EXPECT_FALSE(is_exempt("https://10.0.0.1", ""));
  EXPECT_TRUE(is_exempt("https://any", "*"));
  EXPECT_TRUE(is_exempt("https://API.example", "x, api.EXAMPLE ,y"));
  EXPECT_TRUE(is_exempt("https://a.api.example", "api.example"));
  EXPECT_FALSE(is_exempt("https://myapi.example", "api.example"));
  EXPECT_TRUE(is_exempt("https://a.example", ".example"));
  EXPECT_FALSE(is_exempt("https://example", ".example"));
  EXPECT_TRUE(is_exempt("https://a.example", "*.example"));
  EXPECT_TRUE(is_exempt("https://10.1.2.3", "10.0.0.0/8"));
  EXPECT_FALSE(is_exempt("https://11.1.2.3", "10.0.0.0/8"));
  EXPECT_TRUE(is_exempt("https://10.1.2.3", "10.1.2.3"));
  EXPECT_TRUE(is_exempt("https://[fd00::5]", "fd00::/16"));
  EXPECT_FALSE(is_exempt("https://[fd00::5]", "10.0.0.0/8, fe80::/10"));
  EXPECT_TRUE(is_exempt("https://[fd00::5]", "fd00::5"));
  EXPECT_TRUE(is_exempt("https://api.example:6443", "api.example:6443"));
  EXPECT_FALSE(is_exempt("https://api.example", "api.example:6443"));
  EXPECT_TRUE(is_exempt("https://10.1.2.3:6443", "10.1.2.3:6443"));
  EXPECT_FALSE(is_exempt("https://10.1.2.3", "/8, 10.0.0.0/x, 10.0.0.0/99, :"));
}

TEST(TlsServerName, IsWhatTheCertificateMustBeForAndWhatIsAskedFor) {
  const TestCa ca("ca");
  TestServer server({ca.issue({"x", "DNS:api.example"}), ""});
  server.http().Get("/", [](const httplib::Request& request, httplib::Response& response) {
    const char* name = SSL_get_servername(request.ssl, TLSEXT_NAMETYPE_host_name);
    response.set_content(request.get_header_value("Host") + " " + (name == nullptr ? "" : name),
                         "text/plain");
  });
  server.start();
  TlsOptions tls{ca.pem()};
  EXPECT_FALSE(net_test::client_for(server.url(), tls)->send(kGet, soon()));
  tls.server_name = "api.example";
  const auto response = net_test::client_for(server.url(), tls)->send(kGet, soon());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, server.url().authority() + " api.example");
  tls.server_name = "other.example";
  EXPECT_FALSE(net_test::client_for(server.url(), tls)->send(kGet, soon()));
}

}  // namespace
}  // namespace weir
