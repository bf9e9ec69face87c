#include "sim/live_world.h"

#include "base/wait.h"
#include "sim/inputs.h"
#include "sim/operators.h"

namespace weir::sim {
namespace {

constexpr milliseconds kTick{20};  // of real time

}  // namespace

class LiveWorld::Parts {
 public:
  explicit Parts(double speed)
      : speed_(speed),
        clock_(machine_.now()),
        server_(clock_),
        front_(server_, clock_),
        stage_(clock_),
        random_(1),
        world_(server_, stage_, random_, options_, faults_.world),
        network_{server_, stage_, random_, faults_, in_flight_, planned_, author_, Bug::None},
        operators_(network_, world_, 1) {
    server_.on_write([this](const ObjectRef& ref, const Json&, const Json&) {
      world_.note(ref.plural);
    });
    for (const auto* name : {"default", "kube-system"}) server_.add_namespace(name);
    server_.add_namespace(std::string(kNamespace));
  }

  void run(const std::stop_token& stop) {
    const auto begun = machine_.monotonic();
    while (!stop.stop_requested()) {
      const auto real = std::chrono::duration<double>(machine_.monotonic() - begun).count();
      const SimTime end(static_cast<std::int64_t>(real * speed_ * 1e6));
      front_.with_server([&](ApiServer&) { stage_.run_until(end); });
      wait_until(machine_.monotonic() + kTick, stop);
    }
  }

  HttpFront& front() { return front_; }
  const Clock& clock() const { return clock_; }

  Traffic traffic() {
    Traffic traffic;
    front_.with_server([&](ApiServer&) {
      traffic.requests = world_.callers().requests();
      for (const auto& [service, lost] : world_.callers().lost()) traffic.lost += lost;
    });
    return traffic;
  }

 private:
  const double speed_;
  SystemClock machine_;
  SimClock clock_;
  ApiServer server_;
  HttpFront front_;
  Stage stage_;
  SeededRandom random_;
  WorldOptions options_;
  FaultOptions faults_;
  World world_;
  InFlight in_flight_;
  PlannedFault planned_;
  Author author_;
  Network network_;
  Operators operators_;
};

LiveWorld::LiveWorld(double speed) : parts_(std::make_unique<Parts>(speed)) {}
LiveWorld::~LiveWorld() = default;

void LiveWorld::run(const std::stop_token& stop) { parts_->run(stop); }
HttpFront& LiveWorld::front() { return parts_->front(); }
const Clock& LiveWorld::clock() const { return parts_->clock(); }
Traffic LiveWorld::traffic() { return parts_->traffic(); }

}  // namespace weir::sim
