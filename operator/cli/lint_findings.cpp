#include "cli/lint_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "api/object_check.h"
#include "cli/lint_advice.h"
#include "delivery/revision.h"
#include "kube/kinds.h"
#include "kube/yaml_json.h"

namespace weir {
namespace {

// Builds of other tools have YAML that is no Kubernetes object.
constexpr std::string_view kKustomization = "kustomization.y";

struct Text {
  const LintText* source;
  std::vector<YamlDocument> documents;
};

struct Object {
  const Text* text;
  const YamlDocument* document;
  std::string prefix;  // "items[2]" inside a List
  const Json* json;
  std::string kind;
  ObjectKey key;
};

bool is_kind(const Object& object, const Kind& kind) {
  return object.kind == kind.name && json_text(*object.json, {"apiVersion"}) == kind.api_version();
}

// An empty namespace is the one that `kubectl apply -n` will name.
bool may_share_namespace(const Object& a, const Object& b) {
  return a.key.ns == b.key.ns || a.key.ns.empty() || b.key.ns.empty();
}

class Linter {
 public:
  explicit Linter(const std::vector<LintText>& sources) {
    texts_.reserve(sources.size());
    for (const auto& source : sources) read(source);
  }

  LintResult run() {
    for (const auto& object : objects_)
      if (is_of_our_group(*object.json)) check(object);
    for (const auto& object : objects_) compare(object);
    std::stable_sort(result_.findings.begin(), result_.findings.end(),
                     [&](const LintFinding& a, const LintFinding& b) {
                       return std::pair(order_of(a.file), a.line) <
                              std::pair(order_of(b.file), b.line);
                     });
    return std::move(result_);
  }

 private:
  void read(const LintText& source) {
    Text& text = texts_.emplace_back(Text{&source, {}});
    const auto fault = read_yaml(source.text, text.documents);
    for (const auto& document : text.documents) add(text, document, document.json, "");
    if (fault)
      result_.findings.push_back(
          {LintLevel::Error, source.name, fault->line, "", "", "", fault->what});
  }

  void add(const Text& text, const YamlDocument& document, const Json& json,
           const std::string& prefix) {
    if (json.is_null()) return;
    Object object{
        &text,
        &document,
        prefix,
        &json,
        json_text(json, {"kind"}),
        {json_text(json, {"metadata", "namespace"}), json_text(json, {"metadata", "name"})}};
    if (object.kind == "List" && json_text(json, {"apiVersion"}) == "v1") {
      const Json& items = json_at(json, {"items"});
      if (!items.is_null() && !items.is_array())
        return say(object, LintLevel::Error, "items", "must be a list");
      for (std::size_t i = 0; i < items.size(); ++i)
        add(text, document, items[i], fmt::format("items[{}]", i));
      return;
    }
    const bool has_kind = !object.kind.empty() && !json_text(json, {"apiVersion"}).empty();
    const bool kustomize = text.source->name.find(kKustomization) != std::string::npos;
    if (!has_kind && !kustomize)
      say(object, LintLevel::Error, "", "not a Kubernetes object: apiVersion or kind is missing");
    objects_.push_back(std::move(object));
  }

  std::size_t order_of(const std::string& file) const {
    const auto found = std::find_if(texts_.begin(), texts_.end(),
                                    [&](const Text& text) { return text.source->name == file; });
    return static_cast<std::size_t>(found - texts_.begin());
  }

  void say(const Object& object, LintLevel level, const std::string& path, std::string message) {
    const auto whole = object.prefix.empty() ? path
                       : path.empty()        ? object.prefix
                                             : object.prefix + "." + path;
    result_.findings.push_back({level, object.text->source->name, object.document->line_of(whole),
                                object.kind, object.key.name, path, std::move(message)});
  }

