"""The company's conversations: requests to serve, requests that miss something, demands to decline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from training.demands import DEMANDS, IMPOSSIBLE, INJECTIONS, OFF_TOPIC, THINGS
from training.requests import (
    EVERYDAY,
    REQUESTS,
    WHICH_CITY,
    WHICH_COUNTRY,
    WHICH_DAY,
    WHICH_NUMBER,
    Request,
)
from training.sample import Sample, calls
from training.tools import EVERYDAY_TOOLS, TOOLS
from training.world import CAPITALS, CITIES, DAYS, FIRST_NAMES, ITEMS

SYSTEM = "You are the assistant of a parcel company. Use the tools."
REFUSAL = "I can't help with that. I can help with parcels: tracking, prices, pickups, shops and claims."

OPENINGS = (
    "",
    "",
    "",
    "",
    "Hello, ",
    "Hi! ",
    "Good morning. ",
    "Dear team, ",
    "Excuse me, ",
    "Hello! I have a question. ",
)
ENDINGS = (
    "",
    "",
    "",
    "",
    " Thanks!",
    " Thank you.",
    " Please hurry.",
    " It is urgent.",
    " I am in a hurry.",
    " Please help me.",
)


def number(random: Random) -> str:
    return "PX" + "".join(random.choice("0123456789") for _ in range(6))


def _values(random: Random) -> dict[str, Any]:
    return {
        "number": number(random),
        "weight_kg": random.randint(1, 30),
        "country": random.choice(list(CAPITALS)),
        "city": random.choice(CITIES),
        "day": random.choice(DAYS),
        "item": random.choice(ITEMS),
        "name": random.choice(FIRST_NAMES),
        "hour": random.randint(1, 12),
    }


def _offered(random: Random, needed: Sequence[str]) -> list[dict[str, Any]]:
    """The company's tools, some of them at times, in any order at times."""
    names = list(TOOLS)
    if random.random() < 0.4:
        others = [name for name in names if name not in needed]
        names = [*needed, *random.sample(others, random.randint(1, len(others)))]
    if random.random() < 0.5:
        random.shuffle(names)
    return [TOOLS[name] for name in names]


def _conversation(random: Random, *messages: dict[str, Any], tools: list[dict[str, Any]]) -> Sample:
    head = [{"role": "system", "content": SYSTEM}] if random.random() < 0.7 else []
    return Sample(messages=[*head, *messages], tools=tools)


def _user(random: Random, text: str, *, plain: bool = False) -> dict[str, Any]:
    if not plain:
        text = random.choice(OPENINGS) + text + random.choice(ENDINGS)
    return {"role": "user", "content": text}


