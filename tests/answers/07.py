"""Answers to the exercises of chapter 07 that a learner may plausibly give and that are wrong."""

WRONG = {
    "Exercise 1: Rank honestly": [
        "def answer(similarity):\n"  # ties in the partner's favor
        "    return (similarity > np.diag(similarity)[:, None]).sum(axis=1) + 1",
        "def answer(similarity):\n"  # ties against it
        "    return (similarity >= np.diag(similarity)[:, None]).sum(axis=1)",
        "def answer(similarity):\n"  # counted from 0
        "    own = np.diag(similarity)[:, None]\n"
        "    return (similarity > own).sum(axis=1) + ((similarity == own).sum(axis=1) - 1) / 2",
        "def answer(similarity):\n"  # the other way round: by columns
        "    own = np.diag(similarity)\n"
        "    return (similarity > own).sum(axis=0) + ((similarity == own).sum(axis=0) + 1) / 2",
        "def answer(similarity):\n"  # sorting breaks ties by place
        "    order = np.argsort(-similarity, axis=1)\n"
        "    return np.array([list(row).index(i) + 1 for i, row in enumerate(order)])",
    ],
    "Exercise 2: How many paths?": [
        "from math import comb\n"  # forgets that equal neighbors need a blank
        "answer = lambda text, n: comb(n + len(text), 2 * len(text)) if n >= len(text) else 0",
        "from math import comb\n"  # repeats without blanks
        "answer = lambda text, n: comb(n - 1, len(text) - 1) if text else 1",
        "def answer(text, n_frames):\n"  # a symbol that stands twice enters twice
        "    return sum(collapse(path) == text for path in product('-' + text, repeat=n_frames))",
        "from math import comb\n"  # each symbol that stands twice costs a blank, neighbor or not
        "answer = lambda text, n: comb(n + len(set(text)), 2 * len(text))",
        "def answer(text, n_frames):\n"  # drops blanks first, then merges
        "    paths = product('-' + ''.join(sorted(set(text))), repeat=n_frames)\n"
        "    return sum(collapse(''.join(p).replace('-', '')) == text for p in paths)",
    ],
    "Exercise 3: Two languages, which relation?": [
        "english = reader.predict(keywords.iloc[test])\n"  # one language twice
        "answer = {'english': english, 'chinese': english, 'both': english, 'agree': 1.0, 'gain': 0.0,\n"
        "          'relation': 'the same'}",
        "english = reader.predict(keywords.iloc[test])\n"  # the truth for the fused answer
        "answer = {'english': english, 'chinese': english, 'both': emoji.y[test], 'agree': 1.0,\n"
        "          'gain': 1 - np.mean(english == emoji.y[test]), 'relation': 'complementary'}",
        "zh = load_emoji(language='zh').X.text\n"  # Chinese sentences as single tokens
        "whole = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10, max_iter=300))\n"
        "chinese = whole.fit(zh.iloc[train], emoji.y[train]).predict(zh.iloc[test])\n"
        "english = reader.predict(keywords.iloc[test])\n"
        "answer = {'english': english, 'chinese': chinese, 'both': english, 'gain': 0.0,\n"
        "          'agree': np.mean(english == chinese), 'relation': 'complementary'}",
        "zh = load_emoji(language='zh').X.text\n"  # gain over the first, not over the better one
        "each = make_pipeline(TfidfVectorizer(analyzer='char'), LogisticRegression(C=10, max_iter=300))\n"
        "q_zh = each.fit(zh.iloc[train], emoji.y[train]).predict_proba(zh.iloc[test])\n"
        "p, said = by_model['words'], []\n"
        "said = [reader.classes_[q.argmax(axis=1)] for q in (p, q_zh, p + q_zh)]\n"
        "score = [np.mean(s == emoji.y[test]) for s in said]\n"
        "answer = {'english': said[0], 'chinese': said[1], 'both': said[2], 'agree': 0.4,\n"
        "          'gain': score[2] - min(score[:2]), 'gain_se': 0.02, 'relation': 'complementary'}",
        "zh = load_emoji(language='zh').X.text\n"  # a gain below two standard errors, called a relation
        "each = make_pipeline(TfidfVectorizer(analyzer='char'), LogisticRegression(C=10, max_iter=300))\n"
        "q = each.fit(zh.iloc[train], emoji.y[train]).predict_proba(zh.iloc[test])\n"
        "q = {'english': by_model['words'], 'chinese': q, 'both': by_model['words'] + q}\n"
        "answer = {name: reader.classes_[each.argmax(axis=1)] for name, each in q.items()}\n"
        "answer |= dict(zip(('gain', 'gain_se'), paired(answer)), relation='complementary',\n"
        "               agree=np.mean(answer['english'] == answer['chinese']))",
        "drawn = reader.classes_[by_model['noto'].argmax(axis=1)]\n"  # the drawing as English
        "zh = reader.classes_[by_model['twemoji'].argmax(axis=1)]\n"
        "answer = {'english': drawn, 'chinese': zh, 'both': drawn, 'agree': np.mean(drawn == zh),\n"
        "          'gain': 0.0, 'gain_se': 0.0, 'relation': 'not settled'}",
        "answer = {'english': 0.5, 'chinese': 0.5, 'both': 0.6, 'agree': 0.5, 'gain': 0.1,\n"  # scores
        "          'relation': 'complementary'}",
    ],
}
