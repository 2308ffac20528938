"""A support desk's made-up tickets: subject, body, team; empty cells, six uneven classes."""

import csv
import random

TEAMS = {
    "billing": 0.34, "orders": 0.26, "returns": 0.16, "accounts": 0.12, "technical": 0.08,
    "press": 0.04,
}  # fmt: skip
COMMON = (
    "please help me with the thing that we bought since it is not what was said and nobody did "
    "answer"
).split()


def tickets(count=3000, seed=0):
    """Rows as dicts; most words of a ticket say nothing of its team."""
    draw = random.Random(seed)
    own = {
        team: [f"{team[:3]}{end}" for end in ("al", "be", "ga", "de", "ep", "ze")] for team in TEAMS
    }
    rows = []
    for number in range(count):
        team = draw.choices(list(TEAMS), list(TEAMS.values()))[0]
        told = team if draw.random() < 0.85 else draw.choice(list(TEAMS))
        subject = " ".join([*draw.choices(COMMON, k=3), draw.choice(own[told])])
        words = [*draw.choices(COMMON, k=draw.randrange(8, 40)), *draw.choices(own[team], k=2)]
        draw.shuffle(words)
        rows.append(
            {
                "subject": subject if draw.random() < 0.95 else "",
                "body": f"{' '.join(words)}, no. {number}" if draw.random() < 0.97 else "",
                "team": team if draw.random() < 0.99 else "",
            }
        )
    return rows


def write(path, rows):
    """Rows as a CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
