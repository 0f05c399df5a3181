#!/usr/bin/env python3
"""Measures training steps in PyTorch, with the models, batches and optimizers of `kingfisher bench`.

Modes: eager, compile (torch.compile), graph (the whole step, input copies apart, captured in one CUDA graph). The figures go
to a JSON file of the same shape as `kingfisher bench --json`; compare.py prints the ratios. AdaFisher is not measured: PyTorch
has none.

    python3 torch_bench.py --device cuda:0 --json torch.json
"""
import argparse
import json
import math
import platform
import statistics
import sys
import time

MODELS = ["mlp-small", "mlp-large", "lenet", "resnet18-cifar", "gpt-mini"]
BATCHES = 8


def models(torch):
    """The models by name: (batch, shape of a sample, classes, constructor)."""
    nn, F = torch.nn, torch.nn.functional

    class LeNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
            self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

        def forward(self, x):
            x = F.max_pool2d(F.relu(self.conv1(x)), 2)
            x = F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)
            return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))

    class Block(nn.Module):
        def __init__(self, inputs, planes, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, planes, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(planes)
            self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(planes)
            self.shortcut = nn.Identity()
            if stride != 1 or inputs != planes:
                self.shortcut = nn.Sequential(nn.Conv2d(inputs, planes, 1, stride, bias=False), nn.BatchNorm2d(planes))

        def forward(self, x):
            y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
            return F.relu(y + self.shortcut(x))

    class ResNet18(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
            blocks, inputs = [], 64
            for stage in range(4):
                for index in range(2):
                    blocks.append(Block(inputs, 64 << stage, 2 if stage and not index else 1))
                    inputs = 64 << stage
            self.blocks, self.fc = nn.Sequential(*blocks), nn.Linear(512, 10)

        def forward(self, x):
            return self.fc(F.adaptive_avg_pool2d(self.blocks(self.stem(x)), 1).flatten(1))

    class Decoder(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.heads = heads
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.packed, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x):
            batch, length, width = x.shape
            packed = self.packed(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads)
            query, key, value = packed.permute(2, 0, 3, 1, 4)
            seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
            x = x + self.out(seen.transpose(1, 2).reshape(batch, length, width))
            return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))

    class Gpt(nn.Module):
        def __init__(self, vocabulary=512, context=128, width=256, depth=4, heads=4):
            super().__init__()
            self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
            self.blocks = nn.Sequential(*[Decoder(width, heads) for _ in range(depth)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
            self.register_buffer("places", torch.arange(context))

        def forward(self, x):
            return self.head(self.norm(self.blocks(self.tokens(x) + self.positions(self.places))))

    def mlp(*sizes):
        layers = [nn.Flatten()]
        for i in range(len(sizes) - 1):
            layers += [nn.Linear(sizes[i], sizes[i + 1]), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    return {
        "mlp-small": (32, (1, 28, 28), 10, lambda: mlp(784, 128, 10)),
        "mlp-large": (256, (1, 28, 28), 10, lambda: mlp(784, 1024, 1024, 10)),
        "lenet": (64, (1, 28, 28), 10, LeNet),
        "resnet18-cifar": (128, (3, 32, 32), 10, ResNet18),
        "gpt-mini": (8, (128,), 512, Gpt),
    }


def optimizer(torch, name, parameters, cuda, capturable):
    """The optimizer in its fastest form: fused where this release of PyTorch has that."""
    arguments = {"SGD": dict(lr=0.03, momentum=0.9, weight_decay=1e-2), "AdamW": dict(lr=1e-3, weight_decay=1e-2)}[name]
    kind = getattr(torch.optim, name)
    if capturable and name == "AdamW":
        arguments["capturable"] = True
    if cuda:
        try:
            return kind(parameters, fused=True, **arguments)
        except (TypeError, RuntimeError):
            pass
    return kind(parameters, **arguments)


class Trainer:
    """One model with one optimizer, and one step of it."""

    def __init__(self, torch, device, name, method, precision, mode):
        self.torch, self.device, self.mode = torch, torch.device(device), mode
        self.cuda = self.device.type == "cuda"
        batch, sample, classes, build = models(torch)[name]
        text = len(sample) == 1
        torch.manual_seed(1)
        self.layout = torch.contiguous_format
        if not text and len(sample) == 3 and sample[0] == 3 and precision != "fp32":
            self.layout = torch.channels_last
        self.model = build().to(self.device)
        if self.layout is torch.channels_last:
            self.model = self.model.to(memory_format=self.layout)
        self.parameters = sum(p.numel() for p in self.model.parameters())
        self.forward = torch.compile(self.model) if mode == "compile" else self.model
        self.optimizer = optimizer(torch, method, self.model.parameters(), self.cuda, mode == "graph")
        self.half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision)
        # Older releases have one switch for each library, all have these two.
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
        torch.backends.cudnn.benchmark = True
        self.host = []
        for _ in range(BATCHES):
            x = torch.randint(classes, (batch, *sample)) if text else torch.randn(batch, *sample)
            y = torch.randint(classes, (batch, *sample) if text else (batch,))
            if self.layout is torch.channels_last:
                x = x.contiguous(memory_format=self.layout)
            self.host.append((x.pin_memory(), y.pin_memory()) if self.cuda else (x, y))
        self.x, self.y = (t.to(self.device, copy=True) for t in self.host[0])
        self.batch, self.steps, self.graph = batch, 0, None
        if mode == "graph":
            self.capture()

    def compute(self):
        torch = self.torch
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, dtype=self.half or torch.bfloat16, enabled=self.half is not None):
            logits = self.forward(self.x)
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, -2), self.y.flatten())
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def capture(self):
        torch = self.torch
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(5):
                self.compute()
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.loss = self.compute()

    def step(self):
        x, y = self.host[self.steps % BATCHES]
        self.steps += 1
        self.x.copy_(x, non_blocking=True)
        self.y.copy_(y, non_blocking=True)
        began = time.perf_counter()
        if self.graph is not None:
            self.graph.replay()
        else:
            self.loss = self.compute()
        return time.perf_counter() - began

    def wait(self):
        if self.cuda:
            self.torch.cuda.synchronize()


