"""Addresses of films beside the page: the file, sound and pictures made anew, stills, sprites."""
