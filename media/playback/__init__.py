"""Films for a browser: what it has to decode, sound and pictures made anew for it, sprites."""
