"""The site: pages of the executed runs, the ledger, the methods and the reference.

`build.build` makes it. `pages.KINDS` lists the kinds of pages; each is a function from the
`Collection` to `Page`s.
"""
