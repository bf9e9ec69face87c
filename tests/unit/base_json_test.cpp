#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace weir {
namespace {

std::string repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(ParseJson, RefusesBadTextWithItsPosition) {
  for (const char* text :
       {"", "{", "{\"a\":}", "[1,]", "nul", "{} x", "'a'", "\"\xff\"", "1e999"}) {
    const auto json = parse_json(text);
    ASSERT_FALSE(json) << text;
    EXPECT_EQ(json.error().kind, ErrorKind::Parse);
  }
  EXPECT_NE(parse_json("{\"a\":}").error().message.find("column 6"), std::string::npos);
}

TEST(ParseJson, LimitsTheDepth) {
  EXPECT_TRUE(parse_json(repeat("[", kJsonMaxDepth) + repeat("]", kJsonMaxDepth)));
  for (const char* open : {"[", "{\"a\":"}) {
    const auto json = parse_json(repeat(open, 1'000'000));
    ASSERT_FALSE(json);
    EXPECT_EQ(json.error().kind, ErrorKind::Parse);
    EXPECT_NE(json.error().message.find("100 levels"), std::string::npos);
  }
}

TEST(ParseJson, CountsNoBracketsInsideStrings) {
  EXPECT_TRUE(parse_json("\"" + repeat("[", 1000) + "\""));
  EXPECT_TRUE(parse_json(R"({"a":"\"[[[\\","b":"{"})"));
  EXPECT_FALSE(parse_json(R"(["\\",)" + repeat("[", 1000)));
}

TEST(ParseJson, CountsDepthAndNotBrackets) {
  EXPECT_TRUE(parse_json("[" + repeat("[],", 1000) + "[]]"));
}

TEST(DumpJson, IsCompactAndSorted) {
  EXPECT_EQ(dump_json(*parse_json("{ \"b\" : [ 1 , 2 ], \"a\" : null }")),
            R"({"a":null,"b":[1,2]})");
}

TEST(DumpJson, ReplacesInvalidUtf8) {
  EXPECT_EQ(dump_json(Json("a\xff\xc3")), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(JsonAt, FollowsKeysAndIsNullBesideThePath) {
  const auto json = *parse_json(R"({"a":{"b":{"c":1}},"list":[1],"null":null})");
  EXPECT_EQ(json_at(json, {"a", "b", "c"}), 1);
  EXPECT_EQ(json_at(json, {}), json);
  EXPECT_TRUE(json_at(json, {"a", "x", "c"}).is_null());
  EXPECT_TRUE(json_at(json, {"a", "b", "c", "d"}).is_null());
  EXPECT_TRUE(json_at(json, {"list", "0"}).is_null());
  EXPECT_TRUE(json_at(json, {"null", "x"}).is_null());
  EXPECT_TRUE(json_at(Json("text"), {"x"}).is_null());
}

TEST(JsonText, FallsBackUnlessItIsText) {
  const auto json = *parse_json(R"({"a":"x","b":1,"c":null,"d":""})");
  EXPECT_EQ(json_text(json, {"a"}, "f"), "x");
  EXPECT_EQ(json_text(json, {"b"}, "f"), "f");
  EXPECT_EQ(json_text(json, {"c"}, "f"), "f");
  EXPECT_EQ(json_text(json, {"d"}, "f"), "");
  EXPECT_EQ(json_text(json, {"none"}, "f"), "f");
}

TEST(JsonInt, FallsBackUnlessItIsAnIntegerThatFits) {
  const auto json = *parse_json(R"({"a":5,"b":-5,"c":5.0,"d":"5","e":18446744073709551615,)"
                                R"("f":9223372036854775807,"g":true})");
  EXPECT_EQ(json_int(json, {"a"}), 5);
  EXPECT_EQ(json_int(json, {"b"}), -5);
  EXPECT_EQ(json_int(json, {"c"}, 7), 7);
  EXPECT_EQ(json_int(json, {"d"}, 7), 7);
  EXPECT_EQ(json_int(json, {"e"}, 7), 7);
  EXPECT_EQ(json_int(json, {"f"}, 7), 9'223'372'036'854'775'807);
  EXPECT_EQ(json_int(json, {"g"}, 7), 7);
}

}  // namespace
}  // namespace weir
