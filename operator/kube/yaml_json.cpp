#include "kube/yaml_json.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "kube/yaml_scalar.h"

namespace weir {
namespace {

constexpr std::string_view kMergeKey = "<<";
constexpr std::string_view kPlain = "?";
constexpr std::string_view kOurTags = "tag:yaml.org,2002:";

// A list or map of which not everything has been seen.
struct Frame {
  Json value;
  std::string path;
  YAML::anchor_t anchor = 0;
  std::size_t nodes_before = 0;
  std::size_t height = 1;             // levels, its own included
  std::optional<std::string> key{};   // of a map: what the next value belongs to
  bool merging = false;               // that key is <<
  std::map<std::string, int> seen{};  // keys of a map and their lines
  std::vector<Json> merges{};
};

struct Anchored {
  Json value;
  std::size_t nodes = 0;
  std::size_t height = 0;
};

// Builds one document from the parser's events. After a fault it listens no more.
class Builder final : public YAML::EventHandler {
 public:
  YamlDocument take() { return std::move(document_); }
  const std::optional<YamlFault>& fault() const { return fault_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Json::array());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Json::object());
  }
  void OnMapEnd() override { close(); }

 private:
  void fail(int line, std::string what) {
    if (!fault_) fault_ = YamlFault{line, std::move(what)};
  }
  // False when the event is a key of the map on top, or nobody listens any more.
  bool is_value(const YAML::Mark& mark, std::string_view key, bool plain);
  void set_key(int line, std::string_view key, bool plain);
  bool count(int line, std::size_t nodes);
  std::string enter(int line);  // the path of the value that comes now
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Json empty);
  void close();
  void put(Json value, std::size_t height);
  void merge(Frame& map);
  void keep(YAML::anchor_t anchor, const Anchored& what);
  bool is_too_deep(std::size_t height);

  YamlDocument document_;
  std::optional<YamlFault> fault_;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t nodes_ = 0;
  int line_ = 1;  // of the last event
};

void Builder::set_key(int line, std::string_view key, bool plain) {
  Frame& map = stack_.back();
  map.merging = plain && key == kMergeKey;
  const auto [known, fresh] = map.seen.emplace(key, line);
  if (!fresh)
    return fail(
        line, fmt::format("the key \"{}\" stands here a second time; the first is in line {}", key,
                          known->second));
  map.key = std::string(key);
  if (plain && is_doubtful_scalar(key))
    document_.doubts.push_back(map.path.empty() ? *map.key : map.path + "." + *map.key);
}

bool Builder::is_value(const YAML::Mark& mark, std::string_view key, bool plain) {
  line_ = mark.line + 1;
  if (fault_) return false;
  if (stack_.empty() || stack_.back().value.is_array() || stack_.back().key) return true;
  set_key(line_, key, plain);
  return false;
}

bool Builder::count(int line, std::size_t nodes) {
  nodes_ += nodes;
  if (nodes_ > kMaxYamlNodes)
    fail(line, fmt::format("more than {} values, aliases counted in full", kMaxYamlNodes));
  return !fault_;
}

std::string Builder::enter(int line) {
  if (stack_.empty()) {
    document_.line = line;
    return "";
  }
  const Frame& above = stack_.back();
  if (above.merging) return above.path;
  std::string path;
  if (above.value.is_array())
    path = fmt::format("{}[{}]", above.path, above.value.size());
  else
    path = above.path.empty() ? *above.key : fmt::format("{}.{}", above.path, *above.key);
  const int stands = above.value.is_array() ? line : above.seen.at(*above.key);
  document_.lines.emplace(path, stands);
  return path;
}

void Builder::open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                   Json empty) {
  line_ = mark.line + 1;
  if (fault_) return;
  if (!stack_.empty() && stack_.back().value.is_object() && !stack_.back().key)
    return fail(line_, "a key must be text");
  const bool known = tag.empty() || tag == kPlain || tag == "!" || tag.starts_with(kOurTags);
  if (!known) return fail(line_, fmt::format("the tag {} is unknown", tag));
  if (is_too_deep(1) || !count(line_, 1)) return;
  Frame frame;
  frame.path = enter(line_);
  frame.value = std::move(empty);
  frame.anchor = anchor;
  frame.nodes_before = nodes_ - 1;
  stack_.push_back(std::move(frame));
}

void Builder::close() {
  if (fault_) return;
  Frame frame = std::move(stack_.back());
  stack_.pop_back();
  merge(frame);
  keep(frame.anchor, {frame.value, nodes_ - frame.nodes_before, frame.height});
  put(std::move(frame.value), frame.height);
}

