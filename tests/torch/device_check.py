"""PyTorch's CUDA wheel on the stand-in runtime: memory, copies, and arithmetic by the bridge against the CPU."""

import unittest

import bridge
import torch


class Memory(unittest.TestCase):
    def test_a_device_is_there(self):
        self.assertTrue(torch.cuda.is_available())
        self.assertEqual(torch.cuda.get_device_capability(), (9, 0))
        self.assertGreater(torch.cuda.mem_get_info()[1], 0)

    def test_bytes_survive_every_way(self):
        there = torch.arange(1000, dtype=torch.float32)
        on_device = there.cuda()
        on_device = torch.empty_like(on_device).copy_(on_device)
        self.assertTrue(torch.equal(on_device.cpu(), there))
        pinned = there.pin_memory()
        self.assertTrue(pinned.is_pinned())
        on_device = pinned.to("cuda", non_blocking=True)
        torch.cuda.synchronize()
        self.assertTrue(torch.equal(on_device.cpu(), there))

    def test_out_of_memory_is_an_exception(self):
        with self.assertRaises(torch.OutOfMemoryError):
            torch.empty(torch.cuda.mem_get_info()[1] + 1, dtype=torch.uint8, device="cuda")


class Arithmetic(unittest.TestCase):
    def check(self, function, *shapes, tolerance=0):
        on_cpu = [torch.randn(shape) for shape in shapes]
        got = function(*[one.cuda() for one in on_cpu])
        self.assertTrue(got.is_cuda)
        torch.testing.assert_close(got.cpu(), function(*on_cpu), rtol=tolerance, atol=tolerance)

    def test_operations(self):
        self.assertEqual((torch.ones(8, device="cuda") * 2 + 1).sum().item(), 24)
        self.check(lambda a, b: a @ b, (5, 7), (7, 3))
        self.check(lambda a: a.t().contiguous()[1:, ::2].exp().double(), (4, 6))
        self.check(lambda a: torch.cat([a, a.flip(0)]).topk(3).values, (9,))
        self.check(lambda a: a[a > 0].cumsum(0), (50,))
        self.check(lambda a: torch.nn.functional.softmax(a, -1).half().float(), (3, 8))
        self.check(lambda a, w: torch.nn.functional.conv2d(a, w, padding=1), (1, 2, 8, 8), (3, 2, 3, 3))

    def test_results_into_given_memory(self):
        a = torch.arange(6.0, device="cuda")
        into = torch.empty(0, device="cuda")
        torch.add(a, a, out=into)
        a.mul_(3)[2:4].zero_()
        self.assertEqual(into.tolist(), [0, 2, 4, 6, 8, 10])
        self.assertEqual(a.tolist(), [0, 3, 0, 0, 12, 15])

    def test_a_larger_size_keeps_what_is_there(self):
        tensor = torch.arange(6.0, device="cuda")
        self.assertEqual(tensor.resize_(2, 3).tolist(), [[0, 1, 2], [3, 4, 5]])
        self.assertEqual(tensor.resize_(1000)[:6].tolist(), [0, 1, 2, 3, 4, 5])
        self.assertEqual(tensor.resize_(0).tolist(), [])

    def test_random_numbers_repeat(self):
        torch.manual_seed(1)
        first = torch.randn(10, device="cuda")
        torch.manual_seed(1)
        self.assertTrue(torch.equal(first, torch.randn(10, device="cuda")))

    def test_attention(self):
        self.check(torch.nn.functional.scaled_dot_product_attention, (2, 4, 8), (2, 4, 8), (2, 4, 8), tolerance=1e-6)


class Training(unittest.TestCase):
    """A few steps must give the CPU's bits."""

    @staticmethod
    def weights(device, make_optimizer):
        torch.manual_seed(3)
        model = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.LayerNorm(8), torch.nn.GELU(), torch.nn.Linear(8, 2))
        model.to(device)
        optimizer = make_optimizer(model.parameters())
        for step in range(4):
            data = torch.randn(5, 6, generator=torch.Generator().manual_seed(step)).to(device)
            optimizer.zero_grad()
            model(data).square().mean().backward()
            optimizer.step()
        return [one.detach().cpu() for one in model.parameters()]

    def check(self, make_optimizer):
        for ours, reference in zip(self.weights("cuda", make_optimizer), self.weights("cpu", make_optimizer)):
            self.assertTrue(torch.equal(ours, reference))

    def test_sgd(self):
        self.check(lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9))

    def test_adamw(self):
        self.check(lambda parameters: torch.optim.AdamW(parameters, lr=0.01))


if __name__ == "__main__":
    bridge.install()
    unittest.main()
