"""caption_questions.py — questions, answers and statements derived from a picture's captions.

Five people described each photo. What two of them say and no other contradicts is taken for a
fact; from facts templates make questions ("what color is the dog?" → "black") and statements.
Silence is weak evidence, so a "no" needs an object that nobody would leave out, and none of its
relatives named; a false statement needs a word that excludes the one it replaces.

  parse(caption) → Parsed            noun groups, the subject and what it does, places
  questions(captions)                all kinds but presence, which needs the whole corpus
  presence_questions(rows, seed)     yes and no in equal number for every object
  statements(rows, seed)             true: a caption; false: a stranger's, or one word swapped

A question is {"question", "answer": [text], "kind"}; a statement {"statement", "true", "kind"}.
Everything is deterministic for a seed. No packages are needed. The words are in caption_words.py."""

import hashlib
import random
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import caption_words as W

DETERMINERS = set("a an the his her their its this that these some several many".split())
VAGUE = set("some several many few various other these those numerous".split())
COLOURS = {**{c: c for c in W.COLOURS}, **{k: v for k, v in W.SAME_COLOUR.items() if v in W.COLOURS}}
# Tints that are named in captions and too disputed to be answers, but contradict them.
TINTS = {"beige", "golden", "gold", "silver", "blond", "cream", "maroon", "turquoise", "teal", "dark",
         "multicolored", "multi-colored", "tri-colored", "colorful", "spotted", "tricolor", "camouflage",
         "rainbow", "striped", "brindle", "checkered", "plaid", "light", "neon"}
SHADES = {"dark", "light", "bright"}
# Nouns that are verbs more often than not: a thing only behind a determiner or an adjective.
BOTH = {"swing", "slide", "play", "walk", "ride", "run", "jump", "climb", "surf", "wave", "fish", "drink", "ski",
        "stand", "dance", "top", "dress", "suit", "hose", "log", "bat", "row", "park", "bow", "drum", "cross", "paddle",
        "box", "train", "ramp", "cook", "coach", "rock", "field", "sign", "bowl", "table", "cup", "boxing", "kid",
        "phone", "tire", "rail", "pants", "cap", "coat", "plant", "mask", "object", "fence", "leaves"}
SKIP_SUBJECT = {"in", "with", "wearing", "of", "dressed", "on", "at", "near", "from", "and", "inside"}
# Adjectives that may open a caption without an article.
PLAIN = set("small large big little young old older elderly tall fluffy wet furry asian african lone blond blonde".split())
BODY = set("mouth hair head hand back face tongue leg arm ear neck beard mohawk tail air background foreground".split())
# Adjectives that name the place.
PLACE_ADJECTIVES = {"snowy": "snow", "snow-covered": "snow", "grassy": "grass", "sandy": "sand", "muddy": "mud"}


# ---- word forms, made once


def _forms():
    nouns, verbs = {}, {}
    singular = [*W.PERSONS, *W.ANIMALS, *W.ANIMAL_NAMES, *W.CLOTHES, *W.THINGS, *W.PLACES,
                *W.SAME_THING, *W.SURROUNDINGS, *W.GAMES, *BODY]
    for word in singular:
        if word in W.PAIRED:
            nouns[word] = (word, False)
            continue
        nouns.setdefault(W.plural(word), (word, True))
    for word in singular:
        nouns[word] = (word, False)
    for word in ("sheep", "fish"):
        nouns.pop(word)  # one or many: the word does not say
    for verb in W.VERBS:
        verbs[verb] = (verb, "base")
        verbs[W.third_person(verb)] = (verb, "s")
        verbs[W.progressive(verb)] = (verb, "ing")
    verbs["laying"] = ("lie", "ing")
    verbs["lays"] = ("lie", "s")
    return nouns, verbs


NOUNS, VERBS = _forms()
def tokens(caption):
    """Lower-case words; possessive 's and full stops are tokens of their own."""
    text = caption.lower().replace("’", "'")
    text = re.sub(r"\b(tee|t)[ -]?shirt", "shirt", text)
    return re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*|'s|[.,;]", text)


@dataclass
class Noun:
    """A noun group: tokens [start, end), the last is the head, given in the singular."""

    start: int
    end: int
    head: str
    many: bool
    count: object = None  # a number, or None: not said
    colours: tuple = ()
    tinted: bool = False  # another colour word than a plain one stands with it
    definite: bool = False
    words: tuple = ()


