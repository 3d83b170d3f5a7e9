#!/usr/bin/env python3
"""seer_torch.py — the network `seer` and its training in PyTorch.

  seer_torch.py train --recipe R --data D --out DIR [--device cpu] [--minutes M] [--compile]
  seer_torch.py pack --recipe R --data D --out PACK     data for a machine that has only PyTorch
  seer_torch.py export --checkpoint F --out G           the averaged weights alone, in parts
  seer_torch.py check --checkpoint F --dump D           our gradients against autograd's
  seer_torch.py look --recipe R [--threads N]           pictures a second, for benchmarks
  seer_torch.py ids --tokenizer T <TEXT                 the ids of each line

On a machine with a GPU and nothing but PyTorch: pack here; there
  seer_torch.py train --data PACK --out RUN --minutes 9 --scale 8 --compile    (again to go on)
  seer_torch.py export --checkpoint RUN/best.safetensors --out w.safetensors --part 15
and here: cat w.safetensors.?? >RUN/best.safetensors; beside the run's recipe.yaml `vislang export
RUN --best` makes a model file of it, and a recipe's `init` takes it.

It is a check on src/model, src/nn and src/train that shares no code with them, the peer that
benchmarks name, and the way to train where there is a GPU. Parameters have the names, shapes and
layouts of `vislang train`'s checkpoints, and each goes on from what the other wrote: the folder
of a run is the same (recipe.yaml, checkpoint.safetensors, best.safetensors, log.jsonl).

In reading order: safetensors, network, losses, one step, evaluation, the run, commands.
Needs torch and numpy; see seer_torch_data.py for the rest of its needs.
"""

import argparse
import contextlib
import itertools
import json
import math
import os
import signal
import struct
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import seer_torch_data as data
from seer_torch_data import (ASK, CAPTION, CONTRAST, LABELS, STATEMENT, TASKS, Problem)

# ---- safetensors (huggingface/safetensors, README.md, "Format")

TYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I32": np.int32, "I64": np.int64}


def safetensors_read(path):
    """Arrays by name (views of the mapped file), and the metadata."""
    with open(path, "rb") as file:
        start = file.read(8)
        if len(start) < 8:
            raise Problem(f"{path}: not a safetensors file")
        size = struct.unpack("<Q", start)[0]
        if size > os.path.getsize(path) - 8:
            raise Problem(f"{path}: not a safetensors file")
        header = json.loads(file.read(size))
    content = np.memmap(path, np.uint8, "r")[8 + size:]
    metadata = header.pop("__metadata__", {})
    arrays = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        if entry["dtype"] not in TYPES:
            raise Problem(f"{path}: {name}: type {entry['dtype']} is not read here")
        arrays[name] = content[first:last].view(TYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays, metadata


def safetensors_write(path, arrays, metadata):
    """Old or new, never half."""
    names = {np.dtype(numpy): name for name, numpy in TYPES.items()}
    header, at = {"__metadata__": metadata}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": names[array.dtype], "shape": list(array.shape),
                        "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).tobytes())
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".part", path)


# ---- parameters, drawn as src/nn/params.c draws them


def drawn(name, count, spread, seed):
    """Normal numbers (Box and Muller 1958) cut at two deviations, from splitmix64."""
    state = seed
    for c in name.encode():
        state = (state ^ c) * 1099511628211 % 2**64
    out, at = np.empty(0), 0
    while len(out) < count:
        tries = count - len(out) + 64
        first = np.uint64((state + 0x9E3779B97F4A7C15 * at) % 2**64)
        u = ((data.random_bits(first, 2 * tries) >> np.uint64(11)).astype(float) + 1) / 2.0**53
        z = np.sqrt(-2 * np.log(u[0::2])) * np.cos(6.283185307179586 * u[1::2])
        out = np.concatenate([out, z[np.abs(z) <= 2]])
        at += 2 * tries
    return out[:count] * spread


def parameter(*shape, constant=0.0, spread=0.0):
    made = nn.Parameter(torch.full(shape, constant))
    made.spread = spread
    return made


class Affine(nn.Module):
    def __init__(self, out, inputs, share=1.0):
        super().__init__()
        self.weight = parameter(out, inputs, spread=share * math.sqrt(1 / inputs))
        self.bias = parameter(out)

    def forward(self, x):
        return F.linear(x, self.weight, self.bias)


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gain, self.bias = parameter(width, constant=1.0), parameter(width)

    def forward(self, x):
        return F.layer_norm(x, self.gain.shape, self.gain, self.bias, 1e-5)


