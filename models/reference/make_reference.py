"""Writes what onnxruntime says of the models, for the test that holds tract to it.

    python3 -m venv target/venv && target/venv/bin/pip install numpy onnxruntime pillow
    target/venv/bin/python models/reference/make_reference.py

The inputs are made from `tests/data/*.png` by slicing alone, so that Rust makes the very same tensors. Of the
detectors' boxes only those of the strongest anchors are kept: the rest is never read.
"""

import json
import pathlib
import re

import numpy as np
import onnxruntime
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent
FIXTURES = MODELS.parent / "tests" / "fixtures"
DATA = MODELS / "tests" / "data"
STRONGEST = 48
LANDMARKS = MODELS / "src" / "landmarks.rs"
# What the landmark network sees, each pixel repeated until it fills the input: left, top, side.
FACES = {"astronaut": (81, 32, 64), "grace_hopper": (68, 56, 128)}
# Of the numbers of the points, one in so many is kept.
POINTS_STEP = 10

# Where the 256-pixel pictures are cut from the portraits: left, top, side.
CUTS = {"astronaut": ("astronaut.png", 0, 0, 512), "grace_hopper": ("grace_hopper.jpg", 0, 0, 512)}
# Where the 112-pixel crop is cut from the 256-pixel picture: left, top.
CROPS = {"astronaut": (56, 4), "grace_hopper": (76, 20)}


def numbers(values):
    return [round(float(value), 6) for value in np.asarray(values).ravel()]


def run(name, tensor):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(MODELS / "weights" / name), options)
    return session.run(None, {session.get_inputs()[0].name: tensor.astype(np.float32)})


def detector(logits, boxes):
    logits, boxes = logits.ravel(), boxes.reshape(-1, 16)
    strongest = sorted(int(index) for index in np.argsort(-logits)[:STRONGEST])
    return {"logits": numbers(logits), "boxes": {str(i): numbers(boxes[i]) for i in strongest}}


# As in `src/landmarks.rs`: read there, so that the list stands once.
SUBSET = [
    int(number)
    for number in re.findall(
        r"\d+", re.search(r"SUBSET: \[usize; 146\] = \[(.*?)\]", LANDMARKS.read_text(), re.DOTALL).group(1)
    )
]


def landmarks(pixels, left, top, side):
    pixels = pixels[top : top + side, left : left + side].repeat(256 // side, 0).repeat(256 // side, 1)
    points, presence, _ = run("mediapipe_face_landmarks_256.onnx", pixels[None] / 255.0)
    points = points.reshape(-1, 3)
    (blendshapes,) = run("mediapipe_face_blendshapes.onnx", points[SUBSET, :2][None])
    return {
        "points": numbers(points.ravel()[::POINTS_STEP]),
        "presence": numbers(presence),
        "blendshapes": numbers(blendshapes),
    }


def main():
    DATA.mkdir(parents=True, exist_ok=True)
    reference = {"onnxruntime": onnxruntime.__version__}
    for name, (file, left, top, side) in CUTS.items():
        portrait = Image.open(FIXTURES / file).convert("RGB")
        cut = portrait.resize((256, 256), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
        cut.save(DATA / f"{name}_256.png", optimize=True)
        pixels = np.asarray(cut).astype(np.float32)
        scaled = pixels / 127.5 - 1.0
        boxes, logits = run("mediapipe_face_detection_short_range.onnx", scaled[None, ::2, ::2])
        near = detector(logits, boxes)
        fine_logits, fine, coarse, coarse_logits = run("human_blazeface_256.onnx", scaled[None])
        far = detector(
            np.concatenate([fine_logits.ravel(), coarse_logits.ravel()]),
            np.concatenate([fine.reshape(-1, 16), coarse.reshape(-1, 16)]),
        )
        x, y = CROPS[name]
        crop = pixels[y : y + 112, x : x + 112].transpose(2, 0, 1)[None]
        (probabilities,) = run("faceapi_expression_112.onnx", crop)
        reference[name] = {
            "near": near,
            "far": far,
            "landmarks": {"left": FACES[name][0], "top": FACES[name][1], "side": FACES[name][2], **landmarks(pixels, *FACES[name])},
            "expression": {"left": x, "top": y, "probabilities": numbers(probabilities)},
        }
    text = json.dumps(reference, separators=(",", ":"))
    (DATA / "onnxruntime.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