@dataclass
class Parsed:
    words: list
    nouns: list
    subject: object = None  # Noun
    verb: object = None  # (infinitive, form, index of the word)
    said: set = field(default_factory=set)  # all words, and the singular or infinitive of each


def _is_noun_at(words, i):
    word = words[i]
    if word not in NOUNS and word not in ("sheep", "fish") and word not in W.CROWDS:
        return False
    if word in BOTH or word in VERBS:
        before = words[i - 1] if i else ""
        return before in DETERMINERS or before in COLOURS or before in W.COUNTED or before in W.CLOTHES or (
            before in NOUNS and before in ("tennis", "soccer", "skate", "surf", "baseball", "rock", "ski", "park", "tree")
        ) or before in ("large", "small", "big", "wooden", "metal", "skateboard", "snowy", "grassy", "red", "stone", "brick",
                        "plastic", "toy", "baseball", "of", "with", "in", "on", "through", "over", "by", "wearing")
    return True


def _noun_group(words, i):
    """The noun group that starts at token i, or None. Unknown words count as adjectives only
    behind a determiner or a number, and at most three of them."""
    start, unknown, opened = i, 0, False
    count, many_said, colours, tinted, definite, last = None, False, [], False, False, None
    while i < len(words):
        word = words[i]
        if i == start and word in PLAIN:
            opened = True
        elif i == start and word in DETERMINERS | VAGUE | set(W.COUNTED):
            opened = True
            definite = word in ("the", "his", "her", "their", "its", "this", "that")
            count = W.COUNTED.get(word)
            many_said = word in VAGUE
        elif opened and i == start + 1 and word in W.NUMBERS:
            count = W.NUMBERS[word]
        elif word in COLOURS and not (last is not None and COLOURS[word] not in ("orange",) and i + 1 < len(words)
                                      and words[i + 1] not in NOUNS and words[i + 1] != "and" and words[i + 1] not in COLOURS
                                      and not opened):
            colours.append(COLOURS[word])
            last = None
        elif word in TINTS:
            tinted = tinted or word not in SHADES
        elif word == "and" and i > start and (words[i - 1] in COLOURS or words[i - 1] in TINTS) and i + 1 < len(words) and (
                words[i + 1] in COLOURS or words[i + 1] in TINTS) and last is None:
            pass
        elif _is_noun_at(words, i):
            last = i
        elif last is None and opened and unknown < 3 and word not in W.STOP and word not in VERBS and word[0].isalpha():
            unknown += 1
        else:
            break
        i += 1
    if last is None:
        return None
    word = words[last]
    head, many = NOUNS.get(word, (word, word in W.CROWDS))
    head = W.ANIMAL_NAMES.get(head, W.SAME_THING.get(head, head))
    if many or many_said:
        count = count if count and count > 1 else None
    else:
        count = None if head in W.CROWDS else 1
    return Noun(start, last + 1, head, many or many_said, count, tuple(colours), tinted, definite, tuple(words[start : last + 1]))


def parse(caption):
    words = tokens(caption)
    nouns, i = [], 0
    while i < len(words):
        group = _noun_group(words, i)
        if group:
            nouns.append(group)
            i = group.end
        else:
            i += 1
    parsed = Parsed(words, _merge_groups(words, nouns))
    for word in words:
        parsed.said.update((word, NOUNS.get(word, (word,))[0], VERBS.get(word, (word,))[0]))
        singular = NOUNS.get(word, (word,))[0]
        parsed.said.add(W.ANIMAL_NAMES.get(singular, W.SAME_THING.get(singular, singular)))
    _find_subject(parsed)
    return parsed


def _merge_groups(words, nouns):
    """"a group of three men" is three men; "a couple of dogs" two, and "a pair of shoes" no crowd."""
    merged = []
    for noun in nouns:
        before = merged[-1] if merged else None
        if before and before.head in ("group", "couple", "pair", "bunch", "crowd", "team", "pack") and before.end < noun.start + 1 and (
                words[before.end : noun.start] == ["of"]):
            count = 2 if before.head in ("couple", "pair") else noun.count if noun.many else None
            merged[-1] = Noun(before.start, noun.end, noun.head, True, count, noun.colours, noun.tinted,
                              False, before.words + noun.words)
        else:
            merged.append(noun)
    for noun in merged:
        if noun.head == "couple" and not noun.many:
            noun.count, noun.many = 2, True
    return merged


