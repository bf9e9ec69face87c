#include <gtest/gtest.h>

#include <cstdlib>

#include "base/base64.h"
#include "kube/cluster_config.h"
#include "kube/token_file.h"
#include "unit/kube_test_support.h"

namespace weir {
namespace {

using kube_test::FakeClock;
using kube_test::TempFolder;

class InCluster : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1", 1);
    ::setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    folder.write("token", "first\n");
    folder.write("ca.crt", "-----BEGIN CERTIFICATE-----");
    folder.write("namespace", "weir-system");
  }
  void TearDown() override {
    ::unsetenv("KUBERNETES_SERVICE_HOST");
    ::unsetenv("KUBERNETES_SERVICE_PORT");
  }
  Result<ClusterConfig> load() { return load_in_cluster_config(clock, folder.path()); }

  FakeClock clock;
  TempFolder folder;
};

TEST_F(InCluster, ReadsServerCaTokenAndNamespace) {
  const auto config = load();
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_TRUE(config->http.server.tls);
  EXPECT_EQ(config->http.server.authority(), "10.96.0.1");
  EXPECT_EQ(config->http.tls.ca_pem, "-----BEGIN CERTIFICATE-----");
  EXPECT_EQ(config->http.bearer_token(), "first");
  EXPECT_EQ(config->ns, "weir-system");
}

TEST_F(InCluster, PutsAnIpv6HostInBrackets) {
  ::setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
  ::setenv("KUBERNETES_SERVICE_PORT", "6443", 1);
  EXPECT_EQ(load()->http.server.authority(), "[fd00::1]:6443");
}

TEST_F(InCluster, ReadsTheTokenAgainAfterAMinute) {
  const auto config = load();
  folder.write("token", "second");
  clock.advance(seconds(59));
  EXPECT_EQ(config->http.bearer_token(), "first");
  clock.advance(seconds(1));
  EXPECT_EQ(config->http.bearer_token(), "second");
}

TEST_F(InCluster, KeepsTheLastTokenWhileTheFileIsAwayOrEmpty) {
  const auto config = load();
  folder.remove("token");
  clock.advance(seconds(120));
  EXPECT_EQ(config->http.bearer_token(), "first");
  folder.write("token", " \n");
  EXPECT_EQ(config->http.bearer_token(), "first");
  folder.write("token", "third");
  EXPECT_EQ(config->http.bearer_token(), "third");
}

TEST_F(InCluster, IsNotFoundOutsideAPod) {
  ::unsetenv("KUBERNETES_SERVICE_HOST");
  EXPECT_EQ(load().error().kind, ErrorKind::NotFound);
}

TEST_F(InCluster, IsNotFoundWithoutTokenOrCa) {
  folder.remove("token");
  EXPECT_EQ(load().error().kind, ErrorKind::NotFound);
  folder.write("token", "x");
  folder.remove("ca.crt");
  const auto config = load();
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().kind, ErrorKind::NotFound);
  EXPECT_NE(config.error().message.find("ca.crt"), std::string::npos);
}

TEST_F(InCluster, FallsBackToTheDefaultNamespace) {
  folder.remove("namespace");
  EXPECT_EQ(load()->ns, "default");
}

TEST(TokenFile, UsesTheFallbackUntilTheFileCanBeRead) {
  const FakeClock clock;
  const TempFolder folder;
  TokenFile file(folder.path() + "/token", "fallback", clock);
  EXPECT_EQ(file.token(), "fallback");
  folder.write("token", "real");
  EXPECT_EQ(file.token(), "real");
}

TEST(ReadTextFile, NamesWhatIsWrong) {
  const TempFolder folder;
  EXPECT_EQ(read_text_file(folder.path() + "/none", 10).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(read_text_file(folder.path(), 10).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(*read_text_file(folder.write("exact", "0123456789"), 10), "0123456789");
  EXPECT_EQ(read_text_file(folder.write("large", "0123456789x"), 10).error().kind,
            ErrorKind::Invalid);
  EXPECT_EQ(*read_text_file(folder.write("empty", ""), 10), "");
}

TEST(Base64, DecodesWhatKubernetesWrites) {
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_EQ(decode_base64("Zg=="), "f");
  EXPECT_EQ(decode_base64("Zm8="), "fo");
  EXPECT_EQ(decode_base64("Zm9v"), "foo");
  EXPECT_EQ(decode_base64("Zm9v\nYmFy\r\n"), "foobar");
  EXPECT_EQ(decode_base64("+/8="), "\xfb\xff");
  EXPECT_EQ(decode_base64("AAAA"), std::string(3, '\0'));
}

TEST(Base64, DecodesWhatItEncodes) {
  EXPECT_EQ(encode_base64(""), "");
  EXPECT_EQ(encode_base64("f"), "Zg==");
  EXPECT_EQ(encode_base64("fo"), "Zm8=");
  EXPECT_EQ(encode_base64("foo"), "Zm9v");
  EXPECT_EQ(encode_base64("\xfb\xff"), "+/8=");
  std::string all;
  for (int c = 0; c < 256; ++c)
    EXPECT_EQ(decode_base64(encode_base64(all += static_cast<char>(c))), all);
}

TEST(Base64, RefusesAllElse) {
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zg===", "Zg==Zg==", "Z=g=", "=", "====", "Zm9v-_==", "Zm 9v"})
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
}

}  // namespace
}  // namespace weir
