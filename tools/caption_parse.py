"""caption_parse.py — noun groups, the subject and its verb, and places, out of one caption.

Captions are simple English, a sentence or less, and their words are known (caption_words.py),
so a reading from left to right is enough: no tagger, no grammar. What cannot be read is left
out; the callers want few and sure facts.

  parse(caption) → Parsed
  people_in(parsed), number_of(heads)(parsed)     how many, or that it is left open
  places_of(parsed)                               surroundings"""

import re
from dataclasses import dataclass, field

import caption_words as W

DETERMINERS = set("a an the his her their its this that these some several many".split())
DEFINITE = set("the his her their its this that".split())
VAGUE = set("some several many few various other these those numerous".split())
OPENERS = DETERMINERS | VAGUE | set(W.COUNTED)
COLOURS = {c: c for c in W.COLOURS} | {k: v for k, v in W.SAME_COLOUR.items() if v in W.COLOURS}
# Tints that captions name and people dispute: no answers, but they contradict one.
TINTS = set("""
    beige golden gold silver blond cream maroon turquoise teal multicolored multi-colored
    tri-colored colorful spotted tricolor camouflage rainbow striped brindle checkered plaid neon
    """.split())
SHADES = {"dark", "light", "bright"}
# Words that are verbs as often as nouns: nouns only behind one of BEFORE_NOUN.
BOTH = set("""
    swing slide play walk ride run jump climb surf wave fish drink ski stand dance top dress suit
    hose log bat row park bow drum cross paddle box train ramp cook coach rock field sign bowl
    table cup boxing kid phone tire rail pants cap coat plant mask object fence leaves
    """.split())
BEFORE_NOUN = OPENERS | set(COLOURS) | set(W.CLOTHES) | set("""
    tennis soccer skate surf baseball rock ski park tree large small big wooden metal skateboard
    snowy grassy stone brick plastic toy of with in on through over by wearing
    """.split()) - VAGUE
# Between a subject and its verb: "a man in a red shirt on a bench is …".
BETWEEN = set("in with wearing of dressed on at near from inside and".split())
# Adjectives that may open a caption without an article.
PLAIN = set("""
    small large big little young old older elderly tall fluffy wet furry asian african lone
    blond blonde
    """.split())
# Parts of a body or a picture: heads of groups that no question is about.
BODY = set("""
    mouth hair head hand back face tongue leg arm ear neck beard mohawk tail air background
    foreground
    """.split())
PLACE_ADJECTIVES = {
    "snowy": "snow",
    "snow-covered": "snow",
    "grassy": "grass",
    "sandy": "sand",
    "muddy": "mud",
}
PLACE_PREPOSITIONS = set("in on at through into across along down onto up".split())
COLLECTIVES = set("group couple pair bunch crowd team".split())


def _noun_forms():
    """{form: (singular, is it a plural)}"""
    classes = (
        W.PERSONS,
        W.ANIMALS,
        W.ANIMAL_NAMES,
        W.CLOTHES,
        W.THINGS,
        W.PLACES,
        W.SAME_THING,
    )
    singular = [word for words in (*classes, W.SURROUNDINGS, W.GAMES, BODY) for word in words]
    forms = {W.plural(word): (word, True) for word in singular if word not in W.PAIRED}
    forms |= {word: (word, False) for word in singular}
    for word in ("sheep", "fish"):  # one or many: the word does not say
        del forms[word]
    return forms


def _verb_forms():
    """{form: (infinitive, "base" | "s" | "ing")}"""
    forms = {}
    for verb in W.VERBS:
        forms[verb] = (verb, "base")
        forms[W.third_person(verb)] = (verb, "s")
        forms[W.progressive(verb)] = (verb, "ing")
    return forms | {"laying": ("lie", "ing"), "lays": ("lie", "s")}


NOUNS, VERBS = _noun_forms(), _verb_forms()


