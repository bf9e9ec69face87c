#include "stats/dispersion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace weir {
namespace {

constexpr double kDeviations = 4;
constexpr double kMargin = 2;

}  // namespace

Result<void> Dispersion::add(const Counts& counts, double seconds) {
  if (auto checked = check_counts("stable", counts); !checked) return checked;
  if (!(seconds > 0 && std::isfinite(seconds)))
    return Error{ErrorKind::Invalid,
                 fmt::format("seconds is {:g}: allowed is a finite number above 0", seconds)};
  block_.bad += counts.bad;
  block_.total += counts.total;
  block_seconds_ += seconds;
  if (block_seconds_ >= kBlockSeconds) {
    add_block(block_);
    block_ = {};
    block_seconds_ = 0;
  }
  return {};
}

void Dispersion::add_block(const Counts& block) {
  Counts sum = block;
  for (auto& scale : scales_) {
    if (!scale.first) {
      scale.first = sum;
      return;
    }
    compare(scale, *scale.first, sum);
    sum = {scale.first->bad + sum.bad, scale.first->total + sum.total};
    scale.first.reset();
  }
}

void Dispersion::compare(Scale& scale, const Counts& first, const Counts& second) {
  const double bad = first.bad + second.bad;
  if (bad <= 0 || first.total <= 0 || second.total <= 0) return;
  const double share = first.total / (first.total + second.total);
  const double unit = share * (1 - share);
  const double off = first.bad - bad * share;
  scale.squares += off * off / unit;
  scale.bad += bad;
  scale.variance += 2 * bad * bad - 6 * bad + bad / unit;  // of a squared binomial deviation
}

double Dispersion::value() const {
  double largest = 1;
  for (const auto& scale : scales_) {
    const double excess = scale.squares - scale.bad;
    if (excess <= 0 || excess < kDeviations * std::sqrt(scale.variance)) continue;
    largest = std::max(largest, kMargin * scale.squares / scale.bad);
  }
  return largest;
}

}  // namespace weir
