"""The paper's own numbers, each with the place it stands in.

Chapter: Paper versus ours.
"""

TAGS = {  # Paper: Table 2
    "positive": {"this will always make me happy": 1, "so energetic": 26, "makes me energetic and wanna dance": 3,
                 "joyous": 103},
    "neutral": {"soothing for the ear to hear": 18, "cool and relaxing music": 14, "calmness": 43},
    "negative": {"sad": 873, "makes me sad": 89, "for the painfully alone": 34},
}
CLEAN_TAGS = {"positive": 952, "neutral": 752, "negative": 1267}  # Paper: Section 2
IMAGES = {"positive": 32868, "neutral": 10796, "negative": 45731}  # Paper: Table 3
SONGS = {"positive": 1342, "neutral": 1511, "negative": 959}  # Paper: Table 3
HOURS = 270  # Paper: Section 2, approximate
CORRESPONDENCE = {"L3-Net": 57.17, "Spectrogram-ACP": 55.84, "ACP-Net": 61.67}  # Paper: Table 4, per cent
RECOGNITION = {  # Paper: Table 5, per cent
    "image": {"Random": 12.5, "Art-based features + SVM": 46.5, "AlexNet, fine-tuned": 58.6,
              "ACP-Net features + MLP": 40.4},
    "music": {"Random": 33.3, "Spectrogram + CNN": 47.8, "ACP-Net features + MLP": 63.5},
}
QUOTED = {"Art-based features + SVM": "zhao2014", "AlexNet, fine-tuned": "rao2016"}  # Paper: Table 5, [26] and [27]
RECOGNITION_IN_TEXT = "63.56"  # Paper: Section 4, where Table 5 has 63.5
EXAMPLES = ("negative", "positive", "neutral")  # Paper: Fig. 3, the class of the clip in each row, from the top
