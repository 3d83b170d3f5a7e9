"""caption_consensus.py — which of a picture's captions the others agree with most.

A caption's consensus is its mean similarity to the other captions of its picture: the cosine of
TF-IDF vectors of word n-grams, clipped to the other's counts, averaged over n = 1 … 4 (CIDEr-D
without its stemming and length penalty: Vedantam, Lawrence Zitnick and Parikh 2015, equations
1 to 4). A captioner trained on captions in proportion to their consensus says what most people
would say of the picture (Phan, Henter, Miyao and Satoh 2017, "Consensus-based Sequence Training
for Video Captioning").

  ranked(rows)     the captions of each picture, the one most agreed with first"""

import math
import re
from collections import Counter

LONGEST = 4


def _ngrams(caption):
    words = re.findall(r"\w+", caption.lower())
    return [
        Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
        for n in range(1, LONGEST + 1)
    ]


def _similarity(a, b, inverse):
    """Mean over n of a's clipped weight on b, over the lengths of both."""
    total = 0.0
    for one, other in zip(a, b):
        square = [
            sum((count * inverse(gram)) ** 2 for gram, count in side.items())
            for side in (one, other)
        ]
        if square[0] and square[1]:
            both = sum(
                min(count, other[gram]) * other[gram] * inverse(gram) ** 2
                for gram, count in one.items()
                if gram in other
            )
            total += both / math.sqrt(square[0] * square[1])
    return total / LONGEST


def ranked(rows):
    """`rows`: the captions of each picture. Document frequencies are counted over the pictures.
    Equal ones keep their order."""
    grams = [[_ngrams(caption) for caption in captions] for captions in rows]
    pictures = Counter()
    for captions in grams:
        pictures.update({gram for caption in captions for level in caption for gram in level})
    inverse = lambda gram: math.log(len(rows) / pictures[gram])  # noqa: E731
    result = []
    for captions, counted in zip(rows, grams):
        consensus = [
            sum(_similarity(one, other, inverse) for other in counted if other is not one)
            for one in counted
        ]
        order = sorted(range(len(captions)), key=lambda i: -consensus[i])
        result.append([captions[i] for i in order])
    return result
