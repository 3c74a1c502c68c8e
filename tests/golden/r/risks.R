# Absolute risks of cause-specific Cox models: standardised (ate), and scored (Score). riskRegression.
source("common.R"); suppressMessages(library(riskRegression))
data(Melanoma); m <- Melanoma; m$cause <- as.integer(m$event) - 1; m$sex <- as.character(m$sex); m$ulcer <- as.integer(m$ulcer == "present")
m$invasion <- as.character(m$invasion); m$days <- m$time; set.seed(5); m$weeks <- ceiling(m$time / 60)  # with many ties
m <- m[, c("time", "weeks", "cause", "sex", "age", "ulcer", "invasion", "logthick")]; write.csv(m, "../sets/melanoma.csv", row.names = FALSE)
v <- as.character(packageVersion("riskRegression"))
for (tt in c("time", "weeks")) for (tau in if (tt == "time") c(1000, 2500) else c(20, 45)) { d <- m; d$t <- d[[tt]]
  d$sex <- factor(d$sex); d$invasion <- factor(d$invasion); d$ulcerf <- factor(d$ulcer)
  f <- CSC(Hist(t, cause) ~ sex + age + ulcer + invasion + logthick, d); covs <- c("sex", "age", "ulcer", "invasion", "logthick")
  mean_with <- function(set) mean(predictRisk(f, newdata = set(d), times = tau, cause = 1)); with <- function(n, v) mean_with(function(x) { x[[n]] <- if (is.factor(x[[n]])) factor(v, levels(x[[n]])) else v; x })
  q <- function(n) quantile(d[[n]], c(.25, .75), names = FALSE)
  one <- c(with("sex", "Male"), with("age", q("age")[2]), with("ulcer", 1), with("invasion", "level.1"), with("invasion", "level.2"), with("logthick", q("logthick")[2]))
  two <- c(with("sex", "Female"), with("age", q("age")[1]), with("ulcer", 0), with("invasion", "level.0"), with("invasion", "level.0"), with("logthick", q("logthick")[1]))
  a <- ate(f, data = d, treatment = "sex", times = tau, cause = 1, se = FALSE, verbose = FALSE)$diffRisk$estimate
  stopifnot(abs(a - (one - two)[1]) < 1e-10)
  args <- list(time = tt, cause = "cause", covariates = I(covs), tau = tau, n_boot = 20)
  case(paste("standardised", tt, tau), "melanoma", "survival.standardised_risks", args, list(estimate = vec(one - two), share = vec(two)), paste("riskRegression", v, "predictRisk(CSC) over everybody, = ate$diffRisk for sex"))
  p <- predictRisk(f, newdata = d, times = tau, cause = 1)
  s <- Score(list(model = f), formula = Hist(t, cause) ~ 1, data = d, times = tau, cause = 1, cens.model = "km", metrics = c("auc", "brier"), se.fit = FALSE, conf.int = FALSE, null.model = TRUE)
  b <- s$Brier$score; lp <- predict(f$models[[1]], newdata = d, type = "lp")
  case(paste("foretold", tt, tau), "melanoma", "survival.foretold", args, list(apparent = c(s$AUC$score$AUC[1], 1 - b$Brier[b$model == "model"] / b$Brier[b$model == "Null model"], coef(coxph(Surv(t, cause == 1) ~ lp, d))[[1]])), paste("riskRegression", v, "Score(cens.model = 'km')")) }
save_cases("risks")
