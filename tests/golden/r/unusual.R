# Arguments in unusual company: weights with groups, entry with strata, odd levels and horizons, every transform with every fit.
source("common.R"); source("sets.R")
suppressMessages(library(etm))
ctl <- coxph.control(eps = 1e-13, iter.max = 50, toler.chol = 1e-14)

# -- curves ---------------------------------------------------------------------------------------------------------------
km <- function(id, set, args, s, extra = list()) case(id, set, "survival.kaplan_meier", args, c(list(time = vec(s$time), estimate = vec(s$surv), std_error = vec(s$std.err), conf_low = vec(s$lower), conf_high = vec(s$upper)), extra), "summary(survfit)")
for (o in list(list("veteran", "time", "status", "celltype", c(10, 55.5, 150)), list("colon", "time", "status", "rx", c(1, 400, 3000)), list("pbc", "time", "dead", "stage", c(500, 2500)), list("kidney", "time", "status", "disease", c(7, 30, 300)))) {
  n <- o[[1]]; d <- sets[[n]]; f <- as.formula(sprintf("Surv(%s,%s)~%s", o[[2]], o[[3]], o[[4]])); base <- list(time = o[[2]], event = o[[3]], by = o[[4]])
  for (ct in c("log-log", "log", "plain")) for (cl in c(.9, .99)) {
    km(paste("km robust weighted", n, ct, cl), n, c(base, list(weights = "w", robust = TRUE, conf_type = ct, conf_level = cl)), summary(survfit(f, d, weights = w, conf.type = ct, conf.int = cl), censored = TRUE))
    km(paste("km robust", n, ct, cl), n, c(base, list(robust = TRUE, conf_type = ct, conf_level = cl)), summary(survfit(f, d, robust = TRUE, conf.type = ct, conf.int = cl), censored = TRUE))
    q <- quantile(survfit(f, d, weights = w, conf.type = ct, conf.int = cl), c(.1, .3, .75, .9))
    case(paste("quantile robust", n, ct, cl), n, "survival.survival_quantile", c(base, list(weights = "w", robust = TRUE, q = c(.1, .3, .75, .9), conf_type = ct, conf_level = cl)), list(estimate = vec(t(q$quantile)), conf_low = vec(t(q$lower)), conf_high = vec(t(q$upper))), "quantile(survfit(weights=w))")
  }
  dz <- d[d$iw > 0, ]; s <- summary(survfit(f, dz, weights = iw, robust = FALSE, conf.type = "log-log"), times = o[[5]], extend = TRUE)
  km(paste("km whole weights", n), n, c(base, list(weights = "iw", times = o[[5]], on_positive = "iw")), s) }
h <- sets$heart
for (ct in c("log-log", "log", "plain")) {
  km(paste("km entry weighted", ct), "heart", list(time = "stop", event = "event", by = "surgery", entry = "start", weights = "w", conf_type = ct), summary(survfit(Surv(start, stop, event) ~ surgery, h, weights = w, robust = FALSE, conf.type = ct), censored = TRUE))
  q <- quantile(survfit(Surv(start, stop, event) ~ transplant, h, conf.type = ct), c(.2, .4, .5)); case(paste("quantile entry", ct), "heart", "survival.survival_quantile", list(time = "stop", event = "event", by = "transplant", entry = "start", q = c(.2, .4, .5), conf_type = ct), list(estimate = vec(t(q$quantile)), conf_low = vec(t(q$lower)), conf_high = vec(t(q$upper))), "quantile(survfit(Surv(start, stop, event)))") }
# forty random sets, ties and small groups: quantiles and their limits, which rise and fall with weights and few at risk
for (i in 1:40) { set.seed(100 + i); n <- sample(c(3, 5, 8, 12, 20, 40, 60), 1); r <- data.frame(time = sample(1:sample(c(5, 20, 60), 1), n, TRUE), status = rbinom(n, 1, runif(1, .3, 1)), w = round(runif(n, .2, 3), 2)); if (!any(r$status)) r$status[1] <- 1
  for (ct in c("log", "log-log", "plain")) { q <- quantile(survfit(Surv(time, status) ~ 1, r, weights = w, robust = FALSE, conf.type = ct), c(.1, .25, .5, .6, .75, .9))
    case(paste("quantile random", i, ct), NULL, "survival.survival_quantile", list(rows = r, time = "time", event = "status", weights = "w", q = c(.1, .25, .5, .6, .75, .9), conf_type = ct), list(estimate = vec(q$quantile), conf_low = vec(q$lower), conf_high = vec(q$upper)), "quantile(survfit)") } }
