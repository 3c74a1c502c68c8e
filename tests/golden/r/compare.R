# Propensity scores, weights, balance, adjusted effects, proportions.
source("common.R"); source("sets.R")
plans <- list(
  list("rotterdam", "time", "status", "hormon", c("age", "grade", "nodes"), 2500), list("gbsg", "time", "status", "hormon", c("age", "meno", "size", "nodes"), 1500),
  list("lung", "time", "status", "sex", c("age", "ecog"), 500), list("pbc", "time", "cause", "trt", c("age", "bili", "albumin", "sex"), 2500),
  list("colon", "time", "status", "obstruct", c("age", "sex", "rx"), 1800), list("mgus2", "etime", "cause", "ageband", c("sex"), 150), list("veteran", "time", "status", "trt", c("karno", "age", "celltype"), 150))
wt <- function(e, z, est) switch(est, att = ifelse(z == 1, 1, e / (1 - e)), ate = ifelse(z == 1, 1 / e, 1 / (1 - e)), overlap = ifelse(z == 1, 1 - e, e))
for (p in plans) {
  n <- p[[1]]; d <- sets[[n]]; lv <- sort(unique(d[[p[[4]]]])); z <- as.integer(d[[p[[4]]]] == lv[2]); tau <- p[[6]]
  g <- glm(as.formula(paste("z ~", paste(p[[5]], collapse = "+"))), data = cbind(d, z = z), family = binomial, control = glm.control(epsilon = 1e-14, maxit = 100)); e <- unname(fitted(g))
  X <- model.matrix(g)[, -1, drop = FALSE]
  for (est in c("att", "ate", "overlap")) {
    w <- wt(e, z, est); args <- list(treatment = p[[4]], covariates = I(p[[5]]), estimand = est)
    ess <- c(sum(w[z == 1])^2 / sum(w[z == 1]^2), sum(w[z == 0])^2 / sum(w[z == 0]^2))
    num <- p[[5]][sapply(p[[5]], function(v) is.numeric(d[[v]]) && length(unique(d[[v]])) > 2)]
    one <- function(v) { x <- d[[v]]; s1 <- var(x[z == 1]); s0 <- var(x[z == 0]); s <- sqrt(if (est == "att") s1 else (s1 + s0) / 2)
      c1 <- cov.wt(cbind(x[z == 1]), w[z == 1] / sum(w[z == 1])); c0 <- cov.wt(cbind(x[z == 0]), w[z == 0] / sum(w[z == 0]))
      c((mean(x[z == 1]) - mean(x[z == 0])) / s, (c1$center - c0$center) / s, s1 / s0, c1$cov / c0$cov) }
    bal <- if (length(num)) sapply(num, one) else matrix(0, 4, 0)
    case(paste("propensity", n, est), n, "compare.propensity", args, list(scores = vec(e), weights = vec(w), ess = vec(ess), balance_terms = I(num), balance = lapply(1:4, function(i) vec(bal[i, ]))), "glm(binomial), cov.wt")
    status <- as.integer(d[[p[[3]]]] > 0); cause <- d[[p[[3]]]]; time <- d[[p[[2]]]]
    tgt <- switch(est, att = z, ate = rep(1, length(z)), overlap = e * (1 - e)); XX <- cbind(1, X)
    kinds <- c("rmst_difference", "risk_difference"); if (max(cause) > 1) kinds <- c(kinds, "cif_difference")
    for (k in kinds) {
      lev <- sapply(c(1, 0), function(a) { i <- z == a; dd <<- data.frame(time = time[i], status = status[i], ev = factor(cause[i], 0:max(cause)), w = w[i])
        val <- function(ww) { dd$ww <<- ww; if (k == "cif_difference") { s <- summary(survfit(Surv(time, ev) ~ 1, dd, weights = ww), times = tau, extend = TRUE); s$pstate[2] } else { f <- survfit(Surv(time, status) ~ 1, dd, weights = ww); if (k == "rmst_difference") summary(f, rmean = tau)$table["rmean"] else 1 - summary(f, times = tau, extend = TRUE)$surv } }
        f0 <- if (k == "cif_difference") survfit(Surv(time, ev) ~ 1, dd) else survfit(Surv(time, status) ~ 1, dd)
        ps <- if (k == "cif_difference") pseudo(f0, times = tau)[, 2] else if (k == "rmst_difference") pseudo(f0, times = tau, type = "rmst") else 1 - pseudo(f0, times = tau, type = "surv")
        ps <- as.vector(ps); b <- lm.fit(XX[i, ], ps)$coefficients; m <- sum(tgt * (XX %*% b)) / sum(tgt)
        c(val(w[i]), m, m + sum(w[i] * (ps - XX[i, ] %*% b)) / sum(w[i])) })
      for (j in 1:3) case(paste(k, c("iptw", "standardised", "doubly_robust")[j], n, est), n, "compare.adjusted_effect",
        list(time = p[[2]], event = p[[3]], treatment = p[[4]], covariates = I(p[[5]]), estimand = est, measure = k, method = c("iptw", "standardised", "doubly_robust")[j], tau = tau, n_boot = 20), list(estimate = unname(lev[j, 1] - lev[j, 2])), "glm, survfit(weights), pseudo, lm")
    }
    h <- coxph(Surv(time, status) ~ z, weights = w, control = coxph.control(eps = 1e-13))
    case(paste("hazard_ratio", n, est), n, "compare.adjusted_effect", list(time = p[[2]], event = p[[3]], treatment = p[[4]], covariates = I(p[[5]]), estimand = est, measure = "hazard_ratio", n_boot = 20), list(estimate = unname(exp(coef(h)))), "coxph(weights)")
  }
}
xs <- list(c(0, 10), c(10, 10), c(3, 12), c(15, 148), c(56, 70), c(48, 80), c(1, 200), c(135, 336), c(660, 899))
for (x in xs) for (cl in c(.95, .9)) {
  ci <- prop.test(x[1], x[2], correct = FALSE, conf.level = cl)$conf.int; case(paste("wilson", x[1], x[2], cl), NULL, "compare.proportion", list(x = x[1], n = x[2], conf_level = cl), list(conf_low = ci[1], conf_high = ci[2]), "prop.test(correct=FALSE)")
  ci <- binom.test(x[1], x[2], conf.level = cl)$conf.int; case(paste("exact", x[1], x[2], cl), NULL, "compare.proportion", list(x = x[1], n = x[2], method = "exact", conf_level = cl), list(conf_low = ci[1], conf_high = ci[2]), "binom.test")
}
for (x in xs) for (b in c(.5, .734)) { t <- binom.test(x[1], x[2], b); case(paste("benchmark fixed", x[1], x[2], b), NULL, "compare.benchmark", list(x = x[1], n = x[2], baseline = b), list(conf_low = I(c(t$conf.int[1], t$conf.int[1] - b)), conf_high = I(c(t$conf.int[2], t$conf.int[2] - b)), p_value = I(c(NA, t$p.value))), "binom.test(x, n, b)")
  case(paste("noninferiority fixed", x[1], x[2], b), NULL, "compare.noninferiority", list(x = x[1], n = x[2], baseline = b, margin = .1), list(p_value = binom.test(x[1], x[2], b - .1, alternative = "greater")$p.value), "binom.test(alternative='greater')") }
