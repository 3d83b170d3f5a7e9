"""caption_statements.py — true and false statements derived from the captions of pictures.

True: a caption of the picture, or a fact of it ("The dog is black ."). False: a caption of
another picture with no word in common; a caption of this one with one word swapped — a colour,
a number, a person, an animal, an action, a place — for a word that no caption supports and
that excludes the old one; a fact with another picture's answer. A word is swapped in no more
often than it stands in true statements, or the word alone would tell.

  derive(rows, seed)     questions and statements of all pictures
  swaps(captions)        every hard negative of one picture

A statement is {"statement", "true", "kind"}. Deterministic for a seed."""

import re
from collections import Counter, defaultdict

import caption_words as W
from caption_parse import (
    COLOURS,
    NOUNS,
    VERBS,
    is_person,
    number_of,
    parse,
    people_in,
    person_kind,
)
from caption_questions import count_answer, names, presence_questions, questions, rng_of


def _replace_word(caption, parsed, index, new):
    """The caption with token `index` replaced, "a" and "an" in agreement."""
    old = parsed.words[index]
    earlier = parsed.words[:index].count(old)
    hits = list(re.finditer(rf"\b{re.escape(old)}\b", caption, re.IGNORECASE))
    if earlier >= len(hits):
        return None
    hit = hits[earlier]
    new = new.capitalize() if hit.group()[0].isupper() else new
    before = re.sub(
        r"\b([Aa])n? $",
        lambda m: m.group(1) + ("n " if new[0] in "aeiouAEIOU" else " "),
        caption[: hit.start()],
    )
    return before + new + caption[hit.end() :]


def _near_colours(colour):
    return set().union({colour}, *(kin for kin in W.NEAR_COLOURS if colour in kin))


def _colour_swaps(parsed, parses):
    said = set().union(*(p.said for p in parses)) | {
        COLOURS[w] for p in parses for w in p.words if w in COLOURS
    }
    for noun in parsed.nouns:
        if (
            len(noun.colours) != 1
            or noun.tinted
            or noun.head in W.NOT_COLOURED
            or is_person(noun)
        ):
            continue
        at = [i for i in range(noun.start, noun.end) if parsed.words[i] in COLOURS]
        for new in W.COLOURS:
            if new not in said and new not in _near_colours(noun.colours[0]):
                yield at[0], new


def _number_swaps(parsed, parses):
    for head in ("people", "dog"):
        number_in = people_in if head == "people" else number_of({"dog"})
        agreed = count_answer(parses, number_in)
        for noun in parsed.nouns:
            if not (is_person(noun) if head == "people" else noun.head == head):
                continue
            for i in range(noun.start, noun.end):
                if W.NUMBERS.get(parsed.words[i]) == agreed and agreed:
                    for new, value in W.NUMBERS.items():
                        if (
                            value < 6
                            and value != agreed
                            and not any(new in p.words for p in parses)
                        ):
                            yield i, new


def _person_swaps(parsed, parses):
    if W.GENDERED & set(parsed.words):
        return
    for i, word in enumerate(parsed.words):
        new = W.OPPOSITE.get(word)
        if not new or "'s" in parsed.words[i + 1 : i + 2]:
            continue
        sex, age = W.PERSONS[NOUNS[word][0]]
        others = [person_kind(n) for p in parses for n in p.nouns if person_kind(n)]
        if any(kind[0] not in (None, sex) for kind in others):
            continue
        if sum(1 for p in parses if word in p.words) >= 2:
            yield i, new


def _animal_swaps(parsed, parses):
    said = set().union(*(p.said for p in parses))
    if said & {"animal", "animals"}:
        return
    for i, word in enumerate(parsed.words):
        head, many = NOUNS.get(word, (None, False))
        if head in W.ANIMALS and names(parses, head) >= 2:
            for new in (
                "dog",
                "cat",
                "horse",
                "cow",
                "bird",
                "goat",
                "pig",
                "monkey",
                "rabbit",
            ):
                if new not in said:
                    yield i, W.plural(new) if many else new


