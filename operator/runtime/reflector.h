// The list/watch protocol as a passive state machine: it is told what came, it says what to do next. No thread, no sleep, no I/O;
// the shell is watch_loop.h. After kube-rs' watcher and client-go's Reflector.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "kube/api_client.h"

namespace weir {

// Where the objects go. Called from the reflector's thread only.
class ObjectSink {
 public:
  virtual ~ObjectSink() = default;
  virtual void put(const Json& object) = 0;    // ADDED, MODIFIED
  virtual void erase(const Json& object) = 0;  // DELETED
  // A list comes in pages, which readers do not see until it is whole: then what came is all there is.
  virtual void put_page(std::vector<Json> objects) = 0;
  virtual void replace_all(const std::string& resource_version) = 0;
  virtual void drop_pages() = 0;  // the list begins anew
};

// Not thread-safe. `sink` and `random` must outlive it.
class Reflector {
 public:
  struct Next {
    enum class Do { List, Watch, Wait } what = Do::List;
    std::string position{};  // List: continue token; Watch: resourceVersion
    SteadyTime until{};      // Wait
  };

  Reflector(ObjectSink& sink, Random& random) : sink_(sink), random_(random) {}

  Next next(SteadyTime now) const;

  void on_page(Result<ListPage> page, SteadyTime now);
  // One watch event as text; false: close the connection (an ERROR event, or a line that cannot be read).
  bool on_line(std::string_view line, SteadyTime now);
  // The same, once it is read.
  bool on_event(const Json& event, SteadyTime now);
  void on_closed(const Result<void>& how, SteadyTime now);

  // Not synced any more: list anew. The store stays as it is until the whole of that list has come.
  void refresh();

  // A whole list has been seen; the store may be trusted.
  bool synced() const { return synced_; }
  const std::string& last_error() const { return last_error_; }

 private:
  void fail(const Error& error, SteadyTime now);
  void relist();
  void apply(const std::string& type, const Json& object);

  ObjectSink& sink_;
  Random& random_;
  std::string next_page_;
  std::string resource_version_;  // "" = list first
  bool synced_ = false;
  bool progress_ = false;  // something came on this connection
  SteadyTime heard_{};     // when it last did, or when the connection before it ended
  int failures_ = 0;
  SteadyTime not_before_{};
  std::string last_error_;
};

}  // namespace weir
