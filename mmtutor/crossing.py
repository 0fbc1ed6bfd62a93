"""From one modality to another: a loss for pairs, retrieval judged honestly, errors in strings."""

from collections import Counter
from collections.abc import Hashable, Sequence
from functools import cache
from numbers import Integral

import numpy as np
from sklearn.utils import Bunch

from mmtutor import audio
from mmtutor.keras_quietly import import_keras
from mmtutor.table import make_table


def info_nce(temperature: float = 0.1):
    """Make the contrastive loss: each sample should be most similar to its own partner in the batch.

    Parameters
    ----------
    temperature : float, default=0.1
        Similarities are divided by it before the softmax. The lower, the more the closest wrong partners
        count.

    Returns
    -------
    function (anything, pairs) -> float tensor, shape (n,), for ``model.compile(loss=…)``
        `pairs`: float tensor, shape (n, 2, d), the two embeddings of each sample, each of length 1. The first
        argument, Keras's targets, is not read: who belongs together says the row.

    Raises
    ------
    ValueError
        If the temperature is not a number above 0; when the loss is called, if the pairs have another shape.

    Notes
    -----
    Mean of the cross-entropies over rows and over columns of the n x n similarities, as in CLIP (Radford et
    al. 2021); the idea is InfoNCE (van den Oord et al. 2018). The last batch of an epoch may be smaller: its
    loss is lower, because there are fewer to be confused with. Taught in chapter 7, used in chapters 10
    and 15.
    """
    if isinstance(temperature, str) or not 0 < temperature < np.inf:
        raise ValueError(f"temperature={temperature!r} is not a number above 0; 0.1 is a start")
    keras = import_keras()
    ops, cross_entropy = keras.ops, keras.losses.sparse_categorical_crossentropy

    def loss(_, pairs):
        if len(pairs.shape) != 3 or pairs.shape[1] != 2:
            raise ValueError(f"pairs of shape {tuple(pairs.shape)}: stack two embeddings a row, (n, 2, d)")
        similarity = ops.matmul(pairs[:, 0], ops.transpose(pairs[:, 1])) / temperature
        own = ops.arange(ops.shape(similarity)[0])
        there = cross_entropy(own, similarity, from_logits=True)
        back = cross_entropy(own, ops.transpose(similarity), from_logits=True)
        return (there + back) / 2

    return loss


def hits_at_k(similarity: np.ndarray, k: int = 1, right: np.ndarray | None = None) -> np.ndarray:
    """Say of each query how sure its partner stands among the k most similar candidates.

    Parameters
    ----------
    similarity : float array, shape (n_queries, n_candidates)
    k : int from 1 to n_candidates, default=1
    right : int array, shape (n_queries,), optional
        The partner's column; by default query i belongs to candidate i.

    Returns
    -------
    float array, shape (n_queries,), in [0, 1]: 1 or 0 without ties. Candidates as similar as the partner
    stand in random order, and the value is the chance that the partner comes within the first k.

    Raises
    ------
    ValueError
        If `k` is no possible number of candidates, if a similarity is not finite, if the similarities are not
        square and `right` is not given, or if `right` is not a column a query.

    Notes
    -----
    The mean over queries is recall@k. A network that gives everybody the same embedding ties all candidates:
    its recall@k is k / n_candidates, chance, not 1. Taught in chapter 7.

    Examples
    --------
    >>> hits_at_k(np.array([[0.9, 0.1], [0.5, 0.5]])).tolist()
    [1.0, 0.5]
    """
    similarity = np.asarray(similarity, float)
    if similarity.ndim != 2 or not similarity.size:
        raise ValueError(f"similarities of shape {similarity.shape}: give a row a query, one query or more")
    if not np.isfinite(similarity).all():
        row, column = np.argwhere(~np.isfinite(similarity))[0]
        raise ValueError(f"row {row}, column {column}: not finite; did the network give NaN?")
    n_queries, n_candidates = similarity.shape
    if right is None and n_queries != n_candidates:
        raise ValueError(f"{n_queries} queries and {n_candidates} candidates: say which are right")
    if not isinstance(k, Integral) or not 1 <= k <= n_candidates:
        raise ValueError(f"k={k!r}: choose a whole number from 1 to {n_candidates}, the candidates")
    partner = np.arange(n_queries) if right is None else np.asarray(right)
    if partner.shape != (n_queries,) or partner.dtype.kind not in "iu":
        raise ValueError(f"right: shape {partner.shape}, {partner.dtype}; give {n_queries} whole numbers")
    if not ((partner >= 0) & (partner < n_candidates)).all():
        row = np.flatnonzero((partner < 0) | (partner >= n_candidates))[0]
        raise ValueError(f"row {row}, right={partner[row]}: choose a column from 0 to {n_candidates - 1}")
    own = similarity[np.arange(n_queries), partner][:, None]
    before, tied = (similarity > own).sum(axis=1), (similarity == own).sum(axis=1)
    return np.clip((k - before) / tied, 0, 1)


