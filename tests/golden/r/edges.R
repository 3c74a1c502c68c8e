# Where numbers are far apart, tiny, enormous or at the edge of what is defined: strata of other levels, weights and covariates of any
# size, outliers, wide linear predictors, curves that end at 0 or 1.
source("common.R"); source("sets.R")
ctl <- coxph.control(eps = 1e-13, iter.max = 200, toler.chol = 1e-14)
cox <- function(id, r, covariates, f, ..., args = list(), keep = seq_along(coef(f))) { s <- summary(f)$coefficients; se <- s[, if ("robust se" %in% colnames(s)) "robust se" else "se(coef)"]
  case(id, NULL, "survival.cox", c(list(rows = r, time = "time", event = "status", covariates = I(covariates)), args), list(estimate = vec(coef(f)), std_error = vec(se), log_likelihood = f$loglik[2]), "coxph") }
v <- sets$veteran[, c("time", "status", "karno", "age", "diagtime", "celltype", "trt")]; v$celltype <- as.integer(factor(v$celltype))

# -- Cox: strata whose covariates lie far apart -----------------------------------------------------------------------------
for (shift in c(14, 1e3, 1e6)) for (ties in c("efron", "breslow")) { r <- v; r$karno <- r$karno + ifelse(r$celltype == 2, shift, 0) - ifelse(r$celltype == 3, 2 * shift, 0)
  plain <- coxph(Surv(time, status) ~ karno + age + strata(celltype), v, ties = ties, control = ctl)  # a stratum's own level cancels: R's answer to the unshifted columns
  cox(paste("cox strata apart", shift, ties), r, c("karno", "age"), plain, args = list(strata = "celltype", ties = ties)) }
# -- Cox: covariates and times of any size, and shifted ------------------------------------------------------------------------
f <- coxph(Surv(time, status) ~ karno + age, v, control = ctl); se <- sqrt(diag(vcov(f)))
for (k in c(1e-9, 1e-3, 1e9)) { r <- v; r$karno <- r$karno * k; case(paste("cox covariate", k), NULL, "survival.cox", list(rows = r, time = "time", event = "status", covariates = I(c("karno", "age"))), list(estimate = vec(coef(f) / c(k, 1)), std_error = vec(se / c(k, 1)), log_likelihood = f$loglik[2]), "coxph, scaled") }
for (k in c(1e6, -1e6)) { r <- v; r$age <- r$age + k; cox(paste("cox shifted", k), r, c("karno", "age"), f) }
for (k in c(1e-6, 1e6)) { r <- v; r$time <- r$time * k; cox(paste("cox time", k), r, c("karno", "age"), f) }
# -- Cox: weights of any size, some of them 0 ------------------------------------------------------------------------------------
v$w <- sets$veteran$w
for (k in c(1e-13, 1e-6, 1, 1e13)) { r <- v; r$w <- r$w * k
  cox(paste("cox weights", k), r, c("karno", "age"), coxph(Surv(time, status) ~ karno + age, r, weights = w, control = ctl, robust = FALSE), args = list(weights = "w"))
  cox(paste("cox weights robust", k), r, c("karno", "age"), coxph(Surv(time, status) ~ karno + age, r, weights = w, control = ctl, robust = TRUE), args = list(weights = "w", robust = TRUE)) }
