# The generalised gamma (no package for it here: its likelihood with pgamma and dgamma, maximised by optim and Newton's steps),
# and Weibull, log-normal, log-logistic with weights by survreg.
source("common.R"); source("sets.R")
loglik <- function(q, t, e, w) { mu <- q[1]; s <- exp(q[2]); l <- q[3]; k <- l^-2; z <- (log(t) - mu) / s; u <- k * exp(l * z)
  f <- dgamma(u, k, log = TRUE) + log(u) + log(abs(l)) - log(s) - log(t); S <- pgamma(u, k, lower.tail = l < 0, log.p = TRUE); sum(w * ifelse(e == 1, f, S)) }
newton <- function(q, fn) { for (r in 1:8) { h <- 1e-3 * pmax(1, abs(q)); p <- length(q); E <- diag(h, p)
    g <- sapply(1:p, function(i) (8 * (fn(q + E[, i]) - fn(q - E[, i])) - (fn(q + 2 * E[, i]) - fn(q - 2 * E[, i]))) / (12 * h[i])); q <- q - solve(optimHess(q, fn, control = list(ndeps = rep(1e-4, p))), g) }; q }
med <- function(q) { k <- q[3]^-2; exp(q[1] + exp(q[2]) / q[3] * log(qgamma(.5, k, lower.tail = q[3] > 0) / k)) }
for (n in c("lung", "colon", "gbsg", "veteran", "rotterdam", "pbc")) { d <- sets[[n]]; e <- if (n == "pbc") d$dead else d$status
  fn <- function(q) loglik(q, d$time, e, rep(1, nrow(d))); w0 <- survreg(Surv(d$time, e) ~ 1, dist = "weibull"); best <- NULL
  for (l0 in c(1, .5, -.5, 2)) { o <- try(optim(c(unname(coef(w0)), log(w0$scale), l0), fn, control = list(fnscale = -1, maxit = 4000, reltol = 1e-15)), silent = TRUE); if (!inherits(o, "try-error") && (is.null(best) || o$value > best$value)) best <- o }
  q <- newton(best$par, fn); v <- fn(q)
  case(paste("generalised gamma", n), n, "survival.parametric", list(time = "time", event = if (n == "pbc") "dead" else "status", models = I("generalised gamma")), list(log_likelihood = v, aic = 6 - 2 * v, median = med(q), df = 3), "optim and Newton on dgamma, pgamma")
  for (m in c("weibull", "log-normal", "log-logistic")) { f <- survreg(Surv(d$time, e) ~ 1, weights = d$w, dist = c("weibull" = "weibull", "log-normal" = "lognormal", "log-logistic" = "loglogistic")[[m]], control = survreg.control(rel.tolerance = 1e-13, maxiter = 100))
    case(paste("weighted", m, n), n, "survival.parametric", list(time = "time", event = if (n == "pbc") "dead" else "status", weights = "w", models = I(m)), list(log_likelihood = f$loglik[2], median = unname(exp(qsurvreg(.5, coef(f), f$scale, distribution = if (m == "weibull") "extreme" else if (m == "log-normal") "gaussian" else "logistic")))), "survreg(weights=w)") } }
save_cases("gamma")
