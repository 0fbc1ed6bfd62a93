"""What a reader of the book may rely on: it is whole, its words and works are found, it needs no network."""

import re

import pandas as pd
import pytest
import yaml

from chapters import PATHS, ROOT, assert_none, headings, misplaced_words, references

BOOK = ROOT / "book"
DATA = ROOT / "mmtutor" / "data"
HTML = BOOK / "_build" / "html"
PAGES = sorted(BOOK.glob("*.md"))
ELSEWHERE = r"[\"']?(?:https?:)?//"
OUTSIDE = re.compile(
    rf"<(?:script|link|img|iframe|audio|video|source|object|embed)\b[^>]*(?:src|srcset|href|data)={ELSEWHERE}[^>]*>"
    rf"|@import[^;]*//[^;]*;|url\({ELSEWHERE}[^)]*\)|https?://[^\s\"'<>]*\.js\b"
)


def entries():
    """The glossary: term -> what stands under it."""
    text = (BOOK / "glossary.md").read_text(encoding="utf-8")
    _, *parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return list(zip(parts[::2], (text.strip() for text in parts[1::2]), strict=True))


def test_every_chapter_is_in_the_table_of_contents_in_order():
    toc = yaml.safe_load((BOOK / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    assert [f for f in files if f.startswith("notebooks/")] == [f"notebooks/{path.stem}" for path in PATHS]
    pages = {f"book/{path.stem}" for path in PAGES}
    assert {toc["root"], *(f for f in files if f.startswith("book/"))} == pages


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_pages_neither_shout_nor_belittle_and_are_spelled_the_american_way(page):
    assert_none(misplaced_words(page.read_text(encoding="utf-8")))


def test_glossary_is_in_alphabetical_order_and_names_no_term_twice():
    terms = [term for term, _ in entries()]
    assert terms == sorted(set(terms), key=str.casefold)


def test_glossary_gives_each_term_in_chinese_and_then_says_what_it_means():
    pattern = re.compile(r"\*\*[^*]*[\u4e00-\u9fff][^*]*\.\*\* \S+( \S+){4,}")
    assert_none(f"{term}: {text[:60]!r}" for term, text in entries() if not pattern.match(text))


def test_glossary_terms_have_plain_addresses():
    """So that #early-fusion leads to *early fusion* wherever the page is read."""
    assert_none(term for term, _ in entries() if not re.fullmatch(r"[A-Za-z0-9]+([ -][A-Za-z0-9]+)*", term))
    levels = [level for level, _ in headings((BOOK / "glossary.md").read_text(encoding="utf-8"))]
    assert levels == [1] + [2] * len(entries())


def test_every_reference_can_be_found():
    """By a DOI, written without the address of its resolver, or else by an address."""

    def is_found(fields):
        doi, url = fields.get("doi", ""), fields.get("url", "")
        return re.match(r"10\.\d{4,}/\S+$", doi) or url.startswith("https:")

    assert_none(key for key, fields in references().items() if not is_found(fields))
    assert_none(key for key, fields in references().items() if not {"author", "title", "year"} <= set(fields))


def test_bibliography_names_no_work_twice():
    text = (BOOK / "references.bib").read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+\{(.+),$", text, re.MULTILINE)
    assert keys == sorted(set(keys))
    assert keys == list(references()), "an entry is not written as the others are"
    found = [fields.get("doi", fields.get("url", "")).lower() for fields in references().values()]
    assert len(set(found)) == len(found)


def test_data_page_counts_what_is_shipped():
    page = (BOOK / "data.md").read_text(encoding="utf-8")
    emoji = pd.read_csv(DATA / "emoji" / "emoji.csv", dtype=str, keep_default_na=False)
    digits = pd.read_csv(DATA / "spoken_digits" / "index.csv")
    seconds = digits["n_samples"] / 16_000
    assert f"| {len(emoji):,} | one of {emoji['group'].nunique()} groups" in page
    assert f"the most frequent has {emoji['group'].value_counts().max()} rows" in page
    assert f"| {len(digits)} | one of 10 digits; {digits['voice'].nunique()} voices, three speeds" in page
    assert f"{seconds.min():.2f} to {seconds.max():.2f} seconds" in page


# The built book


@pytest.fixture
def built():
    index = HTML / "book" / "intro.html"
    if not index.exists():
        pytest.skip("the book is not built: make book")
    sources = [*PATHS, *PAGES, *BOOK.glob("_*.yml"), *BOOK.glob("_ext/*.py"), *BOOK.glob("_static/*")]
    if max(path.stat().st_mtime for path in sources) > index.stat().st_mtime:
        pytest.skip("the built book is older than its sources: make book")
    return HTML


def test_built_book_brings_its_formulas(built):
    pages = [path for path in built.rglob("*.html") if "mathjax/tex-mml-chtml.js" in path.read_text("utf-8")]
    assert pages, "no page loads MathJax"
    assert (built / "_static" / "mathjax" / "tex-mml-chtml.js").stat().st_size > 500_000
    assert list((built / "_static" / "mathjax").rglob("*.woff"))


def test_built_book_asks_no_other_host(built):
    styles = [*(built / "_static").glob("*.css"), *(built / "_static" / "styles").glob("*.css")]
    assert_none(
        f"{path.relative_to(built)}: {match[0][:120]}"
        for path in [*built.rglob("*.html"), *styles]
        for match in OUTSIDE.finditer(path.read_text("utf-8"))
    )


def test_built_book_marks_traps_and_lists_them(built):
    chapters = [path.read_text("utf-8") for path in (built / "notebooks").glob("*.html")]
    boxes = sum(text.count('<blockquote class="trap">') for text in chapters)
    index = (built / "book" / "traps.html").read_text("utf-8")
    assert boxes == len(re.findall(r'<li><p><a class="reference internal" href="../notebooks/', index))