@dataclass
class Noun:
    """A noun group: tokens [start, end); the last one is the head, given in the singular."""

    start: int
    end: int
    head: str
    many: bool
    count: object = None  # a number, or None: not said
    colours: tuple = ()
    tinted: bool = False  # a tint stands with it
    definite: bool = False
    words: tuple = ()


@dataclass
class Parsed:
    words: list
    nouns: list
    subject: object = None  # the Noun that opens the caption
    verb: object = None  # (infinitive, form, index of the word), of the subject
    said: set = field(default_factory=set)  # all words, and their singulars and infinitives


def tokens(caption):
    """Lower-case words; possessive 's and punctuation are tokens of their own."""
    text = caption.lower().replace("’", "'")
    text = re.sub(r"\b(tee|t)[ -]?shirt", "shirt", text)
    return re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*|'s|[.,;]", text)


def one_name(word):
    """The name a thing goes by in questions: "bicycle" → "bike", "puppy" → "dog"."""
    return W.ANIMAL_NAMES.get(word, W.SAME_THING.get(word, word))


def is_person(noun):
    return noun.head in W.PERSONS or noun.head in W.CROWDS


def person_kind(noun):
    """(sex, age) of a person word; None for anything else."""
    return W.PERSONS.get(noun.head)


# ---- noun groups


def _is_noun_at(words, i):
    word = words[i]
    if word not in NOUNS and word not in ("sheep", "fish") and word not in W.CROWDS:
        return False
    if word in BOTH or word in VERBS:
        return i > 0 and words[i - 1] in BEFORE_NOUN
    return True


def _is_colour(word):
    return word in COLOURS or word in TINTS


def _joins_colours(words, i):
    """The "and" of "black and white"."""
    return (
        words[i] == "and"
        and i + 1 < len(words)
        and _is_colour(words[i - 1])
        and (_is_colour(words[i + 1]))
    )


def _may_be_adjective(word):
    return word not in W.STOP and word not in VERBS and word[0].isalpha()


def _noun_group(words, start):
    """The noun group that starts at a token, or None. Unknown words count as adjectives only
    behind a determiner, a number or a plain adjective, and at most three of them."""
    opened = words[start] in OPENERS or words[start] in PLAIN
    count, colours, tinted, unknown, head = W.COUNTED.get(words[start]), [], False, 0, None
    for i in range(start, len(words)):
        word = words[i]
        if i == start and opened:
            continue
        if i == start + 1 and opened and word in W.NUMBERS:
            count = W.NUMBERS[word]  # "the two dogs"
        elif word in COLOURS:
            colours.append(COLOURS[word])
            head = None  # "the grass green ball": only what follows a colour is coloured
        elif word in TINTS:
            tinted = True
        elif word in SHADES or (head is None and i > start and _joins_colours(words, i)):
            continue
        elif _is_noun_at(words, i):
            head = i
        elif head is None and opened and unknown < 3 and _may_be_adjective(word):
            unknown += 1
        else:
            break
    if head is None:
        return None
    name, many = NOUNS.get(words[head], (words[head], words[head] in W.CROWDS))
    name = one_name(name)
    if many or words[start] in VAGUE:
        many, count = True, count if count and count > 1 else None
    else:
        count = None if name in W.CROWDS else 1
    return Noun(
        start, head + 1, name, many, count, tuple(colours), tinted,
        words[start] in DEFINITE, tuple(words[start : head + 1]),
    )  # fmt: skip


def _merge_collectives(words, nouns):
    """ "a group of three men" is three men, "a couple of dogs" two dogs, "a couple" two
    people."""
    merged = []
    for noun in nouns:
        before = merged[-1] if merged else None
        if before and before.head in COLLECTIVES and words[before.end : noun.start] == ["of"]:
            if noun.head not in W.CLOTHES:  # "a pair of jeans" is one thing
                two = before.head in ("couple", "pair")
                noun.count = 2 if two else noun.count if noun.many else None
                noun.many = True
            noun.start, noun.definite = before.start, False
            noun.words = before.words + noun.words
            merged[-1] = noun
        else:
            merged.append(noun)
    for noun in merged:
        if noun.head == "couple":
            noun.count, noun.many = 2, True
    return merged


