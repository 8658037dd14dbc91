"""The table of eng/measure-floors: how far from their floors values are, in deviations. Arguments: its files, each a run;
one named broken.tsv is of a build whose trainings learn nothing.

Of values that are positive and must be above something (distances, ratios), the margin may be that of their logarithms: they spread upwards."""
import math
import sys
from collections import defaultdict


def moments(numbers):
    """Mean and standard deviation."""
    center = sum(numbers) / len(numbers)
    spread = math.sqrt(sum((number - center) ** 2 for number in numbers) / max(1, len(numbers) - 1))
    return center, spread


def read(path, values, bounds):
    """Adds a file's lines, each a value of a floor."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            test, of, kind, bound, value = line.rstrip("\n").split("\t")
            values[test, of, kind].append(float(value))
            bounds[test, of, kind] = float(bound)


values, bounds, broken = defaultdict(list), {}, defaultdict(list)
for path in sys.argv[1:]:
    read(path, broken if path.endswith("broken.tsv") else values, {} if path.endswith("broken.tsv") else bounds)

print("| test | of | asked | mean | deviation | nearest | margin | runs | untrained |")
print("|---|---|---|---|---|---|---|---|---|")
for test, of, kind in sorted(values):
    if kind == "close":
        continue
    found, bound = values[test, of, kind], bounds[test, of, kind]
    mean, deviation = moments(found)
    distance = {"above": mean - bound, "below": bound - mean, "near": bound - abs(mean)}[kind]
    margin = distance / deviation if deviation > 1e-12 * max(1, abs(mean)) else math.inf
    if kind == "above" and bound > 0 and min(found) > 0 and deviation > 1e-9 * mean:
        center, spread = moments([math.log(value) for value in found])
        margin = max(margin, (center - math.log(bound)) / spread)
    nearest = {"above": min, "below": max, "near": lambda all: max(all, key=abs)}[kind](found)
    asked = {"above": f"> {bound:.4g}", "below": f"< {bound:.4g}", "near": f"within {bound:.3g}"}[kind]
    without = broken[test, of, kind]
    untrained = f"{sum(without) / len(without):.3g}" if without else ""
    print(f"| {test} | {of} | {asked} | {mean:.4g} | {deviation:.2g} | {nearest:.4g} | {margin:.1f} | {len(found)} | {untrained} |")

print()
print("Comparisons, the largest difference in units of the tolerance:")
for test, of, kind in sorted(values):
    if kind == "close":
        print(f"- {test}, line {of}: {max(values[test, of, kind]):.3f}")
