#!/usr/bin/env python3
"""Fits the page-or-photograph regression of src/media/look.c.

  find PAGES -name '*.png' | build/look_features page --lit  >features.tsv
  find PHOTOS -name '*.jpg' | build/look_features photo     >>features.tsv
  tools/fit_look.py features.tsv

Files are split in halves by a hash of their name: one half is fitted, the other scored. Logistic
regression by gradient descent on standardised features, classes weighed alike, L2 1e-3."""

import hashlib
import math
import sys


def load(path):
    for line in open(path, encoding="utf-8"):
        label, name, *values = line.rstrip("\n").split("\t")
        held = int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2
        yield 1.0 if label == "page" else 0.0, name, [float(v) for v in values], held


def sigmoid(x):
    return 1 / (1 + math.exp(-max(-60, min(60, x))))


def main():
    rows = list(load(sys.argv[1]))
    fit = [row for row in rows if not row[3]]
    size = len(fit[0][2])
    mean = [sum(r[2][i] for r in fit) / len(fit) for i in range(size)]
    spread = [math.sqrt(sum((r[2][i] - mean[i]) ** 2 for r in fit) / len(fit)) or 1
              for i in range(size)]
    pages = sum(r[0] for r in fit)
    weight = {1.0: 0.5 / pages, 0.0: 0.5 / (len(fit) - pages)}
    data = [([(v - m) / s for v, m, s in zip(r[2], mean, spread)], r[0], weight[r[0]])
            for r in fit]
    w, b = [0.0] * size, 0.0
    velocity, velocity_b = [0.0] * size, 0.0
    for _ in range(600):
        gradient, gradient_b = [1e-3 * v for v in w], 0.0
        for x, y, k in data:
            error = k * (sigmoid(b + sum(p * q for p, q in zip(w, x))) - y)
            gradient_b += error
            for i, v in enumerate(x):
                gradient[i] += error * v
        for i in range(size):
            velocity[i] = 0.9 * velocity[i] - 0.5 * gradient[i]
            w[i] += velocity[i]
        velocity_b = 0.9 * velocity_b - 0.5 * gradient_b
        b += velocity_b
    plain = [v / s for v, s in zip(w, spread)]
    bias = b - sum(v * m for v, m in zip(plain, mean))
    for half, name in ((0, "fitted half"), (1, "other half")):
        for label in (1.0, 0.0):
            group = [r for r in rows if r[3] == half and r[0] == label]
            right = sum((bias + sum(p * q for p, q in zip(plain, r[2])) > 0) == bool(label)
                        for r in group)
            print(f"// {name}, {'pages' if label else 'photographs'}: {right} of {len(group)} "
                  f"({100 * right / max(1, len(group)):.1f} %)")
    print("weights:", ", ".join(f"{v:.4f}" for v in plain))
    print(f"bias: {bias:.4f}")
    if "-v" in sys.argv:
        for r in rows:
            if r[3] and (bias + sum(p * q for p, q in zip(plain, r[2])) > 0) != bool(r[0]):
                print(r[1])


if __name__ == "__main__":
    main()