for (o in list(list("veteran", "celltype"), list("lung", "ecog"))) { d <- sets[[o[[1]]]]; fu <- as.formula(paste("Surv(time, 1 - status) ~", o[[2]])); q <- quantile(survfit(fu, d, weights = w, robust = FALSE, conf.type = "log"), c(.25, .5))
  case(paste("follow-up weighted", o[[1]]), o[[1]], "survival.follow_up", list(time = "time", event = "status", by = o[[2]], weights = "w", q = c(.25, .5), conf_type = "log"), list(estimate = vec(t(q$quantile)), conf_low = vec(t(q$lower)), conf_high = vec(t(q$upper))), "quantile(survfit(Surv(time, 1-status), weights=w))") }

# -- log-rank -------------------------------------------------------------------------------------------------------------
fh <- function(time, status, g, st, rho, gam, entry = rep(-1, length(time))) {  # scores and hypergeometric variance written out
  lv <- sort(unique(g)); U <- numeric(length(lv)); V <- matrix(0, length(lv), length(lv))
  for (s in unique(st)) { i <- st == s; tt <- time[i]; ee <- status[i]; gg <- g[i]; en <- entry[i]; S <- 1
    for (u in sort(unique(tt[ee == 1]))) { risk <- en < u & tt >= u; y <- sum(risk); d <- sum(tt == u & ee == 1); yg <- sapply(lv, function(l) sum(risk & gg == l)); dg <- sapply(lv, function(l) sum(tt == u & ee == 1 & gg == l))
      w <- S^rho * (1 - S)^gam; U <- U + w * (dg - d * yg / y); if (y > 1) V <- V + w^2 * d * (y - d) / (y - 1) * (diag(yg / y, length(lv)) - outer(yg, yg) / y^2); S <- S * (1 - d / y) } }
  k <- seq_along(lv)[-1]; x <- as.numeric(U[k] %*% MASS::ginv(V[k, k, drop = FALSE]) %*% U[k]); list(statistic = rep(x, length(lv)), df = rep(length(k), length(lv)), p_value = rep(pchisq(x, length(k), lower.tail = FALSE), length(lv))) }
for (o in list(list("veteran", "celltype", "trt"), list("lung", "ecog", "sex"), list("colon", "rx", "extent"), list("gbsg", "hormon", "grade"), list("kidney", "disease", "sex"))) { d <- sets[[o[[1]]]]; g <- as.character(d[[o[[2]]]])
  for (rg in list(c(0, 0), c(1, 0), c(0, 1), c(1, 1), c(.5, 2))) { a <- list(time = "time", event = "status", by = o[[2]], rho = rg[1], gamma = rg[2])
    case(paste("logrank", o[[1]], o[[2]], rg[1], rg[2]), o[[1]], "survival.logrank", a, fh(d$time, d$status, g, rep(1, nrow(d)), rg[1], rg[2]), "written out")
    case(paste("logrank strata", o[[1]], o[[2]], rg[1], rg[2]), o[[1]], "survival.logrank", c(a, strata = o[[3]]), fh(d$time, d$status, g, d[[o[[3]]]], rg[1], rg[2]), "written out") }
  t <- survdiff(as.formula(sprintf("Surv(time, status) ~ %s + strata(%s)", o[[2]], o[[3]])), d, rho = 1)
  case(paste("survdiff rho strata", o[[1]]), o[[1]], "survival.logrank", list(time = "time", event = "status", by = o[[2]], strata = o[[3]], rho = 1), list(n = vec(tapply(rep(1, nrow(d)), d[[o[[2]]]], sum)), expected = vec(rowSums(as.matrix(t$exp))), statistic = rep(t$chisq, nrow(as.matrix(t$exp)))), "survdiff(f + strata(s), rho=1)") }
case("logrank entry strata heart", "heart", "survival.logrank", list(time = "stop", event = "event", by = "transplant", entry = "start", strata = "surgery"), list(statistic = rep(coxph(Surv(start, stop, event) ~ transplant + strata(surgery), h, ties = "exact")$score, 2)), "score test of coxph(strata, ties='exact')")
for (rg in list(c(1, 0), c(0, 1))) case(paste("logrank entry strata heart", rg[1], rg[2]), "heart", "survival.logrank", list(time = "stop", event = "event", by = "transplant", entry = "start", strata = "surgery", rho = rg[1], gamma = rg[2]), fh(h$stop, h$event, h$transplant, h$surgery, rg[1], rg[2], h$start), "written out")

