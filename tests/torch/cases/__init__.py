"""What the ranks of a job run, all at the same time; catalog.py lists the functions."""

import importlib


def find(place):
    module, _, function = place.partition(".")
    return getattr(importlib.import_module("cases." + module), function)
