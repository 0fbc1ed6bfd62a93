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
        "answer = lambda z_1, z_2, alpha: np.hstack([alpha * z_1, z_2 - alpha])",  # subtracts
        "answer = lambda z_1, z_2, alpha: np.hstack([0.2 * z_1, 0.8 * z_2])",  # one weight for ever
    ],
    "Exercise 3: A late fusion that reads Chinese": [
        "answer = fusion.late_fusion({'image': describe_image, 'text': describe_text}, head)",  # at spaces
        "answer = fusion.late_fusion({'text': describe_chinese}, head)",  # no pictures
        "answer = fusion.early_fusion({'image': describe_image, 'text': describe_chinese}, head)",
        "answer = fusion.late_fusion({'image': describe_image, 'text': describe_chinese}, head, "
        "weights={'image': 3, 'text': 7})",
        "answer = fusion.late_fusion({'image': describe_image, 'text': describe_chinese}, head)"
        ".fit(chinese.X, emoji.y)",  # fitted, on the test rows too
    ],
    "Exercise 4: A modality of your own": [
        "answer = {'comparison': results, 'mine': 'image', 'reference': 'image + text', 'is_real': False}",
        "answer = {'comparison': results.table, 'mine': 'image', 'reference': 'text', 'is_real': False}",
        "answer = {'comparison': leaky, 'mine': 'all keywords', 'reference': 'two fair keywords', "
        "'is_real': True}",  # the leak, against another reference
        "same = compare({'image + text': early, 'same': early}, emoji, folds)\n"
        "answer = {'comparison': same, 'mine': 'same', "
        "'reference': 'image + text', 'is_real': True}",  # no gain called one
        "answer = 0.02",
    ],
}