def measure(torch, device, name, method, precision, mode, steps):
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    trainer = Trainer(torch, device, name, method, precision, mode)
    trainer.step()
    first_loss = float(trainer.loss)
    first = time.perf_counter() - began
    for _ in range(max(5, steps // 10)):
        trainer.step()
    trainer.wait()
    whole, host = [], []
    for _ in range(steps):
        start = time.perf_counter()
        trainer.step()
        trainer.wait()
        whole.append(1e3 * (time.perf_counter() - start))
    start = time.perf_counter()
    for _ in range(steps):
        host.append(1e6 * trainer.step())
    trainer.wait()
    streamed = 1e3 * (time.perf_counter() - start) / steps
    whole.sort()
    return {
        "framework": "pytorch",
        "mode": mode,
        "model": name,
        "batch": trainer.batch,
        "optimizer": method,
        "precision": precision,
        "steps": steps,
        "parameters": trainer.parameters,
        "step_ms_p50": whole[len(whole) // 2],
        "step_ms_p99": whole[min(len(whole) - 1, math.floor(0.99 * len(whole)))],
        "step_ms_streamed": streamed,
        "host_us": statistics.median(host),
        "memory_peak_bytes": torch.cuda.max_memory_allocated() if cuda else 0,
        "first_step_s": first,
        "first_loss": first_loss,
        "last_loss": float(trainer.loss),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--json", help="where the figures go")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--optimizers", default="SGD,AdamW")
    parser.add_argument("--precision", default="fp32,tf32,bf16")
    parser.add_argument("--modes", default="eager,compile,graph")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no further measurement after this time")
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError as e:
        print(f"torch_bench: PyTorch cannot be imported ({e}); install it, or leave the peer out", file=sys.stderr)
        return 3
    cuda = arguments.device.startswith("cuda")
    if cuda and not torch.cuda.is_available():
        print("torch_bench: this PyTorch sees no GPU", file=sys.stderr)
        return 3
    report = {
        "what": "torch_bench.py",
        "command": sys.argv[1:],
        "device": arguments.device,
        "machine": {
            "os": platform.platform(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "gpu": torch.cuda.get_device_name(arguments.device) if cuda else None,
        },
        "results": [],
        "failed": [],
    }
    began = time.monotonic()
    for name in arguments.models.split(","):
        for precision in arguments.precision.split(","):
            for method in arguments.optimizers.split(","):
                for mode in arguments.modes.split(","):
                    what = f"{name} {method} {precision} {mode}"
                    if time.monotonic() - began > arguments.seconds:
                        report["failed"].append({"what": what, "why": "no time was left"})
                        continue
                    try:
                        record = measure(torch, arguments.device, name, method, precision, mode, arguments.steps)
                    except Exception as e:  # one mode that this release cannot do must not end the others
                        why = f"{type(e).__name__}: {e}".splitlines()[0]
                        report["failed"].append({"what": what, "why": why})
                        print(f"{what}: {why}", flush=True)
                        continue
                    report["results"].append(record)
                    print(
                        f"{name:14s} {method:10s} {precision:4s} {mode:8s} p50 {record['step_ms_p50']:9.3f} ms"
                        f"  p99 {record['step_ms_p99']:9.3f} ms  streamed {record['step_ms_streamed']:9.3f} ms"
                        f"  host {record['host_us']:8.1f} us",
                        flush=True,
                    )
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(report, file, indent=2)
    return 0 if report["results"] else 1


if __name__ == "__main__":
    sys.exit(main())
