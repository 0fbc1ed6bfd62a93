"""Build mmtutor/data/emoji: a table of emoji and two sheets of their pictures.

    python tools/build_emoji.py            build the folder's data files
    python tools/build_emoji.py --check    build them elsewhere and compare; exit 1 if the shipped ones differ

The sources are three npm packages, fetched once (142 MB; needs npm and a network) and kept in a cache folder.
"""

import argparse
import base64
import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from pathlib import Path

from PIL import Image, features

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "mmtutor" / "data" / "emoji"
CACHE = ROOT / ".cache" / "npm"

# Pinned package -> its SHA-512 in base 64, as `npm view <package> dist.integrity` gives it after "sha512-".
GOOGLE = "emoji-datasource-google@16.0.0"
TWITTER = "emoji-datasource-twitter@16.0.0"
CLDR = "cldr-annotations-full@48.2.0"
INTEGRITY = {
    GOOGLE: "ZRexfzs7MVoLnmzZmNsO4TKhnAJp5D++Vm6PpUpH/jEQQlemp3l88CjZ+DoZ2faM9R4QxZkOPJCoT8DlPhfQ3A==",
    TWITTER: "7F+uCuHH+7Qnrc15P5tnbvKkg9E6tlzi4MnT2uW1RlN4pLYTza6cP/dstIfSDMtpjFLWuZewWg8jBbuL2eyELQ==",
    CLDR: "DV7A+rEcgUSNTRsVGNGqBZRmAkGfwhGHO5Q1dRwzBoBnVrHWp804JP7/QJdEc66iHmx3+zLWVIMCFLm0lW7PUQ==",
}

# Sheet -> package and the folder of its single pictures. The packages' ready-made sheets would not do:
# where a vendor drew nothing, they show another vendor's picture, under another license.
SHEETS = {"noto_64.webp": (GOOGLE, "img/google/64"), "twemoji_64.webp": (TWITTER, "img/twitter/64")}
LIBWEBP = "1.6.0"  # the encoder that wrote the shipped sheets
TILE = 64  # pixels
COLUMNS = 40

# Nearly all flags are sequences, the two letters of a country; the components are five skin tones.
NOT_A_CLASS = {"Flags": "flags", "Component": "components"}
FIELDS = ["codepoint", "group", "subgroup", "name_en", "keywords_en", "name_zh", "keywords_zh"]
SEPARATOR = "|"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the shipped files, change nothing")
    parser.add_argument("--cache", type=Path, default=CACHE, help="keeps the packages (default: .cache/npm)")
    arguments = parser.parse_args()
    warn_of_another_encoder()
    if not arguments.check:
        build(arguments.cache, SHIPPED)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        build(arguments.cache, Path(folder))
        return report_differences(Path(folder), SHIPPED)


def warn_of_another_encoder() -> None:
    found = features.version("webp")
    if found != LIBWEBP:
        print(
            f"The shipped sheets were written by libwebp {LIBWEBP}, this Pillow has {found or 'none'}: "
            "the .webp files and their sums may differ in bytes, emoji.csv will not.",
            file=sys.stderr,
        )


def build(cache: Path, folder: Path) -> None:
    """Write the table, the sheets and their sums into a folder."""
    packages = {package: fetch(package, cache) for package in INTEGRITY}
    emoji = choose_emoji(packages)
    write_table(emoji, folder / "emoji.csv")
    for sheet, (package, where) in SHEETS.items():
        pictures = [read(packages[package], f"{where}/{each['image']}") for each in emoji]
        write_sheet(pictures, folder / sheet)
    write_sums(folder, sorted(["emoji.csv", *SHEETS]))


def report_differences(built: Path, shipped: Path) -> int:
    """Compare every file that was built; 1 if a shipped one is missing or other, else 0."""
    exit_code = 0
    for path in sorted(built.iterdir()):
        other = shipped / path.name
        if not other.is_file() or other.read_bytes() != path.read_bytes():
            print(f"{path.name}: the shipped file is not what this script builds", file=sys.stderr)
            exit_code = 1
    if exit_code == 0:
        print("The shipped files are byte for byte what this script builds.")
    return exit_code


# Packages


