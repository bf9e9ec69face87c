#include "cli/backtest_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "base/time_format.h"
#include "cli/policy_file.h"

namespace weir {
namespace {

constexpr double kWidth = 760;
constexpr double kHeight = 170;
constexpr double kLeft = 52;  // of the plot, for the scale
constexpr double kTop = 10;
constexpr double kBottom = 22;
constexpr double kLeastScale = 0.001;  // of the share of bad answers
constexpr double kHeadroom = 1.1;

constexpr std::string_view kHead = R"html(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Weir backtest</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
body{color:#1c2330;background:#fff}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2.2rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #d5dae2}
th,td{vertical-align:top}svg{width:100%;height:auto}
svg text{font:11px system-ui,sans-serif;fill:#5b6675}.words{color:#5b6675}.warning{color:#8a4b00}
.canary{stroke:#c2410c}.stable{stroke:#1d4ed8}.evidence{stroke:#7c3aed}
.line{fill:none;stroke-width:1.6}.weight{fill:#e2e8f0}.axis{stroke:#b6bfcc}
.decided{stroke:#111827;stroke-dasharray:4 3}
b.canary{color:#c2410c}b.stable{color:#1d4ed8}b.evidence{color:#7c3aed}
</style></head><body>
)html";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += c;
    }
  }
  return result;
}

double seconds_between(WallTime from, WallTime to) {
  return std::chrono::duration<double>(to - from).count();
}

std::optional<double> share(const Counts& counts) {
  return counts.total > 0 ? std::optional(counts.bad / counts.total) : std::nullopt;
}

// One plot over the time of a release.
class Plot {
 public:
  Plot(const ReplayedRelease& release, double top_of_scale, std::string label)
      : points_(release.points),
        from_(release.past.from),
        seconds_(std::max(1.0, seconds_between(from_, release.points.back().at))),
        scale_(top_of_scale),
        label_(std::move(label)) {}

  double x(WallTime at) const {
    return kLeft + (kWidth - kLeft) * seconds_between(from_, at) / seconds_;
  }
  double y(double value) const {
    return kTop + (kHeight - kTop - kBottom) * (1 - std::clamp(value / scale_, 0.0, 1.0));
  }

  static void begin(std::string& html) {
    html += fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">\n", kWidth, kHeight);
  }

  // The policy's weight as steps behind everything.
  void weights(std::string& html) const {
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const double left = i == 0 ? kLeft : x(points_[i - 1].at);
      const double top = y(scale_ * points_[i].weight / 100);
      if (points_[i].weight > 0)
        html += fmt::format(
            "<rect class=\"weight\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.2f}\" "
            "height=\"{:.1f}\"/>",
            left, top, x(points_[i].at) - left + 0.3, y(0) - top);
    }
    html += "\n";
  }

  // Broken where there is no value.
  void line(std::string& html, std::string_view name,
            const std::function<std::optional<double>(const ReplayPoint&)>& value) const {
    std::string path;
    bool pen_down = false;
    for (const auto& point : points_) {
      const auto at = value(point);
      if (at) path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", x(point.at), y(*at));
      pen_down = at.has_value();
    }
    if (!path.empty()) html += fmt::format("<path class=\"line {}\" d=\"{}\"/>\n", name, path);
  }

  void end(std::string& html, const ReplayedRelease& release) const {
    const double at = x(std::min(release.decided, points_.back().at));
    html += fmt::format(
        "<line class=\"decided\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2:.1f}\"/>\n", at,
        kTop, y(0));
    html +=
        fmt::format("<line class=\"axis\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>\n",
                    kLeft, kWidth, y(0));
    html += fmt::format("<text x=\"0\" y=\"{}\">{}</text><text x=\"0\" y=\"{:.1f}\">0</text>",
                        kTop + 8, label_, y(0));
    html +=
        fmt::format("<text x=\"{}\" y=\"{}\">{}</text>", kLeft, kHeight - 6, format_time(from_));
    html += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">+{}</text></svg>\n", kWidth,
                        kHeight - 6, rough_duration(seconds_));
  }

