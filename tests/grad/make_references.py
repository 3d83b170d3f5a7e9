#!/usr/bin/env python3
"""Computes what each layer of nn/ should give, with PyTorch in double precision, and writes
references/layers.bin: inputs, parameters, outputs and gradients as float32.

The cases mirror the table in layers.c (names, shapes, arguments); reference.c compares. Needs
only torch: python3 tests/grad/make_references.py. The file is the same for the same version of
PyTorch's random generator.

Format: "VLREF1\\n", then for each tensor its name (40 bytes, zero-padded), the number of values
(uint32, little endian) and the values (float32, little endian). Names: CASE/x0 (input), /p0
(parameter), /dy (gradient of the output), /y (output), /dx0, /dp0 (gradients).
"""
import pathlib
import struct

import torch
import torch.nn.functional as F

torch.manual_seed(20240501)
tensors = []  # as written


def keep(name, tensor):
    values = tensor.detach().to(torch.float32).flatten().tolist()
    assert len(name) < 40
    tensors.append(struct.pack(f"<40sI{len(values)}f", name.encode(), len(values), *values))


def number(*shape):
    """Numbers that float32 holds exactly, so that both sides begin with the same."""
    return torch.randn(*shape).to(torch.float64).requires_grad_()


def case(name, forward, leaves, params=(), prepare=None):
    x, p = [number(*s) for s in leaves], [number(*s) for s in params]
    if prepare:
        with torch.no_grad():
            prepare(*x)
    y = forward(*x, *p)
    dy = torch.randn(y.shape).to(torch.float64)
    y.backward(dy)
    for letter, group in (("x", x), ("p", p)):
        for i, tensor in enumerate(group):
            keep(f"{name}/{letter}{i}", tensor)
            keep(f"{name}/d{letter}{i}", tensor.grad)
    keep(f"{name}/y", y)
    keep(f"{name}/dy", dy)


