"""NCCL's element types and reductions as plain Python arithmetic: the oracle of the ctypes clients.

Values are chosen so that every order of the operands gives the same result: integers wrap, floats stay in the range
where sums and products are exact. Sequences repeat every PERIOD elements (a prime, so that chunk boundaries rarely fall on
it), which makes large cases cheap: a pattern is reduced once and stretched."""

import functools
import math
import operator
import struct

PERIOD = 61
SUM, PROD, MAX, MIN, AVG, PREMUL = range(6)
OPERATIONS = {SUM: "sum", PROD: "prod", MAX: "max", MIN: "min", AVG: "avg", PREMUL: "premulsum"}


class Integer:
    floating = False

    def __init__(self, name, code, size, signed):
        self.name, self.code, self.size, self.signed = name, code, size, signed
        self.format = {1: "B", 2: "H", 4: "I", 8: "Q"}[size]

    def encode(self, value):
        return (value % (1 << 8 * self.size)).to_bytes(self.size, "little")

    def decode(self, bits):
        return bits - (1 << 8 * self.size) if self.signed and bits >> (8 * self.size - 1) else bits

    def wrap(self, value):
        return self.decode(value % (1 << 8 * self.size))

    def random(self, random, op, ranks):
        return self.wrap(random.getrandbits(8 * self.size))

    def random_scalar(self, random):
        return self.wrap(random.getrandbits(8 * self.size))

    def average(self, total, ranks):
        total = self.wrap(total)
        return total // ranks if total >= 0 else -(-total // ranks)

    def finish(self, value):
        return self.wrap(value)


class Float:
    floating = True

    def __init__(self, name, code, exponent_bits, mantissa_bits, infinite=True):
        self.name, self.code = name, code
        self.exponent_bits, self.mantissa_bits, self.infinite = exponent_bits, mantissa_bits, infinite
        self.size = (1 + exponent_bits + mantissa_bits) // 8
        self.format = {1: "B", 2: "H", 4: "I", 8: "Q"}[self.size]
        self.bias = (1 << exponent_bits - 1) - 1

    def decode(self, bits):
        sign = -1.0 if bits >> (self.exponent_bits + self.mantissa_bits) else 1.0
        exponent = bits >> self.mantissa_bits & (1 << self.exponent_bits) - 1
        mantissa = bits & (1 << self.mantissa_bits) - 1
        top = exponent == (1 << self.exponent_bits) - 1
        if top and self.infinite:
            return sign * math.inf if mantissa == 0 else math.nan
        if top and mantissa == (1 << self.mantissa_bits) - 1:
            return math.nan
        if exponent == 0:
            return sign * math.ldexp(mantissa, 1 - self.bias - self.mantissa_bits)
        return sign * math.ldexp(mantissa + (1 << self.mantissa_bits), exponent - self.bias - self.mantissa_bits)

    def encode(self, value):
        """An exactly representable normal value or zero."""
        sign = 1 if math.copysign(1.0, value) < 0 else 0
        bits = 0
        if value != 0:
            fraction, exponent = math.frexp(abs(value))
            mantissa = int(math.ldexp(fraction, self.mantissa_bits + 1))
            assert mantissa == math.ldexp(fraction, self.mantissa_bits + 1), f"{value} is not exact in {self.name}"
            bits = (exponent - 1 + self.bias) << self.mantissa_bits | mantissa & (1 << self.mantissa_bits) - 1
        bits |= sign << (self.exponent_bits + self.mantissa_bits)
        return bits.to_bytes(self.size, "little")

    def random(self, random, op, ranks):
        if op in (MAX, MIN):
            return math.ldexp(random.choice((-1, 1)) * random.randrange(4, 8), random.randrange(-4, 5))
        if op == PROD:  # signs, and one factor of two on average
            return random.choice((1.0, -1.0)) * (2.0 if random.randrange(ranks) == 0 else 1.0)
        return float(random.randrange(-1, 2))  # e5m2 is exact up to 8

    def random_scalar(self, random):
        return random.choice((-1.0, 1.0))

    def average(self, total, ranks):
        return total / ranks

    def finish(self, value):
        return value

    def ulp(self, value):
        exponent = math.frexp(abs(value))[1] - 1 if value else 1 - self.bias
        return math.ldexp(1.0, max(exponent, 1 - self.bias) - self.mantissa_bits)


TYPES = [
    Integer("int8", 0, 1, True), Integer("uint8", 1, 1, False), Integer("int32", 2, 4, True),
    Integer("uint32", 3, 4, False), Integer("int64", 4, 8, True), Integer("uint64", 5, 8, False),
    Float("float16", 6, 5, 10), Float("float32", 7, 8, 23), Float("float64", 8, 11, 52), Float("bfloat16", 9, 8, 7),
    Float("float8e4m3", 10, 4, 3, infinite=False), Float("float8e5m2", 11, 5, 2),
]


def encode(kind, values):
    return b"".join(kind.encode(value) for value in values)


def total(values):
    return functools.reduce(operator.add, values)  # sum() begins with 0, which -0.0 is not


def reduce(kind, op, columns, scalars):
    """The reduction of the ranks' values, element by element."""
    results = []
    for values in zip(*columns):
        if op == PREMUL:
            values = [scalar * value for scalar, value in zip(scalars, values)]
        if op == MAX:
            results.append(max(values))
        elif op == MIN:
            results.append(min(values))
        elif op == PROD:
            results.append(kind.finish(functools.reduce(operator.mul, values)))
        elif op == AVG:
            results.append(kind.average(total(values), len(values)))
        else:
            results.append(kind.finish(total(values)))
    return results


def stretch(pattern, size, start, count):
    """Elements start … start+count-1 of the sequence that repeats the encoded pattern."""
    offset = start % PERIOD * size
    wanted = count * size
    return (pattern * ((offset + wanted) // len(pattern) + 1))[offset:offset + wanted]


def mismatch(kind, got, want):
    """"" when equal, else where and what."""
    if got == want:
        return ""
    for index in range(0, len(want), kind.size):
        a, b = got[index:index + kind.size], want[index:index + kind.size]
        if a != b:
            a, b = (kind.decode(int.from_bytes(bits, "little")) for bits in (a, b))
            return f"element {index // kind.size} of {len(want) // kind.size} is {a}, not {b}"
    return f"{len(got)} bytes, not {len(want)}"


def far_off(kind, got, values, start, ulps=2):
    """"" when each element is within `ulps` of the values' repetition from `start` on, else what is wrong."""
    elements = memoryview(got).cast(kind.format)
    for index in range(min(PERIOD, len(elements))):
        want = values[(start + index) % PERIOD]
        for bits in set(elements[index::PERIOD]):
            value = kind.decode(bits)
            if not abs(value - want) <= ulps * kind.ulp(want):
                return f"an element {index} modulo {PERIOD} is {value}, not within {ulps} ulp of {want}"
    return ""


def random_bits(kind, random, count):
    """Floats of ordinary size with all their bits in use, for results that depend on the order."""
    low, width = 1 - kind.bias, 1 << kind.exponent_bits
    middle = min(width // 2, 4)
    patterns = []
    for _ in range(count):
        exponent = kind.bias + random.randrange(-middle // 2, middle // 2)
        assert low < exponent < width
        sign = random.getrandbits(1) << (kind.exponent_bits + kind.mantissa_bits)
        patterns.append(sign | exponent << kind.mantissa_bits | random.getrandbits(kind.mantissa_bits))
    return struct.pack(f"<{count}{kind.format}", *patterns)
