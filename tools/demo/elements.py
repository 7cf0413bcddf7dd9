"""Element types and the data of the demo's calls: whole numbers so small that every sum and product is exact.

Rank r's element i is 1 + (i + r) % PERIOD. So whatever a call must give repeats with the period, too, and is made and
compared as bytes.
"""

import struct

PERIOD = 5
# name: (ncclDataType_t, bytes, code of struct; bfloat16 is the upper half of a float)
TYPES = {"int8": (0, 1, "b"), "int32": (2, 4, "i"), "int64": (4, 8, "q"), "float16": (6, 2, "e"), "float32": (7, 4, "f"),
         "float64": (8, 8, "d"), "bfloat16": (9, 2, "")}


def number(kind):
    return TYPES[kind][0]


def size(kind):
    return TYPES[kind][1]


def value(rank, element):
    return 1 + (element + rank) % PERIOD


def encode(kind, values):
    code = TYPES[kind][2]
    if code:
        return struct.pack(f"<{len(values)}{code}", *values)
    return b"".join(struct.pack("<f", each)[2:] for each in values)


def repeated(kind, count, element):
    """Elements 0 to count - 1, where `element` gives the one at an index and has the period."""
    period = encode(kind, [element(index) for index in range(PERIOD)])
    return (period * (count // PERIOD + 1))[:count * size(kind)]


def block(kind, rank, count, first=0):
    """`count` elements of a rank's data, from number `first` on."""
    return repeated(kind, count, lambda index: value(rank, first + index))


def combined(kind, operation, ranks, count, first=0):
    def element(index):
        operands = [value(rank, first + index) for rank in range(ranks)]
        if operation == "sum":
            return sum(operands)
        if operation == "max":
            return max(operands)
        product = 1
        for operand in operands:
            product *= operand
        return product
    return repeated(kind, count, element)