# Miettinen-Nurminen without the cubic: restricted likelihood maximised numerically, limits by uniroot.
mnz <- function(x1, n1, x0, n0, del) { ll <- function(p) { p1 <- p + del; t <- function(x, n, q) (if (x > 0) x * log(q) else 0) + (if (x < n) (n - x) * log(1 - q) else 0); t(x1, n1, p1) + t(x0, n0, p) }
  lo <- max(0, -del); hi <- min(1, 1 - del); p0 <- optimize(ll, c(lo, hi), maximum = TRUE, tol = 1e-15)$maximum
  dl <- function(p) { p1 <- p + del; (if (x1 > 0) x1 / p1 else 0) - (if (x1 < n1) (n1 - x1) / (1 - p1) else 0) + (if (x0 > 0) x0 / p else 0) - (if (x0 < n0) (n0 - x0) / (1 - p) else 0) }
  a <- max(lo + 1e-15, p0 - 1e-4); b <- min(hi - 1e-15, p0 + 1e-4); if (dl(a) > 0 && dl(b) < 0) p0 <- uniroot(dl, c(a, b), tol = 1e-16)$root else if (dl(a) <= 0) p0 <- lo else p0 <- hi
  p1 <- p0 + del; N <- n1 + n0; (x1 / n1 - x0 / n0 - del) / sqrt((p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * N / (N - 1)) }
pairs <- list(c(56, 70, 48, 80), c(9, 10, 3, 10), c(5, 56, 0, 29), c(6, 7, 2, 7), c(100, 160, 660, 899), c(30, 160, 135, 899), c(12, 40, 15, 45))
for (x in pairs) { z <- qnorm(.975); d <- x[1] / x[2] - x[3] / x[4]; f <- function(del) mnz(x[1], x[2], x[3], x[4], del)
  lo <- uniroot(function(v) f(v) - z, c(-.99999, d - 1e-9), tol = 1e-13)$root; hi <- uniroot(function(v) f(v) + z, c(d + 1e-9, .99999), tol = 1e-13)$root; z0 <- f(0); a <- as.list(x); names(a) <- c("x1", "n1", "x0", "n0")
  case(paste(c("miettinen-nurminen", x), collapse = " "), NULL, "compare.proportion_difference", c(a, method = "miettinen-nurminen"), list(estimate = d, statistic = z0, p_value = 2 * pnorm(-abs(z0)), conf_low = lo, conf_high = hi), "restricted likelihood by optimize, limits by uniroot")
  w <- function(i) prop.test(x[i], x[i + 1], correct = FALSE)$conf.int; p1 <- x[1] / x[2]; p0 <- x[3] / x[4]; a1 <- w(1); a0 <- w(3)
  case(paste(c("newcombe", x), collapse = " "), NULL, "compare.proportion_difference", a, list(conf_low = d - sqrt((p1 - a1[1])^2 + (a0[2] - p0)^2), conf_high = d + sqrt((a1[2] - p1)^2 + (p0 - a0[1])^2)), "Newcombe's method 10 from prop.test limits")
  if (x[3] > 0) { m <- glm(c(1, 0, 1, 0) ~ c(1, 1, 0, 0), weights = c(x[1], x[2] - x[1], x[3], x[4] - x[3]), family = poisson); s <- sqrt(1 / x[1] - 1 / x[2] + 1 / x[3] - 1 / x[4]); r <- p1 / p0
    case(paste(c("risk ratio", x), collapse = " "), NULL, "compare.risk_ratio", a, list(estimate = r, conf_low = r * exp(-z * s), conf_high = r * exp(z * s)), "log-binomial delta method") }
  case(paste(c("noninferiority", x), collapse = " "), NULL, "compare.noninferiority", list(x = x[1], n = x[2], baseline = p0, baseline_n = x[4], margin = .1), list(p_value = pnorm(-f(-.1))), "score test at -margin") }
save_cases("compare")
