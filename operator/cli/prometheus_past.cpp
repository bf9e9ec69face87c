#include "cli/prometheus_past.h"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "base/base64.h"
#include "base/time_format.h"
#include "kube/token_file.h"
#include "net/httplib_client.h"
#include "plugins/metrics/prometheus_api.h"
#include "replay/prometheus_questions.h"

namespace weir {
namespace {

constexpr milliseconds kPatience{60'000};  // with one answer
constexpr milliseconds kUsualStep{15'000};
constexpr milliseconds kLeastStep{1'000};
constexpr std::size_t kMaxSecretBytes = std::size_t{64} << 10U;

Error wrong(std::string message) { return {ErrorKind::Invalid, std::move(message)}; }

// A time, or how long ago.
Result<WallTime> read_moment(const Arguments& arguments, const char* flag, WallTime now) {
  const auto text = arguments.value(flag);
  if (const auto time = parse_time(text)) return *time;
  if (const auto ago = parse_duration(text)) return now - *ago;
  return wrong(
      fmt::format("--{}: found \"{}\", must be a time like 2026-11-01T00:00:00Z, or how "
                  "long ago, like 168h",
                  flag, text));
}

Result<ObjectKey> read_release(const std::string& text) {
  const auto slash = text.find('/');
  const ObjectKey key{text.substr(0, slash),
                      slash == std::string::npos ? "" : text.substr(slash + 1)};
  const auto allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  const auto is_name = [&](const std::string& name) {
    return !name.empty() && name.find_first_not_of(allowed) == std::string::npos;
  };
  if (is_name(key.ns) && is_name(key.name)) return key;
  return wrong(fmt::format("--release: found \"{}\", must be NAMESPACE/NAME", text));
}

std::vector<std::string> split(const std::string& text) {
  std::set<std::string> parts;
  std::string part;
  for (const char c : text + ",") {
    if (c != ',') part += c;
    if (c == ',' && !part.empty()) parts.insert(std::exchange(part, ""));
  }
  return {parts.begin(), parts.end()};
}

// The one line of a file that holds a secret; it is never part of an error.
Result<std::string> read_secret(const Arguments& arguments, const char* flag) {
  const auto file = arguments.value(flag);
  auto text = read_text_file(file, kMaxSecretBytes);
  if (!text) return wrong(fmt::format("--{}: {}", flag, text.error().message));
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (text->empty() || text->find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
    return wrong(fmt::format("--{}: {} must have one line", flag, file));
  return text;
}

// Asks, and keeps what may have to be written to a file.
class PastRecorder {
 public:
  PastRecorder(const PastWish& wish, HttpClient& http, const Clock& clock, bool with_text)
      : wish_(wish),
        http_(http),
        clock_(clock),
        with_text_(with_text),
        reader_(std::string(kAskedRevision)) {}

  Result<std::vector<std::string>> revisions(const CanaryPolicySpec& policy) {
    if (!wish_.revisions.empty()) return wish_.revisions;
    ASSIGN_OR_RETURN(const auto searches, revision_searches(policy, wish_.release));
    std::set<std::string> names;
    for (const auto& search : searches) {
      const auto form = fmt::format("match[]={}&start={}&end={}", percent_encode(search.selector),
                                    in_seconds(wish_.span.from), in_seconds(wish_.span.to));
      ASSIGN_OR_RETURN(const Json answer, ask("/api/v1/series", form, search.selector));
      ASSIGN_OR_RETURN(const auto found, revisions_in(answer, search));
      names.insert(found.begin(), found.end());
    }
    if (names.empty())
      return wrong(fmt::format("Prometheus knows no revision of {} in that time: no series {}",
                               to_string(wish_.release),
                               searches.empty() ? "" : searches.front().selector));
    if (names.size() > kMaxRecordedRevisions)
      return wrong(fmt::format("{} revisions, at most {} in one recording: choose a shorter time",
                               names.size(), kMaxRecordedRevisions));
    return std::vector<std::string>(names.begin(), names.end());
  }

  Result<void> record(const PastQuestion& question, const HistorySpan& part) {
    const auto form =
        fmt::format("query={}&start={}&end={}&step={}", percent_encode(question.query),
                    in_seconds(part.from), in_seconds(part.to), in_seconds(WallTime(wish_.step)));
    const auto what = fmt::format("{} of {}", question.role, question.objective);
    ASSIGN_OR_RETURN(const Json answer, ask("/api/v1/query_range", form, what));
    roles_[question.objective].insert(question.role);
    const Json& result = json_at(answer, {"data", "result"});
    if (result.is_array() && result.empty()) return {};
    if (auto read = reader_.add(question.objective, question.role, answer); !read) return read;
    counted_[question.objective].insert(question.role);
    return with_text_ ? keep(question, answer) : Result<void>();
  }

  Result<RecordedPast> finish() {
    if (counted_.empty())
      return wrong(fmt::format("Prometheus has no series of any objective of {} in that time",
                               to_string(wish_.release)));
    // An objective without any series is left out; one that never counted anything bad is not.
    for (const auto& [objective, counted] : counted_) {
      for (const auto& role : roles_[objective]) {
        if (counted.count(role) != 0) continue;
        if (auto read = reader_.add(objective, role, Json::array()); !read) return read.error();
        if (with_text_) texts_[objective][role];
      }
    }
    RecordedPast past;
    ASSIGN_OR_RETURN(past.recording, reader_.finish());
    if (with_text_) past.text = text();
    if (past.text.size() <= kMaxRecordingBytes) return past;
    return wrong(
        fmt::format("the recording is larger than {} MiB, which --recording could not "
                    "read: choose a shorter time or a wider --step",
                    kMaxRecordingBytes >> 20U));
  }

 private:
  static std::string in_seconds(WallTime at) {
    return fmt::format("{:.3f}", std::chrono::duration<double>(at.time_since_epoch()).count());
  }

  Result<Json> ask(const std::string& target, const std::string& form, const std::string& what) {
    auto answer = ask_prometheus(target, form, http_, Deadline::after(clock_, kPatience));
    if (answer) return answer;
    return Error{answer.error().kind,
                 fmt::format("{}{}: {}: {}", wish_.url, target, what, answer.error().message)};
  }

  Result<void> keep(const PastQuestion& question, const Json& answer) {
    auto& text = texts_[question.objective][question.role];
    const auto more = (text.empty() ? "\n" : ",\n") + dump_json(answer);
    text += more;
    kept_bytes_ += more.size();
    if (kept_bytes_ <= kMaxRecordingBytes) return {};
    return wrong(
        fmt::format("--save: more than {} MiB, which --recording would not read: choose a "
                    "shorter time or a wider --step",
                    kMaxRecordingBytes >> 20U));
  }

  std::string text() const {
    auto text = fmt::format("{{\"revisionLabel\": \"{}\", \"objectives\": {{", kAskedRevision);
    const char* objective_comma = "";
    for (const auto& [objective, roles] : texts_) {
      text += fmt::format("{}\n{}: {{", objective_comma, dump_json(Json(objective)));
      const char* comma = "";
      for (const auto& [role, answers] : roles) {
        text += fmt::format("{}\n\"{}\": [{}]", comma, role, answers);
        comma = ",";
      }
      text += "}";
      objective_comma = ",";
    }
    return text + "}}\n";
  }

  const PastWish& wish_;
  HttpClient& http_;
  const Clock& clock_;
  const bool with_text_;
  RecordingReader reader_;
  std::map<std::string, std::set<std::string>> roles_;               // by objective: asked
  std::map<std::string, std::set<std::string>> counted_;             // of them, those with series
  std::map<std::string, std::map<std::string, std::string>> texts_;  // by objective and role
  std::size_t kept_bytes_ = 0;
};

}  // namespace

std::vector<Flag> prometheus_flags() {
  return {{"prometheus", 0, "URL", "ask this Prometheus instead of reading a recording"},
          {"release", 0, "NAMESPACE/NAME", "whose past it is; with --prometheus"},
          {"from", 0, "TIME", "like 2026-11-01T00:00:00Z, or how long ago: 168h"},
          {"to", 0, "TIME", "now"},
          {"step", 0, "DURATION", "between two points, best the scrape interval; 15s"},
          {"revisions", 0, "NAME,...", "those that Prometheus knows"},
          {"save", 0, "FILE", "keep what Prometheus said, for --recording"},
          {"token-file", 0, "FILE", "with a bearer token for Prometheus"},
          {"basic-auth-file", 0, "FILE", "with USER:PASSWORD for Prometheus"},
          {"ca-file", 0, "FILE", "whose certificates to trust; the system's"}};
}

Result<PastWish> read_past_wish(const Arguments& arguments, WallTime now) {
  for (const auto* flag : {"release", "from"})
    if (!arguments.has(flag)) return wrong(fmt::format("--{} is missing", flag));
  PastWish wish;
  wish.url = arguments.value("prometheus");
  ASSIGN_OR_RETURN(wish.release, read_release(arguments.value("release")));
  ASSIGN_OR_RETURN(wish.span.from, read_moment(arguments, "from", now));
  wish.span.to = now;
  if (arguments.has("to")) {
    ASSIGN_OR_RETURN(wish.span.to, read_moment(arguments, "to", now));
  }
  if (wish.span.from >= wish.span.to)
    return wrong(fmt::format("--from: found {}, must be before {}", format_time(wish.span.from),
                             format_time(wish.span.to)));
  wish.step = kUsualStep;
  if (arguments.has("step")) {
    const auto step = parse_duration(arguments.value("step"));
    if (!step) return wrong("--step: " + step.error().message);
    wish.step = *step;
  }
  if (wish.step < kLeastStep)
    return wrong(fmt::format("--step: found {}, must be at least 1s", format_duration(wish.step)));
  wish.revisions = split(arguments.value("revisions"));
  return wish;
}

Result<std::unique_ptr<HttpClient>> prometheus_client(const Arguments& arguments,
                                                      const std::string& url) {
  HttpClientOptions options;
  options.max_body_bytes = kMaxAnswerBytes;
  auto server = parse_url(url);
  if (!server) return wrong("--prometheus: " + server.error().message);
  options.server = *std::move(server);
  if (arguments.has("token-file") && arguments.has("basic-auth-file"))
    return wrong("--token-file and --basic-auth-file: only one of them");
  if (arguments.has("token-file")) {
    ASSIGN_OR_RETURN(const auto token, read_secret(arguments, "token-file"));
    options.authorization = "Bearer " + token;
  }
  if (arguments.has("basic-auth-file")) {
    ASSIGN_OR_RETURN(const auto login, read_secret(arguments, "basic-auth-file"));
    options.authorization = "Basic " + encode_base64(login);
  }
  if (arguments.has("ca-file")) {
    auto ca = read_text_file(arguments.value("ca-file"), kMaxSecretBytes);
    if (!ca) return wrong("--ca-file: " + ca.error().message);
    options.tls.ca_pem = *std::move(ca);
  }
  ASSIGN_OR_RETURN(options.proxy, proxy_from_environment(options.server, [](const char* name) {
                     const char* value = std::getenv(name);
                     return std::string(value ? value : "");
                   }));
  return make_httplib_client(std::move(options));
}

Result<RecordedPast> record_past(const CanaryPolicySpec& policy, const PastWish& wish,
                                 HttpClient& http, const Clock& clock, bool with_text) {
  PastRecorder recorder(wish, http, clock, with_text);
  ASSIGN_OR_RETURN(const auto revisions, recorder.revisions(policy));
  const auto questions = past_questions(policy, wish.release, revisions);
  const double points = std::chrono::duration<double>(wish.span.to - wish.span.from) / wish.step;
  if (points / kPointsAQuery * static_cast<double>(questions.size()) > kMaxPastQueries)
    return wrong(
        fmt::format("more than {} queries would be needed: choose a shorter time or a "
                    "wider --step",
                    kMaxPastQueries));
  for (const auto& part : parts_of(wish.span, wish.step))
    for (const auto& question : questions)
      if (auto done = recorder.record(question, part); !done) return done.error();
  return recorder.finish();
}

}  // namespace weir