def recall_at_k(similarity: np.ndarray, k: int = 1, right: np.ndarray | None = None) -> float:
    """Give the share of queries whose partner is among the k most similar; ties count at their expectation.

    Parameters, errors and notes: see `hits_at_k`. Chance is k / n_candidates. Taught in chapter 7.
    """
    return float(hits_at_k(similarity, k, right).mean())


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Give an interval for a share that was found in n independent trials.

    Parameters
    ----------
    share : float in [0, 1]
    n : int, 1 or more
    z : float, default=1.96
        Half-width in standard deviations; 1.96 makes an interval that covers the truth 95 times in 100.

    Returns
    -------
    (low, high), both in [0, 1]

    Raises
    ------
    ValueError
        For a share outside [0, 1], n below 1 or not whole, or z not above 0.

    Notes
    -----
    Wilson (1927). Unlike share ± 2 standard errors it does not shrink to a point at 0 and 1. It speaks of the
    test samples, not of what another training run would give. Taught in chapter 7.

    Examples
    --------
    >>> [round(end, 3) for end in wilson(1.0, 5)]
    [0.566, 1.0]
    """
    if not 0 <= share <= 1 or not isinstance(n, Integral) or n < 1 or not z > 0:
        raise ValueError(f"{share=}, {n=}, {z=}: give a share from 0 to 1, one trial or more, z above 0")
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def edit_distance(one: Sequence, other: Sequence) -> int:
    """Count the fewest insertions, deletions and replacements that turn one sequence into the other.

    Parameters
    ----------
    one, other : str, or sequences of anything that can be compared (words, numbers)

    Returns
    -------
    int, 0 if they are equal, at most the length of the longer one

    Notes
    -----
    Levenshtein (1966), by the table of Wagner and Fischer (1974), of which one row is kept.
    Taught in chapter 7.

    Examples
    --------
    >>> edit_distance("4071", "471"), edit_distance("4071", "40171")
    (1, 1)
    """
    above = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
        above = row
    return above[-1]


def character_error_rate(truth: Sequence[str], said: Sequence[str]) -> float:
    """Divide all edits that turn what was said into the truth by the length of all truths together.

    Parameters
    ----------
    truth, said : equally many str, row by row

    Returns
    -------
    float, 0 or more. Always answering "" gives 1; answering too much gives more than 1.

    Raises
    ------
    ValueError
        If the two are not equally long, if all truths are empty, or if a row is not a str.

    Notes
    -----
    Taught in chapter 7.
    """
    if isinstance(truth, str) or isinstance(said, str):
        raise ValueError("give two lists of str, not a str: for two strings alone, [truth] and [said]")
    truth, said = list(truth), list(said)
    for name, texts in (("truth", truth), ("said", said)):
        for row, text in enumerate(texts):
            if not isinstance(text, str):
                raise ValueError(f"row {row}, {name}: {text!r} is not a str; nothing said is ''")
    length = sum(map(len, truth))
    if len(truth) != len(said) or not length:
        raise ValueError(
            f"{len(truth)} truths ({length} characters), {len(said)} answers: give one answer each"
        )
    return sum(map(edit_distance, truth, said)) / length


def ctc_collapse(path: Sequence[Hashable], blank: Hashable = "-") -> list:
    """Read a sequence off a path of one symbol a frame: merge repeats, then drop blanks.

    Parameters
    ----------
    path : str or sequence of symbols, one a frame
    blank : symbol, default="-"
        The symbol for nothing.

    Returns
    -------
    list of symbols

    Notes
    -----
    Graves et al. (2006). Taught in chapter 7.

    Examples
    --------
    >>> "".join(ctc_collapse("-44-0--77-7"))
    '4077'
    """
    kept = [symbol for symbol, last in zip(path, [blank, *path], strict=False) if symbol != last]
    return [symbol for symbol in kept if symbol != blank]


def word_overlap(one: str, other: str) -> float:
    """Give the F1 of the words that two sentences share, in any order.

    Returns
    -------
    float in [0, 1]; 1 if the words are the same, whatever their order, 0 if no word is shared or one is empty

    Raises
    ------
    ValueError
        If one of the two is not a str.

    Notes
    -----
    A simple relative of BLEU (Papineni et al. 2002). Words are what stands between spaces.
    Taught in chapter 7.

    Examples
    --------
    >>> word_overlap("a cat left of a dog", "a dog left of a cat")
    1.0
    """
    for text in (one, other):
        if not isinstance(text, str):
            raise ValueError(f"{text!r} is not a sentence; give two str")
    a, b = Counter(one.split()), Counter(other.split())
    return 2 * (a & b).total() / max(1, a.total() + b.total())


def make_digit_strings(
    n_samples: int = 500, voices: Sequence[str] | None = None, random_state: int = 0
) -> Bunch:
    """Join recordings of spoken digits to strings of one to four digits.

    Parameters
    ----------
    n_samples : int, default=500
    voices : sequence of str, optional
        Synthetic voices of `load_spoken_digit` to choose from; by default all 28.
    random_state : int, default=0

    Returns
    -------
    Bunch
        X : pd.DataFrame, shape (n_samples, 1)
            Column ``sound``: float32 arrays in [-1, 1], 0.2 to 4 s long.
        y : array of str, shape (n_samples,)
            The digits, such as ``"4071"``.
        groups : array of str, shape (n_samples,)
            Whose voice it is; one a string.
        rate : int, 16000 samples a second

    Raises
    ------
    ValueError
        For a voice that was not recorded, no voice, or less than one sample.

    Notes
    -----
    Synthetic, and simpler than speech: the digits are recorded one by one, trimmed, brought to one loudness
    and joined with pauses of 20 to 150 ms, in faint noise. Digits and lengths are uniform.
    Taught in chapter 7.
    """
    from mmtutor.datasets import _clips, _one_of

    known = tuple(_clips().voice.unique())
    if isinstance(voices, str):
        raise ValueError(f"voices={voices!r}: give a list of voices, such as [{voices!r}]")
    voices = known if voices is None else tuple(map(str, voices))
    for voice in voices:
        _one_of("voices", voice, known)
    if not voices:
        raise ValueError("voices is empty: choose one or more, or None for all")
    if not isinstance(n_samples, Integral) or n_samples < 1:
        raise ValueError(f"n_samples={n_samples!r}: make one string or more, a whole number")
    rng, sounds, texts, who = np.random.default_rng(random_state), [], [], []
    for _ in range(n_samples):
        digits = rng.integers(0, 10, rng.integers(1, 5))
        who.append(voices[rng.integers(len(voices))])
        texts.append("".join(map(str, digits)))
        sounds.append(_join([_takes(who[-1], digit) for digit in digits.tolist()], rng))
    return Bunch(X=make_table({"sound": sounds}), y=np.array(texts), groups=np.array(who), rate=audio.RATE)


def _join(takes: list, rng) -> np.ndarray:
    def pause():
        return np.zeros(rng.integers(320, 2400))

    parts = [pause()]
    for each in takes:
        parts += [each[rng.integers(len(each))], pause()]
    sound = np.concatenate(parts)
    return (sound + rng.normal(0, 0.002, len(sound))).clip(-1, 1).astype(np.float32)


@cache
def _takes(voice: str, digit: int) -> list[np.ndarray]:
    """A voice's recordings of a digit, without what is 30 dB below the loudest frame at both ends."""
    import librosa

    from mmtutor.datasets import _clips, _recording

    found, index = [], _clips()
    for clip in index[(index.voice == voice) & (index.digit == digit)].itertuples(index=False):
        edges = {"top_db": 30, "frame_length": 800, "hop_length": 160}
        sound = librosa.effects.trim(_recording(clip), **edges)[0]
        found.append(0.1 * sound / np.sqrt((sound**2).mean()))
    return found
