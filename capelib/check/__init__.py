"""`cape check`: a user's table read and cleaned (files), and what was made of it (summary)."""
