// Commands run as main runs them, against a server on loopback that answers like an API server.
#pragma once

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "api/release.h"
#include "base/json.h"
#include "base/mutex.h"
#include "cli/command.h"
#include "unit/kube_test_support.h"
#include "unit/net_test_support.h"

namespace weir::cli_test {

struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

struct Terminal {
  int columns = 0;
  bool colour = false;
};

Ran run(const std::vector<std::string>& words, const std::string& input = "",
        const Terminal& terminal = {});

// Releases of namespace "shop" behind a kubeconfig.
class FakeCluster {
 public:
  FakeCluster();

  void set_releases(const std::vector<Json>& releases);
  void set_policy(const Json& policy);
  // The next watch says these lines and ends; the ones after them end at once with nothing new.
  void will_say(std::vector<std::string> lines);
  void refuse_all(int status, const std::string& body);
  int watches() const;
  const std::string& kubeconfig() const { return kubeconfig_; }

  // Runs with --kubeconfig.
  Ran run(std::vector<std::string> words, const Terminal& terminal = {}) const;

 private:
  void answer_collection(const httplib::Request& request, httplib::Response& response);
  void answer_object(const Json& objects, const std::string& name, httplib::Response& response);

  mutable Mutex mutex_;
  Json releases_ GUARDED_BY(mutex_);
  Json policies_ GUARDED_BY(mutex_);
  std::vector<std::vector<std::string>> streams_ GUARDED_BY(mutex_){};
  int watches_ GUARDED_BY(mutex_) = 0;
  int refused_status_ GUARDED_BY(mutex_) = 0;
  std::string refused_body_ GUARDED_BY(mutex_){};
  kube_test::TempFolder folder_;
  net_test::TestServer server_;
  std::string kubeconfig_;
};

// In the middle of a release: 9j5 has 25 %, fbn the rest; with a judgement and an older rollback.
Json progressing_release();
// What its spec names.
Json standard_policy();
// The same with another phase and message.
Json with_phase(Json release, const std::string& phase, const std::string& message);
// As a watch event.
std::string event(const std::string& type, const Json& release);

// 2026-11-21T14:42:45Z, when the judgement of progressing_release is 5 s old.
WallTime story_time();

}  // namespace weir::cli_test