// What stands in the map itself wins; then the earlier of the merged ones.
void Builder::merge(Frame& map) {
  for (const Json& source : map.merges)
    for (const auto& [key, value] : source.items())
      if (!map.value.contains(key)) map.value[key] = value;
}

// A kept copy counts like any other, so that anchors inside anchors stay small.
void Builder::keep(YAML::anchor_t anchor, const Anchored& what) {
  if (anchor != 0 && count(line_, what.nodes)) anchors_[anchor] = what;
}

bool Builder::is_too_deep(std::size_t height) {
  if (stack_.size() + height > static_cast<std::size_t>(kJsonMaxDepth))
    fail(line_, fmt::format("nested deeper than {} levels", kJsonMaxDepth));
  return fault_.has_value();
}

void Builder::put(Json value, std::size_t height) {
  if (fault_) return;
  if (stack_.empty()) {
    document_.json = std::move(value);
    return;
  }
  Frame& above = stack_.back();
  above.height = std::max(above.height, above.merging ? height : height + 1);
  if (above.value.is_array()) {
    above.value.push_back(std::move(value));
    return;
  }
  if (!above.merging) {
    above.value[*above.key] = std::move(value);
  } else {
    const bool many = value.is_array();
    for (Json& source : many ? value : value = Json::array({std::move(value)})) {
      if (!source.is_object()) return fail(line_, "<< needs a map, or a list of maps");
      above.merges.push_back(std::move(source));
    }
  }
  above.key.reset();
  above.merging = false;
}

void Builder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  if (!is_value(mark, "null", false) || !count(line_, 1)) return;
  enter(line_);
  keep(anchor, {Json(), 1, 0});
  put(Json(), 0);
}

void Builder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  line_ = mark.line + 1;
  if (fault_) return;
  if (!stack_.empty() && stack_.back().value.is_object() && !stack_.back().key)
    return fail(line_, "a key must be text");
  const auto known = anchors_.find(anchor);
  if (known == anchors_.end()) return fail(line_, "an alias inside of what it stands for");
  const Anchored& meant = known->second;
  if (is_too_deep(meant.height) || !count(line_, meant.nodes)) return;
  enter(line_);
  put(meant.value, meant.height);
}

void Builder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       const std::string& text) {
  const bool plain = tag == kPlain;
  if (!is_value(mark, text, plain) || !count(line_, 1)) return;
  const auto path = enter(line_);
  auto value = plain || tag == "!" ? (plain ? plain_scalar(text) : Result<Json>(Json(text)))
                                   : tagged_scalar(tag, text);
  if (!value) return fail(line_, value.error().message);
  if (plain && is_doubtful_scalar(text)) document_.doubts.push_back(path);
  keep(anchor, {*value, 1, 0});
  put(*std::move(value), 0);
}

std::string_view parent_of(std::string_view path) {
  const auto end = path.find_last_of(".[");
  return end == std::string_view::npos ? std::string_view() : path.substr(0, end);
}

}  // namespace

int YamlDocument::line_of(std::string_view path) const {
  for (; !path.empty(); path = parent_of(path))
    if (const auto found = lines.find(path); found != lines.end()) return found->second;
  return line;
}

std::optional<YamlFault> read_yaml(std::string_view text, std::vector<YamlDocument>& documents) {
  if (text.size() > kMaxYamlBytes)
    return YamlFault{1, fmt::format("more than {} bytes", kMaxYamlBytes)};
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (true) {
      Builder builder;
      if (!parser.HandleNextDocument(builder)) return std::nullopt;
      if (builder.fault()) return builder.fault();
      documents.push_back(builder.take());
    }
  } catch (const YAML::Exception& e) {
    return YamlFault{std::max(e.mark.line + 1, 1), e.msg};
  } catch (const std::exception& e) {
    return YamlFault{1, e.what()};
  }
}

Result<std::vector<YamlDocument>> parse_yaml(std::string_view text) {
  std::vector<YamlDocument> documents;
  if (const auto fault = read_yaml(text, documents))
    return Error{ErrorKind::Parse, fmt::format("line {}: {}", fault->line, fault->what)};
  return documents;
}

Result<Json> parse_single_yaml(std::string_view text) {
  ASSIGN_OR_RETURN(auto documents, parse_yaml(text));
  if (documents.size() > 1)
    return Error{ErrorKind::Parse, fmt::format("line {}: a second document", documents[1].line)};
  return documents.empty() ? Json() : std::move(documents.front().json);
}

}  // namespace weir