def _find_subject(parsed):
    """The first noun group, when the caption opens with it, and the verb that follows it: behind
    "in a red shirt", "with …", "wearing …" and is/are, and nothing else."""
    opening = 2 if parsed.words[:2] in (["there", "is"], ["there", "are"]) else 0
    if not parsed.nouns or parsed.nouns[0].start > opening:
        return
    parsed.subject = parsed.nouns[0]
    ends = {noun.start: noun for noun in parsed.nouns}
    i = parsed.subject.end
    words = parsed.words
    while i < len(words):
        word = words[i]
        if word == "and" and not (i + 1 in ends and ends[i + 1].head in W.CLOTHES):
            return  # the subject is more than the first noun, or the verb is somebody else's
        if word in ("is", "are") or word in SKIP_SUBJECT:
            i += 1
        elif i in ends and words[i - 1] in SKIP_SUBJECT:
            i = ends[i].end
        elif word in COLOURS and words[i - 1] in ("in", "wearing", "and"):
            i += 1
        elif word in VERBS and word != "wearing":
            verb, form = VERBS[word]
            if form == "base" and not parsed.subject.many:
                return
            if form == "s" and parsed.subject.many:
                return
            parsed.verb = (verb, form, i)
            return
        else:
            return


# ---- facts of one picture


def person_kind(noun):
    """(sex, age) of a person word, None for what is not a person."""
    return W.PERSONS.get(noun.head)


def is_person(noun):
    return noun.head in W.PERSONS or noun.head in W.CROWDS


def _people_in(parsed):
    """How many people a caption names: a number, or None when it does not say."""
    total, seen = 0, False
    for noun in parsed.nouns:
        if not is_person(noun):
            continue
        if noun.count is None or (seen and noun.definite):
            return None
        seen = True
        total += noun.count
    if {"another", "others", "each", "other"} & set(parsed.words) and total < 2:
        return None
    return total if seen else 0


def _hinted(parsed):
    return bool(W.PERSON_HINTS & parsed.said)


def colour_answer(parses, head):
    """The colour of the only `head` of a picture: named by two captions, or one for what is not an
    animal, and by none otherwise. None when there may be two of them."""
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
    (colours, count), = votes.items()
    if count < (2 if head in W.ANIMALS else 1) or len(colours) > 2:
        return None
    return " and ".join(colours)


def _partly_coloured(parsed, noun):
    after = parsed.words[noun.end : noun.end + 3]
    return len(after) > 1 and after[0] == "with" and any(w in COLOURS for w in after[1:])


def _colour_questions(parses):
    heads = {noun.head for parsed in parses for noun in parsed.nouns if noun.colours}
    for head in sorted(heads):
        if is_person(Noun(0, 0, head, False)) or head in W.NOT_COLOURED:
            continue
        if head not in W.ANIMALS and head not in W.CLOTHES and head not in W.THINGS:
            continue
        if head in W.CLOTHES and max((_people_in(p) or 9 for p in parses)) > 1:
            continue  # two people may wear one each
        if head in W.ANIMALS and any(p.said & {"another", "other"} for p in parses):
            continue
        answer = colour_answer(parses, head)
        if answer:
            verb = "are" if head in W.PAIRED else "is"
            yield f"what color {verb} the {head}?", answer, "colour"


def count_answer(parses, number_in, named_by=2):
    """The number that at least `named_by` captions name when none names more, none leaves it open,
    and more captions name it than a smaller one; `number_in` is a caption's number, 0 when it does not
    speak of the thing, None when it leaves the number open."""
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


def _number_of(heads):
    def number_in(parsed):
        own = [noun for noun in parsed.nouns if noun.head in heads]
        if any(noun.count is None for noun in own) or ({"another", "others"} & set(parsed.words)):
            return None
        if len(own) > 1 and any(noun.definite for noun in own):
            return None
        return sum(noun.count for noun in own)

    return number_in


