"""Model files against Python's gguf and safetensors: what we write they read with the same values,
and the other way round.

usage: test_tensor.py TENSOR_PEER; the packages come from .venv or the environment that
VISLANG_PEERS names (scripts/deps.sh --peers). Exit status 77: skipped."""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

sys.path.insert(0, os.path.join(ROOT, "scripts"))
import peers  # noqa: E402

try:
    import gguf
    import numpy as np
    import safetensors
    import safetensors.numpy
except ImportError:
    peers.become("gguf", "numpy", "safetensors")

PEER = sys.argv[1]
checks = 0


def check(holds, what):
    global checks
    checks += 1
    if not holds:
        sys.exit(f"FAILED: {what}")


def peer(*arguments):
    return subprocess.run([PEER, *arguments], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def dump(path):
    """Keys as text, and tensors as (type, array of f32), as our reader sees them."""
    keys, tensors = {}, {}
    # Values may hold line ends; tensors begin lines of their own.
    for line in peer("dump", path).split("\n"):
        if line.startswith("tensor "):
            _, name, dtype, dims, *values = line.split(" ")
            shape = [int(d) for d in dims.split("x")] if dims else []
            tensors[name] = dtype, np.array(values, dtype=np.float32).reshape(shape)
        elif line.startswith("key "):
            _, name, *value = line.split(" ", 2)
            keys[name] = value[0] if value else ""
    return keys, tensors


def test_their_reading_of_our_gguf(folder):
    path = os.path.join(folder, "ours.gguf")
    peer("write", path, os.path.join(folder, "ours.safetensors"))
    reader = gguf.GGUFReader(path)
    expected = {"general.architecture": "seer", "seer.width": 320, "seer.step": -5000000000,
                "seer.epsilon": 0.25, "seer.causal": True, "words": ["one", "", "été"],
                "kinds": [1, -2, 3], "scores": [0.5, -1.0]}
    for key, value in expected.items():
        check(reader.get_field(key).contents() == value, f"their reading of our key {key}")
    _, ours = dump(path)
    check(len(reader.tensors) == len(ours) == 10, "number of tensors")
    for tensor in reader.tensors:
        dtype, values = ours[tensor.name]
        check(tensor.tensor_type.name.lower() == dtype, f"type of {tensor.name}")
        # Their shape is the file's: innermost first.
        check(list(tensor.shape) == list(values.shape)[::-1], f"shape of {tensor.name}")
        theirs = gguf.quants.dequantize(tensor.data, tensor.tensor_type) \
            if dtype in ("q8_0", "q4_0", "bf16") else tensor.data
        theirs = np.asarray(theirs).astype(np.float32).reshape(values.shape)
        check(np.array_equal(theirs, values), f"values of {tensor.name}")
    exact = np.array([0.5 * (i % 40) - 3 for i in range(192)], dtype=np.float32).reshape(3, 64)
    for name in ("f32", "f16", "bf16", "f64"):
        check(np.array_equal(ours[name][1], exact), f"what was written as {name}")


def test_q2_is_refused(folder):
    path = os.path.join(folder, "q2.gguf")
    peer("write-q2", path)
    check("q2_0" in dump(path)[1], "our own reading of q2_0")
    try:
        gguf.GGUFReader(path)
    except ValueError:
        return
    check(False, "their refusal of a type that is ours")


def test_our_reading_of_their_gguf(folder):
    path = os.path.join(folder, "theirs.gguf")
    random = np.random.default_rng(1)
    x = random.standard_normal((4, 96)).astype(np.float32) * 0.05
    kinds = gguf.GGMLQuantizationType
    writer = gguf.GGUFWriter(path, "seer")
    writer.add_string("name", "été")
    writer.add_uint32("n", 7)
    writer.add_int64("big", -2**40)
    writer.add_float32("f", 0.125)
    writer.add_bool("yes", True)
    writer.add_array("words", ["a", "", "c d"])
    writer.add_array("numbers", [1, -2, 3])
    writer.add_array("scores", [0.5, 2.0])
    expected = {}
    for kind in (kinds.Q8_0, kinds.Q4_0, kinds.BF16):
        packed = gguf.quants.quantize(x, kind)
        writer.add_tensor(kind.name, packed, raw_dtype=kind)
        expected[kind.name] = gguf.quants.dequantize(packed, kind)
    for dtype in (np.float32, np.float16, np.float64, np.int8, np.int16, np.int32, np.int64):
        name = np.dtype(dtype).name
        values = (x.reshape(2, 2, 96) * (1000 if "int" in name else 1)).astype(dtype)
        writer.add_tensor(name, values)
        expected[name] = values.astype(np.float32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    keys, tensors = dump(path)
    for key, value in {"general.architecture": "seer", "name": "été", "n": "7",
                       "big": str(-2**40), "f": "0.125", "yes": "true",
                       "words": "'a' '' 'c d'", "numbers": "1 -2 3", "scores": "0.5 2"}.items():
        check(keys[key] == value, f"our reading of their key {key}: {keys[key]}")
    check(set(tensors) == set(expected), "names of their tensors")
    for name, values in expected.items():
        check(tensors[name][1].shape == values.shape, f"shape of their {name}")
        check(np.array_equal(tensors[name][1], values), f"values of their {name}")


def test_their_reading_of_our_safetensors(folder):
    path = os.path.join(folder, "ours.safetensors")
    _, ours = dump(path)
    names = {"f32": "F32", "f16": "F16", "bf16": "BF16", "i8": "I8", "u8": "U8", "i16": "I16",
             "i32": "I32", "i64": "I64", "f64": "F64"}
    with safetensors.safe_open(path, framework="numpy") as file:
        check(file.metadata() == {"format": "vislang", "note": "\"é\"\n\\"}, "metadata")
        check(set(file.keys()) == set(names) == set(ours), "names of our tensors")
        for name in names:
            entry = file.get_slice(name)
            check(entry.get_dtype() == names[name], f"type of {name}")
            check(entry.get_shape() == list(ours[name][1].shape), f"shape of {name}")
            if name == "bf16":  # not a type of numpy
                continue
            values = file.get_tensor(name).astype(np.float32)
            check(np.array_equal(values, ours[name][1]), f"values of {name}")


def test_our_reading_of_their_safetensors(folder):
    path = os.path.join(folder, "theirs.safetensors")
    random = np.random.default_rng(2)
    given = {np.dtype(d).name: (random.standard_normal((2, 1, 5, 3)) * 50).astype(d)
             for d in (np.float64, np.float32, np.float16, np.int64, np.int32, np.int16, np.int8,
                       np.uint8)}
    given["scalar"] = np.array(3, dtype=np.int64)
    given["nothing"] = np.zeros((0, 4), dtype=np.float32)
    safetensors.numpy.save_file(given, path, metadata={"k": "été", "empty": ""})
    keys, tensors = dump(path)
    check(keys == {"k": "été", "empty": ""}, "their metadata")
    check(set(tensors) == set(given), "names of their tensors")
    for name, values in given.items():
        check(tensors[name][1].shape == values.shape, f"shape of their {name}")
        check(np.array_equal(tensors[name][1], values.astype(np.float32)),
              f"values of their {name}")


with tempfile.TemporaryDirectory() as folder:
    test_their_reading_of_our_gguf(folder)
    test_q2_is_refused(folder)
    test_our_reading_of_their_gguf(folder)
    test_their_reading_of_our_safetensors(folder)
    test_our_reading_of_their_safetensors(folder)
print(f"{checks} comparisons with gguf and safetensors {safetensors.__version__}")