def _action_swaps(parsed, parses):
    if not parsed.verb or parsed.verb[0] not in W.POSTURES or len(parsed.nouns) == 0:
        return
    verb, form, at = parsed.verb
    said = set().union(*(p.said for p in parses))
    for new, kin in W.POSTURES.items():
        if (
            new == verb
            or new in W.POSTURES[verb]
            or verb in kin
            or new in said
            or said & (kin & set(W.POSTURES))
        ):
            continue
        yield at, {"ing": W.progressive, "s": W.third_person, "base": str}[form](new)


def _place_swaps(parsed, parses):
    said = set().union(*(p.said for p in parses))
    for noun in parsed.nouns:
        before = parsed.words[noun.start - 1] if noun.start else ""
        if (
            noun.head not in W.PLACES
            or noun.many
            or before not in ("in", "on")
            or noun.end - noun.start > 2
        ):
            continue
        after = parsed.words[noun.end] if noun.end < len(parsed.words) else "."
        if after not in W.STOP and after not in VERBS and after not in ".,;":
            continue  # "a pool hall": the head is a word we do not know
        first = parsed.words[noun.start]
        for new in W.IN_PLACES if before == "in" else W.ON_PLACES:
            if new in said or new in W.PLACES[noun.head] or noun.head in W.PLACES[new]:
                continue
            if said & W.PLACES[new] & W.SURROUNDINGS or said & W.PLACES[noun.head] & {new}:
                continue
            if (first in ("a", "an")) == (new in W.MASS) or (
                first == noun.head and new not in W.MASS
            ):
                continue
            yield noun.end - 1, new


SWAPS = {
    "colour": _colour_swaps,
    "number": _number_swaps,
    "person": _person_swaps,
    "animal": _animal_swaps,
    "action": _action_swaps,
    "place": _place_swaps,
}


def swaps(captions, parses=None):
    """Every hard negative: [(kind, new word, caption with one word swapped)]."""
    parses = parses or [parse(caption) for caption in captions]
    found = []
    for caption, parsed in zip(captions, parses):
        for kind, make in SWAPS.items():
            for at, new in make(parsed, parses):
                text = _replace_word(caption, parsed, at, new)
                if text:
                    found.append((kind, new, text))
    return found


def content_words(parsed):
    return {w for w in parsed.said if w[0].isalnum() and w not in W.STOP}


def _stranger(i, rows, parsed_rows, rng):
    """A caption of another picture that shares no content word with any caption of picture i."""
    own = set().union(*(content_words(p) for p in parsed_rows[i]))
    for _ in range(60):
        j = rng.randrange(len(rows))
        k = rng.randrange(len(rows[j]))
        if j != i and not own & content_words(parsed_rows[j][k]):
            return rows[j][k]
    return None


def fact(question, answer):
    """The statement that a question and its answer make, or None."""
    match = re.fullmatch(r"what color (is|are) the (.+)\?", question)
    if match:
        return f"The {match[2]} {match[1]} {answer} ."
    match = re.fullmatch(r"what (is|are) the (.+) doing\?", question)
    if match and " " not in answer:
        return f"The {match[2]} {match[1]} {answer} ."
    match = re.fullmatch(r"where (is|are) the (.+)\?", question)
    if match and answer in W.PREPOSITION:
        return f"The {match[2]} {match[1]} {W.PREPOSITION[answer]} the {answer} ."
    match = re.fullmatch(r"how many (.+) are there\?", question)
    if match and answer in ("2", "3", "4"):
        word = {n: w for w, n in W.NUMBERS.items()}[int(answer)]
        return f"There are {word} {match[1]} ."
    return None


