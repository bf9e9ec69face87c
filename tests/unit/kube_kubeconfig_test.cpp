#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "kube/cluster_config.h"
#include "unit/kube_test_support.h"

namespace weir {
namespace {

using kube_test::FakeClock;
using kube_test::TempFolder;

constexpr const char* kPem = "-----BEGIN X-----\n";
constexpr const char* kPemBase64 = "LS0tLS1CRUdJTiBYLS0tLS0K";

// A whole kubeconfig around one cluster and one user.
std::string config_with(const std::string& cluster, const std::string& user) {
  return R"(apiVersion: v1
kind: Config
current-context: dev
contexts:
- name: dev
  context: {cluster: c, user: u, namespace: shop}
- name: bare
  context: {cluster: c}
clusters:
- name: c
  cluster: )" +
         cluster + R"(
users:
- name: u
  user: )" +
         user + "\n";
}

class Kubeconfig : public testing::Test {
 protected:
  Result<ClusterConfig> load(const std::string& yaml, const std::string& context = "") {
    return load_kubeconfig(folder.write("config", yaml), context, clock);
  }
  // Loads what must fail, and returns the message.
  std::string fault(const std::string& yaml, const std::string& context = "") {
    const auto config = load(yaml, context);
    EXPECT_FALSE(config) << yaml;
    if (config) return "";
    EXPECT_EQ(config.error().kind, ErrorKind::Invalid) << config.error().message;
    return config.error().message;
  }

  FakeClock clock;
  TempFolder folder;
};

#define EXPECT_NAMES(message, part) \
  EXPECT_NE((message).find(part), std::string::npos) << "message: " << (message)

