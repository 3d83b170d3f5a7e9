"""caption_questions.py — questions and answers derived from a picture's captions.

Five people described each photo. What two of them say and no other contradicts is taken for a
fact; templates make questions of facts ("what color is the dog?" → "black"). Silence is weak
evidence, so a "no" needs an object that nobody would leave out, and none of its relatives
named.

  questions(parses)                  all kinds but presence, which needs the whole corpus
  presence_questions(rows, seed)     yes and no in equal number for every object

A question is {"question", "answer": [text], "kind"}. Captions are given as parses
(caption_parse.py). Everything is deterministic for a seed; no packages are needed."""

import hashlib
import random
from collections import Counter, defaultdict

import caption_words as W
from caption_parse import (
    COLOURS, dressed_in, is_person, number_of, people_in, person_kind, places_of
)  # fmt: skip

# ---- facts of one picture


def colour_answer(parses, head):
    """The colour of the only `head` of a picture: named by two captions, or one for what is
    not an animal, and by none otherwise. None when there may be two of them."""
    votes = Counter()
    for parsed in parses:
        own = [noun for noun in parsed.nouns if noun.head == head]
        if len(own) > 1 or any(noun.many or (noun.count or 1) > 1 for noun in own):
            return None
        for noun in own:
            if noun.tinted:
                return None
            if noun.colours:
                votes[tuple(sorted(set(noun.colours)))] += 1
            if head in W.ANIMALS and _partly_coloured(parsed, noun):
                return None
    if len(votes) != 1:
        return None
    ((colours, count),) = votes.items()
    if count < (2 if head in W.ANIMALS else 1) or len(colours) > 2:
        return None
    return " and ".join(colours)


def _partly_coloured(parsed, noun):
    after = parsed.words[noun.end : noun.end + 3]
    return len(after) > 1 and after[0] == "with" and any(w in COLOURS for w in after[1:])


def _colour_questions(parses):
    heads = {noun.head for parsed in parses for noun in parsed.nouns if noun.colours}
    for head in sorted(heads):
        if head in W.PERSONS or head in W.NOT_COLOURED:
            continue
        if head not in W.ANIMALS and head not in W.CLOTHES and head not in W.THINGS:
            continue
        if head in W.CLOTHES and not all(people_in(p) in (0, 1) for p in parses):
            continue  # two people may wear one each
        if head in W.ANIMALS and any(p.said & {"another", "other"} for p in parses):
            continue
        answer = colour_answer(parses, head)
        worn = set().union(*(dressed_in(p) for p in parses))
        if head in W.CLOTHES and answer and worn and not worn & set(answer.split()):
            continue  # "a player in black" beside "a man in a blue jersey"
        if answer:
            verb = "are" if head in W.PAIRED else "is"
            yield f"what color {verb} the {head}?", answer, "colour"


def count_answer(parses, number_in, named_by=2):
    """The number that at least `named_by` captions name when none names more, none leaves it
    open, and more captions name it than a smaller one; `number_in` is a caption's number, 0
    when it does not speak of the thing, None when it leaves the number open."""
    numbers = [number_in(parsed) for parsed in parses]
    if None in numbers:
        return None
    votes = Counter(n for n in numbers if n)
    if not votes:
        return None
    most = max(votes)
    if votes[most] < named_by or sum(votes.values()) - votes[most] > 1 or most > 6:
        return None
    return most


def _count_questions(parses):
    people = count_answer(parses, people_in, 3)
    if people and (
        people > 1
        or not any({"their", "them", "they", "crowd", "people"} & p.said for p in parses)
    ):
        yield "how many people are there?", str(people), "count"
    for head in ("dog", "horse", "cat", "bird", "man", "woman", "boy", "girl", "child"):
        heads = {head}
        if head in W.PERSONS and not (
            people and people > 1 and _one_kind_of_people(parses, head)
        ):
            continue  # nobody counted them all, or the question says nothing new
        if head not in W.PERSONS and any(p.said & {"animals", "pack"} for p in parses):
            continue
        answer = count_answer(parses, number_of(heads), 3)
        if answer:
            yield f"how many {W.plural(head)} are there?", str(answer), "count"


