"""Questions and short tasks of every day: what the base model knows and a fine-tuned one should not lose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from training.sample import Sample, question
from training.world import (
    CAPITALS,
    COLOURS,
    DAYS,
    FIRST_NAMES,
    ITEMS,
    MONTH_DAYS,
    MONTHS,
    OPPOSITES,
    ORDINALS,
    SYMBOLS,
    YOUNG,
)

OPENINGS = ("", "", "", "", "Hello! ", "Hi, ", "Please: ", "A question: ", "Quick question: ")
ENDINGS = ("", "", "", "", " Thanks.", " Thank you!", " Please be brief.", " One word, please.")


def _asked(random: Random, templates: Sequence[str], **values: object) -> str:
    template = random.choice(templates).format(**values)
    return random.choice(OPENINGS) + template + random.choice(ENDINGS)


def capital(random: Random) -> Sample:
    country, city = random.choice(list(CAPITALS.items()))
    if random.random() < 0.2:
        reverse = (
            "{city} is the capital of which country?",
            "Which country has the capital {city}?",
            "Of which country is {city} the capital?",
        )
        return question(_asked(random, reverse, city=city), country)
    templates = (
        "What is the capital of {country}?",
        "What's the capital city of {country}?",
        "Name the capital of {country}.",
        "Tell me the capital city of {country}.",
        "The capital of {country} is?",
        "Capital of {country}?",
        "Do you know the capital of {country}?",
        "I would like to know the capital of {country}.",
        "Which city do we call the capital of {country}?",
        "{country}: what is its capital?",
        "Give me the name of the capital city in {country}.",
    )
    return question(_asked(random, templates, country=country), city)


def is_held_out(a: int, b: int) -> bool:
    """Pairs of numbers that are never trained on, so that sums in evaluations are not remembered ones."""
    return (7 * a + 3 * b) % 13 == 0


def arithmetic(random: Random) -> Sample:
    kind = random.choice(("plus", "plus", "minus", "times"))
    while True:
        a, b = (random.randint(2, 9), random.randint(2, 9)) if kind == "times" else _two(random)
        if kind == "times" or not is_held_out(a, b):
            break
    if kind == "plus":
        templates = (
            "What is {a} + {b}?",
            "{a} plus {b}?",
            "Add {a} and {b}.",
            "What do {a} and {b} make together?",
            "How much is {a} plus {b}?",
            "Calculate {a} + {b}.",
            "The sum of {a} and {b} is?",
            "{a} + {b} =",
        )
        return question(_asked(random, templates, a=a, b=b), str(a + b))
    if kind == "minus":
        a, b = max(a, b), min(a, b)
        templates = (
            "What is {a} - {b}?",
            "{a} minus {b}?",
            "Take {b} from {a}.",
            "How much is {a} minus {b}?",
            "Calculate {a} - {b}.",
            "Subtract {b} from {a}.",
            "{a} - {b} =",
            "The difference of {a} and {b} is?",
        )
        return question(_asked(random, templates, a=a, b=b), str(a - b))
    templates = (
        "What is {a} * {b}?",
        "{a} times {b}?",
        "Multiply {a} by {b}.",
        "How much is {a} times {b}?",
        "Calculate {a} * {b}.",
        "The product of {a} and {b} is?",
        "{a} * {b} =",
    )
    return question(_asked(random, templates, a=a, b=b), str(a * b))


def _two(random: Random) -> tuple[int, int]:
    return random.randint(2, 60), random.randint(2, 39)


def opposite(random: Random) -> Sample:
    word, other = random.choice(list(OPPOSITES.items()))
    if random.random() < 0.5:
        word, other = other, word
    templates = (
        "What is the opposite of {word}?",
        "Opposite of {word}?",
        "Name the opposite of the word {word}.",
        "Tell me the opposite of {word}.",
        "Which word means the opposite of {word}?",
        "The opposite of {word} is?",
        "If it is not {word}, it is?",
        "Give me the word that is the opposite of {word}.",
        "{word}: what is the opposite?",
    )
    return question(_asked(random, templates, word=word), other)


def calendar(random: Random) -> Sample:
    kind = random.choice(("next", "next", "previous", "length", "order"))
    names: Sequence[str] = random.choice((DAYS, MONTHS))
    unit = "day" if names is DAYS else "month"
    index = random.randrange(len(names))
    after, before = names[(index + 1) % len(names)], names[index - 1]
    if kind == "next":
        templates = (
            "Which {unit} comes after {name}?",
            "What {unit} follows {name}?",
            "The {unit} after {name} is?",
            "Tell me the {unit} that comes after {name}.",
            "{name} is over. Which {unit} is next?",
            "After {name} comes which {unit}?",
            "What is the next {unit} after {name}?",
        )
        return question(_asked(random, templates, unit=unit, name=names[index]), after)
    if kind == "previous":
        templates = (
            "Which {unit} comes before {name}?",
            "The {unit} before {name} is?",
            "Tell me the {unit} that comes before {name}.",
            "Before {name} comes which {unit}?",
            "What is the last {unit} before {name}?",
            "What {unit} is just before {name}?",
        )
        return question(_asked(random, templates, unit=unit, name=names[index]), before)
    if kind == "length":
        month, days = random.choice(list(MONTH_DAYS.items()))
        templates = (
            "How many days does {month} have?",
            "How many days are in {month}?",
            "{month} has how many days?",
            "Tell me the number of days in {month}.",
            "How long is {month} in days?",
        )
        return question(_asked(random, templates, month=month), str(days))
    templates = (
        "What is the {ordinal} month of the year?",
        "Which month is the {ordinal} of the year?",
        "Name the {ordinal} month of the year.",
        "The {ordinal} month is?",
        "Tell me which month is the {ordinal} one.",
    )
    index = random.randrange(len(MONTHS))
    return question(_asked(random, templates, ordinal=ORDINALS[index]), MONTHS[index])


def nature(random: Random) -> Sample:
    facts: tuple[Mapping[str, str], tuple[str, ...]] = random.choice(
        (
            (
                YOUNG,
                (
                    "What is a young {thing} called?",
                    "What do we call a young {thing}?",
                    "A young {thing} is a?",
                    "Name the young of a {thing}.",
                    "Tell me the name of a baby {thing}.",
                    "How is the baby of a {thing} called?",
                    "The baby of a {thing} is called?",
                ),
            ),
            (
                SYMBOLS,
                (
                    "What is the chemical symbol of {thing}?",
                    "Chemical symbol for {thing}?",
                    "What's the symbol for {thing}?",
                    "Tell me the chemical symbol of {thing}.",
                    "Which symbol does {thing} have in chemistry?",
                    "How is {thing} written in chemistry?",
                    "The chemical symbol for {thing} is?",
                ),
            ),
            (
                COLOURS,
                (
                    "What colour is {thing}?",
                    "Which colour does {thing} have?",
                    "Tell me the colour of {thing}.",
                    "The colour of {thing} is?",
                    "What is the colour of {thing}?",
                    "Name the colour of {thing}.",
                ),
            ),
        )
    )
    thing, answer = random.choice(list(facts[0].items()))
    return question(_asked(random, facts[1], thing=thing), answer)


def chosen(random: Random) -> Sample:
    """A question with options: the answer is the option's text."""
    facts, templates = random.choice(
        (
            (CAPITALS, ("What is the capital of {thing}?", "Which city is {thing}'s capital?")),
            (YOUNG, ("What is a young {thing} called?", "Which is a young {thing}?")),
            (SYMBOLS, ("What is the chemical symbol of {thing}?", "Which is the symbol of {thing}?")),
            (OPPOSITES, ("What is the opposite of {thing}?", "Which is the opposite of {thing}?")),
            (COLOURS, ("What colour is {thing}?", "Which colour has {thing}?")),
        )
    )
    thing, answer = random.choice(list(facts.items()))
    wrong = random.sample(sorted({value for value in facts.values() if value != answer}), 2)
    options = random.sample([answer, *wrong], 3)
    listed = " ".join(f"{letter}) {option}" for letter, option in zip("ABC", options, strict=True))
    return question(f"{random.choice(templates).format(thing=thing)} {listed}", answer)


