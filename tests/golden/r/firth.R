# Firth's penalised partial likelihood.
source("common.R"); source("sets.R")
# Firth: the penalised likelihood from coxph at fixed coefficients, maximised by optim, profiled by uniroot.
firth <- function(set, f, p, ti) {
  at <- function(b) coxph(f, set, init = b, ties = ti, control = coxph.control(iter.max = 0))
  sd0 <- sqrt(diag(as.matrix(at(rep(0, p))$var)))
  pl <- function(u) { g <- at(u * sd0); g$loglik[2] - 0.5 * as.numeric(determinant(as.matrix(g$var))$modulus) }
  top_of <- function(free, val) {
    put <- function(u) { v <- val; v[free] <- u; v }
    if (!any(free)) return(list(value = pl(val), full = val))
    if (sum(free) == 1) { r <- optimize(function(u) pl(put(u)), val[free] + c(-12, 12), maximum = TRUE, tol = 1e-12); return(list(value = r$objective, full = put(r$maximum))) }
    r <- list(par = val[free]); for (i in 1:4) r <- optim(r$par, function(u) -pl(put(u)), method = "BFGS", control = list(reltol = 1e-16, maxit = 500, ndeps = rep(1e-5, sum(free))))
    list(value = -r$value, full = put(r$par)) }
  best <- top_of(rep(TRUE, p), rep(0, p)); b <- best$full
  lim <- function(j, sgn) { fr <- seq_len(p) != j; drop <- function(v) { val <- b; val[j] <- v; 2 * (best$value - top_of(fr, val)$value) - qchisq(.95, 1) }
    far <- 1; while (drop(b[j] + sgn * far) < 0 && far < 40) far <- far * 1.5; uniroot(drop, sort(c(b[j], b[j] + sgn * far)), tol = 1e-9)$root }
  list(estimate = vec(b * sd0), std_error = vec(sqrt(diag(as.matrix(at(b * sd0)$var)))), conf_low = vec(sapply(1:p, lim, sgn = -1) * sd0), conf_high = vec(sapply(1:p, lim, sgn = 1) * sd0))
}
d <- transform(sets$aml, flag = as.integer(status == 0)); put(d, "aml_separated")
for (ti in c("efron", "breslow")) {
  case(paste("firth ovarian", ti), "ovarian", "survival.cox", list(time = "time", event = "status", covariates = I(c("age", "rx")), penalizer = "firth", ties = ti), list(rows = firth(sets$ovarian, Surv(time, status) ~ age + rx, 2, ti), rtol = 2e-5), "optim over coxph(init=b, iter.max=0)")
  case(paste("firth aml", ti), "aml", "survival.cox", list(time = "time", event = "status", covariates = I("x"), penalizer = "firth", ties = ti), list(rows = firth(sets$aml, Surv(time, status) ~ x, 1, ti), rtol = 2e-5), "optim over coxph(init=b, iter.max=0)")
}
case("firth separated aml", "aml_separated", "survival.cox", list(time = "time", event = "status", covariates = I("flag"), penalizer = "firth"),
     list(rows = firth(transform(sets$aml, flag = as.integer(status == 0)), Surv(time, status) ~ flag, 1, "efron"), rtol = 2e-5), "optim over coxph(init=b, iter.max=0); flag = 1 where status = 0")
save_cases("firth")
