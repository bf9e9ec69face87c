// A hand-turned clock, a scripted HttpClient and a folder for files, for the tests of kube/.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/random.h"
#include "net/http.h"

namespace weir::kube_test {

class FakeClock final : public Clock {
 public:
  WallTime now() const override { return WallTime(seconds(1'800'000'000)) + elapsed_; }
  SteadyTime monotonic() const override { return SteadyTime(std::chrono::hours(1)) + elapsed_; }
  void advance(milliseconds span) { elapsed_ += span; }

 private:
  milliseconds elapsed_{0};
};

class NoJitter final : public Random {
 public:
  double uniform() override { return 0; }
};

// Answers requests in the order of its script and remembers them.
class FakeHttpClient final : public HttpClient {
 public:
  struct Stream {
    Result<HttpResponse> end;
    std::vector<std::string> slices{};
    std::function<void()> meanwhile{};  // called before the slices are delivered
  };

  Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline) override;
  Result<HttpResponse> stream(const HttpRequest& request, const OnBytes& on_bytes,
                              milliseconds idle_limit, const std::stop_token& stop) override;

  void will_answer(int status, std::string body = "{}",
                   std::map<std::string, std::string> headers = {});
  void will_fail(ErrorKind kind);

  std::vector<Result<HttpResponse>> script{};
  std::vector<Stream> streams{};
  std::vector<HttpRequest> requests{};
  std::vector<milliseconds> idle_limits{};
};

// A folder that is removed with all its files.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string write(const std::string& name, const std::string& content) const;  // its path
  void remove(const std::string& name) const;

 private:
  std::string path_;
};

}  // namespace weir::kube_test
