# Weighted and robust restricted means, weighted quantiles, late entry under competing risks, Rubin's rules.
source("common.R"); source("sets.R")
plans <- list(list("veteran", "time", "status", "trt", 365), list("lung", "time", "status", "sex", 700), list("gbsg", "time", "status", "hormon", 1800), list("rotterdam", "time", "status", "chemo", 3000), list("pbc", "time", "dead", "trt", 3000))
for (o in plans) { n <- o[[1]]; d <- sets[[n]]; f <- as.formula(sprintf("Surv(%s,%s)~%s", o[[2]], o[[3]], o[[4]])); base <- list(time = o[[2]], event = o[[3]], by = o[[4]], weights = "w"); tau <- o[[5]]
  t <- summary(survfit(f, d, weights = w, robust = FALSE), rmean = tau)$table
  case(paste("rmst weighted", n), n, "survival.rmst", c(base, tau = tau), list(estimate = vec(t[, "rmean"]), std_error = vec(t[, "se(rmean)"])), "summary(survfit(weights=w, robust=FALSE), rmean=tau)$table")
  lv <- sort(unique(d[[o[[4]]]])); se <- sapply(lv, function(a) { dd <<- d[d[[o[[4]]]] == a, ]; dd$tt <<- dd[[o[[2]]]]; dd$ss <<- dd[[o[[3]]]]; ff <<- survfit(Surv(tt, ss) ~ 1, dd, weights = dd$w); r <- residuals(ff, times = tau, type = "rmst", weighted = TRUE); sqrt(sum(r^2)) })
  case(paste("rmst weighted robust", n), n, "survival.rmst", c(base, tau = tau, robust = TRUE), list(estimate = vec(t[, "rmean"]), std_error = vec(se)), "sqrt(sum(residuals(survfit(weights=w), type='rmst', weighted=TRUE)^2))")
  q <- quantile(survfit(f, d, weights = w, robust = FALSE, conf.type = "log-log"), c(.25, .5)); case(paste("quantile weighted", n), n, "survival.survival_quantile", c(base, list(q = c(.25, .5))), list(estimate = vec(t(q$quantile)), conf_low = vec(t(q$lower)), conf_high = vec(t(q$upper))), "quantile(survfit(weights=w, robust=FALSE))")
}
m <- sets$mgus2; m$start <- floor(m$etime / 3) * (m$id %% 2); m <- m[m$start < m$etime, ]; put(m, "mgus2_late"); m$ev <- factor(m$cause, 0:2)
s <- summary(survfit(Surv(start, etime, ev) ~ 1, m, id = id), times = c(60, 120, 240))
case("cif entry mgus2", "mgus2_late", "survival.cumulative_incidence", list(time = "etime", cause = "cause", entry = "start", times = c(60, 120, 240), variance = "greenwood"), list(estimate = vec(s$pstate[, 2:3])), "survfit(Surv(start, time, factor), id)")
set.seed(3); for (k in 1:3) { Q <- round(rnorm(5, 1, .2), 4); U <- round(runif(5, .01, .05), 4); for (n in list(NULL, 60)) { r <- if (is.null(n)) mice::pool.scalar(Q, U) else mice::pool.scalar(Q, U, n = n + 1, k = 1)
  case(paste("rubin", k, n), NULL, "rubin", list(estimates = Q, variances = U, n = n), list(mean = r$qbar, error = sqrt(r$t), df = r$df), "mice::pool.scalar") } }
# Fleming-Harrington weights written out: S and at-risk numbers from survfit, hypergeometric variance.
for (o in list(list("veteran", "time", "status", "trt"), list("lung", "time", "status", "sex"), list("gbsg", "time", "status", "hormon"))) for (rg in list(c(0, 1), c(1, 1), c(.5, .5))) { d <- sets[[o[[1]]]]
  tt <- d[[o[[2]]]]; ss <- d[[o[[3]]]]; z <- as.integer(d[[o[[4]]]] == max(d[[o[[4]]]])); f <- summary(survfit(Surv(tt, ss) ~ 1)); S <- c(1, head(f$surv, -1)); w <- S^rg[1] * (1 - S)^rg[2]
  y1 <- sapply(f$time, function(u) sum(z == 1 & tt >= u)); d1 <- sapply(f$time, function(u) sum(z == 1 & tt == u & ss == 1)); y <- f$n.risk; e <- f$n.event
  U <- sum(w * (d1 - e * y1 / y)); V <- sum(ifelse(y > 1, w^2 * e * (y1 / y) * (1 - y1 / y) * (y - e) / (y - 1), 0))
  case(paste("fleming-harrington", o[[1]], rg[1], rg[2]), o[[1]], "survival.logrank", list(time = o[[2]], event = o[[3]], by = o[[4]], rho = rg[1], gamma = rg[2]), list(statistic = rep(U^2 / V, 2)), "written out from survfit") }
save_cases("more")
