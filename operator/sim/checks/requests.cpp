// No release costs a request.
#include <fmt/format.h>

#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

class RequestsCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& /*write*/) override { look(); }
  void at_end() override { look(); }

 private:
  void look() const {
    for (const auto& [service, lost] : court_.world.callers().lost()) {
      if (lost >= 1)
        court_.fail("no request is lost",
                    fmt::format("{:.0f} to {} found no ready pod", lost, service));
    }
  }
};

}  // namespace

std::unique_ptr<Check> check_requests(const Court& court) {
  return std::make_unique<RequestsCheck>(court);
}

}  // namespace weir::sim
