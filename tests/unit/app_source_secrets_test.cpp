#include <gtest/gtest.h>

#include "app/source_secrets.h"
#include "base/base64.h"
#include "kube/kinds.h"
#include "kube_test_support.h"
#include "runtime_fakes.h"

namespace weir {
namespace {

const ObjectKey kKey{"shop", "prometheus-auth"};

Json secret(const std::map<std::string, std::string>& values) {
  Json data = Json::object();
  for (const auto& [key, value] : values) data[key] = encode_base64(value);
  return Json{{"metadata", {{"name", "prometheus-auth"}}}, {"data", data}};
}

TEST(SourceAccess, ATokenIsABearers) {
  const auto access = read_access(secret({{"token", "abc\n"}}));
  ASSERT_TRUE(access);
  EXPECT_EQ(access->authorization, "Bearer abc");
  EXPECT_EQ(access->ca_pem, "");
}

TEST(SourceAccess, AUserAndAPasswordAreBasic) {
  const auto access = read_access(secret({{"username", "weir"}, {"password", "se:cret"}}));
  ASSERT_TRUE(access);
  EXPECT_EQ(access->authorization, "Basic " + encode_base64("weir:se:cret"));
}

TEST(SourceAccess, AnAuthorityAloneIsEnough) {
  const auto access = read_access(secret({{"ca.crt", "-----BEGIN\nx\n"}}));
  ASSERT_TRUE(access);
  EXPECT_EQ(access->authorization, "");
  EXPECT_EQ(access->ca_pem, "-----BEGIN\nx");
}

TEST(SourceAccess, WhatCannotBeUsedIsRefusedWithoutItsValue) {
  const auto message = [](const Json& object) {
    const auto access = read_access(object);
    return access ? "" : access.error().message;
  };
  EXPECT_EQ(message(secret({})), "data: has none of token, username and ca.crt");
  EXPECT_EQ(message(secret({{"other", "x"}})), "data: has none of token, username and ca.crt");
  EXPECT_EQ(message(secret({{"username", "weir"}})),
            "data: must have token, or username and password, or only ca.crt");
  EXPECT_EQ(message(secret({{"token", "t"}, {"username", "u"}, {"password", "p"}})),
            "data: must have token, or username and password, or only ca.crt");
  EXPECT_EQ(message(secret({{"token", "a\r\nX-Evil: 1"}})), "data.token: must be one line");
  EXPECT_EQ(message(Json{{"data", {{"token", "%%%"}}}}), "data.token: is not base64");
  EXPECT_EQ(message(Json{{"data", {{"token", 7}}}}), "data.token: is not base64");
}

class SourceSecretsTest : public testing::Test {
 protected:
  runtime_test::FakeApi api_;
  kube_test::FakeClock clock_;
  SourceSecrets secrets_{api_, clock_};
};

TEST_F(SourceSecretsTest, IsGotByItsNameAndKeptForAMinute) {
  api_.exists(kinds::kSecret, secret({{"token", "one"}}));
  EXPECT_EQ(secrets_.read(kKey)->authorization, "Bearer one");
  api_.exists(kinds::kSecret, secret({{"token", "two"}}));
  EXPECT_EQ(secrets_.read(kKey)->authorization, "Bearer one");
  clock_.advance(seconds(61));
  EXPECT_EQ(secrets_.read(kKey)->authorization, "Bearer two");
  ASSERT_EQ(api_.calls().size(), 2U);
  EXPECT_EQ(api_.calls().at(0).what, "get Secret");
  EXPECT_EQ(api_.calls().at(0).key, kKey);
}

TEST_F(SourceSecretsTest, WithoutARoleItSaysHowToGrantItAndAsksAgainSoon) {
  api_.will_fail("get Secret", {ErrorKind::Forbidden, "secrets is forbidden"});
  const auto refused = secrets_.read(kKey);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Forbidden);
  EXPECT_EQ(refused.error().message,
            "Secret shop/prometheus-auth: Weir may not read it; `kubectl weir lint --rbac` prints "
            "the Role that grants it");
  api_.exists(kinds::kSecret, secret({{"token", "one"}}));
  EXPECT_FALSE(secrets_.read(kKey));
  clock_.advance(seconds(16));
  EXPECT_TRUE(secrets_.read(kKey));
}

}  // namespace
}  // namespace weir