# -- restricted means -----------------------------------------------------------------------------------------------------
for (cl in c(.9, .99)) { d <- sets$veteran; t <- summary(survfit(Surv(time, status) ~ celltype, d), rmean = 150)$table; e <- t[, "rmean"]; s <- t[, "se(rmean)"]; z <- qnorm(1 - (1 - cl) / 2)
  case(paste("rmst level", cl), "veteran", "survival.rmst", list(time = "time", event = "status", by = "celltype", tau = 150, conf_level = cl), list(estimate = vec(e), std_error = vec(s), conf_low = vec(e - z * s), conf_high = vec(pmin(150, e + z * s))), "summary(survfit, rmean)$table") }
t <- summary(survfit(Surv(start, stop, event) ~ transplant, h), rmean = 500)$table
case("rmst entry heart", "heart", "survival.rmst", list(time = "stop", event = "event", entry = "start", by = "transplant", tau = 500), list(estimate = vec(t[, "rmean"]), std_error = vec(t[, "se(rmean)"])), "summary(survfit(Surv(start, stop, event)), rmean)$table")
for (g in c("placebo")) { d <- sets$leukemia6mp[sets$leukemia6mp$arm == g, ]; put(d, "placebo"); t <- summary(survfit(Surv(time, status) ~ 1, d), rmean = 40)$table  # all had the event: the curve is 0 from week 23
  case("rmst beyond the last event", "placebo", "survival.rmst", list(time = "time", event = "status", tau = 40), list(estimate = unname(t["rmean"]), std_error = unname(t["se(rmean)"])), "summary(survfit, rmean=40)$table") }

# -- differences of curves, late entry ----------------------------------------------------------------------------------------
s <- summary(survfit(Surv(start, stop, event) ~ transplant, h), times = c(30, 100, 300)); dif <- s$surv[4:6] - s$surv[1:3]; se <- sqrt(s$std.err[4:6]^2 + s$std.err[1:3]^2); z <- qnorm(.95)
case("survival difference entry", "heart", "survival.survival_difference", list(time = "stop", event = "event", by = "transplant", entry = "start", times = c(30, 100, 300), reference = "0", conf_level = .9), list(estimate = vec(dif), std_error = vec(se), conf_low = vec(dif - z * se), conf_high = vec(dif + z * se)), "summary(survfit(Surv(start, stop, event)), times)")

# -- competing risks ------------------------------------------------------------------------------------------------------
cr <- list(list("mgus2", "etime", "cause", "ageband", "sex", c(12, 60, 240)), list("pbc", "time", "cause", "stage", "trt", c(400, 1500, 3000)), list("myeloid", "time", "cause", "sex", "trt", c(50, 150, 400)))
flat <- function(s, what) { m <- s[[what]][, 2:3]; g <- as.integer(s$strata); vec(unlist(lapply(sort(unique(g)), function(i) as.vector(m[g == i, ])))) }
for (o in cr) { d <- sets[[o[[1]]]]; d$ev <- factor(d[[o[[3]]]], 0:2); base <- list(time = o[[2]], cause = o[[3]], by = o[[4]], times = o[[6]])
  f <- as.formula(sprintf("Surv(%s, ev) ~ %s", o[[2]], o[[4]]))
  for (ct in c("log-log", "log", "plain")) { s <- summary(survfit(f, d, conf.type = ct, conf.int = .9), times = o[[6]]); a <- c(base, list(variance = "greenwood", conf_type = ct, conf_level = .9))
    case(paste("cif", ct, o[[1]]), o[[1]], "survival.cumulative_incidence", a, c(list(estimate = flat(s, "pstate"), std_error = flat(s, "std.err")), if (ct == "log-log") list(conf_low = flat(s, "lower"), conf_high = flat(s, "upper"))), "survfit(Surv(time, factor), conf.int=.9)")
    s <- summary(survfit(f, d, weights = w, conf.type = ct), times = o[[6]]); case(paste("cif weighted", ct, o[[1]]), o[[1]], "survival.cumulative_incidence", c(base, list(weights = "w", variance = "greenwood", conf_type = ct)), c(list(estimate = flat(s, "pstate"), std_error = flat(s, "std.err")), if (ct == "log-log") list(conf_low = flat(s, "lower"), conf_high = flat(s, "upper"))), "survfit(Surv(time, factor), weights=w)") }
  for (rho in c(.5, 1, 2)) for (st in c(FALSE, TRUE)) { t <- if (st) cuminc(d[[o[[2]]]], d[[o[[3]]]], d[[o[[4]]]], strata = d[[o[[5]]]], rho = rho)$Tests else cuminc(d[[o[[2]]]], d[[o[[3]]]], d[[o[[4]]]], rho = rho)$Tests; a <- list(time = o[[2]], cause = o[[3]], by = o[[4]], rho = rho); if (st) a$strata <- o[[5]]
    case(paste("gray", o[[1]], o[[4]], rho, if (st) "stratified"), o[[1]], "survival.gray_test", a, list(statistic = vec(t[, "stat"]), df = vec(t[, "df"]), p_value = vec(t[, "pv"])), "cmprsk::cuminc(rho, strata)$Tests") } }
