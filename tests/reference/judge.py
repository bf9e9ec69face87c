#!/usr/bin/env python3
"""Reference values for operator/stats, by other formulas and other libraries (numpy, scipy).

Usage: judge.py > judge.json    the table that tests/unit/stats_reference_test.cpp holds the C++ against
       judge.py --check FILE    exit 1 unless FILE is that table, to nine digits

Needs numpy and scipy. Where the C++ keeps a running sum over all moments at which a bet may begin, this adds up every one of them;
where it has a closed form for the likelihood ratio of two counts, this divides probabilities of binomial and Poisson distributions.
"""

import functools
import json
import math
import sys

import numpy as np
from scipy import optimize, special, stats

EFFECTS = [1.15, 1.4, 1.8, 2.6, 4.2, 7.5, 16]
SHARES = [0.05, 0.09, 0.17, 0.2, 0.2, 0.17, 0.12]
AT_ONCE, AT_STEPS, AT_ANY_TIME, REST = 0.6, 0.15, 0.25, 150


def capital(blocks, log_growth):
    """blocks: indices of samples, or "step"; log_growth(effect, block) of one sample."""
    openings = [(0, AT_ONCE)]  # (number of blocks played before, share)
    played, steps, bad = [], 0, 0
    for block in blocks:
        if block == "step":
            if played:
                steps += 1
                openings.append((len(played), AT_STEPS / (steps * (steps + 1))))
            continue
        played.append(block)
        canary_bad = block[0][0] if isinstance(block[0], tuple) else block[0]
        if canary_bad > 0:
            n = bad + REST
            openings.append((len(played), AT_ANY_TIME * REST / (n * (n + 1))))
            bad += 1
    total = 1 - sum(share for _, share in openings)
    for effect, of_effect in zip(EFFECTS, SHARES):
        growth = [log_growth(effect, block) for block in played]
        for begin, share in openings:
            total += share * of_effect * np.exp(sum(growth[begin:]))
    return total


def highest(blocks_until, log_growth):
    """The evidence after each sample: the highest capital so far."""
    best, out = 1.0, []
    for blocks in blocks_until:
        best = max(best, capital(blocks, log_growth))
        out.append(best)
    return out


def line_growth(times, plus, sign):
    @functools.cache
    def grow(effect, block):
        (bad_c, n_c), (bad_s, n_s), dispersion = block
        k = effect**sign
        share = times * n_c / (times * n_c + n_s)
        share1 = k * share / (1 - share + k * share)
        if plus == 0:
            bad = bad_c + bad_s
            ratio = stats.binom.logpmf(bad_c, bad, share1) - stats.binom.logpmf(bad_c, bad, share)
        else:
            # Any rate of stable gives the same: the alternative's Poisson means against those on the line.
            p = 0.37
            mean_c, mean_s = n_c * (times * p + plus), n_s * p
            ratio = stats.poisson.logpmf(bad_c, mean_c * share1 / share)
            ratio -= stats.poisson.logpmf(bad_c, mean_c)
            ratio += stats.poisson.logpmf(bad_s, mean_s * (1 - share1) / (1 - share))
            ratio -= stats.poisson.logpmf(bad_s, mean_s)
        return ratio / dispersion

    return grow


def versus_stable(samples, times, plus, sign):
    lines = []
    if times > 1 or plus == 0:
        lines.append((times, 0))
    if plus > 0:
        lines.append((1, plus))
    blocks, history, pending = [], [], np.zeros(4)
    for sample in samples:
        if sample == "step":
            blocks.append("step")
            pending = np.zeros(4)
            history.append(list(blocks))
            continue
        pending = pending + np.array(sample[:4], dtype=float)
        enough = plus > 0 and pending[1] >= 20 and pending[3] >= 20
        if pending[0] + pending[2] > 0 or enough:
            blocks.append(((pending[0], pending[1]), (pending[2], pending[3]), sample[4]))
            pending = np.zeros(4)
        history.append(list(blocks))
    best, out = 1.0, []
    growths = [line_growth(*line, sign) for line in lines]
    for blocks in history:
        each = [capital(blocks, growth) for growth in growths]
        best = max(best, min(each) if sign > 0 else float(np.mean(each)))
        out.append(best)
    return out


def at_most(samples, bound, sign):
    @functools.cache
    def grow(effect, block):
        bad, total, dispersion = block
        odds = bound / (1 - bound) * effect**sign
        p1 = odds / (1 + odds)
        return (stats.binom.logpmf(bad, total, p1) - stats.binom.logpmf(bad, total, bound)) / dispersion

    blocks, until = [], []
    for sample in samples:
        if sample == "step" or sample[1] > 0:
            blocks.append(sample if sample == "step" else tuple(sample))
        until.append(list(blocks))
    return highest(until, grow)


def rate_interval(bad, total, alpha, dispersion):
    bad_e, good_e = bad / dispersion, (total - bad) / dispersion
    level = special.betaln(bad_e + 0.5, good_e + 0.5) - special.betaln(0.5, 0.5) + np.log(alpha)

    def above(p):
        return special.xlogy(bad_e, p) + special.xlog1py(good_e, -p) - level

    best, tiny = bad / total, 1e-300
    low = optimize.brentq(above, tiny, best, xtol=1e-18, rtol=1e-14) if bad > 0 else 0.0
    high = optimize.brentq(above, best, 1 - 1e-16, xtol=1e-18, rtol=1e-14) if bad < total else 1.0
    return [low, high]


