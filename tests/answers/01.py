"""Answers to the exercises of chapter 01 that a learner may plausibly give and that are wrong."""

WRONG = {
    "Exercise 1: Count what is not there": [
        "answer = {'en': emoji.X.text.isna().sum(), 'zh': chinese.X.text.isna().sum()}",  # empty, not missing
        "answer = {'en': 1254, 'zh': 1312}",  # those with words
        "answer = (emoji.X.text == '').sum()",  # one number for two languages
    ],
    "Exercise 2: Fuse by hand, with a weight": [
        "answer = lambda z_1, z_2, alpha: np.hstack([z_1, z_2])",  # forgets the weight
        "answer = lambda z_1, z_2, alpha: alpha * z_1 + (1 - alpha) * z_2",  # adds, which needs equal widths
        "answer = lambda z_1, z_2, alpha: np.hstack([alpha * z_1[:len(z_2)], (1 - alpha) * z_2])",  # cuts
        "answer = np.hstack([a, b])",  # a result instead of a function
    ],
    "Exercise 3: A late fusion that reads Chinese": [
        "answer = fusion.late_fusion({'image': describe_image, 'text': describe_text}, head)",  # at spaces
        "answer = fusion.late_fusion({'text': describe_chinese}, head)",  # no pictures
        "answer = fusion.late_fusion({'image': describe_image, 'text': describe_chinese}, head)"
        ".fit(chinese.X, emoji.y)",  # fitted, on the test rows too
    ],
    "Exercise 4: A modality of your own": [
        "answer = {'comparison': results, 'mine': 'image', 'reference': 'image + text', 'is_real': True}",
        "answer = {'comparison': results, 'mine': 'image + text', 'reference': 'image', 'is_real': True}",
        "answer = {'comparison': results.table, 'mine': 'image', 'reference': 'text', 'is_real': False}",
        "answer = 0.02",
    ],
}