  void check(const Object& object) {
    ++result_.objects;
    const auto faults = check_object(*object.json);
    for (const auto& fault : faults) say(object, LintLevel::Error, fault.path, fault.what);
    check_doubts(object);
    if (!faults.empty()) return;
    if (is_kind(object, kinds::kCanaryPolicy)) {
      if (const auto policy = decode_policy(*object.json); policy && policy->spec)
        for (auto& advice : policy_advice(*policy->spec))
          say(object, LintLevel::Warning, advice.path, std::move(advice.message));
    } else if (const auto release = decode_release(*object.json); release && release->spec) {
      for (auto& advice : release_advice(*release->spec))
        say(object, LintLevel::Warning, advice.path, std::move(advice.message));
      check_template(object, *release->spec);
      check_policy(object, *release->spec);
      check_service(object, release->spec->service.name);
    }
  }

  // What no schema can say: the operator would keep everything as it stands.
  void check_template(const Object& object, const ReleaseSpec& spec) {
    const auto resolved = resolved_template(spec);
    if (resolved) return;
    const auto& message = resolved.error().message;
    const auto colon = std::min(message.find(": "), message.size());
    const auto what = message.substr(std::min(colon + 2, message.size()));
    say(object, LintLevel::Error, message.substr(0, colon), what);
  }

  void check_doubts(const Object& object) {
    for (const auto& whole : object.document->doubts) {
      const auto above = object.prefix.empty() ? "" : object.prefix + ".";
      if (whole.starts_with(above))
        say(object, LintLevel::Error, whole.substr(above.size()),
            "kubectl reads something else than what stands here (YAML 1.1: yes and off are "
            "booleans, 017 is 15): put it in quotes, or write true, false or a plain number");
    }
  }

  void check_policy(const Object& object, const ReleaseSpec& release) {
    const auto here = std::find_if(objects_.begin(), objects_.end(), [&](const Object& other) {
      return is_kind(other, kinds::kCanaryPolicy) && other.key.name == release.policy &&
             may_share_namespace(object, other);
    });
    if (here == objects_.end())
      return say(object, LintLevel::Note, "spec.strategy.canary.policyRef.name",
                 fmt::format("CanaryPolicy {} is not among these files", release.policy));
    if (const auto policy = decode_policy(*here->json); policy && policy->spec)
      for (auto& advice : joint_advice(release, *policy->spec))
        say(object, LintLevel::Warning, advice.path, std::move(advice.message));
  }

  // Weir takes nothing that it has not made.
  void check_service(const Object& object, const std::string& service) {
    for (const auto& other : objects_) {
      if (&other == &object || !may_share_namespace(object, other)) continue;
      const bool in_the_way = is_kind(other, kinds::kService) && other.key.name == service;
      const bool route = is_kind(other, kinds::kHttpRoute) && other.key.name == object.key.name;
      if (in_the_way || route)
        say(object, LintLevel::Warning, in_the_way ? "spec.service.name" : "metadata.name",
            fmt::format("{} {} in {} is in the way: Weir makes its own and takes no foreign one",
                        other.kind, other.key.name, other.text->source->name));
      const bool twin =
          is_kind(other, kinds::kRelease) && other.key.name != object.key.name &&
          service == json_text(*other.json, {"spec", "service", "name"}, other.key.name);
      if (twin)
        say(object, LintLevel::Warning, "spec.service.name",
            fmt::format("Release {} in {} has the same", other.key.name, other.text->source->name));
    }
  }

  void compare(const Object& object) {
    if (!is_of_our_group(*object.json) || object.key.name.empty()) return;
    for (const auto& other : objects_) {
      if (&other == &object) return;  // each pair once: told at the second
      if (other.kind == object.kind && other.key == object.key && is_of_our_group(*other.json))
        say(object, LintLevel::Warning, "metadata.name",
            fmt::format("stands in {} line {} too; the last one applied wins",
                        other.text->source->name, other.document->line_of(other.prefix)));
    }
  }

  std::vector<Text> texts_;  // never grows after reading: objects point into it
  std::vector<Object> objects_;
  LintResult result_;
};

}  // namespace

std::string_view to_string(LintLevel level) {
  switch (level) {
    case LintLevel::Error: return "error";
    case LintLevel::Warning: return "warning";
    case LintLevel::Note: return "note";
  }
  return "error";
}

LintResult lint_texts(const std::vector<LintText>& texts) { return Linter(texts).run(); }

}  // namespace weir
