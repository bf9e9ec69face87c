// The schemas of crds/ and the codecs of operator/api must say the same.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>

#include "api/codec.h"
#include "api/spec_readers.h"
#include "api/stage_readers.h"
#include "unit/api_test_support.h"

namespace weir::api_test {
namespace {

struct Subject {
  std::string plural;
  std::string base;  // of tests/contract/inputs.yaml: every field set
};

const std::map<std::string, void (*)(const FieldReader&)> kReaders{
    {"releases", [](const FieldReader& spec) { read_release_spec(spec, "shop"); }},
    {"canarypolicies", [](const FieldReader& spec) { read_policy_spec(spec); }},
    {"pipelines", [](const FieldReader& spec) { read_pipeline_spec(spec); }},
    {"pipelineruns", [](const FieldReader& spec) { read_pipeline_run_spec(spec); }}};

// Of words in a list, the list is blamed.
std::string path_of_choice(const std::string& pointer) {
  const auto path = path_of_pointer(pointer);
  return path.ends_with(']') ? path.substr(0, path.rfind('[')) : path;
}

void PrintTo(const Subject& subject, std::ostream* out) { *out << subject.plural; }

class CrdDrift : public testing::TestWithParam<Subject> {
 protected:
  Json schema = load_schema(GetParam().plural);
  std::vector<SchemaField> fields = fields_of(schema, "");
  Json inputs = load_yaml("tests/contract/inputs.yaml");
  Json full = inputs.at("bases").at(GetParam().base);

  // The schema's fields below one of spec and status, without the items of lists.
  std::set<std::string> named_fields(const std::string& below) const {
    std::set<std::string> names;
    for (const auto& field : fields_of(schema.at("properties").at(below), below))
      if (!field.path.ends_with("[]")) names.insert(field.path);
    return names;
  }

  // The schema of a field; null below a part that preserves unknown fields.
  const Json* schema_at(const std::string& shape) const {
    for (const auto& field : fields)
      if (field.path == shape) return field.schema;
    return nullptr;
  }

  struct Shapes {
    std::set<std::string> asked;  // members, as "spec.steps[].weight"
    std::set<std::string> open;   // objects of which more is allowed than is asked for
  };
  Shapes read_full() const {
    Reading reading;
    std::map<std::string, ObjectReading> objects;
    reading.objects = &objects;
    const FieldReader spec(full.at("spec"), "spec", reading);
    kReaders.at(GetParam().plural)(spec);
    EXPECT_FALSE(reading.error()) << reading.error()->message;
    Shapes shapes;
    for (const auto& [path, object] : objects) {
      const auto shape = std::regex_replace(path, std::regex(R"(\[\d+\])"), "[]");
      const auto* schema_of_it = schema_at(shape);
      const bool map = schema_of_it && schema_of_it->contains("additionalProperties");
      for (const auto& name : object.asked)
        if (!map) shapes.asked.insert(shape + "." + name);
      if (object.has_more) shapes.open.insert(shape);
    }
    return shapes;
  }

  // One of each shape; those of finally, which one reader reads with the stages, where its schema is another.
  std::vector<std::string> different_leaves() const {
    std::set<std::string> shapes;
    std::vector<std::string> pointers;
    for (const auto& pointer : leaves()) {
      const auto shape = shape_of_pointer(pointer);
      const auto twin = std::regex_replace(shape, std::regex("^spec.finally"), "spec.stages");
      const auto* here = schema_at(shape);
      const auto* there = schema_at(twin);
      const bool same = shape != twin && here && there && *here == *there;
      if (!same && shapes.insert(shape).second) pointers.push_back(pointer);
    }
    return pointers;
  }

  // As decode_spec_of(…).error, which takes longer.
  std::string refusal_of(const std::string& pointer, const Json& value) const {
    Json spec = full.at("spec");
    spec.at(Json::json_pointer(pointer.substr(std::string("/spec").size()))) = value;
    Reading reading;
    kReaders.at(GetParam().plural)(FieldReader(spec, "spec", reading));
    return reading.error() ? reading.error()->message : "";
  }