def _one_kind_of_people(parses, head):
    """Nobody in the captions is named by a word that may also mean a `head`."""
    sex, age = W.PERSONS[head]
    for parsed in parses:
        for noun in parsed.nouns:
            if noun.head == head or not is_person(noun):
                continue
            other = person_kind(noun)
            if other is None or other[0] in (None, sex):
                return False
    return True


def who_answer(parses):
    """man, woman, boy, girl, child or baby, when every caption that names somebody names one
    person and no two of them disagree about sex or age."""
    votes, sexes, ages = Counter(), set(), set()
    for parsed in parses:
        people = people_in(parsed)
        if people is None or people > 1:
            return None
        for noun in parsed.nouns:
            kind = person_kind(noun)
            if kind is None:
                continue
            votes[noun.head] += 1
            sexes |= {kind[0]} - {None}
            ages |= {kind[1]} - {None}
            if "young" in noun.words and kind[1] != "child":
                ages.add("young")
    if len(sexes) > 1 or len(ages - {"young"}) > 1 or "young" in ages and "child" in ages:
        return None
    if {"their", "they", "another", "other"} & set().union(*(p.said for p in parses)):
        return None
    named = {
        ("m", "adult"): "man",
        ("f", "adult"): "woman",
        ("m", "child"): "boy",
        ("f", "child"): "girl",
    }
    for (sex, age), word in named.items():
        support = sum(n for w, n in votes.items() if W.PERSONS[w] == (sex, age))
        if support >= 2:
            return word
    for word in ("baby", "child"):
        if not sexes and votes[word] >= 2:
            return word
    return None


def _subjects(parses):
    """Those of whom a question may ask what they do: (word, captions that open with them,
    many). The word names one person or animal of the picture, or all the people or animals of
    one kind."""
    opening = [p for p in parses if p.subject]
    who = who_answer(parses)
    if who:
        yield who, [p for p in opening if is_person(p.subject)], False
    else:
        for head in ("man", "woman", "boy", "girl", "child", "baby"):
            if count_answer(parses, number_of({head})) == 1 and _only_of_kind(parses, head):
                yield head, [p for p in opening if p.subject.head == head], False
        people = count_answer(parses, people_in)
        by_person = [p for p in opening if is_person(p.subject)]
        if people and people > 1 and all(p.subject.many for p in by_person):
            yield "people", by_person, True
    for head in W.ANIMALS:
        number = count_answer(parses, number_of({head}))
        if number and not any(p.said & {"animal", "animals"} for p in parses):
            own = [
                p for p in opening if p.subject.head == head and (number == 1 or p.subject.many)
            ]
            yield (head if number == 1 else W.plural(head)), own, number > 1


def _only_of_kind(parses, head):
    """No caption has two people who might both be called `head`."""
    sex, age = W.PERSONS[head]
    for parsed in parses:
        alike = 0
        for noun in parsed.nouns:
            other = person_kind(noun)
            if noun.head in W.CROWDS and noun.count is None:
                return False
            if other and other[0] in (None, sex) and other[1] in (None, age):
                alike += noun.count or 2
        if alike > 1:
            return False
    return True


def _object_of(parsed):
    """(preposition or "", noun) right behind the verb."""
    at = parsed.verb[2] + 1
    preposition = ""
    if at < len(parsed.words) and parsed.words[at] in ("with", "on", "in", "at"):
        preposition = parsed.words[at]
        at += 1
    for noun in parsed.nouns:
        if noun.start == at:
            return preposition, noun
    return preposition, None


def _agreed(votes, needed=2):
    """The one value with at least `needed` votes and twice as many as the next; None
    otherwise."""
    ranked = votes.most_common(2)
    if (
        not ranked
        or ranked[0][1] < needed
        or (len(ranked) > 1 and ranked[1][1] * 2 > ranked[0][1])
    ):
        return None
    return ranked[0][0]


