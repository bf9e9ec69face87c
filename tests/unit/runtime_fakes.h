// A scripted API server, a small typed object and captured logs, for the tests of runtime/.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "base/wait.h"
#include "kube/api_client.h"
#include "kube/kinds.h"
#include "unit/kube_test_support.h"

namespace weir::runtime_test {

using kube_test::FakeClock;
using kube_test::NoJitter;

inline Json object(const std::string& name, const std::string& version) {
  return Json{{"metadata",
               {{"namespace", "ns"},
                {"name", name},
                {"uid", "uid-" + name},
                {"resourceVersion", version}}}};
}

inline std::string event_line(const std::string& type, const Json& object) {
  return dump_json(Json{{"type", type}, {"object", object}});
}

// What the tests' stores hold.
struct Thing {
  struct Meta {
    ObjectKey key{};
    std::string uid{};
    std::string resource_version{};
  };
  Meta meta{};
  std::string group{};
};

inline std::shared_ptr<const Thing> thing(const std::string& name, const std::string& version,
                                          const std::string& group = "") {
  return std::make_shared<const Thing>(Thing{{{"ns", name}, "uid-" + name, version}, group});
}

// Answers from scripts and remembers what was asked. Thread-safe.
class FakeApi final : public ApiClient {
 public:
  struct Call {
    std::string what{};  // "create Service"
    ObjectKey key{};
    Json body{};
    std::string detail{};  // of a patch its subresource, of a deletion the uid, "dry run"
    Patch::Type type{};
    SteadyTime deadline{};  // of get, create, patch and delete
  };
  using Watcher =
      std::function<Result<void>(const WatchRequest&, const OnLine&, const std::stop_token&)>;

  // The next such call fails; "patch Release" and the like.
  void will_fail(const std::string& what, Error error) {
    Lock lock(mutex_);
    errors_[what].push_back(std::move(error));
  }
  void exists(const Kind& kind, Json object) {
    Lock lock(mutex_);
    existing_[std::string(kind.name)] = std::move(object);
  }
  void will_list(Result<ListPage> page) {
    Lock lock(mutex_);
    pages_.push_back(std::move(page));
  }
  // Set before threads start. Without it a watch is silent until stop.
  void on_watch(Watcher watcher) { watcher_ = std::move(watcher); }

  std::vector<Call> calls() const {
    Lock lock(mutex_);
    return calls_;
  }
  std::vector<std::string> whats() const {
    std::vector<std::string> result;
    for (const auto& call : calls()) result.push_back(call.what);
    return result;
  }

  Result<Json> get(const Kind& kind, const ObjectKey& key, const Deadline& deadline) override {
    return answer(kind, {"get", key, Json(), "", {}, deadline.at()});
  }
  Result<ListPage> list(const Kind& kind, const Selection&, const std::string& next,
                        const Deadline&) override {
    Lock lock(mutex_);
    calls_.push_back({"list " + std::string(kind.name), {}, Json(), next, {}});
    if (pages_.empty()) return ListPage{{}, "1", ""};
    auto page = std::move(pages_.front());
    pages_.pop_front();
    return page;
  }
  Result<Json> create(const Kind& kind, const std::string& ns, const Json& object, bool dry_run,
                      const Deadline& deadline) override {
    const ObjectKey key{ns, json_text(object, {"metadata", "name"})};
    return answer(kind, {"create", key, object, dry_run ? "dry run" : "", {}, deadline.at()});
  }
  Result<Json> patch(const Kind& kind, const ObjectKey& key, const Patch& patch,
                     const Deadline& deadline) override {
    return answer(kind, {"patch", key, *parse_json(patch.body), patch.subresource, patch.type,
                         deadline.at()});
  }
  Result<void> remove(const Kind& kind, const ObjectKey& key, const std::string& uid,
                      const Deadline& deadline) override {
    auto removed = answer(kind, {"delete", key, Json(), uid, {}, deadline.at()});
    if (!removed) return std::move(removed).error();
    return {};
  }
  Result<void> watch(const WatchRequest& request, const OnLine& on_line,
                     const std::stop_token& stop) override {
    {
      Lock lock(mutex_);
      calls_.push_back(
          {"watch " + std::string(request.kind.name), {}, Json(), request.resource_version, {}});
    }
    if (watcher_) return watcher_(request, on_line, stop);
    wait_until(SteadyTime::max(), stop);
    return Error{ErrorKind::Shutdown, "stop requested"};
  }

 private:
  // The object that exists, else what was sent, at version 100.
  Result<Json> answer(const Kind& kind, Call call) {
    call.what += " " + std::string(kind.name);
    Lock lock(mutex_);
    calls_.push_back(call);
    auto& errors = errors_[call.what];
    if (!errors.empty()) {
      Error error = std::move(errors.front());
      errors.pop_front();
      return error;
    }
    if (call.what.starts_with("get ")) {
      const auto found = existing_.find(std::string(kind.name));
      if (found == existing_.end()) return Error{ErrorKind::NotFound, "not there"};
      return found->second;
    }
    Json object = call.body.is_object() ? call.body : Json::object();
    object["metadata"]["resourceVersion"] = "100";
    return object;
  }

  Watcher watcher_;
  mutable Mutex mutex_;
  std::vector<Call> calls_ GUARDED_BY(mutex_);
  std::map<std::string, std::deque<Error>> errors_ GUARDED_BY(mutex_);
  std::map<std::string, Json> existing_ GUARDED_BY(mutex_);
  std::deque<Result<ListPage>> pages_ GUARDED_BY(mutex_);
};

// Keeps log lines for as long as it lives.
class CapturedLogs {
 public:
  CapturedLogs() {
    set_log_sink([this](LogLevel level, std::string_view line) {
      Lock lock(mutex_);
      lines_.push_back(std::string(to_string(level)) + " " + std::string(line));
    });
  }
  ~CapturedLogs() { set_log_sink({}); }
  CapturedLogs(const CapturedLogs&) = delete;
  CapturedLogs& operator=(const CapturedLogs&) = delete;

  int count(const std::string& text) const {
    Lock lock(mutex_);
    int found = 0;
    for (const auto& line : lines_) found += line.find(text) != std::string::npos ? 1 : 0;
    return found;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> lines_ GUARDED_BY(mutex_);
};

// Waits, from another thread, until something is so; false after half a minute, to fail instead of hanging.
template <typename Condition>
bool eventually(Condition condition) {
  const std::stop_source never;
  const SystemClock clock;
  const auto give_up = clock.monotonic() + seconds(30);
  while (!condition()) {
    if (clock.monotonic() > give_up) return false;
    wait_until(clock.monotonic() + milliseconds(2), never.get_token());
  }
  return true;
}

}  // namespace weir::runtime_test
