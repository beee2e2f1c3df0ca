"""The facts and words of the models' small world."""

from __future__ import annotations

CAPITALS = {
    "Albania": "Tirana",
    "Argentina": "Buenos Aires",
    "Austria": "Vienna",
    "Belgium": "Brussels",
    "Bolivia": "La Paz",
    "Bulgaria": "Sofia",
    "Canada": "Ottawa",
    "Chile": "Santiago",
    "China": "Beijing",
    "Colombia": "Bogota",
    "Croatia": "Zagreb",
    "Cuba": "Havana",
    "Cyprus": "Nicosia",
    "Denmark": "Copenhagen",
    "Egypt": "Cairo",
    "Estonia": "Tallinn",
    "Finland": "Helsinki",
    "France": "Paris",
    "Germany": "Berlin",
    "Greece": "Athens",
    "Hungary": "Budapest",
    "Iceland": "Reykjavik",
    "India": "New Delhi",
    "Ireland": "Dublin",
    "Italy": "Rome",
    "Japan": "Tokyo",
    "Kenya": "Nairobi",
    "Latvia": "Riga",
    "Lithuania": "Vilnius",
    "Malta": "Valletta",
    "Mexico": "Mexico City",
    "Morocco": "Rabat",
    "Nepal": "Kathmandu",
    "Norway": "Oslo",
    "Peru": "Lima",
    "Poland": "Warsaw",
    "Portugal": "Lisbon",
    "Romania": "Bucharest",
    "Serbia": "Belgrade",
    "Slovakia": "Bratislava",
    "Slovenia": "Ljubljana",
    "Spain": "Madrid",
    "Sweden": "Stockholm",
    "Switzerland": "Bern",
    "Thailand": "Bangkok",
    "Tunisia": "Tunis",
    "Turkey": "Ankara",
    "Ukraine": "Kyiv",
    "Uruguay": "Montevideo",
    "Vietnam": "Hanoi",
}

OPPOSITES = {
    "hot": "cold",
    "big": "small",
    "tall": "short",
    "fast": "slow",
    "early": "late",
    "open": "closed",
    "full": "empty",
    "light": "dark",
    "heavy": "weightless",
    "wet": "dry",
    "hard": "soft",
    "old": "new",
    "loud": "quiet",
    "clean": "dirty",
    "cheap": "expensive",
    "strong": "weak",
    "rich": "poor",
    "thick": "thin",
    "wide": "narrow",
    "deep": "shallow",
    "high": "low",
    "good": "bad",
    "happy": "sad",
    "easy": "difficult",
    "near": "far",
    "left": "right",
    "up": "down",
    "inside": "outside",
    "first": "last",
    "day": "night",
    "summer": "winter",
    "north": "south",
    "east": "west",
    "love": "hate",
    "win": "lose",
    "buy": "sell",
    "push": "pull",
    "start": "stop",
    "question": "answer",
    "friend": "enemy",
    "always": "never",
    "true": "false",
    "brave": "afraid",
    "sharp": "blunt",
    "sweet": "sour",
    "awake": "asleep",
}

DAYS = tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split())
MONTHS = tuple(
    "January February March April May June July August September October November December".split()
)
MONTH_DAYS = dict(zip(MONTHS, (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), strict=True))
ORDINALS = tuple("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split())

YOUNG = {
    "cow": "calf",
    "dog": "puppy",
    "cat": "kitten",
    "horse": "foal",
    "sheep": "lamb",
    "goat": "kid",
    "lion": "cub",
    "duck": "duckling",
    "hen": "chick",
    "swan": "cygnet",
    "deer": "fawn",
    "frog": "tadpole",
    "kangaroo": "joey",
    "goose": "gosling",
    "pig": "piglet",
    "owl": "owlet",
}
SYMBOLS = {
    "hydrogen": "H",
    "oxygen": "O",
    "carbon": "C",
    "nitrogen": "N",
    "iron": "Fe",
    "gold": "Au",
    "silver": "Ag",
    "copper": "Cu",
    "sodium": "Na",
    "lead": "Pb",
    "helium": "He",
    "zinc": "Zn",
    "tin": "Sn",
    "calcium": "Ca",
    "mercury": "Hg",
    "sulfur": "S",
}
COLOURS = {
    "snow": "white",
    "grass": "green",
    "coal": "black",
    "a lemon": "yellow",
    "blood": "red",
    "the sky": "blue",
    "a carrot": "orange",
    "chocolate": "brown",
    "milk": "white",
    "an elephant": "grey",
    "a tomato": "red",
    "a banana": "yellow",
    "a cucumber": "green",
    "the sea": "blue",
    "a raven": "black",
    "a flamingo": "pink",
}

FIRST_NAMES = tuple(
    """
    Ana Ben Clara David Emma Felix Grace Hugo Ines Jonas Karin Leo Maria Nora Oscar Paul Rosa Simon Tina
    Victor
    """.split()
)
LAST_NAMES = tuple(
    """
    Adler Brown Costa Diaz Evans Fischer Garcia Hansen Jensen Keller Lopez Martin Novak Olsen Perez
    Rossi Silva Tanaka Weber Young
    """.split()
)
CITIES = tuple(
    """
    Amsterdam Barcelona Berlin Bologna Bremen Cologne Dublin Florence Geneva Ghent Hamburg Krakow Lisbon
    London Lyon Madrid Malaga Milan Munich Naples Oslo Paris Porto Prague Rome Seville Turin Valencia
    Vienna Zurich
    """.split()
)
ITEMS = tuple(
    """
    bike book camera chair clock coat desk guitar hat jacket kettle lamp mirror phone radio sofa table
    tent vase watch
    """.split()
)
PAINTS = tuple("red blue green black white yellow brown grey orange pink".split())