def _count_questions(parses):
    people = count_answer(parses, _people_in, 3)
    if people and (people > 1 or not any({"their", "them", "they", "crowd", "people"} & p.said for p in parses)):
        yield "how many people are there?", str(people), "count"
    for head in ("dog", "horse", "cat", "bird", "man", "woman", "boy", "girl", "child"):
        heads = {head}
        if head in W.PERSONS and (people == 1 or not _one_kind_of_people(parses, head)):
            continue
        if head not in W.PERSONS and any(p.said & {"animals", "pack"} for p in parses):
            continue
        answer = count_answer(parses, _number_of(heads), 3)
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
    """man, woman, boy, girl, child or baby, when every caption that names somebody names one person and
    no two of them disagree about sex or age."""
    votes, sexes, ages = Counter(), set(), set()
    for parsed in parses:
        people = _people_in(parsed)
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
    named = {("m", "adult"): "man", ("f", "adult"): "woman", ("m", "child"): "boy", ("f", "child"): "girl"}
    for (sex, age), word in named.items():
        support = sum(n for w, n in votes.items() if W.PERSONS[w] == (sex, age))
        if support >= 2:
            return word
    for word in ("baby", "child"):
        if not sexes and votes[word] >= 2:
            return word
    return None


def _subjects(parses):
    """Those of whom a question may ask what they do: (word, captions that open with them, many). The
    word names one person or animal of the picture, or all the people or animals of one kind."""
    opening = [p for p in parses if p.subject]
    who = who_answer(parses)
    if who:
        yield who, [p for p in opening if is_person(p.subject)], False
    else:
        for head in ("man", "woman", "boy", "girl", "child", "baby"):
            if count_answer(parses, _number_of({head})) == 1 and _only_of_kind(parses, head):
                yield head, [p for p in opening if p.subject.head == head], False
        people = count_answer(parses, _people_in)
        by_person = [p for p in opening if is_person(p.subject)]
        if people and people > 1 and all(p.subject.many for p in by_person):
            yield "people", by_person, True
    for head in W.ANIMALS:
        number = count_answer(parses, _number_of({head}))
        if number and not any(p.said & {"animal", "animals"} for p in parses):
            own = [p for p in opening if p.subject.head == head and (number == 1 or p.subject.many)]
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
    """The one value with at least `needed` votes and twice as many as the next; None otherwise."""
    ranked = votes.most_common(2)
    if not ranked or ranked[0][1] < needed or (len(ranked) > 1 and ranked[1][1] * 2 > ranked[0][1]):
        return None
    return ranked[0][0]


def _deed(parsed):
    """(infinitive, what) of a caption: "ride", "bike". None when it names no action."""
    if not parsed.verb or parsed.verb[0] in W.NO_ACTION:
        return None
    verb = parsed.verb[0]
    preposition, noun = _object_of(parsed)
    what = noun.head if noun else None
    if verb == "perform" or what == "trick" or "trick" in parsed.words[parsed.verb[2] : parsed.verb[2] + 4]:
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
    if any(v != verb and v not in related and v in W.POSTURES and verb in W.POSTURES for v, _ in deeds):
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
                if tuple(parsed.words[max(0, noun.start - len(pattern)) : noun.start]) == pattern:
                    votes[noun.head] += 1
    return votes


def _what_questions(parses, subject, many):
    be = "are" if many else "is"
    things = set(W.THINGS) | set(W.SAME_THING.values()) | set(W.GAMES)
    play = _thing_after(parses, [("playing", "with"), ("plays", "with"), ("play", "with")])
    hold = _thing_after(parses, [("holding",), ("holds",), ("hold",), ("carrying",), ("carries",)])
    wear = _thing_after(parses, [("wearing",), ("wears",)])
    for votes, verb, allowed in ((play, "playing with", things), (hold, "holding", things), (wear, "wearing", set(W.CLOTHES))):
        what = _agreed(Counter({k: n for k, n in votes.items() if k in allowed}))
        if what and what != "object" and what != "item":
            yield f"what {be} the {subject} {verb}?", what, "what"
    if subject in W.ANIMALS:
        votes = Counter()
        for parsed in parses:
            if "mouth" in parsed.words:
                at = parsed.words.index("mouth")
                near = [n for n in parsed.nouns if n.end <= at and n.end >= at - 3 and n.head in things]
                votes.update(n.head for n in near[-1:])
        what = _agreed(votes)
        if what and what not in ("object", "item"):
            yield f"what is in the {subject}'s mouth?", what, "what"


def places_of(parsed):
    """Surroundings named behind in, on, at, through, into, across, near, along, down, over."""
    found = []
    for noun in parsed.nouns:
        before = parsed.words[noun.start - 1] if noun.start else ""
        if noun.head in W.SURROUNDINGS and before in (
                "in", "on", "at", "through", "into", "across", "along", "down", "onto", "up"):
            found.append(noun.head)
    found += [place for word, place in PLACE_ADJECTIVES.items() if word in parsed.words]
    return found


