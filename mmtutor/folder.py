"""Your own folder as a table: files of one name are one sample, and a report says what is wrong with them.

A problem is one sentence, ``kind: what was found; what to do``, as the readers of files write theirs.
"""

from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from mmtutor import audio, image, text
from mmtutor.table import File, make_table

ENDINGS = dict.fromkeys([".png", ".jpg", ".jpeg", ".webp"], "image") | {".txt": "text"}
ENDINGS |= dict.fromkeys([".wav", ".ogg", ".flac", ".mp3"], "sound")
MOST = {"image": 100_000_000, "text": 1_000_000, "sound": 100_000_000}  # bytes of a file of one sample
SKIPPED = (".DS_Store", "Thumbs.db", "desktop.ini")  # what desktops leave in every folder
HARMLESS = ("missing", "identical", "repeated", "ignored")  # kinds of problems that stop nothing


def load_folder(path, labels=None, on_error="raise", lazy=True, rate=audio.RATE, check=True) -> Bunch:
    """Load samples from a folder of your own: ``tom.png``, ``tom.txt`` and ``tom.wav`` are one sample.

    Parameters
    ----------
    path : str or Path
        A folder. Pictures end in .png, .jpg, .jpeg or .webp, texts in .txt (UTF-8), sounds in .wav, .ogg,
        .flac or .mp3, in capitals or not. What stands before the last dot is the sample's name.
    labels : str or Path, optional
        A CSV file in UTF-8, by its name in the folder or its absolute path anywhere. Of its columns ``name``
        (``tom``, or ``cats/tom`` in a sub-folder) and ``label`` are read. By default a sub-folder is the
        label of its samples, and a folder without sub-folders has no labels.
    on_error : {"raise", "report"}, default="raise"
        Whether problems are an error, or only listed; see the table below.
    lazy : bool, default=True
        Pictures and sounds stay on disk, as `mmtutor.table.File` cells that an encoder reads one by one: the
        folder may be larger than memory. False reads them all at once. Texts are always read.
    rate : int, default=16000
        Samples a second of the sounds; others are resampled.
    check : bool, default=True
        Read each picture and sound once now, and keep nothing of it, to find the damaged and the identical
        ones. False is fast, and leaves it to the encoders to refuse a damaged file.

    Returns
    -------
    Bunch
        X : pd.DataFrame, shape (n_samples, n_modalities)
            Those of the columns ``image``, ``text``, ``sound`` that occur, rows sorted by name; what a
            sample lacks is missing. Images are uint8 RGB arrays (height, width, 3), sounds float32 arrays
            (n_samples,) in [-1, 1], or with ``lazy=True`` files that read as these.
        y : array of str, shape (n_samples,), or None where there are no labels
        name : array of str, shape (n_samples,)
            ``tom`` or ``cats/tom``, in Unicode's composed form (NFC).
        rate : int, samples a second
        report : pd.DataFrame of str, one row a problem, sorted
            Columns ``name`` (of the sample), ``file`` (its path in the folder), ``problem`` (begins with the
            kind) and ``cure``; "" where one does not apply.
        target_names : array of str, shape (n_classes,), or None
        DESCR : str

    Raises
    ------
    NotADirectoryError
        If `path` is a file.
    FileNotFoundError
        If there is no such folder or CSV file, or the CSV's relative path leads out of the folder.
    ValueError
        For an unknown option, a CSV file that is no table with both columns, and, with
        ``on_error="raise"``, one for all problems that raise: it counts them and names the first five.

    Notes
    -----
    ==========  ============================================================  ======  ====================
    kind        what is found                                                 raises  on_error="report"
    ==========  ============================================================  ======  ====================
    damaged     what cannot be read: an empty or cut-off file, one of         yes     the cell is missing
                another kind than its ending says, a text over 1 MB, a
                picture or sound over 100 MB, a folder or pipe
    duplicated  two files for one modality: tom.png and tom.jpg               yes     the cell is missing
    spelling    names that differ only in capitals or in the form of          yes     the samples are left
                Unicode, or are not Unicode at all                                    out
    link        a link out of the folder, to a folder or to nothing           yes     it is not followed
    label       no label, an empty one or two of them; a label without files  yes     the sample is left out
    empty       no sample that can be used                                    yes     X has no rows
    missing     no file for a modality that other samples have                no      the cell is missing
    identical   the same picture or sound as under another name (texts may    no      both stay: a leak, if
                repeat)                                                               one is a test sample
    repeated    the same name and label again in the CSV file                 no      it counts once
    ignored     other kinds of files, hidden files, folders in sub-folders    no      they are not read
    ==========  ============================================================  ======  ====================

    A sample of which nothing can be read is left out. Nothing outside the folder is read, apart from a CSV
    file named by its absolute path; nothing on disk is changed. Pictures are not kept in memory: the
    operating system keeps files that were just read, and `mmtutor.encoder.Cached` keeps features.
    Taught in chapter 15.
    """
    if on_error not in ("raise", "report"):
        raise ValueError(f"on_error={on_error!r} is unknown; choose one of 'raise', 'report'")
    if isinstance(rate, bool) or not isinstance(rate, int | np.integer) or rate < 1:
        raise ValueError(f"rate={rate!r}: not a whole number of 1 or more; the default works")
    if not Path(path).is_dir():
        error = NotADirectoryError if Path(path).exists() else FileNotFoundError
        raise error(f"{path}: no such folder; give the folder that holds the samples")
    root, problems = Path(path).resolve(), []

    def note(rows, problem):
        problems.extend(rows.assign(problem=problem).to_dict("records"))

    table, given = (None, None) if labels is None else _read_labels(root, str(labels))
    files = _pair(pd.DataFrame(_walk(root, root, table), columns=["file", "problem"], dtype="str"), note)
    names = files[["name"]].drop_duplicates()
    if table is None and any(names.name.str.contains("/")):
        given = names.assign(label=names.name.str.rpartition("/")[0])
    classes = None if given is None else _match(given, names, note)
    readers = {"image": image.read, "text": text.read, "sound": partial(audio.read, rate=rate)}
    rows = _read_cells(root, files, readers, lazy, check, note)
    used = [name for name in rows if classes is None or name in classes]
    columns = [column for column in MOST if column in set(files.modality[files.name.isin(used)])]
    for column in columns:
        lacks = names.name.isin(used) & ~names.name.isin(files.name[files.modality == column])
        note(names[lacks], f"missing: no {column}; add it, or use a fusion that does without (chapter 05)")
    if not used:
        note(pd.DataFrame({"file": [root.name]}), "empty: no usable sample; a.png with a.txt would be one")
    report = _report(problems)
    fatal = report[~report.problem.str.startswith(HARMLESS)]
    if on_error == "raise" and len(fatal) > 0:
        lines = [f"{each.file or each.name}: {each.problem}; {each.cure}" for each in fatal.itertuples()]
        cure = 'mend them, or load the rest with on_error="report" and look at its report'
        shown = "\n  ".join(lines[:5] + [f"… and {len(lines) - 5} more"] * (len(lines) > 5))
        raise ValueError(f"{root}: {len(lines)} problem(s); {cure}\n  {shown}")
    X = make_table({column: [rows[name].get(column) for name in used] for column in columns})
    y = None if classes is None else np.array([classes[name] for name in used], str)
    about = f"{len(X)} samples of the folder {root.name}: {X.notna().sum().to_dict()}"
    name, target_names = np.array(used, str), None if y is None else np.unique(y)
    return Bunch(X=X, y=y, name=name, rate=rate, report=report, target_names=target_names, DESCR=about)


