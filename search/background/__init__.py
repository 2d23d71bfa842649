"""What an answer stands against: what all sentences or all clips share, what is true of nothing."""
