# Firth's penalised partial likelihood. R has no package for it here: the likelihood is coxph's own at fixed coefficients;
# its derivatives are numDeriv's (Richardson's extrapolation), its maximum and profile limits the roots Newton's steps reach.
source("common.R"); source("sets.R")
suppressMessages(library(numDeriv))
firth <- function(set, f, p, ti) {
  at <- function(b) coxph(f, set, init = b, ties = ti, control = coxph.control(iter.max = 0, toler.chol = 1e-14))
  scale <- sqrt(diag(as.matrix(at(rep(0, p))$var)))
  pl <- function(u) { g <- at(u * scale); g$loglik[2] - 0.5 * as.numeric(determinant(as.matrix(g$var))$modulus) }
  root <- function(u, F, J, steps = 60) {  # Newton's steps, halved while they overshoot
    g <- F(u)
    for (i in seq_len(steps)) { step <- solve(J(u), g); if (max(abs(step)) < 1e-11) break
      for (k in 0:20) { v <- u - step / 2^k; h <- tryCatch(F(v), error = function(e) Inf); if (all(is.finite(h)) && sum(h^2) < sum(g^2)) break }
      if (k == 20) break
      u <- v; g <- h }
    stopifnot(max(abs(g)) < 1e-7); u }
  grad_ <- function(u) grad(pl, u); hess_ <- function(u) hessian(pl, u)
  start <- rep(0, p); for (i in 1:5) { start <- optim(start, function(u) -pl(u), method = if (p > 1) "Nelder-Mead" else "BFGS", control = list(reltol = 1e-14, maxit = 3000))$par }
  u <- root(start, grad_, hess_); best <- pl(u); q <- qchisq(.95, 1)
  lim <- function(j, sgn) {
    se <- sqrt(solve(-hess_(u))[j, j]); free <- seq_len(p) != j
    drop <- function(x) { if (!any(free)) return(2 * (best - pl(x)) - q); put <- function(w) { v <- u; v[j] <- x; v[free] <- w; v }
      2 * (best + optim(u[free], function(w) -pl(put(w)), method = "BFGS", control = list(reltol = 1e-14))$value) - q }
    far <- se; while (drop(u[j] + sgn * far) < 0) far <- far * 1.4
    x <- uniroot(drop, sort(c(u[j], u[j] + sgn * far)), tol = 1e-6)$root
    v <- u; v[j] <- x; if (any(free)) { o <- optim(u[free], function(w) { y <- v; y[free] <- w; -pl(y) }, method = "BFGS", control = list(reltol = 1e-14)); v[free] <- o$par }
    F <- function(v) { g <- grad_(v); c(2 * (best - pl(v)) - q, g[free]) }
    J <- function(v) rbind(-2 * grad_(v), hess_(v)[free, , drop = FALSE])
    root(v, F, J)[j] }
  b <- u * scale
  list(estimate = vec(b), std_error = vec(sqrt(diag(as.matrix(at(b)$var)))), conf_low = vec(sapply(1:p, lim, sgn = -1) * scale), conf_high = vec(sapply(1:p, lim, sgn = 1) * scale))
}
d <- transform(sets$aml, flag = as.integer(status == 0)); put(d, "aml_separated")
how <- "coxph(init=b, iter.max=0), numDeriv::grad and hessian, Newton"
one <- function(id, set, data, f, covariates, ti) case(paste("firth", id, ti), set, "survival.cox", list(time = "time", event = "status", covariates = I(covariates), penalizer = "firth", ties = ti), list(rows = firth(data, f, length(covariates), ti)), how)
for (ti in c("efron", "breslow")) {
  one("ovarian", "ovarian", sets$ovarian, Surv(time, status) ~ age + rx, c("age", "rx"), ti)
  one("aml", "aml", sets$aml, Surv(time, status) ~ x, "x", ti)
  one("leukemia6mp", "leukemia6mp", sets$leukemia6mp, Surv(time, status) ~ arm + logwbc, c("arm", "logwbc"), ti)
  one("lung", "lung", sets$lung, Surv(time, status) ~ age + sex + ecog, c("age", "sex", "ecog"), ti)
  one("separated aml", "aml_separated", d, Surv(time, status) ~ flag, "flag", ti)
}
save_cases("firth")