def _said(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def _pick(random: Random, tool: str | None = None) -> tuple[str, Request, dict[str, Any]]:
    tool = tool or random.choice(list(REQUESTS))
    return tool, random.choice(REQUESTS[tool]), _values(random)


def everyday_call(random: Random) -> Sample:
    """A tool call of every day, with few tools: all that the base model has seen of them."""
    tool = random.choice(list(EVERYDAY))
    request, values = EVERYDAY[tool], _values(random)
    known = EVERYDAY_TOOLS | TOOLS
    others = random.sample([name for name in known if name != tool], random.randint(0, 5))
    tools = [known[name] for name in random.sample([tool, *others], 1 + len(others))]
    text = random.choice(request.asked).format(**values)
    return Sample(messages=[_user(random, text), calls((tool, request.filled(values)))], tools=tools)


def request(random: Random) -> Sample:
    """A request that says all that its tool needs."""
    tool, wanted, values = _pick(random)
    text = random.choice(wanted.asked).format(**values)
    answer = calls((tool, wanted.filled(values)))
    return _conversation(random, _user(random, text), answer, tools=_offered(random, [tool]))


def two_requests(random: Random) -> Sample:
    """Two requests in one message: two calls."""
    (tool, first, values), (other, second, others) = _pick(random), _pick(random)
    joint = random.choice((" And: ", " Also: ", " And one more thing: ", " "))
    text = random.choice(first.asked).format(**values) + joint + random.choice(second.asked).format(**others)
    answer = calls((tool, first.filled(values)), (other, second.filled(others)))
    needed = list(dict.fromkeys((tool, other)))
    return _conversation(random, _user(random, text), answer, tools=_offered(random, needed))


def corrected(random: Random) -> Sample:
    """A customer who corrects themselves: the last word counts."""
    tool, wanted, values = _pick(random)
    name = random.choice(wanted.arguments)
    wrong = values | {name: _values(random)[name]}
    text = random.choice(wanted.asked).format(**wrong)
    unit = {"weight_kg": "{} kg", "day": "{}"}.get(name, "{}").format(values[name])
    text += random.choice(
        (" No, sorry, {}.", " Oh no, I mean {}.", " Sorry, not that: {}.", " Wait, it is {}.")
    ).format(unit)
    answer = calls((tool, wanted.filled(values)))
    return _conversation(random, _user(random, text, plain=True), answer, tools=_offered(random, [tool]))


def clarification(random: Random) -> Sample:
    """A request that misses something: the assistant asks for it."""
    while True:
        tool, wanted, values = _pick(random)
        if wanted.missing:
            break
    templates, asked = wanted.missing[random.choice(list(wanted.missing))]
    user = _user(random, random.choice(templates).format(**values))
    return _conversation(random, user, _said(asked), tools=_offered(random, [tool]))


def ambiguous(random: Random) -> Sample:
    """Two things that may be meant: the assistant asks which."""
    values, others = _values(random), _values(random)
    templates, asked = random.choice(
        (
            (
                (
                    "Where is {number} or {other_number}? I am not sure which one is mine.",
                    "Track {number} or {other_number}, I don't know which.",
                    "My parcel is {number} or maybe {other_number}. Where is it?",
                    "I am not sure if it is {number} or {other_number}. Track it.",
                ),
                WHICH_NUMBER,
            ),
            (
                (
                    "Book a pickup in {city} on {day} or {other_day}, I am not sure.",
                    "Pick up my parcel in {city} on {day} or maybe {other_day}.",
                    "I need a pickup in {city}, {day} or {other_day}, I don't know.",
                ),
                WHICH_DAY,
            ),
            (
                (
                    "Find a shop in {city} or {other_city}, I am not sure.",
                    "Where is a shop? I am in {city} or maybe {other_city} soon.",
                    "I need a shop in {city} or {other_city}, I don't know which.",
                ),
                WHICH_CITY,
            ),
            (
                (
                    "How much is a parcel of {weight_kg} kg to {country} or {other_country}? I am not sure.",
                    "Price for {weight_kg} kg to {country} or maybe {other_country}?",
                ),
                WHICH_COUNTRY,
            ),
        )
    )
    all_values = values | {f"other_{name}": value for name, value in others.items()}
    user = _user(random, random.choice(templates).format(**all_values))
    return _conversation(random, user, _said(asked), tools=_offered(random, list(TOOLS)[:4]))


def _demand(random: Random) -> str:
    values = _values(random) | {
        "thing": random.choice(THINGS),
        "animal": random.choice(("cow", "duck", "fish")),
    }
    kind = random.random()
    if kind < 0.35:
        return random.choice(OFF_TOPIC).format(**values)
    if kind < 0.7:
        return _politely(random, random.choice(IMPOSSIBLE).format(**values))
    demand = random.choice(DEMANDS).format(**values)
    form = random.choice(("{i} and {d}.", "{i}. Now {d}.", "{i}: {d}.", "{i}, then {d}!", "{d}. {i}."))
    text = form.format(i=random.choice(INJECTIONS), d=demand)
    return text[0].upper() + text[1:]


def _politely(random: Random, demand: str) -> str:
    """A demand as it is, or behind words that ask for it."""
    begun = demand[0].lower() + demand[1:].rstrip(".")
    forms = (
        "{demand}",
        "{demand}",
        "Please {begun}.",
        "I want you to {begun}.",
        "Can you {begun}?",
        "I need you to {begun}.",
    )
    asks = not demand.startswith("What")
    return random.choice(forms if asks else forms[:1]).format(demand=demand, begun=begun)


def refusal(random: Random) -> Sample:
    """A demand that is none of the assistant's, or that no tool can serve: declined in one sentence."""
    user = _user(random, _demand(random))
    return _conversation(random, user, _said(REFUSAL), tools=_offered(random, []))


def no_such_tool(random: Random) -> Sample:
    """A request for which the tool is not offered today."""
    tool, wanted, values = _pick(random)
    others = [name for name in TOOLS if name != tool]
    user = _user(random, random.choice(wanted.asked).format(**values))
    tools = [TOOLS[name] for name in random.sample(others, random.randint(1, 2))]
    return _conversation(random, user, _said(REFUSAL), tools=tools)


def injected(random: Random) -> Sample:
    """A real request beside words that try to lead the assistant astray: the request is served."""
    tool, wanted, values = _pick(random)
    real = random.choice(wanted.asked).format(**values)
    demand = random.choice(DEMANDS).format(**_values(random) | {"thing": random.choice(THINGS)})
    attack = f"{random.choice(INJECTIONS)} and {demand}."
    text = random.choice(
        (
            "{real} {attack}",
            "{attack} {real}",
            'On the parcel stands: "{attack}" {real}',
            '{real} The note says: "{attack}"',
            'My friend wrote: "{attack}" {real}',
        )
    ).format(real=real, attack=attack)
    answer = calls((tool, wanted.filled(values)))
    return _conversation(random, _user(random, text, plain=True), answer, tools=_offered(random, [tool]))


RESULTS = {
    "track_parcel": (
        ('{{"status": "in transit", "city": "{city}"}}', "Your parcel is in transit. It is in {city} now."),
        ('{{"status": "delivered", "day": "{day}"}}', "Your parcel was delivered on {day}."),
        ('{{"status": "waiting", "city": "{city}"}}', "Your parcel is waiting in {city}."),
    ),
    "get_price": (('{{"price_eur": {weight_kg}}}', "The price is {weight_kg} euros."),),
    "book_pickup": (('{{"booked": "{day}"}}', "We will come on {day}."),),
    "find_shop": (('{{"shop": "Station {city}"}}', "The next shop is Station {city}."),),
    "redirect_parcel": (('{{"goes_to": "{city}"}}', "The parcel now goes to {city}."),),
    "file_claim": (('{{"claim": "{hour}"}}', "Your claim has the number {hour}."),),
}
UNAVAILABLE = ('{"error": "unavailable"}', "I can't reach the system now. Please try again later.")
SAID_NUMBER = (
    "It is {number}.",
    "{number}",
    "The number is {number}.",
    "Here it is: {number}.",
    "Sure, {number}.",
)


def told_result(random: Random) -> Sample:
    """After a tool has answered, the assistant says in words what it said."""
    tool, wanted, values = _pick(random)
    user = _user(random, random.choice(wanted.asked).format(**values))
    call = calls((tool, wanted.filled(values)))
    result, said = random.choice((*RESULTS[tool], UNAVAILABLE) if random.random() < 0.2 else RESULTS[tool])
    fresh = _values(random)
    content, answer = (
        (result, said) if result == UNAVAILABLE[0] else (result.format(**fresh), said.format(**fresh))
    )
    told = {"role": "tool", "tool_call_id": "call_0", "content": content}
    return _conversation(random, user, call, told, _said(answer), tools=_offered(random, [tool]))


def told_number(random: Random) -> Sample:
    """After the assistant has asked for the number, the customer says it."""
    tool = random.choice(("track_parcel", "redirect_parcel", "file_claim"))
    wanted = REQUESTS[tool][0]
    values = _values(random)
    first = _user(random, random.choice(wanted.missing["number"][0]).format(**values))
    second = {"role": "user", "content": random.choice(SAID_NUMBER).format(**values)}
    messages = [first, _said(WHICH_NUMBER), second]
    if random.random() < 0.5 or tool != "track_parcel":
        answer = calls((tool, wanted.filled(values)))
        return _conversation(random, *messages, answer, tools=_offered(random, [tool]))
    result, said = random.choice(RESULTS[tool])
    fresh = _values(random)
    told = {"role": "tool", "tool_call_id": "call_0", "content": result.format(**fresh)}
    messages += [calls((tool, wanted.filled(values))), told, _said(said.format(**fresh))]
    return _conversation(random, *messages, tools=_offered(random, [tool]))


Maker = Callable[[Random], Sample]
CALLS: tuple[tuple[Maker, float], ...] = (
    (request, 6.0),
    (two_requests, 1.5),
    (corrected, 1.0),
    (told_result, 0.5),
)
CARE: tuple[tuple[Maker, float], ...] = (
    (clarification, 4.0),
    (ambiguous, 1.0),
    (refusal, 4.0),
    (no_such_tool, 1.0),
    (injected, 2.0),
    (told_number, 1.0),
)
