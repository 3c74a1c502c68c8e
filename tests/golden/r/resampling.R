# What rests on simulation or resampling: bootstrap intervals by R's boot, simultaneous limits by mvtnorm, imputation and
# pooling by mice (and mitools). Each random figure carries its own Monte Carlo error.
source("common.R"); source("sets.R")
suppressMessages({library(boot); library(mvtnorm); library(mice); library(mitools)})
R <- 199

# -- bootstrap within arms, propensity score refitted -------------------------------------------------------------------
level <- function(d, w, tau, kind) { d$ww <- w; f <- survfit(Surv(time, status) ~ 1, d, weights = ww)
  if (kind == "rmst_difference") summary(f, rmean = tau)$table["rmean"] else 1 - summary(f, times = tau, extend = TRUE)$surv }
effect <- function(d, f, tau, kind, method) {
  g <- suppressWarnings(glm(f, data = d, family = binomial)); e <- fitted(g); z <- d$z; w <- ifelse(z == 1, 1, e / (1 - e))
  if (kind == "hazard_ratio") { d$ww <- w; return(unname(coef(suppressWarnings(coxph(Surv(time, status) ~ z, d, weights = ww))))) }
  if (method == "iptw") return(unname(level(d[z == 1, ], w[z == 1], tau, kind) - level(d[z == 0, ], w[z == 0], tau, kind)))
  X <- model.matrix(g)
  side <- function(a) { i <- z == a; dd <<- d[i, ]; s <- survfit(Surv(time, status) ~ 1, dd)  # residuals() looks the data up again by name
   
    y <- as.vector(if (kind == "rmst_difference") pseudo(s, times = tau, type = "rmst") else 1 - pseudo(s, times = tau, type = "surv"))
    b <- lm.fit(X[i, ], y)$coefficients; m <- mean((X %*% b)[z == 1]); if (method == "standardised") m else m + sum(w[i] * (y - X[i, ] %*% b)) / sum(w[i]) }
  unname(side(1) - side(0)) }
plans <- list(list("veteran", "trt", c("karno", "age"), 150), list("lung", "sex", c("age", "ecog"), 500))
asks <- list(c("rmst_difference", "iptw"), c("risk_difference", "iptw"), c("risk_difference", "doubly_robust"), c("rmst_difference", "standardised"), c("hazard_ratio", "iptw"))
for (p in plans) { d <- sets[[p[[1]]]]; d$z <- as.integer(d[[p[[2]]]] == max(d[[p[[2]]]])); f <- as.formula(paste("z ~", paste(p[[3]], collapse = "+"))); set.seed(20 + nrow(d))
  stat <- function(x, i) { y <- x[i, ]; sapply(asks, function(a) tryCatch(effect(y, f, p[[4]], a[1], a[2]), error = function(e) NA)) }
  b <- boot(d, stat, R = R, strata = d$z)
  for (k in seq_along(asks)) { t <- b$t[!is.na(b$t[, k]), k]; n <- length(t); ci <- boot:::norm.inter(t, c(.025, .975))[, 2]; s <- sd(t)  # what boot.ci(type = 'perc') does
    dens <- density(t); q <- function(v) sqrt(.025 * .975 / n) / approx(dens$x, dens$y, v)$y
    h <- asks[[k]][1] == "hazard_ratio"; v <- if (h) exp(ci) else ci; e <- if (h) v * c(q(ci[1]), q(ci[2])) else c(q(ci[1]), q(ci[2])); point <- if (h) exp(b$t0[k]) else b$t0[k]
    args <- list(time = "time", event = "status", treatment = p[[2]], covariates = I(p[[3]]), measure = asks[[k]][1], method = asks[[k]][2], tau = if (h) NULL else p[[4]], n_boot = R, seed = 1)
    case(paste("bootstrap", p[[1]], paste(asks[[k]], collapse = " ")), p[[1]], "compare.adjusted_effect", args,
      list(estimate = unname(point), std_error = if (h) unname(point) * s else s, conf_low = v[1], conf_high = v[2], error = list(std_error = (if (h) unname(point) else 1) * s / sqrt(2 * n) * max(1, sqrt((mean((t - mean(t))^4) / s^4 - 1) / 2)), conf_low = e[1], conf_high = e[2])), sprintf("boot(strata = arm, R = %d), boot.ci(type = 'perc')", R)) } }
# whole clusters drawn again within arms
d <- sets$lung; d$z <- as.integer(d$sex == max(d$sex)); set.seed(5)
rows <- split(seq_len(nrow(d)), paste(d$z, d$inst)); arm <- sapply(rows, function(i) d$z[i[1]])
b <- boot(seq_along(rows), function(x, i) effect(d[unlist(rows[i]), ], z ~ age + ecog, 500, "rmst_difference", "iptw"), R = R, strata = arm)
ci <- boot:::norm.inter(b$t[, 1], c(.025, .975))[, 2]; dens <- density(b$t[, 1]); e <- sqrt(.025 * .975 / R) / approx(dens$x, dens$y, ci)$y; s <- sd(b$t[, 1])
case("bootstrap of clusters lung", "lung", "compare.adjusted_effect", list(time = "time", event = "status", treatment = "sex", covariates = I(c("age", "ecog")), measure = "rmst_difference", tau = 500, cluster = "inst", n_boot = R, seed = 1),
  list(estimate = unname(b$t0), std_error = s, conf_low = ci[1], conf_high = ci[2], error = list(std_error = s / sqrt(2 * R) * max(1, sqrt((mean((b$t[, 1] - mean(b$t[, 1]))^4) / s^4 - 1) / 2)), conf_low = e[1], conf_high = e[2])), "boot over clusters, strata = arm")

