#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/time_format.h"
#include "kube/exec_credentials.h"
#include "kube/plugin_process.h"
#include "unit/kube_test_support.h"
#include "unit/net_test_support.h"

namespace weir {
namespace {

using kube_test::FakeClock;
using kube_test::TempFolder;
using net_test::elapsed_ms;
using net_test::soon;
using net_test::TestCa;
using net_test::TestServer;

constexpr const char* kV1 = "client.authentication.k8s.io/v1";

#define EXPECT_PART(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

PluginRequest shell(const std::string& script) { return {"sh", {"-c", script}}; }

TEST(PluginProcess, GivesWhatTheProgramPrints) {
  EXPECT_EQ(*run_plugin(shell("echo one; echo two >&2; echo three")), "one\nthree\n");
  EXPECT_EQ(*run_plugin(shell("head -c 1000000 /dev/zero | tr '\\0' x")),
            std::string(1'000'000, 'x'));
  EXPECT_EQ(*run_plugin(shell("true")), "");
}

TEST(PluginProcess, HandsOnArgumentsAndEnvironment) {
  ::setenv("WEIR_TEST_OLD", "old", 1);
  ::setenv("WEIR_TEST_KEPT", "kept", 1);
  PluginRequest request{"sh", {"-c", "echo \"$1|$WEIR_TEST_OLD|$WEIR_TEST_KEPT\"", "x", "a b"}};
  request.environment = {{"WEIR_TEST_OLD", "new"}};
  EXPECT_EQ(*run_plugin(request), "a b|new|kept\n");
}

TEST(PluginProcess, ReadsNothingAndIgnoresNoSignal) {
  EXPECT_EQ(*run_plugin(shell("cat; echo end")), "end\n");
  // SIGPIPE is ignored in this process, and must not be in that one: `yes` would write for ever, complaining.
  EXPECT_EQ(*run_plugin(shell("yes | head -n 1")), "y\n");
}

TEST(PluginProcess, TellsHowTheProgramFailed) {
  const auto fault = [](const PluginRequest& request, ErrorKind kind) {
    const auto output = run_plugin(request);
    EXPECT_FALSE(output);
    if (output) return std::string();
    EXPECT_EQ(output.error().kind, kind);
    return output.error().message;
  };
  EXPECT_EQ(fault(shell("echo secret; exit 3"), ErrorKind::Forbidden), "sh failed: exit code 3");
  EXPECT_EQ(fault(shell("kill -9 $$"), ErrorKind::Forbidden), "sh failed: signal 9");
  EXPECT_EQ(fault({"weir-no-such-program"}, ErrorKind::NotFound),
            "no program weir-no-such-program");
  EXPECT_EQ(fault({"/weir/no/such"}, ErrorKind::NotFound), "no program /weir/no/such");
  const TempFolder folder;
  EXPECT_PART(fault({folder.write("no-program", "")}, ErrorKind::Invalid),
              "cannot be started: Permission denied");
  PluginRequest large = shell("yes");
  large.max_output = 1000;
  EXPECT_EQ(fault(large, ErrorKind::Invalid), "sh printed more than 1000 bytes");
}

TEST(PluginProcess, KillsWhatTakesTooLongWithAllItHasStarted) {
  const TempFolder folder;
  const auto alive = folder.path() + "/alive";
  auto request = shell(fmt::format("(sleep 1; touch {}) & sleep 100", alive));
  request.limit = milliseconds(200);
  const double took = elapsed_ms([&] {
    const auto output = run_plugin(request);
    ASSERT_FALSE(output);
    EXPECT_EQ(output.error().kind, ErrorKind::Timeout);
  });
  EXPECT_LT(took, 900);
  std::this_thread::sleep_for(milliseconds(1500));
  EXPECT_FALSE(std::filesystem::exists(alive));
}

TEST(PluginProcess, DoesNotWaitForWhatTheProgramLeavesBehind) {
  const double took =
      elapsed_ms([] { EXPECT_EQ(*run_plugin(shell("sleep 20 & echo done")), "done\n"); });
  EXPECT_LT(took, 10'000);
}

TEST(ExecAnswer, ReadsTokenCertificateAndExpiry) {
  const auto answer = parse_exec_answer(R"({"apiVersion": "client.authentication.k8s.io/v1",
    "kind": "ExecCredential", "status": {"token": "t", "clientCertificateData": "c",
    "clientKeyData": "k", "expirationTimestamp": "2026-11-21T14:42:45+01:00"}})",
                                        kV1);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->credential, (Credential{"t", "c", "k"}));
  EXPECT_EQ(answer->expires, *parse_time("2026-11-21T13:42:45Z"));
}

