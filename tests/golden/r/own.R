# One's own questions: logistic and Cox models of a formula, with interactions (broom::tidy), and rates (survey::svyratio).
suppressMessages({library(survival); library(broom); library(survey); library(jsonlite)})
cases <- list()
case <- function(id, set, fn, args, expect, r) cases[[length(cases) + 1]] <<- list(id = id, set = set, fn = fn, args = args, expect = expect, r = r)
vec <- function(x) I(as.vector(unname(x)))
read <- function(n) read.csv(file.path("..", "sets", paste0(n, ".csv")), stringsAsFactors = TRUE)
rows <- function(f, skip) { t <- tidy(f); t <- t[seq_len(nrow(t)) > skip, ]; z <- qnorm(.975)
  list(estimate = vec(t$estimate), std_error = vec(t$std.error), statistic = vec(t$statistic), p_value = vec(t$p.value),
       conf_low = vec(t$estimate - z * t$std.error), conf_high = vec(t$estimate + z * t$std.error)) }
logit <- function(id, set, event, formula, d = read(set)) { f <- glm(as.formula(paste(event, "~", formula)), binomial, d, control = glm.control(epsilon = 1e-14, maxit = 100))
  e <- rows(f, 1); e$odds_ratio <- vec(exp(e$estimate)); g <- glance(f)
  case(id, set, "stats.logistic", list(event = event, covariates = formula), list(rows = e, glance = list(n = g$nobs, log_likelihood = as.numeric(g$logLik), log_likelihood_null = -g$null.deviance / 2, aic = g$AIC)), "tidy(glm(f, binomial, d))") }
logit("logistic colon", "colon", "node4", "age + obstruct + rx")
logit("logistic colon interaction", "colon", "node4", "age + rx + age:rx")
logit("logistic veteran", "veteran", "status", "karno + trt")
logit("logistic rotterdam interaction", "rotterdam", "status", "age + chemo + hormon + chemo:age")
logit("logistic pbc", "pbc", "dead", "age + bili + albumin + edema + sex")
ctl <- coxph.control(eps = 1e-13, iter.max = 50, toler.chol = 1e-14)
hazard <- function(id, set, time, event, formula) { f <- coxph(as.formula(sprintf("Surv(%s, %s) ~ %s", time, event, formula)), read(set), control = ctl)
  e <- rows(f, 0); e$hazard_ratio <- vec(exp(e$estimate)); g <- glance(f)
  case(id, set, "stats.cox", list(time = time, event = event, covariates = formula), list(rows = e, glance = list(n = g$n, n_event = g$nevent, log_likelihood = g$logLik, aic = g$AIC)), "tidy(coxph(f, d))") }
hazard("cox veteran interaction", "veteran", "time", "status", "karno + trt + karno:trt")
hazard("cox colon factor interaction", "colon", "time", "status", "age + rx + age:rx")
hazard("cox gbsg", "gbsg", "time", "status", "hormon + age + nodes + hormon:nodes")
rate <- function(id, set, events, time, by) { d <- read(set); d$n__ <- d[[events]]; d$t__ <- d[[time]]; p <- list(label = c(), n = c(), estimate = c(), std_error = c(), conf_low = c(), conf_high = c())
  for (l in sort(unique(as.character(d[[by]])))) { o <- d[as.character(d[[by]]) == l, ]; s <- svyratio(~n__, ~t__, svydesign(~1, data = o, weights = ~1)); r <- coef(s) * 36525; e <- SE(s) * 36525; w <- exp(qnorm(.975) * e / r)
    p$label <- c(p$label, l); p$n <- c(p$n, nrow(o)); p$estimate <- c(p$estimate, r); p$std_error <- c(p$std_error, e); p$conf_low <- c(p$conf_low, r / w); p$conf_high <- c(p$conf_high, r * w) }
  case(id, set, "analyses.rates", list(events = events, time = time, by = by), lapply(p, vec), "svyratio(~events, ~time, svydesign(~1, data = group, weights = ~1))") }
rate("rates colon", "colon", "status", "time", "rx")
rate("rates rotterdam", "rotterdam", "nodes", "time", "grade")
mean_of <- function(id, set, value, by) { d <- read(set); p <- list(label = c(), n = c(), estimate = c(), conf_low = c(), conf_high = c())
  for (l in sort(unique(as.character(d[[by]])))) { t <- t.test(d[[value]][as.character(d[[by]]) == l]); p$label <- c(p$label, l); p$n <- c(p$n, t$parameter + 1); p$estimate <- c(p$estimate, t$estimate); p$conf_low <- c(p$conf_low, t$conf.int[1]); p$conf_high <- c(p$conf_high, t$conf.int[2]) }
  case(id, set, "analyses.means", list(value = value, by = by), lapply(p, vec), "t.test(value)") }
mean_of("means lung", "lung", "age", "sex"); mean_of("means gbsg", "gbsg", "nodes", "grade")
share <- function(id, set, of, by) { d <- read(set); p <- list(label = c(), n = c(), n_event = c(), estimate = c(), conf_low = c(), conf_high = c())
  for (l in sort(unique(as.character(d[[by]])))) { x <- d[[of]][as.character(d[[by]]) == l]; t <- prop.test(sum(x), length(x), correct = FALSE); p$label <- c(p$label, l); p$n <- c(p$n, length(x)); p$n_event <- c(p$n_event, sum(x)); p$estimate <- c(p$estimate, t$estimate); p$conf_low <- c(p$conf_low, t$conf.int[1]); p$conf_high <- c(p$conf_high, t$conf.int[2]) }
  case(id, set, "analyses.shares", list(of = of, by = by), lapply(p, vec), "prop.test(x, n, correct = FALSE)") }
share("shares colon", "colon", "obstruct", "rx"); share("shares gbsg", "gbsg", "status", "grade")
versions <- list(R = R.version.string); for (p in c("survival", "broom", "survey")) versions[[p]] <- as.character(packageVersion(p))
out <- list(made_by = "tests/golden/r/own.R", versions = versions, cases = cases)
write(toJSON(out, auto_unbox = TRUE, digits = NA, na = "null", null = "null", pretty = FALSE), file.path("..", "values", "own.json"))
