"""Which word goes with which, from sets of words that stand on a common key (the keywords of one emoji in two
languages): no order, no sentence, and often words that only one side has.

IBM model 1 with a null word (Brown et al. 1993, section 4.1) is fitted in both directions over all keys; what the
two posteriors agree on (their geometric mean, Liang et al. 2006) is counted, and competitive linking (Melamed 2000)
takes the pairs by falling score, each word at most `links` times.
"""

import math
from collections import defaultdict

NULL = ""


def model1(keys, rounds):
    """t[(a, b)]: the probability of b given a, from [(words a, words b)]."""
    table = {}
    for left, right in keys:
        for b in right:
            for a in (*left, NULL):
                table[a, b] = 1.0
    for _ in range(rounds):
        count, total = defaultdict(float), defaultdict(float)
        for left, right in keys:
            for b in right:
                scores = [(a, table[a, b]) for a in (*left, NULL)]
                whole = sum(score for _, score in scores)
                if whole <= 0:
                    continue
                for a, score in scores:
                    count[a, b] += score / whole
                    total[a] += score / whole
        table = {pair: count[pair] / total[pair[0]] if total[pair[0]] else 0.0 for pair in table}
    return table


def agreed(keys, forth, back):
    """{(a, b): expected number of keys in which both directions link a with b}."""
    found = defaultdict(float)
    for left, right in keys:
        of_b = {b: sum(forth[a, b] for a in (*left, NULL)) for b in right}
        of_a = {a: sum(back[b, a] for b in (*right, NULL)) for a in left}
        for a in left:
            for b in right:
                if of_a[a] > 0 and of_b[b] > 0:
                    found[a, b] += math.sqrt(forth[a, b] / of_b[b] * back[b, a] / of_a[a])
    return found


def associate(keys, links=2, rounds=12, least=0.25):
    """[(a, b, confidence in 0..1, expected keys)] by falling confidence, from [(set of words, set of words)]."""
    keys = [(sorted(left), sorted(right)) for left, right in keys if left and right]
    forth = model1(keys, rounds)
    back = model1([(right, left) for left, right in keys], rounds)
    seen_a, seen_b = defaultdict(int), defaultdict(int)
    for left, right in keys:
        for a in left:
            seen_a[a] += 1
        for b in right:
            seen_b[b] += 1
    scored = []
    for (a, b), joint in agreed(keys, forth, back).items():
        # How much of both words' keys the link explains, less what one key alone may say by chance.
        score = max(0.0, joint - 0.4) / math.sqrt(seen_a[a] * seen_b[b])
        score *= (forth[a, b] * back[b, a]) ** 0.25
        if score > 0.02:
            scored.append((score, a, b, joint))
    scored.sort(key=lambda item: (-item[0], item[1], item[2]))
    used_a, used_b, pairs = defaultdict(int), defaultdict(int), []
    for score, a, b, joint in scored:
        if used_a[a] < links and used_b[b] < links and score >= least:
            used_a[a] += 1
            used_b[b] += 1
            pairs.append((a, b, min(1.0, score), joint))
    return pairs
