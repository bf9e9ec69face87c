#include "cli/demo_story.h"

#include <fmt/format.h>

#include <optional>
#include <ostream>
#include <stop_token>

#include "api/codec.h"
#include "base/wait.h"
#include "cli/watch_printer.h"
#include "kube/kinds.h"
#include "sim/inputs.h"

namespace weir {
namespace {

constexpr milliseconds kLook{50};          // between two looks at the release
constexpr milliseconds kLongest{120'000};  // of one part of the story, in real time

// One release, watched by a person.
class Story {
 public:
  Story(const Streams& streams, sim::LiveWorld& world)
      : streams_(streams), world_(world) {}

  bool tell() {
    say("A policy (5 → 25 → 50 → 100 %, at most 5 % errors) and the first version of a shop.");
    world_.front().with_server([](sim::ApiServer& server) {
      sim::create_policy(server, 3);
      sim::create_release(server, "shop", "good-0", 4);
    });
    if (!watch_until(Phase::Healthy)) return false;
    say("A good version: it earns its traffic step by step.");
    set_image("good-1");
    if (!watch_until(Phase::Healthy)) return false;
    const auto before = world_.traffic();
    say("A bad version: three of ten answers are errors.");
    set_image("bad-2");
    if (!watch_until(Phase::RolledBack)) return false;
    const auto traffic = world_.traffic();
    say(fmt::format("{:.0f} requests so far, {:.0f} lost; {:.0f} since the bad version came. Nobody was woken.",
                    traffic.requests, traffic.lost, traffic.requests - before.requests));
    return traffic.lost < 1;
  }

 private:
  static TreeLook look(const Streams& streams) {
    TreeLook look;
    look.colour = streams.colour;
    return look;
  }

  void say(const std::string& text) {
    streams_.out << "\n" << text << "\n" << std::flush;
    // What comes below is drawn anew.
    printer_.emplace(streams_, world_.clock(), look(streams_));
  }

  void set_image(const std::string& image) {
    world_.front().with_server([&](sim::ApiServer& server) {
      server.edit(kinds::kRelease, key_, [&](Json& release) {
        release["spec"]["template"]["spec"]["containers"][0]["image"] = image;
      });
    });
  }

  // The release as it stands; an error before it is there.
  Result<Release> release() {
    Result<Release> found = Error{ErrorKind::NotFound, "shop"};
    world_.front().with_server([&](sim::ApiServer& server) {
      const Json* object = server.find(kinds::kRelease, key_);
      if (object) found = decode_release(*object);
    });
    return found;
  }

  bool watch_until(Phase phase) {
    const auto end = clock_.monotonic() + kLongest;
    while (clock_.monotonic() < end) {
      const auto now = release();
      if (now) printer_->show(*now);
      if (now && now->status.phase == phase &&
          now->status.observed_generation == now->meta.generation)
        return true;
      wait_until(clock_.monotonic() + kLook, {});
    }
    streams_.err << "weir demo: this took too long\n";
    return false;
  }

  const Streams& streams_;
  sim::LiveWorld& world_;
  SystemClock clock_;
  const ObjectKey key_{std::string(sim::kNamespace), "shop"};
  std::optional<WatchPrinter> printer_;
};

}  // namespace

bool tell_demo(const Streams& streams, sim::LiveWorld& world) {
  return Story(streams, world).tell();
}

}  // namespace weir