TEST_F(Kubeconfig, ReadsServerNamespaceAndInlineData) {
  const auto config = load(
      config_with(std::string("{server: 'https://10.0.0.1:6443', certificate-authority-data: ") +
                      kPemBase64 + "}",
                  std::string("{client-certificate-data: ") + kPemBase64 +
                      ", client-key-data: " + kPemBase64 + "}"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->http.server.authority(), "10.0.0.1:6443");
  EXPECT_EQ(config->ns, "shop");
  EXPECT_EQ(config->http.tls.ca_pem, kPem);
  EXPECT_EQ(config->http.tls.client_cert_pem, kPem);
  EXPECT_EQ(config->http.tls.client_key_pem, kPem);
  EXPECT_FALSE(config->http.bearer_token);
}

TEST_F(Kubeconfig, ReadsFilesBesideItAndFilesByAbsolutePath) {
  folder.write("pki/ca.crt", std::string(kPem) + "ca");
  folder.write("me.crt", std::string(kPem) + "cert");
  const auto key = folder.write("me.key", std::string(kPem) + "key");
  const auto config =
      load(config_with("{server: 'https://h', certificate-authority: pki/ca.crt}",
                       "{client-certificate: ./me.crt, client-key: '" + key + "'}"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->http.tls.ca_pem, std::string(kPem) + "ca");
  EXPECT_EQ(config->http.tls.client_cert_pem, std::string(kPem) + "cert");
  EXPECT_EQ(config->http.tls.client_key_pem, std::string(kPem) + "key");
}

TEST_F(Kubeconfig, PrefersInlineDataToAFile) {
  const auto config = load(config_with(
      std::string(
          "{server: 'https://h', certificate-authority: none, certificate-authority-data: ") +
          kPemBase64 + "}",
      "{}"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->http.tls.ca_pem, kPem);
}

TEST_F(Kubeconfig, ReadsPrefixPathIpv6AndSkippedVerification) {
  const auto config = load(
      config_with("{server: 'https://[fd00::1]:6443/k8s/', insecure-skip-tls-verify: true}", "{}"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->http.server.authority(), "[fd00::1]:6443");
  EXPECT_EQ(config->http.server.path, "/k8s");
  EXPECT_TRUE(config->http.tls.insecure_skip_verify);
}

TEST_F(Kubeconfig, ReadsAToken) {
  EXPECT_EQ(load(config_with("{server: 'https://h'}", "{token: abc}"))->http.bearer_token(), "abc");
  EXPECT_EQ(load(config_with("{server: 'https://h'}", "{token: '0123'}"))->http.bearer_token(),
            "0123");
}

TEST_F(Kubeconfig, ReadsATokenFileAgainAfterAMinute) {
  folder.write("token", "one\n");
  const auto config =
      load(config_with("{server: 'https://h'}", "{token: ignored, tokenFile: token}"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->http.bearer_token(), "one");
  folder.write("token", "two");
  EXPECT_EQ(config->http.bearer_token(), "one");
  clock.advance(seconds(61));
  EXPECT_EQ(config->http.bearer_token(), "two");
}

TEST_F(Kubeconfig, TakesTheContextThatIsAskedFor) {
  const auto config = load(config_with("{server: 'https://h'}", "{token: abc}"), "bare");
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->ns, "default");
  EXPECT_FALSE(config->http.bearer_token);
}

TEST_F(Kubeconfig, ReadsJsonToo) {
  const auto config =
      load(R"({"current-context":"a","contexts":[{"name":"a","context":{"cluster":"b"}}],)"
           R"("clusters":[{"name":"b","cluster":{"server":"http://h:8080"}}]})");
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->http.server.port, 8080);
}

TEST_F(Kubeconfig, JoinsAListOfFilesWhereTheFirstWins) {
  const auto one = folder.write("one", R"(current-context: dev
clusters: [{name: c, cluster: {server: 'https://first'}}]
)");
  const auto two = folder.write("sub/two", R"(current-context: other
contexts: [{name: dev, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: 'https://second'}}]
users: [{name: u, user: {tokenFile: token}}]
)");
  folder.write("sub/token", "from sub");
  const auto list = folder.path() + "/none:" + one + "::" + two;
  const auto config = load_kubeconfig(list, "", clock);
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->http.server.host, "first");
  EXPECT_EQ(config->http.bearer_token(), "from sub");
}

TEST_F(Kubeconfig, IsNotFoundWhenNoFileIsThere) {
  for (const auto& list : {folder.path() + "/a:" + folder.path() + "/b", std::string()}) {
    const auto config = load_kubeconfig(list, "", clock);
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().kind, ErrorKind::NotFound);
  }
}

TEST_F(Kubeconfig, RefusesTextThatIsNoKubeconfig) {
  EXPECT_NAMES(fault("a: [b"), "line 1");
  EXPECT_NAMES(fault("just text"), "current-context");
  EXPECT_NAMES(fault(""), "current-context");
  EXPECT_NAMES(fault("[1, 2]"), "current-context");
  EXPECT_NAMES(fault("current-context: [x]"), "current-context: must be text");
  EXPECT_NAMES(fault("current-context: x\ncontexts: {}"), "contexts: must be a list");
  EXPECT_NAMES(fault(std::string(20'000, '[')), "config");
}

TEST_F(Kubeconfig, NamesAMissingEntry) {
  EXPECT_NAMES(fault("contexts: []"), "current-context: is missing");
  EXPECT_NAMES(fault("current-context: x\ncontexts: []"),
               "current-context: there is no \"x\" in contexts");
  EXPECT_NAMES(fault(config_with("{server: 'https://h'}", "{}"), "nope"),
               "there is no \"nope\" in contexts");
  EXPECT_NAMES(fault("current-context: x\ncontexts: [{name: x, context: {}}]"),
               "contexts[0].context.cluster: is missing");
  EXPECT_NAMES(fault("current-context: x\ncontexts: [{name: x, context: {cluster: c}}]"),
               "contexts[0].context.cluster: there is no \"c\" in clusters");
  EXPECT_NAMES(fault("current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
                     "clusters: [{name: c, cluster: {server: 'https://h'}}]"),
               "contexts[0].context.user: there is no \"u\" in users");
}

TEST_F(Kubeconfig, NamesABadFieldOfTheCluster) {
  const auto cluster = [&](const std::string& text) { return fault(config_with(text, "{}")); };
  EXPECT_NAMES(cluster("{}"), "clusters[0].cluster.server: is missing");
  EXPECT_NAMES(cluster("{server: 'localhost:8080'}"), "clusters[0].cluster.server: URL");
  EXPECT_NAMES(cluster("{server: [a]}"), "clusters[0].cluster.server: must be text");
  EXPECT_NAMES(cluster("{server: 'https://h', certificate-authority-data: '%%'}"),
               "certificate-authority-data: is not base64");
  EXPECT_NAMES(cluster("{server: 'https://h', certificate-authority-data: Zm9v}"),
               "certificate-authority-data: holds no PEM");
  EXPECT_NAMES(cluster("{server: 'https://h', certificate-authority: none.crt}"),
               "certificate-authority: no file");
  EXPECT_NAMES(cluster("{server: 'https://h', insecure-skip-tls-verify: perhaps}"),
               "insecure-skip-tls-verify: \"perhaps\"");
  EXPECT_NAMES(cluster(std::string("{server: 'https://h', insecure-skip-tls-verify: true, "
                                   "certificate-authority-data: ") +
                       kPemBase64 + "}"),
               "insecure-skip-tls-verify");
  EXPECT_NAMES(cluster("{server: 'https://h', tls-server-name: [x]}"),
               "tls-server-name: must be text");
  EXPECT_NAMES(cluster("{server: 'https://h', proxy-url: 'https://p'}"),
               "proxy-url: proxies of https are not supported, only of http and socks5");
}

TEST_F(Kubeconfig, NamesABadFieldOfTheUser) {
  const auto user = [&](const std::string& text) {
    return fault(config_with("{server: 'https://h'}", text));
  };
  EXPECT_NAMES(user("{token: 0123}"), "users[0].user.token: must be text");
  EXPECT_NAMES(user("{auth-provider: {name: gcp}}"), "auth-provider: not supported yet");
  EXPECT_NAMES(user("{username: me, password: hunter2}"), "username: not supported yet");
  EXPECT_NAMES(user("{as: admin}"), "users[0].user.as: not supported yet");
  EXPECT_NAMES(user("{tokenFile: none}"), "users[0].user.tokenFile: no token");
  EXPECT_NAMES(user(std::string("{client-certificate-data: ") + kPemBase64 + "}"), "client-key");
  EXPECT_NAMES(user("{client-key-data: '*'}"), "client-key-data: is not base64");
}

TEST_F(Kubeconfig, ReadsTheNameThatTheServersCertificateIsFor) {
  const auto config =
      load(config_with("{server: 'https://10.0.0.1', tls-server-name: api.example}", "{}"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->http.tls.server_name, "api.example");
}

TEST_F(Kubeconfig, TakesTheProxyOfTheClusterElseThatOfTheEnvironment) {
  ::setenv("HTTPS_PROXY", "http://env:3128", 1);
  ::setenv("NO_PROXY", "inside.example", 1);
  const auto proxy_of = [&](const std::string& cluster) {
    const auto config = load(config_with(cluster, "{}"));
    EXPECT_TRUE(config) << to_string(config.error());
    return config && config->http.proxy ? config->http.proxy->url.authority() : "";
  };
  EXPECT_EQ(proxy_of("{server: 'https://h', proxy-url: 'http://own:1'}"), "own:1");
  EXPECT_EQ(proxy_of("{server: 'https://h'}"), "env:3128");
  EXPECT_EQ(proxy_of("{server: 'https://api.inside.example'}"), "");
  ::setenv("HTTPS_PROXY", "ftp://x", 1);
  EXPECT_NAMES(fault(config_with("{server: 'https://h'}", "{}")), "HTTPS_PROXY: proxies of ftp");
  ::unsetenv("HTTPS_PROXY");
  ::unsetenv("NO_PROXY");
}

TEST_F(Kubeconfig, RunsACredentialPluginBesideIt) {
  const auto plugin = folder.write("bin/plugin", R"(#!/bin/sh
echo "{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\",
       \"status\": {\"token\": \"$1-$WHO\"}}"
)");
  std::filesystem::permissions(plugin, std::filesystem::perms::owner_all);
  const auto config = load(config_with("{server: 'https://h'}",
                                       "{exec: {apiVersion: client.authentication.k8s.io/v1, "
                                       "command: ./bin/plugin, args: [token], "
                                       "env: [{name: WHO, value: me}], interactiveMode: Never}}"));
  ASSERT_TRUE(config) << to_string(config.error());
  const auto credential = config->http.credentials->get();
  ASSERT_TRUE(credential) << credential.error().message;
  EXPECT_EQ(credential->token, "token-me");
}

TEST_F(Kubeconfig, NamesABadFieldOfACredentialPlugin) {
  const auto exec = [&](const std::string& text) {
    return fault(config_with("{server: 'https://h'}", "{exec: {" + text + "}}"));
  };
  const std::string version = "apiVersion: client.authentication.k8s.io/v1, ";
  EXPECT_NAMES(exec("command: aws"), "users[0].user.exec.apiVersion: must be client.auth");
  EXPECT_NAMES(exec("command: aws, apiVersion: client.authentication.k8s.io/v1alpha1"),
               "exec.apiVersion: must be");
  EXPECT_NAMES(exec(version + "interactiveMode: Never"), "exec.command: is missing");
  EXPECT_NAMES(exec(version + "command: aws"), "exec.interactiveMode: must be one of");
  EXPECT_NAMES(exec(version + "command: aws, interactiveMode: never"), "interactiveMode");
  EXPECT_NAMES(exec(version + "command: aws, args: x"), "exec.args: must be a list");
  EXPECT_NAMES(exec(version + "command: aws, args: [1]"), "exec.args[0]: must be text");
  EXPECT_NAMES(exec(version + "command: aws, env: [{value: x}]"), "exec.env[0].name: is missing");
  EXPECT_NAMES(exec(version + "command: aws, interactiveMode: Never, provideClusterInfo: maybe"),
               "provideClusterInfo");
  EXPECT_NAMES(fault(config_with("{server: 'https://h'}", "{token: x, exec: {command: aws}}")),
               "users[0].user.exec: must not stand beside a token");
}

TEST_F(Kubeconfig, IgnoresFaultsOfEntriesThatAreNotUsed) {
  const auto config = load(R"(current-context: a
contexts:
- {name: a, context: {cluster: b}}
- {name: z, context: {cluster: nowhere}}
clusters:
- {name: b, cluster: {server: 'https://h'}}
- {name: c, cluster: {server: nonsense}}
users:
- {name: u, user: {exec: {command: aws}}}
- 
)");
  EXPECT_TRUE(config) << to_string(config.error());
}

}  // namespace
}  // namespace weir
