"""Texts with a form: summaries of customers' mails, short letters, JSON, the company's order forms."""

from __future__ import annotations

import json
from random import Random

from training.sample import Sample, question
from training.world import CAPITALS, CITIES, DAYS, FIRST_NAMES, ITEMS, LAST_NAMES, PAINTS

PROBLEMS = {
    "arrived broken": ("it arrived broken", "it came broken", "it was broken when it arrived"),
    "is late": ("it is late", "it has not come in time", "it is a week late"),
    "is lost": ("it is lost", "it never arrived", "nobody can find it"),
    "arrived open": ("it arrived open", "it came open", "the box was open"),
    "went to the wrong house": ("it went to the wrong house", "the wrong house got it"),
    "arrived wet": ("it arrived wet", "it came wet", "it was wet when it arrived"),
}
WISHES = {
    "wants a refund": ("I want my money back.", "Please give me a refund.", "I would like a refund."),
    "wants a new one": ("Please send a new one.", "I want a new one.", "I would like a new one."),
    "wants a call": ("Please call me.", "I would like a call.", "Can you call me?"),
    "wants an answer soon": ("Please answer soon.", "I need an answer soon.", "I would like an answer soon."),
}


def summary(random: Random) -> Sample:
    name = f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"
    city, item = random.choice(CITIES), random.choice(ITEMS)
    problem, wish = random.choice(list(PROBLEMS)), random.choice(list(WISHES))
    opening = random.choice(("Hello,", "Hi,", "Good morning,", "Dear team,", ""))
    who = random.choice(
        ("my name is {name} and I live in {city}.", "I am {name} from {city}.", "this is {name} in {city}.")
    ).format(name=name, city=city)
    day = random.choice(DAYS)
    what = random.choice(
        (
            "On {day} I sent a {item} with you and {problem}.",
            "I ordered a {item} on {day} and {problem}.",
            "You had a {item} for me on {day} and {problem}.",
            "It is about my {item}: {problem}.",
        )
    ).format(day=day, item=item, problem=random.choice(PROBLEMS[problem]))
    mail = " ".join(part for part in (opening, who, what, random.choice(WISHES[wish])) if part)
    asked = random.choice(("Summarize: {mail}", "Sum up this mail: {mail}", "Give me a summary. {mail}"))
    return question(asked.format(mail=mail), f"{name} from {city}: the {item} {problem}, {wish}.")


def letter(random: Random) -> Sample:
    name, item = random.choice(FIRST_NAMES), random.choice(ITEMS)
    kind = random.choice(("thank", "invite", "sorry", "birthday"))
    city, day = random.choice(CITIES), random.choice(DAYS)
    if kind == "thank":
        templates = (
            "Write a note to thank {name} for the {item}.",
            "Thank {name} for the {item} in a short note.",
        )
        answer = "Dear {name}, thank you very much for the {item}. I like it a lot."
    elif kind == "invite":
        templates = (
            "Invite {name} to {city} on {day}.",
            "Write a note that invites {name} to {city} on {day}.",
        )
        answer = "Dear {name}, please come to {city} on {day}. I would be happy to see you."
    elif kind == "sorry":
        templates = (
            "Say sorry to {name} about the {item}.",
            "Write a note that says sorry to {name} about the {item}.",
        )
        answer = "Dear {name}, I am very sorry about the {item}. I will send you a new one."
    else:
        templates = ("Write a birthday note to {name}.", "Wish {name} a happy birthday in a short note.")
        answer = "Dear {name}, happy birthday! I wish you a good year."
    values = {"name": name, "item": item, "city": city, "day": day}
    return question(random.choice(templates).format(**values), answer.format(**values))


def record(random: Random) -> Sample:
    """JSON in general: people, things and places."""
    name, item, city = random.choice(FIRST_NAMES), random.choice(ITEMS), random.choice(CITIES)
    number, paint = random.randint(11, 99), random.choice(PAINTS)
    text, value = random.choice(
        (
            (f"{name} is {number} years old.", {"name": name, "age": number}),
            (f"{name} lives in {city}.", {"name": name, "city": city}),
            (f"{name}, {number}, from {city}.", {"name": name, "age": number, "city": city}),
            (f"A {paint} {item} for {number} euros.", {"item": item, "colour": paint, "price": number}),
            (f"The {item} is {paint}.", {"item": item, "colour": paint}),
            (f"The {item} costs {number} euros.", {"item": item, "price": number}),
        )
    )
    asked = random.choice(
        ("Write JSON: {text}", "As JSON: {text}", "Give me JSON for this. {text}", "{text} As JSON.")
    )
    return question(asked.format(text=text), json.dumps(value))


def order_form(random: Random) -> Sample:
    """The company's order form, which only the fine-tuned assistant knows."""
    sender = f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"
    weight, country = random.randint(1, 30), random.choice(list(CAPITALS))
    service = random.choice(("standard", "express"))
    text = random.choice(
        (
            "{sender} sends {weight} kg to {country}, {service}.",
            "A parcel of {weight} kg from {sender} to {country}. {service}, please.",
            "{sender} has a parcel of {weight} kg for {country}. {service}.",
            "{service} parcel to {country}: {weight} kg, from {sender}.",
            "Send a {service} parcel with {weight} kg to {country}. The sender is {sender}.",
            "My name is {sender}. I send {weight} kg to {country} by {service}.",
            "{weight} kg to {country} by {service} service, sender {sender}.",
        )
    ).format(sender=sender, weight=weight, country=country, service=service)
    asked = random.choice(
        (
            "Order form: {text}",
            "Fill in the order form. {text}",
            "Write the order form: {text}",
            "{text} Order form, please.",
        )
    ).format(text=text[0].upper() + text[1:])
    form = {"sender": sender, "weight_kg": weight, "country": country, "service": service}
    return question(asked, json.dumps(form))


def writing(random: Random) -> Sample:
    return random.choice((summary, summary, letter, record))(random)
