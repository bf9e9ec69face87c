#include "cli/demo_story.h"

#include <fmt/format.h>

#include <optional>
#include <ostream>

#include "api/codec.h"
#include "base/deadline.h"
#include "base/wait.h"
#include "cli/outcome.h"
#include "cli/watch_printer.h"
#include "kube/kinds.h"
#include "sim/inputs.h"

namespace weir {
namespace {

constexpr milliseconds kLook{20};          // of real time, between two looks at the release
constexpr milliseconds kLongest{120'000};  // of simulated time, for one version
constexpr milliseconds kAftermath{2'000};  // until the last requests are counted

// One release, watched by a person.
class Story {
 public:
  Story(const Streams& streams, sim::LiveWorld& world)
      : streams_(streams), world_(world), key_{std::string(sim::kNamespace), "shop"} {
    world_.front().with_server([this](sim::ApiServer& server) { version_ = server.version(); });
  }

  Result<void> tell() {
    say("A simulated cluster with 200 requests a second, and Weir's own reconcilers. The policy: 5 "
        "→ 25 → 50 → 100 %, at most 5 % errors.\n"
        "The first version of a shop: nobody serves yet, so that it gets everything at once.");
    ASSIGN_OR_RETURN(const auto first, ends_with(exit_code::kOk));
    say("A good version: it earns its traffic step by step.");
    ASSIGN_OR_RETURN(const auto good, release("good-1", exit_code::kOk));
    if (good == first) return wrong("the good version does not serve");
    say("A bad version: three of ten answers are errors.");
    ASSIGN_OR_RETURN(const auto stable, release("bad-2", exit_code::kRolledBack));
    if (stable != good) return wrong("the good version does not serve any more");
    return count();
  }

 private:
  static Error wrong(std::string what) { return {ErrorKind::Internal, std::move(what)}; }

  void say(std::string_view text) {
    streams_.out << "\n" << text << "\n" << std::flush;
    // What comes below is drawn anew.
    printer_.emplace(streams_, world_.clock(), TreeLook{false, streams_.colour, false});
  }

  Result<std::string> release(const std::string& image, int outcome) {
    world_.front().with_server([&](sim::ApiServer& server) {
      // What came before, unseen, is about another version.
      version_ = server.version();
      server.edit(kinds::kRelease, key_, [&](Json& release) {
        release["spec"]["template"]["spec"]["containers"][0]["image"] = image;
      });
    });
    return ends_with(outcome);
  }

  // Shows every change until the release goes nowhere by itself; the stable revision then.
  Result<std::string> ends_with(int outcome) {
    const auto deadline = Deadline::after(world_.clock(), kLongest);
    for (bool late = false; !late;) {
      // Before the news, which are of until then.
      late = deadline.left(world_.clock()) == milliseconds(0);
      if (const auto failure = world_.failure()) return wrong(*failure);
      ASSIGN_OR_RETURN(const auto changes, news());
      for (const auto& object : changes) {
        ASSIGN_OR_RETURN(const auto release, decode_release(*object));
        // A change of the spec shows what was before it until the operator has seen it.
        if (release.status.observed_generation < release.meta.generation) continue;
        printer_->show(release);
        const auto ended = outcome_of(release);
        if (ended && *ended != outcome) return wrong("the release should not end so");
        if (ended) return release.status.stable ? release.status.stable->revision : "";
      }
      wait_until(machine_.monotonic() + kLook, {});
    }
    return wrong(
        fmt::format("the release did not end within {} simulated seconds", kLongest / seconds(1)));
  }

  // The states of the release since the last look.
  Result<std::vector<sim::Stored>> news() {
    std::vector<sim::Stored> objects;
    Result<void> read{};
    world_.front().with_server([&](sim::ApiServer& server) {
      const auto events = server.since(version_, kinds::kRelease);
      if (!events) read = events.error();
      if (!events) return;
      for (const auto* event : *events)
        if (event->ref.key == key_) objects.push_back(event->object);
      version_ = server.version();
    });
    if (!read) return read.error();
    return objects;
  }

  Result<void> count() {
    const auto end = Deadline::after(world_.clock(), kAftermath);
    while (end.left(world_.clock()) > milliseconds(0) && !world_.failure())
      wait_until(machine_.monotonic() + kLook, {});
    const auto traffic = world_.traffic();
    say(fmt::format(
        "{:.0f} requests: {:.0f} lost, {:.0f} answered with an error. Nobody was woken.\n"
        "`weir demo --serve` is the same world for your own kubectl.",
        traffic.all, traffic.lost, traffic.errors));
    if (traffic.lost > 0) return wrong("requests were lost");
    return {};
  }

  const Streams& streams_;
  sim::LiveWorld& world_;
  const SystemClock machine_{};
  const ObjectKey key_;
  std::optional<WatchPrinter> printer_{};
  std::uint64_t version_ = 0;  // seen
};

}  // namespace

Result<void> tell_demo(const Streams& streams, sim::LiveWorld& world) {
  return Story(streams, world).tell();
}

}  // namespace weir
