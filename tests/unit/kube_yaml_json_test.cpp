#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kube/yaml_json.h"

namespace weir {
namespace {

Json json(const std::string& yaml) {
  const auto documents = parse_yaml(yaml);
  EXPECT_TRUE(documents) << yaml << "\n" << documents.error().message;
  return documents && documents->size() == 1 ? documents->front().json : Json("not one document");
}

std::string fault(const std::string& yaml) {
  const auto documents = parse_yaml(yaml);
  if (documents) return "";
  EXPECT_EQ(documents.error().kind, ErrorKind::Parse);
  return documents.error().message;
}

#define EXPECT_PART(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(YamlJson, ReadsPlainScalarsByTheRulesOf12) {
  const std::map<std::string, std::string> cases{
      {"null", "null"},
      {"~", "null"},
      {"Null", "null"},
      {"true", "true"},
      {"FALSE", "false"},
      {"yes", "\"yes\""},
      {"on", "\"on\""},
      {"y", "\"y\""},
      {"17", "17"},
      {"-17", "-17"},
      {"+17", "17"},
      {"017", "17"},
      {"0o17", "15"},
      {"0x1F", "31"},
      {"0b11", "\"0b11\""},
      {"1_000", "\"1_000\""},
      {"1.5", "1.5"},
      {".5", "0.5"},
      {"1e3", "1000.0"},
      {"1.", "1.0"},
      {"1e", "\"1e\""},
      {".", "\".\""},
      {"-", "[null]"},
      {"12:30", "\"12:30\""},
      {"2026-11-21", "\"2026-11-21\""},
      {"1.2.3", "\"1.2.3\""},
      {"9223372036854775807", "9223372036854775807"},
      {"18446744073709551615", "18446744073709551615"},
      {"-9223372036854775807", "-9223372036854775807"},
      {"100000000000000000000", "1e+20"},
      {"30s", "\"30s\""},
      {"5%", "\"5%\""},
  };
  for (const auto& [yaml, expected] : cases) EXPECT_EQ(dump_json(json(yaml)), expected) << yaml;
}

TEST(YamlJson, KeepsWhatIsQuotedAsText) {
  EXPECT_EQ(json(R"(["true", '017', "1e3", 'null', "", '~'])"),
            Json::parse(R"(["true", "017", "1e3", "null", "", "~"])"));
  EXPECT_EQ(json("a: |\n  one\n  two\nb: >-\n  three\n  four\n"),
            Json::parse(R"({"a": "one\ntwo\n", "b": "three four"})"));
}

TEST(YamlJson, FollowsTags) {
  EXPECT_EQ(json("[!!str 17, !!int \"17\", !!float 1, !!bool true, !!null '']"),
            Json::parse(R"(["17", 17, 1, true, null])"));
  EXPECT_EQ(json("!!map {a: !!seq [1]}"), Json::parse(R"({"a": [1]})"));
  EXPECT_PART(fault("a: !!int one"), "line 1: \"one\" is no int");
  EXPECT_PART(fault("a: !!binary aGk="), "binary is unknown");
  EXPECT_PART(fault("a: !mine 1"), "!mine is unknown");
  EXPECT_PART(fault("a: !mine {b: 1}"), "!mine is unknown");
}

TEST(YamlJson, ReadsJson) {
  const auto text = R"({"a": [1, 2.5, {"b": null}], "c": "é\n", "d": true})";
  EXPECT_EQ(json(text), Json::parse(text));
}

TEST(YamlJson, ReadsManyDocuments) {
  const auto documents = parse_yaml("# first\na: 1\n---\n---\n# third\n- 2\n...\n---\nlast\n");
  ASSERT_TRUE(documents);
  ASSERT_EQ(documents->size(), 4U);
  EXPECT_EQ((*documents)[0].json, Json::parse(R"({"a": 1})"));
  EXPECT_EQ((*documents)[0].line, 2);
  EXPECT_TRUE((*documents)[1].json.is_null());
  EXPECT_EQ((*documents)[2].json, Json::parse("[2]"));
  EXPECT_EQ((*documents)[2].line, 6);
  EXPECT_EQ((*documents)[3].json, "last");
  EXPECT_TRUE(parse_yaml("")->empty());
}

TEST(YamlJson, ReadsOneDocumentWhereOneIsMeant) {
  EXPECT_EQ(*parse_single_yaml("---\na: 1\n"), Json::parse(R"({"a": 1})"));
  EXPECT_TRUE(parse_single_yaml("")->is_null());
  const auto two = parse_single_yaml("a: 1\n---\n# more\nb: 2\n");
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().kind, ErrorKind::Parse);
  EXPECT_EQ(two.error().message, "line 4: a second document");
}

