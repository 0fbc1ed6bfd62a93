"""Text: read a file, cut it into words, reduce words to stems, tag them, describe them by vectors.

A text is a str. The empty string is a text without words, not a missing one.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

from mmtutor.encoder import Encoder
from mmtutor.table import cells


def read(path: str | Path) -> str:
    """Read a text file in UTF-8, without the line break at its end.

    Returns
    -------
    str, in Unicode's composed form (NFC): é is one character, whatever the file has

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is UTF-16, which begins with a mark or holds zero bytes (as files that are no text do), or
        otherwise not UTF-8; the message names the first byte that is not.

    Notes
    -----
    Taught in chapter 2.
    """
    data, name = Path(path).read_bytes(), Path(path).name
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data:
        raise ValueError(f"{name}: UTF-16, or no text at all; save it as UTF-8 in an editor")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n").rstrip("\n")
    except UnicodeDecodeError as error:
        found = f"byte {data[error.start]:#04x} at {error.start}"
        raise ValueError(f"{name}: not UTF-8 ({found}); save it as UTF-8 in an editor") from None
    return unicodedata.normalize("NFC", text)


def problem(text) -> str | None:
    """Say in a few words why an object is no text, or None if it is one. Taught in chapter 2."""
    if not isinstance(text, str):
        return f"a {type(text).__name__}, not a str"
    half = re.search("[\ud800-\udfff]", text)
    return f"half a character ({half[0]!r}) at {half.start()}" if half else None


CURE = "a text is a str: read it with mmtutor.text.read, decode bytes with .decode('utf-8')"


def words(text: str) -> list[str]:
    """Cut a text into lower-case words and numbers; punctuation is dropped.

    Parameters
    ----------
    text : str
        In a language that puts spaces between words, of any script and direction.

    Returns
    -------
    list of str, empty for a text without letters and digits

    Notes
    -----
    NLTK's word tokenizer, which needs no download. Taught in chapters 1 and 2.

    Examples
    --------
    >>> words("A dog's 2 balls!")
    ['a', 'dog', "'s", '2', 'balls']
    """
    return [token.lower() for token in _tokenizer().tokenize(text) if _is_word(token)]


def chinese_words(text: str) -> list[str]:
    """Cut a Chinese text, which has no spaces between words, into words; punctuation is dropped.

    Parameters
    ----------
    text : str
        Letters and numbers among the Chinese are words too, in lower case.

    Returns
    -------
    list of str, empty for a text without letters and digits

    Notes
    -----
    The method and dictionary of jieba, by rjieba. Taught in chapter 2.

    Examples
    --------
    >>> chinese_words("我爱自然语言处理!")
    ['我', '爱', '自然语言', '处理']
    """
    import rjieba

    return [token.lower() for token in rjieba.cut(text) if _is_word(token)]


def tags(text: str, language: str = "en") -> list[tuple[str, str]]:
    """Give each word of a text its part of speech.

    Parameters
    ----------
    text : str
    language : {"en", "zh"}, default="en"
        English or Chinese.

    Returns
    -------
    list of (word, tag): the words are those of `words` or `chinese_words`. English tags are of the Penn
    Treebank (NN noun, VB… verb, JJ adjective), Chinese ones of jieba (n noun, v verb, a adjective).

    Raises
    ------
    ValueError
        For another language.

    Notes
    -----
    English: a lexicon and rules, Pattern's tagger (De Smedt and Daelemans 2012) in textblob; a capital may
    make a word a name (NNP). Chinese: rjieba. Neither needs a download. Taught in chapter 2.

    Examples
    --------
    >>> tags("two red balls")
    [('two', 'CD'), ('red', 'JJ'), ('balls', 'NNS')]
    """
    if language == "zh":
        import rjieba

        tagged = rjieba.tag(text)
    elif language == "en":
        from textblob.en.taggers import PatternTagger

        tokens = _tokenizer().tokenize(text)
        pairs = PatternTagger().tag(" ".join(tokens), tokenize=False) if tokens else []
        tagged = zip(tokens, (tag for _, tag in pairs), strict=True)
    else:
        raise ValueError(f"language={language!r} is unknown; choose 'en' or 'zh'")
    return [(token.lower(), tag) for token, tag in tagged if _is_word(token)]


@cache
def stem(word: str) -> str:
    """Cut the ending off an English word, so that *faces* and *face* are one.

    Notes
    -----
    Porter's algorithm (1980) by NLTK. Taught in chapter 2.

    Examples
    --------
    >>> stem("faces"), stem("smiling")
    ('face', 'smile')
    """
    return _stemmer().stem(word)


def mean_vectors(
    X: Iterable[str], vectors: Mapping[str, np.ndarray], size: int, tokenize: Callable = words
) -> np.ndarray:
    """Describe each text by the mean of the vectors of its words.

    Parameters
    ----------
    X : n_samples texts
    vectors : dict of word -> float array, shape (size,)
        Or gensim's KeyedVectors.
    size : int
    tokenize : function of a text -> list of words, default=words

    Returns
    -------
    float array, shape (n_samples, size); zeros for a text none of whose words has a vector

    Raises
    ------
    ValueError
        For a cell that is no text; the message names its row and column.

    Notes
    -----
    The order of words is lost. Taught in chapter 2.
    """
    nothing = [np.zeros(size)]
    texts = (tokenize(text) for text in cells(X, problem, CURE))
    rows = [np.mean([vectors[word] for word in text if word in vectors] or nothing, axis=0) for text in texts]
    return np.array(rows, float).reshape(len(rows), size)


class Word2Vec(Encoder):
    """Describe a text by the mean of its words' vectors, learned from the words around them.

    Parameters
    ----------
    vector_size : int, default=50
        Numbers in a vector.
    window : int, default=5
        How many words to either side count as being around a word.
    epochs : int, default=50
        Passes over the texts; small collections need many.
    min_count : int, default=1
        A word that occurs less often gets no vector.
    tokenizer : function of a text -> list of words, default=words
        `chinese_words` for Chinese.
    random_state : int, default=0

    Attributes
    ----------
    word_vectors_ : gensim KeyedVectors
        ``word_vectors_["cat"]`` is a float32 array (vector_size,), ``word_vectors_.most_similar("cat")`` its
        neighbors.

    Raises
    ------
    ValueError
        By ``fit``, for a cell that is no text and for texts without words.

    Notes
    -----
    A text without a known word is all zeros. Fitted on training texts only: vectors that saw the test texts
    leak. Skip-gram with negative sampling, Mikolov et al. (2013), by gensim; in one thread, so that the same
    texts and random_state give the same bits, and without leaving out frequent words, of which a small
    collection has none to spare. Vectors of rare words stay small: scale the features.
    Taught in chapters 2 and 7.

    Examples
    --------
    >>> Word2Vec(vector_size=5).fit(["red apple", "green apple"]).transform(["apple", ""]).shape
    (2, 5)
    """

    learns = True

    def __init__(self, vector_size=50, window=5, epochs=50, min_count=1, tokenizer=words, random_state=0):
        self.vector_size = vector_size
        self.window = window
        self.epochs = epochs
        self.min_count = min_count
        self.tokenizer = tokenizer
        self.random_state = random_state

    def fit(self, X, y=None):
        """Learn the vectors. X: n_samples texts."""
        from gensim import models

        sentences = [self.tokenizer(text) for text in cells(X, problem, CURE)]
        settings = self.get_params()
        del settings["tokenizer"]
        settings["seed"] = settings.pop("random_state")
        try:
            model = models.Word2Vec(sentences, sg=1, sample=0, workers=1, **settings)
        except RuntimeError:  # no vocabulary
            found = f"no word occurs {self.min_count} times"
            raise ValueError(f"{self}: {found}; fit on texts with words") from None
        self.word_vectors_ = model.wv
        return self

    def transform(self, X) -> np.ndarray:
        """Describe each text.

        Parameters
        ----------
        X : n_samples texts

        Returns
        -------
        float array, shape (n_samples, vector_size); zeros for a text without a known word

        Raises
        ------
        ValueError
            For a cell that is no text; the message names its row and column.
        """
        check_is_fitted(self)
        return mean_vectors(X, self.word_vectors_, self.vector_size, self.tokenizer)

    @property
    def _n_features_out(self) -> int:
        return self.vector_size


def _is_word(token: str) -> bool:
    return any(map(str.isalnum, token))


@cache
def _tokenizer():
    from nltk.tokenize.destructive import NLTKWordTokenizer

    return NLTKWordTokenizer()


@cache
def _stemmer():
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()
