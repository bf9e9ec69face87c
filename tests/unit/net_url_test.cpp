#include <gtest/gtest.h>

#include <array>

#include "net/url.h"

namespace weir {
namespace {

struct Good {
  std::string_view text;
  Url url;
  std::string_view authority;
};

TEST(Url, ReadsWhatWeConnectTo) {
  const std::array<Good, 11> table{{
      {"https://example.org", {true, "example.org", 443, ""}, "example.org"},
      {"http://example.org", {false, "example.org", 80, ""}, "example.org"},
      {"HTTPS://example.org/", {true, "example.org", 443, ""}, "example.org"},
      {"https://10.0.0.1:6443", {true, "10.0.0.1", 6443, ""}, "10.0.0.1:6443"},
      {"https://h:443/k8s/clusters/c-1/", {true, "h", 443, "/k8s/clusters/c-1"}, "h"},
      {"http://h:443", {false, "h", 443, ""}, "h:443"},
      {"https://[fd00::1]:6443", {true, "fd00::1", 6443, ""}, "[fd00::1]:6443"},
      {"https://[::1]", {true, "::1", 443, ""}, "[::1]"},
      {"https://[::ffff:10.0.0.1]:1/p", {true, "::ffff:10.0.0.1", 1, "/p"}, "[::ffff:10.0.0.1]:1"},
      {"http://a_b.c-d.:65535", {false, "a_b.c-d.", 65535, ""}, "a_b.c-d.:65535"},
      {"http://h/a%20b//", {false, "h", 80, "/a%20b"}, "h"},
  }};
  for (const Good& row : table) {
    const auto url = parse_url(row.text);
    ASSERT_TRUE(url) << row.text << " " << to_string(url.error());
    EXPECT_EQ(url->tls, row.url.tls) << row.text;
    EXPECT_EQ(url->host, row.url.host) << row.text;
    EXPECT_EQ(url->port, row.url.port) << row.text;
    EXPECT_EQ(url->path, row.url.path) << row.text;
    EXPECT_EQ(url->authority(), row.authority) << row.text;
  }
}

TEST(Url, RefusesAllElse) {
  for (const char* text : {"",
                           "example.org",
                           "localhost:8080",
                           "ftp://h",
                           "https:/h",
                           "https://",
                           "https://:6443",
                           "https:///path",
                           "https://h:",
                           "https://h:0",
                           "https://h:65536",
                           "https://h:123456",
                           "https://h:12a",
                           "https://h:-1",
                           "https://fd00::1",
                           "https://[fd00::1",
                           "https://[fd00::1]x",
                           "https://[host]",
                           "https://[]",
                           "https://[fe80::1%25eth0]",
                           "https://user:pw@h",
                           "https://h?q=1",
                           "https://h/#f",
                           "https://h o",
                           "https://h/a b",
                           "https://h\r\n",
                           "https://h/\xc3\xa9",
                           "https://h\xc3\xa9"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().kind, ErrorKind::Invalid) << text;
  }
}

TEST(Url, DoesNotShowAPasswordInTheError) {
  EXPECT_EQ(parse_url("https://me:hunter2@h").error().message.find("hunter2"), std::string::npos);
  EXPECT_EQ(parse_url("me:hunter2@h").error().message.find("hunter2"), std::string::npos);
  EXPECT_EQ(parse_url("https://me:hunter2@h?x").error().message.find("hunter2"), std::string::npos);
}

TEST(PercentEncode, KeepsOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode("a b+c/d?e=f&g%"), "a%20b%2Bc%2Fd%3Fe%3Df%26g%25");
  EXPECT_EQ(percent_encode("\xc3\xa9\n"), "%C3%A9%0A");
  EXPECT_EQ(percent_encode(""), "");
}

}  // namespace
}  // namespace weir
