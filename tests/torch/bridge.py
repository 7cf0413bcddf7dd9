"""Arithmetic on CUDA tensors where no kernel can run: every operation of PyTorch that computes gets a kernel for CUDA
that waits for the stream, sees the device's memory through the stand-in's mirror, and runs PyTorch's own kernel for the
CPU on it.

    import bridge; bridge.install()

It lies below autograd, for the whole process. What moves bytes and allocates stays PyTorch's own: copies between host
and device, plain copies on the device, empty tensors, views. A launch that is left ends the process, so nothing is
skipped in silence. Not there: what PyTorch has no CPU kernel for.
"""

import ctypes
import os
import warnings

import torch

# Not arithmetic, though no view: they make, pin or move storage, or look at one number, without a kernel.
NATIVE = {
    "aten::_fused_sdp_choice",
    "aten::_local_scalar_dense",
    "aten::_pin_memory",
    "aten::copy_",
    "aten::is_pinned",
    "aten::is_set_to",
    "aten::record_stream",
    "aten::resize_",
    "aten::set_",
}
# PyTorch would choose another library's kernel inside these, by what it believes of the device.
WHOLE = ("aten::convolution", "aten::convolution_backward", "aten::_convolution_double_backward")

_runtime = ctypes.CDLL("libcudart.so.13")
_runtime.standin_mirror.restype = ctypes.c_void_p
_runtime.standin_mirror.argtypes = [ctypes.c_void_p]
_runtime.standin_reach_write.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t]
_runtime.cudaStreamSynchronize.argtypes = [ctypes.c_void_p]
_library = None  # kept: its end would take the kernels back


def _extent(tensor):
    """How many bytes from its first element on it may touch."""
    last = sum((size - 1) * stride for size, stride in zip(tensor.size(), tensor.stride()))
    return (last + 1) * tensor.element_size()


def _alias(tensor):
    """The same memory as a CPU tensor."""
    if tensor.numel() == 0:
        return torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype)
    place = _runtime.standin_mirror(tensor.data_ptr())
    storage = torch._C._construct_storage_from_data_pointer(place, torch.device("cpu"), _extent(tensor))
    alias = torch.empty(0, dtype=tensor.dtype).set_(storage, 0, tensor.size(), tensor.stride())
    if tensor.is_conj():
        alias = torch._conj(alias)
    return torch._neg_view(alias) if tensor.is_neg() else alias


def _mark_written(tensor):
    if tensor.numel() != 0:
        _runtime.standin_reach_write(b"bridge", tensor.data_ptr(), _extent(tensor))


class _Call:
    """One call of an operation: what its arguments became on the CPU."""

    def __init__(self):
        self.device = None
        self.pairs = []  # (CUDA tensor, its alias)

    def to_cpu(self, value):
        if isinstance(value, torch.Tensor):
            return self._tensor_to_cpu(value)
        if isinstance(value, (list, tuple)):
            return type(value)(self.to_cpu(one) for one in value)
        if isinstance(value, torch.device):
            self.device = self.device or (value if value.type == "cuda" else None)
            return torch.device("cpu")
        if isinstance(value, torch.Generator):
            return None  # numbers come from the CPU's default generator, which manual_seed seeds as well
        return value

    def _tensor_to_cpu(self, tensor):
        if not tensor.is_cuda:
            return tensor
        self.device = tensor.device
        for known, alias in self.pairs:
            if known is tensor:
                return alias
        alias = _alias(tensor)
        self.pairs.append((tensor, alias))
        return alias

    def synchronize(self):
        for index in {tensor.device.index for tensor, _ in self.pairs}:
            _runtime.cudaStreamSynchronize(torch._C._cuda_getCurrentRawStream(index))

    def to_cuda(self, value):
        if isinstance(value, torch.Tensor):
            return self._tensor_to_cuda(value)
        if isinstance(value, (list, tuple)):
            return type(value)(self.to_cuda(one) for one in value)
        return value

    def _tensor_to_cuda(self, result):
        for tensor, alias in self.pairs:
            if alias is result:
                return tensor
        made = torch.empty_strided(result.size(), result.stride(), dtype=result.dtype, device=self.device or "cuda")
        _mark_written(made)
        _alias(made).copy_(result)
        return made

    def finish_written(self):
        """Arguments that the operation may have written; an empty one may have got a size."""
        for tensor, alias in self.pairs:
            if alias.size() != tensor.size():
                tensor.resize_(alias.size())
                _mark_written(tensor)
                _alias(tensor).copy_(alias)