def fetch(package: str, cache: Path) -> tarfile.TarFile:
    """Open a package from the cache, fetched if need be; refuse it if it is not the pinned one."""
    path = cache / f"{package.replace('@', '-')}.tgz"
    if not path.exists():
        npm_pack(package, cache)
    content = path.read_bytes()
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != INTEGRITY[package]:
        sys.exit(f"{path} is damaged or not {package}; delete it and run again")
    return tarfile.open(fileobj=io.BytesIO(content))


def npm_pack(package: str, cache: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not installed: it comes with Node.js; only building the data needs it")
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n", encoding="utf-8")  # packages are not for git
    command = [npm, "pack", package, "--silent", "--ignore-scripts", "--pack-destination", str(cache)]
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
        sys.exit(f"npm could not fetch {package}; it needs a network")


def read(package: tarfile.TarFile, path: str) -> bytes:
    return package.extractfile(f"package/{path}").read()


# Which emoji, and their words


def choose_emoji(packages: dict[str, tarfile.TarFile]) -> list[dict]:
    """Keep the emoji of a group that is a class, of one code point, with words in both languages.

    Returns a dictionary each, with FIELDS and `image`, the file name of its picture, by code point.
    """
    words = {language: annotations(packages[CLDR], language) for language in ("en", "zh")}
    kept, dropped = [], Counter()
    for each in json.loads(read(packages[GOOGLE], "emoji.json")):
        reason = reason_to_drop(each, words)
        if reason:
            dropped[reason] += 1
        else:
            kept.append(describe(each, words))
    print(f"{len(kept)} emoji; left out:", ", ".join(f"{n} {reason}" for reason, n in dropped.items()))
    return sorted(kept, key=lambda each: int(each["codepoint"], 16))


def annotations(cldr: tarfile.TarFile, language: str) -> dict[str, dict]:
    """Character -> {"tts": [its name], "default": its keywords}."""
    content = json.loads(read(cldr, f"annotations/{language}/annotations.json"))
    return content["annotations"]["annotations"]


def reason_to_drop(each: dict, words: dict[str, dict]) -> str | None:
    if each["category"] in NOT_A_CLASS:
        return NOT_A_CLASS[each["category"]]
    if len(code_points(each)) != 1:
        return "sequences"
    if not (each["has_img_google"] and each["has_img_twitter"]):
        return "without both pictures"
    if not all(chr(int(code_points(each)[0], 16)) in words[language] for language in words):
        return "without words"
    return None


def code_points(each: dict) -> list[str]:
    """Without FE0F, which only asks for the colored form and which the annotations leave out too."""
    return [point for point in each["unified"].split("-") if point != "FE0F"]


def describe(each: dict, words: dict[str, dict]) -> dict:
    [point] = code_points(each)
    row = {
        "codepoint": point,
        "group": each["category"],
        "subgroup": each["subcategory"],
        "image": each["image"],
    }
    for language, annotation in words.items():
        entry = annotation[chr(int(point, 16))]
        if any(SEPARATOR in keyword for keyword in entry["default"]):
            sys.exit(f"a keyword of {point} contains {SEPARATOR}; choose another SEPARATOR")
        [row[f"name_{language}"]] = entry["tts"]
        row[f"keywords_{language}"] = SEPARATOR.join(entry["default"])
    return row


# Files


def write_table(emoji: list[dict], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(emoji)


def write_sheet(pictures: list[bytes], path: Path) -> None:
    """Lay the pictures out row by row, and compress the colors but not the transparency."""
    rows = -(-len(pictures) // COLUMNS)
    sheet = Image.new("RGBA", (COLUMNS * TILE, rows * TILE))
    for i, picture in enumerate(pictures):
        row, column = divmod(i, COLUMNS)
        sheet.paste(open_tile(picture), (column * TILE, row * TILE))
    sheet.save(path, quality=90, alpha_quality=100, method=6)


def open_tile(picture: bytes) -> Image.Image:
    tile = Image.open(io.BytesIO(picture)).convert("RGBA")
    if tile.size != (TILE, TILE):
        sys.exit(f"a picture is {tile.width} x {tile.height} pixels, not {TILE} x {TILE}")
    # Colors that nobody sees, below full transparency, would still cost bytes.
    black = Image.new("RGBA", tile.size)
    return Image.composite(tile, black, tile.getchannel("A").point(lambda alpha: 255 * (alpha > 0)))


def write_sums(folder: Path, names: list[str]) -> None:
    """Write SHA256SUMS, which `sha256sum -c` understands."""
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
