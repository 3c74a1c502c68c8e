# What R gives of the golden frames (tests/golden/whole): per case columns, and facts of the summary, in our names.
suppressMessages({library(survival); library(cmprsk); library(jsonlite)})
d <- read.csv("../sets/frames.csv"); d$ev <- factor(d$cause, 0:2); d$ones <- 1
out <- list(); vec <- function(x) I(as.vector(unname(x)))
hold <- function(case, columns, summary = NULL, r) out[[case]] <<- list(columns = columns, summary = summary, r = r)
km <- function(s, weighted = FALSE) { k <- list(group = sub("arm=", "", as.character(s$strata)), time = vec(s$time), estimate = vec(s$surv), std_error = vec(s$std.err), conf_low = vec(s$lower), conf_high = vec(s$upper))
  if (weighted) c(k, list(w_risk = vec(s$n.risk), w_event = vec(s$n.event))) else c(k, list(n_risk = vec(s$n.risk), n_event = vec(s$n.event), n_censor = vec(s$n.censor))) }
f <- Surv(time, event) ~ arm
hold("stats.kaplan_meier: by arm", km(summary(survfit(f, d, conf.type = "log-log"), censored = TRUE)), list(n = 61, n_event = sum(d$event)), "summary(survfit(f, d, conf.type='log-log'), censored=TRUE)")
hold("stats.kaplan_meier: weights", km(summary(survfit(f, d, weights = w, robust = FALSE, conf.type = "log-log"), censored = TRUE), TRUE), NULL, "survfit(weights=w, robust=FALSE)")
hold("stats.kaplan_meier: robust", km(summary(survfit(f, d, weights = w, robust = TRUE, conf.type = "log-log"), censored = TRUE), TRUE), NULL, "survfit(weights=w, robust=TRUE)")
s <- summary(survfit(Surv(entry, time, event) ~ 1, d, conf.type = "log-log"), censored = TRUE)
hold("stats.kaplan_meier: late entry", list(time = vec(s$time), n_risk = vec(s$n.risk), n_event = vec(s$n.event), n_censor = vec(s$n.censor), estimate = vec(s$surv), std_error = vec(s$std.err), conf_low = vec(s$lower), conf_high = vec(s$upper)), NULL, "survfit(Surv(entry, time, event) ~ 1)")
s <- summary(survfit(f, d, conf.type = "log", conf.int = .9), times = c(7, 20, 39.5), extend = TRUE)
hold("stats.kaplan_meier: at times", list(time = vec(s$time), estimate = vec(s$surv), std_error = vec(s$std.err), conf_low = vec(s$lower), conf_high = vec(s$upper)), NULL, "summary(survfit(conf.type='log', conf.int=.9), times=)")
lr <- function(case, t) { g <- length(t$n); df <- g - 1; rs <- function(x) if (is.matrix(x)) rowSums(x) else x; p <- pchisq(t$chisq, df, lower.tail = FALSE)
  hold(case, list(n = vec(t$n), n_event = vec(rs(t$obs)), expected = vec(rs(t$exp)), statistic = rep(t$chisq, g), df = rep(df, g), p_value = rep(p, g)), list(statistic = t$chisq, df = df, p_value = p), "survdiff") }
lr("stats.logrank: arm", survdiff(f, d)); lr("stats.logrank: strata", survdiff(Surv(time, event) ~ z + strata(x), d))
cx <- function(case, fit, level = .95, names = NULL) { s <- summary(fit, conf.int = level)$coefficients; b <- coef(fit); se <- s[, if ("robust se" %in% colnames(s)) "robust se" else "se(coef)"]; q <- qnorm(1 - (1 - level) / 2)
  sm <- summary(fit); facts <- list(n = fit$n, n_event = fit$nevent, log_likelihood = fit$loglik[2], log_likelihood_null = fit$loglik[1], df = length(b), wald_statistic = fit$wald.test, score_statistic = fit$score, lr_statistic = 2 * diff(fit$loglik), lr_p_value = pchisq(2 * diff(fit$loglik), length(b), lower.tail = FALSE), wald_p_value = pchisq(fit$wald.test, length(b), lower.tail = FALSE), score_p_value = pchisq(fit$score, length(b), lower.tail = FALSE), aic = AIC(fit))
  facts$wald_statistic <- unname(facts$wald_statistic); facts$wald_p_value <- unname(facts$wald_p_value)
  hold(case, list(estimate = vec(b), std_error = vec(se), statistic = vec(b / se), p_value = vec(2 * pnorm(-abs(b / se))), conf_low = vec(b - q * se), conf_high = vec(b + q * se), hazard_ratio = vec(exp(b)), hr_low = vec(exp(b - q * se)), hr_high = vec(exp(b + q * se))), facts, "coxph") }