fg <- list(list("mgus2", "etime", c("age", "sex", "ageband"), 2), list("pbc", "time", c("trt", "age", "sex", "bili", "albumin", "edema"), 1), list("pbc", "time", c("trt", "age", "sex", "bili", "albumin", "edema"), 2), list("myeloid", "time", c("trt", "sex"), 1))
for (o in fg) { d <- sets[[o[[1]]]]; X <- model.matrix(as.formula(paste("~", paste(o[[3]], collapse = "+"))), d)[, -1, drop = FALSE]; f <- crr(d[[o[[2]]]], d$cause, X, failcode = o[[4]], gtol = 1e-12, maxiter = 50); b <- f$coef; se <- sqrt(diag(f$var)); z <- qnorm(.95)
  case(paste("fine-gray many", o[[1]], o[[4]], length(b)), o[[1]], "survival.fine_gray", list(time = o[[2]], cause = "cause", covariates = I(o[[3]]), interest = o[[4]], conf_level = .9), list(estimate = vec(b), std_error = vec(se), p_value = vec(2 * pnorm(-abs(b / se))), conf_low = vec(b - z * se), conf_high = vec(b + z * se)), "cmprsk::crr") }
m <- read.csv("../sets/mgus2_late.csv"); tra <- matrix(FALSE, 3, 3); tra[1, 2:3] <- TRUE
one <- function(x) etm(data.frame(id = x$id, from = 0, to = ifelse(x$cause == 0, "cens", x$cause), entry = x$start, exit = x$etime), c("0", "1", "2"), tra, "cens", 0)
E <- lapply(c("old", "young"), function(a) one(m[m$ageband == a, ])); at <- c(24, 60, 120, 240)
pick <- function(e, k) { i <- findInterval(at, e$time); list(F = e$est["0", as.character(k), i], s = sqrt(e$cov[paste("0", k), paste("0", k), i])) }
r <- list(); for (e in E) for (k in 1:2) r[[length(r) + 1]] <- pick(e, k)
case("cif entry greenwood", "mgus2_late", "survival.cumulative_incidence", list(time = "etime", cause = "cause", entry = "start", by = "ageband", times = at, variance = "greenwood"), list(estimate = vec(unlist(lapply(r, `[[`, "F"))), std_error = vec(unlist(lapply(r, `[[`, "s")))), "etm(entry), cov")

# -- Cox ------------------------------------------------------------------------------------------------------------------
tidy <- function(f, cl) { s <- summary(f)$coefficients; se <- s[, if ("robust se" %in% colnames(s)) "robust se" else "se(coef)"]; b <- s[, "coef"]; z <- qnorm(1 - (1 - cl) / 2); list(estimate = vec(b), std_error = vec(se), statistic = vec(b / se), p_value = vec(s[, "Pr(>|z|)"]), conf_low = vec(b - z * se), conf_high = vec(b + z * se)) }
glance <- function(f) { s <- summary(f); list(n = f$n, n_event = f$nevent, log_likelihood = f$loglik[2], log_likelihood_null = f$loglik[1], lr_statistic = unname(s$logtest[1]), wald_statistic = f$wald.test, score_statistic = f$score, concordance = unname(s$concordance[1])) }
zph <- function(id, set, args, f) for (tr in c("km", "rank", "identity", "log")) { t <- cox.zph(f, transform = tr)$table; case(paste("zph", id, tr), set, "proportional_hazards_test", c(args, list(transform = tr)), list(statistic = vec(t[, 1]), df = vec(t[, 2]), p_value = vec(t[, 3])), paste0("cox.zph(f, '", tr, "')")) }
models <- list(list("colon", "Surv(time, status)", "time", "status", NULL, c("rx", "age", "node4"), "extent", "age"), list("lung", "Surv(time, status)", "time", "status", NULL, c("age", "sex"), "ecog", "inst"), list("veteran", "Surv(time, status)", "time", "status", NULL, c("trt", "karno", "age"), "celltype", "age"),
  list("heart", "Surv(start, stop, event)", "stop", "event", "start", c("age", "year", "transplant"), "surgery", "id"), list("bladder", "Surv(start, stop, event)", "stop", "event", "start", c("rx", "number", "size"), "enum", "id"), list("cgd", "Surv(start, stop, event)", "stop", "event", "start", c("treat", "age"), NULL, "id"), list("pbc", "Surv(time, dead)", "time", "dead", NULL, c("trt", "age", "bili", "sex"), "stage", "age"))
