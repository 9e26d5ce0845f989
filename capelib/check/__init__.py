"""`cape check`: a table of a user's read and cleaned (files), and all that was made of it on one page (summary)."""
