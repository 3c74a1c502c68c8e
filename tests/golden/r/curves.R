# Kaplan-Meier, quantiles, log-rank, restricted means, follow-up, cumulative incidence.
source("common.R"); source("sets.R")
one <- list(
  list("veteran", "time", "status", "trt"), list("lung", "time", "status", "sex"), list("aml", "time", "status", "x"),
  list("leukemia6mp", "time", "status", "arm"), list("ovarian", "time", "status", "rx"), list("colon", "time", "status", "rx"),
  list("gbsg", "time", "status", "hormon"), list("pbc", "time", "dead", "trt"), list("rotterdam", "time", "status", "chemo"),
  list("kidney", "time", "status", "sex"))
taus <- c(veteran = 365, lung = 700, aml = 40, leukemia6mp = 20, ovarian = 700, colon = 2000, gbsg = 1800, pbc = 3000, rotterdam = 3000, kidney = 400)
km_rows <- function(s) list(time = vec(s$time), n_event = vec(s$n.event), n_censor = vec(s$n.censor), estimate = vec(s$surv), std_error = vec(s$std.err), conf_low = vec(s$lower), conf_high = vec(s$upper))
for (o in one) {
  n <- o[[1]]; d <- sets[[n]]; f <- as.formula(sprintf("Surv(%s,%s)~%s", o[[2]], o[[3]], o[[4]]))
  base <- list(time = o[[2]], event = o[[3]], by = o[[4]])
  for (ct in c("log-log", "log", "plain")) {
    s <- summary(survfit(f, d, conf.type = ct), censored = TRUE)
    case(paste("km", n, ct), n, "survival.kaplan_meier", c(base, conf_type = ct), c(km_rows(s), list(n_risk = vec(s$n.risk))), "summary(survfit(f, d, conf.type=ct), censored=TRUE)")
    q <- quantile(survfit(f, d, conf.type = ct), c(.25, .5, .75))
    case(paste("quantile", n, ct), n, "survival.survival_quantile", c(base, list(q = c(.25, .5, .75), conf_type = ct)),
         list(estimate = vec(t(q$quantile)), conf_low = vec(t(q$lower)), conf_high = vec(t(q$upper))), "quantile(survfit(f, d), c(.25,.5,.75))")
  }
  tt <- round(taus[[n]] * c(.25, .5, 1))
  s <- summary(survfit(f, d, conf.type = "log-log"), times = tt, extend = TRUE)
  case(paste("km at times", n), n, "survival.kaplan_meier", c(base, list(times = tt)), list(time = vec(s$time), n_risk = vec(s$n.risk), n_event = vec(s$n.event), estimate = vec(s$surv), std_error = vec(s$std.err), conf_low = vec(s$lower), conf_high = vec(s$upper)), "summary(survfit, times=tt)")
  s <- summary(survfit(f, d, weights = w, robust = FALSE, conf.type = "log-log"), censored = TRUE)
  case(paste("km weighted", n), n, "survival.kaplan_meier", c(base, weights = "w"), list(time = vec(s$time), w_risk = vec(s$n.risk), w_event = vec(s$n.event), estimate = vec(s$surv), std_error = vec(s$std.err), conf_low = vec(s$lower), conf_high = vec(s$upper)), "survfit(weights=w, robust=FALSE)")
  s <- summary(survfit(f, d, weights = w, conf.type = "log-log"), censored = TRUE)
  case(paste("km weighted robust", n), n, "survival.kaplan_meier", c(base, weights = "w", robust = TRUE), list(estimate = vec(s$surv), std_error = vec(s$std.err), conf_low = vec(s$lower), conf_high = vec(s$upper)), "survfit(weights=w)")
  t <- survdiff(f, d); df <- length(t$n) - 1
  case(paste("logrank", n), n, "survival.logrank", base, list(n = vec(t$n), n_event = vec(t$obs), expected = vec(t$exp), statistic = rep(t$chisq, df + 1), df = rep(df, df + 1), p_value = rep(pchisq(t$chisq, df, lower.tail = FALSE), df + 1)), "survdiff(f, d)")
  t <- survdiff(f, d, rho = 1); case(paste("logrank rho=1", n), n, "survival.logrank", c(base, rho = 1), list(statistic = rep(t$chisq, df + 1)), "survdiff(f, d, rho=1)")
  rm <- summary(survfit(f, d), rmean = taus[[n]])$table
  case(paste("rmst", n), n, "survival.rmst", c(base, tau = taus[[n]]), list(estimate = vec(rm[, "rmean"]), std_error = vec(rm[, "se(rmean)"])), "summary(survfit(f, d), rmean=tau)$table")
  e <- rm[, "rmean"]; se <- rm[, "se(rmean)"]; g <- length(e); z <- qnorm(.975)
  dif <- e[-1] - e[1]; sd <- sqrt(se[-1]^2 + se[1]^2); ra <- e[-1] / e[1]; sl <- sqrt(se[-1]^2 / e[-1]^2 + se[1]^2 / e[1]^2)
  mix <- function(a, b) vec(as.vector(rbind(a, b)))
  case(paste("rmst contrast", n), n, "survival.rmst_contrast", c(base, list(tau = taus[[n]], reference = as.character(sort(unique(d[[o[[4]]]]))[1]))),
       list(estimate = mix(dif, ra), std_error = mix(sd, ra * sl), p_value = mix(2 * pnorm(-abs(dif / sd)), 2 * pnorm(-abs(log(ra) / sl))), conf_low = mix(dif - z * sd, ra * exp(-z * sl)), conf_high = mix(dif + z * sd, ra * exp(z * sl))), "difference and log ratio of summary(survfit, rmean=tau)$table (survRM2's formulas)")
  fu <- as.formula(sprintf("Surv(%s,1-%s)~%s", o[[2]], o[[3]], o[[4]])); q <- quantile(survfit(fu, d, conf.type = "log-log"), .5)
  case(paste("follow-up", n), n, "survival.follow_up", base, list(estimate = vec(q$quantile), conf_low = vec(q$lower), conf_high = vec(q$upper)), "quantile(survfit(Surv(time, 1-status) ~ g), .5)")
}
strat <- list(list("veteran", "time", "status", "trt", "celltype"), list("lung", "time", "status", "sex", "ecog"), list("colon", "time", "status", "rx", "extent"), list("pbc", "time", "dead", "trt", "stage"), list("gbsg", "time", "status", "hormon", "grade"))
for (o in strat) {
  d <- sets[[o[[1]]]]; t <- survdiff(as.formula(sprintf("Surv(%s,%s)~%s+strata(%s)", o[[2]], o[[3]], o[[4]], o[[5]])), d); g <- length(t$n)
  case(paste("logrank stratified", o[[1]]), o[[1]], "survival.logrank", list(time = o[[2]], event = o[[3]], by = o[[4]], strata = o[[5]]), list(n_event = vec(rowSums(t$obs)), expected = vec(rowSums(t$exp)), statistic = rep(t$chisq, g)), "survdiff(f + strata(s), d)")
}
h <- sets$heart
for (ct in c("log-log", "plain")) { s <- summary(survfit(Surv(start, stop, event) ~ transplant, h, conf.type = ct), censored = TRUE)
case(paste("km entry heart", ct), "heart", "survival.kaplan_meier", list(time = "stop", event = "event", by = "transplant", entry = "start", conf_type = ct), list(time = vec(s$time), n_risk = vec(s$n.risk), estimate = vec(s$surv), std_error = vec(s$std.err), conf_low = vec(s$lower), conf_high = vec(s$upper)), "survfit(Surv(start, stop, event) ~ transplant)") }
sc <- coxph(Surv(start, stop, event) ~ transplant, h, ties = "exact")$score
case("logrank entry heart", "heart", "survival.logrank", list(time = "stop", event = "event", by = "transplant", entry = "start"), list(statistic = rep(sc, 2)), "score test of coxph(ties='exact')")
cr <- list(list("mgus2", "etime", "cause", "ageband", c(60, 120, 240)), list("pbc", "time", "cause", "trt", c(1000, 2000, 3000)), list("myeloid", "time", "cause", "trt", c(50, 150, 400)))
for (o in cr) {
  d <- sets[[o[[1]]]]; base <- list(time = o[[2]], cause = o[[3]], by = o[[4]], times = o[[5]])
  ci <- cuminc(d[[o[[2]]]], d[[o[[3]]]], d[[o[[4]]]], cencode = 0); tp <- timepoints(ci, o[[5]]); lv <- sort(unique(d[[o[[4]]]]))
  key <- as.vector(outer(1:2, as.character(lv), function(a, b) paste(b, a)))
  case(paste("cif aalen", o[[1]]), o[[1]], "survival.cumulative_incidence", base, list(estimate = vec(t(tp$est[key, ])), std_error = vec(sqrt(t(tp$var[key, ])))), "cmprsk::timepoints(cuminc(...))")
  d$ev <- factor(d[[o[[3]]]], 0:2)
  sf <- function(w) { f <- as.formula(sprintf("Surv(%s, ev)~%s", o[[2]], o[[4]])); d$ww <- w; summary(survfit(f, d, weights = ww, conf.type = "log-log"), times = o[[5]]) }
  flat <- function(s, what) { m <- s[[what]][, 2:3]; g <- as.integer(s$strata); vec(unlist(lapply(sort(unique(g)), function(i) as.vector(m[g == i, ])))) }
  s <- sf(rep(1, nrow(d)))
  case(paste("cif greenwood", o[[1]]), o[[1]], "survival.cumulative_incidence", c(base, variance = "greenwood"), list(estimate = flat(s, "pstate"), std_error = flat(s, "std.err"), conf_low = flat(s, "lower"), conf_high = flat(s, "upper")), "survfit(Surv(time, factor) ~ g, conf.type='log-log')")
  s <- sf(d$w)
  case(paste("cif weighted", o[[1]]), o[[1]], "survival.cumulative_incidence", c(base, variance = "greenwood", weights = "w"), list(estimate = flat(s, "pstate"), std_error = flat(s, "std.err")), "survfit(Surv(time, factor) ~ g, weights=w)")
}
save_cases("curves")
