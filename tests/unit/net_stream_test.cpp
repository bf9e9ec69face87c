#include <gtest/gtest.h>

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
constexpr milliseconds kLong{60'000};

const HttpClient::OnBytes kIgnore = [](std::string_view) { return true; };
const HttpRequest kWatch{"GET", "/watch"};

// Streams in a thread of its own, so that a test can stop it.
struct Background {
  explicit Background(HttpClient& client) {
    thread = std::jthread([this, &client](const std::stop_token& stop) {
      const auto on_bytes = [this](std::string_view bytes) {
        received += static_cast<int>(bytes.size());
        return true;
      };
      const auto result = client.stream(kWatch, on_bytes, kLong, stop);
      kind = result ? ErrorKind::Internal : result.error().kind;
    });
  }
  double stop() {
    return elapsed_ms([this] {
      thread.request_stop();
      thread.join();
    });
  }

  std::atomic<int> received{0};
  ErrorKind kind = ErrorKind::Internal;
  std::jthread thread;
};

void wait_for(const std::function<bool()>& what) {
  const auto deadline = soon();
  while (!what() && deadline.left(SystemClock()) > milliseconds(0))
    std::this_thread::sleep_for(milliseconds(1));
}

TEST(HttplibStream, DeliversAllBytesUntilTheServerEnds) {
  TestServer server;
  server.serve_stream("/watch", {"one", "two", std::string(20'000, 'x')}, true);
  server.start();
  std::string seen;
  const auto response = client_for(server.url())
                            ->stream(kWatch,
                                     [&](std::string_view bytes) {
                                       seen += bytes;
                                       return true;
                                     },
                                     kLong, {});
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(seen, "one\ntwo\n" + std::string(20'000, 'x') + "\n");
  EXPECT_EQ(response->body, "");
}

TEST(HttplibStream, EndsWhenTheReceiverSaysSo) {
  TestServer server;
  server.serve_stream("/watch", {"one"}, false);
  server.start();
  int calls = 0;
  const auto response = client_for(server.url())
                            ->stream(kWatch,
                                     [&](std::string_view) {
                                       ++calls;
                                       return false;
                                     },
                                     kLong, {});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(calls, 1);
}

TEST(HttplibStream, ACutInsideAChunkIsAnEndLikeAnyOther) {
  RawServer server([](int socket, const std::stop_token&) {
    net_test::read_head(socket);
    net_test::write_all(socket,
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly this");
  });
  const auto response = client_for(server.url())->stream(kWatch, kIgnore, kLong, {});
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->status, 200);
}

TEST(HttplibStream, EndsAfterTheIdleLimit) {
  TestServer server;
  server.serve_stream("/watch", {"one"}, false);
  server.start();
  const auto client = client_for(server.url());
  const double took = elapsed_ms([&] {
    const auto response = client->stream(kWatch, kIgnore, milliseconds(150), {});
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
  });
  EXPECT_GE(took, 100);
  EXPECT_LT(took, kGenerous);
}

TEST(HttplibStream, KeepsTheBodyOfAnErrorFromTheReceiver) {
  TestServer server;
  server.http().Get("/watch", [](const httplib::Request&, httplib::Response& response) {
    response.status = 410;
    response.set_content("gone", "text/plain");
  });
  server.start();
  int calls = 0;
  const auto response = client_for(server.url())
                            ->stream(kWatch,
                                     [&](std::string_view) {
                                       ++calls;
                                       return true;
                                     },
                                     kLong, {});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 410);
  EXPECT_EQ(response->body, "gone");
  EXPECT_EQ(calls, 0);
}

TEST(HttplibStream, ARefusedConnectionIsUnavailable) {
  Url url;
  {
    TestServer server;
    server.start();
    url = server.url();
  }
  const auto response = client_for(url)->stream(kWatch, kIgnore, kLong, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Unavailable);
}

TEST(HttplibStream, AServerThatNeverAnswersMeansTimeout) {
  RawServer server([](int, const std::stop_token& stop) { net_test::stay_silent(stop); });
  const auto response = client_for(server.url())->stream(kWatch, kIgnore, milliseconds(100), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Timeout);
}

TEST(HttplibStream, StopEndsASilentStream) {
  TestServer server;
  server.serve_stream("/watch", {"one"}, false);
  server.start();
  const auto client = client_for(server.url());
  Background stream(*client);
  wait_for([&] { return stream.received > 0; });
  EXPECT_LT(stream.stop(), kGenerous);
  EXPECT_EQ(stream.kind, ErrorKind::Shutdown);
}

TEST(HttplibStream, StopEndsASilentStreamOverTls) {
  const net_test::TestCa ca("ca");
  TestServer server({ca.issue(), ""});
  server.serve_stream("/watch", {"one"}, false);
  server.start();
  const auto client = client_for(server.url(), {ca.pem()});
  Background stream(*client);
  wait_for([&] { return stream.received > 0; });
  EXPECT_LT(stream.stop(), kGenerous);
  EXPECT_EQ(stream.kind, ErrorKind::Shutdown);
}

TEST(HttplibStream, StopEndsTheWaitForTheAnswer) {
  RawServer server([](int, const std::stop_token& stop) { net_test::stay_silent(stop); });
  const auto client = client_for(server.url());
  Background stream(*client);
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_LT(stream.stop(), kGenerous);
  EXPECT_EQ(stream.kind, ErrorKind::Shutdown);
}

TEST(HttplibStream, StopEndsConnectingLongBeforeItsTimeout) {
  const BlackHole hole;
  const auto client = client_for(hole.url());
  Background stream(*client);
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_LT(stream.stop(), 2000);  // the connect timeout is 3000
  EXPECT_EQ(stream.kind, ErrorKind::Shutdown);
}

TEST(HttplibStream, StopRequestedBeforehandOpensNoConnection) {
  TestServer server;
  server.start();
  std::stop_source stop;
  stop.request_stop();
  const auto response = client_for(server.url())->stream(kWatch, kIgnore, kLong, stop.get_token());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Shutdown);
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttplibStream, ManyStreamsStopTogether) {
  TestServer server;
  server.serve_stream("/watch", {"one"}, false);
  server.start();
  const auto client = client_for(server.url());
  std::vector<std::unique_ptr<Background>> streams;
  for (int i = 0; i < 16; ++i) streams.push_back(std::make_unique<Background>(*client));
  for (auto& each : streams) wait_for([&] { return each->received > 0; });
  EXPECT_EQ(server.connections(), 16);
  for (auto& each : streams) each->thread.request_stop();
  for (auto& each : streams) {
    EXPECT_LT(each->stop(), kGenerous);
    EXPECT_EQ(each->kind, ErrorKind::Shutdown);
  }
}

TEST(HttplibStream, NeverSharesAConnectionWithSend) {
  TestServer server;
  server.serve_stream("/watch", {"one"}, false);
  server.http().Get("/", [](const httplib::Request&, httplib::Response&) {});
  server.start();
  const auto client = client_for(server.url());
  ASSERT_TRUE(client->send({"GET", "/"}, soon()));  // now idle in the pool
  Background stream(*client);
  wait_for([&] { return stream.received > 0; });
  EXPECT_EQ(server.connections(), 2);
  ASSERT_TRUE(client->send({"GET", "/"}, soon()));  // not kept waiting by the stream
  EXPECT_EQ(server.connections(), 2);
  stream.stop();
  ASSERT_TRUE(client->send({"GET", "/"}, soon()));
  EXPECT_EQ(server.connections(), 2);
}

}  // namespace
}  // namespace weir