def _walk(folder, root, table):
    """Yield each file's name in the folder, and its problem or ""."""
    for path in sorted(path for path in folder.iterdir() if path.name not in SKIPPED and path != table):
        file = path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode()
        try:
            problem = _problem(path, root)
            yield from [(file, problem)] if problem or not path.is_dir() else _walk(path, root, table)
        except OSError as error:
            yield file, f"damaged: {error.strerror}; allow yourself to read it"


def _problem(path, root):
    modality, folder, file = ENDINGS.get(path.suffix.lower()), path.is_dir(), path.is_file()
    inside = not path.is_symlink() or (file and path.resolve().is_relative_to(root))
    size, deep = path.stat().st_size if modality and file and inside else 0, path.parent != root
    problems = {
        "ignored: hidden, its name begins with a dot; rename it if you need it": path.name.startswith("."),
        "spelling: a name that is not Unicode; rename it": "\\udc" in ascii(path.name),
        "link: it leads out of the folder, to a folder or to nothing; put a copy in its place": not inside,
        "ignored: a folder in a sub-folder; move its files up": folder and not modality and deep,
        "ignored: another kind of file; samples end in " + ", ".join(ENDINGS): not modality and not folder,
        "damaged: no regular file, but a folder, pipe or device; put a file there": modality and not file,
        f"damaged: {size:,} bytes, more than one sample has; cut it up": modality and size > MOST[modality],
    }
    return next((problem for problem, found in problems.items() if found), "")


