"""xclip_core."""