TEST(YamlJson, KnowsWhereEachFieldStands) {
  const auto documents = parse_yaml(
      "kind: Release\n"
      "spec:\n"
      "  steps:\n"
      "  - weight: 5\n"
      "    hold: 30s\n"
      "  - {weight: 100,\n"
      "     hold: 0s}\n"
      "  note: |\n"
      "    long\n"
      "    text\n"
      "  empty:\n"
      "  last: 1\n");
  ASSERT_TRUE(documents);
  const auto& document = documents->front();
  EXPECT_EQ(document.line_of("kind"), 1);
  EXPECT_EQ(document.line_of("spec.steps"), 3);
  EXPECT_EQ(document.line_of("spec.steps[0]"), 4);
  EXPECT_EQ(document.line_of("spec.steps[0].hold"), 5);
  EXPECT_EQ(document.line_of("spec.steps[1].weight"), 6);
  EXPECT_EQ(document.line_of("spec.steps[1].hold"), 7);
  EXPECT_EQ(document.line_of("spec.note"), 8);
  EXPECT_EQ(document.line_of("spec.empty"), 11);
  EXPECT_EQ(document.line_of("spec.last"), 12);
  EXPECT_EQ(document.line_of("spec.steps[0].nothing.there[3]"), 4);
  EXPECT_EQ(document.line_of("spec.missing"), 2);
  EXPECT_EQ(document.line_of("nothing"), 1);
}

TEST(YamlJson, RefusesAKeyThatStandsTwice) {
  EXPECT_EQ(fault("a: 1\nb: 2\na: 3\n"),
            "line 3: the key \"a\" stands here a second time; the first is in line 1");
  EXPECT_PART(fault("x: {a: 1, \"a\": 2}"), "line 1: the key \"a\"");
  EXPECT_EQ(json("x: {a: 1}\ny: {a: 2}").size(), 2U);
}

TEST(YamlJson, RefusesKeysThatAreNoText) {
  EXPECT_PART(fault("? [a]\n: 1"), "line 1: a key must be text");
  EXPECT_PART(fault("a: &k x\nb:\n  *k : 1"), "line 3: a key must be text");
  EXPECT_EQ(json("1: a\ntrue: b"), Json::parse(R"({"1": "a", "true": "b"})"));
}

TEST(YamlJson, RefusesNumbersThatJsonCannotHold) {
  for (const auto* text : {".inf", "-.INF", ".nan", "1e999", "0xffffffffffffffffff"})
    EXPECT_PART(fault("a: " + std::string(text)), "line 1: ") << text;
}

TEST(YamlJson, NamesTheLineOfASyntaxError) {
  EXPECT_PART(fault("a: 1\nb: [1, 2\nc: 3\n"), "line 3: ");
  EXPECT_PART(fault("a: 1\n\tb: 2\n"), "line 2: ");
  EXPECT_PART(fault("a: *nobody\n"), "line 1: ");
  EXPECT_PART(fault("%YAML 3.0\n---\na\n"), "line 1: ");
}

TEST(YamlJson, KeepsTheDocumentsBeforeAFault) {
  std::vector<YamlDocument> documents;
  const auto fault = read_yaml("a: 1\n---\nb: 2\n---\nc: 3\nc: 4\n---\nd: 5\n", documents);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->line, 6);
  EXPECT_EQ(documents.size(), 2U);
}

TEST(YamlJson, FillsInAliasesAndMerges) {
  EXPECT_EQ(
      json("a: &x {k: [1]}\nb: *x\nc: &y 5\nd: *y\ne: &z\nf: *z\n"),
      Json::parse(R"({"a": {"k": [1]}, "b": {"k": [1]}, "c": 5, "d": 5, "e": null, "f": null})"));
  EXPECT_EQ(json("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\n"
                 "one: {<<: *b, y: 9}\ntwo:\n  <<: [*b, *m]\n  w: 5\n"),
            Json::parse(R"({"base": {"x": 1, "y": 2}, "more": {"y": 3, "z": 4},
                            "one": {"x": 1, "y": 9}, "two": {"x": 1, "y": 2, "z": 4, "w": 5}})"));
  EXPECT_EQ(json("'<<': 1"), Json::parse(R"({"<<": 1})"));
  EXPECT_PART(fault("a:\n  <<: 5"), "line 2: << needs a map");
  EXPECT_PART(fault("a: &a [1, *a]"), "inside of what it stands for");
}