class Conv(nn.Module):
    """[B,H,W,C] → [B,H/s,W/s,N], weight [N,size,size,C]."""

    def __init__(self, out, size, inputs, stride):
        super().__init__()
        self.weight = parameter(out, size, size, inputs,
                                spread=math.sqrt(2 / (size * size * inputs)))
        self.bias = parameter(out)
        self.stride, self.pad = stride, 0 if size == stride else size // 2

    def forward(self, x):
        y = F.conv2d(x.permute(0, 3, 1, 2), self.weight.permute(0, 3, 1, 2), self.bias,
                     self.stride, self.pad)
        return y.permute(0, 2, 3, 1)


class Depthwise(nn.Module):
    """One filter a channel, weight [size,size,C]."""

    def __init__(self, size, width):
        super().__init__()
        self.weight = parameter(size, size, width, spread=1 / size)
        self.bias = parameter(width)
        self.pad = size // 2

    def forward(self, x):
        weight = self.weight.permute(2, 0, 1).unsqueeze(1)
        y = F.conv2d(x.permute(0, 3, 1, 2), weight, self.bias, 1, self.pad, groups=len(weight))
        return y.permute(0, 2, 3, 1)


# ---- network (src/model/seer.c)


class Rates:
    """Of dropout, in training."""
    dropout = drop_path = 0.0


def drop_path(x, rate, training):
    """Drops x for a whole sample."""
    if not training or rate <= 0:
        return x
    kept = torch.rand(len(x), *[1] * (x.dim() - 1), device=x.device) >= rate
    return x * kept / (1 - rate)


def gelu(x):
    return F.gelu(x, approximate="tanh")


class Block(nn.Module):
    def __init__(self, width, kernel, share, rates):
        super().__init__()
        self.filter, self.norm = Depthwise(kernel, width), Norm(width)
        self.up, self.down = Affine(4 * width, width), Affine(width, 4 * width, share)
        self.rates = rates

    def forward(self, x):
        y = self.down(gelu(self.up(self.norm(self.filter(x)))))
        return x + drop_path(y, self.rates.drop_path, self.training)


class Layer(nn.Module):
    """Self-attention, attention to places (mixed layers), perceptron; each normed before."""

    def __init__(self, width, heads, causal, cross, share, rates):
        super().__init__()
        self.norm1, self.qkv = Norm(width), Affine(3 * width, width)
        self.out = Affine(width, width, share)
        if cross:
            self.norm2, self.query = Norm(width), Affine(width, width)
            self.kv, self.cross_out = Affine(2 * width, width), Affine(width, width, share)
        self.norm3, self.up = Norm(width), Affine(4 * width, width)
        self.down = Affine(width, 4 * width, share)
        self.heads, self.causal, self.cross, self.rates = heads, causal, cross, rates

    def residual(self, x, branch):
        branch = F.dropout(branch, self.rates.dropout, self.training)
        return x + drop_path(branch, self.rates.drop_path, self.training)

    def attend(self, q, k, v, causal):
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return y.transpose(1, 2).flatten(2)

    def forward(self, x, places=None, source=None):
        """No mask of lengths: a place that is there sees only those before it, which are."""
        q, k, v = self.qkv(self.norm1(x)).chunk(3, -1)
        x = self.residual(x, self.out(self.attend(q, k, v, self.causal)))
        if self.cross:
            k, v = self.kv(places)[source].chunk(2, -1)
            y = self.attend(self.query(self.norm2(x)), k, v, False)
            x = self.residual(x, self.cross_out(y))
        return self.residual(x, self.down(gelu(self.up(self.norm3(x)))))


class Group(nn.Module):
    """Nothing but names: of Group(first, second, a=third) group.numbered() is the first two, and
    group.a the third."""

    def __init__(self, *modules, **named):
        super().__init__()
        for name, module in [*((str(i), m) for i, m in enumerate(modules)), *named.items()]:
            if isinstance(module, nn.Parameter):
                self.register_parameter(name, module)
            else:
                self.add_module(name, module)

    def numbered(self):
        return [module for name, module in self.named_children() if name.isdigit()]


def neighbours(count, grid):
    """[count,grid]: shares of a row's grid places in its `count` positions, bilinear."""
    place = ((torch.arange(count, dtype=torch.float64) + 0.5) * grid / count - 0.5)
    place = place.clamp(0, grid - 1)
    return (1 - (place[:, None] - torch.arange(grid)).abs()).clamp(min=0)


def unit(x):
    """Rows to length 1, never in bf16."""
    x = x.float() if x.dtype != torch.float64 else x
    return x * torch.rsqrt((x * x).sum(-1, keepdim=True) + 1e-12)