 private:
  const std::vector<ReplayPoint>& points_;
  WallTime from_;
  double seconds_;
  double scale_;
  std::string label_;  // of the top of the scale
};

void add_charts(std::string& html, const ReplayedRelease& release) {
  if (release.points.empty()) return;
  double most = kLeastScale;
  for (const auto& point : release.points)
    most = std::max({most, share(point.canary).value_or(0), share(point.stable).value_or(0)});
  const double scale = std::min(1.0, most * kHeadroom);
  const Plot shares(release, scale, fmt::format("{:.3g}%", scale * 100));
  Plot::begin(html);
  shares.weights(html);
  shares.line(html, "stable", [](const ReplayPoint& point) { return share(point.stable); });
  shares.line(html, "canary", [](const ReplayPoint& point) { return share(point.canary); });
  shares.end(html, release);
  const Plot evidence(release, 1, "breach");
  Plot::begin(html);
  const auto decided = release.decided;
  evidence.line(html, "evidence", [decided](const ReplayPoint& point) {
    return point.at <= decided ? std::optional(point.evidence) : std::nullopt;
  });
  evidence.end(html, release);
}

void add_release(std::string& html, const ReplayedRelease& release) {
  const auto& past = release.past;
  html += fmt::format("<h2>{} → {}, {}</h2>\n", escaped(past.stable), escaped(past.canary),
                      format_time(past.from));
  html += fmt::format(
      "<p>Recorded: {} after {}. The policy: <b>{}</b>.</p>\n", to_string(past.ending),
      rough_duration(seconds_between(past.from, past.until)), escaped(decision_text(release)));
  if (!release.message.empty())
    html += fmt::format("<p class=\"words\">{}</p>\n", escaped(release.message));
  add_charts(html, release);
}

void add_table(std::string& html, const Backtest& result) {
  html += "<table><tr><th>Release<th>Began<th>Recorded<th>Canary's bad<th>The policy</tr>\n";
  for (const auto& release : result.releases)
    html += fmt::format("<tr><td>{} → {}<td>{}<td>{}<td>{:.0f} of {:.0f}<td>{}</tr>\n",
                        escaped(release.past.stable), escaped(release.past.canary),
                        format_time(release.past.from), to_string(release.past.ending),
                        release.canary.bad, release.canary.total, escaped(decision_text(release)));
  html += "</table>\n";
}

}  // namespace

std::string decision_text(const ReplayedRelease& release) {
  const auto after = rough_duration(seconds_between(release.past.from, release.decided));
  switch (release.ending) {
    case Ending::Promoted: return fmt::format("promoted after {}", after);
    case Ending::RolledBack: {
      auto text = fmt::format("taken back after {} at {} % by {}", after, release.weight,
                              release.objective);
      if (release.bad_after > 0)
        text += fmt::format(", {:.0f} bad answers less", release.bad_after);
      return text;
    }
    case Ending::AwaitsPerson:
      return fmt::format("waits for a person at {} % from {} on", release.weight, after);
    case Ending::UnderWay: break;
  }
  return fmt::format("at {} % after {}, when the recording ends", release.weight, after);
}

namespace {

// Two digits are enough, and whole numbers from 10 on.
std::string rough_number(double number) {
  return number < 10 ? fmt::format("{:.2g}", number) : fmt::format("{:.0f}", number);
}

}  // namespace

std::string trials_text(const Backtest& result) {
  const auto& trials = result.itself;
  if (trials.trials == 0) return "";
  const double hits = static_cast<double>(trials.taken_back.size());
  return fmt::format(
      "stable against itself (every other {}): {:.0f} of {} releases taken back, {}% at most "
      "(95 % sure); false rollbacks a year, with {} releases: {}, at most {}",
      trials.by_instance ? "instance" : "point of time", hits, trials.trials,
      rough_number(trials.share_at_most * 100), rough_number(result.releases_a_year),
      rough_number(hits / trials.trials * result.releases_a_year),
      rough_number(trials.share_at_most * result.releases_a_year));
}

std::string backtest_html(std::string_view policy, const Backtest& result) {
  std::string html(kHead);
  html += fmt::format("<h1>{} over {} to {}</h1>\n", escaped(policy), format_time(result.from),
                      format_time(result.to));
  html += fmt::format("<p>Judged: {}; a point every {}.</p>\n",
                      escaped(fmt::format("{}", fmt::join(result.objectives, ", "))),
                      format_duration(result.step));
  for (const auto& warning : result.warnings)
    html += fmt::format("<p class=\"warning\">{}</p>\n", escaped(warning));
  add_table(html, result);
  if (const auto text = trials_text(result); !text.empty())
    html += fmt::format("<p>{}.</p>\n", escaped(text));
  for (const auto& one : result.itself.taken_back)
    html +=
        fmt::format("<p class=\"words\">{}: {} against itself: {}: {}</p>\n", format_time(one.at),
                    escaped(one.revision), escaped(one.objective), escaped(one.message));
  html +=
      "<p class=\"words\">Charts: share of bad answers of <b class=\"canary\">canary</b> and <b "
      "class=\"stable\">stable</b> over the policy's weight (grey, 0 to 100 %), and the <b "
      "class=\"evidence\">evidence</b> that is nearest to a breach (logarithm). Dashed: the "
      "policy's decision.</p>\n";
  for (const auto& release : result.releases) add_release(html, release);
  return html + "</body></html>\n";
}

}  // namespace weir
