# Cox models: ties, entry, strata, weights, clusters, robust; the test of proportional hazards; Firth.
source("common.R"); source("sets.R")
models <- list(
  list("veteran", "time", "status", c("trt", "karno", "age", "celltype"), NULL), list("lung", "time", "status", c("age", "sex", "ecog"), "inst"),
  list("aml", "time", "status", "x", NULL), list("leukemia6mp", "time", "status", c("arm", "logwbc"), NULL),
  list("ovarian", "time", "status", c("age", "rx", "ps"), NULL), list("kidney", "time", "status", c("age", "sex"), "id"),
  list("colon", "time", "status", c("rx", "age", "obstruct", "node4"), NULL), list("pbc", "time", "dead", c("trt", "age", "bili", "albumin", "edema"), NULL),
  list("gbsg", "time", "status", c("hormon", "age", "size", "nodes"), "grade"), list("rotterdam", "time", "status", c("chemo", "hormon", "age", "nodes"), "grade"))
ctl <- coxph.control(eps = 1e-13, iter.max = 50, toler.chol = 1e-14)
tidy <- function(f) { s <- summary(f)$coefficients; se <- s[, if ("robust se" %in% colnames(s)) "robust se" else "se(coef)"]; b <- s[, "coef"]; z <- qnorm(.975)
  list(estimate = vec(b), std_error = vec(se), p_value = vec(s[, "Pr(>|z|)"]), conf_low = vec(b - z * se), conf_high = vec(b + z * se), hazard_ratio = vec(exp(b))) }
glance <- function(f, robust = FALSE) { s <- summary(f); list(n = f$n, n_event = f$nevent, log_likelihood = f$loglik[2], log_likelihood_null = f$loglik[1], lr_statistic = unname(s$logtest[1]), wald_statistic = f$wald.test, score_statistic = f$score, concordance = unname(s$concordance[1])) }
add <- function(id, set, args, f, r) case(id, set, "survival.cox", args, list(rows = tidy(f), glance = glance(f)), r)
zph <- function(id, set, args, f) for (tr in c("km", "rank", "identity", "log")) { t <- cox.zph(f, transform = tr)$table; case(paste(id, tr), set, "proportional_hazards_test", c(args, list(transform = tr)), list(statistic = vec(t[, 1]), df = vec(t[, 2]), p_value = vec(t[, 3])), paste0("cox.zph(f, '", tr, "')")) }
for (m in models) {
  n <- m[[1]]; d <- sets[[n]]; S <- sprintf("Surv(%s,%s)~", m[[2]], m[[3]]); rhs <- paste(m[[4]], collapse = "+"); f <- as.formula(paste0(S, rhs))
  base <- list(time = m[[2]], event = m[[3]], covariates = I(m[[4]]))
  for (ti in c("efron", "breslow")) {
    fit <- coxph(f, d, ties = ti, control = ctl); a <- c(base, list(ties = ti)); add(paste("cox", n, ti), n, a, fit, "coxph(f, d, ties)"); if (ti == "efron") zph(paste("zph", n), n, a, fit)
    fit <- coxph(f, d, ties = ti, robust = TRUE, control = ctl); add(paste("cox robust", n, ti), n, c(a, robust = TRUE), fit, "coxph(robust=TRUE)")
    fit <- coxph(f, d, ties = ti, weights = w, robust = TRUE, control = ctl); add(paste("cox weighted robust", n, ti), n, c(a, weights = "w", robust = TRUE), fit, "coxph(weights=w, robust=TRUE)")
    fit <- coxph(f, d, ties = ti, weights = w, robust = FALSE, control = ctl); add(paste("cox weighted", n, ti), n, c(a, weights = "w"), fit, "coxph(weights=w, robust=FALSE)")
  }
  if (n == "gbsg" || n == "veteran") zph(paste("zph weighted", n), n, c(base, weights = "w"), coxph(f, d, weights = w, robust = FALSE, control = ctl))
  if (!is.null(m[[5]])) { cl <- if (m[[5]] == "grade") "age" else m[[5]]
    if (n != "kidney") { fit <- coxph(as.formula(paste0(S, rhs, "+strata(", m[[5]], ")")), d, control = ctl); add(paste("cox strata", n), n, c(base, strata = m[[5]]), fit, "coxph(f + strata(s))"); zph(paste("zph strata", n), n, c(base, strata = m[[5]]), fit) }
    fit <- coxph(as.formula(paste0(S, rhs, "+cluster(", cl, ")")), d, control = ctl); add(paste("cox cluster", n), n, c(base, cluster = cl), fit, "coxph(f + cluster(id))")
  }
}
h <- sets$heart; a <- list(time = "stop", event = "event", covariates = I(c("age", "year", "surgery", "transplant")), entry = "start")
for (ti in c("efron", "breslow")) { fit <- coxph(Surv(start, stop, event) ~ age + year + surgery + transplant, h, ties = ti, control = ctl); add(paste("cox entry heart", ti), "heart", c(a, ties = ti), fit, "coxph(Surv(start, stop, event))") }
zph("zph entry heart", "heart", a, coxph(Surv(start, stop, event) ~ age + year + surgery + transplant, h, control = ctl))
add("cox entry cluster heart", "heart", c(a, cluster = "id"), coxph(Surv(start, stop, event) ~ age + year + surgery + transplant + cluster(id), h, control = ctl), "coxph(cluster(id))")
b <- sets$bladder; a <- list(time = "stop", event = "event", covariates = I(c("rx", "number", "size")), entry = "start")
b2 <- b; add("cox andersen-gill bladder", "bladder", c(a, cluster = "id"), coxph(Surv(start, stop, event) ~ rx + number + size + cluster(id), b, control = ctl), "coxph(cluster(id))")
add("cox pwp bladder", "bladder", c(a, cluster = "id", strata = "enum"), coxph(Surv(start, stop, event) ~ rx + number + size + strata(enum) + cluster(id), b, control = ctl), "coxph(strata(enum) + cluster(id))")
zph("zph entry strata bladder", "bladder", c(a, strata = "enum"), coxph(Surv(start, stop, event) ~ rx + number + size + strata(enum), b, control = ctl))
cg <- sets$cgd; add("cox cgd weighted entry", "cgd", list(time = "stop", event = "event", covariates = I(c("treat", "age")), entry = "start", weights = "w", cluster = "id"), coxph(Surv(start, stop, event) ~ treat + age + cluster(id), cg, weights = w, control = ctl), "coxph(weights=w, cluster(id))")
fit <- coxph(Surv(time, status) ~ age * rx + ps, sets$ovarian, control = ctl); add("cox formula ovarian", "ovarian", list(time = "time", event = "status", covariates = "age + rx + ps + age:rx"), coxph(Surv(time, status) ~ age + rx + ps + age:rx, sets$ovarian, control = ctl), "coxph(~ age + rx + ps + age:rx)")
save_cases("cox")
