# Makes every golden file: cd tests/golden/r && Rscript all.R
for (f in c("curves", "cox", "firth", "competing", "compare", "more", "gamma", "unusual", "edges", "resampling", "frames", "states", "risks", "own")) if (file.exists(paste0(f, ".R"))) system2("Rscript", paste0(f, ".R"))
