"""Questions: what is asked, in one form, and the vectors that ask it."""