def _false_answers(question, parses):
    """Answers to the kind of question that no caption supports."""
    kind, answer = question["kind"], question["answer"][0]
    said = set().union(*(p.said for p in parses))
    if kind == "colour" and answer in W.COLOURS:
        colours = {COLOURS[w] for p in parses for w in p.words if w in COLOURS}
        return [c for c in W.COLOURS if c not in _near_colours(answer) | colours]
    if kind == "count":
        return [
            str(n)
            for w, n in W.NUMBERS.items()
            if n < 5 and str(n) != answer and w not in said and answer != "1"
        ]
    if kind == "doing":
        verb = VERBS.get(answer, ("",))[0]
        return [
            W.progressive(v)
            for v, kin in W.POSTURES.items()
            if verb in W.POSTURES
            and v != verb
            and v not in W.POSTURES[verb]
            and verb not in kin
            and v not in said
            and not said & kin & set(W.POSTURES)
        ]
    if kind == "where":
        return [
            p
            for p in W.PREPOSITION
            if p != answer
            and p not in said
            and p not in W.PLACES[answer]
            and answer not in W.PLACES[p]
            and not said & W.PLACES[p] & W.SURROUNDINGS
        ]
    return []


def _fact_statements(asked, parses, rng, budget):
    """True or false, by the toss of a coin, where both are possible. A false answer is one
    that is true of other pictures about as often: `budget` counts down the true uses of each
    answer."""
    for question in asked:
        answer = question["answer"][0]
        wrong = [w for w in _false_answers(question, parses) if budget[question["kind"], w] > 0]
        if not wrong or not fact(question["question"], answer):
            continue
        if rng.random() < 0.5:
            budget[question["kind"], answer] += 1
            yield {
                "statement": fact(question["question"], answer),
                "true": True,
                "kind": "fact",
            }
        else:
            word = rng.choices(wrong, [budget[question["kind"], w] for w in wrong])[0]
            text = fact(question["question"], word)
            if text:
                budget[question["kind"], word] -= 1
                yield {"statement": text, "true": False, "kind": "fact"}


def statements(rows, parsed_rows, asked_rows, seed):
    """One list for each picture (`rows`: its captions; the parses; its questions): two
    captions that are true, one stranger's, up to two hard negatives, and facts. A word is
    swapped in no more often than it stands in true statements, or the word alone would tell."""
    found, budget = [], Counter()
    facts = Counter({("colour", c): 4 for c in W.COLOURS})
    for kind, values in (
        ("count", "234"),
        ("doing", [W.progressive(v) for v in W.POSTURES]),
        ("where", W.PREPOSITION),
    ):
        facts.update({(kind, v): 4 for v in values})
    for i, captions in enumerate(rows):
        chosen = rng_of(seed, "true", i).sample(range(len(captions)), min(2, len(captions)))
        found.append(
            [{"statement": captions[k], "true": True, "kind": "caption"} for k in chosen]
        )
        for k in chosen:
            budget.update(parsed_rows[i][k].words)
    for i, captions in enumerate(rows):
        rng = rng_of(seed, "false", i)
        other = _stranger(i, rows, parsed_rows, rng)
        if other:
            found[i].append({"statement": other, "true": False, "kind": "stranger"})
        kinds = defaultdict(list)
        for kind, new, text in swaps(captions, parsed_rows[i]):
            kinds[kind].append((new, text))
        for kind in rng.sample(sorted(kinds), min(2, len(kinds))):
            able = [(new, text) for new, text in kinds[kind] if budget[new] > 0]
            if able:
                new, text = rng.choices(able, [budget[new] for new, _ in able])[0]
                budget[new] -= 1
                found[i].append({"statement": text, "true": False, "kind": f"swap-{kind}"})
        found[i] += _fact_statements(asked_rows[i], parsed_rows[i], rng, facts)
    return found


def derive(rows, seed):
    """[(questions, statements)] for pictures given as lists of English captions."""
    parsed = [[parse(caption) for caption in captions] for captions in rows]
    asked = [questions(parses) for parses in parsed]
    told = statements(rows, parsed, asked, seed)
    for more, presence in zip(asked, presence_questions(parsed, seed)):
        more += presence
    return list(zip(asked, told))
