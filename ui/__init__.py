"""The page: a sentence in, ranked moments with pictures and a player out.

`app.py` is the script that Streamlit runs; it reads top to bottom.
"""
