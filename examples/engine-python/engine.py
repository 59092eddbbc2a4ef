#!/usr/bin/env python3
"""A matching engine in another language: protocol/engine.md on standard input and output.

It serves plain jobs only (no GPUs, groups, replicas, mediators or lists) and places them by falling limit on the cheapest offer with room. Try it with
`lilynode start --role solver --engine ./examples/engine-python/engine.py`, or beside others: `--engine price,./examples/engine-python/engine.py`.
"""
import json
import sys

RESOURCES = ("cpuMilli", "memoryMiB", "diskMiB")
NONE = "0x" + "00" * 32


def say(message):
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def price(unit, job):
    per_second = sum(job["resources"][name] * unit[name + "Second"] for name in RESOURCES)
    return unit["base"] + job["runSeconds"] * per_second


def is_plain(job, at):
    return (not job["gpus"] and job["group"]["size"] <= 1 and job["verification"]["strategy"] in ("none", "receipt")
            and not job["targets"] and job["sealKey"] == NONE and job["validUntil"] > at and job["matchedUntil"] <= at)


def suits(row, offer_row, at):
    job, offer = row["offer"], offer_row["offer"]
    return (row["account"] != offer_row["account"] and offer_row["account"] not in job["avoid"] and not offer["creators"]
            and job["engine"] in offer["engines"] and (not offer["modules"] or job["module"] in offer["modules"])
            and job["market"] == offer["market"] and job["runSeconds"] <= offer["maxRunSeconds"] and offer["validUntil"] > at
            and offer["freeFrom"] <= at and at + (job["stageSeconds"] + job["runSeconds"]) * 1000 <= job["deadline"]
            and offer_row.get("reputationBp", 10_000) >= job["minReputationBp"])


def solve(book):
    at, rules = book["atMs"], book["rules"]
    units, money = {}, {}
    for row in book["offers"]:
        unit = units.setdefault((row["account"], row["offer"]["unit"]), dict(row["offer"]["capacity"]))
        for name in RESOURCES:
            unit[name] = min(unit[name], row["offer"]["capacity"][name])
        money[row["account"]] = min(money.get(row["account"], row["freeCollateral"]), row["freeCollateral"])
    matches, numbers = [], set()
    for row in sorted(book["jobs"], key=lambda row: (-row["offer"]["limit"], row["id"])):
        job = row["offer"]
        number = (row["account"], job["jobNumber"])
        if number in numbers or not is_plain(job, at):
            continue
        for other in sorted((other for other in book["offers"] if suits(row, other, at)), key=lambda other: (price(other["offer"]["ask"], job), other["id"])):
            ask = price(other["offer"]["ask"], job)
            paid = min(job["limit"], max(ask, price(rules["reference"], job)))
            share = max(rules["collateralBp"], job["collateralBp"])
            locked = (paid * share + 9_999) // 10_000
            room = units[(other["account"], other["offer"]["unit"])]
            if ask > job["limit"] or any(job["resources"][name] > room[name] for name in RESOURCES):
                continue
            if locked > money[other["account"]] or 0 < other["offer"]["collateral"] < locked:
                continue
            for name in RESOURCES:
                room[name] -= job["resources"][name]
            money[other["account"]] -= locked
            numbers.add(number)
            matches.append([row["id"], other["id"], []])
            break
    return matches


say({"type": "ready", "protocol": 1, "name": "python-example"})
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "solve":
        say({"type": "improved", "matches": solve(message)})
        say({"type": "done"})
        break
