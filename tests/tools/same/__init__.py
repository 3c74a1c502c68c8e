"""`make same`: renders reports with an earlier commit and with the working tree, and lists every word that differs."""
