#include "sim/live_world.h"

#include <cmath>
#include <thread>

#include "base/wait.h"
#include "sim/inputs.h"
#include "sim/operators.h"

namespace weir::sim {
namespace {

using RealSeconds = std::chrono::duration<double>;

constexpr milliseconds kTick{20};
constexpr seconds kLongestTick{1};  // after the machine has slept the world goes on where it stood
constexpr int kHoldSeconds = 3;
constexpr int kReplicas = 4;

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
    server_.on_write(
        [this](const ObjectRef& ref, const Json&, const Json&) { world_.note(ref.plural); });
    for (const auto name :
         {std::string_view("default"), std::string_view("kube-system"), kNamespace})
      server_.add_namespace(std::string(name));
    create_policy(server_, {kHoldSeconds, false});
    create_release(server_, "shop", "good-0", kReplicas);
    time_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  HttpFront& front() { return front_; }
  const Clock& clock() const { return clock_; }

  Traffic traffic() {
    Traffic traffic;
    front_.with_server([&](ApiServer&) {
      const auto& callers = world_.callers();
      traffic.all = callers.requests();
      for (const auto& [service, counters] : callers.scraped().counters)
        traffic.errors += counters.bad;
      for (const auto& [service, lost] : callers.lost()) traffic.lost += std::floor(lost);
    });
    return traffic;
  }

  std::optional<std::string> failure() const {
    Lock lock(mutex_);
    return failure_;
  }

 private:
  void run(const std::stop_token& stop) {
    try {
      auto last = machine_.monotonic();
      while (!stop.stop_requested()) {
        wait_until(last + kTick, stop);
        const auto now = machine_.monotonic();
        pass(std::min<RealSeconds>(now - last, kLongestTick));
        last = now;
      }
    } catch (const std::exception& e) {
      Lock lock(mutex_);
      failure_ = e.what();
    }
  }

  void pass(RealSeconds span) {
    const auto simulated = std::chrono::duration_cast<SimTime>(span * speed_);
    front_.with_server([&](ApiServer&) { stage_.pass(simulated); });
  }

  const double speed_;
  const SystemClock machine_{};
  SimClock clock_;
  // From here on: through front_ only, once time passes.
  ApiServer server_;
  HttpFront front_;
  Stage stage_;
  SeededRandom random_;
  const WorldOptions options_{};
  const FaultOptions faults_{};
  World world_;
  InFlight in_flight_;
  PlannedFault planned_;
  Author author_;
  Network network_;
  Operators operators_;
  mutable Mutex mutex_;
  std::optional<std::string> failure_ GUARDED_BY(mutex_){};
  std::jthread time_;  // last: it must end before the rest goes
};

LiveWorld::LiveWorld(double speed) : parts_(std::make_unique<Parts>(speed)) {}
LiveWorld::~LiveWorld() = default;

HttpFront& LiveWorld::front() { return parts_->front(); }
const Clock& LiveWorld::clock() const { return parts_->clock(); }
Traffic LiveWorld::traffic() { return parts_->traffic(); }
std::optional<std::string> LiveWorld::failure() const { return parts_->failure(); }

}  // namespace weir::sim
