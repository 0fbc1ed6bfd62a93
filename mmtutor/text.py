"""Text: read a file, cut it into words, reduce words to stems.

A text is a str. The empty string is a text without words, not a missing one.
"""

from functools import cache
from pathlib import Path


def read(path: str | Path) -> str:
    """Read a text file in UTF-8, without the line break at its end.

    Returns
    -------
    str, in Unicode as the file has it

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not UTF-8; the message names the first byte that is not.

    Notes
    -----
    Taught in chapter 2.
    """
    data = Path(path).read_bytes()
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").rstrip("\n")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{Path(path).name}: not UTF-8 (byte {data[error.start]:#04x} at {error.start}); "
            "save it as UTF-8 in an editor"
        ) from None


def words(text: str) -> list[str]:
    """Cut a text into lower-case words and numbers; punctuation is dropped.

    Parameters
    ----------
    text : str
        In a language that puts spaces between words.

    Returns
    -------
    list of str, empty for an empty text

    Notes
    -----
    NLTK's word tokenizer, which needs no download. Taught in chapters 1 and 2.

    Examples
    --------
    >>> words("A dog's 2 balls!")
    ['a', 'dog', "'s", '2', 'balls']
    """
    return [word for word in _tokenizer().tokenize(text.lower()) if any(map(str.isalnum, word))]


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


@cache
def _tokenizer():
    from nltk.tokenize.destructive import NLTKWordTokenizer

    return NLTKWordTokenizer()


@cache
def _stemmer():
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()
