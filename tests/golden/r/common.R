# A golden case: which function, on which set, with which arguments, and what R says.
suppressMessages({library(survival); library(cmprsk); library(jsonlite)})
cases <- list()
case <- function(id, set, fn, args, expect, r) {
  cases[[length(cases) + 1]] <<- list(id = id, set = set, fn = fn, args = args, expect = expect, r = r)
}
save_cases <- function(file) {
  versions <- list(R = R.version.string)
  for (p in c("survival", "cmprsk", "survey", "sandwich", "mice", "MASS", "boot", "mvtnorm", "mitools", "numDeriv")) if (requireNamespace(p, quietly = TRUE)) versions[[p]] <- as.character(packageVersion(p))
  out <- list(made_by = paste0("tests/golden/r/", file, ".R"), versions = versions, cases = cases)
  write(toJSON(out, auto_unbox = TRUE, digits = NA, na = "null", null = "null", pretty = FALSE), file.path("..", "values", paste0(file, ".json")))
}
vec <- function(x) I(as.vector(unname(x)))
