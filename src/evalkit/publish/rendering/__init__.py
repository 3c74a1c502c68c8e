"""From a notebook to its files: papermill runs it, its outputs become a document, one of two publishers prints that.

It knows of no release: what is remembered of releases, and where they go, is of `evalkit.publish.release`.
"""