def conv(stride, depthwise=False, padding=None):
    """Pictures are [B,H,W,C]; weights [N,size,size,C/groups], or [size,size,C] for one filter a
    channel."""

    def forward(x, weight, bias=None):
        weight = weight.permute(2, 0, 1)[:, None] if depthwise else weight.permute(0, 3, 1, 2)
        size = weight.shape[-1]
        y = F.conv2d(
            x.permute(0, 3, 1, 2),
            weight,
            bias,
            stride=stride,
            padding=padding or (0 if size == stride else size // 2),
            groups=x.shape[-1] // weight.shape[1],
        )
        return y.permute(0, 2, 3, 1)

    return forward


def heads_of(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(-2, -3)


def attention(heads, causal=False, lengths=None):
    def forward(qkv):
        batch, positions, _ = qkv.shape
        q, k, v = (heads_of(part, heads) for part in qkv.chunk(3, -1))
        seen = torch.ones(batch, 1, positions, positions, dtype=torch.bool)
        if causal:
            seen = seen.tril()
        if lengths:
            seen = seen & (torch.arange(positions) < torch.tensor(lengths)[:, None])[:, None, None]
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        return y.transpose(1, 2).flatten(-2)

    return forward


def cross(heads, source=None):
    def forward(q, kv):
        kv = kv if source is None else kv[torch.tensor(source)]
        k, v = (heads_of(part, heads) for part in kv.chunk(2, -1))
        y = F.scaled_dot_product_attention(heads_of(q, heads), k, v)
        return y.transpose(1, 2).flatten(-2)

    return forward


def resize(height, width):
    def forward(table):
        grid = round(len(table) ** 0.5)
        picture = table.T.reshape(1, -1, grid, grid)
        y = F.interpolate(picture, size=(height, width), mode="bilinear", align_corners=False)
        return y[0].flatten(1).T

    return forward


def cross_entropy(targets, weights=None, smoothing=0.0):
    def forward(logits):
        rows = F.cross_entropy(
            logits, torch.tensor(targets), ignore_index=-1, label_smoothing=smoothing, reduction="none"
        )
        return (rows * (1 if weights is None else torch.tensor(weights))).sum()[None]

    return forward


def ctc(labels, lengths=None):
    def forward(logits):
        batch, positions, _ = logits.shape
        return F.ctc_loss(
            logits.log_softmax(-1).transpose(0, 1),
            torch.tensor(sum(labels, [])),
            torch.tensor(lengths or [positions] * batch),
            torch.tensor([len(row) for row in labels]),
            reduction="none",
            zero_infinity=True,
        ).sum()[None]

    return forward


def infonce(owner):
    def forward(x, y, log_scale):
        owners = torch.tensor(owner)
        logits = log_scale.exp() * x @ y.T
        logs = logits.log_softmax(-1)
        rows = [-logs[i, owners == i].mean() for i in sorted(set(owner))]
        return (torch.stack(rows).mean() + F.cross_entropy(logits.T, owners))[None] / 2

    return forward


def wide(x):
    x *= 4


def offset(x):
    x.copy_((x + 50).float())


linear = F.linear
case("linear", linear, [(2, 3, 5)], [(4, 5), (4,)])
case("linear_no_bias", linear, [(2, 3, 5)], [(7, 5)])
case("linear_one_row", linear, [(1, 9)], [(3, 9), (3,)])
case("linear_large", linear, [(19, 23)], [(21, 23), (21,)])
case("conv_3x3", conv(1), [(2, 4, 6, 3)], [(5, 3, 3, 3), (5,)])
case("conv_3x3_stride_2", conv(2), [(2, 4, 6, 3)], [(5, 3, 3, 3), (5,)])
case("conv_3x3_one_pixel", conv(1), [(2, 1, 1, 3)], [(2, 3, 3, 3), (2,)])
case("conv_5x5_no_bias", conv(1), [(1, 3, 4, 1)], [(2, 5, 5, 1)])
case("conv_patch", conv(4), [(2, 8, 4, 3)], [(5, 4, 4, 3), (5,)])
case("conv_1x1", conv(1), [(1, 2, 3, 4)], [(3, 1, 1, 4), (3,)])
case("conv_large", conv(2), [(1, 8, 6, 7)], [(9, 3, 3, 7), (9,)])
case("depthwise_3", conv(1, True), [(2, 5, 7, 3)], [(3, 3, 3), (3,)])
case("depthwise_3_stride_2", conv(2, True), [(2, 5, 8, 3)], [(3, 3, 3), (3,)])
case("depthwise_5", conv(1, True), [(1, 4, 7, 2)], [(5, 5, 2), (2,)])
case("depthwise_5_stride_2", conv(2, True), [(2, 6, 7, 3)], [(5, 5, 3), (3,)])
case("depthwise_7", conv(1, True), [(1, 8, 3, 2)], [(7, 7, 2), (2,)])
case("depthwise_7_stride_2", conv(2, True), [(1, 2, 9, 3)], [(7, 7, 3), (3,)])
case("depthwise_large", conv(1, True), [(1, 4, 3, 37)], [(3, 3, 37), (37,)])
layernorm = lambda x, gain, bias: F.layer_norm(x, gain.shape, gain, bias, 1e-5)
rmsnorm = lambda x, gain: F.rms_norm(x, gain.shape, gain, 1e-5)
case("layernorm", layernorm, [(2, 3, 7)], [(7,), (7,)])
case("layernorm_large", layernorm, [(5, 67)], [(67,), (67,)])
case("layernorm_offset", layernorm, [(3, 16)], [(16,), (16,)], offset)
case("rmsnorm", rmsnorm, [(2, 3, 7)], [(7,)])
case("rmsnorm_large", rmsnorm, [(5, 67)], [(67,)])
case("gelu", lambda x: F.gelu(x, approximate="tanh"), [(3, 47)], prepare=wide)
case("silu", F.silu, [(3, 47)], prepare=wide)
case("attention", attention(2), [(2, 5, 18)])
case("attention_causal", attention(3, True), [(2, 5, 18)])
case("attention_lengths", attention(2, False, [3, 5, 1]), [(3, 5, 12)])
case("attention_causal_lengths", attention(1, True, [3, 5, 1]), [(3, 5, 12)])
case("attention_large", attention(2, True, [13, 20]), [(2, 20, 48)])
case("cross", cross(3), [(2, 4, 6), (2, 5, 12)])
case("cross_source", cross(2, [1, 0, 1]), [(3, 4, 6), (2, 5, 12)])
case("cross_large", cross(2, [1, 0, 1]), [(3, 17, 16), (2, 19, 32)])
case("embedding", lambda table: F.embedding(torch.tensor([1, 4, 1, 0, 4]), table), [], [(6, 5)])
case("gather", lambda x: x[torch.tensor([4, 0, 4, 2])], [(5, 3)])
case("add", torch.add, [(2, 3, 5), (2, 3, 5)])
case("add_itself", lambda x: x + F.silu(x), [(2, 3, 5)])
case("add_broadcast", torch.add, [(3, 2, 5), (2, 5)])
case("add_broadcast_param", torch.add, [(3, 2, 5)], [(2, 5)])
case("scale_channels", torch.mul, [(2, 3, 5)], [(5,)])
case("mean_pool", lambda x: x.mean(1), [(2, 3, 5)])
case("normalize", lambda x: F.normalize(x, dim=-1), [(4, 9)])
case("resize_grid_up", resize(5, 7), [], [(9, 3)])
case("resize_grid_down", resize(2, 3), [], [(25, 2)])
case("resize_grid_mixed", resize(1, 6), [], [(16, 2)])
case("resize_grid_same", resize(3, 3), [], [(9, 3)])
case("cross_entropy", cross_entropy([2, 5, -1, 0], [1, 0.5, 0, 2]), [(4, 6)])
case("cross_entropy_smooth", cross_entropy([2, 5, -1, 0], [1, 0.5, 0, 2], 0.1), [(4, 6)])
case("cross_entropy_plain", cross_entropy([1, 4, 1], None, 0.2), [(3, 37)])
rows = [[1, 1, 2], [3, 1], [], [2, 2], [1, 2, 3], [3, 2, 1, 3, 2, 1]]
case("ctc", ctc(rows, [6, 4, 6, 2, 3, 5]), [(6, 6, 4)])
case("ctc_full", ctc(rows[:3]), [(3, 5, 4)])
rows = [[7, 7, 7, 30, 2, 36, 1, 1, 9, 30], [2, 11, 12, 13, 14]]
case("ctc_large", ctc(rows, [40, 17]), [(2, 40, 37)])
case("infonce", infonce([2, 0, 2, 4, 2, 0]), [(5, 7), (6, 7), (1,)])
case("infonce_large", infonce([i * 5 % 12 for i in range(16)]), [(12, 13), (16, 13), (1,)])
case("conv_stride_2_1", conv((2, 1), False, (1, 1)), [(2, 5, 4, 3)], [(4, 3, 3, 3), (4,)])
case("conv_2x5", conv((1, 2), False, (0, 2)), [(1, 4, 7, 2)], [(3, 2, 5, 2), (3,)])
case("conv_wide_padding", conv((1, 2), False, (2, 3)), [(1, 2, 3, 2)], [(3, 1, 2, 2)])
case("conv_patch_2x1", conv((2, 1), False, (0, 0)), [(2, 4, 3, 3)], [(4, 2, 1, 3), (4,)])
case("conv_patch_left_over", conv((3, 2), False, (1, 0)), [(1, 5, 4, 2)], [(3, 2, 2, 2), (3,)])
case("conv_groups", conv((1, 2), False, (1, 1)), [(2, 4, 5, 6)], [(9, 3, 3, 2), (9,)])
case("conv_groups_patch", conv((2, 2), False, (0, 0)), [(1, 4, 4, 4)], [(4, 2, 2, 2)])
case("conv_window_large", conv((2, 1), False, (1, 2)), [(1, 5, 7, 5)], [(7, 3, 5, 5), (7,)])
case("conv_groups_large", conv(1, False, (1, 1)), [(1, 5, 4, 6)], [(9, 3, 3, 2), (9,)])
case("depthwise_stride_2_1", conv((2, 1), True, (1, 1)), [(2, 5, 4, 3)], [(3, 3, 3), (3,)])
case("depthwise_2x5", conv((1, 2), True, (0, 2)), [(1, 4, 7, 2)], [(2, 5, 2), (2,)])
case("depthwise_window_large", conv((2, 1), True, (1, 2)), [(1, 5, 7, 19)], [(3, 5, 19), (19,)])

path = pathlib.Path(__file__).parent / "references" / "layers.bin"
path.write_bytes(b"VLREF1\n" + b"".join(tensors))
print(f"{path}: {len(tensors)} tensors, {path.stat().st_size} bytes, torch {torch.__version__}")