class Seer(nn.Module):
    """`architecture` and `heads` (labels by name) as a recipe has them."""

    def __init__(self, architecture, heads, seed=1):
        super().__init__()
        c = self.config = architecture
        self.rates = Rates()
        widths, width, rates = c["widths"], c["widths"][2], self.rates
        share = 1 / math.sqrt(sum(c["blocks"]) + 2 * c["layers"])
        self.stem = Group(**{"1": Conv(widths[0] // 2, 3, 3, 2),
                             "2": Conv(widths[0], 3, widths[0] // 2, 2), "norm": Norm(widths[0])})
        self.conv0, self.conv1 = (Group(*(Block(widths[s], c["kernel"], share, rates)
                                          for _ in range(c["blocks"][s]))) for s in range(2))
        self.shrink = Group(*(Group(norm=Norm(widths[s]), conv=Conv(widths[s + 1], 2, widths[s], 2))
                              for s in range(2)))
        self.vision = Group(*(Layer(width, c["heads"], False, False, share, rates)
                              for _ in range(c["layers"])), norm=Norm(width),
                            position=parameter(c["grid"]**2, width, spread=0.02))
        self.head = Group(**{name: Affine(len(labels), width) for name, labels in heads.items()})
        share = 1 / math.sqrt(2 * c["text_layers"] + 3 * c["mixed_layers"])
        self.text = Group(*(Layer(width, c["text_heads"], True, False, share, rates)
                            for _ in range(c["text_layers"])), norm=Norm(width),
                          words=parameter(c["vocabulary"], width, spread=0.05),
                          position=parameter(c["max_text"], width, spread=0.02))
        self.mixed = Group(*(Layer(width, c["text_heads"], True, True, share, rates)
                             for _ in range(c["mixed_layers"])), norm=Norm(width))
        spread = math.sqrt(1 / width)
        self.vector = Group(picture=parameter(c["vector"], width, spread=spread),
                            text=parameter(c["vector"], width, spread=spread),
                            log_scale=parameter(1, constant=math.log(1 / 0.07)))
        for name, p in self.named_parameters():
            if p.spread:
                numbers = drawn(name, p.numel(), p.spread, seed)
                p.data.copy_(torch.from_numpy(numbers).reshape(p.shape))

    def look(self, pictures):
        """[B,S,S',3], (value/255 − 0.5)/0.25 → places [B,T,D]."""
        x = self.stem.get_submodule("1")(pictures)
        x = self.stem.norm(self.stem.get_submodule("2")(gelu(x)))
        for blocks, shrink in zip((self.conv0, self.conv1), self.shrink.numbered()):
            for block in blocks.numbered():
                x = block(x)
            x = shrink.conv(shrink.norm(x))
        height, width, grid = x.shape[1], x.shape[2], self.config["grid"]
        rows = neighbours(height, grid).to(self.vision.position)
        columns = neighbours(width, grid).to(self.vision.position)
        position = self.vision.position.unflatten(0, (grid, grid))
        position = torch.einsum("yg,xh,ghd->yxd", rows, columns, position)
        x = x.flatten(1, 2) + position.flatten(0, 1)
        for layer in self.vision.numbered():
            x = layer(x)
        return self.vision.norm(x)

    def label(self, pooled, name):
        return self.head.get_submodule(name)(pooled)

    def picture_vector(self, pooled):
        return unit(F.linear(pooled, self.vector.picture))

    def read(self, ids):
        """[R,L] → [R,L,D], each place seeing itself and those before."""
        x = F.embedding(ids, self.text.words) + self.text.position[:ids.shape[1]]
        x = F.dropout(x, self.rates.dropout, self.training)
        for layer in self.text.numbered():
            x = layer(x)
        return x

    def text_vector(self, text, at):
        return unit(F.linear(self.text.norm(text.flatten(0, 1)[at]), self.vector.text))

    def mix(self, text, places, source):
        """Texts beside places, row r with picture source[r]."""
        for layer in self.mixed.numbered():
            text = layer(text, places, source)
        return text

    def words(self, mixed, at):
        """Logits [len(at),vocabulary]; the embedding is the output's matrix too."""
        return F.linear(self.mixed.norm(mixed.flatten(0, 1)[at]), self.text.words)


# ---- losses (src/nn/loss.c)


def cross_entropy(logits, target, smoothing):
    """A loss a row; the target gets 1 − ε + ε/V."""
    logits = logits.float() if logits.dtype != torch.float64 else logits
    return F.cross_entropy(logits, target, reduction="none", label_smoothing=smoothing)


def infonce(x, y, owner, log_scale):
    """Symmetric InfoNCE; y_j belongs to x[owner[j]], texts of one picture share its probability."""
    logits = log_scale.exp() * (x @ y.T)
    column = torch.arange(len(y), device=y.device)
    owned = torch.bincount(owner, minlength=len(x))
    rows = -logits.log_softmax(1)[owner, column] / owned[owner]
    columns = -logits.log_softmax(0)[owner, column]
    return 0.5 * rows.sum() / (owned > 0).sum() + 0.5 * columns.mean()


def leaning(x, weight):
    """x, whose gradient weighs `weight`."""
    return x if weight == 1 else x.detach() + weight * (x - x.detach())


# ---- one step (src/train/learner.c)


class Tally:
    """Sums by task: loss, right, count. They stay on the device until they are asked for."""

    def __init__(self, device):
        self.sums = torch.zeros(len(TASKS), 3, dtype=torch.float64, device=device)

    def add(self, task, losses, right, weight):
        """`task`: one for all, or of each row. Rows of no weight are not counted."""
        counted = (weight > 0).double()
        columns = torch.stack([losses.detach().double(), right.double(),
                               torch.ones_like(counted)], 1) * counted[:, None]
        if isinstance(task, int):
            self.sums[task] += columns.sum(0)
        else:
            self.sums.index_add_(0, task, columns)

    def report(self):
        """As the log has it: means, and shares that are right."""
        out = {}
        for name, (loss, right, count) in zip(TASKS, self.sums.tolist()):
            if count > 0:
                out[name] = round(loss / count, 5)
            if right > 0:
                out[name + "_right"] = round(right / count, 5)
        return out


class Learner:
    """The network, its optimiser and its running average, and one step of them."""

    def __init__(self, recipe, sets, device, compile_=False):
        self.recipe, self.device = recipe, torch.device(device)
        self.net = Seer(recipe.architecture, recipe.heads, recipe.seed).to(self.device)
        t = recipe.training
        self.parameters = dict(self.net.named_parameters())
        self.averages = {n: p.detach().clone() for n, p in self.parameters.items()}
        matrices = [p for p in self.parameters.values() if p.dim() >= 2]
        others = [p for p in self.parameters.values() if p.dim() < 2]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": t["decay"]},
             {"params": others, "weight_decay": 0.0}],
            lr=t["rate"], betas=(t["beta1"], t["beta2"]), eps=1e-8,
            fused=self.device.type == "cuda")
        self.set_moments({})
        self.steps = 0
        self.squares = {path: torch.from_numpy(s.squares).to(self.device)
                        for path, s in sets.items()}
        if compile_:
            torch._dynamo.config.recompile_limit = 256  # a graph for every shape of a step
            for name in ("look", "read", "mix"):
                setattr(self.net, name, torch.compile(getattr(self.net, name), dynamic=False))

    def set_moments(self, arrays, step=0):
        for name, p in self.parameters.items():
            state = {"step": torch.tensor(float(step))}
            for key, prefix in (("exp_avg", "m/"), ("exp_avg_sq", "v/")):
                state[key] = torch.zeros_like(p)
                if prefix + name in arrays:
                    state[key].copy_(torch.tensor(arrays[prefix + name]))
            if self.device.type == "cuda":
                state["step"] = state["step"].to(self.device)
            self.optimizer.state[p] = state
            p.grad = torch.zeros_like(p)  # a head that no picture asks for decays all the same

    # -- checkpoints

    def load(self, path):
        """Everything back."""
        arrays, metadata = safetensors_read(path)
        if "step" not in metadata:
            raise Problem(f"{path}: not a training checkpoint (no step)")
        for name, p in self.parameters.items():
            for full in (name, "m/" + name, "v/" + name, "average/" + name):
                if full not in arrays or arrays[full].shape != tuple(p.shape):
                    raise Problem(f"{path}: of another network: {full}")
            p.data.copy_(torch.tensor(arrays[name]))
            self.averages[name].copy_(torch.tensor(arrays["average/" + name]))
        self.steps = int(metadata["step"])
        self.set_moments(arrays, self.steps)

    def init(self, path):
        """Weights only, the running average where there is one, as far as shapes agree."""
        arrays, taken = safetensors_read(path)[0], 0
        for name, p in self.parameters.items():
            array = arrays.get("average/" + name, arrays.get(name))
            if array is not None and array.shape == tuple(p.shape):
                p.data.copy_(torch.tensor(array))
                taken += 1
            self.averages[name].copy_(p.data)
        if not taken:
            raise Problem(f"{path}: none of its tensors fits this network")
        print(f"{path}: {taken} of {len(self.parameters)} tensors taken over")

    def save(self, path):
        def numpy(tensors):
            return [t.detach().cpu().numpy() for t in tensors]
        names, states = list(self.parameters), self.optimizer.state
        arrays = dict(zip(names, numpy(self.parameters.values())))
        for prefix, key in (("m/", "exp_avg"), ("v/", "exp_avg_sq")):
            arrays |= zip([prefix + n for n in names],
                          numpy(states[p][key] for p in self.parameters.values()))
        arrays |= zip(["average/" + n for n in names], numpy(self.averages.values()))
        safetensors_write(path, arrays, {"format": "vislang seer checkpoint 1",
                                         "step": str(self.steps), "recipe": self.recipe.text})

    # -- forward

    def tensors(self, plan):
        """A plan's arrays on the device."""
        out = {}
        for key, value in plan.items():
            if isinstance(value, np.ndarray):
                value = torch.from_numpy(value)
                if self.device.type == "cuda":
                    value = value.pin_memory().to(self.device, non_blocking=True)
            out[key] = value
        return out

    def pictures(self, source, p):
        """A few at a time: the stored squares as numbers are large."""
        squares = self.squares[source["path"]]
        parts = [data.augment(squares[index], *rest, p["side"]) for index, *rest in
                 zip(*(p[key].split(256) for key in ("index", "crop", "flip", "tint", "erase")))]
        return torch.cat(parts)

    def precision(self):
        if self.recipe.training["bf16"]:
            return torch.autocast(self.device.type, torch.bfloat16)
        return contextlib.nullcontext()

    def score(self, logits, target, task, weight, training, tally):
        """In training only labels and statements are judged right or wrong, as in the log."""
        losses = cross_entropy(logits, target, self.recipe.training["smoothing"])
        right = logits.amax(1) <= logits.gather(1, target[:, None])[:, 0]
        if training and not isinstance(task, int):
            right &= task == STATEMENT
        tally.add(task, losses, right, weight)
        return (losses * weight).sum()

    def forward(self, source, plan, training, tally):
        """loss (or None), unit vectors of pictures and of texts (or None)."""
        net, p = self.net, self.tensors(plan)
        with torch.no_grad():
            pixels = self.pictures(source, p)
        loss = pixels.new_zeros(())
        with self.precision():
            places = net.look(pixels)
            pooled = places.mean(1)
            for name, labels in zip(self.recipe.heads, p["labels"]):
                known = int((plan["labels"][list(self.recipe.heads).index(name)] >= 0).sum())
                if not known:
                    continue
                weight = (labels >= 0) * (source["labels"] / known)
                loss = loss + self.score(net.label(pooled, name), labels.clamp(min=0), LABELS,
                                         weight, training, tally)
            if not len(plan["ids"]):
                return loss, None, None
            text = net.read(p["ids"])
            if len(plan["at"]):
                weights = torch.zeros(len(TASKS), device=self.device)
                for task in (CAPTION, ASK, STATEMENT):
                    count = int((plan["task"] == task).sum())
                    weights[task] = source[TASKS[task]] / count if count else 0
                logits = net.words(net.mix(text, places, p["owner"]), p["at"])
                loss = loss + self.score(logits, p["target"], p["task"], weights[p["task"]],
                                         training, tally)
            if not len(plan["vector_at"]):
                return loss, None, None
            return loss, net.picture_vector(pooled), net.text_vector(text, p["vector_at"])

    # -- one step

    def step(self, plans, rate, tally):
        """One step of AdamW; the gradient's length before clipping."""
        net, t = self.net, self.recipe.training
        net.train()
        net.rates.dropout, net.rates.drop_path = t["dropout"], t["drop_path"]
        self.optimizer.zero_grad(set_to_none=False)
        waiting, matched = [], []
        for plan in plans:
            source = self.recipe.sources[plan["source"]]
            loss, pictures, texts = self.forward(source, plan, True, tally)
            if pictures is None:
                if loss.requires_grad:
                    loss.backward()
                continue
            owner = torch.from_numpy(plan["vector_owner"]).to(self.device)
            matched.append((leaning(pictures, source["contrast"]),
                            leaning(texts, source["contrast"]), owner))
            waiting.append(loss)
        if waiting:
            firsts = itertools.accumulate((len(m[0]) for m in matched), initial=0)
            loss = infonce(torch.cat([m[0] for m in matched]), torch.cat([m[1] for m in matched]),
                           torch.cat([m[2] + first for m, first in zip(matched, firsts)]),
                           net.vector.log_scale)
            count = sum(len(m[1]) for m in matched)
            tally.sums[CONTRAST] += torch.stack([loss.detach().double() * count,
                                                 loss.new_zeros(()).double(),
                                                 loss.new_full((), count).double()])
            (loss + sum(waiting)).backward()
        return self.update(rate)

    @torch.no_grad()
    def update(self, rate):
        t = self.recipe.training
        gradients = [p.grad for p in self.parameters.values()]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        if t["clip"] > 0:
            torch._foreach_mul_(gradients, (t["clip"] / norm).clamp(max=1))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.steps += 1
        self.net.vector.log_scale.clamp_(max=4.6052)  # a temperature of 1/100, as in CLIP
        keep = min(t["ema"], (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(list(self.averages.values()), list(self.parameters.values()),
                             1 - keep)
        return norm

    @contextlib.contextmanager
    def averaged(self):
        """The running average in the network's place."""
        own = {name: p.detach().clone() for name, p in self.parameters.items()}
        for name, p in self.parameters.items():
            p.data.copy_(self.averages[name])
        try:
            yield
        finally:
            for name, p in self.parameters.items():
                p.data.copy_(own[name])

    @torch.compiler.set_stance("force_eager")  # held-out shapes are many, and seen once
    @torch.no_grad()
    def evaluate(self, planner):
        """What the averaged weights do on one pass over the held-out sources: as the log has it."""
        tally, x, y, owner, seen = Tally(self.device), [], [], [], 0
        self.net.eval()
        with self.averaged():
            for plan in itertools.chain.from_iterable(map(planner.plan, range(planner.steps()))):
                source = self.recipe.held[plan["source"]]
                _, pictures, texts = self.forward(source, plan, False, tally)
                if pictures is not None:
                    x, y = x + [pictures], y + [texts]
                    owner.append(torch.from_numpy(plan["vector_owner"] + seen))
                    seen += len(pictures)
        report = tally.report()
        total = sum(max(s[task] for s in self.recipe.held) * report[task]
                    for task in TASKS if task in report)
        out = {"evaluation": self.steps, "total": round(total, 5), **report}
        if x:
            out["recall1"], out["recall10"] = recall(torch.cat(x), torch.cat(y),
                                                     torch.cat(owner).to(self.device))
        return out


def recall(x, y, owner):
    """Shares of texts whose picture is the nearest, and among the ten nearest."""
    near = y @ x.T
    mine = near.gather(1, owner[:, None])
    nearer = (near >= mine).sum(1) - 1
    return [round((nearer < n).double().mean().item(), 5) for n in (1, 10)]


# ---- the run (src/train/trainer.c)


def schedule(t, step):
    """Linear warm-up, then half a cosine (src/nn/optimizer.c)."""
    if step < t["warmup"]:
        return t["rate"] * (step + 1) / t["warmup"]
    if step >= t["steps"]:
        return t["final_rate"]
    share = (step - t["warmup"]) / (t["steps"] - t["warmup"])
    return t["final_rate"] + (t["rate"] - t["final_rate"]) * 0.5 * (1 + math.cos(math.pi * share))


def begin_or_resume(learner, folder):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "recipe.yaml")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            if file.read() != learner.recipe.text:
                raise Problem(f"{folder}: this run was begun with another recipe; give another "
                              "folder, or name its checkpoint as 'init' in the new recipe")
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write(learner.recipe.text)
    checkpoint = os.path.join(folder, "checkpoint.safetensors")
    if os.path.exists(checkpoint):
        learner.load(checkpoint)
    elif learner.recipe.init:
        learner.init(learner.recipe.init)


class Run:
    def __init__(self, learner, plans, held, folder, minutes, max_steps):
        self.learner, self.plans, self.held, self.folder = learner, plans, held, folder
        self.end = learner.recipe.training["steps"]
        if max_steps:
            self.end = min(self.end, learner.steps + max_steps)
        self.begun = self.saved = time.monotonic()
        self.deadline = self.begun + 60 * minutes if minutes else math.inf
        self.pictures, self.best, self.best_step = 0, math.inf, 0
        self.since = Tally(learner.device)
        self.stop = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.on_signal)

    def on_signal(self, *_):
        self.stop = True

    def log(self, entry):
        with open(os.path.join(self.folder, "log.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps(entry, separators=(",", ":")) + "\n")
        print(json.dumps(entry), flush=True)

    def save(self, name):
        self.learner.save(os.path.join(self.folder, name))

    def log_steps(self, rate, norm):
        norm = norm.item()
        if not math.isfinite(norm):
            raise Problem(f"step {self.learner.steps}: the gradient is not a number any more; "
                          "the last checkpoint stays")
        speed = self.pictures / (time.monotonic() - self.begun)
        self.log({"step": self.learner.steps, "rate": float("%.6g" % rate),
                  "norm": float("%.5g" % norm), "pictures_per_second": round(speed, 2),
                  **self.since.report()})
        self.since = Tally(self.learner.device)

    def evaluate(self):
        scores = self.learner.evaluate(self.held)
        self.log(scores)
        if scores["total"] < self.best:
            self.best, self.best_step = scores["total"], self.learner.steps
            self.save("best.safetensors")

    def go(self):
        learner, t = self.learner, self.learner.recipe.training
        done = learner.steps >= self.end
        while not done:
            plans, rate = self.plans.take(), schedule(t, learner.steps)
            norm = learner.step(plans, rate, self.since)
            self.pictures += sum(len(plan["index"]) for plan in plans)
            step, last = learner.steps, learner.steps == t["steps"]
            done = step >= self.end or self.stop or time.monotonic() > self.deadline
            if step % t["log_every"] == 0 or last or done:
                self.log_steps(rate, norm)
            if self.held and t["evaluate_every"] and (step % t["evaluate_every"] == 0 or last):
                self.evaluate()
            if t["patience"] and self.best_step and step - self.best_step > t["patience"]:
                done = True
            if done or time.monotonic() - self.saved > 60 * t["checkpoint_minutes"]:
                if not math.isfinite(norm.item()):
                    raise Problem(f"step {step}: the gradient is not a number any more")
                self.save("checkpoint.safetensors")
                self.saved = time.monotonic()


# ---- commands


def open_data(args):
    """recipe, sets, tokens: from a pack, or from a recipe and its data."""
    recipe = data.recipe_open(args.recipe) if args.recipe else None
    if data.is_pack(args.data):
        return data.pack_open(args.data, recipe)
    if not recipe:
        raise Problem(f"{args.data}: not a pack, so --recipe is needed")
    tokenizer = data.Tokenizer(tokenizer_path(recipe))
    return recipe, data.load_sets(recipe, args.data, tokenizer, args.store), tokenizer


def tokenizer_path(recipe):
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return os.path.join(os.environ.get("VISLANG_DATA", root), recipe.tokenizer)


def train(args):
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.set_float32_matmul_precision("highest" if args.device == "cpu" else "high")
    recipe, sets, tokens = open_data(args)
    recipe.scaled(args.scale)
    planner = data.Planner(recipe, sets, tokens, False, args.compile)
    held = data.Planner(recipe, sets, tokens, True, args.compile) if recipe.held else None
    learner = Learner(recipe, sets, args.device, args.compile)
    begin_or_resume(learner, args.out)
    torch.manual_seed(recipe.seed + learner.steps)
    plans = data.Plans(planner, learner.steps, args.workers)
    try:
        Run(learner, plans, held, args.out, args.minutes, args.max_steps).go()
    finally:
        plans.close()


def pack(args):
    recipe = data.recipe_open(args.recipe)
    tokenizer = data.Tokenizer(tokenizer_path(recipe))
    sets = data.load_sets(recipe, args.data, tokenizer, args.store)
    size = data.pack_write(recipe, sets, tokenizer, args.out, args.quality)
    print(f"{args.out}: {size / 2**20:.1f} MiB")


def export(args):
    """Averaged weights under the parameters' names; parts, so that each is small: cat joins."""
    arrays, metadata = safetensors_read(args.checkpoint)
    kind = {"f32": np.float32, "f16": np.float16}[args.dtype]
    weights = {name.removeprefix("average/"): array.astype(kind) for name, array in arrays.items()
               if name.startswith("average/")}
    if not weights:
        raise Problem(f"{args.checkpoint}: no averaged weights in it")
    safetensors_write(args.out, weights, metadata)
    if args.part:
        with open(args.out, "rb") as file:
            for number in itertools.count():
                part = file.read(args.part << 20)
                if not part:
                    break
                with open(f"{args.out}.{number:02}", "wb") as out:
                    out.write(part)
        os.remove(args.out)


def check(args):
    """Recomputes a dump of tests/peers/seer_dump in float64; fails past --limit."""
    arrays, metadata = safetensors_read(args.checkpoint)
    recipe = data.recipe_parse(metadata["recipe"])
    net = Seer(recipe.architecture, recipe.heads, 7)
    dump = {name: torch.tensor(array) for name, array in safetensors_read(args.dump)[0].items()}
    given = {n.removeprefix("in/"): t.long() if not t.is_floating_point() else t.double()
             for n, t in dump.items() if n.startswith("in/")}
    worst = compare("drawn", {n: p for n, p in net.named_parameters()}, dump, "seed7/")
    if set(arrays) != set(dict(net.named_parameters())):
        raise Problem(f"{args.checkpoint}: other parameters than the network's")
    net = net.double()
    for name, p in net.named_parameters():
        p.data.copy_(torch.tensor(arrays[name]))
    smoothing, out = recipe.training["smoothing"], {}
    out["places"] = places = net.look(given["pixels"])
    pooled = places.mean(1)
    out["pictures"] = net.picture_vector(pooled)
    text = net.read(given["ids"])
    out["texts"] = net.text_vector(text, given["vector_at"])
    out["words"] = net.words(net.mix(text, places, given["owner"]), given["at"])
    loss = (cross_entropy(out["words"], given["target"], smoothing) * given["weight"]).sum()
    for h, name in enumerate(recipe.heads):
        out[f"labels.{h}"] = logits = net.label(pooled, name)
        losses = cross_entropy(logits, given["labels"][h], smoothing)
        loss = loss + (losses * given["label_weights"][h]).sum()
    loss = loss + infonce(out["pictures"], out["texts"], given["vector_owner"],
                          net.vector.log_scale)
    loss.sum().backward()
    out["loss"] = loss.reshape(1)
    worst = max(worst, compare("out", out, dump, "out/"))
    gradients = {name: p.grad for name, p in net.named_parameters()}
    worst = max(worst, compare("gradient", gradients, dump, "grad/"))
    if not worst < args.limit:
        raise Problem(f"relative error {worst:.3g}, and {args.limit:g} is the limit")


def compare(what, ours, dump, prefix):
    """Largest relative error, after a line for each tensor."""
    worst = 0.0
    theirs = {n.removeprefix(prefix) for n in dump if n.startswith(prefix)}
    if theirs != set(ours):
        raise Problem(f"{what}: {sorted(theirs ^ set(ours))} on one side only")
    for name, tensor in ours.items():
        other, tensor = dump[prefix + name].double(), tensor.detach().double()
        if other.shape != tensor.shape:
            raise Problem(f"{what} {name}: {list(other.shape)}, not {list(tensor.shape)}")
        error = ((other - tensor).abs().max() / tensor.abs().max().clamp(min=1e-30)).item()
        print(f"{what} {name} {list(tensor.shape)}: {error:.2e}")
        worst = max(worst, error)
    return worst


def look(args):
    """Pictures a second through the picture side, as one line of JSON."""
    recipe = data.recipe_open(args.recipe)
    torch.set_num_threads(args.threads)
    net = Seer(recipe.architecture, recipe.heads, recipe.seed).eval()
    side = recipe.architecture["picture"]
    pixels = torch.randn(args.batch, side, side, 3)
    precision = torch.autocast("cpu", torch.bfloat16) if args.bf16 else contextlib.nullcontext()
    with torch.inference_mode(), precision:
        for _ in range(3):
            net.look(pixels)
        times = []
        while sum(times) < args.seconds or len(times) < 5:
            start = time.perf_counter()
            net.picture_vector(net.look(pixels).mean(1))
            times.append(time.perf_counter() - start)
    middle = sorted(times)[len(times) // 2]
    print(json.dumps({"peer": f"torch {torch.__version__}", "threads": args.threads,
                      "bf16": args.bf16, "side": side, "batch": args.batch,
                      "median_ms": round(1000 * middle, 2),
                      "pictures_per_second": round(args.batch / middle, 1)}))


def ids(args):
    tokenizer = data.Tokenizer(args.tokenizer)
    for line in sys.stdin.buffer.read().decode().removesuffix("\n").split("\n"):
        print(*tokenizer.encode(line))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(run, *options, **defaults):
        sub = commands.add_parser(run.__name__)
        sub.set_defaults(run=run)
        for option in options:
            sub.add_argument("--" + option, required=True)
        for name, default in defaults.items():
            name = "--" + name.replace("_", "-")
            if isinstance(default, bool):
                sub.add_argument(name, action="store_true")
            else:
                sub.add_argument(name, type=type(default) if default is not None else str,
                                 default=default)

    cuda = "cuda" if torch.cuda.is_available() else "cpu"
    cores = len(os.sched_getaffinity(0))
    command(train, "data", "out", recipe=None, device=cuda, minutes=0.0, max_steps=0, scale=1,
            workers=min(8, cores // 2) if cores > 2 else 0, threads=0, store=192, compile=False)
    command(pack, "recipe", "data", "out", store=144, quality=60)
    command(export, "checkpoint", "out", dtype="f32", part=0)
    command(check, "checkpoint", "dump", limit=1e-4)
    command(look, "recipe", threads=1, batch=1, seconds=3.0, bf16=False)
    command(ids, "tokenizer")
    args = parser.parse_args()
    try:
        args.run(args)
    except (Problem, OSError) as problem:
        sys.exit(f"seer_torch: {problem}")


if __name__ == "__main__":
    main()