def _pair(files, note):
    """Turn files into rows (file, modality, name), sorted by name; take none of an ambiguous name."""
    parts = files.file.str.extract(r"(?s)^(?P<stem>.*)(?P<ending>\.[^./]*)$").fillna("")
    name, modality = parts.stem.str.normalize("NFC"), parts.ending.str.lower().map(ENDINGS)
    files = files.assign(name=name, modality=modality)
    odd, files = files[files.problem != ""], files[files.problem == ""]
    note(odd, odd.problem)
    mixed = parts.stem[files.index].groupby(files.name.str.lower()).transform("nunique") > 1
    for _, rows in files[mixed].groupby(files.name.str.lower()):
        note(rows, f"spelling: capitals or Unicode differ in {[*rows.file]!a}; name them alike")
    return files[~mixed].sort_values(["name", "modality"])


def _read_labels(root, labels):
    table = root / labels
    if not table.is_file() or not (Path(labels).is_absolute() or table.resolve().is_relative_to(root)):
        raise FileNotFoundError(f"{table}: no such file in the folder; if elsewhere, give the absolute path")
    try:
        rows = pd.read_csv(table, dtype=str, na_filter=False, encoding="utf-8-sig", skipinitialspace=True)
    except ValueError as error:  # pandas' own errors too, and those of Unicode
        raise ValueError(f"{table.name}: {error}; save it as CSV in UTF-8") from None
    if not {"name", "label"} <= set(rows) or not isinstance(rows.index, pd.RangeIndex):
        raise ValueError(f"{table.name}: its columns are {list(rows)}; the first line must be name,label")
    name, label = rows.name.str.strip().str.normalize("NFC"), rows.label.str.strip()
    return table.resolve(), pd.DataFrame({"name": name, "label": label})


def _match(given, names, note):
    """Sample -> label, of the samples that have exactly one."""
    note(given[given.duplicated()], "repeated: the same name and label once more; remove the row")
    given = given.drop_duplicates()
    several, unused = given.name.duplicated(keep=False), ~given.name.isin(names.name)
    for label, rows in given[several].groupby("label"):
        note(rows, f"label: {label!r}, and another one for the same name; keep one")
    note(given[unused], "label: no file of this name can be used; names in the CSV file have no ending")
    labelled = given[given.label != ""]
    note(names[~names.name.isin(labelled.name)], "label: none; add it to the CSV file, or use a sub-folder")
    return dict(labelled[~several[labelled.index]].to_numpy())


def _read_cells(root, files, readers, lazy, check, note):
    """Sample -> modality -> cell, of what can be read."""
    rows, seen, found = {}, {}, {}
    twice = files.duplicated(["name", "modality"], keep=False)
    note(files[twice], "duplicated: two files for one modality of one sample; keep one")
    for each in files[~twice].itertuples():
        cell, is_text = File(root / each.file, readers[each.modality]), each.modality == "text"
        if check or not lazy or is_text:
            try:
                content = cell.read()
            except Exception as error:  # whatever a reader meets in a damaged file
                message = (str(error) or type(error).__name__).removeprefix(f"{cell.path.name}: ")
                cure = "" if "; " in message else "; copy it again from its source"
                found[each.Index] = f"damaged: {message}{cure}"
                continue
            first = seen.setdefault(joblib.hash(content), each.file) if check and not is_text else each.file
            if first != each.file:
                found[each.Index] = f"identical: the same {each.modality} as {first}; remove one of them"
            cell = cell if lazy and not is_text else content
        rows.setdefault(each.name, {})[each.modality] = cell
    note(files.loc[list(found)], list(found.values()))
    return rows


def _report(problems):
    rows = pd.DataFrame(problems, columns=["name", "file", "problem"], dtype=object).fillna("")
    parts = rows.problem.str.rsplit("; ", n=1)
    rows = rows.assign(problem=parts.str[0], cure=parts.str[1]).astype("str")
    return rows.sort_values(list(rows), ignore_index=True)