TEST(ExecAnswer, NeverQuotesWhatItCannotUse) {
  const auto fault = [](const std::string& text) {
    const auto answer = parse_exec_answer(text, kV1);
    EXPECT_FALSE(answer) << text;
    if (answer) return std::string();
    EXPECT_EQ(answer.error().message.find("hunter2"), std::string::npos) << answer.error().message;
    return answer.error().message;
  };
  const auto with = [&](const std::string& status, const std::string& version = kV1) {
    return fault(fmt::format(R"({{"apiVersion":"{}","kind":"ExecCredential","status":{}}})",
                             version, status));
  };
  EXPECT_EQ(fault("hunter2"), "its answer is no JSON");
  EXPECT_EQ(fault("\"hunter2"), "its answer is no JSON");
  EXPECT_EQ(fault("[\"hunter2\"]"), "its answer is no ExecCredential");
  EXPECT_PART(with(R"({"token":"hunter2"})", "client.authentication.k8s.io/v1beta1"),
              "not of version");
  EXPECT_PART(with("{}"), "neither token nor certificate");
  EXPECT_PART(with("null"), "neither token nor certificate");
  EXPECT_PART(with(R"({"token":"t","clientKeyData":"hunter2"})"), "only one of");
  EXPECT_PART(with(R"({"token":"hunter2","expirationTimestamp":"hunter2"})"), "is no time");
}

// A plugin that counts its runs in a file and says "token-N".
class Plugin {
 public:
  explicit Plugin(const std::string& more = "") {
    plugin.api_version = kV1;
    plugin.command = "sh";
    plugin.interactive = InteractiveMode::Never;
    plugin.arguments = {"-c", fmt::format(R"(echo run >> {0}; n=$(wc -l < {0})
echo "{{\"apiVersion\":\"{1}\",\"kind\":\"ExecCredential\","
echo "\"status\":{{\"token\":\"token-$n\"{2}}}}}")",
                                          file(), kV1, more)};
  }

  std::string file() const { return folder.path() + "/runs"; }
  int runs() const {
    std::ifstream in(file());
    int count = 0;
    for (std::string line; std::getline(in, line);) ++count;
    return count;
  }

  TempFolder folder{};
  FakeClock clock{};
  ExecPlugin plugin{};
};