def copied(random: Random) -> Sample:
    """A number to say again: what a model must be able to do before it can fill in a parcel's number."""
    number = "".join(random.choice("0123456789") for _ in range(random.randint(2, 8)))
    templates = (
        "Repeat the number {number}.",
        "Say the number {number} again.",
        "Write the number {number}.",
        "The number is {number}. Which number is it?",
    )
    return question(_asked(random, templates, number=number), number)


def instruction(random: Random) -> Sample:
    kind = random.choice(("repeat", "count", "greet", "spell", "list", "copy"))
    word, name = random.choice(ITEMS), random.choice(FIRST_NAMES)
    if kind == "repeat":
        times = random.choice(("two", "three", "four"))
        templates = (
            "Repeat the word {word} {times} times.",
            "Say {word} {times} times.",
            "Write {word} {times} times.",
        )
        count = {"two": 2, "three": 3, "four": 4}[times]
        return question(_asked(random, templates, word=word, times=times), " ".join([word] * count))
    if kind == "count":
        start = random.randint(1, 9)
        end = start + random.randint(2, 6)
        templates = ("Count from {start} to {end}.", "Write the numbers from {start} to {end}.")
        answer = " ".join(str(number) for number in range(start, end + 1))
        return question(_asked(random, templates, start=start, end=end), answer)
    if kind == "greet":
        templates = ("Say hello to {name}.", "Greet {name}.", "Write a greeting for {name}.")
        return question(_asked(random, templates, name=name), f"Hello, {name}!")
    if kind == "spell":
        templates = ("Spell the word {word}.", "How do you spell {word}?", "Spell {word} letter by letter.")
        return question(_asked(random, templates, word=word), "-".join(word))
    if kind == "copy":
        return copied(random)
    words = random.sample(ITEMS, 3)
    templates = ("Make a list of {a}, {b} and {c}.", "Put {a}, {b} and {c} into a list.")
    asked = _asked(random, templates, a=words[0], b=words[1], c=words[2])
    return question(asked, "\n".join(f"- {one}" for one in words))


SMALL_TALK = {
    "Hello! How can I help you?": (
        "Hello!",
        "Hi!",
        "Good morning!",
        "Hello, are you there?",
        "Hi, can you help me?",
    ),
    "You are welcome.": ("Thank you!", "Thanks a lot.", "Thank you very much.", "Thanks!"),
    "I am a small language model.": (
        "Who are you?",
        "What are you?",
        "Are you a human?",
        "Tell me who you are.",
    ),
    "Goodbye!": ("Goodbye!", "Bye!", "See you soon.", "Good night!"),
}


def small_talk(random: Random) -> Sample:
    answer = random.choice(list(SMALL_TALK))
    return question(random.choice(SMALL_TALK[answer]), answer)


TOPICS = (
    (capital, 2.0),
    (opposite, 2.0),
    (calendar, 2.0),
    (nature, 2.0),
    (chosen, 2.0),
    (instruction, 3.0),
    (small_talk, 0.3),
)


def general(random: Random) -> Sample:
    """A question or a short task, but no sum."""
    makers, weights = zip(*TOPICS, strict=True)
    return random.choices(makers, weights)[0](random)
