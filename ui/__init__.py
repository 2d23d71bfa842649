"""The page: a sentence in, ranked moments with pictures and a player out.

`serve.py` is its process, which keeps others out. `app.py` is the script that Streamlit runs for
each look at it; it reads top to bottom.
"""