def _written(schema):
    return [(i, one.name) for i, one in enumerate(schema.arguments) if one.alias_info and one.alias_info.is_write]


def _tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [one for one in value if one is not None] if isinstance(value, (list, tuple)) else []


def _kernel(operation):
    written = _written(operation._schema)

    def run(*arguments, **named):
        with torch._C._AutoDispatchBelowAutograd():
            call = _Call()
            on_cpu = [call.to_cpu(one) for one in arguments]
            named_on_cpu = {name: call.to_cpu(one) for name, one in named.items()}
            call.synchronize()
            for index, name in written:
                for tensor in _tensors(arguments[index] if index < len(arguments) else named.get(name)):
                    if tensor.is_cuda:
                        _mark_written(tensor)
            result = operation(*on_cpu, **named_on_cpu)
            call.finish_written()
            return call.to_cuda(result)

    return run


_copy_on_cpu = _kernel(torch.ops.aten.copy_.default)


def _copy(to, source, non_blocking=False):
    """PyTorch's own, but for what it would do by a kernel: another type or layout on the device."""
    with torch._C._AutoDispatchBelowAutograd():
        plain = to.dtype == source.dtype and to.is_contiguous() and source.is_contiguous() and to.size() == source.size()
        flags = to.is_conj() == source.is_conj() and to.is_neg() == source.is_neg()
        if to.is_cuda and source.is_cuda and not (plain and flags):
            return _copy_on_cpu(to, source, non_blocking)
        # The kernel registered for the CPU is the one for all devices.
        return torch.ops.aten.copy_.default.redispatch(
            torch._C.DispatchKeySet(torch._C.DispatchKey.CPU), to, source, non_blocking
        )


def _resize(tensor, size, memory_format=None):
    """Counts as a write of all of it: PyTorch sends what it has made larger without filling it (all_gather_object)."""
    with torch._C._AutoDispatchBelowAutograd():
        shape = torch.empty(size, dtype=tensor.dtype, device="meta", memory_format=memory_format or torch.contiguous_format)
        storage, offset = tensor.untyped_storage(), tensor.storage_offset()
        needed = (offset + shape.numel()) * tensor.element_size() if shape.numel() > 0 else 0
        if needed > storage.nbytes():
            storage.resize_(needed)
        if tensor.size() != shape.size():
            tensor.set_(storage, offset, shape.size(), shape.stride())
        _mark_written(tensor)
        return tensor


def _is_view(schema):
    return any(one.alias_info and not one.alias_info.is_write for one in schema.returns)


def _operation(name):
    packet, _, overload = name.removeprefix("aten::").partition(".")
    return getattr(getattr(torch.ops.aten, packet), overload or "default")


def _computes(name):
    base = name.partition(".")[0]
    if not name.startswith("aten::") or base in NATIVE or base.startswith("aten::empty"):
        return False
    if base in WHOLE:
        return True
    on_cuda = torch._C._dispatch_has_kernel_for_dispatch_key(name, "CUDA")
    return on_cuda and not _is_view(_operation(name)._schema)


def _choose_composite_kernels():
    """Where PyTorch chooses between kernels before it dispatches."""
    torch.backends.cudnn.enabled = False
    torch.backends.cuda.enable_flash_sdp(False)
    torch.backends.cuda.enable_mem_efficient_sdp(False)
    torch.backends.cuda.enable_cudnn_sdp(False)
    os.environ["TORCH_CUDNN_SDPA_DEPRIORITIZED"] = "1"  # or it asks for cuDNN's version first


def install():
    """Returns how many operations it covers."""
    global _library
    if _library is not None:
        raise RuntimeError("the bridge is installed already")
    names = [name for name in torch._C._dispatch_get_all_op_names() if _computes(name)]
    _library = torch.library.Library("aten", "IMPL")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that kernels are replaced
        for name in names:
            _library.impl(name.removeprefix("aten::"), _kernel(_operation(name)), "CUDA", allow_override=True)
        _library.impl("copy_", _copy, "CUDA", allow_override=True)
        _library.impl("resize_", _resize, "CUDA", allow_override=True)
    _choose_composite_kernels()
    return len(names) + 2
