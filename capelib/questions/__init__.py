"""One file a question (a notebook), over the estimators."""