cx("stats.cox: efron", coxph(Surv(time, event) ~ treated + age + z, d))
cx("stats.cox: breslow, weights, clusters", coxph(Surv(time, event) ~ treated + age, d, weights = w, cluster = pair, ties = "breslow"), .9)
cx("stats.cox: strata, late entry", coxph(Surv(entry, time, event) ~ treated + x + strata(z), d))
out[["stats.cox: efron"]]$summary$concordance <- unname(concordance(coxph(Surv(time, event) ~ treated + age + z, d))$concordance)
t <- cox.zph(coxph(Surv(time, event) ~ treated + age, d), transform = "km")$table
hold("stats.proportional_hazards_test: km", list(statistic = vec(t[, "chisq"]), df = vec(t[, "df"]), p_value = vec(t[, "p"])), NULL, "cox.zph")
ci <- function(fm, w, times = NULL, ct = "log-log", cols = c("estimate", "std_error", "conf_low", "conf_high")) { d$ww <- w; fit <- survfit(fm, d, weights = ww, conf.type = ct, id = id); s <- if (is.null(times)) summary(fit, censored = TRUE) else summary(fit, times = times)
  g <- if (is.null(s$strata)) rep(1, length(s$time)) else as.integer(s$strata); flat <- function(m) vec(unlist(lapply(sort(unique(g)), function(i) as.vector(m[g == i, 2:3]))))
  list(estimate = flat(s$pstate), std_error = flat(s$std.err), conf_low = flat(s$lower), conf_high = flat(s$upper))[cols] }
hold("stats.cumulative_incidence: weights", ci(Surv(time, ev) ~ arm, d$w), NULL, "survfit(Surv(time, factor) ~ arm, weights=w)")
hold("stats.cumulative_incidence: by arm", ci(Surv(time, ev) ~ arm, d$ones, cols = "estimate"), NULL, "survfit(Surv(time, factor) ~ arm); standard errors: cmprsk below")
hold("stats.cumulative_incidence: late entry, times", ci(Surv(entry, time, ev) ~ arm, d$ones, c(5, 21, 38), "plain", "estimate"), NULL, "survfit(Surv(entry, time, factor) ~ arm)")
c1 <- cuminc(d$time, d$cause, d$arm, cencode = 0); tt <- sort(unique(d$time)); tp <- timepoints(c1, tt)
seen <- function(a) sort(unique(d$time[d$arm == a])); se <- unlist(lapply(c("paip", "pilot"), function(a) lapply(1:2, function(k) sqrt(tp$var[paste(a, k), as.character(seen(a))]))))
out[["stats.cumulative_incidence: by arm"]]$columns$std_error <- vec(se)
gr <- function(case, test, n_event) hold(case, list(statistic = vec(test[, "stat"]), p_value = vec(test[, "pv"]), df = vec(test[, "df"]), n_event = n_event), NULL, "cmprsk::cuminc()$Tests")
ne <- c(sum(d$cause == 1), sum(d$cause == 2))
gr("stats.gray_test: arm", c1$Tests, ne); gr("stats.gray_test: strata", cuminc(d$time, d$cause, d$z, strata = d$x, cencode = 0)$Tests, ne)
fg <- function(case, x, k, level) { m <- crr(d$time, d$cause, x, failcode = k, cencode = 0, maxiter = 50, gtol = 1e-10); b <- m$coef; s <- sqrt(diag(m$var)); q <- qnorm(1 - (1 - level) / 2)
  hold(case, list(estimate = vec(b), std_error = vec(s), statistic = vec(b / s), p_value = vec(2 * pnorm(-abs(b / s))), conf_low = vec(b - q * s), conf_high = vec(b + q * s)), NULL, "cmprsk::crr") }