for (m in models) { d <- sets[[m[[1]]]]; rhs <- paste(m[[6]], collapse = "+"); st <- if (is.null(m[[7]])) "" else sprintf("+strata(%s)", m[[7]])
  base <- list(time = m[[3]], event = m[[4]], covariates = I(m[[6]])); if (!is.null(m[[5]])) base$entry <- m[[5]]; if (!is.null(m[[7]])) base$strata <- m[[7]]
  for (ti in c("efron", "breslow")) for (wt in c(FALSE, TRUE)) { d$ww <- if (wt) d$w else 1; if (wt) base$weights <- "w" else base$weights <- NULL
    f <- coxph(as.formula(paste0(m[[2]], "~", rhs, st, "+cluster(", m[[8]], ")")), d, ties = ti, weights = ww, control = ctl); a <- c(base, list(ties = ti, cluster = m[[8]], conf_level = .9))
    case(paste("cox strata cluster", m[[1]], ti, if (wt) "weighted"), m[[1]], "survival.cox", a, list(rows = tidy(f, .9), glance = glance(f)), "coxph(strata, cluster, weights)")
    zph(paste("cluster", m[[1]], ti, if (wt) "weighted"), m[[1]], a, f)
    f <- coxph(as.formula(paste0(m[[2]], "~", rhs, st)), d, ties = ti, weights = ww, robust = FALSE, control = ctl); a <- c(base, list(ties = ti))
    case(paste("cox strata", m[[1]], ti, if (wt) "weighted"), m[[1]], "survival.cox", a, list(rows = tidy(f, .95), glance = glance(f)), "coxph(strata, weights, robust=FALSE)")
    zph(paste("model", m[[1]], ti, if (wt) "weighted"), m[[1]], a, f)
    if (!is.null(m[[5]])) next  # R asks for a cluster there
    f <- coxph(as.formula(paste0(m[[2]], "~", rhs, st)), d, ties = ti, weights = ww, robust = TRUE, control = ctl)
    case(paste("cox strata robust", m[[1]], ti, if (wt) "weighted"), m[[1]], "survival.cox", c(a, robust = TRUE), list(rows = tidy(f, .95), glance = glance(f)), "coxph(strata, weights, robust=TRUE)") } }
f <- coxph(Surv(time, status) ~ factor(celltype) * trt + karno, sets$veteran, control = ctl)
case("cox interaction veteran", "veteran", "survival.cox", list(time = "time", event = "status", covariates = "celltype * trt + karno"), list(rows = list(estimate = vec(coef(f)), std_error = vec(sqrt(diag(vcov(f))))), glance = glance(f)), "coxph(~ celltype * trt + karno)")

# -- propensity -----------------------------------------------------------------------------------------------------------
for (o in list(list("rotterdam", "hormon", c("age", "grade", "nodes")), list("colon", "obstruct", c("age", "sex", "rx")), list("lung", "sex", c("age", "ecog")))) { d <- sets[[o[[1]]]]; z <- as.integer(d[[o[[2]]]] == max(d[[o[[2]]]]))
  g <- glm(as.formula(paste("z ~", paste(o[[3]], collapse = "+"))), data = cbind(d, z = z), family = binomial, control = glm.control(epsilon = 1e-14, maxit = 100)); e <- unname(fitted(g))
  for (est in c("att", "ate", "overlap")) for (tr in list(NULL, .1)) { w <- switch(est, att = ifelse(z == 1, 1, e / (1 - e)), ate = ifelse(z == 1, 1 / e, 1 / (1 - e)), overlap = ifelse(z == 1, 1 - e, e)); if (!is.null(tr)) w[e < tr | e > 1 - tr] <- 0
    for (a in 0:1) { i <- z == a; w[i] <- w[i] * sum(w[i] > 0) / sum(w[i]) }
    case(paste("stabilized", o[[1]], est, tr), o[[1]], "compare.propensity", c(list(treatment = o[[2]], covariates = I(o[[3]]), estimand = est, stabilized = TRUE), if (!is.null(tr)) list(trim = tr)), list(scores = vec(e), weights = vec(w), ess = vec(c(sum(w[z == 1])^2 / sum(w[z == 1]^2), sum(w[z == 0])^2 / sum(w[z == 0]^2))), balance_terms = list(), balance = list()), "glm(binomial)") } }
save_cases("unusual")