  Json with(const std::string& pointer, Json value) const {
    Json object = full;
    object[Json::json_pointer(pointer)] = std::move(value);
    return object;
  }

  // Pointers to all scalars of the spec in which every field is set.
  std::vector<std::string> leaves() const {
    std::vector<std::string> pointers;
    const Json flat = full.at("spec").flatten();
    for (const auto& [pointer, value] : flat.items()) pointers.push_back("/spec" + pointer);
    return pointers;
  }
};

std::vector<std::string> make_texts() {
  auto all = Json::parse(R"json([
    "", "a", "1", "0", "A", "-a", "a-", "a.b", "a..b", ".a", "a.", "a_b", "a b", " a", "a ", "a--b",
    "5s", "5ms", "1h2m3s4ms", "1m1h", "1h1h", "100000s", "99999h", "1.5h", "-1s", "s", "5S",
    "5%", "0%", "1%", "100%", "99.9999%", "05%", "5.00000%", "0.1%", "5.%", ".5%", "+5%", "5 %",
    "%", "101%", "50%", "12.5%", "1000", "-0.5", "-0", "0.25", "00", "01", "1e3", "1k", ".5", "1.",
    "-", "999999999999999", "1234567890123456", "0.123456789", "0.1234567890", "grpc",
    "kubernetes.io/h2c", "/x", "a/", "a/b/c", "A/b", "a/B_c.d-e", "a/-b", "http://a",
    "https://a/b", "ftp://a", "http://", "http:///x", "http://a?b", "http://a#b", "http://u@h",
    "http://a b", "HTTP://a", "*.a.b", "*.", "*", "a.*", "*a", "**.a", "8080", "a-1", "1-2",
    "Gateway", "gate-way", "9Gate", "Gate-", "shop:1", "shop@sha256:1", "é", "a\tb", "a\nb", "a\n"
    ])json")
                 .get<std::vector<std::string>>();
  for (const std::size_t length : {15, 46, 63, 253, 512, 2048})
    for (const std::size_t more : {0, 1}) all.emplace_back(length + more, 'a');
  return all;
}

const std::vector<std::string>& texts() {
  static const auto all = make_texts();
  return all;
}

bool schema_accepts(const Json& schema, const std::string& text) {
  if (schema.contains("enum")) {
    const auto& allowed = schema.at("enum");
    return std::find(allowed.begin(), allowed.end(), text) != allowed.end();
  }
  const auto length = static_cast<std::int64_t>(count_characters(text));
  if (length < json_int(schema, {"minLength"})) return false;
  if (length > json_int(schema, {"maxLength"}, INT64_MAX)) return false;
  if (!schema.contains("pattern")) return true;
  static std::map<std::string, std::regex> compiled;
  const auto pattern = schema.at("pattern").get<std::string>();
  return std::regex_search(text, compiled.try_emplace(pattern, pattern).first->second);
}

// Another value, valid for the schema where one can be found.
Json changed(const Json& value, const Json* schema) {
  if (value.is_number_integer()) return value.get<int>() + 1;
  if (value.is_boolean()) return !value.get<bool>();
  if (!value.is_string()) return "changed";
  if (schema == nullptr) return value.get<std::string>() + "x";
  const auto old = value.get<std::string>();
  if (schema->contains("enum")) {
    for (const Json& other : schema->at("enum"))
      if (other != value) return other;
    return "Bogus";
  }
  for (const auto& text : texts())
    if (text.size() > 1 && text != old && schema_accepts(*schema, text)) return text;
  return old + "x";
}

TEST_P(CrdDrift, TheDecoderAsksForExactlyTheFieldsOfTheSchema) {
  const auto [asked, open] = read_full();
  EXPECT_EQ(asked, named_fields("spec"));
}

TEST_P(CrdDrift, OtherFieldsAreLeftAloneWhereTheSchemaPreservesThem) {
  const auto [asked, open] = read_full();
  std::set<std::string> preserved;
  for (const auto& field : fields)
    if (field.schema->contains("x-kubernetes-preserve-unknown-fields") ||
        (field.path.starts_with("spec") && field.schema->contains("additionalProperties")))
      preserved.insert(field.path);
  // Refused before anybody would look inside.
  preserved.erase("spec.traffic.gatewayAPI.rules[].backendRefs[]");
  EXPECT_EQ(open, preserved);
}

TEST_P(CrdDrift, TheFullExampleSetsEveryFieldOfTheSchema) {
  auto set = paths_in(full.at("spec"), "spec");
  for (const auto& path : named_fields("spec")) {
    const bool forbidden = path.find("backendRefs") != std::string::npos ||
                           path.starts_with("spec.workloadRef");  // template is given
    EXPECT_TRUE(forbidden || set.contains(path)) << path;
  }
}

TEST_P(CrdDrift, EveryFieldThatChangesChangesWhatIsDecoded) {
  const auto before = decode_spec_of(full);
  ASSERT_EQ(before.error, "");
  for (const auto& pointer : leaves()) {
    const Json other =
        changed(full.at(Json::json_pointer(pointer)), schema_at(shape_of_pointer(pointer)));
    EXPECT_NE(decode_spec_of(with(pointer, other)).text, before.text)
        << pointer << " = " << dump_json(other);
  }
}

TEST_P(CrdDrift, DefaultsOfTheSchemaAreDefaultsOfTheDecoder) {
  std::set<std::string> defaults;
  for (const auto& field : fields)
    if (field.schema->contains("default")) defaults.insert(field.path);
  std::set<std::string> used;
  for (const char* name : {"policy", "barePolicy", "release", "barePipeline", "bareRun"}) {
    const Json& bare = inputs.at("bases").at(name);
    if (bare.at("kind") != full.at("kind")) continue;
    Json filled = bare;
    apply_defaults(schema, "", filled, used);
    EXPECT_NE(filled, bare);
    EXPECT_EQ(decode_spec_of(bare).error, "");
    EXPECT_EQ(decode_spec_of(bare).text, decode_spec_of(filled).text) << dump_json(filled);
  }
  EXPECT_EQ(used, defaults);
}

TEST_P(CrdDrift, FieldsAreRequiredByBothOrByNone) {
  // Required by a rule of the schema: unions, and the source when there are several.
  const std::set<std::string> by_rule{"spec.template",
                                      "spec.traffic.gatewayAPI",
                                      "spec.strategy.canary",
                                      "spec.objectives[].sourceRef",
                                      "spec.objectives[].ratio.totalQuery",
                                      "spec.objectives[].ratio.preset.threshold",
                                      "spec.stages[].retry.classes",
                                      "spec.finally[].retry.classes"};
  std::set<std::string> checked;
  for (const auto& leaf : leaves()) {
    for (std::string pointer = leaf; pointer != "/spec"; pointer.resize(pointer.rfind('/'))) {
      const auto shape = shape_of_pointer(pointer);
      const auto field = std::find_if(fields.begin(), fields.end(),
                                      [&](const auto& each) { return each.path == shape; });
      if (field == fields.end() || shape.ends_with("[]") || !checked.insert(shape).second) continue;
      Json object = full;
      const Json::json_pointer at(pointer);
      object.at(at.parent_pointer()).erase(at.back());
      const auto error = decode_spec_of(object).error;
      EXPECT_EQ(error.starts_with(path_of_pointer(pointer) + ": missing"),
                field->required || by_rule.contains(shape))
          << pointer << " " << error;
    }
  }
}

TEST_P(CrdDrift, EnumsOfTheSchemaAreTheNamesTheDecoderKnows) {
  // Known to both, and refused here by a rule of both.
  const std::set<std::string> by_rule{"spec.objectives[].ratio.preset.dialect EnvoyGateway",
                                      "spec.objectives[].ratio.preset.dialect IngressNginx",
                                      "spec.objectives[].ratio.preset.name Errors",
                                      "spec.traffic.type Replicas"};
  for (const auto& pointer : leaves()) {
    const auto* leaf = schema_at(shape_of_pointer(pointer));
    if (leaf == nullptr || !leaf->contains("enum")) continue;
    for (const Json& name : leaf->at("enum")) {
      const bool refused =
          by_rule.contains(shape_of_pointer(pointer) + " " + name.get<std::string>());
      EXPECT_EQ(!decode_spec_of(with(pointer, name)).error.empty(), refused)
          << pointer << " = " << name;
    }
    for (const char* name : {"Bogus", "", "HOLD"})
      EXPECT_TRUE(decode_spec_of(with(pointer, name))
                      .error.starts_with(path_of_choice(pointer) + ": found"))
          << pointer << " = " << name;
  }
}

TEST_P(CrdDrift, TextsAreRefusedByBothOrByNone) {
  // Whether these are accepted depends on other fields too.
  const std::set<std::string> references{"spec.sources[].name",
                                         "spec.objectives[].sourceRef.name",
                                         "spec.images[].container",
                                         "spec.template.spec.containers[].name",
                                         "spec.template.spec.initContainers[].name",
                                         "spec.stages[].name",
                                         "spec.stages[].needs[]",
                                         "spec.params[].name",
                                         "spec.params[].default",
                                         "spec.params[].allowed[]",
                                         "spec.stages[].matrix.axes[].name",
                                         "spec.finally[].matrix.axes[].name"};
  int compared = 0;
  for (const auto& pointer : different_leaves()) {
    const auto shape = shape_of_pointer(pointer);
    const auto* leaf = schema_at(shape);
    if (leaf == nullptr || !full.at(Json::json_pointer(pointer)).is_string()) continue;
    for (const auto& text : texts()) {
      const bool accepted = schema_accepts(*leaf, text);
      const bool more_rules = leaf->contains("x-kubernetes-validations");
      if (accepted && (references.contains(shape) || more_rules)) continue;
      const auto error = refusal_of(pointer, text);
      EXPECT_EQ(error.empty(), accepted) << pointer << " = \"" << text << "\" " << error;
      ++compared;
    }
  }
  EXPECT_GT(compared, 300);
}

TEST_P(CrdDrift, NumbersAreRefusedByBothOrByNone) {
  for (const auto& pointer : leaves()) {
    const auto* leaf = schema_at(shape_of_pointer(pointer));
    if (leaf == nullptr || !full.at(Json::json_pointer(pointer)).is_number()) continue;
    const auto path = path_of_pointer(pointer);
    const auto min = json_int(*leaf, {"minimum"}, INT64_MIN);
    const auto max = json_int(*leaf, {"maximum"}, INT64_MAX);
    ASSERT_GT(min, INT64_MIN) << path;
    ASSERT_LT(max, INT64_MAX) << path;
    for (const auto number : {min - 1, min, max, max + 1}) {
      const auto error = decode_spec_of(with(pointer, number)).error;
      const bool out_of_range =
          error.starts_with(path + ": found") && error.find("whole number") != std::string::npos;
      EXPECT_EQ(out_of_range, number < min || number > max) << path << " " << number << error;
    }
    EXPECT_NE(decode_spec_of(with(pointer, 1.5)).error, "") << path;
    EXPECT_NE(decode_spec_of(with(pointer, UINT64_MAX)).error, "") << path;
  }
}

TEST_P(CrdDrift, ListsAreRefusedByBothOrByNone) {
  for (const auto& field : fields_of(schema.at("properties").at("spec"), "spec")) {
    if (!field.schema->contains("maxItems") || field.path.find("backendRefs") != std::string::npos)
      continue;
    const auto path = std::regex_replace(field.path, std::regex(R"(\[\])"), "[0]");
    auto pointer = "/" + std::regex_replace(path, std::regex(R"(\.|\[)"), "/");
    pointer.erase(std::remove(pointer.begin(), pointer.end(), ']'), pointer.end());
    const auto max = field.schema->at("maxItems").get<std::size_t>();
    Json list = Json::array();
    while (list.size() <= max) list.push_back(full.at(Json::json_pointer(pointer)).at(0));
    const auto refused = [&](const Json& value) {
      return decode_spec_of(with(pointer, value)).error.find(path + ": found") == 0;
    };
    EXPECT_TRUE(refused(list)) << path;
    list.erase(0);
    EXPECT_FALSE(refused(list)) << path;  // perhaps refused for its twins, but not for its size
    // With retries there must be some, by a rule of both.
    const bool by_rule = path.ends_with(".retry.classes");
    EXPECT_EQ(refused(Json::array()), by_rule || json_int(*field.schema, {"minItems"}) > 0) << path;
  }
}

// What is wrong with one field of a schema; "" when nothing is.
std::string complaint_about(const SchemaField& field) {
  static const std::set<std::string> yaml_booleans{
      "y",    "Y",    "yes",   "Yes",   "YES",   "n",  "N",  "no", "No",  "NO",  "true",
      "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF"};
  const Json& node = *field.schema;
  const auto type = json_text(node, {"type"});
  const auto name = field.path.substr(field.path.rfind('.') + 1);
  const bool metadata = field.path.starts_with("metadata");  // may not say more
  if (yaml_booleans.contains(name)) return "YAML 1.1 reads the key as a boolean";
  if (type == "number") return "a float";
  if (!metadata && json_text(node, {"description"}).size() < 10) return "no description";
  if (type == "string" && !node.contains("maxLength") && !node.contains("enum"))
    return "text without limit";
  if (type == "integer" && !node.contains("format")) return "an integer without format";
  if (type == "array" && !node.contains("maxItems")) return "a list without limit";
  if (type == "array" && !node.contains("x-kubernetes-list-type")) return "a list without type";
  if (type == "object" && !metadata && !node.contains("properties") &&
      !node.contains("additionalProperties") &&
      !node.contains("x-kubernetes-preserve-unknown-fields"))
    return "an object of nothing";
  if (type.empty() && !node.contains("x-kubernetes-int-or-string")) return "no type";
  return "";
}

TEST_P(CrdDrift, EveryFieldHasADescriptionAndALimit) {
  EXPECT_GE(fields.size(), 50U);
  for (const auto& field : fields) EXPECT_EQ(complaint_about(field), "") << field.path;
}

TEST_P(CrdDrift, DefinitionsAreSmallAndComplete) {
  const auto path = "crds/" + GetParam().plural + ".weir.dev.yaml";
  EXPECT_LT(std::filesystem::file_size(std::string(WEIR_SOURCE_DIR "/") + path), 200'000U);
  const Json crd = load_yaml(path);
  EXPECT_EQ(json_text(crd, {"metadata", "name"}), GetParam().plural + ".weir.dev");
  EXPECT_EQ(json_text(crd, {"spec", "group"}), "weir.dev");
  EXPECT_EQ(json_text(crd, {"spec", "scope"}), "Namespaced");
  EXPECT_EQ(crd.at("spec").at("names").at("kind"), full.at("kind"));
  EXPECT_EQ(crd.at("spec").at("names").at("categories"), Json::parse(R"(["weir"])"));
  EXPECT_TRUE(crd.at("spec").at("versions").at(0).at("subresources").contains("status"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, CrdDrift,
                         testing::Values(Subject{"canarypolicies", "fullPolicy"},
                                         Subject{"releases", "fullRelease"},
                                         Subject{"pipelines", "fullPipeline"},
                                         Subject{"pipelineruns", "fullRun"}),
                         [](const auto& subject) { return subject.param.plural; });

TEST(ContractInputs, DecodersAgreeWithTheTable) {
  const Json inputs = load_yaml("tests/contract/inputs.yaml");
  const Json& cases = inputs.at("cases");
  EXPECT_GE(cases.size(), 30U);
  std::set<std::string> names;
  for (const Json& input : cases) {
    const auto name = input.at("name").get<std::string>();
    EXPECT_TRUE(names.insert(name).second) << name;
    Json object = inputs.at("bases").at(input.at("base").get<std::string>());
    object.merge_patch(input.at("patch"));
    const auto error = decode_spec_of(object).error;
    const bool accepted =
        input.at("accepted").get<bool>() || json_text(input, {"decoder"}) == "accepts";
    EXPECT_EQ(error.empty(), accepted) << name << ": " << error;
    EXPECT_TRUE(accepted || error.starts_with(json_text(input, {"path"}))) << name << ": " << error;
  }
}

}  // namespace
}  // namespace weir::api_test