# -- simultaneous limits: the quantile of the largest of correlated normals, by Genz and Bretz' integration ---------------
df <- list(list("veteran", "time", "status", "trt", c(50, 100, 200, 300)), list("lung", "time", "status", "sex", c(100, 200, 300, 450, 600)), list("colon", "time", "status", "rx", c(500, 1000, 1500, 2000)), list("gbsg", "time", "status", "hormon", c(365, 730, 1095, 1460, 1825, 2190)), list("rotterdam", "time", "status", "chemo", c(500, 1000, 2000, 3000, 4000)))
for (o in df) { d <- sets[[o[[1]]]]; g <- sort(unique(d[[o[[4]]]])); tt <- o[[5]]
  one <- function(a) { x <- d[d[[o[[4]]]] == a, ]; s <- summary(survfit(as.formula(sprintf("Surv(%s,%s)~1", o[[2]], o[[3]])), x), times = tt); v <- (s$std.err / s$surv)^2; list(S = s$surv, V = outer(s$surv, s$surv) * outer(v, v, pmin)) }
  base <- one(g[1]); low <- high <- c <- numeric(0)
  for (a in g[-1]) { r <- one(a); V <- r$V + base$V; se <- sqrt(diag(V)); set.seed(9); q <- qmvnorm(.95, corr = cov2cor(V), tail = "both.tails", interval = c(1.9, 4), ptol = 1e-4, algorithm = GenzBretz(maxpts = 50000, abseps = 2e-4))$quantile
    dd <- r$S - base$S; low <- c(low, pmax(dd - q * se, -1)); high <- c(high, pmin(dd + q * se, 1)); c <- c(c, q) }
  case(paste("simultaneous", o[[1]]), o[[1]], "survival.survival_difference", list(time = o[[2]], event = o[[3]], by = o[[4]], times = tt, reference = as.character(g[1])), list(sim_low = vec(low), sim_high = vec(high), factor = vec(c)), "mvtnorm::qmvnorm(tail='both.tails') on survfit's covariances") }

# -- imputation and pooling -------------------------------------------------------------------------------------------
l <- survival::lung; l <- data.frame(time = l$time, status = l$status - 1, age = l$age, sex = l$sex, ecog = l$ph.ecog, pat_karno = l$pat.karno, wt_loss = l$wt.loss); put(l, "lung_missing")
names_ <- c("age", "sex", "ecog", "pat_karno", "wt_loss"); l$event <- l$status; l$hazard <- nelsonaalen(l, time, status)
pm <- make.predictorMatrix(l); pm[, c("time", "status")] <- 0
m <- mice(l, m = 5, maxit = 10, seed = 11, method = "pmm", predictorMatrix = pm, printFlag = FALSE)
long <- complete(m, "long"); put(long[, c(".imp", "time", "status", names_)], "lung_imputed")
fits <- with(m, coxph(Surv(time, status) ~ age + sex + ecog + pat_karno + wt_loss, control = coxph.control(eps = 1e-13)))
p <- pool(fits); s <- summary(p, conf.int = TRUE)
args <- list(time = "time", event = "status", covariates = I(names_))
case("pool lung cox", "lung_imputed", "pool.cox", c(args, n = p$pooled$dfcom[1]), list(estimate = vec(s$estimate), std_error = vec(s$std.error), df = vec(s$df), p_value = vec(s$p.value), conf_low = vec(s[["2.5 %"]]), conf_high = vec(s[["97.5 %"]])), "mice::pool(with(m, coxph(...)))")
mi <- MIcombine(lapply(fits$analyses, coef), lapply(fits$analyses, vcov)); q <- qt(.975, mi$df)
case("pool lung cox large", "lung_imputed", "pool.cox", args, list(estimate = vec(coef(mi)), std_error = vec(sqrt(diag(vcov(mi)))), df = vec(mi$df), conf_low = vec(coef(mi) - q * sqrt(diag(vcov(mi)))), conf_high = vec(coef(mi) + q * sqrt(diag(vcov(mi))))), "mitools::MIcombine")
rm <- lapply(1:5, function(i) { t <- summary(survfit(Surv(time, status) ~ I(wt_loss > 5), long[long$.imp == i, ]), rmean = 600)$table; t[, c("rmean", "se(rmean)")] })
mi <- lapply(1:2, function(g) MIcombine(lapply(rm, function(t) t[g, 1]), lapply(rm, function(t) matrix(t[g, 2]^2))))
case("pool lung rmst", "lung_imputed", "pool.rmst", list(time = "time", event = "status", above = 5, tau = 600), list(estimate = vec(sapply(mi, coef)), std_error = vec(sapply(mi, function(x) sqrt(vcov(x)))), df = vec(sapply(mi, function(x) x$df))), "mitools::MIcombine of survfit's restricted means")
big <- mice(l, m = 40, maxit = 5, seed = 12, method = "pmm", predictorMatrix = pm, printFlag = FALSE)
fits <- with(big, coxph(Surv(time, status) ~ age + sex + ecog + pat_karno + wt_loss)); p <- pool(fits)$pooled
means <- sapply(c("ecog", "pat_karno", "wt_loss"), function(v) { x <- tapply(complete(big, "long")[[v]], complete(big, "long")$.imp, mean); c(mean(x), sd(x)) })
case("impute lung", "lung_missing", "impute", list(columns = I(names_), time = "time", event = "status"), list(estimate = vec(p$estimate), within = vec(p$ubar), between = vec(p$b), m = 40, means = vec(means[1, ]), spread = vec(means[2, ])), "mice(m = 40, method = 'pmm') with the event and nelsonaalen()")
save_cases("resampling")