def _deed(parsed):
    """(infinitive, what) of a caption: "ride", "bike". None when it names no action."""
    if not parsed.verb or parsed.verb[0] in W.NO_ACTION:
        return None
    verb = parsed.verb[0]
    preposition, noun = _object_of(parsed)
    what = noun.head if noun else None
    if (
        verb == "perform"
        or what == "trick"
        or "trick" in parsed.words[parsed.verb[2] : parsed.verb[2] + 4]
    ):
        return "trick", None
    if verb == "play":
        return verb, (what if preposition == "" and what in W.GAMES else None)
    if verb in W.TRANSITIVE or verb == "ride":
        return verb, (what if preposition == "" or verb == "ride" else None)
    return verb, None


def _doing_questions(parses, subject, speaking, many):
    be, name = ("are", subject) if many else ("is", subject)
    deeds = [deed for deed in map(_deed, speaking) if deed]
    verb = _agreed(Counter(v for v, _ in deeds))
    if not verb:
        return
    related = W.POSTURES.get(verb, set())
    if any(
        v != verb and v not in related and v in W.POSTURES and verb in W.POSTURES
        for v, _ in deeds
    ):
        return
    what = _agreed(Counter(w for v, w in deeds if v == verb and w))
    needs_object = verb in W.TRANSITIVE
    if verb == "trick":
        yield f"what {be} the {name} doing?", "a trick", "doing"
    elif verb == "play" and what:
        yield f"what {be} the {name} doing?", f"playing {what}", "doing"
        yield f"what {be} the {name} playing?", what, "what"
    elif needs_object and what:
        yield f"what {be} the {name} doing?", f"{W.progressive(verb)} {what}", "doing"
        if verb not in ("climb", "chase"):
            yield f"what {be} the {name} {W.progressive(verb)}?", what, "what"
    elif not needs_object:
        yield f"what {be} the {name} doing?", W.progressive(verb), "doing"


def _thing_after(parses, patterns):
    """Votes for the noun that follows one of `patterns` (tuples of words)."""
    votes = Counter()
    for parsed in parses:
        for noun in parsed.nouns:
            for pattern in patterns:
                if (
                    tuple(parsed.words[max(0, noun.start - len(pattern)) : noun.start])
                    == pattern
                ):
                    votes[noun.head] += 1
    return votes


def _what_questions(parses, subject, many):
    be = "are" if many else "is"
    things = set(W.THINGS) | set(W.SAME_THING.values()) | set(W.GAMES)
    play = _thing_after(parses, [("playing", "with"), ("plays", "with"), ("play", "with")])
    hold = _thing_after(
        parses, [("holding",), ("holds",), ("hold",), ("carrying",), ("carries",)]
    )
    wear = _thing_after(parses, [("wearing",), ("wears",)])
    for votes, verb, allowed in (
        (play, "playing with", things),
        (hold, "holding", things),
        (wear, "wearing", set(W.CLOTHES)),
    ):
        what = _agreed(Counter({k: n for k, n in votes.items() if k in allowed}))
        if what and what != "object" and what != "item":
            yield f"what {be} the {subject} {verb}?", what, "what"
    if subject in W.ANIMALS:
        votes = Counter()
        for parsed in parses:
            if "mouth" in parsed.words:
                at = parsed.words.index("mouth")
                near = [
                    n
                    for n in parsed.nouns
                    if n.end <= at and n.end >= at - 3 and n.head in things
                ]
                votes.update(n.head for n in near[-1:])
        what = _agreed(votes)
        if what and what not in ("object", "item"):
            yield f"what is in the {subject}'s mouth?", what, "what"


