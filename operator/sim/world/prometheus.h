#pragma once

#include <map>
#include <string>

#include "net/http.h"
#include "sim/world/callers.h"

namespace weir::sim {

// Prometheus as far as Weir's own provider asks it: instant and range queries of the counters
//   bad{service="…"}   total{service="…"}   lag{service="…"}
// with the timestamps of their scrape. It answers wrongly as the world's faults say.
class Prometheus final : public HttpClient {
 public:
  Prometheus(const Scene& scene, const Callers& callers) : scene_(scene), callers_(callers) {}

  void go_away(bool away) { away_ = away; }

  // When the newest counters of a Service that were told to anybody had been scraped; 0 = none yet.
  SimTime told(const std::string& service) const {
    const auto found = told_.find(service);
    return found == told_.end() ? SimTime(0) : found->second;
  }

  Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline) override;
  Result<HttpResponse> stream(const HttpRequest& request, const OnBytes& on_bytes,
                              milliseconds idle_limit, const std::stop_token& stop) override;

 private:
  std::string answer(const std::string& query);
  std::string answer_range(const std::string& form);

  const Scene& scene_;
  const Callers& callers_;
  bool away_ = false;
  std::map<std::string, SimTime> told_;
};

}  // namespace weir::sim