fg("stats.fine_gray: two", as.matrix(d[, c("treated", "age")]), 1, .95); fg("stats.fine_gray: cause two", as.matrix(d[, "treated", drop = FALSE]), 2, .9)
qt <- function(case, fit, p) { q <- quantile(fit, p); hold(case, list(q = rep(p, 2), estimate = vec(t(q$quantile)), conf_low = vec(t(q$lower)), conf_high = vec(t(q$upper)), n = vec(rep(as.vector(table(d$arm)), each = length(p)))), NULL, "quantile(survfit)") }
qt("stats.survival_quantile: by arm", survfit(f, d, conf.type = "log-log"), c(.2, .5, .9))
qt("stats.follow_up: by arm", survfit(Surv(time, 1 - event) ~ arm, d, conf.type = "log-log"), c(.25, .5))
qt("stats.survival_quantile: weights", survfit(f, d, weights = w, robust = FALSE, conf.type = "plain"), .5)
z <- qnorm(.975)
rm <- summary(survfit(f, d), rmean = 30)$table; e <- rm[, "rmean"]; s <- rm[, "se(rmean)"]
hold("stats.rmst: by arm", list(estimate = vec(e), std_error = vec(s), conf_low = vec(e - z * s), conf_high = vec(e + z * s), n = vec(rm[, "records"])), NULL, "summary(survfit, rmean=30)$table")
df <- e[2] - e[1]; sd <- sqrt(sum(s^2)); ra <- e[2] / e[1]; sl <- sqrt(sum((s / e)^2))
hold("stats.rmst_contrast: arm", list(estimate = vec(c(df, ra)), std_error = vec(c(sd, ra * sl)), statistic = vec(c(df / sd, log(ra) / sl)), p_value = vec(c(2 * pnorm(-abs(df / sd)), 2 * pnorm(-abs(log(ra) / sl)))), conf_low = vec(c(df - z * sd, ra * exp(-z * sl))), conf_high = vec(c(df + z * sd, ra * exp(z * sl)))), NULL, "survRM2's formulas")
ij <- sapply(c("paip", "pilot"), function(a) { e <- d[d$arm == a, ]; g <- survfit(Surv(time, event) ~ 1, e, weights = w, robust = TRUE, influence = 1); cut <- c(g$time[g$time < 25.5], 25.5); c(summary(g, rmean = 25.5)$table["rmean"], sqrt(sum((g$influence.surv[, seq_len(length(cut) - 1), drop = FALSE] %*% diff(cut))^2))) })
hold("stats.rmst: robust", list(estimate = vec(ij[1, ]), std_error = vec(ij[2, ])), NULL, "survfit(weights=w, robust=TRUE, influence=1): influence on the curve, integrated")
s <- summary(survfit(f, d), times = c(6, 12, 24)); m <- matrix(s$surv, ncol = 2); v <- matrix(s$std.err^2, ncol = 2); df <- m[, 2] - m[, 1]; sd <- sqrt(rowSums(v))
hold("stats.survival_difference: arm", list(estimate = vec(df), std_error = vec(sd), statistic = vec(df / sd), p_value = vec(2 * pnorm(-abs(df / sd))), conf_low = vec(df - z * sd), conf_high = vec(df + z * sd)), NULL, "differences of summary(survfit, times=)")
fits <- list("log-normal" = survreg(Surv(time, event) ~ 1, d, dist = "lognormal"), "log-logistic" = survreg(Surv(time, event) ~ 1, d, dist = "loglogistic"), weibull = survreg(Surv(time, event) ~ 1, d))
ll <- sapply(fits, function(m) m$loglik[2]); med <- sapply(fits, function(m) predict(m, type = "quantile", p = .5)[1])
out[["stats.parametric: all"]] <- list(rows = I(names(fits)), columns = list(log_likelihood = vec(ll), aic = vec(4 - 2 * ll), median = vec(med), df = vec(rep(2, 3))), r = "survreg")
x <- c(31, 52); n <- c(45, 118)
ra <- (x[1] / n[1]) / (x[2] / n[2]); sl <- sqrt(sum(1 / x - 1 / n))
hold("stats.risk_ratio: two", list(estimate = vec(ra), conf_low = vec(ra * exp(-z * sl)), conf_high = vec(ra * exp(z * sl))), NULL, "Katz's log interval")
nc <- function(x, n, l) suppressWarnings(prop.test(x, n, correct = FALSE, conf.level = l)$conf.int)
a <- nc(31, 45, .95); b <- nc(52, 118, .95); p <- x / n; df <- p[1] - p[2]
hold("stats.proportion_difference: newcombe", list(estimate = vec(df), conf_low = vec(df - sqrt((p[1] - a[1])^2 + (b[2] - p[2])^2)), conf_high = vec(df + sqrt((a[2] - p[1])^2 + (p[2] - b[1])^2))), NULL, "Newcombe's formula of prop.test's Wilson limits")
a <- nc(13, 41, .9); b <- binom.test(13, 41, conf.level = .9)$conf.int
hold("stats.proportion: wilson", list(estimate = vec(13 / 41), conf_low = vec(a[1]), conf_high = vec(a[2])), NULL, "prop.test(correct=FALSE)")
hold("stats.proportion: exact", list(estimate = vec(13 / 41), conf_low = vec(b[1]), conf_high = vec(b[2])), NULL, "binom.test")
m <- glm((arm == "pilot") ~ age + z + x, binomial, d, control = list(epsilon = 1e-12, maxit = 50)); e <- fitted(m); t <- d$arm == "pilot"
for (k in c("att", "ate", "overlap")) { w <- switch(k, att = ifelse(t, 1, e / (1 - e)), ate = ifelse(t, 1 / e, 1 / (1 - e)), overlap = ifelse(t, 1 - e, e))
  out[[paste("compare.propensity:", k)]] <- list(plain = list(scores = vec(e), weights = vec(w)), r = "glm(binomial)") }
versions <- list(R = R.version.string, survival = as.character(packageVersion("survival")), cmprsk = as.character(packageVersion("cmprsk")))
write(toJSON(list(made_by = "tests/golden/r/frames.R", versions = versions, cases = out), auto_unbox = TRUE, digits = NA, na = "null", null = "null"), "../values/frames.json")
