"""Files in, cells of text out."""
