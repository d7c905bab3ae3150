#!/usr/bin/env python3
"""Compares the shipped prices (httpguard/prices.json) with those that LiteLLM publishes in its package on PyPI.

Figures are facts; nothing else of that file is used, and it is not kept. Each difference is a line; the exit code
is 1 if there is one. Models that only one side lists are told, and are no difference.

    scripts/check-prices.py [--file model_prices_and_context_window_backup.json]
"""

import argparse
import fnmatch
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from decimal import Decimal

NAME = "litellm/model_prices_and_context_window_backup.json"
MILLION = Decimal(1_000_000)

# Ours: theirs, and how many of theirs are one of ours.
FIGURES = {
    "input": ("input_cost_per_token", MILLION),
    "output": ("output_cost_per_token", MILLION),
    "cached": ("cache_read_input_token_cost", MILLION),
    "written": ("cache_creation_input_token_cost", MILLION),
    "written_hour": ("cache_creation_input_token_cost_above_1hr", MILLION),
    "sound_input": ("input_cost_per_audio_token", MILLION),
    "sound_cached": ("cache_read_input_audio_token_cost", MILLION),
    "sound_output": ("output_cost_per_audio_token", MILLION),
    "letters": ("input_cost_per_character", MILLION),
    "max_input": ("max_input_tokens", Decimal(1)),
    "max_output": ("max_output_tokens", Decimal(1)),
}
# Under which provider LiteLLM has the models of a source.
PREFIXES = {"ai.google.dev": "gemini/", "mistral.ai": "mistral/", "deepseek.com": "deepseek/", "x.ai": "xai/"}
# Where ours is another figure on purpose, and why.
MEANT = {
    ("text-embedding-*", "max_input"): "ours is of a request, theirs of one of its texts",
    ("gpt-image-*", "input cached output"): "ours are of a picture's tokens, the dearer ones",
    ("gpt-4o*-transcribe", "input sound_input"): "ours is of sound, the dearer",
    ("gpt-4", "max_output"): "the context is all there is",
    ("gpt-4-0613", "max_output"): "the context is all there is",
    ("gpt-3.5-turbo-instruct", "max_input"): "the context is all there is",
    ("*-002", "max_output"): "the context is all there is",
    ("gpt-5.1-codex*", "max_input"): "theirs is the context, output included",
    ("gemini-embedding-2", "sound_input"): "an embedding's usage does not tell sound apart",
    ("claude-sonnet-4-5", "max_input"): "ours is with the long context, which has a rate of its own",
    ("mistral-small", "input output cached max_input max_output"): "ours is what mistral-small-latest stands for",
}


def meant(model, own):
    return any(fnmatch.fnmatchcase(model, name) and own in figures.split() for name, figures in MEANT)


def theirs(path):
    if path:
        with open(path) as f:
            return json.load(f, parse_float=Decimal), path
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d", folder, "litellm"]
        subprocess.run(pip, check=True)
        wheel = glob.glob(os.path.join(folder, "litellm-*.whl"))[0]
        with zipfile.ZipFile(wheel) as z:
            return json.loads(z.read(NAME), parse_float=Decimal), os.path.basename(wheel).split("-")[1]


def find(table, model, source):
    prefix = next((p for host, p in PREFIXES.items() if host in source), "")
    for name in prefix + model, model:
        if name in table:
            return table[name]
    dated = sorted(k for k in table if re.fullmatch(re.escape(prefix + model) + r"-(\d{8}|\d{4}-\d\d-\d\d|\d{4}|latest)", k))
    return table[dated[-1]] if dated else None


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--file", help="LiteLLM's file; without it the newest package is fetched")
    table, version = theirs(args.parse_args().file)
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "..", "httpguard", "prices.json")) as f:
        shipped = json.load(f, parse_float=Decimal)
    compared = different = 0
    unknown = []
    for source in shipped["sources"]:
        for line in source["models"]:
            for model in line["models"]:
                entry = find(table, model, source["source"])
                if entry is None:
                    unknown.append(model)
                    continue
                figures = dict(FIGURES)
                if line.get("above"):
                    tail = f"_above_{line['above'] // 1000}k_tokens"
                    figures["input_over"] = ("input_cost_per_token" + tail, MILLION)
                    figures["output_over"] = ("output_cost_per_token" + tail, MILLION)
                elif any(re.match(r"input_cost_per_token_above_\d+k", k) for k in entry):
                    print(f"{model}: they have a tier for long inputs, we none")
                    different += 1
                sizes = entry.get("search_context_cost_per_query")
                if sizes and line.get("search"):
                    compared += 1
                    if Decimal(line["search"]) != max(Decimal(str(v)) for v in sizes.values()):
                        different += 1
                        print(f"{model}: search is {line['search']}, LiteLLM has {max(sizes.values())}")
                for own, (name, unit) in figures.items():
                    if entry.get(name) is None and own not in ("input", "output"):
                        continue
                    if line.get(own) is None and own in ("written", "written_hour", "max_input", "max_output", "letters", "cached") and not entry.get(name):
                        continue
                    want = Decimal(str(entry.get(name) or 0)) * unit
                    have = Decimal(str(line.get(own) or 0))
                    if meant(model, own):
                        continue
                    compared += 1
                    if have.normalize() != want.normalize():
                        different += 1
                        print(f"{model}: {own} is {line.get(own)}, LiteLLM has {want.normalize():f}")
    print(f"compared {compared} figures with LiteLLM {version}: {different} differ; not listed there: {', '.join(unknown) or 'none'}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
