// ApiClient and HttpClient together against a real server: what only shows between the two.
#include <gtest/gtest.h>

#include "kube/http_api_client.h"
#include "kube/kinds.h"
#include "unit/net_test_support.h"

namespace weir {
namespace {

using net_test::soon;
using net_test::TestServer;

constexpr const char* kServices = "/api/v1/namespaces/shop/services";

struct Stack {
  explicit Stack(const TestServer& server)
      : http(net_test::client_for(server.url())),
        api(make_http_api_client(*http, clock, random, {})) {}

  SystemClock clock;
  SeededRandom random{1};
  std::unique_ptr<HttpClient> http;
  std::unique_ptr<ApiClient> api;
};

TEST(KubeOverHttp, WatchesUntilToldToStop) {
  TestServer server;
  server.serve_stream(kServices, {R"({"type":"ADDED"})", R"({"type":"BOOKMARK"})"}, false);
  server.start();
  const Stack stack(server);
  std::stop_source stop;
  std::vector<std::string> lines;
  const auto how = stack.api->watch(
      {kinds::kService, {"shop", ""}, "1"},
      [&](std::string_view line) {
        lines.emplace_back(line);
        if (lines.size() == 2) stop.request_stop();
        return true;
      },
      stop.get_token());
  EXPECT_EQ(how.error().kind, ErrorKind::Shutdown);
  EXPECT_EQ(lines, (std::vector<std::string>{R"({"type":"ADDED"})", R"({"type":"BOOKMARK"})"}));
}

TEST(KubeOverHttp, AWatchThatTheServerEndsIsASuccess) {
  TestServer server;
  server.serve_stream(kServices, {R"({"type":"ADDED"})"}, true);
  server.start();
  int lines = 0;
  const auto how = Stack(server).api->watch({kinds::kService, {"shop", ""}, "1"},
                                            [&](std::string_view) { return ++lines > 0; }, {});
  EXPECT_TRUE(how) << to_string(how.error());
  EXPECT_EQ(lines, 1);
}

TEST(KubeOverHttp, AWatchFromAnOldVersionIsGone) {
  TestServer server;
  server.http().Get(kServices, [](const httplib::Request&, httplib::Response& response) {
    response.status = 410;
    response.set_content(R"({"kind":"Status","reason":"Expired","code":410})", "application/json");
  });
  server.start();
  const auto how = Stack(server).api->watch({kinds::kService, {"shop", ""}, "1"},
                                            [](std::string_view) { return true; }, {});
  EXPECT_EQ(how.error().kind, ErrorKind::Gone);
}

TEST(KubeOverHttp, ASelectorArrivesAsItWasMeant) {
  TestServer server;
  server.http().Get(kServices, [](const httplib::Request& request, httplib::Response& response) {
    const auto selector = request.get_param_value("labelSelector");
    response.set_content(R"({"metadata":{"resourceVersion":")" + selector + R"("},"items":[]})",
                         "application/json");
  });
  server.start();
  const std::string selector = "app in (a,b),v!=1+1";
  const auto page = Stack(server).api->list(kinds::kService, {"shop", selector}, "", soon());
  ASSERT_TRUE(page) << to_string(page.error());
  EXPECT_EQ(page->resource_version, selector);
}

TEST(KubeOverHttp, AReadSurvivesAServerThatIsBrieflyAway) {
  TestServer server;
  std::atomic<int> asked{0};
  server.http().Get(std::string(kServices) + "/web",
                    [&](const httplib::Request&, httplib::Response& response) {
                      if (++asked < 3) response.status = 500;
                      response.set_content("{}", "application/json");
                    });
  server.start();
  EXPECT_TRUE(Stack(server).api->get(kinds::kService, {"shop", "web"}, soon()));
  EXPECT_EQ(asked, 3);
}

}  // namespace
}  // namespace weir