TEST(ExecCredentials, AreKeptUntilTheyExpireOrAreRefused) {
  Plugin forever;
  const auto source = make_exec_credentials(forever.plugin, forever.clock);
  EXPECT_EQ(forever.runs(), 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(source->get()->token, "token-1");
  source->refused({"another"});
  EXPECT_EQ(source->get()->token, "token-1");
  source->refused({"token-1"});
  EXPECT_EQ(source->get()->token, "token-2");
  EXPECT_EQ(forever.runs(), 2);
}

TEST(ExecCredentials, AreAskedForAgainWhenTheyHaveExpired) {
  FakeClock clock;
  Plugin plugin(fmt::format(",\\\"expirationTimestamp\\\":\\\"{}\\\"",
                            format_time(clock.now() + seconds(60))));
  const auto source = make_exec_credentials(plugin.plugin, plugin.clock);
  EXPECT_EQ(source->get()->token, "token-1");
  plugin.clock.advance(seconds(59));
  EXPECT_EQ(source->get()->token, "token-1");
  plugin.clock.advance(seconds(1));
  EXPECT_EQ(source->get()->token, "token-2");
}

TEST(ExecCredentials, TellTheProgramWhatItIsFor) {
  const TempFolder folder;
  const FakeClock clock;
  ExecPlugin plugin;
  plugin.api_version = kV1;
  plugin.command = "sh";
  plugin.interactive = InteractiveMode::Never;
  plugin.arguments = {"-c", fmt::format("echo \"$KUBERNETES_EXEC_INFO\" > {}/info", folder.path())};
  plugin.cluster = Json{{"server", "https://h"}, {"config", {{"audience", "x"}}}};
  EXPECT_FALSE(make_exec_credentials(plugin, clock)->get());
  std::ifstream info(folder.path() + "/info");
  EXPECT_EQ(Json::parse(info), Json::parse(R"({
    "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
    "spec": {"interactive": false,
             "cluster": {"server": "https://h", "config": {"audience": "x"}}}})"));
}

TEST(ExecCredentials, AMissingProgramComesWithTheHintHowToInstallIt) {
  const FakeClock clock;
  ExecPlugin plugin;
  plugin.api_version = kV1;
  plugin.command = "weir-no-such-plugin";
  plugin.install_hint = "Install it from example.com";
  const auto credential = make_exec_credentials(plugin, clock)->get();
  ASSERT_FALSE(credential);
  EXPECT_EQ(credential.error().kind, ErrorKind::Invalid);
  EXPECT_EQ(credential.error().message,
            "credential plugin weir-no-such-plugin: no program weir-no-such-plugin\nInstall it "
            "from example.com");
}

HttpClientOptions options_for(const TestServer& server, const Plugin& plugin) {
  HttpClientOptions options;
  options.server = server.url();
  options.credentials = make_exec_credentials(plugin.plugin, plugin.clock);
  return options;
}

TEST(ExecCredentials, TheProgramRunsAgainAfterA401AndTheCallIsRepeatedOnce) {
  std::string accepted = "Bearer token-2";
  std::atomic<int> asked{0};
  TestServer server;
  server.http().Post("/", [&](const httplib::Request& request, httplib::Response& response) {
    ++asked;
    const bool good = request.get_header_value("Authorization") == accepted;
    response.status = good ? 201 : 401;
    response.set_content(request.body, "text/plain");
  });
  server.start();
  const Plugin plugin;
  const auto client = make_httplib_client(options_for(server, plugin));
  const auto response = (*client)->send({"POST", "/", {}, "body"}, soon());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "body");
  EXPECT_EQ(asked, 2);
  EXPECT_EQ((*client)->send({"POST", "/", {}, ""}, soon())->status, 201);
  EXPECT_EQ(plugin.runs(), 2);
  accepted = "nobody's";
  EXPECT_EQ((*client)->send({"POST", "/", {}, ""}, soon())->status, 401);
  EXPECT_EQ(plugin.runs(), 3);
}

TEST(ExecCredentials, AStreamIsOpenedWithTheNewTokenToo) {
  TestServer server;
  server.http().Get("/", [&](const httplib::Request& request, httplib::Response& response) {
    if (request.get_header_value("Authorization") != "Bearer token-2") response.status = 401;
    response.set_content("line\n", "text/plain");
  });
  server.start();
  const Plugin plugin;
  const auto client = make_httplib_client(options_for(server, plugin));
  std::string seen;
  const auto how = (*client)->stream({"GET", "/"},
                                     [&](std::string_view bytes) {
                                       seen += bytes;
                                       return true;
                                     },
                                     milliseconds(5000), {});
  ASSERT_TRUE(how);
  EXPECT_EQ(seen, "line\n");
}

TEST(ExecCredentials, AFailureOfTheProgramIsTheCallsError) {
  TestServer server;
  server.start();
  Plugin plugin;
  plugin.plugin.arguments = {"-c", "exit 1"};
  const auto client = make_httplib_client(options_for(server, plugin));
  const auto response = (*client)->send({"GET", "/"}, soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::Forbidden);
  EXPECT_EQ(response.error().message, "credential plugin sh: sh failed: exit code 1");
  EXPECT_EQ(server.connections(), 0);
}

TEST(ExecCredentials, ShowTheCertificateThatTheProgramGave) {
  const TestCa ca("ca");
  TestServer server({ca.issue(), ca.pem()});
  server.http().Get("/", [](const httplib::Request& request, httplib::Response& response) {
    X509* certificate = SSL_get_peer_certificate(request.ssl);
    std::array<char, 100> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                              static_cast<int>(name.size()));
    X509_free(certificate);
    response.set_content(name.data(), "text/plain");
  });
  server.start();
  const auto identity = ca.issue({"plugged-in", ""});
  Plugin plugin;
  const Json answer{
      {"apiVersion", kV1},
      {"kind", "ExecCredential"},
      {"status",
       {{"clientCertificateData", identity.cert_pem}, {"clientKeyData", identity.key_pem}}}};
  const auto file = plugin.folder.write("answer", answer.dump());
  plugin.plugin.arguments = {"-c", "cat " + file};
  auto options = options_for(server, plugin);
  options.tls.ca_pem = ca.pem();
  const auto client = make_httplib_client(options);
  const auto response = (*client)->send({"GET", "/"}, soon());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "plugged-in");
}

}  // namespace
}  // namespace weir
