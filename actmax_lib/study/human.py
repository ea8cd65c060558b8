"""What people scored in the study that this one repeats (chapter *do-pictures-help*)."""

HUMAN = {
    "source": "Borowski, Zimmermann et al. (ICLR 2021), experiment I: right answers of each of the "
    "ten participants among 45 main trials a condition, counted in the raw data of the authors",
    "trials": 45,
    "natural": (44, 42, 40, 41, 42, 40, 41, 43, 41, 41),
    "synthetic": (36, 36, 40, 39, 32, 37, 37, 40, 32, 40),
}
"""What people scored in the paper; participants are in the same order in both conditions."""

HUMAN_MORE = {
    "none": {"before": (0.447, 0.081), "after": (0.415, 0.065)},
    "catch": {"natural": 0.989, "synthetic": 0.989},
    "picked": {"natural": 0.933, "synthetic": 0.878},
    "drawn": {"natural": 0.919, "synthetic": 0.806},
    "confidence": {"natural": (0.78, 0.87, 0.98), "synthetic": (0.72, 0.81, 0.95)},
    "mean_confidence": {"natural": 2.49, "synthetic": 1.95},
    "median_seconds": {"natural": 5.0, "synthetic": 8.2},
    "experiment II": {
        "Max-1": {"natural": (0.730, 0.042), "synthetic": (0.652, 0.054)},
        "Min-Max-1": {"natural": (0.837, 0.048), "synthetic": (0.759, 0.055)},
        "Max-9": {"natural": (0.811, 0.036), "synthetic": (0.667, 0.037)},
        "Min-Max-9": {"natural": (0.909, 0.034), "synthetic": (0.717, 0.043)},
    },
    "squares": {
        "source": "Zimmermann et al. (NeurIPS 2021), abstract: which of two squares on a "
        "photograph changes the unit more; other kinds of example: 66 ± 3 to 67 ± 3 %",
        "synthetic": (0.68, 0.04),
        "none": (0.60, 0.03),
    },
}
"""More of the same raw data, rounded: accuracies, pairs are (mean, 2 standard errors over
participants), "confidence" is the accuracy at confidence 1, 2, 3. Experiment II: 23 people. Only
"squares" is of another experiment, as its abstract states it."""
