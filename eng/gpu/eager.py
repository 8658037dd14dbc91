#!/usr/bin/env python3
"""Examples per second of PyTorch in eager mode on the networks of Throughput.cs: data on the device, Adam, the loss read once an epoch.

Usage: eager.py [--device cuda] [--short] [--seconds N]. Prints "name examples-per-second", a line each.
"""
import argparse
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    print("PyTorch is not installed: only our side is measured.", file=sys.stderr)
    sys.exit(3)

VOCABULARY, WINDOW = 10_000, 20


class Block(nn.Module):
    """A block of ResNet with a shortcut of option A."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.added = outputs - inputs
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2 if self.added else 1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x):
        residual = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.added:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.added // 2, self.added // 2))
        return F.relu(residual + x)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.start = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        sizes = [16] * 4 + [32] * 3 + [64] * 3
        self.blocks = nn.Sequential(*[Block(a, b) for a, b in zip(sizes, sizes[1:])])
        self.output = nn.Linear(64, 10)

    def forward(self, x):
        return self.output(self.blocks(self.start(x.view(-1, 3, 32, 32))).mean((2, 3)))


class Language(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 200)
        self.lstm = nn.LSTM(200, 200, 2)
        self.output = nn.Linear(200, VOCABULARY)

    def forward(self, x, state):
        x, state = self.lstm(self.embedding(x), state)
        return self.output(x), state


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def best_rate(epoch, device, seconds):
    """The best of several epochs, after one to warm up."""
    epoch()
    synchronize(device)
    best, end, rounds = 0, time.perf_counter() + seconds, 0
    while time.perf_counter() < end or rounds < 2:
        start = time.perf_counter()
        examples = epoch()
        synchronize(device)
        best, rounds = max(best, examples / (time.perf_counter() - start)), rounds + 1
    return best


def images(network, batch, count, width, device):
    network = network.to(device)
    optimizer = torch.optim.Adam(network.parameters(), 0.001)
    features = torch.rand(count, width, device=device)
    labels = torch.randint(10, (count,), device=device)

    def epoch():
        order = torch.randperm(count, device=device)
        total = torch.zeros((), device=device)
        for at in range(0, count, batch):
            rows = order[at:at + batch]
            optimizer.zero_grad()
            loss = F.cross_entropy(network(features[rows]), labels[rows])
            loss.backward()
            optimizer.step()
            total += loss.detach()
        total.item()
        return count

    return epoch


def language(batch, windows, device):
    network = Language().to(device)
    optimizer = torch.optim.Adam(network.parameters(), 0.001)
    text = torch.randint(VOCABULARY, (windows * WINDOW + 1, batch), device=device)

    def epoch():
        state, total = None, torch.zeros((), device=device)
        for at in range(0, windows * WINDOW, WINDOW):
            optimizer.zero_grad()
            outputs, state = network(text[at:at + WINDOW], state)
            loss = F.cross_entropy(outputs.flatten(0, 1), text[at + 1:at + WINDOW + 1].flatten())
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5)
            optimizer.step()
            state = tuple(value.detach() for value in state)
            total += loss.detach()
        total.item()
        return windows * WINDOW * batch

    return epoch


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seconds", type=float, default=2)
    given = parser.parse_args()
    device, short = torch.device(given.device), given.short
    if device.type == "cpu":
        torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}", file=sys.stderr)

    def mlp():
        return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 10))

    networks = [
        ("mlp-128", lambda: images(mlp(), 128, 128 * (40 if short else 500), 784, device)),
        ("mlp-2048", lambda: images(mlp(), 2048, 2048 * (4 if short else 100), 784, device)),
        ("resnet20-128", lambda: images(ResNet20(), 128, 128 * (2 if short else 50), 3072, device)),
        ("lstm-20", lambda: language(20, 27 if short else 100, device)),
        ("lstm-64", lambda: language(64, 27 if short else 100, device)),
    ]
    for tf32 in [False] if device.type == "cpu" else [False, True]:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        for name, make in networks:
            torch.manual_seed(1)
            print(name + ("-tf32" if tf32 else ""), f"{best_rate(make(), device, given.seconds):.1f}", flush=True)


if __name__ == "__main__":
    main()