TEST(YamlJson, BoundsAliasesThatExplode) {
  std::string laughs = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n";
  for (int i = 1; i < 10; ++i)
    laughs +=
        fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  EXPECT_PART(fault(laughs), "more than 100000 values");
  std::string merges = "a0: &a0 {";
  for (int i = 0; i < 400; ++i) merges += fmt::format("k{}: 1, ", i);
  merges += "}\n";
  for (int i = 1; i < 400; ++i) merges += fmt::format("a{0}: &a{0} {{<<: *a{1}}}\n", i, i - 1);
  EXPECT_PART(fault(merges), "more than 100000 values");
}

TEST(YamlJson, BoundsDepthAlsoThroughAliases) {
  EXPECT_PART(fault(std::string(101, '[') + std::string(101, ']')), "nested deeper than 100");
  EXPECT_EQ(fault(std::string(100, '[') + std::string(100, ']')), "");
  EXPECT_NE(fault(std::string(50'000, '[')), "");
  const auto nest = [](const std::string& inside) {
    return std::string(40, '[') + inside + std::string(40, ']');
  };
  const auto two = "a: &a " + nest("1") + "\nb: &b " + nest("*a") + "\n";
  EXPECT_EQ(fault(two), "");
  EXPECT_PART(fault(two + "c: " + nest("*b") + "\n"), "line 3: nested deeper than 100");
  EXPECT_PART(fault(std::string(kMaxYamlBytes + 1, ' ')), "bytes");
}

TEST(YamlJson, NotesWhatKubectlReadsOtherwise) {
  const auto documents =
      parse_yaml("a: yes\nb: [off, 017, \"no\", on time, 0, 10, 1_000]\nc: {d: 0b1, yes: 1}\n");
  ASSERT_TRUE(documents);
  EXPECT_EQ(documents->front().doubts,
            (std::vector<std::string>{"a", "b[0]", "b[1]", "b[6]", "c.d", "c.yes"}));
}

TEST(YamlJson, WritesBlocks) {
  const auto object = Json::parse(R"({
    "apiVersion": "weir.dev/v1alpha1", "empty": {}, "none": [], "null": null,
    "spec": {"steps": [{"weight": 5, "hold": "30s"}, {"weight": 100}], "matrix": [[1, 2], []],
             "image": "localhost/weir:dev", "text": "two\nlines", "yes": "on"}})");
  EXPECT_EQ(dump_yaml(object),
            "apiVersion: weir.dev/v1alpha1\n"
            "empty: {}\n"
            "none: []\n"
            "\"null\": null\n"
            "spec:\n"
            "  image: localhost/weir:dev\n"
            "  matrix:\n"
            "  - - 1\n"
            "    - 2\n"
            "  - []\n"
            "  steps:\n"
            "  - hold: \"30s\"\n"
            "    weight: 5\n"
            "  - weight: 100\n"
            "  text: \"two\\nlines\"\n"
            "  \"yes\": \"on\"\n");
}

TEST(YamlJson, ReadsWhatItWrites) {
  const Json texts =
      Json::parse(R"(["", "a", "a b", "017", "true", "Yes", "null", "~", "- a", "a: b",
    "a:", ":a", "#a", "a #b", "'", "\"", "\\", "\t", "é", "*a", "&a", "!a", "%a", "@a", "`a",
    "{", "[", "1e3", "0x1F", "a\nb\n", "|", ">", "?", "-", "--- a", "...", "<<", "=",
    "2026-11-21", "x\u0001y"])");
  Json object{{"list", texts}, {"numbers", Json::parse("[0, -1, 1.5, 1e300, true, null]")}};
  for (const auto& text : texts) object["map"][text.get<std::string>()] = Json{{"k", text}};
  EXPECT_EQ(json(dump_yaml(object)), object);
  EXPECT_TRUE(parse_yaml(dump_yaml(object))->front().doubts.empty());
}

}  // namespace
}  // namespace weir
