// The API server over HTTP, for kubectl and the contract suite. No authentication: it must listen on loopback only.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "net/http_server.h"
#include "sim/server/api_server.h"
#include "sim/server/http_request.h"

namespace weir::sim {

// Thread-safe: one mutex around the passive server. `server` and `clock` must outlive it and all that it answers. `clock` tells the
// time of day of the objects, and may run at another speed than the machine's, by which watches wait.
class HttpFront {
 public:
  HttpFront(ApiServer& server, const Clock& clock) : server_(server), clock_(clock) {}

  HttpReply handle(const ServedRequest& request);

  // For a world that shares the server: watchers see at once what it does.
  void with_server(const std::function<void(ApiServer&)>& act);

 private:
  struct Watch;  // one open stream
  struct Line;   // one event of it

  void has_changed() REQUIRES(mutex_);
  HttpReply act(const Target& target, const ServedRequest& request) REQUIRES(mutex_);
  HttpReply read(const Target& target, const ServedRequest& request) REQUIRES(mutex_);
  HttpReply list(const Target& target, const ServedRequest& request) REQUIRES(mutex_);
  HttpReply write(const Target& target, const ServedRequest& request) REQUIRES(mutex_);
  HttpReply remove(const Target& target, const ServedRequest& request) REQUIRES(mutex_);
  HttpReply remove_all(const Target& target, const ServedRequest& request) REQUIRES(mutex_);

  // http_watch.cpp
  HttpReply watch(const Target& target, const ServedRequest& request) REQUIRES(mutex_);
  void begin(Watch& watch) REQUIRES(mutex_);
  std::vector<Line> next_lines(Watch& watch, const std::stop_token& stop);
  void stream(Watch& watch, const HttpSink& sink, const std::stop_token& stop);
  std::string render(Watch& watch, const Line& line) const;
  std::string bookmark(const Watch& watch, std::uint64_t version, bool initial_end) const;

  ApiServer& server_ GUARDED_BY(mutex_);
  const Clock& clock_;
  const SystemClock machine_{};
  Mutex mutex_;
  std::condition_variable_any changed_;
};

}  // namespace weir::sim
