"""Data that differs with the rank, and comparisons that say where two tensors differ. Numbers are small and whole, so
that sums and products are exact in every type and in every order."""

import torch

INTEGERS = (torch.uint8, torch.int8, torch.int32, torch.int64)
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
NUMBERS = INTEGERS + FLOATS
BYTES = (torch.float8_e4m3fn, torch.float8_e5m2)  # travel; nobody computes with them here


def whole(rank, count, dtype=torch.float32, salt=0, largest=4):
    """1 to `largest`, on the CPU."""
    return ((torch.arange(count) * 5 + rank * 3 + salt * 7 + torch.arange(count) // 11) % largest + 1).to(dtype)


def on_device(tensor):
    return tensor.cuda()


def same(got, want, what=""):
    got = got.detach().cpu()
    assert got.dtype == want.dtype and got.shape == want.shape, f"{what}: {got.dtype} {tuple(got.shape)}, not {want.dtype} {tuple(want.shape)}"
    if got.dtype in BYTES:
        got, want = got.view(torch.uint8), want.view(torch.uint8)
    if not torch.equal(got, want):
        at = (got != want).nonzero()[0].tolist()
        raise AssertionError(f"{what}: first difference at {at}: {got[tuple(at)]}, not {want[tuple(at)]}")


def close(got, want, tolerance, what=""):
    if isinstance(got, torch.Tensor):
        got = got.detach().cpu()
    torch.testing.assert_close(got, want, rtol=tolerance, atol=tolerance, msg=lambda text: f"{what}: {text}")


def raises(kind, function):
    try:
        function()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")