r <- v; r$w[seq(1, nrow(r), 3)] <- 0; f0 <- coxph(Surv(time, status) ~ karno + age, r[r$w > 0, ], weights = w, control = ctl, robust = FALSE); cox("cox some weights 0", r, c("karno", "age"), f0, args = list(weights = "w"))
# -- Cox: outliers, and linear predictors beyond 450 -----------------------------------------------------------------------------
for (o in c(999, 1e5)) for (i in c(which.min(v$time), which.max(v$time))) { r <- v; r$age[i] <- o; cox(paste("cox outlier", o, i), r, c("karno", "age"), coxph(Surv(time, status) ~ karno + age, r, control = ctl)) }
for (spread in c(2, 20, 60)) { set.seed(spread); r <- data.frame(time = 1:60, status = rbinom(60, 1, .8), z = round(rnorm(60), 2)); r$x <- round(-r$time * spread + rnorm(60) * 2 * spread); f <- coxph(Surv(time, status) ~ x + z, r, control = ctl); cox(paste("cox wide", spread), r, c("x", "z"), f) }
for (i in 1:3) { set.seed(40 + i); r <- data.frame(time = 1:80, status = 1, start = 0, z = round(rnorm(80), 2)); r$x <- -r$time * 10; k <- sample(2:79, 30); k <- k[k < 79]; r$x[k] <- r$x[k + 1] - .05 * i; r$start <- pmin(r$start, r$time - 1); f <- coxph(Surv(time, status) ~ x + z, r, control = ctl); if (diff(range(f$linear.predictors)) > 450) cox(paste("cox beyond 450", i), r, c("x", "z"), f) }
# -- Fine and Gray: an age of 999 censored on day 1, and the same company -------------------------------------------------------------
fg <- function(id, r, X, scale = 1) { f <- crr(r$time, r$cause, as.matrix(X), gtol = 1e-12, maxiter = 50); case(id, NULL, "survival.fine_gray", list(rows = r, time = "time", cause = "cause", covariates = I(colnames(X))), list(estimate = vec(f$coef / scale), std_error = vec(sqrt(diag(f$var)) / scale)), "cmprsk::crr") }
m <- sets$pbc[seq(1, nrow(sets$pbc), 2), ]; m <- data.frame(time = m$time, cause = m$cause, age = round(m$age, 2), bili = m$bili)
add <- function(age, time, cause) rbind(m, data.frame(time = time, cause = cause, age = age, bili = 1))
fg("fine-gray outlier censored at once", add(999, 1, 0), add(999, 1, 0)[, c("age", "bili")])
fg("fine-gray outlier censored at once, larger", add(1e6, 1, 0), add(40, 1, 0)[, c("age", "bili")])  # in no risk set: any age gives the same
for (o in c(200, 999)) fg(paste("fine-gray outlier competing", o), add(o, 60, 2), add(o, 60, 2)[, c("age", "bili")])
fg("fine-gray outlier followed", add(150, 3000, 0), add(150, 3000, 0)[, c("age", "bili")])
for (k in c(1e-9, 1e9)) { r <- m; r$age <- r$age * k; fg(paste("fine-gray covariate", k), r, m[, c("age", "bili")], c(k, 1)) }
r <- m; r$age <- r$age + 1e6; fg("fine-gray shifted", r, m[, c("age", "bili")])
for (k in c(1e-6, 1e6)) { r <- m; r$time <- r$time * k; case(paste("fine-gray time", k), NULL, "survival.fine_gray", list(rows = r, time = "time", cause = "cause", covariates = I(c("age", "bili"))), { f <- crr(m$time, m$cause, as.matrix(m[, c("age", "bili")]), gtol = 1e-12, maxiter = 50); list(estimate = vec(f$coef), std_error = vec(sqrt(diag(f$var)))) }, "cmprsk::crr") }
# -- curves: weights and times of any size, weights of 0 ---------------------------------------------------------------------------
for (k in c(1e-13, 1e-6, 1e13)) { r <- v; r$w <- r$w * k; s <- summary(survfit(Surv(time, status) ~ trt, v, weights = w, robust = TRUE, conf.type = "log-log"), censored = TRUE)
  case(paste("km weights", k), NULL, "survival.kaplan_meier", list(rows = r, time = "time", event = "status", by = "trt", weights = "w", robust = TRUE), list(estimate = vec(s$surv), std_error = vec(s$std.err), conf_low = vec(s$lower), conf_high = vec(s$upper)), "survfit")
  s <- summary(survfit(Surv(time, status) ~ trt, r, weights = w, robust = FALSE), censored = TRUE); case(paste("km weights as counts", k), NULL, "survival.kaplan_meier", list(rows = r, time = "time", event = "status", by = "trt", weights = "w"), list(estimate = vec(s$surv), std_error = vec(s$std.err)), "survfit") }
for (k in c(1e-6, 1e6)) { r <- v; r$time <- r$time * k; s <- survfit(Surv(time, status) ~ trt, v, conf.type = "log-log"); q <- quantile(s, c(.25, .5, .75)); case(paste("quantile time", k), NULL, "survival.survival_quantile", list(rows = r, time = "time", event = "status", by = "trt", q = c(.25, .5, .75)), list(estimate = vec(t(q$quantile)) * k, conf_low = vec(t(q$lower)) * k, conf_high = vec(t(q$upper)) * k), "quantile(survfit)") }
r <- v; r$w[seq(2, nrow(r), 4)] <- 0; s <- summary(survfit(Surv(time, status) ~ trt, r[r$w > 0, ], weights = w, robust = TRUE, conf.type = "log-log"), times = c(20, 90, 200)); case("km some weights 0", NULL, "survival.kaplan_meier", list(rows = r, time = "time", event = "status", by = "trt", weights = "w", robust = TRUE, times = c(20, 90, 200)), list(estimate = vec(s$surv), std_error = vec(s$std.err), conf_low = vec(s$lower), conf_high = vec(s$upper)), "survfit of those with a weight")
# -- incidences that reach 1 ---------------------------------------------------------------------------------------------------------
for (n in c(6, 7, 10, 23, 49)) { r <- data.frame(time = seq_len(n) - 1, cause = 1); ci <- cuminc(r$time, r$cause)[[1]]; at <- timepoints(list(a = ci), r$time); e <- as.vector(at$est); s <- sqrt(as.vector(at$var)); s[n] <- 0; e[n] <- 1; low <- e^exp(-qnorm(.975) * s / (e * log(e))); high <- e^exp(qnorm(.975) * s / (e * log(e))); low[n] <- high[n] <- NaN
  case(paste("cif to 1", n), NULL, "survival.cumulative_incidence", list(rows = r, time = "time", cause = "cause", causes = I("one")), list(estimate = vec(e), std_error = vec(s), conf_low = vec(pmin(low, high)), conf_high = vec(pmax(low, high))), "cmprsk::cuminc; not defined at 1") }
save_cases("edges")