# ---- subject and verb


def _find_subject(parsed):
    """The noun group that opens the caption, and the verb behind it: past "in a red shirt",
    "with …", "wearing …" and is/are, and nothing else. A second subject ("and a woman") ends
    the search."""
    words = parsed.words
    opening = 2 if words[:2] in (["there", "is"], ["there", "are"]) else 0
    if not parsed.nouns or parsed.nouns[0].start > opening:
        return
    parsed.subject = parsed.nouns[0]
    groups = {noun.start: noun for noun in parsed.nouns}
    i = parsed.subject.end
    while i < len(words):
        word = words[i]
        if word == "and" and not (i + 1 in groups and groups[i + 1].head in W.CLOTHES):
            return
        if word in ("is", "are") or word in BETWEEN:
            i += 1
        elif i in groups and words[i - 1] in BETWEEN:
            i = groups[i].end
        elif word in COLOURS and words[i - 1] in ("in", "wearing", "and"):
            i += 1  # "a man in red"
        else:
            if word in VERBS and _agrees(VERBS[word][1], parsed.subject.many):
                parsed.verb = (*VERBS[word], i)
            return


def _agrees(form, many):
    return form == "ing" or (form == "base") == many


def parse(caption):
    words = tokens(caption)
    nouns, i = [], 0
    while i < len(words):
        group = _noun_group(words, i)
        if group:
            nouns.append(group)
        i = group.end if group else i + 1
    parsed = Parsed(words, _merge_collectives(words, nouns))
    for word in words:
        singular = NOUNS.get(word, (word,))[0]
        parsed.said |= {word, singular, one_name(singular), VERBS.get(word, (word,))[0]}
    _find_subject(parsed)
    return parsed


# ---- what a caption says


def people_in(parsed):
    """How many people a caption names: a number, or None when it leaves that open."""
    total = 0
    for noun in parsed.nouns:
        if not is_person(noun):
            continue
        if noun.count is None or (total and noun.definite):  # "… the man": one named before?
            return None
        total += noun.count
    if {"another", "others", "each", "other"} & set(parsed.words) and total < 2:
        return None
    return total


def number_of(heads):
    """A function like people_in for things named by one of `heads`."""

    def number_in(parsed):
        own = [noun for noun in parsed.nouns if noun.head in heads]
        if any(noun.count is None for noun in own) or {"another", "others"} & set(parsed.words):
            return None
        if len(own) > 1 and any(noun.definite for noun in own):
            return None
        return sum(noun.count for noun in own)

    return number_in


def dressed_in(parsed):
    """Colours of clothes that have no other name: "a man in red", "wearing black"."""
    named = {i for noun in parsed.nouns for i in range(noun.start, noun.end)}
    return {
        COLOURS[word]
        for i, word in enumerate(parsed.words)
        if i and i not in named and word in COLOURS and parsed.words[i - 1] in ("in", "wearing")
    }


def _preposition_before(words, start):
    """The word before a noun group, past two adjectives that no article opened: "in clear
    shallow water"."""
    for at in range(start - 1, max(-1, start - 4), -1):
        if not _may_be_adjective(words[at]) or words[at] in PLACE_PREPOSITIONS:
            return words[at]
    return ""


def places_of(parsed):
    """Surroundings: nouns behind in, on, at, …, and what "snowy" or "grassy" tell."""
    found = [
        noun.head
        for noun in parsed.nouns
        if noun.head in W.SURROUNDINGS
        and _preposition_before(parsed.words, noun.start) in PLACE_PREPOSITIONS
    ]
    return found + [place for word, place in PLACE_ADJECTIVES.items() if word in parsed.words]