def ratio_interval(samples, alpha):
    grid = 2.0 ** np.arange(-8, 8.001, 0.25)
    logs, pending = np.zeros(len(grid)), np.zeros(4)
    for sample in samples:
        pending = pending + np.array(sample[:4], dtype=float)
        if pending[0] + pending[2] == 0:
            continue
        share = grid * pending[1] / (grid * pending[1] + pending[3])
        logs += stats.binom.logpmf(pending[0], pending[0] + pending[2], share) / sample[4]
        pending = np.zeros(4)
    kept = np.flatnonzero(special.logsumexp(logs) - np.log(len(grid)) - logs < -np.log(alpha))
    low = 0.0 if kept[0] == 0 else grid[kept[0] - 1]
    return [low, "inf" if kept[-1] == len(grid) - 1 else grid[kept[-1] + 1]]


def dispersion(blocks):
    blocks, largest = np.array(blocks, dtype=float), 1.0
    for _ in range(4):
        pairs = blocks[: len(blocks) // 2 * 2].reshape(-1, 2, 2)
        bad, share = pairs[:, :, 0].sum(axis=1), pairs[:, 0, 1] / pairs[:, :, 1].sum(axis=1)
        law = [stats.binom(int(n), q) for n, q in zip(bad, share)]
        unit = share * (1 - share)
        squares = ((pairs[:, 0, 0] - bad * share) ** 2 / unit).sum()
        fourth = [one.expect(lambda x, m=one.mean(): (x - m) ** 4) for one in law]
        variance = ((np.array(fourth) - (bad * unit) ** 2) / unit**2).sum()
        if squares - bad.sum() >= 4 * np.sqrt(variance) and squares > bad.sum():
            largest = max(largest, 2 * squares / bad.sum())
        blocks = pairs.sum(axis=1)
    return largest


def paired_samples(rng, count, rate_c, rate_s, n_c, n_s, dispersed=False):
    out = []
    for i in range(count):
        totals = rng.poisson([n_c, n_s])
        bad = rng.binomial(totals, [rate_c, rate_s])
        out.append([int(bad[0]), int(totals[0]), int(bad[1]), int(totals[1]), 2.5 if dispersed and i > count / 2 else 1])
    return out


def is_same(one, other):
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other


def check(text, file):
    computed, kept = json.loads(text), json.loads(open(file, encoding="utf-8").read())
    wrong = [f"{test}[{i}]" for test in computed for i, case in enumerate(computed[test])
             if i >= len(kept.get(test, [])) or not is_same(case, kept[test][i])]
    if wrong or not is_same(computed, kept):
        sys.exit(f"{file} is not what this computes: {', '.join(wrong) or 'it has more cases'}")
    print(f"{file}: {sum(map(len, computed.values()))} cases computed anew, all the same")


def main():
    rng = np.random.default_rng(6)
    table = {"versusStable": [], "atMost": [], "rateInterval": [], "ratioInterval": [], "dispersion": []}
    shapes = [(0.02, 0.005, 5, 95), (0.02, 0.02, 40, 40), (0.1, 0.02, 0.8, 3), (0.004, 0.01, 50, 150)]
    for i, (rate_c, rate_s, n_c, n_s) in enumerate(shapes):
        samples = paired_samples(rng, 40, rate_c, rate_s, n_c, n_s, i % 2 == 1)
        table["ratioInterval"].append({"samples": list(samples), "alpha": 0.05, "interval": ratio_interval(samples, 0.05)})
        samples.insert(15, "step")
        samples.insert(30, "step")
        for times, plus in [(1, 0), (1.5, 0), (1, 0.002), (1.5, 0.001)]:
            for sign in (1, -1):
                evidence = versus_stable(samples, times, plus, sign)
                table["versusStable"].append({"times": times, "plus": plus, "claim": sign, "samples": samples, "evidence": evidence})
        canary = [s if s == "step" else [s[0], s[1], s[4]] for s in samples]
        for sign in (1, -1):
            evidence = at_most(canary, 0.01, sign)
            table["atMost"].append({"bound": 0.01, "claim": sign, "samples": canary, "evidence": evidence})
    for bad, total, alpha, factor in [(0, 50, 0.05, 1), (3, 1000, 0.01, 1), (50, 100, 0.05, 4), (7, 7, 0.05, 1), (123456, 9e6, 0.001, 3)]:
        table["rateInterval"].append({"bad": bad, "total": total, "alpha": alpha, "dispersion": factor,
                                      "interval": rate_interval(bad, total, alpha, factor)})
    for clusters in (1, 6):
        totals = rng.poisson(800, 300)
        bad = clusters * rng.binomial(totals // 10, 0.03)
        blocks = [[int(b), int(t)] for b, t in zip(bad, totals)]
        table["dispersion"].append({"blocks": blocks, "value": dispersion(blocks)})
    text = json.dumps(table, separators=(",", ":")).replace("},{", "},\n{").replace("],\"", "],\n\"")
    if sys.argv[1:2] == ["--check"]:
        check(text, sys.argv[2])
    else:
        print(text)


if __name__ == "__main__":
    main()
