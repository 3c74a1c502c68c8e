# Gray's test, Fine-Gray, differences of curves, recurrent events, parametric curves.
source("common.R"); source("sets.R")
gr <- list(list("mgus2", "etime", "cause", "ageband", "sex"), list("pbc", "time", "cause", "trt", "stage"), list("myeloid", "time", "cause", "trt", "sex"), list("mgus2", "etime", "cause", "sex", "ageband"), list("pbc", "time", "cause", "stage", "trt"))
for (o in gr) { d <- sets[[o[[1]]]]
  for (rho in c(0, 1)) for (st in c(FALSE, TRUE)) {
    t <- if (st) cuminc(d[[o[[2]]]], d[[o[[3]]]], d[[o[[4]]]], strata = d[[o[[5]]]], rho = rho)$Tests else cuminc(d[[o[[2]]]], d[[o[[3]]]], d[[o[[4]]]], rho = rho)$Tests
    a <- list(time = o[[2]], cause = o[[3]], by = o[[4]], rho = rho); if (st) a$strata <- o[[5]]
    case(paste("gray", o[[1]], o[[4]], rho, if (st) "stratified"), o[[1]], "survival.gray_test", a, list(statistic = vec(t[, "stat"]), df = vec(t[, "df"]), p_value = vec(t[, "pv"])), "cmprsk::cuminc(...)$Tests")
  } }
fg <- list(list("mgus2", "etime", "cause", c("age", "sex")), list("pbc", "time", "cause", c("trt", "age", "bili", "albumin")), list("myeloid", "time", "cause", c("trt", "sex")))
for (o in fg) for (k in 1:2) { d <- sets[[o[[1]]]]; X <- model.matrix(as.formula(paste("~", paste(o[[4]], collapse = "+"))), d)[, -1, drop = FALSE]
  f <- crr(d[[o[[2]]]], d[[o[[3]]]], X, failcode = k, gtol = 1e-12, maxiter = 50); b <- f$coef; se <- sqrt(diag(f$var)); z <- qnorm(.975)
  case(paste("fine-gray", o[[1]], k), o[[1]], "survival.fine_gray", list(time = o[[2]], cause = o[[3]], covariates = I(o[[4]]), interest = k), list(estimate = vec(b), std_error = vec(se), p_value = vec(2 * pnorm(-abs(b / se))), conf_low = vec(b - z * se), conf_high = vec(b + z * se)), "cmprsk::crr") }
df <- list(list("veteran", "time", "status", "trt", c(50, 100, 300)), list("lung", "time", "status", "sex", c(100, 300, 600)), list("colon", "time", "status", "rx", c(500, 1000, 2000)), list("gbsg", "time", "status", "hormon", c(500, 1500)))
for (o in df) { d <- sets[[o[[1]]]]; s <- summary(survfit(as.formula(sprintf("Surv(%s,%s)~%s", o[[2]], o[[3]], o[[4]])), d), times = o[[5]]); k <- length(o[[5]])
  S <- matrix(s$surv, k); E <- matrix(s$std.err, k); dif <- as.vector(S[, -1] - S[, 1]); se <- as.vector(sqrt(E[, -1]^2 + E[, 1]^2)); z <- qnorm(.975)
  case(paste("survival difference", o[[1]]), o[[1]], "survival.survival_difference", list(time = o[[2]], event = o[[3]], by = o[[4]], times = o[[5]], reference = as.character(sort(unique(d[[o[[4]]]]))[1])), list(estimate = vec(dif), std_error = vec(se), p_value = vec(2 * pnorm(-abs(dif / se))), conf_low = vec(pmax(dif - z * se, -1)), conf_high = vec(pmin(dif + z * se, 1))), "summary(survfit, times)") }
rec <- list(list("cgd", "treat", c(100, 200, 300)), list("bladder", "rx", c(10, 20, 30)))
for (o in rec) { d <- sets[[o[[1]]]]; last <- !duplicated(d$id, fromLast = TRUE); d <- d[d$event == 1 | last, ]; d <- d[order(d$id, d$stop), ]; put(d, paste0(o[[1]], "_events"))
  full <- sets[[o[[1]]]]; ends <- tapply(full$stop, full$id, max); d$start <- ave(d$stop, d$id, FUN = function(v) c(0, head(v, -1)))
  d <- d[d$stop > d$start, ]; f <- survfit(as.formula(paste("Surv(start, stop, event) ~", o[[2]])), d, cluster = id, robust = TRUE); s <- summary(f, times = o[[3]])
  case(paste("mean cumulative count", o[[1]]), paste0(o[[1]], "_events"), "survival.mean_cumulative_count", list(time = "stop", event = "event", person = "id", by = o[[2]], times = o[[3]]), list(estimate = vec(s$cumhaz), std_error = vec(s$std.chaz)), "survfit(Surv(start, stop, event) ~ g, cluster=id)$cumhaz, std.chaz") }
for (o in list(list("veteran", "time", "status"), list("lung", "time", "status"), list("colon", "time", "status"), list("ovarian", "time", "status"))) { d <- sets[[o[[1]]]]
  for (m in c("weibull", "log-normal", "log-logistic")) { f <- survreg(Surv(time, status) ~ 1, d, dist = c("weibull" = "weibull", "log-normal" = "lognormal", "log-logistic" = "loglogistic")[[m]], control = survreg.control(rel.tolerance = 1e-12, maxiter = 100))
    case(paste("parametric", o[[1]], m), o[[1]], "survival.parametric", list(time = o[[2]], event = o[[3]], models = I(m)), list(log_likelihood = as.numeric(logLik(f)), aic = AIC(f), median = unname(predict(f, type = "quantile", p = .5)[1])), "survreg") } }
save_cases("competing")