def where_answer(parses):
    """The place that two captions name, when no other caption names one that cannot be the same."""
    votes = Counter()
    for parsed in parses:
        votes.update(set(places_of(parsed)))
    place = _agreed(Counter({p: n for p, n in votes.items() if p in W.PLACES}))
    if not place:
        ranked = [p for p, n in votes.most_common() if p in W.PLACES and n >= 2]
        if len(ranked) < 1 or votes.most_common(1)[0][0] != ranked[0] or votes[ranked[0]] == votes.get(
                ranked[1] if len(ranked) > 1 else "", 0):
            return None
        place = ranked[0]
    allowed = W.PLACES[place] | W.EVERYWHERE | {place}
    if any(other not in allowed for other in votes):
        return None
    return place


def questions(captions):
    """All questions of one picture except presence, without duplicates, in a fixed order."""
    parses = [parse(caption) for caption in captions]
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


def _rng(seed, *what):
    text = ":".join([str(seed), *map(str, what)])
    return random.Random(hashlib.sha256(text.encode()).digest())


def names(parses, head):
    """How many captions name a `head`."""
    return sum(1 for parsed in parses if any(noun.head == head for noun in parsed.nouns))


def surely_absent(parses, head):
    """No caption names it, a relative of it, or (for people) anybody it might be."""
    said = set().union(*(parsed.said for parsed in parses))
    if head in said or W.plural(head) in said:
        return False
    if head in W.PERSONS:
        who = who_answer(parses)
        nobody = not any(is_person(n) for p in parses for n in p.nouns) and not said & W.PERSON_HINTS
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
    """One list of yes/no questions for each picture (`rows`: lists of parses). For every object there
    are as many "no" as "yes", so that the question alone does not give the answer."""
    found = [[] for _ in rows]
    yes, no = Counter(), defaultdict(list)
    for i, parses in enumerate(rows):
        there = [h for h in W.SALIENT if names(parses, h) >= 2]
        for head in _rng(seed, "yes", i).sample(there, min(3, len(there))):
            found[i].append({"question": _presence(head), "answer": ["yes"], "kind": "presence"})
            yes[head] += 1
        for head in W.SALIENT:
            if surely_absent(parses, head):
                no[head].append(i)
    for head in W.SALIENT:
        rng, left = _rng(seed, "no", head), yes[head]
        rng.shuffle(no[head])
        for i in sorted(no[head], key=lambda i: len(found[i]) // 4):
            if left == 0:
                break
            found[i].append({"question": _presence(head), "answer": ["no"], "kind": "presence"})
            left -= 1
    return found


# ---- statements


def _replace_word(caption, parsed, index, new):
    """The caption with token `index` replaced, "a" and "an" in agreement."""
    old = parsed.words[index]
    earlier = parsed.words[:index].count(old)
    hits = list(re.finditer(rf"\b{re.escape(old)}\b", caption, re.IGNORECASE))
    if earlier >= len(hits):
        return None
    hit = hits[earlier]
    new = new.capitalize() if hit.group()[0].isupper() else new
    before = re.sub(r"\b([Aa])n? $", lambda m: m.group(1) + ("n " if new[0] in "aeiouAEIOU" else " "), caption[: hit.start()])
    return before + new + caption[hit.end() :]


def _near_colours(colour):
    return set().union({colour}, *(kin for kin in W.NEAR_COLOURS if colour in kin))


def _colour_swaps(parsed, parses):
    said = set().union(*(p.said for p in parses)) | {COLOURS[w] for p in parses for w in p.words if w in COLOURS}
    for noun in parsed.nouns:
        if len(noun.colours) != 1 or noun.tinted or noun.head in W.NOT_COLOURED or is_person(noun):
            continue
        at = [i for i in range(noun.start, noun.end) if parsed.words[i] in COLOURS]
        for new in W.COLOURS:
            if new not in said and new not in _near_colours(noun.colours[0]):
                yield at[0], new


def _number_swaps(parsed, parses):
    for head in ("people", "dog"):
        number_in = _people_in if head == "people" else _number_of({"dog"})
        agreed = count_answer(parses, number_in)
        for noun in parsed.nouns:
            if not (is_person(noun) if head == "people" else noun.head == head):
                continue
            for i in range(noun.start, noun.end):
                if W.NUMBERS.get(parsed.words[i]) == agreed and agreed:
                    for new, value in W.NUMBERS.items():
                        if value < 6 and value != agreed and not any(new in p.words for p in parses):
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
            for new in ("dog", "cat", "horse", "cow", "bird", "goat", "pig", "monkey", "rabbit"):
                if new not in said:
                    yield i, W.plural(new) if many else new


def _action_swaps(parsed, parses):
    if not parsed.verb or parsed.verb[0] not in W.POSTURES or len(parsed.nouns) == 0:
        return
    verb, form, at = parsed.verb
    said = set().union(*(p.said for p in parses))
    for new, kin in W.POSTURES.items():
        if new == verb or new in W.POSTURES[verb] or verb in kin or new in said or said & (kin & set(W.POSTURES)):
            continue
        yield at, {"ing": W.progressive, "s": W.third_person, "base": str}[form](new)


def _place_swaps(parsed, parses):
    said = set().union(*(p.said for p in parses))
    for noun in parsed.nouns:
        before = parsed.words[noun.start - 1] if noun.start else ""
        if noun.head not in W.PLACES or noun.many or before not in ("in", "on") or noun.end - noun.start > 2:
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
            if (first in ("a", "an")) == (new in W.MASS) or (first == noun.head and new not in W.MASS):
                continue
            yield noun.end - 1, new


SWAPS = {"colour": _colour_swaps, "number": _number_swaps, "person": _person_swaps,
         "animal": _animal_swaps, "action": _action_swaps, "place": _place_swaps}


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
        return [str(n) for w, n in W.NUMBERS.items() if n < 5 and str(n) != answer and w not in said and answer != "1"]
    if kind == "doing":
        verb = VERBS.get(answer, ("",))[0]
        return [W.progressive(v) for v, kin in W.POSTURES.items()
                if verb in W.POSTURES and v != verb and v not in W.POSTURES[verb] and verb not in kin
                and v not in said and not said & kin & set(W.POSTURES)]
    if kind == "where":
        return [p for p in W.PREPOSITION if p != answer and p not in said and p not in W.PLACES[answer]
                and answer not in W.PLACES[p] and not said & W.PLACES[p] & W.SURROUNDINGS]
    return []


def _fact_statements(asked, parses, rng, budget):
    """True or false, by the toss of a coin, where both are possible. A false answer is one that is true of
    other pictures about as often: `budget` counts down the true uses of each answer."""
    for question in asked:
        answer = question["answer"][0]
        wrong = [w for w in _false_answers(question, parses) if budget[question["kind"], w] > 0]
        if not wrong or not fact(question["question"], answer):
            continue
        if rng.random() < 0.5:
            budget[question["kind"], answer] += 1
            yield {"statement": fact(question["question"], answer), "true": True, "kind": "fact"}
        else:
            word = rng.choices(wrong, [budget[question["kind"], w] for w in wrong])[0]
            text = fact(question["question"], word)
            if text:
                budget[question["kind"], word] -= 1
                yield {"statement": text, "true": False, "kind": "fact"}


def statements(rows, parsed_rows, asked_rows, seed):
    """One list for each picture (`rows`: its captions; the parses; its questions): two captions that are
    true, one stranger's, up to two hard negatives, and facts. A word is swapped in no more often than it
    stands in true statements, or the word alone would tell."""
    found, budget = [], Counter()
    facts = Counter({("colour", c): 4 for c in W.COLOURS})
    for kind, values in (("count", "234"), ("doing", [W.progressive(v) for v in W.POSTURES]), ("where", W.PREPOSITION)):
        facts.update({(kind, v): 4 for v in values})
    for i, captions in enumerate(rows):
        chosen = _rng(seed, "true", i).sample(range(len(captions)), min(2, len(captions)))
        found.append([{"statement": captions[k], "true": True, "kind": "caption"} for k in chosen])
        for k in chosen:
            budget.update(parsed_rows[i][k].words)
    for i, captions in enumerate(rows):
        rng = _rng(seed, "false", i)
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
    asked = [questions(captions) for captions in rows]
    told = statements(rows, parsed, asked, seed)
    for more, presence in zip(asked, presence_questions(parsed, seed)):
        more += presence
    return list(zip(asked, told))