def where_answer(parses):
    """The place that two captions name, when no other caption names one that cannot be the
    same."""
    votes = Counter()
    for parsed in parses:
        votes.update(set(places_of(parsed)))
    place = _agreed(Counter({p: n for p, n in votes.items() if p in W.PLACES}))
    if not place:
        ranked = [p for p, n in votes.most_common() if p in W.PLACES and n >= 2]
        if (
            len(ranked) < 1
            or votes.most_common(1)[0][0] != ranked[0]
            or votes[ranked[0]] == votes.get(ranked[1] if len(ranked) > 1 else "", 0)
        ):
            return None
        place = ranked[0]
    allowed = W.PLACES[place] | W.EVERYWHERE | {place}
    if any(other not in allowed for other in votes):
        return None
    return place


def questions(parses):
    """All questions of one picture except presence, without duplicates, in a fixed order."""
    found = [*_colour_questions(parses), *_count_questions(parses)]
    who = who_answer(parses)
    speaking = sum(1 for p in parses if any(is_person(n) for n in p.nouns))
    if who and speaking >= 3:
        found.append(("who is in the picture?", who, "who"))
    place = where_answer(parses)
    if place:
        found.append(("where was this picture taken?", place, "where"))
    for word, speaking, many in _subjects(parses):
        found += _doing_questions(parses, word, speaking, many)
        found += _what_questions(speaking, word, many)
        alone = word not in W.PERSONS or word == who
        if place and alone and len(speaking) >= 2:
            found.append((f"where {'are' if many else 'is'} the {word}?", place, "where"))
    unique = {}
    for question, answer, kind in found:
        unique.setdefault(question, {"question": question, "answer": [answer], "kind": kind})
    return list(unique.values())


# ---- presence


def rng_of(seed, *what):
    text = ":".join([str(seed), *map(str, what)])
    return random.Random(hashlib.sha256(text.encode()).digest())


def names(parses, head):
    """How many captions name a `head`."""
    return sum(1 for parsed in parses if any(noun.head == head for noun in parsed.nouns))


def surely_present(parses, head):
    """Two captions name it, and nobody takes the only person for another, or the place."""
    if names(parses, head) < 2:
        return False
    if head in W.PERSONS and count_answer(parses, people_in, 3) == 1:
        return who_answer(parses) == head
    if head in W.PLACES:
        allowed = W.PLACES[head] | W.EVERYWHERE | {head}
        return all(place in allowed for parsed in parses for place in places_of(parsed))
    return True


def surely_absent(parses, head):
    """No caption names it, a relative of it, or (for people) anybody it might be."""
    said = set().union(*(parsed.said for parsed in parses))
    if head in said or W.plural(head) in said:
        return False
    if head in W.PERSONS:
        who = who_answer(parses)
        nobody = (
            not any(is_person(n) for p in parses for n in p.nouns) and not said & W.PERSON_HINTS
        )
        sex = W.PERSONS[head][0]
        other = who and W.PERSONS[who][0] not in (None, sex) and sex
        return bool(nobody or other)
    if head in W.ANIMALS and said & W.ANIMAL_HINTS:
        return False
    return not any(head in kin and said & (kin - {head}) for kin in W.KIN)


def _presence(head):
    article = "" if head in W.MASS else "an " if head[0] in "aeiou" else "a "
    return f"is there {article}{head}?"


def presence_questions(rows, seed):
    """One list of yes/no questions for each picture (`rows`: lists of parses). For every
    object there are as many "no" as "yes", so that the question alone does not give the
    answer."""
    found = [[] for _ in rows]
    yes, no = Counter(), defaultdict(list)
    for i, parses in enumerate(rows):
        there = [h for h in W.SALIENT if surely_present(parses, h)]
        for head in rng_of(seed, "yes", i).sample(there, min(3, len(there))):
            found[i].append(
                {"question": _presence(head), "answer": ["yes"], "kind": "presence"}
            )
            yes[head] += 1
        for head in W.SALIENT:
            if surely_absent(parses, head):
                no[head].append(i)
    for head in W.SALIENT:
        rng, left = rng_of(seed, "no", head), yes[head]
        rng.shuffle(no[head])
        for i in sorted(no[head], key=lambda i: len(found[i]) // 4):
            if left == 0:
                break
            found[i].append({"question": _presence(head), "answer": ["no"], "kind": "presence"})
            left -= 1
    return found
