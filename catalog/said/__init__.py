"""Questions for words that were said, answered from subtitles."""
