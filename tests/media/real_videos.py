"""Names of the videos in $VSEARCH_TEST_VIDEOS: a glob would not notice a missing one."""

REAL_VIDEOS = [
    "arm_wrestling.mp4",
    "bottles.mp4",
    "bug_av1.mp4",
    "chaplin_vp9.webm",
    "dog.mp4",
    "flower.webm",
    "fruit-and-vegetable.gif",
    "juggle_hevc10.mkv",
    "makeup.avi",
    "nasa_multistream.mp4",
    "one-by-one-person.mp4",
    "orangutan.mp4",
    "pancake.mkv",
    "testvideo.mp4",
]
