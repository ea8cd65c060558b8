"""From the seconds of each round to medians, ratios and a table."""

import statistics
from collections.abc import Sequence

# A ratio of times for each pair that ran.
RATIOS = (
    ("ours", "limit"),
    ("ours, early layer", "ours"),
    ("limit, early layer", "limit"),
    ("Lucent", "ours"),
    ("Lucent, our network", "ours"),
    ("Horama", "ours"),
    ("DreamLens", "ours"),
)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": middle, "quartiles": [low, high]}


def ratio(seconds: dict[str, list[float]], a: str, b: str) -> dict[str, float]:
    """Of a's time to b's, round by round."""
    return spread([x / y for x, y in zip(seconds[a], seconds[b], strict=True)])


def summary(batch: int, seconds: dict[str, list[float]]) -> dict:
    return {
        "batch": batch,
        "seconds_per_step": {name: spread(values) for name, values in seconds.items()},
        "images_times_steps_per_second": {
            name: spread([batch / value for value in values]) for name, values in seconds.items()
        },
        **{f"{a} / {b}": ratio(seconds, a, b) for a, b in RATIOS if {a, b} <= set(seconds)},
        "rounds": seconds,
    }


def table(results: Sequence[dict]) -> str:
    lines = ["batch | who | images x steps / s | seconds / step (quartiles)"]
    for result in results:
        for name, rate in result["images_times_steps_per_second"].items():
            s = result["seconds_per_step"][name]
            low, high = s["quartiles"]
            lines.append(
                f"{result['batch']:5} | {name:19} | {rate['median']:6.1f} | "
                f"{s['median']:.3f} ({low:.3f} to {high:.3f})"
            )
        for key in [key for key in result if " / " in key]:
            low, high = result[key]["quartiles"]
            lines.append(f"      | {key}: {result[key]['median']:.2f} ({low:.2f} to {high:.2f})")
    return "\n".join(lines)
